"""Categories as numbers."""

import numpy as np
import pandas as pd


def list_levels(texts: pd.Series, *, most: int, at_least: int) -> list[str]:
    """List the levels, the most frequent first (equals by name); rare ones are left out and count as unseen."""
    counts = texts.value_counts()
    frequent = counts[counts >= at_least]
    ranked = sorted(frequent.items(), key=lambda item: (-item[1], item[0]))
    return [level for level, _ in ranked[:most]]


def level_codes(texts: pd.Series, levels: list[str]) -> np.ndarray:
    """Return the position of each level in the list, NaN for a level that is not in it: float64 [rows]."""
    codes = pd.Index(levels, dtype=object).get_indexer(texts.to_numpy(dtype=object)).astype(np.float64)
    return np.where(codes < 0, np.nan, codes)
