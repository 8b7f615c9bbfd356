"""The page that says what the course asks."""

from autograder.build.overview import overview
from autograder.exercises import all_exercises


def test_every_part_of_every_exercise_has_its_row():
    page = overview(all_exercises())
    for exercise in all_exercises():
        assert f"`{exercise.name}`" in page
        for part in (*exercise.questions, *exercise.written):
            assert f"| {part.points:g} |" in page
            assert part.title.split(") ")[-1] in page
    rows = [line for line in page.splitlines() if line.startswith("|") and line.endswith("|")]
    marked = sum(len(ids) for exercise in all_exercises() for ids in exercise.parts.values())
    sheets = len({exercise.sheet for exercise in all_exercises()})
    assert len(rows) == marked + 2 * sheets
