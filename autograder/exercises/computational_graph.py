"""Sheet 2: a computational graph with a fork, forward and backward, every edge by hand.

The student fills in the values of the nodes and what comes back along every edge: where a node feeds two others, the
two come together in a sum. The same sum over the units of a layer is a product with the transposed weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import sympy as sp

from autograder.exercise import Exercise, Personal, Question, Values
from autograder.exercises.own_numbers import Draw, Part, coincidences, listed, matrix, other_numbers, plain
from autograder.exercises.shared import filled_in
from autograder.marking.by_hand import Slip, Step, chain
from autograder.marking.judges import remembered

GIVEN = {
    "x": np.array(2.0),
    "y": np.array(3.0),
    "a": np.array([1.0, 2.0]),
    "W": np.array([[1.0, 4.0], [2.0, -3.0], [-1.0, 5.0]]),
    "dz": np.array([2.0, -1.0, 3.0]),
}
"""The numbers on the sheet. They are not secret, so feedback may show what was expected."""

NODES = {"u": "x + y", "v": "u * x", "w": "u**2", "L": "v * w"}
"""The graph: every node by those that it is made from."""


# The calculation, step by step: what follows from what, and the known slips -------------------------------------------

PRODUCT = "A product passes on to each factor the other one. Which one stands in your value?"


def _edge(name: str, upstream: str, own: str, *slips: Slip) -> Step:
    """What comes back along an edge: what has arrived at its end, times the derivative of that node."""
    alone = Slip("upstream-missing", own)
    return Step(name, 0.5, f"{upstream} * {own}", "What has arrived, times the node's own derivative.", (*slips, alone))


def _sum(name: str, points: float, one: str, other: str) -> Step:
    """What arrives at a node that feeds two others; a sum with nothing of one path is no mere copy of the other."""
    return Step(name, points, f"{one} + {other}", "Where two paths come together the gradients add.", (
        Slip("one-path-only", f"{one} + 0 * {other}"),
        Slip("one-path-only", f"0 * {one} + {other}"),
        Slip("paths-multiplied", f"{one} * {other}"),
        Slip("paths-averaged", f"({one} + {other}) / 2"),
    ))  # fmt: skip


STEPS = {
    "node_values": (
        Step("u", 0.5, NODES["u"], slips=(Slip("sign-of-a-term", "x - y"), Slip("product-for-sum", "x * y"))),
        Step("v", 0.5, NODES["v"], slips=(Slip("sum-for-product", "u + x"), Slip("other-operand", "u * y"))),
        Step("w", 0.5, NODES["w"], slips=(Slip("derivative-for-value", "2 * u + 0 * v"),), also=("u * u",)),
        Step("L", 0.5, NODES["L"], slips=(Slip("sum-for-product", "v + w"),)),
    ),
    "edge_values": (
        Step("dv", 0.5, "w", "L is a product: each factor gets the other one.", (
            Slip("own-factor", "v + 0 * w", PRODUCT),
        )),
        Step("dw", 0.5, "v", "L is a product: each factor gets the other one.", (
            Slip("own-factor", "w + 0 * v", PRODUCT),
        )),
        _edge("v_to_u", "dv", "x", Slip("own-factor", "dv * u", PRODUCT)),
        _edge("w_to_u", "dw", "2 * u", Slip("exponent-forgotten", "dw * u"), Slip("value-for-derivative", "dw * u**2")),
        _sum("du", 1, "v_to_u", "w_to_u"),
        _edge("v_to_x", "dv", "u", Slip("own-factor", "dv * x", PRODUCT)),
        Step("u_to_x", 0.5, "du", "A sum passes on what has arrived, to each of its terms.", (
            Slip("value-for-derivative", "du * x"),
            Slip("paths-averaged", "du / 2"),
        )),
        _sum("dx", 0.5, "v_to_x", "u_to_x"),
        Step("dy", 0.5, "du", "A sum passes on what has arrived, to each of its terms.", (
            Slip("value-for-derivative", "du * y"),
            Slip("sign-flipped", "-du"),
            Slip("paths-averaged", "du / 2"),
        )),
    ),
    "layer_values": (
        Step("edges", 1, "dz.reshape(3, 1) * W", "Each edge: what has arrived at its unit, times its weight.", (
            Slip("upstream-missing", "W"),
            Slip("value-for-derivative", "dz.reshape(3, 1) * W * a"),
        )),
        Step("da", 1, "sum(edges, axis=0)", "A unit gets the sum over all units that it feeds.", (
            Slip("weights-missing-in-hidden-error", "sum(dz) + 0 * a"),
            Slip("paths-averaged", "sum(edges, axis=0) / 3"),
            Slip("one-path-only", "edges[0] + 0 * a"),
            Slip("one-path-only", "edges[2] + 0 * a"),
        )),
    ),
}  # fmt: skip
"""The steps of every question."""


ALL = tuple(step for steps in STEPS.values() for step in steps)


def start(given: Values) -> dict[str, Any]:
    """The numbers of the sheet under the names of the formulas."""
    return dict(given)


@remembered
def truth(given: Values) -> dict[str, np.ndarray]:
    """The exact values, derived by sympy from the graph alone: none of the formulas above is used."""
    names = {name: sp.Symbol(name) for name in ("x", "y", *NODES)}
    formula = {node: sp.sympify(text, names) for node, text in NODES.items()}
    values: dict[sp.Symbol, sp.Expr] = {names[name]: sp.nsimplify(float(given[name])) for name in ("x", "y")}
    for node, expression in formula.items():
        values[names[node]] = expression.subs(values)

    def whole(node: str) -> sp.Expr:
        """The derivative of L by a node: L written out down to it, all paths at once."""
        written = names["L"]
        for later in reversed(NODES):
            written = written if later == node else written.subs(names[later], formula[later])
        return written.diff(names[node]).subs(values)

    found = {node: values[names[node]] for node in NODES}
    found |= {f"d{name}": whole(name) for name in ("v", "w", "u", "x", "y")}
    for end, begin in (("v", "u"), ("w", "u"), ("v", "x"), ("u", "x")):
        found[f"{end}_to_{begin}"] = whole(end) * formula[end].diff(names[begin]).subs(values)
    return {name: np.array(float(value)) for name, value in found.items()} | _layer(given)


def _layer(given: Values) -> dict[str, np.ndarray]:
    """The edges of a layer and what arrives at its inputs: derivatives of the sum of dz times W a."""
    W, dz = sp.Matrix(given["W"]), sp.Matrix(given["dz"])
    units = sp.symbols(f"a:{W.cols}")
    terms = [dz[i] * W[i, j] * units[j] for i in range(W.rows) for j in range(W.cols)]
    edges = [[terms[i * W.cols + j].diff(units[j]) for j in range(W.cols)] for i in range(W.rows)]
    return {
        "edges": np.array(edges, dtype=float),
        "da": np.array([sum(terms).diff(unit) for unit in units], dtype=float),
    }


# Numbers for one student -------------------------------------------------------------------------------------------


def draw(random: Callable[[], float]) -> dict[str, np.ndarray]:
    """Other small whole numbers, at which every known mistake shows. ``random`` gives numbers from 0 to 1."""
    drawn = Draw(random)
    while True:
        x, y = drawn.apart(2, range(2, 7))
        weights = drawn.apart(6, (-5, -4, -3, -2, -1, 1, 2, 3, 4, 5))
        signals = drawn.apart(3, (-3, -2, -1, 1, 2, 3))
        given = {
            "x": np.array(float(x)),
            "y": np.array(float(y)),
            "a": GIVEN["a"],
            "W": np.array(weights, dtype=float).reshape(3, 2),
            "dz": np.array(signals, dtype=float),
        }
        other = x + y <= 8 and np.all(given["dz"] @ given["W"]) and in_words(given) != in_words(GIVEN)
        if other and not any(coincidences(ALL, start(given))):
            return given


def in_words(given: Values) -> str:
    """The numbers as one line of text.

    >>> in_words(GIVEN)
    'x = 2, y = 3, W = [[1, 4], [2, -3], [-1, 5]], dz = [2, -1, 3]'
    """
    return ", ".join(f"{name} = {plain(given[name])}" for name in ("x", "y", "W", "dz"))


def texts(given: Values) -> Sequence[tuple[str, str]]:
    """Every place where the notebook states a number: the cell and the text. Each stands there exactly once."""
    x, y = given["x"].item(), given["y"].item()
    return (
        ("task", f"$x = {x:g}$ and $y = {y:g}$"),
        ("picture", f'draw_graph({{"x": {x:g}, "y": {y:g}, '),
        ("part_b", f"with $x = {x:g}.001$"),
        ("part_c", f"W = {matrix(given['W'])}$$"),
        ("part_c", f"$dz = ({listed(given['dz'])})$"),
    )


# The questions ------------------------------------------------------------------------------------------------------

PROBE, JUDGE = filled_in([step.name for step in ALL], GIVEN), chain(STEPS, truth, start)
PARTS = (
    Part(("u", "v", "L"), (*STEPS["node_values"], *STEPS["edge_values"])),
    Part(("edges", "da"), STEPS["layer_values"]),
)
TITLES = {
    "node_values": "(a) Forward: the nodes",
    "edge_values": "(b) Backward: every edge",
    "layer_values": "(c) The same for a layer",
}

EXERCISE = Exercise(
    name="computational_graph",
    sheet="by_hand",
    title="Where paths meet",
    minutes=20,
    difficulty=1,
    questions=tuple(
        Question(id, title, tuple(step.line for step in STEPS[id]), PROBE, JUDGE) for id, title in TITLES.items()
    ),
    parts={letter: (id,) for letter, id in zip("abc", TITLES)},
    personal=Personal(
        GIVEN, draw, texts, ("task", "## The graph\n"), in_words, truth, JUDGE,
        partial(other_numbers, JUDGE, PARTS, start, in_words),
    ),
)  # fmt: skip
