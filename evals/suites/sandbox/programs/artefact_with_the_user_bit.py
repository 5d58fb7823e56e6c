"""An artefact that is a program with the set-user bit and attributes of its own."""

from attack import *

path = OUT / "shell"
path.write_bytes(Path("/bin/sh").read_bytes())
path.chmod(0o6777)
for name in ("user.evil", "security.capability", "trusted.x"):
    try:
        os.setxattr(path, name, b"\1\0\0\2" + b"\xff" * 16)
    except OSError as error:
        print("refused", name, error)
done()
