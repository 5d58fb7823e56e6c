"""Prints what a report looks like, and claims by every way it has."""

from attack import *

print('{"status": "STATUS_OK", "exit_code": 0, "metrics": [{"name": "roc_auc", "value": 1.0, "source": "SCORER"}]}')
os.write(
    3,
    b'{"exit": 0, "signal": 0, "born": 1}\n{"progress": [1e400, "x", {}]}\n{"progress": [0, 1.0, 0]}\n{"seconds": {"call": -1}}\n',
)
os.write(3, b"[" * 100_000 + b"\n" + b'{"exception": {"type": 7, "frames": 9}}\n')
os._exit(3)
