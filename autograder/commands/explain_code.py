"""``autograder explain --code``: a function of a file, run in the sandbox at points that are drawn for it."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from autograder.commands.explain_points import Asked, read
from autograder.diagnosis.assembled import Assembled
from autograder.diagnosis.files import BadInput
from autograder.diagnosis.spec import DEEPEST, Array
from autograder.locate import ALL, Function, answers, arguments_of, places
from autograder.locate.function import PARAMETERS
from autograder.locate.locate import Run
from autograder.locate.quantities import ELEMENTARY, GRADIENT, RESULT, WORKED_OUT, Described, of_network
from autograder.marking import Place
from autograder.truth import Network

KEEP = 0.75
"""The share of units that dropout keeps at the points."""


def run_code(args: argparse.Namespace) -> tuple[Asked, dict[str, Place]]:
    """Run the function of a file at points of ours, and look where its wrong answers begin. Raises BadInput."""
    from autograder.sandbox import SandboxUnavailable, shared_sandbox  # a page in the browser has none

    function, points = of_code(args)
    try:
        return answered(args, function, points, shared_sandbox("auto").run)
    except SandboxUnavailable as problem:
        raise BadInput(str(problem)) from None


def of_code(args: argparse.Namespace) -> tuple[Function, list[dict[str, Array]]]:
    """The function of ``--code``, and points for it. Raises BadInput."""
    if args.files or args.layer or args.bias_in_weights or args.layout == "torch":
        raise BadInput(
            "--code draws its own points, for networks in columns or rows: FILE.npz, --layer, --bias-in-weights and "
            "--layout torch are about points in files"
        )
    if not args.function:
        raise BadInput("--function is missing: which function of the file is asked?")
    for option in ("hidden", "output", "loss"):
        if getattr(args, option) is None:
            raise BadInput(f"--{option} is missing; --hidden, --output and --loss are needed")
    points, sizes = _drawn(args)
    every = [f"{kind}{layer}" for layer in range(1, len(sizes)) for kind in PARAMETERS]
    names = [name for name in every if name in points[0]]
    expected = tuple(f"{name}_new" if args.learning_rate is not None else f"d{name}" for name in names)
    try:
        source = args.code.read_text(encoding="utf-8")
        arguments = arguments_of(source, args.function)
    except (OSError, UnicodeDecodeError, SyntaxError) as error:
        raise BadInput(f"{args.code}: {error}") from None
    except LookupError:
        raise BadInput(f"{args.code}: there is no function {args.function}") from None
    takes = (*points[0], *ALL)
    if unknown := [name for name in arguments if name not in takes]:
        raise BadInput(f"{args.function} takes {unknown[0]}; it may take {', '.join(takes)}")
    if "keep" not in arguments:  # then what is kept is not divided by it
        for point in points:
            point.pop("keep", None)
    return Function(args.code.name, source, args.function, arguments, expected), points


def answered(
    args: argparse.Namespace, function: Function, points: list[dict[str, Array]], run: Run
) -> tuple[Asked, dict[str, Place]]:
    """What the function answers at the points, and where its wrong answers begin; ``run`` runs it. Raises BadInput."""
    held, given = {}, []
    for number, (point, answer) in enumerate(zip(points, answers(function, points, run))):
        if not answer.values:
            raise BadInput(f"{args.code}: {answer.message or 'nothing is returned'}")
        given.append({key: np.asarray(value) for key, value in answer.values.items()})
        held[f"point {number + 1}"] = {**point, **given[-1]}
    args.files = list(held)
    asked = read(args, held)
    assert asked.spec is not None
    network = Assembled(asked.spec, asked.parts)
    inputs = [dict(point.inputs) for point in asked.points]
    exact = [_shaped(network.run(one, {}), its, args.layout) for one, its in zip(inputs, given)]
    plain = None if asked.parts else _as_network(network, inputs[0])
    known: Described = (lambda one: of_tape(network, one)) if plain is None else (lambda one: of_network(plain, one))
    found = places(function, known, exact, points, run, rows=args.layout == "rows")
    return asked, {name.removeprefix("d").removesuffix("_new"): place for name, place in found.items()}


def _shaped(exact: Mapping[str, Array], given: Mapping[str, Array], layout: str) -> dict[str, Array]:
    """Exact answers as the function gives its own: one example per column or row, and biases flat where it has them."""
    found = {}
    for name, value in exact.items():
        value = value.T if layout == "rows" else value
        flat = name in given and given[name].ndim == 1 and 1 in value.shape
        found[name] = value.ravel() if flat else value
    return found


def _drawn(args: argparse.Namespace) -> tuple[list[dict[str, Array]], list[int]]:
    """Three points for a network of these sizes, in the layout that was asked for, and the sizes."""
    hidden = [part for part in args.hidden.split(",") if part and part != "none"]
    outputs = 3 if args.output == "softmax" else 1
    try:
        sizes = [int(part) for part in args.sizes.split(",")] if args.sizes else [3, *(4 for _ in hidden), outputs]
    except ValueError:
        raise BadInput(f"--sizes is {args.sizes}; whole numbers were expected, such as 3,4,1") from None
    if len(sizes) < 2 or len(sizes) > DEEPEST + 1 or min(sizes) < 1 or max(sizes) > 32:
        raise BadInput(f"--sizes names {len(sizes)} layers; from 2 to {DEEPEST + 1} of 1 to 32 units were expected")
    rng = np.random.default_rng(0)
    points: list[dict[str, Array]] = []
    for m in (6, 5, 7):
        point: dict[str, Any] = {"X": rng.normal(size=(sizes[0], m)), "Y": rng.normal(size=(sizes[-1], m))}
        if args.loss in ("bce", "hinge"):
            point["Y"] = (point["Y"] > 0) * (1.0 if args.loss == "bce" else 2.0) - (args.loss == "hinge")
        elif args.loss == "ce":
            point["Y"] = np.eye(sizes[-1])[rng.integers(0, sizes[-1], m)].T
        for layer, (n, h) in enumerate(pairwise(sizes), 1):
            point |= {f"W{layer}": rng.normal(size=(h, n)) / np.sqrt(n), f"b{layer}": rng.normal(size=(h, 1)) / 2}
            if layer == len(sizes) - 1:
                continue
            if args.norm != "none":
                point |= {f"gamma{layer}": rng.uniform(0.5, 1.5, (h, 1)), f"beta{layer}": rng.normal(size=(h, 1)) / 2}
            if args.dropout:
                point[f"mask{layer}"] = (rng.random((h, m)) < KEEP) * 1.0
        if args.layout == "rows":
            point = {name: value.T for name, value in point.items()}
        for name in ("learning_rate", "reg_lambda"):
            if getattr(args, name) is not None:
                point[name] = np.array(getattr(args, name))
        if args.dropout:
            point["keep"] = np.array(KEEP)
        points.append(point)
    return points, sizes


def _as_network(network: Assembled, inputs: Mapping[str, Array]) -> Network | None:
    """The network with the names of the course for its quantities; None where there is none."""
    spec = network.spec
    penalty = {"none": False, "half-lambda-over-m": True}.get(spec.penalty)
    if penalty is None or spec.reduction != "mean" or spec.outputs != "sum":
        return None
    sizes = (len(inputs["X"]), *(len(inputs[f"W{layer}"]) for layer in range(1, spec.depth + 1)))
    try:
        return Network(sizes, (*spec.hidden, spec.output), spec.loss, penalty)
    except ValueError:
        return None


# The quantities of a network of any parts -----------------------------------------------------------------------------

TEXTS = {
    "P": "W{k} times what layer {k} takes", "Z": "the pre-activation Z{k}", "H": "the normalised Z{k}",
    "N": "gamma{k} times the normalised Z{k}, plus beta{k}", "F": "the activation of layer {k}",
    "D": "the activation of layer {k} after dropout", "A": "what layer {k} gives", "X": "the input X",
}  # fmt: skip

SLOPES = {"F": "the derivative of the activation of layer {k}", "D": "the factor of dropout of layer {k}"}


def of_tape(network: Assembled, given: Mapping[str, Any]) -> Iterator[tuple[str, str, float, Any]]:
    """The values of every step and the gradients that reach them, where ways meet also that of each way alone."""
    inputs = {name: np.asarray(value, float) for name, value in given.items()}
    m = inputs["X"].shape[1]
    values, reached = network.through(inputs)
    steps = [step for step in network.steps(inputs) if step.line]  # the others give a value one more name
    ways = Counter(name for step in steps for name in step.takes)
    last = f"F{network.spec.depth}"
    yield "A-Y", f"A{network.spec.depth} - Y", WORKED_OUT, values[last] - inputs["Y"]
    for step in steps:
        text, above = _text(step.gives), reached[step.gives]
        yield step.gives, text, ELEMENTARY + 0.01 if step.gives[0] in "FA" else WORKED_OUT, values[step.gives]
        for name, inner in step.inside(values, above).items() if step.inside else ():
            yield f"{name} {step.gives}", name.format(_text(step.takes[0]), text), WORKED_OUT, inner
        if step.gives[0] in SLOPES and step.gives != last:
            slope = step.backward(values, np.ones_like(above))[0]
            yield f"slope {step.gives}", SLOPES[step.gives[0]].format(k=step.gives[1:]), ELEMENTARY, slope
        parts = (
            [(step.gives, f"the gradient of {text}", above)] if step.gives[0] not in "P" and step.gives != last else []
        )
        parts += [
            (f"{taken} by {step.gives}", f"the gradient of {_text(taken)} that comes through {text}", part)
            for taken, part in zip(step.takes, step.backward(values, above))
            if part is not None and ways[taken] > 1
        ]
        for name, what, part in parts:
            yield f"d{name}", what, WORKED_OUT, part
            yield f"d{name}/m", f"{what}, divided by m", WORKED_OUT + 0.1, part / m
    for name, value in network.gradients(inputs).items():
        yield f"gradient {name}", f"the gradient d{name}", GRADIENT, value
        if "learning_rate" in inputs:
            yield f"step {name}", f"the learning rate times d{name}", GRADIENT, inputs["learning_rate"] * value
    for name, value in network.run(inputs, {}).items() if network.spec.result == "update" else ():
        yield name, f"the updated {name.removesuffix('_new')}", RESULT, value


def _text(name: str) -> str:
    return TEXTS.get(name.rstrip("0123456789"), name).format(k=name.lstrip("XPZHNFDAWbgmet"))
