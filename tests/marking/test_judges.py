"""Follow-through, shares and messages of the judge that compares values."""

import numpy as np
import pytest

from autograder.exercise import Line, Reply, Verdict
from autograder.marking.judges import FLAT_SHARE, first_only, remembered, values
from autograder.marking.slips import Slip, explain_slips

LINES = (Line("square", 1), Line("double", 1))
REPLIES = [Reply({"x": np.array([[1.0], [k]])}, {}, shown=k == 2) for k in (2, 3)]


def truth(given):
    return {"square": given["x"] ** 2, "double": 2 * given["x"] ** 2}


def follow(given, own):
    return [{"square": given["x"] ** 2, "double": 2 * own.get("square", given["x"] ** 2)}]


def judged(answers, **options):
    replies = [Reply(r.given, answer, r.shown) for r, answer in zip(REPLIES, answers)]
    return values(truth, **options)(LINES, replies)


def right(given):
    return {name: value.copy() for name, value in truth(given).items()}


def test_exact_values_are_right():
    verdicts = judged([right(r.given) for r in REPLIES])
    assert [v.status for v in verdicts.values()] == ["correct", "correct"]
    assert not any(v.own for v in verdicts.values())


def test_a_slip_costs_its_own_line_only():
    slipped = [{"square": r.given["x"] ** 2 + 1, "double": 2 * (r.given["x"] ** 2 + 1)} for r in REPLIES]
    with_follow = judged(slipped, follow=follow)
    assert (with_follow["square"].share, with_follow["double"].share) == (0, 1)
    assert with_follow["double"].own
    without = judged(slipped)
    assert (without["square"].share, without["double"].share) == (0, 0)


@pytest.mark.parametrize("way", ["follow", "explain"])
@pytest.mark.parametrize("size", [0.0, 1e-12, 1e-7])
def test_what_nearly_vanishes_earns_nothing_by_following(way, size):
    """From saturated activations zero gradients follow: two lines of code that compute nothing."""
    squares = [size * right(reply.given)["square"] for reply in REPLIES]
    small = [{"square": square, "double": 2 * square} for square in squares]
    consistent = {"follow": follow} if way == "follow" else {"explain": lambda _: {"double": Verdict("correct", 1.0)}}
    verdict = judged(small, **consistent)["double"]
    assert (verdict.status, verdict.share) == ("wrong", 0)
    if not size:
        assert verdict.message == "Every entry of `double` is zero."


def test_one_hidden_challenge_where_a_value_nearly_vanishes_is_enough():
    sizes = (1.0, 1.0, 1e-9)
    replies = [Reply({"x": np.array([[1.0], [k]])}, {}, shown=False) for k in (2, 3, 4)]
    squares = [1.1 * size * right(reply.given)["square"] for size, reply in zip(sizes, replies)]
    replies = [Reply(r.given, {"square": s, "double": 2 * s}, r.shown) for r, s in zip(replies, squares)]
    judge = values(truth, follow=follow)
    assert judge(LINES, replies[:2])["double"].share == 1
    assert judge(LINES, replies)["double"].share == 0
    assert judge(LINES, [*replies[:2], Reply(replies[2].given, replies[2].values, shown=True)])["double"].share == 1


@pytest.mark.parametrize(("activation", "share"), [([[3.0, 3.0], [2.0, 2.0 + 1e-8]], 0), ([[3.0, 2.0], [2.0, 2.0]], 1)])
def test_from_an_activation_that_is_the_same_for_every_example_nothing_follows(activation, share):
    """It does not depend on the inputs, so that what is below would not either."""
    judge = values(lambda given: {"A1": given["X"], "y": 2 * given["X"]}, follow=lambda given, own: [
        {"A1": given["X"], "y": 2 * own.get("A1", given["X"])}])  # fmt: skip
    own = np.array(activation)
    replies = [Reply({"X": np.array([[1.0, k], [k, 5.0]])}, {"A1": own, "y": 2 * own}) for k in (2, 3)]
    verdicts = judge((Line("A1", 1), Line("y", 1)), replies)
    assert (verdicts["A1"].share, verdicts["y"].share) == (0, share)


def test_zeros_at_one_challenge_alone_are_not_spoken_of():
    """A sign, or a choice between the examples, may happen to cancel at the small example."""
    squares = np.zeros((2, 1)), np.ones((2, 1))
    answers = [right(reply.given) | {"square": square} for reply, square in zip(REPLIES, squares)]
    assert judged(answers)["square"].message == "`square` does not have the expected values."


def test_zeros_that_are_exact_are_right():
    replies = [Reply({"x": np.zeros((2, 1))}, {name: np.zeros((2, 1)) for name in ("square", "double")})]
    assert [v.share for v in values(truth, follow=follow)(LINES, replies).values()] == [1, 1]


def test_right_at_one_challenge_is_not_right():
    answers = [right(REPLIES[0].given), {**right(REPLIES[1].given), "square": np.zeros((2, 1))}]
    assert judged(answers)["square"].status == "wrong"


def test_expected_values_are_given_only_for_shown_challenges():
    hidden_wrong = judged([right(REPLIES[0].given), {**right(REPLIES[1].given), "square": np.ones((2, 1))}])
    assert hidden_wrong["square"].expected is None
    assert hidden_wrong["square"].got is None
    shown_wrong = judged([{**right(r.given), "square": np.ones((2, 1))} for r in REPLIES])
    np.testing.assert_array_equal(shown_wrong["square"].expected, [[1], [4]])


def test_a_flat_shape_costs_a_part_and_is_named():
    flat = [{**right(r.given), "square": right(r.given)["square"].ravel()} for r in REPLIES]
    verdict = judged(flat)["square"]
    assert verdict.share == FLAT_SHARE
    assert verdict.mistakes == ("wrong-shape",)
    assert judged(flat, by_hand=True)["square"].share == 1


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "has no value"),
        (np.zeros((2, 1)), "is zero"),
        (np.full((2, 1), np.nan), "not finite"),
        (np.ones((1, 5)), "has shape (1, 5); (2, 1) is expected"),
        ("text", "is text, not"),
    ],
)
def test_the_message_says_what_is_measured(value, said):
    verdict = judged([{**right(r.given), "square": value} for r in REPLIES])["square"]
    assert said in verdict.message
    assert verdict.status == ("missing" if value is None else "wrong")


TIMES = ("square", "double")


def _three_times(**more):
    """Both lines three times as large as they should be, by one slip that is known at both."""
    slips = [Slip("factor-2-extra", name, lambda v, n=name: 3 * truth(v.given)[n]) for name in TIMES]
    answers = [{name: 3 * value for name, value in right(reply.given).items()} for reply in REPLIES]
    return judged(answers, explain=explain_slips(slips), **more)


def test_a_slip_that_is_made_again_is_charged_once():
    verdicts = _three_times()
    assert (verdicts["square"].share, verdicts["square"].mistakes) == (0, ("factor-2-extra",))
    assert (verdicts["double"].share, verdicts["double"].own, verdicts["double"].mistakes) == (1, True, ())
    assert verdicts["double"].message == "Nothing new here: there is a factor 2 too much."


@pytest.mark.parametrize("each", [("factor-2-extra",), ("double",)])
def test_where_a_question_asks_for_just_that_each_line_is_charged(each):
    assert [verdict.share for verdict in _three_times(each=each).values()] == [0, 0]


def test_what_was_not_done_or_only_copied_is_charged_each_time():
    for mistake, value in (("parameter-never-updated", lambda x: 7 * x), ("activation-forgotten", lambda x: x)):
        slips = [Slip(mistake, ("square", "double"), lambda v, f=value: f(v.x))]
        answers = [{name: value(reply.given["x"]) for name in TIMES} for reply in REPLIES]
        verdicts = judged(answers, explain=explain_slips(slips))
        assert [verdict.mistakes for verdict in verdicts.values()] == [(mistake,)] * 2
        assert [verdict.share for verdict in verdicts.values()] == [0, 0]


def test_a_line_with_another_mistake_besides_is_charged_for_that():
    found = {"a": Verdict.named("sign-flipped"), "b": Verdict.named("sign-flipped", "wrong-shape"),
             "c": Verdict.named("wrong-shape")}  # fmt: skip
    assert [verdict.share for verdict in first_only(found).values()] == [0, 0, 1]
    assert [verdict.share for verdict in first_only({**found, "d": Verdict("wrong")}).values()] == [0, 0, 0, 0]


def test_an_attribute_without_a_value_is_not_called_missing():
    """A method that runs through is written: it may have kept its result in a local variable."""
    answers = [{**right(reply.given), "square": None} for reply in REPLIES]
    verdict = judged(answers, of="self")["square"]
    assert verdict.status == "wrong"
    assert verdict.message == "`self.square` has no value when the method has run."
    assert "local variable" in verdict.hint
    assert judged(answers)["square"].status == "missing"


def test_own_values_that_are_not_finite_are_not_followed():
    answers = [{"square": np.full((2, 1), np.nan), "double": np.full((2, 1), np.nan)} for _ in REPLIES]
    assert judged(answers, follow=follow)["double"].share == 0


def test_remembered_truth_is_computed_once_per_challenge_and_keeps_zero_dimensional_numbers():
    calls = []

    def count(given):
        calls.append(given["n"].shape)
        return {"n": given["n"] + 1}

    truth_once = remembered(count)
    for _ in range(3):
        assert truth_once({"n": np.array(2)})["n"] == 3
    assert truth_once({"n": np.array(3)})["n"] == 4
    assert calls == [(), ()]


def test_equal_unexplained_answers_have_the_same_fingerprint_whatever_their_form():
    """What the class report groups: the same wrong numbers, as lists, in another order in memory, slightly rounded."""
    wrong = [right(r.given)["square"] + 0.123 for r in REPLIES]
    forms = [wrong, [w.tolist() for w in wrong], [np.asfortranarray(w) * (1 + 1e-13) for w in wrong]]
    found = {
        judged([{**right(r.given), "square": w} for r, w in zip(REPLIES, form)])["square"].fingerprint for form in forms
    }
    assert len(found) == 1
    assert len(found.pop()) == 16
    other = judged([{**right(r.given), "square": w + 1} for r, w in zip(REPLIES, wrong)])["square"].fingerprint
    assert other
    assert other not in found
