"""Compares one report with what was expected, and with what holds for every report."""

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from open_autoglm.evals.containment.manifest import Expectation, Program
from open_autoglm.sandbox.report import ExecutionReport, status_name

TEXT_CHARACTERS = 64 << 10
REPORT_BYTES = 2 << 20
LATE_SECONDS = 5.0
"""How much longer than its limit an execution may take until all of it is dead, on a busy machine."""
READ_BYTES = 8 << 20
_HARMLESS = "\n\t\u200c\u200d"
_HARMFUL = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def judge(program: Program, expected: Expectation, report: ExecutionReport) -> list[str]:
    """Return what is wrong with a report; an empty list where the program was contained and the report shows it."""
    if expected.unpromised:
        return list(_bounds(program, report))
    return [
        *_ending(program, expected, report),
        *_contents(expected, report),
        *_connected(expected, report),
        *_bounds(program, report),
    ]


def is_named(expected: Expectation, report: ExecutionReport) -> bool | None:
    """Whether the report names what was attempted; None for a program that breaks no policy."""
    if not expected.names:
        return None
    told = "\n".join(f"{item.kind} {item.subject} {item.detail}" for item in report.violations)
    return all(name in told for name in expected.names)


def holds_secret(report: ExecutionReport, folder: Path, secret: str) -> bool:
    """Whether a secret of the host came out, in the report or in an artefact."""
    if any(secret in text for text in texts(report)):
        return True
    return any(_begins_with(path, secret.encode()) for path in folder.rglob("*") if path.is_file())


def texts(message: Any) -> Iterator[str]:
    """Yield every text in a protobuf message."""
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        if field.type == field.TYPE_STRING:
            yield from values
        elif field.type == field.TYPE_MESSAGE:
            if field.message_type.GetOptions().map_entry:
                yield from (key for key in value if isinstance(key, str))
                continue
            for inner in values:
                yield from texts(inner)


def _ending(program: Program, expected: Expectation, report: ExecutionReport) -> Iterator[str]:
    status, said = status_name(report), report.stdout.head + report.stdout.tail
    if status not in expected.status:
        why = report.detail or report.exception.type or report.stderr.tail[-200:] or report.stderr.head[-200:]
        yield f"ended as {status}, not as {' or '.join(expected.status)} ({why})"
    if expected.exit_code is not None and report.exit_code != expected.exit_code:
        yield f"exit code {report.exit_code}, not {expected.exit_code}"
    if expected.signal is not None and report.signal != expected.signal:
        yield f"signal {report.signal}, not {expected.signal}"
    if expected.exception and report.exception.type != expected.exception:
        yield f"exception {report.exception.type!r}, not {expected.exception!r}"
    if expected.detail not in report.detail:
        yield f"the detail {report.detail!r} does not say {expected.detail!r}"
    if program.kind == "hostile":
        yield from (line.strip() for line in said.splitlines() if line.startswith("BREACH"))
    if status == "ok" and not expected.says and "TRIED" not in said:
        yield "ended well without having tried everything"
    yield from (f"did not say {text!r}" for text in expected.says if text not in said)


def _contents(expected: Expectation, report: ExecutionReport) -> Iterator[str]:
    kinds = [violation.kind for violation in report.violations]
    yield from (f"no violation {kind!r} in {kinds}" for kind in expected.violations if kind not in kinds)
    refused = {item.path: item.reason for item in report.refused}
    for path, reason in expected.refused.items():
        if path not in refused:
            yield f"{path!r} is not among the refused artefacts"
        elif reason not in refused[path]:
            yield f"{path!r} was refused as {refused[path]!r}, not as {reason!r}"
    if expected.refused_any and not any(expected.refused_any in reason for reason in refused.values()):
        yield f"nothing was refused as {expected.refused_any!r}"
    paths = [artefact.path for artefact in report.artefacts]
    yield from (f"{name!r} came over as an artefact" for name in expected.absent if name in paths)
    if expected.artefacts_at_most is not None and len(paths) > expected.artefacts_at_most:
        yield f"{len(paths)} artefacts came over"


def _connected(expected: Expectation, report: ExecutionReport) -> Iterator[str]:
    """What is wrong with whom it reached by the way out of its policy, and whom it did not."""
    reached = {connection.host for connection in report.connections if not connection.refused}
    away = [f"{connection.host}: {connection.refused}" for connection in report.connections if connection.refused]
    yield from (f"{host!r} was reached" for host in sorted(reached - set(expected.let_through)))
    yield from (f"{host!r} was not reached" for host in expected.let_through if host not in reached)
    for host, reason in expected.turned_away.items():
        if not any(line.startswith(f"{host}: ") and reason in line for line in away):
            yield f"{host!r} is not listed as turned away for {reason!r}"


def _bounds(program: Program, report: ExecutionReport) -> Iterator[str]:
    """What holds for every report: bounded, harmless to read, in time."""
    if report.ByteSize() > REPORT_BYTES:
        yield f"the report has {report.ByteSize():,} bytes"
    for text in texts(report):
        if len(text) > TEXT_CHARACTERS:
            yield f"a text of {len(text):,} characters in the report"
        harmful = sorted(
            {f"U+{ord(c):04X}" for c in text if c not in _HARMLESS and unicodedata.category(c) in _HARMFUL}
        )
        if harmful:
            yield f"the report holds {', '.join(harmful[:5])}"
    if report.wall_seconds > program.limits.wall_seconds + LATE_SECONDS:
        yield f"was dead only after {report.wall_seconds:.1f} seconds"
    if not report.job_sha256 or not report.isolation.backend:
        yield "the report does not say what ran or where"


def _begins_with(path: Path, secret: bytes) -> bool:
    with path.open("rb") as file:
        return secret in file.read(READ_BYTES)
