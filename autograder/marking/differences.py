"""Gradients that are differences of the loss: right numbers, found without backpropagation.

A backward pass needs what the forward pass has stored. One that runs the forward pass again for every weight measures
how the loss changes; the probe counts these passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from autograder.exercise import Judge, Line, Reply, Verdict

MISTAKE = "differences-of-the-loss"


def noting_differences(judge: Judge) -> Judge:
    """The same judge, which says so where right gradients are differences of the loss. It costs nothing here.

    The replies hold the number of forward passes inside the backward pass, as ``forward_passes``.
    """

    def judged(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        verdicts = judge(lines, replies)
        return {name: _noted(verdict) for name, verdict in verdicts.items()} if _measured(replies) else verdicts

    return judged


def _measured(replies: Sequence[Reply]) -> bool:
    """Whether the loss was worked out again at least once for every weight of a layer, at every challenge.

    That is more often than once per example, as a loop over the examples may do.
    """
    return all(
        isinstance(passes := reply.values.get("forward_passes"), int)
        and passes >= max(reply.given["X"].shape[1] + 1, min(reply.given["W1"].size, reply.given["W2"].size))
        for reply in replies
    )


def costing(verdict: Verdict) -> Verdict:
    """The same verdict, without its points where it says that a gradient is a difference of the loss."""
    return Verdict.named(MISTAKE) if MISTAKE in verdict.mistakes else verdict


def _noted(verdict: Verdict) -> Verdict:
    told = Verdict.named(MISTAKE)
    if verdict.share == 0:
        return verdict
    remark = f"{told.message} {told.hint} It costs nothing."
    return replace(verdict, mistakes=(*verdict.mistakes, MISTAKE), remarks=(*verdict.remarks, remark))
