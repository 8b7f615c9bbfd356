"""Sheet 5: attention of one head, forwards and backwards, and a model of letters that is trained with it.

Everywhere a row is a position, as is usual with attention. What stands in the model is marked given what the student's
own attention has returned there, which is marked by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import mpmath
import numpy as np

from autograder.exercise import Challenge, Exercise, Probe, Question, Values, Written, lines
from autograder.exercises.attention_mistakes import BACKWARD, explain_forward, model_slips, returned, run
from autograder.exercises.shared import calling, of_order_one
from autograder.marking.judges import remembered, values
from autograder.marking.slips import At, explain_slips, first_of, slope
from autograder.truth import many_digits

PARAMETERS = ("E", "Wq", "Wk", "Wv", "Wo")

SOFTMAX = "(mask * exp({0}) / sum(mask * exp({0}), axis=1, keepdims=True))"
"""The shares of each row among what may be seen, for scores of ordinary size."""

SCORES = "(Q @ K.T / sqrt(Q.shape[1]))"

MODEL_LOSS = "sum(log(sum(exp({H} @ Wo), axis=1))) / n - sum(({H} @ Wo)[rows, targets]) / n"
"""The mean cross-entropy of the model of letters, where H is X + A."""


# What is asked --------------------------------------------------------------------------------------------------------


def both_scores(student, given):
    """attention for scores of ordinary and of enormous size."""
    mask = given["mask"]
    A, P = student.attention(given["Q"].copy(), given["K"].copy(), given["V"].copy(), mask.copy())
    yield {"P": P, "A": A}
    yield {"P_large": student.attention(given["Q"].copy(), given["K_large"].copy(), given["V"].copy(), mask.copy())[1]}


def letters(student, given, *, parameters):
    """Loss and gradients of the model, and what the student's own attention was given and has returned in it."""
    seen = {}

    def watched(function, takes, gives):
        def call(*arguments, **named):
            returned = function(*arguments, **named)
            arrived = {**dict(zip(takes, arguments)), **named}
            seen.update({"given_" + name: value for name, value in arrived.items() if name != "dA"})
            if isinstance(returned, (tuple, list)):
                seen.update({"own_" + name: value for name, value in zip(gives, returned)})
            return returned

        return call

    for name, takes, gives in (
        ("attention", ("Q", "K", "V", "mask"), ("A", "P")),
        ("attention_backward", ("dA", "Q_again", "K_again", "V_again"), ("dV", "dP", "dS", "dQ", "dK")),
    ):
        if getattr(student, name, None) is not None:
            setattr(student, name, watched(getattr(student, name), takes, gives))
    held = {name: given[name].copy() for name in parameters}
    loss, found = student.loss_and_gradients(held, given["tokens"].copy(), given["targets"].copy(), given["R"].copy())
    gradients = {"d" + name: found.get(name) for name in (*parameters, "A")}
    return {**seen, "loss": loss, **gradients}


def _scores(rng: np.random.Generator) -> list[Challenge]:
    """Masks by which each position sees itself and others: those before it, or any; and keys that are all far away.

    One of these, which some position may not see, is still further, or lies opposite.
    """
    points = []
    for n, d, e in ((3, 2, 2), (5, 3, 4), (6, 4, 3), (4, 5, 2)):
        Q, K, V = of_order_one(rng, n, d), of_order_one(rng, n, d), of_order_one(rng, n, e)
        if n == 3:
            Q, K = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, -1.0]]), np.array([[1.0, 1.0], [0.0, 1.0], [2.0, 0.0]])
            V = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, -1.0]])
        mask = np.tril(np.ones((n, n), dtype=bool))
        if n != 3:
            mask = mask if n == 5 else np.eye(n, dtype=bool) | (rng.random((n, n)) < 0.6)
        far = np.array([2000.0, -1500.0])
        while far.size != d or np.min(np.abs(Q @ far)) < 800 * np.sqrt(d):
            far = 3000 * of_order_one(rng, d)
        large = (K[::-1] if n == 3 else of_order_one(rng, n, d)) + far
        for blind, hidden in np.argwhere(~mask)[-1:]:
            large[hidden] += far if Q[blind] @ far > 0 else -2 * far
        points.append(Challenge({"Q": Q, "K": K, "V": V, "mask": mask, "K_large": large}, shown=n == 3))
    return points


def _upstream(rng: np.random.Generator) -> list[Challenge]:
    points = []
    for one in _scores(rng):
        at = {name: one.given[name] for name in ("Q", "K", "V")}
        P = true_shares(at["Q"], at["K"], one.given["mask"])
        dA = of_order_one(rng, *at["V"].shape)
        if one.shown:
            dA = np.array([[1.0, 0.0], [0.5, 1.0], [-1.0, 2.0]])
        points.append(Challenge({**at, "P": P, "dA": dA, "mask": one.given["mask"]}, one.shown).keeping("mask"))
    return points


def _texts(rng: np.random.Generator) -> list[Challenge]:
    """Texts in which letters stand several times."""
    points = []
    for letters_, n, d in ((3, 4, 2), (4, 7, 3), (5, 8, 4), (6, 9, 3)):
        given: dict[str, Any] = {"E": of_order_one(rng, letters_, d), "Wo": of_order_one(rng, d, letters_)}
        given |= {name: of_order_one(rng, d, d) for name in ("Wq", "Wk", "Wv")}
        given["tokens"] = np.append(rng.permutation(letters_), rng.integers(0, letters_, n - letters_))
        given["targets"], given["R"] = rng.integers(0, letters_, n), of_order_one(rng, n, d) / 2
        points.append(Challenge(given))
    return points


# What is true ---------------------------------------------------------------------------------------------------------


def true_shares(Q: np.ndarray, K: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The weights, with fifty digits and exponents without end."""
    with many_digits():
        exact = np.vectorize(lambda x: mpmath.mpf(float(x)), otypes=[object])
        scores = exact(Q) @ exact(K).T / mpmath.sqrt(Q.shape[1])
        E = np.vectorize(lambda s, seen: mpmath.exp(s) if seen else mpmath.mpf(0), otypes=[object])(scores, mask)
        return np.asarray((E / E.sum(axis=1, keepdims=True)).astype(float))


@remembered
def true_attention(given: Values) -> dict[str, np.ndarray]:
    """Weights and outputs."""
    P, large = (true_shares(given["Q"], given[K], given["mask"]) for K in ("K", "K_large"))
    return {"P": P, "A": P @ given["V"], "P_large": large}


def follow_attention(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """The outputs from the student's own weights."""
    exact = true_attention(given)
    P = own["P"] if "P" in own and own["P"].shape == exact["P"].shape else exact["P"]
    return [{**exact, "A": P @ given["V"]}]


@remembered
def true_backward(given: Values) -> dict[str, np.ndarray]:
    """The slopes of a loss whose derivative by the outputs is dA, to full accuracy."""
    at, whole = At(given, {}), f"sum(dA * ({SOFTMAX.format(SCORES)} @ V))"
    of_scores = At({**given, "S": given["Q"] @ given["K"].T / np.sqrt(given["Q"].shape[1])}, {})
    return {
        "dV": slope(whole, at, "V"),
        "dP": slope("sum(dA * (P @ V))", at, "P"),
        "dS": slope(f"sum(dA * ({SOFTMAX.format('S')} @ V))", of_scores, "S"),
        "dQ": slope(whole, at, "Q"),
        "dK": slope(whole, at, "K"),
    }


def follow_backward(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """dS from the student's own dP, and dQ and dK from the own dS."""
    exact = true_backward(given)
    fits = {name: own[name] for name in ("dP", "dS") if name in own and own[name].shape == exact[name].shape}
    at = At({**given, "S": given["Q"] @ given["K"].T / np.sqrt(given["Q"].shape[1])}, {**exact, **fits})
    found = {**exact, "dS": slope(f"sum(dP * {SOFTMAX.format('S')})", at, "S")}
    return [{**found, **{f"d{name}": slope(f"sum(dS * {SCORES})", at, name) for name in "QK"}}]


@remembered
def true_model(given: Values) -> dict[str, np.ndarray]:
    """The loss and its slopes by every parameter, and by what attention puts out."""
    n = len(given["tokens"])
    at = At({**given, "n": n, "rows": np.arange(n), "mask": np.tril(np.ones((n, n)))}, {})
    X = "(E[tokens] + R)"
    scores = f"({X} @ Wq) @ ({X} @ Wk).T / sqrt(R.shape[1])"
    A = f"{SOFTMAX.format(scores)} @ ({X} @ Wv)"
    loss = MODEL_LOSS.format(H=f"({X} + {A})")
    forward = run(given)
    outputs = At({**at.given, "X": forward["X"], "A": forward["A"]}, {})
    found = {f"d{name}": slope(loss, at, name) for name in PARAMETERS}
    found["dA"] = slope(MODEL_LOSS.format(H="(X + A)"), outputs, "A")
    return {**found, "loss": np.asarray(forward["loss"])}


def follow_model(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """What follows from what the student's own attention has returned, where it was given what is right."""
    known = returned(given, own)
    arrived = run(given, own={name: value for name, value in known.items() if name != "dA"})["dA"]
    return [{**_lines(run(given, own=known)), "dA": arrived}]


def _lines(found: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: found[name] for name in ("loss", "dA", *(f"d{one}" for one in PARAMETERS))}


def _of_own(at: At) -> Mapping[str, Any]:
    """The values of all steps, with those that the student's own attention has returned; dA is a line by itself."""
    known = returned(at.given, at.own)
    known.pop("dA", None)
    return run(at.given, own=known)


MODEL = model_slips(lambda at: run(at.given))
explain_model = first_of(explain_slips(MODEL), explain_slips(model_slips(_of_own)))


# The questions --------------------------------------------------------------------------------------------------------

EXERCISE = Exercise(
    name="attention",
    sheet="beyond",
    title="Attention",
    minutes=90,
    difficulty=5,
    questions=(
        Question(
            "attention_values",
            "(a) Weights and outputs",
            lines(P=(2, "weights P"), A=(1, "outputs A"), P_large=(1, "P for large scores")),
            Probe(both_scores, _scores),
            values(true_attention, follow=follow_attention, explain=explain_forward),
        ),
        Question(
            "attention_gradients",
            "(b) The way back",
            lines(dV=2, dP=1, dS=3, dQ=2, dK=2),
            calling("attention_backward", "dA Q K V P", "dV dP dS dQ dK", _upstream),
            values(true_backward, follow=follow_backward, explain=explain_slips(BACKWARD)),
        ),
        Question(
            "letter_gradients",
            "(c) A model of letters",
            lines(loss=1, dA=1, dWo=1, dWq=1, dWk=1, dWv=1, dE=2),
            Probe(letters, _texts, {"parameters": PARAMETERS}),
            values(true_model, follow=follow_model, explain=explain_model),
        ),
    ),
    written=(Written("attention_words", "(d) Why", 3),),
    parts={
        "a": ("attention_values",),
        "b": ("attention_gradients",),
        "c": ("letter_gradients",),
        "d": ("attention_words",),
    },
)
