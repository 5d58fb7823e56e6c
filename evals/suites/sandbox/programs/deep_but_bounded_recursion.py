"""Recursion past the limit is an exception that can be caught."""

from attack import *


def down(n):
    return down(n + 1)


try:
    down(0)
except RecursionError:
    print("caught")
done()
