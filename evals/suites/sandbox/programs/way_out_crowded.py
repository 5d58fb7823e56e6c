"""Opens hundreds of connections to the way out at once, silent ones and ones to the listed host; few are served, and afterwards all is as before."""

import time
from attack import *

place = ("127.0.0.1", int(os.environ["HTTPS_PROXY"].rpartition(":")[2]))
MOST = 40


def is_open(line):
    line.setblocking(False)
    try:
        return line.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


for request in (b"", f"CONNECT localhost:{TRAPS['door']} HTTP/1.1\r\n\r\n".encode()):
    lines = []
    for _ in range(300):
        try:
            line = socket.create_connection(place, timeout=0.5)
            line.sendall(request)
            lines.append(line)
        except OSError:
            pass
    time.sleep(1)
    served = sum(map(is_open, lines))
    print(len(lines), "called,", served, "are served", flush=True)
    if served > MOST:
        breach(f"{served} connections are served at once")
    for line in lines:
        line.close()
for _ in range(20):
    time.sleep(0.2)
    line, status = connected(f"localhost:{TRAPS['door']}")
    if status == "200" and door_answers(line):
        print("through the door", flush=True)
        break
done()
