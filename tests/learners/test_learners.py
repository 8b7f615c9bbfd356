"""What learners wrote, as it was handed in: half-finished, unusual and lucky work, each with the mark that is due.

``learners.json`` holds, by name and notebook, the cells that differ from the released stub (``cells``, by grade id) and
cells of the learner's own (``after``, by the grade id that they follow). They were written from the notebooks' text
alone, before the grader was mended by them.
"""

import functools
import json
from pathlib import Path

import nbformat
import pytest
from sample_kit import sampled

from autograder.exercises import load
from autograder.grading.grade import grade_notebook
from autograder.sandbox import shared_sandbox

pytestmark = pytest.mark.slow

LEARNERS = json.loads(Path(__file__).with_name("learners.json").read_text(encoding="utf-8"))

DUE = {
    # one value that cannot be read costs itself
    "x_ellipsis by_hand/worked_calculation": 23,
    "x_ellipsis_one by_hand/worked_calculation": 23,
    "fill_all_dots by_hand/worked_calculation": 10,
    "sym_one by_hand/worked_calculation": 25,  # a sympy matrix of one number is that number
    "ell by_hand/vanishing_gradients": 17,
    "ell_list by_hand/vanishing_gradients": 16,
    "dict_bounds by_hand/vanishing_gradients": 14,
    "single training/hidden_size": 17,
    "study_int training/hidden_size": 14,  # two lists are numbers
    # a value is read where its question stands
    "check_loss by_hand/worked_calculation": 25,
    # what is there before an error counts, and a slip in a class is not paid again in the report
    "late_raise foundations/simple_network": 12,
    "W2_noT foundations/simple_network": 12,
    "locals foundations/simple_network": 8,
    "XT_left by_hand/two_hidden_layers": 16,
    "X_in_dZ3 by_hand/two_hidden_layers": 17,  # no text asks for X there any more
    # one slip, one loss
    "no_T by_hand/two_hidden_layers": 16,
    "no_T by_hand/vanishing_gradients": 18,
    "relu_one by_hand/vanishing_gradients": 18,
    "slope_one by_hand/vanishing_gradients": 17,
    "round4dec by_hand/worked_calculation": 23,
    "db_nokeep foundations/simple_network": 18.5,
    "sigma_prime_helper foundations/simple_network": 14,
    "index_loop training/sgd": 16,
    "batch_grad training/sgd": 11,  # no steps of single examples: that is what the question asks for
    "shape_lost training/sgd": 11,
    "not_updated training/sgd": 15,
    "no_m training/l2_regularization": 16,
    "study_bias training/l2_regularization": 19,
    "half design/sin_regression": 18,
    "np_mean design/sin_regression": 18,
    "np_mean design/multi_output": 19,
    "sig_deriv_tanh design/sin_regression": 16,
    "out_tanh design/multi_output": 20.5,
    "out_tanh training/tanh_swap": 19,
    "step_sequential design/multi_output": 20.5,
    # arguments that are ignored, targets of other examples, a network by luck
    "fixed800 foundations/ising_phases": 17,
    "split800 foundations/ising_phases": 18,
    "shuffle_X_only training/sgd": 17,
    "shuffle_Y_otherwise training/sgd": 17,
    "noseed foundations/simple_network": 18,
    "noseed0 foundations/simple_network": 18,
    "fit_no_seed design/sin_regression": 19,
    # the design of the rates
    "leak design/reaction_rates": 13.5,
    "rate4 design/reaction_rates": 14,
    "none_linear design/reaction_rates": 14,
    "params_order design/reaction_rates": 14,
    # right in an unusual way
    "prop_limit design/custom_activation": 19,
    "uppercase by_hand/two_hidden_layers": 18,
    # solved from the text alone: plainly, in an unusual way, and with three mistakes
    "plain by_hand/computational_graph": 9,
    "unusual by_hand/computational_graph": 9,
    "three by_hand/computational_graph": 7,
    "plain beyond/softmax_jacobian": 22,
    "unusual beyond/softmax_jacobian": 22,
    "three beyond/softmax_jacobian": 18,
    "plain beyond/optimisers": 21,
    "unusual beyond/optimisers": 21,
    "three beyond/optimisers": 14,
    "plain beyond/gradient_check": 22,
    "unusual beyond/gradient_check": 22,
    "three beyond/gradient_check": 18,  # an upstream gradient of 0, 1, 2, ... does not see a lost output
    "plain beyond/autodiff_engine": 22,
    "unusual beyond/autodiff_engine": 22,
    "three beyond/autodiff_engine": 16,
    "plain beyond/normalisation": 22,
    "unusual beyond/normalisation": 22,
    "three beyond/normalisation": 18.5,
    "plain beyond/residual_network": 22,
    "unusual beyond/residual_network": 22,
    "three beyond/residual_network": 18,
    "plain beyond/attention": 22,
    "unusual beyond/attention": 22,
    "three beyond/attention": 17,
    "plain foundations/linear_models": 28,
    "unusual foundations/linear_models": 28,
    "three foundations/linear_models": 21.5,
    "plain foundations/relu_derivative": 14,
    "unusual foundations/relu_derivative": 14,
    "three foundations/relu_derivative": 1.5,
    "plain by_hand/exploding_gradients": 20,
    "unusual by_hand/exploding_gradients": 20,
    "three by_hand/exploding_gradients": 16.5,
    "plain by_hand/two_hidden_layers": 18,
    "unusual by_hand/two_hidden_layers": 18,
    "three by_hand/two_hidden_layers": 13.5,
    "plain training/tanh_swap": 20,
    "unusual training/tanh_swap": 20,
    "three training/tanh_swap": 13.5,
    "plain training/sgd": 22,
    "unusual training/sgd": 22,
    "three training/sgd": 17,
    "plain design/custom_activation": 21,
    "unusual design/custom_activation": 21,
    "three design/custom_activation": 18.5,
    "plain design/multi_output": 21,
    "unusual design/multi_output": 21,
    "three design/multi_output": 17.5,
    "plain training/l2_regularization": 22,
    "unusual training/l2_regularization": 22,
    "three training/l2_regularization": 14,
    "plain by_hand/worked_calculation": 25,
    "unusual by_hand/worked_calculation": 25,
    "three by_hand/worked_calculation": 20,
    "plain by_hand/vanishing_gradients": 20,
    "unusual by_hand/vanishing_gradients": 20,
    "three by_hand/vanishing_gradients": 17,
    "plain foundations/simple_network": 20,
    "unusual foundations/simple_network": 20,
    "three foundations/simple_network": 13,
    "plain foundations/ising_phases": 20,
    "unusual foundations/ising_phases": 20,
    "three foundations/ising_phases": 15,
    "plain design/sin_regression": 22,
    "unusual design/sin_regression": 22,
    "three design/sin_regression": 17,
    "plain design/reaction_rates": 16,
    "unusual design/reaction_rates": 16,
    "three design/reaction_rates": 10,
    "plain training/hidden_size": 20,
    "unusual training/hidden_size": 20,
    "three training/hidden_size": 14,
}
"""The points that the machine must give, by name and notebook."""


def notebook_of(root, name):
    """The learner's notebook on the present release."""
    kept, path = LEARNERS[name], name.split()[1]
    notebook = nbformat.read(root / "assignments" / f"{path}.ipynb", as_version=4)
    make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    cells = []
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = kept.get("cells", {}).get(grade_id, cell.source)
        cells += [cell, *(make[kind](source) for kind, source in kept.get("after", {}).get(grade_id, ()))]
    notebook.cells = cells
    return notebook


@pytest.fixture(scope="module")
def graded(root):
    """The marks of a learner by name, each graded once."""
    sandbox = shared_sandbox("auto")

    @functools.cache
    def grade(name):
        return grade_notebook(notebook_of(root, name), load(name.split("/")[1]), sandbox, root=root, seed=1).marks

    return grade


RIGHT = [name for name in LEARNERS if name.startswith(("plain ", "unusual "))]
ALIKE = ("np_mean design/sin_regression", "plain design/reaction_rates")
"""Whose like trains for less: the same slip in multi_output, right work in other notebooks."""
IN_CI = [name for name in LEARNERS if name not in (*RIGHT, *ALIKE)] + [name for name in RIGHT[::4] if name not in ALIKE]
"""The audit has right solutions of every exercise in CI, too; `make test-all` grades all of these."""


@pytest.mark.parametrize("name", sampled(LEARNERS, *IN_CI))
def test_a_learner_gets_what_is_due(graded, name):
    marks = graded(name)
    lost = {
        f"{question.id}.{line.name}": (line.max_points - line.points, line.message or question.message)
        for question in marks.questions
        for line in question.lines
        if line.points != line.max_points
    }
    assert not any(question.status == "grader_error" for question in marks.questions), lost
    assert marks.points == pytest.approx(DUE[name]), lost


def test_what_three_mistakes_in_each_notebook_cost_and_how_many_are_named(graded):
    """The figures of docs/graders.md: mistakes that readers chose, not the audit."""
    wrong = [name for name in LEARNERS if name.startswith("three ")]
    lines = [line for name in wrong for question in graded(name).questions for line in question.lines]
    lost = [line for line in lines if line.points < line.max_points]
    assert (len(wrong), len(lost), sum(bool(line.mistakes) for line in lost)) == (24, 73, 52)


def test_right_work_in_any_style_gets_everything():
    for name in RIGHT:
        exercise = load(name.split("/")[1])
        assert DUE[name] == exercise.points - sum(part.points for part in exercise.written), name


def test_every_mark_has_a_learner():
    assert DUE.keys() == LEARNERS.keys()
