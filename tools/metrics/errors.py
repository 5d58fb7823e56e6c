"""Metrics of distance between predicted and true numbers."""

from functools import partial

import numpy as np

from open_autoglm.tools.metrics.base import NUMBERS, Floats, Metric, MetricMisfit, Need, RowMean, Rows
from open_autoglm.tools.task import TaskType

REGRESSION = frozenset({TaskType.REGRESSION})


def _gap(rows: Rows) -> Floats:
    return np.abs(rows.predictions.values - rows.y)


def _squares(rows: Rows) -> Floats:
    return (rows.predictions.values - rows.y) ** 2


def _log_squares(rows: Rows) -> Floats:
    if (rows.y < 0).any():
        raise MetricMisfit("rmsle judges targets of 0 and above, and this one is negative in places. Use rmse or mae.")
    return np.asarray((np.log1p(np.maximum(rows.predictions.values, 0)) - np.log1p(rows.y)) ** 2)


def _relative(rows: Rows) -> Floats:
    judged = rows.y != 0
    return np.asarray(_gap(rows)[judged] / np.abs(rows.y[judged]))


def _symmetric_relative(rows: Rows) -> Floats:
    size = np.abs(rows.predictions.values) + np.abs(rows.y)
    return np.divide(2 * _gap(rows), size, out=np.zeros(len(size)), where=size != 0)


def _r2(rows: Rows) -> float:
    truth = rows.y.astype(np.float64)
    missed = float(np.sum(_squares(rows)))
    spread = float(np.sum((truth - truth.mean()) ** 2))
    if spread == 0 or truth.min() == truth.max():  # of equal values rounding may leave a tiny spread
        return 1.0 if missed == 0 else 0.0
    return 1 - missed / spread


_of_numbers = partial(Metric, greater_is_better=False, needs=Need.VALUE, task_types=NUMBERS, valid_range=(0, np.inf))

METRICS = (
    _of_numbers(
        name="rmse",
        compute=RowMean(losses=_squares, finish=np.sqrt),
        english="Root mean squared error, in units of the target; large misses weigh most.",
        chinese="均方根误差，单位与目标相同；大的偏差权重最高。",
        source="Square root of the mean of squared differences.",
        aliases=("root_mean_squared_error", "rmsd", "均方根误差"),
    ),
    _of_numbers(
        name="rmsle",
        compute=RowMean(losses=_log_squares, finish=np.sqrt),
        english="Root mean squared error of log(1 + value): relative misses count, for targets of 0 and above.",
        chinese="对数均方根误差：衡量相对偏差，适用于非负目标。",
        source="As scikit-learn's root_mean_squared_log_error; predictions below 0 count as 0.",
        aliases=("root_mean_squared_log_error", "对数均方根误差"),
    ),
    _of_numbers(
        name="mae",
        compute=RowMean(losses=_gap),
        english="Mean absolute error, in units of the target.",
        chinese="平均绝对误差，单位与目标相同。",
        source="Mean of absolute differences.",
        aliases=("mean_absolute_error", "l1", "平均绝对误差"),
    ),
    _of_numbers(
        name="mape",
        compute=RowMean(losses=_relative),
        english="Mean absolute percentage error, as a fraction (0.1 is 10 %).",
        chinese="平均绝对百分比误差，以小数表示（0.1 即 10%）。",
        source="Hyndman and Koehler 2006, Another look at measures of forecast accuracy, as a fraction; rows whose truth is 0 "
        "have no percentage and are left out. No other row: 0.",
        aliases=("mean_absolute_percentage_error", "平均绝对百分比误差"),
    ),
    _of_numbers(
        name="smape",
        compute=RowMean(losses=_symmetric_relative),
        valid_range=(0, 2),
        english="Symmetric mean absolute percentage error, as a fraction from 0 to 2.",
        chinese="对称平均绝对百分比误差，取值 0 到 2。",
        source="Makridakis et al. 2020, The M4 competition, as a fraction; 0 where truth and prediction are both 0.",
        aliases=("symmetric_mape", "对称平均绝对百分比误差"),
    ),
    _of_numbers(
        name="r2",
        greater_is_better=True,
        task_types=REGRESSION,
        compute=_r2,
        valid_range=(-np.inf, 1),
        english="R squared: the share of the target's variance that is explained.",
        chinese="决定系数 R²:目标方差中被解释的比例。",
        source="Wright 1921, Correlation and causation. Constant truth: 1 where every prediction is exact, else 0.",
        aliases=("r_squared", "r2_score", "rsquared", "r^2", "r²", "决定系数"),
    ),
)
