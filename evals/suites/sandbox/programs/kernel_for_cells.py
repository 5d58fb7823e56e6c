"""Starts a Jupyter kernel of its own over Unix sockets, as the notebook of a deliverable does, and has it run a cell."""

import nbformat
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from attack import *

notebook = nbformat.v4.new_notebook(
    cells=[nbformat.v4.new_code_cell("import pandas as pd\npd.DataFrame({'a': [1, 2]}).a.sum()")]
)
manager = KernelManager(kernel_name="python3", transport="ipc", ip=f"{os.getcwd()}/k")
manager.kernel_spec.argv[0] = sys.executable
NotebookClient(notebook, km=manager, timeout=30).execute()
assert "3" in notebook.cells[0].outputs[0]["data"]["text/plain"]
done()
