"""The tables that recordings are about: an example, and made ones."""

from pathlib import Path

TITANIC = Path(__file__).parents[2] / "examples" / "titanic.csv"


def titanic(folder: Path) -> Path:
    """Return the passengers of the Titanic: who survived."""
    return TITANIC
