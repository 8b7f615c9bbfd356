"""Hostile and unlucky notebooks, as data: what each one changes, the marks that it must have, what must not happen.

``@KEY@``, ``@GRADEBOOK@``, ``@NEIGHBOUR@``, ``@COURSE@``, ``@HOME@``, ``@PORT@``, ``@ABSTRACT@``, ``@TOKEN@`` and
``@UNTIL@`` in the code stand for the secret key, the gradebook, an innocent student's notebook, the course's folder,
the grader's home, two listeners, a word that is in nobody else's command line and a pipe that can be read to its end
as soon as everybody has looked. Every notebook is held to the same bans: no
secret comes out, nothing outside changes, no listener is reached, nothing runs on, and the neighbour gets the marks
that are due.
"""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

HAND, TANH = "worked_calculation", "tanh_swap"
FULL = {HAND: 25.0, TANH: 20.0}


@dataclass(frozen=True)
class Attack:
    """One notebook.

    ``first`` is the code of a new first cell, ``last`` of a new last one; ``cells`` replaces the student's cells by
    grade id in a notebook that is otherwise ``solved`` or untouched. ``edit`` changes the notebook itself and
    ``beside`` lays files beside it. ``points`` is the mark it must have and ``says`` a part of what its record must
    say. ``control`` is what the same notebook does without walls (``secret`` comes out, a file is ``changed``, a
    listener is ``reached``, a process is ``left``); it is empty where running it so would do harm or where the walls
    are not what stops it.
    """

    name: str
    first: str = ""
    last: str = ""
    cells: Mapping[str, str] = field(default_factory=dict)
    exercise: str = HAND
    solved: bool = False
    edit: Callable[[NotebookNode], None] | None = None
    beside: Callable[[Path, Mapping[str, str]], None] | None = None
    points: float = 0.0
    says: str = ""
    control: str = ""


def network(body: str, *, before: str = "", train: str = "raise NotImplementedError") -> dict[str, str]:
    """The cells of tanh_swap with this body in both passes, and one for the training."""
    lines = "\n".join(f"        {line}" for line in body.splitlines())
    return {
        "network": f"{before}\nclass TanhNetwork(SimpleNeuralNetwork):\n    def forward_pass(self, X):\n{lines}\n"
        f"    def backward_pass(self, X, Y):\n{lines}\n",
        "train_on_moons": f"def train_on_moons(network_class, epochs, learning_rate, seed):\n    {train}\n",
    }


def forger(name: str, body: str, **rest: object) -> Attack:
    """An attack on the questions of tanh_swap, from inside the functions that the questions call."""
    before, train = str(rest.pop("before", "")), str(rest.pop("train", "raise NotImplementedError"))
    return Attack(name, exercise=TANH, cells=network(body, before=before, train=train), **rest)


def reader(name: str, expression: str, control: str = "secret", **rest: object) -> Attack:
    """Reads something and puts it into an error, which the record of marks quotes."""
    source = f"import os, glob, ctypes, sys\nraise RuntimeError({expression})"
    return Attack(name, first=source, control=control, **rest)


# What is done to the notebook's file --------------------------------------------------------------------------------


def _each(notebook: NotebookNode, *, graded: bool = True) -> list[NotebookNode]:
    labelled = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
    return [cell for cell in labelled if cell.metadata.nbgrader.grade or not graded]


def tag_everything(notebook: NotebookNode) -> None:
    """The tag that makes nbclient leave a cell out."""
    for cell in notebook.cells:
        cell.metadata["tags"] = ["skip-execution"]


def raise_the_points(notebook: NotebookNode) -> None:
    """More points than there are, and a schema that nobody knows."""
    for cell in _each(notebook):
        cell.metadata.nbgrader |= {"points": 1000, "schema_version": 99}


def unlock_and_answer(notebook: NotebookNode) -> None:
    """The graded cells hold a number of the student's choice."""
    for cell in _each(notebook):
        cell.source = "20.0"
        cell.metadata.nbgrader |= {"locked": False, "solution": True}


def save_scores(notebook: NotebookNode) -> None:
    """Scores that look as if a run had left them."""
    for cell in _each(notebook):
        if cell.cell_type == "code":
            cell.outputs = [new_output("execute_result", data={"text/plain": "20.0"}, execution_count=1)]
            cell.metadata["autograder"] = {"status": "correct", "points": 20}
    notebook.metadata["autograder"] = {"points": 20, "notes": ["full marks"]}


def not_graded(notebook: NotebookNode) -> None:
    """The graded cells say that they are none."""
    for cell in _each(notebook):
        cell.metadata.nbgrader.grade = False


def duplicate_graded(notebook: NotebookNode) -> None:
    """Every graded cell twice."""
    notebook.cells += [NotebookNode(cell) for cell in _each(notebook)]


def strange_schema(notebook: NotebookNode) -> None:
    """Schema versions from the past and from the future."""
    for number, cell in enumerate(_each(notebook, graded=False)):
        cell.metadata.nbgrader["schema_version"] = 99 if number % 2 else 0


def strip_metadata(notebook: NotebookNode) -> None:
    """What some editors leave of a notebook."""
    notebook.metadata.clear()
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("locked"):
            cell.metadata.clear()


def drop_graded(notebook: NotebookNode) -> None:
    """Without a graded cell."""
    notebook.cells = [cell for cell in notebook.cells if not cell.metadata.get("nbgrader", {}).get("grade")]


def graded_as_text(notebook: NotebookNode) -> None:
    """Graded cells that have become text."""
    for cell in _each(notebook):
        cell.cell_type = "markdown"
        cell.pop("outputs", None), cell.pop("execution_count", None)


def backwards(notebook: NotebookNode) -> None:
    """The graded cells stand before what they mark."""
    graded = _each(notebook)
    notebook.cells = [*graded, *(cell for cell in notebook.cells if cell not in graded)]


def many_outputs(notebook: NotebookNode) -> None:
    """20 MB of saved outputs."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [new_output("stream", text="x" * 2_000_000)]


def thousand_cells(notebook: NotebookNode) -> None:
    """A thousand cells more."""
    notebook.cells += [new_code_cell("1") for _ in range(1000)]


# What lies beside it ------------------------------------------------------------------------------------------------


def _file(name: str, text: str | bytes) -> Callable[[Path, Mapping[str, str]], None]:
    def lay(folder: Path, words: Mapping[str, str]) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)

    return lay


def _link(name: str, word: str, how: str = "symlink_to") -> Callable[[Path, Mapping[str, str]], None]:
    def lay(folder: Path, words: Mapping[str, str]) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        getattr(path, how)(words[word])

    return lay


def _pipe(folder: Path, words: Mapping[str, str]) -> None:
    os.mkfifo(folder / "data.csv")


def _device(folder: Path, words: Mapping[str, str]) -> None:
    try:
        os.mknod(folder / "zeros", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    except PermissionError:  # only root can; an ordinary user's notebook then has the next strange thing beside it
        os.mkfifo(folder / "zeros")


def _many(folder: Path, words: Mapping[str, str]) -> None:
    for number in range(5000):
        (folder / f"{number}.txt").touch()


def _misnamed(folder: Path, words: Mapping[str, str]) -> None:
    for name in (b"d\xe9j\xe0.csv", b"\x1b[2J", b"a\nb", "\u202e".encode(), b"n" * 255):
        (folder / os.fsdecode(name)).touch()


def _sparse(folder: Path, words: Mapping[str, str]) -> None:
    with open(folder / "big.csv", "wb") as file:
        file.truncate(1 << 40)


def _socket(folder: Path, words: Mapping[str, str]) -> None:
    os.mknod(folder / "s", 0o666 | stat.S_IFSOCK)


LAUNCHER = "import sys\nfor name in list(sys.modules): print(name)\nprint('taken over')\n"
LYING_HEADER = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"
LYING_NPY = b"\x93NUMPY\x01\x00v\x00" + LYING_HEADER.ljust(117) + b"\n"
ZIP_BOMB = zlib.compress(bytes(2**25))
PICKLE = b"cos\nsystem\n(S'touch @HOME@/pickled'\ntR."

# The corpus ---------------------------------------------------------------------------------------------------------

FORGE = """
import gc, os, struct
def forge(body):
    for thing in gc.get_objects():
        if type(thing).__name__ == "Wire":
            os.write(3, struct.pack(">I", len(body)) + thing._nonce + body)
"""

LIARS = """
import gc, struct, msgpack
def answer(shape):
    lie = msgpack.ExtType(1, struct.pack(f">BB{len(shape)}Q", 11, len(shape), *(n % 2**64 for n in shape)) + b"x" * 64)
    rest = {"status": "answered", "message": "", "traceback": "", "changed_inputs": [], "warnings": [],
            "earlier": {}, "seconds": 0.0, "cpu_seconds": 0.0, "values": msgpack.packb({"Z1": lie, "A2": lie})}
    for thing in gc.get_objects():
        if type(thing).__name__ == "Wire":
            for ask in range(4):
                thing.send("answer", ask=ask, challenge=0, **rest)
"""

WIRE = '''
import gc, msgpack
def wire():
    return next(thing for thing in gc.get_objects() if type(thing).__name__ == "Wire")
def fields(**rest):
    return {"status": "answered", "message": "", "traceback": "", "changed_inputs": [], "warnings": [],
            "earlier": {}, "seconds": 0.0, "cpu_seconds": 0.0, "values": msgpack.packb({}), **rest}
def play(names, more):
    """Take the harness's part: right-looking frames for every question, in turn."""
    out, started = wire(), False
    for ask in range(8):
        for challenge in range(12):
            if started:
                out.send("ask_started", ask=ask, challenge=challenge)
            out.send("answer", ask=ask, challenge=challenge, **fields(values=msgpack.packb(names), **more))
            started = True
    out.send("done")
'''


def displayed(payload: str) -> str:
    """Code of a cell that sends the end of its own cell, with a display of the attacker's making."""
    return (
        f"{WIRE}\nimport msgpack, os\nwire().send('cell_done', index=0, status='ok', message='', seconds=0.0, "
        "cpu_seconds=0.0, updates=[], outputs=[{'output_type': 'display_data', "
        f"'data': {{'application/json': {payload}}}, 'metadata': {{'x': {payload}}}}}])\nos._exit(0)"
    )


FORGERS = (
    Attack("tag skip-execution", exercise=TANH, edit=tag_everything),
    forger("displayhook of the full mark", "import sys; sys.displayhook(20)"),
    forger("displayhook of a negative number", "import sys; sys.displayhook(-1)"),
    forger("displayhook of nan", "import sys; sys.displayhook(float('nan'))"),
    forger("displayhook of text", "import sys; sys.displayhook('hello'); sys.displayhook([0, 1])"),
    forger(
        "objects that equal everything",
        "self.Z1 = self.A1 = self.Z2 = self.A2 = self.dW1 = Same()\nreturn Same()",
        before="class Same:\n    shape = (1, 1)\n    __eq__ = __le__ = __ge__ = lambda self, other: True\n"
        "    def __array__(self, *a, **k): return self\n    def __float__(self): return 0.0",
    ),
    forger(
        "an array class that equals everything",
        "for n in ('Z1', 'A1', 'Z2', 'A2', 'dW1', 'db1', 'dW2', 'db2'):\n"
        "    setattr(self, n, np.zeros((3, 6)).view(Same))\nreturn self.A2",
        before="class Same(np.ndarray):\n    __eq__ = __le__ = lambda self, other: True\n"
        "    __array_ufunc__ = lambda self, *a, **k: np.zeros(())\n"
        "    astype = tobytes = lambda self, *a, **k: b''",
    ),
    forger(
        "a number that is another at each look",
        "self.Z1 = self.A1 = self.Z2 = self.A2 = Two(1)\nreturn Two(1)",
        before="import random\nclass Two(float):\n    __float__ = __pos__ = __add__ = lambda self, *a: random.random()",
    ),
    forger(
        "comparisons patched",
        "self.A2 = np.zeros((1, 1))\nreturn self.A2",
        before="np.allclose = np.isclose = np.array_equal = np.all = lambda *a, **k: True\n"
        "np.testing.assert_allclose = np.abs = lambda *a, **k: 0.0",
    ),
    forger(
        "transformers that remove asserts",
        "return None",
        before="ip = get_ipython()\nip.input_transformers_post.append(lambda lines: ['pass\\n'])\n"
        "ip.input_transformers_cleanup.append(lambda lines: [l for l in lines if 'assert' not in l])",
    ),
    forger(
        "a syntax tree without asserts",
        "return None",
        before="import ast\nclass Drop(ast.NodeTransformer):\n    def visit_Assert(self, node): return ast.Pass()\n"
        "get_ipython().ast_transformers.append(Drop())",
    ),
    forger(
        "the kernel's session patched", "return None", before="get_ipython().kernel.session.send = lambda *a, **k: None"
    ),
    forger(
        "the traceback silenced",
        "raise ValueError",
        before="ip = get_ipython()\nip._showtraceback = ip.showtraceback = lambda *a, **k: None",
    ),
    forger(
        "the caller's frame and its source",
        "import sys, linecache\nf = sys._getframe(1)\nseen = []\nwhile f:\n"
        "    seen.append((f.f_code.co_filename, sorted(f.f_locals), linecache.getlines(f.f_code.co_filename)))\n"
        "    for v in list(f.f_locals.values()):\n        if isinstance(v, dict) and 'expected' in v:\n"
        "            self.__dict__.update(v['expected'])\n    f = f.f_back\nraise RuntimeError(str(seen))",
    ),
    forger(
        "its own inputs returned as answers",
        "for n in ('Z1', 'A1', 'Z2', 'A2'): setattr(self, n, X)\n"
        "for n in ('W1', 'b1', 'W2', 'b2'): setattr(self, 'd' + n, getattr(self, n))\nreturn X",
    ),
    forger(
        "the codec replaced",
        "self.A2 = 1\nreturn 1",
        before="import sys\nfor n, m in list(sys.modules.items()):\n"
        "    if n.startswith('inside.'):\n        for k in ('encode', 'plain', 'decode', 'values_of'):\n"
        "            if hasattr(m, k): setattr(m, k, lambda *a, **k: b'\\x80')",
    ),
    forger(
        "msgpack replaced",
        "return None",
        before="import msgpack\nreal = msgpack.packb\n"
        "def packb(x, **k):\n"
        "    if isinstance(x, dict) and 'status' in x: x |= {'status': 'correct', 'points': 20}\n"
        "    return real(x, **k)\nmsgpack.packb = packb",
    ),
    forger(
        "forged answers in the frame",
        "forge(b'\\x85\\xa4kind\\xa6answer\\xa5score\\x64\\xa6passed\\xc3\\xa3ask\\x00\\xa9challenge\\x00')\nreturn 1",
        before=FORGE,
    ),
    forger("a forged end", "forge(b'\\x81\\xa4kind\\xa4done')\nreturn 1", before=FORGE),
    forger("a frame of four gigabytes", "import os; os.write(3, b'\\xff' * 40)\nreturn 1"),
    forger(
        "pickle bytes for an answer", "import os; os.write(3, b'\\x00\\x00\\x00\\x20' + b'\\x80\\x04cos' * 8)\nreturn 1"
    ),
    forger(
        "arrays whose headers lie",
        "for shape in ((2**31,) * 4, (2**62,), (-1,), (3, 3)):\n    answer(shape)\nreturn 1",
        before=LIARS,
        says="not an answer",
    ),
    forger(
        "an answer nested a million deep", "x = []\nfor _ in range(10**6): x = [x]\nself.Z1 = self.A2 = x\nreturn x"
    ),
    forger("an answer that holds itself", "x = []; x.append(x)\nself.Z1 = self.A2 = x\nreturn x"),
    forger(
        "an answer of five megabytes",
        "self.A2 = self.Z1 = np.zeros(600_000)\nreturn self.A2",
        says="far larger than anything that is asked for",
    ),
    forger(
        "object arrays",
        "self.Z1 = self.A2 = np.array([R()], dtype=object)\nreturn self.A2",
        before="class R:\n    def __reduce__(self): return (print, ('pickled',))",
    ),
    forger("a record array", "self.Z1 = self.A2 = np.zeros(3, dtype=[('score', 'f8')])\nreturn self.A2"),
    forger("a giant integer", "self.Z1 = self.A2 = 10 ** 100_000\nreturn self.A2"),
    forger("hidden inputs sent back", "raise ValueError(repr(X.tolist()))"),
    forger(
        "the questions' settings patched",
        "return None",
        train="return (0.0, 1.0, 1.0)",
        before="np.mean = lambda *a, **k: 1.0",
    ),
    forger("right-looking frames in turn", "play({'Z1': 0.0, 'score': 20, 'points': 20}, {})", before=WIRE),
    forger(
        "right-looking frames with a score", "play({'A2': 1.0}, {'points': 20, 'share': 1.0, 'score': 20})", before=WIRE
    ),
    forger("a status that does not exist", "play({}, {'status': 'correct'})", before=WIRE, says="not an answer"),
    forger(
        "an answer of millions of empty lists",
        "wire().send('answer', ask=0, challenge=0, **fields(values="
        "b'\\x81\\xa1x\\xdc\\x4e\\x00' + (b'\\xdc\\x00\\x40' + b'\\x90' * 64) * 15_000))\nreturn 1",
        before=WIRE,
        says="not an answer",
    ),
    forger(
        "earlier answers of a cell that was not asked",
        "wire().send('answer', ask=0, challenge=0, **fields(earlier={'share_of_right': fields()}))\nreturn X",
        before=WIRE,
    ),
    forger(
        "earlier answers inside each other",
        "x = fields()\nfor _ in range(25):\n"
        "    x = fields(earlier={'forward_tanh': x})\nwire().send('answer', ask=0, challenge=0, **x)\nreturn X",
        before=WIRE,
    ),
    forger(
        "an answer of headers without an end",
        "wire().send('answer', ask=0, challenge=0, **fields(values="
        "b'\\x81\\xa1x' + b'\\xdd\\x00\\x00\\x4e\\x00' * 900))\nreturn 1",
        before=WIRE,
        says="not an answer",
    ),
    forger(
        "an audit hook and a tracer",
        "return np.zeros((1, 6))",
        before="import sys, threading\ndef spy(event, *a):\n    if event == 'compile': raise RuntimeError\n"
        "def trace(frame, event, argument):\n    for name in ('values', 'given', 'result', 'fields'):\n"
        "        if isinstance(frame.f_locals.get(name), dict):\n"
        "            frame.f_locals[name].update(status='correct', points=20, score=20)\n    return trace\n"
        "sys.settrace(trace)\nthreading.settrace(trace)\nsys.setprofile(trace)\nsys.addaudithook(spy)",
    ),
    forger(
        "an audit hook that refuses the questions",
        "return np.zeros((1, 6))",
        before="import sys\ndef refuse(event, *a):\n    if event == 'exec': raise RuntimeError\n"
        "sys.addaudithook(refuse)",
        says="changed how Python itself runs code",
    ),
    forger(
        "clocks and timers replaced",
        "import time, signal\nsignal.setitimer(signal.ITIMER_PROF, 0)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0)\nwhile True: pass",
        before="import time\ntime.process_time = time.perf_counter = time.monotonic = lambda: 0.0",
        says="was stopped",
    ),
    forger(
        "built-ins replaced",
        "return np.zeros((1, 6))",
        before="import builtins\nfor n in ('isinstance', 'issubclass', 'all', 'any', 'len', 'sorted', 'callable'):\n"
        "    setattr(builtins, n, lambda *a, **k: True)",
    ),
    forger(
        "a thread that changes answers while they are written",
        "self.Z1 = self.A1 = self.A2 = shared\nreturn shared",
        before="import numpy as np, threading\nshared = np.zeros((1, 6))\ndef change():\n    while True:\n"
        "        shared[...] = np.random.randn(*shared.shape)\n        shared.shape = shared.shape[::-1]\n"
        "threading.Thread(target=change, daemon=True).start()",
    ),
    forger(
        "lazy and self-made arrays",
        "self.Z1 = (x for x in X)\nself.A1 = memoryview(X)\nself.Z2 = Lazy()\nself.A2 = range(10**9)\nreturn Lazy()",
        before="class Lazy:\n    dtype, shape, ndim = np.dtype(float), (1, 6), 2\n"
        "    __class__ = property(lambda self: np.ndarray)\n"
        "    __array_interface__ = {'shape': (1, 6), 'typestr': '<f8', 'data': (8, True), 'version': 3}\n"
        "    def __array__(self, *a, **k): return np.zeros((1, 6))\n    def __len__(self): return 10**18\n"
        "    def __iter__(self): return iter(int, 1)\n    def __getitem__(self, i): return self",
    ),
    # A line may follow from the student's own values, and those of a sham are as easily made: no more than that line.
    forger(
        "a sham that its report follows from",
        "self.A2 = np.full((1, X.shape[1]), 0.9)\nreturn self.A2",
        train="g = __import__('sys')._getframe(1).f_locals['given']\n"
        "    return 0.1, float(np.mean(g['Y'] > 0.5)), float(np.mean(g['Y_test'] > 0.5))",
        before="SimpleNeuralNetwork.compute_loss = lambda self, Y: 0.2\n"
        "SimpleNeuralNetwork.train = lambda self, *a, **k: [0.1]",
    ),
    Attack("points of a thousand", exercise=TANH, edit=raise_the_points),
    Attack("graded cells rewritten", exercise=TANH, edit=unlock_and_answer),
    Attack("saved scores", exercise=TANH, edit=save_scores),
    Attack("graded cells that say they are none", exercise=TANH, edit=not_graded),
    Attack("a file named like the kernel launcher", exercise=TANH, beside=_file("ipykernel_launcher.py", LAUNCHER)),
    Attack(
        "a package named like the grader",
        exercise=TANH,
        beside=_file("autograder/in_kernel.py", "def mark_question(*a): return 20.0"),
    ),
    Attack("a module named like numpy", beside=_file("numpy.py", "raise SystemExit"), first="import numpy"),
    Attack(
        "a sheet's module replaced",
        exercise=TANH,
        solved=True,
        points=20.0,
        beside=_file("simple_network.py", "raise SystemExit"),
    ),
)

READERS = (
    reader("the key by its path", "open('@KEY@').read()"),
    reader(
        "the key through libc",
        "(libc := ctypes.CDLL(None), b := ctypes.create_string_buffer(99), libc.read("
        "libc.open(b'@KEY@', 0), b, 99), b.raw.decode())[-1]",
    ),
    reader(
        "the course by walking",
        "str([open(os.path.join(d, f), errors='replace').read() "
        "for d, _, fs in os.walk('@COURSE@/reference') for f in fs])",
    ),
    reader(
        "the gradebook by SQL",
        "str(__import__('sqlite3').connect('@GRADEBOOK@').execute('select * from grade').fetchall())",
    ),
    reader("the gradebook as bytes", "open('@GRADEBOOK@', 'rb').read().decode('latin-1')[:3000]", control=""),
    reader("the neighbour's notebook", "open('@NEIGHBOUR@').read()[-400:]"),
    reader("the grader's home", "open('@HOME@/.ssh/id_rsa').read()"),
    reader("environments of all processes", "str([open(p).read() for p in glob.glob('/proc/*/environ')])", control=""),
    reader("its own environment", "str(dict(os.environ))", control=""),
    reader("other roots in /proc", "str([open(p + '@KEY@').read() for p in glob.glob('/proc/*/root')])", control=""),
    reader("open descriptors", "str([os.pread(n, 4000, 0) for n in range(3, 64) if not os.isatty(n)])", control=""),
    reader("its own memory", "open('/proc/self/mem', 'rb').read(10)", control=""),
    reader("a link beside the notebook", "open('data.csv').read()", control="", beside=_link("data.csv", "KEY")),
    reader(
        "a link to the gradebook beside the notebook",
        "open('data.csv', 'rb').read().decode('latin-1')[-3000:]",
        control="",
        beside=_link("data.csv", "GRADEBOOK"),
    ),
    reader(
        "a hard link beside the notebook",
        "open('data.csv').read()",
        control="",
        beside=_link("data.csv", "KEY", "hardlink_to"),
    ),
    reader(
        "a linked folder beside the notebook",
        "str(glob.glob('data/**', recursive=True)) + open('data/key.txt').read()",
        control="",
        beside=_link("data", "REFERENCE"),
    ),
    reader("a link made while running", "(os.symlink('@KEY@', 'here'), open('here').read())[1]", control="secret"),
    reader("the grader's package", "__import__('autograder.truth').__file__", control=""),
    reader("the sandbox's own code", "open('/sandbox/inside/../../@KEY@').read()", control=""),
    reader(
        "magics and shell",
        "str(get_ipython().getoutput('cat @KEY@')) + str(get_ipython().run_line_magic('load', '@KEY@'))",
        control="",
    ),
)

WRITERS = (
    Attack(
        "SQL on its own marks",
        control="changed",
        first="import sqlite3\nc = sqlite3.connect('@GRADEBOOK@')\n"
        "c.execute('update grade set extra_credit = 100')\nc.commit()",
    ),
    Attack(
        "SQL on a victim's marks",
        control="changed",
        first="import sqlite3\nc = sqlite3.connect('@GRADEBOOK@')\n"
        "c.execute(\"update grade set auto_score = 0 where student = 'neighbour'\")\nc.commit()",
    ),
    Attack("the neighbour's notebook overwritten", first="open('@NEIGHBOUR@', 'a').write(' ')", control="changed"),
    Attack("the course removed", first="import shutil\nshutil.rmtree('@COURSE@')"),
    Attack("the source notebook answered", first="open('@COURSE@/source/by_hand/worked_calculation.ipynb', 'w')"),
    Attack(
        "a start-up file for the next student",
        control="changed",
        first="import os\nfor home in ('@HOME@', os.path.expanduser('~')):\n"
        "    p = home + '/.ipython/profile_default/startup'\n    os.makedirs(p, exist_ok=True)\n"
        "    open(p + '/00.py', 'w').write('a2 = 1')",
    ),
    Attack("the grader's shell profile", first="open('@HOME@/.bashrc', 'a').write('touch x')", control="changed"),
    Attack(
        "a .pth file among the libraries",
        first="import numpy, os\nopen(os.path.dirname(os.path.dirname(numpy.__file__)) + '/@TOKEN@.pth', 'w')",
    ),
    Attack("permissions of the key", first="import os\nos.chmod('@KEY@', 0o777)", control="changed"),
    Attack("time stamps of the gradebook", first="import os\nos.utime('@GRADEBOOK@', (1, 1))", control="changed"),
    Attack("the key cut short", first="import os\nos.truncate('@KEY@', 0)", control="changed"),
    Attack("the key renamed", first="import os\nos.rename('@KEY@', '@KEY@.bak')", control="changed"),
    Attack("a hard link to the key", first="import os\nos.link('@KEY@', '@HOME@/key')", control="changed"),
    Attack(
        "temporary folders",
        first="import os\nfor d in ('/tmp', '/var/tmp', '/dev/shm', '/run', '/'):\n"
        "    try: open(d + '/@TOKEN@', 'w').write('x')\n    except OSError: pass",
    ),
    Attack(
        "a pickle beside the notebook",
        first="import pickle\npickle.load(open('model.pkl', 'rb'))",
        beside=_file("model.pkl", PICKLE),
    ),
    Attack(
        "a process that writes afterwards",
        first="import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'open(\"@UNTIL@\").read(); "
        'open("@HOME@/@TOKEN@", "w")\'], start_new_session=True)',
        control="left",
    ),
    Attack(
        "a forked daemon",
        control="left",
        first="import os\npid = os.fork()\nif pid == 0:\n    os.setsid()\n"
        "    if os.fork() == 0:\n        open('@UNTIL@').read()\n    os._exit(0)\nos.waitpid(pid, 0)",
    ),
)

NETWORK = (
    Attack(
        "a listener by TCP",
        control="reached",
        first="import socket\nsocket.create_connection(('127.0.0.1', @PORT@), timeout=1)",
    ),
    Attack(
        "a listener by its abstract name",
        control="reached",
        first="import socket\nsocket.socket(socket.AF_UNIX).connect('\\0@ABSTRACT@')",
    ),
    Attack(
        "a listener through urllib",
        control="reached",
        first="import urllib.request\nurllib.request.urlopen('http://127.0.0.1:@PORT@/', timeout=0.3)",
    ),
    Attack(
        "every other family",
        first="import socket\nopen_ones = []\nfor family in range(1, 46):\n"
        "    for kind in (1, 2, 3, 5):\n        try: open_ones.append(socket.socket(family, kind))\n"
        "        except OSError: pass\nassert not open_ones, open_ones\nraise RuntimeError('none opened')",
        says="none opened",
    ),
    Attack(
        "names and data sets",
        first="import sklearn.datasets, socket\ntry: socket.getaddrinfo('example.org', 80)\n"
        "finally: sklearn.datasets.fetch_california_housing()",
    ),
)

PROCESSES = (
    Attack("fork bomb", first="import os\nwhile True: os.fork()"),
    Attack("shell bomb", first="import subprocess\nwhile True: subprocess.Popen(['sh', '-c', 'sleep 9'])"),
    Attack("pool of processes", first="import multiprocessing\nmultiprocessing.Pool(50).map(abs, range(9))"),
    Attack(
        "kill everybody",
        first="import os, signal\nfor pid in (-1, 0, 1, 2, os.getppid()): os.kill(pid, signal.SIGKILL)",
    ),
    Attack("stop the parent", first="import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)"),
    Attack(
        "ptrace and foreign memory",
        first="import ctypes, os\nlibc = ctypes.CDLL(None)\n"
        "assert libc.ptrace(16, os.getppid(), 0, 0) == -1\nassert libc.ptrace(0, 0, 0, 0) == -1\n"
        "raise RuntimeError('refused')",
        says="refused",
    ),
    Attack(
        "signals ignored",
        first="import signal, time\nfor n in range(1, 65):\n"
        "    try: signal.signal(n, signal.SIG_IGN)\n    except Exception: pass\ntime.sleep(60)",
        says="was stopped",
    ),
    Attack("result descriptor closed", first="import os\nos.closerange(0, 300)", says="process"),
    Attack("result descriptor replaced", first="import os\nos.dup2(os.open('/dev/null', os.O_RDWR), 3)"),
    Attack(
        "threads that stay",
        first="import threading\ndef burn():\n    while True: pass\n"
        "for _ in range(8): threading.Thread(target=burn).start()",
    ),
    Attack("program images", first="import os, sys\nos.execv('/bin/sh', ['sh', '-c', 'touch @HOME@/@TOKEN@'])"),
)

RESOURCES = (
    Attack("fifty gigabytes", first="import numpy as np\nx = np.ones(50 * 2**27)", says="memory"),
    Attack("memory bit by bit", first="x = []\nwhile True: x.append(bytearray(2**22))", says="memory"),
    Attack("memory outside the address space", first="import os\nn = os.memfd_create('x')\nos.ftruncate(n, 2**34)"),
    Attack(
        "memory shared by its number",
        first="import ctypes\nassert ctypes.CDLL(None).shmget(0, 1 << 20, 0o1600) == -1\nraise RuntimeError('refused')",
        says="refused",
    ),
    Attack(
        "its own limits raised",
        exercise=TANH,
        says="not allowed to raise",
        cells=network("import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))"),
    ),
    Attack("a full disk", first="f = open('big', 'wb')\nwhile True: f.write(bytes(10**6))", says="raised an error"),
    Attack("many files", first="for n in range(10**7): open(str(n), 'wb').write(bytes(10**5))"),
    Attack("descriptors", first="import os\nwhile True: os.dup(0)", says="limit on open files"),
    Attack(
        "threads",
        first="import threading, time\nfor _ in range(9999): threading.Thread(target=time.sleep, "
        "args=(99,), daemon=True).start()",
    ),
    Attack("recursion", first="import sys\nsys.setrecursionlimit(10**9)\nf = lambda x: f(x)\nf(1)"),
    Attack("C stack", first="import ctypes\nctypes.string_at(0)", says="crash"),
    Attack("an integer of a billion digits", first="x = 7 ** (10 ** 9)", says="was stopped"),
    Attack("a lying .npy header", first="import numpy as np\nnp.load('data.npy')", beside=_file("data.npy", LYING_NPY)),
    Attack(
        "a zip bomb",
        first="import zlib\nb = open('data.z', 'rb').read()\nx = [zlib.decompress(b) for _ in range(99)]",
        beside=_file("data.z", ZIP_BOMB),
        says="memory",
    ),
    Attack("a flood of prints", first="while True: print('x' * 10_000)", says="put out more"),
    Attack("a flood past Python", first="import os\nfor _ in range(3000): os.write(1, b'x' * 10**6)"),
    Attack(
        "a flood of displays",
        first="from IPython.display import HTML, display\nwhile True: display(HTML('<b>' * 5000))",
        says="put out more",
    ),
    Attack("a flood of errors", first="raise ValueError('x' * 10**8)"),
    Attack(
        "a flood in a question", exercise=TANH, cells=network("while True: print('x' * 10_000)"), says="printed more"
    ),
)

TIME = (
    Attack("an endless loop", first="while True: pass", says="is there a loop that never ends?"),
    Attack(
        "a loop that swallows everything",
        first="while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        says="was stopped",
    ),
    Attack("a loop in C", first="sum(range(10**13))", says="was stopped"),
    Attack("sleep", first="import time\ntime.sleep(99)", says="was stopped"),
    Attack("a loop in an import", first="import mine", beside=_file("mine.py", "while True: pass"), says="was stopped"),
    Attack("a loop in __del__", first="class A:\n    def __del__(self):\n        while True: pass\na = A()\ndel a"),
    Attack("a loop at exit", first="import atexit, time\natexit.register(time.sleep, 99)"),
    Attack("a loop in a question", exercise=TANH, cells=network("while True: pass"), says="never ends"),
    Attack("a C loop in a question", exercise=TANH, cells=network("sum(range(10**13))"), says="was stopped"),
    Attack("sleep in a question", exercise=TANH, cells=network("import time; time.sleep(99)"), says="stopped after"),
    Attack("a regular expression", first="import re\nre.match('(a*)*b', 'a' * 60)", says="was stopped"),
)


def unlucky(name: str, first: str = "", *, last: str = "", points: float = 25.0, **rest: object) -> Attack:
    """An honest solution with something that must not cost it more than it is worth."""
    return Attack(name, first, last, solved=True, points=points, **rest)


LUCKLESS = (
    unlucky("print to stderr", "import sys\nprint('note', file=sys.stderr)"),
    unlucky("warnings and logging", "import logging, warnings\nwarnings.warn('old')\nlogging.warning('careful')"),
    unlucky("a score-like last line", "import numpy as np", last="np.float64(1.5)"),
    unlucky("os._exit in the last cell", last="import os\nos._exit(0)"),
    unlucky("a crash in the first cell", "import ctypes\nctypes.string_at(0)", says="crash"),
    unlucky("an exit in the middle", points=20.0, cells={"update": "import os\nos._exit(1)"}),
    unlucky("sys.exit and quit", "import sys\nsys.exit(0)", last="quit()"),
    unlucky("input", "name = input('who? ')"),
    unlucky("a breakpoint", last="breakpoint()"),
    unlucky("a loop in the last cell", last="sum(range(10**13))"),
    unlucky("magics of other machines", "%matplotlib notebook\n!pip install torch\n%pip install x", last="%%bash\nls"),
    unlucky("Python 2 prints", last="print 'done'"),
    unlucky("another folder", "import os\nos.chdir('/')"),
    unlucky("numpy's settings changed", "import numpy as np\nnp.seterr(all='raise')\nnp.set_printoptions(precision=1)"),
    unlucky("everything imported", "from numpy import *\nfrom math import *", exercise=TANH, points=20.0),
    unlucky("a name of the grader's", "np = None\nstudent = given = probe = 3"),
    unlucky(
        "a script in the output",
        "from IPython.display import HTML, Javascript, display\n"
        "display(HTML('<script>alert(1)</script>'), Javascript('alert(2)'))",
    ),
    unlucky("surrogates and symbols", "print('\\ud800 \\x00 \\x1b[31m é 😀')\n'\\ud800'"),
    unlucky("await at the top", last="import asyncio\nawait asyncio.sleep(0.01)"),
    unlucky("twenty figures", "import matplotlib.pyplot as plt\nfor _ in range(20): plt.figure()"),
    unlucky("graded cells twice", edit=duplicate_graded, says="was there twice"),
    unlucky("strange schema versions", edit=strange_schema),
    unlucky("no metadata on locked cells", edit=strip_metadata, says="recognised by its text"),
    unlucky("graded cells deleted", edit=drop_graded, says="was put back"),
    unlucky("graded cells as text", edit=graded_as_text),
    unlucky("graded cells first", edit=backwards),
    unlucky("20 MB of saved outputs", edit=many_outputs),
    unlucky("a thousand cells", edit=thousand_cells),
    unlucky("a display of bytes, past the harness", displayed("b'x'"), says="not an answer"),
    unlucky(
        "a display of an array, past the harness",
        displayed("msgpack.ExtType(1, bytes([11, 0]) + bytes(8))"),
        says="not an answer",
    ),
    unlucky("a display of no number, past the harness", displayed("float('nan')"), says="not an answer"),
    unlucky("thousands of files beside the notebook", beside=_many),
    unlucky("names in another encoding beside the notebook", beside=_misnamed),
    unlucky("a terabyte of nothing beside the notebook", beside=_sparse),
    unlucky("a socket beside the notebook", beside=_socket),
    unlucky(
        "a folder in the place of a module",
        exercise=TANH,
        points=20.0,
        beside=_file("simple_network/__init__.py", "raise SystemExit"),
    ),
    unlucky("a file in the place of the bytecode", beside=_file("__pycache__", "x")),
    unlucky("a pipe beside the notebook", beside=_pipe),
    unlucky("a link to a device beside the notebook", beside=_link("zeros", "ZERO")),
    unlucky("a device beside the notebook", beside=_device),
    unlucky("a loop of links", beside=_link("loop/again", "SUBMISSION")),
)

DEFAULT = (
    *FORGERS[:24:2], *READERS[:12:2], *WRITERS[:8:2], NETWORK[0], *PROCESSES[:5:2], *RESOURCES[:3:2], *LUCKLESS[:6:3],
)  # fmt: skip
"""Every kind of attack, run by `make test` at level full; the whole corpus is run at both levels by `make test-all`."""

QUICK = DEFAULT[::10]
"""Run by `make quick`, too."""

SAMPLE = (
    *FORGERS[2:20:6], *READERS[:6:2], READERS[5], *WRITERS[::5], NETWORK[0], *PROCESSES[3:9:5], LUCKLESS[0],
)  # fmt: skip
"""Run with the heavy tests in the other places where the grader may run; the whole corpus by `make test-all`."""

CORPUS = (*FORGERS, *READERS, *WRITERS, *NETWORK, *PROCESSES, *RESOURCES, *TIME, *LUCKLESS)
