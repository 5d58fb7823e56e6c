"""What people call the metrics. English and Chinese side by side; keys are names of `open_autoglm.tools.metrics`."""

METRIC_WORDS: dict[str, tuple[str, ...]] = {
    "roc_auc": (
        "auc", "auroc", "auc score", "roc auc", "auc roc", "roc", "roc curve", "area under curve", "area under the curve", "area under roc", "area under the roc", "area under the roc curve", "area under roc curve",
        "auc of roc", "auc of the roc curve", "c statistic", "auc 值", "auc值", "roc 曲线", "roc曲线", "roc 曲线下面积", "roc曲线下面积", "roc曲线下的面积", "曲线下面积", "曲线下的面积",
    ),
    "average_precision": (
        "average precision", "ap", "ap score", "pr auc", "auprc", "aucpr", "auc pr", "pr curve", "precision recall auc", "precision recall curve", "area under the precision recall curve", "area under precision recall curve",
        "area under the pr curve", "平均精度", "平均精确率", "平均准确度", "pr 曲线", "pr曲线", "pr 曲线下面积", "pr曲线下面积", "pr曲线下的面积", "精确率召回率曲线下面积", "查准率查全率曲线",
    ),
    "log_loss": (
        "log loss", "logarithmic loss", "cross entropy", "cross entropy loss", "crossentropy", "ce loss", "negative log likelihood", "nll", "well calibrated probabilit*", "calibrated probabilit*", "good probabilit*", "accurate probabilit*",
        "对数损失", "对数似然损失", "交叉熵", "交叉熵损失", "概率准确", "概率要准", "概率要准确", "校准的概率", "概率校准", "校准概率",
    ),
    "accuracy": ("accuracy", "acc", "share of correct", "percent correct", "percentage correct", "hit rate", "准确率", "正确率", "准确度", "精度", "分类准确率", "准确性", "命中率"),
    "balanced_accuracy": ("balanced accuracy", "bacc", "bal acc", "mean recall", "average recall", "macro recall", "平衡准确率", "均衡准确率", "平衡精度", "平均召回率", "宏召回率"),
    "f1": ("f1", "f1 score", "f score", "f measure", "f1 measure", "binary f1", "f1 值", "f1值", "f1分数", "f1 分数", "f1得分", "f值"),
    "f1_macro": (
        "f1 macro", "macro f1", "macro f1 score", "macro averaged f1", "macro average f1", "f1 macro average", "mean f1", "macro f score", "宏f1", "宏 f1", "宏平均f1", "宏平均 f1", "宏观f1", "f1宏平均", "f1 宏平均", "宏f1值", "宏平均f1值", "宏平均",
    ),
    "f1_weighted": ("f1 weighted", "weighted f1", "weighted f1 score", "weighted averaged f1", "weighted average f1", "加权f1", "加权 f1", "加权平均f1", "加权平均 f1", "加权f1值", "f1加权平均"),
    "mcc": ("mcc", "matthews", "matthews correlation", "matthews correlation coefficient", "matthews corrcoef", "phi coefficient", "马修斯相关系数", "马修斯系数", "马修斯"),
    "quadratic_kappa": (
        "quadratic kappa", "quadratic weighted kappa", "quadratic cohen kappa", "qwk", "weighted kappa", "二次加权kappa", "二次加权 kappa", "二次kappa", "加权kappa", "加权 kappa", "二次加权卡帕",
    ),
    "brier": ("brier", "brier score", "brier loss", "布里尔", "布里尔分数", "布里尔得分", "brier分数", "brier 分数"),
    "rmse": ("rmse", "rms", "rms error", "root mean squared error", "root mean square error", "root mean squared deviation", "均方根误差", "均方根", "rmse值"),
    "rmsle": (
        "rmsle", "root mean squared log error", "root mean square log error", "root mean squared logarithmic error", "root mean square logarithmic error", "rmse of the log", "rmse of logs", "rmse on the log", "log rmse",
        "均方根对数误差", "对数均方根误差", "均方对数误差的平方根",
    ),
    "mae": ("mae", "mean absolute error", "mean absolute deviation", "average absolute error", "absolute error", "l1 loss", "平均绝对误差", "绝对误差", "平均绝对值误差", "平均绝对偏差"),
    "mape": ("mape", "mean absolute percentage error", "mean absolute percent error", "percentage error", "percent error", "relative error", "平均绝对百分比误差", "百分比误差", "平均百分比误差", "相对误差", "平均相对误差"),
    "smape": ("smape", "symmetric mape", "symmetric mean absolute percentage error", "对称平均绝对百分比误差", "对称mape", "对称百分比误差"),
    "r2": ("r2", "r²", "r^2", "r squared", "r square", "rsq", "r2 score", "coefficient of determination", "explained variance", "r方", "r 方", "r平方", "决定系数", "判定系数", "拟合优度", "可决系数"),
    "pinball": ("pinball", "pinball loss", "quantile loss", "分位数损失", "分位损失", "弹球损失"),
    "spearman": ("spearman", "spearman correlation", "spearman's rho", "spearman's", "rank correlation", "spearman rank correlation", "斯皮尔曼", "斯皮尔曼相关", "斯皮尔曼相关系数", "秩相关", "秩相关系数", "等级相关系数"),
    "mase": ("mase", "mean absolute scaled error", "平均绝对标度误差", "平均绝对比例误差"),
}  # fmt: skip

MISSPELT: dict[str, tuple[str, ...]] = {
    "accuracy": ("acuracy", "accurancy", "accuracey", "acurracy"),
    "f1": ("f1 socre", "f1 scroe"),
    "rmse": ("rsme", "rmes"),
}
"""Slips that a sentence is forgiven, as a guess that is told; an option has to be exact."""

STAND_INS: dict[str, tuple[tuple[str, ...], str, str, str]] = {
    "MSE": (("mse", "mean squared error", "mean square error", "squared error", "l2 loss", "均方误差", "平方误差"), "rmse", "RMSE is its root and ranks models the same way", "RMSE 是它的平方根，模型排序相同"),
    "MSLE": (("msle", "mean squared log error", "mean squared logarithmic error", "均方对数误差"), "rmsle", "RMSLE is its root and ranks models the same way", "RMSLE 是它的平方根，模型排序相同"),
    "Gini": (("gini", "gini coefficient", "基尼系数"), "roc_auc", "Gini is 2 AUC - 1 and ranks models the same way", "基尼系数等于 2 AUC - 1，模型排序相同"),
    "error rate": (("error rate", "misclassification rate", "错误率", "误分类率"), "accuracy", "the error rate is 1 - accuracy", "错误率等于 1 - 准确率"),
    "Cohen's kappa": (("kappa", "cohen kappa", "cohen's kappa", "kappa score", "kappa系数", "kappa 系数", "kappa值", "卡帕系数"), "quadratic_kappa", "of the kappas, the quadratically weighted one is at hand", "kappa 中可用的是二次加权 kappa"),
    "WAPE": (("wape", "wmape", "weighted mape", "加权百分比误差"), "mae", "WAPE is MAE divided by a constant and ranks models the same way", "WAPE 等于 MAE 除以常数，模型排序相同"),
    "micro F1": (("micro f1", "f1 micro", "micro averaged f1", "微平均f1", "微f1", "微平均 f1"), "accuracy", "with one label a row, micro F1 is accuracy", "每行一个标签时，微平均 F1 等于准确率"),
}  # fmt: skip
"""Other metrics that lead to the same choice of model: words, the metric that stands in, and why."""

UNOFFERED: dict[str, tuple[str, ...]] = {
    "precision": ("precision", "精确率", "查准率", "precision score"),
    "recall": ("recall", "sensitivity", "true positive rate", "tpr", "召回率", "查全率", "灵敏度", "敏感度"),
    "specificity": ("specificity", "true negative rate", "tnr", "特异度", "特异性"),
    "median absolute error": ("median absolute error", "medae", "中位数绝对误差", "绝对误差中位数"),
    "KS": ("ks statistic", "ks score", "kolmogorov smirnov", "ks值", "ks 值", "ks统计量"),
    "lift": ("lift", "lift score", "提升度"),
    "top-k accuracy": ("top k accuracy", "top 5 accuracy", "top 3 accuracy", "top k 准确率", "top5准确率"),
    "jaccard": ("jaccard", "iou", "intersection over union", "交并比"),
    "hinge": ("hinge", "hinge loss", "铰链损失"),
    "huber": ("huber", "huber loss"),
    "pearson": ("pearson", "pearson correlation", "皮尔逊", "皮尔逊相关系数"),
    "fbeta": ("f2", "f2 score", "f beta", "fbeta", "f0.5", "f0.5 score"),
    "deviance": ("deviance", "poisson deviance", "gamma deviance", "tweedie"),
    "perplexity": ("perplexity", "困惑度"),
    "BLEU": ("bleu", "rouge"),
}  # fmt: skip
"""Known to the field and not offered: refused by name, unless a metric that is offered was said too or a plug-in brings them."""
