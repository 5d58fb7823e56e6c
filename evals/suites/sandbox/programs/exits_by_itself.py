"""Leaves by sys.exit when it is done."""

from attack import *

done()
sys.exit(0)
