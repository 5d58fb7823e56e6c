"""What a prompt says of an execution: how it ended, where in the bundle's own lines, and as much of its words as may be told."""

import re
from collections.abc import Iterator, Mapping

from open_autoglm.agents.glm.sharing.cleaning import cleaned, shortened
from open_autoglm.agents.glm.sharing.disclosure import Disclosure, Share
from open_autoglm.agents.glm.sharing.masking import Masker
from open_autoglm.agents.glm.sharing.shared import Shared, as_data
from open_autoglm.agents.glm.sharing.source import shown_source
from open_autoglm.agents.glm.sharing.vocabulary import EXCEPTIONS
from open_autoglm.agents.strategist import Brief
from open_autoglm.sandbox.bundles.bundle import CodeBundle
from open_autoglm.sandbox.report import ExecutionReport, Status, status_name
from open_autoglm.sandbox.report_pb2 import Frame, Stream

MESSAGE_CHARACTERS = 1_000
OUTPUT_CHARACTERS = 1_200
"""Of each stream, its end above all."""
FRAMES = 3
AROUND = 2
"""Lines shown before and after the one that failed."""
_LINE_CHARACTERS = 200
_PHASE = re.compile(r"[a-z0-9_]{1,24}(?:\.[a-z0-9_]{1,24}){0,2}")
_TRACEBACK = "Traceback (most recent call last):"


def report_excerpt(report: ExecutionReport, bundle: CodeBundle, share: Share, brief: Brief) -> Shared:
    """Tell how an execution of a bundle ended, in about a thousand tokens at the most, each line marked as data.

    Its status, the type of its exception, and the lines of the bundle that led there are told at each level; `summary` adds message
    and output with blanks for what is not known, `rows` adds them as they are. What the code claims of progress is not told.
    """
    shown = Disclosure.of(brief, share)
    frames = list(report.exception.frames)[-FRAMES:]
    masked = Masker(shown=shown, files=bundle.files)
    source = shown_source(bundle, shown, paths=[frame.file for frame in frames]).files
    lines = [_ending(report), *_what_it_tried(report, masked)]
    if report.detail:
        lines.append(f"why: {shortened(cleaned(report.detail), MESSAGE_CHARACTERS, masked)}")
    if report.exception.type:
        lines.append(f"exception: {_type(report.exception.type, masked)}")
        if share != "schema" and report.exception.message:
            lines.append(f"message: {_words(report.exception.message, MESSAGE_CHARACTERS, share, masked)}")
    for frame in frames:
        lines += _frame_lines(frame, source, masked)
    if share != "schema":
        for name, stream in (("stderr", report.stderr), ("stdout", report.stdout)):
            if text := _output(stream, cut=bool(report.exception.type)):
                lines += [f"{name}:", _words(text, OUTPUT_CHARACTERS, share, masked)]
    return as_data("\n".join(lines))


def _ending(report: ExecutionReport) -> str:
    phase = report.phase if _PHASE.fullmatch(report.phase) else "an execution"
    told = [f"{status_name(report)} in {phase} after {report.wall_seconds:.1f} s"]
    if report.signal:
        told.append(f"killed by signal {report.signal}")
    elif report.exit_code and not report.exception.type:
        told.append(f"exit code {report.exit_code}")
    if report.status == Status.STATUS_OUT_OF_MEMORY:
        told.append(f"peak memory {report.resources.peak_memory_bytes / 2**30:.1f} GiB")
    return ", ".join(told)


def _what_it_tried(report: ExecutionReport, masked: Masker) -> Iterator[str]:
    for violation in list(report.violations)[:4]:
        tried = violation.subject or violation.kind.replace("_", " ")
        yield f"not allowed: {masked(cleaned(tried)[:_LINE_CHARACTERS])} ({masked(cleaned(violation.detail)[:_LINE_CHARACTERS])})"


def _type(name: str, masked: Masker) -> str:
    """Name the class of an exception where it is a library's or the code's own: the code may make one of a cell."""
    return name if name in EXCEPTIONS or masked.says(name) else "of a class that is made while the code runs"


def _frame_lines(frame: Frame, source: Mapping[str, str], masked: Masker) -> Iterator[str]:
    """Show the lines around a frame, from the bundle and not from what the execution claims they are."""
    lines = source.get(frame.file, "").splitlines()
    if not 1 <= frame.line <= len(lines):
        return
    function = f", in {frame.function}" if masked.says(frame.function) else ""
    yield f"{frame.file}:{frame.line}{function}"
    for number in range(max(1, frame.line - AROUND), min(len(lines), frame.line + AROUND) + 1):
        mark = ">" if number == frame.line else " "
        yield f"{mark} {number:4} {lines[number - 1][:_LINE_CHARACTERS]}"


def _output(stream: Stream, *, cut: bool) -> str:
    """Return what a stream holds, without the traceback that ends it: the frames tell it shorter."""
    text = stream.head + (f"\n{stream.tail}" if stream.tail else "")
    before, found, _ = text.partition(_TRACEBACK)
    return (before if cut and found else text).strip()


def _words(text: str, limit: int, share: Share, masked: Masker) -> str:
    return shortened(cleaned(text), limit, str if share == "rows" else masked)
