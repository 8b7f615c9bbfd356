"""Practice: exact answers, tasks of one difficulty, slips that never pass, and nothing of the graded sheets."""

import re

import mpmath
import numpy as np
import practice
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from autograder.exercises import shared, vanishing_gradients, worked_calculation
from autograder.truth import Network

SEEDS = st.integers(0, 10**6)
KINDS = (practice.worked_calculation, practice.small_network, practice.vanishing_gradients)
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)  # a smaller seed is no simpler task
quick = settings(max_examples=12, deadline=None, phases=WITHOUT_SHRINKING)
many = settings(max_examples=60, deadline=None, phases=WITHOUT_SHRINKING)
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def truth(task):
    return {step.name: task._truth[step.name] for step in task.steps}


def described(task):
    """The network of a task as the grader's own exact gradients know it."""
    if task.kind == "worked_calculation":
        return ("sigmoid", "sigmoid"), "mse"
    hidden = re.search(r"an? (sigmoid|tanh|ReLU) layer", repr(task))[1].lower()
    return (hidden, "linear" if "linear" in repr(task) else "sigmoid"), "mse" if "linear" in repr(task) else "bce"


def inputs(task):
    numbers = {name.replace("x", "X").replace("y", "Y"): value for name, value in task.given.items()}
    return {name: value for name, value in numbers.items() if name not in ("alpha", "m")}


def rounded(array):
    return np.vectorize(lambda x: float(f"{x:.4g}"))(array).astype(float)


def lists(array):
    """An array as a student types it: a column as a list, one number alone."""
    flat = np.asarray(array)
    if flat.size == 1:
        return flat.item()
    return flat.ravel().tolist() if 1 in flat.shape else flat.tolist()


def statuses(report):
    return {line.name: line.status for line in report.lines}


# The answers are exact ----------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS[:2], ids=lambda kind: kind.__name__)
@quick
@given(seed=SEEDS)
def test_networks_agree_with_the_exact_gradients_of_the_grader(kind, seed):
    task = kind(seed)
    activations, loss = described(task)
    numbers = inputs(task)
    sizes = (len(numbers["X"]), len(numbers["W1"]), len(numbers["W2"]))
    alpha = task.given.get("alpha", np.array(0.3)).reshape(())
    exact = Network(sizes, activations, loss).evaluate(numbers | {"learning_rate": alpha})
    m = numbers["X"].shape[1]
    for name, value in truth(task).items():
        theirs = name if name[0] in "ldWb" and name[1] not in "zZ" else name.replace("z", "Z").replace("a", "A")
        right = exact[theirs] / (m if name in ("dZ1", "dZ2") else 1)
        np.testing.assert_allclose(value.reshape(right.shape), right, rtol=1e-11)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", KINDS[:2], ids=lambda kind: kind.__name__)
def test_gradients_are_slopes_of_the_loss(kind, seed):
    task = kind(seed)
    (hidden, output), loss = described(task)
    f = {
        "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
        "tanh": mpmath.tanh,
        "relu": lambda z: max(z, mpmath.mpf(0)),
        "linear": lambda z: z,
    }
    numbers = {name: [[mpmath.mpf(repr(float(x))) for x in row] for row in v] for name, v in inputs(task).items()}

    def forward(p, j):
        a = [row[j] for row in p["X"]]
        for layer, name in ((1, hidden), (2, output)):
            a = [f[name](mpmath.fdot(row, a) + b[0]) for row, b in zip(p[f"W{layer}"], p[f"b{layer}"])]
        return a

    def total(p):
        m, terms = len(p["X"][0]), []
        for j in range(m):
            for a, row in zip(forward(p, j), p["Y"]):
                y = row[j]
                terms.append((a - y) ** 2 if loss == "mse" else -y * mpmath.log(a) - (1 - y) * mpmath.log(1 - a))
        return mpmath.fsum(terms) / m

    with mpmath.workdps(50):
        step = mpmath.mpf(10) ** -20
        assert float(total(numbers)) == pytest.approx(truth(task)["loss"].item(), rel=1e-12)
        for name in ("W1", "b1", "W2", "b2"):
            for (i, j), slope in np.ndenumerate(truth(task)[f"d{name}"]):
                kept = numbers[name][i][j]
                numbers[name][i][j] = kept + step
                up = total(numbers)
                numbers[name][i][j] = kept - step
                down = total(numbers)
                numbers[name][i][j] = kept
                assert float((up - down) / (2 * step)) == pytest.approx(slope, rel=1e-10)


@pytest.mark.slow
@many
@given(seed=SEEDS)
def test_vanishing_numbers_by_counting_and_looking(seed):
    task = practice.vanishing_gradients(seed)
    found, g = truth(task), {name: value.item() for name, value in task.given.items() if name != "k"}
    outer, function, inner = re.search(r"f\(z\) = (\S+) (\w+)\((\S+) z\)", repr(task)).groups()
    f = {"tanh": np.tanh, "arctan": np.arctan, "sin": np.sin}[function]
    z = np.linspace(-20, 20, 400_001)
    slopes = np.diff(float(outer) * f(float(inner) * z)) / np.diff(z)
    assert np.max(np.abs(slopes)) == pytest.approx(found["max_slope"], rel=1e-6)
    left, bounds = g["start"], []
    for _ in range(int(g["depth"])):
        left *= found["max_slope"]
        bounds.append(left)
        left *= g["weight"]
    np.testing.assert_allclose(found["bounds"], bounds, rtol=1e-12)
    assert found["at_input"] == pytest.approx(left, rel=1e-12)
    layers, left = 0, g["start"]
    while left >= g["threshold"]:
        layers, left = layers + 1, left * found["max_slope"] * g["weight"]
    assert found["layers_needed"] == layers
    assert found["weight_needed"] * found["max_slope"] == pytest.approx(1)
    units = np.where(np.arange(1000) < round(1000 * g["share"]), 1.0, g["leak"])
    assert found["mean_factor"] == pytest.approx(np.mean(units))
    assert found["rms_factor"] == pytest.approx(np.sqrt(np.mean(units**2)))
    for sizes, factor in (("mean_sizes", "mean_factor"), ("rms_sizes", "rms_factor")):
        np.testing.assert_allclose(found[sizes], g["start"] * np.cumprod([found[factor]] * int(g["depth"])))


# Every seed is a good task ------------------------------------------------------------------------------------------


@pytest.mark.slow
@every_kind
@quick
@given(seed=SEEDS)
def test_the_right_answers_are_right(kind, seed):
    task = kind(seed)
    answers = {name: lists(value) if task._as_lists else value for name, value in truth(task).items()}
    report = task.check(**answers)
    assert report.ok
    assert set(statuses(report).values()) == {"ok"}
    assert "Everything is right" in repr(report)


@pytest.mark.slow
@every_kind
@quick
@given(seed=SEEDS)
def test_four_figures_carried_through_are_right(kind, seed):
    task = kind(seed)
    values = dict(task.given)
    for step in task.steps:
        values[step.name] = rounded(practice.compute(step.formula, values))
    report = task.check(**{step.name: values[step.name] for step in task.steps})
    assert set(statuses(report).values()) == {"ok"}, report


@pytest.mark.slow
@every_kind
@quick
@given(seed=SEEDS)
def test_a_planted_slip_is_never_right_and_is_told(kind, seed):
    task = kind(seed)
    known = task.given | truth(task)
    for step in task.steps:
        for formula, sentence in step.slips:
            slipped = practice.compute(formula, known)
            if slipped.size != truth(task)[step.name].size:
                continue  # another number of entries: the shape says it
            task._own.clear()  # else what follows from the slip before is told
            (line,) = task.check(**{step.name: slipped}).lines
            assert line.status == "WRONG", (step.name, formula)
            assert line.says == sentence or "times what it should be" in line.says or len(
                {s for f, s in step.slips if _same(practice.compute(f, known), slipped, step)}
            ) > 1  # fmt: skip


def _same(one, other, step):
    return one.size == other.size and practice.agrees(one.reshape(other.shape), other, step.figures)


@pytest.mark.slow
@quick
@given(seed=SEEDS, places=st.data())
def test_one_wrong_entry_is_never_right(seed, places):
    task = practice.small_network(seed)
    step = places.draw(st.sampled_from(task.steps))
    value = truth(task)[step.name].copy()
    where = places.draw(st.integers(0, value.size - 1))
    value.flat[where] += places.draw(st.sampled_from([-1, 1])) * 0.01 * np.max(np.abs(value))
    (line,) = task.check(**{step.name: value}).lines
    assert line.status == "WRONG"


@pytest.mark.slow
@many
@given(seed=SEEDS)
def test_worked_calculations_are_of_one_difficulty(seed):
    task = practice.worked_calculation(seed)
    found = truth(task)
    for name in ("W1", "b1", "W2", "b2", "y", "alpha"):
        np.testing.assert_allclose(task.given[name] * 10, np.round(task.given[name] * 10), atol=1e-9)
    assert np.all(np.abs(np.concatenate([found["z1"].ravel(), found["z2"].ravel()])) < 2.5)
    assert 0.07 < found["a1"].min() < found["a1"].max() < 0.93
    for name in ("dW1", "db1", "dW2", "db2"):
        assert np.all(np.abs(found[name]) > 1e-4), name


@pytest.mark.slow
@quick
@given(seed=SEEDS)
def test_small_networks_are_alive_and_off_the_kink(seed):
    found = truth(practice.small_network(seed))
    assert np.abs(found["Z1"]).min() > 0.1
    assert max(np.abs(found["Z1"]).max(), np.abs(found["Z2"]).max()) < 2.5
    for name in ("dW1", "db1", "dW2", "db2"):
        assert np.abs(found[name]).min() > 0.005


@pytest.mark.slow
@every_kind
def test_a_seed_is_a_task_and_no_seed_is_a_new_one(kind):
    assert repr(kind(5)) == repr(kind(5))
    assert len({repr(kind(seed)).split("\n", 1)[1] for seed in range(12)}) >= 11
    assert kind().seed != kind().seed or kind().seed != kind().seed


def test_a_seed_stays_the_same_task_for_ever():
    numbers = practice.worked_calculation(1).given
    assert {name: numbers[name].ravel().tolist() for name in ("x", "W1", "b1", "W2", "b2", "y", "alpha")} == GOLDEN


GOLDEN = {
    "x": [2.0, -3.0], "W1": [0.7, 0.4, 0.3, -0.3], "b1": [0.4, 0.1], "W2": [0.7, 0.9], "b2": [0.5], "y": [0.7],
    "alpha": [0.5],
}  # fmt: skip


# Nothing of the graded sheets ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_numbers_of_the_sheet_cannot_come_up():
    sheet = worked_calculation.truth(worked_calculation.GIVEN)
    for seed in range(60):
        task = practice.worked_calculation(seed)
        assert task.given["y"].item() != worked_calculation.GIVEN["Y"].item()
        assert task.given["alpha"].item() != worked_calculation.GIVEN["learning_rate"].item()
        for name, value in truth(task).items():
            assert not np.allclose(value.ravel(), sheet[name].ravel(), rtol=1e-3), (seed, name)


@pytest.mark.slow
def test_the_estimates_of_the_sheet_cannot_come_up():
    sheet = vanishing_gradients.truth({})
    graded = {"max_slope", "at_input", "layers_needed", "weight_needed", "mean_factor", "rms_factor"}
    bounds = np.array([sheet[layer] for layer in vanishing_gradients.LAYERS])
    for seed in range(300):
        task = practice.vanishing_gradients(seed)
        found = truth(task)
        for name in graded:
            assert not np.isclose(found[name], sheet[name], rtol=1e-3), (seed, name)
        assert task.given["depth"] != vanishing_gradients.DEPTH
        assert not np.any(np.isclose(found["bounds"][0], bounds[0]))
        assert not np.allclose(found["mean_sizes"][:3], sheet["relu_mean"][:3])
        assert not np.allclose(found["rms_sizes"][:3], sheet["relu_rms"][:3])


@pytest.mark.slow
def test_the_small_example_of_the_feedback_cannot_come_up():
    for seed in range(20):
        assert practice.small_network(seed).given["W1"].shape != shared.SMALL["W1"].shape


# Checking -----------------------------------------------------------------------------------------------------------


def right(task):
    return {name: lists(value) for name, value in truth(task).items()}


def test_what_follows_from_a_wrong_value_is_not_right_and_says_where_to_look():
    task = practice.worked_calculation(1)
    wrong = [z + 0.5 for z in right(task)["z1"]]
    follows = (1 / (1 + np.exp(-np.array(wrong)))).tolist()
    first, second = task.check(z1=wrong, a1=follows).lines
    assert (first.status, second.status) == ("WRONG", "WRONG")
    assert second.says == "It follows rightly from your own z1, which is wrong. Mend that one first."
    (again,) = task.check(a1=follows).lines  # remembered from the check before
    assert "your own z1" in again.says
    assert set(statuses(task.check(z1=right(task)["z1"], a1=right(task)["a1"])).values()) == {"ok"}


def test_the_answer_is_never_told():
    task = practice.worked_calculation(1)
    said = repr(task.check(**{name: np.asarray(value) * 1.37 + 0.01 for name, value in right(task).items()}))
    for value in truth(task).values():
        for entry in value.ravel():
            assert practice.number(entry) not in said


@pytest.mark.parametrize(
    ("value", "status", "words"),
    [
        ([1, 2, 3], "WRONG", "Yours has shape (3,); it should be shape (2,)."),
        (0.5, "WRONG", "shape ()"),
        ("one", "WRONG", "number or a list"),
        ([[1], [2, 3]], "WRONG", "rows of equal length"),
        ([float("nan"), 1], "WRONG", "no finite numbers"),
    ],
)
def test_what_is_no_answer_gets_a_sentence(value, status, words):
    (line,) = practice.worked_calculation(1).check(z1=value).lines
    assert line.status == status
    assert words in line.says


@pytest.mark.parametrize("empty", [..., None, [..., ...], [[1, ...], [2, 3]]])
def test_what_still_has_dots_is_passed_over(empty):
    task = practice.worked_calculation(1)
    report = task.check(dW1=empty)
    assert report.lines == ()
    assert "in place of the dots" in repr(report)
    assert statuses(task.check(dW1=empty, z1=right(task)["z1"])) == {"z1": "ok"}


@pytest.mark.slow
def test_a_factor_and_a_single_entry_are_told():
    task = practice.small_network(1)
    dW1 = truth(task)["dW1"]
    assert "Every entry is 3.7 times" in task.check(dW1=3.7 * dW1).lines[0].says
    odd = dW1.copy()
    odd[1, 0] += 1
    assert task.check(dW1=odd).lines[0].says.endswith("Look at entry [1][0].")


def test_a_lost_axis_is_said_where_the_sheets_ask_for_it():
    task = practice.small_network(1)
    (line,) = task.check(db1=truth(task)["db1"].ravel()).lines
    assert line.status == "ok"
    assert f"its shape must be {truth(task)['db1'].shape}" in line.says


def test_a_name_that_is_not_asked_is_refused_with_those_that_are():
    task = practice.worked_calculation(1)
    with pytest.raises(ValueError, match=r"no value `Z1`. It asks for z1, a1"):
        task.check(Z1=1)
    with pytest.raises(ValueError, match="by name"):
        task.check()


@pytest.mark.parametrize("seed", ["7", 1.5, True])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match="whole number"):
        practice.worked_calculation(seed)


# Revealing ----------------------------------------------------------------------------------------------------------


def test_one_step_at_a_time_and_only_those_that_are_missing():
    task = practice.worked_calculation(2)
    assert [name for name, *_ in task.reveal().steps] == ["z1"]
    task.check(a1=right(task)["a1"], a2=[0])
    assert [name for name, *_ in task.reveal().steps] == ["z2"]
    assert [name for name, *_ in task.reveal().steps] == ["a2"]
    assert "10 left" in repr(task.reveal())
    assert [name for name, *_ in task.reveal_all().steps] == [step.name for step in task.steps]
    assert task.reveal().steps == ()


@pytest.mark.slow
@every_kind
@quick
@given(seed=SEEDS)
@example(seed=10340)  # its first draw updates a bias to 0.0016, of which four figures leave two
@example(seed=36249)  # a difference of two numbers that are nearly alike: 0.0102 for 0.0101
def test_the_numbers_put_in_give_the_value(kind, seed):
    task = kind(seed)
    names = {**practice.FUNCTIONS, "k": task.given.get("k")}
    for name, _, formula, numbers, _ in task.reveal_all().steps:
        *shown, value = numbers.split(" = ")
        exact = truth(task)[name]
        assert formula.startswith(f"{name} = ")
        np.testing.assert_allclose(np.ravel(eval(value)), exact.ravel(), rtol=6e-4, atol=1e-12)
        for text in shown:
            arrays = re.sub(r"\[(?:\[[^]]*\](?:, )?)+\]|\[[^]]*\]", r"A(\g<0>)", text)
            got = eval(arrays, {**names, "A": np.array})
            np.testing.assert_allclose(np.ravel(got), exact.ravel(), rtol=1e-2, atol=1e-2 * np.max(np.abs(exact)))


@every_kind
def test_it_is_rich_in_a_notebook_and_plain_in_a_terminal(kind):
    task = kind(4)
    shown = task._repr_markdown_()
    assert shown.count("$") % 2 == 0
    assert all(f"`{step.name}`" in shown for step in task.steps)
    steps = task.reveal_all()._repr_markdown_()
    assert steps.count(r"\begin{pmatrix}") == steps.count(r"\end{pmatrix}")
    assert steps.count(r"\left") == steps.count(r"\right")
    assert steps.count("{") == steps.count("}")
    assert not re.search(r"[$\\]|\*\*\w|`", repr(task))
    assert max(map(len, repr(task).splitlines())) <= 100
