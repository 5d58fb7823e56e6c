"""Where generated code runs. `base` is the contract; every backend is one module beside it."""
