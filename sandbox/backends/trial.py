"""Whether a way to start a sandbox works here: by running a job that does nothing through the whole mechanism."""

from contextlib import closing

from open_autoglm.errors import SandboxError
from open_autoglm.sandbox.base import Job, Limits
from open_autoglm.sandbox.launch import Launcher, Seclusion
from open_autoglm.sandbox.report import is_ok
from open_autoglm.sandbox.supervision.folders import temporary
from open_autoglm.sandbox.supervision.session import SupervisedSession

TRIAL_SECONDS = 20
NO_NETWORK = "It has no network of its own that the policy's hosts could be let into."


def problem_with(launcher: Launcher) -> str | None:
    """Return why a job that does nothing does not run, or None where it runs."""
    if launcher.policy.network.access == "proxy" and launcher.seclusion is not Seclusion.NAMESPACES:
        return NO_NETWORK
    limits = Limits(wall_seconds=TRIAL_SECONDS, memory_bytes=1 << 30)
    with temporary("trial") as folder:
        job = Job(
            execution_id="probe", phase="probe", call="nothing", code={}, context={}, inputs={}, limits=limits,
            collect=folder / "out",
        )  # fmt: skip
        try:
            with closing(SupervisedSession(launcher, cpus=1, imports=())) as session:
                report = session.run(job)
        except SandboxError as error:
            return str(error)
    return None if is_ok(report) else report.detail or report.stderr.head[-300:] or "the job did not end well"
