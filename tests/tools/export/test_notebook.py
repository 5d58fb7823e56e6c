"""The notebook's code is valid for every kind of task, and hostile names stay data."""

import ast
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from open_autoglm.errors import AutoGLMError
from open_autoglm.sandbox.base import Job, Limits
from open_autoglm.sandbox.report import ExecutionReport, Status
from open_autoglm.tools.export.notebook import SCORERS, Walk, build_notebook, run_notebook
from open_autoglm.tools.export.story import RunStory
from open_autoglm.tools.task import ColumnRoles, MetricSpec, TaskSpec, TaskType

Tell = Callable[..., RunStory]
SOLUTION = '"""Does it.\n\n# not a heading <script>"""\nimport os\nPARAMS = {}\n\ndef fit(train, ctx):\n    return 1\n\ndef predict(model, rows, ctx):\n    return 2\n'
HOSTILE = "'); import os; os.system('x'); (\"\"\"\n# <script>alert(1)</script> {x}"
LIMITS = Limits(wall_seconds=10, memory_bytes=1 << 30)


def walk(story: RunStory, *, metric: str = "roc_auc", task_type: TaskType = TaskType.BINARY, **columns: object) -> Walk:
    name = HOSTILE if columns.pop("hostile", False) else "y"
    task = TaskSpec.model_validate(
        {
            "prompt": name,
            "task_type": task_type,
            "target": name,
            "columns": ColumnRoles(**columns),
            "metric": MetricSpec(name=metric),
        }
    )  # type: ignore[arg-type]  # roles by name
    classes = (HOSTILE if name == HOSTILE else "a", "b") if task_type.is_classification else ()
    return Walk(
        story=story,
        task=task,
        classes=classes,
        code={"solution.py": SOLUTION},
        table_path=f"/data/{name}.csv",
        read={"sep": name},
        seed=1,
    )


def cells(text: str, kind: str) -> list[str]:
    return [cell["source"] for cell in json.loads(text)["cells"] if cell["cell_type"] == kind]


@pytest.mark.parametrize("metric", [*SCORERS, "pinball", "mase"])
def test_every_metric_gives_valid_code(tell: Tell, metric: str) -> None:
    """Known metrics are shown by scikit-learn's function, others by a common one."""
    value = metric in {"rmse", "rmsle", "mae", "mape", "r2", "pinball", "mase"}
    text = build_notebook(walk(tell(), metric=metric, task_type=TaskType.REGRESSION if value else TaskType.BINARY))
    for source in cells(text, "code"):
        ast.parse(source)


@pytest.mark.parametrize("columns", [{"time": "when"}, {"group": "who"}, {}])
def test_the_split_respects_the_roles(tell: Tell, columns: dict[str, str]) -> None:
    """Time and groups are kept apart as in the run."""
    source = next(s for s in cells(build_notebook(walk(tell(), **columns)), "code") if "is_unseen =" in s)
    ast.parse(source)
    assert all(repr(name) in source for name in columns.values())


def test_hostile_names_are_literals(tell: Tell) -> None:
    """The syntax tree differs from a plain task's only in constants; text cells hold no markup."""
    story = tell(best_title=HOSTILE, prompt=HOSTILE)
    plain, hostile = build_notebook(walk(tell())), build_notebook(walk(story, hostile=True))

    def shape(source: str) -> str:
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant):
                node.value = 0
        return ast.dump(tree)

    assert [shape(s) for s in cells(hostile, "code")] == [shape(s) for s in cells(plain, "code")]
    assert not any("<script" in s.replace("\\<", "") for s in cells(hostile, "markdown"))
    assert not any(s.startswith("# not") for s in cells(hostile, "markdown"))


def test_it_is_reproducible(tell: Tell) -> None:
    """No random cell ids."""
    assert build_notebook(walk(tell())) == build_notebook(walk(tell()))


def test_code_that_looks_beside_its_file_finds_it(tell: Tell) -> None:
    """Such as an ensemble, which loads its members: a notebook has no file of its own."""
    plain = walk(tell())
    beside = replace(plain, code={**plain.code, "solution.py": f"{SOLUTION}\nHERE = __file__\n"})

    told = [source for source in cells(build_notebook(beside), "code") if "__file__" in source]

    assert told[0].startswith("__file__ = 'solution.py'")
    assert told[1] == "HERE = __file__"
    assert "__file__" not in build_notebook(plain)


class Returns:
    """A session whose notebook job ends with a status and leaves a file."""

    def __init__(self, status: Status.ValueType, content: str) -> None:
        self.status, self.content = status, content

    def run(self, job: Job) -> ExecutionReport:
        job.collect.mkdir()
        (job.collect / "notebook.ipynb").write_text(self.content)
        return ExecutionReport(status=self.status, detail="the cell failed")

    def cancel(self) -> None:
        """Nothing runs."""

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(("status", "content", "says"), [
    (Status.STATUS_ERROR, "{}", "the cell failed"), (Status.STATUS_OK, "{}", "no notebook"), (Status.STATUS_OK, "nonsense", "no notebook"),
    (Status.STATUS_OK, "[1]", "no notebook"),
])  # fmt: skip
def test_what_comes_back_is_checked(tell: Tell, status: Status.ValueType, content: str, says: str) -> None:
    """A failed cell and a file that is no notebook each end in one line."""
    with pytest.raises(AutoGLMError, match=says):
        run_notebook(Returns(status, content), walk(tell()), Path("table"), LIMITS)


def test_active_output_is_dropped(tell: Tell) -> None:
    """HTML and scripts that code in the sandbox put into outputs do not reach the reader's browser."""
    data = {
        "text/plain": "1",
        "text/html": "<script>alert(1)</script>",
        "application/javascript": "alert(1)",
        "image/png": "aGk=",
    }
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": "1", "execution_count": 1,
            "outputs": [{"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": data}]}  # fmt: skip
    notebook = {"cells": [cell], "metadata": {"widgets": {}}, "nbformat": 4, "nbformat_minor": 5}
    made = json.loads(
        run_notebook(Returns(Status.STATUS_OK, json.dumps(notebook)), walk(tell()), Path("table"), LIMITS)
    )
    assert set(made["cells"][0]["outputs"][0]["data"]) == {"text/plain", "image/png"}
    assert made["metadata"] == {}
