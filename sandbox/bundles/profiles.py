"""What a fork server imports before its first execution, chosen by what the code to come imports.

Importing is all it does with them: a parent that has computed, or has touched a GPU, hangs or breaks its children.
"""

import importlib.util
import re
from collections.abc import Mapping
from functools import cache

from open_autoglm.sandbox.base import Job, Profile

_TABULAR = (
    "numpy",
    "pandas",
    "pyarrow.parquet",
    "pandas.io.parquet",
    "pandas.core.arrays.arrow.extension_types",
    "pyarrow.dataset",
    "pyarrow.pandas_compat",
    "scipy.sparse",
    "scipy.stats",
    "joblib",
    "sklearn.compose",
    "sklearn.pipeline",
    "sklearn.preprocessing",
    "sklearn.impute",
    "sklearn.linear_model",
    "sklearn.ensemble",
    "sklearn.neighbors",
    "sklearn.model_selection",
    "sklearn.feature_extraction.text",
    "sklearn.decomposition",
    "sklearn.naive_bayes",
    "sklearn.calibration",
    "skops.io",
    "lightgbm",
)
KERNEL_IMPORTS = ("zmq", "ipykernel.heartbeat", "ipykernel.ipkernel", "ipykernel.kernelapp")
"""What a process that becomes a Jupyter kernel needs before anything else; none of it starts a thread when it is imported."""
IMPORTS: Mapping[Profile, tuple[str, ...]] = {
    Profile.PLAIN: (),
    Profile.TABULAR: _TABULAR,
    Profile.TORCH: (*_TABULAR, "torch"),
    Profile.KERNEL: _TABULAR,
}
_ON_TORCH = frozenset({"torch", "transformers", "peft", "accelerate"})
_ON_TABLES = frozenset({name.partition(".")[0] for name in _TABULAR} | {"xgboost", "catboost", "skrub", "matplotlib"})
_ON_TABLES_CALLS = ("fit", "predict")
"""Calls for which the runtime itself reads tables."""
_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+(\w+)|import[ \t]+([^#;\n]+))", re.MULTILINE)


def profile_of(job: Job) -> Profile:
    """Return the fork server that suits this job. A guess from the text of its code: a wrong one costs time and nothing else."""
    if job.call == "kernel":
        return Profile.KERNEL
    named = frozenset[str]().union(*map(_imported, job.code.values()))
    if named & _ON_TORCH and _has_torch():
        return Profile.TORCH
    if job.call in _ON_TABLES_CALLS or named & _ON_TABLES:
        return Profile.TABULAR
    return Profile.PLAIN


def _imported(text: str) -> set[str]:
    """Return the libraries that lines of this text import."""
    found = set()
    for origin, listed in _IMPORT.findall(text):
        names = [origin] if origin else listed.split(",")
        found |= {name.strip().partition(".")[0].partition(" ")[0] for name in names}
    return found


@cache
def _has_torch() -> bool:
    return importlib.util.find_spec("torch") is not None
