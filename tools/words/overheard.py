"""What lower layers say in English, said again in the language of a run: they know no run and no language.

A sentence is known by its template. Where it holds another one (`failure`, `how`), that is said again, too. What nobody
foresaw, such as the text of an exception, stays as it is.
"""

import re
import string
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from open_autoglm.tools.words import Words, translations

ENDINGS: Final = (
    "{failure} (the sandbox 'landlock' has no sockets and no locks between processes, which process pools, ZeroMQ and kernels need: use threads or n_jobs=1, or install bubblewrap or Docker, see `autoglm doctor`)",
    "a cell failed: {failure}",
    "what came back is no notebook: {failure}",
    "The model could not predict these rows: {failure}",
    "{failure}; it said last: {words}",
    "error (exit {code})",
    "error (ended by {signal}, signal {number})",
    "error (ended by signal {number})",
    "cancelled",
    "cancelled before it started",
    "cancelled before it had a GPU",
    "still running after {seconds} seconds",
    "neither output nor work for {seconds} seconds",
    "more than {count} bytes of output",
    "more than {count} bytes of memory",
    "more than {count} bytes written",
    "more than {count} files and folders",
    "more than {count} processes",
    "the code ran into the limit on memory",
    "the sandbox was lost while the code ran",
    "the process ended without having written {file}",
    "the code ran to its end and left no {file}",
    "killed by the filter of system calls",
    "predict gives other answers for the same rows when they are predicted {how}: a row's answer may not depend on the rows beside it",
    "shuffled",
    "in chunks",
    "alone",
)
"""How an execution ended, from the sandbox and from those who look at what it left; what stands around others comes first."""
PREDICTIONS: Final = (
    "Predictions have the shape {shape}; {failure}.",
    "The file of predictions has {count} bytes; {failure}.",
    "expected {rows} rows of {columns} columns",
    "{failure} hold a value that is missing or infinite.",
    "{failure} hold a probability outside 0 to 1.",
    "The probabilities of {failure} do not sum to 1.",
    "The chosen labels of {failure} are not the number of a class.",
    "{broken} of {count} rows (the first is row {first})",
    "There is no file of predictions to read ({error}).",
    "Predictions are not a regular file.",
    "The file of predictions is cut short or too long for its shape {shape}.",
    "Predictions do not begin as a .npy file of version 1 or 2.",
    "Predictions do not have the header of a .npy file.",
    "Predictions are of type {dtype}; expected float64 ('<f8').",
    "Predictions must be a matrix in C order.",
    "There are {count} predictions for {rows} rows.",
    "There are no rows to score.",
    "Predictions for the classes {predicted} were scored as {classes}.",
    "Predictions are too large to compute {metric}.",
    "pinball judges quantile {quantile}; predicted are {known}.",
)
"""What is wrong with predictions (`tools/metrics/predictions.py`)."""
TRIED: Final = (
    "reading or changing another process",
    "changing what the file system shows",
    "making or entering namespaces",
    "reaching the kernel by a way that no namespace covers",
    "keys that all processes of a user share",
    "administering the machine",
    "changing the clock, the name or the ports of the machine",
    "becoming somebody else",
    "opening files past the mounts",
    "changing rights, owner or labels of files",
    "changing times of files",
    "calling or being called, where no namespace keeps sockets in",
    "shared memory, semaphores and queues that every process can find",
    "watching the files of others",
    "files in memory that no limit on disk counts",
    "changing other processes, or reading what the kernel logs",
    "changing another process",
    "more attempts of this kind",
    "packets made by hand",
    "asking parts of the kernel",
    "a socket that leaves the sandbox's network",
    "a socket, where no namespace keeps it in",
    "typing into a terminal",
    "making a device",
    "reaching out of the sandbox",
    "changing what can only be read",
    "ending processes that are not its own",
    "raising its own limits",
    "asking for processors in real time",
    "disk limit",
    "output limit",
    "process limit",
)
"""Why what code tried is refused (`sandbox/policy`, `sandbox/supervision/watch.py`), and limits that were met."""
OVERHEARD: Final = (*ENDINGS, *PREDICTIONS, *TRIED)
INNER: Final = ("failure", "how")
"""Values that are sentences themselves."""


def overheard(text: str, say: Words) -> str:
    """Return a sentence of another layer in the language of the run; one that is not known, as it is."""
    if say.language == "en":
        return text
    for template, pattern in _patterns().items():
        if found := pattern.fullmatch(text):
            values = {
                name: overheard(value, say) if name in INNER else value for name, value in found.groupdict().items()
            }
            return say(template, **values)
    return text


def taken_apart(text: str, templates: Sequence[str] = OVERHEARD) -> tuple[str, Mapping[str, str]] | None:
    """Return the template that a sentence was made from, in whatever language, and its values; None where it is none of these."""
    for template in templates:
        for written in dict.fromkeys([template, translations().get(template, template)]):
            if found := _pattern(written).fullmatch(text):
                return template, found.groupdict()
    return None


@cache
def _patterns() -> Mapping[str, re.Pattern[str]]:
    return {template: _pattern(template) for template in OVERHEARD}


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = (
        re.escape(literal) + (f"(?P<{name}>.+?)" if name else "")
        for literal, name, _, _ in string.Formatter().parse(template)
    )
    return re.compile("".join(parts), re.DOTALL)
