"""The table as questions with a yes and a no, as a person would ask them: is it at most this, is it that level."""

import numpy as np
import pandas as pd

from open_autoglm.agents.recipes.blocks.choices import COLUMNS, HAS_CATEGORIES, HAS_DATES, HAS_NUMBERS
from open_autoglm.agents.recipes.blocks.cleaning import as_text, date_parts, find_date_format, to_numbers
from open_autoglm.agents.recipes.blocks.encoding import list_levels

DATE_PARTS = ("year", "month", "day", "weekday", "day of the year", "hour", "days since 1970")


def learn_questions(train: pd.DataFrame) -> dict:
    """Note levels, formats of dates, and what each column of the matrix asks: [column, level], None for numbers."""
    learned: dict = {"asks": []}
    if HAS_CATEGORIES:
        names = COLUMNS["categories"]
        learned["levels"] = [
            list_levels(as_text(train[name]), most=30, at_least=max(5, len(train) // 50)) for name in names
        ]
        learned["asks"] += [[n, level] for n, levels in zip(names, learned["levels"], strict=True) for level in levels]
    if HAS_NUMBERS:
        learned["asks"] += [[name, None] for name in COLUMNS["numbers"]]
    if HAS_DATES:
        learned["date_formats"] = [find_date_format(train[name]) for name in COLUMNS["dates"]]
        learned["asks"] += [[f"{part} of {name}", None] for name in COLUMNS["dates"] for part in DATE_PARTS]
    return learned


def ask_questions(rows: pd.DataFrame, learned: dict) -> np.ndarray:
    """Turn rows into float64 [rows, questions]: 0 for a level that is there, 1 for one that is not; numbers or NaN."""
    parts = [np.empty((len(rows), 0))]
    if HAS_CATEGORIES:
        for name, levels in zip(COLUMNS["categories"], learned["levels"], strict=True):
            texts = as_text(rows[name]).to_numpy(dtype=object)
            parts += [(texts != level).astype(np.float64) for level in levels]
    if HAS_NUMBERS:
        parts.append(to_numbers(rows, COLUMNS["numbers"]))
    if HAS_DATES:
        pairs = zip(COLUMNS["dates"], learned["date_formats"], strict=True)
        parts += [date_parts(rows[name], date_format) for name, date_format in pairs]
    return np.column_stack(parts)
