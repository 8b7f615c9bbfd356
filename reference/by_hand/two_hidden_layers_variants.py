"""Other solutions of two_hidden_layers: right ones in another style, and wrong ones with what they must cost."""

from autograder.audit import right, wrong

RIGHT = (
    right(
        "loops",
        "1/m in the weight gradients; loops over the examples",
        shape_letters='shapes = dict(dZ3=["o", "m"], dZ2=["h2", "m"], dZ1=["h1", "m"], '
                      'dW3=["o", "h2"], dW2=["h2", "h1"], dW1=["h1", "n"])',
        equations='''
def equation_dZ3(A3, Y):
    return A3 - Y


def equation_dZ2(W3, dZ3, A2):
    result = np.zeros(A2.shape)
    for k in range(A2.shape[1]):
        for i in range(A2.shape[0]):
            for j in range(dZ3.shape[0]):
                result[i, k] += W3[j, i] * dZ3[j, k] * A2[i, k] * (1 - A2[i, k])
    return result


def equation_dZ1(W2, dZ2, A1):
    return np.stack([(W2.T @ dZ2[:, k]) * (1 - A1[:, k] ** 2) for k in range(A1.shape[1])], axis=1)


def equation_dW1(dZ1, X):
    return sum(np.outer(dZ1[:, k], X[:, k]) for k in range(X.shape[1])) / X.shape[1]
''',
        backward='''
class TwoHiddenNetwork(TwoHiddenBase):
    def backward_pass(self, X, Y):
        m = X.shape[1]
        for layer in (1, 2, 3):
            setattr(self, f"dW{layer}", np.zeros_like(getattr(self, f"W{layer}")))
            setattr(self, f"db{layer}", np.zeros_like(getattr(self, f"b{layer}")))
        for k in range(m):
            d3 = self.A3[:, k] - Y[:, k]
            d2 = self.W3.T @ d3 * self.A2[:, k] * (1 - self.A2[:, k])
            d1 = self.W2.T @ d2 / np.cosh(self.Z1[:, k]) ** 2
            for layer, d, below in ((3, d3, self.A2), (2, d2, self.A1), (1, d1, X)):
                getattr(self, f"dW{layer}")[...] += np.outer(d, below[:, k]) / m
                getattr(self, f"db{layer}")[:, 0] += d / m
''',
    ),
    right(
        "einsum",
        "einsum, and the equations reused in the network",
        equations='''
def equation_dZ3(A3, Y):
    return np.divide(A3 - Y, A3.shape[1])


def equation_dZ2(W3, dZ3, A2):
    return np.einsum("oh,om,hm->hm", W3, dZ3, A2 - A2**2)


def equation_dZ1(W2, dZ2, A1):
    return np.einsum("ji,jm,im->im", W2, dZ2, 1 - A1 * A1)


def equation_dW1(dZ1, X):
    return np.einsum("im,nm->in", dZ1, X)
''',
        backward='''
class TwoHiddenNetwork(TwoHiddenBase):
    def backward_pass(self, X, Y):
        dZ3 = equation_dZ3(self.A3, Y)
        dZ2 = equation_dZ2(self.W3, dZ3, self.A2)
        dZ1 = equation_dZ1(self.W2, dZ2, self.A1)
        self.dW1, self.dW2, self.dW3 = (equation_dW1(d, a) for d, a in ((dZ1, X), (dZ2, self.A1), (dZ3, self.A2)))
        self.db1, self.db2, self.db3 = (d.sum(axis=1)[:, None] for d in (dZ1, dZ2, dZ3))
''',
    ),
    right(
        "rows",
        "one row per example inside, transposed at the end; derivatives at z",
        equations='''
def equation_dZ3(A3, Y):
    return ((A3.T - Y.T) / len(Y.T)).T


def equation_dZ2(W3, dZ3, A2):
    return ((dZ3.T @ W3) * A2.T * (1 - A2.T)).T


def equation_dZ1(W2, dZ2, A1):
    return ((dZ2.T @ W2) * (1 + A1.T) * (1 - A1.T)).T


def equation_dW1(dZ1, X):
    return (X @ dZ1.T).T
''',
        backward='''
class TwoHiddenNetwork(TwoHiddenBase):
    def backward_pass(self, X, Y):
        m = len(X.T)
        e3 = (self.A3 - Y).T
        s = 1 / (1 + np.exp(-self.Z2.T))
        e2 = e3 @ self.W3 * s * (1 - s)
        e1 = e2 @ self.W2 * (1 - np.tanh(self.Z1.T) ** 2)
        self.dW1, self.dW2, self.dW3 = (X @ e1).T / m, (self.A1 @ e2).T / m, (self.A2 @ e3).T / m
        self.db1, self.db2, self.db3 = (e.mean(axis=0).reshape(-1, 1) for e in (e1, e2, e3))
''',
    ),
    right(
        "float32",
        "single precision",
        equations='''
def equation_dZ3(A3, Y):
    return (A3 - Y).astype(np.float32) / np.float32(Y.shape[1])


def equation_dZ2(W3, dZ3, A2):
    return ((W3.T @ dZ3) * A2 * (1 - A2)).astype(np.float32)


def equation_dZ1(W2, dZ2, A1):
    return ((W2.T @ dZ2) * (1 - A1**2)).astype(np.float32)


def equation_dW1(dZ1, X):
    return dZ1.astype(np.float32) @ X.T.astype(np.float32)
''',
    ),
    right(
        "letters-in-arrays",
        "the pairs of letters as lists and arrays",
        shape_letters=(
            'shapes = {"dW1": ["h1", "n"], "dW2": ["h2", "h1"], "dW3": np.array(["o", "h2"])}\n'
            'shapes |= {"dZ1": ("h1", "m"), "dZ2": np.array(["h2", "m"]), "dZ3": list("om")}'
        ),
    ),
    right(
        "capital-letters",
        "the letters of the sheet as capitals",
        shape_letters=(
            'shapes = {"dZ3": ("O", "M"), "dZ2": ("H2", "M"), "dZ1": ("H1", "M"), '
            '"dW3": ("O", "H2"), "dW2": ("H2", "H1"), "dW1": ("H1", "N")}'
        ),
    ),
    right(
        "lazy-properties",
        "gradients as properties, worked out when they are asked for",
        backward='''
class TwoHiddenNetwork(TwoHiddenBase):
    def backward_pass(self, X, Y):
        self._X, self._Y = X, Y
    @property
    def _d3(self): return (self.A3 - self._Y) / self._X.shape[1]
    @property
    def _d2(self): return (self.W3.T @ self._d3) * self.A2 * (1 - self.A2)
    @property
    def _d1(self): return (self.W2.T @ self._d2) * (1 - self.A1**2)
    dW3 = property(lambda s: s._d3 @ s.A2.T)
    dW2 = property(lambda s: s._d2 @ s.A1.T)
    dW1 = property(lambda s: s._d1 @ s._X.T)
    db3 = property(lambda s: s._d3.sum(1, keepdims=True))
    db2 = property(lambda s: s._d2.sum(1, keepdims=True))
    db1 = property(lambda s: s._d1.sum(1, keepdims=True))
''',
    ),
)


def _edit(variant_id, title, cell, old, new, loses, named=None, statuses=None):
    """A wrong variant that changes one place."""
    return wrong(variant_id, title, edits={cell: [(old, new)]}, loses=loses, named=named, statuses=statuses)


def _equation(name, question, old, mistakes):
    """One wrong variant of an equation for each mistake, all of which are named."""
    points = 1 if name == "dZ3" else 2
    return tuple(
        _edit(f"{name}-{mistake}", f"{name}: {mistake}", "equations", old, new, {question: points},
              {f"{question}.{name}": mistake})
        for mistake, new in mistakes.items()
    )


def _gradient(mistake, title, old, new, loses, named=True):
    """A wrong variant of the backward pass; the first line that it loses is told the mistake."""
    lines = {f"six_gradients.{line}": points for line, points in loses.items()}
    return _edit(mistake, title, "backward", old, new, lines, {next(iter(lines)): mistake} if named else None)


WRONG = (
    _edit("shapes-transposed", "rows and columns of dW1 exchanged", "shape_letters", '("h1", "n")', '("n", "h1")',
          {"shape_table.dW1": 0.5}, {"shape_table.dW1": "result-transposed"}),
    _edit("shape-of-the-layer-below", "dZ2 in the shape of the layer below", "shape_letters",
          '"dZ2": ("h2", "m")', '"dZ2": ("h1", "m")', {"shape_table.dZ2": 0.5}),
    _edit("shapes-as-numbers", "numbers for letters", "shape_letters", '"dZ3": ("o", "m")', '"dZ3": (1, 4)',
          {"shape_table.dZ3": 0.5}),
    *_equation("dZ3", "signal_3", "return (A3 - Y) / Y.shape[1]", {
        "extra-output-derivative": "return (A3 - Y) * A3 * (1 - A3) / Y.shape[1]",
        "sign-flipped": "return (Y - A3) / Y.shape[1]",
        "factor-2-extra": "return 2 * (A3 - Y) / Y.shape[1]",
    }),
    _edit("dZ3-divided-by-o", "the mean over the outputs in place of the examples", "equations",
          "return (A3 - Y) / Y.shape[1]", "return (A3 - Y) / Y.shape[0]", {"signal_3": 1},
          {"signal_3.dZ3": ("missing-1-over-m", "mean-over-outputs")}),
    *_equation("dZ2", "signal_2", "return (W3.T @ dZ3) * A2 * (1 - A2)", {
        "activation-derivative-missing": "return W3.T @ dZ3",
        "tanh-derivative-with-sigmoid": "return (W3.T @ dZ3) * (1 - A2**2)",
        "half-of-the-derivative": "return (W3.T @ dZ3) * (1 - A2)",
        "derivative-without-brackets": "return (W3.T @ dZ3) * A2 * 1 - A2",
        "weights-missing-in-hidden-error": "return np.sum(dZ3, axis=0) * A2 * (1 - A2)",
        "derivative-at-activation": "s = 1 / (1 + np.exp(-A2))\n    return (W3.T @ dZ3) * s * (1 - s)",
    }),
    _edit("dZ2-transposed", "the right numbers, but transposed: the shape is said in letters", "equations",
          "return (W3.T @ dZ3) * A2 * (1 - A2)", "return ((W3.T @ dZ3) * A2 * (1 - A2)).T",
          {"signal_2": 2}, {"signal_2.dZ2": "result-transposed"}),
    _edit("dZ2-not-transposed", "W3 in place of its transpose", "equations",
          "return (W3.T @ dZ3) * A2", "return (W3 @ dZ3) * A2", {"signal_2": 2},
          {"signal_2.dZ2": "weights-not-transposed"}),
    *_equation("dZ1", "signal_1", "return (W2.T @ dZ2) * (1 - A1**2)", {
        "activation-derivative-missing": "return W2.T @ dZ2",
        "sigmoid-derivative-with-tanh": "return (W2.T @ dZ2) * A1 * (1 - A1)",
        "square-missing": "return (W2.T @ dZ2) * (1 - A1)",
        "derivative-without-brackets": "return (W2.T @ dZ2) * 1 - A1**2",
        "derivative-at-activation": "return (W2.T @ dZ2) * (1 - np.tanh(A1) ** 2)",
    }),
    *_equation("dW1", "weights_1", "return dZ1 @ X.T", {
        "divided-by-m-twice": "return dZ1 @ X.T / X.shape[1]",
        "sign-flipped": "return -dZ1 @ X.T",
        "result-transposed": "return X @ dZ1.T",
    }),
    _edit("dW1-no-mean-anywhere", "1/m neither in dZ3 nor in dW1", "equations", "return (A3 - Y) / Y.shape[1]",
          "return A3 - Y", {"weights_1": 2}, {"weights_1.dW1": "missing-1-over-m"}),
    _edit("dW1-elementwise", "a product entry by entry", "equations", "return dZ1 @ X.T", "return dZ1[:1] * X",
          {"weights_1": 2}, {"weights_1.dW1": "other-shape"}),
    _gradient("missing-1-over-m", "no mean over the examples",
              "dZ3 = (self.A3 - Y) / X.shape[1]", "dZ3 = self.A3 - Y", {"dW3": 1}),
    _gradient("extra-output-derivative", "a(1 - a) once too often at the output",
              "dZ3 = (self.A3 - Y) / X.shape[1]", "dZ3 = (self.A3 - Y) * self.A3 * (1 - self.A3) / X.shape[1]",
              {"dW3": 1}),
    _gradient("tanh-derivative-with-sigmoid", "the derivative of tanh in the sigmoid layer",
              "* self.A2 * (1 - self.A2)", "* (1 - self.A2**2)", {"dW2": 2}),
    _gradient("sigmoid-derivative-with-tanh", "the derivative of the sigmoid in the tanh layer",
              "* (1 - self.A1**2)", "* self.A1 * (1 - self.A1)", {"dW1": 2}),
    wrong("activation-derivative-missing", "no slope in either hidden layer: the same mistake, charged once",
          edits={"backward": [(" * self.A2 * (1 - self.A2)", ""), (" * (1 - self.A1**2)", "")]},
          loses={"six_gradients.dW2": 2},
          named={"six_gradients.dW2": "activation-derivative-missing"}),
    _gradient("z-for-a-in-gradient", "Z2 where A2 belongs in dW3",
              "dZ3 @ self.A2.T", "dZ3 @ self.Z2.T", {"dW3": 1}),
    _gradient("bias-not-summed", "db2 keeps one column per example",
              "np.sum(dZ2, axis=1, keepdims=True)", "dZ2", {"db2": 1}, named=False),
    _gradient("bias-of-the-layer-above", "db1 summed over everything",
              "np.sum(dZ1, axis=1, keepdims=True)", "np.full_like(self.b1, np.sum(dZ1))", {"db1": 1}, named=False),
    _gradient("wrong-shape", "db3 without its second axis",
              "np.sum(dZ3, axis=1, keepdims=True)", "np.sum(dZ3, axis=1)", {"db3": 0.5}),
    wrong("two-slips", "a slip in each hidden layer, told apart",
          edits={"backward": [("* self.A2 * (1 - self.A2)", "* (1 - self.A2)"), ("(1 - self.A1**2)", "(1 - self.A1)")]},
          loses={"six_gradients.dW2": 2, "six_gradients.dW1": 2},
          named={"six_gradients.dW2": "half-of-the-derivative", "six_gradients.dW1": "square-missing"}),
    wrong("w3-updated-early", "W3 is changed before the error goes back through it",
          edits={"backward": [("        dZ2 = (self.W3.T", "        self.W3 = self.W3 - 0.5 * self.dW3\n        dZ2 = (self.W3.T")]},
          loses={"six_gradients.dW2": 2},
          named={"six_gradients.dW2": "w3-updated-before-hidden-error"}),
    wrong("w2-updated-early", "W2 is changed before the error goes back through it",
          edits={"backward": [("        dZ1 = (self.W2.T", "        self.W2 = self.W2 - 0.5 * self.dW2\n        dZ1 = (self.W2.T")]},
          loses={"six_gradients.dW1": 2},
          named={"six_gradients.dW1": "w2-updated-before-hidden-error"}),
    wrong(
        "weights-not-transposed",
        "W for its transpose at all four places, where the code raises: charged once",
        edits={
            "equations": [("W3.T @ dZ3", "W3 @ dZ3"), ("W2.T @ dZ2", "W2 @ dZ2")],
            "backward": [("self.W3.T @ dZ3", "self.W3 @ dZ3"), ("self.W2.T @ dZ2", "self.W2 @ dZ2")],
        },
        loses={"signal_2.dZ2": 2},
        named={"signal_2.dZ2": "weights-not-transposed"},
    ),
    wrong(
        "slopes-missing",
        "no slope in either equation: the same mistake, charged once",
        edits={"equations": [(" * A2 * (1 - A2)", ""), (" * (1 - A1**2)", "")]},
        loses={"signal_2.dZ2": 2},
        named={"signal_2.dZ2": "activation-derivative-missing"},
    ),
    wrong(
        "raises-at-the-last-layer",
        "an error at dW1: what was stored before it counts",
        edits={"backward": [("self.dW1 = dZ1 @ X.T", "self.dW1 = X.T @ dZ1")]},
        loses={"six_gradients.dW1": 2, "six_gradients.db1": 1},
    ),
    wrong(
        "saturated",
        "another forward pass, after which every gradient is tiny: nothing follows from it",
        cells={
            "backward": "class TwoHiddenNetwork(TwoHiddenBase):\n"
                        "    def forward_pass(self, X):\n"
                        "        super().forward_pass(X)\n"
                        "        self.Z3, self.A3 = self.Z3 * 0 + 27.6, self.A3 * 0 + 1 - 1e-12\n\n"
                        "    def backward_pass(self, X, Y):\n"
                        "        self.A1, self.A2, self.A3 = 0 * self.A1 + 1e-12, 0 * self.A2 + 1e-12, Y + 1e-12\n"
                        "        for name in ('W1', 'b1', 'W2', 'b2', 'W3', 'b3'):\n"
                        "            setattr(self, 'd' + name, 0 * getattr(self, name) + 1e-12)",
        },
        loses={"six_gradients": 8},
    ),
    wrong(
        "all-zeros",
        "zeros of the right shapes",
        cells={
            "equations": "def equation_dZ3(A3, Y):\n    return 0 * A3\n\n\n"
                         "def equation_dZ2(W3, dZ3, A2):\n    return 0 * A2\n\n\n"
                         "def equation_dZ1(W2, dZ2, A1):\n    return 0 * A1\n\n\n"
                         "def equation_dW1(dZ1, X):\n    return 0 * (dZ1 @ X.T)",
            "backward": "class TwoHiddenNetwork(TwoHiddenBase):\n    def backward_pass(self, X, Y):\n"
                        "        for name in ('W1', 'b1', 'W2', 'b2', 'W3', 'b3'):\n"
                        "            setattr(self, 'd' + name, 0 * getattr(self, name))",
        },
        loses={"signal_3": 1, "signal_2": 2, "signal_1": 2, "weights_1": 2, "six_gradients": 8},
    ),
    wrong(
        "gradient-added-up",
        "a gradient is added to that of the call before",
        edits={"backward": [("self.dW3 = dZ3 @ self.A2.T", "self.dW3 = getattr(self, 'dW3', 0) + dZ3 @ self.A2.T")]},
        loses={"six_gradients.dW3": 1},
        named={"six_gradients.dW3": "gradients-added-up"},
    ),
    wrong(
        "backward-moves-weights",
        "right gradients, and a step in the backward pass already",
        edits={"backward": [("self.db1 = np.sum(dZ1, axis=1, keepdims=True)", "self.db1 = np.sum(dZ1, axis=1, keepdims=True)\n        self.W1 = self.W1 - 0.1 * self.dW1")]},
        loses={"six_gradients.db1": 0.5},
        named={"six_gradients.db1": "parameters-changed-by-backward-pass"},
    ),
)

ALLOWED = {
    "raises-at-the-last-layer": "what comes after the error is not computed",
}

FAULTS = {
    "saturated": {"backward": ("0 * getattr(self, name) + 1e-12",)},
    "all-zeros": {
        "equations": ("0 * A3", "0 * A2", "0 * A1", "0 * (dZ1 @ X.T)"),
        "backward": ("0 * getattr(self, name)",),
    },
}

UNPLACED = {
    "shapes-transposed": "letters that were typed",
    "shape-of-the-layer-below": "letters that were typed",
    "shapes-as-numbers": "letters that were typed",
}
