"""Warnings and records of a log go to the error stream."""

import logging
import warnings
from attack import *

logging.basicConfig(level="INFO")
logging.info("fitting")
warnings.warn("a number is missing", stacklevel=1)
done()
