"""The course's modules come with bytecode, which is used for exactly their source and changes nothing."""

import importlib.util
import marshal
import sys

import pytest

from autograder.course import CHECKED_HASH, sheet_bytecode, sheet_files
from autograder.exercise import SHEETS
from autograder.sandbox import Cell, Job, Sandbox


@pytest.mark.parametrize("sheet", SHEETS)
def test_every_module_of_a_sheet_has_its_bytecode(sheet, root):
    modules = [name for name in sheet_files(root, sheet) if name.endswith(".py")]
    tag = sys.implementation.cache_tag
    assert set(sheet_bytecode(root, sheet)) == {f"__pycache__/{name[:-3]}.{tag}.pyc" for name in modules}


def bytecode(source: bytes, code: str) -> dict[str, bytes]:
    head = importlib.util.MAGIC_NUMBER + CHECKED_HASH.to_bytes(4, "little") + importlib.util.source_hash(source)
    data = head + marshal.dumps(compile(code, "m.py", "exec"))
    return {f"__pycache__/m.{sys.implementation.cache_tag}.pyc": data}


@pytest.mark.parametrize("level", ["full", "reduced"])
def test_bytecode_is_used_for_its_own_source_only(level):
    cells = (Cell("a", "import m; print(m.x)"),)
    with Sandbox(level=level) as sandbox:
        right = Job(cells=cells, files={"m.py": b"x = 1"}, compiled=bytecode(b"x = 1", "x = 2"))
        other = Job(cells=cells, files={"m.py": b"x = 3"}, compiled=bytecode(b"x = 1", "x = 2"))
        said = [sandbox.run(job).cells[0].outputs[0]["text"] for job in (right, other)]
    assert said == ["2\n", "3\n"]
