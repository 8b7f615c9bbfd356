"""What `autograder grade --gradebook` leaves is what `nbgrader autograde` would have left."""

import shutil
import subprocess
import sys

import pytest
from class_kit import NAME, SHEET, autograded, hand_in, hand_in_again, hand_in_class, make_course, rows, solved
from nbgrader_kit import nbgrader


def run(course, *arguments, status=0):
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=course, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == status, done.stderr[-3000:] + done.stdout[-2000:]
    return done


@pytest.mark.heavy
def test_gradebook_and_notebooks_are_those_of_nbgrader(tmp_path, root):
    theirs = make_course(tmp_path / "theirs", root, (NAME, "tanh_swap"))
    hand_in_class(theirs, root)
    hand_in(theirs, "ada", solved(root, "tanh_swap"), "tanh_swap")
    ours = tmp_path / "ours"
    shutil.copytree(theirs, ours, symlinks=True)
    for sheet in (SHEET, "training"):
        nbgrader(theirs, "autograde", sheet)
    run(ours, "autograder", "grade", "submitted", "--gradebook", "--seed", "7")
    expected, found = rows(theirs), rows(ours)
    assert len(expected["submitted_assignment"]) == 9
    assert expected.keys() == found.keys()
    for table in expected:
        assert found[table] == expected[table], table
    expected, found = autograded(theirs), autograded(ours)
    assert found.keys() == expected.keys()
    for name in expected:
        assert found[name] == expected[name], name
    assert not (ours / ".autograder" / "staging").exists()
    again = run(ours, "autograder", "grade", "submitted", "--gradebook")
    assert "9 unchanged" in again.stdout
    assert again.stderr == ""  # quiet where nobody looks
    assert rows(ours) == rows(theirs)

    for course in (theirs, ours):
        hand_in_again(course, root)
    nbgrader(theirs, "autograde", SHEET, "--force", status=1)
    said = run(ours, "autograder", "grade", "submitted", "--gradebook", status=1).stdout
    assert "cy worked_calculation: worked_calculation.ipynb is not valid JSON" in said
    assert rows(ours) == rows(theirs)
    assert autograded(ours) == autograded(theirs)
    assert len([row for row in rows(ours)["grade"] if '"cy/' in row and '"auto_score": null' not in row]) == 0
