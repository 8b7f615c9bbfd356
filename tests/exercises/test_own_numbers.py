"""Numbers of one's own, in every calculation by hand that has them: stated, true, told from those of others."""

import random
import re

import nbformat
import numpy as np
import pytest

from autograder.build.submission import solutions
from autograder.exercise import Reply
from autograder.exercises import all_exercises, load
from autograder.exercises import computational_graph as graph
from autograder.exercises import residual_by_hand as residual
from autograder.exercises import softmax_by_hand as softmax
from autograder.exercises import vanishing_gradients as vanishing
from autograder.exercises import worked_calculation as calculation
from autograder.exercises.own_numbers import coincidences
from autograder.marking.by_hand import work_out_all
from autograder.personal import rewritten

PARTS = {
    "computational_graph": (graph.ALL, graph.start),
    "residual_network": (residual.STEPS["three_blocks"], residual.start),
    "softmax_jacobian": (softmax.STEPS["three_units"], softmax.start),
    "vanishing_gradients": (vanishing.ALL, vanishing.start),
    "worked_calculation": (calculation.ALL, calculation.start),
}
NAMES = sorted(PARTS)


def drawn(name, seed):
    return load(name).personal.draw(random.Random(seed).random)


def marked(name, given, values, others=()):
    personal = load(name).personal
    judge = personal.judging(lambda: [personal.sheet, *others])
    verdicts = {}
    for probe in load(name).probes:  # what is asked together is judged together
        asked = [one for one in load(name).questions if one.probe is probe and one.judge is personal.judge]
        lines = [line for one in asked for line in one.lines]
        own = {line.name: values[line.name] for line in lines}
        verdicts |= judge(lines, [Reply(given, own, shown=True)]) if lines else {}
    return verdicts


FACTS = {
    "linear_models": {"in_common"},
    "simple_network": {"loss_at_the_start"},
    "ising_phases": {"group_of_lattices"},
    "vanishing_gradients": {"which_does_not_help"},
    "exploding_gradients": {"what_they_change"},
    "two_hidden_layers": {"shape_table"},
    "l2_regularization": {"chosen_strength"},
    "sgd": {"table_numbers"},
    "custom_activation": {"properties_of_f", "other_slopes"},
    "reaction_rates": {"features_record", "layers_record", "target_record"},
}
"""What else is filled in and not code: read from a table, or a fact about a function, a method or a design."""


@pytest.mark.slow
def test_these_are_all(root):
    """Whatever is filled in has numbers of one's own, or is the same for everybody."""
    assert sorted(one.name for one in all_exercises() if one.personal is not None) == NAMES
    rng, facts = np.random.default_rng(0), {}
    for exercise in all_exercises():
        for question in exercise.questions:
            own = exercise.personal is not None and question.judge is exercise.personal.judge
            if not own and not any(one.given for one in question.probe.challenges(rng)):
                facts.setdefault(exercise.name, set()).add(question.id)
    assert facts == FACTS
    named = (root / "docs" / "instructors.md").read_text(encoding="utf-8").split("## Numbers of their own")[1]
    assert all(f"`{name}`" in named.split("```")[0] for name in NAMES)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_the_same_for_ever_and_hardly_those_of_another(name):
    told = [load(name).personal.in_words(drawn(name, seed)) for seed in range(100)]
    assert told == [load(name).personal.in_words(drawn(name, seed)) for seed in range(100)]
    assert len({*told}) > 80
    assert load(name).personal.in_words(load(name).personal.sheet) not in told


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(3))
def test_the_formulas_agree_with_the_exact_values_and_every_slip_shows(name, seed):
    steps, start = PARTS[name]
    given = drawn(name, seed)
    exact, found = load(name).personal.truth(given), work_out_all(steps, start(given))
    for step in steps:
        np.testing.assert_allclose(np.ravel(found[step.name]), exact[step.name].ravel(), rtol=1e-12, err_msg=step.name)
    assert not [told for told in coincidences(steps, start(given)) if "" in told[1] and "step-too-small" not in told[1]]


@pytest.mark.parametrize("name", NAMES)
def test_own_values_earn_everything_and_those_of_others_nothing(name):
    personal, mine, theirs = load(name).personal, drawn(name, 1), drawn(name, 2)
    right = personal.truth(mine)
    assert {verdict.share for verdict in marked(name, mine, right, [theirs]).values()} == {1}
    for other in (theirs, personal.sheet):
        copied = personal.truth(other)
        verdicts = marked(name, mine, copied, [theirs])
        apart = [line for line in verdicts if not np.allclose(copied[line], right[line], rtol=2e-3)]
        assert len(apart) > len(verdicts) / 2
        for line in apart:
            assert (verdicts[line].share, verdicts[line].mistakes) == (0, ("numbers-of-another",)), line
            assert personal.in_words(mine) in verdicts[line].hint


@pytest.mark.parametrize("name", NAMES)
def test_a_slip_in_own_numbers_is_no_copy(name):
    steps, start = PARTS[name]
    mine, theirs = drawn(name, 1), drawn(name, 2)
    slip = steps[0].slips[0]
    known = start(mine) | {steps[0].name: work_out_all([steps[0]], start(mine))[steps[0].name]}
    wrong = work_out_all([type(steps[0])(steps[0].name, 0, slip.formula)], known)
    values = work_out_all(steps[1:], wrong)
    verdicts = marked(name, mine, {step.name: values[step.name] for step in steps}, [theirs])
    assert [line for line, verdict in verdicts.items() if verdict.share < 1] == [steps[0].name]
    assert verdicts[steps[0].name].mistakes == (slip.id,)


def test_a_part_that_is_copied_alone_is_told():
    mine, theirs = drawn("computational_graph", 1), drawn("computational_graph", 2)
    values = graph.truth(mine) | {name: graph.truth(theirs)[name] for name in ("edges", "da")}
    verdicts = marked("computational_graph", mine, values, [theirs])
    assert {line for line, verdict in verdicts.items() if verdict.share < 1} == {"edges", "da"}
    assert verdicts["da"].mistakes == ("numbers-of-another",), "it does not follow from edges of another"


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_states_the_students_numbers_and_no_others(root, name):
    personal, given = load(name).personal, drawn(name, 5)
    released = nbformat.read(root / "assignments" / load(name).sheet / f"{name}.ipynb", as_version=4)
    made = rewritten(released, exercise=name, given=given, student="ada")
    changed = {
        new.metadata.nbgrader.grade_id: new.source
        for old, new in zip(released.cells, made.cells, strict=True)
        if old.source != new.source
    }
    assert {*changed} <= {cell for cell, _ in personal.texts(given)} | {personal.below[0]}
    for cell, text in personal.texts(given):
        assert text in (changed.get(cell) or text)
    assert "drawn for `ada`" in changed[personal.below[0]]
    same = rewritten(released, exercise=name, given=personal.sheet, student="ada")
    for old, new in zip(released.cells, same.cells, strict=True):
        assert re.sub(r"\n\*\*The numbers below.*\n", "", new.source) == old.source


# The chain of five layers -------------------------------------------------------------------------------------------


def test_one_draw_changes_every_value_of_the_chain_but_the_slope():
    sheet = vanishing.truth(vanishing.GIVEN)
    for seed in range(20):
        found = vanishing.truth(drawn("vanishing_gradients", seed))
        same = {name for name, value in found.items() if np.allclose(value, sheet[name])}
        assert same <= {"max_slope", "layers_needed"}


@pytest.mark.slow
def test_slips_in_the_chain_lead_to_nobody_elses_numbers():
    for one in vanishing.STARTS:
        others = {*vanishing.STARTS, 1.0} - {one}
        assert not [x for x in others for k in (2, 4, 10, 16, 1024) if x == pytest.approx(k * one)]
    assert not [p for p in vanishing.SHARES for q in vanishing.SHARES if 1 - p == pytest.approx(q)]
    mine = drawn("vanishing_gradients", 1)
    everyone = [drawn("vanishing_gradients", seed) for seed in range(2, 40)]
    right = vanishing.truth(mine)
    g, factor = mine["start"], mine["weight"] / 4
    late = right | {f"layer{5 - k}": g * factor**k for k in range(5)} | {"at_input": g * factor**4 * mine["weight"]}
    silent = 1 - mine["share"]
    turned = right | {
        "mean_factor": silent, "relu_mean": g * silent ** np.arange(1, 6),
        "rms_factor": silent**0.5, "relu_rms": g * silent ** (np.arange(1, 6) / 2),
    }  # fmt: skip
    for values, lost in ((late, ["layer5"]), (turned, ["mean_factor", "rms_factor"])):
        verdicts = marked("vanishing_gradients", mine, values, everyone)
        assert [name for name, verdict in verdicts.items() if verdict.share < 1] == lost


def test_a_forgotten_weight_is_named_and_charged_once_in_each_part():
    mine = drawn("vanishing_gradients", 1)
    g = mine["start"]
    bare = vanishing.truth(mine) | {f"layer{5 - k}": g / 4 ** (k + 1) for k in range(5)} | {"at_input": g / 1024}
    verdicts = marked("vanishing_gradients", mine, bare)
    assert [name for name, verdict in verdicts.items() if verdict.share < 1] == ["layer4", "at_input"]
    for line in ("layer4", "at_input"):
        assert verdicts[line].mistakes == ("weights-missing-in-hidden-error",)
        assert "stands a weight" in verdicts[line].hint


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.5, *vanishing.SHARES])
def test_the_figure_and_what_is_said_of_it_are_right_for_every_share(root, share, monkeypatch):
    """The network of the last figure, with this share of active units and another gradient and weight."""
    monkeypatch.syspath_prepend(str(root / "reference" / "toolkit"))
    monkeypatch.chdir(root / "assignments" / "by_hand")
    given = vanishing.GIVEN | {"share": np.array(share), "start": np.array(3.7), "weight": np.array(1.3)}
    released = nbformat.read(root / "assignments" / "by_hand" / "vanishing_gradients.ipynb", as_version=4)
    made = rewritten(released, exercise="vanishing_gradients", given=given, student="ada")
    cells = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in made.cells}
    solved = solutions(root, load("vanishing_gradients"))
    exact = vanishing.truth(given)
    names = {
        "relu_mean": list(exact["relu_mean"]), "relu_rms": list(exact["relu_rms"]),
        "sigmoid_bounds": [exact[layer] for layer in vanishing.LAYERS],
    }  # fmt: skip
    monkeypatch.setattr("matplotlib.pyplot.show", lambda *_: None)
    for cell in (cells["setup"], solved["measure"], cells["measured"]):
        exec(cell, names)
    measured = {name: names["measured_norms"](name)[::-1] for name in ("sigmoid", "tanh", "relu")}
    np.testing.assert_allclose(names["bounds"], 0.25 ** np.arange(1, 6))
    np.testing.assert_allclose(measured["relu"], names["rms"], rtol=0.02)  # "follows"
    assert measured["relu"][-1] > 1.4 * names["mean"][-1]  # "and not the mean magnitude"
    assert np.all(measured["sigmoid"] < names["bounds"])
    assert (measured["sigmoid"][-1], names["bounds"][-1]) == pytest.approx((0.0007, 0.00098), abs=5e-5)
    assert np.all(measured["tanh"] > measured["relu"]) or share > 0.65
    assert measured["tanh"][-1] > 0.35  # "loses little"
