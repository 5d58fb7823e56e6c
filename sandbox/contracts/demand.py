"""What a test needs of the machine that it runs on: elsewhere it is left out, and where CI runs it fails."""

import os

import pytest


def demand(*, there: bool, reason: str) -> None:
    """Leave this test out where the machine lacks what it needs. Where the variable CI is set, fail it: what is left out there proves nothing.

    `reason` says what is lacking.
    """
    __tracebackhide__ = True
    if there:
        return
    if "CI" in os.environ:
        pytest.fail(f"This machine runs CI and lacks what the test needs: {reason}", pytrace=False)
    pytest.skip(reason)
