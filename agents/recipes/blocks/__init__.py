"""What written solutions are made of: ordinary modules whose functions are copied, whole, into `solution.py`.

A block knows the task only by the names in `choices`. The writer puts literals in the place of its tables, and of
every `if SOME_CHOICE:` it keeps the branch that holds, so that a solution reads as if written for its table.
"""
