"""Other solutions of custom_activation: right ones in another style, and wrong ones with what they must cost."""

from autograder.audit import right, wrong

RIGHT = (
    right(
        "function-with-cosh",
        "a Python function with cosh; loops over units and examples; tuples in the record",
        derivative="import math\n\n\ndef f_prime(x):\n    return math.tanh(x) + x / math.cosh(x) ** 2\n",
        layer='''
def layer_forward(X, W, b):
    Z = np.array([[float(w @ column) + b[i, 0] for column in X.T] for i, w in enumerate(W)])
    return Z, np.array([[z * np.tanh(z) for z in row] for row in Z])


def layer_backward(dA, Z, X, W):
    dZ, dW, db, dX = np.zeros(Z.shape), np.zeros(W.shape), np.zeros((len(W), 1)), np.zeros(X.shape)
    for i in range(Z.shape[0]):
        for k in range(Z.shape[1]):
            z = Z[i, k]
            dZ[i, k] = dA[i, k] * (np.tanh(z) + z / np.cosh(z) ** 2)
            db[i, 0] += dZ[i, k]
            for j in range(X.shape[0]):
                dW[i, j] += dZ[i, k] * X[j, k]
                dX[j, k] += dZ[i, k] * W[i, j]
    return dZ, dW, db, dX
''',
        record='''
inf = np.inf
properties = dict(range=(0.0, inf), parity="Even", decreasing_on=(-inf, 0.0), increasing_on=(0.0, inf),
                  slope_at_zero=0.0, slope_at_minus_infinity=-1.0, slope_at_plus_infinity=1.0,
                  largest_slope_at=1.2, largest_slope=1.2)
''',
    ),
    right(
        "exponentials",
        "an expression in exponentials, another name for the symbol; einsum; sympy's own numbers in the record",
        derivative=(
            "u = sympy.Symbol('u', real=True)\nE = sympy.exp(2 * u)\n"
            "f_prime = sympy.factor((E - 1) / (E + 1) + 4 * u * E / (E + 1) ** 2)\n"
        ),
        layer='''
def layer_forward(X, W, b):
    Z = np.einsum("hn,nm->hm", W, X) + b
    return [Z, Z * (1 - 2 / (np.exp(2 * Z) + 1))]


def layer_backward(dA, Z, X, W):
    dZ = dA * (np.sinh(2 * Z) / 2 + Z) / np.cosh(Z) ** 2
    return [dZ, np.einsum("hm,nm->hn", dZ, X), dZ.sum(1).reshape(-1, 1), np.einsum("hn,hm->nm", W, dZ)]
''',
        record='''
root = sympy.nsolve(sympy.coth(x) - x, x, 1.2)
properties = {"range": [0, sympy.oo], "parity": "even", "decreasing_on": [-sympy.oo, 0], "increasing_on": [0, sympy.oo],
              "slope_at_zero": sympy.Integer(0), "slope_at_minus_infinity": -sympy.Integer(1),
              "slope_at_plus_infinity": sympy.Integer(1), "largest_slope_at": root, "largest_slope": root}
''',
    ),
    right(
        "sympy-diff",
        "differentiated by sympy and checked by hand; four significant figures; infinities spelt out",
        derivative="f_prime = sympy.Derivative(x * sympy.tanh(x), x)",
        record='''
properties = {"range": [0, "inf"], "parity": "even", "decreasing_on": ["-inf", 0], "increasing_on": [0, "inf"],
              "slope_at_zero": 1e-17, "slope_at_minus_infinity": -1, "slope_at_plus_infinity": 1,
              "largest_slope_at": 1.1997, "largest_slope": 1.1997}
''',
    ),
    right(
        "float32",
        "single precision, vectorised function",
        derivative="def f_prime(x):\n    x = np.float32(x)\n    return np.tanh(x) + x * (1 - np.tanh(x) ** 2)\n",
        layer='''
def layer_forward(X, W, b):
    Z = W.astype(np.float32) @ X.astype(np.float32) + b.astype(np.float32)
    return Z, Z * np.tanh(Z)


def layer_backward(dA, Z, X, W):
    dA, Z, X, W = (array.astype(np.float32) for array in (dA, Z, X, W))
    T = np.tanh(Z)
    dZ = dA * (T + Z * (1 - T * T))
    return dZ, dZ @ X.T, dZ.sum(axis=1, keepdims=True), W.T @ dZ
''',
    ),
    right(
        "sympy-throughout",
        "a sympy function as derivative; sympy numbers and an array in the record",
        derivative="f_prime = sympy.Lambda(x, sympy.tanh(x) + x / sympy.cosh(x) ** 2)",
        record=(
            "top = sympy.nsolve(x * sympy.tanh(x) - 1, 1.2)\n"
            "properties = {\n"
            '    "range": np.array([0, np.inf]), "parity": "even",\n'
            '    "decreasing_on": [-sympy.oo, 0], "increasing_on": (0, sympy.oo),\n'
            '    "slope_at_zero": sympy.Integer(0), "slope_at_minus_infinity": -1, "slope_at_plus_infinity": 1,\n'
            '    "largest_slope_at": top, "largest_slope": top,\n'
            "}"
        ),
    ),
    right(
        "lambdified",
        "a function made by sympy; np.matrix; tuples and words with a capital",
        derivative='''
f_prime = sympy.lambdify(x, sympy.diff(x * sympy.tanh(x), x), "math")
''',
        layer='''
def layer_forward(X, W, b, activation=f):
    Z = np.matrix(W) * X + b
    return [Z, np.multiply(Z, np.tanh(Z))]
def layer_backward(dA, Z, X, W):
    Z = np.asarray(Z)
    slope = np.tanh(Z) + Z / np.cosh(Z) ** 2
    dZ = np.multiply(dA, slope)
    return [dZ, np.einsum("hm,nm->hn", dZ, X), dZ @ np.ones((dZ.shape[1], 1)), (dZ.T @ W).T]
''',
        record='''
import math
properties = dict(range=(0, math.inf), parity="Even", decreasing_on=(-math.inf, 0.0), increasing_on=[0, np.inf],
  slope_at_zero=0.0, slope_at_minus_infinity=-1.0, slope_at_plus_infinity=1.0, largest_slope_at=1.1997, largest_slope=1.1997)
''',
    ),
)


def _derivative(variant_id, title, answer, named=None):
    """A wrong derivative as a whole cell."""
    names = {"derivative_of_f.f_prime": named} if named else {}
    return wrong(variant_id, title, cells={"derivative": answer}, loses={"derivative_of_f.f_prime": 4}, named=names)


def _layer(variant_id, title, old, new, loses, named=None):
    """A wrong layer that changes one place."""
    return wrong(variant_id, title, edits={"layer": [(old, new)]}, loses=loses, named=named)


def _record(variant_id, title, old, new, line, points, named=None):
    """One wrong property."""
    names = {f"properties_of_f.{line}": named} if named else {}
    return wrong(variant_id, title, edits={"record": [(old, new)]}, loses={f"properties_of_f.{line}": points}, named=names)


_T = "sympy.tanh(x)"

WRONG = (
    _derivative("first-half", "tanh x alone", f"f_prime = {_T}", "product-rule-first-half-only"),
    _derivative("second-half", "x (1 - tanh^2 x) alone", f"f_prime = x * (1 - {_T}**2)", "product-rule-second-half-only"),
    _derivative("factor", "the x is lost", f"f_prime = {_T} + 1 - {_T}**2", "product-rule-factor-missing"),
    _derivative("multiplied", "the derivatives multiplied", f"f_prime = {_T} * x * (1 - {_T}**2)", "product-rule-multiplied"),
    _derivative("minus", "a minus in the product rule", f"f_prime = {_T} - x * (1 - {_T}**2)", "product-rule-minus"),
    _derivative("tanh-derivative", "the derivative of tanh", f"f_prime = 1 - {_T}**2", "tanh-derivative-with-xtanhx"),
    _derivative("square", "1 - tanh for 1 - tanh^2", f"f_prime = {_T} + x * (1 - {_T})", "square-missing"),
    _derivative("cosh", "1/cosh for 1/cosh^2", f"f_prime = {_T} + x / sympy.cosh(x)", "square-missing"),
    _derivative("brackets", "no brackets around 1 - tanh^2", f"f_prime = {_T} + x * 1 - {_T}**2", "derivative-without-brackets"),
    _derivative(
        "difference-quotient",
        "the slope between two close points",
        "def f_prime(x):\n    return (f(x + 1e-3) - f(x - 1e-3)) / 2e-3",
        "slope-between-points",
    ),
    _derivative("plus", "1 + tanh^2", f"f_prime = {_T} + x * (1 + {_T}**2)", "sign-inside-derivative"),
    _derivative("function-itself", "f instead of f'", "f_prime = f", "activation-for-derivative"),
    _derivative("arithmetic", "a slip that nobody knows", f"f_prime = {_T} + 1.01 * x * (1 - {_T}**2)"),
    _derivative("constant", "a constant", "f_prime = sympy.Integer(1)"),
    _derivative("two-symbols", "an undetermined constant", "f_prime = sympy.Symbol('c') + sympy.tanh(x)"),
    _derivative("text", "the formula as a text", "f_prime = 'tanh(x) + x*(1 - tanh(x)**2)'"),
    _derivative("nothing-returned", "a function without return", "def f_prime(x):\n    np.tanh(x)"),
    _derivative(
        "only-near-zero", "a Taylor polynomial", "f_prime = 2 * x - sympy.Rational(4, 3) * x**3 + sympy.Rational(4, 5) * x**5"
    ),
    _derivative(
        "right-at-the-shown-points",
        "a polynomial through the points that feedback shows",
        "def f_prime(x):\n"
        "    p = np.array([-2, -1, 0.5, 1, 2.0])\n"
        "    return np.polyval(np.polyfit(p, np.tanh(p) + p * (1 - np.tanh(p) ** 2), 4), x)",
    ),
    wrong(
        "derivative-left-out",
        "(a) is not done",
        cells={"derivative": ""},
        loses={"derivative_of_f": 4},
        statuses={"derivative_of_f": "missing"},
    ),
    _layer(
        "layer-with-tanh",
        "tanh instead of x tanh x in the forward pass",
        "return Z, Z * np.tanh(Z)",
        "return Z, np.tanh(Z)",
        {"layer_forward.A": 2},
        {"layer_forward.A": "tanh-for-xtanhx"},
    ),
    _layer(
        "layer-tanh-squared",
        "tanh Z times itself",
        "return Z, Z * np.tanh(Z)",
        "return Z, np.tanh(Z) * np.tanh(Z)",
        {"layer_forward.A": 2},
        {"layer_forward.A": "tanh-squared-for-xtanhx"},
    ),
    _layer(
        "layer-exchanged",
        "A and Z are swapped",
        "return Z, Z * np.tanh(Z)",
        "return Z * np.tanh(Z), Z",
        {"layer_forward.Z": 1},
        {"layer_forward.Z": "activation-and-pre-activation-exchanged"},
    ),
    _layer(
        "layer-without-bias", "the bias is left out", "Z = W @ X + b", "Z = W @ X", {"layer_forward.Z": 1},
        {"layer_forward.Z": "bias-forgotten"},
    ),
    _layer(
        "layer-returns-one-array",
        "only A is returned",
        "return Z, Z * np.tanh(Z)",
        "return Z * np.tanh(Z)",
        {"layer_forward": 3},
    ),
    _layer(
        "layer-first-half",
        "half of the product rule in the layer",
        "dA * (t + Z * (1 - t**2))",
        "dA * t",
        {"layer_backward.dZ": 2},
        {"layer_backward.dZ": "product-rule-first-half-only"},
    ),
    _layer(
        "layer-second-half",
        "the other half",
        "dA * (t + Z * (1 - t**2))",
        "dA * Z * (1 - t**2)",
        {"layer_backward.dZ": 2},
        {"layer_backward.dZ": "product-rule-second-half-only"},
    ),
    _layer(
        "layer-tanh-derivative",
        "the derivative of tanh",
        "dA * (t + Z * (1 - t**2))",
        "dA * (1 - t**2)",
        {"layer_backward.dZ": 2},
        {"layer_backward.dZ": "tanh-derivative-with-xtanhx"},
    ),
    _layer(
        "layer-no-derivative",
        "the activation is passed over on the way back",
        "dA * (t + Z * (1 - t**2))",
        "dA",
        {"layer_backward.dZ": 2},
        {"layer_backward.dZ": "activation-derivative-missing"},
    ),
    _layer(
        "layer-no-upstream",
        "dA is not used",
        "dA * (t + Z * (1 - t**2))",
        "t + Z * (1 - t**2)",
        {"layer_backward.dZ": 2},
        {"layer_backward.dZ": "derivative-without-upstream-error"},
    ),
    _layer(
        "layer-derivative-at-a",
        "f' is evaluated at A",
        "t = np.tanh(Z)\n    dZ = dA * (t + Z * (1 - t**2))",
        "A = Z * np.tanh(Z)\n    t = np.tanh(A)\n    dZ = dA * (t + A * (1 - t**2))",
        {"layer_backward.dZ": 2},
        {"layer_backward.dZ": "derivative-at-activation"},
    ),
    _layer(
        "divided-by-m",
        "dW is divided by m once more",
        "dW = dZ @ X.T",
        "dW = dZ @ X.T / X.shape[1]",
        {"layer_backward.dW": 2},
        {"layer_backward.dW": "averaged-instead-of-summed"},
    ),
    _layer(
        "transposed",
        "dW is transposed",
        "dW = dZ @ X.T",
        "dW = X @ dZ.T",
        {"layer_backward.dW": 2},
        {"layer_backward.dW": "result-transposed"},
    ),
    _layer(
        "upstream-in-dw",
        "dA stands where dZ belongs",
        "dW = dZ @ X.T",
        "dW = dA @ X.T",
        {"layer_backward.dW": 2},
        {"layer_backward.dW": "upstream-used-past-the-activation"},
    ),
    _layer(
        "bias-mean",
        "db is a mean",
        "db = np.sum(dZ, axis=1, keepdims=True)",
        "db = np.mean(dZ, axis=1, keepdims=True)",
        {"layer_backward.db": 1},
        {"layer_backward.db": "averaged-instead-of-summed"},
    ),
    _layer(
        "bias-not-summed",
        "db is dZ",
        "db = np.sum(dZ, axis=1, keepdims=True)",
        "db = dZ",
        {"layer_backward.db": 1},
        {"layer_backward.db": "bias-not-summed-over-batch"},
    ),
    _layer(
        "bias-axis",
        "db is summed over the units",
        "db = np.sum(dZ, axis=1, keepdims=True)",
        "db = np.sum(dZ, axis=0, keepdims=True)",
        {"layer_backward.db": 1},
        {"layer_backward.db": "bias-summed-over-units"},
    ),
    _layer(
        "bias-flat",
        "db has shape (h,)",
        "db = np.sum(dZ, axis=1, keepdims=True)",
        "db = np.sum(dZ, axis=1)",
        {"layer_backward.db": 0.5},
        {"layer_backward.db": "wrong-shape"},
    ),
    _layer(
        "upstream-in-dx",
        "dX from dA",
        "dX = W.T @ dZ",
        "dX = W.T @ dA",
        {"layer_backward.dX": 1},
        {"layer_backward.dX": "upstream-used-past-the-activation"},
    ),
    _record("range-all", "all real numbers", '"range": [0,', '"range": [-float("inf"),', "range", 1, "range-without-symmetry"),
    _record("range-one", "the range of a sigmoid", '[0, float("inf")],\n    "parity"', '[0, 1],\n    "parity"', "range", 1, "range-of-tanh"),
    _record("range-text", "a text", '[0, float("inf")],\n    "parity"', '"positive",\n    "parity"', "range", 1),
    _record("odd", "taken for odd", '"even"', '"odd"', "parity", 1, "parity-of-one-factor"),
    wrong(
        "monotone",
        "taken for increasing everywhere",
        edits={"record": [('"decreasing_on": [-float("inf"), 0]', '"decreasing_on": "nowhere"'),
                          ('"increasing_on": [0, ', '"increasing_on": [-float("inf"), ')]},
        loses={"properties_of_f.decreasing_on": 0.5, "properties_of_f.increasing_on": 0.5},
        named={"properties_of_f.decreasing_on": "taken-for-monotone", "properties_of_f.increasing_on": "taken-for-monotone"},
    ),
    _record("slope-one", "the slope of tanh at zero", '"slope_at_zero": 0', '"slope_at_zero": 1', "slope_at_zero", 0.5, "slope-of-tanh"),
    _record("flat-right", "flat on the right", 'plus_infinity": 1', 'plus_infinity": 0', "slope_at_plus_infinity", 0.5, "slope-of-tanh"),
    _record("left-sign", "the sign on the left", 'minus_infinity": -1', 'minus_infinity": 1', "slope_at_minus_infinity", 0.5, "sign-on-the-left"),
    _record(
        "rough-place",
        "the place to two figures; the largest slope follows from it",
        '"largest_slope_at": middle,\n    "largest_slope": np.tanh(middle) + middle / np.cosh(middle) ** 2',
        '"largest_slope_at": 1.1,\n    "largest_slope": np.tanh(1.1) + 1.1 / np.cosh(1.1) ** 2',
        "largest_slope_at",
        1,
    ),
    _record(
        "never-above-one",
        "the slope is thought to stay below 1",
        '"largest_slope": np.tanh(middle) + middle / np.cosh(middle) ** 2',
        '"largest_slope": 1',
        "largest_slope",
        0.5,
        "largest-slope-at-the-end",
    ),
    wrong(
        "half-a-record",
        "two keys are missing",
        edits={"record": [('    "slope_at_zero": 0,\n', ""), ('    "parity": "even",\n', "")]},
        loses={"properties_of_f.slope_at_zero": 0.5, "properties_of_f.parity": 1},
    ),
    wrong(
        "not-a-record",
        "a list instead of a dictionary",
        cells={"record": 'properties = [0, float("inf"), "even"]'},
        loses={"properties_of_f": 6},
        statuses={"properties_of_f": "raised"},
    ),
    wrong(
        'slopes-of-relu-exchanged',
        'left and right exchanged; the sigmoid as steep as tanh',
        cells={'slopes': 'relu_slopes = [1, 0]\nsigmoid_slopes = [0, 1, 0]'},
        loses={'other_slopes.relu_slopes': 1, 'other_slopes.sigmoid_slopes': 0.5},
    ),
)

ALLOWED = {
    "layer-returns-one-array": "two arrays are asked for",
    "properties_of_f.slope_at_zero": "the slope at zero is zero",
    "properties_of_f.slope_at_plus_infinity": "the limit is one",
    "layer_forward.A": "A is f of the student's own Z, also that of the example",
}

FAULTS = {
    "difference-quotient": {"derivative": ("(f(x + 1e-3) - f(x - 1e-3)) / 2e-3",)},
    "nothing-returned": {"derivative": ("np.tanh(x)",)},
    "right-at-the-shown-points": {"derivative": ("np.polyval(np.polyfit(p, np.tanh(p) + p * (1 - np.tanh(p) ** 2), 4), x)",)},
    "first-half": {"derivative": ("sympy.tanh(x)",)},
    "second-half": {"derivative": ("x * (1 - sympy.tanh(x)**2)",)},
    "factor": {"derivative": ("sympy.tanh(x) + 1 - sympy.tanh(x)**2",)},
    "multiplied": {"derivative": ("sympy.tanh(x) * x * (1 - sympy.tanh(x)**2)",)},
    "minus": {"derivative": ("sympy.tanh(x) - x * (1 - sympy.tanh(x)**2)",)},
    "tanh-derivative": {"derivative": ("1 - sympy.tanh(x)**2",)},
    "square": {"derivative": ("1 - sympy.tanh(x)",)},
    "cosh": {"derivative": ("x / sympy.cosh(x)",)},
    "brackets": {"derivative": ("x * 1 - sympy.tanh(x)**2",)},
    "plus": {"derivative": ("1 + sympy.tanh(x)**2",)},
    "function-itself": {"derivative": ("f_prime = f",)},
    "arithmetic": {"derivative": ("1.01 * x * (1 - sympy.tanh(x)**2)",)},
    "only-near-zero": {"derivative": ("2 * x - sympy.Rational(4, 3) * x**3 + sympy.Rational(4, 5) * x**5",)},
}

UNPLACED = {
    'slopes-of-relu-exchanged': 'a statement in words or numbers: nothing is worked out',
    "constant": "a constant: nothing is worked out",
    "two-symbols": "to guess what a constant without a value stands for is no proof",
    "text": "a text is no formula",
    "derivative-left-out": "what is not there is at no place",
    "range-all": "a property that was typed: nothing is worked out",
    "range-one": "a property that was typed: nothing is worked out",
    "range-text": "a property that was typed: nothing is worked out",
    "odd": "a property that was typed: nothing is worked out",
    "monotone": "a property that was typed: nothing is worked out",
    "slope-one": "a property that was typed: nothing is worked out",
    "flat-right": "a property that was typed: nothing is worked out",
    "left-sign": "a property that was typed: nothing is worked out",
    "rough-place": "a property that was typed: nothing is worked out",
    "never-above-one": "a property that was typed: nothing is worked out",
    "half-a-record": "a property that was typed: nothing is worked out",
    "not-a-record": "a property that was typed: nothing is worked out",
}
