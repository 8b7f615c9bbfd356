"""Other solutions of residual_network: right ones in another style, and wrong ones with what they must cost."""

from autograder.audit import right, wrong

RIGHT = (
    right(
        "paper-and-loops",
        "numbers as on paper, loops over the examples, concatenated weights",
        three="plain = -0.04\nslopes = [1.5, 0.8, 1.4]\nresidual = 1.68\npaths = (1, 0.7, 0.02, -0.04)",
        block='''
def block_forward(X, W1, b1, W2, b2):
    A1, out = np.zeros((len(W1), X.shape[1])), X.copy()
    for k in range(X.shape[1]):
        A1[:, k] = np.tanh(W1 @ X[:, k] + b1[:, 0])
        out[:, k] += W2 @ A1[:, k] + b2[:, 0]
    return A1, out


def block_backward(dout, X, A1, W1, W2):
    dW1, db1, dW2, db2 = np.zeros(W1.shape), np.zeros((len(W1), 1)), np.zeros(W2.shape), np.zeros((len(W2), 1))
    dZ1, dX = np.zeros(A1.shape), np.zeros(X.shape)
    for k in range(X.shape[1]):
        d, x, a = dout[:, [k]], X[:, [k]], A1[:, [k]]
        error = W2.T @ d * (1 - a * a)
        dW2 += d @ a.T
        db2 += d
        dW1 += error @ x.T
        db1 += error
        dZ1[:, [k]] = error
        dX[:, [k]] = d
        dX[:, [k]] += W1.T @ error
    return dW2, db2, dZ1, dW1, db1, dX
''',
        projection='''
def projected_backward(dout, X, A1, W1, W2, P):
    around = np.einsum("ki,km->im", P, dout)
    through = np.einsum("hi,kh,km,hm->im", W1, W2, dout, 1 - np.square(A1))
    return sum(np.outer(d, x) for d, x in zip(dout.T, X.T)), around + through
''',
        stack='''
def stack_forward(X, branches, identity):
    values = [X]
    for k in range(len(branches)):
        values = values + [branches[k](values[k]) + identity * values[k]]
    return values


def stack_backward(dout, backs, identity):
    gradients = [None] * len(backs) + [dout]
    for k in range(len(backs) - 1, -1, -1):
        gradients[k] = backs[k](gradients[k + 1])
        if identity:
            gradients[k] = gradients[k] + gradients[k + 1]
    return gradients
''',
        sizes='''
def relative_sizes(gradients):
    sizes = []
    for d in gradients:
        sizes.append(sum(float(x) ** 2 for x in np.ravel(d)) ** 0.5)
    return [size / sizes[-1] for size in sizes]


def per_block(gradients):
    sizes = relative_sizes(gradients)
    ratios = [a / b for a, b in zip(sizes, sizes[1:])]
    return np.prod(ratios) ** (1 / len(ratios))
''',
    ),
    right(
        "recursion",
        "polynomials, one matrix for both paths, a stack that calls itself",
        three="from numpy.polynomial import polynomial\nw = [0.5, -0.2, 0.4]\n"
        "paths = polynomial.polymul(polynomial.polymul([1, w[0]], [1, w[1]]), [1, w[2]])\n"
        "plain, residual, slopes = paths[3], sum(paths), [1 + one for one in w]",
        block='''
def block_forward(X, W1, b1, W2, b2):
    A1 = 2 / (1 + np.exp(-2 * (W1 @ X + b1))) - 1
    return A1, np.hstack([np.eye(len(X)), W2, b2]) @ np.vstack([X, A1, np.ones((1, X.shape[1]))])


def block_backward(dout, X, A1, W1, W2):
    ones = np.ones((X.shape[1], 1))
    dZ1 = (1 + A1) * (1 - A1) * np.dot(W2.T, dout)
    dX = np.hstack([np.eye(len(X)), W1.T]) @ np.vstack([dout, dZ1])
    return np.dot(dout, A1.T), dout @ ones, dZ1, np.dot(dZ1, X.T), dZ1 @ ones, dX
''',
        projection='''
def projected_backward(dout, X, A1, W1, W2, P):
    dZ1 = (W2.T @ dout) / np.cosh(np.arctanh(A1)) ** 2
    return (X @ dout.T).T, (dout.T @ P + dZ1.T @ W1).T
''',
        stack='''
def stack_forward(X, branches, identity):
    if not branches:
        return [X]
    out = branches[0](X)
    return [X, *stack_forward(out + X if identity else out, branches[1:], identity)]


def stack_backward(dout, backs, identity):
    if not backs:
        return [dout]
    behind = stack_backward(dout, backs[1:], identity)
    return [backs[0](behind[0]) + (behind[0] if identity else 0), *behind]
''',
        sizes='''
def relative_sizes(gradients):
    sizes = np.linalg.norm(np.reshape(gradients, (len(gradients), -1)), axis=1)
    return sizes / sizes[-1]


def per_block(gradients):
    return np.exp(np.log(relative_sizes(gradients)[0]) / (len(gradients) - 1))
''',
    ),
    right(
        "single-precision",
        "single precision, in-place sums of copies",
        block='''
def block_forward(X, W1, b1, W2, b2):
    X = X.astype(np.float32)
    A1 = np.tanh(np.float32(W1) @ X + np.float32(b1))
    out = np.float32(W2) @ A1 + np.float32(b2)
    out += X
    return A1, out


def block_backward(dout, X, A1, W1, W2):
    d = np.array(dout, dtype=np.float32)
    error = np.float32(W2).T @ d
    error *= 1 - np.float32(A1) ** 2
    dX = d.copy()
    dX += np.float32(W1).T @ error
    return d @ np.float32(A1).T, d.sum(1, keepdims=True), error, error @ np.float32(X).T, error.sum(1, keepdims=True), dX
''',
        sizes='''
def relative_sizes(gradients):
    return np.array([np.linalg.norm(d) for d in gradients]) / np.linalg.norm(gradients[-1])


def per_block(gradients):
    first, *_, last = [np.linalg.norm(d) for d in gradients]
    return (first / last) ** (1 / (len(gradients) - 1))
''',
    ),
)


def _edit(id, title, cell, edits, line, mistake, points):
    """One cell that is edited and the one line that it costs."""
    return wrong(id, title, edits={cell: edits}, loses={line: points}, named={line: mistake})


_A, _F, _B, _P, _V, _G, _S = (
    f"{name}."
    for name in (
        "three_blocks", "block_values", "block_gradients", "projection_gradients", "stack_values", "stack_gradients",
        "gradient_sizes",
    )
)
_FORTH, _BACK = "X + out if identity else out", "dout + d if identity else d"

WRONG = (
    # by hand
    _edit("hand-sum", "slopes added", "three", [("plain = w.prod()", "plain = w.sum()"), ("w[1] * w[2], plain]", "w[1] * w[2], w.prod()]")],
          _A + "plain", "sum-for-product", 1),
    _edit("hand-no-identity", "slopes without the identity", "three", [("slopes = 1 + w", "slopes = w")], _A + "slopes",
          "residual-path-missing", 1),
    _edit("hand-halved", "the mean of both paths", "three", [("slopes = 1 + w", "slopes = (1 + w) / 2")], _A + "slopes",
          "residual-halved", 1),
    _edit("hand-once", "one identity path around all three", "three", [("slopes.prod()", "1 + plain")], _A + "residual",
          "residual-identity-once", 1),
    _edit("hand-added", "the slopes of blocks added", "three", [("slopes.prod()", "slopes.sum()")], _A + "residual",
          "sum-for-product", 1),
    _edit("hand-counted", "paths counted", "three", [("[1, w.sum(), w[0] * w[1] + w[0] * w[2] + w[1] * w[2], plain]", "[1, 3, 3, 1]")],
          _A + "paths", "paths-counted", 1),
    _edit("hand-no-path", "zero for the path around all", "three", [("paths = [1,", "paths = [0,")], _A + "paths",
          "path-without-branches", 1),
    # a block
    _edit("out-without-x", "no identity path", "block", [("return A1, X + W2", "return A1, W2")], _F + "out",
          "residual-identity-forgotten", 1.5),
    _edit("out-twice", "the shortcut added twice", "block", [("return A1, X + W2", "return A1, X + X + W2")], _F + "out",
          "residual-identity-twice-forwards", 1.5),
    _edit("out-inside", "the activation after the sum", "block", [("X + W2 @ A1 + b2", "np.tanh(X + W2 @ A1 + b2)")],
          _F + "out", "residual-sum-inside", 1.5),
    _edit("out-mean", "the mean of the paths", "block", [("X + W2 @ A1 + b2", "(X + W2 @ A1 + b2) / 2")], _F + "out",
          "residual-mean-forwards", 1.5),
    _edit("out-minus", "the input subtracted", "block", [("X + W2 @ A1 + b2", "W2 @ A1 + b2 - X")], _F + "out",
          "residual-branch-subtracted", 1.5),
    _edit("out-no-bias", "b2 forgotten", "block", [("W2 @ A1 + b2", "W2 @ A1")], _F + "out", "bias-forgotten", 1.5),
    _edit("no-activation", "no tanh", "block", [("np.tanh(W1 @ X + b1)", "W1 @ X + b1")], _F + "A1", "activation-forgotten", 0.5),
    wrong("out-in-place", "X += in place", cells={"block": '''
def block_forward(X, W1, b1, W2, b2):
    A1 = np.tanh(W1 @ X + b1)
    X += W2 @ A1 + b2
    return A1, X


def block_backward(dout, X, A1, W1, W2):
    dZ1 = (W2.T @ dout) * (1 - A1**2)
    rows = dict(axis=1, keepdims=True)
    return dout @ A1.T, dout.sum(**rows), dZ1, dZ1 @ X.T, dZ1.sum(**rows), dout + W1.T @ dZ1
'''}, loses={"block_values": 0.25}, named={_F + "A1": "argument-changed-in-place"}),
    _edit("dx-branch-only", "the identity path forgotten on the way back", "block", [("dX = dout + W1.T", "dX = W1.T")],
          _B + "dX", "residual-path-missing", 2),
    wrong("dx-identity-only", "the branch forgotten on the way back", edits={"block": [("dX = dout + W1.T @ dZ1", "dX = dout")]},
          loses={_B + "dX": 2}, named={_B + "dX": "residual-branch-missing"}),
    _edit("dx-averaged", "the two paths averaged", "block", [("dX = dout + W1.T @ dZ1", "dX = (dout + W1.T @ dZ1) / 2")],
          _B + "dX", "residual-halved", 2),
    _edit("dx-twice", "the identity path twice", "block", [("dX = dout + W1", "dX = dout + dout + W1")], _B + "dX",
          "residual-path-twice", 2),
    _edit("dx-times", "the paths multiplied", "block", [("dX = dout + W1.T @ dZ1", "dX = dout * (W1.T @ dZ1)")], _B + "dX",
          "paths-multiplied", 2),
    _edit("dx-input", "the input for its gradient", "block", [("dX = dout + W1", "dX = X + W1")], _B + "dX",
          "residual-input-for-gradient", 2),
    _edit("dx-minus", "minus", "block", [("dX = dout + W1.T @ dZ1", "dX = dout - W1.T @ dZ1")], _B + "dX", "sign-of-a-term", 2),
    _edit("dz-no-slope", "no slope of tanh", "block", [("(W2.T @ dout) * (1 - A1**2)", "W2.T @ dout")], _B + "dZ1",
          "activation-derivative-missing", 1),
    _edit("dz-sigmoid", "the slope of a sigmoid", "block", [("(1 - A1**2)", "A1 * (1 - A1)")], _B + "dZ1",
          "sigmoid-derivative-with-tanh", 1),
    _edit("dz-identity", "the identity path enters the branch", "block", [("(W2.T @ dout)", "(W2.T @ dout + W1 @ dout)")],
          _B + "dZ1", "residual-identity-into-the-branch", 1),
    _edit("dw-mean", "averaged", "block", [("dW2 = dout @ A1.T", "dW2 = dout @ A1.T / X.shape[1]")], _B + "dW2",
          "averaged-instead-of-summed", 0.5),
    _edit("db-not-summed", "db2 not summed", "block", [("db2 = dout.sum(axis=1, keepdims=True)", "db2 = dout")], _B + "db2",
          "bias-not-summed-over-batch", 0.5),
    # a projection
    _edit("projection-missing", "the projected path forgotten", "projection", [("P.T @ dout + W1.T", "W1.T")], _P + "dX",
          "residual-path-missing", 2),
    _edit("projection-only", "the branch forgotten", "projection", [("P.T @ dout + W1.T @ dZ1", "P.T @ dout")], _P + "dX",
          "residual-branch-missing", 2),
    _edit("projection-halved", "the paths averaged", "projection", [("P.T @ dout + W1.T @ dZ1", "(P.T @ dout + W1.T @ dZ1) / 2")],
          _P + "dX", "residual-halved", 2),
    _edit("projection-turned", "dP turned", "projection", [("return dout @ X.T,", "return X @ dout.T,")], _P + "dP",
          "result-transposed", 2),
    _edit("projection-mean", "dP averaged", "projection", [("return dout @ X.T,", "return dout @ X.T / X.shape[1],")], _P + "dP",
          "averaged-instead-of-summed", 2),
    _edit("projection-of-hidden", "the hidden activations for the input", "projection", [("return dout @ X.T,", "return dout @ A1.T,")],
          _P + "dP", "projection-of-the-branch", 2),
    # a stack
    _edit("stack-plain", "identity is ignored: plain", "stack", [(_FORTH, "out")], _V + "values", "residual-identity-forgotten", 1),
    _edit("stack-always", "identity is ignored: residual", "stack", [(_FORTH, "X + out")], _V + "values_plain",
          "residual-identity-always", 0.5),
    wrong("stack-in-place", "X += changes what stands in the list", edits={"stack": [
        ("X = X + out if identity else out", "if not identity:\n            X = out\n        else:\n            X += out"),
    ]}, loses={_V + "values": 1}, named={_V + "values": "one-array-in-every-place"}),
    _edit("stack-no-start", "the input is left out", "stack", [("values = [X]", "values = []")], _V + "values", "start-left-out", 1),
    _edit("stack-last", "only the last value", "stack", [("return values", "return values[-1]")], _V + "values",
          "only-the-last-point", 1),
    _edit("stack-twice", "added twice", "stack", [("X + out if", "X + X + out if")], _V + "values",
          "residual-identity-twice-forwards", 1),
    _edit("back-plain", "no identity path on the way back", "stack", [(_BACK, "d")], _G + "gradients",
          "residual-identity-forgotten", 2),
    _edit("back-always", "an identity path everywhere", "stack", [(_BACK, "dout + d")], _G + "gradients_plain",
          "residual-identity-always", 0.5),
    _edit("back-first-first", "the first block first", "stack", [("in reversed(backs)", "in backs")], _G + "gradients",
          "stack-the-wrong-way", 2),
    _edit("back-not-turned", "the list in the order of the walk", "stack", [("gradients[::-1]", "gradients")], _G + "gradients",
          "stack-listed-backwards", 2),
    wrong("back-from-the-end", "dout is added in every block", edits={"stack": [
        ("gradients = [dout]", "gradients, first = [dout], dout"), (_BACK, "first + d if identity else d"),
    ]}, loses={_G + "gradients": 2}, named={_G + "gradients": "residual-from-the-end"}),
    _edit("back-averaged", "the paths averaged", "stack", [("dout + d if", "(dout + d) / 2 if")], _G + "gradients",
          "residual-halved", 2),
    # sizes
    _edit("sizes-absolute", "not divided", "sizes", [("return sizes / sizes[-1]", "return sizes")], _S + "relative",
          "size-not-relative", 1),
    _edit("sizes-first", "divided by the first", "sizes", [("sizes / sizes[-1]", "sizes / sizes[0]")], _S + "relative",
          "size-beside-the-first", 1),
    _edit("sizes-squared", "no root", "sizes", [("np.sqrt(np.sum(d**2))", "np.sum(d**2)")], _S + "relative", "size-root-missing", 1),
    _edit("sizes-largest", "the largest entry", "sizes", [("np.sqrt(np.sum(d**2))", "np.max(np.abs(d))")], _S + "relative",
          "size-of-the-largest-entry", 1),
    _edit("factor-one-off", "L + 1 for L", "sizes", [("(len(gradients) - 1)", "len(gradients)")], _S + "per_block",
          "blocks-miscounted", 2),
    _edit("factor-divided", "divided by L", "sizes", [("** (1 / (len(gradients) - 1))", "/ (len(gradients) - 1)")],
          _S + "per_block", "ratio-divided-not-rooted", 2),
    _edit("factor-whole", "no root", "sizes", [(" ** (1 / (len(gradients) - 1))", "")], _S + "per_block",
          "ratio-of-the-whole-stack", 2),
)  # fmt: skip

FAULTS = {
    "back-plain": {"stack": ("gradients[::-1]",)},  # where the list of a plain stack is returned, as is said
    "out-in-place": {"block": ("X += W2 @ A1 + b2",)},
    "back-not-turned": {"stack": ("gradients.append(dout)",)},  # or each stands at the beginning
}
