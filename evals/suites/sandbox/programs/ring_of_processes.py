"""Four processes pass an array around in a ring over TCP, as an all-reduce does."""

import multiprocessing as mp
import socket
import numpy as np
from attack import *


def member(rank, ports, results):
    with socket.create_server(("127.0.0.1", ports[rank])) as server:
        results.put("up")
        total = np.full(1000, float(rank))
        for _ in range(200):
            try:
                right = socket.create_connection(("127.0.0.1", ports[(rank + 1) % 4]), timeout=10)
                break
            except ConnectionRefusedError:
                __import__("time").sleep(0.02)
        left, _ = server.accept()
        piece = total
        for _ in range(3):
            right.sendall(piece.tobytes())
            data = b""
            while len(data) < 8000:
                data += left.recv(8000 - len(data))
            piece = np.frombuffer(data)
            total = total + piece
        results.put(float(total[0]))
        right.close()
        left.close()


if __name__ == "__main__":
    context = mp.get_context("fork")
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
    ports = [item.getsockname()[1] for item in sockets]
    for item in sockets:
        item.close()
    results = context.Queue()
    members = [context.Process(target=member, args=(rank, ports, results)) for rank in range(4)]
    for item in members:
        item.start()
    said = [results.get(timeout=15) for _ in range(8)]
    assert sorted(x for x in said if x != "up") == [6.0] * 4
    for item in members:
        item.join()
    done()
