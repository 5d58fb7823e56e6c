"""The promise: whatever the frame, the only error is InputError, and what is staged comes back as it was."""

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.tools.data.messy import messy_frames

from open_autoglm.errors import InputError
from open_autoglm.tools.data.profile import DataProfile, profile_table
from open_autoglm.tools.data.read import new_rows, read_table, sketch
from open_autoglm.tools.data.schema import InputSchema, check_new_rows
from open_autoglm.tools.data.split import SplitPlan, plan_split, small_sample
from open_autoglm.tools.data.staging import Staging, read_parquet
from open_autoglm.tools.task import ColumnRoles, MetricSpec, TaskSpec, TaskType

RELAXED = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))


def whole_way(data: st.DataObject, staging: Staging, folder) -> None:
    """Read, sketch, profile, split, stage and check one messy frame."""
    given_frame = data.draw(messy_frames())
    try:
        table = read_table(given_frame)
    except InputError:
        return
    frame = table.frame
    assert len(sketch(frame, "messy").columns) == len(frame.columns)
    path = staging.put(frame)
    again = read_parquet(path)
    pd.testing.assert_frame_equal(again, frame)
    assert staging.put(again) == path
    named = [name for name in frame.columns if name.strip()]
    if not named:
        return
    target = data.draw(st.sampled_from(named))
    task_type = data.draw(st.sampled_from([TaskType.BINARY, TaskType.MULTICLASS, TaskType.REGRESSION]))
    others = [name for name in named if name != target]
    group = data.draw(st.sampled_from([None, *others]))
    time = data.draw(st.sampled_from([None, *others]))
    task = TaskSpec(
        prompt="",
        task_type=task_type,
        target=target,
        metric=MetricSpec(name="rmse"),
        columns=ColumnRoles(group=group, time=time),
    )
    labelled = frame.dropna(subset=[target]).reset_index(drop=True)
    if len(labelled) == 0:
        return
    profile = profile_table(labelled, task)
    assert DataProfile.model_validate_json(profile.model_dump_json()) == profile
    schema = InputSchema.of(frame, task, table.source)
    checked, _ = check_new_rows(new_rows(given_frame, table.source).frame, schema)
    assert list(checked.columns) == [c.name for c in schema.columns]
    assert len(checked) == len(frame)
    try:
        plan = plan_split(labelled, task, seed=1)
    except InputError:
        return
    check_plan(plan, len(labelled))
    plan.save(folder / "split.npz")
    assert len(SplitPlan.load(folder / "split.npz").folds) == len(plan.folds)
    assert len(small_sample(labelled, plan.folds[0].train, task, 5, 0)) <= 5


def check_plan(plan: SplitPlan, rows: int) -> None:
    held = set(plan.holdout.tolist())
    for fold in plan.folds:
        train, valid = set(fold.train.tolist()), set(fold.valid.tolist())
        assert train
        assert valid
        assert train.isdisjoint(valid | held)
        assert valid.isdisjoint(held)
        assert max(train | valid) < rows


@settings(RELAXED, max_examples=20)
@given(data=st.data())
def test_messy_frames_raise_nothing_but_input_errors(data, tmp_path_factory):
    """Reading, profiling, splitting and staging a messy frame works or says why not."""
    folder = tmp_path_factory.getbasetemp()
    whole_way(data, Staging(folder / "staged"), folder)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(RELAXED, max_examples=2_000)
@given(data=st.data())
def test_thousands_of_messy_frames_raise_nothing_but_input_errors(data, tmp_path_factory):
    """The same over at least 2,000 frames."""
    folder = tmp_path_factory.getbasetemp()
    whole_way(data, Staging(folder / "staged"), folder)


PIECES = [
    ",",
    ";",
    "\t",
    "|",
    "\n",
    "\r\n",
    '"',
    "'",
    "a",
    "é",
    "中",
    "1",
    "2.5",
    "1,5",
    " ",
    "#",
    "\x00",
    "{",
    "[",
    "null",
]


@st.composite
def odd_files(draw: st.DrawFn) -> bytes:
    """The bytes of a file: anything at all, or pieces of text tables in some encoding."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=400))
    text = "".join(draw(st.lists(st.sampled_from(PIECES), max_size=60)))
    return text.encode(draw(st.sampled_from(["utf-8", "utf-16", "gb18030"])))


def read_bytes(content: bytes, name: str, folder) -> None:
    path = folder / name
    path.write_bytes(content)
    try:
        table = read_table(path)
    except InputError:
        return
    new = new_rows(path, table.source)
    assert len(new.frame) == len(table.frame)


@settings(RELAXED, max_examples=60)
@given(content=odd_files(), name=st.sampled_from(["t.csv", "t.json", "t.jsonl", "t"]))
def test_any_bytes_are_a_table_or_an_input_error(content, name, tmp_path_factory):
    """No content of a file is a traceback."""
    read_bytes(content, name, tmp_path_factory.getbasetemp())


@pytest.mark.slow
@settings(RELAXED, max_examples=3_000)
@given(content=odd_files(), name=st.sampled_from(["t.csv", "t.json", "t.jsonl", "t"]))
def test_thousands_of_odd_files_are_tables_or_input_errors(content, name, tmp_path_factory):
    """The same over many more files."""
    read_bytes(content, name, tmp_path_factory.getbasetemp())
