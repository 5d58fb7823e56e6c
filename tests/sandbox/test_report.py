"""The report: generated code agrees with the `.proto`, and nothing in it ever changes its number."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

import open_autoglm.sandbox
from open_autoglm.sandbox.report import ExecutionReport, Status, failure_line, is_ok, status_name
from open_autoglm.sandbox.report_pb2 import DESCRIPTOR, ClaimedException, Frame

FOLDER = Path(open_autoglm.sandbox.__file__).parent
FROZEN = Path(__file__).parent / "report.numbers.txt"


def numbers(file: descriptor_pb2.FileDescriptorProto) -> list[str]:
    """Return every name with its number and type."""
    lines = [f"{e.name}.{value.name} = {value.number}" for e in file.enum_type for value in e.value]
    lines += [f"{m.name}.{f.name} = {f.number} {f.type} {f.label}" for m in file.message_type for f in m.field]
    return sorted(lines)


def committed() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto()
    DESCRIPTOR.CopyToProto(file)
    return file


@pytest.mark.checkout
@pytest.mark.needs(find_spec("grpc_tools") is not None, "grpcio-tools is not installed")
def test_generated_code_agrees_with_the_proto(tmp_path: Path) -> None:
    """Run the compiler anew and compare what it makes of the file."""
    out = tmp_path / "set"
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{FOLDER}", f"--descriptor_set_out={out}", "report.proto"]
    subprocess.run(command, check=True, capture_output=True)
    compiled = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file[0]

    assert numbers(compiled) == numbers(committed())
    assert compiled.package == committed().package


def test_numbers_are_frozen() -> None:
    """Names may be added (add them to the file on purpose); what is there never changes."""
    assert numbers(committed()) == FROZEN.read_text(encoding="utf-8").splitlines()


def test_a_failure_is_told_in_one_line() -> None:
    """What the code claims, else what the host saw."""
    frame = Frame(file="solution.py", line=7)
    claimed = ExecutionReport(
        status=Status.STATUS_ERROR, exception=ClaimedException(type="E", message="a\nb", frames=[frame])
    )

    assert failure_line(claimed) == "E: a at solution.py:7"
    assert failure_line(ExecutionReport(status=Status.STATUS_TIMEOUT, detail="too slow")) == "too slow"
    bare = ExecutionReport(status=Status.STATUS_ERROR, exception=ClaimedException(type="E", frames=[frame]))
    assert failure_line(bare) == "E at solution.py:7"
    assert is_ok(ExecutionReport(status=Status.STATUS_OK))
    assert status_name(ExecutionReport(status=Status.STATUS_OUT_OF_MEMORY)) == "out_of_memory"


def test_an_end_without_words_of_its_own_is_named() -> None:
    """By the name of the signal, or the exit status, and the last line that was printed about it."""
    report = ExecutionReport(status=Status.STATUS_ERROR, signal=6)
    assert failure_line(report) == "error (ended by SIGABRT, signal 6)"
    report.stderr.head = "one\nOperation not permitted (src/thread.cpp:315)\n"
    assert failure_line(report).endswith("; it said last: Operation not permitted (src/thread.cpp:315)")
    report.stderr.tail = "x" * 1000
    assert len(failure_line(report)) < 300
    assert failure_line(ExecutionReport(status=Status.STATUS_ERROR, signal=60)) == "error (ended by signal 60)"
    assert failure_line(ExecutionReport(status=Status.STATUS_ERROR, exit_code=3)) == "error (exit 3)"


@pytest.mark.parametrize("tried", ["socket unix", "open /dev/shm/sem.x", "sched_setscheduler"])
def test_what_rules_alone_do_not_give_is_named(tried: str) -> None:
    """Where the code reached for what processes share, and failed; nowhere else."""
    report = ExecutionReport(status=Status.STATUS_ERROR, exception=ClaimedException(type="PermissionError"))
    report.isolation.backend = "landlock"
    assert failure_line(report) == "PermissionError"
    report.violations.add(kind="system_call", subject=tried)
    for words in ("PermissionError (the sandbox 'landlock' has no sockets", "n_jobs=1", "install bubblewrap or Docker"):
        assert words in failure_line(report)
    report.isolation.backend = "bubblewrap"
    assert failure_line(report) == "PermissionError"
