"""Submissions graded through the real path: isolated, then marked."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import numpy as np
import pytest

from autograder.exercises import load
from autograder.grading.finding import NothingToGrade, find
from autograder.grading.grade import execute, give_marks, grade_notebook, prepare
from autograder.grading.many import grade, grade_all
from autograder.grading.submissions import Submission, own_files
from autograder.marking import to_json


@pytest.fixture
def marked(root, sandbox, submission):
    """marked(exercise, **cells): the marks of the solved notebook with some cells replaced."""

    def run(name, *, seed=1, full=False, **cells):
        return grade_notebook(submission(name, **cells), load(name), sandbox, root=root, seed=seed, full=full).marks

    return run


@pytest.mark.parametrize("name", ["worked_calculation", pytest.param("tanh_swap", marks=pytest.mark.slow)])
def test_the_solution_gets_full_marks_with_and_without_what_is_for_the_eye(marked, name):
    only_marks, full = marked(name), marked(name, full=True)
    assert only_marks.points == full.points == only_marks.max_points
    assert only_marks.questions == full.questions
    assert only_marks.isolation == "full"


@pytest.mark.slow
def test_the_same_seed_gives_the_same_record(marked):
    wrong = "class TanhNetwork(SimpleNeuralNetwork):\n    pass"
    one, two = (to_json(marked("tanh_swap", network=wrong)) for _ in range(2))
    for record in (one, two):
        del record["seconds"]
    assert one == two


def test_a_wrong_first_value_costs_its_line_and_the_first_wrong_line_is_named(marked):
    marks = marked(
        "worked_calculation",
        forward="import math\nsigma = lambda z: 1 / (1 + math.exp(-z))\nz1 = [1.2, 2.2]\na1 = [0.7, 0.9]\n"
        "z2 = 0.9 * a1[0] + 0.7 * a1[1] + 0.2\na2 = sigma(z2)",
    )
    lost = {line.name: line.max_points - line.points for q in marks.questions for line in q.lines if line.points == 0}
    assert lost == {"a1": 2}
    assert marks.points == 23
    assert marks.question("forward_values").message.startswith("a1: ")
    assert all(line.own for line in marks.question("gradient_values").lines if line.name != "db2" or line.own)


OPEN = {
    "gradients": "dz2 = ...\ndW2 = [..., ...]\ndb2 = ...\ndz1 = [..., ...]\ndW1 = [[..., ...], [...]]\ndb1 = [...]",
    "update": "W2_new = ...\nb2_new = ...\nW1_new = ...\nb1_new = ...",
}


def test_what_is_left_open_costs_only_itself(marked):
    marks = marked("worked_calculation", **OPEN)
    assert [question.points for question in marks.questions] == [8, 2, 0, 0]
    for question in marks.questions[2:]:
        assert {line.status for line in question.lines} == {"missing"}
        assert all(line.message == f"`{line.name}` has no value: fill it in." for line in question.lines)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("lambda: 4", "`loss` is a function (was it not called?), not a number or an array of numbers."),
        ("{1, 2}", "`loss` is a set, not a number or an array of numbers."),
        ("(x for x in [1])", "`loss` is a generator, not a number or an array of numbers."),
        ("{'loss': 1}", "`loss` is a dictionary, not an array of numbers."),
        ("{1: 2}", "`loss` has a key that is not a short text."),
        ("[1, {2}]", "`loss`: its entry [1] is a set, not a number or an array of numbers."),
        ("__import__('numpy').zeros((2000, 2000))", "`loss` is far larger than anything that is asked for: an array "
         "of shape (2000, 2000)."),
    ],
)  # fmt: skip
def test_one_unreadable_value_costs_itself_and_says_what_it_is(marked, code, message):
    marks = marked("worked_calculation", loss=f"y = 0.8\nloss = {code}")
    assert marks.points == 23
    assert marks.question("loss_value").lines[0].message == message


def test_a_value_counts_where_its_question_stands(marked):
    """A later cell that uses the names for something else costs nothing."""
    marks = marked("worked_calculation", update="loss, z1, dW2 = 7, 7, 7\nb2_new = 0.1994")
    assert [question.points for question in marks.questions] == [8, 2, 10, 1]


def test_a_value_that_a_later_cell_corrects_counts(marked):
    """Also where the question stands before the answer."""
    late = "loss = 0.0004331\nz1 = [1.2, 2.2]"
    for early in ("y = 0.8", "y = 0.8\nloss = ...", "y = 0.8\nloss = 0.9"):
        marks = marked("worked_calculation", loss=early, update=late)
        assert marks.question("loss_value").points == 2


@pytest.mark.slow
def test_gradients_that_were_there_before_an_error_count(marked):
    network = """
class TwoHiddenNetwork(TwoHiddenBase):
    def backward_pass(self, X, Y):
        m = Y.shape[1]
        dZ3 = (self.A3 - Y) / m
        self.dW3, self.db3 = dZ3 @ self.A2.T, dZ3.sum(axis=1, keepdims=True)
        dZ2 = (self.W3 @ dZ3) * self.A2 * (1 - self.A2)
        self.dW2 = dZ2 @ self.A1.T
"""
    question = marked("two_hidden_layers", backward=network).question("six_gradients")
    earned = {line.name: line.points for line in question.lines}
    assert earned == {"dW3": 1, "db3": 1, "dW2": 0, "db2": 0, "dW1": 0, "db1": 0}
    assert all("your code raised ValueError: (1, " in line.message for line in question.lines[2:])
    assert all("(`backward_pass`, line 6: `dZ2 = " in line.message for line in question.lines[2:])


def test_a_cell_that_ends_the_process_costs_what_it_would_have_defined(marked):
    marks = marked("worked_calculation", update="import os\nos._exit(1)")
    assert marks.points == 20
    assert any("was stopped" in note for note in marks.notes)


@pytest.mark.slow
def test_a_cell_that_raises_is_told(marked):
    marks = marked("worked_calculation", loss="y = 0.8\nlos = a2 - undefined")
    assert marks.points == 23
    assert any("NameError" in note for note in marks.notes)


def test_patched_comparisons_and_lying_objects_earn_nothing(marked):
    marks = marked(
        "tanh_swap",
        network="""
import numpy as np
np.allclose = lambda *a, **k: True
class Equal(np.ndarray):
    __eq__ = __le__ = lambda self, other: True
class TanhNetwork(SimpleNeuralNetwork):
    def forward_pass(self, X):
        self.Z1 = self.A1 = self.Z2 = self.A2 = np.full((2, 2), 7.0).view(Equal)
        return self.A2
    def backward_pass(self, X, Y):
        self.dW1 = self.db1 = self.dW2 = self.db2 = np.full((2, 2), 7.0).view(Equal)
""",
        train_on_moons="def train_on_moons(*args): return 1, 1, 1",
    )
    assert marks.points == 0


@pytest.mark.slow
def test_the_key_is_not_in_the_process_that_runs_the_students_code(marked, submission, sandbox, root):
    looks = """
import os, sys, json
seen = {
    "modules": [m for m in sys.modules if m.split(".")[0] == "autograder"],
    "folders": [d for d, _, fs in os.walk("/") if "worked_calculation.py" in fs or "exercise.py" in fs],
    "environment": sorted(os.environ),
}
try:
    import autograder.truth
    seen["import"] = True
except ImportError:
    seen["import"] = False
print(json.dumps(seen))
"""
    graded = grade_notebook(
        submission("worked_calculation", update=looks),
        load("worked_calculation"),
        sandbox,
        root=root,
        seed=1,
    )
    printed = "".join(output.get("text", "") for outputs in graded.outputs.values() for output in outputs)
    assert '"modules": []' in printed
    assert '"folders": []' in printed
    assert '"import": false' in printed


def test_hidden_challenges_are_not_echoed_in_the_record(marked):
    """The student's code sees its inputs; what it prints must not come back from the questions."""
    marks = marked(
        "tanh_swap",
        network="class TanhNetwork(SimpleNeuralNetwork):\n    def forward_pass(self, X):\n        print('INPUT', X)\n"
        "        raise ValueError('no')",
    )
    assert {question.points for question in marks.questions if question.id != "training_report"} == {0}
    assert "INPUT" not in str(to_json(marks))


def hand_in(folder: Path, student: str, name: str, notebook) -> Path:
    path = folder / student / load(name).sheet / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def test_submissions_are_found_by_notebook_student_and_tree(tmp_path, submission):
    tree = tmp_path / "submitted"
    for student in ("ada", "bo"):
        hand_in(tree, student, "worked_calculation", submission("worked_calculation"))
    path = hand_in(tree, "ada", "tanh_swap", submission("tanh_swap"))
    assert [(s.student, s.exercise) for s in find([tree])] == [
        ("ada", "worked_calculation"),
        ("ada", "tanh_swap"),
        ("bo", "worked_calculation"),
    ]
    assert {s.student for s in find([tree / "bo"])} == {"bo"}
    assert find([path]) == [Submission("ada", "training", "tanh_swap", path)]
    assert len(find([path, tree])) == 3


@pytest.mark.parametrize("what", ["nowhere", "empty", "nowhere/tanh_swap.ipynb"])
def test_paths_without_a_notebook_are_refused(tmp_path, what):
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingToGrade):
        find([tmp_path / what])


def test_one_bad_notebook_does_not_stop_the_others(tmp_path, root, sandbox, submission):
    tree = tmp_path / "submitted"
    hand_in(tree, "ada", "worked_calculation", submission("worked_calculation"))
    hand_in(tree, "bo", "worked_calculation", submission("worked_calculation")).write_text("{")
    stray = hand_in(tree, "cy", "tanh_swap", submission("tanh_swap"))
    stray.rename(stray.with_name("homework.ipynb"))
    misplaced = tree / "di" / "by_hand" / "tanh_swap.ipynb"
    misplaced.parent.mkdir(parents=True)
    nbformat.write(submission("tanh_swap"), misplaced)
    with ThreadPoolExecutor(2) as pool:
        found = {s.student: marks for s, marks in grade_all(find([tree]), sandbox, pool, root=root, seed=1)}
    assert found["ada"].points == 25
    assert "not valid JSON" in found["bo"].error
    assert (found["cy"].exercise, found["cy"].points) == ("tanh_swap", 20)  # its questions say what it is
    assert "move it to di/training/" in found["di"].error
    assert all(found[student].needs_person for student in ("bo", "di"))
    assert not any(found[student].needs_person for student in ("ada", "cy"))


def test_an_error_of_the_grader_goes_to_a_person(tmp_path, root, sandbox, submission, monkeypatch):
    path = hand_in(tmp_path, "ada", "worked_calculation", submission("worked_calculation"))

    def broken(*args, **kwargs):
        raise RuntimeError("broken")

    monkeypatch.setattr("autograder.grading.many.grade_notebook", broken)
    marks = grade(find([path])[0], sandbox, root=root, seed=1)
    assert marks.needs_person
    assert "The grader failed" in marks.error


def test_a_students_own_module_is_laid_beside_the_notebook(tmp_path, root, sandbox, submission):
    notebook = submission("worked_calculation", loss="y = 0.8\nfrom mine import loss")
    path = hand_in(tmp_path, "ada", "worked_calculation", notebook)
    (path.parent / "mine.py").write_text("loss = 4.330683e-4\n")
    assert grade(find([path])[0], sandbox, root=root, seed=1).points == 25


def test_links_and_large_files_beside_a_notebook_are_left_out(tmp_path, monkeypatch):
    (tmp_path / "small.txt").write_bytes(b"1")
    (tmp_path / "link.txt").symlink_to("/etc/passwd")
    (tmp_path / "hard.txt").hardlink_to(tmp_path / "small.txt")
    (tmp_path / "other.txt").write_bytes(b"2")
    (tmp_path / "large.bin").write_bytes(bytes(2000))
    monkeypatch.setattr("autograder.grading.submissions.MAX_FILES_BYTES", 1000)
    assert own_files(tmp_path) == {"other.txt": b"2"}


def test_a_students_file_does_not_replace_the_sheets(tmp_path, root, sandbox, submission):
    path = hand_in(tmp_path, "ada", "tanh_swap", submission("tanh_swap"))
    (path.parent / "simple_network.py").write_text("raise SystemExit")
    assert grade(find([path])[0], sandbox, root=root, seed=1).points == 20


@pytest.mark.slow
def test_seeds_draw_different_challenges_and_the_same_marks(marked):
    slip = "class TanhNetwork(SimpleNeuralNetwork):\n    pass\n"
    points = {seed: marked("tanh_swap", seed=seed, network=slip).points for seed in (1, 2, 3)}
    assert len(set(points.values())) == 1, "the marks must not depend on the luck of the draw"
    assert np.isfinite(points[1])


MEASURED = """class TanhNetwork(SimpleNeuralNetwork):
    def forward_pass(self, X):
        self.Z1 = self.W1 @ X + self.b1
        self.A1 = np.tanh(self.Z1)
        self.Z2 = self.W2 @ self.A1 + self.b2
        self.A2 = 1 / (1 + np.exp(-self.Z2))
        return self.A2

    def backward_pass(self, X, Y):
        def loss():
            self.forward_pass(X)
            return self.compute_loss(Y)

        for name in ("W1", "b1", "W2", "b2"):
            values = getattr(self, name)
            found = np.zeros(values.shape)
            for at in np.ndindex(values.shape):
                kept = values[at]
                values[at] = kept + 1e-5
                above = loss()
                values[at] = kept - 1e-5
                found[at] = (above - loss()) / 2e-5
                values[at] = kept
            setattr(self, "d" + name, found)
"""


@pytest.mark.slow
def test_the_courses_setting_decides_what_differences_of_the_loss_cost(root, sandbox, submission, tmp_path):
    """The same answers are marked twice: as the course is given, and with one line more in its configuration."""
    (tmp_path / "source").symlink_to(root / "source")
    config = (root / "nbgrader_config.py").read_text()
    exercise, notebook = load("tanh_swap"), submission("tanh_swap", network=MEASURED)
    ran = None
    for text, points in ((config, [4, 8]), (f"{config}c.IsolatedExecute.differences_cost = True\n", [0, 0])):
        (tmp_path / "nbgrader_config.py").write_text(text)
        prepared = prepare(notebook, exercise, root=tmp_path, seed=1)
        ran = ran or execute(sandbox, prepared.marks_job, prepared.whole.job)
        marks = give_marks(prepared, ran).marks
        assert [marks.question(name).points for name in ("output_gradients", "hidden_gradients")] == points
