"""First program in a container: fetches the control socket that no engine can pass on, then becomes the fork server.

Run as a program; knows only the standard library. The host listens in a folder that is mounted inside; over that line come two
descriptors, the control socket and the file for what the fork server has to say.
"""

from __future__ import annotations

import os
import socket
import sys


def main(line: str, server: str) -> None:
    """Call the host at `line`, then run the program `server` with the number of its control socket.

    Raises:
        OSError: Nobody listens.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as call:
        call.connect(line)
        control, log = socket.recv_fds(call, 1, 2)[1]
    os.environ.pop("HOSTNAME", None)  # the engine adds it
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    kept = os.dup2(control, control + 100)  # unlike the one that was received, it outlives execv
    os.close(control)
    os.execv(sys.executable, [sys.executable, "-P", server, str(kept)])  # noqa: S606 - that is what it is for


if __name__ == "__main__":
    main(*sys.argv[1:3])
