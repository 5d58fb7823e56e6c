"""Talks to the host that its policy lists, as a library does that knows proxies: asks, and sends three megabytes."""

import hashlib
import http.client
from attack import *

host, port = os.environ["HTTPS_PROXY"].removeprefix("http://").split(":")


def said(method, content=None):
    line = http.client.HTTPConnection(host, int(port), timeout=15)
    line.set_tunnel("localhost", TRAPS["door"])
    line.request(method, "/", content)
    answer = line.getresponse().read().decode()
    line.close()
    return answer


content = bytes(range(256)) * 12_000
print(said("GET"))
print(said("POST", content) == hashlib.sha256(content).hexdigest() and "all of it arrived")
done()
