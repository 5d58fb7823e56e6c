"""The tree that a person reads is the tree that answers."""

import numpy as np

from open_autoglm.agents.recipes.blocks.solutions.tree import describe_tree, tree_answers
from open_autoglm.sandbox.inside.runtime.runtime import Context, Task

ASKS = [["colour", "red"], ["age", None]]
TREE = {
    "ask": 0, "at_most": 0.5, "missing": False,
    "yes": {"answer": [0.25, 0.75], "rows": 8},
    "no": {
        "ask": 1, "at_most": 30.0, "missing": True,
        "yes": {"answer": [1.0, 0.0], "rows": 5}, "no": {"answer": [0.5, 0.5], "rows": 4},
    },
}  # fmt: skip


def test_questions_and_answers_stand_as_people_read_them() -> None:
    """A level is asked for by its name, a gap goes where the text says, each answer tells how many rows stand behind it."""
    ctx = Context(params={}, task=Task(target="y", task_type="binary", metric="roc_auc", classes=("no", "yes")))
    assert describe_tree(TREE, ASKS, ctx).splitlines() == [
        "colour is 'red'? yes:",
        "    -> 'yes' with 75% (8 rows)",
        "no:",
        "    age <= 30 or missing? yes:",
        "        -> 'no' with 100% (5 rows)",
        "    no:",
        "        -> 'no' with 50% (4 rows)",
    ]
    rows = np.array([[0.0, 99.0], [1.0, np.nan], [1.0, 31.0]])
    assert tree_answers(TREE, rows).tolist() == [[0.25, 0.75], [1.0, 0.0], [0.5, 0.5]]
