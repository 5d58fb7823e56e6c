"""Takes memory of an accelerator by torch: there is none to take."""

import torch
from attack import *

if torch.cuda.is_available() or torch.cuda.device_count():
    breach("an accelerator")
attempt("memory of an accelerator", lambda: torch.zeros(1, device="cuda"))
done()
