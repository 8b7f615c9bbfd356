"""Facts that the notebook two_hidden_layers tells, and its truth against an unrelated differentiation."""

import runpy
from dataclasses import replace

import matplotlib as mpl
import nbformat
import numpy as np
import pytest

from autograder.audit.graders import in_process
from autograder.audit.variants import load_variants
from autograder.build.submission import fill, solutions
from autograder.course import find_root
from autograder.exercise import Reply
from autograder.exercises import error_equations as exercise
from autograder.exercises import load
from autograder.exercises.letter_shapes import SHAPES
from autograder.marking import challenges

mpl.use("Agg")


def _judged(question_id, answers):
    """The verdicts of a question for answers made from the inputs of each challenge."""
    question = load("two_hidden_layers").question(question_id)
    asked = challenges(load("two_hidden_layers"), 5)[question.probe.name]
    replies = [Reply(challenge.given, answers(challenge.given), challenge.shown) for challenge in asked]
    return question.judge(question.lines, replies)


@pytest.mark.slow  # importing jax takes long
def test_true_gradients_equal_those_of_jax():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    def loss(p, X, Y):
        A1 = jnp.tanh(p["W1"] @ X + p["b1"])
        A2 = jax.nn.sigmoid(p["W2"] @ A1 + p["b2"])
        Z3 = p["W3"] @ A2 + p["b3"]
        return jnp.sum(Y * jax.nn.softplus(-Z3) + (1 - Y) * jax.nn.softplus(Z3)) / X.shape[1]

    for challenge in challenges(load("two_hidden_layers"), 2)["gradients"]:
        given = challenge.given
        found = jax.grad(loss)({name: given[name] for name in given if name[0] in "Wb"}, given["X"], given["Y"])
        for name, gradient in found.items():
            np.testing.assert_allclose(exercise.truth(given)[f"d{name}"], gradient, rtol=1e-10, atol=1e-14)


@pytest.mark.slow
def test_the_true_equations_put_together_give_the_true_gradient():
    for challenge in challenges(load("two_hidden_layers"), 4)["gradients"]:
        given = challenge.given
        whole = exercise.truth(given)
        known = given | {name: whole[name] for name in ("A1", "A2", "A3")}
        known["dZ3"] = exercise.signal_3_truth({"A3": known["A3"], "Y": known["Y"]})["dZ3"]
        known["dZ2"] = exercise.signal_2_truth({name: known[name] for name in ("W3", "dZ3", "A2")})["dZ2"]
        known["dZ1"] = exercise.signal_1_truth({name: known[name] for name in ("W2", "dZ2", "A1")})["dZ1"]
        found = exercise.weights_1_truth({name: known[name] for name in ("dZ1", "X")})["dW1"]
        np.testing.assert_allclose(found, whole["dW1"], rtol=1e-11, atol=1e-15)


def test_all_sizes_of_a_hidden_challenge_differ_but_at_square_weights():
    *drawn, square = challenges(load("two_hidden_layers"), 1)["gradients"][1:5]
    for challenge, different in [*((one, 5) for one in drawn), (square, 2)]:
        given = challenge.given
        sizes = {*given["X"].shape, *(given[f"W{layer}"].shape[0] for layer in (1, 2, 3))}
        assert len(sizes) == different


def test_a_wrong_shape_is_said_in_letters():
    verdict = _judged("signal_2", lambda given: {"dZ2": np.ones(given["A2"].shape[::-1])})["dZ2"]
    assert "(h2, m) is needed, you have (m, h2)" in verdict.message


def test_the_mean_must_be_taken_in_exactly_one_place():
    def answers(signal_mean, weight_mean):
        def at(given):
            m = given["X"].shape[1]
            return {
                "dZ3": (given["A3"] - given["Y"]) / (m if signal_mean else 1),
                "dW1": given["dZ1"] @ given["X"].T / (m if weight_mean else 1),
            }

        return at

    earned = {(s, w): _judged("weights_1", answers(s, w))["dW1"].share for s in (0, 1) for w in (0, 1)}
    assert earned == {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 0}


@pytest.mark.slow
def test_weights_changed_in_the_backward_pass_cost_one_line():
    def answers(given):
        found = dict(exercise.truth(given))
        moved = given["W3"] - 0.5 * found["dW3"]
        dZ2 = (moved.T @ (found["A3"] - given["Y"])) / given["X"].shape[1] * found["A2"] * (1 - found["A2"])
        dZ1 = (given["W2"].T @ dZ2) * (1 - found["A1"] ** 2)
        found |= {"dW2": dZ2 @ found["A1"].T, "db2": dZ2.sum(axis=1, keepdims=True)}
        found |= {"dW1": dZ1 @ given["X"].T, "db1": dZ1.sum(axis=1, keepdims=True)}
        return found | {"W2_after": given["W2"], "W3_after": moved}

    verdicts = _judged("six_gradients", answers)
    assert {name: v.mistakes for name, v in verdicts.items() if v.share < 1} == {
        "dW2": ("w3-updated-before-hidden-error",)
    }


@pytest.mark.slow
def test_the_network_learns_the_moons():
    root = find_root()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root / "reference" / "toolkit"))
        names = runpy.run_path(str(root / "reference" / "by_hand" / "two_hidden_layers.py"))
    assert names["losses"][-1] < 0.1
    assert names["on_train"] > 0.95
    assert names["on_test"] > 0.9


# What single mistakes cost ------------------------------------------------------------------------------------------

EQUATIONS = """
def equation_dZ3(A3, Y):
    return (A3 - Y) / Y.shape[1]


def equation_dZ2(W3, dZ3, A2):
    return (W3.T @ dZ3) * A2 * (1 - A2)


def equation_dZ1(W2, dZ2, A1):
    return (W2.T @ dZ2) * (1 - A1**2)


def equation_dW1(dZ1, X):
    return dZ1 @ X.T
"""
BACKWARD = """
class TwoHiddenNetwork(TwoHiddenBase):
    def backward_pass(self, X, Y):
        dZ3 = equation_dZ3(self.A3, Y)
        self.dW3 = dZ3 @ self.A2.T
        self.db3 = dZ3.sum(axis=1, keepdims=True)
        dZ2 = equation_dZ2(self.W3, dZ3, self.A2)
        self.dW2 = dZ2 @ self.A1.T
        self.db2 = dZ2.sum(axis=1, keepdims=True)
        dZ1 = equation_dZ1(self.W2, dZ2, self.A1)
        self.dW1 = equation_dW1(dZ1, X)
        self.db1 = dZ1.sum(axis=1, keepdims=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "due"),
    [
        ([], {}),
        ([("W3.T", "W3"), ("W2.T", "W2")], {"signal_2.dZ2": 2}),
        ([("W3.T", "W3")], {"signal_2.dZ2": 2}),
        ([("W2.T", "W2")], {"signal_1.dZ1": 2}),
        ([("dZ1 @ X.T", "X.T @ dZ1")], {"weights_1.dW1": 2}),
        ([("return (W3.T @ dZ3) * A2 * (1 - A2)", "return ((W3.T @ dZ3) * A2 * (1 - A2)).T")], {"signal_2.dZ2": 2}),
        ([("return dZ1 @ X.T", "return dZ1[:1] * X")], {"weights_1.dW1": 2}),
        ([(" * A2 * (1 - A2)", ""), (" * (1 - A1**2)", "")], {"signal_2.dZ2": 2}),
    ],
    ids=["right", "no-transpose", "no-transpose-3", "no-transpose-2", "on-the-left", "result", "entry", "no-slopes"],
)
def test_one_slip_costs_one_line(lost, changes, due):
    """In the code that uses the equations it shows again, and costs nothing more, also where the code stops there."""
    written = EQUATIONS
    for old, new in changes:
        written = written.replace(old, new)
    assert lost("two_hidden_layers", equations=written, backward=BACKWARD) == due


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "due"),
    [
        ("self.db1 = dZ1.sum(axis=1, keepdims=True)", "self.db1 = dZ1.sum(keepdims=True)", {"db1": 1}),
        ("dZ1 = equation_dZ1(self.W2, dZ2, self.A1)", "dZ1 = (self.W2 @ dZ2) * (1 - self.A1**2)", {"dW1": 2, "db1": 1}),
        ("self.dW1 = equation_dW1(dZ1, X)", "self.dW1 = X.T @ dZ1", {"dW1": 2, "db1": 1}),
        ("equation_dZ2(self.W3, dZ3, self.A2)", "equation_dZ2(self.W3, dZ3, self.Z2)", {"dW2": 2}),
    ],
)
def test_beside_a_wrong_equation_a_slip_in_the_backward_pass_costs_as_without(lost, old, new, due):
    written = EQUATIONS.replace("dZ1 @ X.T", "X.T @ dZ1")
    found = lost("two_hidden_layers", equations=written, backward=BACKWARD.replace(old, new))
    assert found.pop("weights_1.dW1") == 2
    assert {name: found.get(f"six_gradients.{name}") for name in due} == due


@pytest.mark.parametrize(("name", "turn"), [("a", ""), ("A", ".T")], ids=["other-names", "rows"])
def test_a_network_that_keeps_its_activations_otherwise_is_asked_as_well(lost, name, turn):
    forward = "    def forward_pass(self, X):\n"
    for layer, (f, below) in enumerate((("np.tanh", "X"), ("sigmoid", "self.A1"), ("sigmoid", "self.A2")), 1):
        forward += f"        self.{name}{layer} = {f}(self.W{layer} @ {below} + self.b{layer}){turn}\n"
    own = BACKWARD.replace("    def backward_pass", forward + "        return self.A3\n\n    def backward_pass")
    for layer in "123":
        own = own.replace(f"self.A{layer}", f"self.{name}{layer}{turn}").replace(f"{turn} = ", " = ")
    assert lost("two_hidden_layers", equations=EQUATIONS, backward=own) == {}


def test_gradients_before_an_error_count(lost):
    raising = BACKWARD.replace("dZ1 = equation_dZ1", "raise RuntimeError('no')\n        dZ1 = equation_dZ1")
    assert lost("two_hidden_layers", backward=raising) == {"six_gradients.dW1": 2, "six_gradients.db1": 1}


@pytest.mark.slow
@pytest.mark.parametrize("size", [0, 1e-12, 1e-3, 1])
def test_constants_earn_no_gradient(lost, size):
    constants = (
        "class TwoHiddenNetwork(TwoHiddenBase):\n    def backward_pass(self, X, Y):\n"
        "        for name in ('W1', 'b1', 'W2', 'b2', 'W3', 'b3'):\n"
        f"            setattr(self, 'd' + name, 0 * getattr(self, name) + {size})"
    )
    assert sum(lost("two_hidden_layers", backward=constants).values()) == 8


def test_capital_letters_are_letters(lost):
    shapes = {name: tuple(letter.upper() for letter in pair) for name, pair in SHAPES.items()}
    assert lost("two_hidden_layers", shape_letters=f"shapes = {shapes}") == {}


def test_the_text_gives_each_equation_an_m_of_its_own(root):
    text = (root / "reference" / "by_hand" / "two_hidden_layers.py").read_text(encoding="utf-8")
    (about,) = [part for part in text.split("# %%") if 'text="part_b"' in part]
    assert "Each function knows only its own arguments" in about
    assert "`Y.shape[1]` in the first equation" in about


@pytest.mark.slow
def test_a_slip_in_an_equation_costs_once_also_where_the_backward_pass_uses_it(root):
    task = load("two_hidden_layers")
    variants, solved = load_variants(root, task), solutions(root, task)
    released = nbformat.read(root / "assignments" / "by_hand" / "two_hidden_layers.ipynb", as_version=4)
    backward, grade = variants.find("einsum").cells["backward"], in_process(root)
    slips = [variant for variant in variants.wrong if set(variant.edits) == {"equations"}]
    assert len(slips) > 15
    for slip in slips:
        used = replace(slip, cells={"backward": backward})
        questions = {question.id: question for question in grade(fill(released, used.apply(solved)), task)}
        lost = {name: question.max_points - question.points for name, question in questions.items()}
        lost = {name: points for name, points in lost.items() if points}
        assert lost == {name.split(".")[0]: points for name, points in slip.loses.items()}, slip.id
