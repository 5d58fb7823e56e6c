"""All metrics by name, and which one judges a task."""

from collections.abc import Mapping

from pydantic import JsonValue

from open_autoglm.errors import UnknownName
from open_autoglm.tools.metrics import errors, labels, parametric, probability, ranking
from open_autoglm.tools.metrics.base import Metric, MetricMisfit
from open_autoglm.tools.metrics.plugins import load_plugin, plugin_names
from open_autoglm.tools.task import Label, MetricSpec, TaskType

_METRICS = {
    metric.name: metric
    for family in (ranking, probability, labels, errors, parametric)
    for metric in family.METRICS
}  # fmt: skip
_ALIASES = {alias: metric.name for metric in _METRICS.values() for alias in metric.aliases}

METRIC_NAMES: tuple[str, ...] = tuple(_METRICS)
"""The metrics that are built in."""


def metric_name(text: str) -> str | None:
    """Find the built-in metric that goes by this name or another one in use (`AUC`, `pr-auc`, `准确率`)."""
    plain = text.strip().lower().replace("-", "_").replace(" ", "_")
    return plain if plain in _METRICS else _ALIASES.get(plain)


def get_metric(name: str, parameters: Mapping[str, JsonValue] | None = None) -> Metric:
    """Look a metric up: one of ours by any of its names, else one of an installed package by its exact name.

    Raises:
        UnknownName: No metric of that name; offers the nearest.
        InputError: A parameter that the metric does not have, or a value that it cannot have.
    """
    known = metric_name(name)
    metric = _METRICS[known] if known else load_plugin(name)
    if metric is None:
        raise UnknownName("metric", name, [*METRIC_NAMES, *plugin_names()])
    return metric.with_parameters(parameters)


def metrics_for(task_type: TaskType) -> tuple[str, ...]:
    """Name the built-in metrics that fit a task."""
    return tuple(name for name, metric in _METRICS.items() if task_type in metric.task_types)


def metric_for(spec: MetricSpec, task_type: TaskType) -> Metric:
    """Look up the metric that a task names.

    Raises:
        UnknownName: No metric of that name.
        MetricMisfit: It does not fit the task; the message names those that do.
        InputError: A parameter that cannot be.
    """
    metric = get_metric(spec.name, spec.parameters)
    if task_type not in metric.task_types:
        fitting = ", ".join(metrics_for(task_type))
        raise MetricMisfit(f"Metric {spec.name!r} does not fit a {task_type.value} task. These do: {fitting}.")
    return metric


def default_metric(task_type: TaskType, class_counts: Mapping[Label, int] | None = None) -> MetricSpec:
    """Choose the metric where none was named.

    Two classes: roc_auc, which no imbalance and no threshold distorts. Several: accuracy, or f1_macro where the largest
    class has over three times the rows of the smallest and accuracy would mostly judge the large ones. Numbers: rmse.
    Forecasts: mase, the only one that compares across series.
    """
    if task_type is TaskType.MULTICLASS:
        counts = [count for count in (class_counts or {}).values() if count > 0]
        return MetricSpec(name="f1_macro" if counts and max(counts) > 3 * min(counts) else "accuracy")
    names = {TaskType.BINARY: "roc_auc", TaskType.REGRESSION: "rmse", TaskType.FORECASTING: "mase"}
    return MetricSpec(name=names[task_type])
