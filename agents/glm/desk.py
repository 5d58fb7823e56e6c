"""What every operator works with: the model, what it may be told, what is installed, what is remembered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from open_autoglm.agents.glm.authored import shown_of, written
from open_autoglm.agents.glm.notes import installed_notes
from open_autoglm.agents.glm.prompting import render, system, user
from open_autoglm.agents.glm.sharing import (
    DATA_RULE,
    Share,
    Shared,
    ShownSource,
    cells_shown,
    data_card,
    from_model,
    from_user,
)
from open_autoglm.agents.glm.sharing.disclosure import Disclosure
from open_autoglm.agents.glm.wire import Call, Finish, LanguageModel, Message, Part, Purpose, Reply
from open_autoglm.agents.memory.memory import Memory
from open_autoglm.agents.strategist import Brief, Past
from open_autoglm.errors import UnusableReply
from open_autoglm.sandbox.bundles.bundle import CodeBundle

MOST_TURNS = 3
"""Answers with code that one call may take: the first, one that knows what was wrong, a whole file."""
LONGEST_ECHO = 12_000
"""Characters of a refused answer that are shown to the model again."""
CODE_TOKENS = 8192
LONG_SECONDS = 1200.0
"""A limit beyond this is none worth telling."""


def told_limit(brief: Brief) -> int | None:
    """Return how many seconds a fit on one fold may take, where that is worth telling."""
    limit = brief.fold_seconds
    return None if limit is None or limit > LONG_SECONDS else max(1, int(limit))


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The surroundings of an operator. One per run."""

    model: LanguageModel
    share: Share
    installed: Mapping[str, str]
    memory: Memory
    rows: Callable[[], pd.DataFrame | None] = lambda: None
    """Some rows outside the holdout, for a run that shares rows."""
    _cards: dict[str, Message] = field(default_factory=dict)

    def call(
        self,
        purpose: Purpose,
        brief: Brief,
        ask: Shared,
        *,
        remembered: Sequence[Part] = (),
        thinking: int | None = 0,
        max_tokens: int = CODE_TOKENS,
    ) -> Call:
        """Return a question about the task of the brief, behind the messages that all such questions begin with."""
        return Call(
            purpose=purpose,
            messages=[self._opening(brief), user(ask, remembered)],
            thinking=thinking,
            max_tokens=max_tokens,
            seed=brief.seed,
            attempt=brief.attempt_id,
        )

    def _opening(self, brief: Brief) -> Message:
        key = brief.task.model_dump_json()
        if key not in self._cards:
            rules = render("system", installed=installed_notes(self.installed), data_rule=DATA_RULE)
            card = data_card(
                brief.task,
                brief.profile,
                self.share,
                classes=brief.classes,
                rows=self.rows() if self.share == "rows" else None,
            )
            words = render("task", words=from_user(brief.task.prompt))
            self._cards[key] = system(rules, words, card)
        return self._cards[key]

    def seen(self) -> list[str]:
        """Return the cells that the model is shown as they are."""
        rows = self.rows() if self.share == "rows" else None
        return [] if rows is None else cells_shown(rows)

    def source(self, bundle: CodeBundle, brief: Brief) -> ShownSource:
        """Return the solution of a bundle as it may be shown."""
        return shown_of(bundle, self.share, brief)

    async def code(
        self, call: Call, brief: Brief, title: Callable[[str], str], *, before: CodeBundle | None = None
    ) -> CodeBundle:
        """Ask until an answer holds code that can be taken, each time with what was wrong, `MOST_TURNS` times at most.

        Args:
            call: What is asked first.
            brief: What it is about.
            title: Names the solution by the text of the answer.
            before: The solution that the answer may edit; None where it must be a whole file.

        Raises:
            UnusableReply: No answer could be used.
            EndpointFailed: Nobody answered.
        """
        shown = self._shown(before, brief)
        turns: list[Message] = []
        problems: list[str] = []
        while len(problems) < MOST_TURNS:
            reply = await self.model.ask(_with(call, turns))
            try:
                text = _complete(reply)
                return written(text, brief, self.installed, title=title(text), shown=shown, edit=before is not None)
            except UnusableReply as error:
                problems.append(str(error))
                last = len(problems) == MOST_TURNS - 1
                turns = [
                    Message(
                        role="assistant", parts=[Part(text=from_model(reply.text or "(no answer)", limit=LONGEST_ECHO))]
                    ),
                    user(render("again", problem=from_model(str(error)), last=last)),
                ]
        raise UnusableReply(f"{len(problems)} answers for {call.purpose.value} could not be used: {problems[-1]}")

    def _shown(self, before: CodeBundle | None, brief: Brief) -> ShownSource:
        """Return what stands for classes in answers, too, where no solution was shown."""
        if before is not None:
            return self.source(before, brief)
        return ShownSource(files={}, hidden=Disclosure.of(brief, self.share).hidden)

    def remembered(self, brief: Brief, subject: Past | None = None) -> list[Part]:
        """Return what a question about new code is told of this run, and of earlier ones on like data."""
        return [
            *self.memory.long(brief.task, brief.profile),
            *self.memory.run(brief),
            *self.memory.working(brief, subject),
        ]


def _with(call: Call, turns: Sequence[Message]) -> Call:
    return replace(call, messages=[*call.messages, *turns], thinking=0) if turns else call


def _complete(reply: Reply) -> str:
    """Return the text of an answer that was not broken off.

    Raises:
        UnusableReply: It is empty, was declined, cut, or went in circles.
    """
    if reply.finish is Finish.REFUSAL:
        raise UnusableReply("The model declined to answer.")
    if reply.finish is Finish.REPETITION:
        raise UnusableReply("The answer repeated itself without end.")
    if reply.finish is Finish.LENGTH:
        raise UnusableReply("The answer was cut off: it was too long. Answer with shorter code.")
    if not reply.text.strip():
        raise UnusableReply("The answer was empty.")
    return reply.text
