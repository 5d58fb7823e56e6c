"""Temporary files and folders, locks, renames, links within its own folder."""

import fcntl
import tempfile
from attack import *

with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile(dir=folder) as file:
    file.write(b"x")
    fcntl.flock(file, fcntl.LOCK_EX)
    os.symlink(file.name, f"{folder}/link")
    os.link(file.name, f"{folder}/hard")
    os.rename(f"{folder}/hard", f"{folder}/renamed")
    os.truncate(file.name, 0)
done()
