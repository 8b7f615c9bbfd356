"""The student kit: complete, free of answers, and usable with what it asks for."""

import ast
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version

import nbformat
import pytest

from autograder.cli import main
from autograder.commands.kit import REQUIREMENTS, make_kit

DISTRIBUTIONS = {"IPython": "ipython", "sklearn": "scikit-learn"}


@pytest.fixture(scope="module")
def kit(tmp_path_factory, root):
    folder = tmp_path_factory.mktemp("kit") / "student-kit"
    assert main(["kit", "--to", str(folder), "--root", str(root)]) == 0
    return folder


def sources(kit):
    """Every piece of code in the kit with the file it stands in."""
    for path in sorted(kit.rglob("*.py")):
        yield path, path.read_text(encoding="utf-8")
    for path in sorted(kit.rglob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                yield path, cell.source


def test_every_released_notebook_is_in_it(kit, root):
    released = {path.relative_to(root / "assignments") for path in (root / "assignments").rglob("*.ipynb")}
    assert {path.relative_to(kit) for path in kit.rglob("*.ipynb")} == released


def test_nothing_of_an_answer_is_in_it(kit):
    for path in kit.rglob("*"):
        if path.suffix in (".ipynb", ".py", ".md"):
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"BEGIN (SOLUTION|HIDDEN TESTS|MARK SCHEME)|mark_question", text), path


@pytest.mark.slow
def test_everything_that_is_imported_is_in_the_folder_or_in_the_requirements(kit):
    listed = set(REQUIREMENTS)
    for path, source in sources(kit):
        if "import" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module]
            for name in {name.split(".")[0] for name in names} - set(sys.stdlib_module_names):
                there = (path.parent / f"{name}.py").is_file() or DISTRIBUTIONS.get(name, name) in listed
                assert there, f"{path.name} imports {name}"


def test_no_magic_or_shell_line_is_needed(kit):
    assert not [path for path, source in sources(kit) if re.search(r"^\s*[%!]", source, re.MULTILINE)]


def test_the_requirements_are_pinned_to_what_grades(kit, root):
    """The grader's own versions, which are those of the lock; CI tests with them."""
    locked = re.findall(r"^([\w-]+==[\w.]+)", (root / "requirements.lock").read_text(), re.MULTILINE)
    lines = (kit / "requirements.txt").read_text().splitlines()
    assert lines == [f"{name}=={version(name)}" for name in REQUIREMENTS]
    assert set(lines) <= set(locked)
    assert (
        f"Python {sys.version_info[0]}.{sys.version_info[1]} is what your work is graded with"
        in (kit / "README.md").read_text()
    )


@pytest.mark.slow
def test_the_commands_of_the_readme_are_right(kit):
    commands = re.findall(r"^python (.+)$", (kit / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert commands == ["-m pip install -r requirements.txt", "-m jupyter lab"]
    for arguments in (["-m", "pip", "--version"], ["-m", "jupyter", "lab", "--version"]):
        done = subprocess.run([sys.executable, *arguments], cwd=kit, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr


def test_the_readme_quotes_what_the_self_check_says(kit):
    section = (kit / "README.md").read_text(encoding="utf-8").split("## What the self-check says")[1].split("\n## ")[0]
    quoted = [found[1] for line in section.splitlines() if (found := re.match(r"\|[^|]*?`(.+?)`", line))]
    assert len(quoted) == 5
    source = (kit / "training" / "selfcheck.py").read_text(encoding="utf-8").replace("{name}", "X")
    assert not [words for words in quoted if words not in source]


def test_the_readme_states_the_limit_of_a_cell(kit):
    from autograder.sandbox import Limits

    said = (kit / "README.md").read_text(encoding="utf-8")
    assert f"computes for more than {Limits().cell_cpu_seconds:g} seconds" in said


def test_the_archive_holds_the_same_files(kit):
    with zipfile.ZipFile(kit.with_name("student-kit.zip")) as packed:
        names = {name.split("/", 1)[1] for name in packed.namelist()}
    files = {p.relative_to(kit).as_posix() for p in kit.rglob("*") if p.is_file() and p.name != ".student-kit"}
    assert names == files


def test_a_folder_of_the_users_is_not_replaced(tmp_path, root, capsys):
    (tmp_path / "thesis.txt").write_text("precious")
    assert main(["kit", "--to", str(tmp_path), "--root", str(root)]) == 2
    assert (tmp_path / "thesis.txt").read_text() == "precious"
    assert "is no student kit" in capsys.readouterr().err


def test_a_made_kit_is_made_again(kit, root):
    assert main(["kit", "--to", str(kit), "--root", str(root)]) == 0


def test_sheets_are_packed_by_name_and_earlier_solutions_are_named(root, tmp_path, capsys):
    """The kit of a first sheet is free of its solution, which the later sheets import."""
    assert main(["kit", "foundations", "--to", str(tmp_path / "first"), "--root", str(root)]) == 0
    assert "note:" not in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "first").iterdir() if path.is_dir()} == {"foundations", "guide"}
    assert not list((tmp_path / "first").rglob("simple_network.py"))
    assert "`training/`" not in (tmp_path / "first" / "README.md").read_text(encoding="utf-8")
    assert main(["kit", "training", "design", "--to", str(tmp_path / "later"), "--root", str(root)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for sheet in ("training", "design"):
        assert f"{sheet}/ holds simple_network.py, the solution of that exercise of foundations/" in said


def test_a_sheet_that_was_not_released_is_refused(root, tmp_path, capsys):
    assert main(["kit", "no_such_sheet", "--to", str(tmp_path / "kit"), "--root", str(root)]) == 2
    assert "no sheet no_such_sheet was released; there are beyond, by_hand" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "kit").exists()


@pytest.mark.parametrize("published", ["", "https://example.org/sheets", "https://example.org/course/lite/files/"])
def test_the_readme_leads_to_the_notebooks_in_the_browser_where_a_site_has_them(root, tmp_path, published):
    course = tmp_path / "course"
    (course / "assignments").mkdir(parents=True)
    shutil.copytree(root / "assignments" / "foundations", course / "assignments" / "foundations")
    (course / "nbgrader_config.py").write_text(f"c = get_config()\nc.Sheets.published_at = {published!r}\n")
    make_kit(course, tmp_path / "kit")
    text = (tmp_path / "kit" / "README.md").read_text()
    assert "BROWSER" not in text
    link = "Or [open them in the browser](https://example.org/course/notebooks.html), with nothing installed."
    assert (link in text) == published.endswith("/lite/files/")
