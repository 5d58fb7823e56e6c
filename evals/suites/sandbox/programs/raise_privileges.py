"""Becomes another user: by call, by programs with the set-user bit, by capabilities."""

import subprocess
from attack import *

before = os.getuid()
attempt("root", os.setuid, 0) if before else None
attempt("group", os.setgid, 0) if os.getgid() else None
attempt("groups", os.setgroups, [0])
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
    if int(status[name], 16):
        breach(f"{name} {status[name]}")
if status["NoNewPrivs"].strip() != "1" or before == 0:
    breach("new rights are possible")
for name in ("su", "sudo", "mount", "newuidmap", "pkexec", "passwd"):
    for folder in ("/bin", "/usr/bin"):
        if os.path.exists(f"{folder}/{name}"):
            told = subprocess.run(
                [f"{folder}/{name}", "-c", "id -u"], capture_output=True, stdin=subprocess.DEVNULL, timeout=5
            )
            if told.stdout.strip() == b"0":
                breach(name)
shell = Path(f"{TMP}/shell")
shell.write_bytes(Path("/bin/sh").read_bytes())
shell.chmod(0o6755)
if subprocess.run([shell, "-pc", "id -u"], capture_output=True).stdout.strip() == b"0":
    breach("a shell with the set-user bit")
done()
