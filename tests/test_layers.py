"""Data flows one way: who may import whom."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "autograder"

MAY_IMPORT = {
    "truth": set(),
    "sandbox": set(),
    "mistakes": set(),
    "tolerance": set(),
    "console": set(),
    "environment": set(),
    "times": set(),
    "warm": set(),
    "kept": {"sandbox", "warm"},
    "exercise": {"mistakes"},
    "diagnosis": {"mistakes", "tolerance"},
    "course": {"exercise"},
    "layers": {"tolerance", "truth"},
    "marking": {"diagnosis", "exercise", "layers", "mistakes", "tolerance"},
    "locate": {"exercise", "marking", "mistakes", "sandbox", "truth"},
    "exercises": {"course", "diagnosis", "exercise", "kept", "marking", "mistakes", "tolerance", "truth"},
    "personal": {"course", "exercise", "exercises"},
    "views": {"console", "diagnosis", "exercise", "exercises", "marking", "mistakes"},
    "in_kernel": {"course", "exercise", "exercises", "marking", "sandbox", "views"},
    "build": {"course", "exercise", "exercises"},
    "grading": {"console", "course", "exercise", "exercises", "locate", "marking", "personal", "sandbox"},
    "people": {"grading"},
    "records": {"course", "exercise", "exercises", "grading", "marking", "personal", "times", "views"},
    "viva": {
        "build", "course", "exercise", "exercises", "grading", "locate", "marking", "mistakes", "sandbox", "truth",
        "views",
    },
    "bridge": {
        "build", "console", "course", "environment", "exercise", "exercises", "grading", "marking", "people",
        "personal", "records", "sandbox", "times", "views",
    },
    "site": {"build", "course", "diagnosis", "exercise", "exercises", "views"},
    "audit": {"build", "course", "exercise", "grading", "in_kernel", "marking", "sandbox"},
    "new": {"course", "exercise"},
    "demo": {"audit", "build", "exercise", "exercises"},
    "commands": {
        "audit", "bridge", "build", "console", "course", "demo", "diagnosis", "exercise", "exercises", "grading",
        "locate", "marking", "new", "personal", "records", "sandbox", "site", "times", "truth", "views",
        "viva", "warm",
    },
    "in_page": {"commands", "diagnosis", "sandbox", "views"},
    "cli": {"environment"},  # and a module of commands/ by its name, when it is used
    "pytest_plugin": {"course", "exercises", "grading", "marking", "sandbox", "views"},
    "__main__": {"cli"},
}  # fmt: skip
"""Every part of the package with the parts that it may import beside itself."""


def modules(package=PACKAGE):
    """Every module with its path, by its name below the package."""
    for path in sorted(package.rglob("*.py")):
        *folders, name = path.relative_to(package).with_suffix("").parts
        yield ".".join([*folders, name] if name != "__init__" else folders), path


def imports(name, path, known):
    """The modules of this package that a module imports, relatively or not, anywhere in its text."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        wanted = []
        if isinstance(node, ast.Import):
            wanted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = ["autograder", *package][: len(package) + 2 - node.level] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            wanted = [module if f"{module}.{alias.name}".removeprefix("autograder.") not in known
                      else f"{module}.{alias.name}" for alias in node.names]  # fmt: skip
        for one in wanted:
            if one.startswith("autograder."):
                yield one.removeprefix("autograder.")


def part_of(name):
    return name.split(".")[0]


KNOWN = dict(modules())


@pytest.fixture(scope="module")
def graph():
    return {name: set(imports(name, path, KNOWN)) for name, path in KNOWN.items() if name}


def test_every_part_is_in_the_table_and_nothing_else_is(graph):
    assert {part_of(name) for name in graph} == set(MAY_IMPORT)


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_a_part_imports_only_what_lies_below_it(part, graph):
    for name, wanted in graph.items():
        if part_of(name) == part:
            beyond = {part_of(one) for one in wanted} - MAY_IMPORT[part] - {part}
            assert not beyond, f"{name} imports {beyond}"


def test_no_right_in_the_table_is_unused(graph):
    used = {part: {part_of(one) for name, wanted in graph.items() if part_of(name) == part for one in wanted}
            for part in MAY_IMPORT}  # fmt: skip
    assert {part: allowed - used[part] for part, allowed in MAY_IMPORT.items() if allowed - used[part]} == {}


def test_what_runs_code_without_walls_is_imported_by_the_page_alone(graph):
    assert {name for name, wanted in graph.items() if "sandbox.here" in wanted} == {"in_page"}


def test_no_modules_import_each_other_in_a_circle(graph):
    below = {name: wanted - {name} for name, wanted in graph.items()}
    try:
        TopologicalSorter(below).prepare()
    except CycleError as circle:
        pytest.fail(f"{' -> '.join(circle.args[1])}")


def test_no_parts_import_each_other_in_a_circle():
    TopologicalSorter(MAY_IMPORT).prepare()


@pytest.mark.parametrize(
    "line",
    [
        "from autograder.views import words",
        "from autograder import views",
        "import autograder.views.words",
        "from ..views import words",
        "from .. import views",
        "from ..views.words import printable",
        "def f():\n    from ..views import words",
    ],
)
def test_the_check_sees_an_import(line, tmp_path):
    planted = tmp_path / "planted.py"
    planted.write_text(line + "\n")
    assert {part_of(one) for one in imports("marking.planted", planted, KNOWN)} == {"views"}


def test_the_check_sees_an_import_of_a_neighbour(tmp_path):
    planted = tmp_path / "__init__.py"
    planted.write_text("from . import words\nfrom .cell import outputs\nfrom .. import __version__\nimport numpy\n")
    assert set(imports("views", planted, KNOWN)) == {"views.words", "views.cell"}
