"""The glm strategist: who writes what, what is kept for a resumed run, and how it hands over to recipes."""

import asyncio
import json
from collections.abc import Iterable, Mapping

import pytest
from tests.agents.glm import world

from open_autoglm.agents.glm.operators.plan import Idea, Ideas
from open_autoglm.agents.glm.operators.propose_space import Range, Ranges, dimension_of
from open_autoglm.agents.glm.safety import SafetyNet
from open_autoglm.agents.glm.scripted import Scripted, ScriptedGLM
from open_autoglm.agents.glm.strategist import (
    MERGE_EVERY,
    MOST_PLANS,
    RECIPES_FIRST,
    GlmStrategist,
    best_of_two_branches,
)
from open_autoglm.agents.glm.wire import Finish, Purpose, Reply
from open_autoglm.agents.strategist import Brief, Operator, Past
from open_autoglm.errors import EndpointFailed
from open_autoglm.events import Json
from open_autoglm.sandbox.bundles.bundle import Author, CodeBundle
from open_autoglm.sandbox.report import ExecutionReport, Status
from open_autoglm.tools.tuning import Choice, Float, Int

IDEAS = Ideas(
    ideas=[
        Idea(title="Small gain", approach="Something else entirely.", gain="small", cost="seconds"),
        Idea(title="Large gain", approach="Something else entirely.", gain="large", cost="long"),
    ]
)
OTHER = world.SOLUTION.replace('"C": 1.0', '"C": 0.3')
EDIT = """Change: stronger regularisation
<<<<<<< SEARCH
PARAMS = {"C": 1.0, "max_iter": 200, "balanced": False}
=======
PARAMS = {"C": 0.1, "max_iter": 200, "balanced": False}
>>>>>>> REPLACE
"""
BROKEN = EDIT.replace('"C": 1.0, ', '"C": 2.0, ')


class Kept:
    """Facts in memory."""

    def __init__(self) -> None:
        self.facts: dict[str, str] = {}

    def get_meta(self, key: str) -> str | None:
        return self.facts.get(key)

    def set_meta(self, key: str, value: str) -> None:
        self.facts[key] = value


def strategist(glm: ScriptedGLM, kept: Kept | None = None, net: SafetyNet | None = None) -> GlmStrategist:
    return GlmStrategist(world.desk(glm), kept=kept or Kept(), net=net or SafetyNet())


def drafted(
    glm: ScriptedGLM, index: int, brief: Brief | None = None, kept: Kept | None = None, net: SafetyNet | None = None
) -> CodeBundle | None:
    return asyncio.run(strategist(glm, kept, net).draft(brief or world.brief(), index))


def answering(answers: Mapping[Purpose, Iterable[Scripted]]) -> ScriptedGLM:
    return ScriptedGLM(answers)


def test_recipes_write_the_first_drafts() -> None:
    """A score within seconds needs no model: the first drafts ask it nothing."""
    glm = answering({})
    authors = [made.author for index in range(RECIPES_FIRST) if (made := drafted(glm, index)) is not None]
    assert authors == [Author.RECIPES] * RECIPES_FIRST


def test_the_most_promising_idea_is_drafted_first() -> None:
    """Ideas are kept in the order of what they promise, and what the model wrote has the model as author."""
    glm = answering({Purpose.PLAN: [IDEAS], Purpose.DRAFT: [world.fenced(world.SOLUTION), world.fenced(OTHER)]})
    kept = Kept()
    first, second = (drafted(glm, RECIPES_FIRST + place, kept=kept) for place in (0, 1))

    assert first is not None
    assert second is not None
    assert (first.title, second.title) == ("Large gain", "Small gain")
    assert first.author is second.author is Author.MODEL
    assert first.requirements == ["numpy>=2.4,<3", "pandas>=3.1,<4", "scikit-learn>=1.9,<2"]
    assert glm.left == 0, "the plan was asked for once, although the second draft had another strategist"


def test_after_the_last_idea_recipes_go_on() -> None:
    """A model without new ideas is asked a few times more, then recipes that nobody wrote yet come."""
    kept = Kept()
    glm = answering({Purpose.PLAN: [IDEAS] * MOST_PLANS})
    made = [drafted(glm, RECIPES_FIRST + 2, kept=kept) for _ in range(MOST_PLANS + 1)]

    assert all(bundle is not None and bundle.author is Author.RECIPES for bundle in made)
    assert glm.left == 0, "the first plan brought ideas, the others nothing new"


def test_the_written_code_is_whole() -> None:
    """The host adds what makes the file a program, with classes that the model never saw."""
    glm = answering({Purpose.PLAN: [IDEAS], Purpose.DRAFT: [world.fenced(world.SOLUTION)]})
    made = drafted(glm, RECIPES_FIRST)
    assert made is not None
    source = made.files["solution.py"]
    assert source.startswith(world.SOLUTION.rstrip())
    assert source.count("script(TASK, PARAMS, fit, predict)") == 1
    assert '"classes": ["in time", "late"]' in source


@pytest.mark.parametrize(
    "useless",
    [
        "I am sorry, I cannot help with that.",
        "",
        "抱歉，我不能写代码。",
        Reply(text="declined", finish=Finish.REFUSAL),
        Reply(text="x = 1\n" * 50, finish=Finish.REPETITION),
        Reply(text="```python\nimport pandas", finish=Finish.LENGTH),
        "```python\ndef fit(train, ctx):\n    return (\n```",
        "```python\nprint('hello')\n```",
        world.fenced(world.SOLUTION.replace("import pandas as pd", "import tensorflow")),
        world.fenced("import pandas\n" + world.SOLUTION.replace("PARAMS =", "SETTINGS =")),
    ],
)
def test_useless_answers_end_in_a_recipe(useless: str | Reply) -> None:
    """Whatever comes in place of code, the model is told what was wrong twice, and then a recipe is drafted."""
    glm = answering({Purpose.PLAN: [IDEAS], Purpose.DRAFT: [useless] * 3})
    made = drafted(glm, RECIPES_FIRST)
    assert made is not None
    assert made.author is Author.RECIPES
    assert glm.left == 0
    assert glm.calls[-1].messages[-1].text.startswith("This answer cannot be used.")
    assert glm.calls[-1].thinking == 0


def test_what_the_user_forbids_is_not_written() -> None:
    """A linear model is refused where linear models were forbidden; the model is told why."""
    brief = world.brief(task=world.task(constraints={"forbidden_models": ["linear"]}))
    glm = answering({Purpose.PLAN: [IDEAS], Purpose.DRAFT: [world.fenced(world.SOLUTION)] * 3})
    made = drafted(glm, RECIPES_FIRST, brief)
    assert made is not None
    assert made.author is Author.RECIPES
    assert "forbids models of the family linear" in glm.calls[-1].messages[-1].text


def test_code_that_is_right_the_second_time_is_taken() -> None:
    """The model sees its answer and what was wrong with it."""
    wrong = world.fenced(world.SOLUTION.replace("import pandas as pd", "import tensorflow"))
    glm = answering({Purpose.PLAN: [IDEAS], Purpose.DRAFT: [wrong, world.fenced(world.SOLUTION)]})
    made = drafted(glm, RECIPES_FIRST)
    assert made is not None
    assert made.author is Author.MODEL
    assert "tensorflow" in glm.calls[-1].messages[-1].text


def test_every_fourth_draft_merges_the_best_of_two_branches() -> None:
    """The best solution and the best that does not descend from it, nor it from that; the next idea comes after."""
    first = world.past("a0001", mean=0.8)
    child = world.past("a0002", mean=0.85, operator=Operator.IMPROVE, parents=("a0001",))
    other = world.past("a0003", mean=0.7)
    trial = world.past("a0004", mean=0.9, operator=Operator.TUNE, parents=("a0003",))
    brief = world.brief([first, child, other, trial])
    assert [past.attempt_id for past in best_of_two_branches(brief)] == ["a0002", "a0003"]

    merged = "Change: both in one\n" + world.fenced(OTHER)
    glm = answering({Purpose.MERGE: [merged], Purpose.PLAN: [IDEAS, IDEAS, IDEAS]})
    made = drafted(glm, RECIPES_FIRST + MERGE_EVERY - 1, brief)
    assert made is not None
    assert (made.title, made.author) == ("both in one", Author.MODEL)
    assert drafted(glm, RECIPES_FIRST + MERGE_EVERY - 1, world.brief([first])) is not None, "alone: a recipe"


def test_a_dead_endpoint_degrades_to_recipes() -> None:
    """Once the model is given up, nothing is asked any more, and every method still answers."""
    net = SafetyNet()
    glm = answering({Purpose.PLAN: [EndpointFailed("gone")] * 2})
    writer = strategist(glm, net=net)
    brief, parent = world.brief(), world.past()

    async def go() -> list[object]:
        return [
            await writer.draft(brief, 2),
            await writer.draft(brief, 3),
            await writer.draft(brief, 4),
            await writer.improve(brief, parent),
            await writer.repair(brief, parent.bundle, ExecutionReport(status=Status.STATUS_ERROR)),
            await writer.propose_space(brief, parent),
            await writer.merge(brief, [parent, parent], {}),
            await writer.reflect(brief, parent),
            (await writer.understand(world.request("Predict paid."), {})).task.target,
        ]

    *drafts, improved, mended, space, merged, lesson, target = asyncio.run(go())
    assert net.degraded is not None
    assert len({draft.content_hash for draft in drafts if isinstance(draft, CodeBundle)}) == 3
    assert (improved, mended, space, merged) == (None,) * 4
    assert "the first score" in str(lesson)
    assert target == "paid"


def test_an_edit_changes_the_parent_and_says_what() -> None:
    """An edit that applies once is taken; the title is what the model says it changed."""
    glm = answering({Purpose.IMPROVE: [EDIT]})
    made = asyncio.run(strategist(glm).improve(world.brief(), world.past()))
    assert made is not None
    assert made.title == "stronger regularisation"
    assert '"C": 0.1' in made.files["solution.py"]


def test_an_edit_that_does_not_apply_is_asked_for_again_and_then_a_whole_file() -> None:
    """First with the reason, then the last time with the wish for a whole file."""
    glm = answering({Purpose.IMPROVE: [BROKEN, BROKEN, world.fenced(OTHER)]})
    made = asyncio.run(strategist(glm).improve(world.brief(), world.past()))
    assert made is not None
    assert '"C": 0.3' in made.files["solution.py"]
    assert "whole file" in glm.calls[-1].messages[-1].text
    assert "whole file" not in glm.calls[-2].messages[-1].text


def test_model_and_recipes_take_turns_on_a_recipe() -> None:
    """What recipes wrote, recipes know how to change, too; one edit by a model makes it the model's."""
    glm = answering({Purpose.IMPROVE: [EDIT]})
    brief = world.brief()
    parent = world.past("a0001", bundle=world.bundle(author=Author.RECIPES))
    first = world.past("a0004", operator=Operator.IMPROVE, parents=("a0001",), status="running", mean=None)

    made = asyncio.run(strategist(glm).improve(world.brief([parent, first]), parent))
    assert made is not None
    assert made.author is Author.MODEL
    made = asyncio.run(strategist(glm).improve(brief, drafted_by_recipes(brief)))
    assert made is not None
    assert made.author is Author.RECIPES


def drafted_by_recipes(brief: Brief) -> Past:
    made = drafted(answering({}), 1, brief)
    assert made is not None
    return world.past("a0002", bundle=made)


def test_spaces_are_asked_for_once() -> None:
    """A trial is made again and again from one space, also by a resumed run; ranges hold the present value."""
    ranges = Ranges(
        parameters=[
            Range(name="C", kind="float", low=0.001, high=0.5, log=True),
            Range(name="max_iter", kind="int", low=100, high=400),
            Range(name="balanced", kind="choice", options=[True]),
            Range(name="nothing", kind="float", low=0, high=1),
        ]
    )
    kept = Kept()
    glm = answering({Purpose.PROPOSE_SPACE: [ranges]})
    spaces = [asyncio.run(strategist(glm, kept).propose_space(world.brief(), world.past())) for _ in range(2)]

    assert spaces[0] == spaces[1]
    assert spaces[0] is not None
    assert spaces[0].dimensions == {
        "C": Float(low=0.001, high=1.0, log=True),
        "max_iter": Int(low=100, high=400),
        "balanced": Choice(options=[True, False]),
    }


@pytest.mark.parametrize(
    ("found", "value"),
    [
        (Range(name="x", kind="float", low=5, high=5), 5.0),
        (Range(name="x", kind="choice", options=["a"]), "a"),
        (Range(name="x", kind="choice", options=[1, 2]), "a"),
        (Range(name="x", kind="float", low=0, high=1), [1, 2]),
        (Range(name="x", kind="float", low=0, high=1), 3),
    ],
)
def test_ranges_that_fit_no_value_are_left_out(found: Range, value: Json) -> None:
    """A range without room, of another type, or for what is no plain value, is none."""
    assert dimension_of(found, value) is None  # type: ignore[arg-type]  # plain JSON


def test_lessons_are_one_clean_line() -> None:
    """What the model learned follows what was measured, without marks and control characters."""
    glm = answering({Purpose.REFLECT: ["**Ranks help**,\nsince\x1b[31m incomes are skewed.\n"]})
    line = asyncio.run(strategist(glm).reflect(world.brief(), world.past()))
    assert line.endswith("Ranks help**, since [31m incomes are skewed.")
    assert line.startswith("Scaled numbers: roc_auc 0.712")


def test_only_its_own_solutions_teach_the_model() -> None:
    """Trials, ensembles and recipes are compared by rules alone: no tokens are spent on them."""
    glm = answering({})
    for attempt in (
        world.past(operator=Operator.TUNE),
        world.past(operator=Operator.MERGE),
        world.past(bundle=world.bundle(author=Author.RECIPES)),
    ):
        asyncio.run(strategist(glm).reflect(world.brief(), attempt))


def test_without_time_the_model_is_not_asked() -> None:
    """At the end of the search recipes write, and nobody is to blame."""
    net = SafetyNet()
    made = drafted(answering({}), 2, world.brief(seconds_left=-1.0), net=net)
    assert made is not None
    assert made.author is Author.RECIPES
    assert net.degraded is None


def test_answers_are_read_tolerantly() -> None:
    """A plan inside a fence, after thoughts, with a trailing comma is a plan."""
    text = f"<think>well</think>Here it is:\n```json\n{json.dumps(IDEAS.model_dump())[:-1]},}}\n```"
    glm = answering({Purpose.PLAN: [text], Purpose.DRAFT: [world.fenced(world.SOLUTION)]})
    made = drafted(glm, RECIPES_FIRST)
    assert made is not None
    assert made.author is Author.MODEL
