"""What the course's solution answers, and what its expressions give: the quantities, the rows, and those by calls."""

from __future__ import annotations

import numpy as np

from .formulas import written
from .handed import arguments
from .hooks import RECORD
from .in_calls import different
from .instrument import Instrument
from .rows import different_rows
from .runs import Plain, Runs

MOST_QUANTITIES = 500

MOST_BYTES = 4 << 20
"""Of all quantities: more would not fit into an answer, beside the rows and the calls."""


def recorded(runs: Runs, instrument: Instrument) -> Plain:
    """What a solution answers at every point, and the different values and rows that its expressions had."""
    answers, seen, rows, in_calls = [], [], [], []
    for point in range(len(runs.points)):
        answers.append(runs.run(point, {}, RECORD))
        seen.append(runs.hook.seen)
        rows.append(runs.hook.rows)
        in_calls.append(runs.hook.in_calls)
    found: dict[bytes, Plain] = {}
    left = MOST_BYTES
    for key in seen[0]:
        values = [one[key][0] for one in seen if key in one]
        if len(values) < len(seen) or any(isinstance(one, bool) for one in values):
            continue
        formulas = {written(one) for one in values}
        if len(formulas) > 1:
            continue
        values = [np.array(one) for one in values]
        name = b"".join(np.round(one, 12).tobytes() + str(one.shape).encode() for one in values)
        taken = sum(one.nbytes for one in values)
        if name not in found and (len(found) >= MOST_QUANTITIES or left < taken):
            continue
        left -= taken * (name not in found)
        node = instrument.nodes[key[0]]
        place = {"cell": node.cell, "line": node.line, "visit": key[1]}
        known = {"text": node.text[:80], "size": node.size, "values": values, "whole": "", **place}
        known["formula"] = formulas.pop()
        one = found.setdefault(name, known)
        one["whole"] = one["whole"] or (node.target if node.root == "assign" else "")
    found_rows = list(different_rows(rows, instrument.nodes))
    return {
        "answers": answers,
        "quantities": list(found.values()),
        "rows": found_rows,
        "handed": list(arguments(rows, instrument.nodes)),
        "in_calls": different(in_calls, instrument),
    }
