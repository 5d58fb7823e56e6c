"""understand: the model reads the sentence and the columns; the rules of recipes check what it read, and build the task.

What the model says is taken as an answer to the questions that the rules would ask: it fills what they would have guessed. Where a
sentence names something plainly, rules win over a model that says otherwise; options and people's answers win over both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from open_autoglm.agents.glm.authored import one_line
from open_autoglm.agents.glm.decisions import decide
from open_autoglm.agents.glm.desk import Desk
from open_autoglm.agents.glm.prompting import render, system, user
from open_autoglm.agents.glm.sharing import DATA_RULE, Shared, from_model, from_user, joined, ours, token
from open_autoglm.agents.glm.sharing.request import request_card
from open_autoglm.agents.glm.wire import Call, Message, Part, Purpose
from open_autoglm.agents.recipes.intent import understand as by_rules
from open_autoglm.agents.strategist import Question, Request, Understanding
from open_autoglm.errors import InputError, UnknownName, Unsupported, UnusableReply
from open_autoglm.tools.data.kinds import ColumnKind
from open_autoglm.tools.data.sketch import ColumnSketch
from open_autoglm.tools.metrics import METRIC_NAMES
from open_autoglm.tools.task import Guess, SourceRole, TaskSpec, TaskType
from open_autoglm.tools.words import Words

THINKING = 1024
ANSWER_TOKENS = 512
LONGEST_QUESTION = 200
FEWEST_GROUPS = 20
MOST_GROUPS = 0.9
"""Groups for each row at most: beyond, hardly any rows belong together."""


class Reading(BaseModel):
    """The answer to `understand`: what the words mean on this table."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    target: Annotated[str, Field(min_length=1, max_length=200)]
    """The column to predict, spelled as in the table."""
    task_type: Literal["binary", "multiclass", "regression", "forecasting"]
    metric: Annotated[str, Field(max_length=40)] = ""
    """How it is judged; empty where the words name nothing."""
    group: Annotated[str, Field(max_length=200)] = ""
    """A column whose rows belong together (a patient, a household); empty without one."""
    time: Annotated[str, Field(max_length=200)] = ""
    """A column that orders the rows where later ones are to be predicted from earlier ones; empty without one."""
    ask: Literal["nothing", "target", "task_type", "metric"] = "nothing"
    """What must be asked, since two readings are as good as each other."""
    question: Annotated[str, Field(max_length=300)] = ""


@dataclass(slots=True, kw_only=True)
class Reader:
    """Understands one request, however often it is asked with more answers: the model reads it once."""

    desk: Desk
    _readings: dict[str, Reading] = field(default_factory=dict)

    async def understand(self, request: Request, answers: Mapping[str, str]) -> Understanding:
        """Turn words into a task.

        Raises:
            Unsupported: The wish is something we do not do.
            InputError: A target, metric or option that cannot be.
            UnusableReply: What the model says contradicts the words or the table, also after it was told so.
            EndpointFailed: Nobody answered.
        """
        plain, refusal = _by_rules(request, answers)
        if isinstance(refusal, Unsupported):
            raise refusal
        reading = self._readings.get(request.prompt) or await self._read(request, plain)
        self._readings[request.prompt] = reading
        return _understanding(request, answers, reading, plain, self.desk.model.name)

    async def _read(self, request: Request, plain: Understanding | None) -> Reading:
        call = _call(request, self.desk)
        reading = await decide(self.desk.model, call, Reading)
        problem = _problem(request, reading, plain)
        if not problem:
            return reading
        turns = [
            Message(role="assistant", parts=[Part(text=from_model(reading.model_dump_json()))]),
            user(render("again", problem=problem, last=False)),
        ]
        reading = await decide(self.desk.model, replace(call, messages=[*call.messages, *turns], thinking=0), Reading)
        if _problem(request, reading, plain):
            raise UnusableReply("What the model understood contradicts the words or the table.")
        return reading


def _call(request: Request, desk: Desk) -> Call:
    card = request_card(request, desk.share)
    ask = render("understand", words=from_user(request.prompt), said=_said(request))
    metrics = joined([token(name) for name in METRIC_NAMES], ", ")
    return Call(
        purpose=Purpose.UNDERSTAND,
        messages=[system(render("understand_rules", metrics=metrics, data_rule=DATA_RULE), card), user(ask)],
        thinking=THINKING,
        max_tokens=ANSWER_TOKENS,
        temperature=0.2,
    )


def _said(request: Request) -> Shared:
    """Return what options settle, in one line; empty where they settle nothing."""
    settled = [name for name, value in (("target", request.target), ("metric", request.metric)) if value is not None]
    return joined([token(name) for name in settled], ", ")


def _by_rules(request: Request, answers: Mapping[str, str]) -> tuple[Understanding | None, InputError | None]:
    try:
        return by_rules(request, answers), None
    except InputError as error:
        return None, error


def _problem(request: Request, reading: Reading, plain: Understanding | None) -> Shared:
    """Return what is wrong with a reading, for the model; empty where it can be."""
    names = [column.name for column in request.tables[SourceRole.TRAIN].columns]
    for role in ("target", "group", "time"):
        named = getattr(reading, role)
        if named and named not in names:
            return render("unknown_column", role=token(role), named=from_model(named))
    if plain is not None and (named := _named_otherwise(request, reading, plain)):
        return render("named_otherwise", field=token(named))
    understood, refusal = _by_rules(request, _picks(request, reading))
    if understood is None:
        unknown = isinstance(refusal, UnknownName)
        return render("impossible", unknown=unknown, metric=from_model(reading.metric))
    return ours("")


def _named_otherwise(request: Request, reading: Reading, plain: Understanding) -> str:
    """Return the field that the words name plainly and that the model reads otherwise; empty where there is none."""
    said = {"target": plain.task.target, "metric": plain.task.metric.name}
    for name, value in said.items():
        read = getattr(reading, name)
        if read and read != value and name not in _left_open(plain) and getattr(request, name) is None:
            return name
    forecasts = TaskType.FORECASTING in (plain.task.task_type, reading.task_type)
    return "task_type" if forecasts and reading.task_type != plain.task.task_type else ""


def _left_open(plain: Understanding) -> set[str]:
    """Return the fields that the words leave open: those that rules guess or would ask for."""
    return {guess.field for guess in plain.task.guesses} | {question.field for question in plain.questions}


def _picks(request: Request, reading: Reading) -> dict[str, str]:
    """Return the reading as answers to what the rules might ask; what options settled is left out."""
    picks = {"target": reading.target, "task_type": reading.task_type, "metric": reading.metric}
    return {name: value for name, value in picks.items() if value and getattr(request, name, None) is None}


def _understanding(
    request: Request, answers: Mapping[str, str], reading: Reading, plain: Understanding | None, model: str
) -> Understanding:
    picks = {name: value for name, value in _picks(request, reading).items() if name not in answers}
    read = by_rules(request, {**picks, **answers})
    say = Words(language=read.task.language)
    guessed = [] if plain is None else [guess.field for guess in plain.task.guesses]
    decided = [name for name in picks if plain is None or name in guessed]
    reason = say("so {model} read the sentence", model=one_line(model))
    guesses = [
        *read.task.guesses,
        *(Guess(field=name, value=picks[name], reason=reason) for name in decided),
        *_role_guesses(request, reading, read.task, reason),
    ]
    columns = read.task.columns.model_copy(update={guess.field.partition(".")[2]: guess.value for guess in guesses if guess.field.startswith("columns.")})  # fmt: skip
    task = read.task.model_copy(update={"guesses": guesses, "columns": columns})
    return Understanding(task=task, questions=tuple(_questions(reading, read, plain, answers)))


def _role_guesses(request: Request, reading: Reading, task: TaskSpec, reason: str) -> Iterator[Guess]:
    """Yield the roles that the model sees and the rules found nothing for."""
    taken = {task.target}
    table = request.tables[SourceRole.TRAIN]
    columns = {column.name: column for column in table.columns}
    for role, can_be in (("group", _can_be_group), ("time", _can_be_time)):
        named = getattr(reading, role)
        free = named in columns and named not in taken and not task.columns.roles_of(named)
        if free and can_be(columns[named], table.rows) and getattr(task.columns, role) is None:
            taken.add(named)
            yield Guess(field=f"columns.{role}", value=named, reason=reason)


def _can_be_group(column: ColumnSketch, rows: int) -> bool:
    """Whether rows can be set aside by the column: it has many values, and rows share them."""
    plain = column.kind in (ColumnKind.NUMERIC, ColumnKind.CATEGORICAL, ColumnKind.IDENTIFIER)
    return plain and FEWEST_GROUPS <= column.distinct <= MOST_GROUPS * rows


def _can_be_time(column: ColumnSketch, _: int) -> bool:
    return column.kind is ColumnKind.DATETIME


def _questions(
    reading: Reading, read: Understanding, plain: Understanding | None, answers: Mapping[str, str]
) -> Iterator[Question]:
    """Yield what is still open: the rules' own questions, and the one that the model would ask."""
    yield from read.questions
    settled = plain is not None and reading.ask not in _left_open(plain)
    if (
        reading.ask == "nothing"
        or settled
        or reading.ask in answers
        or reading.ask in {q.field for q in read.questions}
    ):
        return
    by_hand = None if plain is None else next((q for q in plain.questions if q.field == reading.ask), None)
    picked = str(getattr(reading, reading.ask)) or read.task.metric.name
    others = [] if by_hand is None else [choice for choice in by_hand.choices if choice != picked]
    if plain is not None and reading.ask == "target" and plain.task.target not in (picked, *others):
        others.append(plain.task.target)
    text = one_line(reading.question, LONGEST_QUESTION) if by_hand is None else by_hand.text
    if text and others:
        say = Words(language=read.task.language)
        yield Question(
            field=reading.ask, text=text, choices=(picked, *others), reason=say("the model's reading of the sentence")
        )
