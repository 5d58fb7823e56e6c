"""Bytes that are no text: NUL, lone surrogates, half of a character."""

from attack import *

os.write(1, bytes(range(256)) * 8 + b"\xed\xa0\x80\xff\xfe\x00\xe4\xb8\n")
os.write(2, b"\xf0\x9f\x98" * 100)
print("\ud800 lone", flush=True)
done()
