"""The seal: shows that a report, or a record with one, was written by a process of its own run, whole, and unchanged since.

An HMAC (RFC 2104) with SHA-256 under a key that only the run's host processes hold. So a report can come from another worker or
another machine, or lie in a file for a while: who reads it checks it.
"""

import hashlib
import hmac
from dataclasses import dataclass

from open_autoglm.sandbox.base import Job, Session
from open_autoglm.sandbox.report import ExecutionReport


class Seal:
    """Signs what belongs to one run, and checks it."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, report: ExecutionReport) -> None:
        """Put the signature into a report; one that it has is replaced."""
        report.signature = self.over(_unsigned(report))

    def is_signed(self, report: ExecutionReport) -> bool:
        """Whether a report carries the signature of just what it says."""
        return self.fits(report.signature, _unsigned(report))

    def over(self, *parts: object) -> bytes:
        """Return the signature of a record's parts, in their order; bytes, texts, numbers and None."""
        signed = hmac.new(self._key, digestmod=hashlib.sha256)
        for part in parts:
            content = part if isinstance(part, bytes) else repr(part).encode("utf-8", "surrogatepass")
            signed.update(len(content).to_bytes(8, "big") + content)
        return signed.digest()

    def fits(self, signature: object, *parts: object) -> bool:
        """Whether a signature is that of these parts."""
        return isinstance(signature, bytes) and hmac.compare_digest(signature, self.over(*parts))


def _unsigned(report: ExecutionReport) -> bytes:
    """Return the canonical bytes of a report without its signature."""
    bare = ExecutionReport()
    bare.CopyFrom(report)
    bare.ClearField("signature")
    return bare.SerializeToString(deterministic=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSession:
    """A session that signs its reports, in the process that supervised the executions."""

    session: Session
    seal: Seal

    def run(self, job: Job) -> ExecutionReport:
        """Run a job as the session beneath does."""
        report = self.session.run(job)
        self.seal.sign(report)
        return report

    def cancel(self) -> None:
        """See `Session.cancel`."""
        self.session.cancel()

    def close(self) -> None:
        """See `Session.close`."""
        self.session.close()
