"""The command ``autograder explain``: what is right and wrong with gradients that any code computed.

Each file is one point: X, Y, W1, b1, W2, b2, ... and dW1, db1, ... or the parameters after one update, W1_new, ...
With ``--layer`` it holds what the layer takes, the gradient g that comes from above, and dx, ...: docs/explain.md.
Nothing is ever unpickled.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from autograder.diagnosis.assembled import NORMS, Assembled, Parts, explain_network
from autograder.diagnosis.files import LAYOUTS, BadInput, arrays_of, biases_out, in_layout, same_arrays, turned
from autograder.diagnosis.findings import explain
from autograder.diagnosis.layers import LAYERS, explain_layer
from autograder.diagnosis.optimisers import OPTIMISERS, Updates, explain_updates
from autograder.diagnosis.spec import DEEPEST, HIDDEN, LOSSES, OUTPUT, PENALTIES, Array, Point, Spec, forward
from autograder.diagnosis.verdicts import CONVENTION, RIGHT, Report
from autograder.views.gradients import as_json, called, show

if TYPE_CHECKING:  # points in files are explained with the core alone, and in a browser without rich
    from autograder.locate import Function
    from autograder.locate.locate import Run
    from autograder.marking import Place
    from autograder.truth import Network


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``autograder explain``."""
    parser.add_argument("files", nargs="*", metavar="FILE.npz", help="one point each: inputs, parameters and answers")
    parser.add_argument(
        "--code", type=Path, metavar="FILE.py", help="in place of points: a file that is run in the sandbox"
    )
    parser.add_argument("--function", metavar="NAME", help="with --code: what takes X, Y, W1, ... and returns dW1, ...")
    parser.add_argument(
        "--sizes", metavar="N,N,...", help="with --code: the units of every layer, the inputs first (3,4,1)"
    )
    parser.add_argument(
        "--layer",
        choices=(*LAYERS, *OPTIMISERS),
        help="the files are about one layer, or the steps of an optimiser",
    )
    parser.add_argument("--hidden", metavar="NAME[,NAME]", help=f"hidden activation: {', '.join(HIDDEN)}; or none")
    parser.add_argument("--output", choices=OUTPUT, help="activation of the last layer")
    parser.add_argument("--loss", choices=LOSSES, help="loss of one example, summed over the outputs")
    parser.add_argument("--norm", default="none", choices=NORMS, help="before hidden activations: gamma1, beta1, ...")
    parser.add_argument("--dropout", action="store_true", help="after each hidden activation, with mask1, ... and keep")
    parser.add_argument(
        "--residual",
        action="store_true",
        help="what enters a hidden layer is added to what leaves it, where it can",
    )
    parser.add_argument("--optimiser", default="sgd", choices=OPTIMISERS, help="for W1_new and the like")
    parser.add_argument("--steps", type=int, default=1, metavar="N", help="so many updates with the same examples")
    parser.add_argument("--each-example", action="store_true", help="an update after each example, in their order")
    parser.add_argument(
        "--bias-in-weights", choices=("first", "last"), help="W1 has a column more, which is the bias (a row in rows)"
    )
    parser.add_argument("--penalty", default="none", choices=PENALTIES, help="factor of the sum of squared weights")
    parser.add_argument("--reg-lambda", type=float, metavar="L", help="strength of the penalty")
    parser.add_argument("--learning-rate", type=float, metavar="A", help="step size, for W1_new and the like")
    parser.add_argument("--reduction", default="mean", choices=("mean", "sum"), help="over the examples")
    parser.add_argument("--outputs", default="sum", choices=("sum", "mean"), help="over the outputs")
    parser.add_argument(
        "--layout",
        default="columns",
        choices=LAYOUTS,
        help="where one example is; torch: PyTorch's names and shapes, Y may hold classes",
    )
    parser.add_argument("--strict", action="store_true", help="another convention counts as a mistake")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Explain the files. Returns 0 when explained, whatever the verdict, and 2 when the input is bad."""
    try:
        asked, found = _run_code(args) if args.code else (read(args), {})
        report = asked.report(conventions=not args.strict)
    except ValueError as error:
        print(f"autograder explain: {error}", file=sys.stderr)
        return 2
    wrong = {name for name, one in report.parameters.items() if one.verdict not in (RIGHT, CONVENTION)}
    pointed = {name: place for name, place in found.items() if name in wrong}
    if args.json:
        print(json.dumps(as_json(report, len(asked.points), pointed), indent=2))
    else:
        from rich.console import Console

        console = Console(highlight=False, soft_wrap=True)
        show(report, console, asked.parameters, layout=asked.layout, names=asked.names, places=pointed)
    return 0


CODE_LEAVES_OUT = ("layer", "dropout", "residual", "each_example", "bias_in_weights")
"""Options that are about points in files."""


def _run_code(args: argparse.Namespace) -> tuple[Asked, dict[str, Place]]:
    """Run the function of a file at points of ours, and look where its wrong answers begin. Raises BadInput."""
    from autograder.sandbox import Sandbox, SandboxUnavailable

    function, points, sizes = of_code(args)
    try:
        with Sandbox() as sandbox:
            return answered(args, function, points, sizes, sandbox.run)
    except SandboxUnavailable as problem:
        raise BadInput(str(problem)) from None


def of_code(args: argparse.Namespace) -> tuple[Function, list[dict[str, Array]], list[int]]:
    """The function of ``--code``, points for it, and the sizes of its network. Raises BadInput."""
    from autograder.locate import ALL, Function, arguments_of

    for option in CODE_LEAVES_OUT:
        if getattr(args, option):
            raise BadInput(f"--{option.replace('_', '-')} is about points in files, and --code has none")
    if args.files or args.norm != "none" or args.optimiser != "sgd" or args.steps > 1 or args.layout == "torch":
        raise BadInput("--code draws its own points, for plain networks in columns or rows; leave the rest out")
    if not args.function:
        raise BadInput("--function is missing: which function of the file is asked?")
    for option in ("hidden", "output", "loss"):
        if getattr(args, option) is None:
            raise BadInput(f"--{option} is missing; --hidden, --output and --loss are needed")
    points, sizes = _drawn(args)
    names = [f"{kind}{layer}" for layer in range(1, len(sizes)) for kind in "Wb"]
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
    return Function(args.code.name, source, args.function, arguments, expected), points, sizes


def answered(
    args: argparse.Namespace, function: Function, points: list[dict[str, Array]], sizes: list[int], run: Run
) -> tuple[Asked, dict[str, Place]]:
    """What the function answers at the points, and where its wrong answers begin; ``run`` runs it. Raises BadInput."""
    from autograder.locate import answers, places

    held = {}
    for number, (point, answer) in enumerate(zip(points, answers(function, points, run))):
        if not answer.values:
            raise BadInput(f"{args.code}: {answer.message or 'nothing is returned'}")
        held[f"point {number + 1}"] = {**point, **{key: np.asarray(value) for key, value in answer.values.items()}}
    args.files = list(held)
    asked = read(args, held)
    network = _as_network(args, sizes)
    found = {} if network is None else places(function, network, points, run, rows=args.layout == "rows")
    return asked, {name.removeprefix("d").removesuffix("_new"): place for name, place in found.items()}


def _drawn(args: argparse.Namespace) -> tuple[list[dict[str, Array]], list[int]]:
    """Three points for a network of these sizes, in the layout that was asked for."""
    hidden = [part for part in args.hidden.split(",") if part and part != "none"]
    outputs = 3 if args.output == "softmax" else 1
    try:
        sizes = [int(part) for part in args.sizes.split(",")] if args.sizes else [3, *(4 for _ in hidden), outputs]
    except ValueError:
        raise BadInput(f"--sizes is {args.sizes}; whole numbers were expected, such as 3,4,1") from None
    if len(sizes) < 2 or len(sizes) > DEEPEST + 1 or min(sizes) < 1 or max(sizes) > 32:
        raise BadInput(f"--sizes names {len(sizes)} layers; from 2 to {DEEPEST + 1} of 1 to 32 units were expected")
    rng, points = np.random.default_rng(0), []
    for m in (6, 5, 7):
        point = {"X": rng.normal(size=(sizes[0], m)), "Y": rng.normal(size=(sizes[-1], m))}
        if args.loss in ("bce", "hinge"):
            point["Y"] = (point["Y"] > 0) * (1.0 if args.loss == "bce" else 2.0) - (args.loss == "hinge")
        elif args.loss == "ce":
            point["Y"] = np.eye(sizes[-1])[rng.integers(0, sizes[-1], m)].T
        for layer, (n, h) in enumerate(pairwise(sizes), 1):
            point |= {f"W{layer}": rng.normal(size=(h, n)) / np.sqrt(n), f"b{layer}": rng.normal(size=(h, 1)) / 2}
        if args.layout == "rows":
            point = {name: value.T for name, value in point.items()}
        for name in ("learning_rate", "reg_lambda"):
            if getattr(args, name) is not None:
                point[name] = np.array(getattr(args, name))
        points.append(point)
    return points, sizes


def _as_network(args: argparse.Namespace, sizes: Sequence[int]) -> Network | None:
    """The network whose exact quantities are known by name; None where there is none."""
    from autograder.truth import Network

    hidden = [part for part in args.hidden.split(",") if part and part != "none"]
    hidden = hidden * (len(sizes) - 2) if len(hidden) == 1 else hidden
    penalty = {"none": False, "half-lambda-over-m": True}.get(args.penalty)
    if penalty is None or args.reduction != "mean" or args.outputs != "sum":
        return None
    try:
        return Network(tuple(sizes), (*hidden, args.output), args.loss, penalty)
    except ValueError:
        return None


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
