"""Options that commands of `autoglm` share, and those of a run: their names, types and help."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from cyclopts import Parameter

from open_autoglm.front import Front

Given: TypeAlias = Annotated[Front, Parameter(parse=False)]
RunDir: TypeAlias = Annotated[Path, Parameter(help="A run directory, or the id of a run in ./autoglm-runs.")]
Json: TypeAlias = Annotated[bool, Parameter("--json", help="Print one JSON document and nothing else on stdout.")]
Yes: TypeAlias = Annotated[bool, Parameter(help="Ask nothing: take the best guess, and record it.")]
Quiet: TypeAlias = Annotated[bool, Parameter(help="No progress on stderr.")]
Time: TypeAlias = Annotated[str | None, Parameter(help="Time budget: 60s, 10m, 1h30m, or 90 for seconds.")]
Attempts: TypeAlias = Annotated[int | None, Parameter(help="Most attempts.")]
MaxTokens: TypeAlias = Annotated[int | None, Parameter(help="Most tokens of a language model; then recipes go on.")]
MaxCost: TypeAlias = Annotated[float | None, Parameter(help="Most money to spend on tokens; then recipes go on.")]
BaseUrl: TypeAlias = Annotated[
    str | None, Parameter(help="Endpoint of a language model, such as http://127.0.0.1:8000/v1.")
]
SandboxName: TypeAlias = Literal["auto", "docker", "jupyter", "bubblewrap", "landlock", "process"]

Read: TypeAlias = Annotated[
    tuple[str, ...],
    Parameter(help="How to read the files, as KEY=VALUE (repeatable): sep=';' encoding=latin-1 sheet=2."),
]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Budget:
    """What a run may spend."""

    time: Time = None
    attempts: Attempts = None
    max_tokens: MaxTokens = None
    max_cost: MaxCost = None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Wishes:
    """Options of `autoglm run` beside its budget."""

    test: Annotated[
        Path | None, Parameter(help="With labels: the rows that judge the winner. Without: rows to predict.")
    ] = None
    target: Annotated[str | None, Parameter(help="Column to predict.")] = None
    metric: Annotated[
        str | None, Parameter(help="How to judge: roc_auc, log_loss, accuracy, f1, rmse, mae, r2, ...")
    ] = None
    target_score: Annotated[float | None, Parameter(help="Stop when the cross-validated score reaches this.")] = None
    strategist: Annotated[
        Literal["auto", "recipes", "glm"] | None,
        Parameter(
            help="Who writes the code: recipes, a language model, or auto: a model where one is named and answers."
        ),
    ] = None
    base_url: BaseUrl = None
    model: Annotated[str | None, Parameter(help="Model to ask there; default the one that it serves.")] = None
    search: Annotated[
        Literal["auto", "greedy", "uct", "single-loop"] | None,
        Parameter(help="What is tried next: the best so far, a tree of attempts, or one conversation."),
    ] = None
    sandbox: Annotated[
        SandboxName | None,
        Parameter(
            help="Where written code runs; auto takes the strongest that is ready (`autoglm doctor` says which are)."
        ),
    ] = None
    policy: Annotated[Path | None, Parameter(help="What written code may do, where it departs from the default.")] = (
        None
    )
    holdout: Annotated[
        str | None, Parameter(help="Share of the rows that only judges the winner, such as 0.2, or none.")
    ] = None
    refit: Annotated[
        bool | None,
        Parameter(negative="--no-refit", help="Fit the winner again on all rows before delivery (default)."),
    ] = None
    read: Read = ()
    out: Annotated[Path | None, Parameter(help="Run directory; default ./autoglm-runs/<id>.")] = None
    workers: Annotated[int | None, Parameter(help="Attempts side by side.")] = None
    seed: Annotated[int | None, Parameter(help="Seed that every other seed derives from.")] = None
    share: Annotated[
        Literal["schema", "summary", "rows"] | None,
        Parameter(help="The most that a language model may be told about the data."),
    ] = None
    yes: Yes = False


NO_BUDGET, NO_WISHES = Budget(), Wishes()
