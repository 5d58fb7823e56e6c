"""The table as one sparse matrix for linear models: everything scaled, one column per level and per word."""

import numpy as np
import pandas as pd
from scipy import sparse

from open_autoglm.agents.recipes.blocks.choices import BENT, COLUMNS, HAS_CATEGORIES, HAS_DATES, HAS_NUMBERS, HAS_TEXTS
from open_autoglm.agents.recipes.blocks.cleaning import as_text, date_parts, find_date_format, to_numbers
from open_autoglm.agents.recipes.blocks.encoding import level_codes, list_levels
from open_autoglm.agents.recipes.blocks.texts import learn_vocabularies, text_weights


def learn_design(train: pd.DataFrame) -> dict:
    """Note what make_design must remember of the training rows: centres, scales, levels, words. Plain JSON."""
    learned: dict = {}
    if HAS_DATES:
        learned["date_formats"] = [find_date_format(train[name]) for name in COLUMNS["dates"]]
    if HAS_NUMBERS or HAS_DATES:
        numbers = pd.DataFrame(stack_numbers(train, learned))
        learned["centres"] = numbers.median().fillna(0.0).tolist()
        learned["scales"] = numbers.std().replace(0.0, np.nan).fillna(1.0).tolist()
        if BENT:
            scaled = scale(numbers.to_numpy(), learned)
            learned["knots"] = np.nanquantile(np.nan_to_num(scaled), [0.1, 0.3, 0.5, 0.7, 0.9], axis=0).tolist()
        learned["with_gaps"] = [int(position) for position in np.flatnonzero(numbers.isna().any())]
    if HAS_CATEGORIES:
        names = COLUMNS["categories"]
        learned["levels"] = [list_levels(as_text(train[name]), most=200, at_least=3) for name in names]
    if HAS_TEXTS:
        names = COLUMNS["texts"]
        learned["vocabularies"] = [learn_vocabularies(as_text(train[name]), most=20_000) for name in names]
    return learned


def stack_numbers(rows: pd.DataFrame, learned: dict) -> np.ndarray:
    """Return numbers and parts of dates side by side, float64 [rows, columns], NaN where missing."""
    parts = [np.empty((len(rows), 0))]
    if HAS_NUMBERS:
        parts.append(to_numbers(rows, COLUMNS["numbers"]))
    if HAS_DATES:
        pairs = zip(COLUMNS["dates"], learned["date_formats"], strict=True)
        parts += [date_parts(rows[name], date_format) for name, date_format in pairs]
    return np.column_stack(parts)


def scale(numbers: np.ndarray, learned: dict) -> np.ndarray:
    """Centre and scale; a gap becomes the median, and 10 deviations are as far as it goes."""
    scaled = (numbers - np.array(learned["centres"])) / np.array(learned["scales"])
    return np.clip(np.nan_to_num(scaled), -10.0, 10.0)


def scale_numbers(numbers: np.ndarray, learned: dict) -> np.ndarray:
    """Return the scaled numbers, and a column for each that had gaps in training: whether this row has one."""
    scaled = scale(numbers, learned)
    parts = [scaled, np.isnan(numbers)[:, learned["with_gaps"]]]
    if BENT:
        # What lies above each knot: the line may change its slope there.
        parts += [np.maximum(scaled - np.array(knot), 0.0) for knot in learned["knots"]]
    return np.hstack(parts)


def one_hot(rows: pd.DataFrame, names: list[str], levels: list[list[str]]) -> sparse.csr_matrix:
    """Return one column per level of each column, float64 [rows, levels]; an unknown level has none."""
    pairs = zip(names, levels, strict=True)
    codes = np.column_stack([level_codes(as_text(rows[name]), known) for name, known in pairs])
    first = np.cumsum([0, *map(len, levels)])  # where the levels of each column begin
    known = ~np.isnan(codes)
    places = (codes + first[:-1])[known].astype(int)
    return sparse.csr_matrix((np.ones(len(places)), (np.nonzero(known)[0], places)), shape=(len(rows), first[-1]))


def calendar(parts: np.ndarray) -> sparse.csr_matrix:
    """Return one column per month, day of the week and hour: what comes round again has no slope."""
    month, weekday, hour = parts[:, [1]], parts[:, [3]], parts[:, [5]]
    return sparse.csr_matrix(
        np.hstack([month == np.arange(1, 13), weekday == np.arange(7), hour == np.arange(24)]) * 1.0
    )


def make_design(rows: pd.DataFrame, learned: dict) -> sparse.csr_matrix:
    """Turn rows into sparse float64 [rows, features]."""
    parts = []
    if HAS_NUMBERS or HAS_DATES:
        parts.append(sparse.csr_matrix(scale_numbers(stack_numbers(rows, learned), learned)))
    if HAS_DATES:
        pairs = zip(COLUMNS["dates"], learned["date_formats"], strict=True)
        parts += [calendar(date_parts(rows[name], date_format)) for name, date_format in pairs]
    if HAS_CATEGORIES:
        parts.append(one_hot(rows, COLUMNS["categories"], learned["levels"]))
    if HAS_TEXTS:
        pairs = zip(COLUMNS["texts"], learned["vocabularies"], strict=True)
        parts += [text_weights(as_text(rows[name]), vocabularies) for name, vocabularies in pairs]
    return sparse.hstack(parts, format="csr")
