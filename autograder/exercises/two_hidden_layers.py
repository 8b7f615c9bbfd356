"""Sheet 2: backpropagation through two hidden layers.

The shapes, the equations of (b), and the code that computes all six gradients. Where that uses an equation that is
wrong it is asked with another one in its place: the equation is charged in (b), and costs nothing in (c).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from autograder.diagnosis import Spec
from autograder.exercise import Challenge, Exercise, Line, Probe, Question, Reply, Values, Verdict, Written, lines
from autograder.exercises.error_equations import (
    ARGUMENTS,
    JUDGES,
    LOSS,
    SIGNAL_1,
    SIGNAL_2,
    SIGNAL_3,
    SMALL,
    WEIGHTS_1,
    draw_points,
    network,
    signal_1_truth,
    signal_2_truth,
    signal_3_truth,
    truth,
)
from autograder.exercises.letter_shapes import SHAPE_TABLE, SHAPES, judge_shapes
from autograder.exercises.shared import (
    asked_again,
    follow_network,
    keeping_parameters,
    layer_gradients,
    same_gradients_again,
)
from autograder.marking.compare import as_numbers
from autograder.marking.gradients import explain_gradients
from autograder.marking.judges import charged_once, remembered, usable, values
from autograder.marking.slips import At, worked_out

# What is asked ------------------------------------------------------------------------------------------------------


STAND_INS = {
    "dZ3": "A3 + 2 * Y",
    "dZ2": "A2 * (sum(W3) + sum(dZ3, axis=0))",
    "dZ1": "A1 * (sum(W2) + sum(dZ2, axis=0))",
    "dW1": "sum(dZ1, axis=1, keepdims=True) * sum(X, axis=1)",
}
"""Other equations than the right ones, of the right shapes, that depend on every argument."""


def gradients(student, given, *, stand_ins):
    """All six gradients, as far as they were stored; an error stands in the place of what comes after it.

    Those of one point are asked a second time, of the same network, as training does.

    With stand-ins, first what each equation gives at random arguments: then the stand-in takes its place.
    """
    import contextlib

    sizes = [given["X"].shape[0]] + [given["W" + str(layer)].shape[0] for layer in (1, 2, 3)]
    net = student.TwoHiddenNetwork(*sizes)
    for name in ("W1", "b1", "W2", "b2", "W3", "b3"):
        setattr(net, name, given[name].copy())
    net.forward_pass(given["X"])
    known = {**given, **{name: getattr(net, name, None) for name in ("A1", "A2", "A3")}}
    for name, arguments, formula in stand_ins if given["with_stand_ins"] else ():
        handed = [known[argument] for argument in arguments]
        try:
            value = getattr(student, "equation_" + name)(*handed)
        except Exception as error:
            value = error
        yield {"equation_" + name: value}

        def stand_in(*values, arguments=arguments, formula=formula, **named):
            return eval(formula, {"sum": np.sum}, {**dict(zip(arguments, values)), **named})

        try:
            known[name] = stand_in(*handed)
        except Exception:  # activations under other names, or in rows: then there is nothing to stand in for
            break
        setattr(student, "equation_" + name, stand_in)
    missing = None
    try:
        net.backward_pass(given["X"], given["Y"])
    except NotImplementedError:
        raise
    except Exception as error:
        missing = error
    found = {name: getattr(net, name, None) for name in ("dW3", "db3", "dW2", "db2", "dW1", "db1")}
    yield {name: missing if value is None else value for name, value in found.items()}
    yield {name + "_after": getattr(net, name, None) for name in ("W1", "b1", "W2", "b2", "W3", "b3")}
    if missing is None and given.get("again"):  # an update of rate 0 lies between: it may set gradients to zero
        names = ("W1", "b1", "W2", "b2", "W3", "b3")
        try:
            with contextlib.suppress(Exception):
                net.update_parameters(0.0)
            for name in names:
                setattr(net, name, given[name].copy())
            net.forward_pass(given["X"])
            net.backward_pass(given["X"], given["Y"])
            yield {"d" + name + "_again": getattr(net, "d" + name, None) for name in names}
        except Exception as error:
            yield {"d" + name + "_again": type(error).__name__ for name in names}


def _network_challenges(rng: np.random.Generator) -> list[Challenge]:
    points = draw_points(rng)
    plain = [Challenge({**SMALL, "with_stand_ins": False}, shown=True)]
    plain += [Challenge({**point, "with_stand_ins": False}) for point in points]
    return asked_again(lambda _: plain, rng) + [Challenge({**point, "with_stand_ins": True}) for point in points[:2]]


GRADIENTS = Probe(
    gradients,
    _network_challenges,
    {"stand_ins": tuple((name, ARGUMENTS[name], formula) for name, formula in STAND_INS.items())},
)


# What follows from the stand-ins ------------------------------------------------------------------------------------


def all_stand_ins(given: Values) -> dict[str, np.ndarray]:
    """What is known at a challenge, and what each stand-in gives from those before it."""
    known = {**given, **truth(given)}
    for name, formula in STAND_INS.items():
        known[name] = worked_out(formula, At(known, {}))
    return known


@remembered
def stand_ins_truth(given: Values) -> list[dict[str, np.ndarray]]:
    """The six gradients for every choice of what the backward pass takes from an equation, and what it does itself.

    The first takes all from them.
    """
    return [_taking(given, *taken) for taken in product((True, False), repeat=4)]


def _taking(given: Values, *taken: bool) -> dict[str, np.ndarray]:
    known, exact = {**given, **truth(given)}, {"dZ3": signal_3_truth, "dZ2": signal_2_truth, "dZ1": signal_1_truth}
    for name, by_equation in zip(exact, taken):
        seen = {argument: known[argument] for argument in ARGUMENTS[name]}
        known[name] = worked_out(STAND_INS[name], At(known, {})) if by_equation else exact[name](seen)[name]
    found: dict[str, np.ndarray] = {}
    for layer, below in ((3, "A2"), (2, "A1"), (1, "X")):
        A, dZ = known[below], known[f"dZ{layer}"]
        own = layer_gradients(A, known[f"W{layer}"], dZ)
        dW = worked_out(STAND_INS["dW1"], At({"dZ1": dZ, "X": A}, {})) if taken[-1] else own["dW"]
        found |= {f"dW{layer}": dW, f"db{layer}": own["db"]}
    return found


# Judges -------------------------------------------------------------------------------------------------------------


BY_NETWORK = values(truth, explain=explain_gradients(Spec(("tanh", "sigmoid"), "sigmoid", LOSS)))
AT_OWN_WEIGHTS = values(truth, follow=lambda given, own: follow_network(network(given), given, own))


WITH_STAND_INS = values(lambda given: stand_ins_truth(given)[0], follow=lambda given, own: stand_ins_truth(given)[1:])


def judge_gradients(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """All six gradients. What only a wrong equation of the student's own makes wrong costs nothing here."""
    plain = [reply for reply in replies if not reply.given["with_stand_ins"]]
    stood = [reply for reply in replies if reply.given["with_stand_ins"]]
    verdicts = dict(judge_plain(lines, plain))
    if all(verdict.share == 1 for verdict in verdicts.values()):
        return verdicts
    following = WITH_STAND_INS(lines, stood) if _is_charged(stood) else {}
    for name, verdict in following.items():
        if verdict.share == 1 > verdicts[name].share:
            verdicts[name] = Verdict("correct", 1.0, own=True, message="Right, with your own equations of (b).")
    return verdicts


def _is_charged(stood: Sequence[Reply]) -> bool:
    """Whether an equation is wrong in (b)."""
    own = [
        Reply(all_stand_ins(reply.given), {name: reply.values.get(f"equation_{name}") for name in STAND_INS})
        for reply in stood
    ]
    return any(judge((Line(name, 0),), own)[name].share < 1 for name, judge in JUDGES.items())


@charged_once
def judge_plain(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """All six gradients. Weights that the backward pass has changed before using them are charged once."""
    whole = [r for r in replies if not any(isinstance(as_numbers(r.values.get(line.name)), str) for line in lines)]
    verdicts = dict(BY_NETWORK(lines, replies))
    if whole and len(whole) < len(replies):
        found = BY_NETWORK(lines, whole)
        if any("weights-not-transposed" in verdict.mistakes for verdict in found.values()):
            return found
    moved = [_with_own_weights(reply) for reply in replies]
    if all(one is two for one, two in zip(moved, replies)):
        return verdicts
    following = AT_OWN_WEIGHTS(lines, moved)
    first, *others = [name for name in verdicts if verdicts[name].share < 1.0 and following[name].share == 1.0] or [""]
    if first:
        told = Verdict.named(f"{'w3' if first in ('dW2', 'db2') else 'w2'}-updated-before-hidden-error")
        told = replace(verdicts[first], mistakes=told.mistakes, message=told.message, hint=told.hint, fingerprint="")
        verdicts |= {name: following[name] for name in others} | {first: told}
    return verdicts


def _with_own_weights(reply: Reply) -> Reply:
    """The reply as if its challenge had been asked at the weights that the student's backward pass left behind.

    The activations stay those of the forward pass, which was made before.
    """
    own = usable(reply.values)
    changed = {
        name: own[f"{name}_after"]
        for name in ("W2", "W3")
        if f"{name}_after" in own
        and own[f"{name}_after"].shape == reply.given[name].shape
        and not np.array_equal(own[f"{name}_after"], reply.given[name])
    }
    forward = {name: value for name, value in truth(reply.given).items() if name[0] in "ZA"}
    return Reply({**reply.given, **changed}, {**reply.values, **forward}) if changed else reply


# The questions ------------------------------------------------------------------------------------------------------


def _of(steps: str) -> str:
    return f"(b) The error signal of the {steps}"


EXERCISE = Exercise(
    name="two_hidden_layers",
    sheet="by_hand",
    title="Two hidden layers",
    minutes=75,
    difficulty=4,
    questions=(
        Question(
            "shape_table",
            "(a) Shapes first",
            tuple(Line(name, 0.5, f"shape of {name}") for name in SHAPES),
            SHAPE_TABLE,
            judge_shapes,
        ),
        Question("signal_3", _of("output layer"), lines(dZ3=1), SIGNAL_3, JUDGES["dZ3"]),
        Question("signal_2", _of("second hidden layer"), lines(dZ2=2), SIGNAL_2, JUDGES["dZ2"]),
        Question("signal_1", _of("first hidden layer"), lines(dZ1=2), SIGNAL_1, JUDGES["dZ1"]),
        Question("weights_1", "(b) The gradient of W1", lines(dW1=2), WEIGHTS_1, JUDGES["dW1"]),
        Question(
            "six_gradients",
            "(c) All six gradients",
            lines(dW3=1, db3=1, dW2=2, db2=1, dW1=2, db1=1),
            GRADIENTS,
            same_gradients_again(keeping_parameters(judge_gradients)),
        ),
    ),
    written=(Written("error_signal", "(d) How the error signal reaches the first layer", 3),),
    parts={
        "a": ("shape_table",),
        "b": ("signal_3", "signal_2", "signal_1", "weights_1"),
        "c": ("six_gradients",),
        "d": ("error_signal",),
    },
)
