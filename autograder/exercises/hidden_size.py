"""Sheet 3: how many hidden units? Under- and overfitting, and settings that hide both.

The student writes ``study``, which trains the baseline with several hidden sizes and returns a table. The function is
checked exactly for a few epochs on fresh data; the table that was handed in is checked by training again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.exercise import (
    RIGHT,
    Challenge,
    Exercise,
    Line,
    Probe,
    Question,
    Reply,
    Values,
    Verdict,
    Written,
    lines,
)
from autograder.exercises.reports import accuracy_slips, shares_of_wrong
from autograder.exercises.shared import (
    SMALL,
    accuracies,
    draw_point,
    in_arrays,
    network_for,
    noisy_moons,
    small_targets,
)
from autograder.kept import kept
from autograder.marking.compare import as_numbers, whole_numbers
from autograder.marking.judges import line_by_line, remembered, usable, values
from autograder.marking.slips import Slip, explain_slips
from autograder.truth import descent

SETTINGS = in_arrays(
    {"sizes": [1, 2, 4, 20, 50], "epochs": 7_000, "learning_rate": 1.0, "weight_scale": 5.0, "seed": 1}
)
"""The settings of the notebook: at these under- and overfitting are really seen."""

COLUMNS = {"final_loss": "final loss", "train_accuracy": "training accuracy", "test_accuracy": "test accuracy"}
"""The columns of the table, and what people call them."""

LOSS_TOLERANCE, ACCURACY_TOLERANCE = 0.05, 0.04
"""How far a table may lie from ours: 7,000 epochs amplify rounding errors, which differ between machines.

Measured in ``tests/exercises/test_hidden_size.py``: training in single precision moves a loss by up to 3 % and an
accuracy by up to 0.03, how much depends on the machine; the mistakes in the variants move a column by more."""

UNDER, GAP = 0.90, 0.10
"""Underfits: less than 90 % of the training data. Overfits: otherwise, and more than 10 points better there."""


# What is asked ------------------------------------------------------------------------------------------------------


def studied(student, given, *, columns):
    """The columns of the table that ``study`` returns."""
    data = [given[name] for name in ("X", "Y", "X_test", "Y_test")]
    sizes = [int(size) for size in given["sizes"]]
    settings = int(given["epochs"]), float(given["learning_rate"]), float(given["weight_scale"]), int(given["seed"])
    table = student.study(sizes, *data, *settings)
    if table is None:
        return {}
    try:
        rows = [[float(number) for number in row] for row in table]
    except TypeError:
        raise ValueError("study must return a list with one row of three numbers per size") from None
    if len(rows) != len(sizes) or any(len(row) != 3 for row in rows):
        raise ValueError("study must return one row of three numbers per size")
    return {name: [row[k] for row in rows] for k, name in enumerate(columns)}


def handed_in(student, given, *, columns):
    """The table and the three lists that were handed in, and what the student's own ``study`` gives for two sizes."""

    def named(table, prefix):
        try:
            rows = [[float(number) for number in row] for row in table]
            return {prefix + name: [row[k] for row in rows] for k, name in enumerate(columns)}
        except (TypeError, ValueError, IndexError):
            return {}

    found = named(getattr(student, "table", None), "")
    for name in ("underfits", "fits", "overfits"):
        sizes = getattr(student, name, None)
        try:
            found[name] = None if sizes is None else sorted(int(size) for size in sizes)
        except (TypeError, ValueError):
            found[name] = "something else"  # than a list of whole numbers
    for name in ("best_size", "widest_gap"):
        found[name] = getattr(student, name, None)
    if callable(getattr(student, "study", None)):
        data = [given[name] for name in ("X", "Y", "X_test", "Y_test")]
        sizes = [int(size) for size in given["sizes"][given["again"]]]
        settings = int(given["epochs"]), float(given["learning_rate"]), float(given["weight_scale"]), int(given["seed"])
        try:
            again = student.study(sizes, *data, *settings)
        except Exception:  # the question about study tells the student
            again = None
        found |= named(again, "again_")
    return found


def unit_spread(student, given):
    """The spread of the hidden activations of a given network."""
    net = student.SimpleNeuralNetwork(given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
    for name in ("W1", "b1", "W2", "b2"):
        setattr(net, name, given[name].copy())
    return {"spread": student.spread(net, given["X"])}


def _study_challenges(rng: np.random.Generator) -> list[Challenge]:
    # 23 examples for training and 19 for testing: no share of the one is a share of the other, except 0 and 1.
    points = []
    for sizes, epochs, rate, scale in (((2, 5, 3), 9, 0.8, 2.0), ((4, 1), 15, 0.5, 0.7), ((6, 3, 2), 6, 1.5, 3.0)):
        how = {"sizes": sizes, "epochs": epochs, "learning_rate": rate, "weight_scale": scale}
        data = noisy_moons(42, 19, int(rng.integers(1, 10_000)))
        points.append(Challenge(data | in_arrays(how) | {"seed": rng.integers(1, 10_000)}))
    return points


def _handed_in_challenges(rng: np.random.Generator) -> list[Challenge]:
    # Training takes long. Two rows, drawn, tell whether a table is that of the own study as well as five.
    again = np.sort(rng.choice(len(SETTINGS["sizes"]), 2, replace=False))
    return [Challenge(noisy_moons() | SETTINGS | {"again": again}, shown=True)]


def _spread_challenges(rng: np.random.Generator) -> list[Challenge]:
    points = [Challenge(SMALL, shown=True, kept={"Y": small_targets("bce")})]
    for sizes, examples in (((3, 4, 1), 6), ((2, 7, 1), 5), ((4, 5, 2), 8)):
        points.append(Challenge(draw_point(rng, sizes, ("sigmoid", "sigmoid"), "bce", examples)).keeping("Y"))
    return points


STUDIED = Probe(studied, _study_challenges, {"columns": (*COLUMNS,)})
HANDED_IN = Probe(handed_in, _handed_in_challenges, {"columns": (*COLUMNS,)})
SPREAD = Probe(unit_spread, _spread_challenges)


# What is true -------------------------------------------------------------------------------------------------------


def _rows(given: Values, *, fresh: bool = True, scale: float | None = None, after: bool = False) -> np.ndarray:
    """One row per size: final loss, training and test accuracy."""
    rate, epochs, rows, state = float(given["learning_rate"]), int(given["epochs"]), [], None
    for size in given["sizes"]:
        width = float(given["weight_scale"]) if scale is None else scale
        state = descent.baseline_state(int(size), int(given["seed"]), weight_scale=width)
        for _ in range(epochs):
            before, state = state, descent.step(state, descent.gradients(state, given["X"], given["Y"]), rate)
        rows.append((descent.loss(state if after else before, given["X"], given["Y"]), *accuracies(state, given)))
    return np.array(rows)


def truth(given: Values) -> dict[str, np.ndarray]:
    """The course's own initial weights, moved by derived gradients; the last loss before the last update."""
    return _truth({name: value for name, value in given.items() if name != "again"})


@remembered
def _truth(given: Values) -> dict[str, np.ndarray]:
    columns = kept("hidden_size", given, lambda: _rows(given).T.tolist())
    return {name: np.array(column) for name, column in zip(COLUMNS, columns, strict=True)}


def follow_study(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """The final loss may also be the one after the last update."""
    return [dict(truth(given)) | {"final_loss": _rows(given, after=True)[:, 0]}]


@remembered
def spread_truth(given: Values) -> dict[str, np.ndarray]:
    """The standard deviation over the hidden units, from exact activations, averaged over the examples."""
    A1 = network_for(given, ("sigmoid", "sigmoid"), "bce").evaluate(given, only=("A1",))["A1"]
    return {"spread": np.array(np.mean(np.sqrt(np.mean((A1 - A1.mean(axis=0)) ** 2, axis=0))))}


def verdicts(sizes: Sequence[int], on_train: Iterable[float], on_test: Iterable[float]) -> dict[str, list[int]]:
    """The sizes that underfit, fit and overfit, by the rule of the notebook."""
    found: dict[str, list[int]] = {"underfits": [], "fits": [], "overfits": []}
    for size, train, test in zip(sizes, on_train, on_test):
        word = "underfits" if train < UNDER else "overfits" if train - test > GAP else "fits"
        found[word].append(int(size))
    return found


# How what was handed in is judged -----------------------------------------------------------------------------------


def near(name: str, got: Any, expected: np.ndarray) -> bool:
    """Whether a column of a table agrees with the same training on another machine."""
    column = as_numbers(got)
    if isinstance(column, str) or column.shape != expected.shape or not np.all(np.isfinite(column)):
        return False
    allowed = LOSS_TOLERANCE * expected if name == "final_loss" else ACCURACY_TOLERANCE
    return bool(np.all(np.abs(column.astype(float) - expected) <= allowed))


@line_by_line
def table_by_training_again(name: str, reply: Reply) -> Verdict:
    """A column against the same training done by us, or done again by the student's own ``study``.

    The own ``study`` counts for a column only if another column of the table is right: then networks were trained.
    """
    exact, got = truth(reply.given), reply.values.get(name)
    if near(name, got, exact[name]):
        return RIGHT
    trains = any(near(column, reply.values.get(column), exact[column]) for column in COLUMNS if column != name)
    if trains and _is_own(name, reply):
        return Verdict("correct", share=1.0, own=True, message="Right, given your own `study`.")
    if got is None:
        told = "`table` has no rows of three numbers yet: store what your `study` returns."
        return Verdict("missing", message=told)
    told = f"Training again with the settings of the notebook gives another {COLUMNS[name]}."
    return Verdict(
        "wrong", message=told, hint="Was the table made with these settings, and not changed by hand afterwards?"
    )


def _is_own(name: str, reply: Reply) -> bool:
    """Whether a column of the table is what the student's own ``study`` gives, where it was asked again."""
    got, again = as_numbers(reply.values.get(name)), as_numbers(reply.values.get(f"again_{name}"))
    if isinstance(got, str) or isinstance(again, str) or got.shape != reply.given["sizes"].shape:
        return False
    return near(name, got[reply.given["again"]], again)


def _from_study(name: str, reply: Reply) -> bool:
    """Whether a column of the table was trained: by a right ``study`` or by the student's own."""
    return near(name, reply.values.get(name), truth(reply.given)[name]) or _is_own(name, reply)


@line_by_line
def sizes_by_rule(name: str, reply: Reply) -> Verdict:
    """One of the lists against the rule, applied to our table or to the student's own if that shows any difference.

    An own table counts when it is what the student's own ``study`` gives: from an invented one nothing follows.
    """
    got, listed = reply.values.get(name), whole_numbers(reply.values.get(name))
    if got is None:
        told = f"`{name}` is not filled in yet: give a list of sizes, `[]` if there is none."
        return Verdict("missing", message=told)
    if listed is None or not isinstance(got, list):
        told = f"`{name}` must be a list of hidden sizes, such as [3, 7]; one size is a list of one."
        return Verdict("wrong", message=told)
    exact, table = truth(reply.given), usable(reply.values)
    due = _by_rule(reply.given, exact)
    if listed.tolist() == due[name]:
        return RIGHT
    if all(_from_study(column, reply) for column in COLUMNS):
        own = _by_rule(reply.given, table)
        if sum(bool(group) for group in own.values()) > 1 and listed.tolist() == own[name]:
            return Verdict("correct", share=1.0, own=True, message="Right, given your own table.")
    return Verdict("wrong", message=_which_is_wrong(listed.tolist(), due[name]), hint=_RULE_HINT)


@line_by_line
def sizes_of_table(name: str, reply: Reply) -> Verdict:
    """A size for what a column, or a difference of two, is largest in our table or in the student's own."""
    got, size = reply.values.get(name), whole_numbers(reply.values.get(name))
    if got is None:
        return Verdict("missing", message=f"`{name}` is not filled in yet.")
    if size is None or size.size != 1:
        return Verdict("wrong", message=f"`{name}` must be one of the hidden sizes.")
    exact, table = truth(reply.given), usable(reply.values)
    if int(size[0]) in _largest(name, reply.given, exact):
        return RIGHT
    complete = all(column in table and table[column].shape == exact[column].shape for column in COLUMNS)
    if complete and all(_from_study(column, reply) for column in COLUMNS):
        own = _largest(name, reply.given, table)
        # a table in which nothing differs has to be that of networks that were trained
        trained = any(near(column, table[column], exact[column]) for column in COLUMNS)
        if int(size[0]) in own and (len(own) < len(reply.given["sizes"]) or trained):
            return Verdict("correct", share=1.0, own=True, message="Right, given your own table.")
    return Verdict("wrong", message=f"`{name}` is not what your table says.", hint=_LARGEST_HINTS[name])


_LARGEST_HINTS = {
    "best_size": "Which column stands for data that the network has not seen?",
    "widest_gap": "Take the difference of two columns, row by row.",
}


def _largest(name: str, given: Values, table: Mapping[str, np.ndarray]) -> list[int]:
    """The sizes for which the test accuracy, or how far it lies below the training accuracy, is largest."""
    gap = table["train_accuracy"] - table["test_accuracy"]
    column = gap if name == "widest_gap" else table["test_accuracy"]
    return [int(size) for size in given["sizes"][column >= column.max() - 1e-9]]


def _by_rule(given: Values, table: Mapping[str, np.ndarray]) -> dict[str, list[int]]:
    return verdicts([int(size) for size in given["sizes"]], table["train_accuracy"], table["test_accuracy"])


_RULE_HINT = "Take your table and the rule row by row: first the training accuracy, then the difference of the two."


def _which_is_wrong(got: Sequence[int], expected: Sequence[int]) -> str:
    extra, lacking = len(set(got) - set(expected)), len(set(expected) - set(got))

    def sizes(count: int) -> str:
        return f"{count} size{'s' if count > 1 else ''}"

    told = [f"{sizes(extra)} too many"] * bool(extra) + [f"{sizes(lacking)} missing"] * bool(lacking)
    return f"Your list is not what the rule says: {', '.join(told) or 'a size stands there twice'}."


# Which mistakes are known -------------------------------------------------------------------------------------------


STUDY_SLIPS = (
    Slip("default-weight-scale", "final_loss", lambda v: _rows(v.given, scale=0.01)[:, 0]),
    *accuracy_slips(truth),
    *shares_of_wrong(truth),
)

SPREAD_SLIPS = (
    Slip("spread-over-examples", "spread", "mean(std(sigma(W1 @ X + b1), axis=1))"),
    Slip("spread-over-everything", "spread", "std(sigma(W1 @ X + b1))"),
    Slip("spread-of-pre-activations", "spread", "mean(std(W1 @ X + b1, axis=0))"),
    Slip("spread-of-weights", "spread", "mean(std(W1, axis=0))"),
    Slip("variance-for-deviation", "spread", "mean(var(sigma(W1 @ X + b1), axis=0))"),
    Slip("divided-by-units-minus-one", "spread", "mean(std(sigma(W1 @ X + b1), axis=0, ddof=1))"),
)


# The questions ------------------------------------------------------------------------------------------------------


def _columns(*points: float) -> tuple[Line, ...]:
    return tuple(Line(name, worth, label) for (name, label), worth in zip(COLUMNS.items(), points))


EXERCISE = Exercise(
    name="hidden_size",
    sheet="training",
    title="How many hidden units?",
    minutes=60,
    difficulty=2,
    questions=(
        Question(
            "study_function",
            "The study as a function",
            _columns(2, 2, 3),
            STUDIED,
            values(truth, follow=follow_study, explain=explain_slips(STUDY_SLIPS)),
        ),
        Question(
            "table_rows",
            "The table",
            _columns(1, 1, 1),
            HANDED_IN,
            table_by_training_again,
        ),
        Question(
            "under_and_over",
            "Which sizes underfit, fit and overfit",
            lines(underfits=(2, "sizes that underfit"), fits=(1, "sizes that fit"), overfits=(2, "sizes that overfit")),
            HANDED_IN,
            sizes_by_rule,
        ),
        Question(
            "best_and_widest",
            "The best size and the widest gap",
            lines(best_size=(1, "the best size on new data"), widest_gap=(1, "the widest gap")),
            HANDED_IN,
            sizes_of_table,
        ),
        Question(
            "unit_spread",
            "How different the units are",
            lines(spread=(3, "spread of the hidden activations")),
            SPREAD,
            values(spread_truth, explain=explain_slips(SPREAD_SLIPS)),
        ),
    ),
    written=(Written("conclusions", "Too few, too many, and a setting that hides both", 5),),
    parts={
        "study": ("study_function", "table_rows"),
        "under- and overfitting": ("under_and_over", "best_and_widest"),
        "defaults": ("unit_spread",),
        "explanation": ("conclusions",),
    },
    limits={"question_cpu_seconds": 30.0, "question_wall_seconds": 60.0},
)
