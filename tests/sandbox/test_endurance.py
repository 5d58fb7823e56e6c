"""Many executions, and many sessions at once: nothing is left, nothing grows, nobody sees another."""

import gc
import json
import os
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import psutil
import pytest

from open_autoglm.evals.containment.leftovers import Surroundings, tagged
from open_autoglm.sandbox.backends.bubblewrap import BubblewrapSandbox
from open_autoglm.sandbox.backends.docker import DockerSandbox
from open_autoglm.sandbox.backends.process import ProcessSandbox
from open_autoglm.sandbox.base import Sandbox
from open_autoglm.sandbox.contracts.conformance import Bench
from open_autoglm.sandbox.contracts.demand import demand
from open_autoglm.sandbox.report import Status
from open_autoglm.sandbox.supervision.folders import remove

EXECUTIONS, WARM_UP = 1_000, 50
UNISOLATED = 300
"""Executions without isolation: they share all of their way but its inside."""
GROWTH_BYTES = 5 << 20
SESSIONS, SECONDS = 8, 3.0
BACKENDS = [
    pytest.param(ProcessSandbox, marks=pytest.mark.slow),
    pytest.param(BubblewrapSandbox, marks=pytest.mark.slow),
    pytest.param(DockerSandbox, marks=pytest.mark.docker),
]
LITTER = """
import threading
(OUT / 'a.txt').write_text('x' * 1000)
pathlib.Path('left').write_bytes(b'y' * 10_000)
pathlib.Path('/tmp/left-{tag}').touch()
subprocess.Popen([sys.executable, '-I', '-S', '-c', 'import time; time.sleep(600)', '{tag}'], start_new_session=True)
print('said', flush=True)
"""
COUNT = """
import json, socket
places = [pathlib.Path('/dev/shm'), pathlib.Path('/tmp'), pathlib.Path.cwd()]
for place in places:
    (place / 'mark-{number}').touch()
bound = socket.socket(socket.AF_UNIX)
bound.bind('\\0mark-{number}')
while time.time() < {begin}: time.sleep(0.001)
count = 0
while time.time() < {begin} + {seconds}:
    count += 1
    sum(range(2000))
seen = {{path.name for place in places for path in place.glob('mark-*')}}
seen |= {{line.partition('@')[2].strip() for line in open('/proc/net/unix') if '@mark-' in line}}
print(json.dumps([count, sorted(seen)]))
"""


def made(backend: Callable[..., Sandbox]) -> Sandbox:
    sandbox = backend(imports=())
    demand(there=sandbox.probe().ready, reason=sandbox.probe().reason)
    return sandbox


def resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
def test_a_thousand_executions_leave_nothing(backend: Callable[..., Sandbox], tmp_path: Path) -> None:
    """No process, file, folder, mount, control group, container or descriptor; and the host's memory stays as it was."""
    sandbox, tag = made(backend), uuid.uuid4().hex
    process = backend is ProcessSandbox
    code = LITTER.format(tag=tag) if not process else LITTER.format(tag=tag).replace("/tmp/left-", "../tmp/left-")
    surroundings = Surroundings.now()
    with closing(sandbox.open(cpus=1)) as session:
        bench = Bench(session, tmp_path)
        surroundings.note()
        for number in range(WARM_UP + (UNISOLATED if process else EXECUTIONS)):
            if number == WARM_UP:
                before, descriptors = resident(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are enough
            report = bench.run(code)
            assert (report.status, report.stdout.head) == (Status.STATUS_OK, "said\n"), report
            remove(tmp_path / report.execution_id)
        assert resident() - before < GROWTH_BYTES
        assert abs(len(os.listdir("/proc/self/fd")) - descriptors) <= 2  # noqa: PTH208 - as above
        assert tagged(tag) == []
    assert surroundings.left() == []
    assert [path for folder in ("/tmp", "/dev/shm", str(tmp_path)) for path in Path(folder).glob(f"*{tag}*")] == []


@pytest.mark.parametrize("backend", BACKENDS[1:], ids=lambda backend: backend.name)
def test_sessions_side_by_side_share_fairly_and_see_nothing_of_each_other(
    backend: Callable[..., Sandbox], tmp_path: Path
) -> None:
    """Eight of them count at the same time; the machine may be busy otherwise, so that the bound is wide."""
    sandbox = made(backend)
    with ExitStack() as stack, ThreadPoolExecutor(SESSIONS) as pool:
        benches = [Bench(stack.enter_context(closing(sandbox.open(cpus=1))), tmp_path) for _ in range(SESSIONS)]
        list(pool.map(lambda bench: bench.run("pass"), benches))
        begin = time.time() + 4.0  # the machine may be busy
        codes = [COUNT.format(number=number, begin=begin, seconds=SECONDS) for number in range(SESSIONS)]
        reports = list(pool.map(lambda bench, code: bench.run(code), benches, codes))

    answers = [json.loads(report.stdout.head) for report in reports]
    assert [seen for _, seen in answers] == [[f"mark-{number}"] for number in range(SESSIONS)]
    counts = [count for count, _ in answers]
    assert max(counts) < 3 * min(counts), counts
