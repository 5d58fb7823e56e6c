"""A server and a client on the loopback, as gloo and dask use it."""

import http.server
import threading
import urllib.request
from attack import *

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/", timeout=10) as page:
    assert page.status == 200
server.shutdown()
done()
