"""Metrics of order: how well predictions sort the rows, whatever their scale."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from open_autoglm.tools.metrics.base import CLASSIFICATION, Floats, Metric, Need, Rows
from open_autoglm.tools.task import TaskType


def average_ranks(values: Floats) -> Floats:
    """Rank [n] values from 1, equal ones sharing the mean of their ranks."""
    order = np.argsort(values)
    ordered = values[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sizes = np.diff(np.append(starts, len(values)))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(starts + (sizes + 1) / 2, sizes)
    return ranks


def _area_under_roc(positive: npt.NDArray[np.bool_], score: Floats) -> float:
    """The share of pairs in the right order (Mann and Whitney), ties half; both kinds of rows must be there."""
    hits = int(positive.sum())
    pairs = hits * (len(positive) - hits)
    return float((average_ranks(score)[positive].sum() - hits * (hits + 1) / 2) / pairs)


def _average_precision(positive: npt.NDArray[np.bool_], score: Floats) -> float:
    order = np.argsort(-score)
    ends = np.flatnonzero(np.r_[np.diff(score[order]) != 0, True])  # rows of equal score enter together
    hits = np.cumsum(positive[order])[ends]
    precision = hits / (ends + 1)
    return float(np.sum(np.diff(hits, prepend=0) * precision) / hits[-1])


def _over_classes(rows: Rows, area: Callable[[npt.NDArray[np.bool_], Floats], float], without: float) -> float:
    """Judge the positive class; with more than two, the plain mean over the classes that can be judged."""
    proba = rows.predictions.proba
    codes = range(proba.shape[1]) if proba.shape[1] > 2 else [proba.shape[1] - 1]
    areas = [area(rows.y == code, proba[:, code]) for code in codes if 0 < int((rows.y == code).sum()) < len(rows.y)]
    return float(np.mean(areas)) if areas else without


def _roc_auc(rows: Rows) -> float:
    return _over_classes(rows, _area_under_roc, 0.5)


def _precision_recall(rows: Rows) -> float:
    everywhere = float(np.all(rows.y == rows.predictions.proba.shape[1] - 1))
    return _over_classes(rows, _average_precision, everywhere)


def _spearman(rows: Rows) -> float:
    truth, guess = average_ranks(rows.y.astype(np.float64)), average_ranks(rows.predictions.values)
    truth, guess = truth - truth.mean(), guess - guess.mean()
    spread = np.sqrt((truth @ truth) * (guess @ guess))
    return float(np.clip(truth @ guess / spread, -1, 1)) if spread > 0 else 0.0


METRICS = (
    Metric(
        name="roc_auc",
        greater_is_better=True,
        needs=Need.PROBA,
        task_types=CLASSIFICATION,
        compute=_roc_auc,
        valid_range=(0, 1),
        english="Area under the ROC curve: the chance that a positive row is ranked above a negative one.",
        chinese="ROC 曲线下面积：正例排在负例之前的概率。",
        source="Fawcett 2006, An introduction to ROC analysis; several classes: the mean of one against the rest, over the "
        "classes found beside others among the rows. One class only: 0.5.",
        aliases=("auc", "auroc", "roc", "auc_roc", "rocauc", "曲线下面积"),
    ),
    Metric(
        name="average_precision",
        greater_is_better=True,
        needs=Need.PROBA,
        task_types=CLASSIFICATION,
        compute=_precision_recall,
        valid_range=(0, 1),
        english="Average precision: the area under the precision-recall curve, for rare positives.",
        chinese="平均精度：精确率-召回率曲线下面积，适合正例很少的情况。",
        source="Manning et al. 2008, Introduction to Information Retrieval, 8.4, without interpolation; several classes: as "
        "roc_auc. No positive row: 0; only positive rows: 1.",
        aliases=("ap", "auprc", "pr_auc", "prauc", "auc_pr", "平均精度"),
    ),
    Metric(
        name="spearman",
        greater_is_better=True,
        needs=Need.VALUE,
        task_types=frozenset({TaskType.REGRESSION}),
        compute=_spearman,
        valid_range=(-1, 1),
        english="Spearman's rank correlation: whether predictions sort the rows as the truth does.",
        chinese="斯皮尔曼等级相关：预测的排序与真实排序是否一致。",
        source="Spearman 1904, The proof and measurement of association between two things. A side that is constant: 0.",
        aliases=("spearmanr", "rank_correlation", "斯皮尔曼"),
    ),
)
