"""One catalogue: a mistake has one id, and nobody can name one that is not in it."""

import ast
import re
from pathlib import Path

import pytest

from autograder.audit.variants import load_variants
from autograder.diagnosis import Option
from autograder.exercise import Verdict
from autograder.exercises import NAMES, load
from autograder.marking.slips import Slip
from autograder.mistakes import _GROUPS, MISTAKES, UnknownMistake, known
from autograder.views.words import mistake

OURS = {id: MISTAKES[id] for texts in _GROUPS.values() for id in texts}
"""The catalogue without what courses of other tests have entered."""

ROOT = Path(__file__).resolve().parents[1]
SYNONYMS = (
    "learning-rate-forgotten", "factor-two-missing", "hidden-derivative-missing", "sign-of-error", "transposed",
    "not-updated", "weights-left-out", "cross-entropy-kept", "extra-1-over-m", "errors-for-accuracy", "root-missing",
)  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        lambda id: Slip(id, ("y",), lambda v: v.x),
        lambda id: Verdict("wrong", mistakes=(id,)),
        lambda id: Verdict.named(id),
        lambda id: Option("one", (id,), lambda c, at, e: e),
    ],
)
def test_an_id_that_the_catalogue_does_not_know_is_refused(name):
    name("sign-flipped")
    for id in ("no-such-mistake", *SYNONYMS):
        with pytest.raises(UnknownMistake, match=f"'{id}' is not in the catalogue"):
            name(id)


def test_the_words_are_those_of_the_catalogue_unless_others_are_given():
    entry = MISTAKES["percent"]
    assert Verdict.named("percent").hint == entry.hint
    assert Verdict.named("percent").message == "This is in percent."
    own = Verdict.named("percent", title="these are percentages", hint="Look.", share=0.5)
    assert (own.message, own.hint, own.share) == ("These are percentages.", "Look.", 0.5)


def named_in(path):
    """Every literal that a module writes as a mistake: in ``mistakes=``, or first in ``Slip`` and ``Verdict.named``."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        given = [keyword.value for keyword in node.keywords if keyword.arg == "mistakes"]
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in ("Slip", "named"):
            given += node.args[:1]
        for value in given:
            words = value.elts if isinstance(value, ast.Tuple) else [value]
            yield from (word.value for word in words if isinstance(word, ast.Constant))


@pytest.mark.slow
def test_a_verdict_that_is_seldom_given_names_a_known_mistake_too():
    judging = [*(ROOT / "autograder" / "marking").glob("*.py"), *(ROOT / "autograder" / "exercises").glob("*.py")]
    found = {id for path in judging for id in named_in(path)}
    assert len(found) > 80
    known(*found)


def test_no_two_mistakes_have_one_title():
    titles = [entry.title for entry in OURS.values()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("entry", OURS.values(), ids=lambda entry: entry.id)
def test_texts_are_short_plain_and_give_no_code_away(entry):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry.id)
    assert entry.title[0].islower() or entry.title.split()[0] in ("W2", "W3")
    assert mistake(entry.id) == entry.title
    assert not entry.title.endswith(".")
    assert entry.hint.endswith((".", "?"))
    assert not re.search(r"np\.|@|\*|\.T\b|sum\(", entry.hint)
    for sentence in re.split(r"[.?:;] ", entry.hint):
        assert len(sentence.split()) <= 25, sentence


@pytest.mark.parametrize("name", NAMES)
def test_variants_ask_for_mistakes_that_exist(name):
    variants = load_variants(ROOT, load(name))
    known(*(id for variant in variants.wrong for ids in variant.named.values() for id in ids))


def test_no_id_stands_twice():
    """Where two parts of the catalogue know an id, one of them would be read by nobody."""
    ids = [id for texts in _GROUPS.values() for id in texts]
    assert sorted(ids) == sorted(set(ids))


OF_THE_GRAMMAR = {"output error", "hidden error", "gradient", "bias gradient", "scale", "penalty", "update"}
"""The steps whose mistakes are options of the diagnosis; its own test says that none is too much there."""


@pytest.mark.slow
def test_every_mistake_of_the_catalogue_is_named_by_something():
    """One that nobody names is a promise that is not kept."""
    code = [path for path in (ROOT / "autograder").rglob("*.py") if "mistakes" not in path.parts]
    words = {
        node.value for path in code for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)
    }
    assert not {id for id, entry in OURS.items() if entry.where not in OF_THE_GRAMMAR} - words


COMMON = {
    "gradient-computed-once", "parameters-changed-by-backward-pass", "derivative-at-activation",
    "uniform-without-root-three", "probability-for-label", "divided-by-wrong-count", "divided-by-m-twice",
    "integers-from-vectorize", "return-missing", "w2-updated-before-hidden-error", "hidden-activation-on-output",
    "argument-ignored", "trained-on-test-data", "bias-penalised", "same-network-for-every-strength",
    "one-update-at-the-end", "stale-forward-pass", "running-mean-for-loss", "activation-applied-twice",
    "activation-and-pre-activation-exchanged", "argument-changed-in-place",
    "gradients-added-up",
}  # fmt: skip
"""What learners are known to write: some variant must do it, and be told so."""


def test_what_learners_are_known_to_write_is_named_in_a_variant():
    variants = [load_variants(ROOT, load(name)) for name in NAMES]
    assert not COMMON - {id for one in variants for wrong in one.wrong for ids in wrong.named.values() for id in ids}
