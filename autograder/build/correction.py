"""A released sheet that was mended: what has changed, and the folder that brings it to students who have begun."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

from autograder.build import carry_over
from autograder.course import CourseError

FOLDER = "corrections"
"""Folder of a course with all corrections, as students got them."""

SAID = "correction.txt"


def files_of(folder: Path) -> dict[str, bytes]:
    """The files of a sheet by their names, without what students or editors leave beside them."""
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if _is_of_sheet(name)}


def _is_of_sheet(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return not any(part.startswith((".", "correction_")) or part == "__pycache__" for part in parts)


def earlier_files(given: Path, sheet: str) -> dict[str, bytes]:
    """The files of a sheet as they were released: in a kit, its archive, or a folder of its own. Raises CourseError."""
    if given.is_dir():
        found = files_of(given / sheet if (given / sheet).is_dir() else given)
    else:
        try:
            with zipfile.ZipFile(BytesIO(given.read_bytes())) as archive:
                every = {PurePosixPath(name).parts: name for name in archive.namelist() if not name.endswith("/")}
                found = {
                    "/".join(parts[parts.index(sheet) + 1 :]): archive.read(name)
                    for parts, name in every.items()
                    if sheet in parts[:-1]
                }
        except (OSError, zipfile.BadZipFile) as problem:
            raise CourseError(f"{given} cannot be read ({problem}): give a kit as it was handed out.") from None
    if not any(name.endswith(".ipynb") for name in found):
        raise CourseError(
            f"{given} holds no notebook of {sheet}: give a kit, or the sheet's folder, as it was handed out."
        )
    return {name: data for name, data in found.items() if _is_of_sheet(name)}


def changes(earlier: Mapping[str, bytes], now: Mapping[str, bytes]) -> dict[str, list[str]]:
    """The files that are new or other than before; for a notebook with the names of its cells that are."""
    found: dict[str, list[str]] = {}
    for name, data in now.items():
        if not name.endswith(".ipynb"):
            if earlier.get(name) != data:
                found[name] = []
            continue
        before, after = (_cells(one) for one in (earlier.get(name, b""), data))
        cells = [cell for cell in {**after, **before} if before.get(cell) != after.get(cell)]
        if cells or list(before) != list(after):
            found[name] = cells
    return found


def _cells(data: bytes) -> dict[str, Any]:
    """What a notebook says, by the names of its cells in their order."""
    cells = json.loads(data)["cells"] if data else []
    told = {}
    for cell in cells:
        about = cell["metadata"].get("nbgrader", {})
        told[str(about.get("grade_id") or cell["id"])] = cell["cell_type"], "".join(cell["source"]), about
    return told


def last_correction(root: Path, sheet: str) -> int:
    """The number of the last correction of a sheet; 0 when there is none."""
    names = [path.name.removeprefix("correction_") for path in (root / FOLDER / sheet).glob("correction_*")]
    return max((int(name) for name in names if name.isdigit()), default=0)


def corrected_files(root: Path, sheet: str, number: int) -> dict[str, bytes]:
    """What a correction brings."""
    end = len(carry_over.NEW)
    return {
        name[:-end]: data for name, data in _in(_folder(root, sheet, number)).items() if name.endswith(carry_over.NEW)
    }


def _folder(root: Path, sheet: str, number: int) -> Path:
    return root / FOLDER / sheet / f"correction_{number}"


def _in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def write(root: Path, sheet: str, files: Mapping[str, bytes], say: str) -> Path:
    """Write the next correction, as a folder and as an archive beside it; returns the folder.

    Its names are such that nothing in it is taken for a notebook that was handed in.
    """
    folder = _folder(root, sheet, last_correction(root, sheet) + 1)
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    for name, data in files.items():
        path = part / f"{name}{carry_over.NEW}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    shutil.copyfile(carry_over.__file__, part / "carry_over.py")
    if say:
        (part / SAID).write_text(f"{say}\n", encoding="utf-8")
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in _in(part).items():
            archive.writestr(f"{sheet}/{folder.name}/{name}", data)
    part.rename(folder)
    return folder
