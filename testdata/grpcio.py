#!/usr/bin/env python3
"""Makes grpcio.pcap: unary, streaming and failing calls of grpcio over loopback. Usage: grpcio.py OUT.pcap (root; tcpdump, grpcio)"""
import subprocess, sys, time
from concurrent import futures
import grpc

raw = lambda b: b  # messages are bytes here
def echo(request, context): return request
def count(request, context):
    for n in range(int(request)): yield str(n).encode()
def total(requests, context): return str(sum(len(r) for r in requests)).encode()
def fail(request, context): context.abort(grpc.StatusCode.NOT_FOUND, 'nobody here: ' + request.decode())

class Service(grpc.GenericRpcHandler):
    def service(self, call):
        kinds = {'Echo': (grpc.unary_unary_rpc_method_handler, echo), 'Count': (grpc.unary_stream_rpc_method_handler, count),
                 'Total': (grpc.stream_unary_rpc_method_handler, total), 'Fail': (grpc.unary_unary_rpc_method_handler, fail)}
        kind = kinds.get(call.method.rsplit('/', 1)[-1])
        return kind and kind[0](kind[1], raw, raw)

server = grpc.server(futures.ThreadPoolExecutor(2)); server.add_generic_rpc_handlers([Service()]); server.add_insecure_port('127.0.0.1:8304'); server.start()
dump = subprocess.Popen(['tcpdump', '-i', 'lo', '-U', '-s', '0', '-w', sys.argv[1], 'tcp port 8304'], stderr=subprocess.DEVNULL); time.sleep(2)
with grpc.insecure_channel('127.0.0.1:8304') as channel:
    print('Echo', channel.unary_unary('/test.Lens/Echo', raw, raw)(b'hello'))
    print('Count', list(channel.unary_stream('/test.Lens/Count', raw, raw)(b'3')))
    print('Total', channel.stream_unary('/test.Lens/Total', raw, raw)(iter([b'ab', b'cde'])))
    for method in ('Fail', 'Missing'):
        try: channel.unary_unary('/test.Lens/' + method, raw, raw)(b'x')
        except grpc.RpcError as error: print(method, error.code())
time.sleep(2); dump.terminate(); dump.wait(); server.stop(0)
