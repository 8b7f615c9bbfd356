"""What the isolated side may see: interpreter, libraries and the inside code, read-only; nothing of the course."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

INSIDE = Path(__file__).with_name("inside")
PACKAGE = Path(__file__).parents[1]  # the whole `autograder` package: what must not be seen

HOUSE = "/sandbox"  # where the inside code lies, inside
MODULES = f"{HOUSE}/modules"
SCRATCH = "/scratch"  # each submission's own; not /tmp, since an interpreter or its libraries may lie there
FOLDER = f"{SCRATCH}/notebook"  # where the notebook runs

#: Packages whose folders are needed. Not all of sys.path: it may name the course, or whatever a test runner put there.
NEEDED = (
    "numpy", "msgpack", "IPython", "matplotlib", "matplotlib_inline", "traitlets", "sklearn", "scipy", "ipywidgets",
    "tqdm", "pandas", "dateutil", "PIL",
)  # fmt: skip
SYSTEM = ("/usr/lib", "/usr/lib64", "/usr/lib32", "/usr/share/zoneinfo")
SYSTEM_LINKS = ("/lib", "/lib64", "/lib32", "/bin")
SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives")

ENVIRONMENT = {
    "HOME": f"{SCRATCH}/home",
    "LANG": "C.UTF-8",
    "PATH": "/usr/bin",
    "TMPDIR": SCRATCH,
    "USER": "student",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "MPLCONFIGDIR": f"{SCRATCH}/matplotlib",
    "IPYTHONDIR": f"{SCRATCH}/ipython",
    # One arena for the main thread and one for the others: each reserves 64 MB of the address space that is limited.
    "MALLOC_ARENA_MAX": "2",
    **{f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM")},
    "JOBLIB_MULTIPROCESSING": "0",
    "SCIKIT_LEARN_DATA": f"{SCRATCH}/scikit_learn_data",
}


def interpreter() -> Path:
    """The real interpreter behind this process, not a virtual environment's link to it."""
    return Path(os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable))


def standard_library() -> list[Path]:
    """The folders of the standard library."""
    folders = [Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("platstdlib"))]
    folders += [Path(entry) for entry in sys.path if entry.endswith("lib-dynload")]
    return _distinct(folder for folder in folders if folder.is_dir())


def package_folders() -> list[Path]:
    """The folders that hold the packages which notebooks use."""
    folders = []
    for name in NEEDED:
        spec = importlib.util.find_spec(name)
        if spec and spec.origin:
            folders.append(Path(spec.origin).parents[1])
    return _distinct(folders)


def import_path() -> list[str]:
    """`sys.path` of the isolated side, without the inside code itself."""
    return [str(folder) for folder in (*standard_library(), *package_folders())]


def visible() -> list[Path]:
    """Every file and folder that the isolated side may read, at its own path."""
    base = Path(sys.base_prefix)
    paths = [Path(path) for path in (*SYSTEM, *SYSTEM_FILES) if os.path.exists(path)]
    if base != Path("/usr"):
        paths += [folder for folder in (base / "lib", base / "lib64") if folder.is_dir()]
    paths += [interpreter(), *standard_library(), *package_folders()]
    return [path for path in _distinct(paths) if not any(other in path.parents for other in paths)]


def masked(hide: Iterable[Path]) -> list[Path]:
    """Where folders to hide (this package first) appear inside something visible, and so must be covered."""
    places = []
    for folder in (PACKAGE, *hide):
        folder = Path(os.path.realpath(folder))
        for path in visible():
            real = Path(os.path.realpath(path))
            if real in folder.parents and folder.is_dir():
                places.append(path / folder.relative_to(real))
    return _distinct(places)


def masked_files() -> list[Path]:
    """Files among the libraries that name folders of this machine: how packages were installed, which nothing needs."""
    found = []
    for folder in package_folders():
        for pattern in ("*.pth", "__editable__*", "*.egg-link", "*.dist-info/direct_url.json"):
            found += [path for path in sorted(folder.glob(pattern)) if path.is_file()]
    return _distinct(found)


def readable(modules: Path | None, hide: Iterable[Path]) -> tuple[list[str], list[str]]:
    """What Landlock lets the isolated side read, and which folders it may list besides.

    Landlock cannot except a folder inside an allowed one: such a folder is replaced by all in it but the exception.
    """
    masks = {*masked(hide), *masked_files()}
    wanted = [*visible(), INSIDE, *([modules] if modules else []), Path("/dev/null"), Path("/dev/urandom")]
    wanted += [Path(link) for link in SYSTEM_LINKS if os.path.isdir(link) and not os.path.islink(link)]
    read, listed = [], []
    while wanted:
        path = wanted.pop()
        if any(path in mask.parents for mask in masks):
            listed.append(str(path))
            wanted += [entry for entry in path.iterdir() if entry not in masks]
        elif path.exists():
            read.append(str(path))
    return read, listed


def open_to_all(paths: Iterable[str]) -> bool:
    """Whether every folder on the way to these paths may be entered by any user."""
    folders = {folder for path in paths for folder in Path(os.path.realpath(path)).parents}
    return all(folder.stat().st_mode & 0o005 == 0o005 for folder in folders)


def python_command(python: Path, house: str, descriptor: int) -> list[str]:
    """The command that starts the zygote, which reads its settings from standard input."""
    # Without `site`: no .pth files, no user site, nothing but the path that is given.
    code = (
        f"import sys; sys.path[:] = {[house, *import_path()]!r}\n"
        "import msgpack\n"
        "settings = msgpack.unpackb(sys.stdin.buffer.read())\n"
        f"from inside.zygote import main\nmain({descriptor}, settings)"
    )
    return [str(python), "-S", "-s", "-P", "-B", "-X", "utf8", "-c", code]


def bubblewrap_command(
    *, inside: Path, modules: Path | None, hide: Iterable[Path], descriptor: int, root: bool
) -> list[str]:
    """The command that starts the zygote in its view. Raises FileNotFoundError without bubblewrap."""
    program = shutil.which("bwrap")
    if program is None:
        raise FileNotFoundError("bwrap")
    command = [program, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    if root:
        # Root gives its rights up inside, where the interpreter may lie in a folder that only root may enter outside.
        command += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        command += ["--unshare-user"]
    command += ["--new-session", "--hostname", "sandbox", "--clearenv"]
    for name, value in ENVIRONMENT.items():
        command += ["--setenv", name, value]

    made = {"/"}

    def parents(path: Path) -> None:
        for folder in reversed(path.parents):
            if str(folder) not in made:
                made.add(str(folder))
                # bubblewrap's own implicit parents are closed to others, and then another libpython may be found.
                command.extend(["--perms", "0755", "--dir", str(folder)])

    def bind(source: Path, place: Path) -> None:
        parents(place)
        made.add(str(place))
        command.extend(["--ro-bind", str(source), str(place)])

    for path in visible():
        bind(path, path)
    for link in SYSTEM_LINKS:
        if os.path.islink(link):
            command += ["--symlink", os.readlink(link), link]
        elif link != "/bin" and os.path.isdir(link):
            bind(Path(link), Path(link))
    bind(inside, Path(HOUSE) / "inside")
    if modules is not None:
        bind(modules, Path(MODULES))
    for folder in masked(hide):
        command += ["--perms", "0555", "--tmpfs", str(folder), "--remount-ro", str(folder)]
    for file in masked_files():
        command += ["--ro-bind", "/dev/null", str(file)]
    command += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", SCRATCH]
    if "/tmp" not in made:
        command += ["--symlink", SCRATCH, "/tmp"]  # for code that names /tmp itself
    command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/"]
    return [*command, "--", *python_command(interpreter(), HOUSE, descriptor)]


def _distinct(paths: Iterable[Path]) -> list[Path]:
    return list(dict.fromkeys(paths))
