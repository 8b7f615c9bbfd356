"""How well wrong gradients are named, and how fast: ``python benchmarks/diagnosis.py [--json] [--quick]``.

Real: the solutions of ``real.py``, which other people wrote, and those of ``apart.py``, written apart from the engine
(``--real`` measures these alone). The rest is planted.
Singles: every wrong option of every choice point, in all parameters at once and in each one alone. Pairs and triples:
random ones, in different choice points. A mutation that cannot be seen in the answers is not counted. False names:
random perturbations, and right answers of other styles. Nothing here is timed but ``explain`` itself.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autograder.diagnosis import DoesNotFit, Point, Report, Spec, choice_points, explain, mutate
from autograder.diagnosis.grammar import choice_points_of

sys.path.insert(0, str(Path(__file__).parent))
import apart
import real

# What the exercises of the course ask for, and more.
SPECS = (
    (Spec(("sigmoid",), "sigmoid", "bce"), 1),
    (Spec(("tanh",), "sigmoid", "bce"), 1),
    (Spec(("tanh",), "sigmoid", "bce"), 3),
    (Spec(("relu",), "sigmoid", "bce"), 1),
    (Spec(("xtanhx",), "sigmoid", "bce"), 1),
    (Spec(("sigmoid",), "sigmoid", "bce", penalty="half-lambda-over-m"), 1),
    (Spec(("tanh",), "softmax", "ce", penalty="half-lambda"), 3),
    (Spec(("tanh",), "linear", "mse"), 1),
    (Spec(("sigmoid",), "sigmoid", "mse"), 3),
    (Spec(("tanh",), "linear", "weighted-mse"), 3),
    (Spec(("relu",), "linear", "half-mse", biases=False), 3),
    (Spec(("tanh",), "linear", "hinge"), 1),
    (Spec((), "sigmoid", "bce"), 1),
    (Spec(("tanh",), "sigmoid", "bce", result="update"), 1),
    (Spec(("sigmoid",), "sigmoid", "bce", penalty="half-lambda-over-m", result="update"), 3),
    (Spec(("tanh", "tanh"), "sigmoid", "bce"), 1),
    (Spec(("sigmoid", "relu"), "linear", "mse"), 3),
)
EXAMPLES = (6, 5, 7)  # a different m at each challenge, so that 1/m is not 1/n times a constant


def challenge(spec: Spec, outputs: int, seed: int, m: int, n: int = 3, h: int = 4) -> dict[str, np.ndarray]:
    """Inputs of one challenge: both signs, scale about 1, biases of order one."""
    rng = np.random.default_rng(seed)
    sizes = [n, *[h + layer for layer in range(len(spec.hidden))], outputs]
    inputs = {"X": rng.normal(size=(n, m))}
    for layer in range(1, len(sizes)):
        inputs[f"W{layer}"] = rng.normal(size=(sizes[layer], sizes[layer - 1]))
        if spec.biases:
            inputs[f"b{layer}"] = rng.normal(size=(sizes[layer], 1))
    if spec.loss == "hinge":
        inputs["Y"] = rng.choice([-1.0, 1.0], size=(outputs, m))
    elif spec.output == "softmax":
        inputs["Y"] = np.eye(outputs)[:, rng.integers(outputs, size=m)]
    elif spec.output == "sigmoid":
        inputs["Y"] = rng.integers(0, 2, size=(outputs, m)).astype(float)
    else:
        inputs["Y"] = rng.normal(size=(outputs, m))
    inputs |= {"reg_lambda": np.array(0.7), "learning_rate": np.array(0.3)}
    if spec.loss == "weighted-mse":
        inputs["output_weights"] = rng.uniform(0.5, 3.0, size=outputs)
    return inputs


def challenges(spec: Spec, outputs: int, seed: int = 1) -> list[dict[str, np.ndarray]]:
    """Three challenges of one network."""
    return [challenge(spec, outputs, 100 * seed + i, m) for i, m in enumerate(EXAMPLES)]


@dataclass(frozen=True)
class Slip:
    """One wrong option, in all parameters or in one."""

    key: str
    option: str
    mistakes: tuple[str, ...]

    @property
    def point(self) -> str:
        """The choice point, without the parameter."""
        return self.key.split("@")[0]


def slips(spec: Spec) -> list[Slip]:
    """Every single mistake of the grammar, in all parameters at once and in each one alone."""
    found = []
    for point, options in choice_points(spec).items():
        scopes = ["", *(f"@{p}" for p in spec.parameters if point in choice_points_of(spec, p))]
        found += [Slip(point + scope, o.name, o.mistakes) for o in options if o.mistakes for scope in scopes]
    return found


# The errors of softmax with cross-entropy add up to zero over the outputs, so what sums over outputs gives zero.
ZERO_WITH_SOFTMAX = {
    "ones-for-weights",
    "mean-of-the-gradient",
    "sum-of-the-gradient",
    "bias-summed-over-everything",
    "bias-mean-of-everything",
    "bias-summed-over-units",
}


def answers(spec: Spec, inputs: Sequence[Mapping[str, np.ndarray]], chosen: Sequence[Slip]) -> list[dict] | None:
    """The answers of the mutated code at each challenge; None when it does not fit the shapes."""
    try:
        made = [mutate(spec, Point(i), {slip.key: slip.option for slip in chosen}) for i in inputs]
    except DoesNotFit:
        return None
    return made if all(np.isfinite(v).all() for a in made for v in a.values()) else None


def differ(one: Sequence[Mapping], two: Sequence[Mapping]) -> bool:
    """Whether two sets of answers differ by more than rounding."""
    return any(
        a[k].shape != b[k].shape or np.abs(a[k] - b[k]).max() > 1e-7 * max(np.abs(b[k]).max(), 1e-9)
        for a, b in zip(one, two)
        for k in a
    )


def visible(spec: Spec, inputs: Sequence[Mapping], chosen: Sequence[Slip]) -> list[dict] | None:
    """The answers, when leaving out any of the slips would change them; else None."""
    if spec.loss == "ce" and any(slip.option in ZERO_WITH_SOFTMAX for slip in chosen):
        return None
    made = answers(spec, inputs, chosen)
    if made is None:
        return None
    for index in range(len(chosen)):
        fewer = answers(spec, inputs, [s for i, s in enumerate(chosen) if i != index])
        if fewer is None or not differ(made, fewer):
            return None
    return made


def timed(spec: Spec, inputs: Sequence[Mapping], made: Sequence[Mapping]) -> tuple[Report, float]:
    """The report, and the milliseconds it took."""
    points = [Point(i, a) for i, a in zip(inputs, made)]
    start = time.perf_counter()
    report = explain(spec, points)
    return report, 1e3 * (time.perf_counter() - start)


@dataclass
class Tally:
    """Counts for one row of the table. ``named``: the mistakes made, no more and no fewer."""

    what: str
    tried: int = 0
    named: int = 0
    wrongly_named: int = 0
    times: list[float] = field(default_factory=list, repr=False)
    misses: list[str] = field(default_factory=list, repr=False)

    def add(self, spec: Spec, chosen: Sequence[Slip], report: Report, milliseconds: float) -> None:
        """Count one wrong answer."""
        wanted = {mistake for slip in chosen for mistake in slip.mistakes}
        self.tried += 1
        self.times.append(milliseconds)
        if set(report.mistakes) == wanted:
            self.named += 1
            return
        self.wrongly_named += bool(set(report.mistakes) - wanted)
        words = " + ".join(f"{slip.key}={slip.option}" for slip in chosen)
        self.misses.append(
            f"{spec.hidden} {spec.output} {spec.loss} {spec.penalty} {spec.result}: {words} "
            f"-> {', '.join(report.mistakes) or 'nothing'}"
        )


def singles(specs: Sequence[tuple[Spec, int]] = SPECS) -> Tally:
    """Every single mistake at every spec."""
    tally = Tally("single mistakes")
    for spec, outputs in specs:
        inputs = challenges(spec, outputs)
        for slip in slips(spec):
            made = visible(spec, inputs, [slip])
            if made is not None:
                tally.add(spec, [slip], *timed(spec, inputs, made))
    return tally


def several(count: int, tries: int, specs: Sequence[tuple[Spec, int]] = SPECS, seed: int = 0) -> Tally:
    """``tries`` random sets of ``count`` mistakes in different choice points, spread over the specs."""
    tally = Tally({2: "two mistakes", 3: "three mistakes"}[count])
    rng = np.random.default_rng(seed)
    sets = [(spec, challenges(spec, outputs, seed=2), slips(spec)) for spec, outputs in specs]
    while tally.tried < tries:
        spec, inputs, every = sets[rng.integers(len(sets))]
        chosen = [every[i] for i in rng.integers(len(every), size=count)]
        if len({slip.point for slip in chosen}) < count:
            continue
        made = visible(spec, inputs, chosen)
        if made is not None:
            tally.add(spec, chosen, *timed(spec, inputs, made))
    return tally


def perturbed(tries: int, specs: Sequence[tuple[Spec, int]] = SPECS, seed: int = 0) -> Tally:
    """Right or mutated answers with random noise on some entries: nothing may be named that was not done."""
    tally = Tally("random perturbations")
    rng = np.random.default_rng(seed)
    sets = [(spec, challenges(spec, outputs, seed=3)) for spec, outputs in specs]
    for _ in range(tries):
        spec, inputs = sets[rng.integers(len(sets))]
        made = [mutate(spec, Point(i), {}) for i in inputs]
        for name in made[0]:
            if rng.random() < 0.7:
                kind = rng.integers(4)
                size = 10.0 ** rng.uniform(-5, 1)
                for a in made:
                    v = a[name]
                    noise = size * rng.normal(size=v.shape)
                    if kind == 0:
                        a[name] = v + noise
                    elif kind == 1:
                        a[name] = v * (1 + noise)
                    elif kind == 2:
                        a[name] = v + noise * (rng.random(v.shape) < 0.3)
                    else:
                        a[name] = v * (1 + size) + 1e-3 * size * rng.normal()
        report, milliseconds = timed(spec, inputs, made)
        tally.tried += 1
        tally.times.append(milliseconds)
        tally.wrongly_named += bool(report.mistakes)
        if report.mistakes:
            tally.misses.append(f"{spec}: {report.mistakes}")
    return tally


def styles(spec: Spec, inputs: Mapping[str, np.ndarray], rng: np.random.Generator) -> Iterator[dict[str, np.ndarray]]:
    """Right answers as other right code would give them: other orders of summation, layouts and precision."""
    right = mutate(spec, Point(inputs), {})
    order = rng.permutation(inputs["X"].shape[1])
    shuffled = {**inputs, "X": inputs["X"][:, order], "Y": inputs["Y"][:, order]}
    yield mutate(spec, Point(shuffled), {})
    yield {k: np.asfortranarray(v) for k, v in right.items()}
    yield {k: np.float32(v) for k, v in right.items()}
    single = {k: np.asarray(v, np.float32).astype(float) for k, v in inputs.items()}
    yield {k: np.float32(v) for k, v in mutate(spec, Point(single), {}).items()}
    m = inputs["X"].shape[1]
    if spec.result == "gradients" and spec.reduction == "mean":
        # One example at a time, added up in a random order.
        parts = [
            mutate(
                spec,
                Point(
                    {
                        **inputs,
                        "X": inputs["X"][:, [i]],
                        "Y": inputs["Y"][:, [i]],
                        "reg_lambda": inputs["reg_lambda"] * (1 / m if spec.penalty == "half-lambda-over-m" else 1.0),
                    }
                ),
                {},
            )
            for i in order
        ]
        yield {k: sum(part[k] for part in parts) / m for k in right}
    yield {k: v * (1 + 1e-14 * rng.normal(size=v.shape)) for k, v in right.items()}


def right_answers(tries: int, specs: Sequence[tuple[Spec, int]] = SPECS, seed: int = 0) -> Tally:
    """Right answers of any style: each parameter must be right."""
    tally = Tally("right answers of any style")
    rng = np.random.default_rng(seed)
    while tally.tried < tries:
        spec, outputs = specs[rng.integers(len(specs))]
        inputs = challenges(spec, outputs, seed=int(rng.integers(10, 10_000)))
        for made in zip(*(styles(spec, i, rng) for i in inputs)):
            report, milliseconds = timed(spec, inputs, made)
            tally.tried += 1
            tally.times.append(milliseconds)
            bad = [p for p, finding in report.parameters.items() if finding.verdict != "right"]
            tally.wrongly_named += bool(bad)
            if bad:
                tally.misses.append(f"{spec}: {bad}")
    return tally


def run(quick: bool) -> list[Tally]:
    """All rows of the table."""
    pairs, triples, false = (200, 60, 300) if quick else (4000, 1000, 10_000)
    rows = [singles(), several(2, pairs), several(3, triples), perturbed(false), right_answers(false)]
    return rows


def _row(tally: Tally | real.Tally) -> dict[str, Any]:
    row = {k: v for k, v in asdict(tally).items() if k not in ("times", "misses")}
    row["median_ms"] = round(float(np.median(tally.times)), 2)
    row["worst_ms"] = round(float(max(tally.times)), 1)
    return row


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quick", action="store_true", help="smaller samples")
    parser.add_argument("--misses", type=int, default=0, metavar="N", help="also list N misses per row")
    parser.add_argument("--real", action="store_true", help="only the solutions that were not made by the grammar")
    args = parser.parse_args()
    people = [*real.measured(), apart.measured()]
    rows = [] if args.real else run(args.quick)
    table = [_row(tally) for tally in rows]
    if args.json:
        versions = {"python": platform.python_version(), "numpy": np.__version__}
        print(json.dumps({**versions, "real": [_row(tally) for tally in people], "rows": table}, indent=2))
        return
    for tally in people:
        row = _row(tally)
        print(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in row.items() if name != "what"), end=": ")
        print(row["what"], *(f"\n    {miss}" for miss in tally.misses[: args.misses]))
    if args.real:
        return
    print(f"{'':28}{'tried':>7}{'named':>7}{'%':>8}{'falsely':>9}{'median ms':>11}{'worst ms':>10}")
    for row, tally in zip(table, rows):
        share = f"{100 * row['named'] / row['tried']:.2f}" if "mistakes" in row["what"] else "-"
        print(
            f"{row['what']:28}{row['tried']:>7}{row['named']:>7}{share:>8}{row['wrongly_named']:>9}"
            f"{row['median_ms']:>11.2f}{row['worst_ms']:>10.1f}"
        )
        for miss in tally.misses[: args.misses]:
            print("   ", miss)


if __name__ == "__main__":
    main()
