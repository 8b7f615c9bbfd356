"""Other solutions of simple_network: right ones in another style, and wrong ones with what they must cost."""

from autograder.audit import right, wrong

UPDATE = '''
    def update_parameters(self, learning_rate):
        for name in ("W1", "b1", "W2", "b2"):
            setattr(self, name, getattr(self, name) - learning_rate * getattr(self, "d" + name))
'''

RIGHT = (
    right(
        "loops",
        "sums over examples and units written as loops",
        network='''
class SimpleNeuralNetwork(GivenNetwork):
    def backward_pass(self, X, Y):
        m = X.shape[1]
        self.dW1, self.db1 = np.zeros_like(self.W1), np.zeros_like(self.b1)
        self.dW2, self.db2 = np.zeros_like(self.W2), np.zeros_like(self.b2)
        for k in range(m):
            for j in range(len(self.W2)):
                error = (self.A2[j, k] - Y[j, k]) / m
                self.db2[j, 0] += error
                for i in range(len(self.W1)):
                    self.dW2[j, i] += error * self.A1[i, k]
                    signal = error * self.W2[j, i] * self.A1[i, k] * (1 - self.A1[i, k])
                    self.db1[i, 0] += signal
                    for n in range(len(X)):
                        self.dW1[i, n] += signal * X[n, k]
''' + UPDATE,
    ),
    right(
        "einsum-hidden-first",
        "einsum, the hidden layer first, in-place updates, the derivative computed from Z1",
        network='''
class SimpleNeuralNetwork(GivenNetwork):
    def backward_pass(self, X, Y):
        error = self.A2 - Y
        slope = np.exp(-self.Z1) / (1 + np.exp(-self.Z1)) ** 2
        self.dW1 = np.einsum("oh,om,hm,nm->hn", self.W2, error, slope, X) / X.shape[1]
        self.db1 = np.einsum("oh,om,hm->h", self.W2, error, slope)[:, None] / X.shape[1]
        self.dW2 = np.einsum("om,hm->oh", error, self.A1) / X.shape[1]
        self.db2 = error.mean(axis=1)[:, None]

    def update_parameters(self, learning_rate):
        self.W2 -= learning_rate * self.dW2
        self.b2 -= learning_rate * self.db2
        self.W1 -= learning_rate * self.dW1
        self.b1 -= learning_rate * self.db1
''',
        train_on_moons='''
def train_on_moons(network_class, epochs, learning_rate, seed):
    X, Y, X_test, Y_test = load_moons()
    network = network_class(2, 4, 1, rng=seed)
    losses = network.train(X, Y, epochs, learning_rate)
    train = np.mean((network.forward_pass(X) > 0.5) == Y)
    test = np.mean((network.forward_pass(X_test) > 0.5) == Y_test)
    return [float(losses[-1]), float(train), float(test)]
''',
    ),
    right(
        "rows",
        "one row per example inside, the whole chain rule at the output",
        network='''
class SimpleNeuralNetwork(GivenNetwork):
    def backward_pass(self, X, Y):
        a2, a1, y = self.A2.T, self.A1.T, Y.T
        by_a2 = (a2 - y) / (a2 * (1 - a2))
        error = by_a2 * a2 * (1 - a2)
        signal = error.dot(self.W2) * a1 * (1 - a1)
        self.dW2 = (a1.T.dot(error) / len(error)).T
        self.dW1 = (X.dot(signal) / len(error)).T
        self.db2 = error.mean(axis=0).reshape(-1, 1)
        self.db1 = signal.mean(axis=0).reshape(-1, 1)
''' + UPDATE,
    ),
    right(
        "float32",
        "single precision in both methods",
        network='''
class SimpleNeuralNetwork(GivenNetwork):
    def backward_pass(self, X, Y):
        f = np.float32
        error, A1 = (self.A2 - Y).astype(f), self.A1.astype(f)
        signal = (self.W2.astype(f).T @ error) * A1 * (1 - A1)
        m = f(X.shape[1])
        self.dW2, self.db2 = error @ A1.T / m, error.sum(axis=1, keepdims=True) / m
        self.dW1, self.db1 = signal @ X.astype(f).T / m, signal.sum(axis=1, keepdims=True) / m

    def update_parameters(self, learning_rate):
        f = np.float32
        for name in ("W1", "b1", "W2", "b2"):
            step = f(learning_rate) * getattr(self, "d" + name).astype(f)
            setattr(self, name, getattr(self, name).astype(f) - step)
''',
    ),
    right(
        "loss-after-training",
        "the final loss is computed once more after the last update",
        train_on_moons='''
def train_on_moons(network_class, epochs, learning_rate, seed):
    X_train, Y_train, X_test, Y_test = load_moons()
    network = network_class(2, 4, 1, rng=seed)
    network.train(X_train, Y_train, epochs, learning_rate)
    on_test = accuracy(network.predict(X_test), Y_test)
    on_train = accuracy(network.predict(X_train), Y_train)
    return network.compute_loss(Y_train), on_train, on_test
''',
    ),
    right(
        "report-as-array",
        "the three numbers of the training as one array",
        train_on_moons=(
            "def train_on_moons(network_class, epochs, learning_rate, seed):\n"
            "    X, Y, X_test, Y_test = load_moons()\n"
            "    network = network_class(2, 4, 1, rng=seed)\n"
            "    *_, loss = network.train(X, Y, epochs, learning_rate)\n"
            "    return np.array([loss, accuracy(network.predict(X), Y), accuracy(network.predict(X_test), Y_test)])"
        ),
    ),
    right(
        "activations-overwritten",
        "the activations are overwritten on the way back, all four parameters in one line",
        network='''
class SimpleNeuralNetwork(GivenNetwork):
    def backward_pass(self, X, Y):
        m = X.shape[1]
        self.A2 -= Y
        self.dW2 = self.A2 @ self.A1.T / m
        self.db2 = self.A2.mean(axis=1, keepdims=True)
        self.A1 *= 1 - self.A1
        dZ1 = (self.W2.T @ self.A2) * self.A1
        self.dW1 = dZ1 @ X.T / m
        self.db1 = dZ1.mean(axis=1, keepdims=True)
    def update_parameters(self, learning_rate):
        self.W1, self.b1, self.W2, self.b2 = (p - learning_rate * d for p, d in zip((self.W1, self.b1, self.W2, self.b2), (self.dW1, self.db1, self.dW2, self.db2)))
''',
    ),
    right(
        "own-class",
        "a class that inherits nothing; products with ones for sums; a list for the report",
        network='''
class SimpleNeuralNetwork:
    def __init__(self, n, h, o, rng=None, weight_scale=0.01):
        rng = np.random.default_rng(rng)
        self.W1 = rng.standard_normal((h, n)) * weight_scale
        self.b1 = np.zeros((h, 1))
        self.W2 = rng.standard_normal((o, h)) * weight_scale
        self.b2 = np.zeros((o, 1))
    forward_pass = GivenNetwork.forward_pass
    compute_loss = GivenNetwork.compute_loss
    train = GivenNetwork.train
    predict = GivenNetwork.predict
    def backward_pass(self, X, Y):
        p = self.A2
        g = (-(Y / p) + (1 - Y) / (1 - p)) / Y.shape[1]
        g = g * p * (1 - p)
        self.dW2, self.db2 = g @ self.A1.T, g @ np.ones((Y.shape[1], 1))
        g = self.W2.T @ g
        g = g * self.A1 - g * self.A1**2
        self.dW1, self.db1 = g @ X.T, g @ np.ones((Y.shape[1], 1))
    def update_parameters(self, a):
        self.W1 = self.W1 - a * self.dW1; self.b1 = self.b1 - a * self.db1
        self.W2 = self.W2 - a * self.dW2; self.b2 = self.b2 - a * self.db2
''',
        train_on_moons='''
def train_on_moons(network_class, epochs, learning_rate, seed, verbose=False):
    X_train, Y_train, X_test, Y_test = load_moons()
    net = network_class(2, 4, 1, rng=seed)
    history = net.train(X_train, Y_train, learning_rate=learning_rate, epochs=epochs)
    score = lambda X, Y: np.sum((net.forward_pass(X) >= 0.5).astype(int) == Y) / Y.size
    return [history[-1], score(X_train, Y_train), score(X_test, Y_test)]
''',
    ),
    right(
        "lists",
        "gradients as nested lists",
        network='''
class SimpleNeuralNetwork(GivenNetwork):
    def backward_pass(self, X, Y):
        m = X.shape[1]
        d = (self.A2 - Y) / m
        self.dW2 = (d @ self.A1.T).tolist()
        self.db2 = d.sum(axis=1, keepdims=True).tolist()
        d = (self.W2.T @ d) * self.A1 * (1 - self.A1)
        self.dW1 = (d @ X.T).tolist()
        self.db1 = d.sum(axis=1, keepdims=True).tolist()
    def update_parameters(self, learning_rate):
        for p in ("W1", "b1", "W2", "b2"):
            setattr(self, p, getattr(self, p) - learning_rate * np.array(getattr(self, "d" + p)))
''',
    ),
)


def _edit(variant_id, title, edits, loses, named=None, statuses=None):
    """A wrong variant that changes places of the network."""
    return wrong(variant_id, title, edits={"network": edits}, loses=loses, named=named, statuses=statuses)


def _dW2(variant_id, title, *edits, named=None):
    return _edit(variant_id, title, edits, {"output_gradients.dW2": 3}, {"output_gradients.dW2": named} if named else None)


def _dW1(variant_id, title, *edits, named=None):
    return _edit(variant_id, title, edits, {"hidden_gradients.dW1": 5}, {"hidden_gradients.dW1": named} if named else None)


SLOPE = " * self.A1 * (1 - self.A1)"

WRONG = (
    _dW2("no-division-by-m", "gradients are summed, not averaged", ("(self.A2 - Y) / m", "self.A2 - Y"),
         named="missing-1-over-m"),
    _dW2("divided-twice", "divided by m once more at dW2", ("dZ2 @ self.A1.T", "dZ2 @ self.A1.T / m"),
         named="divided-by-m-twice"),
    _dW2("mean-of-all", "divided by all entries of Y", ("(self.A2 - Y) / m", "(self.A2 - Y) / Y.size"),
         named="mean-over-outputs"),
    _dW2("sign", "Y - A2 instead of A2 - Y", ("(self.A2 - Y) / m", "(Y - self.A2) / m"), named="sign-flipped"),
    _dW2("factor-two", "the error of a squared loss", ("(self.A2 - Y) / m", "2 * (self.A2 - Y) / m"),
         named="factor-2-extra"),
    _dW2("extra-output-derivative", "a(1 - a) is multiplied on, although cross-entropy has cancelled it",
         ("(self.A2 - Y) / m", "(self.A2 - Y) * self.A2 * (1 - self.A2) / m"), named="extra-output-derivative"),
    _dW2("z2-for-a2", "the pre-activation is compared with the target", ("(self.A2 - Y) / m", "(self.Z2 - Y) / m"),
         named="pre-activation-in-output-error"),
    _dW2("z1-for-a1", "Z1 stands where A1 belongs", ("dZ2 @ self.A1.T", "dZ2 @ self.Z1.T"), named="z-for-a-in-gradient"),
    _edit("transposed", "dW2 is transposed: with it the update makes a matrix of W2",
          [("dZ2 @ self.A1.T", "(dZ2 @ self.A1.T).T")], {"output_gradients.dW2": 3},
          {"output_gradients.dW2": "result-transposed"}),
    _edit("db2-everything", "db2 is summed over everything", [("np.sum(dZ2, axis=1, keepdims=True)", "np.sum(dZ2) * np.ones_like(self.b2)")],
          {"output_gradients.db2": 1}, {"output_gradients.db2": "bias-summed-over-everything"}),
    _dW1("no-derivative", "the derivative of the sigmoid is left out", (SLOPE, ""), named="activation-derivative-missing"),
    _dW1("only-a", "only half of the derivative", (SLOPE, " * self.A1"), named="half-of-the-derivative"),
    _dW1("derivative-at-z", "z(1 - z)", (SLOPE, " * self.Z1 * (1 - self.Z1)"), named="pre-activation-in-derivative"),
    _dW1("derivative-at-a", "the sigmoid is applied once more", (SLOPE, " * sigmoid(self.A1) * (1 - sigmoid(self.A1))"),
         named="derivative-at-activation"),
    _dW1("tanh-derivative", "1 - a^2", (SLOPE, " * (1 - self.A1**2)"), named="tanh-derivative-with-sigmoid"),
    _dW1("dW2-for-W2", "the gradient carries the error back", ("self.W2.T @ dZ2", "self.dW2.T @ dZ2"),
         named="gradient-used-for-weights"),
    _edit("a1-minus-y", "the hidden layer is compared with the target, which only fits with one output",
          [("(self.W2.T @ dZ2) * self.A1 * (1 - self.A1)", "(self.A1 - Y) / m")],
          {"hidden_gradients": 7}, statuses={"hidden_gradients": "raised"}),
    _dW1("a1-for-x", "A1 stands where X belongs", ("dZ1 @ X.T", "dZ1 @ self.A1[: len(X)].T")),
    _dW1("absolute-weights", "the sign of W2 is lost", ("self.W2.T @ dZ2", "np.abs(self.W2).T @ dZ2"), named="absolute-weights"),
    _edit("db1-everything", "db1 is summed over everything", [("np.sum(dZ1, axis=1, keepdims=True)", "np.sum(dZ1) * np.ones_like(self.b1)")],
          {"hidden_gradients.db1": 2}, {"hidden_gradients.db1": "bias-summed-over-everything"}),
    _edit("db1-from-dW1", "db1 from the rows of dW1", [("np.sum(dZ1, axis=1, keepdims=True)", "np.sum(self.dW1, axis=1, keepdims=True)")],
          {"hidden_gradients.db1": 2}, {"hidden_gradients.db1": "bias-from-rows-of-dw"}),
    _edit("db1-flat", "db1 has shape (h,): the update makes a matrix of b1",
          [("np.sum(dZ1, axis=1, keepdims=True)", "np.sum(dZ1, axis=1)")],
          {"hidden_gradients.db1": 1}, {"hidden_gradients.db1": "wrong-shape"}),
    _edit("two-slips", "two independent slips in two layers", [("(self.A2 - Y) / m", "self.A2 - Y"), (SLOPE, " * self.A1")],
          {"output_gradients.dW2": 3, "hidden_gradients.dW1": 5},
          {"output_gradients.dW2": "missing-1-over-m", "hidden_gradients.dW1": "half-of-the-derivative"}),
    _edit("ascent", "all parameters go up the slope: charged once",
          [(f"self.{n} - learning_rate", f"self.{n} + learning_rate") for n in ("W1", "b1", "W2", "b2")],
          {"update_step.W1_new": 2}, {"update_step.W1_new": "sign-flipped"}),
    _edit("no-rate", "the learning rate is forgotten everywhere",
          [(f"learning_rate * self.d{n}", f"self.d{n}") for n in ("W1", "b1", "W2", "b2")],
          {"update_step.W1_new": 2}, {"update_step.W1_new": "learning-rate-missing"}),
    _edit("b2-ascent", "only b2 goes up the slope", [("self.b2 - learning_rate", "self.b2 + learning_rate")],
          {"update_step.b2_new": 1}, {"update_step.b2_new": "sign-flipped"}),
    _edit("biases-forgotten", "the biases are never updated",
          [("self.b1 = self.b1 - learning_rate * self.db1", "pass"), ("self.b2 = self.b2 - learning_rate * self.db2", "pass")],
          {"update_step.b1_new": 1, "update_step.b2_new": 1},
          {f"update_step.{n}_new": "parameter-never-updated" for n in ("b1", "b2")}),
    _edit("local-names", "the new values are kept in local names only",
          [(f"self.{n} = self.{n} - learning", f"{n} = self.{n} - learning") for n in ("W1", "b1", "W2", "b2")],
          {"update_step": 5},
          {f"update_step.{n}_new": "parameter-never-updated" for n in ("W1", "b1", "W2", "b2")}),
    _edit("assigned", "W2 is replaced by the step", [("self.W2 = self.W2 - learning_rate * self.dW2", "self.W2 = -learning_rate * self.dW2")],
          {"update_step.W2_new": 1}, {"update_step.W2_new": "parameter-assigned-not-updated"}),
    _edit("wrong-gradient", "b1 is moved by db2", [("self.b1 - learning_rate * self.db1", "self.b1 - learning_rate * np.sum(self.db2)")],
          {"update_step.b1_new": 1}),
    wrong(
        "test-on-training-set",
        "the test accuracy is measured on the training set",
        edits={"train_on_moons": [("accuracy(network.predict(X_test), Y_test)", "accuracy(network.predict(X_train), Y_train)")]},
        loses={"training_report.test_accuracy": 1},
    ),
    wrong(
        "first-loss",
        "the first loss instead of the last",
        edits={"train_on_moons": [("losses[-1]", "losses[0]")]},
        loses={"training_report.final_loss": 1},
    ),
    wrong(
        "trained-on-test-set",
        "trained on the test set",
        edits={"train_on_moons": [("network.train(X_train, Y_train,", "network.train(X_test, Y_test,")]},
        loses={"training_report.final_loss": 1},
        named={"training_report.final_loss": "trained-on-test-data"},
    ),
    *(
        wrong(
            f"ignores-{what}",
            f"train_on_moons does not use its argument {what}",
            edits={"train_on_moons": [(old, new)]},
            loses={"training_report.final_loss": 1},
            named={"training_report.final_loss": mistake},
        )
        for what, old, new, mistake in (
            ("network_class", "network_class(2, 4, 1, rng=seed)", "SimpleNeuralNetwork(2, 4, 1, rng=seed)", "argument-ignored"),
            ("epochs", "Y_train, epochs, learning_rate)", "Y_train, 50, learning_rate)", "argument-ignored"),
            ("learning_rate", "Y_train, epochs, learning_rate)", "Y_train, epochs, 0.1)", "argument-ignored"),
            ("seed", "rng=seed", "rng=1", "argument-ignored"),
            ("seed-at-all", ", rng=seed", "", "seed-missing"),
        )
    ),
    wrong(
        "all-losses",
        "the whole list of losses is returned",
        edits={"train_on_moons": [("losses[-1]", "losses")]},
        loses={"training_report.final_loss": 1},
    ),
    wrong(
        "gradient-added-up",
        "a gradient is added to that of the call before",
        edits={"network": [("self.dW2 = dZ2 @ self.A1.T", "self.dW2 = getattr(self, 'dW2', 0) + dZ2 @ self.A1.T")]},
        loses={"output_gradients.db2": 1},
        named={"output_gradients.db2": "gradients-added-up"},
    ),
    wrong(
        "second-call-differs",
        "the second call turns the sign round",
        edits={"network": [("self.dW2 = dZ2 @ self.A1.T", "self.dW2 = (-1.0 if hasattr(self, 'dW2') else 1.0) * dZ2 @ self.A1.T")]},
        loses={"output_gradients.db2": 1},
        named={"output_gradients.db2": "second-backward-pass-differs"},
    ),
    wrong(
        "second-call-fails",
        "the second call stops",
        edits={"network": [("self.dW2 = dZ2 @ self.A1.T", "self.dW2 = 1 / (not hasattr(self, 'dW2')) * dZ2 @ self.A1.T")]},
        loses={"output_gradients.db2": 1},
        named={"output_gradients.db2": "second-backward-pass-fails"},
    ),
    wrong(
        "backward-moves-weights",
        "right gradients, and a step in the backward pass already",
        edits={"network": [("self.db1 = np.sum(dZ1, axis=1, keepdims=True)", "self.db1 = np.sum(dZ1, axis=1, keepdims=True)\n        self.W1 = self.W1 - 0.1 * self.dW1")]},
        loses={"hidden_gradients.db1": 1},
        named={"hidden_gradients.db1": "parameters-changed-by-backward-pass"},
    ),
    wrong(
        "report-in-percent",
        "accuracies in percent",
        edits={"train_on_moons": [("return losses[-1], on_train, on_test", "return losses[-1], 100 * on_train, 100 * on_test")]},
        loses={"training_report.train_accuracy": 1},
        named={"training_report.train_accuracy": "percent"},
    ),
    wrong(
        "report-of-the-first-loss",
        "the first loss in place of the last one",
        edits={"train_on_moons": [("losses[-1]", "losses[0]")]},
        loses={"training_report.final_loss": 1},
        named={"training_report.final_loss": "first-loss"},
    ),
    wrong(
        "report-exchanged",
        "the two accuracies in the other order",
        edits={"train_on_moons": [("return losses[-1], on_train, on_test", "return losses[-1], on_test, on_train")]},
        loses={"training_report.train_accuracy": 1},
        named={"training_report.train_accuracy": "tested-on-training-data"},
    ),
    wrong(
        'start-at-one-half',
        'the output for the loss',
        cells={'start': 'start_loss = 0.5'},
        loses={'loss_at_the_start.start_loss': 1},
    ),
)

ALLOWED = {
    "a1-minus-y": "a formula of another layer, not a slip in one of this",
}

UNPLACED = {
    'start-at-one-half': 'a statement in words or numbers: nothing is worked out',
}
