"""A course of one's own: what is refused, whose code is imported, and what stays as it is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from autograder import course, exercises
from autograder.cli import main
from autograder.course import CourseError, find_root
from autograder.exercise import SHEETS
from autograder.exercises import NAMES, OURS, all_exercises, load
from autograder.mistakes import MISTAKES, add
from autograder.new.skeleton import make_course


@pytest.fixture(autouse=True)
def ours_again(root):
    yield
    course.use(root)
    exercises._loaded.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "norms_of_a_test"]:
        del sys.modules[name]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "course"
    folder.mkdir()
    assert main(["new", "my_norm", "--course", "norms_of_a_test", "--sheet", "layers", "--root", str(folder)]) == 0
    return folder


def test_the_course_that_is_found_is_in_use_and_ours_comes_back(own: Path, root: Path) -> None:
    find_root(own)
    assert list(NAMES) == ["my_norm"]
    assert SHEETS == {"layers": "Layers"}
    assert load("my_norm").points == 10
    assert "variance-taken-for-constant" in MISTAKES
    with pytest.raises(KeyError, match="the course has my_norm"):
        load("tanh_swap")
    find_root(root)
    assert NAMES == OURS
    assert list(SHEETS) == ["foundations", "by_hand", "training", "design", "beyond"]
    assert len(all_exercises()) == len(OURS)


def test_a_second_exercise_stands_last_in_its_sheet(own: Path) -> None:
    for name, sheet in (("other", "outputs"), ("third", "layers")):
        assert main(["new", name, "--sheet", sheet, "--root", str(own)]) == 0
    made = course.definition(own)
    assert made is not None
    assert made.exercises == ("my_norm", "third", "other")
    assert dict(made.sheets) == {"layers": "Layers", "outputs": "Outputs"}


@pytest.mark.parametrize("place", ["submitted/eve", "autograded/eve", "downloads/eve"])
def test_a_course_that_was_handed_in_is_refused_and_nothing_of_it_is_imported(own: Path, place: str) -> None:
    eve = own / place
    (eve / "source").mkdir(parents=True)
    (eve / "trap").mkdir()
    (eve / "nbgrader_config.py").touch()
    (eve / "trap" / "__init__.py").write_text("raise SystemExit('EXECUTED')\n")
    (eve / "course.toml").write_text('package = "trap"\nexercises = ["x"]\n')
    (eve / "other").mkdir()
    for graded in (eve, eve / "other", eve / "other" / "x.ipynb"):
        with pytest.raises(CourseError, match="which was handed in"):
            find_root(eve, graded=[graded])
    assert find_root(own, graded=[eve]) == own.resolve()
    assert list(NAMES) == ["my_norm"]


@pytest.mark.parametrize(
    "text",
    [
        "package = 3",
        'package = "../up"',
        'package = "a.b"',
        'package = "a"\nexercises = ["b", "b"]',
        'package = "a"\nexercises = ["../b"]',
        'package = "a"\n[sheets]\n"../x" = "X"',
        'package = "a"\n[sheets]\nx = 3',
        'exercises = ["a"]',
        "package =",
    ],
)
def test_a_definition_that_leads_elsewhere_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "course.toml").write_text(text)
    with pytest.raises(CourseError, match=r"course\.toml"):
        course.definition(tmp_path)


def test_a_package_is_imported_from_the_course_and_never_for_another(own: Path, tmp_path: Path) -> None:
    find_root(own)
    load("my_norm")
    twin = tmp_path / "twin"
    twin.mkdir()
    (twin / "source").mkdir()
    (twin / "nbgrader_config.py").touch()
    (twin / "course.toml").write_text('package = "json"\nexercises = ["decoder"]\n')
    find_root(twin)
    with pytest.raises(CourseError, match="json is also the name of another module"):
        load("decoder")


@pytest.mark.parametrize(
    ("package", "said"),
    [("numpy", "a package that is installed"), ("Norms", "cannot be a course"), ("class", "cannot be a course")],
)
def test_a_course_has_a_name_of_its_own(tmp_path: Path, package: str, said: str) -> None:
    with pytest.raises(CourseError, match=said):
        make_course(tmp_path, package)
    assert list(tmp_path.iterdir()) == []


def test_a_course_begins_in_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "README.md").touch()
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(CourseError, match=r"not empty \(thesis.tex\)"):
        make_course(tmp_path, "norms_of_a_test")
    assert main(["new"]) == 2


def test_an_id_keeps_its_words() -> None:
    known = next(iter(MISTAKES.values()))
    add({known.where: {known.id: (known.title, known.hint, *([known.convention] if known.convention else []))}})
    with pytest.raises(ValueError, match="other words"):
        add({"elsewhere": {known.id: ("something else", "Look there.")}})
