"""Where the course leaves a choice to the student, any choice is right, and the rest is marked given that choice.

The slope of ReLU at 0 may be any number in [0, 1], and so may the share of an example that lies exactly on the margin
of the hinge loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from autograder.exercise import Judge, Line, Reply, Values, Verdict
from autograder.marking.judges import usable

Choice = Callable[[Values, Values], Mapping[str, np.ndarray]]
"""The inputs of a challenge and the student's usable values, to what the student chose, under new names."""


def choosing(choice: Choice, judge: Judge) -> Judge:
    """The same judge, with the student's choices added to what is given.

    The choice must lie in what the course allows, whatever the student's values are: a value outside is marked wrong
    against the nearest allowed one.
    """

    def judged(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        return judge(lines, [replace(r, given={**r.given, **choice(r.given, usable(r.values))}) for r in replies])

    return judged
