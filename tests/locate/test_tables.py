"""All quantities of one shape are compared at once, and as one by one."""

import numpy as np

from autograder.sandbox.inside.repair.runs import PRECISION, SHORT, same
from autograder.sandbox.inside.repair.tables import Table

NAN, INF = np.nan, np.inf


def test_what_equals_a_value_is_what_equals_it_by_itself():
    numbers = [0.0, 1.0, -1.0, 1 + 0.5 * PRECISION, 1 + 2 * PRECISION, 1e-13, 1e30, NAN, INF, -INF]
    rows = [[1.0, 1e-5], [1.0, 1e-5 + 0.5e-12], [1.0, 1.1e-5], [1e-5, 1.0], [NAN, 1.0], [INF, 1.0], [0.0, 0.0]]
    table = [[np.array(one), np.array(2 * one)] for one in numbers]
    table += [[np.array(one), np.array([one])] for one in rows]
    known = Table(table)
    for values in (tuple(one) for one in table):
        due = [n for n in known.of_shape(values) if all(same(a, b) for a, b in zip(values, table[n], strict=True))]
        assert known.equal(values) == due
    assert known.equal((np.array(1.0), np.array(NAN))) == []
    assert known.equal((np.ones(3), np.ones(3))) == []


def test_few_entries_are_compared_as_many_are():
    rows = [[1.0, 1e-5], [1.0, 1e-5 + 0.5e-12], [1.0, 1e-5 + 2e-12], [NAN, 1.0], [INF, 1.0], [0.0, 0.0], [0.0, 1e-13]]
    for one in rows:
        for other in rows:
            few, many = ((np.array(one), np.array(other)), (np.tile(one, SHORT), np.tile(other, SHORT)))
            assert same(*few) == same(*many), (one, other)
