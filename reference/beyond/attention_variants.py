"""Other solutions of attention: right ones in another style, and wrong ones with what they must cost.

The wrong ones are mistakes of public code: dQ and dK exchanged or without their scale (AiDotNet.Tensors issue 49), softmax
along the queries, a mask of zeros or behind softmax, a gradient of softmax entry by entry, letters that come again.
"""

from autograder.audit import right, wrong

RIGHT = (
    right(
        "loops",
        "position by position, lists of what is seen, the Jacobian of each row",
        attention='''
import math


def attention(Q, K, V, mask):
    n = len(Q)
    P = np.zeros((n, n))
    for i in range(n):
        seen = [j for j in range(n) if mask[i, j]]
        scores = [float(Q[i] @ K[j]) / math.sqrt(len(Q[i])) for j in seen]
        total = sum(math.exp(s - max(scores)) for s in scores)
        for j, s in zip(seen, scores):
            P[i, j] = math.exp(s - max(scores)) / total
    return [sum(P[i, j] * V[j] for j in range(n)) for i in range(n)], P
''',
        backward='''
def attention_backward(dA, Q, K, V, P):
    n, d = Q.shape
    dV, dK, dQ, dS = np.zeros(V.shape), np.zeros(K.shape), np.zeros(Q.shape), np.zeros(P.shape)
    dP = np.array([[dA[i] @ V[j] for j in range(n)] for i in range(n)])
    for i in range(n):
        dS[i] = (np.diag(P[i]) - np.outer(P[i], P[i])) @ dP[i]
        for j in range(n):
            dV[j] += P[i, j] * dA[i]
            dQ[i] += dS[i, j] * K[j] / math.sqrt(d)
            dK[j] += dS[i, j] * Q[i] / math.sqrt(d)
    return [dV, dP, dS, dQ, dK]
''',
        model='''
def loss_and_gradients(parameters, tokens, targets, R):
    p, n = parameters, len(tokens)
    X = np.array([p["E"][t] for t in tokens]) + R
    mask = [[j <= i for j in range(n)] for i in range(n)]
    Q, K, V = X @ p["Wq"], X @ p["Wk"], X @ p["Wv"]
    A, P = attention(Q, K, V, np.array(mask))
    loss, dZ = 0.0, []
    H = X + np.array(A)
    for i in range(n):
        z = H[i] @ p["Wo"]
        a = np.exp(z) / np.exp(z).sum()
        loss -= np.log(a[targets[i]]) / n
        a[targets[i]] -= 1
        dZ.append(a / n)
    dH = np.array(dZ) @ p["Wo"].T
    dV, dP, dS, dQ, dK = attention_backward(dH, Q, K, V, P)
    g = {"Wo": H.T @ np.array(dZ), "A": dH, "E": np.zeros(p["E"].shape)}
    dX = dH.copy()
    for name, d in (("Wq", dQ), ("Wk", dK), ("Wv", dV)):
        g[name] = X.T @ d
        dX += d @ p[name].T
    for t, row in zip(tokens, dX):
        g["E"][t] += row
    return loss, g
''',
    ),
    right(
        "einsum",
        "scipy's softmax with a mask that is added, einsum, the model written out without the functions of (a) and (b)",
        attention='''
from scipy.special import log_softmax, softmax


def attention(Q, K, V, mask):
    P = softmax(np.einsum("id,jd->ij", Q, K) * Q.shape[-1] ** -0.5 + np.where(mask, 0.0, -1e30), axis=-1)
    return np.einsum("ij,je->ie", P, V), P
''',
        backward='''
def attention_backward(dA, Q, K, V, P):
    A = P @ V
    dP = np.einsum("ie,je->ij", dA, V)
    dS = P * (dP - np.einsum("ie,ie->i", dA, A)[:, None])
    scaled = dS * Q.shape[-1] ** -0.5
    return np.einsum("ij,ie->je", P, dA), dP, dS, np.einsum("ij,jd->id", scaled, K), np.einsum("ij,id->jd", scaled, Q)
''',
        model='''
def loss_and_gradients(parameters, tokens, targets, R):
    E, Wq, Wk, Wv, Wo = (parameters[name] for name in ("E", "Wq", "Wk", "Wv", "Wo"))
    places, wanted, root = np.eye(len(E))[tokens], np.eye(len(E))[targets], Wq.shape[0] ** 0.5
    X = places @ E + R
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    P = softmax(np.where(np.tri(len(tokens)) > 0, Q @ K.T / root, -np.inf), axis=1)
    H = X + P @ V
    loss = -(wanted * log_softmax(H @ Wo, axis=1)).sum() / len(tokens)
    dZ = (softmax(H @ Wo, axis=1) - wanted) / len(tokens)
    dA = dZ @ Wo.T
    dP = dA @ V.T
    dS = P * (dP - (dP * P).sum(1, keepdims=True)) / root
    dQ, dK, dV = dS @ K, dS.T @ Q, P.T @ dA
    dE = places.T @ (dA + dQ @ Wq.T + dK @ Wk.T + dV @ Wv.T)
    return loss, dict(E=dE, Wq=X.T @ dQ, Wk=X.T @ dK, Wv=X.T @ dV, Wo=H.T @ dZ, A=dA)
''',
    ),
    right(
        "columns",
        "columns inside, logarithms of weights, gradients gathered with bincount",
        attention='''
def attention(Q, K, V, mask):
    S = (K @ Q.T) / Q.shape[1] ** 0.5
    S[~mask.T.astype(bool)] = -np.inf
    P = np.exp(S - np.logaddexp.reduce(S, axis=0)).T
    return (V.T @ P.T).T, P
''',
        backward='''
def attention_backward(dA, Q, K, V, P):
    dP = (V @ dA.T).T
    average = np.diag(dP @ P.T)
    dS = P * dP - P * average[:, np.newaxis]
    root = np.sqrt(K.shape[-1])
    return (dA.T @ P).T, dP, dS, (K.T @ dS.T).T / root, (Q.T @ dS).T / root
''',
        model='''
def loss_and_gradients(parameters, tokens, targets, R):
    n, d = R.shape
    X = parameters["E"].take(tokens, axis=0) + R
    three = [X @ parameters[name] for name in ("Wq", "Wk", "Wv")]
    A, P = attention(*three, np.tri(n, dtype=bool))
    Z = (X + A) @ parameters["Wo"]
    logs = Z - np.logaddexp.reduce(Z, axis=1, keepdims=True)
    dZ = np.exp(logs) / n
    np.subtract.at(dZ, (np.arange(n), targets), 1 / n)
    found = {"Wo": (X + A).T @ dZ, "A": dZ @ parameters["Wo"].T}
    dV, dP, dS, dQ, dK = attention_backward(found["A"], *three, P)
    dX = found["A"]
    for name, arrived in zip(("Wq", "Wk", "Wv"), (dQ, dK, dV)):
        found[name] = X.T @ arrived
        dX = dX + arrived @ parameters[name].T
    size = len(parameters["E"])
    found["E"] = np.stack([np.bincount(tokens, dX[:, k], size) for k in range(d)], axis=1)
    return -logs[np.arange(n), targets].mean(), found
''',
    ),
)


def _edit(variant_id, title, cell, old, new, line, mistake, points):
    """A wrong variant that changes one place, and loses at one line."""
    return wrong(variant_id, title, edits={cell: [(old, new)]}, loses={line: points}, named={line: mistake} if mistake else {})


_P, _O, _LARGE = (f"attention_values.{name}" for name in ("P", "A", "P_large"))
_DV, _DP, _DS, _DQ, _DK = (f"attention_gradients.{name}" for name in ("dV", "dP", "dS", "dQ", "dK"))
_LOSS, _DO, _WO, _WQ, _WK, _WV, _E = (
    f"letter_gradients.{name}" for name in ("loss", "dA", "dWo", "dWq", "dWk", "dWv", "dE")
)
_SCORES = "np.where(mask, Q @ K.T / np.sqrt(Q.shape[1]), -np.inf)"
_ROOT = " / np.sqrt(Q.shape[1])"
_SOFT = "P * (dP - np.sum(dP * P, axis=1, keepdims=True))"
_MASK = "np.tril(np.ones((n, n), dtype=bool))"
_DX = "dA + dQ @ Wq.T + dK @ Wk.T + dV @ Wv.T"

WRONG = (
    _edit("no-scale", "no root", "attention", _ROOT, "", _P, "attention-scale-missing", 2),
    _edit("scale-d", "divided by d", "attention", "/ np.sqrt(Q.shape[1])", "/ Q.shape[1]", _P, "attention-scaled-twice", 2),
    _edit("scale-n", "the root of the number of positions", "attention", "np.sqrt(Q.shape[1])", "np.sqrt(Q.shape[0])", _P,
          "attention-scale-of-another-size", 2),
    _edit("other-axis", "softmax along the queries", "attention", "exponentials.sum(axis=1", "exponentials.sum(axis=0", _P,
          "attention-softmax-along-the-other-axis", 2),
    wrong("columns-add-up", "softmax along the queries, with their own largest score", edits={"attention": [
        ("S.max(axis=1", "S.max(axis=0"), ("exponentials.sum(axis=1", "exponentials.sum(axis=0"),
    ]}, loses={_P: 2}, named={_P: "attention-softmax-along-the-other-axis"}),
    wrong("largest-of-all", "the largest score of a row, seen or not, is subtracted", edits={"attention": [
        (_SCORES, f"Q @ K.T{_ROOT}"),
        ("np.exp(S - S.max(axis=1, keepdims=True))", "np.exp(S - S.max(axis=1, keepdims=True)) * mask"),
    ]}, loses={_LARGE: 1}, named={_LARGE: "largest-score-not-seen"}),
    _edit("mask-missing", "everything is seen", "attention", _SCORES, f"Q @ K.T{_ROOT}", _P, "attention-mask-missing", 2),
    wrong("mask-inverted", "True means hidden", cells={"attention": '''
def attention(Q, K, V, mask):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    S = np.where(mask, -1e9, S)
    exponentials = np.exp(S - S.max(axis=1, keepdims=True))
    P = exponentials / exponentials.sum(axis=1, keepdims=True)
    return P @ V, P
'''}, loses={_P: 2}, named={_P: "attention-mask-inverted"}),
    _edit("mask-zero", "the score 0 for what is hidden", "attention", "-np.inf", "0.0", _P, "attention-mask-as-zero", 2),
    wrong("mask-behind", "the mask behind softmax", edits={"attention": [
        (_SCORES, f"Q @ K.T{_ROOT}"), ("keepdims=True)\n    return", "keepdims=True) * mask\n    return"),
    ]}, loses={_P: 2}, named={_P: "attention-mask-after-softmax"}),
    _edit("not-normalised", "exponentials alone", "attention", "exponentials / exponentials.sum(axis=1, keepdims=True)",
          "exponentials", _P, "softmax-not-normalised", 2),
    _edit("outputs-turned", "the weights turned round", "attention", "return P @ V", "return P.T @ V", _O,
          "attention-weights-not-transposed", 1),
    _edit("outputs-of-scores", "scores for weights", "attention", "return P @ V",
          f"return (Q @ K.T{_ROOT}) @ V", _O, "attention-scores-for-weights", 1),
    _edit("overflow", "nothing is subtracted", "attention", "S - S.max(axis=1, keepdims=True)", "S", _LARGE,
          "softmax-overflow", 1),
    _edit("dV-turned", "P in the place of its transpose", "backward", "P.T @ dA", "P @ dA", _DV,
          "attention-weights-not-transposed", 2),
    _edit("dV-alone", "the weights left out", "backward", "P.T @ dA", "dA.copy()", _DV, "attention-weights-missing", 2),
    _edit("dP-turned", "V dA transposed", "backward", "dA @ V.T", "V @ dA.T", _DP, "result-transposed", 1),
    _edit("dS-entries", "as if softmax were a sigmoid", "backward", _SOFT, "P * (1 - P) * dP", _DS,
          "attention-softmax-entry-by-entry", 3),
    _edit("dS-passed", "softmax is passed by", "backward", _SOFT, "dP", _DS, "attention-softmax-missing", 3),
    _edit("dS-mean", "a mean for the sum", "backward", "np.sum(dP * P", "np.mean(dP * P", _DS, "attention-mean-for-sum", 3),
    _edit("dS-axis", "the sum along the queries", "backward", "axis=1", "axis=0", _DS,
          "attention-softmax-along-the-other-axis", 3),
    _edit("dS-no-weights", "P in front is left out", "backward", "P * (dP - np", "(dP - np", _DS, "attention-weights-missing", 3),
    _edit("dS-unweighted", "P in the sum is left out", "backward", "np.sum(dP * P,", "np.sum(dP,", _DS,
          "softmax-average-unweighted", 3),
    _edit("dS-plus", "plus", "backward", "(dP - np.sum", "(dP + np.sum", _DS, "softmax-jacobian-sign", 3),
    wrong("dS-scaled", "the root comes too early", edits={"backward": [
        (_SOFT, f"{_SOFT}{_ROOT}"), (f"dQ = dS @ K{_ROOT}", "dQ = dS @ K"), (f"dK = dS.T @ Q{_ROOT}", "dK = dS.T @ Q"),
    ]}, loses={_DS: 3}, named={_DS: "attention-scale-too-early"}),
    _edit("dQ-no-scale", "no root in dQ", "backward", f"dS @ K{_ROOT}", "dS @ K", _DQ, "attention-scale-missing", 2),
    wrong("no-scale-back", "no root on the way back: one slip", edits={"backward": [
        (f"dS @ K{_ROOT}", "dS @ K"), (f"dS.T @ Q{_ROOT}", "dS.T @ Q"),
    ]}, loses={_DQ: 2}, named={_DQ: "attention-scale-missing"}),
    _edit("dQ-turned", "dS transposed for dQ", "backward", "dS @ K", "dS.T @ K", _DQ, "attention-scores-not-transposed", 2),
    _edit("dQ-of-queries", "Q for K", "backward", "dS @ K", "dS @ Q", _DQ, "attention-query-for-key", 2),
    _edit("dQ-times", "times the root", "backward", "dS @ K / np", "dS @ K * np", _DQ, "attention-multiplied-by-the-scale", 2),
    _edit("dK-turned", "dS not transposed for dK", "backward", "dS.T @ Q", "dS @ Q", _DK, "attention-scores-not-transposed", 2),
    _edit("dK-of-keys", "K for Q", "backward", "dS.T @ Q", "dS.T @ K", _DK, "attention-query-for-key", 2),
    wrong("dK-forgotten", "zeros for dK", edits={"backward": [("dS.T @ Q", "0 * Q")]}, loses={_DK: 2, _WK: 1}),
    _edit("model-sees-all", "the model sees what comes", "model", _MASK, "np.ones((n, n), dtype=bool)", _LOSS,
          "attention-mask-missing", 1),
    _edit("model-turned", "the model sees what comes alone", "model", "np.tril(", "np.triu(", _LOSS, "attention-mask-inverted", 1),
    _edit("no-positions", "no positions", "model", "E[tokens] + R", "E[tokens]", _LOSS, "positions-forgotten", 1),
    wrong("no-residual", "attention alone goes on", edits={"model": [("H = X + A", "H = A"), (_DX, _DX[5:])]},
          loses={_LOSS: 1}, named={_LOSS: "residual-forgotten"}),
    _edit("loss-sum", "a sum for the mean", "model", "-np.mean(logs", "-np.sum(logs", _LOSS, "loss-summed-over-examples", 1),
    _edit("no-mean-back", "no 1/n on the way back", "model", "    dZ /= n\n", "", _DO, "missing-1-over-m", 1),
    _edit("no-target", "softmax without its target", "model", "    dZ[np.arange(n), targets] -= 1\n", "", _DO,
          "target-missing", (1, 2)),
    _edit("Wo-of-outputs", "H without X for Wo", "model", '"Wo": H.T', '"Wo": A.T', _WO, "residual-forgotten", 1),
    _edit("Wo-of-inputs", "H without A for Wo", "model", '"Wo": H.T', '"Wo": X.T', _WO, "residual-branch-missing", 1),
    _edit("Wq-turned", "dQ X transposed", "model", "X.T @ dQ", "dQ.T @ X", _WQ, "result-transposed", 1),
    _edit("Wk-of-queries", "dQ for Wk", "model", "X.T @ dK", "X.T @ dQ", _WK,
          "attention-gradient-of-another-weight", 1),
    _edit("Wv-of-letters", "the letters without positions", "model", "X.T @ dV", "E[tokens].T @ dV", _WV,
          "embeddings-for-inputs", 1),
    _edit("E-overwritten", "a letter that comes again counts once", "model", "np.add.at(dE, tokens, dX)", "dE[tokens] += dX",
          _E, "embedding-gradient-overwritten", 2),
    _edit("E-without-sum", "the path around attention is left out", "model", _DX, _DX[5:], _E, "residual-path-missing", 2),
    _edit("E-around", "only the path around attention", "model", _DX, "dA", _E, "residual-branch-missing", 2),
    _edit("E-values-only", "queries and keys bring nothing back", "model", _DX, "dA + dV @ Wv.T", _E, "one-path-only", 2),
    _edit("E-no-keys", "keys bring nothing back", "model", " + dK @ Wk.T", "", _E, "letters-path-missing", 2),
    _edit("E-not-transposed", "the weights not transposed", "model", _DX, "dA + dQ @ Wq + dK @ Wk + dV @ Wv", _E,
          "weights-not-transposed", 2),
)  # fmt: skip

_HIDDEN = "np.exp(S - S.max(axis=1, keepdims=True))"  # what may not be seen could be taken away there, too

FAULTS = {
    "mask-inverted": {"attention": ("np.where(mask, -1e9, S)",)},
    "mask-missing": {"attention": (_HIDDEN,)},
    "mask-behind": {"attention": (_HIDDEN,)},
}

ALLOWED = {"dK-forgotten": "nothing follows from zeros"}
