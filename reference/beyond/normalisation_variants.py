"""Other solutions of normalisation: right ones in another style, and wrong ones with what they must cost."""

from autograder.audit import right, wrong

RIGHT = (
    right(
        "loops",
        "loops over rows or columns, numbers one by one",
        normalise='''
def normalise(Z, eps, axis):
    rows = Z if axis == 1 else Z.T
    mu = [sum(row) / len(row) for row in rows]
    var = [sum((z - c) ** 2 for z in row) / len(row) for row, c in zip(rows, mu)]
    hat = np.array([[(z - c) / (v + eps) ** 0.5 for z in row] for row, c, v in zip(rows, mu, var)])
    if axis == 1:
        return np.array(mu)[:, None], np.array(var)[:, None], hat
    return np.array([mu]), np.array([var]), hat.T
''',
        scale='''
def scale_backward(dU, Z_hat, gamma):
    dZ_hat = np.zeros(dU.shape)
    dgamma, dbeta = np.zeros(gamma.shape), np.zeros(gamma.shape)
    for j in range(dU.shape[1]):
        dZ_hat[:, [j]] = dU[:, [j]] * gamma
        dgamma += dU[:, [j]] * Z_hat[:, [j]]
        dbeta += dU[:, [j]]
    return dZ_hat, dgamma, dbeta
''',
        paths='''
def three_paths(dZ_hat, Z, mu, var, eps, axis):
    k = Z.shape[axis]
    direct = np.divide(dZ_hat, (var + eps) ** 0.5)
    dvar = -0.5 * ((Z - mu) * dZ_hat).sum(axis, keepdims=True) * (var + eps) ** -1.5
    dmu = -direct.sum(axis, keepdims=True) + dvar * np.mean(-2 * (Z - mu), axis, keepdims=True)
    return direct, dvar, dmu, direct + dvar * 2 / k * (Z - mu) + np.ones_like(Z) * dmu / k
''',
        fused='''
def fused_backward(dZ_hat, Z_hat, s, axis):
    k = dZ_hat.shape[axis]
    inner = k * dZ_hat - dZ_hat.sum(axis=axis, keepdims=True) - Z_hat * (dZ_hat * Z_hat).sum(axis=axis, keepdims=True)
    return inner / (k * s)
''',
        batches='''
def train_batch(Z, gamma, beta, running_mu, running_var, keep, eps):
    mu, var = np.mean(Z, 1)[:, None], np.var(Z, 1)[:, None]
    running_mu = running_mu + (1 - keep) * (mu - running_mu)
    running_var = running_var + (1 - keep) * (var - running_var)
    return (Z - mu) / np.sqrt(var + eps) * gamma + beta, running_mu, running_var


def evaluate(Z, gamma, beta, running_mu, running_var, eps):
    slope = gamma / np.sqrt(running_var + eps)
    return slope * Z + (beta - slope * running_mu)


def evaluate_backward(dU, gamma, running_var, eps):
    return gamma * (running_var + eps) ** -0.5 * dU
''',
    ),
    right(
        "matrices",
        "a projection matrix, einsum, examples as rows inside",
        normalise='''
def normalise(Z, eps, axis):
    mu = np.average(Z, axis=axis)
    var = np.average(Z**2, axis=axis) - mu**2
    mu, var = np.expand_dims(mu, axis), np.expand_dims(var, axis)
    return mu, var, (Z - mu) * (var + eps) ** -0.5
''',
        scale='''
def scale_backward(dU, Z_hat, gamma):
    m = dU.shape[1]
    return np.diag(gamma[:, 0]) @ dU, np.einsum("nm,nm->n", dU, Z_hat)[:, None], dU @ np.ones((m, 1))
''',
        paths='''
def three_paths(dZ_hat, Z, mu, var, eps, axis):
    inverse = 1 / np.sqrt(var + eps)
    k = Z.size // var.size
    direct = dZ_hat * inverse
    dvar = np.sum(direct * (Z - mu), axis=axis, keepdims=True) / (var + eps) / -2
    dmu = np.negative(direct).sum(axis=axis, keepdims=True)
    through = [direct, 2 * (Z - mu) * dvar / k, np.broadcast_to(dmu / k, Z.shape)]
    return direct, dvar, dmu, np.sum(through, axis=0)
''',
        fused='''
def fused_backward(dZ_hat, Z_hat, s, axis):
    if axis == 0:
        return fused_backward(dZ_hat.T, Z_hat.T, s.T, 1).T
    m = dZ_hat.shape[1]
    centre = np.eye(m) - np.ones((m, m)) / m
    return np.stack([(centre - np.outer(h, h) / m) @ d / c for d, h, c in zip(dZ_hat, Z_hat, s)])
''',
        batches='''
def train_batch(Z, gamma, beta, running_mu, running_var, keep, eps):
    mu, var, Z_hat = normalise(Z, eps, axis=1)
    averages = [keep * old + new - keep * new for old, new in ((running_mu, mu), (running_var, var))]
    return [beta + Z_hat * gamma, *averages]


def evaluate(Z, gamma, beta, running_mu, running_var, eps):
    return np.stack([gamma[:, 0] * (z - running_mu[:, 0]) / np.sqrt(running_var[:, 0] + eps) + beta[:, 0] for z in Z.T], axis=1)


def evaluate_backward(dU, gamma, running_var, eps):
    return np.diagflat(gamma / np.sqrt(running_var + eps)) @ dU
''',
    ),
    right(
        "single-precision",
        "single precision, the sum of the paths from the fused form",
        normalise='''
def normalise(Z, eps, axis):
    Z = Z.astype(np.float32)
    mu = np.mean(Z, axis, keepdims=True)
    var = np.var(Z, axis, keepdims=True)
    return mu, var, (Z - mu) / np.sqrt(var + np.float32(eps))
''',
        scale='''
def scale_backward(dU, Z_hat, gamma):
    dU = np.float32(dU)
    return dU * np.float32(gamma), (dU * np.float32(Z_hat)).sum(1, keepdims=True), dU.sum(1, keepdims=True)
''',
        paths='''
def three_paths(dZ_hat, Z, mu, var, eps, axis):
    s = np.sqrt(var + eps)
    dvar = np.sum(dZ_hat * -(Z - mu) / (2 * s**3), axis=axis, keepdims=True)
    dmu = np.sum(dZ_hat, axis=axis, keepdims=True) / -s
    return dZ_hat / s, dvar, dmu, fused_backward(dZ_hat, (Z - mu) / s, s, axis)
''',
        fused='''
def fused_backward(dZ_hat, Z_hat, s, axis):
    def average(x):
        return x.mean(axis=axis, keepdims=True)

    return dZ_hat / s - average(dZ_hat / s) - Z_hat * average(dZ_hat / s * Z_hat)
''',
    ),
)


def _edit(id, title, cell, edits, line, mistake, points):
    """One cell that is edited and the one line that it costs."""
    return wrong(id, title, edits={cell: edits}, loses={line: points}, named={line: mistake})


_MU, _VAR, _HAT = "Z.mean(axis=axis, keepdims=True)", "((Z - mu) ** 2).mean(axis=axis, keepdims=True)", "(Z - mu) / np.sqrt(var + eps)"
_F, _S, _P, _O, _T, _E = (
    f"{name}."
    for name in ("forward_values", "scale_gradients", "path_gradients", "fused_gradient", "training_values", "evaluation_values")
)
_CHANGED = "argument-changed-in-place"
_DVAR = "np.sum(dZ_hat * (Z - mu) * -0.5 / s**3, axis=axis, keepdims=True)"
_DMU = "np.sum(-dZ_hat / s, axis=axis, keepdims=True)"
_SUM = "direct + dvar * 2 * (Z - mu) / k + dmu / k"
_LINE = "(dZ_hat - mean - Z_hat * stretch) / s"

WRONG = (
    # forwards
    _edit("unbiased", "the variance divided by k - 1", "normalise", [(_VAR, "Z.var(axis=axis, keepdims=True, ddof=1)")],
          _F + "var", "norm-unbiased-variance", 0.5),
    _edit("squares", "the mean of the squares", "normalise", [("((Z - mu) ** 2)", "(Z**2)")], _F + "var",
          "norm-variance-not-centred", 0.5),
    _edit("squares-summed", "the squares summed", "normalise", [("2).mean(", "2).sum(")], _F + "var",
          "norm-sum-for-variance", 0.5),
    _edit("var-with-eps", "epsilon in the variance", "normalise", [
        (_VAR, _VAR + " + eps"), (_HAT, "(Z - mu) / np.sqrt(var)"),
    ], _F + "var", "norm-epsilon-in-the-variance", 0.5),
    _edit("deviation", "std for var, and no root", "normalise", [(_VAR, "Z.std(axis=axis, keepdims=True)")], _F + "var",
          "norm-deviation-for-variance", 0.5),
    _edit("no-root", "divided by the variance", "normalise", [("np.sqrt(var + eps)", "(var + eps)")], _F + "Z_hat",
          "norm-root-missing", 1),
    _edit("eps-outside", "epsilon added to the root", "normalise", [("np.sqrt(var + eps)", "(np.sqrt(var) + eps)")],
          _F + "Z_hat", "norm-epsilon-misplaced", 1),
    _edit("no-eps", "no epsilon", "normalise", [("(var + eps)", "(var)")], _F + "Z_hat", "norm-epsilon-misplaced", 1),
    _edit("not-centred", "the mean is not taken off", "normalise", [("return mu, var, (Z - mu)", "return mu, var, Z")],
          _F + "Z_hat", "norm-not-centred", 1),
    wrong("axes-exchanged", "the two axes exchanged: columns and rows as in most books", edits={"normalise": [
        (_MU, "Z.mean(axis=1 - axis, keepdims=True)"), (_VAR, "((Z - mu) ** 2).mean(axis=1 - axis, keepdims=True)"),
    ]}, loses={_F + "mu": 0.5}, named={_F + "mu": "norm-statistics-along-the-other-axis"}),
    wrong("always-batch", "layer norm is batch norm", edits={"normalise": [
        (_MU, "Z.mean(axis=1, keepdims=True)"), (_VAR, "((Z - mu) ** 2).mean(axis=1, keepdims=True)"),
    ]}, loses={"forward_values": 2}, named={_F + "mu_layer": "norm-statistics-along-the-other-axis"}),
    wrong("one-for-all", "one mean and variance for everything", edits={"normalise": [
        (_MU, "np.full_like(Z.mean(axis=axis, keepdims=True), Z.mean())"),
    ]}, loses={_F + "mu": 0.5}, named={_F + "mu": "norm-over-everything"}),
    wrong("in-place", "Z is changed in place", cells={"normalise": '''
def normalise(Z, eps, axis):
    mu = Z.mean(axis=axis, keepdims=True)
    Z -= mu
    var = (Z**2).mean(axis=axis, keepdims=True)
    Z /= np.sqrt(var + eps)
    return mu, var, Z
'''}, loses={"forward_values": 0.25}, named={_F + "mu": _CHANGED}),
    # gamma and beta
    _edit("no-gamma", "gamma is forgotten", "scale", [("return gamma * dU,", "return dU,")], _S + "dZ_hat",
          "norm-gamma-missing", 1),
    _edit("gamma-from-sum", "dgamma without Z_hat", "scale", [("np.sum(dU * Z_hat,", "np.sum(dU,")], _S + "dgamma",
          "norm-scale-from-the-sum", 1),
    _edit("gamma-other-axis", "dgamma summed over the units", "scale", [
        ("np.sum(dU * Z_hat, axis=1", "np.sum(dU * Z_hat, axis=0"),
    ], _S + "dgamma", "norm-scale-along-the-other-axis", 1),
    _edit("beta-other-axis", "dbeta summed over the units", "scale", [("np.sum(dU, axis=1", "np.sum(dU, axis=0")],
          _S + "dbeta", "norm-scale-along-the-other-axis", 1),
    _edit("gamma-mean", "dgamma averaged", "scale", [("np.sum(dU * Z_hat", "np.mean(dU * Z_hat")], _S + "dgamma",
          "averaged-instead-of-summed", 1),
    _edit("gamma-not-summed", "dgamma not summed", "scale", [
        ("np.sum(dU * Z_hat, axis=1, keepdims=True)", "dU * Z_hat"),
    ], _S + "dgamma", "norm-scale-not-summed", 1),
    _edit("gamma-twice", "gamma in its own gradient", "scale", [("np.sum(dU * Z_hat", "np.sum(gamma * dU * Z_hat")],
          _S + "dgamma", "norm-gamma-twice", 1),
    _edit("beta-everything", "one sum for all", "scale", [("np.sum(dU, axis=1, keepdims=True)", "np.sum(dU)")],
          _S + "dbeta", "bias-summed-over-everything", 1),
    wrong("scale-flat", "keepdims forgotten", edits={"scale": [("np.sum(dU, axis=1, keepdims=True)", "np.sum(dU, axis=1)")]},
          loses={_S + "dbeta": 0.5}, named={_S + "dbeta": "wrong-shape"}),
    # the three paths
    wrong("direct-undivided", "the direct path is not divided", edits={"paths": [("direct = dZ_hat / s", "direct = dZ_hat")]},
          loses={_P + "direct": 1, _P + "direct_layer": 0.5}, named={_P + "direct": "norm-not-divided"}),
    _edit("direct-variance", "divided by the variance", "paths", [("direct = dZ_hat / s", "direct = dZ_hat / s**2")],
          _P + "direct", "norm-divided-by-variance", 1),
    _edit("eps-forgotten-backwards", "no epsilon in the backward pass", "paths", [("direct = dZ_hat / s", "direct = dZ_hat / np.sqrt(var)")],
          _P + "direct", "norm-epsilon-misplaced", 1),
    _edit("dvar-plus", "plus one half", "paths", [("-0.5 / s**3", "0.5 / s**3")], _P + "dvar", "norm-path-sign", 1.5),
    _edit("dvar-no-half", "without one half", "paths", [("* -0.5 / s**3", "/ -(s**3)")], _P + "dvar", "norm-half-missing", 1.5),
    _edit("dvar-power-two", "the variance for its power 3/2", "paths", [("/ s**3", "/ s**2")], _P + "dvar",
          "norm-variance-power", 1.5),
    _edit("dvar-power-one", "the root for its third power", "paths", [("/ s**3", "/ s")], _P + "dvar",
          "norm-variance-power", 1.5),
    _edit("dvar-not-centred", "Z for Z - mu", "paths", [("dZ_hat * (Z - mu) * -0.5", "dZ_hat * Z * -0.5")], _P + "dvar",
          "norm-not-centred", 1.5),
    _edit("dvar-mean", "dvar averaged", "paths", [("dvar = np.sum(", "dvar = np.mean(")], _P + "dvar",
          "norm-sums-for-means", 1.5),
    _edit("dvar-not-summed", "dvar not summed", "paths", [(_DVAR, "dZ_hat * (Z - mu) * -0.5 / s**3")], _P + "dvar",
          "norm-path-not-summed", 1.5),
    _edit("dmu-plus", "dmu with plus", "paths", [("np.sum(-dZ_hat / s", "np.sum(dZ_hat / s")], _P + "dmu",
          "norm-path-sign", 1),
    _edit("dmu-undivided", "dmu not divided", "paths", [("np.sum(-dZ_hat / s", "np.sum(-dZ_hat")], _P + "dmu",
          "norm-not-divided", 1),
    _edit("dmu-mean", "dmu averaged", "paths", [("np.sum(-dZ_hat", "np.mean(-dZ_hat")], _P + "dmu",
          "norm-sums-for-means", 1),
    _edit("dmu-uncentred", "the square differentiated without its mean", "paths", [
        (_DMU, _DMU + " - 2 * dvar * np.mean(Z, axis=axis, keepdims=True)"),
    ], _P + "dmu", "norm-not-centred", 1),
    _edit("no-mean-path", "the mean taken for a constant", "paths", [(" + dmu / k", "")], _P + "dZ", "norm-mean-constant", 1.5),
    _edit("no-variance-path", "the variance taken for a constant", "paths", [(" + dvar * 2 * (Z - mu) / k", "")],
          _P + "dZ", "norm-variance-constant", 1.5),
    wrong("direct-only", "both taken for constants", edits={"paths": [(" + dvar * 2 * (Z - mu) / k + dmu / k", "")]},
          loses={_P + "dZ": 1.5, _P + "dZ_layer": 0.5}, named={_P + "dZ": "norm-mean-and-variance-constant"}),
    _edit("square-halved", "the 2 of the square is lost", "paths", [("dvar * 2 *", "dvar *")], _P + "dZ",
          "norm-square-halved", 1.5),
    _edit("mean-not-divided", "dmu not divided by k", "paths", [("dmu / k", "dmu")], _P + "dZ", "norm-sums-for-means", 1.5),
    _edit("both-not-divided", "neither divided by k", "paths", [
        ("(Z - mu) / k", "(Z - mu)"), ("dmu / k", "dmu"),
    ], _P + "dZ", "norm-sums-for-means", 1.5),
    _edit("wrong-count", "k is the size of the other axis", "paths", [("Z.shape[axis]", "Z.shape[1 - axis]")],
          _P + "dZ", "norm-wrong-count", 1.5),
    # one line
    _edit("fused-no-mean", "the mean taken for a constant", "fused", [("dZ_hat - mean -", "dZ_hat -")], _O + "dZ",
          "norm-mean-constant", 2),
    _edit("fused-no-stretch", "the variance taken for a constant", "fused", [(" - Z_hat * stretch)", ")")], _O + "dZ",
          "norm-variance-constant", 2),
    _edit("fused-stretch-alone", "the second average without Z_hat", "fused", [("Z_hat * stretch)", "stretch)")],
          _O + "dZ", "norm-normalised-missing", 2),
    _edit("fused-sums", "sums for averages", "fused", [
        ("mean = np.mean(", "mean = np.sum("), ("stretch = np.mean(", "stretch = np.sum("),
    ], _O + "dZ", "norm-sums-for-means", 2),
    _edit("fused-undivided", "not divided by s", "fused", [(_LINE, "dZ_hat - mean - Z_hat * stretch")], _O + "dZ",
          "norm-not-divided", 2),
    _edit("fused-variance", "divided by the variance", "fused", [("stretch) / s", "stretch) / s**2")], _O + "dZ",
          "norm-divided-by-variance", 2),
    _edit("fused-plus", "plus", "fused", [("- Z_hat * stretch", "+ Z_hat * stretch")], _O + "dZ", "norm-path-sign", 2),
    _edit("fused-axis", "averages along the other axis", "fused", [
        ("np.mean(dZ_hat, axis=axis", "np.mean(dZ_hat, axis=1 - axis"),
        ("np.mean(dZ_hat * Z_hat, axis=axis", "np.mean(dZ_hat * Z_hat, axis=1 - axis"),
    ], _O + "dZ", "norm-along-the-other-axis", 2),
    wrong("fused-always-batch", "layer norm as batch norm", edits={"fused": [
        ("np.mean(dZ_hat, axis=axis", "np.mean(dZ_hat, axis=1"), ("np.mean(dZ_hat * Z_hat, axis=axis", "np.mean(dZ_hat * Z_hat, axis=1"),
    ]}, loses={_O + "dZ_layer": 1}, named={_O + "dZ_layer": "norm-along-the-other-axis"}),
    _edit("fused-divided-by-k", "divided by k as well", "fused", [("stretch) / s", "stretch) / s / dZ_hat.shape[axis]")],
          _O + "dZ", "norm-divided-by-the-count", 2),
    # training and evaluation
    _edit("rates", "keep and 1 - keep exchanged", "batches", [
        ("keep * running_mu + (1 - keep) * mu", "(1 - keep) * running_mu + keep * mu"),
        ("keep * running_var + (1 - keep) * var", "(1 - keep) * running_var + keep * var"),
    ], _T + "running_mu", "norm-running-rates-exchanged", 0.5),
    _edit("running-unbiased", "m - 1 in the running variance, as PyTorch has it", "batches", [
        ("(1 - keep) * var", "(1 - keep) * np.var(Z, axis=1, keepdims=True, ddof=1)"),
    ], _T + "running_var", "norm-unbiased-variance", 1),
    _edit("running-deviation", "deviations averaged", "batches", [("(1 - keep) * var", "(1 - keep) * np.sqrt(var)")],
          _T + "running_var", "norm-running-of-the-deviation", 1),
    _edit("running-weight", "no weight for the new one", "batches", [("(1 - keep) * var", "var")], _T + "running_var",
          "norm-running-weight-missing", 1),
    _edit("running-of-batch", "the last batch stands for all", "batches", [
        ("running_var = keep * running_var + (1 - keep) * var", "running_var = var"),
    ], _T + "running_var", "norm-running-not-carried", 1),
    _edit("running-in-training", "running averages used in training", "batches", [
        ("return gamma * Z_hat + beta, running_mu", "return gamma * (Z - running_mu) / np.sqrt(running_var + eps) + beta, running_mu"),
    ], _T + "U", "norm-running-in-training", 1),
    _edit("no-beta", "beta forgotten", "batches", [("gamma * Z_hat + beta,", "gamma * Z_hat,")], _T + "U", "bias-forgotten", 1),
    _edit("batch-in-evaluation", "the batch's own averages in evaluation", "batches", [
        ("return gamma * (Z - running_mu) / np.sqrt(running_var + eps) + beta", "return gamma * normalise(Z, eps, 1)[2] + beta"),
    ], _E + "U", "norm-batch-in-evaluation", 1),
    _edit("evaluation-no-root", "no root in evaluation", "batches", [
        ("(Z - running_mu) / np.sqrt(running_var + eps)", "(Z - running_mu) / (running_var + eps)"),
    ], _E + "U", "norm-root-missing", 1),
    _edit("evaluation-three-paths", "the gradient of training in evaluation", "batches", [
        ("return dU * gamma /", "return (dU - dU.mean(axis=1, keepdims=True)) * gamma /"),
    ], _E + "dZ", "norm-constants-differentiated", 1.5),
    _edit("evaluation-no-gamma", "gamma forgotten", "batches", [("return dU * gamma /", "return dU /")], _E + "dZ",
          "norm-gamma-missing", 1.5),
    _edit("evaluation-undivided", "not divided", "batches", [
        ("dU * gamma / np.sqrt(running_var + eps)", "dU * gamma"),
    ], _E + "dZ", "norm-not-divided", 1.5),
    # what is passed in
    _edit("scale-in-place", "dU becomes dZ_hat in place", "scale", [
        ("return gamma * dU, dgamma", "dU *= gamma\n    return dU, dgamma"),
    ], _S + "dZ_hat", _CHANGED, 0.5),
    _edit("paths-in-place", "Z is centred in place", "paths", [
        ("    direct = dZ_hat / s", "    Z -= mu\n    direct = dZ_hat / s"), ("(Z - mu) * -0.5", "Z * -0.5"), ("(Z - mu) / k", "Z / k"),
    ], _P + "direct_layer", _CHANGED, 0.25),
    _edit("fused-in-place", "the mean is taken off in place", "fused", [
        ("return (dZ_hat - mean - Z_hat", "dZ_hat -= mean\n    return (dZ_hat - Z_hat"),
    ], _O + "dZ_layer", _CHANGED, 0.5),
    _edit("running-in-place", "the running variance is changed in place", "batches", [
        ("running_var = keep * running_var + (1 - keep) * var", "running_var *= keep\n    running_var += (1 - keep) * var"),
    ], _T + "running_mu", _CHANGED, 0.25),
    _edit("evaluation-in-place", "Z is centred in place", "batches", [
        ("return gamma * (Z - running_mu) /", "Z -= running_mu\n    return gamma * Z /"),
    ], _E + "U", _CHANGED, 0.5),
    _edit("evaluation-gamma-in-place", "gamma is divided in place", "batches", [
        ("return dU * gamma / np.sqrt(running_var + eps)", "gamma /= np.sqrt(running_var + eps)\n    return dU * gamma"),
    ], _E + "U", _CHANGED, 0.5),
)  # fmt: skip

FAULTS = {
    "in-place": {"normalise": ("Z -= mu", "Z /= np.sqrt(var + eps)")},
}
