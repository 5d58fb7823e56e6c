"""A search that takes for ever in C, where no handler of a signal gets its turn."""

import re

re.match(r"(a+)+$", "a" * 60 + "b")
