"""A scheduler and two workers talk over sockets of both kinds, with threads, queues and time-outs."""

import queue
import socket
import socketserver
import subprocess
import threading
from attack import *


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(str(sum(map(int, self.rfile.readline().split()))).encode() + b"\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True


class LocalServer(socketserver.ThreadingUnixStreamServer):
    pass


results = queue.Queue()
with Server(("127.0.0.1", 0), Handler) as server, LocalServer("/tmp/scheduler", Handler) as local:
    for item in (server, local):
        threading.Thread(target=item.serve_forever, daemon=True).start()
    code = "import socket, sys\nwith socket.create_connection(('localhost', int(sys.argv[1])), timeout=10) as c:\n  c.sendall(b'1 2 3\\n'); print(c.makefile().readline().strip())"
    workers = [
        subprocess.Popen([sys.executable, "-c", code, str(server.server_address[1])], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [worker.communicate(timeout=20)[0].strip() for worker in workers] == ["6", "6"]
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(5)
        caller.connect("/tmp/scheduler")
        caller.sendall(b"4 5\n")
        assert caller.makefile().readline() == "9\n"
    server.shutdown(), local.shutdown()
done()
