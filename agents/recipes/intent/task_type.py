"""What kind of task it is, from words, the metric and the values of the target."""

from collections.abc import Mapping
from dataclasses import dataclass

from open_autoglm.agents.recipes.intent.notes import Notes
from open_autoglm.agents.recipes.intent.phrases import Lexicon
from open_autoglm.errors import InputError, Unsupported
from open_autoglm.tools.data.profile import ColumnKind
from open_autoglm.tools.data.read import ColumnSketch
from open_autoglm.tools.task import TaskType

WORDS = Lexicon(
    {
        "forecasting": ("forecast*", "time series", "timeseries", "时间序列", "时序"),
        "classification": (
            "classif*", "multiclass", "multi class", "class", "classes", "categor*", "recogni*", "which kind", "which type", "which class", "ordinal", "probabilit*",
            "分类", "多分类", "类别", "哪一类", "归类", "识别", "个类", "三类", "几类", "分成", "概率",
        ),
        "binary": ("binary", "yes or no", "whether", "二分类", "是否", "会不会", "是不是"),
        "regression": ("regression", "regress*", "as a number", "as number", "numeric value", "continuous", "how much", "回归", "数值预测", "连续值", "具体数值", "多少钱"),
        "not a task": ("logistic regression", "linear regression", "ridge regression", "first class", "逻辑回归", "线性回归", "岭回归"),
    }
)  # fmt: skip
_NUMBERS = (ColumnKind.NUMERIC, ColumnKind.NUMERIC_TEXT)
_FEW = 20
"""Whole numbers with at most this many values may be classes."""
_SCALE = 5
"""From this many values on, few whole numbers are rather a scale than classes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What the sentence says about the kind of task."""

    words: frozenset[str]
    """Keys of `WORDS` that were said."""
    judged: frozenset[TaskType]
    """What the metrics that were said can judge; empty when they say nothing."""
    horizon: bool
    """Whether a stretch of future was named."""
    dated: bool
    """Whether the table has a column of dates or one was named."""
    option: str | None = None
    """The answer to the question about it."""


def task_type_words(text: str) -> frozenset[str]:
    """What a folded text says about the kind of task."""
    return frozenset(h.key for h in WORDS.wanted(text))


def choose_task_type(target: ColumnSketch, hints: Hints, notes: Notes) -> TaskType:
    """Decide the kind of task.

    Raises:
        Unsupported: A forecast without a column of times.
        InputError: The target has one value only, or holds dates, or words where numbers are asked for.
    """
    _refuse_hopeless(target)
    if hints.option in {t.value for t in TaskType}:
        return TaskType(hints.option)
    if "forecasting" in hints.words and hints.horizon and not hints.dated:
        raise Unsupported(
            "A forecast of the time to come needs a column of dates or times, and the table has none. Name a column to "
            "predict for each row instead."
        )
    if target.distinct == 2:
        if "regression" in hints.words and target.kind in _NUMBERS and hints.judged != {TaskType.BINARY}:
            return TaskType.REGRESSION
        return TaskType.BINARY
    if target.kind not in _NUMBERS:
        if "regression" in hints.words:
            raise InputError(
                f"{target.name!r} holds {target.kind.value} values: a regression needs numbers. Classify it, or name another target."
            )
        return TaskType.MULTICLASS
    if _is_forecast(hints):
        return TaskType.FORECASTING
    return _of_numbers(target, hints, notes)


def _refuse_hopeless(target: ColumnSketch) -> None:
    if target.kind is ColumnKind.EMPTY:
        raise InputError(f"The target {target.name!r} has no values at all. Name another column with --target.")
    if target.kind is ColumnKind.CONSTANT or target.distinct == 1:
        raise InputError(
            f"The target {target.name!r} has one value only: there is nothing to learn. Name another column with --target.{_if_lost(target)}"
        )
    if target.kind is ColumnKind.DATETIME:
        raise InputError(
            f"The target {target.name!r} holds dates. Predict a number (days until then) or a class instead."
        )


def _is_forecast(hints: Hints) -> bool:
    if "classification" in hints.words - {"forecasting"} and "forecasting" not in hints.words:
        return False
    return "forecasting" in hints.words or (hints.horizon and hints.dated)


def _of_numbers(target: ColumnSketch, hints: Hints, notes: Notes) -> TaskType:
    if "regression" in hints.words:
        return TaskType.REGRESSION
    few = target.distinct <= _FEW and _whole(target)
    if "classification" in hints.words and (target.distinct <= 100 or hints.judged):
        return TaskType.MULTICLASS
    votes = hints.judged & {TaskType.REGRESSION, TaskType.MULTICLASS}
    if few and len(votes) == 1:
        return next(iter(votes))
    if not few:
        return TaskType.REGRESSION
    scale = target.distinct >= _SCALE
    choices = (TaskType.REGRESSION, TaskType.MULTICLASS) if scale else (TaskType.MULTICLASS, TaskType.REGRESSION)
    reasons = _reasons(target.distinct)[choices[0]]
    text = notes.say(f"Is {target.name!r} a number or a class?", f"{target.name!r} 是数值还是类别?")
    notes.ask("task_type", text, tuple(c.value for c in choices), notes.say(*reasons))
    notes.guess("task_type", choices[0].value, *reasons)
    return choices[0]


def _whole(target: ColumnSketch) -> bool:
    numbers = [level for level in target.levels if isinstance(level, int | float)]
    return all(float(n).is_integer() for n in numbers)


def _reasons(distinct: int) -> Mapping[TaskType, tuple[str, str]]:
    return {
        TaskType.REGRESSION: (f"{distinct} whole numbers look like a scale", f"{distinct} 个整数取值像是一个量表"),
        TaskType.MULTICLASS: (
            f"{distinct} whole numbers look like codes of classes",
            f"{distinct} 个整数取值像是类别编码",
        ),
    }


def _if_lost(target: ColumnSketch) -> str:
    """Return how to keep a second class that may have been read as missing."""
    if not target.missing_fraction:
        return ""
    return " If its gaps are a class that is called None or NA, keep it: --read keep_default_na=false"
