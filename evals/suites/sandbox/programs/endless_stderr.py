"""The same on the other stream, by many processes."""

from attack import *

for _ in range(4):
    os.fork()
while True:
    os.write(2, b"y" * 65536)
