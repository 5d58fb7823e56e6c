"""The pattern by which AIDE (Weco AI, aide/interpreter.py) runs generated code, written anew to be measured beside ours.

A forked child of the agent's own process executes the code with `exec`; what it prints goes through one queue, how it ended through
another. Run as a program it is such an agent: it reads one JSON object a line (`{"code": ..., "reset": true}`), runs the code, and
answers with the seconds that took. It imports nothing beyond the standard library, unless it is named as an argument.
"""

import importlib
import json
import multiprocessing
import os
import queue
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

END = "<|EOF|>"


class Printed:
    """Stands in for stdout and stderr of the child."""

    def __init__(self, target: Any) -> None:
        self.target = target

    def write(self, text: str) -> None:
        """Pass it on to the agent."""
        self.target.put(text)

    def flush(self) -> None:
        """Nothing is held back."""


def child(codes: Any, printed: Any, events: Any, folder: str) -> None:
    """Execute what comes, in one scope, until the process is ended."""
    os.chdir(folder)
    sys.path.append(folder)
    sys.stdout = sys.stderr = Printed(printed)  # type: ignore[assignment]
    scope: dict[str, Any] = {}
    while True:
        code = codes.get()
        Path("runfile.py").write_text(code, encoding="utf-8")
        events.put(("ready", None))
        try:
            exec(compile(code, "runfile.py", "exec"), scope)
        except BaseException as error:  # noqa: BLE001 - likewise
            printed.put(traceback.format_exc())
            events.put(("finished", type(error).__name__))
        else:
            events.put(("finished", None))
        Path("runfile.py").unlink()
        printed.put(END)


class Interpreter:
    """What the agent holds."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.process: Any = None

    def start(self) -> None:
        """Fork a child with queues of its own."""
        self.codes: Any = multiprocessing.Queue()
        self.printed: Any = multiprocessing.Queue()
        self.events: Any = multiprocessing.Queue()
        self.process = multiprocessing.Process(
            target=child, args=(self.codes, self.printed, self.events, self.folder), daemon=True
        )
        self.process.start()

    def end(self) -> None:
        """End the child."""
        if self.process is not None:
            self.process.terminate()
            self.process.join(timeout=2)
            self.process.close()
            self.process = None

    def run(self, code: str, *, reset: bool) -> list[str]:
        """Run code, in a new child or in the last one, and return what it printed."""
        if reset or self.process is None:
            self.end()
            self.start()
        self.codes.put(code)
        self.events.get(timeout=10)
        while True:
            try:
                self.events.get(timeout=1)
                break
            except queue.Empty:
                continue
        said: list[str] = []
        while not said or said[-1] != END:
            said.append(self.printed.get())
        return said[:-1]


def main() -> None:
    """Answer until the input ends."""
    for name in sys.argv[1:]:
        importlib.import_module(name)
    multiprocessing.set_start_method("fork")
    with tempfile.TemporaryDirectory(prefix="autoglm-interpreter-") as folder:
        interpreter = Interpreter(folder)
        for line in sys.stdin:
            asked = json.loads(line)
            started = time.perf_counter()
            said = interpreter.run(asked["code"], reset=asked["reset"])
            print(json.dumps({"seconds": time.perf_counter() - started, "said": "".join(said)}), flush=True)
        interpreter.end()


if __name__ == "__main__":
    main()
