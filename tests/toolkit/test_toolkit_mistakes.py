"""One fact, one home: a mistake that the self-check tells is one of the catalogue, and the grader names the same."""

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
import selfcheck
from toolkit_networks import SLIPS, with_slip

from autograder.diagnosis import Spec
from autograder.exercise import Reply
from autograder.marking.gradients import explain_gradients
from autograder.mistakes import MISTAKES

SAID = {
    "is the mean over the m examples taken?": "missing-1-over-m",
    "is the mean over the m examples taken twice?": "divided-by-m-twice",
    "len() of an array counts its rows": "divided-by-wrong-count",
    "times too small. here that is n_out": "mean-over-outputs",
    "2 times too large. which factor does the derivative": "factor-2-extra",
    "2 times too small. which factor does the derivative": "factor-half-extra",
    "the right size but the opposite sign": "sign-flipped",
    "at the output a2 - y is multiplied by a (1 - a)": "extra-output-derivative",
    "by nothing: the slope of the activation is missing": "activation-derivative-missing",
    "a (1 - a), which is the slope of the sigmoid": "sigmoid-derivative-with-tanh",
    "1 - a^2, which is the slope of tanh": "tanh-derivative-with-sigmoid",
    "1 where z > 0, which is the slope of relu": "relu-derivative-with-tanh",
    "by a alone": "half-of-the-derivative",
    "by 1 - a alone": "half-of-the-derivative",
    "z (1 - z): a belongs there, and not z": "pre-activation-in-derivative",
    "1 - z^2: a belongs there, and not z": "pre-activation-in-derivative",
    "the slope of the sigmoid at a: it belongs at z": "derivative-at-activation",
    "the slope of tanh at a: it belongs at z": "derivative-at-activation",
    "it still has one column per example": "bias-not-summed-over-batch",
    "one number per example, so it was summed over the wrong axis": "bias-summed-over-units",
    "the sum over all units": "bias-summed-over-everything",
    "the column was lost": "wrong-shape",
    "it is transposed: entry [i, j] holds": "result-transposed",
}
"""What the self-check says, in small letters, to the id under which the grader knows it."""


def told(slip, hidden):
    """What the self-check says of a planted slip."""
    rng = np.random.default_rng(0)
    n, _, o = slip.sizes
    with pytest.raises(selfcheck.SelfCheckFailed) as error:
        selfcheck.check_gradients(
            with_slip(slip, hidden, rng=1), rng.standard_normal((n, 11)), rng.integers(0, 2, (o, 11))
        )
    return " ".join(str(error.value).split()).lower()


def named(slip, hidden):
    """The mistakes that the grader names in the same network."""
    replies = []
    for seed, (n, h, o, m) in enumerate([(3, 5, 7, 11), (4, 5, 2, 9), (2, 5, 3, 8)]):
        rng = np.random.default_rng(seed)
        net = with_slip(replace(slip, sizes=slip.sizes if slip.sizes[0] == h else (n, h, o)), hidden)
        X, Y = rng.normal(size=(net.W1.shape[1], m)), rng.integers(0, 2, (len(net.W2), m)).astype(float)
        for name in ("W1", "b1", "W2", "b2"):
            setattr(net, name, rng.normal(size=getattr(net, name).shape))
        given = {"X": X, "Y": Y} | {name: getattr(net, name).copy() for name in ("W1", "b1", "W2", "b2")}
        net.forward_pass(X)
        values = {name: getattr(net, name).copy() for name in ("Z1", "A1", "Z2", "A2")}
        with suppress(ValueError):  # shapes that do not fit: the grader says that alone
            net.backward_pass(X, Y)
        replies.append(
            Reply(given, values | {f"d{name}": getattr(net, f"d{name}", None) for name in ("W1", "b1", "W2", "b2")})
        )
    found = explain_gradients(Spec((hidden,), "sigmoid", "bce"))(replies)
    return {mistake for verdict in found.values() for mistake in verdict.mistakes}


def kinds():
    """Every planted slip that the self-check can be read at, with an activation."""
    for slip in SLIPS:
        if slip.says and not slip.reg_lambda:
            yield from ((slip, hidden) for hidden in slip.hidden if hidden != "relu")


@pytest.mark.slow
def test_a_mistake_that_the_self_check_tells_is_named_alike_by_the_grader():
    seen = set()
    for slip, hidden in kinds():
        says = told(slip, hidden)
        if new := {words for words in SAID.keys() - seen if words in says}:
            ids = named(slip, hidden)
            seen |= {words for words in new if SAID[words] in ids}
        if seen == SAID.keys():
            break
    assert seen == SAID.keys(), SAID.keys() - seen


def test_what_the_self_check_tells_is_in_the_catalogue():
    assert {*SAID.values()} <= MISTAKES.keys()
    assert {text.lower() for text in selfcheck.SLOPES} <= {words.removeprefix("by ") for words in SAID}
