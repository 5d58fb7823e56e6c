"""Says to the way out what one reader may take for a refused request and another for a listed one; nothing of it may be carried out."""

from attack import *

listed, trap = f"localhost:{TRAPS['door']}", f"127.0.0.1:{TRAPS['port']}"
asks = "GET /smuggled HTTP/1.0\r\n\r\n"
for request in (
    f"CONNECT {listed}\r\n\r\n",
    f"CONNECT\t{listed}\tHTTP/1.1\r\n\r\n",
    f"CONNECT  {listed} HTTP/1.1\r\n\r\n",
    f" CONNECT {listed} HTTP/1.1\r\n\r\n",
    f"connect {listed} HTTP/1.1\r\n\r\n",
    f"CONNECT {listed} HTTP/2\r\n\r\n",
    f"CONNECT {listed} {trap} HTTP/1.1\r\n\r\n",
    f"CONNECT {listed}\nHost: {trap} HTTP/1.1\r\n\r\n",
    f"CONNECT {listed}\r{trap} HTTP/1.1\r\n\r\n",
    f"CONNECT {trap}\r\n {listed} HTTP/1.1\r\n\r\n",
    f"CONNECT {listed}\x0b HTTP/1.1\r\n\r\n",
    f"\r\nCONNECT {listed} HTTP/1.1\r\n\r\n",
    f"CONNECT {trap} HTTP/1.1\r\nHost: {listed}\r\n\r\n",
    f"GET http://{listed}/smuggled HTTP/1.1\r\nHost: {listed}\r\n\r\n",
    f"POST http://{trap}/ HTTP/1.1\r\nContent-Length: 6\r\n\r\nsecret",
    f"CONNECT http://{listed}/ HTTP/1.1\r\n\r\n",
    f"CONNECT {trap} HTTP/1.1\r\nContent-Length: 0\r\n\r\nCONNECT {listed} HTTP/1.1\r\n\r\n{asks}",
    f"OPTIONS * HTTP/1.1\r\n\r\nCONNECT {listed} HTTP/1.1\r\n\r\n{asks}",
    b"\x05\x01\x00\r\n\r\n",
    b"\x04\x01\x00\x50\x7f\x00\x00\x01\x00\r\n\r\n",
    b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n",
    b"\x00" * 100 + b"\r\n\r\n",
):
    line, status = said_to_proxy(request)
    line.close()
    print("answered", status, flush=True)
    if status == "200":
        breach(f"carried out {request!r}")
door_is_open()
done()
