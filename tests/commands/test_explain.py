"""The command ``autograder explain``."""

import argparse
import json
import pickle

import numpy as np
import pytest
from diagnosis_kit import bench

from autograder.commands.explain import add_arguments, run
from autograder.diagnosis import Point, Spec, mutate

TANH = Spec(("tanh",), "sigmoid", "bce")
NETWORK = ["--hidden", "tanh", "--output", "sigmoid", "--loss", "bce"]


def call(*arguments):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args([str(a) for a in arguments]))


@pytest.fixture
def write(tmp_path):
    def write(spec=TANH, choices=None, outputs=1, rows=False, change=None):
        files = []
        for index, inputs in enumerate(bench.challenges(spec, outputs)):
            arrays = {**inputs, **mutate(spec, Point(inputs), choices or {})}
            arrays = {k: v for k, v in arrays.items() if k not in ("reg_lambda", "learning_rate")}
            if rows:
                arrays = {k: v.ravel() if k.removeprefix("d")[0] == "b" else v.T for k, v in arrays.items()}
            arrays = {k: v for k, v in {**arrays, **(change or {})}.items() if v is not None}
            files.append(tmp_path / f"point{index}.npz")
            np.savez(files[-1], **arrays)
        return files

    return write


def test_a_mistake_is_named_with_its_example_and_hint(write, capsys):
    assert call(*write(choices={"derivative-1": "sigmoid-derivative-with-tanh"}), *NETWORK) == 0
    out = capsys.readouterr().out
    assert "W2: right\n" in out
    assert "W1: wrong\n    The derivative of sigmoid is used with tanh. [sigmoid-derivative-with-tanh]\n" in out
    assert "dW1 should be" in out
    assert "\x1b" not in out


@pytest.mark.parametrize("rows", [False, True])
def test_json_has_a_verdict_mistakes_and_evidence_for_each_parameter(write, capsys, rows):
    files = write(choices={"divisor@b2": "missing-1-over-m"}, rows=rows)
    assert call(*files, *NETWORK, "--json", "--layout", "rows" if rows else "columns") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["points"] == 3
    assert {p: e["verdict"] for p, e in said["parameters"].items()} == {
        "W2": "right",
        "b2": "wrong",
        "W1": "right",
        "b1": "right",
    }
    assert said["parameters"]["b2"]["mistakes"] == ["missing-1-over-m"]
    assert said["parameters"]["b2"]["evidence"]["expected"]
    assert said["parameters"]["W2"]["evidence"] is None


def test_another_convention_is_no_mistake_unless_strict(write, capsys):
    files = write(choices={"divisor": "missing-1-over-m"})
    call(*files, *NETWORK)
    assert (
        "W1: right up to convention\n    Exact under another convention: sum over the examples."
        in capsys.readouterr().out
    )
    call(*files, *NETWORK, "--strict")
    assert "[missing-1-over-m]" in capsys.readouterr().out
    call(*files, *NETWORK, "--strict", "--reduction", "sum")
    assert "wrong" not in capsys.readouterr().out


def test_updated_parameters_two_hidden_layers_and_a_penalty(write, capsys):
    spec = Spec(("tanh", "relu"), "linear", "mse", penalty="half-lambda", result="update")
    files = write(spec, {"weights-2": "w3-updated-before-hidden-error"}, outputs=3)
    options = ["--hidden", "tanh,relu", "--output", "linear", "--loss", "mse", "--penalty", "half-lambda"]
    assert call(*files, *options, "--reg-lambda", 0.7, "--learning-rate", 0.3, "--json") == 0
    said = json.loads(capsys.readouterr().out)["parameters"]
    assert said["W2"]["mistakes"] == ["w3-updated-before-hidden-error"]
    assert said["W3"]["verdict"] == "right"


def test_one_file_without_biases_and_with_one_answer(write, capsys):
    spec = Spec(("relu",), "linear", "half-mse", biases=False)
    files = write(spec, {"derivative-1": "relu-leaky-slope"}, outputs=3, change={"dW2": None})
    assert call(files[0], "--hidden", "relu", "--output", "linear", "--loss", "half-mse") == 0
    out = capsys.readouterr().out
    assert "[relu-leaky-slope]" in out
    assert "No answer was given for W2." in out


def test_flat_biases_may_have_flat_gradients(write, capsys):
    flat = {}
    for index, inputs in enumerate(bench.challenges(TANH, 1)[:1]):
        answers = mutate(TANH, Point(inputs), {})
        flat = {k: v.ravel() for k, v in {**inputs, **answers}.items() if k in ("b1", "b2", "db1", "db2")}
        assert index == 0
    assert call(write(change=flat)[0], *NETWORK) == 0
    assert "wrong" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        ({"X": None}, [], "X is missing"),
        ({"X": np.full((3, 6), np.inf)}, [], "X holds NaN or infinity"),
        ({"W2": np.zeros((1, 9))}, [], "W2 has shape (1, 9); (1, 4) was expected"),
        ({"b2": None, "db2": None}, [], "b2 is missing"),
        ({"dW1": None, "db1": None, "dW2": None, "db2": None}, [], "no answers; dW1, ... or W1_new"),
        ({"W1_new": np.zeros((4, 3))}, [], "both dW1 and W1_new are given"),
        ({"dW7": np.zeros((4, 3))}, [], "dW7 is given, but the network has no such parameter"),
        ({"dW1": np.array([["a"]])}, [], "dW1 has dtype <U1; real numbers were expected"),
        ({"dW1": np.array([None])}, [], "an .npz file of plain numeric arrays was expected"),
        (
            {"reg_lambda": np.array(0.5)},
            ["--penalty", "lambda", "--reg-lambda", "0.7"],
            "not the value of --reg-lambda",
        ),
        ({}, ["--reg-lambda", "0.7"], "--reg-lambda is given, but --penalty is none"),
        ({}, ["--penalty", "half-lambda"], "reg_lambda is missing"),
        ({}, ["--hidden", "tanh,relu"], "expected to name 1 of them, not 2"),
        ({}, ["--hidden", "cubic"], "hidden must be one of"),
        ({}, ["--output", "linear"], "loss bce needs output sigmoid, not linear"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_status_2(write, capsys, change, options, words):
    assert call(write(change=change)[0], *NETWORK, *options) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err
    assert captured.err.count("\n") == 1


def test_files_that_hold_different_arrays_are_bad_input(write, capsys, tmp_path):
    files = write()
    with np.load(files[1]) as file:
        np.savez(tmp_path / "other.npz", **{k: file[k] for k in file.files if k != "dW1"})
    assert call(files[0], tmp_path / "other.npz", *NETWORK) == 2
    assert "dW1 is in" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"hello", pickle.dumps({"X": 1}), b"PK\x03\x04broken"])
def test_what_is_no_npz_file_is_refused_and_never_unpickled(tmp_path, capsys, content):
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    assert call(path, *NETWORK) == 2
    assert "an .npz file of plain numeric arrays was expected" in capsys.readouterr().err


def test_missing_and_plain_npy_files_are_refused(tmp_path, capsys):
    assert call(tmp_path / "none.npz", *NETWORK) == 2
    assert "there is no such file" in capsys.readouterr().err
    np.save(tmp_path / "x.npy", np.ones(3))
    assert call(tmp_path / "x.npy", *NETWORK) == 2
    assert "one array was found" in capsys.readouterr().err


def test_what_torch_writes_is_read_as_it_is(tmp_path, capsys):
    """Weights (out, in), examples in rows, classes as numbers, biases flat, gradients beside their parameters."""
    rng = np.random.default_rng(2)
    files = []
    for index, m in enumerate((6, 5, 7)):
        X, Y = rng.normal(size=(m, 3)), rng.integers(0, 3, m)
        w1, b1, w2, b2 = rng.normal(size=(4, 3)), rng.normal(size=4), rng.normal(size=(3, 4)), rng.normal(size=3)
        a1 = np.tanh(X @ w1.T + b1)
        e = np.exp(a1 @ w2.T + b2)
        e2 = (e / e.sum(axis=1, keepdims=True) - np.eye(3)[Y]) / m
        e1 = e2 @ w2 * a1 * (1 - a1)
        files.append(str(tmp_path / f"{index}.npz"))
        grads = {"fc1.weight.grad": e1.T @ X, "fc1.bias.grad": e1.sum(0), "fc2.weight.grad": e2.T @ a1}
        given = {"fc1.weight": w1, "fc1.bias": b1, "fc2.weight": w2, "fc2.bias": b2, "fc2.bias.grad": e2.sum(0)}
        np.savez(files[-1], X=X, Y=Y, **given, **grads)
    options = ["--hidden", "tanh", "--output", "softmax", "--loss", "ce", "--layout", "torch", "--json"]
    assert call(*files, *options) == 0
    found = json.loads(capsys.readouterr().out)["parameters"]
    assert {name: entry["verdict"] for name, entry in found.items() if entry["verdict"] == "right"} == {
        "W2": "right",
        "b2": "right",
    }
    assert found["W1"]["mistakes"] == ["sigmoid-derivative-with-tanh"]
