"""Goes on talking in the clear after it was refused, on the same connection and in the same breath."""

from attack import *

door, trap = TRAPS["door"], TRAPS["port"]
asks = b"GET /smuggled HTTP/1.0\r\n\r\n"
for host in ("example.com:80", f"127.0.0.1:{trap}", f"localhost:{trap}"):
    refused = f"CONNECT {host} HTTP/1.1\r\n\r\n".encode()
    line, status = said_to_proxy(refused)
    try:
        line.sendall(f"CONNECT localhost:{door} HTTP/1.1\r\n\r\n".encode() + asks + b"secret" * 10_000)
        rest = line.recv(1000)
    except OSError:
        rest = b""
    line.close()
    if status == "200" or b" 200 " in rest:
        breach(f"answered after {host} was refused: {status} {rest!r}")
    line, status = said_to_proxy(refused + f"CONNECT localhost:{door} HTTP/1.1\r\n\r\n".encode() + asks)
    line.close()
    if status == "200":
        breach(f"heard the second of two requests with {host}")
door_is_open()
done()
