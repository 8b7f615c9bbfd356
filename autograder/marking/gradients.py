"""From the diagnosis of gradients to verdicts: which line is charged for which mistake.

One slip costs one line, the first in which it shows. A line whose numbers follow from a slip named earlier, or from the
student's own earlier values, keeps its points.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from autograder.diagnosis import WRONG, Finding, Point, Spec, explain
from autograder.diagnosis.wide import GENERAL
from autograder.exercise import Reply, Verdict
from autograder.marking.compare import as_numbers
from autograder.marking.judges import Explain, first_only, usable

FORWARD = ("Z1", "A1", "Z2", "A2", "Z3", "A3")


def explain_gradients(spec: Spec, *, nudged: bool = False) -> Explain:
    """An explanation of wrong gradients (or updated parameters) of a network described by ``spec``.

    The replies must hold the inputs of the network as given, and the student's own activations under their names.
    What is right in ``nudged`` replies, to the side of a kink on which the student is, is right.
    """
    answered = [spec.answer_name(parameter) for parameter in spec.parameters]
    memo = threading.local()  # a submission is marked by one thread, several submissions at the same time

    def verdicts(replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        if getattr(memo, "replies", None) is replies:  # two questions about the same answers: searched once
            kept: Mapping[str, Verdict] = memo.found
            return kept
        points = [_point(reply, answered) for reply in replies]
        try:
            report = explain(spec, points)
        except ValueError:  # the student's arrays do not fit together: the comparison has said so
            found = {}
        else:
            known = {spec.answer_name(p): _verdict(finding, nudged) for p, finding in report.parameters.items()}
            # the last layer comes first: a slip that is made in each is charged there
            found = first_only({name: verdict for name, verdict in known.items() if verdict is not None})
        memo.replies, memo.found = replies, found
        return found

    return verdicts


def _point(reply: Reply, answered: Sequence[str]) -> Point:
    own = usable(reply.values)
    inputs = {**reply.given, **{name: own[name] for name in FORWARD if name in own}}
    answers = {name: reply.values[name] for name in answered if not isinstance(as_numbers(reply.values.get(name)), str)}
    return Point(inputs, answers)


def _verdict(finding: Finding, nudged: bool) -> Verdict | None:
    """What the diagnosis adds to a line that is judged wrong: never that it is right, but for a choice at a kink."""
    if finding.verdict != WRONG:
        return Verdict("correct", share=1.0) if finding.kinks or nudged else None
    # from a formula that was only measured nothing follows: any numbers have one
    if finding.given_own and not finding.mistakes and not set(finding.follows_from) & set(GENERAL):
        return Verdict("correct", share=1.0, own=True, message=finding.hint)
    if finding.mistakes:
        evidence = "" if finding.evidence is None else finding.evidence.text()
        return Verdict.named(*finding.mistakes, hint=finding.hint, evidence=evidence)
    return Verdict("wrong", message=" ".join(finding.facts))
