"""Known mistakes as formulas: named when one of them alone gives the student's numbers at every challenge.

For answers that are no gradients of a network (a loss, a loss curve, the parameters after a few steps) the search of
``autograder.diagnosis`` does not fit, but the rule is the same: proved at all challenges, and by one mistake only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.exercise import Reply, Values, Verdict
from autograder.marking.compare import compare
from autograder.marking.judges import Explain

Formula = Callable[[Values], Mapping[str, Any]]
"""What the mistake makes of the inputs of a challenge: values by the names of lines."""


@dataclass(frozen=True)
class Known:
    """One mistake: its id, what it gives, one sentence that says what was done and a hint at the step."""

    id: str
    formula: Formula
    message: str
    hint: str


def explain_formulas(mistakes: Sequence[Known]) -> Explain:
    """An explanation of wrong lines by known formulas. A line that a formula does not give is not explained by it."""

    def explain(replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        proved: dict[str, dict[str, Known]] = {}
        for mistake in mistakes:
            results = [mistake.formula(reply.given) for reply in replies]
            for line in results[0]:
                if all(compare(r.values.get(line), result[line]).equal for r, result in zip(replies, results)):
                    proved.setdefault(line, {})[mistake.id] = mistake
        return {
            line: Verdict("wrong", mistakes=(known.id,), message=known.message, hint=known.hint)
            for line, candidates in proved.items()
            if len(candidates) == 1
            for known in candidates.values()
        }

    return explain
