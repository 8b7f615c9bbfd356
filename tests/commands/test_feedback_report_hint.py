"""feedback, report and hint as an instructor types them."""

import contextlib
import json
import shutil

import nbformat
import pytest

from autograder.audit import load_variants
from autograder.build.submission import fill, solutions
from autograder.cli import main
from autograder.course import CourseError
from autograder.exercises import load
from autograder.marking import BadRecord
from autograder.records.hints import read_hints, write_hint
from autograder.records.read import record_of

UNKNOWN = "        self.dW1 = np.sin(7 * self.dW1) + 0.1\n"


def notebooks(root):
    """Three notebooks of tanh_swap: two share a wrong dW1 that no known mistake explains, one is right."""
    exercise = load("tanh_swap")
    released = nbformat.read(root / "assignments" / "training" / "tanh_swap.ipynb", as_version=4)
    # nothing here is about figures, which cost more than all marks
    released.cells = [cell for cell in released.cells if "show" not in cell.metadata.get("tags", ())]
    solved = solutions(root, exercise)
    odd = dict(solved)
    odd["network"] = solved["network"].rstrip() + "\n" + UNKNOWN
    sigmoid = load_variants(root, exercise).find("sigmoid-derivative").apply(solved)
    return {"ada": fill(released, solved), "carla": fill(released, sigmoid)} | {
        student: fill(released, odd) for student in ("blaise", "dmitri")
    }


@pytest.fixture(scope="module")
def course(tmp_path_factory, root):
    """A course folder with four hand-ins."""
    folder = tmp_path_factory.mktemp("people") / "course"
    shutil.copytree(root / "source" / "training", folder / "source" / "training")
    for other in (folder / "source" / "training").glob("*.ipynb"):
        if other.stem != "tanh_swap":
            other.unlink()
    shutil.copy(root / "nbgrader_config.py", folder / "nbgrader_config.py")
    for student, notebook in notebooks(root).items():
        path = folder / "submitted" / student / "training" / "tanh_swap.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
    return folder


@pytest.fixture(scope="module")
def marks(course):
    """The marks of the class as `autograder grade --json` prints them."""
    path = course / "marks.jsonl"
    with path.open("w") as file, contextlib.redirect_stdout(file):
        words = ["grade", str(course / "submitted"), "--json", "--no-places", "--seed", "5", "--root", str(course)]
        assert main(words) == 0
    return path


def page(course, student):
    return (course / "pages" / student / "training" / "tanh_swap.html").read_text()


def feedback(course):
    return main(["feedback", str(course / "submitted"), "--to", str(course / "pages"), "--root", str(course)])


@pytest.mark.slow
def test_a_hint_to_a_cluster_reaches_everyone_in_it_and_no_one_else(course, marks, capsys):
    assert main(["report", str(marks), "--to", str(course / "report.html"), "--root", str(course)]) == 0
    report = (course / "report.html").read_text()
    assert "2 students share this dW1" in report
    assert main(["hint", "--marks", str(marks), "--root", str(course)]) == 0
    cluster = next(line.split()[0] for line in capsys.readouterr().out.splitlines() if "2 ×" in line and "dW1" in line)
    assert cluster in report
    assert main(["hint", cluster, "Where does 1.2345 come from?", "--marks", str(marks), "--root", str(course)]) == 0
    assert "kept for 2 students" in capsys.readouterr().out
    assert feedback(course) == 0  # with another seed: the cluster keeps its name
    assert "Where does 1.2345 come from?" in page(course, "blaise")
    assert "Where does 1.2345 come from?" in page(course, "dmitri")
    assert "Where does 1.2345" not in page(course, "ada") + page(course, "carla")
    assert main(["hint", cluster, "", "--marks", str(marks), "--root", str(course)]) == 0
    assert read_hints(course) == {}


@pytest.mark.slow
def test_nothing_hidden_is_on_a_page(course, root):
    if not (course / "pages").exists():  # the test of the hints writes them, too
        assert feedback(course) == 0
    for student in ("ada", "carla"):
        text = page(course, student)
        for secret in ("mark_question", "MARK SCHEME", "HIDDEN TESTS", "BEGIN SOLUTION"):
            assert secret not in text
    scheme = next(
        cell.source
        for cell in nbformat.read(root / "source/training/tanh_swap.ipynb", as_version=4).cells
        if "BEGIN MARK SCHEME" in cell.source
    )
    for line in scheme.split("BEGIN MARK SCHEME ===")[1].splitlines():
        assert len(line) < 20 or line not in page(course, "ada")


@pytest.mark.slow
def test_no_names_leaves_out_every_student(course, marks):
    to = course / "anonymous.html"
    assert main(["report", str(marks), "--to", str(to), "--no-names", "--root", str(course)]) == 0
    text = to.read_text()
    assert not [student for student in ("ada", "blaise", "carla", "dmitri") if student in text]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["report"], "holds no graded notebook"),
        (["hint", "00000000", "x"], "holds no graded notebook"),
        (["feedback"], "holds no graded notebook"),
        (["feedback", "nowhere"], "nowhere does not exist"),
        (["feedback", "submitted", "--seed", "-1"], "a seed is a whole number"),
        (["report", "nowhere.jsonl"], "nowhere.jsonl cannot be read"),
        (["report", "nbgrader_config.py"], "holds no marks"),
    ],
)
def test_bad_use_gives_exit_status_two_and_says_the_fix(arguments, said, course, monkeypatch, capsys):
    monkeypatch.chdir(course)
    assert main(arguments) == 2
    assert said in " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
@pytest.mark.parametrize(("url", "said"), [("sqlite:///no.db", "there is no gradebook"), ("x", "cannot be read")])
def test_a_gradebook_that_is_not_there_is_named_and_not_made(course, marks, url, said, monkeypatch, capsys):
    monkeypatch.chdir(course)
    assert main(["report", str(marks), "--gradebook", url]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not (course / "no.db").exists()


@pytest.mark.slow
def test_an_unknown_cluster_and_a_missing_text_are_named(course, marks, capsys):
    assert main(["hint", "00000000", "x", "--marks", str(marks), "--root", str(course)]) == 2
    assert "no cluster '00000000'" in capsys.readouterr().err


def test_a_damaged_file_of_hints_is_not_overwritten(tmp_path):
    (tmp_path / "hints.json").write_text("{")
    with pytest.raises(CourseError, match="mend it or delete it"):
        write_hint(tmp_path, "0123abcd", "x")
    assert (tmp_path / "hints.json").read_text() == "{"


@pytest.mark.slow
def test_an_unreadable_notebook_gets_a_page_that_says_why(course, tmp_path):
    bad = tmp_path / "zoe" / "training" / "tanh_swap.ipynb"
    bad.parent.mkdir(parents=True)
    bad.write_text("{")
    assert main(["feedback", str(bad), "--to", str(tmp_path / "to"), "--root", str(course)]) == 1
    assert "is not valid JSON" in (tmp_path / "to" / "zoe" / "training" / "tanh_swap.html").read_text()


@pytest.mark.slow
def test_a_record_that_came_with_a_submission_is_not_believed(course, marks):
    notebook = nbformat.v4.new_notebook()
    record = json.loads(marks.read_text().splitlines()[0])
    notebook.metadata["autograder"] = nbformat.from_dict(record)
    student = record["student"]
    assert record_of(notebook, student, "training", "tanh_swap") is not None
    with pytest.raises(BadRecord, match="its record is that of"):
        record_of(notebook, "mallory", "training", "tanh_swap")
    assert record_of(notebook, student, "training", "other") is None
    assert record_of(notebook, student, "by_hand", "tanh_swap") is None


@pytest.mark.slow
def test_nbgrader_writes_our_page_with_the_gradebooks_points_and_comments(course, capsys):
    from nbgrader.api import Gradebook

    from autograder.bridge.api import CourseApi

    api = CourseApi(course)
    assert api.generate_assignment("training") == []
    assert api.autograde("training", "carla") == []
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        written = book.find_grade("comparison", "tanh_swap", "training", "carla")
        written.manual_score, written.needs_manual_grade = 4, False
        book.find_comment("comparison", "tanh_swap", "training", "carla").manual_comment = "Good numbers."
        book.db.commit()
    assert main(["feedback", "--root", str(course)]) == 0
    text = (course / "feedback" / "carla" / "training" / "tanh_swap.html").read_text()
    assert "Content-Security-Policy" in text
    assert "<strong>19</strong> of 25 points" in text
    assert "Good numbers." in text
    assert "mark_question" not in text
    assert "MARK SCHEME" not in text
    assert main(["report", "--to", str(course / "graded.html"), "--root", str(course)]) == 0
    assert "derivative of sigmoid" in (course / "graded.html").read_text()
