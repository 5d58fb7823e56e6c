"""Opens its own streams anew through /proc: reads them, grows them, truncates and locks them, asks for signals from them."""

import fcntl
from attack import *

for number in (0, 1, 2, 3):
    for flags in (os.O_RDONLY | os.O_NONBLOCK, os.O_RDWR | os.O_NONBLOCK, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK):
        try:
            again = os.open(f"/proc/self/fd/{number}", flags)
        except OSError as error:
            print("refused", number, error)
            continue
        for action in (
            lambda: os.read(again, 10),
            lambda: fcntl.fcntl(again, 1031, 1 << 20),
            lambda: fcntl.fcntl(again, fcntl.F_SETOWN, 1),
            lambda: fcntl.fcntl(again, fcntl.F_SETFL, os.O_NONBLOCK | os.O_ASYNC),
            lambda: os.ftruncate(again, 0),
            lambda: fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB),
        ):
            try:
                action()
            except OSError:
                pass
done()
