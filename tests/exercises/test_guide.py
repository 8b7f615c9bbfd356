"""Facts that the guide tells, its links, and the practice notebook beside it."""

import re
import runpy

import matplotlib as mpl
import numpy as np
import pytest

from autograder.exercises import all_exercises

mpl.use("Agg")

SCRIPT = "reference/guide/backpropagation.py"


@pytest.fixture(scope="module")
def guide(root):
    """The names that the guide defines after it has run from top to bottom."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root / "reference" / "toolkit"))
        return runpy.run_path(str(root / SCRIPT))


def test_it_links_to_every_exercise(root):
    text = (root / SCRIPT).read_text(encoding="utf-8")
    found = set(re.findall(r"\(\.\./(\w+)/(\w+)\.ipynb\)", text))
    assert found == {(exercise.sheet, exercise.name) for exercise in all_exercises()}


def test_the_worked_chain_rule():
    def loss(w):
        return (1 / (1 + np.exp(-(w * 2 - 1))) - 1) ** 2

    assert loss(0.5) == 0.25
    assert (loss(0.5 + 1e-6) - loss(0.5 - 1e-6)) / 2e-6 == pytest.approx(-0.5)


def test_the_slopes_at_a_fork():
    def loss(u):
        return 2 * u + u**2

    assert (loss(5 + 1e-6) - loss(5 - 1e-6)) / 2e-6 == pytest.approx(12)


def test_far_to_the_left_the_loss_is_large_and_almost_flat():
    a = 1 / (1 + np.exp(-(np.array([-4.0, -3.0]) * 2 - 1)))
    loss, slope = (a - 1) ** 2, 2 * (a - 1) * a * (1 - a) * 2
    assert np.all(loss > 0.99)
    assert np.all(np.abs(slope) < 0.01)


def test_the_contents_name_every_section(root):
    text = (root / SCRIPT).read_text(encoding="utf-8")
    named = re.findall(r"^# (\d+)\. ", text.split("# %% given")[0], re.MULTILINE)
    assert named == re.findall(r"^# ## (\d+)\. ", text, re.MULTILINE)


@pytest.mark.slow
def test_no_straight_line_separates_the_moons(guide):
    from scipy.optimize import linprog

    sign = 2 * guide["labels"] - 1
    rows = -sign[:, None] * np.column_stack([guide["X_train"].T, np.ones(sign.size)])  # y (w x + b) >= 1
    assert linprog(np.zeros(3), A_ub=rows, b_ub=-np.ones(sign.size), bounds=(None, None)).status == 2  # infeasible


def test_the_critical_temperature():
    assert f"{2 / np.log(1 + np.sqrt(2)):.3f}" == "2.269"


def test_sizes_of_signals_after_thirty_layers():
    assert 1.5**30 > 100_000
    assert 0.3**30 < 1e-15


@pytest.mark.slow
def test_the_three_learning_rates(guide):
    error = {alpha: np.abs(guide["descend"](-1.5, alpha) - 2) for alpha in (0.03, 0.3, 1.02)}
    assert error[0.03][-1] > 1
    assert error[0.3][6] < 0.02
    assert np.all(np.diff(error[1.02]) > 0)
    assert np.all(np.diff(np.sign(guide["descend"](-1.5, 1.02) - 2)) != 0)  # over the bottom, each time


@pytest.mark.slow
def test_the_network_bends_around_the_moons(guide):
    assert guide["network"].score(guide["X_train"].T, guide["Y_train"].ravel()) > 0.95
    fall = -np.diff(np.array(guide["network"].loss_curve_)[[0, 20, 200, 400]])
    assert fall[0] > 10 * fall[1] < fall[2]  # quickly, then at rest, then again
    assert fall[1] < 0.02


@pytest.mark.slow
def test_three_straight_lines_are_almost_the_same(guide):
    lines = []
    for answer, level in guide["models"].values():
        model = answer.__self__
        lines.append(np.append(model.coef_, np.ravel(model.intercept_) - level) / np.linalg.norm(model.coef_))
        assert np.mean((answer(guide["X_train"].T) > level) == guide["labels"]) < 0.9  # none can bend
    assert np.ptp(lines, axis=0).max() < 0.1


@pytest.mark.slow
def test_the_two_phases_of_the_magnet(guide):
    assert guide["lattice"](1.8).mean() > 0.9
    assert abs(guide["lattice"](3.5).mean()) < 0.1


@pytest.mark.slow
def test_the_practice_notebook_runs_untouched_and_knows_its_values(root):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root / "reference" / "toolkit"))
        names = runpy.run_path(str(root / "reference" / "guide" / "practice.py"))
    text = (root / "reference" / "guide" / "practice.py").read_text(encoding="utf-8")
    for task in ("task", "chain", "network"):
        for step in names[task].steps:
            assert re.search(rf"\b{step.name}=", text), step.name


def test_further_reading_is_the_same_in_the_guide_and_in_the_kit(root):
    """Every row has a link, and says what the text is good for."""
    kit = (root / "autograder" / "commands" / "student_readme.md").read_text(encoding="utf-8")
    rows = [line for line in kit[kit.index("## Further reading") :].splitlines() if line.startswith("| [")]
    script = (root / SCRIPT).read_text(encoding="utf-8")
    assert [line.removeprefix("# ") for line in script.splitlines() if line.startswith("# | [")] == rows
    assert len(rows) >= 10
    for row in rows:
        assert re.fullmatch(r"\| \[[^\]]+\]\(https?://[^\s)]+\)[^|]* \| [^|]{10,} \|", row), row
