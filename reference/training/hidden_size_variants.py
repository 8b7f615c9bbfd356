"""Other solutions of hidden_size: right ones in another style, and wrong ones with what they must cost."""

from autograder.audit import right, wrong

TYPED = '''
table = [
    [0.348, 0.8125, 0.8031],
    [0.316, 0.8500, 0.8313],
    [0.183, 0.9375, 0.8812],
    [0.082, 0.9875, 0.8594],
    [0.041, 1.0000, 0.8562],
]
'''
"""A table as read off a screen. Most variants use it: it is right, and costs no training."""

LEAN = '''
def study(sizes, X_train, Y_train, X_test, Y_test, epochs, learning_rate, weight_scale, seed):
    rate, ones = learning_rate / X_train.shape[1], np.ones((1, X_train.shape[1]))
    X, rows = np.vstack([X_train, ones]), []
    for size in sizes:
        network = SimpleNeuralNetwork(2, size, 1, rng=seed, weight_scale=weight_scale)
        first, second = np.hstack([network.W1, network.b1]), np.hstack([network.W2, network.b2])
        A1, dZ1 = np.ones((size + 1, X.shape[1])), np.empty((size, X.shape[1]))
        hidden = A1[:-1]
        for _ in range(epochs):
            np.exp(np.matmul(-first, X, out=hidden), out=hidden)
            hidden += 1
            np.reciprocal(hidden, out=hidden)
            A2 = 1 / (1 + np.exp(-second @ A1))
            np.subtract(1, hidden, out=dZ1)
            dZ1 *= hidden
            dZ1 *= second[:, :-1].T
            dZ1 *= A2 - Y_train
            second = second - rate * (A2 - Y_train) @ A1.T
            first = first - rate * dZ1 @ X.T
        loss = -np.mean(np.log(np.where(Y_train == 1, A2, 1 - A2)))
        network.W1, network.b1 = first[:, :-1], first[:, -1:]
        network.W2, network.b2 = second[:, :-1], second[:, -1:]
        rows.append((loss, accuracy(network.predict(X_train), Y_train), accuracy(network.predict(X_test), Y_test)))
    return rows
'''
"""A right study in half of the time, for mistakes that lie elsewhere."""

RIGHT = (
    right(
        "typed",
        "numbers typed in from another machine",
        table=TYPED,
    ),
    right(
        "lean",
        "training written out on arrays that are used again, the biases a column of the weights; lists filled in by hand",
        table=TYPED,
        study=LEAN,
        sorted_sizes="underfits = [1, 2]\nfits = [4]\noverfits = [50, 20]",
    ),
    right(
        "array",
        "a numpy table; accuracies by thresholds; spread by a loop",
        study='''
def study(sizes, X_train, Y_train, X_test, Y_test, epochs, learning_rate, weight_scale, seed):
    result = np.zeros((len(sizes), 3))
    for i, h in enumerate(sizes):
        net = SimpleNeuralNetwork(2, h, 1, weight_scale=weight_scale, rng=np.random.default_rng(seed))
        result[i, 0] = net.train(X_train, Y_train, epochs, learning_rate)[-1]
        for j, (X, Y) in enumerate(((X_train, Y_train), (X_test, Y_test)), start=1):
            result[i, j] = np.mean((net.forward_pass(X) > 0.5) == (Y == 1))
    return result
''',
        sorted_sizes='''
t = np.array(table)
under = t[:, 1] < 0.9
over = ~under & (t[:, 1] - t[:, 2] > 0.1)
underfits, overfits, fits = np.array(SIZES)[under], np.array(SIZES)[over], np.array(SIZES)[~under & ~over]
''',
        spread='''
def spread(network, X):
    network.forward_pass(X)
    total = 0.0
    for k in range(X.shape[1]):
        column = [network.A1[i, k] for i in range(network.A1.shape[0])]
        middle = sum(column) / len(column)
        total += (sum((a - middle) ** 2 for a in column) / len(column)) ** 0.5
    return total / X.shape[1]
''',
    ),
    right(
        "own-loop",
        "training written out, loss measured after the last update, sets and tuples",
        study='''
def study(sizes, X_train, Y_train, X_test, Y_test, epochs, learning_rate, weight_scale, seed):
    def measured(size):
        net = SimpleNeuralNetwork(2, size, 1, rng=seed, weight_scale=weight_scale)
        for _ in range(epochs):
            net.forward_pass(X_train)
            net.backward_pass(X_train, Y_train)
            net.update_parameters(learning_rate)
        test = np.count_nonzero(net.predict(X_test) == Y_test) / Y_test.size
        A = net.forward_pass(X_train)
        return net.compute_loss(Y_train), np.mean((A > 0.5) == Y_train), test

    return tuple(measured(size) for size in sizes)
''',
        table=TYPED,
        sorted_sizes="underfits, fits, overfits = {1, 2}, {4}, {20, 50}",
        spread='''
def spread(network, X):
    A = 1 / (1 + np.exp(-(network.W1 @ X + network.b1)))
    return np.sqrt(np.mean(A**2, axis=0) - np.mean(A, axis=0) ** 2).mean()
''',
    ),
    right(
        "float32",
        "data, weights and spread in single precision",
        study='''
def study(sizes, X_train, Y_train, X_test, Y_test, epochs, learning_rate, weight_scale, seed):
    rows = []
    for size in sizes:
        network = SimpleNeuralNetwork(2, size, 1, rng=seed, weight_scale=weight_scale)
        loss = network.train(X_train, Y_train, epochs, learning_rate)[-1]
        rows.append([loss, accuracy(network.predict(X_train), Y_train), accuracy(network.predict(X_test), Y_test)])
    return rows
''',
        table=f"{TYPED}\ntable = np.array(table, dtype=np.float32)",
        spread='''
def spread(network, X):
    network.forward_pass(X.astype(np.float32))
    return np.float32(network.A1.astype(np.float32).std(axis=0).mean())
''',
    ),
)


def _study(variant_id, title, old, new, loses, named=None):
    """A wrong study; the table is right, because it was typed in."""
    return wrong(
        variant_id,
        title,
        cells={"table": TYPED},
        edits={"study": [(old, new)]},
        loses={f"study_function.{line}": points for line, points in loses.items()},
        named={f"study_function.{line}": mistake for line, mistake in (named or {}).items()},
    )


def _spread(variant_id, title, new, named):
    """A wrong spread."""
    return wrong(
        variant_id,
        title,
        cells={"table": TYPED, "study": LEAN},
        edits={"spread": [("np.mean(np.std(network.A1, axis=0))", new)]},
        loses={"unit_spread.spread": 3},
        named={"unit_spread.spread": named},
    )


def _sorted(variant_id, title, lists, loses):
    """Sizes sorted by another rule."""
    return wrong(variant_id, title, cells={"table": TYPED, "study": LEAN, "sorted_sizes": lists}, loses=loses)


ON_TEST = "accuracy(network.predict(X_test), Y_test)"
ON_TRAIN = "accuracy(network.predict(X_train), Y_train)"
NEW = "        network = SimpleNeuralNetwork(2, size, 1, rng=seed, weight_scale=weight_scale)\n"

WRONG = (
    _study(
        "tested-on-training",
        "the last column is measured on the training data",
        ON_TEST,
        ON_TRAIN,
        {"test_accuracy": 3},
        {"test_accuracy": "tested-on-training-data"},
    ),
    _study(
        "trained-on-test",
        "the middle column is measured on the test data",
        ON_TRAIN,
        ON_TEST,
        {"train_accuracy": 2},
        {"train_accuracy": "tested-on-training-data"},
    ),
    wrong(
        "own-table",
        "the last column is measured on the training data, and the table is made with it",
        edits={"study": [(ON_TEST, ON_TRAIN)], "table": []},
        loses={"study_function.test_accuracy": 3},
        named={"study_function.test_accuracy": "tested-on-training-data"},
    ),
    _study(
        "default-scale",
        "the weight scale is not passed on",
        ", weight_scale=weight_scale",
        "",
        {"final_loss": 2, "train_accuracy": 2, "test_accuracy": 3},
        {"final_loss": "default-weight-scale"},
    ),
    _study(
        "first-loss",
        "the first loss",
        "losses[-1]",
        "losses[0]",
        {"final_loss": 2},
    ),
    _study("smallest-half", "the loss is halved", "losses[-1]", "losses[-1] / 2", {"final_loss": 2}),
    wrong(
        "percent",
        "accuracies in percent",
        cells={"table": TYPED},
        edits={"study": [("rows.append((losses[-1], on_train, on_test))", "rows.append((losses[-1], 100 * on_train, 100 * on_test))")]},
        loses={"study_function.train_accuracy": 2},
        named={"study_function.train_accuracy": "percent"},
    ),
    wrong(
        "errors",
        "the share of wrong predictions on the test data",
        cells={"table": TYPED},
        edits={"study": [(f"on_test = {ON_TEST}", f"on_test = 1 - {ON_TEST}")]},
        loses={"study_function.test_accuracy": 3},
        named={"study_function.test_accuracy": "share-of-wrong"},
    ),
    wrong(
        "one-size",
        "all networks have the first size",
        cells={"table": TYPED},
        edits={"study": [("SimpleNeuralNetwork(2, size, 1", "SimpleNeuralNetwork(2, sizes[0], 1")]},
        loses={"study_function": 7},
    ),
    wrong(
        "ignores-epochs",
        "always trains for 7,000 epochs",
        cells={"table": TYPED},
        edits={"study": [("Y_train, epochs, learning_rate)", "Y_train, 300, learning_rate)")]},
        loses={"study_function": 7},
    ),
    wrong(
        "constant-table",
        "study and table are constants",
        cells={
            "study": "def study(sizes, *others):\n    return [(0.5, 0.9, 0.8) for _ in sizes]",
            "table": "table = study(SIZES)",
        },
        loses={"study_function": 7, "table_rows": 3, "under_and_over": 5, "best_and_widest": 2},
    ),
    wrong(
        "invented-table",
        "a table that no training gave",
        cells={"table": "table = [[0.5, 0.7, 0.7], [0.4, 0.8, 0.8], [0.3, 0.9, 0.9], [0.2, 0.95, 0.95], [0.1, 1.0, 1.0]]"},
        # Nothing follows from an invented table: the lists are right only where they are right by chance.
        loses={"table_rows": 3, "under_and_over.fits": 1, "under_and_over.overfits": 2, "best_and_widest": 2},
    ),
    _sorted("one-number", "one size as a number, not as a list", "underfits, fits, overfits = [1, 2], 4, [20, 50]",
            {"under_and_over.fits": 1}),
    wrong(
        "table-with-defaults",
        "the table was made with the baseline's defaults",
        edits={"table": [("LEARNING_RATE, WEIGHT_SCALE, SEED", "0.1, 0.01, SEED")]},
        loses={"table_rows": 3, "under_and_over": 5, "best_and_widest.widest_gap": 1},
    ),
    wrong(
        "table-left-out",
        "no table",
        cells={"study": LEAN, "table": "table = None", "sorted_sizes": "underfits, fits, overfits = [1, 2], [4], [20, 50]",
               "best_sizes": "best_size, widest_gap = 4, 50"},
        loses={"table_rows": 3},
        statuses={"table_rows": "missing"},
    ),
    _sorted(
        "all-fit",
        "every size fits",
        "underfits, fits, overfits = [], list(SIZES), []",
        {"under_and_over": 5},
    ),
    _sorted(
        "swapped",
        "under- and overfitting exchanged",
        "underfits, fits, overfits = [20, 50], [4], [1, 2]",
        {"under_and_over.underfits": 2, "under_and_over.overfits": 2},
    ),
    _sorted(
        "only-largest",
        "only the largest size is called overfitting",
        "underfits, fits, overfits = [1, 2], [4, 20], [50]",
        {"under_and_over.fits": 1, "under_and_over.overfits": 2},
    ),
    _spread("over-examples", "standard deviation over the examples", "np.mean(np.std(network.A1, axis=1))", "spread-over-examples"),
    _spread("over-everything", "one standard deviation of all", "np.std(network.A1)", "spread-over-everything"),
    _spread("pre-activations", "Z1 for A1", "np.mean(np.std(network.Z1, axis=0))", "spread-of-pre-activations"),
    _spread("weights", "the spread of the weights", "np.mean(np.std(network.W1, axis=0))", "spread-of-weights"),
    _spread("variance", "the variance", "np.mean(np.var(network.A1, axis=0))", "variance-for-deviation"),
    _spread("sample", "divided by h - 1", "np.mean(np.std(network.A1, axis=0, ddof=1))", "divided-by-units-minus-one"),
    wrong(
        'training-accuracy-for-choice',
        'the size that is best on the training data; the gap the other way round',
        cells={"study": LEAN, 'best_sizes': 'best_size = SIZES[np.argmax([on_train for _, on_train, _ in table])]\nwidest_gap = SIZES[np.argmin([on_train - on_test for _, on_train, on_test in table])]'},
        loses={'best_and_widest.best_size': 1, 'best_and_widest.widest_gap': 1},
    ),
)

ALLOWED = {
    "table-with-defaults": "another study than the one that is asked for",
}

UNPLACED = {
    'training-accuracy-for-choice': 'a statement in words or numbers: nothing is worked out',
    "constant-table": "constants in every place: nothing is worked out",
    "invented-table": "numbers that were typed: nothing is worked out",
    "one-number": "sizes that were typed",
    "table-left-out": "what is not there is at no place",
    "all-fit": "sizes that were typed",
    "swapped": "sizes that were typed",
    "only-largest": "sizes that were typed",
}

QUICK = "typed"
