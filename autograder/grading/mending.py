"""The fields around the cells of a notebook, made what the format asks for; none of it is an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from nbformat import NotebookNode


def leave_out_outputs(content: dict[str, Any]) -> int:
    """Take the saved outputs and widgets out of a notebook of any version, and count its cells.

    They do not matter, and nbformat takes minutes to say what is wrong with some thousands of them. Raises whatever a
    damaged notebook makes it raise.
    """
    _mapping(content.get("metadata")).pop("widgets", None)
    sheets = [content, *content.get("worksheets", [])]
    cells = [cell for sheet in sheets for cell in sheet.get("cells", [])]
    for cell in cells:
        if cell.get("outputs"):
            cell["outputs"] = []
    return len(cells)


def mend(content: dict[str, Any]) -> None:
    """Make the fields around the cells of a notebook in the current format what that format asks for, in place.

    Editors write ids that are too long, numbers, missing or there twice, counts as text, empty fields as null, and
    kinds of cells of earlier formats. None of it is an answer. A source that is no text is left, to be refused.
    """
    if content["nbformat"] != 4:
        return
    if type(content.get("nbformat_minor")) is not int or content["nbformat_minor"] < 0:
        content["nbformat_minor"] = 5
    about = content["metadata"] = _mapping(content.get("metadata"))
    for name, needed in (("kernelspec", ("name", "display_name")), ("language_info", ("name",))):
        found = about.get(name)
        if name in about and not (isinstance(found, dict) and all(isinstance(found.get(n), str) for n in needed)):
            del about[name]
    for name in [name for name, kind in _ABOUT.items() if name in about and not isinstance(about[name], kind)]:
        del about[name]
    seen: set[str] = {cell["id"] for cell in content["cells"] if _is_cell_id(cell.get("id"))}
    used: set[str] = set()
    for number, cell in enumerate(content["cells"]):
        _mend_cell(cell)
        if not _is_cell_id(cell.get("id")) or cell["id"] in used:
            cell["id"] = next(name for name in _names(f"cell-{number}") if name not in seen and name not in used)
        used.add(cell["id"])
        if content["nbformat_minor"] < 5:
            del cell["id"]


_ABOUT: Mapping[str, type] = {"authors": list, "title": str, "orig_nbformat": int}
_OF_A_CELL: Mapping[str, tuple[type, ...]] = {
    "collapsed": (bool,),
    "format": (str,),
    "jupyter": (dict,),
    "name": (str,),
    "scrolled": (bool,),
}


def _mend_cell(cell: dict[str, Any]) -> None:
    if "source" not in cell and "input" in cell:
        cell["source"] = cell.pop("input")
    kind, source = cell.get("cell_type"), cell.get("source")
    if "source" in cell and source is None:
        cell["source"] = source = ""
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if kind == "heading" and isinstance(source, str):
        level = cell.pop("level", 1)
        cell["cell_type"], cell["source"] = "markdown", f"{'#' * (level if level in range(1, 7) else 1)} {source}"
    elif kind not in ("code", "markdown", "raw"):
        cell["cell_type"] = "raw"
    about = cell["metadata"] = _mapping(cell.get("metadata"))
    for name in [name for name, kinds in _OF_A_CELL.items() if name in about and not isinstance(about[name], kinds)]:
        del about[name]
    if "tags" in about:
        tags = about["tags"] if isinstance(about["tags"], list) else []
        about["tags"] = list(dict.fromkeys(tag for tag in tags if isinstance(tag, str) and "," not in tag))
    if cell["cell_type"] == "code":
        ran = cell.get("execution_count", cell.pop("prompt_number", None))
        cell["execution_count"], cell["outputs"] = ran if type(ran) is int and ran >= 0 else None, []
        cell.pop("attachments", None)
    elif not isinstance(cell.get("attachments", {}), dict):
        del cell["attachments"]
    fields = ("id", "cell_type", "metadata", "source", "execution_count", "outputs", "attachments")
    for name in [name for name in cell if name not in fields]:
        del cell[name]


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_cell_id(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", value) is not None


def _names(name: str) -> Iterator[str]:
    """The name, and then it with a number behind."""
    yield name
    yield from (f"{name}-{number}" for number in count(2))


def complete(notebook: NotebookNode) -> NotebookNode:
    """The notebook with every field that the format asks for, in place; some programs leave empty ones out."""
    for holder in (notebook, *notebook.cells):
        if not isinstance(holder.get("metadata"), Mapping):
            holder["metadata"] = NotebookNode()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.setdefault("execution_count", None)
            if not isinstance(cell.get("outputs"), list):
                cell["outputs"] = []
        else:
            cell.pop("outputs", None)
            cell.pop("execution_count", None)
    return notebook
