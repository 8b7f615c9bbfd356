"""Sheet 5: a checker of gradients, which is checked in the way that it checks: by planted mistakes.

The student's process gets functions made of numbers (see ``planted_gradients``), right and wrong ones in an order that
is drawn; the key stays with the judge. A line is worth nothing to a checker that refuses a right function there, so
that one which always gives the same answer, or guesses, earns nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograder.exercise import Challenge, Exercise, Line, Probe, Question, Written
from autograder.exercises.gradient_check_mistakes import FIGURES, by_slopes, by_verdicts
from autograder.exercises.planted_gradients import PARTS, ROUTES, SLIPS, beside_a_large_one, drawn, routed, with_kinks

SLOPES = (
    Line("small", 3, "numbers of ordinary size", FIGURES),
    Line("whole", 1, "an array of whole numbers", FIGURES),
    Line("large", 2, "large numbers beside small ones", FIGURES),
)
CHECKS = (
    Line("ordinary", 3, "ordinary mistakes"),
    Line("form", 1, "shape and NaN"),
    Line("hidden", 2, "a small entry beside a large one"),
    Line("tiny", 2, "tiny gradients, and zeros"),
    Line("large", 2, "large inputs"),
    Line("kinks", 3, "kinks"),
)
UPSTREAM = (Line("upstream", 3, "outputs exchanged, averaged or lost"),)


# What is asked --------------------------------------------------------------------------------------------------------


def with_functions(student, given, *, asked, names):
    """What the student's function says of functions that are made of the numbers given, list by list.

    The check that comes with the notebook does not answer meanwhile.
    """
    import sys
    from types import SimpleNamespace

    def refuse(*arguments, **options):
        raise ValueError("the check of the notebook does not answer here: write your own")

    def bent(kinds, u):
        ways = [u, u * u, np.tanh(u), np.sin(u), abs(u), np.cos(u), np.tanh(u) ** 2, u**0, np.sign(u)]
        ways += [np.where(u >= 0, 1.0, -1.0), np.where(u > 0, 1.0, -1.0)]
        return np.array(ways)[kinds.astype(int), np.arange(u.size)]

    def functions(one):
        kinds, w, b, out = one["forward"][:4]
        shape = tuple(one["form"])

        def forward(x):
            return bent(kinds, w @ np.ravel(x) + b) @ out

        def backward(g, x):
            table = one["backward"]
            rows = bent(table[0], table[1] @ np.ravel(x) + table[2]) * (table[3] @ np.ravel(g))
            return (rows @ table[4]).reshape(shape)

        return forward, backward

    tools = sys.modules.get("selfcheck", SimpleNamespace(_slope=None))
    for name in names:
        said, moved, slope = [], False, tools._slope
        try:
            tools._slope = refuse
            for one in given[name]:
                forward, backward = functions(one)
                f, gradient = (lambda x, F=forward: float(F(x)[0])), (lambda x, B=backward: B(np.ones(1), x))
                x = one["x"].copy()
                arguments = {"numerical_gradient": (f,), "backward_is_right": (forward, backward)}
                said.append(getattr(student, asked)(*arguments.get(asked, (f, gradient)), x))
                moved = moved or not np.allclose(x, one["x"], rtol=1e-9, atol=0)
            found = said[0] if asked == "numerical_gradient" else said
        except Exception as error:
            found = error
        finally:
            tools._slope = slope
        yield {name: found, name + "_moved": moved}


def _probe(asked: str, of: Sequence[Line], challenges: Any) -> Probe:
    return Probe(with_functions, challenges, {"asked": asked, "names": tuple(line.name for line in of)}, asked)


def _slopes(rng: np.random.Generator) -> list[Challenge]:
    """Functions whose slopes are asked for: ordinary points, zeros, whole numbers, and one input that is enormous."""
    points = []
    for n in (2, 6, 4, 5):
        size = np.where(np.arange(n) % 2 == 0, 3e9, 1.0)
        source = np.random.default_rng(0) if n == 2 else rng
        given = {"small": [drawn(source, None, n=n, zero=n > 2)], "large": [drawn(source, None, n=n, size=size)]}
        given["whole"] = [drawn(source, None, n=n, size=np.full(n, 3.0), whole=True)]
        points.append(Challenge(given, shown=n == 2))
    return points


def _mixed(rng: np.random.Generator, right: Sequence[Any], wrong: Mapping[str, Any]) -> tuple[list[Any], list[str]]:
    """Right and wrong ones in an order that is drawn, and the key to it: empty for a right one."""
    every = [*((one, "") for one in right), *((one, kind) for kind, one in wrong.items())]
    order = rng.permutation(len(every))
    return [every[k][0] for k in order], [every[k][1] for k in order]


def _formed(rng: np.random.Generator, wrong: str) -> dict[str, Any]:
    """Right numbers in a shape that numpy stretches without a word, or with a NaN."""
    one = drawn(rng, None)
    if wrong == "NaN":
        one["backward"][4][rng.integers(PARTS), rng.integers(4)] = np.nan
    return {**one, "form": {"row": [1, 4], "column": [4, 1]}.get(wrong, one["form"])}


def _planted(rng: np.random.Generator) -> list[Challenge]:
    points = []
    for n in (4, 6, 5, 6):
        size = np.where(np.arange(n) % 2 == 0, 3e9, 1.0)
        lists = {
            "ordinary": _mixed(
                rng,
                [drawn(rng, None, n=n, zero=True) for _ in range(4)],
                {kind: drawn(rng, slip, n=n, zero=True) for kind, slip in SLIPS.items()},
            ),
            "form": _mixed(
                rng, [_formed(rng, "") for _ in range(3)], {k: _formed(rng, k) for k in ("row", "column", "NaN")}
            ),
            "hidden": _mixed(
                rng,
                [beside_a_large_one(rng, False) for _ in range(3)],
                {f"entry {k}": beside_a_large_one(rng, True) for k in range(3)},
            ),
            "tiny": _mixed(
                rng,
                [drawn(rng, None, n=n, scale=1e-13, unused=k == 0) for k in range(3)],
                {
                    kind: drawn(rng, SLIPS[kind], n=n, scale=1e-13, unused=kind == "factor")
                    for kind in ("factor", "sign", "passed on")
                },
            ),
            "large": _mixed(
                rng,
                [drawn(rng, None, n=n, size=size) for _ in range(3)],
                {kind: drawn(rng, SLIPS[kind], n=n, size=size) for kind in ("factor", "sign", "term")},
            ),
            "kinks": _mixed(
                rng,
                [with_kinks(rng) for _ in range(4)],
                {f"{kind} {k}": with_kinks(rng, kind) for kind in ("kink", "elsewhere") for k in range(2)},
            ),
        }
        points.append(_keyed(lists))
    return points


def _routed(rng: np.random.Generator) -> list[Challenge]:
    points = []
    for n, m, end in ((4, 2, "first"), (4, 3, "last"), (6, 4, "first"), (5, 3, "last")):
        right = [drawn(rng, None, n=n, outputs=m) for _ in range(3)]
        routes = [how for how in ROUTES if not how.endswith("lost") or how.startswith(end)]
        wrong = {how: drawn(rng, routed(how), n=n, outputs=m) for how in routes}
        wrong["factor"] = drawn(rng, SLIPS["factor"], n=n, outputs=m)
        points.append(_keyed({"upstream": _mixed(rng, right, wrong)}))
    return points


def _keyed(lists: Mapping[str, tuple[list[Any], list[str]]]) -> Challenge:
    given, key = ({name: pair[k] for name, pair in lists.items()} for k in (0, 1))
    return Challenge(given, kept={"key": key})


# The questions --------------------------------------------------------------------------------------------------------

EXERCISE = Exercise(
    name="gradient_check",
    sheet="beyond",
    title="A checker of gradients",
    minutes=75,
    difficulty=4,
    questions=(
        Question(
            "slope_values",
            "(a) Slopes by differences",
            SLOPES,
            _probe("numerical_gradient", SLOPES, _slopes),
            by_slopes,
        ),
        Question(
            "planted_mistakes",
            "(b) Right or wrong",
            CHECKS,
            _probe("gradient_is_right", CHECKS, _planted),
            by_verdicts,
        ),
        Question(
            "planted_routes",
            "(c) Several outputs",
            UPSTREAM,
            _probe("backward_is_right", UPSTREAM, _routed),
            by_verdicts,
        ),
    ),
    written=(Written("checker_words", "(d) Why", 3),),
    parts={
        "a": ("slope_values",),
        "b": ("planted_mistakes",),
        "c": ("planted_routes",),
        "d": ("checker_words",),
    },
)
