"""Every error this package raises on purpose, each with the exit code it ends the command line with.

AutoGLMError                 1    the run failed for good
├── InputError               2    what the user named cannot be used: file, column, metric, option
│   ├── UnknownName          2    a name that is not among the known ones; offers the nearest
│   ├── BundleRefused        2    code that is no bundle: it does not parse, or a file name is unsafe
│   ├── WishRefused          2    a package that written code wishes for and cannot have
│   ├── MetricMisfit         2    a metric that cannot judge this task
│   ├── Unsupported          2    a wish for something we do not do; names the nearest thing we can do
│   └── RunDirectoryError    2    a run directory that cannot be read: another version, a damaged journal
├── InvalidPredictions       1    what a solution predicted cannot be scored: the attempt failed, not the run
├── MetricFailed             1    a plugged-in metric raised
├── BudgetSpent             53    the budget ended before there was a model
├── SandboxError            54    the sandbox itself failed, not the code inside it
│   └── SandboxUnavailable  54    no backend that may run this code is ready
├── TransientError          75    try the same again later
│   └── EndpointFailed      75    a language model's endpoint gave no answer, after all retries
├── ServerFailed             1    a model server that we started ended, or never answered
├── UnusableReply            1    what a language model answered cannot be used: the operator failed, not the run
│   ├── EditRefused          1    code in an answer that cannot be taken: no file, or an edit that does not apply once
│   └── PromptTooLong        1    what a call cannot do without is more than the model's context: nothing was asked
├── CapReached              53    the cap on tokens or money: the model is asked no more, the run goes on without it
├── ApprovalNeeded          77    a question came up and nobody is there to answer it
├── SettingsError           78    a settings file or environment variable cannot be used
├── Interrupted            130    the user stopped before there was a model
└── ScriptExhausted          1    a fake ran out of scripted answers: the test is wrong

Code that fails *inside* a sandbox is a result, not an error: see `open_autoglm.sandbox.base`.
"""

import difflib
import json
from collections.abc import Iterable
from typing import ClassVar


class AutoGLMError(Exception):
    """Base of every error raised on purpose; catch it to catch them all."""

    exit_code: ClassVar[int] = 1


def damage(error: BaseException) -> str:
    """Return in plain words why a file that this program wrote cannot be read."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    if isinstance(error, UnicodeError):
        return "it is not text"
    if isinstance(error, json.JSONDecodeError) or "Invalid JSON" in str(error):
        return "it is cut short, or not JSON"
    return "something in it is missing, or not as this version writes it"


class InputError(AutoGLMError):
    """What the user named cannot be used. The message says what is possible instead."""

    exit_code = 2


class UnknownName(InputError, LookupError):
    """A name that is not among the known ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = [str(k) for k in known]
        near = difflib.get_close_matches(name.lower(), [n.lower() for n in names], n=3, cutoff=0.5)
        nearest = [n for n in names if n.lower() in near]
        listed = nearest or names[:20]
        more = f" and {len(names) - len(listed)} more" if len(names) > len(listed) and not nearest else ""
        lead = "Nearest" if nearest else "Known"
        super().__init__(f"Unknown {kind} {name!r}. {lead}: {', '.join(listed) or 'none'}{more}.")
        self.kind, self.name, self.nearest = kind, name, nearest


class Unsupported(InputError):
    """The wish is understood, and it is not something this version does."""


class RunDirectoryError(InputError):
    """A run directory cannot be read as it stands."""


class BudgetSpent(AutoGLMError):
    """The budget ended before a model was there to deliver."""

    exit_code = 53


class SandboxError(AutoGLMError):
    """The sandbox could not do its work; the outcome of the code in it is unknown."""

    exit_code = 54


class SandboxUnavailable(SandboxError):
    """No backend that may run this code is ready on this machine."""


class TransientError(AutoGLMError):
    """Something outside failed for now; the same call may succeed later."""

    exit_code = 75


class EndpointFailed(TransientError):
    """Nobody answered at a language model's endpoint, too late, or not in the protocol."""


class UnusableReply(AutoGLMError):
    """A language model answered, and neither a second try nor tolerance made its answer usable."""


class EditRefused(UnusableReply):
    """An answer holds no code, or an edit that does not apply exactly once. The message is written for the model."""


class PromptTooLong(UnusableReply):
    """What a call cannot do without does not fit into the model's context."""


class CapReached(AutoGLMError):
    """The model may spend no more tokens, or no more money. It stops the model, not the run."""

    exit_code = 53


class ServerFailed(AutoGLMError):
    """A model server that we started ended by itself, or never answered."""

    def __init__(self, message: str, *, tail: Iterable[str]) -> None:
        super().__init__(message)
        self.tail = tuple(tail)
        """The last lines that it printed."""


class ApprovalNeeded(AutoGLMError):
    """A question needs a person and nobody is there to answer it."""

    exit_code = 77


class SettingsError(AutoGLMError):
    """A settings file or an environment variable cannot be used."""

    exit_code = 78


class Interrupted(AutoGLMError):
    """The user stopped the run before there was a model."""

    exit_code = 130


class ScriptExhausted(AutoGLMError):
    """A fake was asked for more answers than its script holds."""
