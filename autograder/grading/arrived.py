"""What arrived under another name than ours, or packed: recognised where that is certain, unpacked within limits."""

from __future__ import annotations

import io
import re
import stat
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from nbformat import NotebookNode

from autograder.exercises import NAMES, load
from autograder.grading.notebook import MAX_BYTES, BadNotebook, grade_id, is_question, parse_notebook, read_bytes

ENDINGS = (".ipynb.txt", ".ipynb.json", ".ipynb", ".json", ".txt")
"""Endings that browsers give a notebook. A name without an ending, or with only the last two, needs the content too."""

ARCHIVES = (".zip",)
OTHER_ARCHIVES = (".7z", ".rar", ".tar", ".tgz", ".gz", ".bz2", ".xz")
PAGES = (".html", ".htm", ".pdf", ".py", ".docx", ".doc", ".md", ".odt", ".rtf", ".png", ".jpg", ".webloc", ".url")

MAX_MEMBERS = 2_000
"""Most things in an archive."""

MAX_UNPACKED = 200 * 2**20
"""Most bytes of an archive when it is unpacked."""

MAX_LEVELS = 20
"""Most folders inside each other in an archive."""

MAX_INSIDE = 1
"""Archives inside archives that are opened: platforms pack what students have packed."""

_COPIES = re.compile(
    r"^(copy[ _]of|kopie[ _]von|copia[ _]de|copie[ _]de|late)[ _-]+"
    r"|[ _-]*\(\d{1,3}\)$|-\d{1,2}$|[ _-]+(copy|kopie|copia)\d*$"
)


class BadArchive(Exception):
    """An archive is not opened. The message says why, in one sentence, and what to do."""


@dataclass(frozen=True)
class Packed:
    """A file in an archive: its name as it stands there, and its content."""

    name: str
    data: bytes


def base_of(name: str) -> str:
    """The name without the endings that a notebook gets on its way.

    >>> base_of("tanh_swap.ipynb.txt"), base_of("tanh_swap")
    ('tanh_swap', 'tanh_swap')
    """
    return next((name[: -len(end)] for end in ENDINGS if name.lower().endswith(end)), name)


def by_name(name: str) -> str:
    """The exercise that a file is called after, also where a platform or a browser has added something; or nothing.

    >>> by_name("tanh_swap (1).ipynb"), by_name("Copy of Tanh_Swap-1.ipynb"), by_name("x.ipynb")
    ('tanh_swap', 'tanh_swap', '')
    """
    base = unicodedata.normalize("NFC", base_of(name)).strip().lower()
    while (shorter := _COPIES.sub("", base).strip()) != base:
        base = shorter
    base = re.sub(r"[ -]+", "_", base)
    return base if base in NAMES else ""


def by_labels(notebook: NotebookNode) -> str:
    """The exercise whose labelled questions a notebook has, where no other one fits as well; or nothing."""
    found = {grade_id(cell) for cell in notebook.cells if is_question(cell)} - {""}
    if not found:
        return ""
    fits = sorted(
        ((len(found & ids) / len(found | ids), name) for name, ids in _questions(tuple(NAMES)).items()), reverse=True
    )
    (best, name), (second, _) = [*fits, (0.0, "")][:2]
    return name if best >= 0.5 and best > second else ""


@cache
def _questions(names: tuple[str, ...]) -> dict[str, frozenset[str]]:
    return {name: frozenset(question.id for question in load(name).questions) for name in names}


def looks_like_a_notebook(data: bytes) -> bool:
    """Whether a file without a notebook's ending may be one: it is an object of JSON that names the format."""
    start = data[:200_000].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return start.startswith(b"{") and (b'"nbformat"' in data.replace(b"\0", b"") or b'"cells"' in start)


def recognise(name: str, data: bytes) -> tuple[str, str]:
    """Which exercise a file holds, and why it cannot be told or read; one of the two is empty, or both.

    Both are empty for what is no notebook at all.
    """
    if not name.lower().endswith((".ipynb", ".ipynb.txt", ".ipynb.json")) and not looks_like_a_notebook(data):
        return "", ""
    called = by_name(name)
    try:
        inside = by_labels(parse_notebook(data, name))
    except BadNotebook as bad:
        return called, "" if called else str(bad)
    if called and inside and called != inside:
        return "", f"{name} holds the questions of {inside}: ask which exercise it is, and give it that name."
    if called or inside:
        return inside or called, ""
    return "", (
        f"{name} is no exercise of this course: it has none of its questions. Ask what it is; if it is one, "
        f"rename it to one of {', '.join(NAMES)}, with the ending .ipynb."
    )


def unpack(
    data: bytes, name: str, inside: int = MAX_INSIDE, *, most: int | None = None, members: int | None = None
) -> list[Packed]:
    """The files of a zip within limits, in the order of their names; what computers add beside files is left out.

    ``most`` bytes and ``members`` are those of one student, and more for a class, in which a damaged archive of
    somebody stays a file. Raises BadArchive for one that is damaged, locked or too large, or with names that lead
    elsewhere.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return list(_unpacked(archive, name, inside, most or MAX_UNPACKED, members or MAX_MEMBERS))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as problem:
        locked = "password" in str(problem) or "encrypted" in str(problem)
        why = "needs a password" if locked else "is damaged or no zip"
        raise BadArchive(f"{name} {why}: ask for the notebook itself.") from None


def _unpacked(archive: zipfile.ZipFile, name: str, inside: int, most: int, members: int) -> Iterator[Packed]:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(archive.infolist()) > members:
        raise BadArchive(f"{name} holds more than {members} files: ask for the notebook itself.")
    room, seen = most, set()
    for info in sorted(infos, key=lambda info: info.filename):
        inner = unicodedata.normalize("NFC", info.filename.replace("\\", "/"))
        parts = PurePosixPath(inner).parts
        if any(part.startswith((".", "__MACOSX")) and part != ".." for part in parts):
            continue
        if ".." in parts or inner.startswith("/") or re.match(r"[A-Za-z]:", inner) or "\0" in inner:
            raise BadArchive(f"{name} holds a name that leads out of it ({inner[:80]}): ask for the notebook itself.")
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            raise BadArchive(f"{name} holds a link or a device ({inner[:80]}): ask for the notebook itself.")
        if len(parts) > MAX_LEVELS or len(inner) > 1_000:
            raise BadArchive(f"{name} holds more than {MAX_LEVELS} folders inside each other, or names without end.")
        if inner.casefold() in seen:
            raise BadArchive(f"{name} holds {inner[:80]} twice: ask which one counts.")
        seen.add(inner.casefold())
        with archive.open(info) as file:
            data = file.read(room + 1)  # what the archive says of a size is not believed
        if len(data) > room:
            raise BadArchive(f"{name} holds more than {most >> 20} MB: ask for the notebook itself.")
        room -= len(data)
        if inner.lower().endswith(ARCHIVES) and inside:
            try:
                inner_files = unpack(data, inner, inside - 1)
            except BadArchive:
                if most == MAX_UNPACKED:
                    raise
                inner_files = []  # a class's other archives are opened all the same
                yield Packed(inner, data)
            for packed in inner_files:
                room -= len(packed.data)
                if room < 0:
                    raise BadArchive(f"{name} holds more than {most >> 20} MB: ask for the notebook itself.")
                yield Packed(f"{inner}/{packed.name}", packed.data)
        else:
            yield Packed(inner, data)


def peek(path: Path) -> bytes:
    """The content of a file as far as a notebook may be long; nothing where it cannot be read."""
    try:
        return read_bytes(path)[:MAX_BYTES]
    except BadNotebook:
        return b""


def what_it_is(name: str) -> str:
    """What a file that is no notebook is, in words, and what to do."""
    lower = name.lower()
    if lower.endswith((".html", ".htm", ".pdf")):
        return f"{name} is a printed page, not a notebook: ask for the .ipynb file"
    if lower.endswith(".py"):
        return f"{name} is a script, not a notebook: ask for the .ipynb file"
    if lower.endswith(OTHER_ARCHIVES):
        return f"{name} is an archive of a kind that is not opened: unpack it, or ask for the notebook itself"
    return f"{name} is no notebook: ask for the .ipynb file"
