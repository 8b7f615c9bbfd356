"""What is tried in the place of an expression."""

import ast
import zlib

import numpy as np
import pytest

from autograder.sandbox.inside.repair.candidates import Candidates
from autograder.sandbox.inside.repair.instrument import Instrument


@pytest.mark.parametrize("draw_is_the_solutions", [True, False])
def test_what_a_name_is_given_is_due_at_all_its_visits_where_the_draw_is_the_solutions(draw_is_the_solutions):
    """Another draw may be right as it is."""
    instrument = Instrument({0})
    instrument.cell = 0
    instrument.visit_Module(ast.parse("X = rng.random(3)"))
    draw = next(one for one in instrument.nodes if one.kind == "Call")
    due, drawn = ([np.arange(3.0) + n for n in (first, first + 0.5)] for first in (1.0, 7.0))
    table = [due, drawn] if draw_is_the_solutions else [due]
    candidates = Candidates(instrument.nodes, table, [2.0, 1.0], [zlib.crc32(b"X"), 0], [True, False])
    candidates.generators = {draw.children[0]}
    candidates.see({(draw.index, visit): tuple(drawn) for visit in (0, 1)}, None)
    found = [one for one in candidates.all(4000, None) if one.kind == "value" and one.quantity == 0 and one.also]
    assert bool(found) == draw_is_the_solutions
