"""Inside the sandbox: executes a notebook in this process, where nothing can listen and so no kernel can be spoken to.

Beside each cell stands what a kernel would have said: printed text, tables and pictures, the value of the last line, the error. Imported
only where it is needed, since it imports IPython.
"""

from __future__ import annotations

import base64
import contextlib
import io
from collections.abc import Mapping
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_output
from traitlets.config import Config


def execute(notebook: Any) -> None:
    """Execute the code cells in their order; their outputs are put beside them as they come.

    Raises:
        CellExecutionError: A cell failed. It and all before it have their outputs.
    """
    shell = _Shell.instance(
        displayhook_class=_Values, display_pub_class=_Displays, config=Config({"HistoryManager": {"enabled": False}})
    )
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], shell.execution_count
            shell.shown, shell.number = cell.outputs, cell.execution_count
            with (
                contextlib.redirect_stdout(_Printed("stdout", cell.outputs)),
                contextlib.redirect_stderr(_Printed("stderr", cell.outputs)),
            ):
                shell.run_cell(cell.source, store_history=True)
            failed = [output for output in cell.outputs if output.output_type == "error"]
            if failed:
                raise CellExecutionError("", failed[0].ename, failed[0].evalue)


class _Shell(InteractiveShell):
    """Keeps what the cell of a number shows."""

    def __init__(self, **settings: Any) -> None:
        self.shown: list[Any] = []
        self.number = 0
        super().__init__(**settings)

    def _showtraceback(self, etype: type[BaseException], evalue: BaseException, stb: list[str]) -> None:
        self.shown.append(new_output("error", ename=etype.__name__, evalue=str(evalue), traceback=stb))


class _Displays(DisplayPublisher):
    """What code asks to be displayed."""

    def publish(self, data: Mapping[str, Any], metadata: Mapping[str, Any] | None = None, *_: Any, **__: Any) -> None:
        _Shell.instance().shown.append(new_output("display_data", data=_as_text(data), metadata=dict(metadata or {})))


class _Values(DisplayHook):
    """The value of a cell's last line."""

    def start_displayhook(self) -> None:
        """Write no prompt."""

    def write_output_prompt(self) -> None:
        """Write none."""

    def write_format_data(self, format_dict: Mapping[str, Any], md_dict: Mapping[str, Any] | None = None) -> None:
        number = _Shell.instance().number
        shown = new_output(
            "execute_result", data=_as_text(format_dict), metadata=dict(md_dict or {}), execution_count=number
        )
        _Shell.instance().shown.append(shown)

    def finish_displayhook(self) -> None:
        """Write no line after it."""


class _Printed(io.TextIOBase):
    """A stream whose text stands among the outputs, in one piece as long as nothing comes between."""

    def __init__(self, name: str, shown: list[Any]) -> None:
        self._name, self._shown = name, shown

    def write(self, text: str) -> int:
        """Take text."""
        last = self._shown[-1] if self._shown else None
        if last is not None and last.output_type == "stream" and last.name == self._name:
            last.text += text
        else:
            self._shown.append(new_output("stream", name=self._name, text=text))
        return len(text)


def _as_text(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return displayed data as a notebook holds it: pictures in base64."""
    return {
        kind: base64.b64encode(value).decode() if isinstance(value, bytes) else value for kind, value in data.items()
    }
