"""A line about the student's own computer costs nothing, and what cannot be run here is no zero."""

from __future__ import annotations

import sys

import pytest

from autograder.exercises import load
from autograder.grading.grade import grade_notebook
from autograder.grading.newer import lacks, newer_syntax, version_of

NAME = "tanh_swap"

LINES = {
    "widget": "%matplotlib widget",
    "qt": "%matplotlib qt",
    "ipympl": "%matplotlib ipympl",
    "tk": "import matplotlib\nmatplotlib.use('TkAgg')\nimport matplotlib.pyplot as plt\nplt.switch_backend('QtAgg')",
    "formats": "from IPython.display import set_matplotlib_formats\nset_matplotlib_formats('svg')",
    "colab": "from google.colab import drive, files as up\nimport google.colab\n"
    "drive.mount('/content/drive')\nup.upload()\n%cd /content/drive/MyDrive",
    "colab, with care": "try:\n    import google.colab\n    a = 1\nexcept ImportError:\n    a = 0\nassert not a",
    "conda": "%conda install -c conda-forge ipympl",
    "mamba": "%mamba install x",
    "pip": "%pip install -q ipympl",
    "pip as a program": "import sys, subprocess\n"
    "subprocess.check_call([sys.executable, '-m', 'pip', 'install', 'tqdm'])\n"
    "subprocess.run('pip install tqdm', shell=True, check=True)\n"
    "assert subprocess.check_output(['pip', 'install', 'x'], text=True) == ''",
    "os.system": "import os\nos.system('pip install tqdm')",
    "load_ext": "%load_ext tensorboard\n%tensorboard --logdir runs\n%load_ext autoreload\n%autoreload 2",
    "an unknown magic": "%nb_black\n%config InlineBackend.figure_format = 'retina'",
    "pool": "import multiprocessing as mp\nfrom multiprocessing import Pool\ndef sq(x): return x * x\n"
    "with mp.Pool(2) as p: assert p.map(sq, [1, 2]) == [1, 4]\nwith Pool() as p: p.map(sq, [1])\n"
    "with mp.get_context('spawn').Pool(2) as p: assert list(p.imap(sq, [3])) == [9]",
    "executor": "from concurrent.futures import ProcessPoolExecutor\ndef sq(x): return x * x\n"
    "with ProcessPoolExecutor(2) as p: assert list(p.map(sq, [1, 2])) == [1, 4]",
    "numpy of before": "import numpy as np\nassert np.trapz([1, 1]) == 1 and np.Inf > 0 and np.float_(1) == 1",
}
SILENT = {"formats", "colab, with care", "numpy of before"}


@pytest.fixture(scope="module")
def graded(root, sandbox, submission):
    def of(line: str, version: str = ""):
        book = submission(NAME)
        cell = next(one for one in book.cells if one.metadata.get("nbgrader", {}).get("grade_id") == "network")
        cell.source = f"{line}\n{cell.source}"
        if version:
            book.metadata.language_info = {"name": "python", "version": version}
        return grade_notebook(book, load(NAME), sandbox, root=root, seed=1).marks

    return of


@pytest.mark.slow
def test_lines_about_another_computer_cost_nothing(graded):
    marks = graded("\n".join(line for kind, line in LINES.items() if kind != "colab, with care"))
    assert (marks.points, marks.needs_person) == (20, False), marks.notes
    assert marks.notes[-1] == "Cell 4 of the notebook is in part about another computer; that part was left out."


@pytest.mark.slow
@pytest.mark.parametrize("kind", LINES)
def test_a_line_about_another_computer_costs_nothing_and_is_said(graded, kind):
    marks = graded(LINES[kind])
    assert (marks.points, marks.needs_person) == (20, False), marks.notes
    assert any("about another computer" in note for note in marks.notes) == (kind not in SILENT)


MISSING = {
    "import torchvision_of_2031": "imports `torchvision_of_2031`",
    "import numpy as np\nnp.asfarray([1])": "needs `np.asfarray` of another version",
    "from scipy.integrate import simps": "needs `simps` of another version of scipy.integrate",
}


@pytest.mark.slow
@pytest.mark.parametrize("line", MISSING)
def test_what_the_graders_computer_does_not_have_calls_a_person_and_is_said_first(graded, line):
    marks = graded(line)
    assert marks.needs_person
    assert MISSING[line] in marks.notes[0]
    lost = [question for question in marks.questions if question.points < question.max_points]
    assert lost
    assert all(one.status == "grader_error" and MISSING[line] in one.message for one in lost)


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="the grader knows it")
def test_a_newer_python_calls_a_person_and_is_said_first(graded):
    marks = graded('d = {"a": 1}\nprint(f"{d["a"]}")', "3.13.1")
    assert marks.needs_person
    assert marks.notes[0].startswith(
        "The notebook was written for a newer Python (it says 3.13.1) than the grader's 3.11"
    )
    assert all(question.status in ("grader_error", "correct") for question in marks.questions)


def test_a_syntax_error_of_ones_own_is_marked(graded):
    marks = graded("def f(:\n    pass", "3.13.1")
    assert not marks.needs_person
    assert marks.points < 20


NEWER = {
    'f"{d["a"]}"': (3, 12), "type A = int": (3, 12), "def f[T](x: T): return x": (3, 12), "class A[T]: pass": (3, 12),
    "t'{1}'": (3, 14), "try:\n    1\nexcept A, B:\n    2": (3, 14), "%time x = 1\n!ls\ntype A = int": (3, 12),
}  # fmt: skip


@pytest.mark.parametrize("source", NEWER)
def test_syntax_of_newer_pythons_is_told_from_errors(source):
    assert bool(newer_syntax(source)) == (sys.version_info < NEWER[source])


@pytest.mark.parametrize("source", ["def f(:", "print 'x'", "x = = 1", "x = 1", "f'{", "(" * 10_000, "\0"])
def test_what_is_wrong_in_every_version_is_no_newer_one(source):
    assert newer_syntax(source) == ""


@pytest.mark.parametrize(
    "message",
    [
        "NameError: name 'np' is not defined",
        "ImportError: x",
        "AttributeError: no `x`",
        "ModuleNotFoundError: No module named 'autograder.truth'",
    ],
)
def test_an_error_of_ones_own_is_not_the_computers(message):
    assert lacks(message) == ""


def test_a_version_that_steers_is_no_version(submission):
    book = submission(NAME)
    for said, read in (("3.12.4", "3.12.4"), ("3.14.0rc1", "3.14.0rc1"), ("<b>", ""), (None, ""), (3.12, "3.12")):
        book.metadata.language_info = {"version": said}
        assert version_of(book) == read
    book.metadata.language_info = None
    assert version_of(book) == ""
