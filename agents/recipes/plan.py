"""A plan: what one recipe is made of, small enough to be remembered with the attempt and written again, changed."""

from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict, JsonValue

from open_autoglm.agents.recipes.columns import role_columns
from open_autoglm.agents.recipes.requirements import requirements_of
from open_autoglm.agents.recipes.writer import third_party, write_solution
from open_autoglm.agents.strategist import Brief
from open_autoglm.sandbox.bundles.bundle import Author, CodeBundle
from open_autoglm.tools.task import SourceRole, TaskSpec

FEATURES = {"numbers": "HAS_NUMBERS", "categories": "HAS_CATEGORIES", "dates": "HAS_DATES", "texts": "HAS_TEXTS"}
ROLES = {"group": "HAS_GROUP", "time": "HAS_TIME", "weight": "HAS_WEIGHT"}
OPTIONAL = ("BAGGED", "BENT", "COMPARISONS", "EXTRA_TREES", "LOG_TARGET", "TARGET_ENCODING", "TUNED_DECISION")


class Plan(BaseModel):
    """One recipe for one table. `bundle.traits` holds it as JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipe: str
    """Name in `portfolio.RECIPES`."""
    entry: str
    """Module under `blocks.solutions`."""
    family: str
    title: str
    columns: dict[str, list[str]]
    params: dict[str, JsonValue]
    choices: list[str] = []
    """The optional choices that are taken."""
    changes: list[str] = []
    """What `improve` and `repair` changed since the draft, oldest first."""

    def changed(self, change: str, title: str, **fields: object) -> Self:
        """Return the plan with these fields replaced and the change noted."""
        return self.model_copy(update={"changes": [*self.changes, change], "title": title, **fields})

    def taking(self, *choices: str) -> list[str]:
        """Return the choices with some more taken."""
        return sorted({*self.choices, *choices})


def plan_of(bundle: CodeBundle) -> Plan | None:
    """Return the plan a bundle was written from; None where it was written by somebody else, or is an ensemble."""
    if "recipe" not in bundle.traits or bundle.author is not Author.RECIPES:
        return None
    return Plan.model_validate(dict(bundle.traits))


def write_bundle(plan: Plan, brief: Brief) -> CodeBundle:
    """Write the solution that the plan describes."""
    task = brief.task
    columns = {kind: names for kind, names in plan.columns.items() if names} | role_columns(task)
    choices = {choice: kind in columns for kind, choice in {**FEATURES, **ROLES}.items()}
    choices |= {choice: choice in plan.choices for choice in OPTIONAL}
    choices["TARGET_ENCODING"] &= "encoded" in columns
    choices["QUANTILES"] = bool(task.quantiles)
    choices["CLASSIFICATION"] = task.task_type.is_classification
    if not choices["TARGET_ENCODING"]:
        columns.pop("encoded", None)
    tables = {"TASK": task_literal(task, brief.classes), "COLUMNS": columns, "PARAMS": plan.params}
    source = write_solution(f"solutions.{plan.entry}", tables=tables, choices=choices)
    return CodeBundle(
        files={"solution.py": source},
        requirements=requirements_of(third_party(source)),
        author=Author.RECIPES,
        title=plan.title,
        traits=plan.model_dump(mode="json"),
    )


def task_literal(task: TaskSpec, classes: Sequence[object]) -> dict[str, object]:
    """Return what `ctx.task` is when the solution runs as a script; what is empty is left out."""
    values: dict[str, object] = {"target": task.target, "task_type": task.task_type.value, "metric": task.metric.name}
    if task.task_type.is_classification:
        values["classes"] = list(classes)
    if roles := task.columns.model_dump(exclude_defaults=True):
        values["columns"] = roles
    if task.quantiles:
        values["quantiles"] = task.quantiles
    read = next(
        (source.read for source in task.sources if source.role is SourceRole.TRAIN and source.format == "csv"), {}
    )
    if read:
        values["read"] = read
    return values
