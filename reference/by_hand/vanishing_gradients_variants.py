"""Other solutions of vanishing_gradients: right ones in another style, and wrong ones with what they must cost."""

from autograder.audit import right, wrong

RIGHT = (
    right(
        "rounded",
        "by hand, four significant figures; one function per activation, loops over units",
        estimate_sigmoid="max_slope = 0.25\nsigmoid_bounds = [0.25, 0.0625, 0.01563, 0.003906, 0.0009766]",
        estimate_input="at_input = 0.0009766\nlayers_needed = 10\nweight_needed = 4.0",
        estimate_relu=(
            "mean_factor = 0.5\nrelu_mean = [0.5, 0.25, 0.125, 0.0625, 0.03125]\n"
            "rms_factor = 0.7071\nrelu_rms = [0.7071, 0.5, 0.3536, 0.25, 0.1768]"
        ),
        measure='''
import math


def slope(z, a, activation):
    return {"sigmoid": a * (1 - a), "tanh": 1 - math.tanh(z) ** 2, "relu": 1.0 if z > 0 else 0.0}[activation]


def error_signals(weights, Z, A, dA5, activation):
    signals = [None] * 5
    for layer in range(5, 0, -1):
        units, examples = Z[layer - 1].shape
        dZ = np.zeros((units, examples))
        for i in range(units):
            for k in range(examples):
                if layer == 5:
                    arriving = dA5[i, k]
                else:
                    above = signals[layer]
                    arriving = sum(weights[layer][j, i] * above[j, k] for j in range(above.shape[0]))
                dZ[i, k] = arriving * slope(Z[layer - 1][i, k], A[layer - 1][i, k], activation)
        signals[layer - 1] = dZ
    return signals


def signal_norms(signals):
    return [math.sqrt(sum(float(x) ** 2 for x in np.ravel(s))) for s in signals]
''',
    ),
    right(
        "einsum",
        "arrays for lists, einsum, recursion, derivatives at z, a tuple",
        estimate_sigmoid="max_slope = np.float64(0.25)\nsigmoid_bounds = 0.25 ** np.arange(1, 6)",
        estimate_relu=(
            "mean_factor = 0.5\nrelu_mean = 2.0 ** -np.arange(1, 6)\n"
            "rms_factor = 1 / np.sqrt(2)\nrelu_rms = 2.0 ** (-np.arange(1, 6) / 2)"
        ),
        measure='''
DERIVATIVES = {
    "sigmoid": lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2,
    "tanh": lambda z: 1 / np.cosh(z) ** 2,
    "relu": lambda z: np.heaviside(z, 0.5),
}


def error_signals(weights, Z, A, dA5, activation):
    def at(layer):
        if layer == 5:
            return (dA5 * DERIVATIVES[activation](Z[4]),)
        above = at(layer + 1)
        back = np.einsum("ji,jk->ik", weights[layer], above[0])
        return (back * DERIVATIVES[activation](Z[layer - 1]), *above)

    return at(1)


def signal_norms(signals):
    return np.array([np.linalg.norm(s) for s in signals])
''',
    ),
    right(
        "rows",
        "one row per example inside, ReLU as a copy with zeros",
        measure='''
def error_signals(weights, Z, A, dA5, activation):
    result = []
    gradient = dA5.T
    for W, z, a in zip(reversed(weights), reversed(Z), reversed(A)):
        if activation == "relu":
            delta = gradient.copy()
            delta[z.T <= 0] = 0
        elif activation == "tanh":
            delta = gradient * (1 - a.T * a.T)
        else:
            delta = gradient * (a.T - a.T**2)
        result.append(delta.T)
        gradient = delta @ W
    return result[::-1]


def signal_norms(signals):
    return [np.linalg.norm(s, "fro") for s in signals]
''',
    ),
    right(
        "float32",
        "everything in single precision",
        measure='''
def error_signals(weights, Z, A, dA5, activation):
    f = np.float32
    signals, back = [], dA5.astype(f)
    for W, z, a in zip(weights[::-1], Z[::-1], A[::-1]):
        a = a.astype(f)
        slope = {"sigmoid": a * (1 - a), "tanh": 1 - a * a, "relu": (z > 0).astype(f)}[activation]
        signals.append(back * slope)
        back = W.T.astype(f) @ signals[-1]
    return signals[::-1]


def signal_norms(signals):
    return [np.sqrt((s.astype(np.float32) ** 2).sum()) for s in signals]
''',
    ),
    right(
        "fractions",
        "exact fractions, and numbers of sympy",
        estimate_sigmoid=(
            "from fractions import Fraction\n"
            "max_slope = Fraction(1, 4)\nsigmoid_bounds = tuple(max_slope**k for k in range(1, 6))"
        ),
        estimate_relu=(
            "import sympy\nmean_factor = sympy.Rational(1, 2)\nrms_factor = sympy.sqrt(mean_factor)\n"
            "relu_mean, relu_rms = ([f**k for k in range(1, 6)] for f in (mean_factor, rms_factor))"
        ),
    ),
)


def _edit(variant_id, title, cell, old, new, loses, named=None):
    """A wrong variant that changes one place."""
    return wrong(variant_id, title, edits={cell: [(old, new)]}, loses=loses, named=named)


def _bounds(variant_id, title, text, loses, named=None):
    """A wrong variant with another list of bounds."""
    return _edit(variant_id, title, "estimate_sigmoid", "[1 / 4, 1 / 16, 1 / 64, 1 / 256, 1 / 1024]", text, loses, named)


_SIGMOID = 'if activation == "sigmoid":\n            slope = A[i] * (1 - A[i])'
_TANH = "slope = 1 - A[i] ** 2"
_RELU = "slope = Z[i] > 0"


def _slope(variant_id, title, old, new):
    """A wrong variant with a wrong slope for one activation: charged once, in the first step."""
    return _edit(
        variant_id, title, "measure", old, new, {"true_signals.last": 2}, {"true_signals.last": variant_id}
    )


WRONG = (
    _edit(
        "value-for-slope",
        "the height of the sigmoid for its slope, and everything that follows from it",
        "estimate_sigmoid",
        "max_slope = 1 / 4  # sigma (1 - sigma) is largest where sigma = 1/2, that is at z = 0\n"
        "sigmoid_bounds = [1 / 4, 1 / 16, 1 / 64, 1 / 256, 1 / 1024]",
        "max_slope = 1 / 2\nsigmoid_bounds = [1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32]\nseen = True",
        {"sigmoid_layers.max_slope": 1},
        {"sigmoid_layers.max_slope": "value-for-slope"},
    ),
    _bounds(
        "first-step-skipped",
        "magnitude 1 is given to z5, and the chain is one step short",
        "[1, 1 / 4, 1 / 16, 1 / 64, 1 / 256]",
        {"sigmoid_layers.layer5": 1},
        {"sigmoid_layers.layer5": "first-step-skipped"},
    ),
    _bounds(
        "factor-applied-once",
        "the same bound at two layers",
        "[1 / 4, 1 / 16, 1 / 16, 1 / 64, 1 / 256]",
        {"sigmoid_layers.layer3": 1},
        {"sigmoid_layers.layer3": "factor-applied-once"},
    ),
    _bounds(
        "arithmetic",
        "a slip in one power, and right from there",
        "[1 / 4, 1 / 16, 1 / 62, 1 / 248, 1 / 992]",
        {"sigmoid_layers.layer3": 1},
    ),
    _bounds(
        "listed-backwards",
        "layer 1 first: the list as a whole stands the other way round",
        "[1 / 1024, 1 / 256, 1 / 64, 1 / 16, 1 / 4]",
        {"sigmoid_layers.layer5": 1},
        {"sigmoid_layers.layer5": "listed-backwards"},
    ),
    _edit(
        "one-slope-too-many",
        "a sixth slope between z1 and x",
        "estimate_input",
        "sigmoid_bounds[-1] * 1",
        "sigmoid_bounds[-1] / 4",
        {"sigmoid_input.at_input": 1},
        {"sigmoid_input.at_input": "one-slope-too-many"},
    ),
    _edit(
        "one-layer-short",
        "nine layers are not enough",
        "estimate_input",
        "layers_needed = 10",
        "layers_needed = 9",
        {"sigmoid_input.layers_needed": 1},
        {"sigmoid_input.layers_needed": "one-layer-short"},
    ),
    _edit(
        "not-a-whole-number",
        "the logarithm, not rounded up",
        "estimate_input",
        "layers_needed = 10",
        "layers_needed = 6 / np.log10(4)",
        {"sigmoid_input.layers_needed": 1},
    ),
    _edit(
        "slope-for-weight",
        "the slope where the weight is asked",
        "estimate_input",
        "weight_needed = 4",
        "weight_needed = 0.25",
        {"sigmoid_input.weight_needed": 1},
        {"sigmoid_input.weight_needed": "slope-for-weight"},
    ),
    _edit(
        "mean-for-rms",
        "both measures are halved",
        "estimate_relu",
        "rms_factor = (1 / 2) ** 0.5",
        "rms_factor = 1 / 2",
        {"relu_layers.rms_factor": 1},
        {"relu_layers.rms_factor": "mean-for-rms"},
    ),
    _edit(
        "relu-list-from-one",
        "the powers begin with 0",
        "estimate_relu",
        "[mean_factor**k for k in range(1, 6)]",
        "[mean_factor**k for k in range(5)]",
        {"relu_layers.relu_mean": 1},
        {"relu_layers.relu_mean": "first-step-skipped"},
    ),
    _edit(
        "relu-list-backwards",
        "layer 1 comes first",
        "estimate_relu",
        "[rms_factor**k for k in range(1, 6)]",
        "[rms_factor**k for k in range(5, 0, -1)]",
        {"relu_layers.relu_rms": 1},
        {"relu_layers.relu_rms": "listed-backwards"},
    ),
    _edit(
        "relu-list-not-compounded",
        "the factor is subtracted again and again",
        "estimate_relu",
        "[mean_factor**k for k in range(1, 6)]",
        "[1 - k * mean_factor for k in range(1, 6)]",
        {"relu_layers.relu_mean": 1},
    ),
    _edit(
        "relu-list-starts-with-one",
        "the list of the root-mean-square starts at the output itself",
        "estimate_relu",
        "[rms_factor**k for k in range(1, 6)]",
        "[rms_factor**k for k in range(5)]",
        {"relu_layers.relu_rms": 1},
    ),
    wrong(
        "activation-derivative-missing",
        "no slope at all: charged once, in the first step",
        edits={"measure": [("dZ = dA * slope", "dZ = dA")]},
        loses={"true_signals.last": 2},
        named={"true_signals.last": "activation-derivative-missing"},
    ),
    _slope("derivative-at-activation", "the sigmoid's slope taken at a", _SIGMOID,
           'if activation == "sigmoid":\n            s = 1 / (1 + np.exp(-A[i]))\n            slope = s * (1 - s)'),
    _slope("square-missing", "1 - tanh", _TANH, "slope = 1 - A[i]"),
    _slope("sigmoid-derivative-with-tanh", "the sigmoid's slope with tanh", _TANH, "slope = A[i] * (1 - A[i])"),
    _slope("relu-derivative-returns-z", "ReLU itself for its slope", _RELU, "slope = A[i]"),
    _slope("relu-sign-for-step", "the sign of z for the slope of ReLU", _RELU, "slope = np.sign(Z[i])"),
    wrong(
        "last-layer-linear",
        "no slope in the last layer only",
        edits={"measure": [("dZ = dA * slope", "dZ = dA * slope if i < 4 else dA")]},
        loses={"true_signals.last": 2},
        named={"true_signals.last": "activation-derivative-missing"},
    ),
    wrong(
        "slope-missing-below",
        "the slope is used in the last layer only: one mistake, charged where it first shows",
        edits={"measure": [("dZ = dA * slope", "dZ = dA * slope if i == 4 else dA")]},
        loses={"true_signals.sigmoid": 1},
        named={"true_signals.sigmoid": "activation-derivative-missing"},
    ),
    wrong(
        "divided-by-m",
        "each step is divided by the number of examples",
        edits={"measure": [("dA = weights[i].T @ dZ", "dA = weights[i].T @ dZ / dZ.shape[1]")]},
        loses={"true_signals.sigmoid": 1},
        named={"true_signals.sigmoid": "divided-by-m-twice"},
    ),
    wrong(
        "tanh-from-the-wrong-layer",
        "with tanh, dZ1 gets a wrong sign",
        edits={"measure": [("        signals.insert(0, dZ)",
                            '        if activation == "tanh" and i == 0:\n            dZ = -dZ\n        signals.insert(0, dZ)')]},
        loses={"true_signals.tanh": 1},
    ),
    wrong(
        "weights-not-transposed",
        "W for its transpose: the code raises where it does not fit; one mistake, charged once",
        edits={"measure": [("weights[i].T @ dZ", "weights[i] @ dZ")]},
        loses={"true_signals.sigmoid": 1},
        named={"true_signals.sigmoid": "weights-not-transposed"},
    ),
    wrong(
        "output-first",
        "the list starts with dZ5",
        edits={"measure": [("signals.insert(0, dZ)", "signals.append(dZ)")]},
        loses={"true_signals.last": 2},
        named={"true_signals.last": "listed-backwards"},
    ),
    _edit(
        "square-root-missing",
        "the sum of squares without its root",
        "measure",
        "np.sqrt(np.sum(dZ**2))",
        "np.sum(dZ**2)",
        {"true_norms.norms": 1},
        {"true_norms.norms": "square-root-missing"},
    ),
    _edit(
        "spectral-norm",
        "another norm of a matrix",
        "measure",
        "np.sqrt(np.sum(dZ**2))",
        "np.linalg.norm(dZ, 2)",
        {"true_norms.norms": 1},
        {"true_norms.norms": "spectral-norm"},
    ),
    wrong(
        "all-zeros",
        "zero for every number: nothing follows from it",
        cells={
            "estimate_sigmoid": "max_slope = 0\nsigmoid_bounds = [0, 0, 0, 0, 0]",
            "estimate_input": "at_input = 0\nlayers_needed = 0\nweight_needed = 0",
            "estimate_relu": "mean_factor = 0\nrelu_mean = [0] * 5\nrms_factor = 0\nrelu_rms = [0] * 5",
            "measure": "def error_signals(weights, Z, A, dA5, activation):\n    return [0 * z for z in Z]\n\n\n"
                       "def signal_norms(signals):\n    return [0.0] * 5",
        },
        loses={"sigmoid_layers": 6, "sigmoid_input": 3, "relu_layers": 4, "true_signals": 5, "true_norms": 1},
    ),
    wrong(
        "all-ones",
        "one for every number: two named mistakes, and what follows from them",
        cells={
            "estimate_sigmoid": "max_slope = 1\nsigmoid_bounds = [1, 1, 1, 1, 1]",
            "estimate_input": "at_input = 1\nlayers_needed = 1\nweight_needed = 1",
            "estimate_relu": "mean_factor = 1\nrelu_mean = [1] * 5\nrms_factor = 1\nrelu_rms = [1] * 5",
            "measure": "def error_signals(weights, Z, A, dA5, activation):\n    return [0 * z + 1 for z in Z]\n\n\n"
                       "def signal_norms(signals):\n    return [1.0] * 5",
        },
        loses={"sigmoid_layers": 6, "sigmoid_input": 3, "relu_layers.mean_factor": 1,
               "true_signals": 5, "true_norms": 1},
    ),
    wrong(
        "chosen-numbers",
        "tiny numbers, carried on honestly: they are no slips, and nothing follows from them",
        cells={
            "estimate_sigmoid": "max_slope = 1e-6\nsigmoid_bounds = [max_slope**k for k in range(1, 6)]",
            "estimate_input": "at_input = sigmoid_bounds[-1]\nlayers_needed = 1\nweight_needed = 1 / max_slope",
            "estimate_relu": "mean_factor = 1e-6\nrelu_mean = [mean_factor**k for k in range(1, 6)]\n"
                             "rms_factor = 1e-6\nrelu_rms = [rms_factor**k for k in range(1, 6)]",
        },
        loses={"sigmoid_layers": 6, "sigmoid_input": 3, "relu_layers": 4},
    ),
    wrong(
        'relu-as-odd-one-out',
        'another of the four',
        cells={'odd_one_out': 'odd_one_out = "ReLU"'},
        loses={'which_does_not_help.odd_one_out': 1},
    ),
    wrong(
        'odd-one-out-as-number',
        'a number in the place of a word',
        cells={'odd_one_out': 'odd_one_out = 2'},
        loses={'which_does_not_help.odd_one_out': 1},
    ),
)

ALLOWED = {
    "relu_layers.mean_factor": "1/2 is right",
    "relu_layers.relu_mean": "from one wrong factor of 1 ones follow: a slip, and carried on as one",
    "relu_layers.rms_factor": "from one wrong factor of 1 ones follow: a slip, and carried on as one",
    "relu_layers.relu_rms": "from one wrong factor of 1 ones follow: a slip, and carried on as one",
}

UNPLACED = {
    'relu-as-odd-one-out': 'a statement in words or numbers: nothing is worked out',
    'odd-one-out-as-number': 'a statement in words or numbers: nothing is worked out',
    "one-layer-short": "numbers that were typed: nothing is worked out",
    "slope-for-weight": "numbers that were typed: nothing is worked out",
    "all-zeros": "numbers that were chosen: nothing is worked out",
    "all-ones": "numbers that were chosen: nothing is worked out",
    "chosen-numbers": "numbers that were chosen: nothing is worked out",
}
