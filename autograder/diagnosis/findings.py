"""Explain wrong gradients: which mistakes, proved, or what is measured and no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from autograder.diagnosis.evidence import Evidence, make_evidence
from autograder.diagnosis.facts import measure
from autograder.diagnosis.grammar import choice_points, run_mutated
from autograder.diagnosis.search import (
    EXACT,
    MAX_MISTAKES,
    OWN_ERROR,
    Answer,
    Explanation,
    Search,
    TooMany,
    passes_with_own,
    recover_errors,
    same,
    tokens_at,
)
from autograder.diagnosis.spec import Array, Pass, Point, Spec, forward
from autograder.mistakes import MISTAKES
from autograder.tolerance import DOUBLE, Tolerance, agree, tolerance

RIGHT = "right"
WRONG = "wrong"
CONVENTION = "right-up-to-convention"

MAX_STATES = 40  # joint explanations kept while walking from the last layer to the first

SHAPES = ("result-transposed", "wrong-shape")
SCALE_CONVENTIONS = {
    "missing-1-over-m",
    "averaged-instead-of-summed",
    "mean-over-outputs",
    "summed-over-outputs",
}
FACTOR_CONVENTIONS = {"factor-2-lost", "factor-2-extra"}
PENALTY_CONVENTIONS = {
    "penalty-halved",
    "penalty-doubled",
    "penalty-not-divided-by-m",
    "penalty-divided-by-m",
}


@dataclass(frozen=True)
class Finding:
    """What is known about one parameter.

    ``mistakes`` are the ids of the mistakes made here. ``follows_from`` are ids of mistakes named at an earlier
    parameter that reach this one; then, or when the student's own forward values are used, ``given_own`` is true.
    A wrong parameter with neither, and not ``given_own``, is unexplained: ``facts`` say what is measured.
    ``convention`` holds the ids that make it right under another convention, ``kinks`` the other choices at a kink that
    make it right.
    """

    verdict: str
    mistakes: tuple[str, ...] = ()
    given_own: bool = False
    follows_from: tuple[str, ...] = ()
    convention: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    factor: str | None = None
    evidence: Evidence | None = None
    hint: str = ""
    kinks: tuple[str, ...] = ()

    @property
    def explained(self) -> bool:
        """Whether it is known why the numbers are what they are."""
        return self.verdict != WRONG or bool(self.mistakes) or self.given_own


@dataclass(frozen=True)
class Report:
    """The findings by parameter (W2, b2, W1, b1), in backward order. Parameters without an answer are left out."""

    parameters: Mapping[str, Finding]

    @property
    def mistakes(self) -> tuple[str, ...]:
        """The ids of all mistakes named, each once, in backward order."""
        return tuple(dict.fromkeys(mistake for finding in self.parameters.values() for mistake in finding.mistakes))


@dataclass(frozen=True)
class _Given:
    """The answers for one parameter: as handed in, brought to the expected shape, and the mistakes of shape."""

    raw: tuple[Array, ...]
    values: tuple[Array, ...] | None
    shape_mistakes: tuple[str, ...]
    tolerance: Tolerance


@dataclass(frozen=True)
class _State:
    """A joint explanation of the parameters seen so far."""

    tokens: frozenset[str] = frozenset()
    explanations: Mapping[str, Explanation] = field(default_factory=dict)


def explain(spec: Spec, points: Sequence[Point], *, conventions: bool = False) -> Report:
    """Say for each parameter whether it is right, and if not, which mistakes give exactly the student's numbers.

    A mistake is named only when it gives the answer at every point to 1e-9 and no other explanation with as few
    mistakes does. With ``conventions``, an answer that is exact under another common convention (sum for mean,
    factor of the squared error, scale of the penalty), the same one for all parameters, is right up to convention.

    Raises ValueError when the points are empty, inconsistent or incomplete, with one sentence that says which array.
    """
    if not points:
        raise ValueError("no points were given; at least one was expected")
    with np.errstate(all="ignore"):  # wrong numbers may overflow; only what is finite is ever compared
        return _explain(spec, points, conventions)


def _explain(spec: Spec, points: Sequence[Point], conventions: bool) -> Report:
    passes = [forward(spec, point.inputs) for point in points]
    truths = [forward(spec, point.inputs, own=False) for point in points]
    own_forward = any(
        not same(ours[layer], theirs[layer], EXACT)
        for c, truth in zip(passes, truths)
        for ours, theirs in ((c.z, truth.z), (c.a, truth.a))
        for layer in ours
    )
    expected = [run_mutated(replace(c, gradient={}, updated={}), {}) for c in truths]
    given = _collect(spec, points, expected)
    for c in passes:
        # Until the student's own answers are noted, the right ones stand in.
        run_mutated(c, {})
    passes_with_own(passes, [_arrays_at(spec, given, index) for index in range(len(points))])

    right = {parameter for parameter, g in given.items() if _is_right(spec, parameter, g, expected)}
    findings = {parameter: Finding(RIGHT) for parameter in right}
    wanted = [parameter for parameter in given if parameter not in right]
    if wanted:
        states = _walk(spec, passes, given, wanted)
        findings |= _judge(spec, passes, given, wanted, states, expected, own_forward)
        findings = _one_layer_only(spec, findings)
        if conventions:
            findings = _forgive(spec, findings)
    return Report({parameter: findings[parameter] for parameter in spec.parameters if parameter in findings})


def _collect(spec: Spec, points: Sequence[Point], expected: Sequence[Mapping[str, Array]]) -> dict[str, _Given]:
    given = {}
    for parameter in spec.parameters:
        name = spec.answer_name(parameter)
        if any(name not in point.answers for point in points):
            continue
        raw = tuple(np.asarray(point.answers[name]) for point in points)
        if any(value.dtype.kind not in "fiub" for value in raw):
            given[parameter] = _Given(raw, None, (), DOUBLE)
            continue
        loosest = max((tolerance(value) for value in raw), key=lambda one: (one.right, one.proof is None))
        shaped = [_shaped(value.astype(float), want[name].shape) for value, want in zip(raw, expected)]
        values: tuple[Array, ...] | None = None
        mistakes: tuple[str, ...] = ()
        if all(np.isfinite(value).all() for value in raw):
            values = tuple(value for value, _ in shaped)
            mistakes = tuple(dict.fromkeys(m for _, m in shaped if m))
        given[parameter] = _Given(raw, values, mistakes, loosest)
    return given


def _shaped(value: Array, shape: tuple[int, ...]) -> tuple[Array, str]:
    """Bring an answer to the expected shape where its numbers are all there, and name what was wrong with it."""
    if value.shape == shape:
        return value, ""
    if value.size == 1:
        return np.full(shape, value.reshape(())), "one-number" if np.prod(shape) > 1 else "wrong-shape"
    if value.shape == shape[::-1] and shape[1] > 1:
        return value.T, "result-transposed"
    if value.size == np.prod(shape) and max(value.shape) == max(shape):
        return value.reshape(shape), "wrong-shape"
    return value, ""


def _arrays_at(spec: Spec, given: Mapping[str, _Given], index: int) -> dict[str, Array]:
    return {spec.answer_name(p): g.values[index] for p, g in given.items() if g.values is not None}


def _is_right(spec: Spec, parameter: str, given: _Given, expected: Sequence[Mapping[str, Array]]) -> bool:
    name = spec.answer_name(parameter)
    return (
        given.values is not None
        and not given.shape_mistakes
        and all(agree(v, want[name], given.tolerance.right) for v, want in zip(given.values, expected))
    )


def _walk(spec: Spec, passes: Sequence[Pass], given: Mapping[str, _Given], wanted: Sequence[str]) -> list[_State]:
    """Explain the wrong parameters from the last layer to the first, each given what was named before."""
    states = [_State()]
    own: list[Pass] | None = None
    searches: dict[tuple[frozenset[str], int], Search] = {}
    for parameter in wanted:
        g = given[parameter]
        if g.values is None or g.tolerance.proof is None or all(not np.any(v) for v in g.values):
            continue
        extended = []
        for free in dict.fromkeys(state.tokens for state in states):
            base = _base(passes, parameter, g.values)
            if (free, base) not in searches:
                searches[free, base] = Search(passes, free, base)
            search = searches[free, base]
            found = _explanations(search, parameter, g)
            if not found and own is not None:
                found = _explanations(Search(own, free, base, own=True), parameter, g)
            for state in states:
                if state.tokens == free:
                    extended += [
                        _State(state.tokens | e.tokens, {**state.explanations, parameter: e}) for e in found
                    ] or [state]
        if int(parameter[1:]) == passes[0].spec.depth and extended == states and g.tolerance == DOUBLE:
            # Not explained; what follows may still be right given the error that this one came from.
            own = recover_errors(passes, [_arrays_at(spec, given, index) for index in range(len(passes))])
        # An explained state is worth more than one that leaves the parameter out.
        most = max(len(state.explanations) for state in extended)
        extended = [state for state in extended if len(state.explanations) == most]
        fewest = min(len(state.tokens) for state in extended)
        states = [s for s in sorted(extended, key=lambda s: len(s.tokens)) if len(s.tokens) <= fewest + 1][:MAX_STATES]
    fewest = min(len(state.tokens) for state in states)
    return [state for state in states if len(state.tokens) == fewest]


def _base(passes: Sequence[Pass], parameter: str, values: Sequence[Array]) -> int:
    """The first point at which the answer says something: where a mask closes every unit, all answers are alike."""
    for index, (c, value) in enumerate(zip(passes, values)):
        start = c.value(parameter)
        rest = value - start if c.spec.result == "update" and value.shape == start.shape else value
        if parameter[0] == "W" and rest.shape == start.shape:
            rest = rest + (c.rate if c.spec.result == "update" else -1.0) * c.decay * start
        if np.abs(rest).max(initial=0.0) > 1e-9 * np.abs(value).max(initial=0.0):
            return index
    return 0


def _explanations(search: Search, parameter: str, given: _Given) -> list[Explanation]:
    """The explanations with the fewest new mistakes; none when the numbers are too few to prove so many."""
    if given.values is None or given.tolerance.proof is None:
        return []
    answer = Answer(parameter, given.values, given.tolerance.proof)
    single = given.tolerance != DOUBLE
    numbers = answer.numbers()
    bound = min(MAX_MISTAKES, numbers if not single else min(2, numbers // 4))
    try:
        for new in range(bound + 1):
            found = search.explain(answer, new)
            if found:
                return found
    except TooMany:
        # Rivals might be among those not tried: nothing is claimed.
        return []
    return []


def _local(parameter: str, explanation: Explanation) -> frozenset[str]:
    """Mistakes of the steps that belong to this parameter alone, so that they are not inherited."""
    points = ("operand", "product", "penalty") if parameter[0] == "W" else ("bias-sum", "bias-penalty")
    options = explanation.recipe.options
    return frozenset(t for p in (*points, "update") for t in tokens_at(p, options[p]))


def _judge(
    spec: Spec,
    passes: Sequence[Pass],
    given: Mapping[str, _Given],
    wanted: Sequence[str],
    states: Sequence[_State],
    expected: Sequence[Mapping[str, Array]],
    own_forward: bool,
) -> dict[str, Finding]:
    findings: dict[str, Finding] = {}
    named: set[str] = set()
    for parameter in wanted:
        g = given[parameter]
        rivals = [state.explanations[parameter] for state in states if parameter in state.explanations]
        shape_mistakes = tuple(m for m in g.shape_mistakes if m != "one-number")
        facts, factor = measure(
            spec, passes, parameter, g.raw, [want[spec.answer_name(parameter)] for want in expected]
        )
        if not rivals:
            matched = g.values is not None and all(
                agree(v, want[spec.answer_name(parameter)], g.tolerance.right) for v, want in zip(g.values, expected)
            )
            findings[parameter] = _named(
                spec, parameter, shape_mistakes if matched else (), (), False, None, facts, factor
            )
            continue
        common = frozenset.intersection(*(e.tokens for e in rivals))
        unique = all(e.tokens == rivals[0].tokens for e in rivals)
        if not unique:
            facts = (*facts, "More than one mistake would give exactly these numbers, so none is named.")
            findings[parameter] = _named(spec, parameter, (), (), False, None, facts, factor)
            continue
        explanation = rivals[0]
        from_own = own_forward or explanation.recipe.options["output-error"] is OWN_ERROR
        if not common and not shape_mistakes and not from_own:
            # Another choice at a kink, where any slope between the two sides is right.
            options = explanation.recipe.options.values()
            findings[parameter] = Finding(RIGHT, kinks=tuple(o.name for o in options if o.name != "right"))
            continue
        inherited = (common & named) - _local(parameter, explanation)
        mistakes = tuple(_in_order(explanation, common - inherited))
        follows = tuple(_in_order(explanation, inherited))
        named |= common
        findings[parameter] = _named(
            spec,
            parameter,
            (*mistakes, *shape_mistakes),
            follows,
            bool(follows) or from_own,
            explanation,
            facts,
            factor,
        )
    return findings


def _in_order(explanation: Explanation, tokens: frozenset[str]) -> list[str]:
    """Ids of the mistakes in the order of the steps in which they are made."""
    ids = []
    for point, option in explanation.recipe.options.items():
        ids += [token.split("@")[0] for token in tokens_at(point, option) if token in tokens]
    return list(dict.fromkeys(ids))


def _named(
    spec: Spec,
    parameter: str,
    mistakes: tuple[str, ...],
    follows: tuple[str, ...],
    given_own: bool,
    explanation: Explanation | None,
    facts: tuple[str, ...],
    factor: str | None,
) -> Finding:
    recipe = None if explanation is None else explanation.recipe
    shape = next((mistake for mistake in mistakes if mistake in SHAPES), "")
    if shape == "result-transposed" and recipe is not None and shape in recipe.options["product"].mistakes:
        shape = ""  # the recipe transposes already
    evidence = make_evidence(spec, parameter, recipe, shape) if mistakes else None
    hint = " ".join(MISTAKES[mistake].hint for mistake in mistakes)
    if not mistakes and follows:
        titles = ", ".join(MISTAKES[mistake].title for mistake in follows)
        hint = f"No new mistake here: these numbers follow from one above ({titles})."
    elif not mistakes and given_own:
        hint = "No new mistake here: these numbers follow from your own earlier values."
    return Finding(WRONG, mistakes, given_own, follows, (), facts, factor, evidence, hint)


def _one_layer_only(spec: Spec, findings: dict[str, Finding]) -> dict[str, Finding]:
    """Where the penalty is missing in some layers but not in all, say in which it is there."""
    lacking = {p for p, finding in findings.items() if "penalty-missing" in finding.mistakes}
    having = [p for p in findings if p[0] == "W" and p not in lacking and findings[p].explained]
    if not lacking or not having:
        return findings
    names = " and ".join(spec.answer_name(p) for p in having)
    fact = f"The penalty has reached {names}, but not this one."
    return {p: replace(f, facts=(*f.facts, fact)) if p in lacking else f for p, f in findings.items()}


def _forgive(spec: Spec, findings: dict[str, Finding]) -> dict[str, Finding]:
    """Turn mistakes that are one other convention for all parameters into a verdict of their own."""
    allowed = set(SCALE_CONVENTIONS)
    if spec.loss in ("mse", "half-mse", "weighted-mse"):
        allowed |= FACTOR_CONVENTIONS
    scales, penalties = set(), set()
    tokens_of: dict[str, frozenset[str]] = {}
    for parameter, finding in findings.items():
        tokens = frozenset(finding.mistakes) | frozenset(finding.follows_from)
        if not finding.explained or not tokens <= allowed | PENALTY_CONVENTIONS:
            return findings
        tokens_of[parameter] = tokens
        scales.add(tokens & allowed)
        if parameter[0] == "W":
            penalties.add(tokens & PENALTY_CONVENTIONS)
        elif tokens & PENALTY_CONVENTIONS:
            return findings
    if len(scales) > 1 or len(penalties) > 1:
        return findings
    forgiven = {}
    for parameter, finding in findings.items():
        if finding.verdict == RIGHT:
            forgiven[parameter] = finding
            continue
        words = tuple(sorted(tokens_of[parameter]))
        facts = tuple(f"Exact under another convention: {MISTAKES[word].convention}." for word in words)
        forgiven[parameter] = Finding(CONVENTION, convention=words, facts=facts, factor=finding.factor)
    return forgiven


def aliases(spec: Spec, points: Sequence[Point]) -> tuple[tuple[str, str], ...]:
    """Pairs of different single mistakes that give the same answers at all ``points``: choose other challenges.

    Each is written ``choice-point=option``. Options that are one mistake in two spellings are not aliases.
    """
    seen: dict[str, tuple[tuple[str, ...], list[dict[str, Array]]]] = {}
    for point, options in choice_points(spec).items():
        for option in options:
            if not option.mistakes:
                continue
            try:
                answers = [_mutated(spec, p, point, option.name) for p in points]
            except ValueError:
                continue
            seen[f"{point}={option.name}"] = (tuple(tokens_at(point, option)), answers)
    right = [_mutated(spec, p, None, "") for p in points]
    pairs = []
    items = [(k, t, a) for k, (t, a) in seen.items() if not _equal(a, right)]
    for index, (name, tokens, answers) in enumerate(items):
        for other, other_tokens, other_answers in items[index + 1 :]:
            if set(tokens) != set(other_tokens) and _equal(answers, other_answers):
                pairs.append((name, other))
    return tuple(pairs)


def _mutated(spec: Spec, point: Point, choice: str | None, option: str) -> dict[str, Array]:
    return run_mutated(forward(spec, point.inputs), {choice: option} if choice else {})


def _equal(one: Sequence[Mapping[str, Array]], two: Sequence[Mapping[str, Array]]) -> bool:
    return all(a.keys() == b.keys() and all(same(a[k], b[k], 1e-7) for k in a) for a, b in zip(one, two))
