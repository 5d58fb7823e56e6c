"""Artefacts that block whoever reads them."""

import socket
from attack import *

os.mkfifo(OUT / "predictions.npy")
os.chdir(OUT)
with socket.socket(socket.AF_UNIX) as server:
    server.bind("socket")
done()
