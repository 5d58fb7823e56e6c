"""The run's steps around the search: understand -> profile -> confirm -> ... -> finalise -> export -> report."""

import json
from collections.abc import Mapping
from typing import Any

from open_autoglm.agents.budget import merged_budget
from open_autoglm.agents.departing import policy_lines
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.finalise.baselines import dummy_on_folds, dummy_on_holdout
from open_autoglm.agents.finalise.deliver import deliver, explain
from open_autoglm.agents.finalise.settle import settle
from open_autoglm.agents.glm.sharing import leaves
from open_autoglm.agents.ingest import lost_labels, read_tables, request_for, settle_test_role
from open_autoglm.agents.nodes.refusing import refuse_useless_data
from open_autoglm.agents.options import RunOptions
from open_autoglm.agents.outcome import StopReason
from open_autoglm.agents.reporting import outcome_of
from open_autoglm.agents.state import RunState, RunUpdate
from open_autoglm.agents.strategist import Request
from open_autoglm.errors import ApprovalNeeded, Interrupted, Unsupported
from open_autoglm.events import EventKind
from open_autoglm.tools.data.profile import profile_table
from open_autoglm.tools.data.read import Table
from open_autoglm.tools.data.split import plan_split
from open_autoglm.tools.task import SourceRole, TaskSpec, TaskType, read_task
from open_autoglm.tools.words import in_language

MOST_QUESTIONS = 6
AS_OPTIONS = ("target", "metric", "budget")
"""Fields of a task that options can say, too."""


async def understand(state: RunState, deps: Deps) -> RunUpdate:
    """Read the files and turn the words into a task; ask what the words leave open."""
    if deps.journal.stage("understand") is not None:
        return {}
    tables = await deps.blocking.host(read_tables, deps)
    request = await deps.blocking.host(request_for, deps, tables)
    task = await _understood(request, deps)
    tables = settle_test_role(tables, task.target)
    sources = [table.source for table in tables.values()]
    task = task.model_copy(update={"sources": sources})
    _refuse_what_no_strategist_can(task)
    await deps.blocking.host(deps.workspace.save_tables, {role: table.frame for role, table in tables.items()})
    deps.workspace.save_task(task)
    warnings = [in_language(text, task.language) for table in tables.values() for text in table.warnings]
    lost = await deps.blocking.host(_lost_labels, task, tables)
    deps.journal.record_stage(
        "understand", {"warnings": [*warnings, *([in_language(lost, task.language)] if lost else [])]}
    )
    return {}


def _lost_labels(task: TaskSpec, tables: Mapping[SourceRole, Table]) -> str:
    table = tables[SourceRole.TRAIN]
    gaps = task.task_type.is_classification and bool(table.frame[task.target].isna().any())
    return lost_labels(table.source, task.target) if gaps else ""


async def _understood(request: Request, deps: Deps) -> TaskSpec:
    answers: dict[str, str] = {}
    while True:
        understanding = await deps.strategist.understand(request, answers)
        open_questions = [question for question in understanding.questions if question.field not in answers]
        if not open_questions or deps.workspace.options.yes or len(answers) >= MOST_QUESTIONS:
            return understanding.task
        question = open_questions[0]
        if deps.ask is None:
            raise ApprovalNeeded(
                deps.say(
                    "{question} ({choices}) Answer it in the sentence or by an option, or let --yes take the best guess: {guess}.",
                    question=question.text,
                    choices=" / ".join(question.choices),
                    guess=question.choices[0],
                )
            )
        answers[question.field] = deps.ask(question)


def _refuse_what_no_strategist_can(task: TaskSpec) -> None:
    if task.task_type is TaskType.FORECASTING:
        raise Unsupported(
            "Forecasting is understood, but no recipe of this version can do it. The nearest thing that works: name a "
            f"column with past values as a feature and ask for a regression of {task.target!r}."
        )
    if task.columns.image:
        raise Unsupported("Images are understood, but no recipe of this version can read them. Tables work.")


async def profile(state: RunState, deps: Deps) -> RunUpdate:
    """Split first, then look: the holdout is in no profile."""
    if deps.journal.stage("profile") is not None:
        return {}
    await deps.blocking.host(_split_and_profile, deps)
    return {}


def _split_and_profile(deps: Deps) -> None:
    workspace = deps.workspace
    task = workspace.task
    odd = refuse_useless_data(deps)
    given = workspace.options.holdout
    share = {"auto": None, "none": 0.0}.get(str(given), given)
    plan = plan_split(
        workspace.train, task, holdout=share if share is None else float(share), seed=workspace.options.seed,
        test_frame=workspace.test,
    )  # fmt: skip
    plan.save(workspace.root / "split.npz")
    rows = workspace.search_rows
    found = profile_table(workspace.train.iloc[rows].reset_index(drop=True), task)
    workspace.save_json("profile.json", json.loads(found.model_dump_json()))
    warnings = [in_language(text, task.language) for text in [*odd, *plan.notes, *found.warnings]]
    workspace.forget_split()
    dummy = dummy_on_folds(deps)  # also finds out, before anything is run, whether the metric can judge this target
    dummy_on_holdout(deps)  # and the holdout's, which nothing is learned from
    for text in warnings:
        deps.events.emit(EventKind.WARNING, text=text)
    deps.journal.record_stage("profile", {"warnings": warnings, "dummy": dummy})


async def confirm(state: RunState, deps: Deps) -> RunUpdate:
    """Show the task, the plan and what leaves the machine; take what the person changed."""
    if deps.journal.stage("confirm") is not None:
        return {}
    task = deps.workspace.task
    if deps.confirm is not None and not deps.workspace.options.yes:
        edited = deps.confirm(task, _leaves_the_machine(deps), policy_lines(deps))
        if edited is None:
            raise Interrupted(deps.say("Not confirmed: nothing was run."))
        await _apply(state, deps, edited)
    task = deps.workspace.task
    options = deps.workspace.options
    deps.budget.spec = merged_budget(options.budget, task.budget, options.defaults)
    deps.events.emit(
        EventKind.TASK_UNDERSTOOD,
        task_type=task.task_type.value,
        target=task.target,
        language=task.language,
        metric=task.metric.name,
        guesses=[guess.model_dump(mode="json") for guess in task.guesses],
        seconds=deps.budget.spec.seconds,
        attempts=deps.budget.spec.attempts,
    )
    deps.journal.record_stage("confirm", {})
    return {}


def _leaves_the_machine(deps: Deps) -> list[str]:
    if deps.strategist.name == "recipes":
        return []
    options = deps.workspace.options
    return leaves(options.share, options.base_url or deps.strategist.name, deps.say)


async def _apply(state: RunState, deps: Deps, edited: TaskSpec) -> None:
    """Take over what the person changed: some of it as if options had said so, which means to understand the task anew."""
    task = deps.workspace.task
    changed = {
        name: getattr(edited, name) for name in TaskSpec.model_fields if getattr(edited, name) != getattr(task, name)
    }
    if not changed:
        return
    said = {name: value for name, value in changed.items() if name in AS_OPTIONS}
    deps.journal.forget_stages(["profile"])
    if said:
        deps.workspace.set_options(_with_said(deps.workspace.options, said, edited))
        deps.journal.forget_stages(["understand"])
        await understand(state, deps)
    others = {name: value for name, value in changed.items() if name not in AS_OPTIONS}
    if others:
        deps.workspace.save_task(read_task(deps.workspace.task.model_copy(update=others).model_dump(mode="json")))
    await profile(state, deps)


def _with_said(options: RunOptions, said: Mapping[str, Any], edited: TaskSpec) -> RunOptions:
    changes = {"target": edited.target, **said}  # the words might mean another target with another metric
    if "metric" in said:
        changes["metric"] = edited.metric.name
    return options.model_copy(update=changes)


async def finalise(state: RunState, deps: Deps) -> RunUpdate:
    """Name the winner, earn its score, refit, check."""
    reason = StopReason(state.stop_reason)
    settled = await settle(deps)
    if settled is None:
        return {"winner": "", "stop_reason": reason.value}
    return {"winner": settled.winner}


async def export(state: RunState, deps: Deps) -> RunUpdate:
    """Write what the user takes home."""
    if state.winner:
        await deliver(deps, StopReason(state.stop_reason))
    return {}


async def report(state: RunState, deps: Deps) -> RunUpdate:
    """Explain the model as far as time goes, and say how the run ended."""
    reason = StopReason(state.stop_reason)
    if state.winner:
        await explain(deps, reason)
    outcome = await deps.blocking.host(outcome_of, deps, reason)
    deps.workspace.save_json("result.json", json.loads(outcome.model_dump_json()))
    deps.save_clock()
    deps.journal.record_stage("report", {"stop_reason": reason.value})
    deps.events.emit(EventKind.RUN_FINISHED, status=outcome.status, stop_reason=reason.value)
    return {}
