"""Other solutions of linear_models: right ones in another style, and wrong ones with what they must cost."""

from autograder.audit import right, wrong

RIGHT = (
    right(
        "loops",
        "one example at a time; an example on the margin counts fully",
        gradients='''
def linear_gradient(w, b, X, y):
    n, m = X.shape
    dw, db = np.zeros((1, n)), 0.0
    for k in range(m):
        error = sum(w[0, j] * X[j, k] for j in range(n)) + b - y[0, k]
        for j in range(n):
            dw[0, j] += 2 * error * X[j, k] / m
        db += 2 * error / m
    return dw, db

def logistic_gradient(w, b, X, y):
    n, m = X.shape
    dw, db = np.zeros((1, n)), 0.0
    for k in range(m):
        error = 1 / (1 + np.exp(-(w[0] @ X[:, k] + b))) - y[0, k]
        dw += error * X[:, k] / m
        db += error / m
    return dw, db

def hinge_gradient(w, b, X, y):
    n, m = X.shape
    dw, db = np.zeros((1, n)), 0.0
    for k in range(m):
        if y[0, k] * (w[0] @ X[:, k] - b) <= 1:
            dw -= y[0, k] * X[:, k] / m
            db += y[0, k] / m
    return dw, db
''',
        descent='''
def gradient_descent(gradient, w, b, X, y, learning_rate, steps):
    if steps == 0:
        return w, b
    dw, db = gradient(w, b, X, y)
    return gradient_descent(gradient, w - learning_rate * dw, b - learning_rate * db, X, y, learning_rate, steps - 1)
''',
    ),
    right(
        "einsum",
        "einsum and means, biases as (1, 1) arrays, half of an example on the margin",
        gradients='''
def linear_gradient(w, b, X, y):
    error = 2 * (np.einsum("on,nm->om", w, X) + b - y) / y.size
    return np.einsum("om,nm->on", error, X), error.sum(axis=1, keepdims=True)

def logistic_gradient(w, b, X, y):
    error = (0.5 * (1 + np.tanh((w @ X + b) / 2)) - y) / y.size
    return np.einsum("om,nm->on", error, X), error.sum(axis=1, keepdims=True)

def hinge_gradient(w, b, X, y):
    error = -y * np.heaviside(1 - y * (w @ X - b), 0.5) / y.size
    return np.einsum("om,nm->on", error, X), -error.sum(axis=1, keepdims=True)
''',
        descent='''
def gradient_descent(gradient, w, b, X, y, learning_rate, steps):
    w, b, done = np.array(w), b, 0
    while done < steps:
        g = gradient(w, b, X, y)
        w, b, done = w - learning_rate * g[0], b - learning_rate * g[1], done + 1
    return np.asarray(w), np.reshape(b, (1, 1))
''',
    ),
    right(
        "bias-as-weight",
        "a row of ones is added to X and b becomes one more weight",
        gradients='''
def _augmented(w, b, X, sign):
    rows = np.vstack([X, sign * np.ones((1, X.shape[1]))])
    return np.hstack([w, [[b]]]), rows

def _split(g):
    return g[:, :-1], g[0, -1]

def linear_gradient(w, b, X, y):
    v, rows = _augmented(w, float(b), X, 1)
    return _split(2 * (v @ rows - y) @ rows.T / X.shape[1])

def logistic_gradient(w, b, X, y):
    v, rows = _augmented(w, float(b), X, 1)
    return _split((sigmoid(v @ rows) - y) @ rows.T / X.shape[1])

def hinge_gradient(w, b, X, y):
    v, rows = _augmented(w, float(b), X, -1)
    return _split(-(y * (y * (v @ rows) < 1)) @ rows.T / X.shape[1])
''',
    ),
    right(
        "float32",
        "single precision, one row per example inside",
        gradients='''
def _rows(w, b, X, y):
    f = np.float32
    return w.astype(f).ravel(), f(b), X.T.astype(f), y.ravel().astype(f)

def linear_gradient(w, b, X, y):
    w, b, rows, y = _rows(w, b, X, y)
    error = rows @ w + b - y
    return (2 * (rows.T @ error) / np.float32(len(y)))[None, :], 2 * error.mean()

def logistic_gradient(w, b, X, y):
    w, b, rows, y = _rows(w, b, X, y)
    error = 1 / (1 + np.exp(-(rows @ w + b))) - y
    return (rows.T @ error / np.float32(len(y)))[None, :], error.mean()

def hinge_gradient(w, b, X, y):
    w, b, rows, y = _rows(w, b, X, y)
    near = rows[y * (rows @ w - b) < 1]
    labels = y[y * (rows @ w - b) < 1]
    return -(labels @ near / np.float32(len(y)))[None, :], labels.sum() / np.float32(len(y))
''',
    ),
    right(
        "np-matrix",
        "np.matrix throughout, one list of parameters",
        gradients='''
def linear_gradient(w, b, X, y):
    w, X, y = np.matrix(w), np.matrix(X), np.matrix(y)
    r = w * X + b - y
    return 2 * r * X.T / X.shape[1], 2 * np.mean(r)
def logistic_gradient(w: np.ndarray, b: float, X: np.ndarray, y: np.ndarray) -> tuple:
    w, X, y = np.matrix(w), np.matrix(X), np.matrix(y)
    r = 1 / (1 + np.exp(-(w * X + b))) - y
    return r * X.T / X.shape[1], r.sum() / X.shape[1]
def hinge_gradient(w, b, X, y):
    w, X, y = np.matrix(w), np.matrix(X), np.matrix(y)
    s = w * X - b
    p = np.multiply(y, np.multiply(y, s) < 1)
    return -p * X.T / X.shape[1], p.mean()
''',
        descent='''
def gradient_descent(gradient, w, b, X, y, learning_rate, steps):
    theta = [np.matrix(w, dtype=float), b]
    for t in range(steps):
        grads = gradient(theta[0], theta[1], X, y)
        theta = [p - learning_rate * g for p, g in zip(theta, grads)]
    return theta
''',
    ),
)


def _edit(variant_id, title, edits, loses, named=None, cell="gradients", statuses=None):
    return wrong(variant_id, title, edits={cell: edits}, loses=loses, named=named, statuses=statuses)


def _linear(variant_id, title, *edits, named=None, line="dw", points=4):
    key = f"linear_regression.{line}"
    return _edit(variant_id, title, edits, {key: points}, {key: named} if named else None)


def _logistic(variant_id, title, *edits, named=None, line="dw", points=4):
    key = f"logistic_regression.{line}"
    return _edit(variant_id, title, edits, {key: points}, {key: named} if named else None)


def _hinge(variant_id, title, *edits, named=None, line="dw", points=4):
    key = f"linear_svm.{line}"
    return _edit(variant_id, title, edits, {key: points}, {key: named} if named else None)


def _descent(variant_id, title, *edits, named=None, line="one_step", points=3):
    key = f"descent_steps.{line}"
    return _edit(variant_id, title, edits, {key: points}, {key: named} if named else None, cell="descent")


LINEAR_DW, LINEAR_DB = "-2 * residual @ X.T / X.shape[1]", "-2 * np.mean(residual)"
LOGISTIC = "return error @ X.T / X.shape[1], np.mean(error)"
HINGE = "return -push @ X.T / X.shape[1], np.mean(push)"

WRONG = (
    _linear("linear-two-lost", "the 2 of the square is lost in both",
            (LINEAR_DW, "-residual @ X.T / X.shape[1]"), (LINEAR_DB, "-np.mean(residual)"), named="factor-2-lost"),
    _linear("linear-sign", "the inner derivative is forgotten: the sign is wrong in both",
            (LINEAR_DW, "2 * residual @ X.T / X.shape[1]"), (LINEAR_DB, "2 * np.mean(residual)"), named="sign-flipped"),
    _linear("linear-sum", "sums instead of means",
            (LINEAR_DW, "-2 * residual @ X.T"), (LINEAR_DB, "-2 * np.sum(residual)"), named="missing-1-over-m"),
    _linear("linear-sum-dw", "only dw is summed", (LINEAR_DW, "-2 * residual @ X.T"), named="missing-1-over-m"),
    _linear("linear-sum-db", "only db is summed", (LINEAR_DB, "-2 * np.sum(residual)"),
            line="db", points=2, named="missing-1-over-m"),
    _linear("linear-square", "the error is still squared",
            (LINEAR_DW, "-2 * residual**2 @ X.T / X.shape[1]"), (LINEAR_DB, "-2 * np.mean(residual**2)"),
            named=("error-squared", "sign-flipped")),
    _linear("linear-no-x", "dw without the inputs", (LINEAR_DW, "np.mean(-2 * residual) * np.ones_like(w)")),
    _linear("linear-no-bias", "the score without b", ("y - (w @ X + b)", "y - w @ X"), named="bias-forgotten"),
    _linear("linear-flat", "dw has shape (n,)", (LINEAR_DW, "(-2 * residual @ X.T / X.shape[1])[0]"),
            points=2, named="wrong-shape"),
    _linear("linear-column", "dw has shape (n, 1)", (LINEAR_DW, "(-2 * residual @ X.T / X.shape[1]).T"),
            points=2, named="result-transposed"),
    _linear("linear-db-vector", "db keeps one number per example", (LINEAR_DB, "-2 * residual"), line="db", points=2),
    _logistic("logistic-extra", "the derivative of the sigmoid is multiplied on",
              ("sigmoid(w @ X + b) - y", "(sigmoid(w @ X + b) - y) * sigmoid(w @ X + b) * (1 - sigmoid(w @ X + b))"),
              named="extra-output-derivative"),
    _logistic("logistic-sign", "y - a", ("sigmoid(w @ X + b) - y", "y - sigmoid(w @ X + b)"), named="sign-flipped"),
    _logistic("logistic-score", "the score instead of the probability", ("sigmoid(w @ X + b) - y", "w @ X + b - y"),
              named="pre-activation-in-output-error"),
    _logistic("logistic-class", "the predicted class instead of the probability",
              ("sigmoid(w @ X + b) - y", "(w @ X + b > 0) - y"), named="thresholded-prediction"),
    _logistic("logistic-two", "a factor 2 too many", (LOGISTIC, "return 2 * error @ X.T / X.shape[1], 2 * np.mean(error)"),
              named="factor-2-extra"),
    _logistic("logistic-sum", "sums instead of means", (LOGISTIC, "return error @ X.T, np.sum(error)"),
              named="missing-1-over-m"),
    _logistic("logistic-minus-b", "the score of the SVM", ("sigmoid(w @ X + b) - y", "sigmoid(w @ X - b) - y"),
              named="bias-sign-in-score"),
    _logistic("logistic-db-zero", "db is left out", (LOGISTIC, "return error @ X.T / X.shape[1], 0.0"), line="db", points=2),
    _hinge("hinge-margin-ignored", "every example pushes", ("y * (w @ X - b) < 1", "y * (w @ X - b) < np.inf"),
           named="hinge-margin-ignored"),
    _hinge("hinge-perceptron", "the margin is at 0", ("y * (w @ X - b) < 1", "y * (w @ X - b) < 0"),
           named="hinge-margin-at-zero"),
    _hinge("hinge-wrong-side", "the examples outside push", ("y * (w @ X - b) < 1", "y * (w @ X - b) > 1"),
           named="hinge-side-inverted"),
    _hinge("hinge-label", "the label is left out", ("np.where(inside, y, 0)", "np.where(inside, 1, 0)"),
           named="hinge-label-missing"),
    _hinge("hinge-sign", "dw has the wrong sign, db as well",
           (HINGE, "return push @ X.T / X.shape[1], -np.mean(push)"), named="sign-flipped"),
    _hinge("hinge-bias-sign", "db as if b were added", (HINGE, "return -push @ X.T / X.shape[1], -np.mean(push)"),
           line="db", points=3, named="hinge-bias-sign"),
    _hinge("hinge-sum", "sums instead of means", (HINGE, "return -push @ X.T, np.sum(push)"), named="missing-1-over-m"),
    _hinge("hinge-inside-mean", "the mean is taken over the examples inside the margin only",
           (HINGE, "return -push @ X.T / max(1, inside.sum()), np.sum(push) / max(1, inside.sum())"),
           named="mean-over-those-inside"),
    _hinge("hinge-squared", "the gradient of the squared hinge loss",
           ("np.where(inside, y, 0)", "2 * np.where(inside, y, 0) * (1 - y * (w @ X - b))"),
           named=("hinge-squared", "factor-2-extra")),
    _hinge("hinge-two-shares", "an example on the margin counts in dw and not in db",
           (HINGE, "return -(y * (y * (w @ X - b) <= 1)) @ X.T / X.shape[1], np.mean(push)"), line="db", points=3),
    wrong(
        "hinge-double-at-kink",
        "an example on the margin counts twice",
        edits={"gradients": [("np.where(inside, y, 0)", "np.where(inside, y, 0) + 2 * y * (y * (w @ X - b) == 1)")]},
        loses={"linear_svm.dw": 4},
    ),
    _hinge("hinge-plus-b", "the score with + b: other examples are inside",
           ("y * (w @ X - b) < 1", "y * (w @ X + b) < 1"), named="bias-sign-in-score"),
    _hinge("hinge-plus-b-throughout", "the score with + b, and db as it follows from that",
           ("y * (w @ X - b) < 1", "y * (w @ X + b) < 1"), (HINGE, "return -push @ X.T / X.shape[1], -np.mean(push)"),
           named="bias-sign-in-score"),
    _logistic("logistic-minus-b-throughout", "the score of the SVM, and db as it follows from that",
              ("sigmoid(w @ X + b) - y", "sigmoid(w @ X - b) - y"), (LOGISTIC, "return error @ X.T / X.shape[1], -np.mean(error)"),
              named="bias-sign-in-score"),
    _descent("ascent", "up the slope", ("w - learning_rate * dw", "w + learning_rate * dw"),
             ("b - learning_rate * db", "b + learning_rate * db"), named="sign-flipped"),
    _descent("no-rate", "the learning rate is forgotten", ("w - learning_rate * dw", "w - dw"),
             ("b - learning_rate * db", "b - db"), named="learning-rate-missing"),
    _descent("rate-written-down", "the step is 0.3, whatever is asked for", ("w - learning_rate * dw", "w - 0.3 * dw"),
             ("b - learning_rate * db", "b - 0.3 * db"), named="argument-ignored"),
    _descent("one-by-one", "b moves with a gradient at the new w",
             ("b = b - learning_rate * db", "b = b - learning_rate * gradient(w, b, X, y)[1]"), named="w-updated-before-b"),
    _descent("bias-forgotten", "b is never moved", ("b = b - learning_rate * db", "pass"),
             named="parameter-never-updated"),
    _descent("assigned", "the step itself is kept", ("w - learning_rate * dw", "-learning_rate * dw"),
             ("b - learning_rate * db", "-learning_rate * db"), named="parameter-assigned-not-updated"),
    _descent("in-place", "the array w that is passed in is changed", ("w = w - learning_rate * dw", "w -= learning_rate * dw"),
             line="all_steps", points=1, named="argument-changed-in-place"),
    _descent("one-step-only", "the return stands inside the loop",
             ("b = b - learning_rate * db\n", "b = b - learning_rate * db\n        break\n"), line="all_steps", points=2,
             named="only-one-step"),
    wrong(
        "gradient-once",
        "the gradient is taken once, before the loop",
        edits={"descent": [("    for _ in range(steps):\n        dw, db = gradient(w, b, X, y)",
                            "    dw, db = gradient(w, b, X, y)\n    for _ in range(steps):")]},
        loses={"descent_steps.all_steps": 2},
        named={"descent_steps.all_steps": "gradient-computed-once"},
    ),
    wrong(
        "one-step-too-few",
        "the loop starts at 1",
        edits={"descent": [("range(steps)", "range(1, steps)")]},
        loses={"descent_steps.one_step": 3},
        named={"descent_steps.one_step": "one-step-too-few"},
    ),
    wrong(
        "not-a-pair",
        "only w is returned",
        edits={"descent": [("return w, b", "return w")]},
        loses={"descent_steps": 5},
        statuses={"descent_steps": "raised"},
    ),
    wrong(
        'facts-of-two-models-exchanged',
        'squared error and cross-entropy exchanged, one activation wrong, all examples of the SVM',
        cells={'common': 'feeds_last_unit = "Z1"\nlast_activation = ["identity", "sigmoid", "sigmoid", "sigmoid"]\nerror_signal = ["a - y", "2 (s - y)", "-y if y s < 1, else 0", "a - y"]\nwho_adds = ["all"] * 4'},
        loses={'in_common.feeds_last_unit': 1, 'in_common.last_activation': 0.5, 'in_common.error_signal': 1, 'in_common.who_adds': 1},
    ),
)

ALLOWED = {
    "not-a-pair": "a pair is asked for",
}

FAULTS = {
    "one-by-one": {"descent": ("w = w - learning_rate * dw",)},
}

UNPLACED = {
    'facts-of-two-models-exchanged': 'a statement in words or numbers: nothing is worked out',
}
