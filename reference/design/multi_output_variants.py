"""Other solutions of multi_output: right ones in another style, and wrong ones with what they must cost."""

from autograder.audit import right, wrong

RIGHT = (
    right(
        "loops",
        "sums over examples and outputs written as loops",
        network='''
class AirNetwork(SimpleNeuralNetwork):
    weights = None

    def forward_pass(self, X):
        columns = [X[:, [k]] for k in range(X.shape[1])]
        self.Z1 = np.hstack([self.W1 @ x + self.b1 for x in columns])
        self.A1 = np.tanh(self.Z1)
        self.Z2 = np.hstack([self.W2 @ self.A1[:, [k]] + self.b2 for k in range(X.shape[1])])
        self.A2 = self.Z2 + 0
        return self.A2

    def compute_loss(self, Y):
        total = 0
        for i in range(Y.shape[0]):
            for k in range(Y.shape[1]):
                total = total + (self.A2[i][k] - Y[i][k]) ** 2
        return total / len(Y[0])

    def backward_pass(self, X, Y):
        m = X.shape[1]
        self.dW1, self.db1 = np.zeros(self.W1.shape), np.zeros(self.b1.shape)
        self.dW2, self.db2 = np.zeros(self.W2.shape), np.zeros(self.b2.shape)
        for k in range(m):
            for i in range(len(self.W2)):
                error = 2 * (self.A2[i, k] - Y[i, k]) / m
                self.db2[i] += error
                for j in range(len(self.W1)):
                    self.dW2[i, j] += error * self.A1[j, k]
                    signal = error * self.W2[i, j] * (1 - self.A1[j, k] ** 2)
                    self.db1[j] += signal
                    self.dW1[j] += signal * X[:, k]
''',
        scaler='''
def fit_scaler(Y):
    m = len(Y[0])
    mean = np.array([[sum(row) / m] for row in Y])
    return mean, np.array([[(sum((y - mu[0]) ** 2 for y in row) / m) ** 0.5] for row, mu in zip(Y, mean)])


def standardise(Y, mean, std):
    return np.array([[(y - mu) / sd for y in row] for row, mu, sd in zip(Y, mean.ravel(), std.ravel())])


def unstandardise(S, mean, std):
    return np.array([[s * sd + mu for s in row] for row, mu, sd in zip(S, mean.ravel(), std.ravel())])
''',
    ),
    right(
        "error-signal-scaled",
        "the weighted class reuses the unweighted one; in-place updates; the update of the baseline",
        weighted='''
class WeightedAirNetwork(AirNetwork):
    def __init__(self, input_size, hidden_size, output_size, output_weights, **options):
        super().__init__(input_size, hidden_size, output_size, **options)
        self.output_weights = np.asarray(output_weights, dtype=float).reshape(-1, 1)

    def compute_loss(self, Y):
        return float(np.mean(self.output_weights.T @ (self.A2 - Y) ** 2))

    def backward_pass(self, X, Y):
        AirNetwork.backward_pass(self, X, self.A2 - self.output_weights * (self.A2 - Y))
''',
        step='''
def train_step(network, X, Y, learning_rate):
    network.forward_pass(X)
    before = network.compute_loss(Y)
    network.backward_pass(X, Y)
    network.W2 -= learning_rate * network.dW2
    network.b2 -= learning_rate * network.db2
    network.W1 -= learning_rate * network.dW1
    network.b1 -= learning_rate * network.db1
    return before
''',
        scaler='''
def fit_scaler(Y):
    mean = Y.mean(axis=1).reshape(-1, 1)
    return mean, np.sqrt((Y**2).mean(axis=1).reshape(-1, 1) - mean**2)


def standardise(Y, mean, std):
    return Y / std - mean / std


def unstandardise(S, mean, std):
    return mean + std * S
''',
    ),
    right(
        "einsum",
        "einsum and a diagonal matrix of weights, the hidden layer first",
        network='''
class AirNetwork(SimpleNeuralNetwork):
    def forward_pass(self, X):
        self.Z1 = np.einsum("hn,nm->hm", self.W1, X) + self.b1
        self.A1 = np.tanh(self.Z1)
        self.Z2 = self.A2 = np.einsum("oh,hm->om", self.W2, self.A1) + self.b2
        return self.Z2

    def compute_loss(self, Y):
        return np.linalg.norm(self.A2 - Y) ** 2 / Y.shape[1]

    def gradients_from(self, X, error):
        signal = np.einsum("oh,om,hm->hm", self.W2, error, 1 / np.cosh(self.Z1) ** 2)
        self.dW1, self.db1 = np.einsum("hm,nm->hn", signal, X), signal.sum(1)[:, None]
        self.dW2, self.db2 = np.einsum("om,hm->oh", error, self.A1), error.sum(1)[:, None]

    def backward_pass(self, X, Y):
        self.gradients_from(X, 2 / Y.shape[1] * (self.A2 - Y))
''',
        weighted='''
class WeightedAirNetwork(AirNetwork):
    def __init__(self, input_size, hidden_size, output_size, output_weights, **options):
        super().__init__(input_size, hidden_size, output_size, **options)
        self.output_weights = np.asarray(output_weights, dtype=float).reshape(-1, 1)

    def compute_loss(self, Y):
        E = self.A2 - Y
        return np.trace(E.T @ np.diag(self.output_weights[:, 0]) @ E) / Y.shape[1]

    def backward_pass(self, X, Y):
        self.gradients_from(X, 2 / Y.shape[1] * np.diag(self.output_weights[:, 0]) @ (self.A2 - Y))
''',
        step='''
def train_step(network, X, Y, learning_rate):
    network.forward_pass(X)
    loss = network.compute_loss(Y)
    network.backward_pass(X, Y)
    for name in ("W2", "W1", "b1", "b2"):
        setattr(network, name, getattr(network, name) - learning_rate * getattr(network, "d" + name))
    return loss
''',
    ),
    right(
        "float32",
        "everything in single precision",
        network='''
class AirNetwork(SimpleNeuralNetwork):
    def forward_pass(self, X):
        f = np.float32
        self.Z1 = self.W1.astype(f) @ X.astype(f) + self.b1.astype(f)
        self.A1 = np.tanh(self.Z1)
        self.Z2 = self.W2.astype(f) @ self.A1 + self.b2.astype(f)
        self.A2 = self.Z2
        return self.A2

    def compute_loss(self, Y):
        return ((self.A2 - Y.astype(np.float32)) ** 2).sum() / np.float32(Y.shape[1])

    def backward_pass(self, X, Y, weights=np.float32(1)):
        f = np.float32
        X, Y, m = X.astype(f), Y.astype(f), f(X.shape[1])
        error = f(2) * weights * (self.A2 - Y) / m
        self.dW2, self.db2 = error @ self.A1.T, error.sum(axis=1, keepdims=True)
        signal = (self.W2.astype(f).T @ error) * (f(1) - self.A1**2)
        self.dW1, self.db1 = signal @ X.T, signal.sum(axis=1, keepdims=True)
''',
        weighted='''
class WeightedAirNetwork(AirNetwork):
    def __init__(self, input_size, hidden_size, output_size, output_weights, **options):
        super().__init__(input_size, hidden_size, output_size, **options)
        self.output_weights = np.asarray(output_weights, dtype=np.float32).reshape(-1, 1)

    def compute_loss(self, Y):
        return (self.output_weights * (self.A2 - Y.astype(np.float32)) ** 2).sum() / np.float32(Y.shape[1])

    def backward_pass(self, X, Y):
        AirNetwork.backward_pass(self, X, Y, self.output_weights)
''',
    ),
    right(
        "weights-in-the-base-class",
        "one class that knows the weights; keyword arguments; lambdas; in-place steps",
        network='''
class AirNetwork(SimpleNeuralNetwork):
    weights = None
    def forward_pass(self, X, **_):
        self.Z1 = np.dot(self.W1, X) + self.b1
        self.A1 = np.tanh(self.Z1)
        self.A2 = self.Z2 = np.dot(self.W2, self.A1) + self.b2
        return self.A2
    def _w(self):
        return getattr(self, "output_weights", 1.0)
    def compute_loss(self, Y):
        return float(np.mean(np.sum(self._w() * (self.A2 - Y) ** 2, axis=0)))
    def backward_pass(self, X, Y):
        d = 2.0 / Y.shape[1] * self._w() * (self.A2 - Y)
        self.dW2 = np.dot(d, self.A1.T)
        self.db2 = d.sum(1).reshape(-1, 1)
        d = np.dot(self.W2.T, d) * (1 - self.A1 ** 2)
        self.dW1 = np.dot(d, X.T)
        self.db1 = d.sum(1).reshape(-1, 1)
''',
        weighted='''
class WeightedAirNetwork(AirNetwork):
    def __init__(self, input_size, hidden_size, output_size, output_weights, **options):
        super().__init__(input_size, hidden_size, output_size, **options)
        self.output_weights = np.asarray(output_weights, dtype=float).reshape(-1, 1)
''',
        scaler='''
def fit_scaler(Y):
    mean = (Y.sum(axis=1) / Y.shape[1])[:, None]
    return [mean, np.sqrt((Y ** 2).mean(axis=1, keepdims=True) - mean ** 2)]
standardise = lambda Y, mean, std: np.divide(np.subtract(Y, mean), std)
unstandardise = lambda S, mean, std: np.add(np.multiply(S, std), mean)
''',
        step='''
def train_step(net, X, Y, learning_rate, clip=None):
    net.forward_pass(X)
    loss = net.compute_loss(Y)
    net.backward_pass(X, Y)
    for p in ["W1", "b1", "W2", "b2"]:
        theta = getattr(net, p)
        theta -= learning_rate * getattr(net, "d" + p)
    return loss
''',
    ),
)


def _edit(variant_id, title, cell, old, new, loses, named=None):
    """A wrong variant that changes one place."""
    return wrong(variant_id, title, edits={cell: [(old, new)]}, loses=loses, named=named)


def _again(variant_id, title, old, new, line, points, named):
    """A slip of (c) that is made again in (d): it costs once."""
    return wrong(
        variant_id,
        title,
        edits={"network": [(old, new)], "weighted": [(old, new)]},
        loses={f"backward_outputs.{line}": points},
        named={f"backward_outputs.{line}": named},
    )


WRONG = (
    _edit("sigmoid-hidden", "the hidden layer keeps its sigmoid", "network", "np.tanh(self.Z1)",
          "1 / (1 + np.exp(-self.Z1))", {"forward_outputs.A1": 1}, {"forward_outputs.A1": "sigmoid-kept"}),
    _edit("sigmoid-output", "the output keeps its sigmoid", "network", "self.A2 = self.Z2",
          "self.A2 = 1 / (1 + np.exp(-self.Z2))", {"forward_outputs.A2": 0.5}, {"forward_outputs.A2": "sigmoid-kept"}),
    _edit("bias-forgotten", "b1 is left out", "network", "self.W1 @ X + self.b1", "self.W1 @ X", {"forward_outputs.Z1": 1}),
    _edit("nothing-returned", "no return", "network", "        return self.A2\n", "", {"forward_outputs.returned": 0.5},
          {"forward_outputs.returned": "return-missing"}),
    _edit("mean-of-all", "np.mean over outputs and examples", "network", "np.sum((self.A2 - Y) ** 2) / Y.shape[1]",
          "np.mean((self.A2 - Y) ** 2)", {"loss_of_outputs.loss": 2}, {"loss_of_outputs.loss": "loss-mean-over-outputs"}),
    _edit("half", "a factor 1/2", "network", "np.sum((self.A2 - Y) ** 2) / Y.shape[1]",
          "np.sum((self.A2 - Y) ** 2) / (2 * Y.shape[1])", {"loss_of_outputs.loss": 2}, {"loss_of_outputs.loss": "half-in-loss"}),
    _edit("sum-of-all", "not divided by m", "network", "np.sum((self.A2 - Y) ** 2) / Y.shape[1]",
          "np.sum((self.A2 - Y) ** 2)", {"loss_of_outputs.loss": 2}, {"loss_of_outputs.loss": "loss-summed-over-examples"}),
    wrong(
        "half-in-both-losses",
        "the factor 1/2 in (b) and again in (d): it costs once",
        edits={"network": [("np.sum((self.A2 - Y) ** 2) /", "0.5 * np.sum((self.A2 - Y) ** 2) /")],
               "weighted": [("np.sum(self.output_weights", "0.5 * np.sum(self.output_weights")]},
        loses={"loss_of_outputs.loss": 2},
        named={"loss_of_outputs.loss": "half-in-loss"},
    ),
    _again("factor-two", "the 2 is lost in (c) and (d)", "dZ2 = 2 * ", "dZ2 = ", "dW2", 2, "factor-2-lost"),
    _again("mean-over-outputs", "divided by o as well, in (c) and (d)", "(self.A2 - Y) / m", "(self.A2 - Y) / Y.size", "dW2", 2,
           "mean-over-outputs"),
    _again("sign", "the sign, in (c) and (d)", "(self.A2 - Y) / m", "(Y - self.A2) / m", "dW2", 2, "sign-flipped"),
    _again("no-derivative", "no derivative of tanh, in (c) and (d)", " * (1 - self.A1**2)", "", "dW1", 2,
           "activation-derivative-missing"),
    _again("sigmoid-derivative", "the sigmoid's derivative, in (c) and (d)", "(1 - self.A1**2)", "self.A1 * (1 - self.A1)", "dW1", 2,
           "sigmoid-derivative-with-tanh"),
    _again("z-for-a", "Z1 for A1 in dW2, in (c) and (d)", "dZ2 @ self.A1.T", "dZ2 @ self.Z1.T", "dW2", 2, "z-for-a-in-gradient"),
    _edit("missing-1-over-m", "not averaged in (c)", "network", "dZ2 = 2 * (self.A2 - Y) / m", "dZ2 = 2 * (self.A2 - Y)",
          {"backward_outputs.dW2": 2}, {"backward_outputs.dW2": "missing-1-over-m"}),
    _edit("derivative-at-output", "a sigmoid's derivative at the linear output", "network", "dZ2 = 2 * (self.A2 - Y) / m",
          "dZ2 = 2 * (self.A2 - Y) * self.A2 * (1 - self.A2) / m", {"backward_outputs.dW2": 2},
          {"backward_outputs.dW2": "derivative-at-linear-output"}),
    _edit("bias-over-everything", "db2 is one number", "network", "self.db2 = np.sum(dZ2, axis=1, keepdims=True)",
          "self.db2 = np.sum(dZ2)", {"backward_outputs.db2": 1}, {"backward_outputs.db2": "bias-summed-over-everything"}),
    _edit("sample-deviation", "divided by m - 1", "scaler", "np.std(Y, axis=1, keepdims=True)",
          "np.std(Y, axis=1, ddof=1, keepdims=True)", {"scaling_outputs.std": 1}, {"scaling_outputs.std": "divided-by-m-minus-1"}),
    _edit("variance", "the variance", "scaler", "np.std(Y, axis=1, keepdims=True)", "np.var(Y, axis=1, keepdims=True)",
          {"scaling_outputs.std": 1}, {"scaling_outputs.std": "variance-for-deviation"}),
    _edit("per-example", "the wrong axis", "scaler", "return np.mean(Y, axis=1, keepdims=True), np.std(Y, axis=1, keepdims=True)",
          "return np.mean(Y, axis=0, keepdims=True), np.std(Y, axis=0, keepdims=True)",
          {"scaling_outputs.mean": 0.5}, {"scaling_outputs.mean": "scale-per-example"}),
    _edit("one-mean", "one mean for all outputs", "scaler", "np.mean(Y, axis=1, keepdims=True)", "np.mean(Y)",
          {"scaling_outputs.mean": 0.5}, {"scaling_outputs.mean": "one-scale-for-all"}),
    _edit("flat-scaler", "mean of shape (o,)", "scaler", "np.mean(Y, axis=1, keepdims=True)", "np.mean(Y, axis=1)",
          {"scaling_outputs.mean": 0.25}, {"scaling_outputs.mean": "wrong-shape"}),
    _edit("refitted", "every table gets its own scale", "scaler", "return (Y - mean) / std",
          "return (Y - Y.mean(axis=1, keepdims=True)) / Y.std(axis=1, keepdims=True)", {"scaling_outputs.standardised": 1},
          {"scaling_outputs.standardised": "refitted-scaler"}),
    _edit("not-centred", "the mean is not subtracted", "scaler", "return (Y - mean) / std", "return Y / std",
          {"scaling_outputs.standardised": 1}, {"scaling_outputs.standardised": "mean-not-subtracted"}),
    _edit("way-back", "the steps of the way back in the wrong order", "scaler", "return S * std + mean", "return (S + mean) * std",
          {"scaling_outputs.restored": 0.5}, {"scaling_outputs.restored": "order-of-scaling"}),
    _edit("weights-missing-in-loss", "the loss is not weighted", "weighted", "np.sum(self.output_weights * (self.A2 - Y) ** 2)",
          "np.sum((self.A2 - Y) ** 2)", {"weighted_outputs.loss": 1}, {"weighted_outputs.loss": "output-weights-missing"}),
    _edit("weights-squared-in-loss", "the weight is squared", "weighted", "self.output_weights * (self.A2 - Y) ** 2",
          "(self.output_weights * (self.A2 - Y)) ** 2", {"weighted_outputs.loss": 1},
          {"weighted_outputs.loss": "output-weights-squared"}),
    _edit("weights-missing", "the gradients are not weighted", "weighted", "dZ2 = 2 * self.output_weights * (self.A2 - Y) / m",
          "dZ2 = 2 * (self.A2 - Y) / m", {"weighted_outputs.dW2": 1}, {"weighted_outputs.dW2": "output-weights-missing"}),
    _edit("weights-squared", "the weight counts twice", "weighted", "dZ2 = 2 * self.output_weights *",
          "dZ2 = 2 * self.output_weights**2 *", {"weighted_outputs.dW2": 1}, {"weighted_outputs.dW2": "output-weights-squared"}),
    _edit("weights-inverted", "divided by the weight", "weighted", "dZ2 = 2 * self.output_weights * (self.A2 - Y) / m",
          "dZ2 = 2 / self.output_weights * (self.A2 - Y) / m", {"weighted_outputs.dW2": 1},
          {"weighted_outputs.dW2": "output-weights-inverted"}),
    _edit("weights-normalised", "weights that add up to one", "weighted", "dZ2 = 2 * self.output_weights *",
          "dZ2 = 2 * self.output_weights / self.output_weights.sum() *", {"weighted_outputs.dW2": 1},
          {"weighted_outputs.dW2": "output-weights-normalised"}),
    wrong(
        "all-zero",
        "gradients of zero everywhere follow from nothing",
        cells={
            "weighted": (
                "class WeightedAirNetwork(AirNetwork):\n"
                "    def __init__(self, input_size, hidden_size, output_size, output_weights, **options):\n"
                "        super().__init__(input_size, hidden_size, output_size, **options)\n"
                "        self.output_weights = np.asarray(output_weights, dtype=float).reshape(-1, 1)\n\n"
                "    def compute_loss(self, Y):\n        return 0.0\n"
            )
        },
        edits={
            "network": [
                ("np.sum((self.A2 - Y) ** 2) / Y.shape[1]", "0.0"),
                ("dZ2 = 2 * (self.A2 - Y) / m", "dZ2 = 0 * (self.A2 - Y) / m"),
            ]
        },
        loses={"loss_of_outputs": 2, "backward_outputs": 6, "weighted_outputs": 4},
    ),
    wrong(
        "own-loss-averaged",
        "the loss is averaged over the outputs too, and so are the gradients: charged at the loss",
        edits={
            "network": [
                ("np.sum((self.A2 - Y) ** 2) / Y.shape[1]", "np.mean((self.A2 - Y) ** 2)"),
                ("dZ2 = 2 * (self.A2 - Y) / m", "dZ2 = 2 * (self.A2 - Y) / Y.size"),
            ]
        },
        loses={"loss_of_outputs.loss": 2},
        named={"loss_of_outputs.loss": "loss-mean-over-outputs"},
    ),
    wrong(
        "missing-return",
        "forward_pass returns nothing",
        edits={"network": [("        return self.A2\n", "")]},
        loses={"forward_outputs.returned": 0.5},
    ),
    _edit("ascent", "up the gradient", "step", "net.W1 - learning_rate", "net.W1 + learning_rate",
          {"step_outputs.W1_new": 0.5}, {"step_outputs.W1_new": "sign-flipped"}),
    _edit("rate-forgotten", "the whole gradient", "step", "net.b2 - learning_rate * net.db2", "net.b2 - net.db2",
          {"step_outputs.b2_new": 0.25}, {"step_outputs.b2_new": "learning-rate-missing"}),
    _edit("never-updated", "b1 stays", "step", "    net.b1 = net.b1 - learning_rate * net.db1\n", "",
          {"step_outputs.b1_new": 0.25}, {"step_outputs.b1_new": "parameter-never-updated"}),
    _edit("assigned", "replaced by the step", "step", "net.b1 - learning_rate * net.db1", "learning_rate * net.db1",
          {"step_outputs.b1_new": 0.25}, {"step_outputs.b1_new": "parameter-assigned-not-updated"}),
    wrong(
        "second-pass",
        "W2 is updated first and the gradients of the hidden layer are computed again",
        edits={"step": [
            ("    net.W2 = net.W2 - learning_rate * net.dW2\n    net.b2 = net.b2 - learning_rate * net.db2\n", ""),
            ("    net.backward_pass(X, Y)\n",
             "    net.backward_pass(X, Y)\n    net.W2 = net.W2 - learning_rate * net.dW2\n"
             "    net.b2 = net.b2 - learning_rate * net.db2\n    net.backward_pass(X, Y)\n"),
        ]},
        loses={"step_outputs.W1_new": 0.5},
        named={"step_outputs.W1_new": "w2-updated-before-hidden-error"},
    ),
    wrong(
        "backward-moves-weights",
        "right gradients, and a step in the backward pass already",
        edits={"network": [("self.db1 = np.sum(dZ1, axis=1, keepdims=True)", "self.db1 = np.sum(dZ1, axis=1, keepdims=True)\n        self.W1 = self.W1 - 0.1 * self.dW1")]},
        loses={"backward_outputs.db1": 0.5},
        named={"backward_outputs.db1": "parameters-changed-by-backward-pass"},
    ),
    wrong(
        "step-twice",
        "the update is written out, and update_parameters is called as well",
        edits={"step": [("    return loss", "    net.update_parameters(learning_rate)\n    return loss")]},
        loses={"step_outputs.W2_new": 0.5},
        named={"step_outputs.W2_new": "step-made-twice"},
    ),
    _edit("loss-after", "the loss after the step is returned", "step", "    return loss",
          "    net.forward_pass(X)\n    return net.compute_loss(Y)",
          {"step_outputs.returned": 0.5}, {"step_outputs.returned": "loss-after-the-update"}),
    _edit("loss-not-returned", "nothing is returned", "step", "    return loss", "    return None",
          {"step_outputs.returned": 0.5}),
)

ALLOWED = {
    "forward_outputs.A2": "a linear output is its pre-activation, whatever that is",
    "forward_outputs.returned": "what is returned is what is stored",
}

FAULTS = {"all-zero": {"weighted": ("return 0.0",)}}
