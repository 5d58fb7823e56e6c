"""Mounts, by the old calls and the new ones, and other roots."""

from attack import *

attempt("mount", call, 165, b"none", b"/tmp", b"tmpfs", 0, None)
attempt("bind", call, 165, b"/", b"/tmp", None, 4096, None)
attempt("writable again", call, 165, b"none", b"/", None, 32 | 4096, None)
attempt("proc", call, 165, b"proc", b"/tmp", b"proc", 0, None)
attempt("unmount", call, 166, b"/proc", 2)
attempt("chroot", call, 161, b"/tmp")
attempt("pivot", call, 155, b"/tmp", b"/tmp")
attempt("open a tree", call, 428, -100, b"/", 1)
attempt("a new file system", call, 430, b"tmpfs", 0)
attempt("by handle", call, 304, -100, ctypes.create_string_buffer(64), 0)
done()
