"""An exception with a message of a hundred million characters."""

raise ValueError("x" * 30_000_000)
