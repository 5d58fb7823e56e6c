"""Written solutions are whole, short, tidy, and stand alone."""

import ast
import builtins
import itertools
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from open_autoglm.agents.recipes.literals import width
from open_autoglm.agents.recipes.plan import OPTIONAL, write_bundle
from open_autoglm.agents.recipes.portfolio import RECIPES, plan_recipe
from open_autoglm.agents.recipes.writer import third_party, write_solution
from open_autoglm.agents.strategist import Brief
from open_autoglm.sandbox.inside.runtime import runtime
from open_autoglm.tools.task import TaskType

QUICKEST = ("linear", "lightgbm")
CHOICES = [(), *itertools.combinations(OPTIONAL, 1), OPTIONAL]


def sources(brief: Brief, name: str) -> list[str]:
    """Return the recipe under every single choice and under all at once."""
    plan = plan_recipe(name, brief)
    assert plan is not None
    found = []
    for choices in CHOICES:
        regression = not brief.classes
        taken = [c for c in choices if c != ("TUNED_DECISION" if regression else "LOG_TARGET")]
        changed = plan.model_copy(
            update={"choices": sorted({*plan.choices, *taken}), "params": {**plan.params, "bags": 3}}
        )
        found.append(write_bundle(changed, brief).files["solution.py"])
    return found


@pytest.mark.parametrize(
    ("name", "task_type"),
    [
        *(pytest.param(name, TaskType.BINARY, marks=[] if name in QUICKEST else pytest.mark.slow) for name in RECIPES),
        *(pytest.param(name, TaskType.REGRESSION, marks=pytest.mark.slow) for name in RECIPES),
    ],
)
def test_every_name_is_defined_and_used(name: str, task_type: TaskType, briefs: dict[TaskType, Brief]) -> None:
    """No import, constant, function or local variable is left over, and none is missing; lines keep to 120 columns."""
    for source in sources(briefs[task_type], name):
        tree = ast.parse(source)
        assert not undefined(tree)
        assert not unused(tree)
        assert max(map(width, source.splitlines())) <= 120
        assert "open_autoglm" not in source


def stored(tree: ast.AST) -> set[str]:
    """Return every name that the code binds."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.arg):
            found.add(node.arg)
    return found


def loaded(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def undefined(tree: ast.Module) -> set[str]:
    return loaded(tree) - stored(tree) - set(dir(builtins)) - {"__file__"}


def unused(tree: ast.Module) -> set[str]:
    entries = {"fit", "predict", "save", "load", "_"}
    methods = {
        part.name
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        for part in node.body
        if isinstance(part, ast.FunctionDef)
    }
    promised = {
        argument.arg for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for argument in node.args.args
    }
    return stored(tree) - loaded(tree) - entries - methods - promised


def test_a_block_that_is_missing_or_doubled_is_refused() -> None:
    """A wrong entry is told at once."""
    with pytest.raises(ValueError, match="no block module"):
        write_solution("solutions.nowhere", tables={}, choices={})


def test_only_installed_packages_count_as_requirements() -> None:
    """The standard library and the runtime beside the solution do not."""
    assert third_party("import os\nimport numpy as np\nfrom sklearn import svm\nfrom runtime import Context") == [
        "numpy",
        "sklearn",
    ]


@pytest.mark.slow
def test_a_solution_stands_alone(
    tmp_path: Path, messy: dict[TaskType, pd.DataFrame], briefs: dict[TaskType, Brief]
) -> None:
    """As a program beside runtime.py, in a folder of its own, without this package."""
    plan = plan_recipe("linear", briefs[TaskType.BINARY])
    assert plan is not None
    (tmp_path / "solution.py").write_text(
        write_bundle(plan, briefs[TaskType.BINARY]).files["solution.py"], encoding="utf-8"
    )
    shutil.copy(runtime.__file__, tmp_path / "runtime.py")
    messy[TaskType.BINARY].to_csv(tmp_path / "train.csv", index=False)
    messy[TaskType.BINARY].drop(columns="y").to_csv(tmp_path / "new.csv", index=False)
    command = [sys.executable, "-I", "-c", "import sys; sys.path.insert(0, '.'); sys.modules['open_autoglm'] = None; "
               "sys.argv = ['solution.py', 'train.csv', 'new.csv', 'out.csv']; "
               "import runpy; runpy.run_path('solution.py', run_name='__main__')"]  # fmt: skip
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    told = pd.read_csv(tmp_path / "out.csv")
    assert list(told.columns) == ["prediction", "proba_no", "proba_yes"]
    assert len(told) == len(messy[TaskType.BINARY])
