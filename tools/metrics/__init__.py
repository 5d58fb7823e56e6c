"""Every score that is ever shown is computed here, on the host, from checked predictions."""

from open_autoglm.tools.metrics.base import History, Metric, MetricMisfit, Need, Truth
from open_autoglm.tools.metrics.predictions import InvalidPredictions, Predictions, check_predictions, read_predictions
from open_autoglm.tools.metrics.registry import (
    METRIC_NAMES,
    default_metric,
    get_metric,
    metric_for,
    metric_name,
    metrics_for,
)

__all__ = [
    "METRIC_NAMES",
    "History",
    "InvalidPredictions",
    "Metric",
    "MetricMisfit",
    "Need",
    "Predictions",
    "Truth",
    "check_predictions",
    "default_metric",
    "get_metric",
    "metric_for",
    "metric_name",
    "metrics_for",
    "read_predictions",
]
