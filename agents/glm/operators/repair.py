"""repair: the failing lines, the error and the code go to the model; what comes back is an edit or a whole file."""

from open_autoglm.agents.glm.desk import Desk, told_limit
from open_autoglm.agents.glm.prompting import render
from open_autoglm.agents.glm.sharing import report_excerpt
from open_autoglm.agents.glm.wire import Purpose
from open_autoglm.agents.strategist import Brief
from open_autoglm.sandbox.bundles.bundle import CodeBundle
from open_autoglm.sandbox.report import ExecutionReport


async def repair(desk: Desk, brief: Brief, broken: CodeBundle, report: ExecutionReport) -> CodeBundle:
    """Have code mended that failed as the report says.

    Raises:
        UnusableReply: No answer could be used.
        EndpointFailed: Nobody answered.
    """
    ask = render(
        "repair",
        report=report_excerpt(report, broken, desk.share, brief),
        source=desk.source(broken, brief).text,
        fold_seconds=told_limit(brief),
    )
    call = desk.call(Purpose.REPAIR, brief, ask, remembered=desk.memory.working(brief))
    return await desk.code(call, brief, lambda _: broken.title, before=broken)
