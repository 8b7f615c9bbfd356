"""Solutions that other people wrote: numbers, what each wrong one computes, and how often ``explain`` says so.

``real_solutions.json.gz`` holds 75 solutions out of the histories of public repositories, distinct in what they
compute: network, three points with inputs and answers, whether each answer is right (against JAX), and for wrong ones
what the code does, as a person read it. They are two halves, by position. The numbers of the first half were looked at
while the engine was made; of the second half the readings and what was said about them were seen too, no numbers.
"""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autograder.diagnosis import RIGHT, Point, Report, Spec, explain

DATA = Path(__file__).with_name("real_solutions.json.gz")
PENALTY = {None: "none", "lambda/(2m)": "half-lambda-over-m", "1.0*lambda*||W||^2": "lambda"}

# What a person read in the code, where it is written in words, as ids.
READ = {
    None: {"parameter-never-updated"},
    "db gets lambda/m W, so b becomes the shape of W": {"bias-gets-the-weights-penalty"},
    "dW is a column, W - alpha dW is (4, 4), its row 0 taken as (4,)": {"row-and-column-to-a-matrix"},
    "dW is a column, W - alpha dW is (4, 4), its row 0 kept as (1, 4): every entry uses dW[0]": {
        "result-transposed",
        "row-and-column-to-a-matrix",
    },
    "as 339 without 1/m": {"row-and-column-to-a-matrix", "missing-1-over-m"},
    "W *= 1 - alpha lambda/m - alpha dW; sigmoid derivative with tanh": {
        "multiplied-instead-of-subtracted",
        "sigmoid-derivative-with-tanh",
    },
    "dW from the predicted class alone, no label; db right": {"thresholded-prediction", "target-missing"},
    "dW from the predicted class alone, no label; divided by Y.shape[0] = 1": {
        "thresholded-prediction",
        "target-missing",
        "missing-1-over-m",
    },
    "b becomes W - alpha db": {"another-parameter-updated"},
    "W *= 1 - alpha lambda/m - alpha dW; sigmoid derivative; updated W in hidden error": {
        "multiplied-instead-of-subtracted",
        "sigmoid-derivative-with-tanh",
        "w3-updated-before-hidden-error",
        "w2-updated-before-hidden-error",
    },
    "W3: bias gradient sum(dZ)/m added where lambda/m W belongs": {"bias-gradient-for-weights", "penalty-missing"},
    "W becomes W - alpha W/keep_prob: no data term": {"data-term-missing"},
    # In the next two (records 48 and 49) a person read an updated W. The numbers are those of the old W, within 5e-16;
    # with the updated one they would be off by 0.008 to 0.23. So that half of the reading is not counted as a mistake.
    "p becomes p - alpha + gradient; hidden error with updated W": {"rate-added-not-multiplied"},
    "p becomes p - alpha + gradient (also penalty); hidden error with updated W": {"rate-added-not-multiplied"},
    "hidden derivative tanh(A)^2; penalty missing in W3": {"another-derivative", "penalty-missing"},
    "hidden derivative tanh(A)^2": {"another-derivative"},
    "hidden derivative tanh(A^2)": {"another-derivative"},
    "last layer: dW transposed, W - alpha dW broadcast to (3, 3), then transposed": {"row-and-column-to-a-matrix"},
}
AS_NAMED = "as named (read in the code): "


@dataclass(frozen=True)
class Record:
    """One solution. ``right`` says of each parameter whether the answer is right; ``truth`` are ids of what it does."""

    spec: Spec
    points: tuple[Point, ...]
    right: Mapping[str, bool]
    truth: frozenset[str]
    reading: str | None


def records(path: Path = DATA) -> list[Record]:
    """All solutions of the file."""
    with gzip.open(path, "rt") as file:
        return [_record(item) for item in json.load(file)]


def _record(item: Mapping[str, Any]) -> Record:
    described = item["spec"]
    points = []
    for given in item["points"]:
        arrays = {name: np.array(value, float) for name, value in given.items()}
        if described["layout"] == "rows":
            arrays = {name: value.T for name, value in arrays.items()}
        answers = {n: v for n, v in arrays.items() if n.endswith("_new") or re.fullmatch(r"d[Wb]\d", n)}
        points.append(Point({n: v for n, v in arrays.items() if n not in answers}, answers))
    depth = sum(bool(re.fullmatch(r"W\d", name)) for name in points[0].inputs)
    spec = Spec(
        (described["hidden"],) * (depth - 1),
        described["output"],
        described["loss"],
        penalty=PENALTY[described.get("penalty")],
        biases=described["bias"],
        result="update" if described["kind"] == "update" else "gradients",
        reduction=described["reduction"],
    )
    right = {parameter: bool(agrees) for parameter, (_, agrees) in item["cmp"].items()}
    return Record(spec, tuple(points), right, _truth(item), item.get("formula"))


def _truth(item: Mapping[str, Any]) -> frozenset[str]:
    if item["status"] == "ok":
        return frozenset()
    reading = item.get("formula")
    if reading and reading.startswith(AS_NAMED):
        parts = re.split(r"; |, ", re.sub(r"\b[Wb]\d: ", "", reading.removeprefix(AS_NAMED)))
        return frozenset(part for part in parts if not part.startswith("follows "))
    if reading not in READ:
        raise KeyError(f"what does this do, in ids? {reading!r}")
    return frozenset(READ[reading])


@dataclass
class Tally:
    """Counts of one part of the solutions."""

    what: str
    right: int = 0
    falsely_rejected: int = 0
    wrong: int = 0
    falsely_accepted: int = 0
    fully: int = 0
    partly: int = 0
    not_named: int = 0
    falsely: int = 0
    times: list[float] = field(default_factory=list, repr=False)
    misses: list[str] = field(default_factory=list, repr=False)

    def add(self, record: Record, report: Report, milliseconds: float) -> None:
        """Count one solution."""
        self.times.append(milliseconds)
        accepted = {p: f.verdict == RIGHT for p, f in report.parameters.items()}
        if not record.truth:
            self.right += 1
            self.falsely_rejected += not all(accepted.values())
            return
        self.wrong += 1
        self.falsely_accepted += any(accepted[p] and not right for p, right in record.right.items())
        self.falsely_rejected += any(right and not accepted[p] for p, right in record.right.items())
        named = set(report.mistakes)
        everything = all(report.parameters[p].explained for p, right in record.right.items() if not right)
        if named - record.truth:
            self.falsely += 1
        elif everything and named == record.truth:
            self.fully += 1
            return
        elif named:
            self.partly += 1
        else:
            self.not_named += 1
        self.misses.append(f"{record.reading}: {', '.join(sorted(named)) or 'nothing'}")


def measured(path: Path = DATA) -> Iterator[Tally]:
    """The half that was looked at, the half that was only measured, and both."""
    found = records(path)
    for record in found:
        explain(record.spec, record.points)  # tables that are made once are not timed
    rows = Tally("real, looked at"), Tally("real, only measured"), Tally("real, all")
    for index, record in enumerate(found):
        start = time.perf_counter()
        report = explain(record.spec, record.points)
        milliseconds = 1e3 * (time.perf_counter() - start)
        for tally in (rows[index % 2], rows[2]):
            tally.add(record, report, milliseconds)
    yield from rows
