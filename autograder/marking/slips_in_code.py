"""Slips in formulas that students hand in as code: named only when they give the answer exactly, at every challenge.

For networks as a whole ``autograder.diagnosis`` searches a grammar of mistakes. A single formula has a short list.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograder.exercise import Reply, Verdict
from autograder.marking.compare import as_numbers, compare, tolerance
from autograder.marking.judges import Explain, usable
from autograder.marking.slips import Own, Slip

EXACT = 1e-9
"""A named slip must give every entry of the answer to this relative accuracy (single precision: to a tenth of what a
right answer is allowed)."""


def explain_formulas(slips: Sequence[Slip]) -> Explain:
    """An explanation of wrong lines: the one known slip that gives the answer at every challenge.

    A formula gets the inputs of the challenge and the student's own values by name. When it needs a value that is not
    there, or its shapes do not fit, it explains nothing.
    """

    def explain(replies: Sequence[Reply]) -> dict[str, Verdict]:
        found = {}
        for line in dict.fromkeys(line for slip in slips for line in slip.lines):
            here = [slip for slip in slips if line in slip.lines]
            matches = [slip for slip in here if all(_gives(slip, line, reply) for reply in replies)]
            if len({slip.id for slip in matches}) == 1:
                found[line] = Verdict("wrong", mistakes=(matches[0].id,), hint=matches[0].hint)
        return found

    return explain


def gives(got: object, predicted: np.ndarray) -> bool:
    """Whether an answer is exactly what a formula predicts."""
    array = as_numbers(got)
    if isinstance(array, str) or not np.all(np.isfinite(predicted)):
        return False
    rtol = EXACT if tolerance(array) < 1e-6 else tolerance(array) / 10
    return compare(array, predicted, rtol=rtol).equal


def _gives(slip: Slip, line: str, reply: Reply) -> bool:
    try:
        with np.errstate(all="ignore"):
            predicted = np.asarray(slip.formula(Own(**{**reply.given, **usable(reply.values)})), dtype=float)
    except (AttributeError, ValueError):
        return False
    return gives(reply.values.get(line), predicted)
