"""Recursion without a limit, through C."""

import sys

print("falling", flush=True)
sys.setrecursionlimit(2**31 - 1)


class Deep:
    def __repr__(self):
        return repr([self, Deep()][1:])


repr(Deep())
