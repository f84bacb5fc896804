#!/usr/bin/env python3
"""The spans of -o otlp, whose members are those of the protobuf definition, through a collector of OpenTelemetry: Rotel takes each line
of JSON, and sends on what it has understood.

Usage: collector.py H2LENS     exit status 0 where all spans come out as they went in, 77 where the collector does not run

Needs the Python packages rotel (0.0.1a15: a collector is in it), opentelemetry-proto and requests.
"""
import gzip, http.server, json, os, pathlib, subprocess, sys, tempfile, threading, time

import requests, rotel
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

ROOT = pathlib.Path(__file__).resolve().parents[2]
CAPTURES = [('grpcio.pcap',), ('curl-h2c.pcap',), ('slow.pcap',), ('tonic.pcap', '--body', '--proto', ROOT / 'testdata/shop.proto')]
PATIENCE_SECONDS = 30


class Backend(http.server.BaseHTTPRequestHandler):
    """What the collector sends to, as protobuf."""
    requests = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers['content-length']))
        if self.headers.get('content-encoding') == 'gzip':
            body = gzip.decompress(body)
        self.requests.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.send_header('content-length', '0')
        self.end_headers()

    def log_message(self, *_):
        pass


def json_value(value):
    (kind, own), = value.items()
    return {'intValue': int, 'arrayValue': lambda array: list(map(json_value, array['values']))}.get(kind, lambda value: value)(own)


def wire_value(value):
    own = getattr(value, value.WhichOneof('value'))
    return list(map(wire_value, own.values)) if value.WhichOneof('value') == 'array_value' else own


def json_spans(lines):
    """By id: all of a span, with what it is a span of, as the program has it."""
    for resource in (resource for line in lines for resource in json.loads(line)['resourceSpans']):
        of = {pair['key']: json_value(pair['value']) for pair in resource['resource']['attributes']}
        for scope in resource['scopeSpans']:
            for span in scope['spans']:
                values = lambda one: {pair['key']: json_value(pair['value']) for pair in one.get('attributes', [])}
                events = [(event['name'], int(event['timeUnixNano']), values(event)) for event in span.get('events', [])]
                yield span['spanId'], (of, scope['scope']['name'], span['name'], span['traceId'], span.get('parentSpanId', ''), span['kind'],
                                       int(span['startTimeUnixNano']), int(span['endTimeUnixNano']), values(span), events, span.get('status', {}).get('code', 0))


def wire_spans(requests):
    """The same, as the backend has it."""
    values = lambda one: {pair.key: wire_value(pair.value) for pair in one.attributes}
    for resource in (resource for request in requests for resource in request.resource_spans):
        for scope in resource.scope_spans:
            for span in scope.spans:
                events = [(event.name, event.time_unix_nano, values(event)) for event in span.events]
                yield span.span_id.hex(), (values(resource.resource), scope.scope.name, span.name, span.trace_id.hex(), span.parent_span_id.hex(), span.kind,
                                           span.start_time_unix_nano, span.end_time_unix_nano, values(span), events, span.status.code)


def started(endpoint, backend, log):
    """The collector, once it listens."""
    program = pathlib.Path(rotel.__file__).with_name('rotel-agent')
    options = ['--otlp-http-endpoint', endpoint, '--otlp-grpc-endpoint', '127.0.0.1:0', '--exporter', 'otlp', '--otlp-exporter-endpoint', backend,
               '--otlp-exporter-protocol', 'http']
    # What is on this machine is not behind a proxy.
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith('_proxy')}
    return subprocess.Popen([program, 'start', *options], stdout=log, stderr=subprocess.STDOUT, env=environment)


def send(endpoint, line):
    """As soon as somebody listens."""
    session = requests.Session()
    session.trust_env = False
    for _ in range(PATIENCE_SECONDS * 10):
        try:
            return session.post(f'http://{endpoint}/v1/traces', data=line, headers={'content-type': 'application/json'}, timeout=PATIENCE_SECONDS)
        except requests.ConnectionError:
            time.sleep(0.1)
    print('the collector does not listen')
    sys.exit(77)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    lines = []
    for name, *options in CAPTURES:
        lines += subprocess.run([sys.argv[1], ROOT / 'testdata' / name, '-o', 'otlp', *options], check=True, stdout=subprocess.PIPE).stdout.splitlines()
    for line in lines:
        # It refuses a member that the definition does not have, and a value of another type. (It takes the ids for base64.)
        json_format.Parse(line, TracesData())
    wanted = dict(json_spans(lines))
    server = http.server.HTTPServer(('127.0.0.1', 0), Backend)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with http.server.HTTPServer(('127.0.0.1', 0), Backend) as free:
        endpoint = f'127.0.0.1:{free.server_port}'
    with tempfile.TemporaryFile() as log:
        collector = started(endpoint, f'http://127.0.0.1:{server.server_port}', log)
        try:
            for line in lines:
                answer = send(endpoint, line)
                if answer.status_code != 200:
                    sys.exit(f'the collector refuses a line: {answer.status_code} {answer.text}')
            for _ in range(PATIENCE_SECONDS * 10):
                if len(got := dict(wire_spans(Backend.requests))) == len(wanted):
                    break
                time.sleep(0.1)
        finally:
            collector.terminate()
            collector.wait()
    for span, values in wanted.items():
        if got.get(span) != values:
            sys.exit(f'not as it was sent: {values}\ncame out as {got.get(span)}')
    print(f'{len(wanted)} spans come out of the collector as they went in')


if __name__ == '__main__':
    main()
