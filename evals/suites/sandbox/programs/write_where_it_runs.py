"""Writes into its data, its code, Python and the root."""

from attack import *

for path in (
    IN / "train.csv",
    IN / "new",
    Path(__file__),
    Path(__file__).parent / "new.py",
    Path(sys.executable),
    Path("/new"),
    Path("/usr/new"),
    Path("/etc/passwd"),
    Path("/dev/new"),
    Path("/proc/1/comm") if os.getpid() != 1 else Path("/proc/2/comm"),
):
    attempt(f"write {path}", lambda: path.open("a").close())
for path in (IN / "train.csv", Path(__file__)):
    attempt(f"unlink {path}", path.unlink)
    attempt(f"chmod {path}", path.chmod, 0o777)
    attempt(f"times of {path}", os.utime, path, (1, 1))
    attempt(f"rename {path}", path.rename, "/tmp/moved")
    attempt(f"link {path}", os.link, path, OUT / "hard")
    attempt(f"map {path}", lambda: os.open(path, os.O_RDWR))
done()
