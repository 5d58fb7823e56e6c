"""Keys in the kernel's keyrings, which all processes of a user share."""

from attack import *

attempt("add a key", call, 248, b"user", b"planted", b"x", 1, -4)
attempt("look at the session's keyring", call, 250, 0, -3, 0)
attempt("ask for a key", call, 249, b"user", b"planted", None, -4)
done()
