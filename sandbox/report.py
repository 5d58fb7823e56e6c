"""ExecutionReport: the message of `report.proto` and the few questions that everybody asks of it.

Everything in a report was observed from outside the process, except what is named claimed.
"""

import signal

from open_autoglm.sandbox.report_pb2 import ExecutionReport, Status

SCHEMA_VERSION = 1
LAST_CHARACTERS = 200
SHARED = ("socket ", "open /dev/shm/", "sched_setscheduler")
"""How attempts at what processes share begin, as a report tells them."""

__all__ = ["SCHEMA_VERSION", "ExecutionReport", "Status", "failure_line", "is_ok", "status_name"]


def is_ok(report: ExecutionReport) -> bool:
    """Whether the code ran to its end without failing and within its limits."""
    return report.status == Status.STATUS_OK


def status_name(report: ExecutionReport) -> str:
    """Return the status in plain words: ok, error, timeout, out_of_memory, ..."""
    return Status.Name(report.status).removeprefix("STATUS_").lower()


def failure_line(report: ExecutionReport) -> str:
    """Return one line that says why the execution failed; what the code claims is marked as such."""
    return f"{_claimed(report) or report.detail or _ending(report)}{_lacking(report)}"


def _claimed(report: ExecutionReport) -> str:
    if not report.exception.type:
        return ""
    where = report.exception.frames[-1] if report.exception.frames else None
    at = f" at {where.file}:{where.line}" if where else ""
    message = f": {report.exception.message.splitlines()[0]}" if report.exception.message else ""
    return f"{report.exception.type}{message}{at}"


def _ending(report: ExecutionReport) -> str:
    """Return how the process ended, and the last line that it printed about it."""
    how = f"ended by {_signal_name(report.signal)}" if report.signal else f"exit {report.exit_code}"
    said = (report.stderr.tail or report.stderr.head).strip().rpartition("\n")[2].strip()
    return f"{status_name(report)} ({how})" + (f"; it said last: {said[:LAST_CHARACTERS]}" if said else "")


def _signal_name(number: int) -> str:
    try:
        return f"{signal.Signals(number).name}, signal {number}"
    except ValueError:  # one of real time
        return f"signal {number}"


def _lacking(report: ExecutionReport) -> str:
    """Return what the code reached for in vain and may have failed of, where an execution has neither namespaces nor a container."""
    tried = [violation.subject for violation in report.violations]
    if report.isolation.backend != "landlock" or not any(subject.startswith(SHARED) for subject in tried):
        return ""
    return (
        " (the sandbox 'landlock' has no sockets and no locks between processes, which process pools, ZeroMQ and kernels need: use threads or "
        "n_jobs=1, or install bubblewrap or Docker, see `autoglm doctor`)"
    )
