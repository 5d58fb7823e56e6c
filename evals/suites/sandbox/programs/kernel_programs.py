"""Parts of the kernel that most of its holes were in."""

from attack import *

room = ctypes.create_string_buffer(256)
attempt("bpf", call, 321, 0, room, 128)
attempt("performance events", call, 298, room, 0, -1, -1, 0)
attempt("page faults", call, 323, 0)
attempt("io_uring", call, 425, 4, room)
done()
