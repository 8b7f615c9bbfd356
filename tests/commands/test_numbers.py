"""Numbers of their own: of one difficulty, told by nothing but id and secret, and marked by nbgrader and by us."""

import ast
import json
import math
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbgrader_kit import hand_in, make_course, nbgrader

from autograder.build.submission import fill, solutions
from autograder.cli import main
from autograder.commands.gradescope import build as build_gradescope
from autograder.course import CourseError
from autograder.exercise import Reply
from autograder.exercises import all_exercises, load
from autograder.exercises import worked_calculation as calculation
from autograder.marking import challenges
from autograder.personal import (
    OwnNumbers,
    exercise_of,
    numbers_mark,
    numbers_of,
    read_own_numbers,
    rewritten,
    secret_mark,
    students_notebook,
)

NAME = "worked_calculation"
SECRET = b"a secret only for these tests"
IDS = tuple(f"student{number}" for number in range(400))
CLASS = OwnNumbers(SECRET, frozenset(IDS), (NAME,))
WITH_NUMBERS = tuple(one.name for one in all_exercises() if one.personal is not None)
LINES = tuple(step.name for step in calculation.ALL)


def told(student, own=CLASS):
    return calculation.in_words(numbers_of(own, NAME, student))


def code(given):
    """The solution cells of a student who calculates with these numbers."""
    (x1, x2), ((a, b), (c, d)) = given["X"].ravel(), given["W1"]
    (p, q), (v, w), r, y = given["b1"].ravel(), given["W2"].ravel(), given["b2"].item(), given["Y"].item()
    return {
        "forward": "import math\nsigma = lambda z: 1 / (1 + math.exp(-z))\n"
        f"z1 = [{a} * {x1} + {b} * {x2} + {p}, {c} * {x1} + {d} * {x2} + {q}]\na1 = [sigma(z1[0]), sigma(z1[1])]\n"
        f"z2 = {v} * a1[0] + {w} * a1[1] + {r}\na2 = sigma(z2)",
        "loss": f"loss = (a2 - {y}) ** 2",
        "gradients": f"dz2 = 2 * (a2 - {y}) * a2 * (1 - a2)\ndW2 = [dz2 * a1[0], dz2 * a1[1]]\ndb2 = dz2\n"
        f"dz1 = [dz2 * {v} * a1[0] * (1 - a1[0]), dz2 * {w} * a1[1] * (1 - a1[1])]\n"
        f"dW1 = [[dz1[0] * {x1}, dz1[0] * {x2}], [dz1[1] * {x1}, dz1[1] * {x2}]]\ndb1 = dz1",
        "update": f"W2_new = [{v} - 0.1 * dW2[0], {w} - 0.1 * dW2[1]]\nb2_new = {r} - 0.1 * db2\n"
        f"W1_new = [[{a} - 0.1 * dW1[0][0], {b} - 0.1 * dW1[0][1]],\n"
        f"          [{c} - 0.1 * dW1[1][0], {d} - 0.1 * dW1[1][1]]]\n"
        f"b1_new = [{p} - 0.1 * db1[0], {q} - 0.1 * db1[1]]",
    }


def values_of(given):
    names: dict = {}
    for text in code(given).values():
        exec(text, names)
    return {name: names[name] for name in LINES}


def marked(exercise, values):
    """Points per line, and the verdicts."""
    given = challenges(exercise, 1)["filled_in"][0].known
    verdicts = {}
    for question in exercise.questions:
        verdicts |= question.judge(question.lines, [Reply(given, values, shown=True)])
    return verdicts


def own_exercise(tmp_path, student, students=IDS[:40]):
    """The exercise of one student in a course that gave numbers to some."""
    setting(tmp_path, students)
    return exercise_of(tmp_path, NAME, student)


def setting(root, students, secret=SECRET):
    """Turn numbers of their own on in a course."""
    (root / "course.secret").write_bytes(secret)
    about = {"secret_file": "course.secret", "secret_mark": secret_mark(secret), "students": [*students]}
    (root / "numbers.json").write_text(json.dumps(about | {"exercises": [NAME]}))


# The numbers --------------------------------------------------------------------------------------------------------


def test_the_same_id_and_secret_give_the_same_numbers_for_ever():
    assert told("student0") == (
        "x = [1, 2], W1 = [[0.9, 0.4], [0.6, 0.3]], b1 = [0.4, 0.5], W2 = [0.5, 0.8], b2 = 0.4, y = 0.8"
    )
    assert told("student0", OwnNumbers(SECRET, frozenset({"student0"}), (NAME,))) == told("student0")


@pytest.mark.slow
def test_another_secret_gives_unrelated_numbers():
    other = replace(CLASS, secret=b"another secret for the tests")
    some = IDS[:150]
    same = sum(told(student) == told(student, other) for student in some)
    assert same == 0
    for part in ("X", "Y", "W1", "W2", "b1"):
        one, two = (np.array([numbers_of(v, NAME, s)[part].ravel() for s in some]) for v in (CLASS, other))
        correlation = np.corrcoef(one[:, 0], two[:, 0])[0, 1]
        assert abs(correlation) < 4 / math.sqrt(len(some)), part


@pytest.mark.slow
def test_hardly_two_students_have_the_same_numbers():
    assert len({told(student) for student in IDS}) == len(IDS)


@pytest.mark.slow
def test_all_are_of_the_difficulty_of_the_sheet():
    assert calculation.fits(calculation.GIVEN)
    errors, sums = [], []
    for student in IDS[:150]:
        given, exact = numbers_of(CLASS, NAME, student), calculation.truth(numbers_of(CLASS, NAME, student))
        for name in ("W1", "b1", "W2", "b2", "Y"):
            np.testing.assert_allclose(given[name] * 10, np.round(given[name] * 10), atol=1e-9)
            assert np.all((given[name] >= 0.1) & (given[name] <= 0.9))
        assert {*given["X"].ravel()} < {1, 2, 3}
        assert len({*given["X"].ravel()}) == 2
        sums += [*exact["z1"].ravel(), exact["z2"].item()]
        errors.append((exact["a2"] - given["Y"]).item())
        smallest = min(np.abs(exact[name]).min() for name in ("dW1", "db1", "dW2", "db2"))
        assert smallest > 5e-5, student
    assert 0.65 < min(sums) < max(sums) < 2.85
    assert 0.015 < min(errors) < max(errors) < 0.1
    low, high = np.percentile(errors, [25, 75])
    assert 0.03 < low < high < 0.09


@pytest.mark.slow
def test_no_student_gets_the_numbers_of_the_sheet_or_of_the_practice(monkeypatch, root):
    monkeypatch.syspath_prepend(str(root / "reference" / "toolkit"))
    import practice

    sheet = calculation.in_words(calculation.GIVEN)
    assert sheet not in {told(student) for student in IDS}
    rates = {practice.worked_calculation(seed).given["alpha"].item() for seed in range(30)}
    assert calculation.GIVEN["learning_rate"].item() not in rates


@pytest.mark.parametrize("student", IDS[:6])
def test_the_truth_of_a_variant_is_that_of_its_numbers(student):
    given = numbers_of(CLASS, NAME, student)
    exact, solved = calculation.truth(given), values_of(given)
    for name in LINES:
        np.testing.assert_allclose(np.ravel(solved[name]), exact[name].ravel(), rtol=1e-12, err_msg=name)


# Marking ------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_own_values_get_full_marks_and_rounded_ones_too(tmp_path):
    for student in IDS[:10]:
        exercise = own_exercise(tmp_path, student)
        given = numbers_of(CLASS, NAME, student)
        assert {v.status for v in marked(exercise, values_of(given)).values()} == {"correct"}
        names: dict = {}
        for statement in ast.parse("\n".join(code(given).values())).body:
            exec(compile(ast.Module([statement], []), student, "exec"), names)
            name = ast.unparse(statement).split(" = ")[0]
            if name in LINES:  # rounded as soon as it is there
                names[name] = np.vectorize(lambda x: float(f"{x:.4g}"))(names[name]).tolist()
        verdicts = marked(exercise, {name: names[name] for name in LINES})
        assert {v.status for v in verdicts.values()} == {"correct"}, (student, verdicts)


def test_one_slip_costs_one_line_and_is_named(tmp_path):
    exercise = own_exercise(tmp_path, "student3")
    given = numbers_of(CLASS, NAME, "student3")
    names: dict = {}
    for text in code(given).values():
        exec(text.replace("a1 = [sigma(z1[0]), sigma(z1[1])]", "a1 = [sigma(-z1[0]), sigma(-z1[1])]"), names)
    verdicts = marked(exercise, {name: names[name] for name in LINES})
    assert [name for name, verdict in verdicts.items() if verdict.status != "correct"] == ["a1"]
    assert verdicts["a1"].mistakes == ("sigmoid-sign",)


@pytest.mark.parametrize("copied", ["a neighbour", "the sheet"])
def test_values_for_other_numbers_earn_nothing_and_the_reason_is_told(tmp_path, copied):
    exercise = own_exercise(tmp_path, "student3")
    theirs = calculation.GIVEN if copied == "the sheet" else numbers_of(CLASS, NAME, "student17")
    verdicts = marked(exercise, values_of(theirs))
    mine = calculation.truth(numbers_of(CLASS, NAME, "student3"))
    for name, verdict in verdicts.items():
        if np.allclose(calculation.truth(theirs)[name], mine[name], rtol=2e-3):
            continue
        assert verdict.share == 0, name
        assert verdict.mistakes == ("numbers-of-another",), name
        assert "other numbers than yours" in verdict.message
        assert told("student3") in verdict.hint
        assert "student17" not in verdict.hint + verdict.message
    assert sum(verdict.share == 0 for verdict in verdicts.values()) >= 12


def test_a_wrong_first_sum_alone_is_no_copy(tmp_path):
    """z1 may by chance be what somebody else has; what follows from it keeps its points."""
    exercise = own_exercise(tmp_path, "student3")
    given, other = (
        numbers_of(CLASS, NAME, "student3"),
        calculation.truth(numbers_of(CLASS, NAME, "student17"))["z1"].ravel(),
    )
    names: dict = {}
    for text in code(given).values():
        exec(text.replace("\na1 =", f"\nz1 = {other.tolist()}\na1 ="), names)
    verdicts = marked(exercise, {name: names[name] for name in LINES})
    assert [name for name, verdict in verdicts.items() if verdict.status != "correct"] == ["z1"]
    assert verdicts["z1"].mistakes != ("numbers-of-another",)


def test_who_has_no_numbers_of_their_own_has_those_of_the_sheet(tmp_path):
    assert exercise_of(tmp_path, NAME, "ada") is load(NAME)  # no setting at all
    assert own_exercise(tmp_path, "somebody else") is load(NAME)
    assert exercise_of(tmp_path, "tanh_swap", "student3") is load("tanh_swap")


# The notebook -------------------------------------------------------------------------------------------------------


def released(root):
    return nbformat.read(root / "assignments" / "by_hand" / f"{NAME}.ipynb", as_version=4)


@pytest.mark.parametrize("student", IDS[:12])
def test_the_notebook_states_the_students_numbers_and_no_others(root, student):
    given = numbers_of(CLASS, NAME, student)
    before, after = released(root), students_notebook(released(root), CLASS, NAME, student)
    text = next(cell.source for cell in after.cells if cell.metadata.nbgrader.grade_id == "task")
    x, W1 = given["X"].ravel(), given["W1"]
    assert f"$x = ({x[0]:g},\\ {x[1]:g})$" in text
    assert rf"\begin{{pmatrix}} {W1[0, 0]:g} & {W1[0, 1]:g} \\ {W1[1, 0]:g} & {W1[1, 1]:g} \end{{pmatrix}}" in text
    assert f"drawn for `{student}`" in text
    changed = {
        new.metadata.nbgrader.grade_id
        for old, new in zip(before.cells, after.cells, strict=True)
        if old.source != new.source
    }
    assert changed <= {"task", "picture", "check_text"}
    assert {"task", "picture"} <= changed
    picture = next(cell.source for cell in after.cells if cell.metadata.nbgrader.grade_id == "picture")
    for number in (*W1.ravel(), *given["W2"].ravel()):
        assert f'"{number:g}"' in picture
    compile(picture, "picture", "exec")


def test_nbgraders_checksums_fit_the_new_text(root):
    from nbgrader.utils import compute_checksum

    for cell in students_notebook(released(root), CLASS, NAME, "student1").cells:
        if "checksum" in cell.metadata.nbgrader:
            assert cell.metadata.nbgrader.checksum == compute_checksum(cell)


def test_numbers_of_the_sheet_change_nothing_but_the_sentence(root):
    made = rewritten(released(root), exercise=NAME, given=calculation.GIVEN, student="ada")
    for old, new in zip(released(root).cells, made.cells, strict=True):
        assert new.source.replace("\n**The numbers below are your own**, drawn for `ada`. Other students have other "
                                  "ones.\n", "") == old.source  # fmt: skip


def test_a_course_that_began_under_the_old_names_goes_on(tmp_path, capsys):
    setting(tmp_path, ["student0"])
    about = json.loads((tmp_path / "numbers.json").read_text())
    (exercise,) = about.pop("exercises")
    (tmp_path / "variants.json").write_text(json.dumps(about | {"exercise": exercise}))
    (tmp_path / "numbers.json").unlink()
    (tmp_path / "source").mkdir()
    (tmp_path / "nbgrader_config.py").touch()
    assert numbers_mark(tmp_path, NAME, "student0")
    assert main(["variants", "show", "student0", "--root", str(tmp_path)]) == 0
    assert "W1 = [[0.9, 0.4], [0.6, 0.3]]" in capsys.readouterr().out


def test_numbers_are_those_of_the_exercise_that_was_released(tmp_path):
    setting(tmp_path, ["student0"])
    path = tmp_path / "numbers.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"exercises": [NAME, "tanh_swap"]}))
    with pytest.raises(CourseError, match="damaged"):
        read_own_numbers(tmp_path)


def test_a_changed_notebook_is_refused_and_not_half_rewritten(root):
    notebook = released(root)
    cell = next(cell for cell in notebook.cells if cell.metadata.nbgrader.grade_id == "task")
    cell.source = cell.source.replace("$b_2 = 0.2$", "$b_2 = 1/5$")
    with pytest.raises(CourseError, match=r"does not say `\$b_2 = 0.2\$ \|` once"):
        students_notebook(notebook, CLASS, NAME, "ada")


# The command, and both ways to mark ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def course(tmp_path_factory, root):
    """A course with numbers for ada and carla, but not for dmitri, in the worked calculation alone."""
    folder = make_course(tmp_path_factory.mktemp("numbers") / "course", root, parts=("source", "assignments"))
    (folder / "students.csv").write_text("id,first_name\nada,Ada\ncarla,Carla\n")
    assert release(folder) == 0
    return folder


def release(folder, secret="course.secret", students="students.csv", exercises=(NAME,)):
    return main([
        "numbers", "release", "--root", str(folder), "--to", str(folder / "numbers"),
        "--secret-file", str(folder / secret), "--students", str(folder / students),
        *(("--exercises", *exercises) if exercises else ()),
    ])  # fmt: skip


@pytest.mark.slow
def test_all_calculations_by_hand_have_numbers_unless_some_are_named(root, tmp_path, capsys):
    folder = tmp_path / "course"
    shutil.copytree(root / "assignments", folder / "assignments")
    (folder / "source").mkdir()
    (folder / "nbgrader_config.py").touch()
    (folder / "students.csv").write_text("id\nada\n")
    assert release(folder, exercises=()) == 0
    own = read_own_numbers(folder)
    assert own.exercises == WITH_NUMBERS
    assert {path.stem for path in (folder / "numbers").rglob("*.ipynb")} == {*WITH_NUMBERS}
    assert release(folder, exercises=("tanh_swap",)) == 2
    assert "tanh_swap has no numbers of one's own" in capsys.readouterr().err
    assert main(["numbers", "show", "ada", "--root", str(folder)]) == 0
    said = capsys.readouterr().out
    assert all(
        f"ada, {name}: {load(name).personal.in_words(numbers_of(own, name, 'ada'))}" in said for name in WITH_NUMBERS
    )
    assert main(["numbers", "show", "ada", "tanh_swap", "--root", str(folder)]) == 2


def test_who_began_with_one_exercise_goes_on_with_it(course):
    assert release(course, exercises=()) == 0
    assert read_own_numbers(course).exercises == (NAME,)


def test_release_makes_a_secret_that_only_its_owner_can_read(course):
    path = course / "course.secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_text().strip()) == 64
    secret = path.read_text().strip()
    assert secret not in (course / "numbers.json").read_text()
    for notebook in (course / "numbers").rglob("*.ipynb"):
        assert secret not in notebook.read_text()


def test_releasing_again_changes_nobodys_numbers(course, capsys):
    before = {path: path.read_bytes() for path in (course / "numbers").rglob("*.ipynb")}
    assert len(before) == 2
    (course / "late.csv").write_text("id\nemmy\n")
    assert release(course, students="late.csv") == 0
    assert read_own_numbers(course).students == {"ada", "carla", "emmy"}
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("name\nada\n", "needs a first row that names the columns id"),
        ("id\n../../ada\n", "cannot be a student's id"),
        ("id\n", "has no rows below its header"),
    ],
)
def test_a_bad_table_is_refused(course, capsys, table, words):
    (course / "bad.csv").write_text(table)
    assert release(course, students="bad.csv") == 2
    assert words in capsys.readouterr().err


def test_another_or_a_lost_secret_is_refused_before_anything_is_marked(course, tmp_path, capsys):
    (course / "other.secret").write_text("x" * 64)
    assert release(course, secret="other.secret") == 2
    assert "another secret" in capsys.readouterr().err
    assert release(course, secret="lost.secret") == 2
    assert not (course / "lost.secret").exists()
    copy = tmp_path / "course"
    shutil.copytree(course, copy)
    (copy / "course.secret").write_text("y" * 64)
    (copy / "submitted").mkdir()
    shutil.copytree(copy / "numbers" / "ada", copy / "submitted" / "ada")
    assert main(["grade", str(copy / "submitted"), "--root", str(copy)]) == 2
    assert "put that one back" in capsys.readouterr().err
    (copy / "course.secret").unlink()
    with pytest.raises(CourseError, match="put the file back"):
        read_own_numbers(copy)


def test_a_class_reads_the_setting_once_and_sees_every_change_of_it(tmp_path, monkeypatch):
    setting(tmp_path, IDS[:2])
    read = []
    real = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda path, **how: read.append(path) or real(path, **how))
    assert [bool(numbers_mark(tmp_path, NAME, student)) for student in IDS[:4]] == [True, True, False, False]
    assert len(read) == 1
    setting(tmp_path, IDS[:3])
    assert [bool(numbers_mark(tmp_path, NAME, student)) for student in IDS[:4]] == [True, True, True, False]
    assert len(read) == 2


def test_a_short_secret_is_refused(tmp_path):
    setting(tmp_path, IDS[:2], secret=b"abc")
    with pytest.raises(CourseError, match="could be guessed"):
        read_own_numbers(tmp_path)


def test_gradescope_is_refused_for_this_exercise_only(course, tmp_path):
    with pytest.raises(CourseError, match="Gradescope cannot know"):
        build_gradescope(course, [load(NAME)], tmp_path / "autograder.zip")


def test_show_prints_numbers_and_answers(course, capsys):
    assert main(["numbers", "show", "ada", "--root", str(course)]) == 0
    said = capsys.readouterr().out
    given = numbers_of(read_own_numbers(course), NAME, "ada")
    assert calculation.in_words(given) in said
    assert f"{calculation.truth(given)['a2'].item():.7g}" in said
    assert main(["numbers", "show", "nobody", "--root", str(course)]) == 2
    assert "those of the sheet" in capsys.readouterr().err


@pytest.fixture(scope="module")
def graded(course, root):
    """Handed in and graded by nbgrader: own numbers with a slip, a copied neighbour, and the sheet's numbers."""
    own = read_own_numbers(course)
    right = code(numbers_of(own, NAME, "ada"))
    notebook = course / "numbers" / "ada" / "by_hand" / f"{NAME}.ipynb"
    hand_in(course, "ada", filled(notebook, right | {"loss": right["loss"] + " / 2"}))
    hand_in(course, "carla", filled(notebook, right))
    hand_in(course, "dmitri", filled(course / "assignments" / "by_hand" / f"{NAME}.ipynb", solutions(root, load(NAME))))
    nbgrader(course, "generate_assignment", "by_hand")
    nbgrader(course, "autograde", "by_hand", "--IsolatedExecute.places=False")
    nbgrader(course, "generate_feedback", "by_hand")
    return course


def filled(notebook, cells):
    return fill(nbformat.read(notebook, as_version=4), cells)


def points(course):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        return {s.student.id: s.score for s in gradebook.assignment_submissions("by_hand")}


@pytest.mark.slow
def test_nbgrader_marks_each_student_by_their_own_numbers(graded):
    found = points(graded)
    assert found["ada"] == 23
    assert found["dmitri"] == 25
    assert found["carla"] <= 5


@pytest.mark.long
def test_the_command_line_gives_the_same_points(graded):
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "grade", graded / "submitted", "--json", "--no-places", "--root", graded],
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert {r["student"]: sum(q["points"] for q in r["questions"]) for r in records} == points(graded)


@pytest.mark.long
def test_a_class_is_graded_and_marked_again_by_everyones_own_numbers(graded, tmp_path):
    copy = tmp_path / "course"
    shutil.copytree(graded, copy)
    for leftover in ("gradebook.db", "autograded", "feedback"):
        path = copy / leftover
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    nbgrader(copy, "generate_assignment", "by_hand", "--force")
    expected = points(graded)

    def command(*arguments):
        line = [sys.executable, "-m", "autograder", *arguments]
        return subprocess.run(line, cwd=copy, capture_output=True, text=True, timeout=600)

    done = command("grade", "submitted", "--gradebook")
    assert done.returncode == 0, done.stderr
    assert points(copy) == expected
    path = copy / "autograded" / "ada" / "by_hand" / f"{NAME}.ipynb"
    assert "drawn for `ada`" in path.read_text()
    again = command("remark", "--diff", "--json")
    assert (again.returncode, again.stdout) == (0, ""), again.stderr
    about = json.loads((copy / "numbers.json").read_text())
    (copy / "numbers.json").write_text(json.dumps(about | {"students": ["carla"]}))
    moved = command("remark", "--diff")
    assert (moved.returncode, "1 down" in moved.stdout) == (0, True), "no run depends on the numbers, only its marks do"
    assert command("grade", "submitted", "--gradebook").returncode == 0
    assert points(copy)["ada"] < expected["ada"]
    assert "drawn for `ada`" not in path.read_text()


@pytest.mark.slow
def test_the_graded_notebook_and_the_feedback_show_the_students_own_numbers(graded):
    own = read_own_numbers(graded)
    for student in ("ada", "carla"):
        path = graded / "autograded" / student / "by_hand" / f"{NAME}.ipynb"
        cells = {cell.metadata.nbgrader.grade_id: cell for cell in nbformat.read(path, as_version=4).cells}
        assert f"drawn for `{student}`" in cells["task"].source
        x = numbers_of(own, NAME, student)["X"].ravel()
        assert f"$x = ({x[0]:g},\\ {x[1]:g})$" in cells["task"].source
        assert "image/png" in str(cells["picture"].outputs)
    page = (graded / "feedback" / "carla" / "by_hand" / f"{NAME}.html").read_text()
    assert "right for other numbers than yours" in page
    assert not re.search(r"\bada\b", page)
    page = (graded / "feedback" / "ada" / "by_hand" / f"{NAME}.html").read_text()
    assert "no factor 1/2" in page


@pytest.mark.slow
def test_the_secret_never_reaches_the_isolated_process(course, tmp_path):
    """What the student's cells can read holds no secret, nor the setting that names it."""
    copy = tmp_path / "course"
    shutil.copytree(course, copy, ignore=shutil.ignore_patterns("gradebook.db", "submitted", "autograded", "feedback"))
    look = (
        "import os\nfound = []\n"
        "for folder, _, files in os.walk('/'):\n"
        "    if folder.startswith(('/proc', '/sys', '/usr')):\n        continue\n"
        "    found += [f for f in files if f.endswith('.secret') or f == 'numbers.json']\n"
        "raise RuntimeError(f'seen {found} and {[k for k in os.environ if chr(83) + chr(69) + chr(67) in k]}')"
    )
    cells = code(numbers_of(read_own_numbers(copy), NAME, "ada")) | {"loss": look}
    hand_in(copy, "ada", filled(copy / "numbers" / "ada" / "by_hand" / f"{NAME}.ipynb", cells))
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "grade", copy / "submitted", "--json", "--no-places", "--root", copy],
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    (record,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert "seen [] and []" in str(record["notes"])


def test_off_by_default_nothing_generated_knows_of_it(root):
    assert not (root / "numbers.json").exists()
    for path in (*(root / "source").rglob("*.ipynb"), *(root / "assignments").rglob("*.ipynb")):
        assert "drawn for" not in path.read_text(encoding="utf-8"), path
