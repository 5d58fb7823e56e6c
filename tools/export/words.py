"""Fixed words of the report in the user's language. The headline and the section titles follow the task's language."""

from collections.abc import Mapping
from typing import Final

METRICS: Final[Mapping[str, str]] = {
    "roc_auc": "ROC AUC", "average_precision": "average precision", "log_loss": "log loss", "balanced_accuracy": "balanced accuracy",
    "f1": "F1", "f1_macro": "macro F1", "f1_weighted": "weighted F1", "mcc": "MCC", "quadratic_kappa": "quadratic kappa",
    "brier": "Brier score", "rmse": "RMSE", "rmsle": "RMSLE", "mae": "MAE", "mape": "MAPE", "smape": "sMAPE", "r2": "R²",
    "pinball": "pinball loss", "spearman": "Spearman correlation", "mase": "MASE",
}  # fmt: skip
"""Metrics as people write them."""

_ENGLISH: Final[Mapping[str, str]] = {
    "report": "Report",
    "headline": "Predicting {target}",
    "holdout": "on {rows} rows set aside before the search began, scored once",
    "folds": "cross-validated; no rows were set aside",
    "unscored": "There is no score.",
    "interval": "95 % interval {low} to {high}",
    "shipped": "The shipped model was fitted anew on all rows, with the winner's code, parameters and seed. It has no score of its own: "
    "the scores here belong to its twin, fitted without the rows set aside.",
    "scored_ships": "The shipped model is the one that was scored.",
    "better": "The linear baseline lies outside the interval: the gain is larger than chance.",
    "unclear": "The linear baseline lies within the interval: these rows alone cannot tell the gain from chance.",
    "same": "The winner is the linear baseline itself.",
    "worse": "The linear baseline did better on these rows. Prefer it, or search longer.",
    "attention": "What to know first",
    "checks": "Checks in a clean sandbox",
    "leaderboard": "Leaderboard",
    "search": "How the search went",
    "importance": "What the model looks at",
    "diagnostics": "Where it is right and wrong",
    "data": "The data",
    "cost": "Time and cost",
    "use": "How to use it",
    "left_out": "What was left out",
    "asked": "Asked",
    "guesses": "Guessed, since it was not said",
}

_CHINESE: Final[Mapping[str, str]] = {
    "report": "报告",
    "headline": "预测 {target}",
    "holdout": "在搜索开始前留出的 {rows} 行上只评估一次",
    "folds": "交叉验证结果；没有留出数据",
    "unscored": "没有得分。",
    "interval": "95% 置信区间 {low} 至 {high}",
    "shipped": "交付的模型用同样的代码、参数和种子在全部数据上重新训练，它本身没有得分；这里的得分属于未使用留出数据训练的同款模型。",
    "scored_ships": "交付的模型就是被评估的模型。",
    "better": "线性基线在区间之外：提升超出了偶然。",
    "unclear": "线性基线在区间之内：仅凭这些数据，无法区分提升与偶然。",
    "same": "胜出的就是线性基线本身。",
    "worse": "线性基线在这些数据上更好。请优先使用它，或延长搜索时间。",
    "attention": "首先要知道的",
    "checks": "在干净沙箱中的核对",
    "leaderboard": "排行榜",
    "search": "搜索过程",
    "importance": "模型看重什么",
    "diagnostics": "对与错在哪里",
    "data": "数据",
    "cost": "时间与花费",
    "use": "如何使用",
    "left_out": "未包含的内容",
    "asked": "请求",
    "guesses": "没有说明、由系统推测的内容",
}

WORDS: Final[Mapping[str, Mapping[str, str]]] = {"en": _ENGLISH, "zh": _CHINESE}


def metric_title(name: str) -> str:
    """Return a metric's name as people write it."""
    return METRICS.get(name, name.replace("_", " "))
