"""What every program of the suite has at hand. Runs inside the sandbox, beside the program."""

import ctypes
import json
import os
import socket
import sys
from pathlib import Path

IN = Path(sys.argv[1]).parent if len(sys.argv) > 1 else Path(__file__).parents[1] / "in"
OUT = Path(sys.argv[3]).parent if len(sys.argv) > 3 else Path(__file__).parents[2] / "out"
TOLD = json.loads((IN / "told.json").read_text()) if (IN / "told.json").exists() else {}
TMP = os.environ.get("TMPDIR", "/tmp")
TURN = TOLD.get("turn", 0)
TAG = TOLD.get("tag", "")
TRAPS = TOLD.get("traps", {})
libc = ctypes.CDLL(None, use_errno=True)


def breach(what):
    """Say that something gave way."""
    print("BREACH", what, flush=True)


def done():
    """Say that everything was tried, and leave the file that a script owes."""
    (OUT / "out.csv").touch()
    print("TRIED", flush=True)


def numbers_of_processes():
    """Return the numbers of all processes that show, as text; all that may be where nobody lists them."""
    try:
        return [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return [str(number) for number in range(1, os.getpid() + 50)]


def attempt(what, action, *arguments):
    """Do what must not work; return what came of it, or None where it was refused."""
    try:
        result = action(*arguments)
    except Exception as error:
        print("refused", what, type(error).__name__, error, flush=True)
        return None
    breach(what)
    return result


def call(number, *arguments):
    """Make a system call; return its result, and raise OSError where it fails."""
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def said_to_proxy(request, patience=15):
    """Say something to the proxy of a policy with a way out; return the connection and the status of the answer, empty where it hangs up."""
    host, port = os.environ["HTTPS_PROXY"].removeprefix("http://").split(":")
    line = socket.create_connection((host, int(port)), timeout=patience)
    try:
        line.sendall(request if isinstance(request, bytes) else request.encode())
        answer = line.recv(1000)
    except OSError:
        answer = b""
    return line, b"".join(answer.split()[1:2]).decode("ascii", "replace")


def connected(target):
    """Ask the proxy for a host and port; return the connection and the status of the answer."""
    return said_to_proxy(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n")


def must_be_refused(*targets):
    """Ask the proxy for hosts that it must not connect to."""
    for target in targets:
        line, status = connected(target)
        line.close()
        print("refused" if status == "403" else "no answer", target[:80], status, flush=True)
        if status == "200":
            breach(f"connected to {target[:80]}")


def door_answers(line):
    """Whether the server that the policy lists answers on this connection."""
    line.sendall(b"GET / HTTP/1.0\r\n\r\n")
    answer = b""
    while part := line.recv(1000):
        answer += part
    line.close()
    return answer.endswith(b"the door is open")


def door_is_open():
    """Say that the server that the policy lists can still be reached, as it must be."""
    line, status = connected(f"localhost:{TRAPS['door']}")
    if status == "200" and door_answers(line):
        print("through the door", flush=True)


def daemon(program, *arguments):
    """Start a process in a session of its own that nobody waits for; its arguments hold the tag."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", program, TAG, *map(str, arguments)])
        os._exit(0)


SLEEPER = "import time; time.sleep(60)"
