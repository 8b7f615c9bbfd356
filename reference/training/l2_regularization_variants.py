"""Other solutions of l2_regularization: right ones in another style, and wrong ones with what they must cost."""

from autograder.audit import right, wrong

RIGHT = (
    right(
        "loops",
        "sums over weights written as loops, training written out",
        network='''
class L2Network(SimpleNeuralNetwork):
    reg_lambda = 0.0

    def compute_loss(self, Y):
        penalty = 0.0
        for matrix in (self.W2, self.W1):
            for row in matrix:
                for w in row:
                    penalty += self.reg_lambda * w * w / 2 / Y.shape[1]
        return penalty + SimpleNeuralNetwork.compute_loss(self, Y)

    def backward_pass(self, X, Y):
        m = Y.shape[1]
        self.dW2, self.dW1 = np.zeros_like(self.W2), np.zeros_like(self.W1)
        self.db2, self.db1 = np.zeros_like(self.b2), np.zeros_like(self.b1)
        for k in range(m):
            error = (self.A2[:, k] - Y[:, k]) / m
            signal = self.W2.T.dot(error) * self.A1[:, k] * (1 - self.A1[:, k])
            self.dW2 += np.outer(error, self.A1[:, k])
            self.dW1 += np.outer(signal, X[:, k])
            self.db2[:, 0] += error
            self.db1[:, 0] += signal
        for i in range(self.W1.shape[0]):
            for j in range(self.W1.shape[1]):
                self.dW1[i, j] += self.reg_lambda * self.W1[i, j] / m
        for i in range(self.W2.shape[0]):
            for j in range(self.W2.shape[1]):
                self.dW2[i, j] += self.reg_lambda * self.W2[i, j] / m

    def train(self, X, Y, epochs, learning_rate, reg_lambda=0.0):
        self.reg_lambda = reg_lambda
        losses = []
        for _ in range(epochs):
            self.forward_pass(X)
            losses.append(self.compute_loss(Y))
            self.backward_pass(X, Y)
            self.update_parameters(learning_rate)
        return losses
''',
    ),
    right(
        "decay-form",
        "training multiplies the weights by 1 - alpha lambda / m and then follows the gradient of the data",
        network='''
class L2Network(SimpleNeuralNetwork):
    reg_lambda = 0.0

    def compute_loss(self, Y):
        everything = np.concatenate([self.W1.ravel(), self.W2.ravel()])
        return super().compute_loss(Y) + 0.5 * self.reg_lambda * (everything @ everything) / Y.shape[1]

    def backward_pass(self, X, Y):
        super().backward_pass(X, Y)
        self.dW2 += self.W2 * (self.reg_lambda / X.shape[1])
        self.dW1 += self.W1 * (self.reg_lambda / X.shape[1])

    def train(self, X, Y, epochs, learning_rate, reg_lambda=0.0):
        self.reg_lambda = reg_lambda
        shrink = 1 - learning_rate * reg_lambda / X.shape[1]
        losses = np.empty(epochs)
        for epoch in range(epochs):
            self.forward_pass(X)
            losses[epoch] = self.compute_loss(Y)
            SimpleNeuralNetwork.backward_pass(self, X, Y)
            self.W1 *= shrink
            self.W2 *= shrink
            self.update_parameters(learning_rate)
        return losses
''',
    ),
    right(
        "einsum",
        "everything written anew with einsum, W1 before W2, numpy table",
        network='''
class L2Network(SimpleNeuralNetwork):
    reg_lambda = 0.0

    def compute_loss(self, Y):
        m = Y.shape[1]
        data = -np.sum(Y * np.log(self.A2) + (1 - Y) * np.log(1 - self.A2)) / m
        norms = np.linalg.norm(self.W1) ** 2 + np.linalg.norm(self.W2) ** 2
        return np.array([[data + self.reg_lambda * norms / (2 * m)]])

    def backward_pass(self, X, Y):
        m = Y.shape[1]
        error = self.A2 - Y
        slope = self.A1 - self.A1**2
        self.dW1 = (np.einsum("om,oh,hm,nm->hn", error, self.W2, slope, X) + self.reg_lambda * self.W1) / m
        self.db1 = np.einsum("om,oh,hm->h", error, self.W2, slope)[:, None] / m
        self.dW2 = (np.einsum("om,hm->oh", error, self.A1) + self.reg_lambda * self.W2) / m
        self.db2 = np.einsum("om->o", error)[:, None] / m

    def train(self, X, Y, epochs, learning_rate, reg_lambda=0.0):
        self.reg_lambda, losses = reg_lambda, []
        for _ in range(epochs):
            self.forward_pass(X)
            losses.append(float(self.compute_loss(Y).item()))
            self.backward_pass(X, Y)
            self.update_parameters(learning_rate)
        return losses
''',
        lambda_study='''
def lambda_study(lambdas, X_train, Y_train, X_test, Y_test, epochs, learning_rate, seed):
    table = np.zeros((len(lambdas), 3))
    for i, strength in enumerate(lambdas):
        net = L2Network(2, 50, 1, rng=seed, weight_scale=5.0)
        net.train(X_train, Y_train, epochs, learning_rate, reg_lambda=strength)
        table[i, 0] = np.mean((net.forward_pass(X_train) > 0.5) == Y_train)
        table[i, 1] = 1 - np.mean(np.abs(net.predict(X_test) - Y_test))
        table[i, 2] = sum(np.square(w).sum() for w in (net.W1, net.W2))
    return table
''',
    ),
    right(
        "float32",
        "loss and gradients in single precision",
        network='''
class L2Network(SimpleNeuralNetwork):
    reg_lambda = 0.0

    def compute_loss(self, Y):
        squares = np.sum(self.W1.astype(np.float32) ** 2) + np.sum(self.W2.astype(np.float32) ** 2)
        return np.float32(super().compute_loss(Y)) + np.float32(self.reg_lambda / (2 * Y.shape[1])) * squares

    def backward_pass(self, X, Y):
        super().backward_pass(X, Y)
        strength = np.float32(self.reg_lambda / X.shape[1])
        self.dW1 = self.dW1.astype(np.float32) + strength * self.W1.astype(np.float32)
        self.dW2 = self.dW2.astype(np.float32) + strength * self.W2.astype(np.float32)
        self.db1 = self.db1.astype(np.float32)
        self.db2 = self.db2.astype(np.float32)

    def train(self, X, Y, epochs, learning_rate, reg_lambda=0.0):
        self.reg_lambda = reg_lambda
        return super().train(X, Y, epochs, learning_rate)
''',
    ),
    right(
        "loss-as-array",
        "the loss as a (1, 1) array",
        network='''
class L2Network(SimpleNeuralNetwork):
    reg_lambda = 0
    def compute_loss(self, Y):
        W = np.concatenate([self.W1.ravel(), self.W2.ravel()])[None, :]
        return super().compute_loss(Y) + self.reg_lambda / 2 / Y.shape[1] * (W @ W.T)
    def backward_pass(self, X, Y):
        super().backward_pass(X, Y)
        decay = self.reg_lambda / Y.shape[1]
        self.dW1, self.dW2 = self.dW1 + decay * self.W1, self.dW2 + decay * self.W2
    def train(self, X, Y, epochs, learning_rate, reg_lambda=0.0):
        self.reg_lambda = reg_lambda
        return super().train(X, Y, epochs, learning_rate)
''',
    ),
)

LOSS = "self.reg_lambda / (2 * Y.shape[1]) * squares"
SQUARES = "np.sum(self.W1**2) + np.sum(self.W2**2)"
DECAY_1 = "self.dW1 = self.dW1 + self.reg_lambda / m * self.W1"
DECAY_2 = "self.dW2 = self.dW2 + self.reg_lambda / m * self.W2"


def _loss(variant_id, title, old, new, named):
    """A wrong penalty in the loss, everything else right."""
    return wrong(
        variant_id,
        title,
        edits={"network": [(old, new)]},
        loses={"penalised_loss.loss": 4},
        named={"penalised_loss.loss": named} if named else {},
    )


def _decay(variant_id, title, first, second, named):
    """A wrong penalty in both weight gradients."""
    return wrong(
        variant_id,
        title,
        edits={"network": [(DECAY_1, first), (DECAY_2, second)]},
        loses={"weight_gradients.dW2": 4},
        named={"weight_gradients.dW2": named},
    )


WRONG = (
    _loss("loss-without-penalty", "the loss of the baseline", f" + {LOSS}", "", "penalty-missing"),
    _loss("loss-half", "lambda / (4m)", "(2 * Y.shape[1])", "(4 * Y.shape[1])", "penalty-halved"),
    _loss("loss-no-half", "lambda / m: the 1/2 is lost", "(2 * Y.shape[1])", "Y.shape[1]", "penalty-doubled"),
    _loss("loss-no-m", "lambda / 2: not divided by m", "(2 * Y.shape[1])", "2", "penalty-not-divided-by-m"),
    _loss("loss-precedence", "lambda / 2 * m: brackets forgotten", "(2 * Y.shape[1])", "2 * Y.shape[1]", ""),
    _loss("loss-sign", "large weights are rewarded", f" + {LOSS}", f" - {LOSS}", "penalty-sign-wrong"),
    _loss(
        "loss-biases",
        "biases are penalised in the loss only",
        SQUARES,
        f"{SQUARES} + np.sum(self.b1**2) + np.sum(self.b2**2)",
        "bias-penalised",
    ),
    _loss("loss-one-layer", "only W2 is penalised in the loss", SQUARES, "np.sum(self.W2**2)", "penalty-of-one-layer-only"),
    _loss(
        "loss-absolute",
        "absolute values instead of squares",
        SQUARES,
        "np.sum(np.abs(self.W1)) + np.sum(np.abs(self.W2))",
        "penalty-not-squared",
    ),
    _loss(
        "loss-norm",
        "norms instead of squared norms",
        SQUARES,
        "np.linalg.norm(self.W1) + np.linalg.norm(self.W2)",
        "penalty-of-the-norm",
    ),
    wrong(
        "gradients-without-penalty",
        "the penalty stands in the loss only",
        edits={"network": [(DECAY_1, "pass"), (DECAY_2, "pass")]},
        loses={"weight_gradients.dW2": 4, "weight_gradients.dW1": 4},
        named={"weight_gradients.dW2": "penalty-missing", "weight_gradients.dW1": "penalty-missing"},
    ),
    _decay(
        "gradient-half",
        "lambda / (2m) in the gradients",
        "self.dW1 = self.dW1 + self.reg_lambda / (2 * m) * self.W1",
        "self.dW2 = self.dW2 + self.reg_lambda / (2 * m) * self.W2",
        "penalty-halved",
    ),
    _decay(
        "gradient-doubled",
        "2 lambda / m in the gradients",
        "self.dW1 = self.dW1 + 2 * self.reg_lambda / m * self.W1",
        "self.dW2 = self.dW2 + 2 * self.reg_lambda / m * self.W2",
        "penalty-doubled",
    ),
    _decay(
        "gradient-no-m",
        "lambda alone in the gradients",
        "self.dW1 = self.dW1 + self.reg_lambda * self.W1",
        "self.dW2 = self.dW2 + self.reg_lambda * self.W2",
        "penalty-not-divided-by-m",
    ),
    _decay(
        "growth",
        "growth instead of decay",
        "self.dW1 = self.dW1 - self.reg_lambda / m * self.W1",
        "self.dW2 = self.dW2 - self.reg_lambda / m * self.W2",
        "penalty-sign-wrong",
    ),
    _decay(
        "one-number",
        "the penalty is added as one number",
        "self.dW1 = self.dW1 + self.reg_lambda / m * np.sum(self.W1)",
        "self.dW2 = self.dW2 + self.reg_lambda / m * np.sum(self.W2)",
        "penalty-added-as-one-number",
    ),
    _decay(
        "from-gradient",
        "the penalty is built from the gradient",
        "self.dW1 = self.dW1 + self.reg_lambda / m * self.dW1",
        "self.dW2 = self.dW2 + self.reg_lambda / m * self.dW2",
        "penalty-built-from-the-gradient",
    ),
    _decay(
        "l1",
        "the sign of the weights instead of the weights",
        "self.dW1 = self.dW1 + self.reg_lambda / m * np.sign(self.W1)",
        "self.dW2 = self.dW2 + self.reg_lambda / m * np.sign(self.W2)",
        "penalty-of-absolute-weights",
    ),
    wrong(
        "gradient-one-layer",
        "the hidden layer gets no penalty",
        edits={"network": [(DECAY_1, "pass")]},
        loses={"weight_gradients.dW1": 4},
        named={"weight_gradients.dW1": "penalty-missing"},
    ),
    wrong(
        "biases-penalised",
        "biases decay as well",
        edits={
            "network": [
                (
                    DECAY_2,
                    f"{DECAY_2}\n        self.db1 = self.db1 + self.reg_lambda / m * self.b1"
                    "\n        self.db2 = self.db2 + self.reg_lambda / m * self.b2",
                )
            ]
        },
        loses={"bias_gradients.db2": 1},
        named={"bias_gradients.db2": "bias-penalised"},
    ),
    wrong(
        "one-bias-penalised",
        "the hidden biases decay as well",
        edits={"network": [(DECAY_2, f"{DECAY_2}\n        self.db1 = self.db1 + self.reg_lambda / m * self.b1")]},
        loses={"bias_gradients.db1": 1},
        named={"bias_gradients.db1": "bias-penalised"},
    ),
    wrong(
        "not-passed-on",
        "train does not store the strength",
        edits={"network": [("self.reg_lambda = reg_lambda\n", "reg_lambda = self.reg_lambda\n")]},
        loses={"training_losses.losses": 3},
        named={"training_losses.losses": "strength-not-passed-on"},
    ),
    wrong(
        "losses-of-the-data",
        "train reports the loss without its penalty",
        edits={
            "network": [
                (
                    "return super().train(X, Y, epochs, learning_rate)",
                    "losses = []\n"
                    "        for _ in range(epochs):\n"
                    "            self.forward_pass(X)\n"
                    "            losses.append(super().compute_loss(Y))\n"
                    "            self.backward_pass(X, Y)\n"
                    "            self.update_parameters(learning_rate)\n"
                    "        return losses",
                )
            ]
        },
        loses={"training_losses.losses": 3},
        named={"training_losses.losses": "losses-without-penalty"},
    ),
    wrong(
        "losses-after",
        "each loss is taken after its update",
        edits={
            "network": [
                (
                    "return super().train(X, Y, epochs, learning_rate)",
                    "losses = []\n"
                    "        self.forward_pass(X)\n"
                    "        for _ in range(epochs):\n"
                    "            self.backward_pass(X, Y)\n"
                    "            self.update_parameters(learning_rate)\n"
                    "            self.forward_pass(X)\n"
                    "            losses.append(self.compute_loss(Y))\n"
                    "        return losses",
                )
            ]
        },
        loses={"training_losses.losses": 3},
        named={"training_losses.losses": "loss-after-the-update"},
    ),
    wrong(
        "stale-forward-pass",
        "the loss is taken after the update, from the activations before it",
        edits={
            "network": [
                (
                    "        return super().train(X, Y, epochs, learning_rate)",
                    "        losses = []\n        for _ in range(epochs):\n            self.forward_pass(X)\n"
                    "            self.backward_pass(X, Y)\n            self.update_parameters(learning_rate)\n"
                    "            losses.append(self.compute_loss(Y))\n        return losses",
                ),
            ]
        },
        loses={"training_losses.losses": 3},
        named={"training_losses.losses": "stale-forward-pass"},
    ),
    wrong(
        "nothing-penalised",
        "everything is inherited from the baseline",
        cells={
            "network": '''
class L2Network(SimpleNeuralNetwork):
    reg_lambda = 0.0

    def train(self, X, Y, epochs, learning_rate, reg_lambda=0.0):
        return super().train(X, Y, epochs, learning_rate)
'''
        },
        loses={
            "penalised_loss.loss": 4,
            "weight_gradients": 8,
            "training_losses.losses": 3,
        },
        named={"penalised_loss.loss": "penalty-missing", "weight_gradients.dW2": "penalty-missing"},
    ),
    wrong(
        "nothing-moves",
        "constants for the loss and the gradients",
        cells={
            "network": '''
class L2Network(SimpleNeuralNetwork):
    reg_lambda = 0.0

    def compute_loss(self, Y):
        return 1.0

    def backward_pass(self, X, Y):
        self.dW1, self.dW2 = np.ones_like(self.W1), np.ones_like(self.W2)
        self.db1, self.db2 = np.ones_like(self.b1), np.ones_like(self.b2)

    def train(self, X, Y, epochs, learning_rate, reg_lambda=0.0):
        return [1.0] * epochs
''',
            "lambda_study": "def lambda_study(lambdas, *others):\n    return [(1.0, 1.0, 1.0) for _ in lambdas]",
        },
        loses={
            "penalised_loss": 4,
            "weight_gradients": 8,
            "bias_gradients": 2,
            "training_losses": 3,
            "strength_table": 3,
        },
    ),
    wrong(
        "own-loss-without-m",
        "not divided by m, in the loss and in the gradients that fit it: charged at the loss",
        edits={
            "network": [
                ("self.reg_lambda / (2 * Y.shape[1])", "self.reg_lambda / 2"),
                ("self.reg_lambda / m * self.W1", "self.reg_lambda * self.W1"),
                ("self.reg_lambda / m * self.W2", "self.reg_lambda * self.W2"),
            ]
        },
        loses={"penalised_loss.loss": 4},
        named={"penalised_loss.loss": "penalty-not-divided-by-m"},
    ),
    wrong(
        "training-ignores-the-rate",
        "train does not use its learning rate",
        edits={"network": [("train(X, Y, epochs, learning_rate)", "train(X, Y, epochs, 0.5)")]},
        loses={"training_losses": 3},
    ),
    *(
        wrong(
            f"study-ignores-{what}",
            f"lambda_study does not use its argument {what}",
            edits={"lambda_study": [(old, new)]},
            loses={"strength_table.train_accuracy": 1},
            named={"strength_table.train_accuracy": mistake},
        )
        for what, old, new, mistake in (
            ("lambdas", "learning_rate, reg_lambda)", "learning_rate, 0.5)", "argument-ignored"),
            ("epochs", "epochs, learning_rate, reg_lambda)", "20, learning_rate, reg_lambda)", "argument-ignored"),
            ("learning_rate", "epochs, learning_rate, reg_lambda)", "epochs, 0.5, reg_lambda)", "argument-ignored"),
            ("seed", "rng=seed, ", "rng=1, ", "argument-ignored"),
            ("seed-at-all", "rng=seed, ", "", "seed-missing"),
            ("scale", ", weight_scale=5.0", "", "default-weight-scale"),
        )
    ),
    wrong(
        "study-counts-biases",
        "the biases are in the last column of the table",
        edits={"lambda_study": [("np.sum(network.W2**2))", "np.sum(network.W2**2) + np.sum(network.b1**2) + np.sum(network.b2**2))")]},
        loses={"strength_table.squared_weights": 1},
        named={"strength_table.squared_weights": "bias-penalised"},
    ),
    wrong(
        "same-network",
        "one network is trained on and on",
        edits={
            "lambda_study": [
                ("    for reg_lambda in lambdas:\n        network =", "    network ="),
                ("weight_scale=5.0)\n        network.train", "weight_scale=5.0)\n    for reg_lambda in lambdas:\n        network.train"),
            ]
        },
        loses={"strength_table.train_accuracy": 1},
        named={"strength_table.train_accuracy": "same-network-for-every-strength"},
    ),
    wrong(
        "tested-on-training-data",
        "the test accuracy is measured on the training data",
        edits={"lambda_study": [("accuracy(network.predict(X_test), Y_test)", "accuracy(network.predict(X_train), Y_train)")]},
        loses={"strength_table.test_accuracy": 1},
    ),
    wrong(
        "weights-not-squared",
        "the table shows the norm of the weights",
        edits={"lambda_study": [("float(np.sum(network.W1**2) + np.sum(network.W2**2))", "float(np.sqrt(np.sum(network.W1**2) + np.sum(network.W2**2)))")]},
        loses={"strength_table.squared_weights": 1},
    ),
    wrong(
        "study-by-percent",
        "accuracies in percent",
        edits={"lambda_study": [("accuracy(network.predict(X_train), Y_train)", "100 * accuracy(network.predict(X_train), Y_train)")]},
        loses={"strength_table.train_accuracy": 1},
    ),
    wrong(
        "backward-moves-weights",
        "right gradients, and a step in the backward pass already",
        edits={"network": [("self.dW2 = self.dW2 + self.reg_lambda / m * self.W2", "self.dW2 = self.dW2 + self.reg_lambda / m * self.W2\n        self.W1 = self.W1 - 0.1 * self.dW1")]},
        loses={"bias_gradients.db1": 0.5},
        named={"bias_gradients.db1": "parameters-changed-by-backward-pass"},
    ),
    wrong(
        "penalty-of-mean-squares",
        "np.mean for np.sum",
        edits={"network": [("np.sum(self.W1**2) + np.sum(self.W2**2)", "np.mean(self.W1**2) + np.mean(self.W2**2)")]},
        loses={"penalised_loss.loss": 4},
        named={"penalised_loss.loss": "penalty-of-mean-squares"},
    ),
    wrong(
        "penalty-of-the-sum-squared",
        "added up first, squared then",
        edits={"network": [("np.sum(self.W1**2) + np.sum(self.W2**2)", "np.sum(self.W1) ** 2 + np.sum(self.W2) ** 2")]},
        loses={"penalised_loss.loss": 4},
        named={"penalised_loss.loss": "penalty-of-the-sum-squared"},
    ),
    wrong(
        "study-in-percent",
        "accuracies in percent",
        edits={"lambda_study": [("accuracy(network.predict(X_train), Y_train)", "100 * accuracy(network.predict(X_train), Y_train)"),
                                ("accuracy(network.predict(X_test), Y_test)", "100 * accuracy(network.predict(X_test), Y_test)")]},
        loses={"strength_table.train_accuracy": 1},
        named={"strength_table.train_accuracy": "percent"},
    ),
    wrong(
        'no-penalty-chosen',
        'the strength with the best training accuracy; a straight line for nothing',
        cells={'choice': 'chosen_lambda = 0\nnothing_left = 1'},
        loses={'chosen_strength.chosen_lambda': 1, 'chosen_strength.nothing_left': 1},
    ),
)

ALLOWED = {
    "training_losses.losses": "train is right: its losses are those of the gradients that it is given, charged before",
}

FAULTS = {  # the one statement that gives a gradient its value, where the one that adds to it is missing
    name: {"network": ("super().backward_pass(X, Y)",)} for name in ("gradients-without-penalty", "gradient-one-layer")
}

UNPLACED = {
    'no-penalty-chosen': 'a statement in words or numbers: nothing is worked out',
    "nothing-penalised": "what is not there is at no place: every method is that of the baseline",
    "nothing-moves": "constants in every place: nothing is worked out",
}
