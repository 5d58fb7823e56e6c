"""What lower layers say is known, all of it, and said again in Chinese."""

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from open_autoglm.sandbox.devices import granting
from open_autoglm.sandbox.policy import default_policy
from open_autoglm.sandbox.report import ExecutionReport, Status, failure_line
from open_autoglm.sandbox.report_pb2 import Violation
from open_autoglm.sandbox.supervision import execution, session, watch
from open_autoglm.tools.metrics import base, parametric, predictions
from open_autoglm.tools.metrics.predictions import InvalidPredictions, check_predictions
from open_autoglm.tools.task import TaskType
from open_autoglm.tools.words import Words
from open_autoglm.tools.words.overheard import overheard

ZH = Words(language="zh")
TELLING = {"_stop", "_violate", "note_disk_limit", "NotedCall", "InvalidPredictions"}
"""Calls that are given a sentence."""


def sentences(module: object) -> Iterator[str]:
    """Yield what a module tells of executions, with a number for each value."""
    for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))):  # type: ignore[attr-defined]  # a module
        told: list[ast.expr] = []
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            told = [*node.args[-1:], *node.args[1:2]] if name in TELLING else []
            told += [word.value for word in node.keywords if word.arg == "detail"]
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[-1]).rpartition(".")[2] in ("detail", "why"):
            told = [node.value]
        yield from (text for value in told for text in texts(value))


def texts(value: ast.AST) -> Iterator[str]:
    """Yield the texts that an expression may be, of more than a word or two."""
    if isinstance(value, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in value.values)
    elif isinstance(value, ast.Constant):
        yield from [value.value] if isinstance(value.value, str) and value.value.count(" ") > 1 else []
    else:
        for part in ast.iter_child_nodes(value):
            yield from texts(part)


@pytest.mark.parametrize("module", [execution, session, watch, granting, predictions, parametric, base])
def test_every_sentence_is_known(module: object) -> None:
    """Also one that is added tomorrow: it is read from the code."""
    inside = set(sentences(module))
    assert inside
    assert [text for text in sorted(inside) if overheard(text, ZH) == text] == []


def test_the_reasons_of_the_policy_are_known() -> None:
    """Of the one that ships; another one's stay as they are."""
    calls = default_policy().system_calls
    reasons = [rule.why for rule in (*calls.refused, *calls.refused_without_namespaces)]
    assert [why for why in reasons if overheard(why, ZH) == why] == []
    assert overheard("a reason of one's own", ZH) == "a reason of one's own"


def test_a_sentence_within_a_sentence_is_said_again_too() -> None:
    """What is wrong with predictions, and how an execution ended for want of what."""
    with pytest.raises(InvalidPredictions) as raised:
        check_predictions(np.array([[0.5, 0.6]] * 4), rows=4, task_type=TaskType.BINARY, classes=(0, 1))
    assert overheard(str(raised.value), ZH) == "4 行中有 4 行（第一处是第 0 行）的概率之和不为 1。"
    report = ExecutionReport(status=Status.STATUS_ERROR, signal=6, violations=[Violation(subject="socket unix")])
    report.stderr.head = "no {way}"
    report.isolation.backend = "landlock"
    told = overheard(f"a cell failed: {failure_line(report)}", ZH)
    assert told.startswith(
        "有一个单元格失败：出错（被 SIGABRT 终止，信号 6）；最后的输出：no {way}（沙箱 'landlock' 没有套接字"
    )


def test_what_is_not_known_stays() -> None:
    """The text of an exception; and all of it in English."""
    assert overheard("ValueError: {x} at solution.py:3", ZH) == "ValueError: {x} at solution.py:3"
    assert overheard("disk limit", Words(language="en")) == "disk limit"
    assert overheard("disk limit", ZH) == "磁盘上限"
