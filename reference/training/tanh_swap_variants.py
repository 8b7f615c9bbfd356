"""Other solutions of tanh_swap: right ones in another style, and wrong ones with what they must cost."""

from autograder.audit import right, wrong

RIGHT = (
    right(
        "loops",
        "sums over examples and units written as loops",
        network='''
class TanhNetwork(SimpleNeuralNetwork):
    def forward_pass(self, X):
        self.Z1 = np.array([[sum(w * x for w, x in zip(row, column)) + b[0] for column in X.T]
                            for row, b in zip(self.W1, self.b1)])
        self.A1 = np.tanh(self.Z1)
        self.Z2 = np.array([[sum(w * a for w, a in zip(row, column)) + b[0] for column in self.A1.T]
                            for row, b in zip(self.W2, self.b2)])
        self.A2 = 1 / (1 + np.exp(-self.Z2))
        return self.A2

    def backward_pass(self, X, Y):
        m = X.shape[1]
        self.dW1, self.db1 = np.zeros_like(self.W1), np.zeros_like(self.b1)
        self.dW2, self.db2 = np.zeros_like(self.W2), np.zeros_like(self.b2)
        for k in range(m):
            error = self.A2[:, k] - Y[:, k]
            self.dW2 += np.outer(error, self.A1[:, k]) / m
            self.db2[:, 0] += error / m
            signal = np.zeros(len(self.W1))
            for i in range(len(self.W1)):
                for j in range(len(self.W2)):
                    signal[i] += self.W2[j, i] * error[j]
                signal[i] *= 1 - np.tanh(self.Z1[i, k]) ** 2
            self.dW1 += np.outer(signal, X[:, k]) / m
            self.db1[:, 0] += signal / m
''',
    ),
    right(
        "einsum",
        "einsum, the hidden layer first, the derivative as 1/cosh^2",
        network='''
class TanhNetwork(SimpleNeuralNetwork):
    def forward_pass(self, X):
        self.Z1 = np.einsum("hn,nm->hm", self.W1, X) + self.b1
        self.A1 = 2 / (1 + np.exp(-2 * self.Z1)) - 1
        self.Z2 = np.einsum("oh,hm->om", self.W2, self.A1) + self.b2
        self.A2 = 0.5 * (1 + np.tanh(self.Z2 / 2))
        return self.A2

    def backward_pass(self, X, Y):
        error = (self.A2 - Y) / Y.shape[1]
        signal = np.einsum("oh,om,hm->hm", self.W2, error, 1 / np.cosh(self.Z1) ** 2)
        self.dW1 = np.einsum("hm,nm->hn", signal, X)
        self.db1 = signal.sum(axis=1).reshape(-1, 1)
        self.dW2 = np.einsum("om,hm->oh", error, self.A1)
        self.db2 = error.sum(axis=1).reshape(-1, 1)
''',
        train_on_moons='''
def train_on_moons(network_class, epochs, learning_rate, seed):
    X, Y, X_test, Y_test = load_moons()
    network = network_class(2, 4, 1, rng=seed)
    losses = network.train(X, Y, epochs, learning_rate)
    train = np.mean((network.forward_pass(X) > 0.5) == Y)
    test = np.mean((network.forward_pass(X_test) > 0.5) == Y_test)
    return float(losses[-1]), float(train), float(test)
''',
    ),
    right(
        "rows",
        "one row per example inside, transposed at the end",
        network='''
class TanhNetwork(SimpleNeuralNetwork):
    def forward_pass(self, X):
        rows = X.T
        z1 = rows.dot(self.W1.T) + self.b1.ravel()
        a1 = np.tanh(z1)
        z2 = a1.dot(self.W2.T) + self.b2.ravel()
        a2 = 1.0 / (1.0 + np.exp(-z2))
        self.Z1, self.A1, self.Z2, self.A2 = z1.T, a1.T, z2.T, a2.T
        return self.A2

    def backward_pass(self, X, Y):
        error = (self.A2 - Y).T
        signal = error.dot(self.W2) * (1 - self.A1.T ** 2)
        self.dW2 = (self.A1.dot(error) / len(error)).T
        self.dW1 = (X.dot(signal) / len(error)).T
        self.db2 = error.mean(axis=0)[:, None]
        self.db1 = signal.mean(axis=0)[:, None]
''',
    ),
    right(
        "float32",
        "everything in single precision",
        network='''
class TanhNetwork(SimpleNeuralNetwork):
    def forward_pass(self, X):
        f = np.float32
        self.Z1 = self.W1.astype(f) @ X.astype(f) + self.b1.astype(f)
        self.A1 = np.tanh(self.Z1)
        self.Z2 = self.W2.astype(f) @ self.A1 + self.b2.astype(f)
        self.A2 = 1 / (1 + np.exp(-self.Z2))
        return self.A2

    def backward_pass(self, X, Y):
        f = np.float32
        X, Y, m = X.astype(f), Y.astype(f), f(X.shape[1])
        error = self.A2 - Y
        self.dW2 = error @ self.A1.T / m
        self.db2 = error.sum(axis=1, keepdims=True) / m
        signal = (self.W2.astype(f).T @ error) * (1 - self.A1**2)
        self.dW1 = signal @ X.T / m
        self.db1 = signal.sum(axis=1, keepdims=True) / m
''',
    ),
    right(
        "activations-overwritten",
        "in-place operations, np.inner and np.tensordot",
        network='''
class TanhNetwork(SimpleNeuralNetwork):
    def forward_pass(self, X):
        self.Z1 = self.W1 @ X
        self.Z1 += self.b1
        self.A1 = np.tanh(self.Z1)
        self.Z2 = self.W2 @ self.A1
        self.Z2 += self.b2
        self.A2 = -self.Z2
        np.exp(self.A2, out=self.A2)
        self.A2 += 1
        np.divide(1, self.A2, out=self.A2)
        return self.A2
    def backward_pass(self, X, Y):
        self.dZ2 = self.A2
        self.dZ2 -= Y
        self.dZ2 /= len(Y[0])
        self.dW2 = np.inner(self.dZ2, self.A1)
        self.db2 = np.sum(self.dZ2, axis=-1)[..., None]
        self.dA1 = np.tensordot(self.W2, self.dZ2, ([0], [0]))
        self.A1 **= 2
        self.dA1 -= self.dA1 * self.A1
        self.dW1 = np.inner(self.dA1, X)
        self.db1 = np.sum(self.dA1, axis=-1)[..., None]
''',
    ),
)


def _edit(variant_id, title, old, new, loses, named):
    """A wrong variant that changes one place of the network."""
    return wrong(variant_id, title, edits={"network": [(old, new)]}, loses=loses, named=named)


WRONG = (
    wrong(
        "tanh-on-output",
        "tanh in both layers",
        edits={"network": [("self.A2 = 1 / (1 + np.exp(-self.Z2))", "self.A2 = np.tanh(self.Z2)")]},
        loses={"forward_tanh.A2": 1},
        named={"forward_tanh.A2": "hidden-activation-on-output"},
    ),
    wrong(
        "hidden-bias-forgotten",
        "Z1 without its bias",
        edits={"network": [("self.W1 @ X + self.b1", "self.W1 @ X")]},
        loses={"forward_tanh.Z1": 1},
        named={"forward_tanh.Z1": "bias-forgotten"},
    ),
    wrong(
        "tanh-twice",
        "tanh is applied to what is one already",
        edits={"network": [("self.A1 = np.tanh(self.Z1)", "self.A1 = np.tanh(np.tanh(self.Z1))")]},
        loses={"forward_tanh.A1": 1},
        named={"forward_tanh.A1": "activation-applied-twice"},
    ),
    _edit(
        "sigmoid-derivative",
        "the sigmoid's derivative is kept",
        "(1 - self.A1**2)",
        "self.A1 * (1 - self.A1)",
        {"hidden_gradients.dW1": 5},
        {"hidden_gradients.dW1": "sigmoid-derivative-with-tanh"},
    ),
    wrong(
        "no-division-by-m",
        "gradients are summed, not averaged",
        edits={
            "network": [
                ("dZ2 @ self.A1.T / m", "dZ2 @ self.A1.T"),
                ("np.sum(dZ2, axis=1, keepdims=True) / m", "np.sum(dZ2, axis=1, keepdims=True)"),
                ("dZ1 @ X.T / m", "dZ1 @ X.T"),
                ("np.sum(dZ1, axis=1, keepdims=True) / m", "np.sum(dZ1, axis=1, keepdims=True)"),
            ]
        },
        loses={"output_gradients.dW2": 3},
        named={"output_gradients.dW2": "missing-1-over-m"},
    ),
    _edit(
        "no-derivative",
        "the derivative of tanh is left out",
        " * (1 - self.A1**2)",
        "",
        {"hidden_gradients.dW1": 5},
        {"hidden_gradients.dW1": "activation-derivative-missing"},
    ),
    _edit(
        "derivative-at-a",
        "the derivative is taken at a instead of z",
        "(1 - self.A1**2)",
        "(1 - np.tanh(self.A1) ** 2)",
        {"hidden_gradients.dW1": 5},
        {"hidden_gradients.dW1": "derivative-at-activation"},
    ),
    _edit(
        "square-missing",
        "1 - tanh instead of 1 - tanh^2",
        "(1 - self.A1**2)",
        "(1 - self.A1)",
        {"hidden_gradients.dW1": 5},
        {"hidden_gradients.dW1": "square-missing"},
    ),
    _edit(
        "precedence",
        "a pair of brackets is missing",
        "* (1 - self.A1**2)",
        "* 1 - self.A1**2",
        {"hidden_gradients.dW1": 5},
        {"hidden_gradients.dW1": "derivative-without-brackets"},
    ),
    _edit(
        "extra-output-derivative",
        "a(1 - a) is multiplied on, although cross-entropy has cancelled it",
        "dZ2 = self.A2 - Y",
        "dZ2 = (self.A2 - Y) * self.A2 * (1 - self.A2)",
        {"output_gradients.dW2": 3},
        {"output_gradients.dW2": "extra-output-derivative"},
    ),
    _edit(
        "sign",
        "Y - A2 instead of A2 - Y",
        "dZ2 = self.A2 - Y",
        "dZ2 = Y - self.A2",
        {"output_gradients.dW2": 3},
        {"output_gradients.dW2": "sign-flipped"},
    ),
    _edit(
        "bias-not-summed",
        "the bias gradient is summed over everything",
        "np.sum(dZ1, axis=1, keepdims=True) / m",
        "np.sum(dZ1) / m",
        {"hidden_gradients.db1": 3},
        {},
    ),
    wrong(
        "flat-bias",
        "the bias gradient has shape (h,), so that the update turns b1 into a matrix",
        edits={
            "network": [("np.sum(dZ1, axis=1, keepdims=True) / m", "np.sum(dZ1, axis=1) / m")],
        },
        loses={"hidden_gradients.db1": 1.5},
        named={"hidden_gradients.db1": "wrong-shape"},
    ),
    _edit(
        "z1-for-a1",
        "Z1 stands where A1 belongs in dW2",
        "dZ2 @ self.A1.T / m",
        "dZ2 @ self.Z1.T / m",
        {"output_gradients.dW2": 3},
        {"output_gradients.dW2": "z-for-a-in-gradient"},
    ),
    _edit(
        "still-sigmoid",
        "the forward pass still uses the sigmoid",
        "self.A1 = np.tanh(self.Z1)",
        "self.A1 = 1 / (1 + np.exp(-self.Z1))",
        {"forward_tanh.A1": 1},
        {},
    ),
    wrong(
        "exchanged",
        "A1 and Z1 are swapped",
        edits={"network": [("self.Z1 = self.W1 @ X + self.b1\n        self.A1 = np.tanh(self.Z1)\n        self.Z2 = self.W2 @ self.A1",
                            "self.A1 = self.W1 @ X + self.b1\n        self.Z1 = np.tanh(self.A1)\n        self.Z2 = self.W2 @ self.Z1")]},
        loses={"forward_tanh.Z1": 1},
        named={"forward_tanh.Z1": "activation-and-pre-activation-exchanged"},
    ),
    _edit(
        "bias-forgotten",
        "the forward pass leaves out b1",
        "self.W1 @ X + self.b1",
        "self.W1 @ X",
        {"forward_tanh.Z1": 1},
        {},
    ),
    wrong(
        "two-slips",
        "two independent slips in two layers",
        edits={
            "network": [
                ("dZ2 @ self.A1.T / m", "dZ2 @ self.A1.T"),
                ("(1 - self.A1**2)", "self.A1 * (1 - self.A1)"),
            ]
        },
        loses={"output_gradients.dW2": 3, "hidden_gradients.dW1": 5},
        named={
            "output_gradients.dW2": "missing-1-over-m",
            "hidden_gradients.dW1": "sigmoid-derivative-with-tanh",
        },
    ),
    wrong(
        "hidden-layer-raises",
        "an error in the hidden layer, after the gradients of the output layer are there",
        edits={"network": [("(self.W2.T @ dZ2)", "(self.W2 @ dZ2)")]},
        loses={"hidden_gradients": 8},
        statuses={"hidden_gradients": "raised"},
    ),
    wrong(
        "accuracy-as-loss",
        "train_on_moons returns its numbers in another order",
        edits={"train_on_moons": [("        losses[-1],\n", ""), ("Y_test),\n    )", "Y_test),\n        losses[-1],\n    )")]},
        loses={"training_report": 3},
    ),
    wrong(
        "constant-network",
        "a network that computes nothing, and a report that agrees with it",
        cells={
            "network": """
class TanhNetwork(SimpleNeuralNetwork):
    def forward_pass(self, X):
        self.Z1 = self.A1 = self.Z2 = self.A2 = np.ones((1, X.shape[1]))
        return self.A2

    def backward_pass(self, X, Y):
        self.dW1 = self.db1 = self.dW2 = self.db2 = np.zeros((1, 1))

    def compute_loss(self, Y):
        return 0.5

    def train(self, X, Y, epochs, learning_rate):
        return [0.5] * epochs
""",
            "train_on_moons": """
def train_on_moons(network_class, epochs, learning_rate, seed):
    X, Y, X_test, Y_test = load_moons()
    return 0.5, float(Y.mean()), float(Y_test.mean())
""",
        },
        loses={"forward_tanh": 5, "output_gradients": 4, "hidden_gradients": 8, "training_report": 3},
    ),
    wrong(
        "missing-return",
        "forward_pass returns nothing",
        edits={"network": [("        return self.A2\n", "")]},
        loses={"forward_tanh.returned": 1},
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
            ("network_class", "network_class(2, 4, 1, rng=seed)", "TanhNetwork(2, 4, 1, rng=seed)", "argument-ignored"),
            ("epochs", "Y_train, epochs, learning_rate)", "Y_train, 50, learning_rate)", "argument-ignored"),
            ("learning_rate", "Y_train, epochs, learning_rate)", "Y_train, epochs, 0.1)", "argument-ignored"),
            ("seed", "rng=seed", "rng=1", "argument-ignored"),
            ("seed-at-all", ", rng=seed", "", "seed-missing"),
        )
    ),
    wrong(
        "test-on-training-set",
        "the test accuracy is measured on the training set",
        edits={"train_on_moons": [("accuracy(network.predict(X_test), Y_test)", "accuracy(network.predict(X_train), Y_train)")]},
        loses={"training_report.test_accuracy": 1},
    ),
    wrong(
        "gradient-added-up",
        "a gradient is added to that of the call before",
        edits={"network": [("self.dW2 = dZ2 @ self.A1.T / m", "self.dW2 = getattr(self, 'dW2', 0) + dZ2 @ self.A1.T / m")]},
        loses={"output_gradients.db2": 1},
        named={"output_gradients.db2": "gradients-added-up"},
    ),
    wrong(
        "backward-moves-weights",
        "right gradients, and a step in the backward pass already",
        edits={"network": [("self.db1 = np.sum(dZ1, axis=1, keepdims=True) / m", "self.db1 = np.sum(dZ1, axis=1, keepdims=True) / m\n        self.W1 = self.W1 - 0.1 * self.dW1")]},
        loses={"hidden_gradients.db1": 1.5},
        named={"hidden_gradients.db1": "parameters-changed-by-backward-pass"},
    ),
    wrong(
        "report-in-percent",
        "accuracies in percent",
        edits={"train_on_moons": [("accuracy(network.predict(X_train)", "100 * accuracy(network.predict(X_train)"),
               ("accuracy(network.predict(X_test)", "100 * accuracy(network.predict(X_test)")]},
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
)

ALLOWED = {
    "hidden-layer-raises": "what comes after the error is not computed",
    "forward_tanh.returned": "what is returned is what is stored",
}

UNPLACED = {
    "constant-network": "constants in every place: nothing is worked out",
}
