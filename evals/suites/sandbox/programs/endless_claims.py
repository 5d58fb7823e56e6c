"""Floods the pipe by which the runtime tells what it did."""

from attack import *

while True:
    os.write(3, b'{"progress": [1, 2, 3]}\n' * 1000)
