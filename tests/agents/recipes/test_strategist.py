"""What the recipes strategist answers to each question of a run."""

import asyncio
import dataclasses
import importlib.util
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from open_autoglm.agents.recipes.plan import plan_of
from open_autoglm.agents.recipes.spaces import SPACES
from open_autoglm.agents.recipes.strategist import RecipeStrategist
from open_autoglm.agents.strategist import Brief, Operator, Past, Strategist
from open_autoglm.sandbox.bundles.bundle import Author, CodeBundle
from open_autoglm.sandbox.inside.runtime import runtime
from open_autoglm.sandbox.report import ExecutionReport, Status
from open_autoglm.tools.task import ColumnRoles, Constraints, TaskType

strategist: Strategist = RecipeStrategist()


def ask(answer: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(answer)


def drafts(brief: Brief) -> list[CodeBundle]:
    found: list[CodeBundle] = []
    while (bundle := ask(strategist.draft(brief, len(found)))) is not None:
        found.append(bundle)
    return found


def past_of(bundle: CodeBundle, key: str = "a1", mean: float | None = 0.8, **fields: Any) -> Past:
    defaults = {"operator": Operator.DRAFT, "parents": (), "params": None, "status": "scored", "standard_error": 0.01}
    return Past(attempt_id=key, bundle=bundle, mean=mean, **{**defaults, **fields})


@pytest.mark.slow
@pytest.mark.parametrize("task_type", [TaskType.BINARY, TaskType.MULTICLASS, TaskType.REGRESSION])
def test_drafts_are_many_different_and_always_the_same(task_type: TaskType, briefs: dict[TaskType, Brief]) -> None:
    """The linear baseline first; every kind of model is there; asked again, the same text."""
    found = drafts(briefs[task_type])
    assert found[0].traits["family"] == "linear"
    assert {"boosting", "trees", "neighbors"} <= {bundle.traits["family"] for bundle in found}
    assert len({bundle.files["solution.py"] for bundle in found}) == len(found)
    assert found == drafts(briefs[task_type])
    assert all(bundle.author is Author.RECIPES and bundle.requirements for bundle in found)


def test_wishes_restrict_the_drafts(messy: dict[TaskType, pd.DataFrame], make_brief: Callable[..., Brief]) -> None:
    """Forbidden families never appear; `interpretable` leaves what can be read: the linear model and a single tree."""
    frame = messy[TaskType.BINARY]
    forbidden = make_brief(frame, TaskType.BINARY, constraints=Constraints(forbidden_models=["boosting", "linear"]))
    assert {bundle.traits["family"] for bundle in drafts(forbidden)} == {"trees", "neighbors"}
    readable = make_brief(frame, TaskType.BINARY, constraints=Constraints(interpretable=True))
    assert {bundle.traits["family"] for bundle in drafts(readable)} == {"linear", "trees"}


def test_no_role_is_ever_a_feature(messy: dict[TaskType, pd.DataFrame], make_brief: Callable[..., Brief]) -> None:
    """Names of rows, groups, weights, what was dropped, the target, empty and constant columns stay out."""
    roles = ColumnRoles(id=["remark"], group="town", weight="size", dropped=["colour"])
    brief = make_brief(messy[TaskType.BINARY], TaskType.BINARY, columns=roles)
    plan = plan_of(drafts(brief)[1])
    assert plan is not None
    used = {name for names in plan.columns.values() for name in names}
    assert used == {"weight", "member", "since", "评论"}


def test_a_table_of_names_alone_still_gets_a_model(make_brief: Callable[..., Brief]) -> None:
    """One column that is nothing but identifiers is better than no solution."""
    frame = pd.DataFrame({"customer_id": [f"c{n}" for n in range(60)], "y": ["a", "b"] * 30})
    plan = plan_of(drafts(make_brief(frame, TaskType.BINARY))[0])
    assert plan is not None
    assert plan.columns["categories"] == ["customer_id"]


@pytest.mark.slow
def test_improving_never_makes_the_same_change_twice(briefs: dict[TaskType, Brief]) -> None:
    """And ends."""
    brief = briefs[TaskType.REGRESSION]
    parent = past_of(drafts(brief)[1])
    past = [parent]
    while (bundle := ask(strategist.improve(dataclasses.replace(brief, past=past), parent))) is not None:
        past.append(past_of(bundle, f"b{len(past)}", parents=("a1",), operator=Operator.IMPROVE))
    sources = [item.bundle.files["solution.py"] for item in past]
    assert len(set(sources)) == len(sources) > 6


@pytest.mark.slow
def test_a_change_that_helped_elsewhere_comes_first(briefs: dict[TaskType, Brief]) -> None:
    """What the journal says goes before the usual order; improving a trial starts from its parameters."""
    brief = briefs[TaskType.BINARY]
    found = {bundle.traits["recipe"]: bundle for bundle in drafts(brief)}
    boosted, other = past_of(found["lightgbm"]), past_of(found["random_forest"], "a2", params={"max_depth": 3})
    worked = None
    past = [boosted]
    while worked is None or "comparisons" not in worked.traits["changes"]:
        worked = ask(strategist.improve(dataclasses.replace(brief, past=past), boosted))
        past.append(past_of(worked, f"b{len(past)}", mean=0.7, parents=("a1",)))
    past[-1] = dataclasses.replace(past[-1], mean=0.9)
    changed = ask(strategist.improve(dataclasses.replace(brief, past=[*past, other]), other))
    assert changed.traits["changes"] == ["comparisons"]
    assert changed.traits["params"]["max_depth"] == 3


@pytest.mark.slow
@pytest.mark.parametrize("status", [Status.STATUS_ERROR, Status.STATUS_TIMEOUT])
def test_repairs_ask_for_less_until_nothing_is_left(status: Status, briefs: dict[TaskType, Brief]) -> None:
    """At most a few, each another text, the last one tiny; code of others is not ours to mend."""
    brief, report = briefs[TaskType.BINARY], ExecutionReport(status=status)
    chain = [drafts(brief)[1]]
    while (mended := ask(strategist.repair(brief, chain[-1], report))) is not None:
        chain.append(mended)
    assert 2 <= len(chain) <= 4
    assert len({bundle.files["solution.py"] for bundle in chain}) == len(chain)
    assert chain[-1].traits["family"] == "linear"
    foreign = chain[0].model_copy(update={"author": Author.MODEL})
    assert ask(strategist.repair(brief, foreign, report)) is None
    assert ask(strategist.improve(brief, past_of(foreign))) is None
    assert ask(strategist.propose_space(brief, past_of(foreign))) is None


@pytest.mark.parametrize("task_type", [pytest.param(TaskType.MULTICLASS, marks=pytest.mark.slow), TaskType.REGRESSION])
def test_an_ensemble_is_the_weighted_mean_of_its_members(
    task_type: TaskType,
    messy: dict[TaskType, pd.DataFrame],
    briefs: dict[TaskType, Brief],
    make_context: Callable[..., runtime.Context],
    tmp_path: Path,
) -> None:
    """Fitted with the parameters of its trials, and the same after saving; members of no weight are left out."""
    frame, brief = messy[task_type], briefs[task_type]
    found = {bundle.traits["recipe"]: bundle for bundle in drafts(brief)}
    parents = [
        past_of(found["linear"], "l", params={"C": 0.01}),
        past_of(found["neighbors"], "n"),
        past_of(found["extra_trees"], "x"),
    ]
    bundle = ask(strategist.merge(brief, parents, {"l": 0.75, "n": 0.25, "x": 0.0}))
    assert set(bundle.files) == {"solution.py", "members/l/solution.py", "members/n/solution.py"}
    solutions = [
        at_path(bundle, tmp_path, "solution.py"),
        *(at_path(bundle, tmp_path, f"members/{m}/solution.py") for m in "ln"),
    ]
    contexts = [make_context(brief, solution) for solution in solutions]
    contexts[1] = dataclasses.replace(contexts[1], params={**solutions[1].PARAMS, "C": 0.01})
    rows = frame.drop(columns="y")
    models = [solution.fit(frame, context) for solution, context in zip(solutions, contexts, strict=True)]
    told = [np.asarray(s.predict(m, rows, c)) for s, m, c in zip(solutions, models, contexts, strict=True)]
    np.testing.assert_allclose(told[0].reshape(told[1].shape), 0.75 * told[1] + 0.25 * told[2], rtol=1e-6)
    (tmp_path / "model").mkdir()
    solutions[0].save(models[0], tmp_path / "model")
    again = solutions[0].predict(solutions[0].load(tmp_path / "model"), rows, contexts[0])
    np.testing.assert_allclose(again, told[0])


def at_path(bundle: CodeBundle, folder: Path, name: str) -> Any:
    for path, text in bundle.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("solution", folder / name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_an_ensemble_of_labels_votes(briefs: dict[TaskType, Brief], make_brief: Callable[..., Brief], messy: dict[TaskType, pd.DataFrame],
                                     make_context: Callable[..., runtime.Context], tmp_path: Path) -> None:  # fmt: skip
    """Where members choose labels by thresholds of their own, the ensemble names a label too."""
    brief = make_brief(messy[TaskType.BINARY], TaskType.BINARY, metric="f1")
    found = {bundle.traits["recipe"]: bundle for bundle in drafts(brief)}
    parents = [past_of(found["linear"], "l"), past_of(found["neighbors"], "n")]
    bundle = ask(strategist.merge(brief, parents, {"l": 0.9, "n": 0.1}))
    ensemble, member = at_path(bundle, tmp_path, "solution.py"), at_path(bundle, tmp_path, "members/l/solution.py")
    frame, context = messy[TaskType.BINARY], make_context(brief, ensemble)
    told = ensemble.predict(ensemble.fit(frame, context), frame.drop(columns="y"), context)
    alone = member.predict(member.fit(frame, make_context(brief, member)), frame.drop(columns="y"), context)
    assert told["prediction"].tolist() == alone["prediction"].tolist()


@pytest.mark.slow
def test_an_ensemble_is_trusted_as_its_least_trusted_member(briefs: dict[TaskType, Brief]) -> None:
    """One member that a model wrote makes the whole the model's; one member alone is no ensemble."""
    brief = briefs[TaskType.BINARY]
    own = drafts(brief)[0]
    foreign = own.model_copy(update={"author": Author.MODEL})
    parents = [past_of(own, "a"), past_of(foreign, "../b")]
    bundle = ask(strategist.merge(brief, parents, {"a": 0.5, "../b": 0.5}))
    assert bundle.author is Author.MODEL
    assert set(bundle.files) == {"solution.py", "members/a/solution.py", "members/member_1/solution.py"}
    assert ask(strategist.merge(brief, parents[:1], {"a": 1.0})) is None


@pytest.mark.slow
def test_spaces_name_parameters_that_the_solution_reads(briefs: dict[TaskType, Brief]) -> None:
    """Each parameter is in PARAMS or known to the library, and the range holds the parent's own value."""
    brief = briefs[TaskType.BINARY]
    for bundle in drafts(brief):
        space = ask(strategist.propose_space(brief, past_of(bundle)))
        params = bundle.traits["params"]
        assert set(space.dimensions) == set(SPACES[bundle.traits["entry"]])
        for name, dimension in space.dimensions.items():
            if name in params and hasattr(dimension, "low"):
                assert dimension.low <= params[name] <= dimension.high


def test_reflecting_compares_with_the_parent(briefs: dict[TaskType, Brief]) -> None:
    """Better, worse or within noise, by the direction of the metric; failures keep their reason."""
    brief = briefs[TaskType.BINARY]
    bundle = drafts(brief)[0]
    parent = past_of(bundle, "p", mean=0.8)
    brief = dataclasses.replace(brief, past=[parent])
    say = {
        mean: ask(strategist.reflect(brief, past_of(bundle, "c", mean=mean, parents=("p",))))
        for mean in (0.9, 0.801, 0.5)
    }
    assert say[0.9].endswith("better.")
    assert say[0.801].endswith("no clear difference.")
    assert say[0.5].endswith("worse.")
    failed = past_of(bundle, "c", mean=None, status="failed", failure="ValueError: no")
    assert "ValueError: no" in ask(strategist.reflect(brief, failed))
    cut = dataclasses.replace(failed, status="stopped", failure="cut by the end of the budget")
    assert "cut by the end" in ask(strategist.reflect(brief, cut))
    assert "first score" in ask(strategist.reflect(dataclasses.replace(brief, past=[]), parent))
