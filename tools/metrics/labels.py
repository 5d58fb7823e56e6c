"""Metrics of labels: all but accuracy are read off the confusion matrix.

A class that training never saw has its own row in that matrix and is never hit.
"""

from functools import partial

import numpy as np

from open_autoglm.tools.metrics.base import CLASSIFICATION, Floats, Metric, Need, RowMean, Rows
from open_autoglm.tools.task import TaskType


def confusion(rows: Rows) -> Floats:
    """Count [truth, prediction] over all classes; one more class at the end where truth holds unseen ones."""
    codes = rows.y.astype(np.int64)
    size = len(rows.predictions.classes) + int((codes < 0).any())
    truth = np.where(codes < 0, size - 1, codes)
    counts = np.bincount(truth * size + rows.predictions.labels, minlength=size * size)
    return counts.reshape(size, size).astype(np.float64)


def _divide(over: Floats, under: Floats) -> Floats:
    """Divide elementwise; 0 where there is nothing to divide by."""
    return np.divide(over, under, out=np.zeros_like(over), where=under != 0)


def _hits(rows: Rows) -> Floats:
    return (rows.predictions.labels == rows.y).astype(np.float64)


def _balanced_accuracy(rows: Rows) -> float:
    matrix = confusion(rows)
    support = matrix.sum(axis=1)
    return float(_divide(np.diag(matrix), support)[support > 0].mean())


def _f1_of_each(matrix: Floats) -> Floats:
    return _divide(2 * np.diag(matrix), matrix.sum(axis=0) + matrix.sum(axis=1))


def _f1(rows: Rows) -> float:
    return float(_f1_of_each(confusion(rows))[len(rows.predictions.classes) - 1])


def _f1_macro(rows: Rows) -> float:
    matrix = confusion(rows)
    return float(_f1_of_each(matrix)[matrix.sum(axis=1) > 0].mean())


def _f1_weighted(rows: Rows) -> float:
    matrix = confusion(rows)
    return float(np.average(_f1_of_each(matrix), weights=matrix.sum(axis=1)))


def _mcc(rows: Rows) -> float:
    matrix = confusion(rows)
    total, truth, guess = matrix.sum(), matrix.sum(axis=1), matrix.sum(axis=0)
    spread = np.sqrt((total**2 - truth @ truth) * (total**2 - guess @ guess))
    return float((np.trace(matrix) * total - truth @ guess) / spread) if spread > 0 else 0.0


def _quadratic_kappa(rows: Rows) -> float:
    matrix = confusion(rows)
    place = np.arange(len(matrix))
    weights = (place[:, None] - place[None, :]) ** 2
    chance = np.sum(weights * np.outer(matrix.sum(axis=1), matrix.sum(axis=0))) / matrix.sum()
    return float(1 - np.sum(weights * matrix) / chance) if chance > 0 else 0.0


_of_labels = partial(Metric, greater_is_better=True, needs=Need.LABEL, task_types=CLASSIFICATION, valid_range=(0, 1))

METRICS = (
    _of_labels(
        name="accuracy",
        compute=RowMean(losses=_hits),
        english="Accuracy: the share of rows with the right label.",
        chinese="准确率：标签预测正确的行所占比例。",
        source="Share of labels that are equal.",
        aliases=("acc", "准确率", "正确率", "准确度"),
    ),
    _of_labels(
        name="balanced_accuracy",
        compute=_balanced_accuracy,
        english="Balanced accuracy: the mean over the classes of the share that was found.",
        chinese="平衡准确率：各类召回率的平均值。",
        source="Brodersen et al. 2010, The balanced accuracy and its posterior distribution; mean over the classes among the "
        "rows, not adjusted for chance.",
        aliases=("bacc", "balanced_acc", "uar", "macro_recall", "平衡准确率", "均衡准确率"),
    ),
    _of_labels(
        name="f1",
        task_types=frozenset({TaskType.BINARY}),
        compute=_f1,
        english="F1 of the positive class: the harmonic mean of precision and recall.",
        chinese="正类的 F1：精确率与召回率的调和平均。",
        source="van Rijsbergen 1979, Information Retrieval, with beta 1. No positive row, true or predicted: 0.",
        aliases=("f1_score", "f_measure", "f1_binary", "f1分数", "f1值"),
    ),
    _of_labels(
        name="f1_macro",
        compute=_f1_macro,
        english="Macro F1: the plain mean of the F1 of every class.",
        chinese="宏平均 F1：各类 F1 的简单平均。",
        source="Opitz and Burst 2019, Macro F1 and macro F1 (the mean of F1 values), over the classes among the true labels.",
        aliases=("macro_f1", "f1macro", "宏平均f1", "宏f1"),
    ),
    _of_labels(
        name="f1_weighted",
        compute=_f1_weighted,
        english="Weighted F1: the mean of the F1 of every class, by the number of its rows.",
        chinese="加权 F1：按各类行数加权的 F1 平均值。",
        source="As scikit-learn's f1_score with average='weighted'.",
        aliases=("weighted_f1", "加权f1"),
    ),
    _of_labels(
        name="mcc",
        compute=_mcc,
        valid_range=(-1, 1),
        english="Matthews correlation: the correlation of true and predicted labels, fair to rare classes.",
        chinese="马修斯相关系数：真实标签与预测标签的相关性，对少数类公平。",
        source="Matthews 1975; several classes: Gorodkin 2004, Comparing two K-category assignments. One label only, true or "
        "predicted: 0.",
        aliases=("matthews", "matthews_corrcoef", "phi", "马修斯相关系数"),
    ),
    _of_labels(
        name="quadratic_kappa",
        compute=_quadratic_kappa,
        valid_range=(-1, 1),
        english="Quadratic weighted kappa: agreement on ordered classes, far misses cost more.",
        chinese="二次加权 Kappa：有序类别的一致性，偏差越大惩罚越重。",
        source="Cohen 1968, Weighted kappa; distance is the number of classes between two labels in their sorted order. One "
        "label only, the same on both sides: 0.",
        aliases=("qwk", "kappa", "cohen_kappa", "quadratic_weighted_kappa", "二次加权kappa"),
    ),
)
