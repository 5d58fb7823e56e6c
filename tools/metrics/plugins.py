"""Metrics that other packages bring, by the entry point group `open_autoglm.metrics`.

The entry point's name is the metric's name; it names a callable object with the attributes of `MetricPlugin`:

    [project.entry-points."open_autoglm.metrics"]
    profit = "acme.metrics:profit"

Plug-ins are code that the user installed beside this package; they run on the host, and only when asked for by name.
"""

from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from open_autoglm.errors import AutoGLMError, InputError
from open_autoglm.tools.metrics.base import CLASSIFICATION, NUMBERS, Metric, Need, Rows

GROUP = "open_autoglm.metrics"


@runtime_checkable
class MetricPlugin(Protocol):
    """What the entry point must name."""

    name: str
    greater_is_better: bool
    needs: str
    """`proba`, `label` or `value`: what `predicted` holds, and with it which tasks the metric fits."""

    def __call__(self, truth: npt.NDArray[np.generic], predicted: npt.NDArray[np.generic]) -> float:
        """Judge [n] rows; for `proba` and `label` truth holds class codes, and predicted is [n, classes] or [n] codes."""
        ...


class MetricFailed(AutoGLMError):
    """A metric of another package raised, or gave no number."""


def plugin_names() -> tuple[str, ...]:
    """Name the metrics that installed packages bring, without loading them."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


def load_plugin(name: str) -> Metric | None:
    """Load the metric of that name; None where no installed package brings it.

    Raises:
        InputError: The package cannot be loaded, or brings something else.
    """
    points = sorted(entry_points(group=GROUP, name=name), key=lambda point: point.value)
    return _as_metric(points[0]) if points else None


def _as_metric(point: EntryPoint) -> Metric:
    try:
        plugin = point.load()
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"Metric {point.name!r} comes from {point.value!r}, which cannot be loaded: {error}."
        ) from error
    if not isinstance(plugin, MetricPlugin) or plugin.needs not in {Need.PROBA, Need.LABEL, Need.VALUE}:
        raise InputError(
            f"Metric {point.name!r} comes from {point.value!r}, which is no metric: it must be callable and have `name`, "
            "`greater_is_better` and `needs` (proba, label or value)."
        )
    needs = Need(plugin.needs)
    return Metric(
        name=point.name,
        greater_is_better=bool(plugin.greater_is_better),
        needs=needs,
        task_types=NUMBERS if needs is Need.VALUE else CLASSIFICATION,
        compute=_Call(plugin, needs),
        valid_range=(-np.inf, np.inf),
        english=f"A metric of the package behind {point.value}.",
        chinese=f"由 {point.value} 提供的指标。",
        source=point.value,
    )


class _Call:
    """Calls a plug-in with plain arrays and takes nothing but a finite number back."""

    def __init__(self, plugin: MetricPlugin, needs: Need) -> None:
        self.plugin, self.needs = plugin, needs

    def __call__(self, rows: Rows) -> float:
        predicted: npt.NDArray[np.generic] = rows.predictions.values
        if self.needs is not Need.VALUE:
            predicted = rows.predictions.proba if self.needs is Need.PROBA else rows.predictions.labels
        try:
            value = float(self.plugin(rows.y.copy(), predicted.copy()))
        except Exception as error:
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise MetricFailed(f"Metric {self.plugin.name!r} failed: {reason}.") from error
        if not np.isfinite(value):
            raise MetricFailed(f"Metric {self.plugin.name!r} gave {value} for {len(rows.y)} rows; it must be finite.")
        return value
