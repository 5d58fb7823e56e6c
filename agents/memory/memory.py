"""The three spans of memory as parts of a prompt: the attempt in hand, this run, earlier runs."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from open_autoglm.agents.glm.sharing import Share, ours, phrase, recalled, stored_lesson
from open_autoglm.agents.glm.wire import Part
from open_autoglm.agents.memory.digest import run_parts
from open_autoglm.agents.memory.gains import by_id, gain_of
from open_autoglm.agents.memory.lessons import LessonStore
from open_autoglm.agents.memory.phrases import Teller
from open_autoglm.agents.memory.tokens import Count, Shares, estimate, fitting
from open_autoglm.agents.memory.traits import Traits
from open_autoglm.agents.memory.working import working_parts
from open_autoglm.agents.strategist import Brief, Past
from open_autoglm.tools.data.profile import DataProfile
from open_autoglm.tools.task import TaskSpec

LESSONS_IN_A_PROMPT = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a prompt may remember. Keeps nothing of a run itself: the brief tells all, and the lessons lie in a file.

    Every list of parts takes at most its share of tokens, whatever the length of the run. Parts carry their age in
    attempts, so that a context that is still too small loses the oldest first.
    """

    share: Share
    """How much of the data a prompt may hold."""
    lessons: LessonStore | None = None
    """Lessons of earlier runs; None where the user keeps none."""
    shares: Shares = field(default_factory=Shares)
    count: Count = estimate

    def working(self, brief: Brief, subject: Past | None = None) -> list[Part]:
        """Tell of the attempt in hand: its mends and their errors, what was refused, and what was tried on `subject`.

        `subject` is the parent of an improvement; its children are told with what each changed and brought.
        """
        return fitting(working_parts(Teller(share=self.share, brief=brief), subject), self.shares.working, self.count)

    def run(self, brief: Brief) -> list[Part]:
        """Tell of this run: the best, the latest, what helped and hurt, what failed."""
        return fitting(run_parts(Teller(share=self.share, brief=brief)), self.shares.run, self.count)

    def long(self, task: TaskSpec, profile: DataProfile) -> list[Part]:
        """Tell what earlier runs on like data taught. May wait a moment for another process that writes to the file."""
        if self.lessons is None:
            return []
        found = self.lessons.recall(Traits.of(task, profile), LESSONS_IN_A_PROMPT)
        parts = [Part(text=ours("Earlier runs on like data taught:"))] if found else []
        told = [Part(text=phrase("- {lesson}", lesson=recalled(lesson.text))) for lesson in found]
        return fitting([*parts, *told], self.shares.long, self.count)

    def keep(self, brief: Brief, attempt: Past, lesson: str, *, seen: Iterable[str] = ()) -> None:
        """Keep what an attempt taught for later runs, where it is more than noise; a gain confirms what says the same.

        What the writer of the lesson was shown of the data is in `seen`. May wait a moment for another process that
        writes to the file.
        """
        gain = gain_of(attempt, by_id(brief.past), brief.task.metric.name)
        if self.lessons is None or gain is None or not gain.is_clear:
            return
        cleaned = stored_lesson(lesson, brief, attempt, seen=seen)
        if cleaned:
            self.lessons.note(Traits.of(brief.task, brief.profile), cleaned, gained=gain.amount > 0)
