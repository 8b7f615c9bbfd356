"""The model of letters step by step, with what the student's own attention gave, and known mistakes with attention."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.exercise import Reply, Values, Verdict
from autograder.marking.compare import as_numbers
from autograder.marking.slips import At, Slip, explain_slips

Arrays = dict[str, Any]


def shares(S: np.ndarray, mask: np.ndarray | bool = True, axis: int = 1) -> np.ndarray:
    """Softmax of the scores that may be seen."""
    S = np.where(mask, S, -np.inf)
    E = np.exp(S - S.max(axis=axis, keepdims=True))
    return np.asarray(E / E.sum(axis=axis, keepdims=True))


def through_softmax(P: np.ndarray, dP: np.ndarray) -> np.ndarray:
    """From the weights back to the scores."""
    return np.asarray(P * (dP - np.sum(dP * P, axis=1, keepdims=True)))


def run(given: Values, how: str = "", own: Mapping[str, np.ndarray] | None = None) -> Arrays:
    """Forwards and backwards through the model, wrong in some way, with some values replaced by the student's own."""
    v: Arrays = {}

    def be(name: str, value: Any) -> Any:
        v[name] = (own or {}).get(name, value)
        return v[name]

    tokens, n, d = given["tokens"], len(given["tokens"]), given["R"].shape[1]
    X = be("X", given["E"][tokens] + (0 if how == "no positions" else given["R"]))
    Q, K, V = (be(name, X @ given[f"W{name.lower()}"]) for name in "QKV")
    lower = np.tril(np.ones((n, n), dtype=bool))
    mask = be("mask", {"no mask": lower | True, "turned mask": lower.T}.get(how, lower))
    P = be("P", shares(Q @ K.T / np.sqrt(d), mask))
    A = be("A", P @ V)
    H = A if how == "no residual" else X + A
    likely = shares(H @ given["Wo"])
    be("loss", -np.mean(np.log(likely[np.arange(n), given["targets"]])))
    dZ = (likely - np.eye(likely.shape[1])[given["targets"]]) / n
    dA = be("dA", dZ @ given["Wo"].T)
    be("dV", P.T @ dA)
    dS = through_softmax(P, dA @ V.T) / np.sqrt(d)
    be("dQ", dS @ K)
    be("dK", dS.T @ Q)
    back = {name: v[f"d{name}"] @ given[f"W{name.lower()}"].T for name in "QKV"}
    dX = be("dX", (0 if how == "no residual" else dA) + back["Q"] + back["K"] + back["V"])
    for name in "QKV":
        be(f"dW{name.lower()}", X.T @ v[f"d{name}"])
    be("dWo", H.T @ dZ)
    be("dE", gathered(dX, tokens, len(given["E"])))
    return v | {"dZ": dZ, "H": H, "back": back}


def returned(given: Values, own: Values) -> dict[str, np.ndarray]:
    """What the student's own attention has returned, where it was given what is right, and the own dA."""
    right, known = run(given), dict[str, np.ndarray]()
    for takes, gives in ((("Q", "K", "V", "mask"), ("A", "P")), (("Q", "K", "V"), ("dQ", "dK", "dV"))):
        again = "" if "mask" in takes else "_again"
        if all(_same(own.get(f"given_{name}{again}"), right[name]) for name in takes):
            known |= {name: own[f"own_{name}"] for name in gives if _fits(own.get(f"own_{name}"), right[name])}
    if _fits(own.get("dA"), right["dA"]):
        known["dA"] = own["dA"]
    return known


def _fits(value: np.ndarray | None, right: np.ndarray) -> bool:
    return value is not None and value.shape == right.shape


def _same(value: np.ndarray | None, right: np.ndarray) -> bool:
    return value is not None and value.shape == right.shape and np.allclose(value, right, rtol=1e-6)


def gathered(dX: np.ndarray, tokens: np.ndarray, count: int) -> np.ndarray:
    """The sum over all places of each letter."""
    return np.asarray(np.eye(count)[tokens].T @ dX)


# (a) ------------------------------------------------------------------------------------------------------------------


def _raw(at: At, K: str) -> np.ndarray:
    return np.asarray(at.Q @ at[K].T)


def _scores(at: At, K: str) -> np.ndarray:
    return _raw(at, K) / np.sqrt(at.K.shape[1])


def _shifted(S: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(S - S.max(axis=1, keepdims=True)))


def _hidden(at: At, K: str, score: float = -np.inf) -> np.ndarray:
    return np.where(at.mask, _scores(at, K), score)


_WEIGHTS: tuple[tuple[str, Callable[[At, str], Any]], ...] = (
    ("attention-scale-missing", lambda at, K: shares(_raw(at, K), at.mask)),
    ("attention-scaled-twice", lambda at, K: shares(_raw(at, K) / at.K.shape[1], at.mask)),
    ("attention-scale-of-another-size", lambda at, K: shares(_raw(at, K) / np.sqrt(len(at.K)), at.mask)),
    ("attention-scale-of-another-size", lambda at, K: shares(_raw(at, K) / np.sqrt(at.V.shape[1]), at.mask)),
    ("attention-softmax-along-the-other-axis", lambda at, K: shares(_scores(at, K), at.mask, 0)),
    (
        "attention-softmax-along-the-other-axis",
        lambda at, K: _shifted(_hidden(at, K)) / _shifted(_hidden(at, K)).sum(0),
    ),
    ("attention-mask-missing", lambda at, K: shares(_scores(at, K))),
    ("attention-mask-inverted", lambda at, K: shares(_scores(at, K), ~at.mask.astype(bool))),
    ("attention-mask-inverted", lambda at, K: shares(np.where(at.mask, -1e9, _scores(at, K)))),
    ("attention-mask-after-softmax", lambda at, K: shares(_scores(at, K)) * at.mask),
    ("attention-mask-as-zero", lambda at, K: shares(_scores(at, K) * at.mask)),
    ("softmax-not-normalised", lambda at, K: np.exp(_hidden(at, K))),
    ("softmax-not-normalised", lambda at, K: _shifted(_hidden(at, K))),
    ("attention-scores-for-weights", lambda at, K: _scores(at, K)),
)

FORWARD = (
    *(Slip(id, "P", lambda at, formula=formula: formula(at, "K")) for id, formula in _WEIGHTS),
    *(Slip(id, "A", lambda at, formula=formula: formula(at, "K") @ at.V) for id, formula in _WEIGHTS),
    *(Slip(id, "P_large", lambda at, formula=formula: formula(at, "K_large")) for id, formula in _WEIGHTS),
    Slip("attention-weights-not-transposed", "A", lambda at: at.P.T @ at.V),
)


_BY_VALUE = explain_slips(FORWARD)


def explain_forward(replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """Known slips; rows that are not finite for large scores tell what was subtracted from them."""
    found = {**_BY_VALUE(replies)}
    lost = {"softmax-overflow", "largest-score-not-seen"}
    for reply in replies:
        value = as_numbers(reply.values.get("P_large"))
        if isinstance(value, str) or value.shape != reply.given["mask"].shape:
            return found
        endless = ~np.isfinite(value).all(axis=1)
        lost &= {name for name, rows in _lost_rows(reply.given).items() if np.array_equal(rows, endless)}
    if "P" in found:
        return {**found, "P_large": found["P"]}
    return {**found, "P_large": Verdict.named(*lost)} if len(lost) == 1 else found


def _lost_rows(given: Values) -> dict[str, np.ndarray]:
    """The rows of which nothing finite is left with nothing subtracted, or the largest score of all."""
    S, mask = given["Q"] @ given["K_large"].T / np.sqrt(given["Q"].shape[1]), given["mask"]
    with np.errstate(all="ignore"):
        sums = {name: np.exp(S - less).sum(axis=1, where=mask) for name, less in (
            ("softmax-overflow", 0.0), ("largest-score-not-seen", S.max(axis=1, keepdims=True)))}  # fmt: skip
    return {name: ~np.isfinite(total) | (total == 0) for name, total in sums.items()}


# (b) ------------------------------------------------------------------------------------------------------------------

_ROOT = "sqrt(Q.shape[1])"

BACKWARD = (
    Slip("attention-weights-not-transposed", "dV", "P @ dA"),
    Slip("attention-weights-missing", "dV", "dA"),
    Slip("result-transposed", "dP", "V @ dA.T"),
    Slip("sign-flipped", "dP", "-dA @ V.T"),
    Slip("attention-softmax-entry-by-entry", "dS", "P * dP"),
    Slip("attention-softmax-entry-by-entry", "dS", "P * (1 - P) * dP"),
    Slip("attention-softmax-missing", "dS", "dP"),
    Slip("attention-mean-for-sum", "dS", "P * (dP - mean(dP * P, axis=1, keepdims=True))"),
    Slip("attention-softmax-along-the-other-axis", "dS", "P * (dP - sum(dP * P, axis=0, keepdims=True))"),
    Slip("attention-weights-missing", "dS", "dP - sum(dP * P, axis=1, keepdims=True)"),
    Slip("softmax-average-unweighted", "dS", "P * (dP - sum(dP, axis=1, keepdims=True))"),
    Slip("softmax-average-unweighted", "dS", "P * (dP - mean(dP, axis=1, keepdims=True))"),
    Slip("softmax-over-everything", "dS", "P * (dP - sum(dP * P))"),
    Slip("softmax-jacobian-sign", "dS", "P * (dP + sum(dP * P, axis=1, keepdims=True))"),
    Slip("sign-flipped", "dS", "-P * (dP - sum(dP * P, axis=1, keepdims=True))"),
    Slip("attention-scale-too-early", "dS", f"P * (dP - sum(dP * P, axis=1, keepdims=True)) / {_ROOT}"),
    *(
        Slip(id, f"d{one}", formula.format(S=S, K=other, Q=one))
        for one, other, S in (("Q", "K", "dS"), ("K", "Q", "dS.T"))
        for id, formula in (
            ("attention-scale-missing", "{S} @ {K}"),
            ("attention-scaled-twice", "{S} @ {K} / Q.shape[1]"),
            ("attention-multiplied-by-the-scale", "{S} @ {K} * sqrt(Q.shape[1])"),
            ("attention-query-for-key", "{S} @ {Q} / sqrt(Q.shape[1])"),
        )
    ),
    Slip("attention-scores-not-transposed", "dQ", f"dS.T @ K / {_ROOT}"),
    Slip("attention-scores-not-transposed", "dK", f"dS @ Q / {_ROOT}"),
)


# (c) ------------------------------------------------------------------------------------------------------------------

_LINES = ("loss", "dA", "dWo", "dWq", "dWk", "dWv", "dE")


def _last_place_only(v: Arrays, at: At) -> np.ndarray:
    found = np.zeros(at.E.shape)
    found[at.tokens] += v["dX"]
    return found


def model_slips(values: Callable[[At], Mapping[str, Any]]) -> tuple[Slip, ...]:
    """The slips of the model, as functions of the values of all steps."""

    def of_run(id: str, line: str, formula: Callable[[Any, At], Any]) -> Slip:
        return Slip(id, line, lambda at: formula(values(at), at))

    def dE(dX: np.ndarray, at: At) -> np.ndarray:
        return gathered(dX, at.tokens, len(at.E))

    return (
        *(
            Slip(id, line, lambda at, how=how, line=line: run(at.given, how)[line])
            for id, how in (
                ("attention-mask-missing", "no mask"),
                ("attention-mask-inverted", "turned mask"),
                ("positions-forgotten", "no positions"),
                ("residual-forgotten", "no residual"),
            )
            for line in _LINES
        ),
        of_run("loss-summed-over-examples", "loss", lambda v, at: v["loss"] * len(at.tokens)),
        of_run("sign-flipped", "loss", lambda v, at: -v["loss"]),
        *(of_run("missing-1-over-m", line, lambda v, at, line=line: v[line] * len(at.tokens)) for line in _LINES[1:]),
        *(of_run("sign-flipped", line, lambda v, at, line=line: -v[line]) for line in _LINES[1:]),
        *(
            of_run("mean-over-outputs", line, lambda v, at, line=line: v[line] * len(at.tokens) / len(at.E))
            for line in _LINES[1:]
        ),
        of_run("target-missing", "dA", lambda v, at: shares(v["H"] @ at.Wo) @ at.Wo.T / len(at.tokens)),
        of_run("target-missing", "dWo", lambda v, at: v["H"].T @ shares(v["H"] @ at.Wo) / len(at.tokens)),
        of_run("residual-forgotten", "dWo", lambda v, at: v["A"].T @ v["dZ"]),
        of_run("residual-branch-missing", "dWo", lambda v, at: v["X"].T @ v["dZ"]),
        *(
            of_run("result-transposed", f"dW{name.lower()}", lambda v, at, name=name: v[f"d{name}"].T @ v["X"])
            for name in "QKV"
        ),
        *(
            of_run("embeddings-for-inputs", f"dW{n.lower()}", lambda v, at, n=n: at.E[at.tokens].T @ v[f"d{n}"])
            for n in "QKV"
        ),
        of_run("attention-gradient-of-another-weight", "dWq", lambda v, at: v["X"].T @ v["dK"]),
        of_run("attention-gradient-of-another-weight", "dWk", lambda v, at: v["X"].T @ v["dQ"]),
        of_run("embedding-gradient-overwritten", "dE", _last_place_only),
        of_run("residual-path-missing", "dE", lambda v, at: dE(v["dX"] - v["dA"], at)),
        of_run("residual-branch-missing", "dE", lambda v, at: dE(v["dA"], at)),
        of_run(
            "weights-not-transposed", "dE",
            lambda v, at: gathered(
                v["dA"] + v["dQ"] @ at.Wq + v["dK"] @ at.Wk + v["dV"] @ at.Wv, at.tokens, len(at.E)
            ),
        ),
        *(
            of_run("letters-path-missing", "dE", lambda v, at, n=n: dE(v["dX"] - v["back"][n], at))
            for n in "QKV"
        ),
        *(
            of_run("one-path-only", "dE", lambda v, at, n=n: dE(v["dA"] + v["back"][n], at))
            for n in "QKV"
        ),
    )  # fmt: skip
