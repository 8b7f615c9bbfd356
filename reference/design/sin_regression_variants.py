"""Other solutions of sin_regression: right ones in another style, and wrong ones with what they must cost."""

from autograder.audit import right, wrong

RIGHT = (
    right(
        "bends-everywhere",
        "the units bend at places all over the range and the output begins at zero: 800 epochs are enough",
        fit_sine='''
def fit_sine(seed):
    network = SineNetwork(1, 20, 1, rng=seed, weight_scale=1.0)
    network.b1 = -network.W1 * np.linspace(-np.pi, np.pi, 20)[:, None]
    network.W2 = np.zeros((1, 20))
    network.train(X_sine, Y_sine, epochs=800, learning_rate=0.03)
    return network
''',
    ),
    right(
        "sigmoid",
        "a sigmoid hidden layer, its derivative written with the activation",
        network='''
class SineNetwork(SimpleNeuralNetwork):
    def forward_pass(self, X):
        self.Z1 = self.W1 @ X + self.b1
        self.A1 = 1 / (1 + np.exp(-self.Z1))
        self.Z2 = self.W2 @ self.A1 + self.b2
        self.A2 = self.Z2.copy()
        return self.A2

    def compute_loss(self, Y):
        return np.mean(np.sum((self.A2 - Y) ** 2, axis=0))

    def backward_pass(self, X, Y):
        m = Y.shape[1]
        dA2 = 2 / m * (self.A2 - Y)
        self.dW1 = ((self.W2.T @ dA2) * self.A1 * (1 - self.A1)) @ X.T
        self.db1 = ((self.W2.T @ dA2) * self.A1 * (1 - self.A1)).sum(axis=1, keepdims=True)
        self.dW2 = dA2 @ self.A1.T
        self.db2 = dA2.sum(axis=1, keepdims=True)
''',
        fit_sine='''
def fit_sine(seed):
    net = SineNetwork(1, 20, 1, rng=seed, weight_scale=1.0)
    net.train(X_sine, Y_sine, 4000, 0.1)
    return net
''',
    ),
    right(
        "loops",
        "sums over examples and units written as loops",
        network='''
class SineNetwork(SimpleNeuralNetwork):
    def forward_pass(self, X):
        h, o, m = len(self.W1), len(self.W2), X.shape[1]
        self.Z1, self.A1 = np.zeros((h, m)), np.zeros((h, m))
        self.Z2 = np.zeros((o, m))
        for i in range(h):
            self.Z1[i] = self.b1[i, 0]
            for j in range(X.shape[0]):
                self.Z1[i] = self.Z1[i] + self.W1[i, j] * X[j]
            self.A1[i] = np.tanh(self.Z1[i])
        for i in range(o):
            self.Z2[i] = sum(self.W2[i, j] * self.A1[j] for j in range(h)) + self.b2[i, 0]
        self.A2 = self.Z2
        return self.A2

    def compute_loss(self, Y):
        total = 0.0
        for k in range(Y.shape[1]):
            for i in range(Y.shape[0]):
                total += (self.A2[i, k] - Y[i, k]) ** 2
        return total / Y.shape[1]

    def backward_pass(self, X, Y):
        m = X.shape[1]
        self.dW1, self.db1 = np.zeros_like(self.W1), np.zeros_like(self.b1)
        self.dW2, self.db2 = np.zeros_like(self.W2), np.zeros_like(self.b2)
        for k in range(m):
            error = 2 * (self.A2[:, [k]] - Y[:, [k]])
            signal = (self.W2.T @ error) / np.cosh(self.Z1[:, [k]]) ** 2
            self.dW2 += error @ self.A1[:, [k]].T / m
            self.db2 += error / m
            self.dW1 += signal @ X[:, [k]].T / m
            self.db1 += signal / m
''',
        fit_sine='''
def fit_sine(seed):
    net = SineNetwork(1, 12, 1, rng=seed, weight_scale=1.0)
    W1, b1, W2, b2 = net.W1, net.b1, net.W2, net.b2
    for epoch in range(4000):
        A = np.tanh(W1 @ X_sine + b1)
        E = 2 * (W2 @ A + b2 - Y_sine) / 100
        S = (W2.T @ E) * (1 - A**2)
        W1, b1 = W1 - 0.03 * S @ X_sine.T, b1 - 0.03 * S.sum(axis=1, keepdims=True)
        W2, b2 = W2 - 0.03 * E @ A.T, b2 - 0.03 * E.sum(axis=1, keepdims=True)
    net.W1, net.b1, net.W2, net.b2 = W1, b1, W2, b2
    return net
''',
    ),
    right(
        "einsum",
        "einsum, the hidden layer first, sigmoid written with tanh",
        network='''
class SineNetwork(SimpleNeuralNetwork):
    def forward_pass(self, X):
        self.Z1 = np.einsum("hn,nm->hm", self.W1, X) + self.b1
        self.A1 = 0.5 + 0.5 * np.tanh(self.Z1 / 2)
        self.Z2 = np.einsum("oh,hm->om", self.W2, self.A1) + self.b2
        self.A2 = self.Z2
        return self.Z2

    def compute_loss(self, Y):
        return float(np.einsum("om,om->", self.A2 - Y, self.A2 - Y)) / Y.shape[1]

    def backward_pass(self, X, Y):
        error = (self.A2 - Y) / (0.5 * Y.shape[1])
        slope = 1 / (2 + np.exp(self.Z1) + np.exp(-self.Z1))
        signal = np.einsum("oh,om,hm->hm", self.W2, error, slope)
        self.dW1 = np.einsum("hm,nm->hn", signal, X)
        self.db1 = signal.sum(axis=1).reshape(-1, 1)
        self.dW2 = np.einsum("om,hm->oh", error, self.A1)
        self.db2 = error.sum(axis=1).reshape(-1, 1)
''',
        fit_sine='''
def fit_sine(seed):
    net = SineNetwork(1, 20, 1, rng=seed, weight_scale=1)
    net.train(X_sine, Y_sine, 4000, 0.1)
    return net
''',
    ),
    right(
        "float32",
        "everything in single precision",
        network='''
class SineNetwork(SimpleNeuralNetwork):
    def forward_pass(self, X):
        f = np.float32
        self.Z1 = self.W1.astype(f) @ X.astype(f) + self.b1.astype(f)
        self.A1 = np.tanh(self.Z1)
        self.Z2 = self.W2.astype(f) @ self.A1 + self.b2.astype(f)
        self.A2 = self.Z2
        return self.A2

    def compute_loss(self, Y):
        return ((self.A2 - Y.astype(np.float32)) ** 2).sum() / np.float32(Y.shape[1])

    def backward_pass(self, X, Y):
        f = np.float32
        X, Y, m = X.astype(f), Y.astype(f), f(X.shape[1])
        error = 2 * (self.A2 - Y) / m
        self.dW2, self.db2 = error @ self.A1.T, error.sum(axis=1, keepdims=True)
        signal = (self.W2.astype(f).T @ error) * (1 - self.A1**2)
        self.dW1, self.db1 = signal @ X.T, signal.sum(axis=1, keepdims=True)
''',
    ),
    right(
        "outputs-overwritten",
        "the output error is written over the outputs",
        network='''
class SineNetwork(SimpleNeuralNetwork):
    def forward_pass(self, X):
        self.Z1 = self.W1 @ X + self.b1
        self.A1 = np.tanh(self.Z1)
        self.Z2 = self.W2 @ self.A1 + self.b2
        self.A2 = self.Z2
        return self.A2
    def compute_loss(self, Y):
        return ((self.A2 - Y) ** 2).sum(axis=0).mean()
    def backward_pass(self, X, Y):
        self.A2 -= Y
        self.A2 *= 2 / Y.shape[1]
        self.dW2 = self.A2 @ self.A1.T
        self.db2 = self.A2.sum(axis=1, keepdims=True)
        dZ1 = (self.W2.T @ self.A2) * (1 - self.A1**2)
        self.dW1 = dZ1 @ X.T
        self.db1 = dZ1.sum(axis=1, keepdims=True)
''',
    ),
)


def _edit(variant_id, title, old, new, loses, named=None):
    """A wrong variant that changes one place of the network."""
    return wrong(variant_id, title, edits={"network": [(old, new)]}, loses=loses, named=named)


def _half_learned(variant_id, title, old, new, loses, named=None, kept=0):
    """A wrong network whose training does not come near the sine either; ``kept`` points of the fit remain."""
    return _edit(variant_id, title, old, new, {**loses, "sine_fit.fit": 3 - kept}, named)


WRONG = (
    _edit(
        "factor-two-lost",
        "the derivative of the square without its 2",
        "2 * (self.A2 - Y) / m",
        "(self.A2 - Y) / m",
        {"output_gradients.dW2": 3},
        {"output_gradients.dW2": "factor-2-lost"},
    ),
    wrong(
        "half-everywhere",
        "a loss with 1/2 and the gradients that fit it",
        edits={
            "network": [
                ("np.sum((self.A2 - Y) ** 2) / Y.shape[1]", "np.sum((self.A2 - Y) ** 2) / (2 * Y.shape[1])"),
                ("2 * (self.A2 - Y) / m", "(self.A2 - Y) / m"),
            ]
        },
        loses={"squared_loss.loss": 2},
        named={"squared_loss.loss": "half-in-loss"},
    ),
    _half_learned(
        "no-division-by-m",
        "summed, not averaged: at this learning rate the training diverges",
        "2 * (self.A2 - Y) / m",
        "2 * (self.A2 - Y)",
        {"output_gradients.dW2": 3},
        {"output_gradients.dW2": "missing-1-over-m"},
    ),
    _edit(
        "mean-over-all-entries",
        "averaged over the outputs as well",
        "2 * (self.A2 - Y) / m",
        "2 * (self.A2 - Y) / Y.size",
        {"output_gradients.dW2": 3},
        {"output_gradients.dW2": "mean-over-outputs"},
    ),
    _half_learned(
        "sigmoid-derivative-at-output",
        "the output error still carries the derivative of a sigmoid",
        "2 * (self.A2 - Y) / m",
        "2 * (self.A2 - Y) * self.A2 * (1 - self.A2) / m",
        {"output_gradients.dW2": 3},
        {"output_gradients.dW2": "derivative-at-linear-output"},
    ),
    _half_learned(
        "sign",
        "Y - A2 instead of A2 - Y",
        "2 * (self.A2 - Y) / m",
        "2 * (Y - self.A2) / m",
        {"output_gradients.dW2": 3},
        {"output_gradients.dW2": "sign-flipped"},
    ),
    _half_learned(
        "sigmoid-output",
        "the output still goes through the sigmoid",
        "self.A2 = self.Z2",
        "self.A2 = 1 / (1 + np.exp(-self.Z2))",
        {"forward_regression.A2": 1},
        {"forward_regression.A2": "sigmoid-kept"},
    ),
    _edit(
        "sigmoid-derivative-with-tanh",
        "tanh forward, the sigmoid's derivative backward",
        "(1 - self.A1**2)",
        "self.A1 * (1 - self.A1)",
        {"hidden_gradients.dW1": 4, "sine_fit.fit": (0, 1.5, 3)},
        {"hidden_gradients.dW1": "sigmoid-derivative-with-tanh"},
    ),
    wrong(
        "tanh-derivative-with-sigmoid",
        "sigmoid forward, the derivative of tanh backward",
        edits={"network": [("np.tanh(self.Z1)", "1 / (1 + np.exp(-self.Z1))")], "fit_sine": []},
        loses={"hidden_gradients.dW1": 4, "sine_fit.fit": (0, 1.5, 3)},
        named={"hidden_gradients.dW1": "tanh-derivative-with-sigmoid"},
    ),
    wrong(
        "no-hidden-derivative",
        "the derivative of the hidden activation is left out",
        edits={"network": [(" * (1 - self.A1**2)", "")], "fit_sine": []},
        loses={"hidden_gradients.dW1": 4, "sine_fit.fit": 3},
        named={"hidden_gradients.dW1": "activation-derivative-missing"},
    ),
    _edit(
        "linear-hidden-layer",
        "no activation in the hidden layer",
        "np.tanh(self.Z1)",
        "self.Z1",
        {"forward_regression.A1": 1, "sine_fit.fit": 3},
    ),
    _edit(
        "bias-forgotten",
        "the forward pass leaves out b2",
        "self.W2 @ self.A1 + self.b2",
        "self.W2 @ self.A1",
        {"forward_regression.Z2": 1},
    ),
    _edit(
        "nothing-returned",
        "forward_pass does not return the outputs",
        "        return self.A2\n",
        "",
        {"forward_regression.returned": 1, "sine_fit": 3},
    ),
    wrong(
        "cross-entropy-kept",
        "compute_loss is not replaced",
        edits={
            "network": [
                ("    def compute_loss(self, Y):\n        return np.sum((self.A2 - Y) ** 2) / Y.shape[1]\n", ""),
            ]
        },
        loses={"squared_loss.loss": 2},
        named={"squared_loss.loss": "cross-entropy-in-loss"},
    ),
    _edit(
        "mean-of-all-in-loss",
        "np.mean over examples and outputs",
        "np.sum((self.A2 - Y) ** 2) / Y.shape[1]",
        "np.mean((self.A2 - Y) ** 2)",
        {"squared_loss.loss": 2},
        {"squared_loss.loss": "loss-mean-over-outputs"},
    ),
    _edit(
        "root-in-loss",
        "the root of the mean squared error",
        "np.sum((self.A2 - Y) ** 2) / Y.shape[1]",
        "np.sqrt(np.sum((self.A2 - Y) ** 2) / Y.shape[1])",
        {"squared_loss.loss": 2},
        {"squared_loss.loss": "root-of-loss"},
    ),
    _edit(
        "flat-bias",
        "the output bias gradient has shape (o,)",
        "self.db2 = np.sum(dZ2, axis=1, keepdims=True)",
        "self.db2 = np.sum(dZ2, axis=1)",
        {"output_gradients.db2": 0.5},
        {"output_gradients.db2": "wrong-shape"},
    ),
    _edit(
        "bias-summed-over-everything",
        "the hidden bias gradient is one number",
        "self.db1 = np.sum(dZ1, axis=1, keepdims=True)",
        "self.db1 = np.sum(dZ1)",
        {"hidden_gradients.db1": 2},
    ),
    _edit(
        "z-for-a",
        "Z1 stands where A1 belongs in dW2",
        "dZ2 @ self.A1.T",
        "dZ2 @ self.Z1.T",
        {"output_gradients.dW2": 3, "sine_fit.fit": (1.5, 3)},
        {"output_gradients.dW2": "z-for-a-in-gradient"},
    ),
    wrong(
        "too-few-epochs",
        "training stops long before the sine is learned",
        edits={"fit_sine": [("epochs=4000", "epochs=30")]},
        loses={"sine_fit.fit": 3},
    ),
    wrong(
        "nearly",
        "every prediction is 0.12 too large: a fair fit earns half",
        edits={"fit_sine": [("learning_rate=0.03)", "learning_rate=0.03)\n    network.b2 = network.b2 + 0.12")]},
        loses={"sine_fit.fit": 1.5},
    ),
    wrong(
        "seed-missing",
        "the network is made without the seed",
        edits={"fit_sine": [(", rng=seed", "")]},
        loses={"sine_fit.fit": 1},
        named={"sine_fit.fit": "seed-missing"},
    ),
    wrong(
        "diverges",
        "the learning rate is too large",
        edits={"fit_sine": [("learning_rate=0.03", "learning_rate=0.5")]},
        loses={"sine_fit.fit": 3},
        named={"sine_fit.fit": "training-diverged"},
    ),
    wrong(
        "not-a-network",
        "forward_pass of the returned object is the sine itself",
        cells={
            "fit_sine": (
                "class Sine(SineNetwork):\n    def forward_pass(self, X):\n        return np.sin(X)\n\n\n"
                "def fit_sine(seed):\n    return Sine(1, 2, 1)\n"
            )
        },
        loses={"sine_fit.fit": 3},
    ),
    wrong(
        "predictions-returned",
        "fit_sine returns the predictions instead of the network",
        edits={"fit_sine": [("return network", "return network.A2")]},
        loses={"sine_fit": 3},
        statuses={"sine_fit": "raised"},
    ),
    wrong(
        "backward-moves-weights",
        "right gradients, and a step in the backward pass already",
        edits={"network": [("self.db1 = np.sum(dZ1, axis=1, keepdims=True)", "self.db1 = np.sum(dZ1, axis=1, keepdims=True)\n        self.W1 = self.W1 - 0.001 * self.dW1")]},
        loses={"hidden_gradients.db1": 1},
        named={"hidden_gradients.db1": "parameters-changed-by-backward-pass"},
    ),
    wrong(
        "relu-hidden",
        "ReLU in both passes: charged where it is chosen",
        edits={"network": [("np.tanh(self.Z1)", "np.maximum(self.Z1, 0)"), ("(1 - self.A1**2)", "(self.A1 > 0)")]},
        loses={"forward_regression.A1": 1},
        named={"forward_regression.A1": "relu-in-hidden-layer"},
    ),
    wrong(
        "relu-forward-only",
        "ReLU in the forward pass, the derivative of tanh in the backward pass",
        edits={"network": [("np.tanh(self.Z1)", "np.maximum(self.Z1, 0)")]},
        loses={"forward_regression.A1": 1, "hidden_gradients.dW1": 4, "sine_fit": (0, 1.5, 3)},
        named={"forward_regression.A1": "relu-in-hidden-layer"},
    ),
    wrong(
        'training-range-only',
        'the prediction on the training range alone',
        cells={'plot': 'def draw_fit(ax, network):\n    ax.plot(X_sine[0], Y_sine[0], label="sine")\n    ax.plot(X_sine[0], network.forward_pass(X_sine)[0], label="network")\n    ax.set(xlabel="x", ylabel="output")'},
        loses={'fit_picture.beyond': 1},
    ),
    wrong(
        'curves-without-labels',
        'nothing says which curve is which',
        cells={'plot': 'def draw_fit(ax, network):\n    wide = np.linspace(-12, 12, 400)\n    ax.plot(wide, np.sin(wide))\n    ax.plot(wide, network.forward_pass(wide[None])[0])\n    ax.set(xlabel="x", ylabel="output")'},
        loses={'fit_picture.curves': 0.5},
    ),
    wrong(
        'sine-alone',
        'the network is not drawn',
        cells={'plot': 'def draw_fit(ax, network):\n    wide = np.linspace(-12, 12, 400)\n    ax.plot(wide, np.sin(wide), label="sine")\n    ax.set(xlabel="x", ylabel="output")'},
        loses={'fit_picture': 2},
    ),
)

ALLOWED = {
    "no-division-by-m": "the fit is asked of the student's own network: nothing else can reach it",
    "sigmoid-derivative-at-output": "the fit is asked of the student's own network: nothing else can reach it",
    "sign": "the fit is asked of the student's own network: nothing else can reach it",
    "sigmoid-output": "the fit is asked of the student's own network: nothing else can reach it",
    "no-hidden-derivative": "the fit is asked of the student's own network: nothing else can reach it",
    "linear-hidden-layer": "the fit is asked of the student's own network: nothing else can reach it",
    "nothing-returned": "the fit is asked of the student's own network: nothing else can reach it",
    "z-for-a": "the fit is asked of the student's own network: nothing else can reach it",
    "relu-forward-only": "the fit is asked of the student's own network: nothing else can reach it",
    "forward_regression.A2": "a linear output is its pre-activation, whatever that is",
    "forward_regression.returned": "what is returned is what is stored",
}

FAULTS = {
    "tanh-derivative-with-sigmoid": {"network": ["(1 - self.A1**2)"]},  # with a sigmoid, which is right, this is wrong
}

UNPLACED = {
    'training-range-only': 'a statement in words or numbers: nothing is worked out',
    'curves-without-labels': 'a statement in words or numbers: nothing is worked out',
    'sine-alone': 'a statement in words or numbers: nothing is worked out',
    "too-few-epochs": "any choice that learns the sine is right: no value is due",
    "diverges": "any choice that learns the sine is right: no value is due",
    "not-a-network": "the sine stands where a network is due",
}

QUICK = "bends-everywhere"
