"""Ends with words instead of a number, which look like commands to a terminal."""

import sys

sys.exit("\x1b[2J\x1b]0;all is well\x07")
