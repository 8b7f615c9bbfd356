"""attention: the truth by PyTorch and step by step, what follows from what, and the numbers of the notebook's prose."""

from itertools import combinations, pairwise

import numpy as np
import pytest

from autograder.exercise import Reply
from autograder.exercises import attention as exercise
from autograder.exercises import attention_mistakes as mistakes
from autograder.marking.slips import At, value_of

TRUTHS = {
    "attention_values": exercise.true_attention,
    "attention_gradients": exercise.true_backward,
    "letter_gradients": exercise.true_model,
}


def drawn(name, seed=3):
    probe = exercise.EXERCISE.question(name).probe
    return [challenge.known for challenge in probe.challenges(np.random.default_rng(seed))]


def judged(name, answers):
    question = exercise.EXERCISE.question(name)
    return question.judge(question.lines, [Reply(at, one) for at, one in zip(drawn(name), answers, strict=True)])


def test_the_model_step_by_step_gives_the_slopes_of_its_loss():
    for at in drawn("letter_gradients"):
        steps = mistakes.run(at)
        for name, value in exercise.true_model(at).items():
            np.testing.assert_allclose(steps[name], value, rtol=1e-10, atol=1e-14)


def test_the_formulas_of_the_notebook_give_the_slopes():
    for at in drawn("attention_gradients"):
        exact, root = exercise.true_backward(at), np.sqrt(at["Q"].shape[1])
        dS = mistakes.through_softmax(at["P"], exact["dP"])
        wanted = {"dV": at["P"].T @ at["dA"], "dP": at["dA"] @ at["V"].T, "dS": dS}
        wanted |= {"dQ": dS @ at["K"] / root, "dK": dS.T @ at["Q"] / root}
        for name, value in wanted.items():
            np.testing.assert_allclose(exact[name], value, rtol=1e-10, atol=1e-14)


@pytest.mark.slow
def test_attention_is_that_of_torch():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: make crosscheck")
    attend = torch.nn.functional.scaled_dot_product_attention
    for at in drawn("attention_values"):
        Q, K, V, large, mask = (torch.tensor(at[name])[None] for name in ("Q", "K", "V", "K_large", "mask"))
        exact, ones = exercise.true_attention(at), torch.eye(K.shape[1], dtype=K.dtype)[None]
        np.testing.assert_allclose(exact["A"], attend(Q, K, V, attn_mask=mask)[0], rtol=1e-12)
        np.testing.assert_allclose(exact["P"], attend(Q, K, ones, attn_mask=mask)[0], rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(exact["P_large"], attend(Q, large, ones, attn_mask=mask)[0], rtol=1e-9, atol=1e-15)
    for at in drawn("attention_gradients"):
        Q, K, V = (torch.tensor(at[name][None], requires_grad=True) for name in "QKV")
        (attend(Q, K, V, attn_mask=torch.tensor(at["mask"])[None])[0] * torch.tensor(at["dA"])).sum().backward()
        for name, tensor in zip("QKV", (Q, K, V)):
            np.testing.assert_allclose(exercise.true_backward(at)[f"d{name}"], tensor.grad[0], rtol=1e-10, atol=1e-14)


@pytest.mark.slow
def test_the_model_is_that_of_torch():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: make crosscheck")
    functional = torch.nn.functional
    for at in drawn("letter_gradients"):
        p = {name: torch.tensor(at[name], requires_grad=True) for name in exercise.PARAMETERS}
        X = functional.embedding(torch.tensor(at["tokens"]), p["E"]) + torch.tensor(at["R"])
        A = functional.scaled_dot_product_attention(*(X[None] @ p[f"W{n}"] for n in "qkv"), is_causal=True)[0]
        A.retain_grad()
        loss = functional.cross_entropy((X + A) @ p["Wo"], torch.tensor(at["targets"]))
        loss.backward()
        exact = exercise.true_model(at)
        np.testing.assert_allclose(exact["loss"], loss.item(), rtol=1e-12)
        for name, tensor in {**p, "A": A}.items():
            np.testing.assert_allclose(exact[f"d{name}"], tensor.grad, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(
    ("name", "slips"),
    [
        ("attention_values", mistakes.FORWARD),
        ("attention_gradients", mistakes.BACKWARD),
        ("letter_gradients", exercise.MODEL),
    ],
)
def test_no_two_slips_look_alike_and_none_looks_right(name, slips):
    points = drawn(name)[1:]
    for line in dict.fromkeys(line for slip in slips for line in slip.lines):
        here = []
        for slip in slips:
            if line in slip.lines:
                with np.errstate(all="ignore"):
                    here.append((slip.id, [value_of(slip.formula, At(at, TRUTHS[name](at))) for at in points]))
        here = [(id, found) for id, found in here if all(np.all(np.isfinite(one)) for one in found)]
        here.append(("right", [TRUTHS[name](at)[line] for at in points]))
        for (one, first), (other, second) in combinations(here, 2):
            alike = all(np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-7) for a, b in zip(first, second))
            assert one == other or not alike, (line, one, other)


def test_each_gradient_follows_from_the_own_ones_before_it():
    answers = []
    for at in drawn("attention_gradients"):
        exact, root = exercise.true_backward(at), np.sqrt(at["Q"].shape[1])
        dP = 1.5 * exact["dP"] + 0.1
        dS = mistakes.through_softmax(at["P"], dP) + 0.2
        answers.append({"dV": exact["dV"], "dP": dP, "dS": dS, "dQ": dS @ at["K"] / root, "dK": dS.T @ at["Q"] / root})
    shares = {name: one.share for name, one in judged("attention_gradients", answers).items()}
    assert shares == {"dV": 1, "dP": 0, "dS": 0, "dQ": 1, "dK": 1}


def in_the_model(at, given_mask=None):
    """Answers about the model of one whose attention returns something else, and what it was given."""
    right = mistakes.run(at)
    own = {"A": right["A"] + 0.3, "P": right["P"], "dQ": right["dQ"] + 0.1, "dK": 2 * right["dK"], "dV": right["dV"]}
    found = mistakes.run(at, own=own)
    seen = {f"given_{name}{again}": right[name] for name in "QKV" for again in ("", "_again")}
    seen["given_mask"] = right["mask"] if given_mask is None else given_mask(right["mask"])
    return {**{f"own_{name}": value for name, value in own.items()}, **seen, **exercise._lines(found)}


def test_the_model_is_marked_by_what_the_own_attention_returns():
    verdicts = judged("letter_gradients", [in_the_model(at) for at in drawn("letter_gradients")])
    assert {name: (one.share, one.own) for name, one in verdicts.items()} == {
        name: (1, name != "dWv") for name in verdicts
    }


def test_what_was_given_a_wrong_mask_excuses_nothing():
    verdicts = judged("letter_gradients", [in_the_model(at, np.transpose) for at in drawn("letter_gradients")])
    assert verdicts["loss"].share == verdicts["dA"].share == verdicts["dWo"].share == 0


def test_letters_stand_several_times_and_everyone_sees_himself():
    for at in drawn("letter_gradients"):
        assert len({*at["tokens"].tolist()}) == len(at["E"]) < len(at["tokens"])
    for at in drawn("attention_values"):
        assert np.all(np.diag(at["mask"]))
        scores = np.abs(at["Q"] @ at["K_large"].T) / np.sqrt(at["Q"].shape[1])
        assert 750 < np.min(scores) < np.max(scores) < 20_000
        with np.errstate(all="ignore"):  # without the largest subtracted no row is left
            E = np.exp(at["Q"] @ at["K_large"].T / np.sqrt(at["Q"].shape[1]))
            assert not np.any(np.all(np.isfinite(E / E.sum(axis=1, keepdims=True)), axis=1))


def test_the_small_example():
    Q, V, mask = np.array([[1.0], [2.0]]), np.array([[4.0], [8.0]]), np.tril(np.ones((2, 2), dtype=bool))
    found = exercise.true_attention({"Q": Q, "K": Q, "V": V, "mask": mask, "K_large": Q})
    np.testing.assert_allclose(found["P"], [[1, 0], [0.1192, 0.8808]], atol=5e-5)
    np.testing.assert_allclose(found["A"], [[4], [7.5232]], atol=5e-5)


def test_what_numpy_does_with_letters_that_stand_several_times():
    tokens, dX = np.array([0, 2, 0]), np.array([[1.0], [2.0], [4.0]])
    one, all_of_them = np.zeros((3, 1)), np.zeros((3, 1))
    one[tokens] += dX
    np.add.at(all_of_them, tokens, dX)
    assert one.ravel().tolist() == [4, 0, 2]
    assert all_of_them.ravel().tolist() == [5, 0, 2]


def test_the_largest_score_of_all_leaves_nothing_of_those_that_may_be_seen():
    assert np.exp(-np.inf) == 0
    for at in drawn("attention_values"):
        S = at["Q"] @ at["K_large"].T / np.sqrt(at["Q"].shape[1])
        left = np.where(at["mask"], np.exp(S - S.max(axis=1, keepdims=True)), 0)
        assert np.any(left.sum(axis=1) == 0)
        assert np.max(S.max(axis=1) - np.where(at["mask"], S, -np.inf).max(axis=1)) > 1000


def test_the_root_keeps_the_size_of_scores_and_the_gradient_behind_softmax():
    rng, top, slope = np.random.default_rng(0), {}, {}
    for d in (4, 400):
        Q, K = rng.normal(size=(2, 200, d))
        for name, S in (("bare", Q @ K.T), ("scaled", Q @ K.T / np.sqrt(d))):
            E = np.exp(S - S.max(axis=1, keepdims=True))
            P = E / E.sum(axis=1, keepdims=True)
            top[name, d], slope[name, d] = P.max(axis=1).mean(), np.sum(P * (1 - P), axis=1).mean()
            assert name == "bare" or S.std() == pytest.approx(1, rel=0.05)
    assert top["bare", 400] > 0.85  # nearly all weight on one position
    assert max(top["bare", 4], top["scaled", 400]) < 0.25
    assert slope["bare", 400] < slope["bare", 4] / 5


def test_what_is_not_seen_has_no_gradient_at_its_score():
    for at in drawn("attention_gradients"):
        assert not np.any(exercise.true_backward(at)["dS"][~at["mask"]])


def test_a_position_that_sees_one_has_no_gradient_at_its_score():
    P, dP = np.array([[1.0, 0.0]]), np.array([[0.7, -0.3]])
    np.testing.assert_array_equal(mistakes.through_softmax(P, dP), [[0, 0]])
    scores = [np.std(np.random.default_rng(0).normal(size=(2, 2000, d)).prod(axis=0).sum(axis=1)) for d in (4, 400)]
    assert scores[1] / scores[0] == pytest.approx(10, rel=0.1)  # the root of 100


@pytest.fixture(scope="module")
def trained(root):
    """What the cell that trains leaves behind, with the reference and without a figure."""
    source = (root / "reference/beyond/attention.py").read_text()
    names = {"np": np}
    for cell in ('student="attention"', 'student="backward"', 'student="model"', 'given="reader"', 'show="train"'):
        text = source.split(cell)[1].split("# %%")[0].split("\n", 1)[1]
        exec(text.split("fig, axes")[0], names)
    return names


@pytest.mark.slow
def test_the_model_reads_more_than_one_letter(trained):
    losses = trained["losses"]
    assert losses[0] == pytest.approx(3.5, abs=0.15)
    assert trained["one_letter"] == pytest.approx(1.73, abs=0.005)
    assert np.mean(losses[-50:]) < 0.6 * trained["one_letter"]
    assert (len(losses), trained["TEXT"].count("\n"), trained["weights"].shape) == (400, 6, (24, 24))
    assert np.mean(np.diag(trained["weights"], -1)) > 0.4  # much of it on the letter just before
    assert np.allclose(np.triu(trained["weights"], 1), 0)


@pytest.mark.slow
def test_where_a_letter_stands_in_its_piece_tells_hardly_anything(trained):
    """So a loss far below that of one letter can only have come through attention."""
    text, pairs = trained["text"], {}
    for start in range(len(text) - 25):
        for place in range(24):
            pairs.setdefault((text[start + place], place), []).append(text[start + place + 1])
    counts = [np.unique(found, return_counts=True)[1] for found in pairs.values()]
    best = -sum(np.sum(n * np.log(n / n.sum())) for n in counts) / sum(n.sum() for n in counts)
    assert 0.97 * trained["one_letter"] < best <= trained["one_letter"]
    assert trained["train"].__defaults__[:3] == (400, 24, 8)  # steps, letters, pieces


@pytest.mark.slow
def test_the_letters_of_one_letter_are_counted_right(trained):
    """The best loss of one letter by a second route: conditional entropy of the pairs."""
    text, pairs = trained["TEXT"], {}
    for one, following in pairwise(text):
        pairs.setdefault(one, []).append(following)
    surprise = [-np.log(pairs[a].count(b) / len(pairs[a])) for a, b in pairwise(text)]
    assert trained["one_letter"] == pytest.approx(np.mean(surprise))
