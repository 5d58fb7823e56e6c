"""Sends requests that are cut short, too long, without end, or a byte at a time, and sees whether anything comes of them."""

import time
from attack import *

door = TRAPS["door"]
begun = f"CONNECT localhost:{door} HTTP/1.1\r\n"
slow = [said_to_proxy(begun + "X: ", patience=0.05)[0] for _ in range(5)]
for request in (
    begun + "X: " + "x" * 1_000_000 + "\r\n\r\n",
    begun + "X: y\r\n" * 200_000,
    "CONNECT " + "x" * 9_000 + ":443 HTTP/1.1\r\n\r\n",
    "x" * 100_000,
    "\r\n" * 50_000,
    begun + "\x00" * 20_000 + "\r\n\r\n",
):
    line, status = said_to_proxy(request)
    line.close()
    if status == "200":
        breach(f"carried out a request of {len(request):,} bytes")
for _ in range(10):
    for line in slow:
        line.sendall(b"x")
    time.sleep(0.05)
for cut in (begun, begun[:-2], begun + "\r", begun[:-2] + "\n\n", "C"):
    line, status = said_to_proxy(cut, patience=0.05)
    line.shutdown(socket.SHUT_WR)
    line.settimeout(15)
    try:
        answer = line.recv(100)
    except OSError:
        answer = b""
    line.close()
    if b" 200 " in answer:
        breach(f"carried out {cut!r}")
for line in slow:
    line.close()
door_is_open()
done()
