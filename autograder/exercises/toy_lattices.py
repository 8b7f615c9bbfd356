"""Toy data of a spin lattice: asked, brought to one form, and judged by counts whose distribution is known.

There is a bound on the chance of a false alarm; see ``autograder.marking.chance``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from autograder.exercise import RIGHT, Challenge, Probe, Reply, Values, Verdict
from autograder.marking.chance import plausible
from autograder.marking.compare import as_numbers
from autograder.marking.judges import at_every_challenge

P_UP = {"ordered": 0.9, "disordered": 0.5}
LABEL = {"ordered": 0, "disordered": 1}


# What is asked ------------------------------------------------------------------------------------------------------


def generator(student, given):
    """Toy data from one seed; and whether the same seed gives the same, and another seed other data."""
    n, L, seed = int(given["n_samples"]), int(given["L"]), int(given["seed"])

    def small(array):
        array = np.asarray(array)
        return array.astype(np.int8) if np.array_equal(array, array.astype(np.int8)) else array

    X, Y = student.make_spins(n, L, np.random.default_rng(seed))
    again = student.make_spins(n, L, np.random.default_rng(seed))
    other = student.make_spins(n, L, np.random.default_rng(seed + 1))
    return {
        "X": small(X),
        "Y": small(Y),
        "same": bool(np.array_equal(X, again[0]) and np.array_equal(Y, again[1])),
        "fresh": not np.array_equal(X, other[0]),
    }


def _generator_challenges(rng: np.random.Generator) -> list[Challenge]:
    return [
        Challenge({"n_samples": np.array(n), "L": np.array(L), "seed": rng.integers(1, 10**6)})
        for n, L in ((1000, 4), (4000, 4), (600, 6))
    ]


GENERATOR = Probe(generator, _generator_challenges)


# How chance is judged -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Phases:
    """What a generator returned, brought to the asked form as far as that is possible.

    ``form`` is the verdict on the form alone. ``columns`` holds the lattices by phase, entries -1 and +1; it is empty
    when the form is so far off that nothing else can be marked.
    """

    form: Verdict
    columns: Mapping[str, np.ndarray]


def read_phases(given: Values, X: object, Y: object) -> Phases:
    """Check the form, and go on with what can be understood: transposed, 0 for -1, flat labels."""
    n, L = int(given["n_samples"]), int(given["L"])

    def unreadable(message: str) -> Phases:
        return Phases(Verdict("wrong", message=message), {})

    X, Y = as_numbers(X), as_numbers(Y)
    if isinstance(X, str) or isinstance(Y, str):
        return unreadable(f"`X`: {X}." if isinstance(X, str) else f"`Y`: {Y}.")
    form, due = RIGHT, f"X has shape {X.shape}; {(L * L, n)} is expected."
    if X.shape == (n, L * L):
        form, X = Verdict.named("result-transposed", title=due, hint="One column per sample."), X.T
    if X.shape != (L * L, n):
        return unreadable(due)
    due = f"Y has shape {Y.shape}; {(1, n)} is expected."
    if Y.size != n:
        return unreadable(due)
    if Y.shape != (1, n) and form is RIGHT:
        form = Verdict.named("wrong-shape", title=due, hint="Keep the first axis.", share=0.5)
    entries, labels = np.unique(X), np.ravel(Y)
    if np.array_equal(entries, [0, 1]):
        form, X = Verdict.named("zero-for-spin-down"), 2 * X.astype(int) - 1
    elif not np.array_equal(entries, [-1, 1]):
        return unreadable("X holds other numbers than -1 and +1, or only one of them.")
    if not np.isin(labels, (0, 1)).all():
        return unreadable("Y holds other numbers than 0 and 1.")
    columns = {phase: X[:, labels == label] for phase, label in LABEL.items()}
    if columns["ordered"].shape[1] != n - n // 2 and form is RIGHT:
        form = Verdict.named("unequal-halves")
    return Phases(form, columns if all(c.size for c in columns.values()) else {})


def up(spins: np.ndarray) -> tuple[int, int]:
    """How many spins are up, of how many: independent trials with the p of their phase."""
    return int(np.count_nonzero(spins == 1)), spins.size


def agreements(spins: np.ndarray, rng: np.random.Generator) -> dict[str, tuple[int, int]]:
    """How many of disjoint pairs of spins are equal, of how many, for two kinds of pairs drawn by ``rng``.

    Two sites of the same sample, and the same site of two samples. The pairs do not depend on the spins, and no spin is
    in two pairs of a kind; so for independent spins with probability p these are independent trials with probability
    p^2 + (1-p)^2.
    """
    sites, samples = rng.permutation(spins.shape[0]), rng.permutation(spins.shape[1])
    half, half_samples = len(sites) // 2, len(samples) // 2
    within = spins[sites[:half]] == spins[sites[half : 2 * half]]
    between = spins[:, samples[:half_samples]] == spins[:, samples[half_samples : 2 * half_samples]]
    kinds = {"spins of one sample": within, "samples": between}
    return {kind: (int(np.count_nonzero(equal)), equal.size) for kind, equal in kinds.items()}


def _phase_verdict(phase: str, spins: np.ndarray, independent: bool = True) -> Verdict:
    """Whether the share of spins that are up fits; copies of a site or of a sample count once if not independent."""
    successes, trials = up(spins)
    seen, of = successes, trials
    if not independent:
        sites, samples = (len(np.unique(spins, axis=axis).swapaxes(0, axis)) for axis in (0, 1))
        of = min(sites * spins.shape[1], samples * spins.shape[0])
        seen = round(of * successes / trials)
    if plausible(seen, of, P_UP[phase]):
        return RIGHT
    told = f"In the {phase} samples {successes / trials:.3f} of the spins are up; that is not what this phase asks for."
    hint = f"With what probability should a spin of the {phase} phase be +1, and which label has this phase?"
    return Verdict("wrong", message=told, hint=hint)


def _independence_verdict(columns: Mapping[str, np.ndarray], seed: int) -> Verdict:
    for phase, spins in columns.items():
        successes, trials = up(spins)
        p = P_UP[phase] if plausible(successes, trials, P_UP[phase]) else successes / trials
        if p in (0, 1):
            return Verdict("wrong", message=f"All spins of the {phase} samples are equal: nothing is random.")
        for what, (equal, pairs) in agreements(spins, np.random.default_rng(seed)).items():
            if not plausible(equal, pairs, p**2 + (1 - p) ** 2):
                told = f"In the {phase} phase the {what} are not independent of each other."
                return Verdict.named("not-independent", title=told)
    return RIGHT


@at_every_challenge
def judge_generator(reply: Reply) -> dict[str, Verdict]:
    """Form, both phases, independence and the use of the generator that was handed over.

    Six counts at each of three challenges are judged, each with a chance of at most ``FALSE_ALARM`` to call a right
    answer wrong: together less than 2e-8. Phases with exchanged labels are charged once.
    """
    phases = read_phases(reply.given, reply.values.get("X"), reply.values.get("Y"))
    columns, found = phases.columns, {"form": phases.form, "seeded": seeded(reply.values)}
    if not columns:
        nothing = Verdict("wrong", message="This cannot be marked: X and Y do not have the form that is asked for.")
        return found | dict.fromkeys(("ordered", "disordered", "independent"), nothing)
    other = {"ordered": columns["disordered"], "disordered": columns["ordered"]}
    exchanged = all(plausible(*up(spins), P_UP[phase]) for phase, spins in other.items())
    columns = other if exchanged else columns
    found["independent"] = _independence_verdict(columns, int(reply.given["seed"]))
    for phase, spins in columns.items():
        found[phase] = _phase_verdict(phase, spins, found["independent"] is RIGHT)
    return found | ({"ordered": Verdict.named("labels-exchanged")} if exchanged else {})


def seeded(found: Values) -> Verdict:
    """Whether all random numbers come from the generator that was handed over."""
    if found.get("same") is not True:
        return Verdict.named("other-generator", title="Two calls with equal generators give different data.")
    if found.get("fresh") is not True:
        return Verdict.named("same-for-every-seed", title="Two calls with different generators give the same data.")
    return RIGHT
