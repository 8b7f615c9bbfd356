"""The sigmoid, the data, the plots and the progress bar, as students use them."""

import builtins
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from backprop import accuracy, check_columns, load_moons, plot_decision_boundary, plot_losses, progress, show, sigmoid
from hypothesis import given
from hypothesis import strategies as st
from simple_network import SimpleNeuralNetwork

NUMBERS = st.floats(-1e308, 1e308)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


# --- Functions ------------------------------------------------------------------------------------------------------


@given(NUMBERS)
def test_sigmoid_is_symmetric_and_between_0_and_1(z):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        a = sigmoid(z)
    assert 0 <= a <= 1
    assert a + sigmoid(-z) == pytest.approx(1, abs=1e-15)


@given(st.floats(-700, 30))
def test_sigmoid_is_exact_far_out(z):
    assert sigmoid(z) == pytest.approx(1 / (1 + np.exp(-np.longdouble(z))), rel=1e-15)


def test_sigmoid_at_its_known_values():
    assert sigmoid(0) == 0.5
    assert list(sigmoid(np.array([-1000, 1000]))) == [0, 1]
    assert np.isnan(sigmoid(np.nan))
    assert sigmoid(np.zeros((2, 3), dtype=np.float32)).dtype == np.float32


def test_accuracy_counts_examples_that_are_right_in_every_output():
    assert accuracy(np.array([[1, 0, 1, 1]]), np.array([[1, 0, 0, 1]])) == 0.75
    assert accuracy(np.array([[1, 0], [0, 0]]), np.array([[1, 0], [1, 0]])) == 0.5


def test_accuracy_refuses_shapes_that_would_broadcast():
    with pytest.raises(ValueError, match=r"predictions have shape \(1, 4\) and Y has shape \(4,\)"):
        accuracy(np.ones((1, 4)), np.ones(4))


@pytest.mark.parametrize(
    ("shape", "rows", "hint"),
    [
        ((200, 2), 2, "X has shape (200, 2): one column per example is expected, that is (2, 200). Did you forget .T?"),
        ((5,), 1, "that is (1, m). Did you forget .reshape(1, -1)?"),
        ((3,), 3, "that is (3, 1) for a single example. Did you forget .reshape(-1, 1)?"),
        ((4, 7), 3, "that is (3, m)."),
        ((3, 0), 3, "that is (3, m)."),
        ((), 1, "that is (1, m)."),
        ((2, 3, 4), 2, "that is (2, m)."),
    ],
)
def test_a_wrong_shape_is_told_with_what_was_expected(shape, rows, hint):
    with pytest.raises(ValueError) as error:
        check_columns(np.zeros(shape), rows, "X")
    assert hint in str(error.value)


def test_labels_have_to_fit_the_examples():
    net = SimpleNeuralNetwork(2, 3, 1)
    net.forward_pass(np.zeros((2, 5)))
    for wrong in (np.zeros(5), np.zeros((5, 1)), np.zeros((1, 4)), np.zeros((2, 5))):
        with pytest.raises(ValueError, match=r"Y has shape .* expected, that is \(1, 5\)"):
            net.compute_loss(wrong)
        with pytest.raises(ValueError, match="Y has shape"):
            net.backward_pass(np.zeros((2, 5)), wrong)


# --- Data -----------------------------------------------------------------------------------------------------------


def test_the_moons_have_one_column_per_example_and_are_always_the_same():
    X_train, Y_train, X_test, Y_test = load_moons()
    assert (X_train.shape, Y_train.shape, X_test.shape, Y_test.shape) == ((2, 140), (1, 140), (2, 60), (1, 60))
    assert set(np.unique(Y_train)) == set(np.unique(Y_test)) == {0, 1}
    assert Y_train.sum() + Y_test.sum() == 100
    assert all(np.array_equal(a, b) for a, b in zip(load_moons(), (X_train, Y_train, X_test, Y_test)))


# --- Pictures -------------------------------------------------------------------------------------------------------


def test_the_decision_boundary_is_drawn_with_labelled_axes_and_leaves_the_network_alone():
    X, Y, _, _ = load_moons()
    net = SimpleNeuralNetwork(2, 3, 1, rng=0, weight_scale=1)
    stored = net.forward_pass(X)
    ax = plot_decision_boundary(net, X, Y, title="Three units")
    assert net.A2 is stored
    assert ax.get_title() == "Three units"
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["class 0", "class 1"]
    ax.figure.canvas.draw()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("answer", [lambda P: P[0] - P[1], lambda P: np.zeros(P.shape[1]), lambda P: 1e6 * P[:1]])
def test_any_function_of_the_plane_can_be_drawn(answer):
    X, Y, _, _ = load_moons()
    plot_decision_boundary(answer, X, 2 * Y - 1, level=0.0).figure.canvas.draw()


@pytest.mark.filterwarnings("error")
def test_one_example_and_one_class_can_be_drawn():
    plot_decision_boundary(lambda P: P[0], np.zeros((2, 1)), np.zeros(1)).figure.canvas.draw()


def test_what_cannot_be_drawn_is_told():
    X, Y, _, _ = load_moons()
    with pytest.raises(ValueError, match=r"Did you forget \.T\?"):
        plot_decision_boundary(lambda P: P[0], X.T, Y)
    with pytest.raises(ValueError, match=r"140 examples .* 139 labels"):
        plot_decision_boundary(lambda P: P[0], X, Y[0, 1:])
    with pytest.raises(ValueError, match="one answer per point"):
        plot_decision_boundary(lambda P: P, X, Y)
    with pytest.raises(ValueError, match="no loss to plot"):
        plot_losses([])


@pytest.mark.filterwarnings("error")
def test_one_loss_curve_or_several():
    assert plot_losses([0.7, 0.5, 0.4]).get_legend() is None
    _, axes = plt.subplots(1, 2)
    curves = {"batch": np.linspace(1, 0.1, 40), "one at a time": [[0.5], [0.4]]}
    ax = plot_losses(curves, axes[1], "Two ways", xlabel="step", log=True)
    assert ax is axes[1]
    assert (ax.get_title(), ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("Two ways", "step", "loss", "log")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(curves)
    first, second = ax.get_lines()
    assert first.get_color() != second.get_color()
    assert first.get_linestyle() != second.get_linestyle()
    ax.figure.canvas.draw()


# --- Progress -------------------------------------------------------------------------------------------------------


def test_short_work_shows_no_bar(capfd):
    assert list(progress(5)) == [0, 1, 2, 3, 4]
    assert list(progress(0)) == []
    assert capfd.readouterr() == ("", "")


def test_long_work_shows_a_bar_on_standard_output_only(capfd):
    pytest.importorskip("tqdm")
    assert list(progress(7, "fitting", after=0)) == list(range(7))
    out, err = capfd.readouterr()
    assert "fitting" in out
    assert err == ""


def test_without_tqdm_progress_is_plain_text(monkeypatch, capfd):
    real_import = builtins.__import__

    def no_tqdm(name, *arguments, **options):
        if name.startswith("tqdm"):
            raise ImportError(name)
        return real_import(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", no_tqdm)
    assert list(progress(20, after=0)) == list(range(20))
    out, err = capfd.readouterr()
    assert out.splitlines() == [f"training: {10 * k} %" for k in range(1, 11)]
    assert err == ""


def test_importing_the_toolkit_is_light_and_needs_numpy_only():
    code = "import backprop, selfcheck, simple_network, sys; print(*sys.modules)"
    folder = Path(accuracy.__code__.co_filename).parent
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=folder)
    assert not {"matplotlib", "sklearn", "tqdm", "IPython", "rich", "ipywidgets"} & set(done.stdout.split())


def test_where_no_notebook_shows_figures_show_is_that_of_matplotlib(monkeypatch):
    import matplotlib.pyplot as plt

    called = []
    monkeypatch.setattr(plt, "show", lambda: called.append(plt.get_fignums()))
    plt.close("all")
    plt.figure()
    show("an empty figure")
    assert called == [[1]]
    plt.close("all")
