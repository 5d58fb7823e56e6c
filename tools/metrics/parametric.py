"""Metrics with a parameter: pinball (which quantile) and MASE (which season)."""

from collections.abc import Mapping

import numpy as np
from pydantic import JsonValue

from open_autoglm.errors import InputError
from open_autoglm.tools.metrics.base import NUMBERS, Floats, Metric, MetricMisfit, Need, RowMean, Rows
from open_autoglm.tools.metrics.predictions import InvalidPredictions
from open_autoglm.tools.task import TaskType


def quantiles_of(parameters: Mapping[str, JsonValue]) -> list[float]:
    """Read the quantiles that pinball judges.

    Raises:
        InputError: Not one or several numbers between 0 and 1.
    """
    wanted = parameters["quantile"]
    values = wanted if isinstance(wanted, list) else [wanted]
    quantiles = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool) and 0 < v < 1]
    if not values or len(quantiles) != len(values):
        raise InputError(f"pinball judges quantiles between 0 and 1, not {wanted!r}; for example 0.9.")
    return quantiles


def _check_quantiles(parameters: Mapping[str, JsonValue]) -> None:
    quantiles_of(parameters)


def _season(parameters: Mapping[str, JsonValue]) -> int:
    season = parameters["season"]
    if not isinstance(season, int) or isinstance(season, bool) or season < 1:
        raise InputError(f"mase counts its season in steps, 1 or more, not {season!r}; for example 12 for months.")
    return season


def _check_season(parameters: Mapping[str, JsonValue]) -> None:
    _season(parameters)


def _quantile_column(rows: Rows, quantile: float) -> Floats:
    """[n] the predictions for one quantile; the value itself where no quantiles were asked for."""
    known = rows.predictions.quantiles
    if not known:
        return rows.predictions.values
    if quantile not in known:
        raise InvalidPredictions(f"pinball judges quantile {quantile:g}; predicted are {', '.join(map(str, known))}.")
    return rows.predictions.matrix[:, 1 + known.index(quantile)]


def _tilted(rows: Rows) -> Floats:
    quantiles = quantiles_of(rows.parameters)
    losses = np.zeros(len(rows.y))
    for quantile in quantiles:
        short = rows.y - _quantile_column(rows, quantile)
        losses += np.maximum(quantile * short, (quantile - 1) * short)
    return losses / len(quantiles)


def _mase(rows: Rows) -> float:
    if rows.history is None:
        raise MetricMisfit("mase needs the history of each series, which only a forecasting task has. Use mae.")
    season, gaps = _season(rows.parameters), np.abs(rows.predictions.values - rows.y)
    ratios = []
    for case, past in enumerate(rows.history.series):
        judged = rows.history.cases == case
        moved = float(np.mean(np.abs(past[season:] - past[:-season]))) if len(past) > season else 0.0
        if moved > 0 and judged.any():
            ratios.append(float(np.mean(gaps[judged])) / moved)
    return float(np.mean(ratios)) if ratios else 0.0


METRICS = (
    Metric(
        name="pinball",
        greater_is_better=False,
        needs=Need.QUANTILE,
        task_types=NUMBERS,
        compute=RowMean(losses=_tilted),
        valid_range=(0, np.inf),
        english="Pinball loss: how well a quantile is predicted, in units of the target.",
        chinese="分位数损失：衡量分位数预测的好坏，单位与目标相同。",
        source="Koenker and Bassett 1978, Regression quantiles; `quantile` is one number or a list (then the mean). Predictions "
        "without quantile columns are judged by their value.",
        aliases=("pinball_loss", "quantile_loss", "分位数损失"),
        parameters={"quantile": 0.5},
        check_parameters=_check_quantiles,
    ),
    Metric(
        name="mase",
        greater_is_better=False,
        needs=Need.VALUE,
        task_types=frozenset({TaskType.FORECASTING}),
        compute=_mase,
        valid_range=(0, np.inf),
        english="Mean absolute scaled error: the error in units of the seasonal naive forecast's.",
        chinese="平均绝对标度误差：以季节性朴素预测的误差为单位。",
        source="Hyndman and Koehler 2006; per series and origin, then the mean; `season` is the lag in steps. Series whose past "
        "never changes, or is not longer than a season, are left out; no other series: 0.",
        aliases=("mean_absolute_scaled_error", "平均绝对标度误差"),
        parameters={"season": 1},
        check_parameters=_check_season,
    ),
)
