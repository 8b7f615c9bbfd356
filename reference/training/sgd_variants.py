"""Other solutions of sgd: right ones in another style, and wrong ones with what they must cost."""

from autograder.audit import right, wrong

RIGHT = (
    right(
        "slices",
        "slices and the random module, numbers by loops",
        train_epoch='''
def train_epoch(network, X, Y, learning_rate, order):
    for index in range(len(order)):
        k = order[index]
        x, y = X[:, k:k + 1], Y[:, k:k + 1]
        network.forward_pass(x)
        network.backward_pass(x, y)
        network.update_parameters(learning_rate)
    return network
''',
        train_sgd='''
import random


def train_sgd(network, X, Y, epochs, learning_rate):
    losses, order = [], list(range(X.shape[1]))
    for _ in range(epochs):
        network.forward_pass(X)
        losses.append(network.compute_loss(Y))
        random.shuffle(order)
        train_epoch(network, X, Y, learning_rate, order)
    return losses
''',
        noise='''
def rises(losses):
    up = 0
    for before, after in zip(losses[:-1], losses[1:]):
        if after > before:
            up += 1
    return up / (len(losses) - 1)


def roughness(losses):
    total = 0.0
    for t in range(1, len(losses) - 1):
        total += (losses[t] - 0.5 * (losses[t - 1] + losses[t + 1])) ** 2
    return (total / (len(losses) - 2)) ** 0.5
''',
    ),
    right(
        "train-of-one",
        "each step is one epoch of the baseline's train; orders by sorting random numbers; arrays of losses",
        train_epoch='''
def train_epoch(network, X, Y, learning_rate, order):
    [network.train(X[:, k].reshape(-1, 1), Y[:, k].reshape(-1, 1), 1, learning_rate) for k in np.asarray(order)]
''',
        train_sgd='''
def train_sgd(network, X, Y, epochs, learning_rate):
    losses = np.zeros(epochs)
    for epoch in range(epochs):
        network.forward_pass(X)
        losses[epoch] = network.compute_loss(Y)
        train_epoch(network, X, Y, learning_rate, np.argsort(np.random.rand(X.shape[1])))
    return losses
''',
        noise='''
def rises(losses):
    return np.count_nonzero(np.sign(np.diff(losses)) == 1) / (np.size(losses) - 1)


def roughness(losses):
    bends = np.convolve(losses, [-0.5, 1, -0.5], mode="valid")
    return np.linalg.norm(bends) / np.sqrt(bends.size)
''',
    ),
    right(
        "seeded",
        "a generator seeded by the epoch, one step in rows",
        train_epoch='''
def train_epoch(network, X, Y, learning_rate, order):
    for x, y in zip(X.T[list(order)], Y.T[list(order)]):
        network.forward_pass(x[:, None])
        network.backward_pass(x[:, None], y[:, None])
        network.W1, network.b1 = network.W1 - learning_rate * network.dW1, network.b1 - learning_rate * network.db1
        network.W2, network.b2 = network.W2 - learning_rate * network.dW2, network.b2 - learning_rate * network.db2
''',
        train_sgd='''
def train_sgd(network, X, Y, epochs, learning_rate):
    losses = []
    for epoch in range(epochs):
        A = network.forward_pass(X)
        losses.append(-np.mean(np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A), axis=0)))
        order = np.arange(Y.shape[1])
        np.random.default_rng(epoch).shuffle(order)
        train_epoch(network, X, Y, learning_rate, order)
    return losses
''',
    ),
    right(
        "float32",
        "steps in single precision",
        train_epoch='''
def train_epoch(network, X, Y, learning_rate, order):
    X, Y = X.astype(np.float32), Y.astype(np.float32)
    for name in ("W1", "b1", "W2", "b2"):
        setattr(network, name, getattr(network, name).astype(np.float32))
    for k in order:
        network.forward_pass(X[:, [k]])
        network.backward_pass(X[:, [k]], Y[:, [k]])
        network.update_parameters(np.float32(learning_rate))
''',
    ),
    right(
        "generator-of-columns",
        "columns from a generator, keyword arguments, random.shuffle, second differences",
        train_epoch='''
def train_epoch(network, X, Y, learning_rate, order):
    for x, y in ((X.T[k][:, np.newaxis], Y.T[k][:, np.newaxis]) for k in order):
        network.forward_pass(X=x)
        network.backward_pass(x, Y=y)
        network.update_parameters(learning_rate)
''',
        train_sgd='''
import random
def train_sgd(network, X, Y, epochs, learning_rate):
    losses = []
    order = list(range(X.shape[1]))
    while len(losses) < epochs:
        network.forward_pass(X)
        losses.append(network.compute_loss(Y))
        random.shuffle(order)
        train_epoch(network, X, Y, learning_rate, order)
    return losses
''',
        noise='''
def rises(losses):
    d = np.diff(np.array(losses))
    return len(d[d > 0]) / len(d)
def roughness(losses):
    return np.sqrt(np.mean(np.diff(losses, n=2) ** 2)) / 2
''',
    ),
)

STEP = """        network.forward_pass(X[:, [k]])
        network.backward_pass(X[:, [k]], Y[:, [k]])
        network.update_parameters(learning_rate)"""


def _epoch(variant_id, title, old, new, loses, named):
    """A wrong step; what follows in train_sgd is marked given the student's own steps."""
    return wrong(variant_id, title, edits={"train_epoch": [(old, new)]}, loses=loses, named=named)


BOTH = {"given_order.one": 4, "given_order.many": 5}

WRONG = (
    _epoch(
        "batch-steps",
        "every step uses all examples",
        STEP,
        STEP.replace("[:, [k]]", ""),
        BOTH,
        {"given_order.one": "all-examples-in-each-step", "given_order.many": "all-examples-in-each-step"},
    ),
    wrong(
        "batch-epoch",
        "one step with all examples per epoch",
        cells={
            "train_epoch": '''
def train_epoch(network, X, Y, learning_rate, order):
    network.forward_pass(X)
    network.backward_pass(X, Y)
    network.update_parameters(learning_rate)
'''
        },
        loses=BOTH,
        named={"given_order.one": "all-examples-in-each-step", "given_order.many": "one-step-for-all-examples"},
    ),
    _epoch(
        "order-ignored",
        "the loop runs over all columns in their own order",
        "for k in order:",
        "for k in range(X.shape[1]):",
        BOTH,
        {"given_order.one": "order-ignored", "given_order.many": "order-ignored"},
    ),
    _epoch(
        "positions-for-columns",
        "the position in the order is used instead of the column",
        "for k in order:",
        "for k, _ in enumerate(order):",
        {"given_order.one": 4},
        {"given_order.one": "order-ignored"},
    ),
    wrong(
        "wrong-target",
        "the targets are taken in their own order",
        edits={"train_epoch": [("for k in order:", "for j, k in enumerate(order):"), ("Y[:, [k]]", "Y[:, [j]]")]},
        loses={"given_order.one": 4},
        named={"given_order.one": "target-of-another-example"},
    ),
    _epoch(
        "divided-by-m",
        "the learning rate is divided by the number of all examples",
        "network.update_parameters(learning_rate)",
        "network.update_parameters(learning_rate / X.shape[1])",
        {"given_order.one": 4},
        {"given_order.one": "divided-by-wrong-count"},
    ),
    _epoch(
        "no-learning-rate",
        "every step has the length 1",
        "network.update_parameters(learning_rate)",
        "network.update_parameters(1.0)",
        {"given_order.one": 4},
        {"given_order.one": "learning-rate-missing"},
    ),
    wrong(
        "one-update",
        "gradients are summed, one update at the end",
        cells={
            "train_epoch": '''
def train_epoch(network, X, Y, learning_rate, order):
    total = {name: 0 for name in ("W1", "b1", "W2", "b2")}
    for k in order:
        network.forward_pass(X[:, [k]])
        network.backward_pass(X[:, [k]], Y[:, [k]])
        for name in total:
            total[name] = total[name] + getattr(network, "d" + name)
    for name in total:
        setattr(network, name, getattr(network, name) - learning_rate * total[name])
'''
        },
        loses={"given_order.many": 5},
        named={"given_order.many": "one-update-at-the-end"},
    ),
    wrong(
        "mini-batch",
        "the columns of the order as one batch",
        cells={
            "train_epoch": '''
def train_epoch(network, X, Y, learning_rate, order):
    network.forward_pass(X[:, order])
    network.backward_pass(X[:, order], Y[:, order])
    network.update_parameters(learning_rate)
'''
        },
        loses={"given_order.many": 5},
        named={"given_order.many": "one-update-at-the-end"},
    ),
    _epoch(
        "return-in-loop",
        "the function returns after the first example",
        STEP,
        STEP + "\n        return",
        {"given_order.many": 5},
        {"given_order.many": "only-the-first-example"},
    ),
    _epoch(
        "lost-axis",
        "X[:, k] without its second axis",
        STEP,
        STEP.replace("[k]", "k"),
        {"given_order": 9},
        {},
    ),
    _epoch(
        "does-nothing",
        "nothing is trained",
        STEP,
        "        pass",
        {"given_order": 9},
        {},
    ),
    wrong(
        "no-update",
        "gradients are computed, nothing is updated",
        edits={"train_epoch": [("\n        network.update_parameters(learning_rate)", "")]},
        loses=BOTH,
        named={"given_order.one": "parameter-never-updated"},
    ),
    wrong(
        "update-after-the-loop",
        "one update at the end, with the gradient of the last example",
        edits={"train_epoch": [("\n        network.update_parameters(learning_rate)", "\n    network.update_parameters(learning_rate)")]},
        loses={"given_order.many": 5},
        named={"given_order.many": "one-update-at-the-end"},
    ),
    wrong(
        "labels-left-behind",
        "the inputs are shuffled, and the targets are not",
        edits={"train_sgd": [("train_epoch(network, X, Y, learning_rate, rng.permutation(X.shape[1]))",
                              "train_epoch(network, X[:, rng.permutation(X.shape[1])], Y, learning_rate, range(X.shape[1]))")]},
        loses={"random_order.each_once": 3},
        named={"random_order.each_once": "labels-left-behind"},
    ),
    wrong(
        "two-shuffles",
        "inputs and targets are shuffled, each in its own way",
        edits={"train_sgd": [("train_epoch(network, X, Y, learning_rate, rng.permutation(X.shape[1]))",
                              "train_epoch(network, X[:, rng.permutation(X.shape[1])],"
                              " Y[:, rng.permutation(X.shape[1])], learning_rate, range(X.shape[1]))")]},
        loses={"random_order.each_once": 3},
        named={"random_order.each_once": "labels-left-behind"},
    ),
    wrong(
        "rate-written-down",
        "train_sgd ignores the learning rate",
        edits={"train_sgd": [("train_epoch(network, X, Y, learning_rate,", "train_epoch(network, X, Y, 0.3,")]},
        loses={"loss_curve.losses": 1.5},
        named={"loss_curve.losses": "argument-ignored"},
    ),
    wrong(
        "natural-order",
        "no shuffling",
        edits={"train_sgd": [("rng.permutation(X.shape[1])", "range(X.shape[1])")]},
        loses={"random_order.fresh": 2},
        named={"random_order.fresh": "not-shuffled"},
    ),
    wrong(
        "shuffled-once",
        "one random order for all epochs",
        edits={
            "train_sgd": [
                ("    losses = []\n", "    losses = []\n    order = rng.permutation(X.shape[1])\n"),
                ("learning_rate, rng.permutation(X.shape[1])", "learning_rate, order"),
            ]
        },
        loses={"random_order.fresh": 2},
        named={"random_order.fresh": "shuffled-once"},
    ),
    wrong(
        "seed-in-loop",
        "the generator is made anew with the same seed in every epoch",
        edits={"train_sgd": [("rng.permutation(X.shape[1])", "np.random.default_rng(0).permutation(X.shape[1])")]},
        loses={"random_order.fresh": 2},
        named={"random_order.fresh": "shuffled-once"},
    ),
    wrong(
        "rotated",
        "one order, started elsewhere in each epoch",
        edits={
            "train_sgd": [
                ("    losses = []\n", "    losses = []\n    order = rng.permutation(X.shape[1])\n"),
                ("learning_rate, rng.permutation(X.shape[1])", "learning_rate, np.roll(order, 7 * len(losses))"),
            ]
        },
        loses={"random_order.fresh": 2},
        named={"random_order.fresh": "shuffled-once"},
    ),
    wrong(
        "with-replacement",
        "an example is drawn for each step",
        edits={"train_sgd": [("rng.permutation(X.shape[1])", "rng.integers(0, X.shape[1], X.shape[1])")]},
        loses={"random_order.each_once": 3},
        named={"random_order.each_once": "drawn-with-replacement"},
    ),
    wrong(
        "last-left-out",
        "the orders leave out the last example",
        edits={"train_sgd": [("rng.permutation(X.shape[1])", "rng.permutation(X.shape[1] - 1)")]},
        loses={"random_order.each_once": 3},
    ),
    wrong(
        "loss-after",
        "the loss is taken after the epoch",
        edits={
            "train_sgd": [
                (
                    "        _ = network.forward_pass(X)  # compute_loss belongs to the last forward pass\n"
                    "        losses.append(network.compute_loss(Y))\n",
                    "",
                ),
                (
                    "rng.permutation(X.shape[1]))\n",
                    "rng.permutation(X.shape[1]))\n"
                    "        network.forward_pass(X)\n        losses.append(network.compute_loss(Y))\n",
                ),
            ]
        },
        loses={"loss_curve.losses": 3},
        named={"loss_curve.losses": "loss-after-the-update"},
    ),
    wrong(
        "loss-of-the-last-example",
        "the loss of whatever example came last",
        edits={
            "train_sgd": [
                ("_ = network.forward_pass(X)", "_ = network.forward_pass(X[:, [0]])"),
                ("network.compute_loss(Y)", "network.compute_loss(Y[:, [0]])"),
            ]
        },
        loses={"loss_curve.losses": 3},
    ),
    wrong(
        "running-mean",
        "the mean over the steps of an epoch, as frameworks print it",
        edits={
            "train_sgd": [
                (
                    "        _ = network.forward_pass(X)  # compute_loss belongs to the last forward pass\n"
                    "        losses.append(network.compute_loss(Y))\n"
                    "        train_epoch(network, X, Y, learning_rate, rng.permutation(X.shape[1]))\n",
                    "        seen = []\n"
                    "        for k in rng.permutation(X.shape[1]):\n"
                    "            network.forward_pass(X[:, [k]])\n"
                    "            seen.append(network.compute_loss(Y[:, [k]]))\n"
                    "            network.backward_pass(X[:, [k]], Y[:, [k]])\n"
                    "            network.update_parameters(learning_rate)\n"
                    "        losses.append(np.mean(seen))\n",
                ),
            ]
        },
        loses={"loss_curve.losses": 3},
        named={"loss_curve.losses": "running-mean-for-loss"},
    ),
    wrong(
        "no-list",
        "nothing is returned",
        edits={"train_sgd": [("    return losses", "    return None")]},
        loses={"loss_curve.losses": 3},
    ),
    wrong(
        "falls",
        "falls are counted",
        edits={"noise": [("np.diff(losses) > 0", "np.diff(losses) < 0")]},
        loses={"noise_numbers.rises": 1},
        named={"noise_numbers.rises": "falls-counted"},
    ),
    wrong(
        "equal-counted",
        "equal losses count as rises",
        edits={"noise": [("np.diff(losses) > 0", "np.diff(losses) >= 0")]},
        loses={"noise_numbers.rises": 1},
        named={"noise_numbers.rises": "equal-counted"},
    ),
    wrong(
        "number-of-rises",
        "the number and not the share",
        edits={"noise": [("np.mean(np.diff(losses) > 0)", "np.sum(np.diff(losses) > 0)")]},
        loses={"noise_numbers.rises": 1},
        named={"noise_numbers.rises": "count-for-share"},
    ),
    wrong(
        "by-length",
        "divided by n instead of n - 1",
        edits={"noise": [("np.mean(np.diff(losses) > 0)", "np.sum(np.diff(losses) > 0) / len(losses)")]},
        loses={"noise_numbers.rises": 1},
        named={"noise_numbers.rises": "divided-by-the-length"},
    ),
    wrong(
        "mean-square",
        "the root is forgotten",
        edits={"noise": [("np.sqrt(np.mean((", "(np.mean((")]},
        loses={"noise_numbers.roughness": 2},
        named={"noise_numbers.roughness": "square-root-missing"},
    ),
    wrong(
        "absolute",
        "mean of absolute values",
        edits={"noise": [("np.sqrt(np.mean((", "(np.mean(np.abs("), (" / 2) ** 2))", " / 2)))")]},
        loses={"noise_numbers.roughness": 2},
        named={"noise_numbers.roughness": "absolute-values-for-squares"},
    ),
    wrong(
        "second-difference",
        "the second difference, twice as large",
        edits={"noise": [("np.mean((curve[1:-1] - (curve[:-2] + curve[2:]) / 2) ** 2)", "np.mean(np.diff(curve, 2) ** 2)")]},
        loses={"noise_numbers.roughness": 2},
        named={"noise_numbers.roughness": "half-missing"},
    ),
    wrong(
        "spread",
        "the standard deviation of the losses",
        edits={"noise": [("np.sqrt(np.mean((curve[1:-1] - (curve[:-2] + curve[2:]) / 2) ** 2))", "curve.std()")]},
        loses={"noise_numbers.roughness": 2},
        named={"noise_numbers.roughness": "spread-of-the-losses"},
    ),
    wrong(
        "one-example-stays",
        "the last example is always the last one",
        edits={"train_sgd": [("rng.permutation(X.shape[1])", "np.append(rng.permutation(X.shape[1] - 1), X.shape[1] - 1)")]},
        loses={"random_order.fresh": 2},
        named={"random_order.fresh": "one-example-stays"},
    ),
    wrong(
        'epochs-for-steps',
        'both kinds take as many steps as epochs; the roughness of another row',
        cells={'numbers': 'steps = [100, 100]\nbatch_noise = [0.0, 0.0015]'},
        loses={'table_numbers.steps': 1, 'table_numbers.batch_noise': 0.5},
    ),
)

ALLOWED = {
    "batch-steps": "no stochastic step is done",
    "order-ignored": "the order is what the question asks for",
    "lost-axis": "no step can be done",
    "does-nothing": "nothing is done",
    "no-update": "no step is done",
}

FAULTS = {
    "one-update": {
        "train_epoch": (
            'total[name] = total[name] + getattr(network, "d" + name)',
            "setattr(network, name, getattr(network, name) - learning_rate * total[name])",
        )
    },
    "batch-epoch": {"train_epoch": ("network.forward_pass(X)", "network.backward_pass(X, Y)")},
    "mini-batch": {"train_epoch": ("network.forward_pass(X[:, order])", "network.backward_pass(X[:, order], Y[:, order])")},
}

UNPLACED = {
    'epochs-for-steps': 'a statement in words or numbers: nothing is worked out',
}
