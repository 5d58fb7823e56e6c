"""Wishes that are understood and not done: recognised by name and refused with the nearest thing that is.

A wish that is denied ("no clustering") is no wish. Names of columns are blanked before anything is looked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from open_autoglm.agents.recipes.intent.notes import Language
from open_autoglm.agents.recipes.intent.phrases import Lexicon
from open_autoglm.errors import Unsupported


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One thing that is not done: its names, its phrases, and the nearest thing that is done."""

    name: str
    chinese: str
    said: tuple[str, ...]
    nearest: str
    nearest_chinese: str
    unless_labelled: bool = False
    """Whether it is supported after all when the sentence names a column that holds the answer."""


REFUSALS: tuple[Refusal, ...] = (
    Refusal(
        name="clustering", chinese="聚类",
        said=("cluster*", "k means", "kmeans", "dbscan", "segment", "segmentation of customers", "customer segmentation", "segment our customers", "unsupervised", "find natural groups", "find groups", "natural groups",
              "聚类", "分群", "客户细分", "用户细分", "分成几个群", "几个群", "分成几组", "无监督", "人群划分", "群体划分"),
        nearest="name a column to predict (--target); groups you already have can be predicted as classes",
        nearest_chinese="请指定要预测的列(--target);已有的分组可以当作类别来预测",
    ),
    Refusal(
        name="anomaly detection without labels", chinese="无标签异常检测",
        said=("anomal*", "outlier*", "novelty detection", "abnormal rows", "异常检测", "异常点", "离群点", "异常值检测", "找出异常"),
        nearest="if a column says which rows are abnormal, name it as the target and it becomes a binary task",
        nearest_chinese="如果有一列标明了哪些行异常，把它作为目标列，就是二分类任务", unless_labelled=True,
    ),
    Refusal(
        name="ranking", chinese="排序学习",
        said=("learning to rank", "ndcg", "mean reciprocal rank", "mrr", "search ranking", "rank the documents", "rank documents", "rank search results", "rank the search results", "rank the results", "rank results", "ranking model", "lambdarank", "lambdamart", "rank the items", "rank items",
              "排序学习", "搜索排序", "排序模型", "学习排序", "结果排序", "检索排序"),
        nearest="predict the relevance or the click as a number or a class, then sort by it", nearest_chinese="可以把相关度或点击作为数值或类别来预测，再按预测值排序",
    ),
    Refusal(
        name="recommendation", chinese="推荐",
        said=("recommender*", "recommendation*", "recommend products", "recommend movies", "recommend items", "recommend things", "recommend books", "recommend songs", "recommend something", "recommend", "collaborative filtering", "matrix factorization", "matrix factorisation",
              "推荐系统", "推荐算法", "协同过滤", "推荐商品", "推荐电影", "个性化推荐", "推荐店铺", "推荐产品", "用户推荐", "推荐模型", "做推荐", "推荐一些", "推荐给"),
        nearest="predict the rating or the purchase of a user and item pair, given as a column", nearest_chinese="可以预测“用户-商品”对的评分或是否购买(需要有这样一列)",
    ),
    Refusal(
        name="multi-label classification", chinese="多标签分类",
        said=("multi label", "multilabel", "several labels per row", "several labels for each", "multiple labels", "multiple tags", "several tags", "more than one label", "多标签", "多个标签", "若干标签"),
        nearest="predict one label at a time: name one column with --target, one run each", nearest_chinese="可以一次预测一个标签：用 --target 指定一列，每列运行一次",
    ),
    Refusal(
        name="several targets", chinese="多个目标",
        said=("several targets", "multiple targets", "multi target", "multi output", "multitarget", "multioutput", "two targets", "both targets", "all targets", "多目标", "多个目标", "两个目标", "多输出", "多任务"),
        nearest="one run predicts one column: name it with --target, and run again for the others", nearest_chinese="一次运行预测一列：用 --target 指定，其余各列再分别运行",
    ),
    Refusal(
        name="joining files", chinese="多表关联",
        said=("join it with", "join with", "join them", "join the files", "join the tables", "join these", "join both", "join", "joined with", "merge the files", "merge the tables", "merge them", "merge with", "merge it with", "merge both", "merge these", "combine the files", "combine the tables", "combine both files", "link the tables",
              "关联两张表", "关联表", "合并两张表", "合并两个文件", "合并表", "合并文件", "多表关联", "拼接两张表", "表关联", "关联起来", "连接两张表", "拼接表", "合并这两", "关联这两"),
        nearest="join them beforehand (pandas.merge) and give the one table with --data", nearest_chinese="请先用 pandas.merge 合并，再用 --data 给出合并后的表",
    ),
    Refusal(
        name="fine-tuning a language model", chinese="微调语言模型",
        said=("fine tune", "fine tuning", "finetune", "finetuning", "lora", "qlora", "sft", "rlhf", "instruction tuning", "pretrain*", "train an llm", "train a language model", "微调", "大模型训练", "训练大模型", "训练一个大模型", "预训练"),
        nearest="a classifier or regressor on the text column, with one column as target", nearest_chinese="可以用文本列训练分类或回归模型，以某一列为目标",
    ),
    Refusal(
        name="text generation", chinese="文本生成",
        said=("chatbot", "chat bot", "summarise", "summarize", "summarization", "summarisation", "summary of the text", "translate", "translation", "generate text", "text generation", "write replies", "write reviews", "generate reviews", "write me a", "question answering", "write a poem", "generate replies",
              "聊天机器人", "摘要", "翻译", "文本生成", "生成文本", "问答系统", "自动回复", "生成一些", "写一篇", "写一首", "写诗", "对话系统", "生成回复", "生成评论", "总结一下评论"),
        nearest="predict a column of the table from its text, such as a sentiment, a topic or a rating", nearest_chinese="可以根据文本预测表中的一列，如情感、主题或评分",
    ),
    Refusal(
        name="image generation", chinese="图像生成",
        said=("generate images", "generate pictures", "generate an image", "image generation", "draw a picture", "stable diffusion", "diffusion model*", "gan", "text to image", "生成图片", "生成图像", "图像生成", "画一张", "文生图", "画图片"),
        nearest="predict a class or a number for each row of a table", nearest_chinese="可以为表中每一行预测类别或数值",
    ),
    Refusal(
        name="object detection and segmentation", chinese="目标检测与图像分割",
        said=("object detection", "bounding box*", "image segmentation", "semantic segmentation", "instance segmentation", "yolo", "pose estimation", "ocr", "face recognition", "目标检测", "图像分割", "语义分割", "人脸识别", "检测框", "文字识别"),
        nearest="one class or number per row of a table", nearest_chinese="可以为表中每一行预测一个类别或数值",
    ),
    Refusal(
        name="speech and audio", chinese="语音",
        said=("speech recognition", "speech to text", "transcribe*", "text to speech", "audio", "voice cloning", "语音识别", "语音转文字", "语音合成", "音频"),
        nearest="a table of features taken from the audio, with the answer as a column", nearest_chinese="可以先从音频提取特征做成表格，并把答案作为一列",
    ),
    Refusal(
        name="reinforcement learning", chinese="强化学习",
        said=("reinforcement learning", "rl agent", "q learning", "policy gradient", "ppo", "bandit*", "strategy game", "强化学习", "策略梯度", "智能体训练", "训练智能体"),
        nearest="predict the reward of an action from past rows", nearest_chinese="可以根据历史数据预测某个动作的收益",
    ),
    Refusal(
        name="causal effects", chinese="因果推断",
        said=("causal*", "treatment effect*", "uplift", "counterfactual*", "a b test", "因果", "处理效应", "增益模型", "反事实"),
        nearest="predict the outcome; the report shows which columns matter, which is not what causes it", nearest_chinese="可以预测结果；报告会给出重要的列，但重要不等于因果",
    ),
    Refusal(
        name="survival analysis", chinese="生存分析",
        said=("survival analysis", "time to event", "hazard", "cox model", "cox regression", "kaplan meier", "censored", "生存分析", "删失", "风险比例模型"),
        nearest="predict whether it happens within a fixed time as a binary target", nearest_chinese="可以把“固定时间内是否发生”作为二分类目标来预测",
    ),
    Refusal(
        name="topics and embeddings", chinese="主题模型与降维",
        said=("topic model*", "lda topics", "dimensionality reduction", "reduce the dimension*", "t sne", "tsne", "umap", "word2vec", "embeddings", "association rule*", "market basket", "apriori", "主题模型", "降维", "词向量", "关联规则", "购物篮"),
        nearest="predict a column; text and wide tables are reduced inside the model where it helps", nearest_chinese="可以预测某一列；需要时模型内部会对文本和宽表降维",
    ),
    Refusal(
        name="optimisation and planning", chinese="优化与规划",
        said=("route planning", "optimise the route*", "optimize the route*", "schedule the", "scheduling", "linear programming", "knapsack", "portfolio optimi*", "路径规划", "路线规划", "排班", "调度优化", "线性规划", "投资组合优化"),
        nearest="predict the number (demand, duration) that the plan needs", nearest_chinese="可以预测规划所需的数值(如需求、时长)",
    ),
    Refusal(
        name="fetching data", chinese="获取数据",
        said=("download", "scrape", "scraping", "crawl*", "from kaggle", "from the internet", "from the web", "find a dataset", "find me a dataset", "find data", "collect data", "web search", "下载数据", "爬取", "爬虫", "抓取", "从网上", "从 kaggle", "从kaggle", "找一个数据集", "找数据", "下载"),
        nearest="give the file itself with --data; nothing is fetched from a network", nearest_chinese="请用 --data 给出文件；程序不会联网获取数据",
    ),
    Refusal(
        name="exploring data without a prediction", chinese="只做数据分析",
        said=("only plot", "just plot", "plot the data", "draw a chart", "draw charts", "dashboard", "exploratory data analysis", "eda", "describe the data", "clean the data only", "only clean", "画图", "画个图", "可视化", "数据探索", "只做数据清洗", "只清洗数据", "数据看板", "描述性统计"),
        nearest="name a column to predict; the report of a run describes the data on the way", nearest_chinese="请指定要预测的列；运行报告会顺带描述数据",
    ),
    Refusal(
        name="synthetic data", chinese="合成数据",
        said=("synthetic data", "generate rows", "generate more data", "generate fake data", "合成数据", "生成数据", "造数据", "伪造数据"),
        nearest="train on the rows that are there", nearest_chinese="可以用现有数据训练模型",
    ),
)  # fmt: skip
_WORDS = Lexicon({r.name: r.said for r in REFUSALS})
_BY_NAME = {r.name: r for r in REFUSALS}


def refuse(text: str, language: Language, *, labelled: bool) -> None:
    """Refuse what is not done.

    Args:
        text: Folded, columns blanked.
        language: Of the message.
        labelled: Whether the sentence names a column as its target.

    Raises:
        Unsupported: The message names the wish and the nearest thing that is done.
    """
    for hit in _WORDS.wanted(text):
        refusal = _BY_NAME[hit.key]
        if not (refusal.unless_labelled and labelled):
            raise Unsupported(_message(refusal, language, ""))


def refuse_several_targets(names: Sequence[str], language: Language) -> None:
    """Refuse a list of targets, unless there is one at most.

    Raises:
        Unsupported: There are several.
    """
    if len(names) > 1:
        raise Unsupported(_message(_BY_NAME["several targets"], language, ", ".join(names)))


def _message(refusal: Refusal, language: Language, detail: str) -> str:
    if language == "zh":
        return f"暂不支持{refusal.chinese}（{refusal.name}）{f'（{detail}）' if detail else ''}。可以这样做：{refusal.nearest_chinese}。"
    return (
        f"{refusal.name.capitalize()}{f' ({detail})' if detail else ''} is not supported. Nearest: {refusal.nearest}."
    )
