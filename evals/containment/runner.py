"""Runs the programs of the suite in one backend, one after another in a warm session, and watches the host meanwhile."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
from pydantic import BaseModel

from open_autoglm.errors import SandboxError
from open_autoglm.evals.containment.judge import holds_secret, is_named, judge
from open_autoglm.evals.containment.leftovers import Surroundings, planted, tagged
from open_autoglm.evals.containment.manifest import SUITE, Expectation, Kind, Program
from open_autoglm.evals.containment.traps import Traps
from open_autoglm.evals.containment.ways import Way
from open_autoglm.events import Json
from open_autoglm.sandbox.backends.image import locked
from open_autoglm.sandbox.backends.trial import NO_NETWORK
from open_autoglm.sandbox.base import Job, Session
from open_autoglm.sandbox.policy import default_policy
from open_autoglm.sandbox.report import ExecutionReport, status_name
from open_autoglm.sandbox.supervision.folders import temporary
from open_autoglm.tools.metrics.predictions import InvalidPredictions, read_predictions
from open_autoglm.tools.task import TaskType

SETTLED = 5
"""Runs after which the memory of this process has taken its size."""

COUNTED = "control groups"
"""What a backend says of its limits where the kernel keeps and counts them."""
ROWS = 400
_SPECIAL_BITS = 0o7000
_CLASSES = ("no", "yes")
_TASK: Json = {"target": "y", "task_type": "binary", "metric": "roc_auc", "classes": list(_CLASSES)}


class Outcome(BaseModel):
    """What became of one program in one backend."""

    program: str
    kind: Kind
    row: str
    backend: str
    tier: str
    status: str
    """How the last run ended; empty where it was left out, `raised` where the sandbox itself failed."""
    contained: bool | None
    """Whether it did no harm and the report shows what it must; None where it was left out, or where no more was promised than no harm."""
    named: bool | None
    """Whether the report names what was attempted; None where nothing had to be named."""
    problems: list[str]
    """What is wrong, or why it was left out, or what is not promised."""
    promised: bool = True
    """Whether its tier promises to contain it, or to have it work; else it ran, and only harm to the host counts."""
    seconds: float


@dataclass(slots=True, kw_only=True)
class _Bench:
    """What the programs of one backend share."""

    way: Way
    traps: Traps
    folder: Path
    root: Path
    backend: str
    tier: str
    isolating: bool
    counted: bool
    _sessions: dict[str, Session] = field(default_factory=dict)

    def session(self, program: Program) -> Session:
        """Return a session under a program's policy: one for all that have the same."""
        policy = program.policy(door=self.traps.door)
        if policy.digest not in self._sessions:
            self._sessions[policy.digest] = self.way(policy).open(cpus=2)
        return self._sessions[policy.digest]

    def close(self) -> None:
        """End all sessions."""
        for session in self._sessions.values():
            session.close()

    def refusal(self, program: Program) -> str:
        """Return why a program cannot run here; empty where it can."""
        left_out = program.missing(image=_packages() if "docker" in self.tier else None)
        if left_out:
            return f"needs {', '.join(left_out)}"
        if not self.isolating and not program.anywhere:
            return "would harm the host where nothing isolates"
        if not program.network:
            return ""
        readiness = self.way(program.policy(door=self.traps.door)).probe()
        as_it_must_be = not readiness.ready and NO_NETWORK in readiness.reason
        return f"its policy is refused, as it must be: {NO_NETWORK}" if as_it_must_be else ""


def run_programs(
    way: Way, programs: Sequence[Program], *, listen: Callable[[Outcome], None], root: Path = SUITE
) -> list[Outcome]:
    """Run programs in a backend that is ready and return the outcome of each, the state of the machine afterwards last.

    Raises:
        SandboxUnavailable: The backend does not work here.
    """
    sandbox = way(default_policy())
    readiness = sandbox.probe()
    surroundings = Surroundings.now()
    outcomes: list[Outcome] = []
    with Traps() as traps, temporary("suite") as folder:
        inputs = folder / "inputs"
        _write_inputs(inputs)
        bench = _Bench(
            way=way,
            traps=traps,
            folder=folder,
            root=root,
            backend=sandbox.name,
            tier=readiness.tier,
            isolating=sandbox.isolating,
            counted=readiness.details.get("limits", COUNTED) == COUNTED,
        )
        with closing(bench):
            for program in programs:
                outcomes.append(_outcome(bench, program))
                surroundings.note()
                listen(outcomes[-1])
    outcomes.append(_afterwards(sandbox.name, readiness.tier, surroundings))
    listen(outcomes[-1])
    return outcomes


def _outcome(bench: _Bench, program: Program) -> Outcome:
    reason = bench.refusal(program)
    blank = Outcome(
        program=program.name, kind=program.kind, row=program.row, backend=bench.backend, tier=bench.tier, status="",
        contained=None, named=None, problems=[reason] if reason else [], seconds=0.0,
    )  # fmt: skip
    return blank if reason else _tried(bench, program, blank)


@cache
def _packages() -> frozenset[str]:
    """Return the names of the packages in the image for containers."""
    return frozenset(requirement.partition("==")[0] for requirement in locked())


def _tried(bench: _Bench, program: Program, blank: Outcome) -> Outcome:
    expected = program.expected(bench.backend, bench.tier, counted=bench.counted)
    problems: list[str] = []
    named: list[bool | None] = []
    sizes: list[int] = []
    status, began = "", time.monotonic()
    for turn in range(program.runs):
        tag = f"autoglm-suite-{uuid.uuid4().hex}"
        job = _job(bench, program, turn, tag)
        try:
            report = bench.session(program).run(job)
        except SandboxError as error:
            status, problems = "raised", [*problems, f"the sandbox failed: {error}"]
            break
        status = status_name(report)
        problems += [
            *judge(program, expected, report),
            *_harm(bench, report, job.collect, tag),
            *_graded(expected, job),
        ]
        named.append(is_named(expected, report))
        sizes.append(psutil.Process().memory_info().rss)
    problems += _growth(expected, sizes)
    contained: bool | None = not problems
    if contained and expected.unpromised:
        contained, problems = None, [f"ran and did no harm; not promised by this tier: {expected.unpromised}."]
    return blank.model_copy(
        update={
            "status": status,
            "contained": contained,
            "promised": not expected.unpromised,
            "named": any(named) if any(name is not None for name in named) else None,
            "problems": list(dict.fromkeys(problems)),
            "seconds": round(time.monotonic() - began, 2),
        }
    )


def _harm(bench: _Bench, report: ExecutionReport, collect: Path, tag: str) -> Iterator[str]:
    """Yield what happened outside that must not."""
    yield from bench.traps.sprung()
    if holds_secret(report, collect, bench.traps.secret):
        yield "brought a secret of the host out"
    if alive := tagged(tag):
        yield f"{len(alive)} processes are still alive"
    yield from (f"left {path} on the host" for path in planted(tag))
    if any(path.is_symlink() or not (path.is_file() or path.is_dir()) for path in collect.rglob("*")):
        yield "something that is no plain file came over"
    if any(path.stat().st_mode & _SPECIAL_BITS for path in collect.rglob("*") if path.is_file()):
        yield "a program that gives the rights of its owner came over"


def _graded(expected: Expectation, job: Job) -> Iterator[str]:
    """Yield what is wrong with how the host takes the predictions that came over, as it does before it scores them."""
    if not expected.predictions:
        return
    try:
        read_predictions(job.collect / "predictions.npy", rows=ROWS, task_type=TaskType.BINARY, classes=_CLASSES)
    except InvalidPredictions:
        return
    yield "the host took predictions that are none"


def _growth(expected: Expectation, sizes: list[int]) -> list[str]:
    if expected.host_growth_bytes is None or len(sizes) <= SETTLED:
        return []
    grown = sizes[-1] - sizes[SETTLED - 1]
    return [f"this process grew by {grown:,} bytes"] if grown > expected.host_growth_bytes else []


def _job(bench: _Bench, program: Program, turn: int, tag: str) -> Job:
    folder = bench.folder / f"{program.name}-{turn}"
    folder.mkdir()
    told = folder / "told.json"
    told.write_text(
        json.dumps({"turn": turn, "tag": tag, "tier": bench.tier, "traps": bench.traps.told()}), encoding="utf-8"
    )
    given = {path.name: path for path in sorted((bench.folder / "inputs").iterdir())}
    helper = (bench.root / "attack.py").read_text(encoding="utf-8")
    return Job(
        execution_id=f"{program.name}-{turn}",
        phase="suite",
        call=program.call,
        code={"solution.py": program.source(bench.root), "attack.py": helper},
        context={"seed": 1, "task": _TASK},
        inputs={**given, "told.json": told},
        limits=program.limits.as_limits(),
        collect=folder / "out",
    )


def _afterwards(backend: str, tier: str, surroundings: Surroundings) -> Outcome:
    left = surroundings.left()
    return Outcome(
        program="nothing_is_left", kind="hostile", row="leftovers", backend=backend, tier=tier, status="ok",
        contained=not left, named=None, problems=[f"left behind: {item}" for item in left], seconds=0.0,
    )  # fmt: skip


def _write_inputs(folder: Path) -> None:
    """Write the tables that every program is given, as the agents stage them."""
    folder.mkdir()
    numbers = np.random.default_rng(7).normal(size=(ROWS, 4)).round(4)
    table = pd.DataFrame(numbers, columns=["a", "b", "c", "d"])
    labelled = table.assign(y=np.where(table.a + table.b > 0, "yes", "no"))
    labelled.to_csv(folder / "train.csv", index=False)
    table.to_csv(folder / "new.csv", index=False)
    labelled.to_parquet(folder / "train", index=False)
    table.to_parquet(folder / "rows", index=False)
    (folder / "model").mkdir()
    (folder / "model" / "model.joblib").write_bytes(b"none")
