"""From words to a task: options, answers, guesses, questions, errors, and names that are data only."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from open_autoglm.agents.recipes.intent import understand
from open_autoglm.agents.strategist import Request
from open_autoglm.errors import AutoGLMError, InputError, UnknownName, Unsupported
from open_autoglm.tools.data.profile import ColumnKind
from open_autoglm.tools.data.read import ColumnSketch, TableSketch
from open_autoglm.tools.metrics import MetricMisfit
from open_autoglm.tools.task import BudgetSpec, SourceRole, TaskType


def column(name: str, kind: str = "numeric", levels: tuple[str | int, ...] = (), distinct: int = 300) -> ColumnSketch:
    return ColumnSketch(
        name=name,
        kind=ColumnKind(kind),
        distinct=len(levels) or distinct,
        missing_fraction=0,
        levels=levels,
        examples=(),
    )


def test_options_win_over_the_sentence(understood) -> None:
    """Target, metric and budget of the options stand; the sentence fills the rest."""
    task = understood(
        "predict Fare, mae, one minute, at most 5 models",
        "titanic",
        target="Survived",
        metric="AUC",
        budget=BudgetSpec(seconds=9),
    ).task
    assert (task.target, task.metric.name, task.budget.seconds, task.budget.attempts) == ("Survived", "roc_auc", 9, 5)


@pytest.mark.parametrize(("option", "nearest"), [("acuracy", "accuracy"), ("f1 socre", "f1"), ("recall", "Known")])
def test_a_metric_of_an_option_is_exact(understood, option: str, nearest: str) -> None:
    """What the sentence is forgiven is an error in an option, with the nearest names."""
    with pytest.raises(UnknownName, match=nearest):
        understood("predict Survived", "titanic", metric=option)


@pytest.mark.parametrize(("prompt", "option"), [("predict Survived by acuracy", None), ("predict Fare", "MSE")])
def test_a_metric_that_was_not_named_exactly_is_a_guess(understood, prompt: str, option: str | None) -> None:
    """A slip in the sentence, and a metric that another one stands in for, are told."""
    guesses = {guess.field for guess in understood(prompt, "titanic", metric=option).task.guesses}
    assert "metric" in guesses


def test_an_answer_settles_its_question(understood) -> None:
    """What was answered is not asked again, and is read loosely."""
    asked = understood("do something", "titanic")
    answered = understood("do something", "titanic", {"target": "survived"})
    assert [q.field for q in asked.questions] == ["target"]
    assert (answered.task.target, answered.questions) == ("Survived", ())


def test_every_question_offers_the_guess_first(understood) -> None:
    """Taking the first choice changes nothing."""
    for prompt, table in [
        ("predict quality", "wine"),
        ("房子能卖多少钱", "zh_house"),
        ("churn by auc and f1", "telco"),
    ]:
        asked = understood(prompt, table)
        answers = {q.field: q.choices[0] for q in asked.questions}
        assert answers
        settled = understood(prompt, table, answers).task
        assert (settled.target, settled.task_type, settled.metric) == (
            asked.task.target,
            asked.task.task_type,
            asked.task.metric,
        )


def test_what_was_assumed_is_recorded_with_its_reason(understood) -> None:
    """Target by description, default metric and ids are guesses, in the user's language."""
    guesses = {g.field: g for g in understood("哪些客户会离开", "telco").task.guesses}
    assert set(guesses) == {"target", "metric", "columns.id"}
    assert "Churn" in guesses["target"].reason
    assert "没有说明指标" in guesses["metric"].reason


@pytest.mark.parametrize(
    ("prompt", "table", "error", "says"),
    [
        ("target is Cancelled_Flag", "telco", UnknownName, "Churn"),
        ("predict Churn, metric is foobar", "telco", UnknownName, "foobar"),
        ("predict Churn, optimise recall", "telco", UnknownName, "recall"),
        ("predict Churn, ignore the column foo", "telco", UnknownName, "foo"),
        ("predict Churn by RMSE", "telco", MetricMisfit, "roc_auc"),
        ("predict species with a regression", "iris", InputError, "numbers"),
        ("predict visit_date", "patients", InputError, "dates"),
        ("predict Churn with 90% prediction intervals", "telco", InputError, "classes"),
        ("predict Churn in 0 seconds", "telco", InputError, "above 0"),
        ("predict column 99", "telco", UnknownName, "1 to 12"),
        ("给客户聚类", "telco", Unsupported, "--target"),
        ("predict tenure and Churn", "telco", Unsupported, "tenure, Churn"),
        ("x" * 30_000, "telco", InputError, "few sentences"),
    ],
)
def test_what_cannot_be_is_one_clear_error(
    understood, prompt: str, table: str, error: type[InputError], says: str
) -> None:
    """The message names what was asked, or what is possible."""
    with pytest.raises(error, match=says) as raised:
        understood(prompt, table)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("kind", ["constant", "empty"])
def test_a_target_without_two_values_is_an_error(understood, kind: str) -> None:
    """There is nothing to learn, and the message says so."""
    with pytest.raises(InputError, match="--target"):
        understood("predict flat", [column("a"), column("flat", kind, distinct=1)])


def test_an_option_must_name_a_column_as_it_stands(understood) -> None:
    """The nearest is offered, and not taken silently."""
    with pytest.raises(UnknownName, match="Survived"):
        understood("", "titanic", target="survive")


def test_a_denied_wish_is_not_refused(understood) -> None:
    """`no clustering please` asks for nothing."""
    assert understood("Predict Churn, no clustering please", "telco").task.target == "Churn"


def test_anomaly_detection_with_labels_is_a_binary_task(understood) -> None:
    """Where a column tells the anomalies, the wish is one we can fulfil."""
    task = understood("anomaly detection, target is anomaly", [column("x"), column("anomaly", "boolean", (0, 1))]).task
    assert (task.target, task.task_type, task.positive) == ("anomaly", TaskType.BINARY, 1)


HOSTILE = [
    "optimise accuracy in 5 minutes",
    "target is y",
    "ignore Age",
    ".*",
    "(?P<x>",
    "a|b",
    "不要用神经网络",
    "预测 Fare",
    "metric is foobar",
    "cluster",
    "{}",
    "\\",
    '"',
    "",
    " ",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_column_name_changes_nothing(name: str, tables: dict[str, TableSketch]) -> None:
    """A table with one more column, whatever its name and levels, gives the same task for a sentence that does not name it."""
    prompt = "Predict Survived, optimise AUC, one minute, do not use Ticket"
    plain = tables["titanic"]
    more = TableSketch(name="t", rows=891, columns=(column(name, "categorical", (name, "accuracy")), *plain.columns))
    assert understand(_request(prompt, plain), {}).task == understand(_request(prompt, more), {}).task


WORDS = st.sampled_from(["predict", "Survived", "预测", "不要", "AUC", "in", "5", "minutes", "ignore", "Fare", "last column", "和", ",", "(", '"', "only", "trees", "group by", "第3列", "0 ms", "未来7天", "P10"])  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS | st.text(max_size=8), max_size=14))
def test_any_words_give_a_task_or_a_clear_error(tables: dict[str, TableSketch], words: list[str]) -> None:
    """Whatever is typed, the answer is a valid task or an error made on purpose."""
    try:
        task = understand(_request(" ".join(words), tables["titanic"]), {}).task
    except AutoGLMError:
        return
    assert task.target in {c.name for c in tables["titanic"].columns}


def test_understanding_is_fast_on_a_wide_table() -> None:
    """Ten thousand columns are understood while the user blinks (the limit is wide: machines differ)."""
    wide = TableSketch(
        name="wide", rows=1000, columns=(*(column(f"gene_{i}") for i in range(9_999)), column("ill", "boolean", (0, 1)))
    )
    started = time.perf_counter()
    task = understand(_request("predict who is ill, AUC, ignore gene_17", wide), {}).task
    assert (task.target, task.columns.dropped) == ("ill", ["gene_17"])
    assert time.perf_counter() - started < 5


def test_a_table_without_columns_is_an_error() -> None:
    """There is nothing to predict from."""
    with pytest.raises(InputError, match="--data"):
        understand(_request("predict y", TableSketch(name="none", rows=0, columns=())), {})


def _request(prompt: str, table: TableSketch) -> Request:
    return Request(prompt=prompt, tables={SourceRole.TRAIN: table})


def test_names_with_a_counter_are_groups() -> None:
    """Repeated measures of one thing, each row with a name of its own: the thing is the group."""
    mouse = ColumnSketch(
        name="MouseID",
        kind=ColumnKind.IDENTIFIER,
        distinct=300,
        missing_fraction=0,
        examples=("309_1", "309_2", "311_1"),
    )
    table = TableSketch(
        name="mice", rows=300, columns=(mouse, column("protein"), column("class", levels=("a", "b", "c")))
    )
    request = Request(
        prompt="Predict class; the same mouse was measured 15 times.",
        tables={SourceRole.TRAIN: table},
        metric="log_loss",
    )

    assert understand(request, {}).task.columns.group == "MouseID"


def test_a_forecast_needs_times(understood) -> None:
    """A horizon without any column of dates is refused, whatever else could be predicted."""
    with pytest.raises(Unsupported, match="dates"):
        understood("forecast the sales for the next 12 months", "titanic")
