"""The layer door: exact products by every route, laws, named mistakes, and what is said."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograder
from autograder.layers import Layer, LayerError, assert_layer, check_layer
from autograder.layers.exact import COMPLEX, DIGITWISE, SYMPY, complex_step, digitwise, product, symbolic

# Layers with a right backward pass, and the routes that hold for them ------------------------------------------------

NORM = {"x": ("m", "n"), "gamma": ("n",), "beta": ("n",)}


def layer_norm(x, gamma, beta, eps=1e-5):
    centred = x - x.mean(axis=1, keepdims=True)
    return gamma * centred / np.sqrt(x.var(axis=1, keepdims=True) + eps) + beta


def layer_norm_backward(g, x, gamma, beta):
    s = np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
    h, d = (x - x.mean(axis=1, keepdims=True)) / s, g * gamma
    dx = (d - d.mean(axis=1, keepdims=True) - h * (d * h).mean(axis=1, keepdims=True)) / s
    return dx, (g * h).sum(axis=0), g.sum(axis=0)


def softmax(s):
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def attention(q, k, v):
    return softmax(q @ k.T / np.sqrt(k.shape[1])) @ v


def attention_backward(g, q, k, v):
    p = softmax(q @ k.T / np.sqrt(k.shape[1]))
    dp = g @ v.T
    ds = p * (dp - (dp * p).sum(axis=1, keepdims=True)) / np.sqrt(k.shape[1])
    return ds @ k, ds.T @ q, p.T @ g


def convolution(x, w):
    return np.einsum("bio,io->b", np.stack([x[i : i + w.shape[0]] for i in range(len(x) - len(w) + 1)]), w)


def convolution_backward(g, x, w):
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i, one in enumerate(g):
        dx[i : i + len(w)] += one * w
        dw += one * x[i : i + len(w)]
    return dx, dw


def swish(x):
    return x / (1 + np.exp(-x))


LAYERS = {
    "layer norm": (layer_norm, layer_norm_backward, NORM, {SYMPY, COMPLEX}),
    "attention": (attention, attention_backward, {"q": ("t", "d"), "k": ("s", "d"), "v": ("s", "e")}, {COMPLEX}),
    "convolution": (convolution, convolution_backward, {"x": (5, "c"), "w": (3, "c")}, {SYMPY, COMPLEX}),
    "swish": (
        swish,
        lambda g, x: g * (1 + x * (1 - 1 / (1 + np.exp(-x)))) / (1 + np.exp(-x)),
        {"x": ("m", "n")},
        {SYMPY, COMPLEX},
    ),
    "max pool": (
        lambda x: x.max(axis=1),
        lambda g, x: g[:, None] * (x == x.max(axis=1, keepdims=True)),
        {"x": ("m", "n")},
        {COMPLEX},
    ),
    "absolute": (lambda x: np.abs(x) ** 3, lambda g, x: 3 * g * x * np.abs(x), {"x": ("n",)}, {COMPLEX}),
    "norm": (  # of complex numbers numpy takes another norm, and does not say so
        lambda x: np.linalg.norm(x, axis=1),
        lambda g, x: (g / np.linalg.norm(x, axis=1))[:, None] * x,
        {"x": ("m", "n")},
        {SYMPY, DIGITWISE},
    ),
    "inverse": (  # no object goes through LAPACK: checked by difference quotients
        lambda x: np.linalg.inv(x),
        lambda g, x: -np.linalg.inv(x).T @ g @ np.linalg.inv(x).T,
        {"x": (3, 3)},
        {COMPLEX},
    ),
    "two outputs": (
        lambda x, w: (np.tanh(x @ w), x.sum(axis=0)),
        lambda g0, g1, x, w: (
            (g0 * (1 - np.tanh(x @ w) ** 2)) @ w.T + g1,
            x.T @ (g0 * (1 - np.tanh(x @ w) ** 2)),
        ),
        {"x": ("m", "n"), "w": ("n", "k")},
        {SYMPY, COMPLEX},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LAYERS)
def test_a_right_backward_pass_is_right_and_the_route_is_the_one_that_holds(name):
    forward, backward, shapes, routes = LAYERS[name]
    report = check_layer(forward, backward, shapes, seed=1)
    assert report, str(report)
    assert set(report.routes) <= routes
    assert not report.remarks


@pytest.mark.slow
@pytest.mark.parametrize("name", ["layer norm", "swish", "convolution", "two outputs"])
def test_the_three_routes_agree_to_rounding(name):
    forward, _, shapes, _ = LAYERS[name]
    layer = Layer(forward, shapes)
    point = layer.point(np.random.default_rng(5), dict(zip(layer.sizes, (2, 3, 1))))
    inputs, outputs = layer.by(point), layer.outputs(point)
    upstream = tuple(point[one] for one in layer.upstreams(outputs))

    def run(some):
        return layer._run({**point, **some})

    found = [complex_step(run, inputs, upstream), dict(digitwise(run, inputs, upstream).low)]
    found.append(symbolic(run, inputs, upstream))
    for one in found[1:]:
        for key, values in one.items():
            np.testing.assert_allclose(found[0][key], values, rtol=0, atol=4e-15 * np.abs(values).max())


# Laws ----------------------------------------------------------------------------------------------------------------

NUMBERS = st.floats(-2, 2).filter(lambda x: abs(x) > 1e-3)


@settings(max_examples=5, deadline=None)
@given(a=NUMBERS, b=NUMBERS, seed=st.integers(0, 10**6))
def test_the_product_is_linear_in_the_upstream_gradient(a, b, seed):
    rng = np.random.default_rng(seed)
    layer = Layer(attention, LAYERS["attention"][2])
    point = layer.point(rng, {"t": 2, "d": 3, "s": 4, "e": 1})
    other = rng.normal(size=point["g"].shape)
    one, two = layer.gradients(point), layer.gradients({**point, "g": other})
    both = layer.gradients({**point, "g": a * point["g"] + b * other})
    for name, value in both.items():
        np.testing.assert_allclose(value, a * one[name] + b * two[name], atol=1e-13)


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_chain_of_two_layers_is_the_product_of_their_products(seed):
    rng = np.random.default_rng(seed)
    first, second = Layer(layer_norm, NORM), Layer(lambda y: softmax(y * np.abs(y)), {"y": ("m", "n")})
    chain = Layer(lambda x, gamma, beta: second.forward(layer_norm(x, gamma, beta)), NORM)
    point = chain.point(rng, {"m": 2, "n": 3})
    between = second.gradients({"y": first.outputs(point)[0], "g": point["g"]})["dy"]
    step_by_step, at_once = first.gradients({**point, "g": between}), chain.gradients(point)
    for name, value in at_once.items():
        np.testing.assert_allclose(step_by_step[name], value, atol=1e-12)


# Kinks ---------------------------------------------------------------------------------------------------------------

KINK = [{"x": np.array([0.0, 1.5, -2.0]), "g": np.array([2.0, -1.0, 3.0])}]


@pytest.mark.parametrize(("slope", "right"), [(0, True), (1, True), (0.5, True), (1.1, False), (-0.1, False)])
def test_at_a_kink_every_slope_between_the_sides_is_right_and_no_other(slope, right):
    report = check_layer(
        lambda x: np.maximum(x, 0), lambda g, x: g * np.where(x == 0, slope, x > 0), {"x": ("n",)}, points=KINK
    )
    assert bool(report) is right
    assert "kink" in report.remarks[0]
    assert report.routes == (DIGITWISE,)


def test_the_sides_of_a_kink_are_exact():
    found = product(
        lambda some: (np.where(some["x"] > 0, np.exp(some["x"]), 1 - some["x"]),), {"x": np.zeros(1)}, (np.ones(1),)
    )
    assert (found.low["x"].item(), found.high["x"].item()) == (-1.0, 1.0)


def test_sixty_digits_are_right_where_another_formula_says_so():
    layer = Layer(lambda x: np.linalg.norm(x, axis=0) * np.tanh(x[0]), {"x": (2, 1)})
    x, g = np.array([[0.7], [-1.3]]), np.array([1.9])
    found = digitwise(layer._run, {"x": x}, (g,))
    with mpmath.workdps(40):
        a, b = mpmath.mpf(0.7), mpmath.mpf(-1.3)
        r = mpmath.sqrt(a * a + b * b)
        due = mpmath.mpf(1.9) * (a / r * mpmath.tanh(a) + r * (1 - mpmath.tanh(a) ** 2))
    assert found["x"][0, 0] == float(due)


# Mistakes ------------------------------------------------------------------------------------------------------------


def _norm(h_term=True, mean_term=True, spread=1e-5):
    def wrong(g, x, gamma, beta):
        s = np.sqrt(x.var(axis=1, keepdims=True) + spread)
        h, d = (x - x.mean(axis=1, keepdims=True)) / s, g * gamma
        dx = d - mean_term * d.mean(axis=1, keepdims=True) - h_term * h * (d * h).mean(axis=1, keepdims=True)
        return dx / s, (g * h).sum(axis=0), g.sum(axis=0)

    return wrong


MISTAKES = {
    "the variance is taken for constant": _norm(h_term=False),
    "the mean is taken for constant": _norm(mean_term=False),
    "both are taken for constant": _norm(h_term=False, mean_term=False),
    "gamma is left out": lambda g, x, gamma, beta: {"dx": layer_norm_backward(g, x, np.ones_like(gamma), beta)[0]},
    "beta's gradient is averaged": lambda g, x, gamma, beta: (None, None, g.mean(axis=0)),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_known_mistake_is_named_where_it_shows_and_nowhere_else(mistake):
    def backward(*given):
        made = MISTAKES[mistake](*given)
        right = dict(zip(("dx", "dgamma", "dbeta"), layer_norm_backward(*given)))
        found = made if isinstance(made, dict) else dict(zip(right, made))
        return right | {name: value for name, value in found.items() if value is not None}

    report = check_layer(layer_norm, backward, NORM, mistakes=MISTAKES)
    wrong = "dbeta" if "beta" in mistake else "dx"
    assert {one.gradient: one.mistakes for one in report.findings if not one.right} == {wrong: (mistake,)}
    assert report.aliases == ()


@pytest.mark.slow
def test_pairs_that_the_points_cannot_tell_apart_are_aliases():
    two = Layer(layer_norm, NORM).point(np.random.default_rng(2), {"m": 2, "n": 3})
    one = Layer(layer_norm, NORM).point(np.random.default_rng(2), {"m": 1, "n": 3})
    more = MISTAKES | {"beta's gradient is halved": lambda g, x, gamma, beta: {"beta": g.sum(axis=0) / 2}}
    told = [
        [
            str(alias)
            for alias in check_layer(layer_norm, layer_norm_backward, NORM, mistakes=more, points=points).aliases
        ]
        for points in ([two], [{**one, "gamma": np.ones(3)}], [two, one])
    ]
    assert told == [
        ['dbeta: the points do not tell "beta\'s gradient is averaged" from "beta\'s gradient is halved"'],
        [
            "dx: the points do not tell 'gamma is left out' from the right one",
            'dbeta: the points do not tell "beta\'s gradient is averaged" from the right one',
        ],
        [],
    ]


@pytest.mark.slow
def test_an_upstream_gradient_of_ones_would_hide_what_ours_shows():
    """Why upstream gradients are drawn: with ones, dx of a layer norm is nearly 0 whatever is left out."""
    layer = Layer(layer_norm, NORM)
    points = layer.points(np.random.default_rng(0))
    for point in points:
        assert len(np.unique(point["g"])) == point["g"].size
    wrong = MISTAKES["the variance is taken for constant"]
    plain = [{**point, "g": np.ones_like(point["g"]), "gamma": np.ones_like(point["gamma"])} for point in points]
    assert check_layer(layer_norm, wrong, NORM, points=plain)["dgamma"].right
    assert np.abs(wrong(plain[0]["g"], *(plain[0][k] for k in NORM))[0]).max() < 1e-12
    assert not check_layer(layer_norm, wrong, NORM, points=points)


@pytest.mark.parametrize(
    ("backward", "said"),
    [
        (lambda g, x, w: (g @ w.T, x.T @ g * x.shape[0]), "every entry is m times what is due"),
        (lambda g, x, w: (g @ w.T, x.T @ g / x.shape[0]), "every entry is 1/m of what is due"),
        (lambda g, x, w: (g @ w.T, -x.T @ g), "every entry has the wrong sign"),
        (lambda g, x, w: (g @ w.T, 2 * x.T @ g), "every entry is 2 times what is due"),
        (lambda g, x, w: (g @ w.T, g.T @ x), "it has the shape (5, 3), and (3, 5) is due: it is transposed"),
        (
            lambda g, x, w: (g @ w.T, x[:, :, None] * g[:, None, :]),
            "it has the shape (2, 3, 5), and (3, 5) is due: it is not summed over the axis 0",
        ),
        (lambda g, x, w: (g @ w.T, None), "it is missing"),
        (lambda g, x, w: (g @ w.T, x.T @ g * np.nan), "it is not finite (nan or inf)"),
        (lambda g, x, w: (g @ w.T, "dw"), "it is no array of real numbers, but str of <U2"),
        (lambda g, x, w: (g @ w.T, [[1.0], [2.0, 3.0]]), "it is no array: its rows differ in length"),
        (lambda g, x, w: (g @ w.T, x.T @ g + (np.arange(g.shape[1]) == 1)), "entries differ at point 1"),
        (lambda g, x, w: {"x": g @ w.T, "dw": x.T @ g + 1j}, "it is no array of real numbers"),
    ],
)
def test_what_is_wrong_is_said(backward, said):
    report = check_layer(lambda x, w: x @ w, backward, {"x": ("m", "n"), "w": ("n", "k")})
    assert report["dx"].right
    assert said in report["dw"].message
    assert said in str(report)


def test_single_precision_is_judged_as_such():
    shapes = {"x": ("n",)}
    assert check_layer(np.tanh, lambda g, x: np.float32(g / np.cosh(x) ** 2), shapes)
    assert not check_layer(np.tanh, lambda g, x: np.float32(g / np.cosh(x) ** 2 * 1.01), shapes)


def test_a_backward_pass_that_changes_its_arguments_is_told():
    def backward(g, x):
        g *= 2 * x
        return g

    report = check_layer(lambda x: x**2, backward, {"x": ("n",)})
    assert report
    assert report.remarks == ("backward changes the upstream gradient, which belongs to its caller",)


def test_integers_and_defaults_are_given_and_not_differentiated_by():
    def forward(x, mask, scale=3.0):
        return scale * x * mask

    report = check_layer(
        forward, lambda g, x, mask: 3 * g * mask, {"x": ("m", "n"), "mask": ("m", "n")},
        draw={"mask": lambda rng, shape: rng.integers(0, 2, shape)},
    )  # fmt: skip
    assert report
    assert [one.gradient for one in report.findings] == ["dx"]


def test_the_sizes_of_a_point_differ_and_so_do_points():
    layer = Layer(lambda a, b, c: a @ b @ c, {"a": ("i", "j"), "b": ("j", "k"), "c": ("k", "l")})
    seen = set()
    for point in layer.points(np.random.default_rng(4)):
        sizes = (*point["a"].shape, *point["c"].shape)
        assert len(set(sizes)) == 4
        seen.add(sizes)
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("forward", "backward", "shapes", "options", "said"),
    [
        (lambda x, w: x @ w, None, {"x": ("m", "n")}, {}, "no shape is given for w"),
        (lambda x: x, None, {"x": ("n",), "y": ("n",)}, {}, "y is no argument"),
        (lambda x, w: x @ w, None, {"x": ("m", "n"), "w": ("k", "n")}, {}, "Do the shapes fit?"),
        (lambda x: np.log(x), None, {"x": ("n",)}, {}, "is not finite at a point that was drawn"),
        (lambda x: "no", None, {"x": ("n",)}, {}, "it must return arrays of real numbers"),
        (lambda x: x, lambda g, x: (g, g), {"x": ("n",)}, {}, "backward returns 2 of 1 gradients: dx are due"),
        (lambda x: x, lambda g, x: {"dy": g}, {"x": ("n",)}, {}, "backward returns ddy; the gradients are dx"),
        (lambda x: x, lambda g, x: g, {"x": ("n",)}, {"mistakes": {"odd": lambda g, x: g @ 1}}, "mistake 'odd' raised"),
        (lambda x: x, lambda g, x: g, {"x": ("n",)}, {"draw": {"y": None}}, "draw names y"),
        (lambda x: np.array([float(one) for one in x]), None, {"x": ("n",)}, {}, "np.zeros_like(x)"),
        (lambda x: np.logaddexp(x, 0), None, {"x": ("n",)}, {}, "no exact route goes through"),
        (lambda x: x, lambda g, x: g, {"x": ("n",)}, {"points": []}, "no point"),
    ],
)  # fmt: skip
def test_a_layer_that_cannot_be_checked_says_what_to_change(forward, backward, shapes, options, said):
    with np.errstate(all="ignore"), pytest.raises(LayerError) as problem:
        check_layer(forward, backward, shapes, **options)
    assert said in str(problem.value)


def test_a_backward_pass_that_raises_is_told_with_the_shapes():
    report = check_layer(lambda x: x, lambda g, x: g @ np.ones((17, 1)), {"x": ("n",)})
    assert "backward raised ValueError" in report["dx"].message
    assert "(2,), (2,)" in report["dx"].message


@pytest.mark.slow
def test_for_a_test_there_is_an_assertion():
    assert_layer(layer_norm, layer_norm_backward, NORM, mistakes=MISTAKES)
    with pytest.raises(AssertionError, match="the variance is taken for constant"):
        assert_layer(layer_norm, _norm(h_term=False), NORM, mistakes=MISTAKES)
    with pytest.raises(AssertionError, match="do not tell 'a' from 'b'"):
        assert_layer(
            np.tanh,
            lambda g, x: g / np.cosh(x) ** 2,
            {"x": ("n",)},
            mistakes={"a": lambda g, x: g, "b": lambda g, x: g},
        )


def test_the_door_is_found_at_the_top_of_the_package():
    assert autograder.check_layer is check_layer
    assert autograder.assert_layer is assert_layer
    with pytest.raises(AttributeError, match="no attribute 'chek_layer'"):
        autograder.chek_layer  # noqa: B018
