"""``autograder explain --code``: a function of anyone's, run in the sandbox, with the place of what is wrong in it."""

import argparse
import json

import pytest
from sample_kit import sampled

from autograder.commands.explain import add_arguments, run

NETWORK = ["--hidden", "tanh", "--output", "sigmoid", "--loss", "bce"]
COLUMNS = """
import numpy as np

def gradients(X, Y, W1, b1, W2, b2):
    A1 = np.tanh(W1 @ X + b1)
    A2 = 1 / (1 + np.exp(-(W2 @ A1 + b2)))
    d2 = (A2 - Y) / X.shape[1]
    d1 = W2.T @ d2 * (1 - A1**2)
    return d1 @ X.T, d1.sum(axis=1, keepdims=True), d2 @ A1.T, d2.sum(axis=1, keepdims=True)
"""
ROWS = """
import numpy as np

def step(X, Y, params, learning_rate):
    A1 = np.tanh(X @ params["W1"] + params["b1"])
    A2 = 1 / (1 + np.exp(-(A1 @ params["W2"] + params["b2"])))
    d2 = (A2 - Y) / len(X)
    d1 = d2 @ params["W2"].T * (1 - A1**2)
    grads = {"W2": A1.T @ d2, "b2": d2.sum(0), "W1": X.T @ d1, "b1": d1.sum(0)}
    return {name + "_new": params[name] - learning_rate * grads[name] for name in params}
"""


SLIPS = [
    ("(1 - A1**2)", "A1 * (1 - A1)", "A1 * (1 - A1)", 8),
    ("(A2 - Y) / X.shape[1]", "A2 - Y", "A2 - Y", 7),
    ("d2 @ A1.T", "d2 @ (W1 @ X).T", "W1 @ X", 9),
]


def told(capsys, tmp_path, source, *arguments, expected=0):
    file = tmp_path / "mine.py"
    file.write_text(source)
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert run(parser.parse_args(["--code", str(file), "--json", *arguments])) == expected
    out = capsys.readouterr()
    return json.loads(out.out)["parameters"] if expected == 0 else out.err


@pytest.mark.slow
@pytest.mark.parametrize(("old", "new", "code", "line"), sampled(SLIPS, SLIPS[0]))
def test_a_place_is_shown_beside_the_named_mistake(capsys, tmp_path, old, new, code, line):
    assert COLUMNS.count(old) == 1
    found = told(capsys, tmp_path, COLUMNS.replace(old, new), "--function", "gradients", "--strict", *NETWORK)
    wrong = [one for one in found.values() if one["verdict"] == "wrong"]
    assert wrong
    assert {(one["place"]["code"], one["place"]["line"]) for one in wrong} == {(code, line)}


@pytest.mark.slow
def test_right_code_in_rows_has_no_place_and_a_wrong_one_has(capsys, tmp_path):
    arguments = ["--function", "step", "--layout", "rows", "--learning-rate", "0.3", "--sizes", "2,3,2", *NETWORK]
    found = told(capsys, tmp_path, ROWS, *arguments)
    assert {one["verdict"] for one in found.values()} == {"right"}
    assert not any("place" in one for one in found.values())
    found = told(capsys, tmp_path, ROWS.replace("X.T @ d1", "X.T @ -d1"), *arguments)
    assert found["W1"]["mistakes"] == ["sign-flipped"]
    assert found["W1"]["place"]["line"] in (9, 10)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--function", "nothing", *NETWORK], "there is no function nothing"),
        (NETWORK, "--function is missing"),
        (["--function", "gradients", "--layout", "torch", *NETWORK], "--layout torch are about points in files"),
        (["--function", "gradients", "--layer", "dropout", *NETWORK], "--layer"),
        (["--function", "gradients", "--sizes", "3", *NETWORK], "--sizes names 1 layers"),
        (["--function", "gradients", "--hidden", "tanh,tanh", *NETWORK[2:]], "takes"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(capsys, tmp_path, arguments, said):
    source = COLUMNS.replace("X, Y, W1", "X, Y, extra, W1") if said == "takes" else COLUMNS
    assert said in told(capsys, tmp_path, source, *arguments, expected=2)


@pytest.mark.slow
def test_what_the_code_raises_is_told(capsys, tmp_path):
    source = COLUMNS.replace("d2 @ A1.T", "undefined")
    assert "NameError" in told(capsys, tmp_path, source, "--function", "gradients", *NETWORK, expected=2)


PARTS = """
import numpy as np

def gradients(X, Y, W1, b1, gamma1, beta1, mask1, keep, W2, b2):
    Z1 = X @ W1 + b1
    s = np.sqrt(Z1.var(axis=1, keepdims=True) + 1e-5)
    H1 = (Z1 - Z1.mean(axis=1, keepdims=True)) / s
    F1 = np.tanh(gamma1 * H1 + beta1)
    A1 = X + F1 * mask1 / keep
    d2 = (1 / (1 + np.exp(-(A1 @ W2 + b2))) - Y) / len(X)
    dF = d2 @ W2.T * mask1 / keep
    dN = dF * (1 - F1**2)
    dH = dN * gamma1
    dZ = (dH - dH.mean(axis=1, keepdims=True) - H1 * (dH * H1).mean(axis=1, keepdims=True)) / s
    return {
        "dW1": X.T @ dZ, "db1": dZ.sum(0), "dgamma1": (dN * H1).sum(0), "dbeta1": dN.sum(0),
        "dW2": A1.T @ d2, "db2": d2.sum(0),
    }
"""
SLIPS_OF_PARTS = [
    ("(1 - F1**2)", "(1 - A1**2)", "A1"),
    ("(dN * H1)", "(dN * Z1)", "Z1"),
    (") / s\n    return", ") / s**2\n    return", "2"),
    ("W2.T * mask1 / keep", "W2.T * mask1", "mask1"),
    ("dH - dH.mean(axis=1", "dH - dH.mean(axis=0", "0"),
]
OF_PARTS = ["--norm", "layer", "--dropout", "--residual", "--layout", "rows", "--sizes", "3,3,1", *NETWORK]


@pytest.mark.slow
def test_norm_dropout_and_residual_in_one_network_are_right(capsys, tmp_path):
    found = told(capsys, tmp_path, PARTS, "--function", "gradients", *OF_PARTS)
    assert {name: one["verdict"] for name, one in found.items()} == dict.fromkeys(
        ["W1", "b1", "gamma1", "beta1", "W2", "b2"], "right"
    )


@pytest.mark.slow
@pytest.mark.parametrize(("old", "new", "code"), sampled(SLIPS_OF_PARTS, SLIPS_OF_PARTS[1], SLIPS_OF_PARTS[3]))
def test_a_place_is_shown_in_a_network_of_any_parts(capsys, tmp_path, old, new, code):
    assert PARTS.count(old) == 1
    found = told(capsys, tmp_path, PARTS.replace(old, new), "--function", "gradients", "--strict", *OF_PARTS)
    places = {(one["place"]["code"], one["place"]["line"]) for one in found.values() if one["verdict"] == "wrong"}
    assert {place[1] for place in places} == {PARTS[: PARTS.index(old)].count("\n") + 1}
    assert all(code in place[0] for place in places)


ADAM = """
import numpy as np

def train(X, Y, params, learning_rate):
    m = {name: 0 * p for name, p in params.items()}
    v = {name: 0 * p for name, p in params.items()}
    params = dict(params)
    for t in (1, 2):
        A1 = np.tanh(params["W1"] @ X + params["b1"])
        A2 = 1 / (1 + np.exp(-(params["W2"] @ A1 + params["b2"])))
        d2 = (A2 - Y) / X.shape[1]
        d1 = params["W2"].T @ d2 * (1 - A1**2)
        grads = {
            "W1": d1 @ X.T, "b1": d1.sum(axis=1, keepdims=True), "W2": d2 @ A1.T, "b2": d2.sum(axis=1, keepdims=True),
        }
        for name, g in grads.items():
            m[name] = 0.9 * m[name] + 0.1 * g
            v[name] = 0.999 * v[name] + 0.001 * g**2
            step = m[name] / (1 - 0.9**t) / (np.sqrt(v[name] / (1 - 0.999**t)) + 1e-8)
            params[name] = params[name] - learning_rate * step
    return {name + "_new": p for name, p in params.items()}
"""


@pytest.mark.slow
def test_steps_of_an_optimiser_are_asked_and_their_mistake_is_named(capsys, tmp_path):
    arguments = ["--function", "train", "--optimiser", "adam", "--steps", "2", "--learning-rate", "0.1", *NETWORK]
    found = told(capsys, tmp_path, ADAM, *arguments)
    assert {one["verdict"] for one in found.values()} == {"right"}
    found = told(capsys, tmp_path, ADAM.replace(" / (1 - 0.9**t) /", " /"), *arguments)
    assert found["W2"]["mistakes"] == ["adam-first-correction-missing"]
    found = told(capsys, tmp_path, ADAM.replace("(1 - A1**2)", "A1"), *arguments)
    assert found["W2"]["place"]["code"] == "A1"
    assert found["W2"]["place"]["line"] == ADAM[: ADAM.index("(1 - A1**2)")].count("\n") + 1
