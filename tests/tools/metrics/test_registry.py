"""Names, parameters, defaults and plug-ins."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from open_autoglm.errors import InputError, UnknownName
from open_autoglm.tools.metrics import (
    METRIC_NAMES,
    MetricMisfit,
    Predictions,
    default_metric,
    get_metric,
    metric_for,
    metric_name,
    metrics_for,
)
from open_autoglm.tools.metrics.plugins import MetricFailed, plugin_names
from open_autoglm.tools.task import MetricSpec, TaskType

LOWER_IS_BETTER = {"log_loss", "brier", "rmse", "rmsle", "mae", "mape", "smape", "pinball", "mase"}


def test_the_metrics_are_these() -> None:
    """Names are public: users and saved runs hold them."""
    assert set(METRIC_NAMES) == LOWER_IS_BETTER | {
        "roc_auc", "average_precision", "accuracy", "balanced_accuracy", "f1", "f1_macro", "f1_weighted", "mcc",
        "quadratic_kappa", "r2", "spearman",
    }  # fmt: skip


@pytest.mark.parametrize("name", METRIC_NAMES)
def test_every_metric_explains_itself(name: str) -> None:
    """Direction, range, one line in each language, and where the definition comes from."""
    metric = get_metric(name)

    assert metric.name == name
    assert metric.greater_is_better is (name not in LOWER_IS_BETTER)
    assert metric.valid_range[0] < metric.valid_range[1]
    assert metric.task_types
    assert metric.source.endswith(".")
    assert "\n" not in metric.english
    assert re.search("[\u4e00-\u9fff]", metric.chinese)


def test_better_follows_the_direction() -> None:
    """Strictly better, in the metric's own direction."""
    assert get_metric("roc_auc").is_better(0.9, 0.8)
    assert get_metric("rmse").is_better(1, 2)
    assert not get_metric("rmse").is_better(1, 1)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("AUC", "roc_auc"),
        ("pr-auc", "average_precision"),
        ("Log Loss", "log_loss"),
        ("准确率", "accuracy"),
        ("wow", None),
    ],
)
def test_common_names_are_understood(said: str, name: str | None) -> None:
    """Case, spaces, dashes and the names that other tools use."""
    assert metric_name(said) == name
    assert name is None or get_metric(said).name == name


def test_no_name_means_two_metrics() -> None:
    """An alias never hides a metric or another alias."""
    names = [alias for name in METRIC_NAMES for alias in (name, *get_metric(name).aliases)]

    assert len(names) == len(set(names))
    assert all(metric_name(alias) for alias in names)


def test_an_unknown_metric_offers_the_nearest() -> None:
    """A typo costs one line."""
    with pytest.raises(UnknownName, match=r"acuracy.*accuracy"):
        get_metric("acuracy")


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("pinball", {"quantile": 1.5}, "between 0 and 1"),
        ("pinball", {"quantile": []}, "between 0 and 1"),
        ("pinball", {"quantile": True}, "between 0 and 1"),
        ("mase", {"season": 0}, "1 or more"),
        ("mase", {"season": 1.5}, "1 or more"),
        ("pinball", {"alpha": 0.5}, "no parameter 'alpha'. It has: quantile"),
        ("rmse", {"x": 1}, "no parameter 'x'. It has: none"),
    ],
)
def test_impossible_parameters_are_refused(name: str, parameters: dict, message: str) -> None:
    """The message says what is possible."""
    with pytest.raises(InputError, match=message):
        get_metric(name, parameters)


def test_a_misfit_names_the_metrics_that_fit() -> None:
    """F1 of the positive class has no meaning for five classes."""
    with pytest.raises(MetricMisfit, match=r"does not fit a multiclass task. These do: .*f1_macro"):
        metric_for(MetricSpec(name="f1"), TaskType.MULTICLASS)
    assert metric_for(MetricSpec(name="pinball", parameters={"quantile": 0.9}), TaskType.REGRESSION).parameters == {
        "quantile": 0.9
    }


def test_defaults_fit_their_task() -> None:
    """Every task type has a metric that fits it; rare classes count where they are rare."""
    assert all(default_metric(kind).name in metrics_for(kind) for kind in TaskType)
    assert default_metric(TaskType.BINARY, {"no": 99, "yes": 1}).name == "roc_auc"
    assert default_metric(TaskType.MULTICLASS, {"a": 10, "b": 12, "c": 9}).name == "accuracy"
    assert default_metric(TaskType.MULTICLASS, {"a": 90, "b": 12, "c": 9}).name == "f1_macro"


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package that brings metrics, good and bad."""
    info = tmp_path / "acme_metrics-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-metrics\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[open_autoglm.metrics]\nprofit = acme_metrics:profit\nspread = acme_metrics:spread\nnothing = acme_metrics:NOTHING\n"
        "gone = acme_metrics:gone\nbroken = acme_metrics:broken\nvoid = acme_metrics:void\nrmse = acme_metrics:void\n"
    )
    (tmp_path / "acme_metrics.py").write_text(
        "class Kind:\n"
        "    def __init__(self, name, needs, score):\n"
        "        self.name, self.needs, self.greater_is_better, self.score = name, needs, needs != 'value', score\n"
        "    def __call__(self, truth, predicted):\n"
        "        return self.score(truth, predicted)\n"
        "profit = Kind('profit', 'label', lambda y, p: float((10 * (p & y) - p).sum()))\n"
        "spread = Kind('spread', 'value', lambda y, p: abs(y - p).max())\n"
        "broken = Kind('broken', 'proba', lambda y, p: 1 / 0)\n"
        "void = Kind('void', 'proba', lambda y, p: float('nan'))\n"
        "NOTHING = 3\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "acme_metrics", raising=False)


@pytest.mark.usefixtures("acme")
def test_a_package_brings_metrics() -> None:
    """Found by entry point, loaded only when asked for; its needs say which tasks it fits."""
    assert {"profit", "spread"} <= set(plugin_names())
    assert "acme_metrics" not in sys.modules

    profit, spread = get_metric("profit"), get_metric("spread")
    chosen = Predictions(
        matrix=np.array([[0.1, 0.9], [0.2, 0.8], [0.9, 0.1]]), classes=("no", "yes"), task_type=TaskType.BINARY
    )
    far = Predictions(matrix=np.array([[1.0], [5.0]]), classes=(), task_type=TaskType.REGRESSION)

    assert profit.score(np.array([1, 0, 1]), chosen) == 8
    assert profit.greater_is_better
    assert spread.score(np.array([1.0, 2.0]), far) == 3
    assert not spread.greater_is_better
    with pytest.raises(MetricMisfit, match="does not fit a regression"):
        metric_for(MetricSpec(name="profit"), TaskType.REGRESSION)


@pytest.mark.usefixtures("acme")
def test_a_package_cannot_replace_a_metric() -> None:
    """Ours go first, so that a score means the same everywhere."""
    assert get_metric("rmse").source.startswith("Square root")


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(("name", "message"), [("nothing", "is no metric"), ("gone", "cannot be loaded")])
def test_a_package_that_brings_no_metric_is_named(name: str, message: str) -> None:
    """The entry point is in the message, since that is what must be mended."""
    with pytest.raises(InputError, match=f"acme_metrics.*{message}"):
        get_metric(name)


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(("name", "message"), [("broken", "ZeroDivisionError"), ("void", "gave nan")])
def test_a_metric_that_fails_is_named(name: str, message: str) -> None:
    """Foreign code may raise or give no number; neither becomes a score."""
    chosen = Predictions(matrix=np.array([[0.1, 0.9]]), classes=("no", "yes"), task_type=TaskType.BINARY)

    with pytest.raises(MetricFailed, match=message):
        get_metric(name).score(np.array([1]), chosen)
