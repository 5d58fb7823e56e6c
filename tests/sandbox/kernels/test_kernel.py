"""Stateful kernels: what they do for their users, and what they cannot do to their host."""

import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.sandbox.test_driver import MeasuredLauncher

from open_autoglm.errors import SandboxError, ScriptExhausted
from open_autoglm.sandbox.backends.bubblewrap import BubblewrapSandbox
from open_autoglm.sandbox.base import CellEnd, CellResult, Kernel, Limits, Profile
from open_autoglm.sandbox.bundles.profiles import KERNEL_IMPORTS
from open_autoglm.sandbox.contracts.conformance import DAEMON, alive
from open_autoglm.sandbox.kernels import kernel as module
from open_autoglm.sandbox.report import Status
from open_autoglm.sandbox.scripted import ScriptedSandbox
from open_autoglm.sandbox.supervision.pool import PooledSandbox
from open_autoglm.sandbox.supervision.session import SupervisedSession

around = BubblewrapSandbox().probe()
needs_bubblewrap = pytest.mark.needs(around.ready, around.reason)


@pytest.fixture(scope="module")
def session() -> Iterator[SupervisedSession]:
    """Without isolation, so that what runs inside is measured, too."""
    with_kernels = SupervisedSession(MeasuredLauncher(), cpus=1, imports=KERNEL_IMPORTS)
    yield with_kernels
    with_kernels.close()


def texts(result: CellResult) -> list[tuple[str, str]]:
    return [(piece.kind, piece.text) for piece in result.claimed_outputs]


@pytest.mark.slow
def test_cells_share_their_state(session: SupervisedSession, tmp_path: Path) -> None:
    """Outputs of all kinds, errors, inputs by their names; what is left in the folder for output comes over at the end."""
    (tmp_path / "rows").write_text("a,b\n")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "file").touch()
    kernel = session.kernel(inputs={"rows.csv": tmp_path / "rows"}, collect=tmp_path / "old")

    first = kernel.execute("x = open('rows.csv').read()\nprint('hello')\nx")
    failed = kernel.execute("import sys\nprint('before', file=sys.stderr)\n1 / 0")
    shown = kernel.execute(
        "from IPython.display import HTML, display\ndisplay(HTML('<b>bold</b><script>x</script>'))\nx = 3"
    )
    forked = kernel.execute(
        "import subprocess\nprint(subprocess.run(['echo', 'child'], capture_output=True).stdout)\nx"
    )
    kernel.execute("import pathlib, os\n(pathlib.Path.cwd().parent / 'out' / 'made.txt').write_text('x')")
    report = kernel.close()

    assert (first.end, first.claimed_ok, texts(first)) == (
        CellEnd.ANSWERED,
        True,
        [("stdout", "hello\n"), ("result", "'a,b\\n'")],
    )
    assert not failed.claimed_ok
    assert texts(failed)[0] == ("stderr", "before\n")
    assert "ZeroDivisionError" in texts(failed)[1][1]
    assert "\N{REPLACEMENT CHARACTER}" not in texts(failed)[1][1]
    assert shown.claimed_outputs[0].html == "<b>bold</b>"
    assert texts(forked)[-1] == ("result", "3")
    assert (report.status, report.phase, [a.path for a in report.artefacts]) == (
        Status.STATUS_OK,
        "kernel",
        ["made.txt"],
    )
    assert (tmp_path / "old" / "made.txt").exists()
    assert kernel.close() == report, "closing twice is allowed"
    with pytest.raises(SandboxError, match="closed"):
        kernel.execute("1")
    with pytest.raises(SandboxError, match="closed"):
        kernel.restart()


@pytest.mark.slow
def test_a_cell_that_takes_too_long_is_stopped_and_its_state_kept(session: SupervisedSession) -> None:
    """By time or by a person; after a restart the state is gone."""
    kernel = session.kernel()
    kernel.execute("x = 1")
    late = kernel.execute("import time\nx = 2\ntime.sleep(60)", timeout_seconds=0.3)
    threading.Timer(0.3, kernel.interrupt).start()
    stopped = kernel.execute("time.sleep(60)", timeout_seconds=60)
    kept = kernel.execute("x")
    kernel.restart()
    gone = kernel.execute("x")
    kernel.close()

    assert (late.end, late.claimed_ok, late.wall_seconds < 5) == (CellEnd.INTERRUPTED, False, True)
    assert "KeyboardInterrupt" in texts(late)[-1][1]
    assert stopped.end is CellEnd.INTERRUPTED
    assert texts(kept) == [("result", "2")]
    assert "NameError" in texts(gone)[0][1]


@pytest.mark.slow
def test_a_kernel_that_dies_says_how(session: SupervisedSession) -> None:
    """Its report has the exit status; nothing more can be asked of it until it is restarted."""
    kernel = session.kernel()
    died = kernel.execute("import os\nos._exit(3)")
    with pytest.raises(SandboxError, match="Restart it"):
        kernel.execute("1")
    kernel.restart()
    alive_again = kernel.execute("1")
    kernel.close()

    assert (died.end, "exit 3" in died.detail) == (CellEnd.LOST, True), died
    assert texts(alive_again) == [("result", "1")]


@pytest.mark.slow
def test_interrupts_that_are_ignored_end_the_kernel(
    session: SupervisedSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time is kept from outside."""
    monkeypatch.setattr(module, "INTERRUPT_SECONDS", 0.3)
    kernel = session.kernel()
    deaf = kernel.execute(
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass", timeout_seconds=0.3
    )
    report = kernel.close()

    assert (deaf.end, deaf.wall_seconds < 10) == (CellEnd.LOST, True)
    assert "killed" in deaf.detail
    assert report.status == Status.STATUS_CANCELLED


@pytest.mark.slow
def test_a_flood_is_cut_off(session: SupervisedSession) -> None:
    """Of messages, and of one message that never ends: this process holds a bounded part of either."""
    limits = Limits(wall_seconds=60, memory_bytes=1 << 30, output_bytes=1 << 20, stall_seconds=60)
    endless = """
import os, socket, struct
for name in os.listdir('/proc/self/fd'):
    try: line = socket.socket(fileno=os.dup(int(name)))
    except OSError: continue
    try: line.getpeername()
    except OSError: continue
    if line.family == socket.AF_UNIX and line.getsockname(): lines = [*globals().get('lines', []), line]
while True:
    for line in lines:
        try: line.send(struct.pack('>BQ', 3, 60_000) + bytes(60_000), socket.MSG_DONTWAIT)
        except OSError: pass
"""
    before = psutil.Process().memory_info().rss
    kernel = session.kernel(limits=limits)
    flood = kernel.execute("while True: print('x' * 100_000)", timeout_seconds=30)
    kernel.restart()
    never = kernel.execute(endless, timeout_seconds=30)
    kernel.close()

    assert (flood.end, "sent more than" in flood.detail) == (CellEnd.LOST, True), flood
    assert never.end is CellEnd.LOST
    assert len(str(flood.claimed_outputs)) < 100_000
    assert psutil.Process().memory_info().rss - before < 200 << 20


@pytest.mark.slow
def test_what_a_kernel_forges_is_a_claim(session: SupervisedSession) -> None:
    """Replies to cells that failed, unsigned and malformed messages: the report comes from the process."""
    kernel = session.kernel()
    kernel.execute("""
kernel = get_ipython().kernel
async def fake(*args, **options):
    return {'status': 'ok', 'execution_count': 1, 'payload': [], 'user_expressions': {}}
kernel.iopub_socket.send_multipart([b'x', b'<IDS|MSG>', b'0' * 64, b'{}', b'{}', b'{}', b'{}'])
kernel.iopub_socket.send_multipart([b'nonsense'])
kernel.do_execute = fake
""")
    forged = kernel.execute("1 / 0")
    report = kernel.close()

    assert (forged.end, forged.claimed_ok, forged.claimed_outputs) == (CellEnd.ANSWERED, True, ())
    assert report.status == Status.STATUS_OK


@pytest.mark.slow
def test_a_kernel_that_cannot_start_is_the_sandboxs_failure(
    session: SupervisedSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says what became of it, and nothing is left."""
    monkeypatch.setattr(module, "START_SECONDS", 0.0)
    with pytest.raises(SandboxError, match="did not start"):
        session.kernel()
    monkeypatch.undo()
    with pytest.raises(SandboxError, match="did not start"):
        session.kernel(limits=Limits(wall_seconds=60, memory_bytes=1 << 30, output_bytes=0))
    with pytest.raises(SandboxError, match="nowhere"):
        session.kernel(inputs={"rows": Path("/nowhere")})
    kernel = session.kernel()
    assert kernel.execute("1").claimed_ok
    kernel.close()


def test_the_fake_answers_from_its_script(tmp_path: Path) -> None:
    """And fails loudly when it is asked for more."""
    scripted = ScriptedSandbox([]).open()
    scripted.cells.append(CellResult(end=CellEnd.ANSWERED, wall_seconds=0.0, claimed_ok=True))
    kernel: Kernel = scripted.kernel()

    assert kernel.execute("1").claimed_ok
    with pytest.raises(ScriptExhausted, match="no result left for cell 2"):
        kernel.execute("2")
    kernel.interrupt()
    kernel.restart()
    assert kernel.close().phase == "kernel"
    with pytest.raises(SandboxError, match="closed"):
        kernel.execute("3")


def test_a_session_that_had_a_kernel_is_lent_to_nobody_else() -> None:
    """It goes back to the pool after jobs, and is closed after a kernel."""
    inner = ScriptedSandbox([])
    pool = PooledSandbox(inner)
    lent = pool.open()
    lent.kernel().close()
    lent.close()
    with pytest.raises(SandboxError, match="closed"):
        lent.kernel()
    pool.close()

    assert inner.sessions[0].closed
    assert len(inner.sessions) == 2


@needs_bubblewrap
@pytest.mark.slow
class TestSealed:
    """In bubblewrap."""

    @pytest.fixture(scope="class")
    @classmethod
    def sealed(cls) -> Iterator[SupervisedSession]:
        opened = BubblewrapSandbox().open(cpus=1, profile=Profile.KERNEL)
        assert isinstance(opened, SupervisedSession)
        yield opened
        opened.close()

    def test_a_kernel_is_as_sealed_as_every_execution(self, sealed: SupervisedSession, tmp_path: Path) -> None:
        """No network, no files of the host, no way to its own sockets; daemons die with it, what it tried is told."""
        tag = uuid.uuid4().hex
        kernel = sealed.kernel()
        look = kernel.execute(f"""
import os, socket, sys
found = [path for path in ({str(tmp_path)!r}, '/root/.ssh', '/etc/shadow') if os.path.exists(path)]
try: socket.create_connection(('1.1.1.1', 53), timeout=1); found.append('network')
except OSError: pass
wires = [line.split()[-1] for line in open('/proc/net/unix') if 'autoglm' in line]
print(found, [path for path in wires if os.path.exists(path)])
import ctypes
ctypes.CDLL(None).ptrace(0, 0, 0, 0);
""")
        kernel.execute(f"import time\n{DAEMON}\ndaemon('{tag}')")
        assert alive(tag) != []
        report = kernel.close()

        assert texts(look) == [("stdout", "[] []\n")], look
        assert alive(tag) == []
        assert {"ptrace", "connect 1.1.1.1:53"} <= {violation.subject for violation in report.violations}
        assert report.isolation.tier.startswith("bubblewrap")

    def test_a_kernel_without_memory_or_sockets_is_lost(self, sealed: SupervisedSession) -> None:
        """And the next one starts as if nothing had been."""
        limits = Limits(wall_seconds=60, memory_bytes=300 << 20, stall_seconds=60)
        kernel = sealed.kernel(limits=limits)
        bomb = kernel.execute("x = []\nwhile True: x.append(bytearray(b'1' * 4_000_000))", timeout_seconds=30)
        kernel.restart()
        closed = kernel.execute("import os\nos.closerange(4, 200)\nimport time\ntime.sleep(30)", timeout_seconds=5)
        kernel.restart()
        again = kernel.execute("1")
        kernel.close()

        assert (bomb.end, "memory" in bomb.detail.lower()) == (CellEnd.LOST, True), bomb
        assert closed.end is CellEnd.LOST
        assert texts(again) == [("result", "1")]

    def test_pictures_and_tables_come_over(self, sealed: SupervisedSession) -> None:
        """As PNG and cleaned HTML."""
        kernel = sealed.kernel()
        plot = kernel.execute("import matplotlib.pyplot as plt\nplt.plot([1, 2]);", timeout_seconds=120)
        table = kernel.execute("import pandas as pd\npd.DataFrame({'a': [1]})")
        kernel.close()

        assert [piece.png[:4] for piece in plot.claimed_outputs if piece.png] == [b"\x89PNG"], plot
        assert "<td>1</td>" in table.claimed_outputs[0].html

    def test_closing_the_session_ends_its_kernel(self) -> None:
        """At once."""
        opened = BubblewrapSandbox().open(cpus=1, profile=Profile.KERNEL)
        kernel = opened.kernel()
        started = time.monotonic()
        opened.close()

        assert time.monotonic() - started < 2
        assert kernel.execute("1").end is CellEnd.LOST
