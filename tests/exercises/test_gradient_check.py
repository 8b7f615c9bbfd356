"""gradient_check: the key by exact one-sided slopes, checkers that cheat, and the numbers of the notebook's prose."""

import inspect
import sys

import numpy as np
import pytest

from autograder.exercise import Reply
from autograder.exercises import gradient_check as exercise
from autograder.exercises import gradient_check_mistakes as judging
from autograder.exercises import planted_gradients as planting

QUESTIONS = ("planted_mistakes", "planted_routes")


def drawn(name, seed=3):
    return exercise.EXERCISE.question(name).probe.challenges(np.random.default_rng(seed))


class Student:
    """What a student wrote, by name."""

    def __init__(self, **functions):
        vars(self).update(functions)


def marked(name, student, seed=3):
    """The shares of all lines of a question."""
    question = exercise.EXERCISE.question(name)
    replies = []
    for challenge in drawn(name, seed):
        found = {}
        for values in question.probe.ask(student, challenge.given):
            found |= values
        replies.append(Reply(challenge.known, found, challenge.shown))
    return question.judge(question.lines, replies)


def sides(one, k):
    """The exact slopes to the left and to the right, for each output with its upstream gradient."""
    return sorted(planting.exact_slope(one["forward"], one["x"], k, side=side) for side in (-1, 1))


@pytest.mark.slow
@pytest.mark.parametrize("name", [line.name for line in exercise.CHECKS])
def test_the_key_is_that_of_exact_slopes(name):
    for challenge in drawn("planted_mistakes")[1:3]:
        for one, kind in zip(challenge.given[name], challenge.kept["key"][name], strict=True):
            claimed = planting.gradient(one["backward"], one["x"], np.ones(1))
            between, off = True, 0.0
            for k, got in enumerate(claimed):
                low, high = (float(slope) for slope in sides(one, k))
                rounding = 1e-9 * max(abs(low), abs(high)) + 1e-15 * np.max(np.abs(claimed))
                between &= bool(low - rounding <= got <= high + rounding)
                gap = max(low - got, got - high, 0)
                off = max(off, gap / max(abs(low), abs(high), abs(got), 1e-300))
            formed = tuple(one["form"]) == one["x"].shape
            assert (between and formed) == (kind == ""), (name, kind)
            if formed and kind not in ("", "NaN"):
                assert off >= planting.LEAST  # as the notebook says


def hidden_at(g):
    """What an upstream gradient cannot show."""
    same, ends = g[:-1] == g[1:], {"first lost": g[0], "last lost": g[-1]}
    hidden = {kind for kind, entry in ends.items() if entry == 0} | ({"neighbours"} if same[0] else set())
    hidden |= {"centred"} if abs(g.sum()) < 1e-12 else set()
    hidden |= {"reversed"} if np.all(g == g[::-1]) else set()
    return hidden | ({"turned", "averaged"} if np.all(same) else set())


@pytest.mark.slow
def test_every_special_upstream_gradient_hides_a_planted_one_and_others_none():
    rng = np.random.default_rng(0)
    special = {
        "ones": np.ones, "counted": np.arange, "counted down": lambda m: np.arange(m)[::-1],
        "symmetric": lambda m: np.minimum(np.arange(m), np.arange(m)[::-1]) + 1.0,
        "from -1 to 1": lambda m: np.linspace(-1, 1, m), "first twice": lambda m: np.maximum(np.arange(m), 1.0),
        "first alone": lambda m: np.eye(m)[0], "last alone": lambda m: np.eye(m)[-1],
        "random": lambda m: rng.normal(size=m),
    }  # fmt: skip
    unseen = {name: set() for name in special}
    for challenge in drawn("planted_routes"):
        for one, kind in zip(challenge.given["upstream"], challenge.kept["key"]["upstream"], strict=True):
            bent, w, b, out = one["forward"]
            exact = [
                [float(planting.exact_slope((bent, w, b, out[:, m:]), one["x"], k)) for k in range(one["x"].size)]
                for m in range(out.shape[1])
            ]
            for name, made in special.items():
                g = made(out.shape[1])
                agrees = np.allclose(planting.gradient(one["backward"], one["x"], g), g @ exact, rtol=1e-9, atol=1e-14)
                assert agrees == (kind == "" or kind in hidden_at(g)), (name, kind)
                unseen[name] |= {kind} if agrees and kind else set()
    assert [name for name, kinds in unseen.items() if not kinds] == ["random"]
    assert unseen["counted"] == {"first lost"}
    assert unseen["from -1 to 1"] == {"centred"}


def test_what_the_text_says_of_the_wrong_ones(root):
    text = " ".join((root / "reference/beyond/gradient_check.py").read_text().replace("\n# ", " ").split())
    assert (
        "send what belongs to one output back through *another*, give each of them the mean or take the mean off"
        in text
    )
    eye = np.eye(4)
    moved = {how: change(eye) for how, change in planting.ROUTES.items()}
    for how in ("turned", "reversed", "neighbours"):  # another output
        assert sorted(moved[how].tolist()) == sorted(eye.tolist())
        assert not np.array_equal(moved[how], eye)
    np.testing.assert_allclose(moved["averaged"], 0.25)
    np.testing.assert_allclose(eye - moved["centred"], 0.25)
    assert [np.flatnonzero(~moved[how].any(axis=1)).tolist() for how in ("first lost", "last lost")] == [[0], [3]]


@pytest.mark.slow
def test_the_slopes_are_those_of_torch():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: make crosscheck")
    for challenge in drawn("slope_values"):
        for name, (one,) in challenge.given.items():
            x = torch.tensor(one["x"].astype(float), requires_grad=True)
            bent, w, b, out = (torch.tensor(part) for part in one["forward"])
            u = w @ x.ravel() + b
            ways = torch.stack([u, u**2, torch.tanh(u), torch.sin(u)])
            (ways[bent.long(), torch.arange(len(u))] @ out[:, 0]).backward()
            np.testing.assert_allclose(judging.true_slopes(challenge.given)[name], x.grad.numpy(), rtol=1e-9)


def test_slopes_are_asked_for_whole_numbers_and_beside_large_ones():
    for challenge in drawn("slope_values"):
        assert challenge.given["whole"][0]["x"].dtype.kind == "i"
        sizes = np.abs(challenge.given["large"][0]["x"])
        assert np.max(sizes) > 1e9 > 10 > np.min(sizes)


@pytest.mark.slow
def test_what_is_sent_does_not_hold_the_key_and_its_order_is_drawn():
    for question in QUESTIONS:
        orders = set()
        for seed in range(5):
            for challenge in drawn(question, seed):
                assert "key" not in challenge.given
                for name, functions in challenge.given.items():
                    assert all({*one} == {"x", "forward", "backward", "form"} for one in functions)
                    for table in ("forward", "backward"):
                        assert len({tuple(np.shape(part) for part in one[table]) for one in functions}) == 1, name
                orders.add(repr(challenge.kept["key"]))
        assert len(orders) > 15


# Checkers that do not check -------------------------------------------------------------------------------------------


def by_frames(f, gradient, x):
    """Looks for something in the callers' frames that says it."""
    frame = sys._getframe()
    while frame is not None:
        for value in frame.f_locals.values():
            if isinstance(value, dict) and "key" in value:
                return False
        frame = frame.f_back
    return True


def by_closure(f, gradient, x):
    """Takes a backward table without repetitions for a right one."""
    table = gradient.__defaults__[0].__closure__[-1].cell_contents if gradient.__defaults__ else None
    return table is None or len(str(table)) % 2 == 0


def by_name(f, gradient, x):
    return gradient.__name__ == f.__name__ and "wrong" not in gradient.__code__.co_names


def by_text(f, gradient, x):
    return "wrong" not in "".join(map(str, gradient.__code__.co_consts + gradient.__code__.co_names))


def by_counting():
    calls = iter(range(10**6))
    return lambda f, gradient, x: next(calls) % 3 != 0


def coin(seed):
    rng = np.random.default_rng(seed)
    return lambda f, gradient, x: bool(rng.integers(2))


def remembering():
    """Answers by position as was right the first time: what the first challenge gave away would help at the others."""
    key = [kind == "" for kinds in drawn("planted_mistakes", 0)[0].kept["key"].values() for kind in kinds]
    calls = iter(range(10**6))
    return lambda f, gradient, x: key[next(calls) % len(key)]


CHEATS = {
    "true": lambda: lambda f, gradient, x: True,
    "false": lambda: lambda f, gradient, x: False,
    "frames": lambda: by_frames,
    "closure": lambda: by_closure,
    "name": lambda: by_name,
    "text": lambda: by_text,
    "counting": by_counting,
    "remembering": remembering,
    **{f"coin {seed}": lambda seed=seed: coin(seed) for seed in range(5)},
}


@pytest.mark.slow
@pytest.mark.parametrize("cheat", CHEATS)
def test_checkers_that_do_not_check_earn_nothing(cheat):
    check = CHEATS[cheat]()
    student = Student(gradient_is_right=check, backward_is_right=check)
    for question in QUESTIONS:
        assert not any(verdict.share for verdict in marked(question, student).values()), question


def test_the_probe_does_not_say_what_is_right():
    text = inspect.getsource(exercise.with_functions)
    assert not any(word in text for word in ("wrong", "slip", "key"))


# Honest ones ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reference(root):
    """The functions of the reference script."""
    source = (root / "reference/beyond/gradient_check.py").read_text()
    names = {"np": np}
    for cell in ("slopes", "checker", "backward"):
        exec(source.split(f'student="{cell}"')[1].split("# %%")[0].split("\n", 1)[1], names)
    return names


@pytest.mark.slow
def test_the_reference_and_steps_and_tolerances_near_its_own_are_right(reference, root):
    source = (root / "reference/beyond/gradient_check.py").read_text()
    cell = source.split('student="checker"')[1].split("# %%")[0].split("\n", 1)[1]
    for step, tolerance in ((1e-6, 1e-3), (1e-7, 1e-2), (1e-5, 1e-2), (1e-4, 3e-3)):
        names = {"np": np}
        exec(cell.replace("1e-5", repr(step)).replace("1e-3", repr(tolerance)), names)
        verdicts = marked("planted_mistakes", Student(gradient_is_right=names["gradient_is_right"]))
        assert {name: one.share for name, one in verdicts.items()} == dict.fromkeys(verdicts, 1), (step, tolerance)


@pytest.mark.slow
def test_the_reference_is_right_whatever_is_drawn(reference):
    student = Student(
        **{name: reference[name] for name in ("numerical_gradient", "gradient_is_right", "backward_is_right")}
    )
    for seed in range(3):
        for question in exercise.EXERCISE.questions:
            assert all(one.share == 1 for one in marked(question.id, student, seed).values()), (question.id, seed)


@pytest.mark.slow
def test_half_of_a_line_for_half_of_the_wrong_ones(reference):
    """A checker that sees every second wrong one, and refuses no right one."""
    calls = iter(range(10**6))

    def check(f, gradient, x):
        right = reference["gradient_is_right"](f, gradient, x)
        return right or next(calls) % 2 == 0

    verdict = marked("planted_mistakes", Student(gradient_is_right=check))["ordinary"]
    assert verdict.share == 0.5
    assert verdict.message == "14 of 28 wrong ones pass, 0 of 16 right ones are refused."


def test_what_is_no_truth_value_is_told():
    told = marked("planted_routes", Student(backward_is_right=lambda forward, backward, x: 0.5))["upstream"]
    assert (told.share, told.message) == (0, "What comes back must be True or False.")
    assert (
        marked("planted_routes", Student(backward_is_right=lambda forward, backward, x: None))["upstream"].status
        == "missing"
    )


# The prose ------------------------------------------------------------------------------------------------------------


def test_the_numbers_of_the_prose():
    below, here, above = (x**3 for x in (1.9, 2, 2.1))
    assert ((above - here) / 0.1, (above - below) / 0.2) == pytest.approx((12.61, 12.01))
    assert judging.FIGURES == 6
    for challenge in drawn("planted_mistakes"):
        for one in challenge.given["tiny"]:
            sizes = np.abs(planting.gradient(one["backward"], one["x"], np.ones(1)))
            assert 1e-15 < np.max(sizes) < 1e-12
        for one in challenge.given["hidden"]:
            sizes = np.sort(np.abs(planting.gradient(one["backward"], one["x"], np.ones(1))))
            assert 1e7 < sizes[-1] / sizes[-2] < 1e9  # a hundred million times


def test_the_best_steps_are_those_of_the_picture():
    steps = np.logspace(-15, -1, 57)
    one_side = np.abs((np.exp(1 + steps) - np.exp(1)) / steps / np.e - 1)
    both_sides = np.abs((np.exp(1 + steps) - np.exp(1 - steps)) / (2 * steps) / np.e - 1)
    assert 1e-10 < np.median(one_side[(steps > 3e-9) & (steps < 3e-8)]) < 1e-7
    assert 1e-13 < np.median(both_sides[(steps > 3e-6) & (steps < 3e-5)]) < 1e-10
    assert both_sides[steps < 1e-13].max() > 1e-4 > both_sides[-10]  # the digits run out


def test_errors_shrink_like_the_step_and_like_its_square():
    one_side, both_sides = ([f(h) for h in (1e-2, 1e-3)] for f in (
        lambda h: (np.exp(1 + h) - np.e) / h - np.e, lambda h: (np.exp(1 + h) - np.exp(1 - h)) / (2 * h) - np.e,
    ))  # fmt: skip
    assert one_side[0] / one_side[1] == pytest.approx(10, rel=0.02)
    assert both_sides[0] / both_sides[1] == pytest.approx(100, rel=0.02)


def test_a_number_has_about_sixteen_digits_and_whole_numbers_hold_no_small_step():
    assert -np.log10(np.finfo(float).eps) == pytest.approx(16, abs=0.5)
    assert np.spacing(3e9) > 1e-5 / 50  # what is left of a step of 0.00001 there has two digits at most
    x = np.array([1, 2])
    x[0] += np.array(0.00001).astype(x.dtype)
    assert x.tolist() == [1, 2]


def test_of_the_four_backward_passes_at_the_end_one_is_right(reference, root, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(root / "reference" / "toolkit"))
    source = (root / "reference/beyond/gradient_check.py").read_text()
    names = dict(reference)
    for cell in ("setup", "network"):
        exec(source.split(f'="{cell}"')[1].split("# %%")[0].split("\n", 1)[1], names)
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in said] == ["passes", "refused", "refused", "refused"]
