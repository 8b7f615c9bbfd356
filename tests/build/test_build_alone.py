"""A notebook that is opened alone fetches what belongs beside it, and nothing else ever fetches."""

import functools
import http.server
import shutil
import threading

import nbformat
import pytest
from nbclient import NotebookClient

from autograder.build import alone, build
from autograder.commands.kit import make_kit
from autograder.course import CourseError
from autograder.exercises import all_exercises

CONFIG = "c = get_config()\nc.Sheets.published_at = {!r}\n"


@pytest.fixture
def served(tmp_path):
    """A folder behind a server of ours, its address, and the paths that it was asked for."""
    folder, asked = tmp_path / "served", []
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


@pytest.fixture
def empty(tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    return tmp_path / "empty"


def released(root):
    return sorted((root / "assignments").rglob("*.ipynb"))


def first(path):
    return next(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code")


@pytest.mark.heavy
def test_a_notebook_alone_in_an_empty_folder_runs_with_what_a_kit_serves(root, tmp_path, served, empty):
    """The data and two modules of ising_phases come; the solution of the sheet is nowhere, and is not asked for."""
    folder, address, asked = served
    course = tmp_path / "course"
    for part in ("foundations", "toolkit"):
        shutil.copytree(root / "reference" / part, course / "reference" / part)
    (course / "nbgrader_config.py").write_text(CONFIG.format(f"{address}/student-kit"))
    build(course, exercises=[one for one in all_exercises() if one.sheet == "foundations"])
    make_kit(course, folder / "student-kit")
    shutil.copyfile(folder / "student-kit" / "foundations" / "ising_phases.ipynb", empty / "ising_phases.ipynb")
    for _ in range(2):
        notebook = nbformat.read(empty / "ising_phases.ipynb", as_version=4)
        notebook.cells = notebook.cells[:2]
        notebook.cells.append(nbformat.v4.new_code_cell("np.load('data/ising_metropolis.npz').files; show.__module__"))
        NotebookClient(notebook, resources={"metadata": {"path": str(empty)}}).execute()
        assert notebook.cells[-1].outputs[0].data["text/plain"] == "'backprop'"
    files = ["backprop.py", "data/ising_metropolis.npz", "selfcheck.py"]
    assert asked == [f"/student-kit/foundations/{file}" for file in files]  # once: then they are there
    assert (empty / files[1]).read_bytes() == (root / "reference" / "foundations" / files[1]).read_bytes()


def test_what_is_there_stays_and_is_not_asked_for(served, empty):
    folder, address, asked = served
    (folder / "here.py").write_text("theirs")
    (folder / "gone.py").write_text("fetched")
    (empty / "here.py").write_text("mine")
    exec(alone.lines(["here.py", "gone.py"], address), {})
    assert asked == ["/gone.py"]
    assert [(empty / name).read_text() for name in ("here.py", "gone.py")] == ["mine", "fetched"]


def test_what_is_not_published_leaves_nothing_behind(served, empty):
    with pytest.raises(OSError, match="404"):
        exec(alone.lines(["gone.py"], served[1]), {})
    assert list(empty.iterdir()) == []


def test_without_an_address_the_missing_file_is_named(empty):
    lines = alone.lines(["selfcheck.py"], "")
    with pytest.raises(FileNotFoundError, match=r"^selfcheck.py is missing: open this notebook in its own folder"):
        exec(lines, {})
    assert "urllib" not in lines
    (empty / "selfcheck.py").touch()
    exec(lines, {})


def test_every_released_notebook_names_files_that_lie_beside_it_and_all_it_imports(root):
    for path in released(root):
        files = {one.relative_to(path.parent).as_posix(): one for one in path.parent.rglob("*") if one.is_file()}
        files = {name: one for name, one in files.items() if not name.endswith((".ipynb", ".pyc"))}
        needed = alone.neighbours(nbformat.read(path, as_version=4), files)
        assert needed, path
        assert first(path).startswith(alone.lines(needed, "")), path


def test_no_notebook_of_the_first_sheet_asks_for_its_solution(root):
    asked = [path.name for path in released(root) if "simple_network.py" in first(path)]
    there = {path.name for path in released(root) if (path.parent / "simple_network.py").exists()}
    assert asked
    assert set(asked) <= there
    assert not [path for path in (root / "assignments" / "foundations").glob("*.ipynb") if path.name in asked]


def test_a_notebook_that_begins_with_the_students_cell_is_left_as_it_is(course):
    course.edit(course.adding, "total = 12.625 + 3", "import backprop\ntotal = 12.625 + 3")
    course.build()
    assert first(course.root / "source/by_hand/adding.ipynb").startswith("import backprop")


def test_the_address_is_a_setting_of_the_course(course):
    course.edit(course.doubling, "import numpy as np", "import numpy as np\nimport selfcheck")
    (course.root / "nbgrader_config.py").write_text(CONFIG.format("https://example.org/sheets/"))
    course.build()
    for part in ("source", "assignments"):
        source = first(course.root / part / "foundations/doubling.ipynb")
        assert 'urlopen("https://example.org/sheets/foundations/" + file' in source
        assert 'for file in ["selfcheck.py"]:' in source
    (course.root / "nbgrader_config.py").write_text(CONFIG.format("../sheets"))
    with pytest.raises(CourseError, match="begins with https://"):
        course.build()
