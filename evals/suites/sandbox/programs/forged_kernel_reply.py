"""Where a Jupyter kernel runs it: has the kernel answer that all is well, then fails."""

from attack import *

kernel = getattr(sys.modules.get("ipykernel.kernelapp"), "IPKernelApp", None)
if kernel is not None and kernel.initialized():
    app = kernel.instance().kernel
    app.do_execute = lambda *a, **k: {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
    app.send_response = lambda *a, **k: None
    app.shell.run_cell = lambda *a, **k: None
    print("patched", flush=True)
print("tried", flush=True)
os._exit(6)
