"""Explain wrong gradients: which mistakes, proved, or what is measured and no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from autograder.diagnosis.answers import Given, arrays_at, collect
from autograder.diagnosis.assembled import by_the_loop
from autograder.diagnosis.evidence import make_evidence
from autograder.diagnosis.explanation import EXACT, SPARE, Explanation, same
from autograder.diagnosis.facts import measure
from autograder.diagnosis.forwards import other_forwards, read_from_activations
from autograder.diagnosis.grammar import run_mutated
from autograder.diagnosis.own import passes_with_own
from autograder.diagnosis.solve import derivative_facts
from autograder.diagnosis.spec import Array, Pass, Point, Spec, forward
from autograder.diagnosis.verdicts import CONVENTION, RIGHT, WRONG, Finding, Report
from autograder.diagnosis.walk import State, walk
from autograder.mistakes import MISTAKES
from autograder.tolerance import agree

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
        report = _explain(spec, points, conventions)
        if any(name[0] in "ZA" and name[1:].isdigit() for point in points for name in point.inputs):
            other = read_from_activations(spec, points) if report.mistakes or not _all_explained(report) else None
            return report if other is None else min(report, _explain(spec, other, conventions), key=_left_open)
        if _all_explained(report):
            return report
        return by_the_loop(spec, points) or _by_another_forward(spec, points, conventions) or report


def _all_explained(report: Report) -> bool:
    return all(finding.explained for finding in report.parameters.values())


def _left_open(report: Report) -> tuple[int, int]:
    return sum(not finding.explained for finding in report.parameters.values()), len(report.mistakes)


def _by_another_forward(spec: Spec, points: Sequence[Point], conventions: bool) -> Report | None:
    """The report given another forward pass, when that explains everything; None when none does."""
    for mistake, run in other_forwards(spec):
        changed = [Point({**point.inputs, **run(point)}, point.answers) for point in points]
        if any(not np.isfinite(point.inputs[f"A{spec.depth}"]).all() for point in changed):
            continue
        if not _some_follow(spec, points, changed):
            continue
        report = _explain(spec, changed, conventions)
        if _all_explained(report):
            first = next(p for p, f in report.parameters.items() if f.verdict == WRONG)
            return Report({p: _after(f, mistake, p == first) for p, f in report.parameters.items()})
    return None


def _some_follow(spec: Spec, points: Sequence[Point], changed: Sequence[Point]) -> bool:
    """Whether an answer that is wrong is right given the other forward pass, with numbers enough to tell."""
    expected = [run_mutated(forward(spec, point.inputs), {}) for point in points]
    others = [run_mutated(forward(spec, point.inputs), {}) for point in changed]
    for name in set(expected[0]) & set(points[0].answers):
        values = [np.asarray(point.answers.get(name)) for point in points]
        if any(value.dtype.kind != "f" for value in values) or sum(np.unique(value).size for value in values) < SPARE:
            continue
        if all(same(o[name], v, EXACT) for o, v in zip(others, values)) and not all(
            same(e[name], v, EXACT) for e, v in zip(expected, values)
        ):
            return True
    return False


def _after(finding: Finding, mistake: str, first: bool) -> Finding:
    """A finding with the mistake of the forward pass, named once and followed from then on."""
    if finding.verdict != WRONG:
        return finding
    if first:
        hint = MISTAKES[mistake].hint if not finding.mistakes else f"{MISTAKES[mistake].hint} {finding.hint}"
        return replace(finding, mistakes=(mistake, *finding.mistakes), hint=hint)
    return replace(finding, follows_from=(mistake, *finding.follows_from))


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
    given = collect(spec, points, expected)
    for c in passes:
        # Until the student's own answers are noted, the right ones stand in.
        run_mutated(c, {})
    passes_with_own(passes, [arrays_at(spec, given, index) for index in range(len(points))])

    right = {parameter for parameter, g in given.items() if _is_right(spec, parameter, g, expected)}
    findings = {parameter: Finding(RIGHT) for parameter in right}
    wanted = [parameter for parameter in given if parameter not in right]
    if wanted:
        states = walk(spec, passes, given, wanted)
        findings |= _judge(spec, points, passes, given, wanted, states, expected, own_forward)
        findings = _one_layer_only(spec, findings)
        if conventions:
            findings = _forgive(spec, findings)
    return Report({parameter: findings[parameter] for parameter in spec.parameters if parameter in findings})


def _is_right(spec: Spec, parameter: str, given: Given, expected: Sequence[Mapping[str, Array]]) -> bool:
    name = spec.answer_name(parameter)
    return (
        given.values is not None
        and not given.shape_mistakes
        and all(agree(v, want[name], given.tolerance.right) for v, want in zip(given.values, expected))
    )


def _judge(
    spec: Spec,
    points: Sequence[Point],
    passes: Sequence[Pass],
    given: Mapping[str, Given],
    wanted: Sequence[str],
    states: Sequence[State],
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
            spec, passes, parameter, g.raw, [want[spec.answer_name(parameter)] for want in expected], points
        )
        if not rivals:
            if 0 < int(parameter[1:]) < spec.depth and parameter[0] == "W" and g.values is not None:
                answers = [arrays_at(spec, given, index) for index in range(len(passes))]
                free = frozenset[str]().union(*(state.tokens for state in states[:1]))
                facts = (*facts, *derivative_facts(passes, int(parameter[1:]), answers, free))
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
        facts = (*facts, *explanation.facts)
        if explanation.recipe is None:
            shape_mistakes = ()  # what was solved for says what became of the shape
        from_own = own_forward or explanation.from_own_error
        if not common and not shape_mistakes and not from_own and explanation.recipe is not None:
            # Another choice at a kink, where any slope between the two sides is right.
            options = explanation.recipe.options.values()
            findings[parameter] = Finding(RIGHT, kinks=tuple(o.name for o in options if o.name != "right"))
            continue
        inherited = (common & named) - explanation.local(parameter)
        mistakes = tuple(explanation.in_order(common - inherited))
        follows = tuple(explanation.in_order(inherited))
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
    solved = explanation is not None and recipe is None
    evidence = make_evidence(spec, parameter, recipe, shape) if mistakes and not solved else None
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
