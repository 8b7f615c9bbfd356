"""Sheet 4, exercise 16: the design of a network that predicts reaction rates.

The design is a small record. The machine checks that it is consistent: features with units, shapes that fit, the
number of parameters, an output that can reach the target's range, a loss that fits the target. Whether a consistent
design is a good one is for a person, who finds a note beside what is unusual. Then the stated design is trained on data
that follow the law of Arrhenius.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from autograder.exercise import RIGHT, Challenge, Exercise, Line, Probe, Question, Reply, Verdict, Written
from autograder.marking.compare import as_numbers, compare, whole_numbers
from autograder.truth import Network

TARGET_RANGE = (1e-9, 1e9)
"""Rate constants in 1/s that the network of the task must be able to predict. The data lie inside."""

MIN_FEATURES = 5
DATA_FEATURES = 6
"""Inputs of the data set, which need not be the features of the student's record."""

GOOD_FIT, FAIR_FIT = 0.4, 0.8
"""Root mean square errors of log10 k on new examples up to which a fit earns all and half of its points.

Always answering the mean has about 2.4, the best linear formula about 0.33, the reference less than 0.3."""

ACTIVATION_RANGES = {
    "linear": (-math.inf, math.inf),
    "sigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "relu": (0.0, math.inf),
    "softplus": (0.0, math.inf),
    "exp": (0.0, math.inf),
}
"""Activations that the record knows, with the interval of values that they reach or come arbitrarily close to."""

_BOTH_SIDES = (-3.0, 3.0)  # standardised values lie on both sides of zero, and some beyond -1 and 1

TRANSFORMED_RANGES = {
    "none": TARGET_RANGE,
    "log10": (math.log10(TARGET_RANGE[0]), math.log10(TARGET_RANGE[1])),
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


# What is asked ------------------------------------------------------------------------------------------------------


def recorded_design(student, given):
    """The record."""
    return {"design": student.design}


def training(student, given):
    """The record again, the predictions for new examples, and the trained parameters.

    Where ``again`` is given the training is asked twice more, from the same seed, with a few examples and other rates:
    what comes of the data is then different, and what is predicted for an example does not depend on its company.
    """

    def trained(examples, rates, new):
        returned = student.train_design(examples.copy(), rates.copy(), new.copy(), int(given["seed"]))
        if not isinstance(returned, (tuple, list)) or len(returned) != 2:
            raise ValueError("train_design must return two things: predicted rate constants and a list of parameters")
        return np.array(returned[0]), [np.array(parameter) for parameter in returned[1]]

    predicted, parameters = trained(given["X_train"], given["k_train"], given["X_test"])
    found = {"fit": predicted, "shapes": [list(np.shape(one)) for one in parameters]}
    found["design"] = getattr(student, "design", None)
    if sum(np.size(one) for one in parameters) < 20_000:
        found["parameters"] = parameters
    if given["again"]:
        few = given["X_train"][:, :40], 1000 * given["k_train"][:, :40]
        some = given["X_test"][:, given["company"]]
        try:
            found["again_fit"], after = trained(*few, given["X_test"])
            found["moved"] = not all(np.array_equal(one, two) for one, two in zip(parameters, after))
            found["apart_fit"] = trained(*few, some)[0]
            whole, apart = np.ravel(found["again_fit"])[given["company"]], np.ravel(found["apart_fit"])
            if not np.allclose(apart, whole, rtol=1e-6, atol=0):  # is it the company, or chance?
                found["once_more_fit"] = trained(*few, given["X_test"])[0]
        except Exception:
            pass  # a training that needs its 300 examples is not asked more
    return found


def rate_data(m: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (6, m) and rate constants (1, m) in 1/s: the equations that stand in the notebook."""
    rng = np.random.default_rng(seed)
    T, Ea, log_A = rng.uniform(300, 400, m), rng.uniform(50, 100, m), rng.uniform(11, 13, m)
    c, eps, ionic = rng.uniform(0, 0.1, m), rng.uniform(2, 80, m), rng.uniform(0, 0.5, m)
    barrier = Ea - 15 * c / (c + 0.02) + 20 / eps
    log_k = log_A - barrier / (np.log(10) * 8.314e-3 * T) + 1.02 * np.sqrt(ionic) + rng.normal(0, 0.05, m)
    return np.vstack([T, Ea, log_A, c, eps, ionic]), 10 ** log_k[None, :]


def _training_challenges(rng: np.random.Generator) -> list[Challenge]:
    points: list[Challenge] = []
    for seed in rng.integers(1, 10_000, 3):
        X, k = rate_data(400, int(seed))
        split = {"X_train": X[:, :300], "k_train": k[:, :300], "X_test": X[:, 300:]}
        hottest = np.argsort(split["X_test"][0])[60:]  # 40 new examples whose mean is another one
        company = {"company": rng.permutation(hottest), "again": np.array(not points)}
        points.append(Challenge(split | company | {"seed": seed}, kept={"k_test": k[:, 300:]}))
    return points


DESIGN = Probe(recorded_design, lambda rng: [Challenge({}, shown=True)])
TRAINING = Probe(training, _training_challenges)


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
        if self.units is None or not set(self.activations) <= ACTIVATION_RANGES.keys():
            return None
        return list(zip(self.units, self.activations))

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
        given = given.tolist() if isinstance(given, np.ndarray) else given
        if not isinstance(given, list | tuple) or not given:
            return None
        shapes = []
        for pair in given:
            pair = pair.tolist() if isinstance(pair, np.ndarray) else pair
            numbers = [whole_number(n) for n in pair] if isinstance(pair, list | tuple) else []
            match numbers:
                case [int(rows), int(columns)] if rows > 0 and columns > 0:
                    shapes.append((rows, columns))
                case _:
                    return None
        return shapes


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def whole_number(value: Any) -> int | None:
    """The value as an integer, or None when it is none."""
    if isinstance(value, bool | str) or value is None:
        return None
    array = as_numbers(value)
    if isinstance(array, str) or array.size != 1 or not np.isfinite(array).all():
        return None
    number = float(array.reshape(()))
    return int(number) if number == int(number) else None


# How it is judged ---------------------------------------------------------------------------------------------------

FOR_A_PERSON = "Consistent. A note for the person who marks: "


def _missing(key: str) -> Verdict:
    return Verdict("missing", message=f"`{key}` is not in your record.")


def _noted(*notes: str) -> Verdict:
    """Right, with notes on what is consistent and unusual."""
    told = [note for note in notes if note]
    return Verdict("correct", share=1.0, message=FOR_A_PERSON + " ".join(told) if told else "")


def judge_features(record: Record) -> Verdict:
    """Five or more distinct named features, none of which is the target."""
    if "features" not in record.raw:
        return _missing("features")
    if record.features is None:
        return Verdict("wrong", message="`features` must be a list with one dictionary for each feature.")
    if len(record.names) >= MIN_FEATURES:
        itself = [name for name, _ in record.features if names_the_target(name)]
        if not itself:
            return RIGHT
        return Verdict(
            "wrong",
            share=0.5,
            mistakes=("target-as-feature",),
            message=f"One of your features is the rate itself, or another way to write it: {itself[0][:80]}.",
            hint="Is it known for a reaction that nobody has measured yet?",
        )
    reason = ""
    if len(record.features) >= MIN_FEATURES:
        reason = " Names that come twice count once, and the rate itself is no feature."
    return Verdict(
        "wrong",
        share=0.5 if len(record.names) == MIN_FEATURES - 1 else 0.0,
        mistakes=("too-few-features",),
        message=f"There are {len(record.names)} distinct features with a name; {MIN_FEATURES} are asked for.{reason}",
        hint="What decides how fast a reaction is: the molecule, its surroundings, the conditions?",
    )


def judge_units(record: Record) -> Verdict:
    """Every feature has a unit; one that the grader does not know is noted."""
    if "features" not in record.raw:
        return _missing("features")
    if not record.features:
        return Verdict("wrong", message="There is no feature with a name, so there are no units to look at.")
    bare = [name for name, unit in record.features if not unit]
    if bare:
        return Verdict(
            "wrong",
            mistakes=("unit-missing",),
            message=f"{len(bare)} of your {len(record.features)} features have no unit: {', '.join(bare)[:200]}.",
            hint='A quantity without dimension has the unit "1".',
        )
    strange = [unit for _, unit in record.features if unit.casefold() not in KNOWN_UNITS]
    return _noted(f"the unit {', '.join(strange)[:200]} is not in the grader's list." if strange else "")


def judge_layers(record: Record) -> Verdict:
    """Readable layers, one output unit; what collapses or is very large is noted."""
    if "hidden" not in record.raw or "output" not in record.raw:
        return _missing("hidden" if "hidden" not in record.raw else "output")
    known = ", ".join(ACTIVATION_RANGES)
    unknown = [activation for activation in record.activations[:-1] if activation not in ACTIVATION_RANGES]
    if record.units is not None and unknown and all(unknown):
        message = f"The activation {unknown[0][:40]!r} is not one that the record knows: {known}."
        return Verdict("wrong", mistakes=("unknown-activation",), message=message)
    if record.units is None or not all(record.activations):
        message = (
            "`hidden` must be a list of at least one layer and `output` one layer; each is a dictionary with "
            f"`units`, a whole number from 1, and `activation`, one of {known}."
        )
        return Verdict("wrong", message=message)
    outputs = record.units[-1]
    if outputs != 1:
        return Verdict(
            "wrong",
            mistakes=("wrong-number-of-outputs",),
            message=f"Your output layer has {outputs} units.",
            hint="How many numbers does the network predict for one reaction?",
        )
    linear = set(record.activations[:-1]) == {"linear"}  # what the output's word means is marked in (c)
    large = max(record.units[:-1])
    return _noted(
        "every hidden layer is linear, so the network is a linear formula." if linear else "",
        f"a layer of {large} units is large for a few hundred examples." if large > 500 else "",
    )


def judge_shapes(record: Record) -> Verdict:
    """The shapes of the weights follow from the student's own features and layers."""
    if "weight_shapes" not in record.raw:
        return _missing("weight_shapes")
    own = record.own_shapes
    if own is None:
        return Verdict("wrong", message="`weight_shapes` must be a list of pairs of whole numbers, one for each layer.")
    if record.units is None or not record.features:
        return Verdict("wrong", message="The shapes follow from your features and layers, and these cannot be read.")
    expected = record.weight_shapes(len(record.features))
    if own == expected:
        return RIGHT
    if own == [shape[::-1] for shape in expected]:
        return Verdict(
            "wrong",
            mistakes=("result-transposed",),
            message="Every shape is transposed.",
            hint="In this course W1 multiplies X from the left, and X has one column per example.",
        )
    if len(own) != len(expected):
        message = f"You give {len(own)} shapes for {len(expected)} layers with weights, the output layer included."
        return Verdict("wrong", mistakes=("layer-missing",), message=message)
    first = next(i for i, (mine, right) in enumerate(zip(own, expected), start=1) if mine != right)
    return Verdict(
        "wrong",
        mistakes=("shapes-do-not-fit",),
        message=f"Your shape of W{first} is {own[first - 1]}. It does not fit the sizes that you state.",
        hint="Rows: units of the layer itself. Columns: what comes into it.",
    )


def judge_parameters(record: Record) -> Verdict:
    """The number of parameters, from the student's own shapes or own layers."""
    if "parameters" not in record.raw:
        return _missing("parameters")
    got = whole_number(record.raw["parameters"])
    if got is None:
        return Verdict("wrong", message="`parameters` must be one whole number.")
    readings = []
    if record.units is not None and record.features:
        readings.append(record.weight_shapes(len(record.features)))
    if record.own_shapes is not None and (not readings or _chained(record.own_shapes)):
        readings.append(record.own_shapes)
    if not readings:
        return Verdict("wrong", message="The number follows from your features and layers, and these cannot be read.")
    for index, shapes in enumerate(readings):
        if got == sum(rows * columns + rows for rows, columns in shapes):
            own = index > 0
            return Verdict("correct", share=1.0, own=own, message="Right, given your own shapes." if own else "")
    matching = [
        (mistake, hint) for mistake, (hint, count) in COUNTS.items() if any(got == count(shapes) for shapes in readings)
    ]
    known = len(matching) == 1  # with one output, "no biases" and "no output layer" give the same number
    return Verdict(
        "wrong",
        mistakes=(matching[0][0],) if known else (),
        message=f"{got} is not the number of parameters of your network.",
        hint=matching[0][1] if known else "Add up the entries of W and of b, the output layer included.",
    )


COUNTS: Mapping[str, tuple[str, Callable[[Sequence[tuple[int, int]]], int]]] = {
    "biases-not-counted": (
        "Every unit has one parameter more than it has inputs.",
        lambda shapes: sum(rows * columns for rows, columns in shapes),
    ),
    "output-layer-not-counted": (
        "Which layer comes after the last hidden one?",
        lambda shapes: sum(rows * columns + rows for rows, columns in shapes[:-1]),
    ),
    "units-counted": ("Count weights and biases, not units.", lambda shapes: sum(rows for rows, _ in shapes)),
    "one-bias-per-layer": (
        "Does a layer have one bias, or each of its units?",
        lambda shapes: sum(rows * columns + 1 for rows, columns in shapes),
    ),
}
"""Known wrong counts of parameters: a hint, and the number from the shapes of the weights."""


def _chained(shapes: Sequence[tuple[int, int]]) -> bool:
    """Whether every layer takes in what the one before it puts out: own shapes that count for follow-through."""
    return all(after[1] == before[0] for before, after in pairwise(shapes)) and shapes[-1][0] == 1


def judge_reach(record: Record) -> Verdict:
    """Whether the output activation can produce every transformed target."""
    for key in ("output", "target_transform"):
        if key not in record.raw:
            return _missing(key)
    output = record.raw["output"]
    activation = _text(output.get("activation")).lower() if isinstance(output, dict) else ""
    transform = record.target_transform
    if activation not in ACTIVATION_RANGES:
        return Verdict("wrong", message=f"The activation of `output` must be one of {', '.join(ACTIVATION_RANGES)}.")
    if transform not in TRANSFORMED_RANGES:
        return Verdict("wrong", message=f"`target_transform` must be one of {', '.join(TRANSFORMED_RANGES)}.")
    (low, high), (least, most) = TRANSFORMED_RANGES[transform], ACTIVATION_RANGES[activation]
    if low < least or high > most:
        return Verdict(
            "wrong",
            mistakes=("output-cannot-reach-target",),
            message=f"With the transform {transform} some targets lie outside of what a {activation} output produces.",
            hint="Put the smallest and the largest k of the task through your transform. What must the output reach?",
        )
    notes = {
        "without a logarithm the largest rates decide the loss alone.": "log10" not in transform,
        "a linear output may predict negative rate constants.": (transform, activation) == ("none", "linear"),
        "the ends of the target are reached only where the slope of the sigmoid vanishes.": activation == "sigmoid",
        "only a part of the output's range is used.": activation == "tanh",
    }
    return _noted(*(note for note, applies in notes.items() if applies))


def judge_loss(record: Record) -> Verdict:
    """Whether the loss is one for numbers, or at least one that the transformed target allows."""
    if "loss" not in record.raw:
        return _missing("loss")
    loss = _text(record.raw["loss"]).lower()
    if loss not in LOSSES:
        return Verdict("wrong", message=f"`loss` must be one of {', '.join(LOSSES)}.")
    if loss in REGRESSION_LOSSES:
        return RIGHT
    output = record.raw.get("output")
    activation = _text(output.get("activation")).lower() if isinstance(output, dict) else ""
    transform = record.target_transform
    if loss == "bce" and activation == "sigmoid" and "minmax" in transform:
        return _noted("cross-entropy on a scaled number between 0 and 1 works, and is unusual for a rate.")
    return Verdict(
        "wrong",
        mistakes=("classification-loss-for-regression",),
        message=f"The loss {loss} belongs to classes, and your target is a number.",
        hint="Which loss measures how far a number is from another one?",
    )


RECORD_JUDGES = {
    "features": judge_features,
    "units": judge_units,
    "layers": judge_layers,
    "weight_shapes": judge_shapes,
    "parameters": judge_parameters,
    "output_reaches": judge_reach,
    "loss": judge_loss,
}


def by_record(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """Marks the record line by line, each given what the student states elsewhere."""
    (reply,) = replies
    raw = reply.values.get("design")
    if not isinstance(raw, dict):
        return {line.name: Verdict("wrong", message="`design` must be a dictionary.") for line in lines}
    record = Record(raw)
    return {line.name: RECORD_JUDGES[line.name](record) for line in lines}


def by_training(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """Marks whether what was trained is what was designed, and how well it predicts."""
    judges = {"as_designed": _as_designed, "fit": _fit}
    verdicts = {line.name: judges[line.name](replies) for line in lines}
    problem = _not_from_training(replies)
    if problem is not None:
        verdicts = {name: problem if verdict.share else verdict for name, verdict in verdicts.items()}
    return verdicts


def _not_from_training(replies: Sequence[Reply]) -> Verdict | None:
    """A verdict when the parameters, or the predictions, cannot be those of a trained network."""

    def untrained(message: str) -> Verdict:
        hint = "Which of your lines computes gradients, and which one turns inputs into predictions?"
        return Verdict("wrong", mistakes=("not-from-training",), message=message, hint=hint)

    for reply in replies:
        if reply.values.get("moved") is False:
            return untrained("The parameters that you return are the same for other training data.")
        predicted, again = as_numbers(reply.values.get("fit")), as_numbers(reply.values.get("again_fit"))
        if not isinstance(again, str) and not isinstance(predicted, str) and compare(again, predicted).equal:
            return untrained("Your predictions are the same for other training data.")
    if not _linear_design(replies[0]) and all(_linear_formula(reply) for reply in replies):
        return untrained("Your predictions of log10 k are a linear formula of the inputs, and your network is not.")
    return None


def _record(reply: Reply) -> Record:
    raw = reply.values.get("design")
    return Record(raw if isinstance(raw, dict) else {})


def _linear_design(reply: Reply) -> bool:
    layers = _record(reply).layers
    return layers is None or {activation for _, activation in layers[:-1]} == {"linear"}


def _linear_formula(reply: Reply) -> bool:
    """Whether log10 of the predictions is a weighted sum of the inputs and a constant, to a millionth."""
    predicted = as_numbers(reply.values.get("fit"))
    if isinstance(predicted, str) or predicted.size != reply.given["X_test"].shape[1] or not np.all(predicted > 0):
        return False
    inputs = np.vstack([reply.given["X_test"], np.ones((1, predicted.size))]).T
    log_k = np.log10(np.ravel(predicted).astype(float))
    rest = log_k - inputs @ np.linalg.lstsq(inputs, log_k)[0]
    return bool(np.ptp(log_k) > 0 and np.max(np.abs(rest)) < 1e-6 * np.ptp(log_k))


def _listed_shapes(value: Any) -> list[tuple[int, ...]]:
    """A list of lists of whole numbers as shapes; no shapes where it is something else."""
    rows = [whole_numbers(row) for row in value] if isinstance(value, list) else []
    return [tuple(row.tolist()) for row in rows if row is not None] if not any(row is None for row in rows) else []


def _as_designed(replies: Sequence[Reply]) -> Verdict:
    def otherwise(message: str, hint: str) -> Verdict:
        return Verdict("wrong", mistakes=("not-as-designed",), message=message, hint=hint)

    for reply in replies:
        record = _record(reply)
        if record.units is None:
            return Verdict("wrong", message="The layers of your record cannot be read: nothing to compare with.")
        expected = record.parameter_shapes(DATA_FEATURES)
        shapes = _listed_shapes(reply.values.get("shapes"))
        if len(shapes) != len(expected) or not all(map(_fits, shapes, expected)):
            return otherwise(
                f"You trained parameters of shapes {shapes[:9]}; your record with six inputs: {expected[:9]}.",
                "Change the record or the network, and count the parameters again. Their order is W1, b1, W2, b2, ...",
            )
    used = [target_of(reply) for reply in replies]
    stated = _record(replies[0]).target_transform
    # scales are a shift and a factor; with and without the logarithm the same loss says something else
    if stated in TRANSFORMED_RANGES and all(used):
        in_logarithms = {"log10" in transform for transforms in used for transform in transforms}
        if ("log10" in stated) not in in_logarithms:
            return otherwise(
                f"The transform of your record is {stated}; what your network puts out is {min(used[0])} of k.",
                "Change the record or the training: what is the network's target?",
            )
    return RIGHT


def _fits(got: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    """Whether a parameter has its shape; a column or a row may be flat, and a column of biases lie on its side."""
    if 1 not in expected:
        return got == expected
    return got in (expected, (max(expected),)) or (expected[1] == 1 and got == expected[::-1]) or (
        max(expected) == 1 and got == ()
    )  # fmt: skip


ACTIVATION_VALUES: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "softplus": lambda z: np.logaddexp(0, z),
    "exp": np.exp,
}


def target_of(reply: Reply) -> frozenset[str]:
    """The target transforms under which the returned parameters give the returned predictions exactly.

    The layers are those of the record. The inputs are tried as they are, standardised and scaled to [0, 1] and [-1, 1]
    by the training data, and each transform with the mean, the range and the standard deviation (of m or m - 1) of the
    training data, or the range of the task. Empty when nothing fits: nothing is claimed then.
    """
    record, given = _record(reply), reply.given
    predicted = as_numbers(reply.values.get("fit"))
    listed = reply.values.get("parameters")
    read = [as_numbers(value) for value in listed] if isinstance(listed, list) else []
    parameters = [value for value in read if not isinstance(value, str)]
    if isinstance(predicted, str) or record.layers is None or len(parameters) < len(read):
        return frozenset()
    shapes = record.parameter_shapes(DATA_FEATURES)
    if len(parameters) != len(shapes) or not all(p.size == np.prod(shape) for p, shape in zip(parameters, shapes)):
        return frozenset()
    weights = [parameter.reshape(shape).astype(float) for parameter, shape in zip(parameters, shapes)]
    found = set()
    with np.errstate(all="ignore"):
        for inputs in _scaled(given["X_train"], given["X_test"]):
            outputs = inputs
            for layer, activation in enumerate(record.activations):
                outputs = ACTIVATION_VALUES[activation](weights[2 * layer] @ outputs + weights[2 * layer + 1])
            for transform, undone in _undone(outputs, given["k_train"]):
                if undone.size == predicted.size and np.allclose(undone.ravel(), predicted.ravel(), rtol=1e-6, atol=0):
                    found.add(transform)
    return frozenset(found)


def _scaled(train: np.ndarray, new: np.ndarray) -> Sequence[np.ndarray]:
    mean, low, width = (np.expand_dims(f(train, axis=1), 1) for f in (np.mean, np.min, np.ptp))
    deviations = (np.std(train, axis=1, keepdims=True, ddof=ddof) for ddof in (0, 1))
    unit = (new - low) / width
    return [new, *((new - mean) / deviation for deviation in deviations), unit, 2 * unit - 1]


def _undone(outputs: np.ndarray, k_train: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """The rate constants that an output stands for, by transform."""
    for logarithm, target, ends in (("", k_train, TARGET_RANGE), ("log10", np.log10(k_train), np.log10(TARGET_RANGE))):
        scales = [("", 0.0, 1.0)]
        scales += [("standardise", target.mean(), target.std(ddof=ddof)) for ddof in (0, 1)]
        scales += [("minmax", low, high - low) for low, high in ((target.min(), target.max()), ends)]
        for scaling, offset, width in scales:
            number = outputs * width + offset
            yield "+".join(filter(None, (logarithm, scaling))) or "none", 10.0**number if logarithm else number


def undone(outputs: np.ndarray, k_train: np.ndarray, transform: str) -> np.ndarray:
    """The rate constants that an output stands for, with the scales of the training data. Raises KeyError."""
    return dict(reversed([*_undone(outputs, k_train)]))[transform]


def _fit(replies: Sequence[Reply]) -> Verdict:
    errors = []
    for reply in replies:
        predicted, target = as_numbers(reply.values.get("fit")), reply.given["k_test"]
        if isinstance(predicted, str):
            return Verdict("wrong", message=f"The predictions: {predicted}.")
        if predicted.shape not in (target.shape, target[0].shape):
            message = f"The predictions have shape {predicted.shape}; {target.shape} is expected."
            return Verdict("wrong", message=message)
        if not np.all(np.isfinite(predicted)):
            return Verdict("wrong", mistakes=("training-diverged",), message="Some predictions are not finite.",
                           hint="Is the learning rate small enough, and are the inputs on a common scale?")  # fmt: skip
        if np.any(predicted <= 0):
            return Verdict(
                "wrong",
                mistakes=("rates-not-positive",),
                message="Some predicted rate constants are zero or negative.",
                hint="Do you undo your target transform before you return the predictions?",
            )
        errors.append(float(np.sqrt(np.mean((np.log10(predicted).reshape(target.shape) - np.log10(target)) ** 2))))
    if any(map(_depends_on_company, replies)):
        return Verdict(
            "wrong",
            share=0.5 if max(errors) <= FAIR_FIT else 0.0,
            mistakes=("scaled-by-new-data",),
            message="What you predict for a reaction depends on which other new reactions stand beside it.",
            hint="From which data do your means and widths come? A single new reaction has no mean of its own.",
        )
    worst = max(errors)
    said = f"The largest root mean square error of log10 k on new examples, of {len(errors)} data sets, is {worst:.2f}"
    if worst <= GOOD_FIT:
        return Verdict("correct", share=1.0, message=f"{said}.")
    return Verdict(
        "wrong",
        share=0.5 if worst <= FAIR_FIT else 0.0,
        message=f"{said}; {GOOD_FIT:g} is asked for.",
        hint="Are inputs and target on a scale of order one? Is the loss still falling at the end of your training?",
    )


def _depends_on_company(reply: Reply) -> bool:
    """Whether the same training predicts something else for the same example in another set of new examples."""
    whole, apart, again = (as_numbers(reply.values.get(f"{name}_fit")) for name in ("again", "apart", "once_more"))
    if isinstance(whole, str) or isinstance(apart, str) or isinstance(again, str):
        return False
    company = reply.given["company"]
    if whole.size != reply.given["X_test"].shape[1] or apart.size != company.size:
        return False
    reproducible = compare(again, whole).equal
    return reproducible and not np.allclose(np.ravel(apart), np.ravel(whole)[company], rtol=1e-6, atol=0)


# The questions ------------------------------------------------------------------------------------------------------

EXERCISE = Exercise(
    name="reaction_rates",
    sheet="design",
    title="Designing a network for reaction rates",
    minutes=75,
    difficulty=4,
    questions=(
        Question(
            "features_record",
            "(a) Input features",
            (Line("features", 2, "five or more features"), Line("units", 1, "a unit for each")),
            DESIGN,
            by_record,
        ),
        Question(
            "layers_record",
            "(b) Layers, shapes, parameters",
            (
                Line("layers", 1, "layers"),
                Line("weight_shapes", 2, "shapes of the weights"),
                Line("parameters", 2, "number of parameters"),
            ),
            DESIGN,
            by_record,
        ),
        Question(
            "target_record",
            "(c) Output, target and loss",
            (Line("output_reaches", 2, "output and target transform"), Line("loss", 1, "loss")),
            DESIGN,
            by_record,
        ),
        Question(
            "trained_design",
            "(d) The stated design, trained",
            (Line("as_designed", 1, "what was trained is what was designed"), Line("fit", 3, "error on new examples")),
            TRAINING,
            by_training,
        ),
    ),
    written=(
        Written("choice_words", "(a), (b) Why these features and layers", 3),
        Written("loss_words", "(c) Why this loss and this transform", 2),
        Written("backprop_words", "(d) How backpropagation trains it", 2),
        Written("difficulties_words", "(e) Difficulties and remedies", 3),
    ),
    parts={
        "a": ("features_record", "choice_words"),
        "b": ("layers_record", "choice_words"),
        "c": ("target_record", "loss_words"),
        "d": ("trained_design", "backprop_words"),
        "e": ("difficulties_words",),
    },
    limits={"question_cpu_seconds": 12.0, "question_wall_seconds": 24.0},  # one challenge asks for up to four trainings
)
