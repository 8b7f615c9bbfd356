"""Sheet 5: residual blocks, whose gradients come back by two paths, and stacks of fifty of them.

Three blocks by hand; a block forwards and back; a projection where sizes change; a stack of any branches, with identity
paths and without; and how large what reaches the first block is.
"""

from __future__ import annotations

import numpy as np

from autograder.exercise import Challenge, Exercise, Line, Probe, Question, Written, lines
from autograder.exercises import residual_by_hand as by_hand
from autograder.exercises import residual_mistakes as known
from autograder.exercises import residual_truth as true
from autograder.exercises.shared import calling, keeping_inputs, of_order_one
from autograder.marking.judges import values
from autograder.marking.slips import explain_slips

# What is asked ------------------------------------------------------------------------------------------------------


def through_a_stack(student, given, *, function, forwards):
    """What lies between blocks whose branches are ours, with identity paths and, in the other order, without."""
    forth = [lambda X, M=M: M @ X + 1 for M in given["M"]]
    back = [lambda d, M=M: M.T @ d for M in given["M"]]
    first, branches, name = (given["X"], forth, "values") if forwards else (given["dout"], back, "gradients")
    for identity, which in ((True, ""), (False, "_plain")):
        returned = getattr(student, function)(first.copy(), branches if identity else branches[::-1], identity)
        yield {name + which: [np.array(one, copy=True) for one in returned]}


def sizes_and_factor(student, given):
    """The sizes of gradients, and the factor of one block."""
    try:
        yield {"relative": student.relative_sizes([one.copy() for one in given["gradients"]])}
    finally:
        yield {"per_block": student.per_block([one.copy() for one in given["gradients"]])}


def _blocks(rng: np.random.Generator) -> list[Challenge]:
    """Blocks of n units with h hidden ones; the projected ones have k units behind them."""
    points = []
    for n, h, m, k in ((2, 2, 2, 2), (3, 4, 6, 2), (4, 5, 7, 3), (5, 3, 8, 6)):
        shapes = {"X": (n, m), "W1": (h, n), "b1": (h, 1), "W2": (n, h), "b2": (n, 1), "dout": (n, m)}
        point = {name: of_order_one(rng, *shape) for name, shape in shapes.items()}
        point |= {"P": of_order_one(rng, k, n), "V2": of_order_one(rng, k, h), "dV": of_order_one(rng, k, m)}
        if m == 2:
            half = {"X": [[1, 0], [-1, 2]], "W1": [[1, 1], [0, -1]], "b1": [[0.5], [0]], "W2": [[2, 0], [1, -1]]}
            half |= {"b2": [[0.5], [-0.5]], "dout": [[1, -1], [0, 2]], "P": [[1, 2], [0, -1]]}
            point |= {name: np.array(value, dtype=float) for name, value in half.items()}
            point |= {"V2": point["W2"], "dV": point["dout"]}
        else:
            point |= {name: 0.5 * point[name] for name in ("W1", "X")}  # so that no tanh saturates
        point["A1"] = np.tanh(point["W1"] @ point["X"] + point["b1"])
        points.append(Challenge(point, shown=m == 2))
    return points


def _forwards(rng: np.random.Generator) -> list[Challenge]:
    return [
        Challenge({name: one.given[name] for name in ("X", "W1", "b1", "W2", "b2")}, one.shown) for one in _blocks(rng)
    ]


def _backwards(rng: np.random.Generator) -> list[Challenge]:
    return [one.keeping("b1", "b2", "P", "V2", "dV") for one in _blocks(rng)]


def _projected(rng: np.random.Generator) -> list[Challenge]:
    """The same blocks, with other branches that lead to as many units as the projection does."""
    points = []
    for one in _blocks(rng):
        given = {**one.given, "W2": one.given["V2"], "dout": one.given["dV"], "b2": np.zeros((len(one.given["P"]), 1))}
        points.append(Challenge(given, one.shown).keeping("b1", "b2", "V2", "dV"))
    return points


def _stacks(rng: np.random.Generator, sent: str) -> list[Challenge]:
    points = []
    for L, n, m in ((2, 2, 1), (3, 4, 5), (5, 2, 3), (4, 3, 6)):
        point = {"M": of_order_one(rng, L, n, n) / 2, "X": of_order_one(rng, n, m), "dout": of_order_one(rng, n, m)}
        if m == 1:
            point["M"] = np.array([[[0.5, 1.0], [0.0, -1.0]], [[1.0, 0.0], [2.0, 0.5]]])
            point |= {"X": np.array([[1.0], [2.0]]), "dout": np.array([[1.0], [-1.0]])}
        points.append(Challenge({name: point[name] for name in ("M", sent)}, shown=m == 1))
    return points


def _lists(rng: np.random.Generator) -> list[Challenge]:
    """Gradients that shrink and that grow."""
    small = np.array([[[6.0, 8.0]], [[3.0, 4.0]], [[0.0, 2.5]]])
    points = [Challenge({"gradients": small}, shown=True)]
    for L, n, m, factor in ((4, 3, 5, 0.4), (6, 2, 4, 1.6), (9, 4, 3, 0.7)):
        grown = factor ** np.arange(L + 1).reshape(-1, 1, 1) * rng.uniform(0.7, 1.4, (L + 1, 1, 1))
        points.append(Challenge({"gradients": grown * of_order_one(rng, L + 1, n, m)}))
    return points


# The questions ------------------------------------------------------------------------------------------------------


def _stack(name: str, first: str, function: str, points: float, plain: float) -> Question:
    marked = (Line(name, points, f"{name} with identity paths"), Line(f"{name}_plain", plain, f"{name} without"))
    settings = {"function": function, "forwards": name == "values"}
    probe = Probe(through_a_stack, lambda rng: _stacks(rng, first), settings, function)
    truth = true.stack_values if name == "values" else true.stack_gradients
    judge = values(truth, explain=explain_slips(known.STACK))
    return Question(f"stack_{name}", f"(d) A stack, {name}", marked, probe, judge)


EXERCISE = Exercise(
    name="residual_network",
    sheet="beyond",
    title="Residual networks",
    minutes=75,
    difficulty=3,
    questions=(
        Question(
            "three_blocks",
            "(a) Three blocks by hand",
            tuple(step.line for step in by_hand.STEPS["three_blocks"]),
            by_hand.PROBE,
            by_hand.JUDGE,
        ),
        Question(
            "block_values",
            "(b) A block, forwards",
            lines(A1=0.5, out=1.5),
            calling("block_forward", "X W1 b1 W2 b2", "A1 out", _forwards),
            keeping_inputs(values(true.block, follow=true.follow_block, explain=explain_slips(known.BLOCK))),
        ),
        Question(
            "block_gradients",
            "(b) A block, back",
            lines(dW2=0.5, db2=0.5, dZ1=1, dW1=0.5, db1=0.5, dX=2),
            calling("block_backward", "dout X A1 W1 W2", "dW2 db2 dZ1 dW1 db1 dX", _backwards),
            keeping_inputs(
                values(true.block_gradients, follow=true.follow_gradients, explain=explain_slips(known.GRADIENTS))
            ),
        ),
        Question(
            "projection_gradients",
            "(c) A projection",
            lines(dP=2, dX=2),
            calling("projected_backward", "dout X A1 W1 W2 P", "dP dX", _projected),
            values(true.projection_gradients, explain=explain_slips(known.PROJECTION)),
        ),
        _stack("values", "X", "stack_forward", 1, 0.5),
        _stack("gradients", "dout", "stack_backward", 2, 0.5),
        Question(
            "gradient_sizes",
            "(e) Fifty blocks",
            lines(relative=1, per_block=2),
            Probe(sizes_and_factor, _lists),
            values(true.sizes, follow=true.follow_sizes, explain=explain_slips(known.SIZES)),
        ),
    ),
    written=(Written("residual_words", "(f) Why", 3),),
    parts={
        "a": ("three_blocks",),
        "b": ("block_values", "block_gradients"),
        "c": ("projection_gradients",),
        "d": ("stack_values", "stack_gradients"),
        "e": ("gradient_sizes",),
        "f": ("residual_words",),
    },
    personal=by_hand.PERSONAL,
)
