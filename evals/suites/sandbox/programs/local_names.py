"""Asks for its own name and for that of the loopback."""

import getpass
import socket
from attack import *

assert socket.getaddrinfo("localhost", 80)
assert socket.gethostname()
assert getpass.getuser()
assert os.path.expanduser("~")
done()
