"""From words to a task with a model: it fills what the rules would have guessed, and never passes them by."""

import asyncio
from collections.abc import Mapping

import pytest
from tests.agents.glm import world

from open_autoglm.agents.glm.operators.understand import Reader, Reading
from open_autoglm.agents.glm.safety import SafetyNet
from open_autoglm.agents.glm.scripted import Scripted, ScriptedGLM
from open_autoglm.agents.glm.strategist import GlmStrategist
from open_autoglm.agents.strategist import Request, Understanding
from open_autoglm.errors import InputError, Unsupported, UnusableReply
from open_autoglm.tools.task import TaskType

LATE = Reading(target="paid", task_type="binary")


def understood(
    *answers: Scripted, request: Request | None = None, said: Mapping[str, str] | None = None
) -> tuple[Understanding, ScriptedGLM]:
    glm = ScriptedGLM(answers)
    reader = Reader(desk=world.desk(glm))
    return asyncio.run(reader.understand(request or world.request(), said or {})), glm


def test_the_model_fills_what_rules_would_guess() -> None:
    """No column is called late: the rules guess wrong, the model reads the sentence, and the report says who did."""
    found, _ = understood(LATE)
    assert (found.task.target, found.task.task_type) == ("paid", TaskType.BINARY)
    reasons = {guess.field: guess.reason for guess in found.task.guesses}
    assert reasons["target"] == "so scripted read the sentence"
    assert found.questions == ()


def test_what_the_words_name_plainly_stands() -> None:
    """A model that reads another target out of a plain sentence is told so once, and then rules decide."""
    wrong = Reading(target="city", task_type="multiclass")
    with pytest.raises(UnusableReply):
        understood(wrong, wrong, request=world.request("Predict paid."))
    found, glm = understood(wrong, LATE, request=world.request("Predict paid."))
    assert found.task.target == "paid"
    assert "name another target plainly" in glm.calls[-1].messages[-1].text


@pytest.mark.parametrize(
    "nonsense",
    [
        Reading(target="late", task_type="binary"),
        Reading(target="paid", task_type="binary", metric="goodness"),
        Reading(target="paid", task_type="binary", metric="rmse"),
        Reading(target="paid", task_type="binary", group="household"),
    ],
)
def test_nonsense_gets_one_more_try(nonsense: Reading) -> None:
    """A column or a metric that does not exist, or does not fit, is named to the model."""
    found, glm = understood(nonsense, LATE)
    assert found.task.target == "paid"
    assert glm.calls[-1].messages[-1].text.startswith("This answer cannot be used.")


def test_options_and_people_win() -> None:
    """An option is not up for decision, and what a person answered stands against the model."""
    found, _ = understood(
        Reading(target="city", task_type="multiclass", metric="accuracy"),
        request=world.request(target="paid", metric="log_loss"),
        said={"task_type": "binary"},
    )
    assert (found.task.target, found.task.metric.name) == ("paid", "log_loss")


def test_the_model_may_have_something_asked() -> None:
    """Its question comes with its own reading first; once answered, it is not asked again, and the model neither."""
    glm = ScriptedGLM([Reading(target="paid", task_type="binary", ask="target", question="Late\x1b[2J or poor?")])
    reader = Reader(desk=world.desk(glm))
    first = asyncio.run(reader.understand(world.request(), {}))
    (question,) = first.questions
    assert (question.field, question.choices[0]) == ("target", "paid")
    assert "\x1b" not in question.text

    second = asyncio.run(reader.understand(world.request(), {"target": "income"}))
    assert (second.task.target, second.questions) == ("income", ())
    assert glm.left == 0


def test_roles_are_taken_where_they_can_be() -> None:
    """A group that the model sees is recorded as its guess; a time must be a column of dates."""
    found, _ = understood(Reading(target="paid", task_type="binary", group="age", time="age"))
    assert found.task.columns.group == "age"
    assert found.task.columns.time is None
    assert [guess.value for guess in found.task.guesses if guess.field == "columns.group"] == ["age"]


@pytest.mark.parametrize("column", ["city", "income", "customer", "paid"])
def test_a_group_must_hold_rows_together(column: str) -> None:
    """Three towns cannot be set aside one by one, and a value of its own for each row joins nothing."""
    found, _ = understood(Reading(target="paid", task_type="binary", group=column))
    assert found.task.columns.group is None


def test_a_plain_sentence_leaves_nothing_to_ask() -> None:
    """A model that would ask for what the words say does not hold up an unattended run."""
    asking = LATE.model_copy(update={"ask": "target", "question": "Which column?"})
    found, _ = understood(asking, request=world.request("Predict paid."))
    assert found.questions == ()


def test_a_forecast_needs_words_for_it() -> None:
    """A model that sees the future in an ordinary sentence is told so, and then rules decide."""
    ahead = Reading(target="income", task_type="forecasting")
    with pytest.raises(UnusableReply):
        understood(ahead, ahead, request=world.request("Predict income."))


def test_what_we_do_not_do_is_refused_without_a_model() -> None:
    """A wish that is refused by rules costs no call."""
    with pytest.raises(Unsupported):
        understood(request=world.request("Cluster the customers."))


def test_a_model_cannot_make_the_impossible_possible() -> None:
    """An option that cannot be is the user's to mend, whatever the model says."""
    glm = ScriptedGLM([LATE, LATE])
    writer = GlmStrategist(world.desk(glm), kept=_Nothing(), net=SafetyNet())
    with pytest.raises(InputError, match="late"):
        asyncio.run(writer.understand(world.request(target="late"), {}))


class _Nothing:
    def get_meta(self, key: str) -> str | None:
        return None

    def set_meta(self, key: str, value: str) -> None:
        raise AssertionError("nothing is kept of understanding")
