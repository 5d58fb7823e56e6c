"""Leaves a process in a session of its own behind and ends well."""

import time
from attack import *

daemon(SLEEPER)
time.sleep(0.2)
done()
