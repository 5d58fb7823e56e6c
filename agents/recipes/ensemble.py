"""Writes the ensemble of several solutions."""

import re
from collections.abc import Mapping, Sequence

from open_autoglm.agents.recipes.plan import task_literal
from open_autoglm.agents.recipes.requirements import requirements_of
from open_autoglm.agents.recipes.writer import third_party, write_solution
from open_autoglm.agents.strategist import Brief, Past
from open_autoglm.sandbox.bundles.bundle import Author, CodeBundle
from open_autoglm.tools.task import ModelFamily
from open_autoglm.tools.words import Words

SAFE_FOLDER = re.compile(r"[A-Za-z0-9_-]{1,64}")
LEAST_WEIGHT = 0.01


def write_ensemble(brief: Brief, parents: Sequence[Past], weights: Mapping[str, float]) -> CodeBundle | None:
    """Write the weighted mean of the parents, each in `members/<attempt>/`; None where fewer than two count.

    The author is the least trusted of the members' authors.
    """
    members = [past for past in parents if weights.get(past.attempt_id, 0.0) >= LEAST_WEIGHT]
    if len(members) < 2:
        return None
    folders = {_folder(past, number): past for number, past in enumerate(members)}
    say = Words(language=brief.task.language)
    total = sum(weights[past.attempt_id] for past in members)
    labels = any("TUNED_DECISION" in _choices(past.bundle) for past in members)
    tables = {
        "TASK": task_literal(brief.task, brief.classes),
        "WEIGHTS": {folder: round(weights[past.attempt_id] / total, 4) for folder, past in folders.items()},
        "PARAMS": {folder: dict(past.params) for folder, past in folders.items() if past.params},
    }
    choices = {"CLASSIFICATION": brief.task.task_type.is_classification, "TUNED_DECISION": labels}
    source = write_solution("solutions.ensemble", tables=tables, choices=choices)
    files = {"solution.py": source}
    for folder, past in folders.items():
        files |= {f"members/{folder}/{name}": text for name, text in past.bundle.files.items()}
    needed = {*requirements_of(third_party(source)), *(item for past in members for item in past.bundle.requirements)}
    return CodeBundle(
        files=files,
        requirements=sorted(needed),
        author=_least_trusted(members),
        title=say("Mean of {models}", models=list(dict.fromkeys(past.bundle.title for past in members))),
        traits={
            "family": ModelFamily.ENSEMBLE.value,
            "members": [past.attempt_id for past in members],
            "choices": ["TUNED_DECISION"] if labels else [],
        },
    )


def _folder(past: Past, number: int) -> str:
    return past.attempt_id if SAFE_FOLDER.fullmatch(past.attempt_id) else f"member_{number}"


def _choices(bundle: CodeBundle) -> Sequence[object]:
    choices = bundle.traits.get("choices", [])
    return choices if isinstance(choices, list) else []


def _least_trusted(members: Sequence[Past]) -> Author:
    authors = {past.bundle.author for past in members}
    return next(author for author in (Author.MODEL, Author.USER, Author.RECIPES) if author in authors)
