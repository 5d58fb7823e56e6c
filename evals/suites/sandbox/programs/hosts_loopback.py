"""Calls a service that listens on the host's loopback, as a model server or a database would."""

import socket
from attack import *

attempt("loopback", lambda: socket.create_connection(("127.0.0.1", TRAPS["port"]), timeout=1))
attempt("loopback by another name", lambda: socket.create_connection(("127.8.9.10", TRAPS["port"]), timeout=1))
attempt("any address", lambda: socket.create_connection(("0.0.0.0", TRAPS["port"]), timeout=1))
done()
