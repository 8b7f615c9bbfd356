"""What a notebook needs beside it, and the lines by which one that was opened alone fetches it.

The lines stand at the top of the first code cell when that is the course's own. What is there stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from nbformat import NotebookNode

from autograder.build.leaks import nbgrader_metadata
from autograder.course import CourseError, address_of_sheets

FETCH = """\
# Opened alone, as in Colab, this notebook fetches the files that belong beside it.
from pathlib import Path

for file in {files}:
    if not Path(file).exists():
        from urllib.request import urlopen

        Path(file).parent.mkdir(exist_ok=True)
        Path(file).write_bytes(urlopen("{folder}/" + file, timeout=60).read())

"""

TELL = """\
# These files belong beside this notebook.
from pathlib import Path

for file in {files}:
    if not Path(file).exists():
        raise FileNotFoundError(f"{{file}} is missing: open this notebook in its own folder, or put the file there.")

"""


def lines(files: Iterable[str], folder: str) -> str:
    """The lines for these files of a published folder; without one they only say what is missing."""
    listed = ", ".join(f'"{file}"' for file in files)
    return (FETCH if folder else TELL).format(files=f"[{listed}]", folder=folder)


def complete(notebook: NotebookNode, files: Mapping[str, Path], folder: str) -> None:
    """Put the lines into a solved notebook that has these files beside it, published in this folder or nowhere."""
    cell = next((cell for cell in notebook.cells if cell.cell_type == "code"), None)
    needed = neighbours(notebook, files)
    if cell is not None and needed and not nbgrader_metadata(cell).get("solution"):
        cell.source = lines(needed, folder) + cell.source


def neighbours(notebook: NotebookNode, files: Mapping[str, Path]) -> list[str]:
    """The files of a sheet that this notebook needs: what it imports or names, and what these modules do."""
    found: set[str] = set()
    waiting = [cell.source for cell in notebook.cells]
    while waiting:
        text = waiting.pop()
        for name in sorted(files.keys() - found):
            if _uses(text, name):
                found.add(name)
                waiting += [files[name].read_text(encoding="utf-8")] if name.endswith(".py") else []
    return sorted(found)


def _uses(text: str, name: str) -> bool:
    """Whether a text imports a module of the folder, or names a file of data."""
    if "/" in name or not name.endswith(".py"):
        return Path(name).name in text
    stem = re.escape(name.removesuffix(".py"))
    return bool(re.search(rf"^\s*(?:from\s+{stem}\b|import\b[^#\n]*\b{stem}\b)", text, re.MULTILINE))


def address(root: Path) -> str:
    """The address below which the course's sheets are published, without a slash at its end. Raises CourseError."""
    found = address_of_sheets(root)
    if found and not re.fullmatch(r"https?://[\w.:~%/-]+", found):
        raise CourseError(f"c.Sheets.published_at is {found!r}: write an address that begins with https://, or none.")
    return found.rstrip("/")
