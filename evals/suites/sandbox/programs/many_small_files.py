"""Writes, renames and removes thousands of small files, as caches of features do."""

from attack import *

folder = Path(f"{TMP}/cache")
folder.mkdir()
for number in range(5000):
    path = folder / f"{number}.tmp"
    path.write_bytes(b"x" * 100)
    path.rename(folder / f"{number}.bin")
for path in folder.iterdir():
    path.unlink()
folder.rmdir()
done()
