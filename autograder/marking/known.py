"""Known mistakes as single formulas: named only when one of them, and no other, gives the answer at every challenge.

For code. Values worked out by hand are explained by ``slips``, gradients of networks by ``explain``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.diagnosis import MISTAKES
from autograder.exercise import Reply, Values, Verdict
from autograder.marking.compare import as_numbers, compare, tolerance
from autograder.marking.judges import Explain, usable

EXACT = 1e-9
"""Relative tolerance at which a formula must give a float64 answer for its mistake to be named."""


@dataclass(frozen=True)
class Known:
    """One known mistake: its id, the line where it shows, and what it gives from the inputs and the student's values.

    Title and hint are taken from the catalogue of mistakes where they are not given.
    """

    id: str
    line: str
    formula: Callable[[Values, Values], Any]
    title: str = ""
    hint: str = ""

    def verdict(self) -> Verdict:
        """What the student is told."""
        title = self.title or MISTAKES[self.id].title
        return Verdict("wrong", mistakes=(self.id,), message=f"{title}.", hint=self.hint or MISTAKES[self.id].hint)


def explain_known(known: Sequence[Known]) -> Explain:
    """An explanation of wrong lines by known mistakes."""

    def explain(replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        own = [usable(reply.values) for reply in replies]
        found = {}
        for line in dict.fromkeys(mistake.line for mistake in known):
            matches = [m for m in known if m.line == line and all(map(_gives, [m] * len(replies), replies, own))]
            if len({mistake.id for mistake in matches}) == 1:
                found[line] = matches[0].verdict()
        return found

    return explain


def _gives(mistake: Known, reply: Reply, own: Values) -> bool:
    got = as_numbers(reply.values.get(mistake.line))
    if isinstance(got, str):
        return False
    try:
        with np.errstate(all="ignore"):
            value = np.asarray(mistake.formula(reply.given, own), dtype=float)
    except (KeyError, ValueError):  # an earlier value is missing or has another shape: nothing to compare with
        return False
    if got.shape != value.shape or not np.all(np.isfinite(value)):
        return False
    rtol = max(tolerance(got), EXACT) if got.dtype.itemsize < 8 and got.dtype.kind == "f" else EXACT
    return compare(got, value, rtol=rtol).equal
