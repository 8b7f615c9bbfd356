"""The command ``autograder explain``: what is right and wrong with gradients that any code computed.

Each file is one point: X, Y, W1, b1, W2, b2, ... and dW1, db1, ... or the parameters after one update, W1_new, ...
With ``--layer`` it holds what the layer takes, the gradient g that comes from above, and dx, ...: docs/explain.md.
Nothing is ever unpickled.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from autograder.commands.explain_points import read
from autograder.diagnosis.assembled import NORMS
from autograder.diagnosis.files import LAYOUTS
from autograder.diagnosis.layers import LAYERS
from autograder.diagnosis.optimisers import OPTIMISERS
from autograder.diagnosis.spec import HIDDEN, LOSSES, OUTPUT, PENALTIES
from autograder.diagnosis.verdicts import CONVENTION, RIGHT
from autograder.views.gradients import as_json, show


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
        if args.code:  # points in files are explained with the core alone
            from autograder.commands.explain_code import run_code

            asked, found = run_code(args)
        else:
            asked, found = read(args), {}
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
