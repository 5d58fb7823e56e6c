"""What every program of the suite has at hand. Runs inside the sandbox, beside the program."""

import ctypes
import json
import os
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


def daemon(program, *arguments):
    """Start a process in a session of its own that nobody waits for; its arguments hold the tag."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", program, TAG, *map(str, arguments)])
        os._exit(0)


SLEEPER = "import time; time.sleep(60)"
