"""Every hostile or unlucky notebook gets exactly its marks, and costs nobody else anything."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import psutil
import pytest

from autograder.exercises import load
from autograder.grading.finding import find
from autograder.grading.many import grade_all
from autograder.marking import Marks, from_json, to_json
from autograder.sandbox import Sandbox, SandboxUnavailable

from .corpus import CORPUS, DEFAULT, FULL, HAND, QUICK, SAMPLE, Attack
from .elsewhere import ORDINARY_ID, Elsewhere, NoSuchPlace
from .scene import LONG_SECONDS, SECRET, Scene, end, notebook, scene, settled

LIMITS = {
    "cell_cpu_seconds": 2.0, "cell_wall_seconds": 6.0, "question_cpu_seconds": 1.0, "question_wall_seconds": 4.0,
    "cpu_seconds": 8.0, "wall_seconds": 120.0, "memory_bytes": 256 << 20, "tmp_bytes": 8 << 20, "file_bytes": 4 << 20,
    "output_bytes": 200_000, "notebook_output_bytes": 1 << 20, "answer_bytes": 1 << 20,
}  # fmt: skip
"""Small limits, given as an exercise gives its own; what is to end by itself needs a hundredth of them."""


@pytest.fixture(scope="module")
def graders() -> Iterator[Callable[[str], Sandbox | Elsewhere]]:
    """Gives each grader by the name of its place or level, and keeps it for the tests that follow."""
    started: dict[str, Sandbox | Elsewhere | Exception] = {}

    def get(name: str) -> Sandbox | Elsewhere:
        if name not in started:
            try:
                limits = dict.fromkeys(FULL, LIMITS)
                place = (PLACES | OPEN).get(name)
                started[name] = Elsewhere(**place, limits=limits) if place else Sandbox(level=name)
            except (SandboxUnavailable, NoSuchPlace) as error:
                started[name] = error
        found = started[name]
        if isinstance(found, Exception):
            pytest.skip(str(found))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADER_TOKEN", SECRET)
        yield get
    for grader in started.values():
        if not isinstance(grader, Exception):
            grader.close()


@pytest.fixture
def walled(request: pytest.FixtureRequest, graders: Callable[[str], Sandbox | Elsewhere]) -> Sandbox | Elsewhere:
    return graders(request.param)


PLACES = {
    "container": {"refuse": True, "ordinary": False},
    "container-ordinary": {"refuse": True, "ordinary": True},
    "ordinary": {"refuse": False, "ordinary": True},
}
"""Where else the grader may run: refused namespaces as in a container, as an ordinary user, both."""

OPEN = {"open": {"refuse": False, "ordinary": True, "level": "none"}}
"""The ordinary user's place without walls, for the positive control."""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, as pytest's own may not be."""
    with tempfile.TemporaryDirectory(prefix="scene-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def unprotected() -> Iterator[Sandbox]:
    with Sandbox(level="none") as box:
        yield box


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FULL:
        for limit, value in LIMITS.items():
            monkeypatch.setitem(load(name).limits, limit, value)


@dataclass(frozen=True)
class Seen:
    """What one run gave and what it left behind."""

    marks: dict[str, Marks]
    changed: dict[str, tuple[str | None, str | None]]
    reached: int
    left: list[psutil.Process]

    @property
    def record(self) -> str:
        return json.dumps({name: to_json(marks) for name, marks in self.marks.items()})


def attacked(attack: Attack, box: Sandbox | Elsewhere, root: Path, here: Scene, seconds: float) -> Seen:
    """Grade the attacker and the neighbour at the same time, and look round before and after.

    What was started has so many seconds to end.
    """
    path = here.hand_in("mallory", attack.exercise, notebook(root, attack, here))
    if attack.beside:
        attack.beside(path.parent, here.words)
    before, command = here.state(), psutil.Process(box.pid).cmdline()
    processes = set(psutil.pids())
    if isinstance(box, Elsewhere):
        marks = {marks.student: marks for marks in map(from_json, box.grade(here.course))}
    else:
        with ThreadPoolExecutor(2) as pool:
            marks = {s.student: m for s, m in grade_all(
                find([here.course / "submitted"]), box, pool, root=here.course, seed=1)}  # fmt: skip
    left = settled(processes, here.words["TOKEN"], command, seconds)
    after = here.state()
    changed = {name: (before.get(name), after.get(name)) for name in before.keys() | after.keys()
               if before.get(name) != after.get(name)}  # fmt: skip
    return Seen(marks, changed, here.reached(), left)


def _cases() -> list:
    def how_long(level: str, attack: Attack) -> tuple:
        if level != "full" or attack not in DEFAULT:
            return (pytest.mark.long,)
        return () if attack in QUICK else (pytest.mark.slow,)

    return [
        pytest.param(level, attack, id=f"{level}-{attack.name}", marks=how_long(level, attack))
        for level in ("full", "reduced")
        for attack in CORPUS
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("walled", "attack"), _cases(), indirect=["walled"])
def test_it_gets_its_marks_and_nobody_pays(attack: Attack, walled: Sandbox, root: Path, tmp_path: Path) -> None:
    check(attack, walled, root, tmp_path)


def check(attack: Attack, walled: Sandbox | Elsewhere, root: Path, folder: Path) -> None:
    """One attack, and everything that must hold during and after it."""
    pid = walled.pid
    with scene(folder, root) as here:
        began = time.monotonic()
        seen = attacked(attack, walled, root, here, LONG_SECONDS)
    mallory = seen.marks["mallory"]
    assert mallory.points == attack.points, (mallory.notes, [(q.id, q.status, q.message) for q in mallory.questions])
    assert not mallory.needs_person, mallory
    assert attack.says in seen.record
    assert seen.marks["neighbour"].points == FULL[HAND]
    assert SECRET not in seen.record
    assert seen.changed == {}
    assert seen.reached == 0
    assert seen.left == []
    assert walled.pid == pid, "the zygote had to be started again"
    assert time.monotonic() - began < LONG_SECONDS


def _elsewhere() -> list:
    """Every attack in every place; CI runs those of the sample, each in one place, by turns."""
    in_ci = {(place, attack.name) for place, attack in zip(cycle(PLACES), SAMPLE)}
    return [
        pytest.param(
            place, attack, id=f"{place}-{attack.name}",
            marks=pytest.mark.heavy if (place, attack.name) in in_ci else pytest.mark.long,
        )
        for place in PLACES
        for attack in CORPUS
    ]  # fmt: skip


@pytest.mark.parametrize(("walled", "attack"), _elsewhere(), indirect=["walled"])
def test_it_does_so_in_a_container_and_as_an_ordinary_user(
    attack: Attack, walled: Elsewhere, root: Path, open_folder: Path
) -> None:
    check(attack, walled, root, open_folder)


@pytest.mark.heavy
@pytest.mark.parametrize("walled", PLACES, indirect=True)
def test_the_canary_chooses_the_level_that_the_place_allows(walled: Elsewhere, request: pytest.FixtureRequest) -> None:
    place = PLACES[request.node.callspec.params["walled"]]
    assert walled.level == ("reduced" if place["refuse"] else "full")
    assert walled.uid == (ORDINARY_ID if place["ordinary"] else os.getuid())


CONTROLS = [attack for attack in CORPUS if attack.control]


@pytest.mark.long
@pytest.mark.parametrize("attack", CONTROLS, ids=lambda attack: attack.name)
def test_without_walls_it_does_what_it_says(attack: Attack, unprotected: Sandbox, root: Path, tmp_path: Path) -> None:
    """The positive control: the same notebook, the same eyes, no walls."""
    does_harm(attack, unprotected, root, tmp_path)


@pytest.mark.heavy
@pytest.mark.parametrize("attack", [a for a in SAMPLE if a.control], ids=lambda attack: attack.name)
@pytest.mark.parametrize("walled", OPEN, indirect=True)
def test_without_walls_it_does_so_as_an_ordinary_user(
    attack: Attack, walled: Elsewhere, root: Path, open_folder: Path
) -> None:
    """So it is the walls, and no file's permissions, that stop it there."""
    does_harm(attack, walled, root, open_folder)


def does_harm(attack: Attack, grader: Sandbox | Elsewhere, root: Path, folder: Path) -> None:
    """Run an attack, end what it leaves, and look whether it did what its control says.

    A process that it leaves does not end before it is told to, so a moment is enough for what does end.
    """
    with scene(folder, root) as here:
        seen = attacked(attack, grader, root, here, 1.0)
        happened = {
            "secret": SECRET in seen.record, "changed": bool(seen.changed), "reached": bool(seen.reached),
            "left": bool(seen.left),
        }  # fmt: skip
        end(seen.left)
    assert happened[attack.control], seen


def test_the_corpus_is_large_and_its_names_are_unique() -> None:
    """As THREATS.md says."""
    names = [attack.name for attack in CORPUS]
    assert len(names) == len(set(names)) > 150
    assert (len(DEFAULT), len(SAMPLE)) == (30, 15)
    assert len(CONTROLS) >= 15
