"""What people mark with: schemes as boxes, groups of answers, agreement of two markers."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.course import source_notebook
from autograder.exercises import NAMES, load
from autograder.people.agreement import agreement, drawn, weighted_kappa
from autograder.people.groups import groups, normal
from autograder.people.scheme import Scheme, parse, revised, total

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Nothing is said about the machine's speed."""

PARTS = [(name, part) for name in NAMES for part in load(name).written]


@pytest.mark.parametrize(("name", "part"), PARTS, ids=[f"{name}-{part.id}" for name, part in PARTS])
def test_the_boxes_of_every_part_are_worth_its_points(root, name, part):
    cells = source_notebook(root, load(name)).cells
    source = next(c.source for c in cells if c.metadata.get("nbgrader", {}).get("grade_id") == part.id)
    scheme = parse(source, part.points)
    assert sum(box.points for box in scheme.boxes) == part.points
    assert len({box.key for box in scheme.boxes}) == len(scheme.boxes)
    assert all(("(1)" not in box.words and not box.words[:1].isdigit()) or "," in box.words for box in scheme.boxes)


def test_words_with_a_point_each_become_boxes(root):
    source = next(
        cell.source for cell in source_notebook(root, load("relu_derivative")).cells
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "why_a_mask"
    )  # fmt: skip
    scheme = parse(source, 6)
    assert [box.key for box in scheme.boxes] == ["1a", "1b", "2a", "2b", "3a", "3b"]
    assert scheme.boxes[1].words.startswith("sign of Z1") or "sign of Z1" in scheme.boxes[1].words
    assert "at most 3 points" in scheme.notes


def test_a_scheme_that_is_worth_too_much_is_only_shown():
    scheme = parse("=== BEGIN MARK SCHEME ===\n- 3 points: all\n=== END MARK SCHEME ===", 2)
    assert scheme.boxes == ()
    assert "3 points: all" in scheme.notes


@pytest.mark.slow
@CALM
@given(st.sets(st.sampled_from(["1", "2", "3a", "3b"])), st.floats(-9, 9), st.floats(0, 5))
def test_points_are_never_more_than_the_part_nor_less_than_nothing(ticked, free, most):
    scheme = parse("=== BEGIN MARK SCHEME ===\n- 1 point: a\n- 1 point: b\n- 2 points: c (1); d (1)\n"
                   "=== END MARK SCHEME ===", 4)  # fmt: skip
    assert 0 <= total(scheme, ticked, free, most) <= most


def test_a_box_can_get_other_words_and_another_worth():
    scheme = parse("=== BEGIN MARK SCHEME ===\n- 1 point: a\n- 1 point: b\n=== END MARK SCHEME ===", 2)
    changed = revised(scheme, [{"key": "2", "points": 0.5, "words": "b, in words"}])
    assert total(changed, ["1", "2"], 0, 2) == 1.5
    assert revised(changed, []) == changed != Scheme(())


TEXTS = st.lists(st.text("ab 1.\n", max_size=12), max_size=12)


@CALM
@given(TEXTS)
def test_every_answer_is_in_one_group(texts):
    found = groups(texts)
    assert sorted(at for group in found for at in group) == list(range(len(texts)))
    for group in found:
        assert len({bool(normal(texts[at])) for at in group}) == 1, "a blank is beside blanks only"


def test_like_answers_are_side_by_side_and_one_digit_parts_them():
    texts = [
        "The slope is 1 or 0.",
        "",
        "something else entirely",
        "the slope is  1 or 0",
        "The slope is 1 or 2.",
        "\n",
    ]
    found = groups(texts)
    assert found[0] == [1, 5]
    assert [0, 3] in found
    assert [4] in found


PAIRS = st.lists(st.tuples(st.sampled_from([0.0, 1.0, 2.0, 3.0]), st.sampled_from([0.0, 1.0, 2.0, 3.0])), min_size=1)


@pytest.mark.slow
@CALM
@given(PAIRS)
def test_agreement_is_that_of_its_definition(pairs):
    found = agreement(pairs)
    assert 0 <= found.exact <= found.within_one <= 1
    assert weighted_kappa(pairs) == pytest.approx(weighted_kappa([(b, a) for a, b in pairs])), "whoever is first"
    if len({a for a, _ in pairs}) > 1:
        assert weighted_kappa([(a, a) for a, _ in pairs]) == 1


def test_kappa_of_a_table_worked_out_by_hand():
    # by hand: observed 1/4, by chance (4 + 8 + 1 + 1 + 4 + 2)/16
    assert weighted_kappa([(0, 0), (0, 1), (1, 1), (2, 2)]) == pytest.approx(1 - 0.25 / 1.25)


def test_a_sample_is_the_same_for_its_seed():
    names = [f"s{number}" for number in range(60)]
    assert len(drawn(names, 0.15, "x")) == 9
    assert drawn(names, 0.15, "x") == drawn(names[::-1], 0.15, "x") != drawn(names, 0.15, "y")
