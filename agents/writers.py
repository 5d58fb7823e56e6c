"""Who writes the code of a run: recipes, or a language model where one is named, answers, and its code can be isolated."""

from dataclasses import dataclass

import pandas as pd

from open_autoglm.agents.budget import Budget, StopFlag
from open_autoglm.agents.calls import Calls
from open_autoglm.agents.glm.connecting import Connect
from open_autoglm.agents.glm.desk import Desk
from open_autoglm.agents.glm.metering import Caps, MeteredModel
from open_autoglm.agents.glm.prompt_log import PromptLog
from open_autoglm.agents.glm.remembering import memory_of
from open_autoglm.agents.glm.safety import Degraded, SafetyNet
from open_autoglm.agents.glm.strategist import GlmStrategist
from open_autoglm.agents.glm.wire import LanguageModel
from open_autoglm.agents.journal import Journal
from open_autoglm.agents.options import RunOptions
from open_autoglm.agents.recipes.strategist import RecipeStrategist
from open_autoglm.agents.strategist import Strategist
from open_autoglm.agents.workspace import Workspace
from open_autoglm.errors import EndpointFailed, SandboxUnavailable, SettingsError
from open_autoglm.events import EventKind, EventLog
from open_autoglm.sandbox.base import Readiness
from open_autoglm.sandbox.packages.provisioned import installed_in
from open_autoglm.tools.words import Words, in_language, said

STAGE = "strategist"
"""Of the journal: who wrote, and what came in between."""
SAMPLE_ROWS = 5
"""Rows that a run which shares rows may show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writers:
    """Who may write in a run."""

    model: LanguageModel | None = None
    """None where recipes write alone."""
    notes: tuple[str, ...] = ()
    """Why a model that was named is not asked: messages of `tools.words`."""

    async def __aenter__(self) -> "Writers":
        """Let the model be asked."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let go of the model's connections."""
        if self.model is not None:
            await self.model.close()


def writers_of(options: RunOptions, ready: Readiness, connect: Connect) -> Writers:
    """Find out who writes: the model where one is named, answers, and may be trusted to this sandbox.

    Args:
        options: What was asked for.
        ready: What the sandbox of the run can do.
        connect: Makes the model of the endpoint that the options name.

    Raises:
        SettingsError: The glm strategist was asked for, and no endpoint was named.
        SandboxUnavailable: It was asked for, and the sandbox does not isolate.
        EndpointFailed: It was asked for, and its endpoint does not answer.
    """
    if options.strategist == "recipes" or (options.strategist == "auto" and options.base_url is None):
        return Writers()
    demanded = options.strategist == "glm"
    if not ready.isolating and options.sandbox != "process":
        if demanded:
            raise SandboxUnavailable(
                f"Code that a language model wrote needs an isolating sandbox, and {ready.backend} does not isolate. `autoglm doctor` "
                "says how to get one; '--sandbox process' runs it without isolation, at your own risk."
            )
        text = said(
            "The language model was not asked: its code needs an isolating sandbox, and {backend} does not isolate. Recipes wrote the code.",
            backend=ready.backend,
        )
        return Writers(notes=(text,))
    if options.base_url is None:
        raise SettingsError(
            "The glm strategist needs an endpoint. Name it: --base-url http://127.0.0.1:8000/v1, AUTOGLM_BASE_URL, or base_url in your "
            "settings. `autoglm glm serve` starts one; --strategist recipes needs none."
        )
    try:
        return Writers(model=connect(options.base_url, options.model))
    except EndpointFailed as error:
        if demanded:
            raise
        text = said("The language model was not asked: {reason} Recipes wrote the code.", reason=str(error))
        return Writers(notes=(text,))


def strategist_of(
    writers: Writers,
    *,
    workspace: Workspace,
    journal: Journal,
    events: EventLog,
    stop: StopFlag,
    ready: Readiness,
    budget: Budget,
) -> Strategist:
    """Make the strategist of a run, and record who writes. A model's calls are recorded, and held to the caps of `budget`."""
    earlier = journal.stage(STAGE) or {}
    say = Words(language=workspace.language)
    warnings = list(
        dict.fromkeys([*earlier.get("warnings", []), *(in_language(note, say.language) for note in writers.notes)])
    )
    name = None if writers.model is None else writers.model.name
    record = {"model": name or earlier.get("model"), "warnings": warnings, "degraded": earlier.get("degraded")}
    journal.record_stage(STAGE, record)
    if writers.model is None:
        return RecipeStrategist()

    def degraded(why: Degraded) -> None:
        sentence = in_words(why, Words(language=workspace.language))
        journal.record_stage(STAGE, {**record, "warnings": [*warnings, sentence], "degraded": sentence})
        events.emit(EventKind.STRATEGIST_DEGRADED, cause=why.cause, text=sentence)

    net = SafetyNet(degraded)
    stop.on_change(net.release)
    metered = MeteredModel(
        writers.model,
        Calls(journal),
        prices=workspace.options.prices,
        caps=lambda: Caps(tokens=budget.spec.tokens, money=budget.spec.money),
        log=PromptLog(workspace.root),
    )
    desk = Desk(
        model=metered,
        share=workspace.options.share,
        installed=installed_in(ready),
        memory=memory_of(writers.model.context_tokens, workspace.options.share, workspace.options.lessons, events),
        rows=lambda: some_rows(workspace),
    )
    return GlmStrategist(desk, kept=journal, net=net)


def some_rows(workspace: Workspace) -> pd.DataFrame | None:
    """Return a few rows outside the holdout; None before rows were set aside."""
    if not (workspace.root / "split.npz").exists():
        return None
    return workspace.train.iloc[workspace.search_rows[:SAMPLE_ROWS]]


def in_words(why: Degraded, say: Words) -> str:
    """Say why a model was given up."""
    if why.cause == "endpoint":
        return say("The language model gave no answer; recipes wrote from then on. Last: {detail}", detail=why.detail)
    if why.cause == "answers":
        return say(
            "The language model's answers could not be used; recipes wrote from then on. Last: {detail}",
            detail=why.detail,
        )
    return say("The budget for the language model is spent; recipes wrote from then on. {detail}", detail=why.detail)
