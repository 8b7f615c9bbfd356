"""The marker's desk: answers in groups, marks at once, two markers, boxes that change."""

import shutil

import desk_kit
import nbformat
import pytest
from nbformat.v4 import new_output

from autograder.bridge.handed_in import is_other_work
from autograder.bridge.marking import Conflict, Desk
from autograder.commands.mark import share_of
from autograder.course import CourseError

HERE = desk_kit.NAME, desk_kit.PART


@pytest.fixture(scope="module")
def course(tmp_path_factory, root):
    return desk_kit.marked_course(tmp_path_factory.mktemp("desk") / "course", root, desk_kit.answers(8))


@pytest.fixture
def desk(course):
    with_all = Desk(desk_kit.settings(course), desk_kit.SHEET, "mia", names=True)
    yield with_all
    with_all.close()


def entry(desk, student):
    return next(one for one in desk.part(*HERE)["answers"] if one["name"] == student)


def give(desk, student, *boxes, free=0.0, **more):
    one = entry(desk, student)
    asked = {"id": one["id"], "version": one["version"], "boxes": boxes, "free": free, "comment": "", **more}
    return desk.mark(*HERE, [asked])


@pytest.mark.slow
def test_what_is_printed_last_stands_beside_the_answer_and_the_rest_further_up(course, desk):
    path = course / "autograded" / "s03" / desk_kit.SHEET / f"{desk_kit.NAME}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    first.outputs = [new_output("stream", name="stdout", text=f"number {n}\n") for n in range(9)]
    nbformat.write(notebook, path)
    beside, _, further = desk.beside(*HERE, entry(desk, "s03")["id"]).partition("<summary>Further up</summary>")
    assert "number 8" in beside
    assert "number 8" not in further
    assert "number 0" in further
    above = {**notebook.cells[0], "cell_type": "markdown", "source": "an earlier part"}
    above["metadata"] = {"nbgrader": {"grade": True, "grade_id": "earlier", "schema_version": 3}}
    notebook.cells.insert(notebook.cells.index(first) + 1, nbformat.from_dict(above))
    nbformat.write(notebook, path)
    beside, _, further = desk.beside(*HERE, entry(desk, "s03")["id"]).partition("<summary>Further up</summary>")
    assert "number" not in beside, "it belongs to the part before"
    assert "number 8" in further


@pytest.mark.slow
def test_a_mark_is_written_at_once_and_can_be_taken_back(course, desk):
    (about,) = desk.overview()
    assert (about["exercise"], about["part"], about["answers"], about["waiting"]) == (*HERE, 8, 8)
    part = desk.part(*HERE)
    assert [one["name"] for one in part["answers"] if one["group"] == 0] == ["s00", "s01"] or part["answers"][0][
        "of"
    ] == 2
    assert "<math" in entry(desk, "s02")["html"]
    assert "by machine" in entry(desk, "s02")["machine"]
    assert "loss of s02" in desk.beside(*HERE, entry(desk, "s02")["id"])
    give(desk, "s02", "1a", "1b", free=0.5, comment="good")
    assert desk_kit.scores(course)["s02"] == 2.5
    again = entry(desk, "s02")
    assert (again["boxes"], again["free"], again["comment"], again["by"]) == (["1a", "1b"], 0.5, "good", "mia")
    give(desk, "s02", "1a", "1b", "2a", "2b", "3a", "3b", free=3)
    assert desk_kit.scores(course)["s02"] == 6, "never above the part's points"
    give(desk, "s02", back=True)
    assert desk_kit.scores(course)["s02"] is None


@pytest.mark.slow
def test_nothing_is_overwritten_silently(course, desk, root):
    old = entry(desk, "s03")
    other = Desk(desk_kit.settings(course), desk_kit.SHEET, "olga")
    other.mark(*HERE, [{"id": old["id"], "version": old["version"], "boxes": ["2a"], "free": 0}])
    with pytest.raises(Conflict, match="olga"):
        desk.mark(*HERE, [{"id": old["id"], "version": old["version"], "boxes": [], "free": 0}])
    assert desk_kit.scores(course)["s03"] == 1
    waiting = entry(desk, "s04")
    with pytest.raises(Conflict):
        desk.mark(*HERE, [
            {"id": waiting["id"], "version": waiting["version"], "boxes": ["1a"], "free": 0},
            {"id": old["id"], "version": old["version"], "boxes": [], "free": 0},
        ])  # fmt: skip
    assert desk_kit.scores(course)["s04"] is None, "all of a group or none"
    other.close()


@pytest.mark.slow
def test_a_box_that_changes_its_worth_changes_everyone_who_has_it(course, desk):
    give(desk, "s05", "1a", "2a")
    give(desk, "s06", "2a")
    change = [{"key": "1a", "points": 0.5, "words": "half of it"}]
    said = desk.reword(*HERE, change, dry=True)
    assert {one["id"]: one["points"] for one in said}[entry(desk, "s05")["id"]] == 1.5
    assert desk_kit.scores(course)["s05"] == 2
    desk.reword(*HERE, change, dry=False)
    assert (desk_kit.scores(course)["s05"], desk_kit.scores(course)["s06"]) == (1.5, 1)
    assert desk.part(*HERE)["boxes"][0]["words"] == "half of it"


@pytest.mark.slow
def test_a_second_marker_is_blind_and_changes_no_mark(course, desk):
    give(desk, "s07", "2a", "2b")
    before = desk_kit.scores(course)
    second = Desk(desk_kit.settings(course), desk_kit.SHEET, "sam", names=True, share=1.0)
    seen = entry(second, "s07")
    assert (seen["boxes"], seen["points"], seen["machine"], seen["waiting"]) == ([], None, "", True)
    give(second, "s07", "2a")
    assert desk_kit.scores(course) == before
    (found,) = desk.agreement()
    assert (found["count"], found["exact"], found["within_one"]) == (1, 0, 1)
    assert found["boxes"]["2b"] == 0
    assert found["boxes"]["3a"] == 1
    (apart,) = found["apart"]
    assert (apart["by"], apart["second"]) == ("mia", 1)
    second.close()


@pytest.mark.slow
def test_another_text_is_other_work(course):
    graded, handed_in = (course / step / "s02" / desk_kit.SHEET for step in ("autograded", "submitted"))
    shutil.copytree(graded, handed_in)
    assert not is_other_work(handed_in, graded)
    notebook = nbformat.read(handed_in / f"{desk_kit.NAME}.ipynb", as_version=4)
    next(cell for cell in notebook.cells if cell.id == f"{desk_kit.PART}_answer").source += " More words."
    nbformat.write(notebook, handed_in / f"{desk_kit.NAME}.ipynb")
    assert is_other_work(handed_in, graded)


def test_a_share_is_a_share():
    assert share_of("15%") == 0.15
    with pytest.raises(CourseError):
        share_of("lots")
