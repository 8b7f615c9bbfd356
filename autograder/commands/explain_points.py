"""The points that ``autograder explain`` is asked about: what its arguments and files describe."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from autograder.diagnosis.assembled import Assembled, Parts, explain_network
from autograder.diagnosis.files import BadInput, arrays_of, biases_out, in_layout, same_arrays, turned
from autograder.diagnosis.findings import explain
from autograder.diagnosis.layers import LAYERS, explain_layer
from autograder.diagnosis.optimisers import OPTIMISERS, Updates, explain_updates
from autograder.diagnosis.spec import DEEPEST, Array, Point, Spec, forward
from autograder.diagnosis.verdicts import Report
from autograder.views.gradients import called


@dataclass(frozen=True)
class Asked:
    """What the arguments describe: a network or a layer, and its points. ``names`` are those of the file."""

    points: list[Point]
    parameters: tuple[str, ...]
    spec: Spec | None = None
    parts: Parts = field(default_factory=Parts)
    layer: str = ""
    layout: str = "columns"
    names: Mapping[str, str] = field(default_factory=dict)

    def report(self, *, conventions: bool) -> Report:
        """As the Python door says it: ``explain``, ``explain_network``, ``explain_layer`` or ``explain_updates``."""
        if self.spec is None:
            door = explain_layer if self.layer in LAYERS else explain_updates
            return door(self.layer, self.points, conventions=conventions)
        if self.parts:
            return explain_network(self.spec, self.parts, self.points, conventions=conventions)
        return explain(self.spec, self.points, conventions=conventions)


def _read_layer(args: argparse.Namespace) -> Asked:
    """One layer. Raises BadInput."""
    for option in ("hidden", "output", "loss", "bias_in_weights", "dropout", "residual", "each_example", "reg_lambda"):
        if getattr(args, option):
            raise BadInput(f"--{option.replace('_', '-')} is about a network, and --layer is not; leave one out")
    if args.layout != "columns":
        raise BadInput("--layout is about a network: what a layer takes is said in docs/explain.md")
    answers = LAYERS[args.layer][0].answers if args.layer in LAYERS else Updates(args.layer).answers
    points = []
    for name in args.files:
        arrays = arrays_of(name)
        if args.layer in OPTIMISERS:
            _add(name, arrays, "learning_rate", "--learning-rate", args.learning_rate)
        point = Point(
            {key: value for key, value in arrays.items() if key not in answers},
            {key: value for key, value in arrays.items() if key in answers},
        )
        if not point.answers:
            raise BadInput(f"{name}: no answers; {', '.join(answers)} were expected")
        points.append(point)
    same_arrays(list(zip(args.files, ({**p.inputs, **p.answers} for p in points))))
    optional = {f"d{n}" for n in LAYERS[args.layer][2]} if args.layer in LAYERS else set(answers[1:])
    wanted = tuple(a for a in answers if a in points[0].answers or a not in optional)
    return Asked(points, wanted, layer=args.layer)


def read(args: argparse.Namespace, held: Mapping[str, dict[str, Array]] | None = None) -> Asked:
    """What the arguments describe; ``held`` has the arrays of files that are none. Raises BadInput."""
    if not args.files:
        raise BadInput("no points: files, or --code, were expected")
    if args.layer:
        return _read_layer(args)
    for option in ("hidden", "output", "loss"):
        if getattr(args, option) is None:
            raise BadInput(f"--{option} is missing; --hidden, --output and --loss are needed, or --layer")
    if args.penalty == "none" and args.reg_lambda is not None:
        raise BadInput("--reg-lambda is given, but --penalty is none; name the penalty, or leave --reg-lambda out")
    if args.steps < 1:
        raise BadInput("--steps must be at least 1")
    parts = Parts(args.norm, args.residual, args.dropout, args.optimiser, args.steps, args.each_example)
    names: dict[str, str] = {}
    loaded, shapes = [], []
    for name in args.files:
        arrays, given = _load(name, arrays_of(name) if held is None else dict(held[name]), args, names)
        if args.bias_in_weights:
            arrays, given = biases_out(name, arrays, given, args.bias_in_weights)
        loaded.append((name, arrays))
        shapes.append(given)
    first_name, first = loaded[0]
    same_arrays(loaded)
    depth = next(layer for layer in range(1, DEEPEST + 2) if f"W{layer + 1}" not in first)
    spec = _spec(args, first_name, first, depth)
    parameters = Assembled(spec, parts).parameters
    if (args.optimiser != "sgd" or args.steps > 1 or args.each_example) and spec.result == "gradients":
        raise BadInput("--optimiser, --steps and --each-example are about updated parameters, W1_new and so on")
    wanted = {spec.answer_name(p) for p in parameters}
    points = []
    for (name, arrays), given in zip(loaded, shapes):
        point = Point(
            {key: value for key, value in arrays.items() if key not in wanted},
            {key: value for key, value in arrays.items() if key in wanted},
            given,
        )
        try:
            if parts:
                explain_network(spec, parts, [Point(point.inputs)])
            else:
                forward(spec, point.inputs)
        except ValueError as error:
            said = in_layout(str(error), args.layout, given)
            raise BadInput(f"{name}: {called(said, names)}") from None
        for key, value in point.answers.items():
            if value.dtype.kind not in "fiub":
                raise BadInput(f"{name}: {key} has dtype {value.dtype}; real numbers were expected")
        points.append(point)
    return Asked(points, parameters, spec, parts, layout=args.layout, names=names)


def _spec(args: argparse.Namespace, name: str, arrays: Mapping[str, Array], depth: int) -> Spec:
    gradients = sorted(key for key in arrays if re.fullmatch(r"d(W|b|gamma|beta)\d+", key))
    updates = sorted(key for key in arrays if key.endswith("_new"))
    if gradients and updates:
        raise BadInput(
            f"{name}: both {gradients[0]} and {updates[0]} are given; gradients or updated parameters were "
            "expected, not both"
        )
    if not gradients and not updates:
        raise BadInput(f"{name}: no answers; dW1, ... or W1_new, ... were expected")
    hidden = tuple(part for part in args.hidden.split(",") if part and part != "none")
    if len(hidden) == 1 and depth > 2:
        hidden *= depth - 1
    if len(hidden) != depth - 1:
        raise BadInput(
            f"{name}: {depth} layers of weights make {depth - 1} hidden layers, and --hidden was expected to name "
            f"{depth - 1} of them, not {len(hidden)}"
        )
    biases = any(f"b{layer}" in arrays for layer in range(1, depth + 1))
    try:
        spec = Spec(
            hidden,
            args.output,
            args.loss,
            penalty=args.penalty,
            biases=biases,
            result="update" if updates else "gradients",
            reduction=args.reduction,
            outputs=args.outputs,
        )
    except ValueError as error:
        raise BadInput(str(error)) from None
    known = {spec.answer_name(parameter) for parameter in Assembled(spec, Parts(norm=args.norm)).parameters}
    for answer in (*gradients, *updates):
        if answer not in known:
            raise BadInput(
                f"{name}: {answer} is given, but the network has no such parameter; "
                f"{', '.join(sorted(known))} were expected"
            )
    return spec


def _load(
    name: str, arrays: dict[str, Array], args: argparse.Namespace, names: dict[str, str]
) -> tuple[dict[str, Array], dict[str, tuple[int, ...]]]:
    """The arrays of one file in the layout of this package, with lambda and alpha of the command line; their shapes
    in the file; and, into ``names``, what they are called there."""
    _add(name, arrays, "reg_lambda", "--reg-lambda", args.reg_lambda)
    _add(name, arrays, "learning_rate", "--learning-rate", args.learning_rate)
    return turned(name, arrays, args.layout, names)


def _add(name: str, arrays: dict[str, Array], key: str, option: str, value: float | None) -> None:
    """A number of the command line, which must not contradict the file."""
    if value is None:
        return
    if key in arrays and arrays[key].size == 1 and float(arrays[key].reshape(())) != value:
        raise BadInput(f"{name}: {key} in the file is not the value of {option}; one of the two was expected")
    arrays[key] = np.array(value)
