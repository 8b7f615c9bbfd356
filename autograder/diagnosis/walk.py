"""From the last layer to the first: each wrong parameter alone, given what was named before, then by a common cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from autograder.diagnosis.answers import Given, arrays_at
from autograder.diagnosis.explanation import Answer, Explanation
from autograder.diagnosis.own import recover_errors
from autograder.diagnosis.search import MAX_MISTAKES, Search, TooMany
from autograder.diagnosis.solve import explain_solved
from autograder.diagnosis.spec import Array, Pass, Spec
from autograder.tolerance import DOUBLE

MAX_STATES = 40  # joint explanations kept while walking from the last layer to the first


@dataclass(frozen=True)
class State:
    """A joint explanation of the parameters seen so far."""

    tokens: frozenset[str] = frozenset()
    explanations: Mapping[str, Explanation] = field(default_factory=dict)


def walk(spec: Spec, passes: Sequence[Pass], given: Mapping[str, Given], wanted: Sequence[str]) -> list[State]:
    """Explain the wrong parameters from the last layer to the first, each given what was named before."""
    states = [State()]
    own: list[Pass] | None = None
    hidden: list[_Answers] = []
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
            if not found and g.tolerance == DOUBLE:
                found = explain_solved(passes, parameter, g.raw, free)
            for state in states:
                if state.tokens == free:
                    extended += [
                        State(state.tokens | e.tokens, {**state.explanations, parameter: e}) for e in found
                    ] or [state]
        if int(parameter[1:]) == passes[0].spec.depth and extended == states and g.tolerance == DOUBLE:
            # Not explained; what follows may still be right given the error that this one came from.
            own = recover_errors(passes, [arrays_at(spec, given, index) for index in range(len(passes))])
        # An explained state is worth more than one that leaves the parameter out.
        most = max(len(state.explanations) for state in extended)
        extended = [state for state in extended if len(state.explanations) == most]
        fewest = min(len(state.tokens) for state in extended)
        states = [s for s in sorted(extended, key=lambda s: len(s.tokens)) if len(s.tokens) <= fewest + 1][:MAX_STATES]
        weights = f"W{parameter[1:]}"
        if parameter[0] == "b" and any(weights == answers.wanted for answers in hidden):
            # What the bias has told may be the cause for the weights too.
            states = [_joined(passes, given, [weights], state) for state in states]
            if all(weights in state.explanations for state in states):
                hidden.pop().give_back()
        elif parameter[0] == "W" and all(parameter not in state.explanations for state in states):
            hidden.append(_Answers.taken(passes, parameter))
    fewest = min(len(state.tokens) for state in states)
    return [_joined(passes, given, wanted, state) for state in states if len(state.tokens) == fewest]


@dataclass(frozen=True)
class _Answers:
    """Answers of a student that nothing may be explained from, since they are not explained themselves."""

    wanted: str
    passes: Sequence[Pass]
    gradients: Sequence[Array | None]
    updated: Sequence[Array | None]

    @classmethod
    def taken(cls, passes: Sequence[Pass], parameter: str) -> _Answers:
        """Take the answers for one weight matrix out of the passes."""
        layer = int(parameter[1:])
        gradients = [c.gradient.pop(layer, None) for c in passes]
        return cls(parameter, passes, gradients, [c.updated.pop(layer, None) for c in passes])

    def give_back(self) -> None:
        """Put them back, now that they are explained."""
        layer = int(self.wanted[1:])
        for c, gradient, updated in zip(self.passes, self.gradients, self.updated):
            if gradient is not None:
                c.gradient[layer] = gradient
            if updated is not None:
                c.updated[layer] = updated


def _joined(passes: Sequence[Pass], given: Mapping[str, Given], wanted: Sequence[str], state: State) -> State:
    """Explain by what a later parameter has told, where it was not known yet: its cause may be common."""
    for parameter in wanted:
        g = given[parameter]
        if parameter not in state.explanations and state.tokens and g.tolerance == DOUBLE:
            found = explain_solved(passes, parameter, g.raw, state.tokens, most=0)
            if len(found) == 1:
                explanations = {**state.explanations, parameter: found[0]}
                state = State(state.tokens | found[0].tokens, explanations)
    return state


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


def _explanations(search: Search, parameter: str, given: Given) -> list[Explanation]:
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
