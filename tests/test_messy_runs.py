"""The promise: whatever the table and the words, the way to checked code ends in code or in an error that says what to do."""

import asyncio
import random
import shutil
from pathlib import Path

import hypothesis
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.tools.data.messy import messy_frames

from open_autoglm.agents.blocking import Blocking
from open_autoglm.agents.briefing import brief
from open_autoglm.agents.budget import Budget, StopFlag
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.journal import Journal
from open_autoglm.agents.nodes import run as steps
from open_autoglm.agents.options import RunOptions
from open_autoglm.agents.recipes.strategist import RecipeStrategist
from open_autoglm.agents.search.greedy import GreedyPolicy
from open_autoglm.agents.state import RunState
from open_autoglm.agents.strategist import Operator
from open_autoglm.agents.workspace import Workspace
from open_autoglm.errors import AutoGLMError
from open_autoglm.events import EventLog
from open_autoglm.sandbox.base import Job
from open_autoglm.sandbox.bundles.rules import check_bundle, is_refused
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.sandbox.scripted import ScriptedSandbox
from open_autoglm.tools.metrics import METRIC_NAMES
from open_autoglm.tools.task import BudgetSpec

RELAXED = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
PROMPTS = (
    "predict target", "predict a", "predict the last column", "Predict 列 as a regression", "预测 target", "classify target",
    "predict quo\"te", "predict something", "forecast a for 3 months", "predict target, use rmsle, within 10 s", "预测 a,用 f1",
)  # fmt: skip


def nothing_runs(job: Job) -> ExecutionReport:
    raise AssertionError(f"{job.execution_id} was run")


def deps_for(options: RunOptions, frames: dict[str, pd.DataFrame]) -> Deps:
    workspace = Workspace.create(options)
    sandbox = ScriptedSandbox(nothing_runs)
    session = sandbox.open()
    return Deps(
        workspace=workspace, journal=Journal(workspace.root / "journal.sqlite"), budget=Budget(BudgetSpec(attempts=2)),
        strategist=RecipeStrategist(), sandbox=sandbox, session=session, sessions=(session,), policy=GreedyPolicy(),
        blocking=Blocking(1), events=EventLog(run_id="messy"), stop=StopFlag(), frames=frames,
    )  # fmt: skip


async def way_to_code(deps: Deps) -> int:
    """Understand, split, profile, write two solutions and check them; return how many there were."""
    state = RunState(run_id=deps.workspace.run_id)
    await steps.understand(state, deps)
    await steps.profile(state, deps)
    await steps.confirm(state, deps)
    written = 0
    for index in range(2):
        attempt = deps.journal.reserve(worker=0, operator=Operator.DRAFT, slot=index, parents=(), seed=0)
        bundle = await deps.strategist.draft(brief(deps, attempt), index)
        if bundle is None:
            break
        found = check_bundle(bundle)
        assert not is_refused(found), found
        compile(bundle.files["solution.py"], "solution.py", "exec")
        written += 1
    return written


@st.composite
def sound_targets(draw: st.DrawFn) -> pd.DataFrame:
    """A messy frame with a target that something can be learned from, so that the way goes on to its end."""
    frame = draw(messy_frames(min_rows=20, max_rows=60, max_columns=5))
    values = draw(st.sampled_from([["no", "yes"], [0, 1], [True, False], [1.5, -2.0, 7.25, 3.0], ["a", "b", "c"]]))
    target = [
        values[i] for i in draw(st.lists(st.integers(0, len(values) - 1), min_size=len(frame), max_size=len(frame)))
    ]
    made = frame.reset_index(drop=True)
    if made.columns.nlevels > 1:
        made.columns = pd.Index([str(name) for name in made.columns])
    return pd.concat([made, pd.Series(target, name="target")], axis=1)


def go_the_way(data: st.DataObject, folder: Path) -> None:
    """Draw a request, and go as far as code is written."""
    frame = data.draw(st.one_of(messy_frames(max_rows=60), sound_targets()))
    names = [str(name) for name in frame.columns]
    tests = st.one_of(st.none(), messy_frames(max_rows=12), st.just(frame.iloc[:7]))
    test = data.draw(tests)
    options = RunOptions(
        prompt=data.draw(st.sampled_from(PROMPTS)),
        data=[Path("frame:train")],
        test=None if test is None else Path("frame:test"),
        target=data.draw(st.sampled_from([None, *names])),
        metric=data.draw(st.sampled_from([None, None, *METRIC_NAMES])),
        holdout=data.draw(st.sampled_from(["auto", "none", 0.3])),
        budget=BudgetSpec(attempts=2),
        out=folder / f"run-{random.getrandbits(60)}",
        yes=True,
    )
    frames = {"frame:train": frame} if test is None else {"frame:train": frame, "frame:test": test}
    deps = deps_for(options, frames)
    refused: AutoGLMError | None = None
    try:
        asyncio.run(way_to_code(deps))
    except AutoGLMError as error:
        refused = error
    finally:
        deps.blocking.close()
        deps.journal.close()
        shutil.rmtree(deps.workspace.root)
    hypothesis.event("code" if refused is None else type(refused).__name__)
    if refused is not None:
        assert str(refused)
        assert refused.exit_code == 2


@settings(RELAXED, max_examples=12)
@given(data=st.data())
def test_messy_requests_end_in_code_or_in_words(data: st.DataObject, tmp_path: Path) -> None:
    """Understanding, splitting, profiling and writing raise nothing but errors that say what to do."""
    go_the_way(data, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(RELAXED, max_examples=600)
@given(data=st.data())
def test_thousands_of_messy_requests_end_in_code_or_in_words(data: st.DataObject, tmp_path: Path) -> None:
    """The same over 2,000 requests."""
    go_the_way(data, tmp_path)
