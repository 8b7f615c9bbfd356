"""Every command and every piece of configuration in the pages is run, in the order in which it stands there."""

import csv
import json
import os
import re
import shutil
import subprocess
import sysconfig
import zipfile

import nbformat
import pytest

from autograder.build.submission import fill, solutions
from autograder.cli import COMMANDS
from autograder.exercises import all_exercises, load

ELSEWHERE = {
    "make demo": "CI runs the command in it, `autograder demo`: tests/commands/test_demo.py",
    "make test": "CI",
    "make site": "tests/browser/test_site.py",
    ". .venv/bin/activate": "tests have an environment",
    "jupyter lab": "tests/browser",
    "autograder build --check": "needs the whole course: make test",
    "autograder audit --readme README.md": "takes minutes: make test",
}
"""Commands that are not run here, and where they are."""

PAGES = {
    "README.md",
    "docs/authors.md",
    "docs/class.md",  # tests/docs/test_class_docs.py
    "docs/explain.md",  # tests/docs/test_explain_page.py
    "docs/exports.md",
    "docs/instructors.md",
    "docs/site.md",  # tests/commands/test_site.py
    "docs/own_course.md",  # tests/docs/test_own_course.py
    "docs/speed.md",  # the command that writes the page itself: tests/test_benchmarks.py runs it small
}
"""The pages with commands. Where no other file is named, the test is below."""


def blocks(text, language="sh"):
    """The blocks of a page in one language."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands(text):
    """The lines of the shell blocks, without their comments."""
    lines = [line.partition("  #")[0].strip() for block in blocks(text) for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def section(text, title):
    """One section of a page, from its heading to the next."""
    return re.split(r"^## ", text.partition(f"\n## {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


@pytest.fixture
def page(root):
    return lambda name: (root / name).read_text(encoding="utf-8")


def hand_in(course, student, notebook):
    path = course / "submitted" / student / "training" / "tanh_swap.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)


@pytest.fixture
def work(root):
    """What two students hand in: the same unexplained mistake."""
    released = nbformat.read(root / "assignments" / "training" / "tanh_swap.ipynb", as_version=4)
    odd = dict(solutions(root, load("tanh_swap")))
    odd["network"] = odd["network"].rstrip() + "\n        self.dW1 = np.sin(7 * self.dW1) + 0.1\n"
    return fill(released, odd)


@pytest.fixture
def course(tmp_path, root):
    """A course with one exercise and its release."""
    course = tmp_path / "course"
    for folder in ("source", "assignments"):
        shutil.copytree(root / folder / "training", course / folder / "training")
        for other in (course / folder / "training").glob("*.ipynb"):
            if other.stem != "tanh_swap":
                other.unlink()
    shutil.copy(root / "nbgrader_config.py", course)
    return course


@pytest.fixture
def checkout(tmp_path, root):
    """A copy of this checkout, without what only describes or tests it."""
    copy = tmp_path / "checkout"
    for folder in ("autograder", "reference", "source", "assignments", "tests/exercises"):
        shutil.copytree(root / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("nbgrader_config.py", "pyproject.toml", "requirements.lock", "tests/conftest.py", "docs/exercises.md"):
        (copy / file).parent.mkdir(exist_ok=True)
        shutil.copy(root / file, copy / file)
    return copy


@pytest.fixture
def shell(tmp_path, root):
    """Runs one line as it stands, as somebody with an activated environment and a home of their own."""
    (tmp_path / "home").mkdir()
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])

    def run(folder, line):
        package = folder if (folder / "autograder").is_dir() else root
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=600,
            env=os.environ
            | {"PATH": path, "HOME": str(tmp_path / "home"), "PYTHONPATH": str(package), "COLUMNS": "120"},
        )
        assert done.returncode == 0, f"{line}\n{done.stdout[-1000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    return run


def test_every_page_with_commands_is_run_here(root):
    found = {
        path.relative_to(root).as_posix()
        for path in (*root.glob("*.md"), *(root / "docs").glob("*.md"))
        if commands(path.read_text(encoding="utf-8"))
    }
    assert found == PAGES


def test_every_subcommand_is_described_in_a_page(page):
    text = "".join(map(page, PAGES))
    assert not [name for name in COMMANDS if f"autograder {name}" not in text]


def test_the_internal_links_of_the_pages_lead_somewhere(root):
    for path in (*root.glob("*.md"), *(root / "docs").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            file, _, anchor = link.partition("#")
            if "://" not in link:
                assert not file or (path.parent / file).exists(), f"{path.name}: {link}"
                assert file or anchor in anchors, f"{path.name}: {link}"


def test_the_files_that_the_pages_name_are_there(root, page):
    for name in ("docs/graders.md", "docs/authors.md", "CONTRIBUTING.md"):
        for file in re.findall(r"`((?:tests|autograder|benchmarks|reference)/[\w/.]+)`", page(name)):
            assert "momentum_step" in file or (root / file).exists(), f"{name}: {file}"
    parts = "grading|sandbox|marking|diagnosis|views|records|bridge|commands"
    for file in re.findall(rf"`((?:{parts})/[\w/.]*)`", page("docs/graders.md")):
        assert (root / "autograder" / file).exists(), file


@pytest.mark.slow
def test_the_pages_that_anything_names_are_there(root):
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=root, capture_output=True, text=True)
    names = [name for name in listed.stdout.split() if name.endswith((".py", ".md", ".yml", ".sh", ".toml", ".j2"))]
    assert names
    for name in names:
        for page in re.findall(r"\bdocs/\w+\.md", (root / name).read_text(encoding="utf-8")):
            assert (root / page).is_file(), f"{name} names {page}"


@pytest.mark.long
def test_a_sheet_from_release_to_export_and_the_hint_arrives(course, shell, page, work, root):
    for student in ("carla", "dmitri"):
        hand_in(course, student, work)
    for folder in ("source", "assignments"):
        (course / folder / "by_hand").mkdir()
        shutil.copy(root / folder / "by_hand" / "worked_calculation.ipynb", course / folder / "by_hand")
    shutil.copytree(root / "assignments" / "foundations", course / "assignments" / "foundations")  # what is packed
    (course / "students.csv").write_text("id\ncarla\ndmitri\n")
    text, cluster = page("docs/instructors.md").partition("\n## On a JupyterHub")[0], ""
    for line in commands(text):
        if line in ELSEWHERE:
            continue
        said = shell(course, line.replace("CLUSTER", cluster))
        if line == "autograder hint":
            cluster = next(entry.split()[0] for entry in said.splitlines() if "2 ×" in entry)
        if "--seed 7 --json" in line:
            assert json.loads(said)["seed"] == 7
    hint = "Which values does the hidden layer send on?"
    for name in ("feedback/carla", "feedback/dmitri", "pages/carla"):
        assert hint in (course / name / "training" / "tanh_swap.html").read_text()
    assert "carla" in (course / "report.html").read_text()
    assert "carla" not in (course / "report-without-names.html").read_text()
    assert (course / "student-kit.zip").is_file()
    assert len((course / "grades.csv").read_text().splitlines()) == 3
    own = [course / "numbers" / s / "by_hand" / "worked_calculation.ipynb" for s in ("carla", "dmitri")]
    assert len({path.read_text() for path in own}) == 2


def _mark_the_words(course):
    """What a person does in formgrader."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        for submission in book.assignment_submissions("training"):
            for grade in (
                one for notebook in submission.notebooks for one in notebook.grades if one.needs_manual_grade
            ):
                grade.manual_score, grade.needs_manual_grade = 1.0, False
        book.db.commit()


@pytest.mark.long
def test_from_a_platforms_zip_to_marks_and_feedback_back_in_it(course, shell, page, work):
    book = nbformat.writes(work)
    (course / "students.csv").write_text("id,email,name\ncarla,c@x.org,Carla Roth\ndmitri,d@x.org,Dmitri Orlov\n")
    with zipfile.ZipFile(course / "moodle.zip", "w") as archive:
        archive.writestr("Carla Roth_71_assignsubmission_file/tanh_swap (1).ipynb", book)
        archive.writestr("Dmitri Orlov_72_assignsubmission_file/tanh_swap.ipynb.txt", book)
    six = commands(section(page("docs/instructors.md"), "From a learning platform, and back"))
    assert len(six) == 6
    shell(course, "nbgrader generate_assignment training")
    for line in six:
        if line.startswith("autograder export"):
            _mark_the_words(course)
        shell(course, line)
    marks = list(csv.DictReader((course / "marks.csv").read_text().splitlines()))
    assert [row["Email address"] for row in marks] == ["c@x.org", "d@x.org"]
    with zipfile.ZipFile(course / "feedback.zip") as archive:
        assert set(archive.namelist()) == {
            f"{name}_assignsubmission_file/tanh_swap_feedback.html" for name in ("Carla Roth_71", "Dmitri Orlov_72")
        }


@pytest.mark.long
def test_the_exchange_and_late_work(course, shell, page, work, tmp_path):
    """One loopback: an instructor's and a student's folder, and a real exchange between them."""
    from nbgrader.api import Gradebook

    exchange, student = tmp_path / "exchange", tmp_path / "student"
    exchange.mkdir()
    exchange.chmod(0o777)
    student.mkdir()
    text = page("docs/instructors.md")
    hub, late = (section(text, title) for title in ("On a JupyterHub: the exchange", "Late work"))
    instructors, students = (block.replace("/srv/nbgrader/exchange", str(exchange)) for block in blocks(hub, "python"))
    (plugin,) = blocks(late, "python")
    with (course / "nbgrader_config.py").open("a") as file:
        file.write(instructors + plugin)
    (student / "nbgrader_config.py").write_text(students)
    deadline, *again = commands(late)
    shell(course, "nbgrader generate_assignment training")
    shell(course, deadline)
    for block in blocks(hub):
        folder = student if block.startswith("# a student") else course
        for line in block.splitlines():
            if not line.startswith("#"):
                shell(folder, line)
            if line.startswith("nbgrader fetch_assignment"):
                assert {path.name for path in (student / "training").glob("*.ipynb")} == {"tanh_swap.ipynb"}
                nbformat.write(work, student / "training" / "tanh_swap.ipynb")
    (page_of_feedback,) = (student / "training" / "feedback").rglob("tanh_swap.html")
    assert "A late hand-in cost" in page_of_feedback.read_text()

    def penalty():
        with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
            (submission,) = book.assignment_submissions("training")
            assert submission.total_seconds_late > 0
            return submission.score, submission.late_submission_penalty

    score, taken = penalty()
    assert 0 < taken <= score
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        (submission,) = book.assignment_submissions("training")
        grade = book.find_grade("comparison", "tanh_swap", "training", submission.student.id)
        grade.manual_score, grade.needs_manual_grade = 5, False
        book.db.commit()
    for line in again:
        shell(course, line)
    score_after, taken_after = penalty()
    assert score_after == score + 5
    assert taken_after == pytest.approx(taken / score * score_after)
    shell(course, "autograder report")
    assert "2026-11-01 23:59" in (course / "report.html").read_text()


@pytest.mark.parametrize(("days", "share"), [(0.001, 0), (0.01, 0.1), (1.5, 0.2), (13, 0.5), (15, 1.0)])
def test_the_rule_for_late_work_is_that_of_the_page(page, days, share):
    from traitlets.config import Config

    from autograder.bridge.late import LatePolicy

    names = {"c": Config()}
    exec(blocks(section(page("docs/instructors.md"), "Late work"), "python")[0], names)
    plugin = LatePolicy(config=names["c"])
    assert (plugin.late_submission_penalty("carla", 20.0, days * 86400) or 0) == pytest.approx(20 * share)


@pytest.mark.long
def test_the_commands_of_the_readme(course, shell, page, work):
    hand_in(course, "carla", work)
    for line in commands(page("README.md")):
        if line not in ELSEWHERE:
            shell(course, line)
    assert (course / "report.html").is_file()
    assert (course / "feedback" / "carla" / "training" / "tanh_swap.html").is_file()
    assert (course / "grades.csv").is_file()


@pytest.mark.long
def test_the_commands_for_authors(checkout, shell, page):
    for line in commands(page("docs/authors.md")):
        if line not in ELSEWHERE:
            said = shell(checkout, line)
            if "pytest" in line:
                assert " passed" in said
    assert (checkout / "assignments" / "training" / "momentum_step.ipynb").is_file()


CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,training (7)
    Points Possible,,,,,POINTS
"Lovelace, Ada",17,,ada,1,
"""


@pytest.mark.long
def test_the_commands_of_the_exports(checkout, shell, page, root):
    from nbgrader.api import Gradebook

    exercise = load("tanh_swap")
    released = nbformat.read(root / "assignments" / "training" / "tanh_swap.ipynb", as_version=4)
    hand_in(checkout, "ada", fill(released, solutions(root, exercise)))
    for path in (checkout / "source" / "training").glob("*.ipynb"):
        if path.stem != exercise.name:
            path.unlink()
    shell(checkout, "nbgrader generate_assignment training")
    shell(checkout, "nbgrader autograde training")
    with Gradebook(f"sqlite:///{checkout}/gradebook.db") as book:
        grade = book.find_grade("comparison", "tanh_swap", "training", "ada")
        grade.manual_score, grade.needs_manual_grade = 5, False
        book.find_student("ada").email = "ada@example.org"
        book.db.commit()
    sheet = sum(question.points for one in all_exercises() if one.sheet == "training" for question in one.questions)
    for file, points in (("machine.csv", sheet), ("2026-grades.csv", exercise.points)):
        (checkout / file).write_text(CANVAS.replace("POINTS", f"{points:g}"))
    for line in commands(page("docs/exports.md")):
        shell(checkout, line)
    for file, points in (("machine.csv", 20), ("2026-grades.csv", 25)):
        assert (checkout / file).read_text().splitlines()[-1].endswith(f",{points}"), file
    assert "ada@example.org" in (checkout / "moodle.csv").read_text()
    for file in ("marks.csv", "report.xml", "autograder.zip", "grades.csv"):
        assert (checkout / file).stat().st_size > 0
