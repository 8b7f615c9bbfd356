"""From what was handed in to questions: what is asked of the code, and which of the questions a student gets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from nbformat import NotebookNode

from autograder.course import source_notebook
from autograder.exercise import Exercise, Probe, Question, Reply, Values
from autograder.grading.grade import code_of, grade_notebook, locator_of, prepare, with_places
from autograder.locate import Code
from autograder.locate.job import ANSWER_BYTES
from autograder.marking import QuestionMark
from autograder.marking.judges import usable
from autograder.sandbox import Ask, Sandbox
from autograder.views.viva import Asked
from autograder.viva import by_hand, network
from autograder.viva import code as lines_of
from autograder.viva.changes import doubled
from autograder.viva.points import has_examples, hidden_points, stream, twice

MOST_PROBES = 3
"""So many questions of a notebook are looked at line by line."""

PATIENT = {"question_cpu_seconds": 30.0, "question_wall_seconds": 300.0}
"""The search for a place is bounded by a number of runs: with time enough it finds the same on every machine."""

BACKWARD = re.compile(r"\bbackward_pass\b")

NOT_THERE = frozenset({"missing", "raised", "timed_out", "out_of_memory", "output_limit", "crashed", "grader_error"})


@dataclass(frozen=True)
class Twice:
    """A question about a gradient, asked as it is and with every example twice."""

    question: Question
    probe: Probe
    points: tuple[Values, Values]


def asked_about(
    notebook: NotebookNode, exercise: Exercise, sandbox: Sandbox, *, root: Path, seed: int, student: str,
    files: dict[str, bytes] | None = None,
) -> list[Asked]:  # fmt: skip
    """Every question that can be asked about a notebook. Raises CourseError and SandboxUnavailable.

    Nothing is asked about a question that is not answered, or whose code raises.
    """
    graded = grade_notebook(notebook, exercise, sandbox, root=root, seed=seed, student=student, files=files)
    patient = replace(exercise, limits={**exercise.limits, **PATIENT})
    prepared = prepare(notebook, patient, root=root, seed=seed, files=files)
    code = code_of(prepared, notebook, root)
    own = lines_of.listings(code, notebook, source_notebook(root, exercise))
    if any(one.status == "wrong" for one in graded.marks.questions):
        graded = with_places(graded, prepared, code, locator_of(sandbox), root)
    there = [one for one in graded.marks.questions if one.status not in NOT_THERE and _has_work(one)]
    if not any(BACKWARD.search(one.source) for one in own.values()):  # it is that of a class of the course
        there = [one for one in there if not network.asks_gradients(exercise.question(one.id))]
    probes = {exercise.question(one.id).probe.name for one in there}
    found = list(lines_of.slips(exercise, there, own, code))
    found += _of_numbers(exercise, probes, code, sandbox, seed, student)
    return [*found, *_of_lines(exercise, probes, own, code, sandbox, seed, student)]


def _has_work(question: QuestionMark) -> bool:
    return any(line.status not in NOT_THERE for line in question.lines)


def _of_numbers(
    exercise: Exercise, probes: set[str], code: Code, sandbox: Sandbox, seed: int, student: str
) -> Iterator[Asked]:
    """Questions with numbers, each from what the student's code gives now."""
    about = network.plan(exercise, probes, seed, student)
    more = [] if about else list(_twice(exercise, probes, seed, student))
    typed = by_hand.typed_in(exercise)
    asks = [Ask(f"twice {one.question.id}", one.probe.source, one.points) for one in more]
    if about is not None:
        asks.append(Ask("viva", about.probe.source, tuple(about.points)))
    if typed is not None and typed[0].name in probes:
        asks.append(Ask("typed", typed[0].source, ({},)))
    if not asks:
        return
    outcome = sandbox.run(replace(code.job, asks=tuple(asks), places={}))
    if about is not None:
        yield from network.asked(about, [answer.values for answer in outcome.answers["viva"]])
    if typed is not None and "typed" in outcome.answers:
        rng = stream(seed, student, exercise.name, "by hand")
        yield from by_hand.asked(exercise, typed[1], outcome.answers["typed"][0].values, rng)
    for one in more:
        values = [answer.values for answer in outcome.answers[f"twice {one.question.id}"]]
        yield from _doubled(exercise, one, values)


def _twice(exercise: Exercise, probes: set[str], seed: int, student: str) -> Iterator[Twice]:
    for question in exercise.questions:
        gradients = [line for line in question.lines if line.name.startswith("d")]
        if question.probe.name in probes and gradients:
            drawn = hidden_points(question.probe, stream(seed, student, exercise.name, question.id))
            if drawn and has_examples(drawn[0]):
                yield Twice(question, question.probe, (drawn[0], twice(drawn[0])))


def _doubled(exercise: Exercise, one: Twice, answers: Sequence[Values]) -> Iterator[Asked]:
    own = [usable(values) for values in answers]
    for line in one.question.lines:
        if not line.name.startswith("d") or not all(line.name in values for values in own):
            continue
        exact = [exact_value(one.question, line.name, given, values) for given, values in zip(one.points, own)]
        theirs = [values[line.name] for values in own]
        if exact[0] is None or exact[1] is None:
            continue
        if theirs[0].ndim and all(mine.shape == due.shape for mine, due in zip(theirs, (exact[0], exact[1]))):
            of = one.probe.settings.get("of")
            said = f"your `{of}` gives" if of else f"your code for {one.question.title} gives"
            yield from doubled(exercise.name, said, one.points[0], line.name, [exact[0], exact[1]], theirs)


def exact_value(question: Question, name: str, given: Values, own: Values) -> np.ndarray | None:
    """The exact value of one line, as the question's judge has it: the student's own where that is right."""
    line = next(one for one in question.lines if one.name == name)
    verdict = question.judge((line,), [Reply(given, {name: own[name]}, shown=True)])[name]
    if verdict.status == "correct":
        return np.asarray(own[name], float)
    return None if verdict.expected is None else np.asarray(verdict.expected, float)


def _of_lines(
    exercise: Exercise, probes: set[str], own: dict[int, lines_of.Listing], code: Code, sandbox: Sandbox, seed: int,
    student: str,
) -> Iterator[Asked]:  # fmt: skip
    """Questions about single lines. Probes that train are left out: a line has no one value there."""
    rng = stream(seed, student, exercise.name, "lines")
    asked: dict[str, tuple[Probe, list[Values]]] = {}
    for probe in exercise.probes:
        drawn = hidden_points(probe, rng)[:2] if probe.name in probes else []
        if len(drawn) == 2 and drawn[0] and not {"epochs", "seed", "steps"} & drawn[0].keys():
            asked[probe.name] = probe, drawn
    chosen = [asked[name] for name in rng.permutation(sorted(asked))[:MOST_PROBES]]
    if not chosen:
        return
    asks = tuple(Ask(probe.name, probe.source, ({"points": drawn},), task="record") for probe, drawn in chosen)
    limits = replace(code.job.limits, answer_bytes=ANSWER_BYTES)
    job = replace(code.job, asks=asks, places={}, instrumented=tuple(sorted(code.own)), limits=limits)
    outcome = sandbox.run(job)
    for probe, drawn in chosen:
        answer = outcome.answers[probe.name][0]
        if answer.status == "answered":
            about = next((q.network for q in exercise.questions if q.probe is probe and q.network), None)
            yield from lines_of.lines(exercise, probe, about, drawn, answer.values, own)


def choose(found: Sequence[Asked], *, count: int, level: int, rng: np.random.Generator) -> list[Asked]:
    """So many questions: as hard as was wanted where there are such, of different kinds, about different notebooks.

    Of questions about one thing, such as a slip with and without its place, there is one.
    """
    left = [found[at] for at in rng.permutation(len(found))]
    chosen: list[Asked] = []
    while left and len(chosen) < count:
        kinds, about = Counter(one.kind for one in chosen), Counter(one.exercise for one in chosen)
        best = min(left, key=lambda one: (kinds[one.kind] + abs(one.level - level), about[one.exercise]))
        chosen.append(best)
        left = [one for one in left if one is not best and thing(one) != thing(best)]
    return chosen


def thing(one: Asked) -> tuple[object, ...]:
    """What a question is about: two about the same thing are one too many."""
    return (one.kind, one.exercise, *(one.check.get(key) for key in ("question", "cell", "line")))
