"""The record of a network that is only designed: what it may say, how it is read, and whether it is consistent.

Whether a consistent design is a good one is for a person, who finds a note beside what is unusual.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from autograder.exercise import RIGHT, Reply, Verdict
from autograder.exercises.shared import sigmoid
from autograder.marking.compare import whole_numbers
from autograder.marking.judges import line_by_line
from autograder.truth import Network

TARGET_RANGE = (1e-9, 1e9)
"""Rate constants in 1/s that the network of the task must be able to predict. The data lie inside."""

MIN_FEATURES, MIN_MOLECULAR = 5, 3

_CONDITIONS = re.compile(
    r"(?<!boiling )(?<!melting )(?<!critical )temperature|(?<!vapour )(?<!vapor )(?<!critical )pressure|"
    r"concentration|molarity|solvent(?!.accessible)|permittivity|dielectric|ionic strength|"
    r"cataly|\bph\b|stirring|irradiation|\btime\b"
)
_FROM_RATES = re.compile(
    r"activation (energy|enthalpy|entropy|barrier)|(energy|enthalpy|entropy) of activation|energy barrier|"
    r"barrier height|pre-?\s?exponential|arrhenius|frequency factor|\brates?\b"
)
_SYMBOLS = {"t", "p", "ea", "e_a", "a", "log a", "log10 a", "loga", "log_a", "c", "eps", "epsilon", "i"}
"""Symbols of the data set's table, and of pressure: no properties of molecules."""

ACTIVATIONS: Mapping[str, tuple[Callable[[np.ndarray], np.ndarray], float, float]] = {
    "linear": (lambda z: z, -np.inf, np.inf),
    "sigmoid": (sigmoid, 0, 1),
    "tanh": (np.tanh, -1, 1),
    "relu": (lambda z: np.maximum(z, 0), 0, np.inf),
    "softplus": (lambda z: np.logaddexp(0, z), 0, np.inf),
    "exp": (np.exp, 0, np.inf),
}
"""Activations that the record knows, with the ends of the values that they reach or come arbitrarily close to."""

_BOTH_SIDES = (-3.0, 3.0)  # standardised values lie on both sides of zero, and some beyond -1 and 1

TRANSFORMED_RANGES = {
    "none": TARGET_RANGE,
    "log10": (np.log10(TARGET_RANGE[0]), np.log10(TARGET_RANGE[1])),
    "standardise": _BOTH_SIDES,
    "log10+standardise": _BOTH_SIDES,
    "minmax": (0.0, 1.0),
    "log10+minmax": (0.0, 1.0),
}
"""Target transforms that the record knows, with the interval that the network's output must then cover."""

REGRESSION_LOSSES = ("mse", "mae", "huber")
LOSSES = (*REGRESSION_LOSSES, "bce", "ce", "hinge")

TARGET_WORDS = {"k", "kobs", "rate", "rates", "halflife", "lifetime", "half"}
"""Words that name the target, or what is only another way to write it."""

_WORDS_BESIDE_THE_TARGET = {
    "the", "of", "a", "this", "its", "in", "per", "log", "log10", "ln", "lg", "log2", "logarithm", "decadic", "natural",
    "measured", "observed", "experimental", "apparent", "initial", "overall", "value", "reaction", "constant", "order",
    "coefficient", "kinetic", "life", "time", "inverse", "reciprocal", "first", "second", "1", "10", "s", "obs", "exp",
    "min", "h", "mol", "l",
}  # fmt: skip


def names_the_target(feature: str) -> bool:
    """Whether a feature is the rate itself, or a function of nothing else, such as its logarithm or a half-life.

    >>> [names_the_target(name) for name in ("log10 k (1/s)", "half-life", "stirring rate", "k of the solvent")]
    [True, True, False, False]
    """
    words = set(re.findall(r"[^\W_]+", feature.casefold()))
    return bool(words & TARGET_WORDS) and words <= TARGET_WORDS | _WORDS_BESIDE_THE_TARGET


KNOWN_UNITS = {
    "1", "-", "dimensionless", "none", "count", "%", "ph", "k", "°c", "c", "celsius", "kelvin", "ev", "hartree", "j",
    "kj", "j/mol", "kj/mol", "kcal/mol", "j/(mol k)", "j/(mol*k)", "j/mol/k", "mol/l", "m", "mmol/l", "mol/m^3", "m^2",
    "cm^2", "nm", "nm^2", "å", "å^2", "å^3", "angstrom", "pm", "u", "da", "g/mol", "kg/mol", "amu", "debye", "d", "e",
    "c m", "s", "1/s", "s^-1", "log10(1/s)", "l/(mol s)", "hz", "cm^-1", "1/cm", "bar", "pa", "kpa", "mpa", "atm", "v",
    "mv", "mpa s", "mpa*s", "cp", "pa s", "degree", "degrees", "°", "rad", "m/s", "g/cm^3", "kg/m^3", "ml", "l",
    "w/m^2", "rpm", "m^2/g",
}  # fmt: skip
"""Units that pass without a note, in lower case."""


# What the record says -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Record:
    """A student's design, read with suspicion: what cannot be read is None, and ``problem_of`` says why."""

    raw: Mapping[str, Any]

    @cached_property
    def features(self) -> list[tuple[str, str]] | None:
        """Name and unit of every feature that has a name; a unit that is not there is empty."""
        given = self.raw.get("features")
        if not isinstance(given, list | tuple):
            return None
        entries = [entry for entry in given if isinstance(entry, dict) and _text(entry.get("name"))]
        return [(_text(entry["name"]), _text(entry.get("unit"))) for entry in entries]

    @cached_property
    def names(self) -> list[str]:
        """The distinct names of features that are not the target itself."""
        names = dict.fromkeys(" ".join(name.casefold().split()) for name, _ in self.features or [])
        return [name for name in names if not names_the_target(name)]

    @cached_property
    def units(self) -> list[int] | None:
        """The number of units of every layer, the output last; no activation needs to be known for it."""
        hidden, output = self.raw.get("hidden"), self.raw.get("output")
        if not isinstance(hidden, list | tuple) or not 1 <= len(hidden) <= 20:
            return None
        units = [whole_number(layer.get("units")) if isinstance(layer, dict) else None for layer in (*hidden, output)]
        read = [number for number in units if number is not None and 1 <= number <= 100_000]
        return read if len(read) == len(units) else None

    @cached_property
    def activations(self) -> list[str]:
        """The activation of every layer as it is written, the output last; empty where there is none."""
        hidden, output = self.raw.get("hidden"), self.raw.get("output")
        layers = (*hidden, output) if isinstance(hidden, list | tuple) else (output,)
        return [_text(layer.get("activation")).lower() if isinstance(layer, dict) else "" for layer in layers]

    @cached_property
    def layers(self) -> list[tuple[int, str]] | None:
        """Units and activation of every layer, the output last; None where one of them cannot be read."""
        known = set(self.activations) <= ACTIVATIONS.keys()
        return list(zip(self.units, self.activations)) if self.units is not None and known else None

    @cached_property
    def target_transform(self) -> str:
        """The transform of the target as it is written, without spaces."""
        return _text(self.raw.get("target_transform")).lower().replace(" ", "")

    def weight_shapes(self, inputs: int) -> list[tuple[int, int]]:
        """The shapes of the weights for so many inputs. Raises ValueError when the units cannot be read."""
        return [self._network(inputs).shape(f"W{layer}") for layer in range(1, len(self.units or ()) + 1)]

    def parameter_shapes(self, inputs: int) -> list[tuple[int, int]]:
        """The shapes of W1, b1, W2, b2, ... for so many inputs. Raises ValueError when the units cannot be read."""
        network = self._network(inputs)
        return [network.shape(name) for name in network.parameters]

    def _network(self, inputs: int) -> Network:
        if self.units is None:
            raise ValueError("the units of the layers cannot be read")
        # only the sizes matter here
        return Network((inputs, *self.units), ("linear",) * len(self.units), "mse")

    @cached_property
    def own_shapes(self) -> list[tuple[int, int]] | None:
        """The weight shapes as the student states them."""
        given = self.raw.get("weight_shapes")
        if not isinstance(given, list | tuple | np.ndarray) or not len(given):
            return None
        rows = [whole_numbers(pair) for pair in given]
        if any(row is None or row.size != 2 or np.any(row < 1) for row in rows):
            return None
        return [(int(row[0]), int(row[1])) for row in rows if row is not None]


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def whole_number(value: Any) -> int | None:
    """The value as an integer, or None when it is none."""
    row = None if isinstance(value, bool | str) else whole_numbers(value)
    return int(row[0]) if row is not None and row.size == 1 else None


# How it is judged ---------------------------------------------------------------------------------------------------

FOR_A_PERSON = "Consistent. A note for the person who marks: "


def _wrong(message: str) -> Verdict:
    return Verdict("wrong", message=message)


def _noted(notes: Mapping[str, bool]) -> Verdict:
    """Right, with the notes that apply, on what is consistent and unusual."""
    told = [note for note, applies in notes.items() if applies]
    return Verdict("correct", share=1.0, message=FOR_A_PERSON + " ".join(told) if told else "")


def judge_features(record: Record) -> Verdict:
    """Five or more distinct named features, none of which is the target."""
    if record.features is None:
        return _wrong("`features` must be a list with one dictionary for each feature.")
    if len(record.names) >= MIN_FEATURES:
        itself = [name for name, _ in record.features if names_the_target(name)]
        if not itself:
            return RIGHT
        told = f"One of your features is the rate itself, or another way to write it: {itself[0][:80]}."
        return Verdict.named("target-as-feature", title=told, share=0.5)
    told = f"There are {len(record.names)} distinct features with a name; {MIN_FEATURES} are asked for."
    if len(record.features) >= MIN_FEATURES:
        told += " Names that come twice count once, and the rate itself is no feature."
    share = 0.5 if len(record.names) == MIN_FEATURES - 1 else 0.0
    return Verdict.named("too-few-features", title=told, share=share)


def judge_molecular(record: Record) -> Verdict:
    """Three or more features that are neither conditions nor found from measured rates."""
    if record.features is None:
        return _wrong("`features` must be a list with one dictionary for each feature.")
    of_molecules = [name for name in record.names if not _sets_or_measures(name)]
    if len(of_molecules) >= MIN_MOLECULAR:
        return RIGHT
    if len(record.names) < MIN_MOLECULAR:
        return _wrong(f"There are fewer than {MIN_MOLECULAR} different features.")
    told = f"{len(of_molecules)} of your features are properties of the molecules; {MIN_MOLECULAR} are asked for."
    return Verdict.named("conditions-for-molecules", title=told)


def _sets_or_measures(feature: str) -> bool:
    """Whether a feature is a condition, or found from measured rates."""
    return feature in _SYMBOLS or bool(_CONDITIONS.search(feature) or _FROM_RATES.search(feature))


def judge_units(record: Record) -> Verdict:
    """Every feature has a unit; one that the grader does not know is noted."""
    if not record.features:
        return _wrong("There is no feature with a name, so there are no units to look at.")
    bare = [name for name, unit in record.features if not unit]
    if bare:
        told = f"{len(bare)} of your {len(record.features)} features have no unit: {', '.join(bare)[:200]}."
        return Verdict.named("unit-missing", title=told)
    strange = [unit for _, unit in record.features if unit.casefold() not in KNOWN_UNITS]
    return _noted({f"the unit {', '.join(strange)[:200]} is not in the grader's list.": bool(strange)})


def judge_layers(record: Record) -> Verdict:
    """Readable layers, one output unit; what collapses or is very large is noted."""
    known = ", ".join(ACTIVATIONS)
    unknown = [activation for activation in record.activations[:-1] if activation not in ACTIVATIONS]
    if record.units is not None and unknown and all(unknown):
        told = f"The activation {unknown[0][:40]!r} is not one that the record knows: {known}."
        return Verdict("wrong", mistakes=("unknown-activation",), message=told)
    if record.units is None or not all(record.activations):
        return _wrong(
            "`hidden` must be a list of at least one layer and `output` one layer; each is a dictionary with "
            f"`units`, a whole number from 1, and `activation`, one of {known}."
        )
    if record.units[-1] != 1:
        return Verdict.named("wrong-number-of-outputs", title=f"Your output layer has {record.units[-1]} units.")
    linear = set(record.activations[:-1]) == {"linear"}  # what the output's word means is marked in (c)
    large = max(record.units[:-1])
    return _noted(
        {
            "every hidden layer is linear, so the network is a linear formula.": linear,
            f"a layer of {large} units is large for a few hundred examples.": large > 500,
        }
    )


def judge_shapes(record: Record) -> Verdict:
    """The shapes of the weights follow from the student's own features and layers."""
    own = record.own_shapes
    if own is None:
        return _wrong("`weight_shapes` must be a list of pairs of whole numbers, one for each layer.")
    if record.units is None or not record.features:
        return _wrong("The shapes follow from your features and layers, and these cannot be read.")
    expected = record.weight_shapes(len(record.features))
    if own == expected:
        return RIGHT
    if own == [shape[::-1] for shape in expected]:
        hint = "In this course W1 multiplies X from the left, and X has one column per example."
        return Verdict.named("result-transposed", title="Every shape is transposed.", hint=hint)
    if len(own) != len(expected):
        told = f"You give {len(own)} shapes for {len(expected)} layers with weights, the output layer included."
        return Verdict("wrong", mistakes=("layer-missing",), message=told)
    first = next(i for i, (mine, right) in enumerate(zip(own, expected), start=1) if mine != right)
    told = f"Your shape of W{first} is {own[first - 1]}. It does not fit the sizes that you state."
    return Verdict.named("shapes-do-not-fit", title=told)


def judge_parameters(record: Record) -> Verdict:
    """The number of parameters, from the student's own shapes or own layers."""
    got = whole_number(record.raw["parameters"])
    if got is None:
        return _wrong("`parameters` must be one whole number.")
    readings = []
    if record.units is not None and record.features:
        readings.append(record.weight_shapes(len(record.features)))
    if record.own_shapes is not None and (not readings or _chained(record.own_shapes)):
        readings.append(record.own_shapes)
    if not readings:
        return _wrong("The number follows from your features and layers, and these cannot be read.")
    counts = [sum(rows * columns + rows for rows, columns in shapes) for shapes in readings]
    if got in counts:
        own = got != counts[0]
        return Verdict("correct", share=1.0, own=own, message="Right, given your own shapes." if own else "")
    told = f"{got} is not the number of parameters of your network."
    known = [mistake for mistake, count in COUNTS.items() if any(got == count(shapes) for shapes in readings)]
    if len(known) == 1:  # with one output, "no biases" and "no output layer" give the same number
        return Verdict.named(known[0], title=told)
    return Verdict("wrong", message=told, hint="Add up the entries of W and of b, the output layer included.")


COUNTS: Mapping[str, Callable[[Sequence[tuple[int, int]]], int]] = {
    "biases-not-counted": lambda shapes: sum(rows * columns for rows, columns in shapes),
    "output-layer-not-counted": lambda shapes: sum(rows * columns + rows for rows, columns in shapes[:-1]),
    "units-counted": lambda shapes: sum(rows for rows, _ in shapes),
    "one-bias-per-layer": lambda shapes: sum(rows * columns + 1 for rows, columns in shapes),
}
"""Known wrong counts of parameters from the shapes of the weights."""


def _chained(shapes: Sequence[tuple[int, int]]) -> bool:
    """Whether every layer takes in what the one before it puts out: own shapes that count for follow-through."""
    return all(after[1] == before[0] for before, after in pairwise(shapes)) and shapes[-1][0] == 1


def judge_reach(record: Record) -> Verdict:
    """Whether the output activation can produce every transformed target."""
    activation, transform = record.activations[-1], record.target_transform
    if activation not in ACTIVATIONS:
        return _wrong(f"The activation of `output` must be one of {', '.join(ACTIVATIONS)}.")
    if transform not in TRANSFORMED_RANGES:
        return _wrong(f"`target_transform` must be one of {', '.join(TRANSFORMED_RANGES)}.")
    (low, high), (_, least, most) = TRANSFORMED_RANGES[transform], ACTIVATIONS[activation]
    if low < least or high > most:
        told = f"With the transform {transform} some targets lie outside of what a {activation} output produces."
        return Verdict.named("output-cannot-reach-target", title=told)
    return _noted(
        {
            "without a logarithm the largest rates decide the loss alone.": "log10" not in transform,
            "a linear output may predict negative rate constants.": (transform, activation) == ("none", "linear"),
            "the ends of the target are reached only where the slope of the sigmoid vanishes.": activation == "sigmoid",
            "only a part of the output's range is used.": activation == "tanh",
        }
    )


def judge_loss(record: Record) -> Verdict:
    """Whether the loss is one for numbers, or at least one that the transformed target allows."""
    loss = _text(record.raw["loss"]).lower()
    if loss not in LOSSES:
        return _wrong(f"`loss` must be one of {', '.join(LOSSES)}.")
    scaled = record.activations[-1] == "sigmoid" and "minmax" in record.target_transform
    if loss in REGRESSION_LOSSES or (loss == "bce" and scaled):
        unusual = "cross-entropy on a scaled number between 0 and 1 works, and is unusual for a rate."
        return _noted({unusual: loss == "bce"})
    told = f"The loss {loss} belongs to classes, and your target is a number."
    return Verdict.named("classification-loss-for-regression", title=told)


RECORD_JUDGES: Mapping[str, tuple[tuple[str, ...], Callable[[Record], Verdict]]] = {
    "features": (("features",), judge_features),
    "molecular": (("features",), judge_molecular),
    "units": (("features",), judge_units),
    "layers": (("hidden", "output"), judge_layers),
    "weight_shapes": (("weight_shapes",), judge_shapes),
    "parameters": (("parameters",), judge_parameters),
    "output_reaches": (("output", "target_transform"), judge_reach),
    "loss": (("loss",), judge_loss),
}
"""For every line the keys of the record that it is about, and its judge."""


@line_by_line
def by_record(name: str, reply: Reply) -> Verdict:
    """The verdict on one line of the record, given what the student states elsewhere."""
    raw = reply.values.get("design")
    if not isinstance(raw, dict):
        return _wrong("`design` must be a dictionary.")
    keys, judge = RECORD_JUDGES[name]
    missing = [key for key in keys if key not in raw]
    return Verdict("missing", message=f"`{missing[0]}` is not in your record.") if missing else judge(Record(raw))
