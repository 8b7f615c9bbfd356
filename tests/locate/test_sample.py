"""A sample of wrong variants: the place stays where the mistake is, and says the named mistake in the same sentence."""

from dataclasses import replace

import numpy as np
import pytest
from sample_kit import sampled

from autograder.audit.run import is_at
from autograder.audit.variants import load_variants
from autograder.build.submission import fill, solutions
from autograder.course import source_notebook
from autograder.exercises import NAMES, load
from autograder.grading.grade import code_of, grade_notebook, locator_of, prepare
from autograder.locate.agreement import SPEAKS_OF, agree
from autograder.locate.job import to_record
from autograder.mistakes import MISTAKES
from autograder.sandbox import shared_sandbox

SAMPLE = [
    ("linear_models", "bias-forgotten", "one_step", "def gradient_descent", "Nothing in this function gives `b`"),
    ("linear_models", "no-rate", "one_step", "dw", "lacks a factor here: `learning_rate`"),
    ("multi_output", "missing-return", "returned", "def forward_pass", "`return self.A2` is due"),
    ("two_hidden_layers", "z-for-a-in-gradient", "dW3", "self.Z2", "`self.A2` is due here"),
    ("two_hidden_layers", "bias-not-summed", "db2", "dZ2", "lacks its sum here"),
    ("exploding_gradients", "always-scaled", "below", "a * (threshold / norm)", "the given below is due"),
    ("softmax_jacobian", "dp-plus", "dp", "y / p", "lacks a minus here"),
    ("optimisers", "s-anew", "s", "(1 - beta) * g**2", "gives something else here than is due"),
    ("exploding_gradients", "half-missing", "decay", "peak * (1 + np.cos(", "lacks a factor here: `0.5`"),
    ("vanishing_gradients", "first-step-skipped", "layer5", "[1, 1 / 4", "gives something else here than is due"),
    ("exploding_gradients", "standard-normal", "relu", "rng.standard_normal", "`relu` is due"),
    ("sgd", "batch-steps", "one", "network.forward_pass(X)", "something else has to be handed on"),
    ("sgd", "does-nothing", "one", "def train_epoch", "Nothing is returned here, nor is anything else changed"),
    ("sgd", "no-update", "many", "def train_epoch", "calls `network.update_parameters(learning_rate)`"),
    ("sgd", "positions-for-columns", "one", "k, _", "two stand in each other's place"),
    ("custom_activation", "first-half", "f_prime", "sympy.tanh(x)", "gives something else here than is due"),
    ("autodiff_engine", "mul-alone", "mul", "other.data", "lacks a factor here: `g`"),
    ("softmax_jacobian", "softmax-in-place", "lse", "Z -= Z.max", "changes `Z` in place"),
    ("gradient_check", "always-true", "ordinary", "True", "does not depend on anything that is given"),
    ("worked_calculation", "sigmoid-sign", "a1", "[sigma(-z1[0])", "gives something else here: `a1` is due"),
    ("worked_calculation", "inputs-for-activations", "z2", "0.9 * 1 + 0.7 * 2 + 0.2", "`z2` is due"),
    ("worked_calculation", "raises", "a1", "sigmoid_of(z1)", "`a1` is due"),
    ("exploding_gradients", "square-root-missing-plain", "above", "np.sum(a**2)", "lacks a call around it: `np.sqrt`"),
    ("softmax_jacobian", "p-exponentials", "p", "p = e", "`p` is due"),
    ("attention", "no-residual", "loss", "H = A", "gives something else here than is due"),
    ("vanishing_gradients", "weights-not-transposed", "sigmoid", "weights[i] @ dZ", "has to be transposed"),
    ("simple_network", "gradient-added-up", "db2", "getattr(self", "gives something else here"),
    ("simple_network", "second-call-fails", "db2", "hasattr(self", "has to be the other way round"),
    ("relu_derivative", "leaky-at-zero", "dZ1", "2.0", "0 is due here"),
    ("relu_derivative", "both-in-place", "relu", "return np.maximum(Z, 0, out=Z)", "changes `Z` in place"),
    ("optimisers", "adam-in-place", "m", "m *= beta1", "changes `m` in place"),
    ("two_hidden_layers", "dW1-no-mean-anywhere", "dW1", "A3 - Y", "lacks a factor here: 1/m"),
    ("linear_models", "hinge-two-shares", "db", "y * (w @ X - b) <= 1", "has to be `<`"),
    ("l2_regularization", "study-ignores-seed-at-all", "train_accuracy", "L2Network(", "lacks the argument `rng`"),
    ("l2_regularization", "loss-without-penalty", "loss", "super().compute_loss(Y)", "the loss is due"),
    ("sgd", "lost-axis", "one", "X[:, k]", "loses an axis here"),
    ("sgd", "no-list", "losses", "def train_sgd", "`return losses` is due at the end"),
    ("softmax_jacobian", "naive", "P_large", "np.exp(Z)", "gives something else here than is due"),
    ("vanishing_gradients", "slope-missing-below", "sigmoid", "dA * slope if i == 4 else dA", "a part is too much"),
]
"""One for each sentence and each thing that it may speak of, the quickest."""

ALIKE = [
    ("linear_models", "linear-sign", "dw", "2 * residual @ X.T / X.shape[1]", "lacks a minus here"),
    ("relu_derivative", "mask-alone", "dZ1", "relu_derivative(Z1)", "`dZ1` is due"),
    ("optimisers", "adam-first-only", "theta", "s_hat = s", "gives something else here than is due"),
    ("exploding_gradients", "no-warm-up", "warm_up", "return peak", "gives something else here than is due"),
    ("exploding_gradients", "not-clipped", "above", "a.copy()", "`above` is due"),
    ("ising_phases", "mean-probability", "accuracy", "model(X_test).mean()", "gives something else here"),
    ("attention", "dS-passed", "dS", "dS = dP", "`dS` is due"),
    ("attention", "outputs-of-scores", "A", "(Q @ K.T", "gives something else here"),
    ("two_hidden_layers", "dW1-elementwise", "dW1", "dZ1[:1] * X", "`dW1` is due"),
    ("ising_phases", "another-generator", "trained", "np.random.default_rng()", "`rng` is due here"),
    ("ising_phases", "in-place", "sizes", "X[:], Y[:] = X", "changes `X` in place"),
    ("ising_phases", "tested-on-everything", "accuracy", "model(X", "has to be handed on"),
    ("ising_phases", "not-spins", "form", "rng.random((L * L, n_samples))", "`X` is due"),
    ("ising_phases", "all-up", "form", "p_up > np.zeros", "something else here than is due"),
    ("gradient_check", "ones", "upstream", "np.ones(np.shape(", "gives something else here than is due"),
    ("sgd", "order-ignored", "one", "range(X.shape[1])", "gives something else here than is due"),
]
"""Those whose sentence is that of one in the sample."""

ONLY_READ = [
    ("optimisers", "adam-uncorrected"),  # the step that reads what both names were given
    ("residual_network", "stack-plain"),  # a call of what was handed in
    ("residual_network", "back-first-first"),  # a branch
    ("sgd", "natural-order"),  # what an object holds
    ("ising_phases", "three-arrays"),  # what counts right answers, where the labels are not returned
    ("gradient_check", "a-coin"),  # a call of a function of one's own, for its verdict
    ("ising_phases", "random-labels"),  # a draw of one's own, and what is made of those after it
    ("attention", "overflow"),  # what gives a name what the solution gives it
]
"""Without the rules on what a row may be blamed for, the search points at what only reads the mistake."""


def graded(root, name, variant_id):
    exercise = load(name)
    variants, solved = load_variants(root, exercise), solutions(root, exercise)
    variant = variants.find(variant_id)
    notebook = fill(source_notebook(root, exercise), variant.apply(solved))
    sandbox = shared_sandbox("auto")
    marks = grade_notebook(notebook, exercise, sandbox, root=root, seed=1, places=True).marks
    return variants.at_fault(variant, solved), variant.apply(solved), marks, locator_of(sandbox)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variant", "line", "code", "text"), sampled(SAMPLE + ALIKE, *SAMPLE))
def test_a_place_stays_where_the_mistake_is(root, name, variant, line, code, text):
    faults, sources, marks, _ = graded(root, name, variant)
    lines = [one for question in marks.questions for one in question.lines if one.place is not None]
    assert all(is_at(one.place, faults.get(one.place.cell, ()), sources) for one in lines)
    found = next(one for one in lines if one.name == line)
    assert found.place.code.startswith(code)
    assert text in found.place.text
    if len(found.mistakes) == 1:
        assert f"({MISTAKES[found.mistakes[0]].title})." in found.place.text


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variant"), ONLY_READ)
def test_what_only_reads_a_mistake_is_not_pointed_at(root, name, variant):
    faults, sources, marks, _ = graded(root, name, variant)
    lines = [one for question in marks.questions for one in question.lines if one.place is not None]
    assert all(is_at(one.place, faults.get(one.place.cell, ()), sources) for one in lines)


SIGMOID = [
    ("(self.W2.T @ dA2) * self.A1 * (1 - self.A1)) @", "(self.W2.T @ dA2) * (1 - self.A1**2)) @", "1 - self.A1**2"),
    ("(1 - self.A1)).sum(", "(1 - self.A1)).mean(", "mean"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("right", "wrong", "code"), SIGMOID)
def test_who_has_chosen_otherwise_than_the_solution_is_measured_by_the_solution_with_that_choice(
    root, right, wrong, code
):
    def places(exercise):
        cells = load_variants(root, exercise).find("sigmoid").apply(solutions(root, exercise))
        cells = {name: source.replace(right, wrong) for name, source in cells.items()}
        notebook = fill(source_notebook(root, exercise), cells)
        marks = grade_notebook(notebook, exercise, shared_sandbox("auto"), root=root, seed=1, places=True).marks
        lines = [one for question in marks.questions for one in question.lines]
        assert any(one.points < one.max_points for one in lines)
        return [one.place.code for one in lines if one.place]

    exercise = load("sin_regression")
    assert all(code in one for one in places(exercise))
    assert places(exercise)
    locator_of(shared_sandbox("auto"))._found.clear()
    assert not places(replace(exercise, chosen_otherwise=())), "by the solution's own choice nothing is proved"


@pytest.mark.parametrize("name", [name for name in NAMES if load(name).chosen_otherwise])
def test_the_solution_with_another_choice_is_right(root, name):
    """So its pieces stand in the solution, and it can be measured by."""
    exercise = load(name)
    for edits in exercise.chosen_otherwise:
        cells = solutions(root, exercise)
        for cell, pieces in edits.items():
            for old, new in pieces:
                assert cells[cell].count(old) == 1, f"{old!r} does not stand once in the cell {cell}"
                cells[cell] = cells[cell].replace(old, new)
        notebook = fill(source_notebook(root, exercise), cells)
        marks = grade_notebook(notebook, exercise, shared_sandbox("auto"), root=root, seed=1).marks
        network = [one for one in marks.questions if one.id != "sine_fit"]
        assert [one.points for one in network] == [one.max_points for one in network]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=() if one == "reaction_rates" else pytest.mark.long) for one in NAMES]
)
def test_what_a_solution_gives_fits_into_an_answer(root, name):
    exercise = load(name)
    notebook = fill(source_notebook(root, exercise), solutions(root, exercise))
    code = code_of(prepare(notebook, exercise, root=root, seed=1), notebook, root)
    outcome = shared_sandbox("auto").run(to_record(code.job, exercise.probes, 1, sorted(code.own)))
    for probe in exercise.probes:
        (answer,) = outcome.answers[probe.name]
        assert answer.status == "answered"
        assert all(isinstance(value, list) for value in answer.values.values()), probe.name


@pytest.mark.slow
def test_every_wrong_variant_says_where_its_mistake_is(root):
    for name in NAMES:
        exercise = load(name)
        variants, solved = load_variants(root, exercise), solutions(root, exercise)
        known = {variant.id for variant in variants.wrong}
        assert {*variants.faults, *variants.unplaced} <= known, name
        for variant in variants.wrong:
            assert bool(variants.at_fault(variant, solved)) != (variant.id in variants.unplaced), variant.id
        assert all(reason.strip() for reason in variants.unplaced.values()), name


def test_what_says_nothing_of_its_place_is_refused(root):
    variants, solved = load_variants(root, load("hidden_size")), solutions(root, load("hidden_size"))
    with pytest.raises(ValueError, match="says where its mistake is"):
        replace(variants, unplaced={}).at_fault(variants.find("all-fit"), {**solved, "table": "", "sorted_sizes": ""})
    wrong = replace(variants, faults={"own-table": {"study": ("not there",)}})
    with pytest.raises(ValueError, match="occurs 0 times"):
        wrong.at_fault(variants.find("own-table"), solved)


@pytest.mark.slow
def test_the_numbers_of_the_small_example_and_what_is_right_stand_beside_a_place(root):
    _, sources, marks, _ = graded(root, "tanh_swap", "sigmoid-derivative")
    question = marks.question("hidden_gradients")
    place = next(line.place for line in question.lines if line.place)
    inputs = {name: np.asarray(value, float) for name, value in question.example.items()}
    A1 = np.tanh(inputs["W1"] @ inputs["X"] + inputs["b1"])
    np.testing.assert_allclose(place.got, A1 * (1 - A1), rtol=1e-9)
    np.testing.assert_allclose(place.expected, 1 - A1**2, rtol=1e-9)
    assert question.sound
    for span in question.sound:
        assert span.code in sources[span.cell]
        assert (span.line, span.col) != (place.line, place.col)


@pytest.mark.slow
def test_where_a_named_mistake_and_a_repair_differ_nothing_is_claimed(root, monkeypatch):
    monkeypatch.setattr("autograder.locate.attach.agree", lambda mistakes, kind: not mistakes)
    _, _, marks, locator = graded(root, "tanh_swap", "sigmoid-derivative")
    assert not any(line.place for question in marks.questions for line in question.lines if line.mistakes)
    assert any("sigmoid-derivative-with-tanh is named, but value mends it" in one for one in locator.remarks)


def test_what_can_mend_a_mistake_is_known_for_mistakes_that_exist():
    assert all(any(words in id for id in MISTAKES) for words in SPEAKS_OF)
    assert not agree(("result-transposed",), "sign")
    assert agree(("result-transposed", "missing-1-over-m"), "factor")
    assert agree(("argument-ignored",), "sign")
