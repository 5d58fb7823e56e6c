"""Sixteen processes that work for ever."""

from attack import *

for _ in range(4):
    os.fork()
while True:
    pass
