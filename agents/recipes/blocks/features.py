"""The table as one matrix of numbers with NaN for what is missing, as tree models like it."""

import numpy as np
import pandas as pd

from open_autoglm.agents.recipes.blocks.choices import COLUMNS, HAS_CATEGORIES, HAS_DATES, HAS_NUMBERS
from open_autoglm.agents.recipes.blocks.cleaning import as_text, date_parts, find_date_format, to_numbers
from open_autoglm.agents.recipes.blocks.encoding import level_codes, list_levels


def learn_features(train: pd.DataFrame) -> dict:
    """Note what make_features must remember of the training rows. Plain JSON, so that it is saved as such."""
    learned: dict = {}
    if HAS_CATEGORIES:
        names = COLUMNS["categories"]
        learned["levels"] = [list_levels(as_text(train[name]), most=5000, at_least=2) for name in names]
    if HAS_DATES:
        learned["date_formats"] = [find_date_format(train[name]) for name in COLUMNS["dates"]]
    return learned


def make_features(rows: pd.DataFrame, learned: dict) -> np.ndarray:
    """Turn rows into float64 [rows, features]: categories as codes first, then numbers, then parts of dates."""
    parts = [np.empty((len(rows), 0))]
    if HAS_CATEGORIES:
        pairs = zip(COLUMNS["categories"], learned["levels"], strict=True)
        parts += [level_codes(as_text(rows[name]), levels) for name, levels in pairs]
    if HAS_NUMBERS:
        parts.append(to_numbers(rows, COLUMNS["numbers"]))
    if HAS_DATES:
        pairs = zip(COLUMNS["dates"], learned["date_formats"], strict=True)
        parts += [date_parts(rows[name], date_format) for name, date_format in pairs]
    return np.column_stack(parts)
