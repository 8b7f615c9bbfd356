"""Which cases of a test CI runs: a sample of them; `make test-all` runs every one."""

from collections.abc import Iterable
from typing import Any

import pytest


def sampled(cases: Iterable[Any], *kept: Any) -> list[Any]:
    """Every case, those that are not kept for CI marked long. Raises ValueError for one that is no case."""
    cases = list(cases)
    if missing := [one for one in kept if one not in cases]:
        raise ValueError(f"{missing[0]!r} is none of the cases")
    return [
        pytest.param(*(one if isinstance(one, tuple) else (one,)), marks=() if one in kept else pytest.mark.long)
        for one in cases
    ]
