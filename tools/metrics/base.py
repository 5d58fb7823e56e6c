"""What every metric is: a named number with a direction, computed from truth and predictions of the same rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import JsonValue

from open_autoglm.errors import InputError
from open_autoglm.tools.metrics.predictions import InvalidPredictions, Predictions
from open_autoglm.tools.task import Label, TaskType

Floats: TypeAlias = npt.NDArray[np.float64]
Truth: TypeAlias = npt.NDArray[np.int64] | npt.NDArray[np.float64]
"""[n] class codes for classification (-1: a class that training never saw), [n] float64 values otherwise."""

CLASSIFICATION = frozenset({TaskType.BINARY, TaskType.MULTICLASS})
NUMBERS = frozenset({TaskType.REGRESSION, TaskType.FORECASTING})


class MetricMisfit(InputError):
    """A metric that cannot judge this task or this target. The message names those that can."""


class Need(StrEnum):
    """What a metric looks at."""

    PROBA = "proba"
    LABEL = "label"
    VALUE = "value"
    QUANTILE = "quantile"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """What was known of each series when it was forecast; MASE measures errors in units of it."""

    series: Sequence[Floats]
    """One array of past values per case (a series at one origin), oldest first."""
    cases: npt.NDArray[np.int64]
    """[n] for each scored row the index of its case in `series`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """The rows to judge: truth beside predictions."""

    y: Truth
    predictions: Predictions
    parameters: Mapping[str, JsonValue] = field(default_factory=dict)
    history: History | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowMean:
    """A metric that is the mean of one number per row, then `finish`: what makes resampling it cheap."""

    losses: Callable[[Rows], Floats]
    """[n] one number per judged row; rows that cannot be judged are left out."""
    finish: Callable[[Floats], Floats] = lambda mean: mean
    """From the mean to the metric, elementwise (a square root)."""

    def __call__(self, rows: Rows) -> float:
        """Return the metric; 0 where no row can be judged."""
        losses = self.losses(rows)
        return float(self.finish(np.mean(losses, keepdims=True))[0]) if len(losses) else 0.0


def _accept_any(parameters: Mapping[str, JsonValue]) -> None:
    """Accept parameters without looking: the metric has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric. For binary tasks the last class counts as positive (`classes_of` puts it there)."""

    name: str
    greater_is_better: bool
    needs: Need
    task_types: frozenset[TaskType]
    compute: Callable[[Rows], float]
    valid_range: tuple[float, float]
    english: str
    """One line for people, in English."""
    chinese: str
    source: str
    """Where the definition comes from, and what it gives where that source gives nothing."""
    aliases: tuple[str, ...] = ()
    """Other names in use, in lower case with underscores."""
    parameters: Mapping[str, JsonValue] = field(default_factory=dict)
    """The parameters in force; their names are the ones that can be set."""
    check_parameters: Callable[[Mapping[str, JsonValue]], None] = _accept_any

    def __post_init__(self) -> None:
        """Refuse parameters with values out of range."""
        self.check_parameters(self.parameters)

    def score(
        self,
        y_true: Truth,
        predictions: Predictions,
        classes: Sequence[Label] = (),
        *,
        history: History | None = None,
    ) -> float:
        """Judge predictions against the truth of the same rows; always a finite number.

        Args:
            y_true: [n] class codes or values (`encode_target`).
            predictions: What was predicted for the same rows, in the same order.
            classes: Where given, must be the classes that the predictions were read with.
            history: What MASE needs.

        Raises:
            InvalidPredictions: Another number of rows, none at all, other classes, or values too large to score.
            MetricMisfit: The metric cannot judge this truth.
        """
        if classes and tuple(classes) != predictions.classes:
            raise InvalidPredictions(f"Predictions for the classes {predictions.classes} were scored as {classes}.")
        if len(y_true) != len(predictions.matrix):
            raise InvalidPredictions(f"There are {len(predictions.matrix)} predictions for {len(y_true)} rows.")
        if not len(y_true):
            raise InvalidPredictions("There are no rows to score.")
        rows = Rows(y=y_true, predictions=predictions, parameters=self.parameters, history=history)
        with np.errstate(over="ignore", invalid="ignore"):
            value = float(self.compute(rows))
        if not np.isfinite(value):
            raise InvalidPredictions(f"Predictions are too large to compute {self.name}.")
        return value

    def is_better(self, score: float, than: float) -> bool:
        """Whether one score beats another, strictly."""
        return score > than if self.greater_is_better else score < than

    def with_parameters(self, parameters: Mapping[str, JsonValue] | None) -> "Metric":
        """Set parameters.

        Raises:
            InputError: The metric has no such parameter, or its value is out of range.
        """
        unknown = [name for name in parameters or {} if name not in self.parameters]
        if unknown:
            known = ", ".join(self.parameters) or "none"
            raise InputError(f"Metric {self.name!r} has no parameter {unknown[0]!r}. It has: {known}.")
        return replace(self, parameters={**self.parameters, **(parameters or {})})
