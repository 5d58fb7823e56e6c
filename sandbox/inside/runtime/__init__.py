"""The part that runs inside: `runtime` (also in every deliverable) and `driver`. Neither imports this package."""
