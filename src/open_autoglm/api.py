"""The Python API: `run`, `resume`, `load`, and what they return."""

import difflib
import html
import shutil
import warnings
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias, Unpack, cast

import pandas as pd

from open_autoglm.agents.budget import StopFlag
from open_autoglm.agents.outcome import Cost, Outcome, Score, StopReason
from open_autoglm.dialogue import refuse_to_ask
from open_autoglm.engine import AgentEngine, Engine, Hooks
from open_autoglm.errors import InputError, RunDirectoryError
from open_autoglm.live import LineView, SilentView, Watcher
from open_autoglm.merge import Given, budget_spec, merge_options
from open_autoglm.progress import Progress, number, recall
from open_autoglm.recorded import AttemptRow
from open_autoglm.serving import find_deliverable, open_predictor
from open_autoglm.settings import load_settings
from open_autoglm.show import look_at
from open_autoglm.signals import stop_on_signals
from open_autoglm.summary import as_text
from open_autoglm.terminal import Terminal
from open_autoglm.tools.task import Guess, TaskSpec

Table: TypeAlias = str | Path | pd.DataFrame
Data: TypeAlias = Table | Sequence[Table]


_RESUME_OPTIONS = ("time", "attempts", "max_tokens", "max_cost", "quiet", "engine")


class RunKeywords(Given, total=False):
    """Options of `run`: those of `autoglm run` under the same names, and two of its own."""

    quiet: bool
    """No progress on stderr."""
    engine: Engine | None
    """What runs the request; a test gives its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A delivered model. It is loaded in a sandbox for each call; nothing is unpickled in this process."""

    path: Path
    """The deliverable."""
    sandbox: str = "auto"

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return ids, `prediction`, and for classification one `proba_<class>` column per class; [rows], in order.

        What is odd about the rows (a missing column, an unknown type) is told by `warnings.warn`.

        Raises:
            InputError: Most of the columns that the model was trained on are missing.
            SandboxUnavailable: No sandbox that may load this model is ready.
        """
        with open_predictor(self.path, sandbox=self.sandbox, warn=_warn) as predictor:
            return predictor.predict(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """How a run ended, and what it delivered."""

    outcome: Outcome
    """Everything that `autoglm run --json` prints."""
    attempts: tuple[AttemptRow, ...]
    """Every attempt, best first."""
    sandbox: str = "auto"

    @property
    def run_dir(self) -> Path:
        """Where the run lies."""
        return self.outcome.run_dir

    @property
    def task(self) -> TaskSpec:
        """What was understood."""
        return self.outcome.task

    @property
    def score(self) -> Score:
        """The winner's score, computed on rows and labels that its code never saw."""
        return self.outcome.score

    @property
    def stop_reason(self) -> StopReason:
        """Why the search ended."""
        return self.outcome.stop_reason

    @property
    def cost(self) -> Cost:
        """What a language model cost."""
        return self.outcome.cost

    @property
    def guesses(self) -> list[Guess]:
        """What was not said and was assumed."""
        return self.outcome.guesses

    @property
    def warnings(self) -> list[str]:
        """What to look at before trusting the model."""
        return self.outcome.warnings

    @property
    def leaderboard(self) -> pd.DataFrame:
        """Every attempt, best first; [attempts], the columns of `AttemptRow`."""
        columns = list(AttemptRow.__dataclass_fields__)
        return pd.DataFrame([asdict(row) for row in self.attempts], columns=columns)

    @property
    def best(self) -> AttemptRow | None:
        """The winner; None where no model was delivered."""
        return next((row for row in self.attempts if row.attempt == self.outcome.best_attempt), None)

    @property
    def model(self) -> Model:
        """The delivered model.

        Raises:
            RunDirectoryError: No model was delivered.
        """
        return Model(path=self._delivered(), sandbox=self.sandbox)

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the delivered model's predictions; see `Model.predict`."""
        return self.model.predict(rows)

    @property
    def code(self) -> str:
        """Text of the delivered `solution.py`."""
        return (self._delivered() / "solution.py").read_text(encoding="utf-8")

    @property
    def report_path(self) -> Path:
        """The delivered `report.html`."""
        return self._delivered() / "report.html"

    def export(self, directory: str | Path) -> Path:
        """Copy the deliverable to a new or empty directory and return it.

        Raises:
            InputError: The directory holds something already, or cannot be written.
        """
        target = Path(directory)
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise InputError(f"{str(target)!r} exists and is not an empty directory; name a new one.")
        try:
            shutil.copytree(self._delivered(), target, dirs_exist_ok=True)
        except OSError as error:
            raise InputError(f"Cannot write {str(target)!r}: {error.strerror or error}.") from error
        return target

    def _delivered(self) -> Path:
        if self.outcome.deliverable is None:
            raise RunDirectoryError(f"This run delivered no model: {self.stop_reason.sentence}.")
        return self.outcome.deliverable

    def __str__(self) -> str:
        return as_text(self.outcome)

    def _repr_html_(self) -> str:
        """Show the summary and the best attempts in a notebook."""
        rows = [(row.attempt, row.title, _cell(row.mean), _cell(row.standard_error)) for row in self.attempts[:10]]
        head = "".join(f"<th>{name}</th>" for name in ("attempt", "title", html.escape(self.score.metric), "±"))
        body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        return f"<pre>{html.escape(str(self))}</pre><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def run(prompt: str, data: Data, **options: Unpack[RunKeywords]) -> RunResult:
    """Find, verify and deliver a model for a task said in words; blocks until it is done.

    `data` is a file, a DataFrame, or several of either. Options are those of `autoglm run`, under the same names with
    underscores (`time="60s"`, `target_score=0.9`, `holdout="none"`), and settings hold as they do there. Nobody is asked
    unless `yes=False`: what the words leave open is guessed, and told in `guesses`. The first Ctrl-C finishes with the
    best so far. Works inside a running event loop.

    Raises:
        AutoGLMError: One of its kinds, with a message that says what to do; see `open_autoglm.errors`.
    """
    _check_names(options, RunKeywords.__annotations__)
    tables: Sequence[Table] = [data] if isinstance(data, (str, Path, pd.DataFrame)) else list(data)
    paths, frames = _named(tables)
    test = options.get("test")
    given = {key: value for key, value in options.items() if key in Given.__annotations__}
    if isinstance(test, pd.DataFrame):
        given["test"], frames["frame:test"] = Path("frame:test"), test
    given.setdefault("yes", True)
    request = merge_options(prompt, paths, cast("Given", given), load_settings())
    outcome = _watched(
        lambda engine, hooks: engine.start(request, frames=frames or None, hooks=hooks), options, yes=request.yes
    )
    return _result(outcome, request.sandbox)


def resume(run_dir: str | Path, **options: Unpack[RunKeywords]) -> RunResult:
    """Go on with a run; `time`, `attempts`, `max_tokens` and `max_cost` give it more.

    Raises:
        AutoGLMError: One of its kinds, as for `run`.
    """
    _check_names(options, _RESUME_OPTIONS)
    budget = budget_spec(cast("Given", options))
    more = None if budget == type(budget)() else budget
    folder = Path(run_dir)
    outcome = _watched(
        lambda engine, hooks: engine.resume(folder, budget=more, hooks=hooks), options, yes=False, known=recall(folder)
    )
    return _result(outcome, load_settings().values.sandbox)


def load(directory: str | Path, *, sandbox: str | None = None) -> Model:
    """Return the delivered model of a run directory, or of a deliverable that was taken elsewhere.

    Raises:
        RunDirectoryError: There is no deliverable.
    """
    return Model(path=find_deliverable(Path(directory)), sandbox=sandbox or load_settings().values.sandbox)


def _check_names(options: Iterable[str], known: Collection[str]) -> None:
    """Refuse an option that does not exist: ignoring a misspelt `time` would cost minutes."""
    for name in options:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
            raise InputError(f"Unknown option {name!r}. {hint}")


def _warn(text: str) -> None:
    warnings.warn(text, stacklevel=6)  # where `predict` was called


def _watched(
    start: Callable[[Engine, Hooks], Outcome], options: RunKeywords, *, yes: bool, known: Progress | None = None
) -> Outcome:
    """Run with a line of progress every ten seconds, heeding Ctrl-C where this is the main thread."""
    terminal = Terminal()
    view = SilentView(terminal) if options.get("quiet") else LineView(terminal)
    stop = StopFlag()
    with Watcher(view, known=known) as watcher, stop_on_signals(stop, watcher.note):
        hooks = Hooks(listeners=(watcher.listen,), stop=stop, ask=None if yes else refuse_to_ask)
        return start(options.get("engine") or AgentEngine(), hooks)


def _result(outcome: Outcome, sandbox: str) -> RunResult:
    return RunResult(outcome=outcome, attempts=look_at(outcome.run_dir).attempts, sandbox=sandbox)


def _named(tables: Sequence[Table]) -> tuple[list[Path], dict[str, pd.DataFrame]]:
    """Give each DataFrame a pseudo path, which is also its key."""
    paths: list[Path] = []
    frames: dict[str, pd.DataFrame] = {}
    for index, table in enumerate(tables):
        if isinstance(table, pd.DataFrame):
            name = "train" if len(tables) == 1 else f"train{index + 1}"
            paths.append(Path(f"frame:{name}"))
            frames[str(paths[-1])] = table
        elif isinstance(table, (str, Path)):
            paths.append(Path(table))
        else:
            raise InputError(f"data holds an object of type {type(table).__name__!r}: give paths or pandas DataFrames.")
    return paths, frames


def _cell(value: float | None) -> str:
    return "" if value is None else number(value)
