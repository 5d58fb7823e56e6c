"""What to try next. `base` is the contract, every policy is one module beside it."""
