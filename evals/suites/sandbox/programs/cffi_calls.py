"""Calls the C library by cffi and by ctypes callbacks, as compiled packages do."""

import cffi
from attack import *

ffi = cffi.FFI()
ffi.cdef(
    "int printf(const char *format, ...); size_t strlen(const char *); void qsort(void *, size_t, size_t, int (*)(const void *, const void *));"
)
library = ffi.dlopen(None)
assert library.strlen(b"hello") == 5
numbers = ffi.new("int[]", [3, 1, 2])


@ffi.callback("int(const void *, const void *)")
def compare(a, b):
    return ffi.cast("int *", a)[0] - ffi.cast("int *", b)[0]


library.qsort(numbers, 3, ffi.sizeof("int"), compare)
assert list(numbers) == [1, 2, 3]
done()
