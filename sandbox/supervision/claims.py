"""What the executed code says about itself, read from its pipe: bounded, checked for shape, believed by nobody."""

import json
import math
from typing import Any

from open_autoglm.sandbox.report_pb2 import ClaimedException, Frame, Progress
from open_autoglm.sandbox.supervision.streams import sanitise

MAX_BYTES = 1 << 20
MAX_POINTS = 2_000
MAX_FRAMES = 20


class ClaimReader:
    """Collects lines of JSON."""

    def __init__(self) -> None:
        self._data = bytearray()
        self.total_bytes = 0
        self.progress: list[Progress] = []
        self.seconds: dict[str, float] = {}
        self.exception: ClaimedException | None = None

    def add(self, data: bytes) -> None:
        """Take the next bytes; beyond the cap they are dropped."""
        self.total_bytes += len(data)
        self._data += data[: max(0, MAX_BYTES - len(self._data))]

    def read(self) -> None:
        """Interpret what was collected; a line that is not what the runtime would write is left out."""
        for line in bytes(self._data).split(b"\n"):
            try:
                claim = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(claim, dict):
                self._take(claim)

    def _take(self, claim: dict[str, Any]) -> None:
        point, seconds, exception = claim.get("progress"), claim.get("seconds"), claim.get("exception")
        if (
            isinstance(point, list)
            and len(point) == 3
            and all(map(_is_finite, point))
            and len(self.progress) < MAX_POINTS
        ):
            self.progress.append(Progress(step=point[0], value=point[1], at_seconds=point[2]))
        if isinstance(seconds, dict):
            known = {name: float(value) for name, value in list(seconds.items())[:20] if _is_finite(value)}
            self.seconds = {sanitise(name)[:40]: value for name, value in known.items()}
        if isinstance(exception, dict):
            self.exception = _exception(exception)


def _exception(claim: dict[str, Any]) -> ClaimedException:
    frames = claim.get("frames")
    return ClaimedException(
        type=_text(claim.get("type"), 200),
        message=_text(claim.get("message"), 8_000),
        frames=[_frame(f) for f in frames[:MAX_FRAMES] if isinstance(f, dict)] if isinstance(frames, list) else [],
    )


def _frame(frame: dict[str, Any]) -> Frame:
    line = frame.get("line")
    return Frame(
        file=_text(frame.get("file"), 200),
        line=line if isinstance(line, int) and 0 <= line < 1 << 31 else 0,
        function=_text(frame.get("function"), 200),
        source=_text(frame.get("source"), 500),
    )


def _text(value: object, limit: int) -> str:
    return sanitise(str(value).encode("utf-8", "replace").decode())[:limit] if isinstance(value, str) else ""


def _is_finite(value: object) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300 and math.isfinite(value)
    )
