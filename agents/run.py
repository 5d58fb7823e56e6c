"""The engine's door: start a run, or go on with one."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from open_autoglm.agents.blocking import Blocking, in_a_loop
from open_autoglm.agents.budget import Budget, StopFlag, merged_budget
from open_autoglm.agents.departing import allowed_hosts, policy_lines
from open_autoglm.agents.deps import Ask, Confirm, Deps, jobs_for
from open_autoglm.agents.faults import in_words
from open_autoglm.agents.glm.connecting import Connect, connected
from open_autoglm.agents.graph import forget_cursors, run_to_end
from open_autoglm.agents.journal import Journal
from open_autoglm.agents.options import RunOptions
from open_autoglm.agents.outcome import Outcome, StopReason
from open_autoglm.agents.search.choice import policy_for
from open_autoglm.agents.strategist import Strategist
from open_autoglm.agents.workspace import Workspace
from open_autoglm.agents.writers import Writers, strategist_of, writers_of
from open_autoglm.errors import AutoGLMError, Interrupted
from open_autoglm.events import EventKind, EventLog, Listener
from open_autoglm.sandbox.base import Profile, Sandbox, Session
from open_autoglm.sandbox.bundles.bundle import Author
from open_autoglm.sandbox.choice import granted, select_sandbox
from open_autoglm.sandbox.devices.gpu import Gpu
from open_autoglm.sandbox.devices.granting import GrantingSession
from open_autoglm.sandbox.packages.provisioned import Packages
from open_autoglm.sandbox.seal import SealedSession
from open_autoglm.tools.places import how_to_resume
from open_autoglm.tools.task import BudgetSpec


def start_run(
    options: RunOptions,
    *,
    frames: Mapping[str, pd.DataFrame] | None = None,
    listeners: Sequence[Listener] = (),
    ask: Ask | None = None,
    confirm: Confirm | None = None,
    stop: StopFlag | None = None,
    strategist: Strategist | None = None,
    connect: Connect = connected,
    sandbox: Sandbox | None = None,
    head_start: float = 0.0,
) -> Outcome:
    """Take a sentence and data to a verified model.

    Args:
        options: What was asked.
        frames: Data frames by the pseudo path that stands for them in `options.data` and `options.test`.
        listeners: Called with each event, from whatever thread emits it.
        ask: Puts a question to a person; None where nobody is there.
        confirm: Shows the task before the search; None goes on without.
        stop: The user's wish to stop.
        strategist: Who writes code; by default what the options say.
        connect: Makes the language model of the endpoint that the options name; by default without a key.
        sandbox: Where code runs; by default what the options say.
        head_start: Seconds of the budget that the caller used before: starting a command takes its time, too.

    Returns:
        How the run ended, also where no model was found.

    Raises:
        AutoGLMError: The request cannot be done as it stands; each subclass says what to do.
    """
    chosen = sandbox or select_sandbox(
        options.sandbox, author=Author.RECIPES, policy=options.policy, runtime=options.runtime
    )
    writers = strategist or writers_of(options, chosen.probe(), connect)
    workspace = Workspace.create(options)
    surface = Surface(
        listeners=listeners,
        ask=ask,
        confirm=confirm,
        stop=stop or StopFlag(),
        frames=frames or {},
        head_start=head_start,
    )
    return _conduct(workspace, surface, writers, chosen, resumed=False)


def resume_run(
    run_dir: Path,
    *,
    budget: BudgetSpec | None = None,
    listeners: Sequence[Listener] = (),
    ask: Ask | None = None,
    confirm: Confirm | None = None,
    stop: StopFlag | None = None,
    strategist: Strategist | None = None,
    connect: Connect = connected,
    sandbox: Sandbox | None = None,
    head_start: float = 0.0,
) -> Outcome:
    """Go on with a run that crashed, was interrupted, or ended and gets more to spend.

    Args:
        run_dir: The run directory.
        budget: What may be spent in addition to what was spent so far; None goes on with what is left.
        listeners: As in `start_run`, as all the others.
        ask: See there.
        confirm: See there.
        stop: See there.
        strategist: See there.
        connect: See there.
        sandbox: See there.
        head_start: See there.

    Raises:
        RunDirectoryError: It is no run directory, one of another version, or a damaged one.
    """
    workspace = Workspace.open(run_dir)
    options = workspace.options
    chosen = sandbox or select_sandbox(
        options.sandbox, author=Author.RECIPES, policy=options.policy, runtime=options.runtime
    )
    writers = strategist or writers_of(options, chosen.probe(), connect)
    with in_words(workspace.root):
        if budget is None:
            _reopen_if_interrupted(workspace)
        else:
            _add_budget(workspace, budget)
            workspace = Workspace.open(run_dir)
    surface = Surface(listeners=listeners, ask=ask, confirm=confirm, stop=stop or StopFlag(), head_start=head_start)
    return _conduct(workspace, surface, writers, chosen, resumed=True)


def _add_budget(workspace: Workspace, more: BudgetSpec) -> None:
    """Allow the run to spend more, on top of what it has spent, and open the search again."""
    journal = Journal(workspace.root / "journal.sqlite")
    try:
        given = workspace.options.budget
        made = sum(journal.counts().values())
        spec = BudgetSpec(
            seconds=None if more.seconds is None else journal.seconds_spent() + more.seconds,
            attempts=None if more.attempts is None else made + more.attempts,
            tokens=more.tokens if more.tokens is not None else given.tokens,
            money=more.money if more.money is not None else given.money,
        )
        workspace.set_options(workspace.options.model_copy(update={"budget": spec, "defaults": BudgetSpec()}))
        if (workspace.root / "task.json").exists():  # what the sentence limited is spent, too
            workspace.save_task(workspace.task.model_copy(update={"budget": spec}))
        journal.reopen_cut()
        journal.forget_search()
        forget_cursors(workspace.root)
    finally:
        journal.close()


def _reopen_if_interrupted(workspace: Workspace) -> None:
    """Go on searching where the user, not the budget, ended the search."""
    journal = Journal(workspace.root / "journal.sqlite")
    try:
        search = journal.stage("search")
        if search is not None and search["stop_reason"] == StopReason.INTERRUPTED:
            journal.reopen_cut()
            journal.forget_search()
            forget_cursors(workspace.root)
    finally:
        journal.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """Where a run meets people: a terminal, a notebook, a program."""

    listeners: Sequence[Listener]
    ask: Ask | None
    confirm: Confirm | None
    stop: StopFlag
    frames: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    head_start: float = 0.0


def _conduct(
    workspace: Workspace, surface: Surface, writers: Strategist | Writers, sandbox: Sandbox, *, resumed: bool
) -> Outcome:
    with in_words(workspace.root), workspace.in_use():
        return _conduct_alone(workspace, surface, writers, sandbox, resumed=resumed)


def _conduct_alone(
    workspace: Workspace, surface: Surface, writers: Strategist | Writers, sandbox: Sandbox, *, resumed: bool
) -> Outcome:
    journal = Journal(workspace.root / "journal.sqlite")
    events = EventLog(run_id=workspace.run_id, path=workspace.root / "events.jsonl", listeners=list(surface.listeners))
    workers = workspace.options.workers
    blocking = Blocking(workers)
    sessions = tuple(_session(workspace, sandbox, journal) for _ in range(workers))
    budget = Budget(_budget(workspace), journal.seconds_spent(), head_start=surface.head_start)
    strategist = _strategist(writers, workspace, journal, events, surface.stop, sandbox, budget)
    deps = Deps(
        workspace=workspace,
        journal=journal,
        budget=budget,
        strategist=strategist,
        sandbox=sandbox,
        session=sessions[0],
        sessions=sessions,
        policy=policy_for(workspace.options.search, strategist.name),
        blocking=blocking,
        events=events,
        stop=surface.stop,
        ask=surface.ask,
        confirm=surface.confirm,
        frames=surface.frames,
    )
    try:
        _announce(deps, resumed=resumed)
        in_a_loop(lambda: _until_aborted(deps, writers))
    except AutoGLMError as error:
        if not resumed and not isinstance(error, Interrupted) and journal.stage("profile") is None:
            workspace.remove()
        raise
    finally:
        for session in sessions:
            session.close()
        blocking.close()
        journal.close()
    return Outcome.model_validate_json((workspace.root / "result.json").read_text(encoding="utf-8"))


def _strategist(
    writers: Strategist | Writers,
    workspace: Workspace,
    journal: Journal,
    events: EventLog,
    stop: StopFlag,
    sandbox: Sandbox,
    budget: Budget,
) -> Strategist:
    if not isinstance(writers, Writers):
        return writers
    return strategist_of(
        writers,
        workspace=workspace,
        journal=journal,
        events=events,
        stop=stop,
        ready=sandbox.probe(),
        budget=budget,
    )


def _session(workspace: Workspace, sandbox: Sandbox, journal: Journal) -> Session:
    """Open a session whose jobs get the packages and the GPU that they ask for, and whose reports are signed."""
    options = workspace.options
    packages = Packages(cache=options.cache or workspace.root / "packages", allowed=options.allowed_packages)
    cpus = jobs_for(options.workers)
    ready = sandbox.probe()

    def open_with(gpu: Gpu) -> Session:
        return packages.provide(
            granted(sandbox.name, gpu, options.policy, options.runtime).open(cpus=cpus, profile=Profile.TORCH),
            ready,
            gpu=True,
        )

    session = GrantingSession(plain=packages.provide(sandbox.open(cpus=cpus), ready), open_with=open_with)
    return SealedSession(session=session, seal=journal.seal)


def _budget(workspace: Workspace) -> BudgetSpec:
    known = (workspace.root / "task.json").exists()
    options = workspace.options
    return merged_budget(options.budget, workspace.task.budget if known else BudgetSpec(), options.defaults)


def _announce(deps: Deps, *, resumed: bool) -> None:
    ready = deps.sandbox.probe()
    warnings = policy_lines(deps)
    if not ready.isolating:
        text = deps.say(
            "Code runs in the {backend} backend, which does not isolate it. That is allowed for code made of recipes only; "
            "`autoglm doctor` says how to get an isolating sandbox.",
            backend=ready.backend,
        )
        warnings.append(text)
    if warnings:
        deps.journal.record_stage("sandbox", {"warnings": warnings, "allowed_hosts": list(allowed_hosts(deps))})
    kind = EventKind.RUN_RESUMED if resumed else EventKind.RUN_STARTED
    spec = deps.budget.spec
    deps.events.emit(
        kind,
        run_dir=str(deps.workspace.root),
        seconds=spec.seconds,
        attempts=spec.attempts,
        language=deps.workspace.language,
    )


async def _until_aborted(deps: Deps, writers: Strategist | Writers) -> None:
    """Run the graph; an abort cancels it, a request to stop ends the executions of the search."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    assert task is not None, "this coroutine runs in a task"

    def stopped() -> None:
        if deps.stop.aborted:
            loop.call_soon_threadsafe(task.cancel)
        elif deps.journal.best_attempts(greater_is_better=True, count=1) and deps.journal.stage("search") is None:
            for session in deps.sessions:
                session.cancel()

    deps.stop.on_change(stopped)
    if deps.stop.aborted:  # before anybody listened
        stopped()
    try:
        async with writers if isinstance(writers, Writers) else contextlib.nullcontext():
            await run_to_end(deps)
    except AutoGLMError:
        deps.save_clock()
        raise
    except asyncio.CancelledError:
        if not deps.stop.aborted:
            raise
        deps.save_clock()
        message = f"Stopped. Nothing that was recorded is lost; go on with: {how_to_resume(deps.workspace.root)}"
        raise Interrupted(message) from None
