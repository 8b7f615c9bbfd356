"""The self-check cells of all exercises: what they pass, what they catch, and what they leave behind."""

import ast
import contextlib
import itertools
import math
import shutil
import sys

import matplotlib
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest

from autograder.audit.variants import load_variants
from autograder.build.submission import solutions
from autograder.exercises import NAMES, design_record, load

SLOW = {"hidden_size", "sin_regression", "reaction_rates", "vanishing_gradients"}
"""Exercises whose solved notebook trains for longer than a quick test may."""

EXERCISES = [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in NAMES]


class Notebook:
    """A notebook whose cells are run one after the other, as a student does; pictures are left out."""

    def __init__(self, root, monkeypatch, name):
        matplotlib.use("Agg")
        folder = root / "source" / load(name).sheet
        for module in ("backprop", "selfcheck", "simple_network"):
            monkeypatch.delitem(sys.modules, module, raising=False)
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.chdir(folder)
        self.names = {"__name__": "__main__"}
        self.cells = [
            cell
            for cell in nbformat.read(folder / f"{name}.ipynb", as_version=4).cells
            if cell.cell_type == "code" and "show" not in cell.metadata.get("tags", ())
        ]

    def run(self, cell):
        exec(compile(cell.source, cell.id, "exec"), self.names)

    def checks(self, *, replaced=None):
        """Run all cells that are not marked; at each self-check stop before it and give its cell.

        ``replaced`` holds what stands in a cell in place of the solution.
        """
        for cell in self.cells:
            if cell.id.startswith("selfcheck"):
                yield cell
            elif not cell.metadata.get("nbgrader", {}).get("grade"):
                cell.source = (replaced or {}).get(cell.id, cell.source)
                self.run(cell)

    def said(self, grade_id, **replaced):
        """What the self-check says, on one line, when these cells hold something else."""
        for cell in self.checks(replaced=replaced):
            if cell.id == grade_id:
                with pytest.raises(AssertionError) as error:
                    self.run(cell)
                return " ".join(str(error.value).split())
        raise AssertionError(f"no cell {grade_id}")


@pytest.fixture
def notebook(root, monkeypatch):
    yield lambda name: Notebook(root, monkeypatch, name)
    plt.close("all")
    for module in ("backprop", "selfcheck", "simple_network"):
        sys.modules.pop(module, None)


def sizes_of(calls):
    """For each call of a check the sizes of its arrays that are not 1."""
    for arguments in calls:
        arrays = [value for value in arguments if isinstance(value, np.ndarray)]
        for value in arguments:
            if isinstance(value, dict):
                arrays += [array for array in value.values() if isinstance(array, np.ndarray)]
            elif hasattr(value, "forward_pass"):
                arrays += [array for name, array in vars(value).items() if name[0] in "Wb"]
        yield {size for array in arrays for size in array.shape} - {1}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXERCISES)
def test_right_work_passes_and_no_name_is_left_behind(notebook, monkeypatch, name):
    """A self-check leaves its own function, called as its cell is, and nothing that a student's code could pick up.

    And the sizes that it takes have no factor in common, nor with 2, so that a factor which is wrong has one cause.
    """
    book, calls, checked = notebook(name), [], 0
    for cell in book.checks():
        selfcheck = sys.modules.get("selfcheck")
        for check in ("check_gradient", "check_gradients", "check_update"):
            if selfcheck is not None and check in book.names:
                real = getattr(selfcheck, check)

                def noted(*arguments, real=real, **options):
                    calls.append((*arguments, *options.values()))
                    return real(*arguments, **options)

                book.names[check] = noted
        before = dict(book.names)
        book.run(cell)
        new = {key for key, value in book.names.items() if key not in before or before[key] is not value}
        assert new <= {cell.id, "check_values", "check_yourself"}
        checked += 1
    assert checked
    for sizes in sizes_of(calls):
        assert all(math.gcd(one, other) == 1 for one, other in itertools.combinations(sizes | {2}, 2)), sizes


@pytest.mark.parametrize("name", NAMES)
def test_an_untouched_notebook_is_told_what_is_missing(root, notebook, name):
    """No self-check of a sheet as it is released ends in an error of Python's."""
    book = notebook(name)
    released = root / "assignments" / load(name).sheet / f"{name}.ipynb"
    book.cells = [
        cell
        for cell in nbformat.read(released, as_version=4).cells
        if cell.cell_type == "code" and "show" not in cell.metadata.get("tags", ())
    ]
    for cell in book.cells:
        if cell.id.startswith("selfcheck"):
            with pytest.raises(AssertionError) as error:
                book.run(cell)
            assert type(error.value).__name__ == "SelfCheckFailed"
            said = " ".join(str(error.value).split())
            assert "not written yet" in said or "is not there" in said or "not filled in" in said, said
        else:
            with contextlib.suppress(NotImplementedError):
                book.run(cell)


SPINS = """
def make_spins(n_samples, L, rng):
    Y = np.repeat([[{ordered}, {disordered}]], n_samples // 2, axis=1)
    p_up = np.repeat([[{share}, 0.5]], n_samples // 2, axis=1)
    return np.where(rng.random((L * L, n_samples)) < p_up, 1, -1), Y
"""
EQUATIONS = """
def equation_dZ3(A3, Y):
    return (A3 - Y) / X.shape[1]
def equation_dZ2(W3, dZ3, A2):
    return (W3.T @ dZ3) * A2 * (1 - A2)
def equation_dZ1(W2, dZ2, A1):
    return (W2.T @ dZ2) * (1 - A1**2)
def equation_dW1(dZ1, X):
    return dZ1 @ X.T
"""
LINEAR = """
def linear_gradient(w, b, X, y):
    residual = y - (w @ X + b)
    return -2 * residual @ X.T / {m}, -2 * np.sum(residual) / {m}
def logistic_gradient(w, b, X, y):
    return linear_gradient(w, b, X, y)
def hinge_gradient(w, b, X, y):
    push = np.where(y * (w @ X {sign} b) < 1, y, 0)
    return -push @ X.T / X.shape[1], np.mean(push)
"""
DESCENT = """
def gradient_descent(gradient, w, b, X, y, learning_rate, steps):
    dw, db = gradient(w, b, X, y)
    for _ in range(steps):
        w, b = w - learning_rate * dw, b - learning_rate * db
    return w, b
"""
WEIGHTS = """
def level_weights(n_out, n_in, activation, rng):
    v = (2 if activation == "relu" else 1) / n_in
    return rng.uniform(-np.sqrt(v), np.sqrt(v), (n_out, n_in))
"""
SGD = """
def train_sgd(network, X, Y, epochs, learning_rate):
    losses = []
    for _ in range(epochs):
        network.forward_pass(X)
        losses.append(network.compute_loss(Y))
        train_epoch(network, X[:, np.random.permutation(X.shape[1])], Y, learning_rate, range(X.shape[1]))
    return losses
"""
LATE = """
def train_sgd(network, X, Y, epochs, learning_rate):
    losses = []
    for _ in range(epochs):
        train_epoch(network, X, Y, learning_rate, np.random.permutation(X.shape[1]))
        network.forward_pass(X)
        losses.append(network.compute_loss(Y))
    return losses
"""
OWN_MEAN = """
def fit_scaler(Y):
    return np.mean(Y, axis=1, keepdims=True), np.std(Y, axis=1, keepdims=True)
def standardise(Y, mean, std):
    return (Y - np.mean(Y, axis=1, keepdims=True)) / np.std(Y, axis=1, keepdims=True)
def unstandardise(S, mean, std):
    return S * std + mean
"""
STEP = """
def train_step(net, X, Y, learning_rate):
    net.forward_pass(X)
    loss = net.compute_loss(Y)
    net.backward_pass(X, Y)
    {step}
    return {loss}
"""
STILL = "b1 = net.b1; net.update_parameters(learning_rate); net.b1 = b1"
AFTER = "[net.update_parameters(learning_rate), net.forward_pass(X), net.compute_loss(Y)][2]"
EPOCH = """
def train_epoch(network, X, Y, learning_rate, order):
    for k in order:
        network.forward_pass(X[:, [k]])
        network.backward_pass(X[:, [k]], Y[:, [k]])
    network.update_parameters(learning_rate)
"""
PENALTY = """
class L2Network(SimpleNeuralNetwork):
    reg_lambda = 0.0
    def compute_loss(self, Y):
        squares = np.sum(self.W1**2) + np.sum(self.W2**2)
        return super().compute_loss(Y) + self.reg_lambda / (2 * Y.shape[1]) * squares
    def backward_pass(self, X, Y):
        super().backward_pass(X, Y)
        self.dW1 = self.dW1 - self.reg_lambda / X.shape[1] * self.W1
        self.dW2 = self.dW2 - self.reg_lambda / X.shape[1] * self.W2
    def train(self, X, Y, epochs, learning_rate, reg_lambda=0.0):
        self.reg_lambda = reg_lambda
        return super().train(X, Y, epochs, learning_rate)
"""
L2_TRAIN = (
    PENALTY.replace("dW1 - ", "dW1 + ").replace("dW2 - ", "dW2 + ")
    + """
    def train(self, X, Y, epochs, learning_rate, reg_lambda=0.0):
        self.reg_lambda, losses = reg_lambda, []
        for _ in range(epochs):
            self.forward_pass(X)
            self.backward_pass(X, Y)
            self.update_parameters(learning_rate)
            self.forward_pass(X)
            losses.append(self.compute_loss(Y))
        return losses
"""
)
STUDY = """
def lambda_study(lambdas, X_train, Y_train, X_test, Y_test, epochs, learning_rate, seed):
    rows, network = [], L2Network(2, 50, 1, rng=seed, weight_scale=5.0)
    for reg_lambda in lambdas:
        {new}
        network.train(X_train, Y_train, epochs, learning_rate{strength})
        squares = np.sum(network.W1**2) + np.sum(network.W2**2)
        rows.append([accuracy(network.predict(X), Y) for X, Y in ((X_train, Y_train), (X_test, Y_test))] + [squares])
    return rows
"""
NEW = "network = L2Network(2, 50, 1, rng=seed, weight_scale=5.0)"
DESIGN = """
design = {{
    "features": [{{"name": name, "unit": "1"}} for name in {names!r}],
    "hidden": [{{"units": 12, "activation": {activation!r}}}], "output": {{"units": 1, "activation": "linear"}},
    "weight_shapes": [[12, 5], [1, 12]], "parameters": 85, "target_transform": {transform!r}, "loss": "mse",
}}
"""
RATES = """
def train_design(X_train, k_train, X_test, seed):
    return np.full((1, X_test.shape[1]), np.nan), []
"""
RESHAPED = """
def sum_to_shape(g, shape):
    return g.reshape(shape + (-1,)).sum(-1)
"""
SPECTRAL = """
def relative_sizes(gradients):
    sizes = np.array([np.linalg.norm(d, 2) for d in gradients])
    return sizes / sizes[-1]
def per_block(gradients):
    return np.mean(relative_sizes(gradients)[:-1] / relative_sizes(gradients)[1:])
"""
INNER = """
def stack_forward(X, branches, identity):
    values = [X]
    for branch in branches:
        values.append(branch(values[-1]) + identity * values[-1])
    return values
def stack_backward(dout, backs, identity):
    gradients = stack_forward(dout, backs[::-1], identity)
    return [gradients[-1], *gradients[1:-1], gradients[0]]
"""
HALF_A_RECORD = """
properties = {{
    {first}"slope_at_zero": 0, "slope_at_minus_infinity": -1, "slope_at_plus_infinity": 1,
    "largest_slope_at": 1.200, "largest_slope": 1.200,
}}
"""
SIGNALS = """
def relu(Z):
    return np.maximum(Z, 0)
def relu_derivative(Z):
    return Z > 0
"""

SLIPS = [
    ("ising_phases", "generator", SPINS.format(ordered=1, disordered=0, share=0.9), "generator",
     "are the labels exchanged? 0 is ordered, 1 is disordered"),
    ("ising_phases", "generator", SPINS.format(ordered=0, disordered=1, share=0.1), "generator",
     "each is up with probability 0.9: up is +1"),
    ("two_hidden_layers", "equations", EQUATIONS, "equations", "equation_dZ3 stopped in line 3 of its cell: NameError"),
    ("linear_models", "gradients", LINEAR.format(m="X.shape[1]", sign="+"), "hinge", "db WRONG"),
    ("linear_models", "gradients", LINEAR.format(m="len(X)", sign="-"), "linear", "len() of an array counts its rows"),
    ("linear_models", "descent", DESCENT, "descent", "The same gradient is used in every step: take it inside"),
    ("exploding_gradients", "weights", WEIGHTS, "weights", "distribution from -c to c has the variance c^2 / 3"),
    ("sgd", "train_sgd", SGD, "sgd", "Step 1: backward_pass got column"),
    ("sgd", "train_sgd", LATE, "sgd", "Is it taken before the steps of the epoch"),
    ("multi_output", "scaler", OWN_MEAN, "scaler", "standardise has to use the mean and std that it is given"),
    ("multi_output", "step", STEP.format(step=STILL, loss="loss"), "step", "b1 WRONG b1 did not change at all."),
    ("multi_output", "step", STEP.format(step="", loss=AFTER), "step", "but before the step the loss was"),
    ("sgd", "train_epoch", EPOCH, "epoch", "Is update_parameters inside the loop?"),
    ("l2_regularization", "network", PENALTY, "network", "added in one of the two and subtracted in the other"),
    ("l2_regularization", "network", L2_TRAIN, "training", "Is the loss taken before the update of its epoch"),
    ("l2_regularization", "lambda_study", STUDY.format(new="", strength=", reg_lambda"), "study", "a new network"),
    ("l2_regularization", "lambda_study", STUDY.format(new=NEW, strength=""), "study", "does train get the strength?"),
    ("reaction_rates", "record", DESIGN.format(names="abcde", activation="softmax", transform="none"), "record",
     "the activation of layer 1 is 'softmax', but has to be one of linear, sigmoid, tanh, relu, softplus, exp."),
    ("reaction_rates", "record", DESIGN.format(names="abcde", activation="tanh", transform="log"), "record",
     "target_transform is 'log', but has to be one of none, log10"),
    ("reaction_rates", "record", DESIGN.format(names="abcdd", activation="tanh", transform="none"), "record",
     "At least five different features with a unit are asked; there are 4."),
    ("reaction_rates", "training", RATES, "training", "100% of the predictions are not finite: did the training"),
    ("custom_activation", "record", HALF_A_RECORD.format(first=""), "record", "`range` is not filled in yet."),
    ("custom_activation", "record", HALF_A_RECORD.format(first="'range': 0, "), "record",
     "`range` has to be a list of two numbers, the left end and the right end."),
    ("autodiff_engine", "stretched", RESHAPED, "stretched", "(2, 3, 5) to (3, 1) WRONG"),
    ("residual_network", "sizes", SPECTRAL, "sizes", "relative_sizes WRONG"),
    ("residual_network", "stack", INNER, "stack", "d at the input of block 2, with identity paths WRONG"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "cell", "source", "check", "says"), SLIPS, ids=[f"{s[0]}-{s[4][:20]}" for s in SLIPS])
def test_a_slip_is_caught_and_said(notebook, name, cell, source, check, says):
    assert says in notebook(name).said(f"selfcheck_{check}", **{cell: source})


VARIANTS = [
    ("autodiff_engine", "tanh-no-square", "engine", "rules of tanh WRONG"),
    ("autodiff_engine", "in-breadth", "engine", "inner nodes WRONG"),
    ("autodiff_engine", "recursion", "engine", "a long chain WRONG RecursionError"),
    ("normalisation", "var-with-eps", "normalise", "batch norm, var WRONG"),
    ("normalisation", "in-place", "normalise", "normalise changed Z in place"),
    ("normalisation", "gamma-mean", "scale", "Or is a mean taken where a sum is asked?"),
    ("normalisation", "dvar-mean", "paths", "dvar, batch norm WRONG Every entry is 3 times too small"),
    ("normalisation", "fused-always-batch", "fused", "dZ, layer norm WRONG"),
    ("normalisation", "rates", "batches", "running mean WRONG"),
    ("normalisation", "running-in-training", "batches", "U WRONG"),
    ("residual_network", "hand-no-path", "three", "sum of paths WRONG together 0.68, residual is 1.68"),
    ("residual_network", "out-in-place", "block", "block_forward changed X in place"),
    ("residual_network", "stack-in-place", "stack", "stack_forward changed X in place"),
    ("residual_network", "back-plain", "stack", "block 2, with identity paths WRONG"),
    ("residual_network", "back-always", "stack", "block 2, without WRONG"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variant", "check", "says"), VARIANTS, ids=[f"{v[0]}-{v[1]}" for v in VARIANTS])
def test_a_wrong_variant_is_caught_and_said(root, notebook, name, variant, check, says):
    book = notebook(name)
    (wrong,) = (one for one in load_variants(root, load(name)).wrong if one.id == variant)
    assert says in book.said(f"selfcheck_{check}", **wrong.apply({cell.id: cell.source for cell in book.cells}))


RED = {
    "sgd": {"seeded"},  # it moves the parameters itself, and the check counts the calls of update_parameters
    "ising_phases": {"lists"},  # its split does not take the lists that its generator makes: the notebook stops as well
    "normalisation": {"single-precision"},  # it calls a function of a later cell, which is there when all have run
}
"""Right solutions with a self-check that stays red, and why."""


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_every_right_variant_passes_all_self_checks(root, notebook, name):
    exercise, red = load(name), {}
    for variant in load_variants(root, exercise).right:
        try:
            book = notebook(name)
            for cell in book.checks(replaced=variant.apply(solutions(root, exercise))):
                book.run(cell)
        except AssertionError as error:
            red[variant.id] = str(error)
    assert red.keys() == RED.get(name, set()), red


NETWORK = """
class AirNetwork(SimpleNeuralNetwork):
    def forward_pass(self, X):
        self.Z1 = self.W1 @ X + self.b1
        self.A1 = np.tanh(self.Z1)
        self.A2 = self.Z2 = self.W2 @ self.A1 + self.b2
        return self.A2
    def compute_loss(self, Y):
        return np.matrix([[np.sum(np.square(self.A2 - Y)) / Y.shape[1]]])
    def backward_pass(self, X, Y):
        m = X.shape[1]
        dZ2 = 2 * (self.A2 - Y) / m
        self.dW2 = dZ2 @ self.A1.T
        self.db2 = np.sum(np.asmatrix(dZ2), axis=1)
        dZ1 = self.W2.T @ dZ2 * (1 - self.A1**2)
        self.dW1 = np.asmatrix(dZ1 @ X.T)
        self.db1 = [[sum(row)] for row in dZ1]
"""
SCALER = """
def fit_scaler(Y):
    return [np.mean(Y, axis=1, keepdims=True), np.std(Y, axis=1, keepdims=True)]
def standardise(Y, mean, std):
    return (Y - mean) / std
def unstandardise(S, mean, std):
    return (S * std + mean).tolist()
"""
LAYER = """
def layer_forward(X, W, b):
    Z = np.matrix(W) * X + b
    return [Z, np.multiply(Z, np.tanh(Z))]
def layer_backward(dA, Z, X, W):
    Z = np.asarray(Z)
    dZ = np.multiply(dA, np.tanh(Z) + Z / np.cosh(Z) ** 2)
    return [dZ, dZ @ X.T, dZ @ np.ones((dZ.shape[1], 1)), (dZ.T @ W).T]
"""
SINGLE = """
def train_epoch(network, X, Y, learning_rate, order):
    X, Y = X.astype(np.float32), Y.astype(np.float32)
    for k in order:
        network.forward_pass(X[:, [k]])
        network.backward_pass(X[:, [k]], Y[:, [k]])
        network.update_parameters(np.float32(learning_rate))
"""
OTHER_STEP = STEP.format(step="net.update_parameters(learning_rate)", loss="np.array([loss])")
RECORD = """
properties = {
    "range": [0, np.inf], "parity": "even", "decreasing_on": [-np.inf, 0], "increasing_on": [0, np.inf],
    "slope_at_zero": f_prime.subs(x, 0), "slope_at_minus_infinity": sympy.limit(f_prime, x, -sympy.oo),
    "slope_at_plus_infinity": sympy.Integer(1),
    "largest_slope_at": sympy.Float("1.19967864"), "largest_slope": np.array([1.199]),
}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "replaced"),
    [
        ("multi_output", {"network": NETWORK, "scaler": SCALER, "step": OTHER_STEP}),
        ("custom_activation", {"record": RECORD, "layer": LAYER}),
        ("sgd", {"train_epoch": SINGLE}),
        ("relu_derivative", {"functions": SIGNALS}),
    ],
)
def test_right_work_in_other_kinds_of_numbers_passes(notebook, name, replaced):
    book = notebook(name)
    for cell in book.checks(replaced=replaced):
        book.run(cell)


def test_the_words_of_the_rates_record_are_those_of_the_grader(root):
    cells = nbformat.read(root / "source" / "design" / "reaction_rates.ipynb", as_version=4).cells
    (source,) = (cell.source for cell in cells if cell.id == "selfcheck_record")
    words = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and node.targets[0].id in ("activations", "transforms", "losses"):
            words[node.targets[0].id] = ast.literal_eval(node.value)
    assert words["losses"] == design_record.LOSSES
    assert words["activations"] == tuple(design_record.ACTIVATIONS)
    assert set(words["transforms"]) == set(design_record.TRANSFORMED_RANGES)


@pytest.mark.heavy
def test_run_all_of_a_half_solved_notebook_goes_to_its_end_and_validate_names_the_self_checks(root, tmp_path):
    """In a real kernel, as it is released: a slip in one cell, nothing in others, pictures of what is not there."""
    from kernel_kit import executed
    from nbgrader.validator import Validator

    folder = tmp_path / "sheet"
    shutil.copytree(root / "assignments" / "training", folder)
    path = folder / "hidden_size.ipynb"
    half = nbformat.read(path, as_version=4)
    for cell in half.cells:
        if cell.id == "study":
            cell.source = "def study(*arguments:\n    return []"
    nbformat.write(half, path)
    executed(half, folder)
    errors = {
        cell.id: " ".join(" ".join(output.traceback).split())
        for cell in half.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "error"
    }
    last = next(cell for cell in reversed(half.cells) if cell.cell_type == "code")
    assert last.execution_count == sum(cell.cell_type == "code" for cell in half.cells)
    assert "'(' was never closed" in errors.pop("study")
    assert "study is not there: its cell stopped in line 1 with SyntaxError" in errors.pop("selfcheck_study")
    assert "spread is not written yet: replace the line" in errors.pop("selfcheck_spread")
    assert errors.pop("table").startswith("This cell is not filled in yet")
    assert errors.pop("boundaries").startswith("table is not there: its cell is not filled in yet")
    assert errors.pop("defaults").startswith("study is not there: its cell stopped in line 1 with SyntaxError")
    assert list(errors) == ["sorted_sizes", "best_sizes"]  # not written yet, which Python says
    failed = Validator().validate(str(path))["failed"]
    assert len(failed) == 2
    assert all("Self-check: not yet." in cell["error"] for cell in failed)
