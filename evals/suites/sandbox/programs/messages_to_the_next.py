"""Leaves messages where the next execution of the same user could read them: shared memory, queues, semaphores, locks, ports."""

import fcntl
import socket
import time
from multiprocessing import shared_memory
from attack import *

key = 424242
if TURN:
    for name, found in (
        ("shared memory", libc.shmget(key, 4096, 0o666)),
        ("a queue", libc.msgget(key, 0o666)),
        ("semaphores", libc.semget(key, 1, 0o666)),
        ("a named queue", libc.mq_open(b"/planted", 2)),
    ):
        if found >= 0:
            breach(name)
    attempt("named shared memory", shared_memory.SharedMemory, "planted")
else:
    (
        libc.shmget(key, 4096, 0o1666),
        libc.msgget(key, 0o1666),
        libc.semget(key, 1, 0o1666),
        libc.mq_open(b"/planted", 0o102, 0o666, None),
    )
    shared_memory.SharedMemory("planted", create=True, size=100)
with open(sys.executable, "rb") as file:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        breach("a lock on a shared file")
if TURN:
    attempt("an abstract socket", lambda: socket.socket(socket.AF_UNIX).connect("\0planted"))
    attempt("a port", lambda: socket.create_connection(("127.0.0.1", 34567), timeout=1))
else:
    daemon(
        "import socket, time\ns = socket.create_server(('127.0.0.1', 34567))\nt = socket.socket(socket.AF_UNIX); t.bind(chr(0) + 'planted'); t.listen(); time.sleep(60)"
    )
    time.sleep(0.3)
done()
