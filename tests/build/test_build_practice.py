"""The steps of the practice tasks are those of the exercise, written by the build."""

from autograder.build import practice
from autograder.exercises import worked_calculation


def test_the_toolkit_has_the_steps_of_the_exercise(root):
    text = (root / practice.PATH).read_text(encoding="utf-8")
    assert practice.renewed(text) == text
    for step in worked_calculation.ALL:
        assert f'    Step("{step.name}", "{step.formula}", ' in text


def test_what_differs_is_written_anew_and_the_rest_is_kept(tmp_path):
    path = tmp_path / practice.PATH
    path.parent.mkdir(parents=True)
    path.write_text(f"before\n{practice.BEGIN}WORKED_STEPS = ()\n{practice.END}after\n")
    assert practice.renew(tmp_path) == [practice.PATH]
    assert practice.renew(tmp_path) == []
    text = path.read_text()
    assert text.startswith("before\n")
    assert text.endswith(f"{practice.END}after\n")
    assert '("W1 @ x", "The bias is left out. Which numbers does each unit add?")' in text


def test_a_toolkit_without_a_place_for_steps_is_left_alone(tmp_path):
    assert practice.renew(tmp_path) == []
    assert practice.renewed("x = 1\n") == "x = 1\n"
