"""What is at fault though no repair is known: a wrong answer, made of nothing but what is right."""

import numpy as np
import pytest
import slips_kit

RIGHT = """
def bent(X):
    h = np.tanh(X)
    return np.exp(h) * (X + 1) ** 2
"""

TABLE = [(0.0, lambda X: X), (0.01, np.tanh)]

FAR = "np.sqrt(np.abs(h)) + 3 * X"
"""No small change, and no quantity, makes it what is due."""


def pointed(source, called=("X", "h"), right=RIGHT, **options):
    return list(slips_kit.pointed(right, "bent", source, table=TABLE, called=called, read=["bent"], **options))


def bent(*lines):
    return "\n    ".join(["def bent(X):", *lines]) + "\n"


def test_an_expression_of_what_is_right_that_gives_a_wrong_answer_is_at_fault():
    assert pointed(bent("h = np.tanh(X)", f"return {FAR}")) == [(FAR, "made")]
    assert pointed(bent("h = np.tanh(X)", f"g = {FAR}", "return g")) == [(FAR, "made")]


def test_entries_that_a_loop_fills_in_are_made_so_too():
    entry = "np.sqrt(np.abs(h[i, j])) + 3 * X[i, j]"
    loops = ["out = np.zeros(X.shape)", "for i in range(2):", "    for j in range(3):"]
    assert pointed(bent("h = np.tanh(X)", *loops, f"        out[i, j] = {entry}", "return out")) == [(entry, "made")]


@pytest.mark.parametrize(
    "lines",
    [
        ["h = np.sinh(X) / 2 + X", f"return {FAR}"],  # h may be wrong as well, and is
        ["h = np.tanh(X)", "g = np.cosh(X) + h", f"return {FAR} + g"],  # of g nothing is known
        ["h = np.tanh(X)", "if X.sum() > 0:", f"    return {FAR}", f"return {FAR} + 1"],  # the condition may be wrong
        ["h = np.tanh(X)", "if X.sum() > 1e9:", "    return h", f"return {FAR}"],
        ["h = np.tanh(X)", "out = 3 * X", "if X.sum() < 1e9:", f"    out = {FAR}", "return out"],
        ["h = np.tanh(X)", "out = 3 * X", "np.exp(h) * (X + 1) ** 2 - out", "return out"],  # what comes to nothing
        ["h = np.tanh(X)", "out = 3 * X", "more = np.sqrt(np.abs(h))", "return out"],
        ["h = np.tanh(X)", "return far(X, h)"],  # of a function of one's own nothing is known
    ],
)
def test_where_something_else_may_be_wrong_nothing_is_claimed(lines):
    far = f"def far(X, h):\n    return {FAR}\n\n"
    assert [kind for _, kind in pointed(far + bent(*lines)) if kind == "made"] == []


def test_what_holds_what_was_given_may_be_wrong_for_that():
    assert pointed(bent("h = X + 0", f"return {FAR}"), called=("X", "")) == []
    assert pointed(bent("g = np.tanh(X)", f"return {FAR.replace('h)', 'g)')}"), called=("X", "h")) != []


def test_what_gives_a_name_what_it_should_hold_is_right_though_it_is_returned():
    table = [*TABLE, (1.0, lambda X: np.cosh(X) + np.tanh(X))]
    found = slips_kit.pointed(
        RIGHT, "bent", bent("h = np.tanh(X)", "g = np.cosh(X) + h", "return g"), table=table, called=("X", "h", "g"),
        read=["bent"],
    )  # fmt: skip
    assert not [code for code, _ in found if "cosh" in code]


def test_what_one_answers_right_in_another_question_is_right_here():
    source = "def far(X):\n    return np.tanh(X)\n\n" + bent("return np.sqrt(np.abs(far(X))) + 3 * X")
    assert pointed(source) == []
    assert [code for code, _ in pointed(source, trusted=["far"])] == ["np.sqrt(np.abs(far(X))) + 3 * X"]


def test_an_error_of_the_search_itself_keeps_what_was_found_and_is_told(monkeypatch):
    from autograder.sandbox.inside.repair.search import Search

    def broken(self, right):
        raise KeyError("no such thing")

    monkeypatch.setattr(Search, "_left_out", broken)
    exact = slips_kit.run(RIGHT, "bent", "record")["answers"]
    made = slips_kit.run(bent("h = np.tanh(X)", f"return {FAR}"), "bent", exact=exact, table=TABLE, read=["bent"])
    assert [one["kind"] for one in made["found"]] == ["made"]
    assert "KeyError: 'no such thing' (line" in made["failed"]


@pytest.mark.parametrize(
    "lines",
    [
        ["row = X.ravel()", "return np.squeeze(row[: 1 + int(X[0, 0] > 0)]) ** 3"],  # a row, or a number
        [
            "every = np.nditer(X)",
            "for one in every:",
            "    pass",
            "return X.ravel()[:2] + 1",
        ],  # it has no shape at its end
    ],
)
def test_no_form_of_a_value_stops_the_search(lines):
    right = bent("return X.ravel()[: 1 + int(X[0, 0] > 0)] ** 2")
    exact = slips_kit.run(right, "bent", "record")["answers"]
    assert slips_kit.run(bent(*lines), "bent", exact=exact, read=["bent"])["failed"] == ""
