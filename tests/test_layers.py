"""Data flows one way: who may import whom."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "autograder"

MAY_IMPORT = {
    "mistakes": set(),
    "truth": set(),
    "diagnosis": {"mistakes"},
    "sandbox": set(),
    "exercise": {"mistakes"},
    "exercises": {"mistakes", "exercise", "truth", "diagnosis", "marking"},
    "marking": {"mistakes", "exercise", "exercises", "diagnosis", "truth"},
    "views": {"mistakes", "marking", "diagnosis", "exercise", "exercises"},
    "build": {"exercise", "exercises"},
}
"""Every inner part of the package with the parts it may import beside itself."""


def imports(path):
    """The parts of this package that a module imports, relative imports of its own part left out."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
            if node.module == "autograder":
                names = [f"autograder.{alias.name}" for alias in node.names]
        yield from (name.split(".")[1] for name in names if name.startswith("autograder."))


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_a_part_imports_only_what_lies_below_it(part):
    files = [PACKAGE / f"{part}.py"] if (PACKAGE / f"{part}.py").exists() else sorted((PACKAGE / part).rglob("*.py"))
    assert files
    for path in files:
        beyond = set(imports(path)) - MAY_IMPORT[part] - {part}
        assert not beyond, f"{path.relative_to(PACKAGE)} imports {beyond}"


def test_the_check_sees_an_import(tmp_path):
    path = tmp_path / "module.py"
    path.write_text("from autograder.truth import Network\nfrom autograder import marking\nimport autograder.views.x\n")
    assert set(imports(path)) == {"truth", "marking", "views"}
