"""The same notebook gives the same outputs in our sandbox as in a real kernel; docs/peers.md explains each difference.

The notebooks in `nbclient/` are those of nbclient's own tests, unchanged and under their own licence. The cells below
are ours, for what they leave out.
"""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from autograder.grading.grade import run_plain
from autograder.grading.mending import complete
from autograder.sandbox import Limits, Sandbox, shared_sandbox

FOLDER = Path(__file__).parent / "nbclient"
SECONDS = 5

OURS = {
    "displays": (
        "from IPython.display import HTML, Javascript, JSON, Latex, Markdown, SVG, display, clear_output",
        "handle = display('first', display_id=True)\ndisplay('second')\nhandle.update('changed')\n'result'",
        "handle.update('changed from a later cell')",
        "a = display(HTML('<b>x</b>'), Markdown('*x*'), Latex('$x$'), JSON({'a': [1, None, 2.5]}), Javascript('1'))",
        "print('gone'); clear_output(); print('stays')",
        "print('kept until'); clear_output(wait=True)",
        "display(SVG('<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"></svg>'), metadata={'a': 1})",
    ),
    "streams": (
        "import sys, logging, warnings",
        "print('a', end=''); print('b', file=sys.stderr); print('c'); sys.stdout.write('d\\n')",
        "print('é \\u4e2d \\U0001f600 \\r half\\b \\x1b[31mred\\x1b[0m', flush=True)",
        "logging.getLogger().error('seen')",
        "for i in range(3): print(i, file=(sys.stdout, sys.stderr)[i % 2])",
        "",
        "# nothing but a comment",
        "None",
        "x = 1;",
        "1; 2",
        "_, __, Out[10] if 10 in Out else None",
    ),
    "errors": (
        "def f(x):\n    return 1 / x\nf(0)",
        "try:\n    f(0)\nexcept ZeroDivisionError as e:\n    raise ValueError('chained') from e",
        "x = (1,\n",
        "  y = 1",
        "raise KeyError('é')",
        "print('before'); assert 1 == 2, 'said'; print('after')",
        "raise SystemExit",
        "undefined_name",
        "class Bad(Exception):\n    def __str__(self): raise RuntimeError\nraise Bad",
        "'still alive'",
    ),
    "science": (
        "import numpy as np, matplotlib.pyplot as plt\nnp.arange(6.0).reshape(2, 3)",
        "np.float64(1.5), np.array([1e-9, 1.0]), 10 ** 30, {'a': {1, 2}}",
        "print(np.linspace(0, 1, 3)); np.zeros(0) / 1",
        "plt.figure(figsize=(1, 1)); plt.plot([1, 2])",
        "import asyncio\nawait asyncio.sleep(0.01)\n'awaited'",
        "%%capture caught\nprint('inside')",
        "caught.stdout",
        "%precision 3\n1 / 3",
    ),
}
"""Cells of our own, by the name of what they are about."""

QUICK = ("Clear Output", "Disable Stdin", "Error", "SVG", "Unicode", "update-display-id", *OURS)
"""What `make test-slow` compares; `make test-all` compares everything."""


def notebooks() -> dict[str, NotebookNode]:
    """Every notebook, without outputs."""
    found = {path.stem: complete(nbformat.read(path, 4)) for path in sorted(FOLDER.glob("*.ipynb"))}
    found |= {name: new_notebook(cells=[new_code_cell(source) for source in cells]) for name, cells in OURS.items()}
    for notebook in found.values():
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
    return found


def normal(output: dict) -> dict:
    """An output without what differs between any two runs, or between two ways to show the lines round an error."""
    kept = deepcopy(dict(output))
    kept.pop("transient", None)
    if kept["output_type"] == "error":
        lines = [line for text in kept["traceback"] for line in strip_ansi(text).splitlines()]
        kept["traceback"] = [line for line in lines if line.startswith("---->")]
        kept["evalue"] = re.sub(r"\((<ipython-input-[\w-]+>|\d+\.py), line", "(<cell>, line", kept["evalue"])
    data = kept.get("data", {})
    for mime in data:
        if mime == "application/vnd.jupyter.widget-view+json":
            data[mime]["model_id"] = "<id>"
    for holder, key in ((kept, "text"), (data, "text/plain")):
        if key in holder:
            holder[key] = re.sub(r"0x[0-9a-f]+", "<address>", holder[key])
            holder[key] = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>", holder[key])
    return kept


def in_kernel(notebook: NotebookNode) -> list[tuple[int | None, list[dict]]]:
    """Execution count and outputs of every cell, as ipykernel and nbclient give them."""
    ran = deepcopy(notebook)
    client = NotebookClient(
        ran, timeout=600, allow_errors=True, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}
    )
    if any("while True" in cell.source for cell in ran.cells):
        client.timeout, client.interrupt_on_timeout = SECONDS, True
    client.execute()
    return [(cell.get("execution_count"), [normal(o) for o in cell.get("outputs", [])]) for cell in ran.cells]


def in_sandbox(notebook: NotebookNode, sandbox: Sandbox) -> list[tuple[int | None, list[dict]]]:
    """The same, as our runner gives them."""
    files = {path.name: path.read_bytes() for path in FOLDER.glob("*.png")}
    ran = run_plain(deepcopy(notebook), sandbox, files=files, limits=Limits().per_cell(SECONDS))
    return [
        (ran.counts.get(index), [normal(output) for output in ran.outputs.get(index, [])])
        for index in range(len(notebook.cells))
    ]


def explained(root: Path) -> dict[str, list[int]]:
    """The rows of the table of docs/peers.md: a notebook's name, and the cells (from 1) that differ."""
    text = (root / "docs" / "peers.md").read_text()
    table = text.split("<!-- nbclient: begin -->")[1].split("<!-- nbclient: end -->")[0]
    rows = re.findall(r"^\| `([^`]+)` \| ([\d, ]+) \| (.+) \|$", table, re.M)
    assert all(len(why) > 20 for _, _, why in rows)
    return {name: [int(number) for number in cells.split(",")] for name, cells, _ in rows}


@pytest.fixture(scope="module")
def sandbox():
    return shared_sandbox("auto")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.heavy if n in QUICK else pytest.mark.long) for n in notebooks()]
)
def test_the_outputs_are_those_of_a_kernel(name: str, sandbox: Sandbox, root: Path, monkeypatch) -> None:
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the kernel is to choose its own
    notebook = notebooks()[name]
    theirs, ours = in_kernel(notebook), in_sandbox(notebook, sandbox)
    different = {n: pair for n, pair in enumerate(zip(theirs, ours), start=1) if pair[0] != pair[1]}
    assert list(different) == explained(root).get(name, []), different


def test_the_table_names_only_notebooks_that_there_are(root: Path) -> None:
    assert set(explained(root)) <= set(notebooks())
