"""Which packages written code needs, and in which versions."""

from collections.abc import Sequence

VERSIONS = {
    "catboost": "catboost>=1.2,<2",
    "joblib": "joblib>=1.4,<2",
    "lightgbm": "lightgbm>=4.6,<5",
    "numpy": "numpy>=2,<3",
    "pandas": "pandas>=3,<4",
    "scipy": "scipy>=1.14,<2",
    "sklearn": "scikit-learn>=1.8,<2",
    "skops": "skops>=0.13,<1",
    "threadpoolctl": "threadpoolctl>=3.5,<4",
    "xgboost": "xgboost-cpu>=3,<4",
}
"""Import name to requirement."""


def requirements_of(packages: Sequence[str]) -> list[str]:
    """Return the requirements of these imports; numpy and pandas always, for the runtime needs them."""
    return [VERSIONS[name] for name in sorted({*packages, "numpy", "pandas"})]
