"""Who a notebook belongs to, decided once: the first folder below the tree, and one notebook for each exercise."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.grading.finding import find

TREE = "submitted"


def lay(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f'{{"name": "{name}"}}')
    return folder


def told(found: list, folder: Path) -> dict[str, tuple[str, str]]:
    """By place: whose it is, and whether it is graded, refused, or refused beside one that counts."""
    how = {(False, False): "graded", (True, False): "refused", (True, True): "beside"}
    return {one.path.relative_to(folder).as_posix(): (one.student, how[bool(one.problem), one.beside]) for one in found}


IN_PLACE = "eve/training/tanh_swap.ipynb"


@pytest.mark.parametrize(
    "nested", ["eve/backup/eve/training/tanh_swap.ipynb", "eve/x/ada/training/tanh_swap.ipynb", "eve/tanh_swap.ipynb"]
)
@pytest.mark.parametrize("given", [TREE, f"{TREE}/eve"])
@pytest.mark.parametrize("course", [True, False])
def test_what_lies_deeper_is_never_another_students(tmp_path: Path, nested: str, given: str, course: bool) -> None:
    folder = lay(tmp_path / TREE, nested, "ada/training/sgd.ipynb")
    root = tmp_path.resolve() if course else None
    alone = told(find([tmp_path / given], root), folder)
    assert alone[nested] == ("eve", "graded")
    assert told(find([folder / nested], root), folder)[nested] == ("eve", "graded")
    both = find([tmp_path / given], root) if lay(folder, IN_PLACE) else []
    assert told(both, folder) == {**alone, IN_PLACE: ("eve", "graded"), nested: ("eve", "beside")}
    (refused,) = (one for one in both if one.problem)
    assert str(folder / nested) in refused.problem
    assert str(folder / IN_PLACE) in refused.problem


def test_an_archive_unpacked_into_itself_has_one_notebook_that_counts(tmp_path: Path) -> None:
    folder = lay(tmp_path / TREE, IN_PLACE, f"eve/{IN_PLACE}", f"eve/eve/{IN_PLACE}")
    assert sorted(told(find([folder]), folder).values()) == [("eve", "beside"), ("eve", "beside"), ("eve", "graded")]


def test_two_of_which_none_is_in_its_place_are_both_refused(tmp_path: Path) -> None:
    folder = lay(tmp_path / TREE, "eve/a/training/tanh_swap.ipynb", "eve/b/training/tanh_swap.ipynb")
    assert set(told(find([folder]), folder).values()) == {("eve", "refused")}


def test_a_copy_of_the_very_same_is_no_second_hand_in(tmp_path: Path) -> None:
    """What a browser calls "tanh_swap (1).ipynb", or an archive that was unpacked twice."""
    folder = lay(tmp_path / TREE, IN_PLACE, "eve/training/tanh_swap (1).ipynb", "ada/a/sgd.ipynb", "ada/b/sgd.ipynb")
    for name, copy in ((IN_PLACE, "eve/training/tanh_swap (1).ipynb"), ("ada/a/sgd.ipynb", "ada/b/sgd.ipynb")):
        (folder / copy).write_bytes((folder / name).read_bytes())
    assert told(find([folder]), folder) == {IN_PLACE: ("eve", "graded"), "ada/a/sgd.ipynb": ("ada", "graded")}


def test_without_a_folder_of_that_name_the_given_path_is_the_tree(tmp_path: Path) -> None:
    folder = lay(tmp_path / "moodle", "Ada_1/training/sgd.ipynb", "Bo_2/Bo_2/x/training/sgd.ipynb", "Cy_3/sgd.ipynb")
    assert {one.student for one in find([folder])} == {"Ada_1", "Bo_2", "Cy_3"}
    for path in ("Ada_1", "Ada_1/training", "Ada_1/training/sgd.ipynb"):
        assert [one.student for one in find([folder / path])] == ["Ada_1"]


def test_a_notebook_in_no_folder_is_nobodys(tmp_path: Path) -> None:
    folder = lay(tmp_path / "here", "tanh_swap.ipynb")
    for path in (folder, folder / "tanh_swap.ipynb"):
        assert [one.student for one in find([path])] == [""]


def test_a_platform_says_who_it_is(tmp_path: Path) -> None:
    folder = lay(tmp_path / "submission", "tanh_swap.ipynb", "old/tanh_swap.ipynb", "ada/training/sgd.ipynb")
    found = told(find([folder], student="eve@x"), folder)
    assert found["tanh_swap.ipynb"] == found["ada/training/sgd.ipynb"] == ("eve@x", "graded")
    assert found["old/tanh_swap.ipynb"] == ("eve@x", "beside")


def test_a_link_on_the_way_gives_nobody_elses_name(tmp_path: Path) -> None:
    course = tmp_path / "course"
    lay(course / TREE, IN_PLACE)
    (tmp_path / "link").symlink_to(course / TREE / "eve")
    (found,) = find([tmp_path / "link" / "training"], course.resolve())
    assert found.student == "eve"
