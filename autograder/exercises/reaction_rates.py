"""Sheet 4: the design of a network that predicts reaction rates.

The design is a small record, whose consistency the machine checks: see :mod:`autograder.exercises.design_record`. Then
the stated design is trained on data that follow the law of Arrhenius.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.exercise import RIGHT, Challenge, Exercise, Line, Probe, Question, Reply, Verdict, Written, lines
from autograder.exercises.design_record import ACTIVATIONS, TARGET_RANGE, TRANSFORMED_RANGES, Record, by_record
from autograder.marking.compare import as_numbers, compare, whole_numbers

DATA_FEATURES = 6
"""Inputs of the data set, which need not be the features of the student's record."""

GOOD_FIT, FAIR_FIT = 0.28, 0.8
"""Root mean square errors of log10 k on new examples up to which a fit earns all and half of its points.

Always answering the mean has about 2.4, the best linear formula about 0.33, the reference less than 0.25."""

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


# How the training is judged -------------------------------------------------------------------------------------------


def by_training(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """Marks whether what was trained is what was designed, and how well it predicts."""
    judges = {"as_designed": _as_designed, "fit": _fit}
    verdicts = {line.name: judges[line.name](replies) for line in lines}
    if told := _not_from_training(replies):
        untrained = Verdict.named("not-from-training", title=told)
        verdicts = {name: untrained if verdict.share else verdict for name, verdict in verdicts.items()}
    return verdicts


def _not_from_training(replies: Sequence[Reply]) -> str:
    """Why the parameters, or the predictions, cannot be those of a trained network; empty where they can."""
    for reply in replies:
        if reply.values.get("moved") is False:
            return "The parameters that you return are the same for other training data."
        predicted, again = as_numbers(reply.values.get("fit")), as_numbers(reply.values.get("again_fit"))
        if not isinstance(again, str) and not isinstance(predicted, str) and compare(again, predicted).equal:
            return "Your predictions are the same for other training data."
    layers = _record(replies[0]).layers
    linear = layers is None or {activation for _, activation in layers[:-1]} == {"linear"}
    if not linear and all(_linear_formula(reply) for reply in replies):
        return "Your predictions of log10 k are a linear formula of the inputs, and your network is not."
    return ""


def _record(reply: Reply) -> Record:
    raw = reply.values.get("design")
    return Record(raw if isinstance(raw, dict) else {})


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
    for reply in replies:
        record = _record(reply)
        if record.units is None:
            return Verdict("wrong", message="The layers of your record cannot be read: nothing to compare with.")
        expected = record.parameter_shapes(DATA_FEATURES)
        shapes = _listed_shapes(reply.values.get("shapes"))
        if len(shapes) != len(expected) or not all(map(_fits, shapes, expected)):
            told = f"You trained parameters of shapes {shapes[:9]}; your record with six inputs: {expected[:9]}."
            hint = (
                "Change the record or the network, and count the parameters again. Their order is W1, b1, W2, b2, ..."
            )
            return Verdict.named("not-as-designed", title=told, hint=hint)
    used = [target_of(reply) for reply in replies]
    stated = _record(replies[0]).target_transform
    # scales are a shift and a factor; with and without the logarithm the same loss says something else
    if stated in TRANSFORMED_RANGES and all(used):
        in_logarithms = {"log10" in transform for transforms in used for transform in transforms}
        if ("log10" in stated) not in in_logarithms:
            told = f"The transform of your record is {stated}; what your network puts out is {min(used[0])} of k."
            hint = "Change the record or the training: what is the network's target?"
            return Verdict.named("not-as-designed", title=told, hint=hint)
    return RIGHT


def _fits(got: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    """Whether a parameter has its shape; a column or a row may be flat, and a column of biases lie on its side."""
    if 1 not in expected:
        return got == expected
    return got in (expected, (max(expected),)) or (expected[1] == 1 and got == expected[::-1]) or (
        max(expected) == 1 and got == ()
    )  # fmt: skip


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
                outputs = ACTIVATIONS[activation][0](weights[2 * layer] @ outputs + weights[2 * layer + 1])
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
            return Verdict(
                "wrong", message=f"The predictions have shape {predicted.shape}; {target.shape} is expected."
            )
        if not np.all(np.isfinite(predicted)):
            return Verdict.named("training-diverged", title="Some predictions are not finite.")
        if np.any(predicted <= 0):
            return Verdict.named("rates-not-positive")
        errors.append(float(np.sqrt(np.mean((np.log10(predicted).reshape(target.shape) - np.log10(target)) ** 2))))
    worst = max(errors)
    share = 0.5 if worst <= FAIR_FIT else 0.0
    if any(map(_depends_on_company, replies)):
        told = "What you predict for a reaction depends on which other new reactions stand beside it."
        return Verdict.named("scaled-by-new-data", title=told, share=share)
    said = f"The largest root mean square error of log10 k on new examples, of {len(errors)} data sets, is {worst:.2f}"
    if worst <= GOOD_FIT:
        return Verdict("correct", share=1.0, message=f"{said}.")
    hint = "Are inputs and target on a scale of order one? Is the loss still falling at the end of your training?"
    return Verdict("wrong", share=share, message=f"{said}; {GOOD_FIT:g} is asked for.", hint=hint)


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
    choices=("design",),
    questions=(
        Question(
            "features_record",
            "(a) Input features",
            lines(
                features=(2, "five or more features"),
                molecular=(1, "three or more of the molecules"),
                units=(1, "a unit for each"),
            ),
            DESIGN,
            by_record,
        ),
        Question(
            "layers_record",
            "(b) Layers, shapes, parameters",
            lines(
                layers=(1, "layers"), weight_shapes=(2, "shapes of the weights"), parameters=(2, "number of parameters")
            ),
            DESIGN,
            by_record,
        ),
        Question(
            "target_record",
            "(c) Output, target and loss",
            lines(output_reaches=(2, "output and target transform"), loss=(1, "loss")),
            DESIGN,
            by_record,
        ),
        Question(
            "trained_design",
            "(d) The stated design, trained",
            lines(as_designed=(1, "what was trained is what was designed"), fit=(3, "error on new examples")),
            TRAINING,
            by_training,
        ),
    ),
    written=(
        Written("choice_words", "(a), (b) Why these features and layers", 2),
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
