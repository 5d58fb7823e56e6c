"""Runs a program that lies in no file system, and a script through a descriptor: the filter goes with it."""

import subprocess
from attack import *

held = os.memfd_create("program", 0)
with open(sys.executable, "rb") as file:
    while data := file.read(1 << 20):
        os.write(held, data)
code = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\nprint([libc.unshare(0x10000000), libc.mount(b'none', b'/tmp', b'tmpfs', 0, None), libc.ptrace(0, 0, 0, 0)])"
for command in ([f"/proc/self/fd/{held}", "-I", "-S", "-c", code], [f"/proc/{os.getpid()}/fd/{held}", "-c", code]):
    told = subprocess.run(
        command,
        pass_fds=[held],
        capture_output=True,
        text=True,
        env={
            "PYTHONHOME": sys.base_prefix,
            "PATH": os.environ["PATH"],
            "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", f"{sys.base_prefix}/lib"),
        },
    )
    print(told.stdout, told.stderr[-300:])
    if told.returncode == 0 and "[-1, -1, -1]" not in told.stdout:
        breach(told.stdout)
libc.unshare(0x10000000), libc.ptrace(0, 0, 0, 0)
done()
