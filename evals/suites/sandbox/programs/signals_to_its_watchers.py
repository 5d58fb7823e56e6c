"""Sends every signal there is to every process it can name, stops and continues them, and asks to be told of their ends."""

import signal
import time
from attack import *

print("fine", flush=True)
(OUT / "out.csv").touch()
for pid in [*range(1, 200), TRAPS["victim"], TRAPS["host_pid"]]:
    if pid == os.getpid():
        continue
    for number in (signal.SIGUSR2, signal.SIGCHLD, signal.SIGSTOP, signal.SIGCONT, signal.SIGQUIT, signal.SIGHUP, 40):
        try:
            os.kill(pid, number)
        except OSError:
            pass
    try:
        signal.pidfd_send_signal(os.pidfd_open(pid), signal.SIGKILL)
    except OSError:
        pass
time.sleep(0.2)
done()
