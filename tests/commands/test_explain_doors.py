"""The command says what the Python door says, for every kind of file; and only with shapes and names of the file."""

import argparse
import json
import re

import numpy as np
import pytest
from diagnosis_kit import bench

from autograder.commands.explain import add_arguments, run
from autograder.diagnosis import (
    Parts,
    Point,
    Spec,
    explain,
    explain_layer,
    explain_network,
    explain_updates,
    mutate,
)
from autograder.diagnosis.assembled import Assembled
from autograder.diagnosis.layers import LAYERS
from autograder.diagnosis.optimisers import Updates


def call(*arguments):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args([str(a) for a in arguments]))


@pytest.fixture
def save(tmp_path):
    def save(points):
        files = [tmp_path / f"{index}.npz" for index, _ in enumerate(points)]
        for file, arrays in zip(files, points):
            np.savez(file, **arrays)
        return files

    return save


def told(capsys, *arguments):
    assert call(*arguments, "--json", "--strict") == 0
    return json.loads(capsys.readouterr().out)["parameters"]


def agrees(found, report):
    assert list(found) == list(report.parameters)
    for name, finding in report.parameters.items():
        entry = found[name]
        assert entry["verdict"] == finding.verdict, name
        assert tuple(entry["mistakes"]) == finding.mistakes, name
        assert tuple(entry["follows_from"]) == finding.follows_from, name
        assert entry["hint"] == finding.hint, name


def rows(arrays):
    """One row per example, weights (in, out), flat biases."""
    turned = {}
    for name, value in arrays.items():
        core = name.removeprefix("d").removesuffix("_new").rstrip("0123456789")
        flat = core in ("b", "gamma", "beta")
        turned[name] = value.ravel() if flat and value.ndim == 2 and value.shape[1] == 1 else value.T
    return turned


def torch(arrays):
    named = {}
    for name, value in arrays.items():
        match = re.fullmatch(r"(d?)([Wb])(\d)(_new)?", name)
        if match is None:
            named[name] = value.T
            continue
        kind = {"W": "weight", "b": "bias"}[match[2]]
        flat = value.ravel() if kind == "bias" and value.shape[1:] == (1,) else value
        named[f"fc{match[3]}.{kind}{'.grad' if match[1] else ''}{match[4] or ''}"] = flat
    return named


def folded(arrays):
    """The bias as the last column of the weights, and ones in X."""
    found = {n: v for n, v in arrays.items() if not re.fullmatch(r"d?b\d(_new)?", n)}
    for name in [n for n in found if re.fullmatch(r"d?W\d(_new)?", n)]:
        found[name] = np.hstack([arrays[name], arrays[name.replace("W", "b", 1)]])
    return found | {"X": np.vstack([arrays["X"], np.ones((1, arrays["X"].shape[1]))])}


LAYOUTS = {
    "columns": (lambda arrays: arrays, []),
    "rows": (rows, ["--layout", "rows"]),
    "torch": (torch, ["--layout", "torch"]),
    "folded": (folded, ["--bias-in-weights", "last"]),
    "folded rows": (lambda arrays: rows(folded(arrays)), ["--bias-in-weights", "last", "--layout", "rows"]),
}
SLIPS = ({}, {"derivative-1": "sigmoid-derivative-with-tanh"}, {"divisor@b2": "missing-1-over-m"})


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("result", ["gradients", "update"])
@pytest.mark.parametrize("slip", SLIPS, ids=["right", "in all", "in one"])
def test_dense_networks(save, capsys, layout, result, slip):
    spec = Spec(("tanh",), "sigmoid", "bce", penalty="half-lambda", result=result)
    change, options = LAYOUTS[layout]
    points = [Point(inputs, mutate(spec, Point(inputs), slip)) for inputs in bench.challenges(spec, 1)]
    files = save([change({**p.inputs, **p.answers}) for p in points])
    network = ["--hidden", "tanh", "--output", "sigmoid", "--loss", "bce", "--penalty", "half-lambda"]
    agrees(told(capsys, *files, *network, *options), explain(spec, points))


PARTS = {
    "norm": (Parts(norm="batch"), "gradients", ["--norm", "batch"]),
    "residual": (Parts(residual=True), "gradients", ["--residual"]),
    "dropout": (Parts(dropout=True), "gradients", ["--dropout"]),
    "adam": (Parts(optimiser="adam", steps=2), "update", ["--optimiser", "adam", "--steps", "2"]),
    "each": (Parts(each_example=True), "update", ["--each-example"]),
}


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["columns", "rows"])
@pytest.mark.parametrize("name", PARTS)
def test_networks_with_more_parts(save, capsys, layout, name):
    parts, result, options = PARTS[name]
    spec = Spec(("tanh",), "sigmoid", "bce", result=result)
    change, more = LAYOUTS[layout]
    points = []
    network = Assembled(spec, parts)
    for number, inputs in enumerate(bench.challenges(spec, 1)):
        rng = np.random.default_rng(number)
        given = {k: v for k, v in inputs.items() if k != "reg_lambda"} | {"W1": rng.normal(size=(3, 3))}
        given |= {"b1": rng.normal(size=(3, 1)), "W2": rng.normal(size=(1, 3)), "keep": np.array(0.5)}
        if parts.norm != "none":
            given |= {"gamma1": rng.normal(size=(3, 1)), "beta1": rng.normal(size=(3, 1))}
        if parts.dropout:
            given["mask1"] = (rng.random((3, inputs["X"].shape[1])) < 0.5) * 1.0
        (slip,) = [
            one
            for one in network.choices(given)
            if one.key == "the derivative of layer 1=activation-derivative-missing"
        ]
        points.append(Point(given, network.run(given, {slip.line: slip})))
    files = save([change({**p.inputs, **p.answers}) for p in points])
    report = explain_network(spec, parts, points)
    assert report.mistakes == ("activation-derivative-missing",)
    agrees(told(capsys, *files, "--hidden", "tanh", "--output", "sigmoid", "--loss", "bce", *options, *more), report)


@pytest.mark.parametrize("name", ["layer-norm", "attention", "adam", "momentum"])
def test_layers_and_optimisers(save, capsys, name):
    points = []
    for number in range(3):
        rng = np.random.default_rng(number)
        shape = (4 + number, 3)
        if name == "attention":
            given = {n: rng.normal(size=shape) for n in ("q", "k", "v", "g")}
        elif name == "layer-norm":
            given = {"x": rng.normal(size=shape), "gamma": rng.normal(size=3), "beta": rng.normal(size=3)}
            given["g"] = rng.normal(size=shape)
        else:
            given = {"p": rng.normal(size=shape), "g": rng.normal(size=(3, *shape)), "learning_rate": np.array(0.1)}
        computation = LAYERS[name][0] if name in LAYERS else Updates(name)
        slip = computation.choices(given)[0]
        points.append(Point(given, computation.run(given, {slip.line: slip})))
    files = save([{**p.inputs, **p.answers} for p in points])
    report = explain_layer(name, points) if name in LAYERS else explain_updates(name, points)
    assert report.mistakes == slip.slip.mistakes
    agrees(told(capsys, "--layer", name, *files), report)


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_message_shows_a_shape_or_a_name_that_is_not_in_the_file(save, capsys, layout):
    """Wrong shapes of answers, and of inputs, in every layout; all sizes differ, so that a turned shape is seen."""
    spec = Spec(("tanh",), "softmax", "ce")
    change, options = LAYOUTS[layout]
    points = []
    for inputs in bench.challenges(spec, 3):
        right = mutate(spec, Point(inputs), {})
        arrays = {n: v for n, v in {**inputs, **right}.items() if n not in ("reg_lambda", "learning_rate")}
        points.append(change(arrays))
    network = ["--hidden", "tanh", "--output", "softmax", "--loss", "ce", *options]
    for name in [n for n in points[0] if n != "Y"]:
        for shape in ((9, 2), (11,)):
            changed = [{**arrays, name: np.ones(shape)} for arrays in points]
            call(*save(changed), *network)
            out, err = capsys.readouterr()
            said = re.sub(r".*With X = .*", "", out) + re.sub(r"\S*\.npz", "", err)
            shapes = re.findall(r"\(\d+,[\d, ]*\)", said)
            known = {str(v.shape) for arrays in (*points, *changed) for v in arrays.values()}
            if name[0] == "d" or name.endswith("grad"):
                assert set(shapes) <= known, (name, said)
            elif shapes:  # what is due beside an input has the size of its neighbours, and is no array of the file
                assert str(shape) in shapes, (name, said)
                assert len(shape) < 2 or str(shape[::-1]) not in shapes, (name, said)
            if layout == "torch":
                assert not re.search(r"\bd?[Wb]\d\b", said), said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--layer", "attention", "--hidden", "tanh"], "--hidden is about a network"),
        (["--layer", "attention"], "no answers; dq, dk, dv were expected"),
        (["--layer", "attention", "--layout", "rows"], "--layout is about a network"),
        (["--hidden", "tanh", "--output", "sigmoid"], "--loss is missing"),
        (["--hidden", "none", "--output", "linear", "--loss", "mse", "--steps", "0"], "--steps must be at least 1"),
        (["--hidden", "none", "--output", "linear", "--loss", "mse", "--steps", "2"], "are about updated parameters"),
        (["--hidden", "none", "--output", "linear", "--loss", "mse", "--bias-in-weights", "last"], "X has as many"),
    ],
)
def test_bad_input_is_one_sentence(save, capsys, options, words):
    arrays = {"X": np.ones((3, 2)) * 2, "Y": np.ones((1, 2)), "W1": np.ones((1, 3)), "dW1": np.ones((1, 3))}
    if "last" in options:
        arrays |= {"X": np.full((3, 2), 2.0)}
    assert call(*save([arrays]), *options) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert err.count("\n") == 1
