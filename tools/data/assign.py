"""Dealing rows to parts so that blocks stay whole, strata are spread evenly and parts have their sizes."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Ints = npt.NDArray[np.int64]
GREEDY_BLOCKS = 20_000
"""So many of the largest blocks are placed one by one; smaller ones follow in turn."""


def joined_blocks(*labellings: Ints) -> Ints:
    """Return the finest blocks [rows] in which rows stay together that share a label in any of the labellings.

    A negative label stands for itself alone. Blocks are numbered in the order of their first row.
    """
    rows = len(labellings[0])
    links: list[tuple[Ints, Ints]] = []
    offset = rows
    for labels in labellings:
        shared = np.flatnonzero(labels >= 0)
        codes = pd.factorize(labels[shared])[0]
        links.append((shared, codes + offset))
        offset += int(codes.max(initial=-1)) + 1
    ends = [np.concatenate(side) for side in zip(*links, strict=True)]
    graph = coo_array((np.ones(len(ends[0]), dtype=np.int8), (ends[0], ends[1])), shape=(offset, offset))
    labels = connected_components(graph, directed=False)[1][:rows]
    return pd.factorize(labels)[0].astype(np.int64)


def assign_parts(strata: Ints, blocks: Ints, weights: Sequence[float], rng: np.random.Generator) -> Ints:
    """Deal rows to parts and return the part of each row: int64 [rows].

    Large blocks go first, each to the part that lacks its strata most; single rows then fill every stratum up to its
    share (largest remainder). A stratum with fewer rows than parts goes to the heaviest parts first.

    Args:
        strata: Stratum of each row, 0..s-1 [rows].
        blocks: Block of each row, 0..b-1 [rows]; a block is never cut.
        weights: Share of each part; they sum to 1.
        rng: Breaks ties and shuffles.
    """
    sizes = np.bincount(blocks)
    parts = np.full(len(strata), -1, dtype=np.int64)
    table = np.outer(np.asarray(weights, dtype=float), np.bincount(strata))  # wanted rows [part, stratum]
    placed = np.zeros_like(table)
    _place_blocks(strata, blocks, sizes, table, placed, parts, rng)
    single = np.flatnonzero(parts < 0)
    for stratum in np.unique(strata[single]):
        rows = rng.permutation(single[strata[single] == stratum])
        counts = _shares(table[:, stratum] - placed[:, stratum], table.sum(axis=1) - placed.sum(axis=1), len(rows), rng)
        parts[rows] = np.repeat(np.arange(len(counts)), counts)
        placed[:, stratum] += counts
    return parts


def _place_blocks(
    strata: Ints, blocks: Ints, sizes: Ints, table: npt.NDArray[np.float64], placed: npt.NDArray[np.float64],
    parts: Ints, rng: np.random.Generator,
) -> None:  # fmt: skip
    """Place every block of two rows or more; `placed` and `parts` are filled in."""
    many = np.flatnonzero(sizes > 1)
    if not len(many):
        return
    order = many[np.lexsort((rng.random(len(many)), -sizes[many]))]
    by_block = np.argsort(blocks, kind="stable")
    ends = np.cumsum(sizes)
    scale = 1.0 / np.maximum(table.sum(axis=0), 1.0)
    share = np.maximum(table.sum(axis=1, keepdims=True), 1e-9)
    for turn, block in enumerate(order):
        rows = by_block[ends[block] - sizes[block] : ends[block]]
        if turn < GREEDY_BLOCKS:
            present, counts = np.unique(strata[rows], return_counts=True)
            lack = (table[:, present] - placed[:, present]) / share
            need = lack @ (counts * scale[present]) + 1e-3 * (1 - placed.sum(axis=1) / share[:, 0])
            part = int(np.argmax(need))
            placed[part, present] += counts
        else:  # tiny blocks in huge numbers even out by themselves
            part = int(np.argmax(table.sum(axis=1) - placed.sum(axis=1)))
            placed[part] += np.bincount(strata[rows], minlength=placed.shape[1])
        parts[rows] = part


def _shares(
    wanted: npt.NDArray[np.float64], spare: npt.NDArray[np.float64], rows: int, rng: np.random.Generator
) -> Ints:
    """Cut `rows` into whole counts near `wanted` [parts]; what is left over goes where the part has most room."""
    wanted = np.maximum(wanted, 0.0)
    total = wanted.sum()
    exact = wanted * rows / total if total > 0 else np.full(len(wanted), rows / len(wanted))
    counts = np.floor(exact + 1e-9).astype(np.int64)
    order = np.lexsort((rng.random(len(exact)), -spare, -np.round(exact - counts, 9)))
    counts[order[: rows - int(counts.sum())]] += 1
    return counts
