"""The files of a new exercise or course, and the exercise's place in the order of its course."""

from __future__ import annotations

import ast
import json
import keyword
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files as resources
from importlib.util import find_spec
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from autograder.course import CONFIG, DEFINITION, CourseError, Definition, definition
from autograder.exercise import SHEETS

NAMES_FILE = "autograder/exercises/__init__.py"
POINTS = 5
"""What the skeleton is worth, the written part included."""

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST_NAME, _LONGEST_TITLE = 40, 60


def add_exercise(root: Path, name: str, sheet: str, title: str = "") -> list[Path]:
    """Write the skeleton of an exercise and enter its name in the course; returns the files, relative to ``root``.

    The skeleton asks for the output of one sigmoid neuron and for its gradients. It is complete: it builds, its
    reference gets full marks and its wrong variants lose what they must. ``title`` is made from the name when empty.

    Raises CourseError, and writes nothing, when name, sheet or title cannot be used or a file is there already.
    """
    own = definition(root)
    known = dict.fromkeys(own.exercises, 0) if own else _known(root)
    _check_name(root, name, known)
    if own and not _NAME.fullmatch(sheet):
        raise CourseError(f"{sheet!r} cannot be a sheet: take small letters and digits, words joined by _.")
    if not own and sheet not in SHEETS:
        raise CourseError(
            f"there is no sheet {sheet!r}; the sheets are {', '.join(SHEETS)}. "
            "For a new one, add its folder and title to SHEETS in autograder/exercise.py first."
        )
    title = title or name.replace("_", " ").capitalize()
    if not title.isprintable() or len(title) > _LONGEST_TITLE or re.search(r'["\\`$]', title):
        raise CourseError(
            f'a title is one line of at most {_LONGEST_TITLE} characters without ", \\, ` and $, not {title!r}.'
        )
    texts = _render_own(own, name, sheet, title) if own else _render(name, sheet, title)
    for path in texts:
        if (root / path).exists():
            raise CourseError(f"{path} is there already: choose another name, or delete the file.")
    if own:
        texts[DEFINITION] = _defined(own, name, sheet)
    else:
        texts[NAMES_FILE] = _with_name(root, name, sheet, known)
    return _write(root, texts)


def make_course(folder: Path, package: str) -> list[Path]:
    """Write a course of one's own, without an exercise yet, into an empty folder; returns the files, relative to it.

    What is hidden, a virtual environment and a README may be there. Raises CourseError, and writes nothing, when there
    is more or when the package cannot be called that.
    """
    folder = folder.resolve()
    if not _NAME.fullmatch(package) or keyword.iskeyword(package) or len(package) > _LONGEST_NAME:
        raise CourseError(f"{package!r} cannot be a course: take small letters and digits, words joined by _.")
    if find_spec(package) is not None:
        raise CourseError(f"{package} is the name of a package that is installed here: choose another name.")
    if not folder.is_dir():
        raise CourseError(f"{folder} is no folder.")
    there = sorted(path.name for path in folder.iterdir() if not _may_stay(path))
    if there:
        raise CourseError(f"{folder} is not empty ({', '.join(there[:3])}): a course begins in a folder of its own.")
    (folder / "source").mkdir()
    files = {
        CONFIG: "course_config.py.j2",
        f"{package}/__init__.py": "course_package.py.j2",
        "reference/toolkit/selfcheck.py": "selfcheck.txt",
        ".gitignore": "course_gitignore.j2",
    }
    texts = _rendered(files, {"package": package}) | {DEFINITION: _toml(package, (), {})}
    return _write(folder, {path: text for path, text in texts.items() if not (folder / path).exists()})


def _may_stay(path: Path) -> bool:
    return path.name.startswith(".") or path.name.lower().startswith("readme") or (path / "pyvenv.cfg").is_file()


def _write(root: Path, texts: Mapping[str, str]) -> list[Path]:
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8", newline="\n")
    return [Path(path) for path in texts]


def _defined(own: Definition, name: str, sheet: str) -> str:
    """course.toml with the new exercise, and with its sheet when that is new."""
    of = {path.stem: path.parent.name for path in (own.root / "reference").glob("*/*.py")}
    sheets = {**own.sheets} if sheet in own.sheets else {**own.sheets, sheet: sheet.replace("_", " ").capitalize()}
    order = list(sheets)
    before = [one for one in own.exercises if order.index(of.get(one, order[-1])) <= order.index(sheet)]
    after = [one for one in own.exercises if one not in before]
    return _toml(own.package, (*before, name, *after), sheets)


def _toml(package: str, exercises: Iterable[str], sheets: Mapping[str, str]) -> str:
    lines = [
        "# What the course consists of; `autograder new` renews it. Each exercise is a module of the package.",
        f"package = {json.dumps(package)}",
        "exercises = [",
        *(f"    {json.dumps(name)}," for name in exercises),
        "]",
        "",
        "[sheets]",
        *(f"{sheet} = {json.dumps(title, ensure_ascii=False)}" for sheet, title in sheets.items()),
    ]
    return "\n".join(lines) + "\n"


def _render_own(own: Definition, name: str, sheet: str, title: str) -> dict[str, str]:
    """The text of every file of an exercise in a course of one's own, by path."""
    files = {
        f"reference/{sheet}/{name}.py": "layer_reference.py.j2",
        f"reference/{sheet}/{name}_variants.py": "layer_variants.py.j2",
        f"{own.package}/{name}.py": "layer_exercise.py.j2",
        f"tests/test_{name}.py": "layer_test.py.j2",
    }
    return _rendered(files, {"name": name, "sheet": sheet, "title": title, "package": own.package})


def _render(name: str, sheet: str, title: str) -> dict[str, str]:
    """The text of every file of the exercise, by path."""
    files = {
        f"reference/{sheet}/{name}.py": "reference.py.j2",
        f"reference/{sheet}/{name}_variants.py": "variants.py.j2",
        f"autograder/exercises/{name}.py": "exercise.py.j2",
        f"tests/exercises/test_{name}.py": "test.py.j2",
    }
    words = {"name": name, "sheet": sheet, "title": title, "number": list(SHEETS).index(sheet) + 1}
    return _rendered(files, words)


def _rendered(files: Mapping[str, str], words: Mapping[str, object]) -> dict[str, str]:
    templates = Environment(
        loader=PackageLoader("autograder.new"), undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    return {
        path: templates.get_template(template).render(words) if template.endswith(".j2") else _text(template)
        for path, template in files.items()
    }


def _text(name: str) -> str:
    return (resources("autograder.new") / "templates" / name).read_text(encoding="utf-8")


def _known(root: Path) -> Mapping[str, int]:
    """The names in OURS, of this course, in order, each with its line counted from 1."""
    try:
        tree = ast.parse((root / NAMES_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CourseError(
            f"{root} has no {NAMES_FILE}: exercises are added in a checkout of the course. Give it with --root."
        ) from None
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["OURS"]:
            entries = [entry for entry in ast.walk(node.value) if isinstance(entry, ast.Constant)]
            return {str(entry.value): entry.lineno for entry in entries}
    raise CourseError(f"{NAMES_FILE} has no tuple OURS.")


def _check_name(root: Path, name: str, known: Mapping[str, int]) -> None:
    """Raises CourseError when an exercise cannot be called that."""
    if name in known:
        raise CourseError(f"the course has an exercise {name} already: choose another name.")
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or len(name) > _LONGEST_NAME:
        raise CourseError(
            f"{name!r} cannot be a name: take up to {_LONGEST_NAME} small letters and digits, words joined by _, "
            "as in tanh_swap."
        )
    if name.endswith("_variants"):
        raise CourseError(f"{name}: files that end like this hold variants of an exercise. Choose another name.")
    taken = {path.stem for path in (root / "reference" / "toolkit").glob("*.py")}
    taken |= {path.stem for path in (root / "reference").glob("*/*.py")}
    taken |= {path.stem for path in (root / "autograder" / "exercises").glob("*.py")}
    own = definition(root)
    taken |= {own.package, *(path.stem for path in own.folder.glob("*.py"))} if own else set()
    if name in taken:
        raise CourseError(f"{name} is the name of another file of the course: choose another name.")


def _with_name(root: Path, name: str, sheet: str, known: Mapping[str, int]) -> str:
    """The text of the module with OURS, the new name behind the last one of its sheet or of the sheets before."""
    lines = (root / NAMES_FILE).read_text(encoding="utf-8").splitlines(keepends=True)
    up_to = list(SHEETS)[: list(SHEETS).index(sheet) + 1]
    mine = [one for one in known if (root / "reference" / sheet / f"{one}.py").is_file()]
    before = [one for one in known if any((root / "reference" / at / f"{one}.py").is_file() for at in up_to)]
    if not before:
        raise CourseError(f"no exercise in OURS has a script in reference/: enter {name!r} in {NAMES_FILE} yourself.")
    new = [f'    "{name}",\n'] if mine else [f"    # {sheet}\n", f'    "{name}",\n']
    at = max(known[one] for one in before)
    return "".join([*lines[:at], *new, *lines[at:]])
