"""Sheet 5: batch and layer normalisation, which are one function along two axes.

Forwards; back through gamma and beta; back by the three paths (direct, by the variance, by the mean); the same in one
line; and what differs in evaluation, where mean and variance are fixed numbers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.exercise import Challenge, Exercise, Line, Probe, Question, Written, lines
from autograder.exercises import normalisation_mistakes as known
from autograder.exercises import normalisation_truth as true
from autograder.exercises import running_averages
from autograder.exercises.shared import calling, keeping_inputs, of_order_one
from autograder.marking.judges import values
from autograder.marking.slips import explain_slips

# What is asked ------------------------------------------------------------------------------------------------------


def along_both_axes(student, given, *, function, takes, gives):
    """What a function returns for both axes, 1 and 0; what is given for one axis alone has a name for each."""
    for axis, which in ((1, ""), (0, "_layer")):
        taken = [given[name + which if name + which in given else name] for name in takes]
        if axis:  # what the second call changes in place is seen
            taken = [np.copy(one) if np.ndim(one) else one for one in taken]
        returned = getattr(student, function)(*taken, axis)
        if len(gives) == 1:
            returned = (returned,)
        if not isinstance(returned, (tuple, list)) or len(returned) != len(gives):
            raise ValueError(function + " must return " + ", ".join(gives))
        yield {name + which: value for name, value in zip(gives, returned)}


def batch_after_batch(student, given):
    """Three batches in training, with the running averages of one given to the next, beside the own normalise.

    Where train_batch changes an array that it gets, something given is changed too, so that it is seen.
    """
    import contextlib

    mu, var = given["running_mu"], given["running_var"]
    numbers = given["gamma"], given["beta"]
    found, changed = {name: [] for name in ("U", "running_mu", "running_var")}, False
    own = {name: [] for name in ("mu", "var", "Z_hat")}
    for Z in given["batches"]:
        with contextlib.suppress(Exception):  # it is marked where it is asked
            for name, value in zip(own, student.normalise(Z.copy(), given["eps"], 1)):
                own[name].append(np.array(value, copy=True))
        held = [np.array(one, copy=True) for one in (Z, *numbers, mu, var)]
        before = [one.copy() for one in held]
        returned = student.train_batch(*held, given["keep"], given["eps"])
        if any(one.tobytes() != was.tobytes() for one, was in zip(held, before)):
            changed = True
        if not isinstance(returned, (tuple, list)) or len(returned) != 3:
            raise ValueError("train_batch must return U, running_mu, running_var")
        _, mu, var = returned
        for name, value in zip(found, returned):
            found[name].append(np.array(value, copy=True))
    if changed:
        given["gamma"] += 1
    return {**own, **found}


def both_directions(student, given):
    """The values and the gradient in evaluation."""
    kept, spare = ({name: given[name].copy() for name in ("gamma", "running_var")} for _ in range(2))
    try:
        names = ("Z", "gamma", "beta", "running_mu", "running_var", "eps")
        yield {"U": student.evaluate(*(given[name] for name in names))}
    finally:
        yield {"dZ": student.evaluate_backward(given["dU"], kept["gamma"], kept["running_var"], given["eps"])}
        for name, own in kept.items():
            if own.tobytes() != spare[name].tobytes():  # what the second one changes in place is seen
                given[name][:] = own


EPS = (0.25, 0.5, 0.3, 0.8)
"""So large that it tells where it stands."""


def _units(rng: np.random.Generator) -> list[Challenge]:
    """Units of unequal size and place, so that each axis has means and variances of its own."""
    points = [Challenge({"Z": np.array([[1.0, 3.0, 5.0], [2.0, 0.0, -2.0]]), "eps": EPS[0]}, shown=True)]
    for (n, m), eps in zip(((4, 6), (5, 8), (3, 7)), EPS[1:]):
        Z = of_order_one(rng, n, m) * rng.uniform(0.7, 2, (n, 1)) + of_order_one(rng, n, 1)
        points.append(Challenge({"Z": Z + 0.5 * of_order_one(rng, 1, m), "eps": eps}))
    return points


def _with(rng: np.random.Generator, *sent: str) -> list[Challenge]:
    """The units with what arrives, gamma, and what a forward pass makes of them along both axes."""
    points = []
    for one in _units(rng):
        Z, all = one.given["Z"], dict(one.given)
        for which, axis in known.AXES.items():
            mu, var, Z_hat = known.at_once(Z, axis, all["eps"])
            made = {"mu": mu, "var": var, "Z_hat": Z_hat, "s": np.sqrt(var + all["eps"])}
            all |= {name + which: value for name, value in made.items()}
        all |= {name: of_order_one(rng, *Z.shape) for name in ("dU", "dZ_hat")} | {
            "gamma": 2 * of_order_one(rng, len(Z), 1)
        }
        if one.shown:
            all |= {"dU": np.array([[1.0, 0.0, 2.0], [-1.0, 1.0, 0.5]]), "gamma": np.array([[2.0], [0.5]])}
            all["dZ_hat"] = np.array([[2.0, 0.0, 4.0], [-1.0, 1.0, 0.5]])
        points.append(Challenge(all, one.shown).keeping(*(name for name in all if name not in sent)))
    return points


def _scaled(rng: np.random.Generator) -> list[Challenge]:
    """Values that were normalised along one axis or the other."""
    points = []
    for n, one in enumerate(_with(rng)):
        given = {name: one.kept[name] for name in ("dU", "Z_hat", "gamma")}
        points.append(Challenge(given | {"Z_hat": one.kept["Z_hat_layer" if n % 2 else "Z_hat"]}, one.shown))
    return points


def _batches(rng: np.random.Generator) -> list[Challenge]:
    """Three batches each, and what was carried so far."""
    points = []
    for n, m, keep, eps in ((2, 2, 0.75, 0.25), (4, 6, 0.9, 0.3), (3, 5, 0.8, 0.6), (5, 4, 0.7, 0.4)):
        drawn = {
            "batches": 1.5 * of_order_one(rng, 3, n, m) + of_order_one(rng, 3, n, 1),
            "gamma": 2 * of_order_one(rng, n, 1),
            "beta": of_order_one(rng, n, 1),
            "running_mu": of_order_one(rng, n, 1),
            "running_var": rng.uniform(0.5, 2, (n, 1)),
        }
        if m == 2:
            drawn["batches"] = np.array([[[1.0, 3.0], [0.0, 2.0]], [[2.0, 4.0], [-1.0, 5.0]], [[0.0, 1.0], [3.0, 1.0]]])
            drawn |= {"gamma": np.array([[2.0], [0.5]]), "beta": np.array([[1.0], [-1.0]])}
            drawn |= {"running_mu": np.zeros((2, 1)), "running_var": np.ones((2, 1))}
        points.append(Challenge({**drawn, "keep": keep, "eps": eps}, shown=m == 2))
    return points


def _evaluated(rng: np.random.Generator) -> list[Challenge]:
    """Also a single example, which has no variance."""
    points = []
    for one, m in zip(_batches(rng), (2, 6, 1, 4)):
        kept = {name: value for name, value in one.given.items() if name not in ("batches", "keep")}
        Z = one.given["batches"][0][:, :m]
        dU = np.array([[1.0, -1.0], [0.5, 2.0]]) if one.shown else of_order_one(rng, len(Z), m + 3)
        points.append(Challenge({**kept, "Z": Z, "dU": dU}, one.shown))
    return points


# The questions ------------------------------------------------------------------------------------------------------


def _both(function: str, takes: str, gives: str, challenges: Callable[..., list[Challenge]]) -> Probe:
    settings = {"function": function, "takes": (*takes.split(),), "gives": (*gives.split(),)}
    return Probe(along_both_axes, challenges, settings, function)


def _for_paths(rng: np.random.Generator) -> list[Challenge]:
    return _with(rng, "dZ_hat", "Z", "mu", "var", "mu_layer", "var_layer", "eps")


def _for_one_line(rng: np.random.Generator) -> list[Challenge]:
    return _with(rng, "dZ_hat", "Z_hat", "s", "Z_hat_layer", "s_layer")


def _lines(**points: tuple[float, float]) -> tuple[Line, ...]:
    """Lines with their points for batch norm, then the same for layer norm."""
    batch = [Line(name, worth, name) for name, (worth, _) in points.items()]
    return (*batch, *(Line(f"{name}_layer", worth, f"{name} of layer norm") for name, (_, worth) in points.items()))


EXERCISE = Exercise(
    name="normalisation",
    sheet="beyond",
    title="Batch and layer normalisation",
    minutes=90,
    difficulty=4,
    questions=(
        Question(
            "forward_values",
            "(a) Forwards",
            _lines(mu=(0.5, 0.5), var=(0.5, 0.5), Z_hat=(1, 1)),
            _both("normalise", "Z eps", "mu var Z_hat", _units),
            keeping_inputs(values(true.forward, follow=true.follow_forward, explain=explain_slips(known.FORWARD))),
        ),
        Question(
            "scale_gradients",
            "(b) Back through gamma and beta",
            lines(dZ_hat=1, dgamma=1, dbeta=1),
            calling("scale_backward", "dU Z_hat gamma", "dZ_hat dgamma dbeta", _scaled),
            keeping_inputs(values(true.scale, explain=explain_slips(known.SCALE))),
        ),
        Question(
            "path_gradients",
            "(c) Back by three paths",
            _lines(direct=(1, 0.5), dvar=(1.5, 0.5), dmu=(1, 0.5), dZ=(1.5, 0.5)),
            _both("three_paths", "dZ_hat Z mu var eps", "direct dvar dmu dZ", _for_paths),
            keeping_inputs(values(true.paths, follow=true.follow_paths, explain=explain_slips(known.PATHS))),
        ),
        Question(
            "fused_gradient",
            "(d) The same in one line",
            _lines(dZ=(2, 1)),
            _both("fused_backward", "dZ_hat Z_hat s", "dZ", _for_one_line),
            keeping_inputs(values(true.paths, explain=explain_slips(known.FUSED))),
        ),
        Question(
            "training_values",
            "(e) In training",
            lines(U=1, running_mu=0.5, running_var=1),
            Probe(batch_after_batch, _batches),
            keeping_inputs(
                values(true.running, follow=true.follow_running, explain=explain_slips(running_averages.TRAINING))
            ),
        ),
        Question(
            "evaluation_values",
            "(e) In evaluation",
            lines(U=1, dZ=1.5),
            Probe(both_directions, _evaluated),
            keeping_inputs(values(true.evaluation, explain=explain_slips(running_averages.EVALUATION))),
        ),
    ),
    written=(Written("normalisation_words", "(f) Why", 3),),
    parts={
        "a": ("forward_values",),
        "b": ("scale_gradients",),
        "c": ("path_gradients",),
        "d": ("fused_gradient",),
        "e": ("training_values", "evaluation_values"),
        "f": ("normalisation_words",),
    },
)
