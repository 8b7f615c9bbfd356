"""Sheet 1: two phases of a spin lattice, told apart by a network.

The student writes the generator of toy data, the split, the accuracy and the experiment that puts them together. The
network is scikit-learn's. What is random is marked by counts whose distribution is known for any right answer, with a
bound on the chance of a false alarm; see ``autograder.marking.chance``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from autograder.exercise import RIGHT, Challenge, Exercise, Probe, Question, Reply, Values, Verdict, Written, lines
from autograder.exercises.shared import calling, keeping_inputs
from autograder.exercises.stated import Fact, stated
from autograder.exercises.toy_lattices import GENERATOR, judge_generator, seeded
from autograder.marking.chance import plausible
from autograder.marking.compare import as_numbers, compare, whole_numbers
from autograder.marking.judges import at_every_challenge, nothing_new, usable, values
from autograder.marking.slips import Slip, explain_slips

PARTS = ("X_train", "Y_train", "X_test", "Y_test")
"""What ``split`` returns."""


# What is asked ------------------------------------------------------------------------------------------------------


def splitting(student, given, *, names):
    """Two splits of the same data with two seeds; and whether the first seed gives the same once more."""
    X, Y, n_train, seed = given["X"], given["Y"], int(given["n_train"]), int(given["seed"])
    parts = student.split(X.copy(), Y.copy(), n_train, np.random.default_rng(seed))
    again = student.split(X.copy(), Y.copy(), n_train, np.random.default_rng(seed))
    other = student.split(X, Y, n_train, np.random.default_rng(seed + 1))  # what it changes in place is seen
    if not isinstance(parts, (tuple, list)) or len(parts) != 4:
        raise ValueError("split must return four arrays: " + ", ".join(names))
    found = {name: np.asarray(part) for name, part in zip(names, parts)}
    found["same"] = all(np.array_equal(a, b) for a, b in zip(parts, again))
    found["fresh"] = not all(np.array_equal(a, b) for a, b in zip(parts, other))
    return found


def whole_experiment(student, given):
    """On which examples a stand-in network was trained and tested, and the accuracy that was returned.

    The stand-in knows each example by its first input and answers with the probability that is given for it.
    """
    X, Y, P, n_train, seed = given["X"], given["Y"], given["P"], int(given["n_train"]), int(given["seed"])

    def ids(columns):
        return np.abs(X[0][:, None] - np.asarray(columns)[0]).argmin(axis=0).tolist()

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


SPLITTING = Probe(splitting, _splitting_challenges, {"names": PARTS})
SHARE = calling("share_right", "A2 Y", "share", _share_challenges, called="share")
EXPERIMENT = Probe(whole_experiment, _experiment_challenges)


# What is true, and how chance is judged -----------------------------------------------------------------------------


@at_every_challenge
def judge_split(reply: Reply) -> dict[str, Verdict]:
    """Sizes, pairs of inputs and labels, and chance. Three counts at each of three challenges are judged."""
    given, found = reply.given, reply.values
    m, n_train, rows = given["X"].shape[1], int(given["n_train"]), given["X"].shape[0]
    read = {name: as_numbers(found.get(name)) for name in PARTS}
    parts = {name: part for name, part in read.items() if not isinstance(part, str)}
    if len(parts) < len(read):
        wrong = Verdict("wrong", message=f"split must return four arrays of numbers: {', '.join(PARTS)}.")
        return {"sizes": wrong, "pairs": wrong, "chance": wrong}
    shapes = ((rows, n_train), (1, n_train), (rows, m - n_train), (1, m - n_train))
    verdicts = {"sizes": _sizes(parts, dict(zip(PARTS, shapes)))}
    if parts["X_test"].shape[:1] == (1,) and parts["Y_train"].shape[:1] == (rows,):
        parts["Y_train"], parts["X_test"] = parts["X_test"], parts["Y_train"]
    verdicts |= _pairs_and_chance(given, parts, found)
    lost = m - sum(sum(parts[name].shape[-1:]) for name in ("X_train", "X_test"))
    if verdicts["sizes"] is not RIGHT and verdicts["pairs"].mistakes == ("not-a-partition",) and 0 < lost <= m // 10:
        one = verdicts["pairs"]  # a few examples lost: that shows in the sizes first
        return verdicts | {"sizes": one, "pairs": nothing_new(*one.mistakes) if " and " not in one.message else one}
    return verdicts


def _sizes(parts: Mapping[str, np.ndarray], expected: Mapping[str, tuple[int, int]]) -> Verdict:
    shapes = {name: part.shape for name, part in parts.items()}
    if shapes == expected:
        return RIGHT
    if [shapes[name] for name in ("X_train", "X_test", "Y_train", "Y_test")] == list(expected.values()):
        return Verdict.named("another-order")
    name = next(name for name in expected if shapes[name] != expected[name])
    return Verdict("wrong", message=f"`{name}` has shape {shapes[name]}; {expected[name]} is expected.")


def _pairs_and_chance(given: Values, parts: Mapping[str, np.ndarray], found: Values) -> dict[str, Verdict]:
    X, m = given["X"], given["X"].shape[1]
    X_train, X_test = (parts[name] if parts[name].ndim == 2 else parts[name][None] for name in ("X_train", "X_test"))
    if X_train.shape[0] != len(X) or X_test.shape[0] != len(X):
        told = "This cannot be marked: the inputs do not have one column per example."
        return dict.fromkeys(("pairs", "chance"), Verdict("wrong", message=told))
    columns = np.hstack([X_train, X_test])
    order = np.argsort(X[0])
    where = order[np.clip(np.searchsorted(X[0][order], columns[0] - 0.1), 0, m - 1)]
    labels = np.concatenate([np.ravel(parts["Y_train"]), np.ravel(parts["Y_test"])])
    chance = _by_chance(where[X_train.shape[1] :], m, found)
    return {"pairs": _pairs(given, where, columns, labels), "chance": chance}


def _pairs(given: Values, where: np.ndarray, columns: np.ndarray, labels: np.ndarray) -> Verdict:
    """Whether these columns, which stand for the examples ``where``, are all examples, with their labels."""
    m = given["X"].shape[1]
    if not np.array_equal(given["X"][:, where], columns):
        told = "The columns of X_train and X_test are not columns of X."
        return Verdict("wrong", message=told, hint="Move whole columns.")
    if len(np.unique(where)) != m or len(where) != m:
        missing = m - len(np.unique(where))
        left_out = f"{missing} of {m} examples are in neither part" if missing else ""
        twice = f"{len(where) - m + missing} columns hold examples that are there already" if len(where) >= m else ""
        return Verdict.named("not-a-partition", title=", and ".join(text for text in (left_out, twice) if text))
    if labels.size != m or not np.array_equal(labels, given["Y"][0, where]):
        told = "Labels and inputs do not belong together any more."
        hint = "The inputs are put in a new order. What has to happen to the labels?"
        return Verdict.named("labels-left-behind", title=told, hint=hint)
    return RIGHT


def _by_chance(tested: np.ndarray, m: int, found: Values) -> Verdict:
    """Whether the test set is spread over the whole data: three counts, hypergeometric for a right answer."""
    if not 0 < len(tested) < m:
        return Verdict("wrong", message="One of the two parts is empty.")
    positions = np.arange(m)
    for group in (positions < m // 2, positions >= m - m // 5, positions % 2 == 0):
        if not plausible(int(group[tested].sum()), len(tested), float(group.mean())):
            told = "The test set is not a random part of the data."
            hint = "The samples come sorted by phase. What happens if you cut the data without mixing them first?"
            return Verdict.named("not-shuffled", title=told, hint=hint)
    return seeded(found)


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


@at_every_challenge
def judge_experiment(reply: Reply) -> dict[str, Verdict]:
    """What the network was trained on, and the accuracy, both given the student's own split and share."""
    return {"trained": _trained(reply.given, reply.values), "accuracy": _accuracy(reply.given, reply.values)}


def _examples_of(given: Values, found: Values, name: str) -> np.ndarray | None:
    """Which examples are meant: numbers of columns, none where the list is empty; None where there is no such list."""
    which = whole_numbers(found.get(name))
    return which if which is not None and np.all((which >= 0) & (which < given["X"].shape[1])) else None


def _same_examples(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    return one is not None and other is not None and np.array_equal(np.sort(one), np.sort(other))


def _trained(given: Values, found: Values) -> Verdict:
    trained, m, n_train = _examples_of(given, found, "trained"), given["X"].shape[1], int(given["n_train"])
    own = _examples_of(given, found, "own_train")
    if trained is None:
        return Verdict("wrong", message="It cannot be told what the network is trained on.")
    different, own_split = len(np.unique(trained)), _same_examples(own, trained)
    sizes_fit = different == len(trained) == n_train
    if not sizes_fit and not own_split:
        if different == m:
            return Verdict.named("trained-on-everything")
        told = f"The network is trained on {different} different examples, not on the {n_train} of the training part."
        return Verdict("wrong", message=told, hint="Which argument says how many examples are for training?")
    if np.array_equal(trained, np.arange(len(trained))) and own is not None and not own_split:
        told = "The network is trained on the first samples as they come."
        return Verdict.named("not-shuffled", title=told, hint="Which of your functions divides the samples at random?")
    labels = as_numbers(found.get("labels"))
    paired = not isinstance(labels, str) and np.array_equal(labels.ravel(), given["Y"][0, trained])
    if not paired and not (own is not None and np.array_equal(own, trained)):
        return Verdict("wrong", message="The network is trained with labels that belong to other examples.")
    if found.get("own_seeded") is True:  # a split that does not use its generator is charged there
        drawn = seeded(found)
        if drawn is not RIGHT:
            return replace(drawn, share=0.5)
    return RIGHT if sizes_fit else replace(RIGHT, own=True, message="Right, given your own split.")


def _accuracy(given: Values, found: Values) -> Verdict:
    tested, m = _examples_of(given, found, "tested"), given["X"].shape[1]
    trained, own = _examples_of(given, found, "trained"), _examples_of(given, found, "own_test")
    if tested is None or trained is None:
        return Verdict("wrong", message="It cannot be told what the network is tested on.")
    rest = np.setdiff1d(np.arange(m), trained)
    accuracy = found.get("accuracy")
    if len(rest) and compare(accuracy, np.asarray(_share_over(given, rest))).equal:
        return RIGHT
    on_own_test, on_rest = _same_examples(own, tested), _same_examples(rest, tested)
    if on_own_test or on_rest:
        theirs = usable({name: found.get(name) for name in ("own_share", *["own_result"] * on_own_test)})
        allowed = [np.asarray(_share_over(given, tested)), *theirs.values()]
        if len(tested) and any(compare(accuracy, value).equal for value in allowed):
            return replace(RIGHT, own=True, message="Right, given your own split and share_right.")
        if on_rest and isinstance(as_numbers(accuracy), str):
            return Verdict("missing" if accuracy is None else "wrong", message="experiment must return one number.")
        told = "The network is tested on the right examples, but what is returned is not the share of right answers."
        return Verdict("wrong", message=told)
    if len(trained) and _same_examples(trained, tested):
        told = "The network is tested on the examples that it was trained on."
        hint = "A pupil who is asked only the questions of the homework shows memory. Which part is kept for the test?"
        return Verdict.named("tested-on-training-data", title=told, hint=hint)
    if len(np.unique(tested)) == m:
        return Verdict.named("tested-on-everything")
    told = "The network is not tested on the examples that are left over from the training."
    return Verdict("wrong", message=told)


# The questions ------------------------------------------------------------------------------------------------------

GROUPS = {
    "failing_group": Fact(
        0.5, "which lattices are got wrong", lambda: "cold, mostly down", "Look for the bar that is hardly there."
    ),
    "repaired_group": Fact(
        0.5, "which lattices become better", lambda: "cold, mostly down", "Compare the bars of the two figures."
    ),
}

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
            lines(
                form=(1, "shapes, entries and labels"),
                ordered=(2, "the ordered phase"),
                disordered=(1, "the disordered phase"),
                independent=(2, "spins and samples are independent"),
                seeded=(1, "random numbers from rng"),
            ),
            GENERATOR,
            judge_generator,
        ),
        Question(
            "random_split",
            "The split",
            lines(
                sizes=(1, "sizes and order of the four arrays"),
                pairs=(2, "every example once, with its label"),
                chance=(2, "the test set is random"),
            ),
            SPLITTING,
            keeping_inputs(judge_split),
        ),
        Question(
            "share_of_right",
            "The accuracy",
            lines(share=(3, "share_right(A2, Y)")),
            SHARE,
            values(share_truth, explain=explain_slips(SHARE_SLIPS)),
        ),
        Question(
            "test_accuracy",
            "The experiment",
            lines(trained=(2, "what the network is trained on"), accuracy=(2, "the accuracy on the test set")),
            EXPERIMENT,
            judge_experiment,
        ),
        stated("group_of_lattices", "Which lattices are got wrong", GROUPS),
    ),
    written=(Written("toy_and_truth", "Where the toy data mislead", 5),),
    parts={
        "generator": ("toy_generator",),
        "split": ("random_split",),
        "accuracy": ("share_of_right", "test_accuracy"),
        "Metropolis data": ("group_of_lattices", "toy_and_truth"),
    },
)
