"""Asks for an image of its memory when it crashes."""

import resource
from attack import *

attempt("core", resource.setrlimit, resource.RLIMIT_CORE, (1 << 30, 1 << 30))
os.chdir(OUT)
libc.prctl(4, 1, 0, 0, 0)
ctypes.string_at(0)
