"""Slips in calculations by hand: single formulas, compared at the precision of a hand calculation.

Gradients from code are explained by ``autograder.diagnosis``, which proves a mistake at several challenges to 1e-9.
Numbers worked out by hand come once and rounded, so the rule is different: a slip is named only when it is the only
known one that gives the student's numbers within the tolerance for hand calculation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from autograder.exercise import Reply, Verdict
from autograder.marking.compare import HAND, compare
from autograder.marking.judges import Explain, usable


class Own(SimpleNamespace):
    """Inputs and the student's own values by name, as attributes or by subscript."""

    def __getitem__(self, name: str) -> np.ndarray:
        """The value of this name."""
        return getattr(self, name)


@dataclass(frozen=True)
class Slip:
    """One known way to get a line wrong: its id, the lines it may show in, its formula and a hint.

    The formula must give the student's number within the tolerance for hand calculation, or to ``figures``.
    """

    id: str
    lines: tuple[str, ...]
    formula: Callable[[Own], Any]
    hint: str
    figures: int | None = None


def explain_slips(
    slips: Sequence[Slip], names: Mapping[str, str], shape: Callable[[str], tuple[int, int]]
) -> Explain:
    """An explanation of wrong lines by known slips.

    ``names`` maps a line to the name under which formulas know it, and ``shape`` that name to its shape: students may
    write a column as a list. A formula that needs a value which the student has not given is passed over.
    """

    def explain(replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        (reply,) = replies
        own = usable(reply.values)
        known = Own(**{name: np.atleast_2d(value) for name, value in reply.given.items()})
        for line, name in names.items():
            value = own.get(line)
            if value is not None and value.size == np.prod(shape(name)):
                setattr(known, name, value.reshape(shape(name)))
        found = {}
        for line in names:
            matches = [slip for slip in slips if line in slip.lines and _matches(slip, known, reply.values.get(line))]
            if len({slip.id for slip in matches}) == 1:
                found[line] = Verdict("wrong", mistakes=(matches[0].id,), hint=matches[0].hint)
        return found

    return explain


def _matches(slip: Slip, known: Own, got: Any) -> bool:
    if got is None:
        return False
    try:
        with np.errstate(all="ignore"):
            value = np.asarray(slip.formula(known), dtype=float)
    except (AttributeError, ValueError):  # an earlier value is missing or has another shape: nothing to compare with
        return False
    return bool(np.all(np.isfinite(value))) and compare(got, value, rtol=HAND, figures=slip.figures).equal
