"""Puts other bytecode beside a module, where Python takes it without asking."""

import importlib.util
import json.decoder
from attack import *

path = Path(importlib.util.cache_from_source(json.decoder.__file__))
attempt("write bytecode", lambda: path.open("r+b").close())
attempt("write new bytecode", lambda: (path.parent / "planted.pyc").touch())
for name in ("solution", "attack", "runtime"):
    folder = Path(__file__).parent / "__pycache__"
    attempt(f"cache of {name}", lambda: (folder.mkdir(exist_ok=True), (folder / f"{name}.cpython-311.pyc").touch()))
done()
