"""Uses up what the kernel counts by user: watches, queues, semaphores, waiting signals, timers, locks."""

import fcntl
import signal
from attack import *

if TURN:
    assert libc.inotify_init() >= 0
    assert libc.semget(0, 1, 0o1600) >= 0
    assert libc.msgget(0, 0o1600) >= 0
for make in (
    libc.inotify_init,
    lambda: libc.semget(0, 200, 0o1600),
    lambda: libc.msgget(0, 0o1600),
    lambda: libc.eventfd(0, 0),
    lambda: libc.epoll_create(1),
):
    for _ in range(3_000):
        if make() < 0:
            break
    os.closerange(20, 4096)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
for _ in range(5_000):
    if libc.sigqueue(os.getpid(), int(signal.SIGRTMIN), 0) < 0:
        break
with open(f"{TMP}/locks", "wb") as file:
    for start in range(0, 6_000, 2):
        try:
            fcntl.lockf(file, fcntl.LOCK_EX, 1, start)
        except OSError:
            break
done()
