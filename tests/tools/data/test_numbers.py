"""Many columns of numbers at once: the same figures as pandas and numpy give one by one."""

import numpy as np
import pandas as pd
import pytest

from open_autoglm.tools.data.numbers import QUANTILES, numbers_of


def frame() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    drawn = generator.normal(size=40)
    return pd.DataFrame({
        "drawn": drawn,
        "holes": np.where(generator.random(40) < 0.3, np.nan, drawn),
        "edges": [np.inf, -np.inf, np.nan, *drawn[3:]],
        "flag": generator.integers(0, 2, 40),
        "few": generator.integers(-3, 3, 40).astype("float32"),
        "row": generator.permutation(40) + 7,
        "empty": np.full(40, np.nan),
        "large": np.arange(40, dtype="uint64") + 2**63,
        "word": ["a"] * 40,
    })  # fmt: skip


def test_figures_are_those_of_each_column_alone() -> None:
    """Counts, quantiles, mean and levels."""
    table = frame()
    found = numbers_of(table)

    assert [table.columns[i] for i in sorted(found)] == [name for name in table.columns if name != "word"]
    for i, numbers in found.items():
        values = table.iloc[:, i]
        present = values.dropna()
        finite = present[np.isfinite(present)].astype("float64")
        assert (numbers.present, numbers.distinct, numbers.gaps) == (
            len(present),
            present.nunique(),
            values.isna().sum(),
        )
        assert numbers.infinite == len(present) - len(finite)
        assert dict(numbers.counts) == present.value_counts().to_dict()
        if len(finite):
            assert numbers.quantiles == pytest.approx(np.quantile(finite, QUANTILES).tolist())
            assert numbers.mean == pytest.approx(finite.mean())
            assert numbers.negative == (finite < 0).any()


def test_what_numbers_the_rows_is_told_from_what_only_repeats_nothing() -> None:
    """Whole numbers one after the other, in whatever order; zeros and ones are flags."""
    table = frame()
    found = {table.columns[i]: numbers for i, numbers in numbers_of(table).items()}

    assert [name for name, numbers in found.items() if numbers.numbered] == ["row"]
    assert [name for name, numbers in found.items() if numbers.flags] == ["flag"]
