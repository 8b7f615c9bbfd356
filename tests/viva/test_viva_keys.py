"""Every key of an oral check, worked out once more: the student's own code is run, changed a little and run again.

Nothing of what the questions are made with is used here: cells run in this process, gradients are differences.
"""

import ast
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from autograder.audit.graders import running
from autograder.audit.variants import load_variants
from autograder.build.submission import fill, solutions
from autograder.course import source_notebook
from autograder.exercises import load
from autograder.in_kernel import ask
from autograder.sandbox import shared_sandbox
from autograder.viva.questions import asked_about

pytestmark = pytest.mark.slow  # each runs whole notebooks, several times

ROOT = Path(__file__).resolve().parents[2]
STEP = 1e-5


def filled(name, variant=None):
    exercise = load(name)
    source, solved = source_notebook(ROOT, exercise), solutions(ROOT, exercise)
    return exercise, fill(source, load_variants(ROOT, exercise).find(variant).apply(solved) if variant else solved)


@cache
def found(name, variant=None, seed=4, student="carla"):
    exercise, notebook = filled(name, variant)
    return asked_about(notebook, exercise, shared_sandbox("auto"), root=ROOT, seed=seed, student=student)


class Own:
    """A network of the student's class at a point."""

    def __init__(self, cls, point):
        self.cls, self.point = cls, point

    def at(self, **changed):
        given = {**self.point, **changed}
        sizes = given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0]
        net = self.cls(*sizes)
        for name in given.keys() - {"X", "Y"}:
            value = np.array(given[name], float)
            setattr(net, name, value if value.ndim else value.item())
        net.forward_pass(given["X"])
        return net, given

    def loss(self, **changed):
        net, given = self.at(**changed)
        return float(np.squeeze(net.compute_loss(given["Y"])))

    def gradient(self, name, **changed):
        net, given = self.at(**changed)
        net.backward_pass(given["X"], given["Y"])
        return np.array(getattr(net, name))

    def slope(self, name, **changed):
        """The gradient by central differences of the student's own loss."""
        result = np.zeros(self.point[name].shape)
        for at in np.ndindex(result.shape):
            up, down = self.point[name].copy(), self.point[name].copy()
            up[at] += STEP
            down[at] -= STEP
            result[at] = (self.loss(**changed, **{name: up}) - self.loss(**changed, **{name: down})) / (2 * STEP)
        return result


def doubled(point):
    return {name: np.hstack([point[name]] * 2) for name in ("X", "Y")}


def close(one, other, rtol=1e-6):
    np.testing.assert_allclose(one, other, rtol=rtol, atol=1e-8)


NETWORKS = {
    "simple_network": ("SimpleNeuralNetwork", [None, "loops", "rows", "no-division-by-m", "derivative-at-z"]),
    "tanh_swap": ("TanhNetwork", [None, "sigmoid-derivative", "no-division-by-m"]),
    "l2_regularization": ("L2Network", [None]),
    "multi_output": ("AirNetwork", [None]),
    "sin_regression": ("SineNetwork", [None]),
}


@pytest.mark.parametrize(
    ("name", "cls", "variant"), [(name, cls, one) for name, (cls, variants) in NETWORKS.items() for one in variants]
)
def test_keys_about_a_network_hold_when_its_code_is_changed_and_run_again(name, cls, variant):
    exercise, notebook = filled(name, variant)
    asked = found(name, variant)
    kinds = {one.kind for one in asked}
    assert {"unit", "example", "twice", "nudge"} <= kinds
    with running(notebook, exercise, ROOT) as names:
        for one in asked:
            if one.kind in CHECKS:
                CHECKS[one.kind](one, Own(names[cls], one.check["point"]))


def check_unit(one, own):
    """The hidden unit whose activation answers least to its bias."""
    k, b1 = one.check["k"], own.point["b1"]
    slopes = (own.at(b1=b1 + STEP)[0].A1[:, k] - own.at(b1=b1 - STEP)[0].A1[:, k]) / (2 * STEP)
    close(one.check["slopes"], slopes)
    assert int(np.argmin(np.abs(slopes))) == one.check["unit"]
    assert one.key.startswith(f"Unit {one.check['unit'] + 1} ")


def check_example(one, own):
    """The example whose own loss answers most to b2."""
    alone = [{name: own.point[name][:, [k]] for name in ("X", "Y")} for k in range(own.point["X"].shape[1])]
    slopes = [own.slope("b2", **only).item() for only in alone]
    close(one.check["signals"], slopes)
    assert one.key.startswith(f"Example {int(np.argmax(np.abs(slopes))) + 1}:")
    close(one.check["own"], [own.gradient("db2", **only).item() for only in alone])
    assert f"b2 goes {'down' if own.slope('b2').item() > 0 else 'up'}" in one.key


def check_twice(one, own):
    """Both gradients, as they are and with every example twice."""
    name, (before, after) = one.check["name"], one.check["exact"]
    close(before, own.slope(name[1:]))
    close(after, own.slope(name[1:], **doubled(own.point)))
    mine = own.gradient(name), own.gradient(name, **doubled(own.point))
    for ours, theirs in zip(one.check["own"], mine, strict=True):
        close(ours, theirs)
    right = all(np.allclose(ours, theirs, rtol=1e-6) for ours, theirs in zip((before, after), mine, strict=True))
    assert right == (one.own == "")
    if np.allclose(mine[1], 2 * mine[0]):
        assert f"`{name}` doubles" in one.own
    if np.allclose(after, before):
        assert "stays as it is" in one.key


def check_nudge(one, own):
    """The slope of the student's own loss, and what it does when the entry is moved."""
    name, at = one.check["parameter"], one.check["at"]
    other = own.point[name].copy()
    other[at] += one.check["by"]
    change = own.loss(**{name: other}) - own.loss()
    close(one.check["change"], change)
    close(one.check["slope"], own.slope(name)[at])
    close(one.check["own_slope"], own.gradient(f"d{name}")[at])
    close(one.check["own_change"], change)
    assert ("up" if change > 0 else "down") in one.key
    assert f"{change:.4g}" in one.key


CHECKS = {"unit": check_unit, "example": check_example, "twice": check_twice, "nudge": check_nudge}


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("simple_network", None),
        ("simple_network", "rows"),
        ("tanh_swap", "sigmoid-derivative"),
        ("linear_models", None),
        ("relu_derivative", None),
        ("two_hidden_layers", None),
        ("custom_activation", None),
    ],
)
def test_a_line_has_the_shape_and_is_what_the_key_says(name, variant):
    exercise, notebook = filled(name, variant)
    asked = [one for one in found(name, variant) if one.kind == "line"]
    assert asked
    for one in asked:
        text = next(text for _, text, here in one.code if here)
        cell = next(index for index, cell in enumerate(notebook.cells) if f"your cell {index + 1} " in one.text)
        source = notebook.cells[cell].source
        assert source.split("\n")[one.check["line"] - 1] == text
        label = notebook.cells[cell].metadata.nbgrader.grade_id
        watched = fill(notebook, {label: watching(source, one.check["line"])})
        probe = next(probe for probe in exercise.probes if probe.name == one.check["probe"])
        with running(watched, exercise, ROOT) as names:
            names["_seen"] = seen = []
            answer = ask(probe, names, one.check["points"][0])
            close(seen[0], one.check["values"])
            assert all(np.shape(value) == one.check["shape"] for value in seen)
            asked_for = one.check["quantity"].removeprefix("the gradient ")
            if asked_for in answer.values:  # what is marked right is what its name says
                close(seen[0], answer.values[asked_for])
        assert " × ".join(map(str, one.check["shape"])) in one.key


def watching(source, line):
    """The cell with the value of one statement written down."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.Return) and node.lineno == line:
            kept = "(_seen.append(__value := ({})), __value)[1]"
            node.value = ast.parse(kept.format(ast.unparse(node.value)), mode="eval").body
    return ast.unparse(ast.fix_missing_locations(tree))


@pytest.mark.parametrize("name", ["linear_models", "two_hidden_layers"])
def test_a_gradient_of_functions_is_asked_with_every_example_twice(name):
    exercise, notebook = filled(name)
    asked = [one for one in found(name) if one.kind == "twice"]
    assert asked
    with running(notebook, exercise, ROOT) as names:
        for one in asked:
            probe = next(
                question.probe for question in exercise.questions
                if question.probe.name in asked_of(exercise, one)
            )  # fmt: skip
            point = one.check["point"]
            more = {key: np.hstack([value] * 2) if key in ("X", "Y", "y") else value for key, value in point.items()}
            for given, ours in zip((point, more), one.check["own"], strict=True):
                close(ask(probe, names, given).values[one.check["name"]], ours)
            assert one.own == ""
            assert "stays as it is" in one.key


def asked_of(exercise, one):
    """The probes whose function the question speaks of."""
    named = [
        question.probe.name for question in exercise.questions if f"`{question.probe.settings.get('of')}`" in one.text
    ]
    return named or [question.probe.name for question in exercise.questions if question.title in one.text]


@pytest.mark.parametrize("variant", [None, "sign-of-error"])
def test_by_hand_the_loss_is_worked_out_again(variant):
    from autograder.exercises.worked_calculation import GIVEN

    def loss(given):
        a1 = 1 / (1 + np.exp(-(given["W1"] @ given["X"] + given["b1"])))
        return ((1 / (1 + np.exp(-(given["W2"] @ a1 + given["b2"]))) - given["Y"]) ** 2).item()

    asked = [one for one in found("worked_calculation", variant) if one.kind == "nudge"]
    assert {one.level for one in asked} == {1, 3}
    for one in asked:
        name, at = one.check["parameter"], one.check["at"]
        moved = {name: GIVEN[name].copy()}
        moved[name][at] += one.check["by"]
        close(one.check["change"], loss(GIVEN | moved) - loss(GIVEN))
        assert (variant is None) == (one.own == "")


@pytest.mark.parametrize(
    ("name", "variant", "line"),
    [
        ("simple_network", "no-division-by-m", "dW2"),
        ("tanh_swap", "sigmoid-derivative", "dW1"),
        ("worked_calculation", "sign-of-error", "dz2"),
    ],
)
def test_a_slip_is_asked_for_where_it_was_named(name, variant, line):
    wanted = load_variants(ROOT, load(name)).find(variant).named
    asked = [one for one in found(name, variant) if one.kind == "slip" and one.check["line"] == line]
    assert asked
    for one in asked:
        assert one.check["mistakes"] == wanted[f"{one.check['question']}.{line}"]
        if one.code:
            place = one.check["place"]
            assert place.code.split("\n")[0] in next(text for _, text, here in one.code if here)
    assert not [one for one in found(name) if one.kind == "slip"], "nothing went wrong in the solution"


def test_nothing_is_asked_about_work_that_is_not_there():
    exercise, notebook = filled("tanh_swap")
    released = source_notebook(ROOT, exercise)
    about = {"sandbox": shared_sandbox("auto"), "root": ROOT, "seed": 4, "student": "carla"}
    untouched = fill(released, dict.fromkeys(("network", "train_on_moons"), "raise NotImplementedError()"))
    assert asked_about(untouched, exercise, **about) == []
    half = solutions(ROOT, exercise)["network"].partition("    def backward_pass")[0]
    forward_only = fill(notebook, {"network": half, "train_on_moons": "raise NotImplementedError()"})
    asked = asked_about(forward_only, exercise, **about)
    assert {one.kind for one in asked} == {"line"}
    assert all(one.check["probe"] == "forward" for one in asked)
    raising = fill(
        notebook, {"network": solutions(ROOT, exercise)["network"].replace("dZ2 = ", "1 / 0\n        dZ2 = ")}
    )
    asked = asked_about(raising, exercise, **about)
    assert {one.check.get("probe") for one in asked if one.kind != "slip"} == {"forward"}


def test_another_student_or_seed_gets_other_numbers_and_the_same_the_same():
    def numbers(one):
        return repr(one.check.get("point"))

    again, other, later = (
        [numbers(one) for one in found.__wrapped__("simple_network", None, *who) if one.kind == "nudge"]
        for who in ((4, "carla"), (4, "dan"), (5, "carla"))
    )
    assert again == [numbers(one) for one in found("simple_network") if one.kind == "nudge"]
    assert len({*again, *other, *later}) == 3
