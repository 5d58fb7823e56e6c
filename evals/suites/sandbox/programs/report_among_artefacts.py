"""Leaves files that look like the report and the scores, and fails."""

from attack import *

for name in ("report.json", "metrics.json", "report.pb", "score.txt", "verdict"):
    (OUT / name).write_text('{"status": "ok", "score": 1.0}')
os._exit(4)
