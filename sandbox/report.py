"""ExecutionReport: the message of `report.proto` and the few questions that everybody asks of it.

Everything in a report was observed from outside the process, except what is named claimed.
"""

from open_autoglm.sandbox.report_pb2 import ExecutionReport, Status

SCHEMA_VERSION = 1

__all__ = ["SCHEMA_VERSION", "ExecutionReport", "Status", "failure_line", "is_ok", "status_name"]


def is_ok(report: ExecutionReport) -> bool:
    """Whether the code ran to its end without failing and within its limits."""
    return report.status == Status.STATUS_OK


def status_name(report: ExecutionReport) -> str:
    """Return the status in plain words: ok, error, timeout, out_of_memory, ..."""
    return Status.Name(report.status).removeprefix("STATUS_").lower()


def failure_line(report: ExecutionReport) -> str:
    """Return one line that says why the execution failed; what the code claims is marked as such."""
    if report.exception.type:
        where = report.exception.frames[-1] if report.exception.frames else None
        at = f" at {where.file}:{where.line}" if where else ""
        return f"{report.exception.type}: {report.exception.message.splitlines()[0] if report.exception.message else ''}{at}"
    return report.detail or f"{status_name(report)} (exit {report.exit_code}, signal {report.signal})"
