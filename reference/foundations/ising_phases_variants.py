"""Other solutions of ising_phases: right ones in another style, and wrong ones with what they must cost."""

from autograder.audit import right, wrong

RIGHT = (
    right(
        "loops",
        "one spin after the other; the phases alternate; numbers as floats",
        generator='''
def make_spins(n_samples, L, rng):
    X, Y = np.zeros((L * L, n_samples)), np.zeros((1, n_samples))
    for k in range(n_samples):
        Y[0, k] = k % 2
        for i in range(L * L):
            X[i, k] = 1.0 if rng.random() < (0.9 if k % 2 == 0 else 0.5) else -1.0
    return X, Y
''',
        splitting='''
def split(X, Y, n_train, rng):
    waiting = list(range(X.shape[1]))
    train = []
    while len(train) < n_train:
        train.append(waiting.pop(int(rng.integers(len(waiting)))))
    return X[:, train], Y[:, train], X[:, waiting], Y[:, waiting]
''',
        accuracy='''
def share_right(A2, Y):
    right = 0
    for a, y in zip(A2[0], Y[0]):
        if (a > 0.5 and y == 1) or (a <= 0.5 and y == 0):
            right += 1
    return right / Y.shape[1]
''',
        experiment='''
def experiment(X, Y, n_train, train, rng):
    parts = split(X, Y, n_train, rng)
    probabilities = train(*parts[:2])(parts[2])
    return share_right(probabilities, parts[3])
''',
    ),
    right(
        "choice",
        "rng.choice with probabilities, shuffled samples, a mask for the split",
        generator='''
def make_spins(n_samples, L, rng):
    half = n_samples // 2
    ordered = rng.choice([-1, 1], size=(half, L, L), p=[0.1, 0.9])
    disordered = rng.choice([-1, 1], size=(half, L, L))
    X = np.concatenate([ordered, disordered]).reshape(n_samples, -1).T
    Y = np.concatenate([np.zeros(half), np.ones(half)])[None, :]
    order = rng.permutation(n_samples)
    return X[:, order], Y[:, order]
''',
        splitting='''
def split(X, Y, n_train, rng):
    mask = np.zeros(X.shape[1], dtype=bool)
    mask[rng.choice(X.shape[1], size=n_train, replace=False)] = True
    return X[:, mask], Y[:, mask], X[:, ~mask], Y[:, ~mask]
''',
        accuracy='''
def share_right(A2, Y):
    return 1 - np.mean(np.abs(np.round(A2) - Y))
''',
    ),
    right(
        "scikit-learn",
        "binomial draws; train_test_split and accuracy_score of scikit-learn; the disordered phase first; int8",
        generator='''
def make_spins(n_samples, L, rng):
    Y = np.repeat([1, 0], n_samples // 2)
    p = np.where(Y == 1, 0.5, 0.9)
    X = (2 * rng.binomial(1, p, size=(L * L, n_samples)) - 1).astype(np.int8)
    return X, Y.reshape(1, -1)
''',
        splitting='''
from sklearn.model_selection import train_test_split

def split(X, Y, n_train, rng):
    a, b, c, d = train_test_split(X.T, Y.T, train_size=n_train, random_state=int(rng.integers(2**31)))
    return a.T, c.T, b.T, d.T
''',
        accuracy='''
from sklearn.metrics import accuracy_score

def share_right(A2, Y):
    return accuracy_score(np.ravel(Y), np.ravel(A2) > 0.5)
''',
    ),
    right(
        "stratified",
        "uniform numbers compared from the other side; the test set is taken first; share as np.float32",
        generator='''
def make_spins(n_samples, L, rng):
    blocks, labels = [], []
    for p, label in ((0.9, 0), (0.5, 1)):
        blocks.append(np.sign(p - rng.uniform(size=(L**2, n_samples // 2))))
        labels.append(np.full((1, n_samples // 2), label))
    return np.hstack(blocks), np.hstack(labels)
''',
        splitting='''
def split(X, Y, n_train, rng):
    keys = rng.random(X.shape[1])
    order = np.argsort(keys)[::-1]
    both = np.vstack([X, Y])[:, order]
    test, train = both[:, : X.shape[1] - n_train], both[:, X.shape[1] - n_train :]
    return train[:-1], train[-1:], test[:-1], test[-1:]
''',
        accuracy='''
def share_right(A2, Y):
    return np.float32(np.count_nonzero(np.where(A2 > 0.5, 1, 0) == Y) / Y.size)
''',
    ),
    right(
        "one-entry",
        "the share as an array with one entry",
        accuracy="def share_right(A2, Y):\n    return np.sum((A2 > 0.5) == Y, axis=1) / Y.shape[1]",
    ),
    right(
        "lists",
        "nested lists, shuffled numbers, counting",
        generator='''
def make_spins(n_samples, L, rng):
    cols, labels = [], []
    for k in range(n_samples):
        label = k % 2
        p = 0.5 if label else 0.9
        cols.append([1 if rng.uniform() < p else -1 for _ in range(L * L)])
        labels.append(label)
    return [[cols[k][i] for k in range(n_samples)] for i in range(L * L)], [labels]
''',
        splitting='''
def split(X, Y, n_train, rng):
    idx = list(range(X.shape[1]))
    rng.shuffle(idx)
    pick = lambda A, cols: np.stack([A[:, c] for c in cols], axis=1)
    return [pick(X, idx[:n_train]), pick(Y, idx[:n_train]), pick(X, idx[n_train:]), pick(Y, idx[n_train:])]
''',
        accuracy='''
def share_right(A2, Y):
    hits = 0
    for a, y in zip(A2.ravel(), Y.ravel()):
        hits += int(a > 0.5) == int(y)
    return hits / A2.shape[1]
''',
        experiment='''
def experiment(X, Y, n_train, train, rng):
    parts = split(X, Y, n_train, rng)
    return share_right(train(*parts[:2])(parts[2]), parts[3])
''',
    ),
)


def _edit(variant_id, title, cell, edits, loses, named=None, statuses=None):
    return wrong(variant_id, title, edits={cell: edits}, loses=loses, named=named, statuses=statuses)


def _toy(variant_id, title, *edits, loses, named=None):
    return _edit(variant_id, title, "generator", edits, {f"toy_generator.{k}": v for k, v in loses.items()},
                 {f"toy_generator.{k}": v for k, v in (named or {}).items()})


def _split(variant_id, title, *edits, loses, named=None):
    return _edit(variant_id, title, "splitting", edits, {f"random_split.{k}": v for k, v in loses.items()},
                 {f"random_split.{k}": v for k, v in (named or {}).items()})


def _share(variant_id, title, new, named=None):
    return _edit(variant_id, title, "accuracy", [("np.mean((A2 > 0.5) == Y)", new)], {"share_of_right.share": 3},
                 {"share_of_right.share": named} if named else None)


def _run(variant_id, title, *edits, loses, named=None):
    return _edit(variant_id, title, "experiment", edits, {f"test_accuracy.{k}": v for k, v in loses.items()},
                 {f"test_accuracy.{k}": v for k, v in (named or {}).items()})


DRAW = "rng.random((L * L, n_samples)) < p_up"

WRONG = (
    _toy("p-0.8", "the ordered phase with 0.8", ("0.9, 0.5", "0.8, 0.5"), loses={"ordered": 2}),
    _toy("p-0.1", "the ordered phase points down", ("0.9, 0.5", "0.1, 0.5"), loses={"ordered": 2}),
    _toy("p-0.6", "the disordered phase with 0.6", ("0.9, 0.5", "0.9, 0.6"), loses={"disordered": 1}),
    _toy("both-equal", "both phases with 0.5", ("0.9, 0.5", "0.5, 0.5"), loses={"ordered": 2}),
    _toy("labels-exchanged", "label 1 for the ordered phase", ("return X, Y", "return X, 1 - Y"),
         loses={"ordered": 2}, named={"ordered": "labels-exchanged"}),
    _toy("zeros", "a spin down is 0", (f"np.where({DRAW}, 1, -1)", f"np.where({DRAW}, 1, 0)"),
         loses={"form": 1}, named={"form": "zero-for-spin-down"}),
    _toy("rows", "one row per sample", ("return X, Y", "return X.T, Y"), loses={"form": 1},
         named={"form": "result-transposed"}),
    _toy("flat-labels", "Y has shape (n,)", ("return X, Y", "return X, Y[0]"), loses={"form": 0.5},
         named={"form": "wrong-shape"}),
    _toy("three-quarters", "three quarters of the samples are ordered",
         ("np.repeat([[0, 1]], n_samples // 2, axis=1)", "np.repeat([[0, 0, 0, 1]], n_samples // 4, axis=1)"),
         loses={"form": 1}, named={"form": "unequal-halves"}),
    _toy("random-labels", "labels are drawn, so that the halves are only nearly equal",
         ("np.repeat([[0, 1]], n_samples // 2, axis=1)", "rng.integers(0, 2, (1, n_samples))"),
         loses={"form": 1}, named={"form": "unequal-halves"}),
    _toy("one-per-sample", "one random number per sample: all its spins are equal",
         (DRAW, "np.ones((L * L, 1)) * rng.random((1, n_samples)) < p_up"),
         loses={"independent": 2}, named={"independent": "not-independent"}),
    _toy("one-per-site", "one random number per site: samples repeat",
         (DRAW, "rng.random((L * L, 1)) < p_up"), loses={"independent": 2}),
    _toy("blocks", "every fifty samples are copies of each other, so that their share may lie anywhere",
         (DRAW, "np.repeat(rng.random((L * L, n_samples // 50)), 50, axis=1) < p_up"),
         loses={"independent": 2, "ordered": (0, 2), "disordered": (0, 1)}, named={"independent": "not-independent"}),
    _toy("global-generator", "NumPy's global generator is used", (DRAW, "np.random.random((L * L, n_samples)) < p_up"),
         loses={"seeded": 1}, named={"seeded": "other-generator"}),
    _toy("own-seed", "a new generator with a fixed seed", (DRAW, "np.random.default_rng(0).random((L * L, n_samples)) < p_up"),
         loses={"seeded": 1}, named={"seeded": "same-for-every-seed"}),
    _toy("not-spins", "uniform numbers instead of spins", (f"np.where({DRAW}, 1, -1)", "rng.random((L * L, n_samples))"),
         loses={"form": 1, "ordered": 2, "disordered": 1, "independent": 2}),
    _toy("all-up", "every spin is up", (DRAW, "p_up > np.zeros((L * L, 1))"),
         loses={"form": 1, "ordered": 2, "disordered": 1, "independent": 2, "seeded": 1}),
    _split("not-shuffled", "the first samples are for training", ("rng.permutation(X.shape[1])", "np.arange(X.shape[1])"),
           loses={"chance": 2}, named={"chance": "not-shuffled"}),
    _split("own-seed", "always the same permutation", ("rng.permutation", "np.random.default_rng(0).permutation"),
           loses={"chance": 2}, named={"chance": "same-for-every-seed"}),
    _split("global-generator", "NumPy's global generator is used", ("rng.permutation", "np.random.permutation"),
           loses={"chance": 2}, named={"chance": "other-generator"}),
    _split("labels-left-behind", "only X is mixed", ("Y[:, train], X[:, test], Y[:, test]", "Y[:, :n_train], X[:, test], Y[:, n_train:]"),
           loses={"pairs": 2}, named={"pairs": "labels-left-behind"}),
    _split("overlap", "the two sets are drawn one after the other",
           ("order[n_train:]", "rng.permutation(X.shape[1])[n_train:]"), loses={"pairs": 2}, named={"pairs": "not-a-partition"}),
    wrong(
        "another-order",
        "the order of scikit-learn, in the split and where it is used",
        edits={
            "splitting": [("return X[:, train], Y[:, train], X[:, test], Y[:, test]",
                           "return X[:, train], X[:, test], Y[:, train], Y[:, test]")],
            "experiment": [("X_train, Y_train, X_test, Y_test = split", "X_train, X_test, Y_train, Y_test = split")],
        },
        loses={"random_split.sizes": 1},
        named={"random_split.sizes": "another-order"},
    ),
    _split("in-place", "X and Y are mixed in place", (
        "train, test = order[:n_train], order[n_train:]",
        "X[:], Y[:] = X[:, order], Y[:, order]\n    train, test = range(n_train), range(n_train, X.shape[1])",
    ), loses={"sizes": 0.5}, named={"sizes": "argument-changed-in-place"}),
    _split("sizes-exchanged", "n_train samples in the test set", ("order[:n_train], order[n_train:]", "order[n_train:], order[:n_train]"),
           loses={"sizes": 1}),
    _split("one-lost", "one sample is in neither set", ("order[n_train:]", "order[n_train + 1 :]"),
           loses={"sizes": 1}, named={"sizes": "not-a-partition"}),
    wrong(
        "three-arrays",
        "the labels of the test set are not returned",
        edits={"splitting": [(", X[:, test], Y[:, test]", ", X[:, test]")]},
        loses={"random_split": 5, "test_accuracy": 4},
        statuses={"random_split": "raised", "test_accuracy": "raised"},
    ),
    _share("share-of-wrong", "the share of wrong answers", "np.mean((A2 > 0.5) != Y)", "share-of-wrong"),
    _share("percent", "in percent", "100 * np.mean((A2 > 0.5) == Y)", "percent"),
    _share("count", "the number of right answers", "np.sum((A2 > 0.5) == Y)", "count-for-share"),
    _share("raw", "probabilities are compared with labels", "np.mean(A2 == Y)", "probability-for-label"),
    _share("mean-error", "one minus the mean distance", "1 - np.mean(np.abs(A2 - Y))", "mean-error"),
    _share("predictions", "the labels are not used", "np.mean(A2 > 0.5)", "mean-of-predictions"),
    _share("threshold-0", "the threshold of a score", "np.mean((A2 > 0) == Y)"),
    _run("trained-on-everything", "trained on all samples", ("train(X_train, Y_train)", "train(X, Y)"),
         loses={"trained": 2}, named={"trained": "trained-on-everything"}),
    _run("tested-on-training-set", "tested on the training set", ("share_right(model(X_test), Y_test)", "share_right(model(X_train), Y_train)"),
         loses={"accuracy": 2}, named={"accuracy": "tested-on-training-data"}),
    _run("tested-on-everything", "tested on all samples", ("share_right(model(X_test), Y_test)", "share_right(model(X), Y)"),
         loses={"accuracy": 2}, named={"accuracy": "tested-on-everything"}),
    _run("first-samples", "the first samples are the training set; split is not used",
         ("split(X, Y, n_train, rng)", "X[:, :n_train], Y[:, :n_train], X[:, n_train:], Y[:, n_train:]"),
         loses={"trained": 2}, named={"trained": "not-shuffled"}),
    _run("eight-hundred-written-down", "800 training examples, whatever is asked for", ("split(X, Y, n_train, rng)", "split(X, Y, 800, rng)"),
         loses={"trained": 2}),
    _run("another-generator", "the split gets a generator of its own", ("split(X, Y, n_train, rng)", "split(X, Y, n_train, np.random.default_rng())"),
         loses={"trained": 1}, named={"trained": "other-generator"}),
    _run("one-seed-for-all", "the split gets the same generator every time", ("split(X, Y, n_train, rng)", "split(X, Y, n_train, np.random.default_rng(3))"),
         loses={"trained": 1}, named={"trained": "same-for-every-seed"}),
    _run("probabilities", "the probabilities are returned", ("share_right(model(X_test), Y_test)", "model(X_test)"),
         loses={"accuracy": 2}),
    _run("mean-probability", "the mean probability is returned", ("share_right(model(X_test), Y_test)", "model(X_test).mean()"),
         loses={"accuracy": 2}),
    _run("constant", "a number that looks good", ("share_right(model(X_test), Y_test)", "0.97 + 0 * model(X_test).mean()"),
         loses={"accuracy": 2}),
    wrong(
        "no-network",
        "the network is not called at all",
        edits={"experiment": [("return share_right(model(X_test), Y_test)", "return 0.97")]},
        loses={"test_accuracy": 4},
        statuses={"test_accuracy": "raised"},
    ),
    wrong(
        'hot-lattices-fail',
        'the group that is got wrong more often, not always',
        cells={'groups': 'failing_group = "hot, T = 3"\nrepaired_group = "cold, mostly up"'},
        loses={'group_of_lattices.failing_group': 0.5, 'group_of_lattices.repaired_group': 0.5},
    ),
)

ALLOWED = {
    "not-spins": "no spins: nothing of them is right",
    "all-up": "no phases: nothing of them is right",
    "three-arrays": "four arrays are asked for",
    "no-network": "nothing is trained",
    "random_split.sizes": "a shape is right whatever stands in it",
}

UNPLACED = {
    'hot-lattices-fail': 'a statement in words or numbers: nothing is worked out',
}
