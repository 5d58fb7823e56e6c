"""The contract of `Sandbox` as tests that every backend inherits: what is promised, and that it holds against hostile code.

A backend's own test subclasses `SandboxContract` and says how it is made; one that isolates also subclasses
`isolation_contract.IsolationContract`. Programs run by the `script` call: their own files are `sys.argv[1:]` of it.
"""

import hashlib
import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from open_autoglm.errors import SandboxError
from open_autoglm.sandbox.base import Job, Limits, Sandbox, Session
from open_autoglm.sandbox.report import ExecutionReport, Status
from open_autoglm.sandbox.supervision.orphans import started_by

PRELUDE = """import os, sys, pathlib, time, subprocess
OUT = pathlib.Path(sys.argv[3]).parent
IN = pathlib.Path(sys.argv[1]).parent
pathlib.Path(sys.argv[3]).touch()
"""
CANARY = "AUTOGLM_CONFORMANCE_CANARY"
DAEMON = """
def daemon(tag):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)", tag])
        os._exit(0)
    time.sleep(0.1)
"""


class Bench:
    """A session and a folder: runs one program after another."""

    def __init__(self, session: Session, folder: Path) -> None:
        self.session, self.folder = session, folder

    def job(self, code: str, inputs: dict[str, Path] | None = None, **limits: float) -> Job:
        """Return the job that runs a program."""
        values = {"wall_seconds": 20.0, "memory_bytes": 1 << 30, **limits}
        name = uuid.uuid4().hex
        return Job(
            execution_id=name,
            phase="test",
            call="script",
            code={"solution.py": PRELUDE + code},
            context={"seed": 1},
            inputs=inputs or {},
            limits=Limits(**values),  # type: ignore[arg-type]  # counts are given as ints
            collect=self.folder / name,
        )

    def run(self, code: str, inputs: dict[str, Path] | None = None, **limits: float) -> ExecutionReport:
        """Run a program and return its report."""
        return self.session.run(self.job(code, inputs, **limits))


def alive(tag: str) -> list[str]:
    """Return the processes of this machine that have `tag` among their arguments."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended while we looked
            found += [folder.name] if tag.encode() in (folder / "cmdline").read_bytes() else []
    return found


class Contract:
    """Makes the backend and its bench."""

    start_seconds = 0.0
    """How long an execution of this backend may take to begin with its code, on a busy machine."""

    def make_sandbox(self) -> Sandbox:
        """Return the backend under test."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def bench(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
        """One warm session for all tests of the class: each must leave it usable."""
        os.environ[CANARY] = "secret"
        running = started_by()
        session = cls().make_sandbox().open(cpus=1)
        yield Bench(session, tmp_path_factory.mktemp("collect"))
        session.close()
        session.close()  # closing twice is allowed
        del os.environ[CANARY]
        assert started_by() <= running  # nothing of it runs on, wherever in the tree of processes


class SandboxContract(Contract):
    """What every backend promises."""

    def test_a_standstill_is_ended_and_says_where_it_stands(self, bench: Bench) -> None:
        """No output and no work, long before the deadline; the stacks of its threads are at the end of stderr."""
        code = "import threading\ndef forever():\n    threading.Event().wait()\nforever()"
        report = bench.run(code, stall_seconds=0.5, wall_seconds=20)

        assert report.status == Status.STATUS_STALLED
        assert report.wall_seconds < 10
        assert "in forever" in report.stderr.head + report.stderr.tail
        assert report.detail == "neither output nor work for 0.5 seconds"

    def test_slow_work_is_no_standstill(self, bench: Bench) -> None:
        """It may say nothing, or use nothing: not both."""
        working = "end = time.monotonic() + 1\nwhile time.monotonic() < end: sum(range(1000))"
        busy = bench.run(working, stall_seconds=0.5)
        talking = bench.run("for _ in range(10): print('.', flush=True); time.sleep(0.1)", stall_seconds=0.5)

        assert (busy.status, talking.status) == (Status.STATUS_OK, Status.STATUS_OK), busy.detail + talking.detail

    def test_what_ran_well_is_ok(self, bench: Bench) -> None:
        """The report tells output, times, usage and artefacts."""
        report = bench.run("print('héllo 你好'); print('oops', file=sys.stderr); (OUT / 'a.txt').write_text('x')")

        assert (report.status, report.exit_code, report.signal) == (Status.STATUS_OK, 0, 0), report
        assert (report.stdout.head, report.stderr.head) == ("héllo 你好\n", "oops\n")
        assert report.stdout.sha256 == hashlib.sha256("héllo 你好\n".encode()).hexdigest()
        assert [a.path for a in report.artefacts] == ["a.txt", "out.csv"]
        assert report.artefacts[0].sha256 == hashlib.sha256(b"x").hexdigest()
        assert (bench.folder / report.execution_id / "a.txt").read_text() == "x"
        assert report.wall_seconds > 0
        assert report.resources.peak_memory_bytes > 0
        assert len(report.job_sha256) == 64

    def test_an_exception_is_claimed_with_the_bundles_own_lines(self, bench: Bench) -> None:
        """Frames of libraries and of the runtime are left out."""
        report = bench.run("def inner():\n    raise KeyError('no such thing')\ninner()")

        assert report.status == Status.STATUS_ERROR
        assert (report.exception.type, report.exception.message) == ("KeyError", "'no such thing'")
        assert [(f.file, f.function) for f in report.exception.frames] == [
            ("solution.py", "<module>"),
            ("solution.py", "inner"),
        ]
        assert "no such thing" in report.stderr.head

    def test_exit_codes_and_signals_come_from_the_system(self, bench: Bench) -> None:
        """A process can say what it likes: its wait status counts."""
        assert bench.run("sys.exit(3)").exit_code == 3
        crash = bench.run("import ctypes; ctypes.string_at(0)")
        assert (crash.status, crash.exit_code, crash.signal) == (Status.STATUS_ERROR, 0, 11)

    def test_leaving_early_is_no_success(self, bench: Bench) -> None:
        """A process that ends well without what it promised has failed."""
        report = bench.run("pathlib.Path(sys.argv[3]).unlink(); os._exit(0)")

        assert report.status == Status.STATUS_ERROR
        assert "out.csv" in report.detail

    def test_a_folder_in_place_of_a_file_is_no_success(self, bench: Bench) -> None:
        """Nor a file whose name only begins like the promised one: the host would open what is not there."""
        code = "path = pathlib.Path(sys.argv[3]); path.unlink(); path.mkdir(); (path / 'x').touch(); (OUT / 'out.csv2').touch()"
        report = bench.run(code)

        assert (report.status, len(report.artefacts)) == (Status.STATUS_ERROR, 2)
        assert "out.csv" in report.detail

    def test_a_timeout_keeps_what_was_printed(self, bench: Bench) -> None:
        """The deadline kills, and takes no longer than it must."""
        started = time.monotonic()
        code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('before')\nwhile True: pass"
        report = bench.run(code, wall_seconds=0.4 + self.start_seconds)

        assert report.status == Status.STATUS_TIMEOUT
        assert report.stdout.head == "before\n"
        assert time.monotonic() - started < 3

    def test_the_whole_tree_dies(self, bench: Bench) -> None:
        """Also a daemon in a session of its own, after a normal end and after a timeout."""
        tag = uuid.uuid4().hex
        assert bench.run(DAEMON + f"daemon('{tag}')").status == Status.STATUS_OK
        assert alive(tag) == []
        assert bench.run(DAEMON + f"daemon('{tag}')\ntime.sleep(60)", wall_seconds=0.6).status == Status.STATUS_TIMEOUT
        assert alive(tag) == []

    def test_cancel_kills_at_once(self, bench: Bench) -> None:
        """From another thread; it returns when all is dead, and the session goes on."""
        tag, reports = uuid.uuid4().hex, []
        job = bench.job(DAEMON + f"daemon('{tag}')\n(OUT / 'up').touch()\ntime.sleep(60)")
        thread = threading.Thread(target=lambda: reports.append(bench.session.run(job)))
        thread.start()
        give_up = time.monotonic() + 20
        while not alive(tag) and time.monotonic() < give_up:
            time.sleep(0.01)
        started = time.monotonic()
        bench.session.cancel()
        taken = time.monotonic() - started

        assert alive(tag) == []
        thread.join()
        assert reports[0].status == Status.STATUS_CANCELLED
        assert taken < 1
        bench.session.cancel()  # idle: no effect
        assert bench.run("pass").status == Status.STATUS_OK

    def test_endless_output_is_cut(self, bench: Bench) -> None:
        """What is kept stays small, however much was printed."""
        report = bench.run("while True: print('x' * 9999)", output_bytes=1 << 20)

        assert report.status == Status.STATUS_VIOLATION
        assert [v.kind for v in report.violations] == ["output_limit"]
        assert report.stdout.total_bytes > 1 << 20
        assert len(report.stdout.head) + len(report.stdout.tail) < 64 << 10

    def test_claims_are_output_too(self, bench: Bench) -> None:
        """Their pipe is no way to keep the host busy."""
        report = bench.run("while True: os.write(3, b'x' * 9999)", output_bytes=1 << 20)

        assert [v.kind for v in report.violations] == ["output_limit"]

    def test_a_memory_bomb_ends_as_out_of_memory(self, bench: Bench) -> None:
        """Also in a child: the limit is the tree's."""
        code = "subprocess.run([sys.executable, '-c', 'import time\\nx = []\\nwhile 1: x.append(bytearray(b\"1\" * 10_000_000)); time.sleep(.001)'])"
        report = bench.run(code, memory_bytes=200 << 20)

        assert report.status == Status.STATUS_OUT_OF_MEMORY, report
        assert "memory" in report.detail

    def test_a_fork_bomb_meets_a_limit(self, bench: Bench) -> None:
        """Either forking fails, or the tree is killed. The fork server's own three have room beside the limit, and may come later."""
        code = "n = 0\nwhile n < 300:\n    try: pid = os.fork()\n    except OSError: break\n    if pid == 0: time.sleep(30); os._exit(0)\n    n += 1\nprint(n)\nif n >= 300: time.sleep(30)"
        report = bench.run(code, processes=30)

        assert report.status in (Status.STATUS_OK, Status.STATUS_VIOLATION)
        assert report.status == Status.STATUS_VIOLATION or int(report.stdout.head) <= 34

    def test_a_full_disk_is_a_violation(self, bench: Bench) -> None:
        """Many small files count as one large one does."""
        code = "for i in range(400):\n    (OUT.parent / 'work' / str(i)).write_bytes(b'1' * 100_000)\ntime.sleep(5)"
        report = bench.run(code, disk_bytes=5 << 20)

        assert report.status == Status.STATUS_VIOLATION, report
        assert [v.kind for v in report.violations] == ["disk_limit"]

    def test_the_environment_is_empty(self, bench: Bench) -> None:
        """No secret of the host comes along."""
        report = bench.run(f"print({CANARY!r} in os.environ, 'secret' in str(os.environ), len(os.environ) < 30)")

        assert report.stdout.head == "False False True\n"

    def test_only_its_own_descriptors_are_open(self, bench: Bench) -> None:
        """The standard streams, and the pipe for claims that nobody believes."""
        report = bench.run(
            "print(sorted(int(n) for n in os.listdir('/proc/self/fd'))[:4], len(os.listdir('/proc/self/fd')))"
        )

        assert report.stdout.head == "[0, 1, 2, 3] 5\n"

    def test_stdin_is_at_its_end(self, bench: Bench) -> None:
        """Asking for input does not wait for ever."""
        assert bench.run("input()").exception.type == "EOFError"

    def test_forged_claims_change_no_verdict(self, bench: Bench) -> None:
        """Whatever is written to the pipe, malformed or not, is a claim at the most."""
        code = (
            'os.write(3, b\'{"exception": {"type": 7, "frames": [3, {"line": -1}]}}\\n[[[[\\n{"progress": [1, NaN, 2]}\\n\')\n'
            'os.write(3, b\'{"status": 1, "exit": 0, "progress": [1, 0.5, 2]}\\n\' + b\'x\' * 2_000_000)\nraise SystemExit(9)'
        )
        report = bench.run(code)

        assert (report.status, report.exit_code) == (Status.STATUS_ERROR, 9)
        assert [(p.step, p.value) for p in report.progress] == [(1.0, 0.5)]

    def test_output_is_harmless_to_a_terminal(self, bench: Bench) -> None:
        """Colours, cursor movement, links, overwritten lines and reordered text are gone."""
        report = bench.run(
            r"print('a\x1b[31mb\x1b]0;title\x07c\u202ed\x9b2Je\nlong line\rshort'); os.write(1, b'\xff\x00')"
        )

        assert report.stdout.head == "a�b�c�d�e\nshort\n\\xff�"

    def test_hostile_artefacts_stay_behind(self, bench: Bench) -> None:
        """Only plain files come over; the rest is listed with the reason."""
        code = """
(OUT / 'good').write_text('1')
(OUT / 'link').symlink_to('/etc/passwd')
(OUT / 'folder').symlink_to('/etc')
os.mkfifo(OUT / 'fifo')
(OUT / 'one').write_text('2'); os.link(OUT / 'one', OUT / 'two')
os.close(os.open(os.fsencode(OUT) + b'/\\xff', os.O_CREAT))
(OUT / 'esc\\x1b[31m').write_text('3')
with open(OUT / 'sparse', 'wb') as f: f.truncate(1 << 26)
where = OUT
for _ in range(12):
    where = where / 'd'
    where.mkdir()
(where / 'deep').write_text('4')
"""
        report = bench.run(code)

        assert [a.path for a in report.artefacts] == ["good", "out.csv"], report.refused
        reasons = {r.path: r.reason for r in report.refused}
        assert {reasons[name] for name in ("link", "folder")} == {"a symbolic link"}
        assert reasons["fifo"] == "not a regular file"
        assert {reasons[name] for name in ("one", "two")} == {"a hard link"}
        assert reasons["sparse"] == "a sparse file"
        assert any("deeper" in reason for reason in reasons.values())
        assert any("UTF-8" in reason for reason in reasons.values())
        assert all("\x1b" not in path for path in reasons)

    def test_inputs_come_under_their_names_and_stay_as_they_are(self, bench: Bench, tmp_path: Path) -> None:
        """The host's file is the same afterwards, whatever the code tried."""
        (tmp_path / "secret-name.bin").write_bytes(b"data")
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "a").write_bytes(b"A")
        code = """
print((IN / 'train').read_bytes(), (IN / 'model' / 'a').read_bytes(), sorted(p.name for p in IN.iterdir()))
for name in ('train', 'model/a'):
    try: (IN / name).write_bytes(b'changed')
    except OSError as error: print(error.errno)
"""
        report = bench.run(code, {"train": tmp_path / "secret-name.bin", "model": tmp_path / "model"})

        assert report.stdout.head.startswith("b'data' b'A' ['model', 'train']\n")
        assert (tmp_path / "secret-name.bin").read_bytes() == b"data"
        assert (tmp_path / "model" / "a").read_bytes() == b"A"

    def test_nothing_is_left_in_the_work_folder(self, bench: Bench) -> None:
        """The next execution finds its folders as the first did: its own files, and where Python lies in /tmp the way there."""
        code = "import tempfile\nprint(os.listdir('.'), os.listdir(tempfile.gettempdir()), os.listdir(OUT))\n"
        plant = "open('x', 'w').close(); open(tempfile.gettempdir() + '/y', 'w').close(); os.mkdir('closed', 0)"

        first = bench.run(code + plant)
        assert first.status == Status.STATUS_OK
        assert first.stdout.head.startswith("[] [")
        assert first.stdout.head.endswith("] ['out.csv']\n")
        assert bench.run(code).stdout.head == first.stdout.head

    @pytest.mark.slow
    def test_a_tree_too_deep_for_recursion_is_removed(self, bench: Bench) -> None:
        """Neither measuring nor emptying nor collecting falls over it."""
        report = bench.run("os.chdir(OUT)\nfor _ in range(1200):\n    os.mkdir('d'); os.chdir('d')\ntime.sleep(0.3)")

        assert (report.status, len(report.refused)) == (Status.STATUS_OK, 1)
        assert bench.run("print(os.listdir(OUT))").stdout.head == "['out.csv']\n"

    def test_a_lost_fork_server_is_replaced(self, bench: Bench) -> None:
        """Killing one's parents is no success, and the next job runs."""
        code = """
for pid in (os.getppid(), int(open(f'/proc/{os.getppid() or 1}/stat').read().rpartition(')')[2].split()[1])):
    try:
        if pid > 1 and b'forkserver' in open(f'/proc/{pid}/cmdline', 'rb').read(): os.kill(pid, 9)
    except OSError: pass
time.sleep(0.2)
pathlib.Path(sys.argv[3]).unlink()
"""
        report = bench.run(code)

        assert report.status in (Status.STATUS_SANDBOX_ERROR, Status.STATUS_ERROR)
        assert bench.run("print(1)").stdout.head == "1\n"

    def test_a_job_that_cannot_be_laid_out_is_the_hosts_fault(self, bench: Bench, tmp_path: Path) -> None:
        """A failure of the sandbox raises and names the problem; the session goes on."""
        with pytest.raises(SandboxError, match="nowhere"):
            bench.run("pass", {"train": tmp_path / "nowhere"})
        job = bench.job("pass")
        job.collect.mkdir()
        (job.collect / "old").touch()
        with pytest.raises(SandboxError, match="not empty"):
            bench.session.run(job)
        assert bench.run("pass").status == Status.STATUS_OK

    @pytest.mark.slow
    def test_too_many_artefacts_are_bounded(self, bench: Bench) -> None:
        """Thousands of files cost a bounded time."""
        report = bench.run("for i in range(30_000): (OUT / f'{i}').touch()", wall_seconds=60)

        assert len(report.artefacts) <= 2_000
        assert len(report.refused) <= 100

    @pytest.mark.slow
    def test_sessions_run_side_by_side(self, bench: Bench, tmp_path: Path) -> None:
        """Each has its own fork server; a closed session refuses."""
        sessions = [self.make_sandbox().open(cpus=1) for _ in range(3)]
        reports: list[ExecutionReport] = []

        def work(session: Session, folder: Path) -> None:
            here = Bench(session, folder)
            reports.extend(here.run(f"time.sleep(0.1); print({number})") for number in range(3))

        threads = [threading.Thread(target=work, args=(s, tmp_path / str(i))) for i, s in enumerate(sessions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for session in sessions:
            session.close()

        assert [r.status for r in reports] == [Status.STATUS_OK] * 9
        with pytest.raises(SandboxError, match="closed"):
            Bench(sessions[0], tmp_path / "late").run("pass")
