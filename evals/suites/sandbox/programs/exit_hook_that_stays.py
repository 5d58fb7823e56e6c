"""A hook and a finaliser that never end."""

import atexit
from attack import *


class Sticky:
    def __del__(self):
        while True:
            pass


def stay():
    while True:
        pass


kept = Sticky()
atexit.register(stay)
done()
