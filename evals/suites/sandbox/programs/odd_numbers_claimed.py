"""Claims numbers that no float or counter can hold."""

from attack import *

for line in (
    '{"progress": [1e308, -1e308, 1e308]}',
    '{"progress": [NaN, Infinity, -Infinity]}',
    '{"progress": [%s, 1, 1]}' % ("9" * 4000),
    '{"progress": [%s, 1, 1]}' % ("9" * 100_000),
    '{"seconds": {"call": 1e309, "x": true, "": null}}',
    '{"exception": {"type": "\\ud800", "message": "\\u001b[31m\\u202e", "frames": [{"line": 99999999999999999999, "file": "\\u0000"}, 7, null]}}',
    "\xff\xfe",
    '{"a":' * 10_000,
    "null",
    "[]",
    '"x"',
):
    os.write(3, line.encode("utf-8", "surrogatepass") + b"\n")
done()
