"""The command ``autograder explain``: what is right and wrong with gradients that any code computed.

Each file is one point: X, Y, W1, b1, W2, b2, ... and dW1, db1, ... or the parameters after one update, W1_new, ...
Nothing is ever unpickled.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.text import Text

from autograder.diagnosis.findings import CONVENTION, RIGHT, Finding, Report, explain
from autograder.diagnosis.spec import DEEPEST, HIDDEN, LOSSES, OUTPUT, PENALTIES, Array, Point, Spec, forward
from autograder.mistakes import MISTAKES

LAYOUTS = ("columns", "rows", "torch")
COLOURS = {RIGHT: "green", CONVENTION: "yellow"}


class BadInput(ValueError):
    """What was given cannot be explained; the message is one sentence that says why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``autograder explain``."""
    parser.add_argument("files", nargs="+", metavar="FILE.npz", help="one point each: inputs, parameters and answers")
    parser.add_argument(
        "--hidden", required=True, metavar="NAME[,NAME]", help=f"hidden activation: {', '.join(HIDDEN)}; or none"
    )
    parser.add_argument("--output", required=True, choices=OUTPUT, help="activation of the last layer")
    parser.add_argument("--loss", required=True, choices=LOSSES, help="loss of one example, summed over the outputs")
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
        spec, points = read(args)
        report = explain(spec, points, conventions=not args.strict)
    except ValueError as error:
        print(f"autograder explain: {error}", file=sys.stderr)
        return 2
    if args.json:
        print(json.dumps(as_json(report, len(points)), indent=2))
    else:
        show(report, spec, args.layout, Console(highlight=False, soft_wrap=True))
    return 0


def read(args: argparse.Namespace) -> tuple[Spec, list[Point]]:
    """The network and the points that the arguments describe. Raises BadInput."""
    if args.penalty == "none" and args.reg_lambda is not None:
        raise BadInput("--reg-lambda is given, but --penalty is none; name the penalty, or leave --reg-lambda out")
    loaded = [(name, _load(name, args)) for name in args.files]
    first_name, first = loaded[0]
    for name, arrays in loaded[1:]:
        if set(arrays) != set(first):
            odd = sorted(set(arrays) ^ set(first))[0]
            has, lacks = (name, first_name) if odd in arrays else (first_name, name)
            raise BadInput(f"{odd} is in {has} but not in {lacks}; every file must hold the same arrays")
    depth = next(layer for layer in range(1, DEEPEST + 2) if f"W{layer + 1}" not in first)
    spec = _spec(args, first_name, first, depth)
    wanted = {spec.answer_name(p) for p in spec.parameters}
    points = []
    for name, arrays in loaded:
        point = Point(
            {key: value for key, value in arrays.items() if key not in wanted},
            {key: value for key, value in arrays.items() if key in wanted},
        )
        try:
            forward(spec, point.inputs)
        except ValueError as error:
            raise BadInput(f"{name}: {error}") from None
        for key, value in point.answers.items():
            if value.dtype.kind not in "fiub":
                raise BadInput(f"{name}: {key} has dtype {value.dtype}; real numbers were expected")
        points.append(point)
    return spec, points


def _spec(args: argparse.Namespace, name: str, arrays: Mapping[str, Array], depth: int) -> Spec:
    gradients = sorted(key for key in arrays if key[:2] in ("dW", "db") and key[2:].isdigit())
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
    known = {spec.answer_name(parameter) for parameter in spec.parameters}
    for answer in (*gradients, *updates):
        if answer not in known:
            raise BadInput(
                f"{name}: {answer} is given, but the network has no such parameter; "
                f"{', '.join(sorted(known))} were expected"
            )
    return spec


def _load(name: str, args: argparse.Namespace) -> dict[str, Array]:
    """The arrays of one file in the layout of this package, with lambda and alpha of the command line."""
    if not Path(name).is_file():
        raise BadInput(f"{name}: there is no such file")
    try:
        with np.load(name, allow_pickle=False) as file:
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise BadInput(f"{name}: one array, not an .npz file of named arrays")
            arrays = {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, BadInput):
            raise
        # numpy's own message may advise to unpickle, which must never be done with a file of unknown origin.
        raise BadInput(f"{name}: an .npz file of plain numeric arrays was expected, and this is none") from None
    except TypeError:
        # np.load returns a bare array for an .npy file, which is no context manager.
        raise BadInput(f"{name}: one array was found; an .npz file of named arrays was expected") from None
    for key, option, value in (
        ("reg_lambda", "--reg-lambda", args.reg_lambda),
        ("learning_rate", "--learning-rate", args.learning_rate),
    ):
        if value is None:
            continue
        if key in arrays and arrays[key].size == 1 and float(arrays[key].reshape(())) != value:
            raise BadInput(f"{name}: {key} in the file is not the value of {option}; one of the two was expected")
        arrays[key] = np.array(value)
    if args.layout == "torch":
        return _of_torch(name, arrays)
    return _columns(arrays) if args.layout == "rows" else _flat_examples(arrays)


def _is(kind: str, key: str) -> bool:
    """Whether an array is a weight, a bias, or a gradient or update of one; or, for "A", a matrix of examples."""
    core = key.removeprefix("d").removesuffix("_new")
    if kind == "A":
        return key in ("X", "Y") or (key[:1] in ("Z", "A") and key[1:].isdigit())
    return core[:1] == kind and core[1:].isdigit()


def _columns(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """From one row per example to one column per example."""
    turned = {}
    for key, value in arrays.items():
        if _is("A", key):
            turned[key] = value.reshape(-1, 1).T if value.ndim == 1 else value.T
        elif _is("W", key):
            turned[key] = value.T
        elif _is("b", key):
            turned[key] = value.reshape(-1, 1) if value.ndim == 1 else value.T
        else:
            turned[key] = value
    return turned


_TORCH = re.compile(r"(?P<module>.*?)\.?(?P<kind>weight|bias)(?P<grad>[._]grad)?(?P<new>_new)?")


def _of_torch(name: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """From the names and shapes of PyTorch: layers in the order of the file, examples in rows, targets or classes."""
    found: dict[str, Array] = {}
    layers: dict[str, int] = {}
    for key, value in arrays.items():
        match = _TORCH.fullmatch(key)
        if match is None:
            found[key] = value
            continue
        if match["grad"] and match["new"]:
            raise BadInput(f"{name}: {key} is a gradient and an updated parameter at once; one of the two was expected")
        layer = layers.setdefault(match["module"], len(layers) + 1)
        letter = "W" if match["kind"] == "weight" else "b"
        found[f"{'d' if match['grad'] else ''}{letter}{layer}{match['new'] or ''}"] = value
    if layers and f"W{len(layers)}" in found:
        outputs = found[f"W{len(layers)}"].shape[0]
        y = found.get("Y")
        if y is not None and y.ndim == 1 and outputs > 1 and y.dtype.kind in "iub":
            if y.min(initial=0) < 0 or y.max(initial=0) >= outputs:
                raise BadInput(f"{name}: Y holds classes from {y.min()} to {y.max()}; 0 to {outputs - 1} were expected")
            found["Y"] = np.eye(outputs)[y.astype(int)]
    turned = {}
    for key, value in found.items():
        if _is("A", key):
            turned[key] = value.reshape(1, -1) if value.ndim == 1 else value.T
        else:
            turned[key] = value
    return turned


def _flat_examples(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """One number per example may be a flat vector."""
    flat = {key: arrays[key].reshape(1, -1) for key in ("X", "Y") if key in arrays and arrays[key].ndim == 1}
    return {**arrays, **flat}


def as_json(report: Report, points: int) -> dict[str, Any]:
    """The report for programs: ``parameters`` maps W1, b1, ... to verdict, mistakes, evidence and more."""
    parameters = {}
    for parameter, finding in report.parameters.items():
        entry = asdict(finding)
        if finding.evidence is not None:
            entry["evidence"]["text"] = finding.evidence.text()
        parameters[parameter] = entry
    return {"points": points, "parameters": parameters}


def show(report: Report, spec: Spec, layout: str, console: Console) -> None:
    """Print the report for a person."""
    for parameter, finding in report.parameters.items():
        verdict = finding.verdict.replace("-", " ")
        console.print(Text.assemble((parameter, "bold"), ": ", (verdict, COLOURS.get(finding.verdict, "red"))))
        for line in lines(finding):
            console.print(Text("    " + line))
    left_out = [p for p in spec.parameters if p not in report.parameters]
    if left_out:
        console.print(Text(f"No answer was given for {', '.join(left_out)}."))
    if layout == "rows" and any(f.facts or f.evidence for f in report.parameters.values()):
        console.print(Text("Shapes, rows, columns and examples above are written with one column per example."))


def lines(finding: Finding) -> Sequence[str]:
    """What is said about one parameter, sentence by sentence."""
    said = [f"{_sentence(MISTAKES[mistake].title)} [{mistake}]" for mistake in finding.mistakes]
    if finding.follows_from and finding.mistakes:
        said.append(f"It also follows from: {', '.join(MISTAKES[m].title for m in finding.follows_from)}.")
    said += finding.facts
    if finding.evidence is not None:
        said.append(finding.evidence.text())
    if finding.hint:
        said.append(finding.hint)
    return said


def _sentence(title: str) -> str:
    return title[0].upper() + title[1:] + "."
