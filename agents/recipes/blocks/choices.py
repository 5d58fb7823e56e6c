"""What differs from one written solution to the next. The writer resolves every name of this module.

Tables become literals on top of the solution; of a branch on a choice only the side that holds is written.
"""

TASK: dict = {}
"""What `ctx.task` is when the solution runs as a script: target, task_type, metric, classes, columns."""
COLUMNS: dict = {}
"""Column names by what they hold: numbers, categories, dates, texts; and by role: group, time, weight."""
PARAMS: dict = {}
"""What tuning may change."""
WEIGHTS: dict = {}
"""Of an ensemble: folder of a member to its weight."""

CLASSIFICATION: bool = True
HAS_NUMBERS: bool = True
HAS_CATEGORIES: bool = True
HAS_DATES: bool = True
HAS_TEXTS: bool = True
HAS_GROUP: bool = False
HAS_TIME: bool = False
HAS_WEIGHT: bool = False
TARGET_ENCODING: bool = False
"""Replace categories of many levels by what the target was, out of fold."""
COMPARISONS: bool = False
"""Add ratios and differences of the leading numbers."""
BENT: bool = False
"""Let a linear model bend its lines at quantiles."""
LOG_TARGET: bool = False
"""Learn log(1 + target)."""
TUNED_DECISION: bool = False
"""Choose the label by weights learned on inner folds, not by the largest probability."""
BAGGED: bool = False
"""Average one model per inner fold instead of refitting one model on all rows."""
EXTRA_TREES: bool = False
"""Split a forest's nodes at random thresholds (Geurts et al., 2006)."""
QUANTILES: bool = False
"""The task asks for quantiles beside the value."""
