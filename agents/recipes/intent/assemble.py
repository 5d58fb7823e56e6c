"""From a request to a task: each step reads one thing out of the sentence, and notes what it had to assume."""

from collections.abc import Mapping, Sequence

from open_autoglm.agents.recipes.intent.columns import Columns, Mention
from open_autoglm.agents.recipes.intent.frames import Frames
from open_autoglm.agents.recipes.intent.metrics import (
    Said,
    choose_metric,
    refuse_unknown_names,
    said_metrics,
    suited_task_types,
)
from open_autoglm.agents.recipes.intent.notes import Notes, language_of
from open_autoglm.agents.recipes.intent.positions import positions
from open_autoglm.agents.recipes.intent.positive import choose_positive
from open_autoglm.agents.recipes.intent.refusals import refuse, refuse_several_targets
from open_autoglm.agents.recipes.intent.roles import Roles, finish_roles, has_dates, read_roles
from open_autoglm.agents.recipes.intent.targets import check_target, choose_target
from open_autoglm.agents.recipes.intent.task_type import Hints, choose_task_type, task_type_words
from open_autoglm.agents.recipes.intent.text import Sentence, blank
from open_autoglm.agents.recipes.intent.time_words import Times, read_budget, read_times
from open_autoglm.agents.recipes.intent.wishes import read_wishes
from open_autoglm.agents.strategist import Request, Understanding
from open_autoglm.errors import InputError
from open_autoglm.tools.task import MetricSpec, SourceRole, TaskSpec, TaskType

_LONGEST_PROMPT = 20_000
"""Characters. A task is a few sentences; anything longer is a file given by mistake."""


def understand(request: Request, answers: Mapping[str, str]) -> Understanding:
    """Turn words into a task by rules; the same words and table give the same task.

    Args:
        request: What was typed, what options said, and sketches of the tables.
        answers: What the user replied to earlier questions, by `Question.field`; they win over the sentence, options win over them.

    Raises:
        Unsupported: The wish is something we do not do; the message names the nearest thing we can do.
        UnknownName: A target, column or metric that does not exist; the message names the nearest.
        InputError: A target or metric that cannot be, or a table without columns.
    """
    sentence = _sentence(request.prompt)
    columns = _columns(request)
    mentions = _mentions(sentence, columns)
    notes = Notes(language=language_of(sentence, [m.span for m in mentions]))
    roles = read_roles(sentence, columns, mentions)
    target = _target(request, answers, sentence, columns, mentions, roles, notes)
    if not target.strip():
        raise InputError("The target column has no name. Give the columns of the file names first.")
    words = _words(sentence, mentions, target)
    refuse_unknown_names(sentence, words)
    said = said_metrics(words) if request.metric is None and "metric" not in answers else []
    times = read_times(sentence, words)
    task_type = _task_type(answers, columns, target, words, said, times, notes)
    wishes = read_wishes(sentence, words, times.latency)
    if wishes.quantiles and task_type.is_classification:
        raise InputError(
            f"Quantiles and intervals need numbers to predict, and {target!r} holds classes. Leave them out, or name another target."
        )
    metric = choose_metric(
        request.metric or answers.get("metric"), said, task_type, quantiles=bool(wishes.quantiles), notes=notes
    )
    forecasting = task_type is TaskType.FORECASTING
    positive = (
        choose_positive(sentence, columns.by_name[target], answers.get("positive"), notes)
        if task_type is TaskType.BINARY
        else None
    )
    horizon = times.horizon if forecasting else None
    task = TaskSpec(
        prompt=request.prompt,
        language=notes.language,
        task_type=task_type,
        target=target,
        positive=positive,
        columns=finish_roles(roles, sentence, columns, mentions, target, notes, forecasting=forecasting),
        horizon=horizon.steps if horizon else None,
        frequency=horizon.frequency if horizon else None,
        quantiles=wishes.quantiles,
        metric=MetricSpec(
            name=metric,
            parameters={"quantile": [*wishes.quantiles]} if metric == "pinball" and wishes.quantiles else {},
        ),
        constraints=wishes.constraints,
        budget=read_budget(sentence, words, times.budget, request.budget),
        outputs=wishes.outputs,
        guesses=notes.guesses,
    )
    return Understanding(task=task, questions=tuple(q for q in notes.questions if q.field not in answers))


def _sentence(prompt: str) -> Sentence:
    if len(prompt) > _LONGEST_PROMPT:
        raise InputError(
            f"The request has {len(prompt):,} characters; at most {_LONGEST_PROMPT:,} are read. Say it in a few sentences."
        )
    return Sentence(raw=prompt)


def _columns(request: Request) -> Columns:
    table = request.tables.get(SourceRole.TRAIN)
    if table is None or not table.columns:
        raise InputError("There is no training table with columns to learn from. Give one with --data.")
    return Columns(table=table)


def _mentions(sentence: Sentence, columns: Columns) -> list[Mention]:
    named = columns.mentions(sentence)
    placed = [
        p
        for p in positions(sentence.folded, columns.names)
        if not any(p.span.overlaps(m.span) and m.exact == 1.0 for m in named)
    ]
    named = [m for m in named if not any(m.span.overlaps(p.span) for p in placed)]
    return sorted([*named, *placed], key=lambda m: m.span)


def _target(
    request: Request,
    answers: Mapping[str, str],
    sentence: Sentence,
    columns: Columns,
    mentions: Sequence[Mention],
    roles: Roles,
    notes: Notes,
) -> str:
    refuse(
        blank(sentence.folded, (m.span for m in mentions)),
        notes.language,
        labelled=_names_target(sentence, mentions, request, answers),
    )
    if request.target is not None:
        return check_target(request.target, columns, lenient=False)
    if "target" in answers:
        return check_target(answers["target"], columns, lenient=True)
    free = [m for m in mentions if m.column not in roles.taken]
    frames = Frames(sentence=sentence, mentions=free)
    if not any(frames.weight(m) > 95 for m in free):
        refuse_several_targets(frames.targets_side_by_side(), notes.language)
    return choose_target(sentence, columns, mentions, [*roles.taken, *roles.only], None, notes)


def _names_target(
    sentence: Sentence, mentions: Sequence[Mention], request: Request, answers: Mapping[str, str]
) -> bool:
    if request.target is not None or "target" in answers:
        return True
    frames = Frames(sentence=sentence, mentions=mentions)
    return any(frames.weight(m) > 75 for m in mentions)


def _words(sentence: Sentence, mentions: Sequence[Mention], target: str) -> str:
    """The sentence without names of columns, where these cannot be ordinary words of it."""
    hidden = [
        m.span
        for m in mentions
        if m.column == target or sentence.is_quoted(m.span) or not sentence.raw[m.span.start : m.span.end].isalnum()
    ]
    return blank(sentence.folded, hidden)


def _task_type(
    answers: Mapping[str, str],
    columns: Columns,
    target: str,
    words: str,
    said: Sequence[Said],
    times: Times,
    notes: Notes,
) -> TaskType:
    hints = Hints(
        words=task_type_words(words),
        judged=suited_task_types(said),
        horizon=times.horizon is not None,
        dated=has_dates(columns),
        option=answers.get("task_type"),
    )
    return choose_task_type(columns.by_name[target], hints, notes)
