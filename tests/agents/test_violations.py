"""What the executions of an attempt tried is added up for readers."""

from open_autoglm.agents.attempts import Execution
from open_autoglm.agents.violations import violations_of
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.sandbox.report_pb2 import Violation


def execution(*violations: Violation) -> Execution:
    return Execution(attempt="a1", phase="fold.fit", fold=0, report=ExecutionReport(violations=violations), ok=True)


def test_the_serious_is_named_and_the_rest_counted() -> None:
    """Over all executions; a limit that was met has no severity and is named, too."""
    trace = Violation(kind="system_call", subject="ptrace", detail="reading another process", severity="high", count=2)
    write = Violation(kind="system_call", subject="open /x", detail="read-only", severity="low", count=5)
    full = Violation(kind="disk_limit", detail="more than 5 bytes written", count=1)

    assert violations_of([execution(trace, write), execution(trace, full, write)]) == {
        "violations": [
            {"what": "ptrace", "why": "reading another process", "count": 4},
            {"what": "disk limit", "why": "more than 5 bytes written", "count": 1},
        ],
        "low_violations": 10,
    }


def test_nothing_is_said_where_nothing_was_tried() -> None:
    """Most attempts are like that."""
    assert violations_of([execution(), execution()]) == {}
