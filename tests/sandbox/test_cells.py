"""Cells come back as a notebook's outputs, in order, whatever they do."""

from __future__ import annotations

import base64

import nbformat
import pytest

from autograder.sandbox import Cell, Job

from .conftest import QUICK, Run


def texts(outcome, index=-1):
    return "".join(output.get("text", "") for output in outcome.cells[index].outputs)


def test_prints_are_joined_and_results_numbered(run: Run) -> None:
    cell = run("print('a')\nprint('b')\n1 + 1").cells[0]
    assert cell.outputs == [
        {"output_type": "stream", "name": "stdout", "text": "a\nb\n"},
        {"output_type": "execute_result", "data": {"text/plain": "2"}, "metadata": {}, "execution_count": 1},
    ]


def test_order_of_prints_and_displays_is_kept(run: Run) -> None:
    cell = run("import sys\nprint(1); display('x'); print(2); print(3, file=sys.stderr); print(4)").cells[0]
    kinds = [output.get("name", output["output_type"]) for output in cell.outputs]
    assert kinds == ["stdout", "display_data", "stdout", "stderr", "stdout"]


def test_a_figure_is_shown_at_the_end_of_its_cell(run: Run) -> None:
    cell = run("import matplotlib.pyplot as plt\nplt.plot([1, 2]);\nprint('drawn')").cells[0]
    assert [output["output_type"] for output in cell.outputs] == ["stream", "display_data"]
    assert base64.b64decode(cell.outputs[1]["data"]["image/png"])[:8] == b"\x89PNG\r\n\x1a\n"


def test_clear_output_forgets_what_the_cell_showed(run: Run) -> None:
    outcome = run("from IPython.display import clear_output\nprint('old'); clear_output(wait=True); print('new')")
    assert texts(outcome) == "new\n"


def test_update_display_changes_an_earlier_cells_output(run: Run) -> None:
    outcome = run("handle = display('before', display_id='d')", "from IPython.display import update_display",
                  "update_display('after', display_id='d')")  # fmt: skip
    assert outcome.cells[0].outputs[0]["data"]["text/plain"] == "'after'"
    assert outcome.cells[2].outputs == []


def test_the_cell_after_one_that_raises_still_runs(run: Run) -> None:
    outcome = run("x = 1", "y = 2\nx / 0", "x + 1")
    assert [cell.status for cell in outcome.cells] == ["ok", "raised", "ok"]
    assert outcome.cells[1].message == "ZeroDivisionError: division by zero (line 2: `x / 0`)"
    assert outcome.cells[1].outputs[0]["ename"] == "ZeroDivisionError"


def test_a_syntax_error_is_told_with_its_line(run: Run) -> None:
    cell = run("x = 1\ny = = 2").cells[0]
    assert cell.status == "raised"
    assert "line 2" in cell.message


def test_input_is_refused_in_words(run: Run) -> None:
    cell = run("input('? ')").cells[0]
    assert (cell.status, "nobody" in cell.message or "no answer" in cell.message) == ("raised", True)


@pytest.mark.parametrize("source", ["!ls", "%pip install x", "files = !ls", "%%bash\nls"])
def test_commands_give_a_notice_instead_of_a_crash(run: Run, source: str) -> None:
    outcome = run(source)
    assert outcome.cells[0].status == "ok"
    assert "do not run" in texts(outcome)


def test_exit_stops_only_its_cell(run: Run) -> None:
    outcome = run("import sys; sys.exit(3)", "exit", "print('on')")
    assert outcome.cells[0].status == "raised"
    assert texts(outcome) == "on\n"


@pytest.mark.slow
def test_a_python_loop_costs_only_its_cell_and_no_rerun(run: Run) -> None:
    outcome = run("x = 1", "while True: pass", "print(x)", cell_cpu_seconds=0.5)
    assert [cell.status for cell in outcome.cells] == ["ok", "timed_out", "ok"]
    assert outcome.reruns == 0


@pytest.mark.parametrize(("report", "says"), [("lambda *a, **k: None", "mine"), ("None", "not callable")])
def test_an_error_is_shown_even_when_its_report_is_put_out_of_order(run: Run, report: str, says: str) -> None:
    patch = f"import IPython.core.interactiveshell as i\ni.InteractiveShell.showtraceback = {report}"
    outcome = run(patch, "raise ValueError('mine')", "1 +")
    for cell in outcome.cells[1:]:
        assert cell.status == "raised"
        assert [output["output_type"] for output in cell.outputs] == ["error"]
    assert says in outcome.cells[1].outputs[0]["evalue"]


def test_sleeping_too_long_is_timed_out(run: Run) -> None:
    outcome = run("import time; time.sleep(3600)", cell_wall_seconds=0.3)
    assert outcome.cells[0].status == "timed_out"
    assert outcome.seconds < 600


@pytest.mark.slow
@pytest.mark.parametrize(
    "source",
    [
        "import os; os._exit(0)",
        "import ctypes; ctypes.string_at(0)",
        "import os; os.abort()",
        "import sys; sys.setrecursionlimit(10**9)\ndef f(n): return repr([[]] if not n else f(n - 1))\nf(10**8)",
    ],
    ids=["exit", "segfault", "abort", "stack"],
)
def test_a_crash_costs_only_its_cell(run: Run, source: str) -> None:
    outcome = run("x = 5", source, "print(x)", cpu_seconds=3)
    assert outcome.cells[0].status == "ok"
    assert outcome.cells[1].status in ("crashed", "raised", "timed_out", "out_of_memory")
    assert texts(outcome) == "5\n"


@pytest.mark.slow
def test_what_cannot_be_interrupted_is_killed_and_left_out(run: Run) -> None:
    outcome = run("x = 5", "n = sum(range(10 ** 15))", "print(x)", cell_cpu_seconds=0.3, cell_wall_seconds=4.0)
    assert [cell.status for cell in outcome.cells] == ["ok", "timed_out", "ok"]
    assert outcome.reruns == 1
    assert outcome.seconds < 600


def test_a_loop_that_swallows_every_exception_is_killed(run: Run) -> None:
    source = "while True:\n    try:\n        while True: pass\n    except BaseException:\n        pass"
    outcome = run(source, "print('on')", cell_cpu_seconds=0.3, cell_wall_seconds=4.0)
    assert outcome.cells[0].status == "timed_out"
    assert texts(outcome) == "on\n"


def test_a_flood_of_prints_is_stopped_and_told(run: Run) -> None:
    outcome = run("while True: print('x' * 1000)", "print('on')")
    assert outcome.cells[0].status == "output_limit"
    assert len(texts(outcome, 0)) <= 200_000
    assert "put out more than" in outcome.cells[0].outputs[-1]["evalue"]
    assert texts(outcome) == "on\n"


def test_a_flood_of_displays_is_stopped(run: Run) -> None:
    assert run("while True: display(1)").cells[0].status == "output_limit"


def test_too_much_memory_at_once_is_told(run: Run) -> None:
    outcome = run("import numpy as np; x = np.ones(10**10)", "print('on')")
    assert outcome.cells[0].status == "out_of_memory"
    assert texts(outcome) == "on\n"


@pytest.mark.slow
def test_memory_that_is_kept_does_not_starve_later_cells(run: Run) -> None:
    outcome = run("import numpy as np\nkept = []\nwhile True: kept.append(np.ones(10**6))", "x = np.ones(10**7).sum()")
    assert outcome.cells[0].status == "out_of_memory"
    assert outcome.cells[1].status in ("ok", "raised")  # `np` came from the cell that is left out
    assert "Memory" not in outcome.cells[1].message


def test_a_notebook_that_keeps_crashing_stops_being_restarted(run: Run) -> None:
    outcome = run(*["import os; os._exit(0)"] * 5, reruns=2)
    assert [cell.status for cell in outcome.cells] == ["crashed"] * 5
    assert "Not run" in outcome.cells[-1].message


@pytest.mark.slow
def test_the_total_time_bounds_everything(run: Run) -> None:
    outcome = run("import time; time.sleep(3600)", "print(1)", cell_wall_seconds=3000.0, wall_seconds=0.8)
    assert [cell.status for cell in outcome.cells] == ["timed_out", "timed_out"]
    assert outcome.seconds < 600


def test_blank_cells_have_no_number(run: Run) -> None:
    outcome = run("1", "  \n", "2")
    assert [cell.execution_count for cell in outcome.cells] == [1, None, 2]


def test_files_and_helper_modules_are_there(run: Run) -> None:
    outcome = run("import helper\nprint(open('data/x.csv').read(), helper.ANSWER)", files={"data/x.csv": b"1,2"})
    assert texts(outcome) == "1,2 42\n"


def test_a_file_cannot_stand_in_for_a_course_module(run: Run) -> None:
    assert texts(run("import helper; print(helper.ANSWER)", files={"helper.py": b"ANSWER = 0"})) == "42\n"


def test_outputs_are_valid_nbformat(run: Run) -> None:
    outcome = run(
        "from IPython.display import HTML, JSON\nimport numpy as np\ndisplay(HTML('<b>x</b>'), JSON({'a': [1, 2.5]}))\n"
        "print('\\ud800 ü')\nnp.eye(2)",
        "1 / 0",
        "while True: print('x')",
    )
    cells = [
        nbformat.v4.new_code_cell(
            source="", outputs=[nbformat.from_dict(o) for o in cell.outputs], execution_count=cell.execution_count
        )
        for cell in outcome.cells
    ]
    nbformat.validate(nbformat.v4.new_notebook(cells=cells))


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            "from sklearn.neural_network import MLPClassifier\nMLPClassifier(max_iter=5).fit([[0.], [1.]], [0, 1])",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "from sklearn.ensemble import RandomForestClassifier\n"
            "RandomForestClassifier(4, n_jobs=-1).fit([[0.], [1.]], [0, 1])",
            marks=pytest.mark.slow,
        ),
        "import asyncio\nawait asyncio.sleep(0)",
        "from concurrent.futures import ThreadPoolExecutor\nassert list(ThreadPoolExecutor(4).map(abs, [-1])) == [1]",
        "import sqlite3; sqlite3.connect('x.db').execute('create table t (x)')",
        "import numpy as np; np.savez('a.npz', x=np.ones(3)); assert np.load('a.npz')['x'].sum() == 3",
        "%timeit -n1 -r1 sum([1])",
        "%matplotlib inline\n%time x = 1",
        "from tqdm.auto import tqdm\nfor _ in tqdm(range(3)): pass",
        "import tempfile; tempfile.NamedTemporaryFile().write(b'x')",
        "import shutil; open('a', 'w').write('x'); shutil.copy('a', 'b')",
    ],
)
def test_ordinary_things_work(run: Run, source: str) -> None:
    cell = run(source, cell_cpu_seconds=10.0, cell_wall_seconds=20.0, cpu_seconds=20.0).cells[0]
    assert (cell.status, cell.message) == ("ok", "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "limit"),
    [
        ("f = open('big', 'wb')\nwhile True: f.write(bytes(10**6))", "size of a file"),
        ("for n in range(10**4): open(str(n), 'wb').write(bytes(10**6))", "all files together"),
        ("keep = []\nwhile True: keep.append(open('/dev/null'))", "limit on open files"),
        ("import threading as t, time\nwhile True: t.Thread(target=time.sleep, args=(3600,)).start()", "threads"),
        ("x = bytearray(10**10)", "256 MB"),
        ("while True: print('x' * 999)", "bytes"),
        ("while True: pass", "of computing"),
        ("import time; time.sleep(3600)", "after 0.5 s"),
    ],
)
def test_the_message_says_which_limit(run: Run, source: str, limit: str) -> None:
    own = {"of computing": {"cell_cpu_seconds": 0.5}, "after 0.5 s": {"cell_wall_seconds": 0.5}}
    assert limit in run(source, **own.get(limit, {})).cells[0].message


def test_what_a_job_is_seen_to_import_is_there_before_it(sandbox) -> None:
    cells = (Cell("there", "import sys\nprint('ipywidgets' in sys.modules, 'antigravity' in sys.modules)"),)
    for modules, there in (((), "False"), (("antigravity", "ipywidgets"), "True"), ((), "True")):
        assert texts(sandbox.run(Job(cells, limits=QUICK, modules=modules))) == f"{there} False\n"
