"""A strategist that plays back code: the fake for every test above the strategists. Fails loudly when exhausted."""

from collections.abc import Iterable, Mapping, Sequence

from open_autoglm.agents.strategist import Brief, Past, Request, Understanding
from open_autoglm.errors import ScriptExhausted
from open_autoglm.sandbox.bundles.bundle import CodeBundle
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.tools.task import TaskSpec
from open_autoglm.tools.tuning import Space


class ScriptedStrategist:
    """Gives the task it was made with, and its drafts in order.

    Args:
        task: What `understand` returns, with the request's prompt.
        drafts: One bundle per draft; after the last there are no more ideas.
        repairs: What `repair` returns, in order; asked for more, it fails the test.
        improvements: What `improve` returns, in order; after the last there are no more.
        space: What `propose_space` returns for every parent.
    """

    name = "scripted"

    def __init__(
        self,
        task: TaskSpec,
        drafts: Iterable[CodeBundle],
        *,
        repairs: Iterable[CodeBundle | None] = (),
        improvements: Iterable[CodeBundle] = (),
        space: Space | None = None,
    ) -> None:
        self._task = task
        self._drafts = list(drafts)
        self._repairs = list(repairs)
        self._improvements = list(improvements)
        self._space = space
        self.reports: list[ExecutionReport] = []

    async def understand(self, request: Request, answers: Mapping[str, str]) -> Understanding:
        """Return the scripted task."""
        return Understanding(task=self._task.model_copy(update={"prompt": request.prompt, "budget": request.budget}))

    async def draft(self, brief: Brief, index: int) -> CodeBundle | None:
        """Return the scripted draft of that place."""
        return self._drafts[index] if index < len(self._drafts) else None

    async def repair(self, brief: Brief, broken: CodeBundle, report: ExecutionReport) -> CodeBundle | None:
        """Return the next scripted repair."""
        self.reports.append(report)
        if not self._repairs:
            raise ScriptExhausted(
                f"ScriptedStrategist has no repair left for: {report.exception.message or report.detail}"
            )
        return self._repairs.pop(0)

    async def improve(self, brief: Brief, parent: Past) -> CodeBundle | None:
        """Return the improvement of that place: the how-manieth is told by what was written before."""
        made = sum(1 for past in brief.past if past.operator.value == "improve" and past.status != "running")
        return self._improvements[made] if made < len(self._improvements) else None

    async def merge(self, brief: Brief, parents: Sequence[Past], weights: Mapping[str, float]) -> CodeBundle | None:
        """Write no ensembles."""
        return None

    async def propose_space(self, brief: Brief, parent: Past) -> Space | None:
        """Return the scripted space."""
        return self._space

    async def reflect(self, brief: Brief, attempt: Past) -> str:
        """Say how it ended."""
        return f"{attempt.status}"
