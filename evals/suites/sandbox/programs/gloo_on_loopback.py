"""Torch adds up a tensor over two processes that talk over the loopback device."""

import os
import socket

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from attack import *


def member(rank, port):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), GLOO_SOCKET_IFNAME="lo")
    dist.init_process_group("gloo", rank=rank, world_size=2)
    value = torch.ones(3) * (rank + 1)
    dist.all_reduce(value)
    assert value.tolist() == [3.0, 3.0, 3.0]
    dist.destroy_process_group()


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    mp.spawn(member, args=(port,), nprocs=2)
    done()
