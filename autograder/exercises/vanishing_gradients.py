"""Sheet 2: what is left of a gradient after five layers, estimated and then measured.

The estimates are numbers that the student fills in, each marked against what follows from the student's own earlier
ones. The measurement is code: the error signals of a real network with five layers, for three activations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

import mpmath
import numpy as np
import sympy as sp

from autograder.exercise import (
    Challenge,
    Exercise,
    Judge,
    Line,
    Personal,
    Probe,
    Question,
    Reply,
    Values,
    Verdict,
    Written,
    lines,
)
from autograder.exercises.error_signals import DEPTH, SIGNALS, judge_signals
from autograder.exercises.own_numbers import Draw, Part, coincidences, other_numbers
from autograder.exercises.shared import filled_in
from autograder.exercises.stated import Fact, stated
from autograder.marking import slips
from autograder.marking.by_hand import Slip, Step, chain, work_out_all
from autograder.marking.judges import remembered, values
from autograder.truth import derivative, derivative_from_output, many_digits

LAYERS = tuple(f"layer{layer}" for layer in range(DEPTH, 0, -1))
"""The entries of the student's list, from the output back to the input."""

# What is asked ------------------------------------------------------------------------------------------------------


def sigmoid_estimate(student, given):
    """The numbers of parts (a) and (b); None where one is not there."""
    found = {name: getattr(student, name, None) for name in ("max_slope", "at_input", "layers_needed", "weight_needed")}
    bounds = getattr(student, "sigmoid_bounds", None)
    if isinstance(bounds, np.ndarray):
        bounds = bounds.tolist()
    if bounds is None or bounds is Ellipsis:
        bounds = [None] * 5
    elif not isinstance(bounds, (list, tuple)) or len(bounds) != 5:
        bounds = [ValueError("sigmoid_bounds must be a list of five numbers, layer 5 first")] * 5
    for index, layer in enumerate((5, 4, 3, 2, 1)):
        found["layer" + str(layer)] = bounds[index]
    return found


def norms(student, given):
    """The norms of a few arrays of different shapes."""
    return {"norms": student.signal_norms([given[name].copy() for name in sorted(given)])}


def _norm_challenges(rng: np.random.Generator) -> list[Challenge]:
    shapes = ((3, 4), (2, 5), (4, 2), (1, 6), (5, 3))
    drawn = [{f"dZ{i}": rng.normal(size=shape) * 10.0**-i for i, shape in enumerate(shapes, 1)} for _ in range(3)]
    small = {f"dZ{i}": np.array([[3.0, -4.0]]) / 10**i for i in range(1, 6)}
    return [Challenge(small, shown=True), *(Challenge(point) for point in drawn)]


# The estimates, step by step: what follows from what, and the known slips ---------------------------------------------


GIVEN = {
    "start": np.array(1.0),
    "weight": np.array(1.0),
    "threshold": np.array(1e-6),
    "level": np.array(1.0),
    "share": np.array(0.5),
}
"""The numbers on the sheet: the gradient at the output, the size of every weight, the bound of (b), how much of its
bound a layer is to leave there, and the share of active units in (d)."""


def start(given: Values) -> dict[str, Any]:
    """The numbers of the sheet, or those in their place, and the slopes."""
    return {**GIVEN, **_slopes(), **given}


@cache
def _slopes() -> dict[str, Any]:
    """The slopes, which sympy derives: the sigmoid's largest one, and ReLU's below zero."""
    slope: sp.Expr = derivative_from_output("sigmoid")
    (a,) = slope.free_symbols
    relu = derivative("relu")
    (z,) = relu.free_symbols
    flat = sp.real_roots(sp.diff(slope, a))  # the slope of a slope that is a polynomial in a
    steepest = max(slope.subs(a, place) for place in (0, 1, *flat) if 0 <= place <= 1)
    return {"steepest": float(steepest), "leak": float(relu.subs(z, -1)), "depth": DEPTH, "k": np.arange(DEPTH)}


NO_WEIGHT = "Between z and the a before it stands a weight. How large is it?"


def _layer(layer: int) -> Step:
    above = f"layer{layer + 1}"
    return Step(f"layer{layer}", 1, f"{above} * weight * max_slope", "One weight and one slope.", (
        Slip("factor-applied-once", above, "Every layer multiplies what the layer above has left. This is that."),
        Slip("subtracted-not-multiplied", f"{above} - max_slope"),
        Slip("weights-missing-in-hidden-error", f"{above} * max_slope", NO_WEIGHT),
    ), label=f"bound at layer {layer}")  # fmt: skip


def _sizes(kind: str, words: str) -> Step:
    return Step(f"relu_{kind}", 1, f"start * {kind}_factor**(k + 1)", "One factor per layer.", (
        Slip("first-step-skipped", f"start * {kind}_factor**k",
             "The size at the start belongs to a5. The first entry comes after one layer already."),
        Slip("listed-backwards", f"start * {kind}_factor**(depth - k)"),
    ), label=f"{words}, layer 5 to 1")  # fmt: skip


NEEDED = "floor(log(threshold / start) / log(weight * max_slope))"
MEAN, RMS = "share + (1 - share) * leak", "sqrt(share + (1 - share) * leak**2)"
OF_BOTH = (Slip("factor-of-active-units", "1"), Slip("sigmoid-slope", "1 / 4"))

SIGMOID_STEPS = {
    "sigmoid_layers": (
        Step("max_slope", 1, "steepest", "The slope is largest where the sigmoid is one half.", (
            Slip("value-for-slope", "1", "1 is where the sigmoid ends. How steep is it at most?"),
            Slip("value-for-slope", "1 / 2", "That is its height at z = 0. How steep is it there?"),
        ), label="steepest slope of the sigmoid"),
        Step("layer5", 1, "start * max_slope", "From the output to z of the last layer there is one slope.", (
            Slip("first-step-skipped", "start"),
        ), label="bound at layer 5"),
        *(_layer(layer) for layer in (4, 3, 2, 1)),
    ),
    "sigmoid_input": (
        Step("at_input", 1, "layer1 * weight", "From layer 1 to the input there is one more weight.", (
            Slip("one-slope-too-many", "layer1 * weight * max_slope"),
            Slip("one-layer-short", "layer2", "That is what reaches z2. Two steps are left."),
            Slip("factor-asked-the-other-way", "1 / layer1"),
            Slip("weights-missing-in-hidden-error", "layer1", NO_WEIGHT),
        ), label="bound at the input"),
        Step("layers_needed", 1, f"{NEEDED} + 1", "The first whole number for which the bound is below.", (
            Slip("one-layer-short", NEEDED, "With so many layers the bound is still a little above."),
        ), label="layers that are needed"),
        Step("weight_needed", 1, "level / max_slope", "Weight times slope must make what a layer is to leave.", (
            Slip("slope-for-weight", "max_slope"),
            Slip("weight-one", "weight", "That is the size in (a). How much does one layer leave of the bound there?"),
        ), label="weight that is needed"),
    ),
}  # fmt: skip

RELU_STEPS = {
    "relu_layers": (
        Step("mean_factor", 1, MEAN, "The average of the slopes.", (Slip("rms-for-mean", RMS), *OF_BOTH),
             label="factor of the mean magnitude"),
        _sizes("mean", "mean magnitude"),
        Step("rms_factor", 1, RMS, "Square the slopes first, then average, then take the root.",
             (Slip("mean-for-rms", MEAN), *OF_BOTH), label="factor of the root-mean-square"),
        _sizes("rms", "root-mean-square"),
    ),
}  # fmt: skip


ALL = tuple(step for steps in (*SIGMOID_STEPS.values(), *RELU_STEPS.values()) for step in steps)
RELU_NAMES = tuple(step.name for step in RELU_STEPS["relu_layers"])
PARTS = (
    Part(("layer5", "layer4", "layer1"), [step for steps in SIGMOID_STEPS.values() for step in steps]),
    Part(("mean_factor", "relu_mean", "relu_rms"), RELU_STEPS["relu_layers"]),
)

SIGMOID = Probe(sigmoid_estimate, lambda rng: [Challenge({}, shown=True, kept=GIVEN)])
RELU = filled_in(RELU_NAMES, GIVEN, called="relu_estimate")
NORMS = Probe(norms, _norm_challenges)


@remembered
def truth(given: Values) -> dict[str, np.ndarray]:
    """The exact numbers of parts (a), (b) and (d)."""
    found = work_out_all(ALL, start(given))
    return {step.name: found[step.name] for step in ALL}


def turned(judge: Judge) -> Judge:
    """The same judge; where the list of bounds as a whole stands the other way round, its first entry is charged."""
    bounds = [Line(layer, 0) for layer in LAYERS]

    def judged(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        (reply,) = replies
        verdicts = dict(judge(lines, replies))
        own = [reply.values.get(layer) for layer in LAYERS]
        other = [replace(reply, values={**reply.values, **dict(zip(LAYERS, reversed(own)))})]
        if _all_right(judge(bounds, replies)) or not _all_right(judge(bounds, other)):
            return verdicts
        for name, verdict in judge(lines, other).items():
            verdicts[name] = max(verdicts[name], verdict, key=lambda one: one.share)
        if LAYERS[0] in verdicts:
            verdicts[LAYERS[0]] = Verdict.named("listed-backwards")
        return verdicts

    return judged


def _all_right(verdicts: Mapping[str, Verdict]) -> bool:
    return all(verdict.share == 1 for verdict in verdicts.values())


@remembered
def norm_truth(given: Values) -> dict[str, np.ndarray]:
    """The square root of the sum of squares, in 50 digits."""
    with many_digits():
        return {"norms": np.array([float(mpmath.norm(list(map(float, given[n].ravel())))) for n in sorted(given)])}


NORM_SLIPS = tuple(
    slips.Slip(mistake, "norms", lambda v, wrong=wrong: [wrong(v[f"dZ{i}"]) for i in range(1, DEPTH + 1)])
    for mistake, wrong in {
        "square-root-missing": lambda g: np.sum(g**2),
        "mean-for-sum": lambda g: np.sqrt(np.mean(g**2)),
        "absolute-values-for-squares": lambda g: np.sum(abs(g)),
        "largest-entry-for-norm": lambda g: np.max(abs(g)),
        "spectral-norm": lambda g: np.linalg.norm(g, 2),
    }.items()
)


# The questions ------------------------------------------------------------------------------------------------------

BY_SIGMOID, BY_RELU = turned(chain(SIGMOID_STEPS, truth, start)), chain(RELU_STEPS, truth, start)


def judge_estimates(lines: Sequence[Line], replies: Sequence[Reply]) -> dict[str, Verdict]:
    """Verdicts on parts (a) and (b), and on part (d): two chains, and nothing follows from the one in the other."""
    of_relu = [line for line in lines if line.name in RELU_NAMES]
    of_sigmoid = [line for line in lines if line.name not in RELU_NAMES]
    return {**BY_SIGMOID(of_sigmoid, replies), **BY_RELU(of_relu, replies)}


# Numbers for one student -------------------------------------------------------------------------------------------

STARTS = tuple(tenths / 10 for tenths in range(11, 100, 2) if tenths % 5)
"""Gradients at the output. None is twice, four or ten times another one: a slip leads to nobody else's numbers."""

WEIGHTS = (0.6, 0.7, 0.8, 0.9, 1.2, 1.3, 1.4, 1.6, 1.8)
"""Sizes of the weights. They are smaller than 2, so that the bound shrinks, whatever slope below 1/2 is taken."""

THRESHOLDS = (1e-5, 1e-6, 1e-7, 1e-8)
LEVELS = (0.3, 0.4, 0.6, 0.7, 0.8, 0.9)
SHARES = (0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
"""Shares of active units. They are above one half: the share of the silent ones is nobody else's number."""


def draw(random: Callable[[], float]) -> dict[str, np.ndarray]:
    """Other numbers, at which every known mistake shows. ``random`` gives numbers from 0 to 1, 1 excluded."""
    drawn = Draw(random)
    options = {"start": STARTS, "weight": WEIGHTS, "threshold": THRESHOLDS, "level": LEVELS, "share": SHARES}
    while True:
        given = {name: np.array(drawn.one(some)) for name, some in options.items()}
        layers = np.log(given["threshold"] / given["start"]) / np.log(given["weight"] / 4)
        if 0.05 < layers % 1 < 0.95 and not any(coincidences(ALL, start(given))):
            return given


def in_words(given: Values) -> str:
    """The numbers as one line of text.

    >>> in_words(GIVEN)
    'gradient 1, |w| = 1, below 1e-06, weight times slope 1, 50 % of the units active'
    """
    g, w, threshold, level, share = (given[name].item() for name in GIVEN)
    chain = f"gradient {g:g}, |w| = {w:g}, below {threshold:g}, weight times slope {level:g}"
    return f"{chain}, {100 * share:.0f} % of the units active"


def texts(given: Values) -> Sequence[tuple[str, str]]:
    """Every place where the notebook states a number: the cell and the text. Each stands there exactly once."""
    g, w, threshold, level, share = (given[name].item() for name in GIVEN)
    example = ", ".join(f"{g * 0.6 * (0.6 * w) ** k:.4g}" for k in range(3))
    left = (
        f"every layer leaves {100 * level:.0f} % of the bound"
        if level < 1
        else "the bound does not shrink from layer to layer"
    )
    active = "half" if share == 0.5 else f"{100 * share:.0f} %"
    return (
        ("task", f"every weight has the size $|w| = {w:g}$"),
        ("task", f"has magnitude {g:g}: $"),
        ("task", f"a_5| = {g:g}$"),
        ("picture", f'"magnitude {g:g}"'),
        ("part_a", f"the list would start with `{example}`"),
        ("part_b", f"one more weight, of size {w:g}."),
        ("part_b", f"$10^{{{round(np.log10(threshold))}}}$"),
        ("part_b", f"is {level:g} and {left}?"),
        ("part_d", f"**{active.capitalize()} of its units are active.**"),
        ("part_d", f"magnitude {g:g} at every unit"),
        ("show_text", f"{active} of the examples"),
        ("measured", f"active = {share:g}"),
        ("measured", f"start, weight = {g:g}, {w:g}"),
    )


ODD_ONE_OUT = {
    "odd_one_out": Fact(
        1,
        "the remedy that does not help",
        lambda: "gradient clipping",
        "Which of the four never makes a small gradient larger?",
        also=("clipping",),
    )
}


def _estimate(id: str, title: str, steps: Mapping[str, Sequence[Step]], probe: Probe) -> Question:
    return Question(id, title, tuple(step.line for step in steps[id]), probe, judge_estimates)


EXERCISE = Exercise(
    name="vanishing_gradients",
    sheet="by_hand",
    title="Where gradients vanish",
    minutes=60,
    difficulty=3,
    questions=(
        _estimate("sigmoid_layers", "(a) The sigmoid, layer by layer", SIGMOID_STEPS, SIGMOID),
        _estimate("sigmoid_input", "(b) What reaches the input", SIGMOID_STEPS, SIGMOID),
        stated("which_does_not_help", "(c) Which remedy does not help", ODD_ONE_OUT),
        _estimate("relu_layers", "(d) ReLU, layer by layer", RELU_STEPS, RELU),
        Question(
            "true_signals",
            "(e) The error signals of a real network",
            lines(
                last=(2, "the first step, dZ5"),
                sigmoid=(1, "dZ4 to dZ1 with sigmoid"),
                tanh=(1, "dZ4 to dZ1 with tanh"),
                relu=(1, "dZ4 to dZ1 with ReLU"),
            ),
            SIGNALS,
            judge_signals,
        ),
        Question(
            "true_norms",
            "(e) Their norms",
            lines(norms=(1, "norms of five arrays")),
            NORMS,
            values(norm_truth, explain=slips.explain_slips(NORM_SLIPS)),
        ),
    ),
    written=(Written("remedies", "(c) Why three remedies help", 3),),
    parts={
        "a": ("sigmoid_layers",),
        "b": ("sigmoid_input",),
        "c": ("which_does_not_help", "remedies"),
        "d": ("relu_layers",),
        "e": ("true_signals", "true_norms"),
    },
    personal=Personal(
        GIVEN, draw, texts, ("task", "## A chain of five layers\n"), in_words, truth, judge_estimates,
        partial(other_numbers, judge_estimates, PARTS, start, in_words),
    ),
)  # fmt: skip
