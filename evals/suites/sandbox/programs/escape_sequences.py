"""Commands to a terminal wherever a text can come from: titles, links, the clipboard, hidden and overwritten text."""

import json
from attack import *

evil = "\x1b]0;owned\x07\x1b]52;c;cm0gLXJm\x07\x1b]8;;http://127.0.0.1/\x07link\x1b]8;;\x07\x1b[2J\x1b[31m\x9b1A\x1bPq\x1b\\\x1b[?1049h real\rfake"
print(evil, flush=True)
print(evil, file=sys.stderr, flush=True)
(OUT / "name\x1b[31m.txt").touch()
os.write(3, json.dumps({"seconds": {evil: 1.0}}).encode() + b"\n")
raise ValueError(evil)
