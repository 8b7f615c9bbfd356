"""One zygote for the whole folder, and short ways to run a few lines in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.sandbox import Ask, Cell, Job, Limits, Outcome, Sandbox, SandboxUnavailable

QUICK = Limits(  # of time more than a busy machine takes: a test of what burns or sleeps gives its own
    cell_cpu_seconds=10.0,
    cell_wall_seconds=600.0,
    question_cpu_seconds=10.0,
    question_wall_seconds=600.0,
    cpu_seconds=30.0,
    wall_seconds=900.0,
    memory_bytes=256 << 20,
    tmp_bytes=8 << 20,
    file_bytes=4 << 20,
    output_bytes=200_000,
    notebook_output_bytes=1 << 20,
    answer_bytes=1 << 20,
)

Run = Callable[..., Outcome]


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("helpers")
    folder.chmod(0o755)
    (folder / "helper.py").write_text("ANSWER = 42\n")
    return folder


@pytest.fixture(scope="session")
def sandbox(modules: Path) -> Iterator[Sandbox]:
    try:
        box = Sandbox(level="full", modules=modules)
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    with box:
        yield box


@pytest.fixture(scope="session", params=["full", pytest.param("reduced", marks=pytest.mark.slow)])
def walled(request: pytest.FixtureRequest, modules: Path) -> Iterator[Sandbox]:
    """Each level that has walls: what holds at one must hold at the other."""
    if request.param == "full":
        yield request.getfixturevalue("sandbox")
        return
    try:
        box = Sandbox(level="reduced", modules=modules)
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    with box:
        yield box


@pytest.fixture(scope="session")
def unprotected(modules: Path) -> Iterator[Sandbox]:
    with Sandbox(level="none", modules=modules) as box:
        yield box


def job(
    *sources: str, asks: tuple[Ask, ...] = (), files: dict[str, bytes] | None = None,
    places: dict[str, int] | None = None, **limits: object,
) -> Job:  # fmt: skip
    cells = tuple(Cell(f"c{number}", source) for number, source in enumerate(sources))
    return Job(cells, asks, files or {}, seed=7, limits=replace(QUICK, **limits), places=places or {})


def ask(body: str, *challenges: dict, name: str = "q", cells: tuple[str, ...] = ()) -> Ask:
    return Ask(name, f"def probe(student, given):\n    {body}\n", challenges or ({},), cells)


@pytest.fixture
def run(sandbox: Sandbox) -> Run:
    def run(*sources: str, asks: tuple[Ask, ...] = (), **rest: object) -> Outcome:
        return sandbox.run(job(*sources, asks=asks, **rest))

    return run
