"""What measuring gave: one record a fold, kept as lines of JSON so that two versions can be compared later."""

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from open_autoglm.errors import InputError


class _Told(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class ToldScore(_Told):
    """What the product says its model scores, by the metric that it understood it should use."""

    metric: str = ""
    cv_mean: float | None = None
    holdout: float | None = None
    holdout_low: float | None = None
    holdout_high: float | None = None


class ToldBaseline(_Told):
    """What the product says that simple answers score."""

    dummy: float | None = None
    linear: float | None = None


class Told(_Told):
    """The part of the object on stdout that goes into the table, beside the score that is computed here."""

    status: str = ""
    stop_reason: str = ""
    attempts: int = 0
    score: ToldScore = ToldScore()
    baseline: ToldBaseline = ToldBaseline()


class FoldResult(BaseModel):
    """One fold of one set: one run, one prediction. Saved as a line of JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    fold: int
    metric: str
    sha256: str
    seconds_given: int
    floor: float
    reference: float
    score: float | None = None
    """Of the test rows; None where the product failed."""
    told: Told | None = None
    run_exit: int
    predict_exit: int | None = None
    seconds: float
    """Wall time of `autoglm run`."""
    predict_seconds: float | None = None
    problem: str = ""


def save_results(results: Iterable[FoldResult], path: Path) -> None:
    """Write results, one line of JSON each."""
    path.write_text("".join(f"{result.model_dump_json()}\n" for result in results), encoding="utf-8")


def load_results(path: Path) -> list[FoldResult]:
    """Read results that were saved.

    Raises:
        InputError: The file is missing, or a line of it is no result.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [FoldResult.model_validate_json(line) for line in lines if line.strip()]
    except OSError as error:
        raise InputError(f"Cannot read the results {path}: {error.strerror}.") from error
    except ValidationError as error:
        raise InputError(f"{path} holds a line that is no result: {error.errors()[0]['msg']}.") from error
