"""Sheet 1, exercise 4: two phases of a spin lattice, told apart by a network.

The student writes the generator of toy data, the split, the accuracy and the experiment that puts them together. The
network is scikit-learn's. What is random is marked by counts whose distribution is known for any right answer, with a
bound on the chance of a false alarm; see ``autograder.marking.chance``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from autograder.exercise import RIGHT, Challenge, Exercise, Line, Probe, Question, Reply, Values, Verdict, Written
from autograder.marking.chance import FALSE_ALARM, plausible
from autograder.marking.compare import as_numbers, compare, whole_numbers
from autograder.marking.judges import at_every_challenge, nothing_new, usable, values
from autograder.marking.slips import Slip, explain_slips

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


def splitting(student, given):
    """Two splits of the same data with two seeds; and whether the first seed gives the same once more."""
    X, Y, n_train, seed = given["X"], given["Y"], int(given["n_train"]), int(given["seed"])
    parts = student.split(X.copy(), Y.copy(), n_train, np.random.default_rng(seed))
    again = student.split(X.copy(), Y.copy(), n_train, np.random.default_rng(seed))
    other = student.split(X.copy(), Y.copy(), n_train, np.random.default_rng(seed + 1))
    names = ("X_train", "Y_train", "X_test", "Y_test")
    if not isinstance(parts, (tuple, list)) or len(parts) != 4:
        raise ValueError("split must return four arrays: X_train, Y_train, X_test, Y_test")
    found = {name: np.asarray(part) for name, part in zip(names, parts)}
    found["same"] = all(np.array_equal(a, b) for a, b in zip(parts, again))
    found["fresh"] = not all(np.array_equal(a, b) for a, b in zip(parts, other))
    return found


def share(student, given):
    """The share of right answers."""
    return {"share": student.share_right(given["A2"], given["Y"])}


def whole_experiment(student, given):
    """On which examples a stand-in network was trained and tested, and the accuracy that was returned.

    The stand-in knows each example by its first input and answers with the probability that is given for it.
    """
    X, Y, P, n_train, seed = given["X"], given["Y"], given["P"], int(given["n_train"]), int(given["seed"])

    def ids(columns):
        return [int(np.argmin(np.abs(X[0] - entry))) for entry in np.asarray(columns)[0]]

    def run(seed):
        seen = dict.fromkeys(("trained", "labels", "tested"))

        def train(X_train, Y_train):
            seen["trained"], seen["labels"] = ids(X_train), np.ravel(Y_train)

            def model(samples):
                seen["tested"] = ids(samples)
                return P[:, seen["tested"]]

            return model

        accuracy = student.experiment(X.copy(), Y.copy(), n_train, train, np.random.default_rng(seed))
        if seen["tested"] is None:
            raise ValueError("experiment must call train(X_train, Y_train), and then what train has returned")
        return {"accuracy": accuracy} | {name: np.array(value) for name, value in seen.items()}

    found = run(seed)
    for name, other in (("same", seed), ("fresh", seed + 1)):
        found[name] = np.array_equal(run(other)["trained"], found["trained"]) == (name == "same")
    try:
        own, again, other = (
            student.split(X.copy(), Y.copy(), n_train, np.random.default_rng(one)) for one in (seed, seed, seed + 1)
        )
        found["own_seeded"] = np.array_equal(own[0], again[0]) and not np.array_equal(own[0], other[0])
        found["own_train"], found["own_test"] = np.array(ids(own[0])), np.array(ids(own[2]))
        found["own_share"] = float(student.share_right(P[:, found["tested"]], Y[:, found["tested"]]))
        found["own_result"] = float(student.share_right(P[:, found["own_test"]], own[3]))
    except Exception:
        pass
    return found


def _generator_challenges(rng: np.random.Generator) -> list[Challenge]:
    return [
        Challenge({"n_samples": np.array(n), "L": np.array(L), "seed": rng.integers(1, 10**6)})
        for n, L in ((1000, 4), (4000, 4), (600, 6))
    ]


def _examples(rng: np.random.Generator, m: int) -> dict[str, np.ndarray]:
    """m examples with three inputs; the first input is different for each."""
    X = np.vstack([rng.permutation(m) + 0.25, rng.uniform(-1, 1, (2, m))])
    return {"X": X, "Y": rng.integers(0, 2, (1, m)).astype(float)}


def _splitting_challenges(rng: np.random.Generator) -> list[Challenge]:
    return [
        Challenge(_examples(rng, m) | {"n_train": np.array(n_train), "seed": rng.integers(1, 10**6)})
        for m, n_train in ((1000, 800), (900, 600), (1000, 700))
    ]


def _probabilities(rng: np.random.Generator, Y: np.ndarray, right: int) -> np.ndarray:
    """Probabilities away from 1/2 that are right for so many examples."""
    sides = np.where(rng.permutation(Y.size).reshape(Y.shape) < right, Y, 1 - Y)
    return 0.5 + (2 * sides - 1) * rng.uniform(0.06, 0.45, Y.shape)


def _share_challenges(rng: np.random.Generator) -> list[Challenge]:
    points = [Challenge({"A2": np.array([[0.9, 0.2, 0.6, 0.4]]), "Y": np.array([[1.0, 0.0, 0.0, 0.0]])}, shown=True)]
    for m, right in ((7, 5), (11, 3), (40, 31)):
        Y = rng.permutation(np.resize([0.0, 1.0, 1.0], m))[None, :]
        points.append(Challenge({"A2": _probabilities(rng, Y, right), "Y": Y}))
    return points


def _experiment_challenges(rng: np.random.Generator) -> list[Challenge]:
    """Sizes without a common factor: shares taken over different sets cannot agree by accident.

    All are larger than 800, so that a number of training examples that is written down is told from the argument.
    """
    points = []
    for m, n_train in ((903, 617), (1011, 701), (879, 599)):
        data = _examples(rng, m)
        chosen = {"P": _probabilities(rng, data["Y"], 2 * m // 3), "n_train": np.array(n_train)}
        points.append(Challenge(data | chosen | {"seed": rng.integers(1, 10**6)}))
    return points


GENERATOR = Probe(generator, _generator_challenges)
SPLITTING = Probe(splitting, _splitting_challenges)
SHARE = Probe(share, _share_challenges)
EXPERIMENT = Probe(whole_experiment, _experiment_challenges)


# What is true, and how chance is judged -----------------------------------------------------------------------------


def _wrong(message: str, hint: str = "", mistake: str = "", share: float = 0.0) -> Verdict:
    return Verdict("wrong", share=share, mistakes=(mistake,) if mistake else (), message=message, hint=hint)


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
    X, Y = as_numbers(X), as_numbers(Y)
    if isinstance(X, str):
        return Phases(_wrong(f"`X`: {X}."), {})
    if isinstance(Y, str):
        return Phases(_wrong(f"`Y`: {Y}."), {})
    form = RIGHT
    if X.shape == (n, L * L):
        form, X = (
            _wrong(f"X has shape {X.shape}; {(L * L, n)} is expected.", "One column per sample.", "result-transposed"),
            X.T,
        )
    if X.shape != (L * L, n):
        return Phases(_wrong(f"X has shape {X.shape}; {(L * L, n)} is expected."), {})
    if Y.size != n:
        return Phases(_wrong(f"Y has shape {Y.shape}; {(1, n)} is expected."), {})
    if Y.shape != (1, n) and form is RIGHT:
        form = _wrong(f"Y has shape {Y.shape}; {(1, n)} is expected.", "Keep the first axis.", "wrong-shape", 0.5)
    entries, labels = np.unique(X), np.ravel(Y)
    if np.array_equal(entries, [0, 1]):
        form, X = _wrong("The spins are 0 and 1.", "A spin down is -1.", "zero-for-spin-down"), 2 * X.astype(int) - 1
    elif not np.array_equal(entries, [-1, 1]):
        return Phases(_wrong("X holds other numbers than -1 and +1, or only one of them."), {})
    if not np.isin(labels, (0, 1)).all():
        return Phases(_wrong("Y holds other numbers than 0 and 1."), {})
    columns = {phase: X[:, labels == label] for phase, label in LABEL.items()}
    if columns["ordered"].shape[1] != n - n // 2 and form is RIGHT:
        form = _wrong(
            "The two phases do not have exactly the same number of samples.",
            "Both halves are equal in every draw. Which part of your code decides how many samples each phase gets?",
            "unequal-halves",
        )
    return Phases(form, columns if all(c.size for c in columns.values()) else {})


def up(spins: np.ndarray) -> tuple[int, int]:
    """How many spins are up, of how many: independent trials with the p of their phase."""
    return int(np.count_nonzero(spins == 1)), spins.size


def agreements(spins: np.ndarray, rng: np.random.Generator) -> dict[str, tuple[int, int]]:
    """How many of disjoint pairs of spins are equal, of how many, for two kinds of pairs drawn by ``rng``.

    ``within``: two sites of the same sample. ``between``: the same site of two samples. The pairs do not depend on the
    spins, and no spin is in two pairs of a kind; so for independent spins with probability p these are independent
    trials with probability p^2 + (1-p)^2.
    """
    sites, samples = rng.permutation(spins.shape[0]), rng.permutation(spins.shape[1])
    half, half_samples = len(sites) // 2, len(samples) // 2
    within = spins[sites[:half]] == spins[sites[half : 2 * half]]
    between = spins[:, samples[:half_samples]] == spins[:, samples[half_samples : 2 * half_samples]]
    return {kind: (int(np.count_nonzero(e)), e.size) for kind, e in (("within", within), ("between", between))}


def _phase_verdict(phase: str, spins: np.ndarray, false_alarm: float, independent: bool = True) -> Verdict:
    """Whether the share of spins that are up fits; copies of a site or of a sample count once if not independent."""
    successes, trials = up(spins)
    seen, of = successes, trials
    if not independent:
        sites, samples = (len(np.unique(spins, axis=axis).swapaxes(0, axis)) for axis in (0, 1))
        of = min(sites * spins.shape[1], samples * spins.shape[0])
        seen = round(of * successes / trials)
    if plausible(seen, of, P_UP[phase], false_alarm=false_alarm):
        return RIGHT
    return _wrong(
        f"In the {phase} samples {successes / trials:.3f} of the spins are up; that is not what this phase asks for.",
        f"With what probability should a spin of the {phase} phase be +1, and which label has this phase?",
    )


def _independence_verdict(columns: Mapping[str, np.ndarray], seed: int, false_alarm: float) -> Verdict:
    for phase, spins in columns.items():
        successes, trials = up(spins)
        nominal = plausible(successes, trials, P_UP[phase], false_alarm=false_alarm)
        p = P_UP[phase] if nominal else successes / trials
        if p in (0, 1):
            return _wrong(f"All spins of the {phase} samples are equal: nothing is random.")
        for kind, (equal, pairs) in agreements(spins, np.random.default_rng(seed)).items():
            if not plausible(equal, pairs, p**2 + (1 - p) ** 2, false_alarm=false_alarm):
                what = "spins of one sample" if kind == "within" else "samples"
                return _wrong(
                    f"In the {phase} phase the {what} are not independent of each other.",
                    "Every spin of every sample needs a random number of its own. How many numbers do you draw?",
                    "not-independent",
                )
    return RIGHT


def judge_generator(
    lines: Sequence[Line], replies: Sequence[Reply], false_alarm: float = FALSE_ALARM
) -> Mapping[str, Verdict]:
    """Form, both phases, independence and the use of the generator that was handed over.

    Six counts at each of three challenges are judged, each with a chance of at most ``false_alarm`` to call a right
    answer wrong: together less than 2e-8. Phases with exchanged labels are charged once.
    """
    return at_every_challenge(lines, replies, lambda reply: _generator_verdicts(reply, false_alarm))


def _generator_verdicts(reply: Reply, false_alarm: float) -> dict[str, Verdict]:
    phases = read_phases(reply.given, reply.values.get("X"), reply.values.get("Y"))
    columns, found = phases.columns, {"form": phases.form, "seeded": _seeded(reply.values)}
    if not columns:
        nothing = _wrong("This cannot be marked: X and Y do not have the form that is asked for.")
        return found | dict.fromkeys(("ordered", "disordered", "independent"), nothing)
    exchanged = _exchanged(columns, false_alarm)
    if exchanged:
        columns = {"ordered": columns["disordered"], "disordered": columns["ordered"]}
    found["independent"] = _independence_verdict(columns, int(reply.given["seed"]), false_alarm)
    for phase, spins in columns.items():
        found[phase] = _phase_verdict(phase, spins, false_alarm, found["independent"] is RIGHT)
    if exchanged:
        found["ordered"] = _wrong(
            "The labels of the two phases are exchanged.", "Which phase has label 0?", "labels-exchanged"
        )
    return found


def _exchanged(columns: Mapping[str, np.ndarray], false_alarm: float) -> bool:
    ordered, disordered = up(columns["ordered"]), up(columns["disordered"])
    return plausible(*ordered, P_UP["disordered"], false_alarm=false_alarm) and plausible(
        *disordered, P_UP["ordered"], false_alarm=false_alarm
    )


def _seeded(found: Values) -> Verdict:
    """Whether all random numbers come from the generator that was handed over."""
    if found.get("same") is not True:
        return _wrong(
            "Two calls with equal generators give different data.",
            "Take every random number from `rng`, the argument.",
            "other-generator",
        )
    if found.get("fresh") is not True:
        return _wrong(
            "Two calls with different generators give the same data.",
            "Take every random number from `rng`, the argument, and do not make a new generator.",
            "same-for-every-seed",
        )
    return RIGHT


def judge_split(
    lines: Sequence[Line], replies: Sequence[Reply], false_alarm: float = FALSE_ALARM
) -> Mapping[str, Verdict]:
    """Sizes, pairs of inputs and labels, and chance. Three counts at each of three challenges are judged."""
    return at_every_challenge(lines, replies, lambda reply: _split_verdicts(reply, false_alarm))


def _split_verdicts(reply: Reply, false_alarm: float) -> dict[str, Verdict]:
    given, found = reply.given, dict(reply.values)
    m, n_train, rows = given["X"].shape[1], int(given["n_train"]), given["X"].shape[0]
    read = {name: as_numbers(found.get(name)) for name in ("X_train", "Y_train", "X_test", "Y_test")}
    parts = {name: part for name, part in read.items() if not isinstance(part, str)}
    if len(parts) < len(read):
        wrong = _wrong("split must return four arrays of numbers: X_train, Y_train, X_test, Y_test.")
        return {"sizes": wrong, "pairs": wrong, "chance": wrong}
    expected = {"X_train": (rows, n_train), "Y_train": (1, n_train), "X_test": (rows, m - n_train),
                "Y_test": (1, m - n_train)}  # fmt: skip
    verdicts = {"sizes": _sizes(parts, expected)}
    if parts["X_test"].shape[:1] == (1,) and parts["Y_train"].shape[:1] == (rows,):
        parts["Y_train"], parts["X_test"] = parts["X_test"], parts["Y_train"]
    verdicts |= _pairs_and_chance(given, parts, found, false_alarm)
    lost = m - sum(parts[name].shape[-1] for name in ("X_train", "X_test"))
    if verdicts["sizes"] is not RIGHT and verdicts["pairs"].mistakes == ("not-a-partition",) and 0 < lost <= m // 10:
        one = verdicts["pairs"]  # a few examples lost: that shows in the sizes first
        return verdicts | {"sizes": one, "pairs": nothing_new(*one.mistakes) if " and " not in one.message else one}
    return verdicts


def _sizes(parts: Mapping[str, np.ndarray], expected: Mapping[str, tuple[int, int]]) -> Verdict:
    shapes = {name: part.shape for name, part in parts.items()}
    if shapes == expected:
        return RIGHT
    if [shapes[name] for name in ("X_train", "X_test", "Y_train", "Y_test")] == list(expected.values()):
        return _wrong(
            "The four arrays come in another order.",
            "The order asked for is X_train, Y_train, X_test, Y_test.",
            "another-order",
        )
    name = next(name for name in expected if shapes[name] != expected[name])
    return _wrong(f"`{name}` has shape {shapes[name]}; {expected[name]} is expected.")


def _pairs_and_chance(
    given: Values, parts: Mapping[str, np.ndarray], found: Values, false_alarm: float
) -> dict[str, Verdict]:
    X, Y, m = given["X"], given["Y"], given["X"].shape[1]
    X_train, X_test = (parts[name] if parts[name].ndim == 2 else parts[name][None] for name in ("X_train", "X_test"))
    if X_train.shape[0] != len(X) or X_test.shape[0] != len(X):
        nothing = _wrong("This cannot be marked: the inputs do not have one column per example.")
        return {"pairs": nothing, "chance": nothing}
    order = np.argsort(X[0])
    columns = np.hstack([X_train, X_test])
    where = order[np.clip(np.searchsorted(X[0][order], columns[0] - 0.1), 0, m - 1)]
    labels = np.concatenate([np.ravel(parts["Y_train"]), np.ravel(parts["Y_test"])])
    if not np.array_equal(X[:, where], columns):
        pairs = _wrong("The columns of X_train and X_test are not columns of X.", "Move whole columns.")
    elif len(np.unique(where)) != m or len(where) != m:
        missing = m - len(np.unique(where))
        left_out = f"{missing} of {m} examples are in neither part" if missing else ""
        twice = f"{len(where) - m + missing} columns hold examples that are there already" if len(where) >= m else ""
        pairs = _wrong(
            f"{', and '.join(text for text in (left_out, twice) if text)}.",
            "Every example belongs to exactly one of the two parts.",
            "not-a-partition",
        )
    elif labels.size != m or not np.array_equal(labels, Y[0, where]):
        pairs = _wrong(
            "Labels and inputs do not belong together any more.",
            "The inputs are put in a new order. What has to happen to the labels?",
            "labels-left-behind",
        )
    else:
        pairs = RIGHT
    return {"pairs": pairs, "chance": _by_chance(where[X_train.shape[1] :], m, found, false_alarm)}


def _by_chance(tested: np.ndarray, m: int, found: Values, false_alarm: float) -> Verdict:
    """Whether the test set is spread over the whole data: three counts, hypergeometric for a right answer."""
    if not 0 < len(tested) < m:
        return _wrong("One of the two parts is empty.")
    positions = np.arange(m)
    for group in (positions < m // 2, positions >= m - m // 5, positions % 2 == 0):
        if not plausible(int(group[tested].sum()), len(tested), float(group.mean()), false_alarm=false_alarm):
            return _wrong(
                "The test set is not a random part of the data.",
                "The samples come sorted by phase. What happens if you cut the data without mixing them first?",
                "not-shuffled",
            )
    return _seeded(found)


def share_truth(given: Values) -> dict[str, np.ndarray]:
    """The share of examples on the right side of one half."""
    return {"share": np.asarray(np.mean((given["A2"] > 0.5) == (given["Y"] == 1)))}


SHARE_SLIPS = (
    Slip("share-of-wrong", "share", "1 - mean((A2 > 0.5) == Y)"),
    Slip("percent", "share", "100 * mean((A2 > 0.5) == Y)"),
    Slip("count-for-share", "share", "sum((A2 > 0.5) == Y)"),
    Slip("probability-for-label", "share", "mean(A2 == Y)"),
    Slip("mean-error", "share", "1 - mean(abs(A2 - Y))"),
    Slip("mean-of-predictions", "share", "mean(A2 > 0.5)"),
)


def _share_over(given: Values, which: np.ndarray) -> float:
    return float(share_truth({"A2": given["P"][:, which], "Y": given["Y"][:, which]})["share"])


def judge_experiment(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """What the network was trained on, and the accuracy, both given the student's own split and share."""

    def check(reply: Reply) -> dict[str, Verdict]:
        return {"trained": _trained(reply.given, reply.values), "accuracy": _accuracy(reply.given, reply.values)}

    return at_every_challenge(lines, replies, check)


def _examples_of(given: Values, found: Values, name: str) -> np.ndarray | None:
    """Which examples are meant: numbers of columns, none where the list is empty; None where there is no such list."""
    which = whole_numbers(found.get(name))
    return which if which is not None and np.all((which >= 0) & (which < given["X"].shape[1])) else None


def _trained(given: Values, found: Values) -> Verdict:
    trained, m = _examples_of(given, found, "trained"), given["X"].shape[1]
    own = _examples_of(given, found, "own_train")
    if trained is None:
        return _wrong("It cannot be told what the network is trained on.")
    sizes_fit = len(np.unique(trained)) == len(trained) == int(given["n_train"])
    if not sizes_fit and not (own is not None and np.array_equal(np.sort(own), np.sort(trained))):
        if len(np.unique(trained)) == m:
            return _wrong(
                "The network is trained on all examples.",
                "Which part of the data must it never see before the test?",
                "trained-on-everything",
            )
        return _wrong(
            f"The network is trained on {len(np.unique(trained))} different examples, "
            f"not on the {int(given['n_train'])} of the training part.",
            "Which argument says how many examples are for training?",
        )
    own_split = own is not None and np.array_equal(np.sort(own), np.sort(trained))
    if np.array_equal(trained, np.arange(len(trained))) and own is not None and not own_split:
        return _wrong(
            "The network is trained on the first samples as they come.",
            "Which of your functions divides the samples at random?",
            "not-shuffled",
        )
    labels = as_numbers(found.get("labels"))
    if isinstance(labels, str) or not np.array_equal(labels.ravel(), given["Y"][0, trained]):
        own_pairs = own is not None and np.array_equal(own, trained)
        if not own_pairs:
            return _wrong("The network is trained with labels that belong to other examples.")
    if found.get("own_seeded") is True:  # a split that does not use its generator is charged there
        seeded = _seeded(found)
        if seeded is not RIGHT:
            return replace(seeded, share=0.5)
    return RIGHT if sizes_fit else replace(RIGHT, own=True, message="Right, given your own split.")


def _accuracy(given: Values, found: Values) -> Verdict:
    tested, m = _examples_of(given, found, "tested"), given["X"].shape[1]
    trained, own = _examples_of(given, found, "trained"), _examples_of(given, found, "own_test")
    if tested is None or trained is None:
        return _wrong("It cannot be told what the network is tested on.")
    rest = np.setdiff1d(np.arange(m), trained)
    accuracy = found.get("accuracy")
    if len(rest) and compare(accuracy, np.asarray(_share_over(given, rest))).equal:
        return RIGHT
    on_own_test = own is not None and np.array_equal(np.sort(own), np.sort(tested))
    on_rest = np.array_equal(np.sort(tested), rest)
    if on_own_test or on_rest:
        theirs = usable({name: found.get(name) for name in ("own_share", *["own_result"] * on_own_test)})
        allowed = [np.asarray(_share_over(given, tested)), *theirs.values()]
        if len(tested) and any(compare(accuracy, value).equal for value in allowed):
            return replace(RIGHT, own=True, message="Right, given your own split and share_right.")
        if on_rest and isinstance(as_numbers(accuracy), str):
            return Verdict("missing" if accuracy is None else "wrong", message="experiment must return one number.")
        return _wrong(
            "The network is tested on the right examples, but what is returned is not the share of right answers."
        )
    if len(trained) and np.array_equal(np.sort(tested), np.sort(trained)):
        return _wrong(
            "The network is tested on the examples that it was trained on.",
            "A pupil who is asked only the questions of the homework shows memory. Which part is kept for the test?",
            "tested-on-training-data",
        )
    if len(np.unique(tested)) == m:
        return _wrong(
            "The network is tested on all examples, those of the training included.",
            "Which part of the data has it not seen?",
            "tested-on-everything",
        )
    return _wrong("The network is not tested on the examples that are left over from the training.")


# The questions ------------------------------------------------------------------------------------------------------

EXERCISE = Exercise(
    name="ising_phases",
    sheet="foundations",
    title="Phases of a spin lattice",
    minutes=60,
    difficulty=3,
    limits={"answer_bytes": 1 << 20},
    questions=(
        Question(
            "toy_generator",
            "The toy data",
            (
                Line("form", 1, "shapes, entries and labels"),
                Line("ordered", 2, "the ordered phase"),
                Line("disordered", 1, "the disordered phase"),
                Line("independent", 2, "spins and samples are independent"),
                Line("seeded", 1, "random numbers from rng"),
            ),
            GENERATOR,
            judge_generator,
        ),
        Question(
            "random_split",
            "The split",
            (
                Line("sizes", 1, "sizes and order of the four arrays"),
                Line("pairs", 2, "every example once, with its label"),
                Line("chance", 2, "the test set is random"),
            ),
            SPLITTING,
            judge_split,
        ),
        Question(
            "share_of_right",
            "The accuracy",
            (Line("share", 3, "share_right(A2, Y)"),),
            SHARE,
            values(share_truth, explain=explain_slips(SHARE_SLIPS)),
        ),
        Question(
            "test_accuracy",
            "The experiment",
            (Line("trained", 2, "what the network is trained on"), Line("accuracy", 2, "the accuracy on the test set")),
            EXPERIMENT,
            judge_experiment,
        ),
    ),
    written=(Written("toy_and_truth", "Where the toy data mislead", 6),),
    parts={
        "generator": ("toy_generator",),
        "split": ("random_split",),
        "accuracy": ("share_of_right", "test_accuracy"),
        "Metropolis data": ("toy_and_truth",),
    },
)
