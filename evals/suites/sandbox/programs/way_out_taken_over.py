"""Looks for the proxy's own socket among what it inherited, and tries to sit in its place."""

import stat
from attack import *

port = int(os.environ["HTTPS_PROXY"].rpartition(":")[2])
for number in range(1024):
    try:
        if stat.S_ISSOCK(os.fstat(number).st_mode):
            breach(f"inherited a socket: {number}")
    except OSError:
        pass


def sit(address, family=socket.AF_INET):
    with socket.socket(family, socket.SOCK_STREAM) as server:
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            server.setsockopt(socket.SOL_SOCKET, option, 1)
        server.bind((address, port))
        server.listen()


attempt("its address", sit, "127.0.0.1")
attempt("all addresses", sit, "0.0.0.0")
os.environ["HTTPS_PROXY"] = f"http://127.0.0.1:{port}"
door_is_open()
done()
