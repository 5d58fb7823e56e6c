"""notebook.ipynb: the winner step by step, executed in the sandbox as one job before anybody reads it.

Names from the data enter code as literals made by `repr`, and text cells escaped.
"""

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import nbformat
from pydantic import JsonValue

from open_autoglm.errors import AutoGLMError
from open_autoglm.events import Json
from open_autoglm.sandbox.base import Job, Limits, Session
from open_autoglm.sandbox.report import Status, failure_line, is_ok
from open_autoglm.sandbox.supervision.folders import temporary
from open_autoglm.tools.export.code import Section, sections
from open_autoglm.tools.export.pages import markdown
from open_autoglm.tools.export.report import headline, shipping
from open_autoglm.tools.export.story import RunStory
from open_autoglm.tools.export.words import metric_title
from open_autoglm.tools.task import Label, TaskSpec
from open_autoglm.tools.words import Words

START_SECONDS = 4.0
"""Starting a kernel and importing pandas and scikit-learn in it, at the usual pace."""
TABLE = "train.parquet"
"""Name of the table beside the notebook, in the sandbox."""
SHOWN_ROWS = 5
PASSIVE = frozenset({"text/plain", "image/png"})
"""Kinds of output that a reader shows without running anything."""
Cell: TypeAlias = dict[str, Any]

TITLES: Mapping[str, str] = {
    "imports": "What it builds on",
    "settings": "Settings",
    "features": "Preparing the columns",
    "fit": "Fitting",
    "predict": "Predicting",
    "storage": "Saving and loading",
}

SCORERS: Mapping[str, tuple[str, str]] = {
    "roc_auc": ("roc_auc_score", "roc_auc_score(truth, proba[:, 1]) if len(CLASSES) == 2 else roc_auc_score(truth, proba, multi_class='ovr', labels=range(len(CLASSES)))"),
    "average_precision": ("average_precision_score", "average_precision_score(truth, proba[:, 1])"),
    "log_loss": ("log_loss", "log_loss(truth, proba, labels=range(len(CLASSES)))"),
    "brier": ("brier_score_loss", "brier_score_loss(truth, proba[:, 1])"),
    "accuracy": ("accuracy_score", "accuracy_score(truth, chosen)"),
    "balanced_accuracy": ("balanced_accuracy_score", "balanced_accuracy_score(truth, chosen)"),
    "f1": ("f1_score", "f1_score(truth, chosen)"),
    "f1_macro": ("f1_score", "f1_score(truth, chosen, average='macro')"),
    "f1_weighted": ("f1_score", "f1_score(truth, chosen, average='weighted')"),
    "mcc": ("matthews_corrcoef", "matthews_corrcoef(truth, chosen)"),
    "quadratic_kappa": ("cohen_kappa_score", "cohen_kappa_score(truth, chosen, weights='quadratic')"),
    "rmse": ("root_mean_squared_error", "root_mean_squared_error(truth, value)"),
    "rmsle": ("root_mean_squared_log_error", "root_mean_squared_log_error(truth, value.clip(0))"),
    "mae": ("mean_absolute_error", "mean_absolute_error(truth, value)"),
    "mape": ("mean_absolute_percentage_error", "mean_absolute_percentage_error(truth, value)"),
    "r2": ("r2_score", "r2_score(truth, value)"),
}  # fmt: skip
"""Metric to a function of sklearn.metrics and the call; a metric that is not here is shown by a common one."""
BINARY_ONLY = frozenset({"average_precision", "brier", "f1"})
RARE = 10
"""Rows of a class below which a fifth of them may be none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What a notebook is written from."""

    story: RunStory
    task: TaskSpec
    classes: Sequence[Label]
    code: Mapping[str, str]
    """`solution.py` with the winning parameters, its helpers, and `runtime.py`."""
    table_path: str
    """Where the user's training table lies."""
    read: Mapping[str, JsonValue]
    """Arguments of pandas.read_csv."""
    seed: int
    requirements: Sequence[str] = ()

    @property
    def say(self) -> Words:
        """The words of the text cells."""
        return Words(language=self.story.language)


def notebook_seconds(fit_seconds: float, pace: float = 1.0) -> float:
    """Return how long executing the notebook takes: it fits on four fifths of the rows, then on all.

    `pace` says how many times as long as usual things take on this machine that are no fits.
    """
    return pace * START_SECONDS + 2.2 * fit_seconds


def run_notebook(session: Session, walk: Walk, table: Path, limits: Limits) -> str:
    """Write the notebook, execute it in the sandbox, and return it with its outputs.

    Raises:
        TimeoutError: It did not come to its end in the time that `limits` give.
        AutoGLMError: A cell failed, or what came back is no notebook.
        SandboxError: The sandbox itself failed.
    """
    with temporary("notebook") as folder:
        written, collect = folder / "notebook.ipynb", folder / "out"
        written.write_text(build_notebook(walk), encoding="utf-8")
        context: dict[str, Json] = {
            "task": {},
            "params": None,
            "seed": walk.seed,
            "n_jobs": limits.cpus,
            "seconds": limits.wall_seconds,
        }
        report = session.run(Job(
            execution_id="notebook", phase="notebook", call="notebook", code=walk.code, context=context,
            inputs={"notebook": written, TABLE: table}, limits=replace(limits, processes=max(limits.processes, 256)), collect=collect,
            requirements=walk.requirements,
        ))  # fmt: skip
        if report.status == Status.STATUS_TIMEOUT:
            raise TimeoutError(report.detail)
        if not is_ok(report):
            raise AutoGLMError(f"a cell failed: {failure_line(report)}")
        return _checked(collect / "notebook.ipynb")


def _checked(path: Path) -> str:
    """Return the executed notebook after validation: it comes out of a sandbox. Text and pictures stay, active content goes."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        nbformat.validate(notebook if isinstance(notebook, dict) else {}, version=4)
    except (OSError, ValueError, RecursionError, nbformat.ValidationError) as error:
        raise AutoGLMError(f"what came back is no notebook: {' '.join(str(error).split())[:200]}") from error
    for output in (output for cell in notebook["cells"] for output in cell.get("outputs", [])):
        if "data" in output:
            output["data"] = {kind: data for kind, data in output["data"].items() if kind in PASSIVE}
    notebook["metadata"].pop("widgets", None)
    return _dumped(notebook)


def build_notebook(walk: Walk) -> str:
    """Return the notebook, not executed. The same walk gives the same bytes."""
    cells = [*_opening(walk), *_solution(walk), *_trial(walk), *_closing(walk)]
    language = {"name": "python", "pygments_lexer": "ipython3", "file_extension": ".py", "mimetype": "text/x-python"}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return _dumped({
        "cells": [{"id": f"cell-{number}", **cell} for number, cell in enumerate(cells)],
        "metadata": {"kernelspec": kernel, "language_info": language},
        "nbformat": 4,
        "nbformat_minor": 5,
    })  # fmt: skip


def _dumped(notebook: Cell) -> str:
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _text(*paragraphs: str) -> Cell:
    return {"cell_type": "markdown", "metadata": {}, "source": "\n\n".join(p for p in paragraphs if p)}


def _code(source: str) -> Cell:
    return {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": source}


def _opening(walk: Walk) -> Iterator[Cell]:
    found, say = headline(walk.story), walk.say
    answer = say(
        "{title}: {metric} {value}{interval}, {basis}.",
        title=markdown(walk.story.best_title or walk.story.best_attempt), metric=f"**{metric_title(walk.story.scores.metric, say)}",
        value=f"{found['value']}**", interval=f" ({found['interval']})" if found["interval"] else "", basis=found["basis"],
    )  # fmt: skip
    yield _text(
        f"# {say('Predicting {target}', target=markdown(walk.task.target))}",
        f"> {markdown(walk.story.prompt)}",
        f"{answer} {found['verdict']}",
        shipping(walk.story, say),
        say(
            "This notebook loads the table, walks through `solution.py`, judges it on rows it has not seen, fits it on all rows and predicts. "
            "It needs Jupyter and the packages of `requirements.lock`, and was executed in a sandbox before it was delivered."
        ),
    )
    yield _text(f"## {say('The data')}")
    yield _code(
        "import os\n"
        "from pathlib import Path\n\n"
        "import numpy as np\n"
        "import pandas as pd\n"
        "from runtime import Context, Task, read_table, to_frame, to_matrix\n\n"
        "# the table beside this notebook, else the file that the model was trained on: name another one here\n"
        f"PLACES = [Path({TABLE!r}), Path({walk.table_path!r})]\n"
        f"READ = {dict(walk.read)!r}\n"
        f"TARGET = {walk.task.target!r}\n\n"
        "table = read_table(next(place for place in PLACES if place.exists()), READ)\n"
        "table = table[table[TARGET].notna()].reset_index(drop=True)\n"
        "print(f'{len(table):,} rows, {table.shape[1]} columns')\n"
        f"table.head({SHOWN_ROWS})"
    )
    yield _code(
        "pd.DataFrame({'type': table.dtypes.astype(str), 'missing': table.isna().mean().round(3), 'distinct': table.nunique()})"
    )
    yield _code("table[TARGET].value_counts(normalize=True).round(3)" if walk.classes else "table[TARGET].describe()")


def _solution(walk: Walk) -> Iterator[Cell]:
    say = walk.say
    yield _text(f"## {say('The solution')}", say("The cells of this part are `solution.py`, in its order."))
    code, last = walk.code["solution.py"], ""
    if any(isinstance(node, ast.Name) and node.id == "__file__" for node in ast.walk(ast.parse(code))):
        yield _code(
            "__file__ = 'solution.py'  # a notebook has no file of its own, and the code looks for others beside it"
        )
    for section in sections(code):
        if section.kind == "docstring":
            yield _text(_docstring(section))
            continue
        if section.kind != last and section.kind in TITLES:
            yield _text(f"### {say(TITLES[section.kind])}")
        last = section.kind
        yield _code(section.source)


def _docstring(section: Section) -> str:
    """Return a module docstring as text, not as Markdown: it may hold anything."""
    lines = section.source.strip().strip("\"'").strip().splitlines()
    return "  \n".join(markdown(line) for line in lines)


def _trial(walk: Walk) -> Iterator[Cell]:
    yield _text(f"## {walk.say('On rows it has not seen')}", _split_text(walk))
    yield _code(
        f"{_split_code(walk)}\n"
        "seen_rows = table[~is_unseen].reset_index(drop=True)\n"
        "unseen_rows = table[is_unseen].reset_index(drop=True)\n"
        "print(f'{len(seen_rows):,} rows to learn from, {len(unseen_rows):,} to judge by')"
    )
    name, scorer, call = _scorer(walk)
    yield _code(
        f"run_task = Task.of({_task(walk)})\n"
        f"run_ctx = Context(task=run_task, params=PARAMS, seed={walk.seed}, n_jobs=os.cpu_count() or 1)\n\n"
        "fitted = fit(seen_rows, run_ctx)\n"
        "answers = to_matrix(predict(fitted, unseen_rows.drop(columns=TARGET), run_ctx), run_task, len(unseen_rows))\n"
        "to_frame(answers, run_task).assign(actual=unseen_rows[TARGET]).head(8)"
    )
    yield _code(
        f"from sklearn.metrics import {scorer}\n\n{_truth(walk)}\n"
        f"print({name!r}, 'on', len(unseen_rows), 'rows:', round(float({call}), 4))"
    )
    yield _text(
        walk.say("One split tells less than the run's own scores, which were taken over several folds.")
        if walk.story.scores.holdout is None
        else walk.say(
            "One split tells less than the run's own scores, which were taken over several folds, and once on rows that no attempt had seen."
        )
    )


def _task(walk: Walk) -> str:
    """Return the expression of the task: the solution's own TASK where it has one."""
    names = {
        t.id
        for n in ast.parse(walk.code["solution.py"]).body
        if isinstance(n, ast.Assign)
        for t in n.targets
        if isinstance(t, ast.Name)
    }
    if "TASK" in names:
        return "TASK"
    return repr({
        "target": walk.task.target, "task_type": walk.task.task_type.value, "metric": walk.task.metric.name, "classes": list(walk.classes),
        "columns": walk.task.columns.model_dump(mode="json", exclude_defaults=True), "quantiles": list(walk.task.quantiles),
    })  # fmt: skip


def _split_text(walk: Walk) -> str:
    if walk.task.columns.time:
        return walk.say("The latest fifth of the rows is kept out of the fit.")
    if walk.task.columns.group:
        return walk.say("A fifth of the groups is kept out of the fit, so that no group is on both sides.")
    if walk.classes:
        return walk.say("A random fifth of the rows of each class is kept out of the fit.")
    return walk.say("A random fifth of the rows is kept out of the fit.")


def _split_code(walk: Walk) -> str:
    columns = walk.task.columns
    if columns.time:
        return (
            f"moment = table[{columns.time!r}]\n"
            "if moment.dtype.kind not in 'iufM':\n"
            "    moment = pd.to_datetime(moment, format='mixed', errors='coerce')\n"
            "is_unseen = moment > moment.quantile(0.8)"
        )
    lines = f"shuffler = np.random.default_rng({walk.seed})\n"
    if columns.group:
        group = f"table[{columns.group!r}]"
        return f"{lines}drawn = shuffler.permutation({group}.unique())\nis_unseen = {group}.isin(drawn[: max(1, len(drawn) // 5)])"
    if walk.classes:
        return f"{lines}is_unseen = table.groupby(TARGET)[TARGET].transform(lambda rows: shuffler.permutation(len(rows)) % 5 == 4).astype(bool)"
    return f"{lines}is_unseen = pd.Series(shuffler.random(len(table)) < 0.2)"


def _scorer(walk: Walk) -> tuple[str, str, str]:
    """Return the title, the function of sklearn.metrics and the call for the task's metric, or the nearest that fits."""
    name = walk.task.metric.name
    rare = min((count for _, count in walk.story.data.class_counts), default=0) < RARE
    if name not in SCORERS or (len(walk.classes) > 2 and (name in BINARY_ONLY or (name == "roc_auc" and rare))):
        name = "log_loss" if walk.classes else "mae"
    function, call = SCORERS[name]
    return metric_title(name), function, call


def _truth(walk: Walk) -> str:
    if not walk.classes:
        return "truth, value = unseen_rows[TARGET].to_numpy(dtype=float), answers[:, 0]"
    return (
        "CLASSES = list(run_task.classes)\n"
        "truth = unseen_rows[TARGET].map({label: code for code, label in enumerate(CLASSES)}).to_numpy()\n"
        "proba = answers[:, : len(CLASSES)]\n"
        "chosen = answers[:, -1].astype(int) if answers.shape[1] > len(CLASSES) else proba.argmax(axis=1)"
    )


def _closing(walk: Walk) -> Iterator[Cell]:
    delivered = walk.say("What was delivered: the same code, parameters and seed, fitted on every row.")
    yield _text(f"## {walk.say('On all rows')}", delivered)
    yield _code(
        "fitted = fit(table, run_ctx)\n"
        "new_rows = table.drop(columns=TARGET).head(8)  # any table with the same columns\n"
        "to_frame(to_matrix(predict(fitted, new_rows, run_ctx), run_task, len(new_rows)), run_task)"
    )
