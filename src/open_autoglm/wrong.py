"""Why a value that somebody gave cannot be used, in words for people: pydantic's reasons are for programmers."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import ErrorDetails

_REASONS = {
    "greater_than": "give more than {gt}",
    "greater_than_equal": "give {ge} or more",
    "less_than": "give less than {lt}",
    "less_than_equal": "give {le} or less",
    "int_parsing": "give a whole number",
    "int_type": "give a whole number",
    "int_from_float": "give a whole number",
    "float_parsing": "give a number",
    "float_type": "give a number",
    "finite_number": "give a finite number",
    "bool_parsing": "give true or false",
    "bool_type": "give true or false",
    "literal_error": "give one of {expected}",
    "string_type": "give text",
    "path_type": "give a path",
    "model_type": "give a table",
}


def reason(error: ErrorDetails) -> str:
    """Return what would be right, as the end of a sentence without its full stop."""
    known: Mapping[str, Any] = error.get("ctx", {})
    template = _REASONS.get(error["type"])
    if template is None:
        return error["msg"].removeprefix("Value error, ").rstrip(".")
    return template.format(**known)
