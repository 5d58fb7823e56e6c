"""Takes memory in another interpreter of the same process, which shares nothing with the first."""

from attack import *

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
run = getattr(interpreters, "run_string", None) or interpreters.exec
run(interpreters.create(), "held = []\nfor _ in range(180): held.append(bytearray(b'1' * 10_000_000))")
breach("1.8 GB in another interpreter")
