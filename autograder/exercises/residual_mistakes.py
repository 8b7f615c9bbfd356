"""Known mistakes with residual blocks, projections, stacks and the sizes of their gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.exercises.residual_truth import KINDS, ordered
from autograder.exercises.shared import wrong_slopes
from autograder.marking.slips import At, Slip

BLOCK = (
    Slip("activation-forgotten", "A1", "W1 @ X + b1"),
    Slip("bias-forgotten", "A1", "tanh(W1 @ X)"),
    Slip("residual-identity-forgotten", "out", "W2 @ A1 + b2"),
    Slip("residual-identity-twice-forwards", "out", "2 * X + W2 @ A1 + b2"),
    Slip("bias-forgotten", "out", "X + W2 @ A1"),
    Slip("residual-sum-inside", "out", "tanh(X + W2 @ A1 + b2)"),
    Slip("residual-sum-inside", "out", "X + tanh(W2 @ A1 + b2)"),
    Slip("residual-mean-forwards", "out", "(X + W2 @ A1 + b2) / 2"),
    Slip("residual-branch-subtracted", "out", "X - (W2 @ A1 + b2)"),
    Slip("residual-branch-subtracted", "out", "W2 @ A1 + b2 - X"),
)


def _before(at: At) -> np.ndarray:
    """What reaches the hidden units from above."""
    return np.asarray(at.W2.T @ at.dout)


def _error(id: str, slope: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Slip:
    return Slip(id, "dZ1", lambda at: _before(at) * slope(at.W1 @ at.X + at.b1, at.A1))


GRADIENTS = (
    Slip("z-for-a-in-gradient", "dW2", "dout @ (W1 @ X + b1).T"),
    Slip("averaged-instead-of-summed", "dW2", "dout @ A1.T / m"),
    Slip("result-transposed", "dW2", "A1 @ dout.T"),
    Slip("averaged-instead-of-summed", "db2", "mean(dout, axis=1, keepdims=1)"),
    Slip("bias-not-summed-over-batch", "db2", "dout"),
    Slip("bias-summed-over-units", "db2", "sum(dout, axis=0, keepdims=1)"),
    Slip("bias-summed-over-everything", "db2", "sum(dout)"),
    *(_error(id, slope) for id, slope in wrong_slopes("tanh")),
    Slip("residual-identity-into-the-branch", "dZ1", lambda at: (_before(at) + at.W1 @ at.dout) * (1 - at.A1**2)),
    Slip("averaged-instead-of-summed", "dW1", "dZ1 @ X.T / m"),
    Slip("result-transposed", "dW1", "X @ dZ1.T"),
    Slip("averaged-instead-of-summed", "db1", "mean(dZ1, axis=1, keepdims=1)"),
    Slip("bias-not-summed-over-batch", "db1", "dZ1"),
    Slip("bias-summed-over-units", "db1", "sum(dZ1, axis=0, keepdims=1)"),
    Slip("bias-summed-over-everything", "db1", "sum(dZ1)"),
    Slip("residual-path-missing", "dX", "W1.T @ dZ1"),
    Slip("residual-branch-missing", "dX", "dout"),
    Slip("residual-halved", "dX", "(dout + W1.T @ dZ1) / 2"),
    Slip("residual-path-twice", "dX", "2 * dout + W1.T @ dZ1"),
    Slip("paths-multiplied", "dX", "dout * (W1.T @ dZ1)"),
    Slip("sign-of-a-term", "dX", "dout - W1.T @ dZ1"),
    Slip("sign-of-a-term", "dX", "W1.T @ dZ1 - dout"),
    Slip("residual-input-for-gradient", "dX", "X + W1.T @ dZ1"),
)


def _into(at: At) -> Any:
    return at.W1.T @ (_before(at) * (1 - at.A1**2))


PROJECTION = (
    Slip("averaged-instead-of-summed", "dP", "dout @ X.T / m"),
    Slip("result-transposed", "dP", "X @ dout.T"),
    Slip("projection-of-the-branch", "dP", "(W2.T @ dout * (1 - A1**2)) @ X.T"),
    Slip("projection-of-the-branch", "dP", "dout @ A1.T"),
    Slip("sign-flipped", "dP", "-dout @ X.T"),
    Slip("residual-path-missing", "dX", _into),
    Slip("residual-branch-missing", "dX", "P.T @ dout"),
    Slip("residual-halved", "dX", lambda at: (at.P.T @ at.dout + _into(at)) / 2),
    Slip("residual-path-twice", "dX", lambda at: 2 * at.P.T @ at.dout + _into(at)),
    Slip("sign-of-a-term", "dX", lambda at: at.P.T @ at.dout - _into(at)),
    Slip("sign-of-a-term", "dX", lambda at: _into(at) - at.P.T @ at.dout),
    Slip("activation-derivative-missing", "dX", lambda at: at.P.T @ at.dout + at.W1.T @ _before(at)),
)

Rule = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""From what has come so far, what the branch makes of it, and what came at first, to what comes next."""


def walk(at: At, rule: Rule, forwards: bool, turned: bool = False) -> np.ndarray:
    """All values or gradients between the blocks in the order of the blocks; ``turned`` takes these the wrong way."""
    blocks = at.M if forwards else at.M[::-1]
    now = first = at.X if forwards else at.dout
    found = [now]
    for M in blocks[::-1] if turned else blocks:
        now = rule(now, M @ now + 1 if forwards else M.T @ now, first)
        found.append(now)
    return np.array(found if forwards else found[::-1])


def of_kind(at: At, identity: bool) -> At:
    """The same with the branches in the order of a stack with identity paths, or of one without."""
    return At({**at.given, "M": ordered(at.given["M"], identity)}, at.own)


def _rule(identity: bool) -> Rule:
    return lambda now, branch, first: now + branch if identity else branch


def _stack(id: str, formula: Callable[[At, Rule, bool], Any]) -> tuple[Slip, ...]:
    """A slip of values and gradients, with identity paths and without."""
    return tuple(
        Slip(id, line + which, lambda at, i=identity, f=line == "values": formula(of_kind(at, i), _rule(i), f))
        for line in ("values", "gradients")
        for which, identity in KINDS.items()
    )


def _with_identity(id: str, rule: Rule) -> tuple[Slip, ...]:
    """A slip where there are identity paths."""
    return tuple(Slip(id, line, lambda at, f=line == "values": walk(at, rule, f)) for line in ("values", "gradients"))


def _squared(rows: Any) -> np.ndarray:
    return np.array([np.sum(np.square(one)) for one in rows])


STACK = (
    *_with_identity("residual-identity-forgotten", lambda now, branch, first: branch),
    *_with_identity("residual-from-the-end", lambda now, branch, first: first + branch),
    *_with_identity("residual-identity-twice-forwards", lambda now, branch, first: 2 * now + branch),
    *_with_identity("residual-halved", lambda now, branch, first: (now + branch) / 2),
    Slip("residual-identity-always", "values_plain", lambda at: walk(of_kind(at, False), _rule(True), True)),
    Slip("residual-identity-always", "gradients_plain", lambda at: walk(of_kind(at, False), _rule(True), False)),
    *_stack("stack-the-wrong-way", lambda at, rule, f: walk(at, rule, f, turned=True)),
    *_stack("stack-listed-backwards", lambda at, rule, f: walk(at, rule, f)[::-1]),
    *_stack("stack-listed-backwards", lambda at, rule, f: walk(at, rule, f, turned=True)[::-1]),
    *_stack("start-left-out", lambda at, rule, f: walk(at, rule, f)[slice(1, None) if f else slice(None, -1)]),
    *_stack("stack-end-left-out", lambda at, rule, f: walk(at, rule, f)[slice(None, -1) if f else slice(1, None)]),
    *_stack("only-the-last-point", lambda at, rule, f: walk(at, rule, f)[-1 if f else 0]),
    *_stack("one-array-in-every-place",
            lambda at, rule, f: np.repeat(walk(at, rule, f)[[-1 if f else 0]], len(at.M) + 1, axis=0)),
)  # fmt: skip


def _norms(at: At) -> np.ndarray:
    return np.sqrt(_squared(at.gradients))


def _relative(at: At) -> np.ndarray:
    """The own sizes, or the right ones."""
    own = at.own.get("relative")
    return _norms(at) / _norms(at)[-1] if own is None or np.shape(own) != (len(at.gradients),) else own


SIZES = (
    Slip("size-not-relative", "relative", _norms),
    Slip("size-beside-the-first", "relative", lambda at: _norms(at) / _norms(at)[0]),
    Slip("size-root-missing", "relative", lambda at: _squared(at.gradients) / _squared(at.gradients)[-1]),
    Slip("size-of-the-largest-entry", "relative",
         lambda at: np.abs(at.gradients).max(axis=(1, 2)) / np.abs(at.gradients[-1]).max()),
    Slip("size-upside-down", "relative", lambda at: _norms(at)[-1] / _norms(at)),
    Slip("blocks-miscounted", "per_block", lambda at: _relative(at)[0] ** (1 / len(at.gradients))),
    Slip("blocks-miscounted", "per_block", lambda at: _relative(at)[0] ** (1 / (len(at.gradients) - 2))),
    Slip("size-upside-down", "per_block", lambda at: _relative(at)[0] ** (-1 / (len(at.gradients) - 1))),
    Slip("ratio-divided-not-rooted", "per_block", lambda at: _relative(at)[0] / (len(at.gradients) - 1)),
    Slip("ratio-of-the-whole-stack", "per_block", lambda at: _relative(at)[0]),
    Slip("ratios-averaged", "per_block", lambda at: np.mean(_relative(at)[:-1] / _relative(at)[1:])),
)  # fmt: skip
