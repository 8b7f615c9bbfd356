"""Takes your work over into a corrected notebook. In the folder of the sheet, type: python correction_1/carry_over.py

It needs Python and nothing else. Files in this folder that end in .new are the corrected ones. Your answers and every
cell that you have added go into the corrected notebook; what you had is kept in before/, beside this file.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

NEW, BEFORE = ".new", "before"
Cell = dict[str, Any]
Notebook = dict[str, Any]


def carry(mine: Notebook, corrected: Notebook) -> tuple[Notebook, list[str]]:
    """The corrected notebook with the answers and the own cells of ``mine``, and what else there is to say."""
    result, notes = copy.deepcopy(corrected), []
    cells = {_name(cell): cell for cell in result["cells"]}
    own: dict[str, list[Cell]] = {"": [], **{name: [] for name in cells}}
    seen: set[str] = set()
    answered: set[str] = set()
    last = ""
    for cell in map(copy.deepcopy, mine["cells"]):
        name = _name_in(cell, cells)
        as_given = _as_released(cell) or not _source(cell).strip()
        if not name:
            own[last] += [] if as_given else [cell]
            continue
        last, there = name, cells[name]
        seen.add(name)
        if as_given or _source(cell) == _source(there):
            continue
        if _is_answer(there) and name not in answered:
            answered.add(name)
            _take(cell, there)
        elif _is_answer(there) or cell.get("cell_type") != "code":
            own[name].append(cell)  # another copy of the answer, or what was written into our text
        else:
            notes.append(f"the cell {name}, which is not yours, was changed; it is as we gave it again")
    _place_answers(result["cells"], own, seen)
    result["cells"] = list(_joined(result["cells"], own))
    for about in ("kernelspec", "language_info"):
        if about in mine.get("metadata", {}):
            result["metadata"][about] = mine["metadata"][about]
    return result, notes


def _name(cell: Cell) -> str:
    """What a cell is called: its grade id, or else the id of the cell."""
    about = cell.get("metadata", {}).get("nbgrader", {})
    return str(about.get("grade_id") or cell.get("id") or "")


def _name_in(cell: Cell, cells: Mapping[str, Cell]) -> str:
    """Which of our cells this one is; empty when it is none of them."""
    return next((name for name in (_name(cell), str(cell.get("id", ""))) if name in cells), "")


def _source(cell: Cell) -> str:
    found = cell.get("source", "")
    return found if isinstance(found, str) else "".join(found)


def _is_answer(cell: Cell) -> bool:
    about = cell.get("metadata", {}).get("nbgrader")
    return not about or bool(about.get("solution"))


def _as_released(cell: Cell) -> bool:
    """Whether a cell is as it was given out: nbgrader notes a checksum of that."""
    about = cell.get("metadata", {}).get("nbgrader", {})
    if "checksum" not in about:
        return False
    grade, solution = bool(about.get("grade")), bool(about.get("solution"))
    locked = not solution and (grade or bool(about.get("locked")))
    parts = [_source(cell), str(cell["cell_type"]), str(grade), str(solution), str(locked), str(about["grade_id"])]
    if grade:
        parts.append(str(float(about["points"])))
    return bool(about["checksum"] == hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest())


def _take(cell: Cell, there: Cell) -> None:
    """Write an answer into its cell in the corrected notebook, with what it printed."""
    there["source"] = cell.get("source", "")
    if there["cell_type"] == cell.get("cell_type") == "code":
        there["outputs"], there["execution_count"] = cell.get("outputs", []), cell.get("execution_count")


def _place_answers(cells: list[Cell], own: dict[str, list[Cell]], seen: set[str]) -> None:
    """Put the text that follows a question into that question's empty cell, where the names of cells were lost."""
    before = ""
    for cell in cells:
        name = _name(cell)
        first = next(iter(own[before]), None)
        lost = name not in seen and "nbgrader" not in cell.get("metadata", {})
        if lost and first is not None and first.get("cell_type") == cell["cell_type"]:
            _take(own[before].pop(0), cell)
        before = name


def _joined(cells: list[Cell], own: Mapping[str, list[Cell]]) -> Iterator[Cell]:
    """Our cells in our order, with the student's own ones behind those that they stood behind."""
    used = {str(cell.get("id")) for cell in cells}
    for name, cell in [("", None), *((_name(cell), cell) for cell in cells)]:
        if cell is not None:
            yield cell
        for one in own[name]:
            about = one.setdefault("metadata", {})
            for ours in ("nbgrader", "deletable", "editable"):
                about.pop(ours, None)
            number = 1
            while not one.get("id") or str(one["id"]) in used:
                one["id"], number = f"own-{number}", number + 1
            used.add(str(one["id"]))
            yield one


def main(folder: Path) -> int:
    """Take the work in the folder around ``folder`` over. Returns 0, 1 when something could not be."""
    sheet, failed, changed = folder.parent, False, False
    said = folder / "correction.txt"
    if said.is_file():
        print(said.read_text(encoding="utf-8").strip(), end="\n\n")
    for new in sorted(folder.rglob(f"*{NEW}")):
        name = new.relative_to(folder).as_posix()[: -len(NEW)]
        try:
            done, text = _renew(sheet / name, new, folder / BEFORE)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
            failed = True
            print(
                f"{name}: nothing was done ({type(problem).__name__}: {problem}). Ask for help; your file is as it was."
            )
            continue
        changed = changed or done
        print(f"{name}: {text}.")
    if changed:
        print(
            f"\nWhat you had is kept in {folder.name}/{BEFORE}. If a notebook is open, close it without saving and"
            "\nopen it again. Then: Run, Restart Kernel and Run All Cells."
        )
    return int(failed)


def _renew(old: Path, new: Path, before: Path) -> tuple[bool, str]:
    """Make one file of the student's the corrected one. Returns whether it changed, and what was done."""
    if old.suffix == ".ipynb":
        old = _found(old, new)
    data = new.read_bytes()
    if not old.exists():
        old.parent.mkdir(parents=True, exist_ok=True)
        _write(old, data)
        return False, "it was not there, and is now"
    told = "the corrected file"
    if old.suffix == ".ipynb":
        mine = json.loads(old.read_text(encoding="utf-8-sig"))
        result, notes = carry(mine, json.loads(data.decode("utf-8")))
        told = "; ".join([f"{old.name} is corrected, with your work in it", *notes])
        if _same(mine, result):
            return False, "has the correction already"
        data = (json.dumps(result, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")
    elif old.read_bytes() == data:
        return False, "has the correction already"
    before.mkdir(exist_ok=True)
    kept, number = before / f"{old.name}.{BEFORE}", 1
    while kept.exists():
        kept, number = before / f"{old.name}.{BEFORE}{number}", number + 1
    kept.write_bytes(old.read_bytes())
    _write(old, data)
    return True, told


def _found(old: Path, new: Path) -> Path:
    """The student's notebook: under its own name, or the only one that holds its questions."""
    if old.exists():
        return old
    wanted = _questions(new)
    there = [path for path in sorted(old.parent.glob("*.ipynb")) if 2 * len(_questions(path) & wanted) > len(wanted)]
    if len(there) > 1:
        raise ValueError(
            f"{' and '.join(path.name for path in there)} both hold it: call the one that counts {old.name}"
        )
    return there[0] if there else old


def _questions(path: Path) -> set[str]:
    try:
        cells = json.loads(path.read_text(encoding="utf-8-sig"))["cells"]
        return {_name(cell) for cell in cells if "nbgrader" in cell.get("metadata", {})}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()


def _same(one: Notebook, other: Notebook) -> bool:
    def told(notebook: Notebook) -> list[tuple[Any, ...]]:
        about = "cell_type", "source", "nbgrader"
        cells = [{**cell, **cell.get("metadata", {}), "source": _source(cell)} for cell in notebook["cells"]]
        return [tuple(cell.get(name) for name in about) for cell in cells]

    return told(one) == told(other)


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    os.replace(part, path)


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parent))
