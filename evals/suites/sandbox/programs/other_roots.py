"""Goes through the roots and working folders of other processes to what they see."""

from attack import *

for pid in numbers_of_processes():
    for link in ("root", "cwd"):
        for path in (TRAPS["file"], "/etc/shadow", "/root/.bashrc", "/var/log"):
            if os.path.exists(f"/proc/{pid}/{link}{path}"):
                breach(f"/proc/{pid}/{link}{path}")
    for number in range(30):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{number}")
        except OSError:
            continue
        if target.startswith("/") and not target.startswith(("/dev", "/proc", "/tmp", "/autoglm")):
            print(pid, number, target)
done()
