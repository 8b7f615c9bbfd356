"""Small solutions as people write them, apart from the grammar: 32 wrong and 15 right, and what each wrong one does.

They were written before the engine was run on any of them: dictionaries and loops over layers, one example at a time,
classes with caches, examples in rows, habits of PyTorch. The first run: every right one accepted, every wrong one
rejected, 27 fully named, 2 not and 3 otherwise than expected. Of these, the ids of two are since then the more exact
ones that were named; one was false, and was mended with the two that were not named. So the figures of today are not
those of code never seen.

Each takes the inputs of a point in its own layout and returns gradients, or parameters after one update, in the same
layout. What a wrong one does is said in ids of the catalogue.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from real import Record, Tally

from autograder.diagnosis import Point, Spec, explain, mutate

Arrays = dict[str, np.ndarray]
Solution = Callable[[Arrays], Mapping[str, np.ndarray]]

BINARY = Spec(("tanh",), "sigmoid", "bce")
SIGMOIDS = Spec(("sigmoid", "sigmoid"), "sigmoid", "half-mse")
CLASSES = Spec(("relu",), "softmax", "ce")
DEEP = Spec(("relu", "tanh"), "softmax", "ce")
REGRESSION = Spec(("tanh",), "linear", "mse", outputs="mean")
PLAIN = Spec(("relu",), "linear", "half-mse", reduction="sum")
DECAY = Spec(("tanh",), "softmax", "ce", penalty="half-lambda", result="update")
STEP = Spec(("tanh", "tanh"), "sigmoid", "bce", result="update")
SILU = Spec(("silu",), "linear", "mse")
LOGISTIC = Spec((), "sigmoid", "bce", result="update")
OUTPUTS = {
    BINARY: 1,
    SIGMOIDS: 2,
    CLASSES: 3,
    DEEP: 4,
    REGRESSION: 2,
    PLAIN: 2,
    DECAY: 3,
    STEP: 1,
    SILU: 2,
    LOGISTIC: 1,
}


@dataclass(frozen=True)
class Written:
    """One solution: its network, where its examples are, and the ids of what it does wrong (none: it is right)."""

    solve: Solution
    spec: Spec
    layout: str
    truth: frozenset[str]


WRITTEN: list[Written] = []


def written(spec: Spec, layout: str, truth: str = "") -> Callable[[Solution], Solution]:
    """Enter a solution."""

    def enter(solve: Solution) -> Solution:
        WRITTEN.append(Written(solve, spec, layout, frozenset(truth.split())))
        return solve

    return enter


def turned(arrays: Mapping[str, np.ndarray], layout: str) -> Arrays:
    """From one layout to the other, which is the same way back. Biases keep the shape that they have."""
    found = {}
    for name, value in arrays.items():
        core = name.removeprefix("d").removesuffix("_new")[0]
        turn = (core in "XY" and layout != "columns") or (core == "W" and layout == "rows")
        found[name] = np.asarray(value).T if turn else np.asarray(value)
    return found


def inputs(spec: Spec, seed: int, m: int) -> Arrays:
    """One challenge, column by column, with sizes that differ from each other."""
    rng = np.random.default_rng(seed)
    sizes = [4, *(5 + layer for layer, _ in enumerate(spec.hidden)), OUTPUTS[spec]]
    made: Arrays = {"X": rng.normal(size=(sizes[0], m))}
    for layer in range(1, len(sizes)):
        made[f"W{layer}"] = rng.normal(size=(sizes[layer], sizes[layer - 1])) * 0.8
        made[f"b{layer}"] = rng.normal(size=(sizes[layer], 1)) * 0.5
    classes = rng.integers(max(sizes[-1], 2), size=m)
    made["Y"] = {
        "softmax": lambda: np.eye(sizes[-1])[:, classes],
        "sigmoid": lambda: rng.integers(0, 2, size=(sizes[-1], m)).astype(float),
    }.get(spec.output, lambda: rng.normal(size=(sizes[-1], m)))()
    return made | {"learning_rate": np.array(0.1 + 0.05 * m), "reg_lambda": np.array(0.4 + 0.1 * m)}


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def softmax(z: np.ndarray, axis: int) -> np.ndarray:
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def records() -> Iterator[tuple[str, Record]]:
    """Each solution with its answers at three points, and which of its parameters are right."""
    for one in WRITTEN:
        points, right = [], dict.fromkeys(one.spec.parameters, True)
        for seed, m in ((11, 7), (12, 6), (13, 9)):
            given = inputs(one.spec, seed, m)
            flat = {n: v.ravel() if n[0] == "b" and one.layout != "columns" else v for n, v in given.items()}
            answers = turned(one.solve(turned(flat, one.layout)), one.layout)
            due = mutate(one.spec, Point(given), {})
            for parameter in right:
                name = one.spec.answer_name(parameter)
                want = due[name].reshape(np.shape(flat[parameter]))
                same = answers[name].shape == want.shape and np.allclose(answers[name], want, rtol=1e-8, atol=1e-10)
                right[parameter] &= same
            points.append(Point(flat, answers))
        yield one.solve.__name__, Record(one.spec, tuple(points), right, one.truth, one.solve.__name__)


def measured() -> Tally:
    """How many are named."""
    tally = Tally("written apart")
    for _, record in records():
        start = time.perf_counter()
        report = explain(record.spec, record.points)
        tally.add(record, report, 1e3 * (time.perf_counter() - start))
    return tally


# One example at a time ---------------------------------------------------------------------------------------------


@written(BINARY, "rows")
def per_example_summed_and_divided(p):
    dW1, db1, dW2, db2 = (np.zeros_like(p[k]) for k in ("W1", "b1", "W2", "b2"))
    n = len(p["X"])
    for x, y in zip(p["X"], p["Y"]):
        h = np.tanh(x @ p["W1"] + p["b1"])
        o = sigmoid(h @ p["W2"] + p["b2"])
        d2 = o - y
        d1 = (p["W2"] @ d2) * (1 - h * h)
        dW2 += np.outer(h, d2)
        db2 += d2
        dW1 += np.outer(x, d1)
        db1 += d1
    return {"dW1": dW1 / n, "db1": db1 / n, "dW2": dW2 / n, "db2": db2 / n}


@written(BINARY, "rows", "missing-1-over-m")
def per_example_never_divided(p):
    grads = {f"d{k}": np.zeros_like(p[k]) for k in ("W1", "b1", "W2", "b2")}
    for i in range(p["X"].shape[0]):
        x, y = p["X"][i], p["Y"][i]
        h = np.tanh(np.dot(x, p["W1"]) + p["b1"])
        d2 = sigmoid(np.dot(h, p["W2"]) + p["b2"]) - y
        d1 = np.dot(p["W2"], d2) * (1 - h**2)
        grads["dW2"] += h[:, None] * d2[None, :]
        grads["db2"] += d2
        grads["dW1"] += x[:, None] * d1[None, :]
        grads["db1"] += d1
    return grads


@written(BINARY, "rows", "only-one-example")
def per_example_overwritten(p):
    n = p["X"].shape[0]
    for i in range(n):
        x, y = p["X"][i : i + 1], p["Y"][i : i + 1]
        h = np.tanh(x @ p["W1"] + p["b1"])
        d2 = sigmoid(h @ p["W2"] + p["b2"]) - y
        d1 = d2 @ p["W2"].T * (1 - h**2)
        dW2, db2, dW1, db1 = h.T @ d2 / n, d2.sum(0) / n, x.T @ d1 / n, d1.sum(0) / n
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


@written(LOGISTIC, "rows", "updated-after-each-example")
def per_example_updates_at_once(p):
    """Stochastic steps, each of them divided by the number of examples: parameters move between examples."""
    W, b, n = p["W1"].copy(), p["b1"].copy(), len(p["X"])
    for x, y in zip(p["X"], p["Y"]):
        d = sigmoid(x @ W + b) - y
        W -= p["learning_rate"] * np.outer(x, d) / n
        b -= p["learning_rate"] * d / n
    return {"W1_new": W, "b1_new": b}


@written(PLAIN, "columns")
def per_example_columns_sum(p):
    g = {"d" + k: 0 * p[k] for k in ("W1", "W2", "b1", "b2")}
    for j in range(p["X"].shape[1]):
        x = p["X"][:, j : j + 1]
        z = p["W1"] @ x + p["b1"]
        a = np.where(z > 0, z, 0)
        e = p["W2"] @ a + p["b2"] - p["Y"][:, j : j + 1]
        g["dW2"] += e @ a.T
        g["db2"] += e
        back = p["W2"].T @ e
        back[z <= 0] = 0
        g["dW1"] += back @ x.T
        g["db1"] += back
    return g


@written(PLAIN, "columns", "relu-mask-from-upstream")
def relu_masks_the_gradient_by_itself(p):
    g = {"d" + k: 0 * p[k] for k in ("W1", "W2", "b1", "b2")}
    for j in range(p["X"].shape[1]):
        x = p["X"][:, [j]]
        a = np.maximum(p["W1"] @ x + p["b1"], 0)
        e = p["W2"] @ a + p["b2"] - p["Y"][:, [j]]
        back = p["W2"].T @ e
        back[back <= 0] = 0
        for name, value in (("dW2", e @ a.T), ("db2", e), ("dW1", back @ x.T), ("db1", back)):
            g[name] += value
    return g


# Dictionaries and loops over layers ----------------------------------------------------------------------------------


def dictionary(p, slope=None, last=None, operand=None, which=None, divide=True, keep=lambda d: d):
    """Backward pass over a dictionary of caches, column by column."""
    m, depth = p["X"].shape[1], sum(k[0] == "W" for k in p)
    cache = {"A0": p["X"]}
    for k in range(1, depth + 1):
        cache[f"Z{k}"] = p[f"W{k}"] @ cache[f"A{k - 1}"] + p[f"b{k}"]
        cache[f"A{k}"] = sigmoid(cache[f"Z{k}"])
    d = last(cache[f"A{depth}"], p["Y"])
    grads = {}
    for k in range(depth, 0, -1):
        grads[f"dW{k}"] = d @ (operand or (lambda c, k: c[f"A{k - 1}"]))(cache, k).T / (m if divide else 1)
        grads[f"db{k}"] = keep(d).sum(axis=1, keepdims=True) / m
        if k > 1:
            d = p[f"W{(which or (lambda k: k))(k)}"].T @ d * slope(cache, k - 1)
    return grads


@written(SIGMOIDS, "columns")
def dictionary_right(p):
    return dictionary(p, lambda c, k: c[f"A{k}"] * (1 - c[f"A{k}"]), lambda a, y: (a - y) * a * (1 - a))


@written(SIGMOIDS, "columns", "output-derivative-missing")
def dictionary_bce_habit_with_squares(p):
    return dictionary(p, lambda c, k: c[f"A{k}"] * (1 - c[f"A{k}"]), lambda a, y: a - y)


@written(SIGMOIDS, "columns", "derivative-at-activation")
def dictionary_sigmoid_prime_of_a(p):
    def prime(u):
        return sigmoid(u) * (1 - sigmoid(u))

    return dictionary(p, lambda c, k: prime(c[f"A{k}"]), lambda a, y: (a - y) * a * (1 - a))


@written(SIGMOIDS, "columns", "pre-activation-in-derivative")
def dictionary_prime_formula_gets_z(p):
    return dictionary(p, lambda c, k: c[f"Z{k}"] * (1 - c[f"Z{k}"]), lambda a, y: (a - y) * a * (1 - a))


@written(SIGMOIDS, "columns", "z-for-a-in-gradient")
def dictionary_caches_z(p):
    return dictionary(
        p,
        lambda c, k: c[f"A{k}"] * (1 - c[f"A{k}"]),
        lambda a, y: (a - y) * a * (1 - a),
        operand=lambda c, k: c[f"Z{k - 1}"] if k > 1 else c["A0"],
    )


@written(SIGMOIDS, "columns", "sign-flipped")
def dictionary_target_minus_output(p):
    return dictionary(p, lambda c, k: c[f"A{k}"] * (1 - c[f"A{k}"]), lambda a, y: (y - a) * a * (1 - a))


@written(SIGMOIDS, "columns", "missing-1-over-m")
def dictionary_weights_not_averaged(p):
    return dictionary(p, lambda c, k: c[f"A{k}"] * (1 - c[f"A{k}"]), lambda a, y: (a - y) * a * (1 - a), divide=False)


@written(DEEP, "rows")
def layers_in_lists_rows(p):
    Ws, bs = [p["W1"], p["W2"], p["W3"]], [p["b1"], p["b2"], p["b3"]]
    acts, zs = [p["X"]], []
    for k, (W, b) in enumerate(zip(Ws, bs)):
        zs.append(acts[-1] @ W + b)
        acts.append([lambda z: z * (z > 0), np.tanh, lambda z: softmax(z, 1)][k](zs[-1]))
    delta = (acts[-1] - p["Y"]) / len(p["X"])
    out = {}
    for k in reversed(range(3)):
        out[f"dW{k + 1}"], out[f"db{k + 1}"] = acts[k].T.dot(delta), np.sum(delta, axis=0)
        if k:
            delta = delta.dot(Ws[k].T) * ([None, (zs[0] > 0), 1 - acts[2] ** 2][k])
    return out


@written(DEEP, "rows")
def einsum_right(p):
    a1 = np.maximum(0, np.einsum("ni,ij->nj", p["X"], p["W1"]) + p["b1"])
    a2 = np.tanh(np.einsum("ni,ij->nj", a1, p["W2"]) + p["b2"])
    d3 = (softmax(a2 @ p["W3"] + p["b3"], 1) - p["Y"]) / len(p["X"])
    d2 = np.einsum("nj,ij->ni", d3, p["W3"]) * (1 - a2**2)
    d1 = np.einsum("nj,ij->ni", d2, p["W2"]) * (a1 > 0)
    found = {f"dW{k}": np.einsum("ni,nj->ij", a, d) for k, a, d in ((1, p["X"], d1), (2, a1, d2), (3, a2, d3))}
    return found | {f"db{k}": np.einsum("nj->j", d) for k, d in ((1, d1), (2, d2), (3, d3))}


@written(DEEP, "rows", "relu-derivative-with-tanh")
def layers_in_lists_one_slope_for_all(p):
    """Every hidden layer gets the slope of ReLU; the second one is tanh."""
    Ws, bs = [p["W1"], p["W2"], p["W3"]], [p["b1"], p["b2"], p["b3"]]
    a1 = np.maximum(0, p["X"] @ Ws[0] + bs[0])
    a2 = np.tanh(a1 @ Ws[1] + bs[1])
    delta = (softmax(a2 @ Ws[2] + bs[2], 1) - p["Y"]) / len(p["X"])
    acts, out = [p["X"], a1, a2], {}
    for k in (2, 1, 0):
        out[f"dW{k + 1}"], out[f"db{k + 1}"] = acts[k].T @ delta, delta.sum(0)
        delta = delta @ Ws[k].T * (acts[k] > 0)
    return out


@written(DEEP, "rows", "activation-derivative-missing")
def layers_in_lists_slope_of_last_hidden_forgotten(p):
    a1 = np.maximum(0, p["X"] @ p["W1"] + p["b1"])
    a2 = np.tanh(a1 @ p["W2"] + p["b2"])
    d3 = (softmax(a2 @ p["W3"] + p["b3"], 1) - p["Y"]) / len(p["X"])
    d2 = d3 @ p["W3"].T
    d1 = d2 @ p["W2"].T * (a1 > 0)
    return {
        "dW3": a2.T @ d3, "dW2": a1.T @ d2, "dW1": p["X"].T @ d1,
        "db3": d3.sum(0), "db2": d2.sum(0), "db1": d1.sum(0),
    }  # fmt: skip


@written(DEEP, "rows", "bias-summed-over-units")
def biases_summed_along_axis_one_and_cut(p):
    """The bias of the last layer is np.sum(d, axis=1), and so the first entries of it after broadcasting fails."""
    a1 = np.maximum(0, p["X"] @ p["W1"] + p["b1"])
    a2 = np.tanh(a1 @ p["W2"] + p["b2"])
    d3 = (softmax(a2 @ p["W3"] + p["b3"], 1) - p["Y"]) / len(p["X"])
    d2 = d3 @ p["W3"].T * (1 - a2**2)
    d1 = d2 @ p["W2"].T * (a1 > 0)
    return {
        "dW3": a2.T @ d3, "dW2": a1.T @ d2, "dW1": p["X"].T @ d1,
        "db3": d3.sum(0), "db2": np.sum(d2, axis=1), "db1": d1.sum(0),
    }  # fmt: skip


# Classes with caches ------------------------------------------------------------------------------------------------


class Linear:
    """A layer that keeps its input and its gradients, as in frameworks: W (out, in), examples in rows."""

    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W.T + self.b

    def backward(self, g):
        self.dW, self.db = g.T @ self.x, g.sum(axis=0)
        return g @ self.W


class Relu:
    def forward(self, x):
        self.x = x
        return np.clip(x, 0, None)

    def backward(self, g):
        return g * (self.x > 0)


class ReluOfGradient(Relu):
    def backward(self, g):
        return np.clip(g, 0, None)


class ReluKeptNothing(Relu):
    def backward(self, g):
        return g


class Tanh:
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, g):
        return g * (1 - self.y**2)


class TanhOfOutput(Tanh):
    def backward(self, g):
        return g * (1 - np.tanh(self.y) ** 2)


def framework(p, act, error):
    first, act, second = Linear(p["W1"], p["b1"]), act(), Linear(p["W2"], p["b2"])
    g = error(second.forward(act.forward(first.forward(p["X"]))), p["Y"])
    first.backward(act.backward(second.backward(g)))
    return {"dW1": first.dW, "db1": first.db, "dW2": second.dW, "db2": second.db}


def crossentropy(z, y):
    return (softmax(z, 1) - y) / len(y)


@written(CLASSES, "torch")
def framework_right(p):
    return framework(p, Relu, crossentropy)


@written(CLASSES, "torch", "relu-mask-from-upstream")
def framework_clips_the_gradient(p):
    return framework(p, ReluOfGradient, crossentropy)


@written(CLASSES, "torch", "activation-derivative-missing")
def framework_relu_passes_all(p):
    return framework(p, ReluKeptNothing, crossentropy)


@written(CLASSES, "torch", "extra-output-derivative")
def framework_softmax_backward_after_cross_entropy(p):
    def error(z, y):
        s = softmax(z, 1)
        g = (s - y) / len(y)
        return s * (g - (g * s).sum(1, keepdims=True))

    return framework(p, Relu, error)


@written(CLASSES, "torch", "divided-by-wrong-count")
def framework_divided_by_classes(p):
    """np.mean over axis 1: divided by the number of classes, not of examples."""
    return framework(p, Relu, lambda z, y: (softmax(z, 1) - y) / y.shape[1])


@written(CLASSES, "torch", "divided-by-m-twice")
def framework_mean_twice(p):
    found = framework(p, Relu, crossentropy)
    return {name: value / len(p["X"]) for name, value in found.items()}


@written(CLASSES, "torch", "mean-over-outputs")
def framework_mean_of_everything(p):
    return framework(p, Relu, lambda z, y: (softmax(z, 1) - y) / y.size)


@written(REGRESSION, "torch")
def framework_mse_mean_over_all(p):
    return framework(p, Tanh, lambda z, y: 2 * (z - y) / z.size)


@written(REGRESSION, "torch", "derivative-at-activation")
def framework_tanh_of_tanh(p):
    return framework(p, TanhOfOutput, lambda z, y: 2 * (z - y) / y.size)


@written(REGRESSION, "torch")
def framework_mse_by_hand(p):
    """Sum over two outputs and no factor 2: by luck the same as the mean with it."""
    return framework(p, Tanh, lambda z, y: (z - y) / len(y))


@written(SILU, "torch")
def silu_right(p):
    z1 = p["X"] @ p["W1"].T + p["b1"]
    s = sigmoid(z1)
    a1 = z1 * s
    d2 = 2 * (a1 @ p["W2"].T + p["b2"] - p["Y"]) / len(z1)
    d1 = d2 @ p["W2"] * (s + a1 * (1 - s))
    return {"dW2": d2.T @ a1, "db2": d2.sum(0), "dW1": d1.T @ p["X"], "db1": d1.sum(0)}


@written(SILU, "torch", "derivative-of-another-activation")
def silu_product_rule_forgotten(p):
    z1 = p["X"] @ p["W1"].T + p["b1"]
    s = sigmoid(z1)
    a1 = z1 * s
    d2 = 2 * (a1 @ p["W2"].T + p["b2"] - p["Y"]) / len(z1)
    d1 = d2 @ p["W2"] * s * (1 - s)
    return {"dW2": d2.T @ a1, "db2": d2.sum(0), "dW1": d1.T @ p["X"], "db1": d1.sum(0)}


# Training steps ------------------------------------------------------------------------------------------------------


@written(STEP, "columns")
def step_all_gradients_first(p):
    lr, m = p["learning_rate"], p["X"].shape[1]
    A1 = np.tanh(p["W1"].dot(p["X"]) + p["b1"])
    A2 = np.tanh(p["W2"].dot(A1) + p["b2"])
    dZ3 = sigmoid(p["W3"].dot(A2) + p["b3"]) - p["Y"]
    dZ2 = np.multiply(np.dot(p["W3"].T, dZ3), 1 - np.power(A2, 2))
    dZ1 = np.multiply(np.dot(p["W2"].T, dZ2), 1 - np.power(A1, 2))
    params = {k: p[k] for k in ("W1", "b1", "W2", "b2", "W3", "b3")}
    for k, (dZ, A) in enumerate(((dZ1, p["X"]), (dZ2, A1), (dZ3, A2)), 1):
        params[f"W{k}"] = params[f"W{k}"] - lr * (1.0 / m) * np.dot(dZ, A.T)
        params[f"b{k}"] = params[f"b{k}"] - lr * (1.0 / m) * np.sum(dZ, axis=1, keepdims=True)
    return {f"{k}_new": v for k, v in params.items()}


@written(STEP, "columns", "w3-updated-before-hidden-error w2-updated-before-hidden-error")
def step_layer_by_layer_in_place(p):
    W = {k: p[f"W{k}"].copy() for k in (1, 2, 3)}
    b = {k: p[f"b{k}"].copy() for k in (1, 2, 3)}
    A, m = {0: p["X"]}, p["X"].shape[1]
    for k in (1, 2, 3):
        A[k] = (np.tanh if k < 3 else sigmoid)(W[k] @ A[k - 1] + b[k])
    delta = A[3] - p["Y"]
    for k in (3, 2, 1):
        W[k] -= p["learning_rate"] / m * delta @ A[k - 1].T
        b[k] -= p["learning_rate"] / m * delta.sum(1, keepdims=True)
        delta = W[k].T @ delta * (1 - A[k - 1] ** 2)
    return {f"{n}{k}_new": v[k] for n, v in (("W", W), ("b", b)) for k in (1, 2, 3)}


@written(STEP, "columns", "sign-flipped")
def step_ascends(p):
    found = step_all_gradients_first(p)
    return {k: 2 * p[k.removesuffix("_new")] - v for k, v in found.items()}


@written(STEP, "columns", "parameter-never-updated")
def step_b2_is_copied(p):
    found = dict(step_all_gradients_first(p))
    found["b2_new"] = p["b2"].copy()
    return found


@written(STEP, "columns", "bias-not-summed-over-batch")
def step_biases_grow_columns(p):
    lr, m = p["learning_rate"], p["X"].shape[1]
    found = dict(step_all_gradients_first(p))
    A1 = np.tanh(p["W1"] @ p["X"] + p["b1"])
    A2 = np.tanh(p["W2"] @ A1 + p["b2"])
    dZ3 = sigmoid(p["W3"] @ A2 + p["b3"]) - p["Y"]
    found["b3_new"] = p["b3"] - lr * dZ3 / m
    return found


def decayed(p, step):
    """One update of a softmax classifier with weight decay, examples in rows."""
    n = len(p["X"])
    H = np.tanh(p["X"] @ p["W1"] + p["b1"])
    P = softmax(H @ p["W2"] + p["b2"], 1)
    P[np.arange(n), p["Y"].argmax(1)] -= 1
    P /= n
    dH = P @ p["W2"].T * (1 - H * H)
    grads = {"W2": H.T @ P, "b2": P.sum(0), "W1": p["X"].T @ dH, "b1": dH.sum(0)}
    return {f"{k}_new": step(k, p[k], g, float(p["learning_rate"]), float(p["reg_lambda"])) for k, g in grads.items()}


@written(DECAY, "rows")
def decay_in_the_gradient(p):
    return decayed(p, lambda k, w, g, lr, reg: w - lr * (g + reg * w) if k[0] == "W" else w - lr * g)


@written(DECAY, "rows")
def decay_as_a_shrinking_factor(p):
    return decayed(p, lambda k, w, g, lr, reg: w * (1 - lr * reg) - lr * g if k[0] == "W" else w - lr * g)


@written(DECAY, "rows", "bias-penalised")
def decay_of_all_parameters(p):
    """As optimisers do it: weight_decay for every parameter."""
    return decayed(p, lambda k, w, g, lr, reg: w - lr * (g + reg * w))


@written(DECAY, "rows", "penalty-without-learning-rate")
def decay_decoupled_without_rate(p):
    return decayed(p, lambda k, w, g, lr, reg: w - lr * g - reg * w if k[0] == "W" else w - lr * g)


@written(DECAY, "rows", "decay-applied-after-the-step")
def decay_after_the_step(p):
    return decayed(p, lambda k, w, g, lr, reg: (w - lr * g) * (1 - lr * reg) if k[0] == "W" else w - lr * g)


@written(DECAY, "rows", "penalty-sign-wrong")
def decay_that_grows(p):
    return decayed(p, lambda k, w, g, lr, reg: w - lr * (g - reg * w) if k[0] == "W" else w - lr * g)


# Bias folded into the weights, other shapes ---------------------------------------------------------------------------


@written(BINARY, "rows")
def bias_as_a_row_of_the_weights(p):
    ones = np.ones((len(p["X"]), 1))
    X1, T1 = np.hstack([p["X"], ones]), np.vstack([p["W1"], p["b1"]])
    H = np.tanh(X1 @ T1)
    H1, T2 = np.hstack([H, ones]), np.vstack([p["W2"], p["b2"]])
    D2 = (sigmoid(H1 @ T2) - p["Y"]) / len(H)
    D1 = (D2 @ T2.T * (1 - H1**2))[:, :-1]
    G2, G1 = H1.T @ D2, X1.T @ D1
    return {"dW1": G1[:-1], "db1": G1[-1], "dW2": G2[:-1], "db2": G2[-1]}


@written(BINARY, "rows", "missing-1-over-m sign-flipped")
def folded_bias_error_from_target(p):
    ones = np.ones((len(p["X"]), 1))
    X1, T1 = np.hstack([p["X"], ones]), np.vstack([p["W1"], p["b1"]])
    H = np.tanh(X1 @ T1)
    D2 = p["Y"] - sigmoid(H @ p["W2"] + p["b2"])
    D1 = D2 @ p["W2"].T * (1 - H**2)
    G1 = X1.T @ D1
    return {"dW1": G1[:-1], "db1": G1[-1], "dW2": H.T @ D2, "db2": D2.sum(0)}


@written(BINARY, "rows", "sigmoid-derivative-with-tanh")
def one_derivative_for_every_layer(p):
    H = np.tanh(p["X"] @ p["W1"] + p["b1"])
    D2 = (sigmoid(H @ p["W2"] + p["b2"]) - p["Y"]) / len(H)
    D1 = D2 @ p["W2"].T * H * (1 - H)
    return {"dW1": p["X"].T @ D1, "db1": D1.sum(0), "dW2": H.T @ D2, "db2": D2.sum(0)}


@written(LOGISTIC, "rows")
def logistic_vectors(p):
    err = sigmoid(p["X"] @ p["W1"] + p["b1"]) - p["Y"]
    lr = p["learning_rate"]
    return {"W1_new": p["W1"] - lr * p["X"].T @ err / len(err), "b1_new": p["b1"] - lr * err.mean(axis=0)}


@written(LOGISTIC, "rows")
def logistic_by_double_loop(p):
    n, d = p["X"].shape
    w, b = p["W1"][:, 0], p["b1"][0]
    gw, gb = [0.0] * d, 0.0
    for i in range(n):
        z = b
        for j in range(d):
            z += w[j] * p["X"][i][j]
        e = 1 / (1 + np.exp(-z)) - p["Y"][i, 0]
        gb += e
        for j in range(d):
            gw[j] += e * p["X"][i][j]
    lr = p["learning_rate"]
    return {"W1_new": (w - lr * np.array(gw) / n)[:, None], "b1_new": np.array([b - lr * gb / n])}


@written(LOGISTIC, "rows", "missing-1-over-m")
def logistic_bias_by_sum(p):
    err = sigmoid(p["X"] @ p["W1"] + p["b1"]) - p["Y"]
    lr = p["learning_rate"]
    return {"W1_new": p["W1"] - lr * p["X"].T @ err / len(err), "b1_new": p["b1"] - lr * err.sum(axis=0)}
