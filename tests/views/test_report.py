"""Clusters and the class report."""

from dataclasses import replace

import numpy as np
import pytest
from page_kit import ATTACKS, EXPECTED, Page, marks, place, wrong_line

from autograder.views.clusters import cluster_id, clusters, spots, with_hints
from autograder.views.places import shape
from autograder.views.report import class_report, common_mistakes, discrimination, exercise_reports

SHARED = wrong_line("dW1", EXPECTED + 1)
CLASS = [
    marks("ada"),
    marks("blaise"),
    marks("carla", dW1=SHARED),
    marks("dmitri", dW1=SHARED),
    marks("elena", dW1=wrong_line("dW1", EXPECTED + 2)),
    marks("farid", dW1=wrong_line("dW1", -EXPECTED, mistakes=("sign",), message="The sign is wrong.")),
    marks("greta", error="tanh_swap.ipynb is empty: hand in the saved notebook."),
]


def test_equal_unexplained_answers_share_a_cluster_and_others_do_not():
    (cluster,) = clusters(CLASS)
    assert cluster.students == ("carla", "dmitri")
    assert len(clusters(CLASS, least=1)) == 2


def test_a_cluster_keeps_its_name_whatever_the_dtype_and_the_seed():
    same = wrong_line("dW1", (EXPECTED + 1).astype(np.float64).tolist())
    assert cluster_id("tanh_swap", "hidden_gradients", same) == cluster_id("tanh_swap", "hidden_gradients", SHARED)
    assert cluster_id("tanh_swap", "output_gradients", SHARED) != cluster_id("tanh_swap", "hidden_gradients", SHARED)


def test_explained_right_and_unreadable_answers_have_no_cluster():
    explained = wrong_line("dW1", -EXPECTED, mistakes=("sign",))
    right = marks().question("hidden_gradients").lines[0]
    assert cluster_id("tanh_swap", "hidden_gradients", explained) == ""
    assert cluster_id("tanh_swap", "hidden_gradients", right) == ""
    assert cluster_id("tanh_swap", "hidden_gradients", replace(SHARED, got="text")) == ""


def test_one_hint_reaches_everyone_in_the_cluster_and_changes_no_point():
    (cluster,) = clusters(CLASS)
    hinted = [with_hints(one, {cluster.id: "Draw the chain."}) for one in CLASS]
    reached = [one.student for one in hinted if "Draw the chain." in str(one)]
    assert reached == ["carla", "dmitri"]
    assert [one.points for one in hinted] == [one.points for one in CLASS]


def pointed(student, code, **more):
    source = f"import numpy\n{code}\n"
    return marks(student, dW1=wrong_line("dW1", EXPECTED + len(code), place=place(code, source, **more)))


ALIKE = [
    pointed("ada", "self.A1 * (1 - self.A1)"),
    pointed("blaise", "A1*(1-A1)"),
    pointed("carla", "h *  (1 - h)"),
    pointed("dmitri", "h * (1 - g)"),
    pointed("elena", "A1*(1-A1)", due="relu'(Z1)"),
]


def test_students_who_write_the_same_where_the_same_is_due_stand_together():
    (spot,) = spots(ALIKE)
    assert list(spot.students) == ["ada", "blaise", "carla"]
    assert len(spots(ALIKE, least=1)) == 3
    words = Page(class_report(ALIKE)).words
    assert "3 students write A1*(1-A1)" in words
    assert "ada: cell network, line 2; blaise: cell network, line 2; carla: cell network, line 2" in words
    assert "ada" not in Page(class_report(ALIKE, names=False)).words


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("self.W2.T @ dZ2", "W.T@d", True),
        ("np.sum(dZ, axis=1)", "numpy . sum(d,axis=1)", True),
        ("np.sum(dZ, axis=1)", "np.mean(dZ, axis=1)", False),
        ("np.sum(dZ, axis=1)", "np.sum(dZ, axis=0)", False),
        ("np.sum(dZ, axis=1)", "np.sum(dZ, ddof=1)", False),
        ("dZ @ X.T", "dZ @ X", False),
        ("cache['A1'] # '", "c['A1']", True),
        ("cache['A1']", "cache['A2']", False),
        ("x if y else z", "a if b else c", True),
        ("a - b", "b - a", True),
        ("a - a", "a - b", False),
        ("network.f(x)", "net.f(z)", True),
        ("dW = dZ @ X", "g = d @ x", True),
        ("a == b", "c == d", True),
    ],
)
def test_the_shape_of_code_has_no_chosen_names(one, other, alike):
    assert (shape(one) == shape(other)) == alike


def test_difficulty_discrimination_and_distribution():
    (report,) = exercise_reports(CLASS)
    assert report.graded == 6
    assert report.bins[-1] == 2
    hidden = next(question for question in report.questions if question.id == "hidden_gradients")
    assert hidden.difficulty == pytest.approx((2 * 8 + 4 * 3) / 6 / 8)
    assert hidden.statuses == {"correct": 2, "wrong": 4}
    assert sum(hidden.bins) == 6


def test_discrimination_is_the_correlation_with_the_rest_and_nothing_where_nothing_varies():
    assert discrimination([0, 1, 0, 1, 1], [3, 9, 3, 9, 9]) == pytest.approx(1)
    assert discrimination([1, 0, 1, 0, 0], [3, 9, 3, 9, 9]) == pytest.approx(-1)
    assert discrimination([1, 1, 1, 1, 1], [3, 9, 3, 9, 9]) is None
    assert discrimination([0, 1], [3, 9]) is None


def test_mistakes_are_counted_by_student_with_a_sample():
    (sign,) = common_mistakes([*CLASS, CLASS[5]])
    assert (sign.id, sign.students) == ("sign", 1)
    assert np.array_equal(sign.sample.got, -EXPECTED)


def test_the_page_names_the_cluster_the_command_and_what_needs_a_person():
    (cluster,) = clusters(CLASS)
    words = Page(class_report(CLASS)).words
    assert "2 students share this dW1" in words
    assert f'autograder hint {cluster.id} "your hint"' in words
    assert "carla, dmitri" in words
    assert "greta tanh_swap the whole notebook tanh_swap.ipynb is empty" in words
    assert "Your hint: Draw the chain." in Page(class_report(CLASS, hints={cluster.id: "Draw the chain."})).words


def renamed(one, **names):
    return replace(one, questions=tuple(replace(q, id=names.get(q.id, q.id)) for q in one.questions))


def test_records_from_before_a_question_or_an_exercise_changed_are_reported_all_the_same():
    earlier = [renamed(one, hidden_gradients="earlier") for one in CLASS[:4]]
    (report,) = exercise_reports([*CLASS, *earlier])
    asked = {question.id: sum(question.statuses.values()) for question in report.questions}
    assert (asked["output_gradients"], asked["hidden_gradients"], asked["earlier"]) == (10, 6, 4)
    gone = [replace(one, exercise="gone") for one in CLASS]
    text = class_report([*CLASS, *earlier, *gone])
    assert text.count("2 students share this dW1") == 3


def test_without_names_no_student_can_be_told():
    html = class_report(CLASS, names=False)
    for one in CLASS:
        assert one.student not in html
    assert "2 students share this dW1" in Page(html).words


def test_an_empty_class_and_one_student_make_a_page():
    assert "0 students" in class_report([])
    assert "1 student, 1 notebook" in class_report([marks()])


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_runs_survives(attack):
    loud = marks(attack, dW1=wrong_line("dW1", EXPECTED, message=attack))
    page = Page(class_report([loud, loud, marks("x", error=attack)]))
    assert not {"script", "iframe", "link", "form", "img"} & {tag for tag, _ in page.tags}
    assert not [a for _, a in page.tags if any(name.startswith("on") for name in a)]
