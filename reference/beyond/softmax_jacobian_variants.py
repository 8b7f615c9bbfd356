"""Other solutions of softmax_jacobian: right ones in another style, and wrong ones with what they must cost."""

from autograder.audit import right, wrong

RIGHT = (
    right(
        "paper-and-loops",
        "numbers as on paper, loops over examples and units",
        three=(
            "p = [0.5, 0.25, 0.25]\n"
            "J = [[0.25, -0.125, -0.125], [-0.125, 0.1875, -0.0625], [-0.125, -0.0625, 0.1875]]\n"
            "dp = [0, -4, 0]\ndz = [0.5, -0.75, 0.25]"
        ),
        softmax='''
import math


def softmax(Z):
    P = np.zeros(Z.shape)
    for k in range(Z.shape[1]):
        top = max(Z[:, k])
        total = sum(math.exp(z - top) for z in Z[:, k])
        for i in range(Z.shape[0]):
            P[i, k] = math.exp(Z[i, k] - top) / total
    return P


def log_sum_exp(Z):
    return np.array([[max(z) + math.log(sum(math.exp(one - max(z)) for one in z)) for z in Z.T]])
''',
        jacobian='''
def softmax_jacobian(p):
    n = len(p)
    return [[p[i] * (1 - p[i]) if i == j else -p[i] * p[j] for j in range(n)] for i in range(n)]
''',
        backward='''
def softmax_backward(dP, P):
    columns = []
    for d, p in zip(dP.T, P.T):
        average = d @ p
        columns.append(p * (d - average))
    return np.array(columns).T
''',
        loss='''
def cross_entropy(Z, Y):
    total = 0
    for z, y in zip(Z.T, Y.T):
        total += log_sum_exp(z[:, None])[0, 0] - z[np.argmax(y)]
    return total / Z.shape[1]


def cross_entropy_gradient(Z, Y):
    dZ = softmax(Z)
    for k in range(Z.shape[1]):
        dZ[np.argmax(Y[:, k]), k] -= 1
    return dZ / Z.shape[1]
''',
    ),
    right(
        "scipy",
        "scipy's own functions, a mask, einsum",
        three="import sympy\np = [sympy.Rational(1, 2), sympy.Rational(1, 4), sympy.Rational(1, 4)]\n"
        "J = sympy.diag(*p) - sympy.Matrix(p) * sympy.Matrix(p).T\ndp = [0, -1 / p[1], 0]\ndz = J * sympy.Matrix(dp)",
        softmax='''
from scipy import special


def softmax(Z):
    return special.softmax(Z, axis=0)


def log_sum_exp(Z):
    return special.logsumexp(Z, axis=0, keepdims=True)
''',
        jacobian='''
def softmax_jacobian(p):
    J = -p[:, None] * p[None, :]
    J[np.diag_indices(len(p))] += p
    return J
''',
        backward='''
def softmax_backward(dP, P):
    return P * dP - P * np.einsum("nm,nm->m", P, dP)
''',
        loss='''
def cross_entropy(Z, Y):
    return -(Y * special.log_softmax(Z, axis=0)).sum() / len(Y.T)


def cross_entropy_gradient(Z, Y):
    return np.where(Y == 1, softmax(Z) - 1, softmax(Z)) / Y.shape[1]
''',
    ),
    right(
        "through-the-logarithm",
        "softmax from log-sum-exp, the gradient by way of dP",
        three="p = np.exp(np.log([2, 1, 1]) - np.log(4))\nJ = p[:, None] * (np.eye(3) - p)\ndp = [0, -1 / p[1], 0]\n"
        "dz = p - [0, 1, 0]",
        softmax='''
def log_sum_exp(Z):
    return np.logaddexp.reduce(Z, axis=0, keepdims=True)


def softmax(Z):
    return np.exp(Z - log_sum_exp(Z))
''',
        jacobian='''
def softmax_jacobian(p):
    p = p.reshape(-1, 1)
    return p * (np.eye(p.size) - p.T)
''',
        backward='''
def softmax_backward(dP, P):
    return P * dP - P * np.diag(dP.T @ P)
''',
        loss='''
def cross_entropy(Z, Y):
    m = Z.shape[1]
    return float(np.sum(Y * (log_sum_exp(Z) - Z)) / m)


def cross_entropy_gradient(Z, Y):
    P = softmax(Z)
    return softmax_backward(-Y / P / Y.shape[1], P)
''',
    ),
    right(
        "rows",
        "examples as rows inside, single precision",
        three="import math\nz = [math.log(2), 0, 0]\np = tuple(math.exp(u) / 4 for u in z)\n"
        "J = [[(i == j) * p[i] - p[i] * p[j] for j in range(3)] for i in range(3)]\n"
        "dp = [-0.0, -4.0, 0]\ndz = np.array([[0.5], [-0.75], [0.25]])",
        softmax='''
def softmax(Z):
    rows = Z.T - np.amax(Z.T, axis=1)[:, np.newaxis]
    return (np.exp(rows) / np.exp(rows).sum(1)[:, None]).T


def log_sum_exp(Z):
    c = np.max(Z, 0)
    return (c + np.log(np.sum(np.exp(Z - c), 0)))[None]
''',
        jacobian='''
def softmax_jacobian(p):
    p = np.float32(p)
    return np.diagflat(p) - p.reshape(-1, 1) @ p.reshape(1, -1)
''',
        backward='''
def softmax_backward(dP, P):
    dP, P = dP.astype(np.float32), P.astype(np.float32)
    return P * (dP - np.ones((len(P), len(P[:1]))) * np.sum(P * dP, 0))
''',
        loss='''
def cross_entropy(Z, Y):
    right = Z[Y.argmax(axis=0), np.arange(Z.shape[1])]
    return (log_sum_exp(Z) - right).mean()


def cross_entropy_gradient(Z, Y):
    return np.divide(np.subtract(softmax(Z), Y), np.size(Y, 1))
''',
    ),
)


def _edit(variant_id, title, cell, old, new, line, mistake, points):
    """A wrong variant that changes one place, and loses at one line."""
    return wrong(variant_id, title, edits={cell: [(old, new)]}, loses={line: points}, named={line: mistake})


WRONG = (
    _edit("p-exponentials", "the exponentials themselves", "three", "p = e / e.sum()", "p = e", "three_units.p",
          "softmax-not-normalised", 1),
    _edit("p-mean", "divided by the mean", "three", "e / e.sum()", "e / e.mean()", "three_units.p", "mean-for-sum", 1),
    _edit("J-diagonal", "as if softmax were a sigmoid", "three", "np.diag(p) - np.outer(p, p)", "np.diag(p * (1 - p))",
          "three_units.J", "softmax-jacobian-diagonal-only", 2),
    _edit("J-plus", "plus in both cases", "three", "np.diag(p) - np.outer", "np.diag(p) + np.outer", "three_units.J",
          "softmax-jacobian-sign", 2),
    _edit("J-products-alone", "minus the products everywhere", "three", "np.diag(p) - np.outer", "-np.outer",
          "three_units.J", "softmax-jacobian-diagonal-missing", 2),
    _edit("dp-plus", "the minus is lost", "three", "dp = -y / p", "dp = y / p", "three_units.dp", "sign-flipped", 1),
    _edit("dp-all", "for all classes", "three", "dp = -y / p", "dp = -1 / p", "three_units.dp", "target-missing", 1),
    _edit("dp-collapsed", "p - y in the place of dp", "three", "dp = -y / p", "dp = p - y", "three_units.dp",
          "collapsed-too-early", 1),
    _edit("dz-is-dp", "softmax is passed by", "three", "dz = J.T @ dp", "dz = dp", "three_units.dz",
          "softmax-derivative-missing", 1),
    _edit("dz-entries", "entry by entry with the diagonal", "three", "J.T @ dp", "np.diag(J) * dp", "three_units.dz",
          "softmax-jacobian-diagonal-only", 1),
    wrong("naive", "no shift in softmax: NaN for large units", edits={"softmax": [
        ("np.exp(Z - Z.max(axis=0, keepdims=True))", "np.exp(Z)"),
    ]}, loses={"softmax_values.P_large": 1}, named={"softmax_values.P_large": "softmax-overflow"}),
    wrong("naive-everywhere", "no shift anywhere: one slip", edits={"softmax": [
        ("np.exp(Z - Z.max(axis=0, keepdims=True))", "np.exp(Z)"),
        ("c + np.log(np.exp(Z - c).sum", "np.log(np.exp(Z).sum"),
    ]}, loses={"softmax_values.P_large": 1}, named={"softmax_values.P_large": "softmax-overflow"}),
    wrong("one-shift", "the largest of all examples is subtracted", edits={"softmax": [
        ("Z - Z.max(axis=0, keepdims=True)", "Z - Z.max()"),
    ]}, loses={"softmax_values.P_large": 1}, named={"softmax_values.P_large": "softmax-one-shift-for-all"}),
    _edit("softmax-axis", "the sum along the examples", "softmax", "E / E.sum(axis=0", "E / E.sum(axis=1",
          "softmax_values.P", "softmax-along-the-other-axis", 2),
    wrong("softmax-rows", "everything along the examples", edits={"softmax": [
        ("E = np.exp(Z - Z.max(axis=0", "E = np.exp(Z - Z.max(axis=1"),
        ("E / E.sum(axis=0", "E / E.sum(axis=1"),
    ]}, loses={"softmax_values.P": 2}, named={"softmax_values.P": "softmax-along-the-other-axis"}),
    _edit("softmax-total", "one sum for all examples", "softmax", "E / E.sum(axis=0, keepdims=True)", "E / E.sum()",
          "softmax_values.P", "softmax-over-everything", 2),
    _edit("softmax-unnormalised", "not divided", "softmax", "E / E.sum(axis=0, keepdims=True)", "E", "softmax_values.P",
          "softmax-not-normalised", 2),
    _edit("lse-shift-lost", "c is not added back", "softmax", "c + np.log", "np.log", "softmax_values.lse",
          "shift-not-added-back", 1),
    _edit("lse-shift-minus", "c is subtracted again", "softmax", "c + np.log", "-c + np.log", "softmax_values.lse",
          "shift-sign", 1),
    _edit("lse-no-log", "no logarithm", "softmax", "c + np.log(np.exp(Z - c).sum(axis=0, keepdims=True))",
          "c + np.exp(Z - c).sum(axis=0, keepdims=True)", "softmax_values.lse", "logarithm-missing", 1),
    _edit("lse-max", "the largest unit", "softmax", "c + np.log(np.exp(Z - c).sum(axis=0, keepdims=True))", "c",
          "softmax_values.lse", "largest-for-log-sum-exp", 1),
    wrong("softmax-in-place", "Z is changed in place", cells={"softmax": '''
def softmax(Z):
    Z -= Z.max(axis=0, keepdims=True)
    E = np.exp(Z)
    return E / E.sum(axis=0, keepdims=True)


def log_sum_exp(Z):
    c = Z.max(axis=0, keepdims=True)
    return c + np.log(np.exp(Z - c).sum(axis=0, keepdims=True))
'''}, loses={"softmax_values": 0.5}, named={"softmax_values.lse": "argument-changed-in-place"}),
    _edit("jacobian-diagonal", "as if softmax were a sigmoid", "jacobian", "np.diag(p) - np.outer(p, p)",
          "np.diag(p * (1 - p))", "jacobian_matrix.J", "softmax-jacobian-diagonal-only", 3),
    _edit("jacobian-vector", "p (1 - p) as a vector", "jacobian", "np.diag(p) - np.outer(p, p)", "p * (1 - p)",
          "jacobian_matrix.J", "softmax-jacobian-diagonal-only", 3),
    _edit("jacobian-plus", "plus", "jacobian", "np.diag(p) - np", "np.diag(p) + np", "jacobian_matrix.J",
          "softmax-jacobian-sign", 3),
    _edit("jacobian-broadcast", "p for the outer product", "jacobian", "np.outer(p, p)", "p", "jacobian_matrix.J",
          "softmax-jacobian-products-missing", 3),
    _edit("jacobian-off-only", "if and else confused: no diagonal", "jacobian", "np.diag(p) - np.outer", "-np.outer",
          "jacobian_matrix.J", "softmax-jacobian-diagonal-missing", 3),
    wrong("jacobian-loop", "p on the diagonal without its square", cells={"jacobian": '''
def softmax_jacobian(p):
    J = np.zeros((len(p), len(p)))
    for i in range(len(p)):
        for j in range(len(p)):
            J[i, j] = p[i] if i == j else -p[i] * p[j]
    return J
'''}, loses={"jacobian_matrix.J": 3}, named={"jacobian_matrix.J": "softmax-jacobian-squares-missing"}),
    _edit("backward-sigmoid", "P (1 - P), as for a sigmoid", "backward",
          "P * (dP - np.sum(dP * P, axis=0, keepdims=True))", "dP * P * (1 - P)", "backward_product.dZ",
          "softmax-jacobian-diagonal-only", 4),
    _edit("backward-mean", "the mean for the sum", "backward", "np.sum(dP * P", "np.mean(dP * P", "backward_product.dZ",
          "attention-mean-for-sum", 4),
    _edit("backward-axis", "the sum along the examples", "backward", "axis=0", "axis=1", "backward_product.dZ",
          "softmax-along-the-other-axis", 4),
    _edit("backward-total", "one sum for all examples", "backward", "np.sum(dP * P, axis=0, keepdims=True)",
          "np.sum(dP * P)", "backward_product.dZ", "softmax-over-everything", 4),
    _edit("backward-plus", "plus", "backward", "(dP - np.sum", "(dP + np.sum", "backward_product.dZ", "softmax-jacobian-sign", 4),
    _edit("backward-no-factor", "P in front is forgotten", "backward", "P * (dP - np", "(dP - np", "backward_product.dZ",
          "attention-weights-missing", 4),
    _edit("backward-unweighted", "P in the sum is forgotten", "backward", "np.sum(dP * P,", "np.sum(dP,", "backward_product.dZ",
          "softmax-average-unweighted", 4),
    wrong("backward-built", "right, with the whole Jacobian of each example", cells={"backward": '''
def softmax_backward(dP, P):
    return np.stack([softmax_jacobian(p).T @ d for d, p in zip(dP.T, P.T)], axis=1)
'''}, loses={"backward_product.dZ": 2}, named={"backward_product.dZ": "softmax-jacobian-built"}),
    wrong("backward-einsum-built", "right, with all Jacobians at once", cells={"backward": '''
def softmax_backward(dP, P):
    J = np.einsum("im,ij->mij", P, np.eye(len(P))) - np.einsum("im,jm->mij", P, P)
    return np.einsum("mij,im->jm", J, dP)
'''}, loses={"backward_product.dZ": 2}, named={"backward_product.dZ": "softmax-jacobian-built"}),
    wrong("loss-log-of-share", "the logarithm of a share", edits={"loss": [
        ("np.mean(log_sum_exp(Z) - np.sum(Y * Z, axis=0, keepdims=True))",
         "-np.sum(Y * np.log(softmax(Z))) / Z.shape[1]"),
    ]}, loses={"cross_entropy_values.loss_large": 1},
        named={"cross_entropy_values.loss_large": "logarithm-of-a-share"}),
    _edit("loss-sum", "no mean", "loss", "return np.mean(log", "return np.sum(log", "cross_entropy_values.loss",
          "loss-summed-over-examples", 2),
    wrong("loss-mean-of-all", "the mean over units, too", edits={"loss": [
        ("np.mean(log_sum_exp(Z) - np.sum(Y * Z, axis=0, keepdims=True))", "np.mean(Y * (log_sum_exp(Z) - Z))"),
    ]}, loses={"cross_entropy_values.loss": 2}, named={"cross_entropy_values.loss": "loss-mean-over-outputs"}),
    _edit("loss-no-y", "all units in the place of the right one", "loss", "np.sum(Y * Z,", "np.sum(Z,",
          "cross_entropy_values.loss", "target-missing", 2),
    wrong("loss-binary", "the loss of yes and no", edits={"loss": [
        ("np.mean(log_sum_exp(Z) - np.sum(Y * Z, axis=0, keepdims=True))",
         "-np.sum(Y * np.log(softmax(Z)) + (1 - Y) * np.log(1 - softmax(Z))) / Z.shape[1]"),
    ]}, loses={"cross_entropy_values.loss": 2, "cross_entropy_values.loss_large": 1},
        named={"cross_entropy_values.loss": "binary-cross-entropy-for-classes"}),
    _edit("gradient-no-mean", "the mean's factor is forgotten", "loss", "(softmax(Z) - Y) / Z.shape[1]", "softmax(Z) - Y",
          "cross_entropy_values.dZ", "missing-1-over-m", 2),
    _edit("gradient-sign", "Y - P", "loss", "(softmax(Z) - Y)", "(Y - softmax(Z))", "cross_entropy_values.dZ",
          "sign-flipped", 2),
    _edit("gradient-len", "len(Z) counts the units", "loss", "- Y) / Z.shape[1]", "- Y) / len(Z)",
          "cross_entropy_values.dZ", "mean-over-outputs", 2),
    _edit("gradient-size", "divided by all entries", "loss", "- Y) / Z.shape[1]", "- Y) / Z.size",
          "cross_entropy_values.dZ", "mean-over-outputs", 2),
    _edit("gradient-slope-twice", "softmax passed a second time", "loss", "(softmax(Z) - Y) / Z.shape[1]",
          "(softmax(Z) - Y) * softmax(Z) * (1 - softmax(Z)) / Z.shape[1]", "cross_entropy_values.dZ",
          "extra-output-derivative", 2),
    _edit("gradient-logits", "the units for their shares", "loss", "(softmax(Z) - Y)", "(Z - Y)",
          "cross_entropy_values.dZ", "activation-forgotten", 2),
    wrong("gradient-of-p", "only the derivative by the shares", edits={"loss": [
        ("(softmax(Z) - Y) / Z.shape[1]", "-Y / softmax(Z) / Z.shape[1]"),
    ]}, loses={"cross_entropy_values.dZ": 2}, named={"cross_entropy_values.dZ": "softmax-derivative-missing"}),
)  # fmt: skip

FAULTS = {
    # exp(Z - log_sum_exp(Z)) is softmax, too
    "softmax-unnormalised": {"softmax": ("return E", "E = np.exp(Z - Z.max(axis=0, keepdims=True))")},
    "softmax-in-place": {"softmax": ("Z -= Z.max(axis=0, keepdims=True)",)},
    "jacobian-loop": {"jacobian": ("p[i] if i == j else -p[i] * p[j]",)},
}

ALLOWED = {
    "loss-binary": "another loss, and a logarithm of a share that overflows: two mistakes in one line",
}

UNPLACED = {
    "backward-built": "every number is right",
    "backward-einsum-built": "every number is right",
}
