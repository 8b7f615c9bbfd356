"""Clusters and the class report."""

from dataclasses import replace

import numpy as np
import pytest
from page_kit import ATTACKS, EXPECTED, Page, marks, wrong_line

from autograder.views.clusters import cluster_id, clusters, with_hints
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
