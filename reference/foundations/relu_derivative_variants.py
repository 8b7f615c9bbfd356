"""Other solutions of relu_derivative: right ones in another style, and wrong ones with what they must cost."""

from autograder.audit import right, wrong

RIGHT = (
    right(
        "loops",
        "every entry in a loop, slope 1 at zero",
        functions='''
def relu(Z):
    out = np.zeros(np.shape(Z))
    for place, z in np.ndenumerate(Z):
        if z > 0:
            out[place] = z
    return out

def relu_derivative(Z):
    out = np.zeros(np.shape(Z))
    for place, z in np.ndenumerate(Z):
        out[place] = 1 if z >= 0 else 0
    return out
''',
        signal='''
def hidden_error(W2, dZ2, Z1):
    out = np.zeros_like(Z1)
    for i in range(Z1.shape[0]):
        for k in range(Z1.shape[1]):
            if Z1[i, k] >= 0:
                for j in range(W2.shape[0]):
                    out[i, k] += W2[j, i] * dZ2[j, k]
    return out
''',
    ),
    right(
        "booleans",
        "a mask of booleans; the error is computed and then zeroed",
        functions='''
def relu(Z):
    return Z * (Z > 0)

def relu_derivative(Z):
    return Z > 0
''',
        signal='''
def hidden_error(W2, dZ2, Z1):
    dA1 = W2.T.dot(dZ2)
    dA1[Z1 <= 0] = 0
    return dA1
''',
    ),
    right(
        "half-at-zero",
        "relu as (z + |z|) / 2, the slope as a Heaviside step with 1/2 at zero, einsum",
        functions='''
def relu(Z):
    return (Z + np.abs(Z)) / 2

def relu_derivative(Z):
    return np.heaviside(Z, 0.5)
''',
        signal='''
def hidden_error(W2, dZ2, Z1):
    return np.einsum("oh,om,hm->hm", W2, dZ2, relu_derivative(Z1))
''',
    ),
    right(
        "float32-rows",
        "single precision, one row per example inside",
        functions='''
def relu(Z):
    return np.where(Z < 0, 0, Z).astype(np.float32)

def relu_derivative(Z):
    return np.where(Z < 0, 0, 1).astype(np.float32)
''',
        signal='''
def hidden_error(W2, dZ2, Z1):
    rows = dZ2.T.astype(np.float32) @ W2.astype(np.float32)
    return (rows * (Z1.T > 0)).T
''',
    ),
    right(
        "mask-from-activation",
        "the mask is read from A1, which is positive where Z1 is",
        signal='''
def hidden_error(W2, dZ2, Z1):
    A1 = relu(Z1)
    return np.where(A1 > 0, W2.T @ dZ2, 0)
''',
    ),
    right(
        "vectorised-lambdas",
        "functions of one number, vectorised; lambdas",
        functions='''
relu = np.vectorize(lambda z: max(z, 0.0), otypes=[float])
relu_derivative = np.vectorize(lambda z: 1.0 if z > 0 else 0.0)
''',
        signal='''
hidden_error = lambda W2, dZ2, Z1: np.dot(dZ2.T, W2).T * relu_derivative(Z1)
''',
    ),
    right(
        "masked-array",
        "clip and sign; the error as a masked array",
        functions='''
def relu(Z, out=None):
    return np.clip(Z, 0, None)
def relu_derivative(Z, at_zero: float = 0.5):
    return (np.sign(Z) + 1) / 2
''',
        signal='''
def hidden_error(W2, dZ2, Z1):
    return np.ma.filled(np.ma.masked_array(W2.T @ dZ2, mask=Z1 <= 0), 0.0)
''',
    ),
)


def _edit(variant_id, title, cell, old, new, loses, named=None):
    """A wrong variant that changes one place."""
    return wrong(variant_id, title, edits={cell: [(old, new)]}, loses=loses, named=named)


def _relu(variant_id, title, new, named=None):
    return _edit(variant_id, title, "functions", "np.maximum(Z, 0)", new, {"relu_values.relu": 3},
                 {"relu_values.relu": named} if named else None)


def _slope(variant_id, title, new, named=None):
    return _edit(variant_id, title, "functions", "(Z > 0).astype(float)", new, {"relu_slopes.slope": 5},
                 {"relu_slopes.slope": named} if named else None)


def _signal(variant_id, title, new, named=None):
    return _edit(variant_id, title, "signal", "(W2.T @ dZ2) * relu_derivative(Z1)", new, {"hidden_signal.dZ1": 6},
                 {"hidden_signal.dZ1": named} if named else None)


WRONG = (
    _relu("identity", "relu returns its input", "Z", "activation-forgotten"),
    _relu("step", "relu returns its slope", "(Z > 0) * 1.0", "relu-derivative-for-relu"),
    _relu("absolute", "the absolute value", "np.abs(Z)", "absolute-value"),
    _relu("minimum", "min instead of max", "np.minimum(Z, 0)", "minimum-for-maximum"),
    _relu("leaky", "a leaky ReLU", "np.where(Z > 0, Z, 0.01 * Z)", "leaky-relu"),
    _relu("vectorize", "numbers cut off by np.vectorize", "np.vectorize(lambda z: z if z > 0 else 0)(Z)",
          "integers-from-vectorize"),
    _relu("relu6", "cut off at 6", "np.clip(Z, 0, 6)"),
    _relu("largest", "the largest entry of the array", "max(np.max(Z), 0)"),
    _edit("relu-in-place", "right values, and the argument is changed", "functions", "return np.maximum(Z, 0)",
          "Z[Z < 0] = 0\n    return Z", {"relu_values.relu": 1.5}, {"relu_values.relu": "argument-changed-in-place"}),
    _edit("slope-in-place", "right slopes, and the argument is changed", "functions", "return (Z > 0).astype(float)",
          "Z[Z < 0] = 0\n    return np.sign(Z)", {"relu_slopes.slope": 2.5},
          {"relu_slopes.slope": "argument-changed-in-place"}),
    wrong(
        "both-in-place",
        "both functions change their argument: charged once",
        edits={"functions": [("np.maximum(Z, 0)", "np.maximum(Z, 0, out=Z)"),
                             ("(Z > 0).astype(float)", "np.sign(np.maximum(Z, 0, out=Z))")]},
        loses={"relu_values.relu": 1.5},
        named={"relu_values.relu": "argument-changed-in-place"},
    ),
    # The slope is wrong, and the error signal follows from it: only the slope is charged.
    _slope("returns-z", "the value instead of the slope", "np.maximum(Z, 0)", "relu-derivative-returns-z"),
    _slope("leaky-slope", "the slope of a leaky ReLU", "np.where(Z > 0, 1, 0.01)", "relu-leaky-slope"),
    _slope("inverted", "one on the wrong side", "(Z < 0).astype(float)", "relu-step-inverted"),
    _slope("inverted-with-zero", "one on the wrong side, zero included", "(Z <= 0).astype(float)", "relu-step-inverted"),
    _slope("sign", "the sign function", "np.sign(Z)", "relu-sign-for-step"),
    _slope("threshold-at-one", "the step is at 1", "(Z > 1).astype(float)", "relu-threshold-at-one"),
    _slope("sigmoid-slope", "the derivative of the sigmoid", "sigmoid(Z) * (1 - sigmoid(Z))", "sigmoid-derivative-with-relu"),
    _slope("tanh-slope", "the derivative of tanh", "1 - np.tanh(Z) ** 2", "tanh-derivative-with-relu"),
    wrong(
        "not-finite-at-zero",
        "a slope that is not finite at zero, and an error signal that follows from it",
        edits={"functions": [("(Z > 0).astype(float)", "np.where(Z == 0, np.inf, (Z > 0).astype(float))")]},
        loses={"relu_slopes.slope": 5},
    ),
    _slope("two-at-zero", "a slope of 2 at zero, which no tangent has", "(Z > 0) + 2.0 * (Z == 0)"),
    wrong(
        "zero-slope",
        "the slope is zero everywhere, and so is the error signal",
        edits={"functions": [("(Z > 0).astype(float)", "np.zeros_like(Z)")]},
        loses={"relu_slopes.slope": 5, "hidden_signal.dZ1": 6},
    ),
    _signal("no-mask", "the mask is forgotten", "W2.T @ dZ2", "activation-derivative-missing"),
    _signal("times-activation", "multiplied by relu(Z1)", "(W2.T @ dZ2) * relu(Z1)", "activation-for-derivative"),
    _signal("mask-of-error", "the sign of the error decides", "relu(W2.T @ dZ2)", "relu-mask-from-upstream"),
    _signal("wrong-side", "the closed units pass", "(W2.T @ dZ2) * (Z1 < 0)", "relu-step-inverted"),
    _signal("sigmoid-formula", "a(1 - a) with a = relu(z)", "(W2.T @ dZ2) * relu(Z1) * (1 - relu(Z1))",
            "sigmoid-derivative-with-relu"),
    _signal("mask-alone", "the mask without the error", "relu_derivative(Z1)", "derivative-without-upstream-error"),
    _signal("no-weights", "the weights are left out", "dZ2.sum(axis=0) * relu_derivative(Z1)",
            "weights-missing-in-hidden-error"),
    _signal("sign-flipped", "the sign is turned round", "-(W2.T @ dZ2) * relu_derivative(Z1)", "sign-flipped"),
    _signal("divided-by-m", "divided by m once more", "(W2.T @ dZ2) * relu_derivative(Z1) / Z1.shape[1]", "divided-by-m-twice"),
    _signal("transposed", "the result has shape (m, h)", "((W2.T @ dZ2) * relu_derivative(Z1)).T"),
    _signal("leaky-at-zero", "two at zero", "(W2.T @ dZ2) * ((Z1 > 0) + 2.0 * (Z1 == 0))"),
    wrong(
        "not-transposed",
        "W2 is not transposed",
        edits={"signal": [("W2.T @ dZ2", "W2 @ dZ2")]},
        loses={"hidden_signal.dZ1": 6},
        statuses={"hidden_signal": "raised"},
    ),
    wrong(
        "two-slips",
        "a leaky slope, and a mask that the error signal does not use",
        edits={
            "functions": [("(Z > 0).astype(float)", "np.where(Z > 0, 1, 0.01)")],
            "signal": [("(W2.T @ dZ2) * relu_derivative(Z1)", "W2.T @ dZ2")],
        },
        loses={"relu_slopes.slope": 5, "hidden_signal.dZ1": 6},
        named={"relu_slopes.slope": "relu-leaky-slope", "hidden_signal.dZ1": "activation-derivative-missing"},
    ),
)

ALLOWED = {
    "zero-slope": "the slope is all that the questions ask for",
}
