#!/usr/bin/env python3
"""Is an exchange called `safe` that the server has executed?

    python3 tests/scripts/drains.py H2LENS

nginx, Apache and h2o answer few requests on a connection, or are told to end amid them; h2load and nghttp send more. What
passes is recorded, and `h2.retry` is compared with the servers' logs. What is not installed is left out, and said.
"""

import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from relay import Relay

REQUESTS = 400
ANSWERED = 30
MODULES = "/usr/lib/apache2/modules"

NGINX = """daemon off; pid {dir}/pid; error_log {dir}/error.log; worker_processes 1; events {{}}
http {{ log_format path '$request_uri'; access_log {dir}/access.log path;
client_body_temp_path {dir}/a; proxy_temp_path {dir}/b; fastcgi_temp_path {dir}/c; uwsgi_temp_path {dir}/d;
scgi_temp_path {dir}/e; server {{ listen 127.0.0.1:{port} http2; keepalive_requests {cap};
location / {{ return 200 'done'; }} }} }}
"""
APACHE = """ServerName a.example
ServerRoot {dir}
Listen 127.0.0.1:{port}
PidFile {dir}/pid
ErrorLog {dir}/error.log
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule http2_module {modules}/mod_http2.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule alias_module {modules}/mod_alias.so
Protocols h2c
MaxKeepAliveRequests {cap}
DocumentRoot {dir}
AliasMatch "^/.*" {dir}/page
CustomLog {dir}/access.log "%U"
<Directory {dir}>
Require all granted
</Directory>
"""
H2O = """user: {user}
listen: {{host: 127.0.0.1, port: {port}}}
pid-file: {dir}/pid
error-log: {dir}/error.log
access-log: {{path: {dir}/access.log, format: "%U"}}
hosts: {{"default": {{paths: {{"/": {{file.dir: {dir}/pages}}}}}}}}
"""
# Name, configuration, command, requests that a connection may have, signal amid the requests.
SERVERS = [
    ("nginx", NGINX, ["nginx", "-p", "{dir}", "-c", "{conf}"], ANSWERED, None),
    ("nginx", NGINX, ["nginx", "-p", "{dir}", "-c", "{conf}"], 100_000, signal.SIGQUIT),
    ("apache2", APACHE, ["apache2", "-X", "-f", "{conf}"], ANSWERED, None),
    ("apache2", APACHE, ["apache2", "-DFOREGROUND", "-f", "{conf}"], 0, signal.SIGWINCH),
    ("h2o", H2O, ["h2o", "-c", "{conf}"], 0, signal.SIGTERM),
]


def clients(port, paths, directory):
    """The commands that request these paths."""
    urls = [f"http://127.0.0.1:{port}{path}" for path in paths]
    listed = os.path.join(directory, "urls")
    with open(listed, "w") as file:
        file.write("\n".join(urls) + "\n")
    return {
        "h2load": ["h2load", "-c1", "-m50", "-n", str(len(urls)), "-i", listed],
        "nghttp": ["nghttp", "--null-out", *urls],
    }


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def await_port(port):
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
    raise TimeoutError("the server does not listen")


def run(h2lens, server, client):
    """How many exchanges were called safe, and of these how many executed; how many were executed in all."""
    name, configuration, command, cap, ending = server
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        os.mkdir(os.path.join(directory, "pages"))
        for n in range(REQUESTS):
            open(os.path.join(directory, "pages", str(n)), "w").close()
        with open(os.path.join(directory, "page"), "w") as page:
            page.write("done")
        port, conf = free_port(), os.path.join(directory, "conf")
        with open(conf, "w") as file:
            file.write(configuration.format(dir=directory, port=port, cap=cap, modules=MODULES, user=getpass.getuser()))
        command = [part.format(dir=directory, conf=conf) for part in command]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, **quiet) as process:
            try:
                await_port(port)
                relay = Relay(port)
                paths = [f"/{n}" for n in range(REQUESTS)]
                with subprocess.Popen(clients(relay.port, paths, directory)[client], **quiet) as requests:
                    if ending:
                        # Until some of it has passed.
                        while requests.poll() is None and sum(map(len, relay.connections)) < 40:
                            time.sleep(0.001)
                        process.send_signal(ending)
                    try:
                        requests.wait(5)
                    except subprocess.TimeoutExpired:
                        requests.kill()
                time.sleep(0.3)
            finally:
                process.terminate()
        with open(os.path.join(directory, "access.log")) as log:
            executed = {line.strip() for line in log}
        capture = os.path.join(directory, "capture.pcap")
        with open(capture, "wb") as file:
            file.write(relay.capture())
        told = subprocess.run([h2lens, capture, "--json"], check=True, stdout=subprocess.PIPE).stdout
    calls = [record for record in map(json.loads, told.splitlines()) if record["record"] == "transaction"]
    safe = {call["url"]["path"] for call in calls if call["h2"].get("retry") == "safe"}
    return len(calls), len(executed), sorted(safe), sorted(safe & executed)


def main(h2lens):
    wrong = False
    for server in SERVERS:
        name, cap, ending = server[0], server[3], server[4]
        for client in ("h2load", "nghttp"):
            missing = [program for program in (name, client) if not shutil.which(program)]
            if missing:
                print(f"skipped: {' and '.join(missing)} is not installed")
                continue
            calls, executed, safe, both = run(h2lens, server, client)
            how = ending.name if ending else f"{cap} requests a connection"
            print(f"{name}, {client}, {how}: {calls} calls, {executed} executed, {len(safe)} safe, {len(both)} both")
            wrong |= bool(both)
    sys.exit("an executed exchange was called safe" if wrong else 0)


if __name__ == "__main__":
    main(sys.argv[1])
