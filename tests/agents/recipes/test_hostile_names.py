"""Names in the data cannot change what is executed: with literals blanked, the syntax tree is that of tame names."""

import ast
import dataclasses
from collections.abc import Callable, Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.agents.recipes.extras import installed

from open_autoglm.agents.recipes.ensemble import write_ensemble
from open_autoglm.agents.recipes.plan import write_bundle
from open_autoglm.agents.recipes.portfolio import RECIPES, plan_recipe
from open_autoglm.agents.strategist import Brief, Operator, Past
from open_autoglm.tools.task import ColumnRoles, Source, TaskType

QUICKEST = ("linear", "lightgbm")
NAMES = [*(pytest.param(name, marks=installed(name)) for name in RECIPES), "ensemble"]

NASTY = [
    "__import__('os').system('id')",
    '"""',
    "'''",
    "{x}",
    "{}",
    "%s",
    "\\",
    '\\"',
    "a\nimport os",
    "\r\n#",
    "'+1+'",
    '"; import os #',
    "名字",
    "\u202e\u2066",
    "\ud800",
    "\x00",
    "x" * 3000,
    "# noqa",
    "prediction",
    "PARAMS = {}",
    "f'{1}'",
    " ",
]
names = st.sampled_from(NASTY) | st.text(max_size=30)


class Blank(ast.NodeTransformer):
    """Makes all literals alike, a list of constants one blank."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant(value=type(node.value).__name__)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        return self.visit(node.operand) if isinstance(node.operand, ast.Constant) else self.generic_visit(node)


def shape(source: str) -> str:
    return ast.dump(Blank().visit(ast.parse(source)))


def renamed(brief: Brief, new: Mapping[str, str], labels: Mapping[object, str]) -> Brief:
    """Return the brief of the same table with other names for its columns and classes."""
    columns = [column.model_copy(update={"name": new[column.name]}) for column in brief.profile.columns]
    source = Source(uri=new["town"], format="csv", read={"sep": new["same"]})
    task = brief.task.model_copy(
        update={"target": new["y"], "columns": ColumnRoles(id=[new["same"]], text=[new["remark"]]), "sources": [source]}
    )
    return dataclasses.replace(
        brief,
        task=task,
        profile=brief.profile.model_copy(update={"columns": columns}),
        classes=tuple(labels[label] for label in brief.classes),
    )


@pytest.mark.parametrize("name", [*QUICKEST, "ensemble"])
@given(data=st.data())
@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_name_changes_the_syntax_tree(name: str, data: st.DataObject, briefs: dict[TaskType, Brief]) -> None:
    """Columns, classes, the target and read options of any text write the same program."""
    check_names(name, data, briefs[TaskType.BINARY])


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_name_changes_the_syntax_tree_in_many_trials(
    name: str, data: st.DataObject, briefs: dict[TaskType, Brief]
) -> None:
    """The same for every recipe, looked for longer."""
    check_names(name, data, briefs[TaskType.BINARY])


def check_names(name: str, data: st.DataObject, brief: Brief) -> None:
    columns = [column.name for column in brief.profile.columns]
    drawn = data.draw(st.lists(names, min_size=len(columns) + 2, max_size=len(columns) + 2, unique=True))
    drawn = [text if text != "prediction" else "prediction " for text in drawn]
    nasty = renamed(brief, dict(zip(columns, drawn, strict=False)), dict(zip(brief.classes, drawn[-2:], strict=True)))
    tame_names = {column: f"column {number}" for number, column in enumerate(columns)}
    tame = renamed(brief, tame_names, {label: f"class {label}" for label in brief.classes})
    assert shape(written(name, nasty)) == shape(written(name, tame))


def written(name: str, brief: Brief) -> str:
    if name == "ensemble":
        bundle = write_bundle(plan_recipe("linear", brief), brief)
        parents = [
            Past(attempt_id=key, operator=Operator.DRAFT, parents=(), bundle=bundle, params=None, status="scored")
            for key in ("a", "b")
        ]
        merged = write_ensemble(brief, parents, {"a": 0.5, "b": 0.5})
        assert merged is not None
        return merged.files["solution.py"]
    plan = plan_recipe(name, brief)
    assert plan is not None
    return write_bundle(plan, brief).files["solution.py"]


def test_nothing_of_the_data_stands_outside_literals(
    briefs: dict[TaskType, Brief], make_brief: Callable[..., Brief]
) -> None:
    """Neither comments nor docstrings nor names hold a name of the data: without its literals the text is always the same."""
    brief = briefs[TaskType.BINARY]
    secret = {column.name: f"SECRET{number}" for number, column in enumerate(brief.profile.columns)}
    source = written("lightgbm", renamed(brief, secret, {label: f"SECRET{label}" for label in brief.classes}))
    tree = ast.parse(source)
    tables = [node for node in tree.body if isinstance(node, ast.Assign)]
    inside = {number for node in tables for number in range(node.lineno, (node.end_lineno or 0) + 1)}
    outside = [line for number, line in enumerate(source.splitlines(), start=1) if number not in inside]
    assert "SECRET" in source
    assert not [line for line in outside if "SECRET" in line]
