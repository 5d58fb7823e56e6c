"""Has the C library call back into Python, and reads structures of its own, as bindings do."""

from attack import *

compare_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
numbers = (ctypes.c_int * 5)(3, 1, 5, 2, 4)
libc.qsort(numbers, len(numbers), ctypes.sizeof(ctypes.c_int), compare_type(lambda a, b: a[0] - b[0]))
assert list(numbers) == [1, 2, 3, 4, 5]


class Time(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


now = Time()
assert libc.clock_gettime(0, ctypes.byref(now)) == 0 and now.seconds > 1_600_000_000
done()
