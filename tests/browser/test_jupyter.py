"""JupyterLab as a student sees it, and formgrader as an instructor does, clicked through in a real browser."""

import shutil

import browser
import nbformat
import pytest
from lab import FIND, click, fill_in, look_at, open_notebook, run_all, shown, text_of
from nbgrader_kit import make_course
from selenium.webdriver.common.by import By

from autograder.audit import load_variants
from autograder.build.submission import solutions
from autograder.exercises import load

pytestmark = pytest.mark.heavy

FORWARD = "return document.querySelector('#forward_values')?.placeholder"
"""The points of the first question in formgrader's marking view."""

ROW = "//tr[td[contains(@class,'student-id')][text()='{}']]/td[contains(@class,'{}')]/a"
"""A link in formgrader's list of submissions."""


@pytest.fixture(scope="module")
def student(tmp_path_factory, root):
    """A folder as a student has it: two sheets, as they were released."""
    folder = tmp_path_factory.mktemp("student")
    for sheet in ("training", "guide"):
        shutil.copytree(root / "assignments" / sheet, folder / sheet)
    return folder


@pytest.fixture(scope="module")
def lab(student):
    """JupyterLab in the student's folder."""
    with browser.jupyter_lab(student) as address:
        yield address


def test_a_student_opens_fills_runs_checks_and_validates(driver, lab, student, root, artefacts):
    solved = solutions(root, load("tanh_swap"))
    open_notebook(driver, lab("lab/tree/training/tanh_swap.ipynb"))
    browser.picture(driver, artefacts / "student-1-open.png")
    run_all(driver)
    untouched = shown(driver, "selfcheck_network", "NotImplementedError")
    assert "forward_pass is not written yet: replace the line" in untouched
    assert "train_on_moons is not written yet" in shown(driver, "selfcheck_moons", "NotImplementedError")
    picture = shown(driver, "compare", "not written yet")  # "Run All" went to the end, without tracebacks
    assert "Traceback" not in picture
    look_at(driver, "selfcheck_network")
    browser.picture(driver, artefacts / "student-2-untouched.png")
    fill_in(driver, solved)
    run_all(driver)
    checked = shown(driver, "selfcheck_network", "ok")
    assert "WRONG" not in checked
    shown(driver, "compare", "tanh")
    look_at(driver, "selfcheck_network")
    browser.picture(driver, artefacts / "student-3-checked.png")
    click(driver, xpath="//*[self::button or self::jp-button][contains(., 'Validate')]")
    dialog = browser.wait(driver, lambda one: text_of(one, ".jp-Dialog-content"), "Validate said nothing")
    browser.picture(driver, artefacts / "student-4-validated.png")
    assert "Success" in dialog
    saved = nbformat.read(student / "training" / "tanh_swap.ipynb", as_version=4)
    assert any("np.tanh" in cell.source for cell in saved.cells)


MATHS = FIND + "return cell.node.querySelectorAll('.jp-OutputArea mjx-container').length"
"""How many formulas of a cell's output are typeset."""


def test_a_student_practises_and_asks_for_one_step(driver, lab, student, artefacts):
    notebook = nbformat.read(student / "guide" / "practice.ipynb", as_version=4)
    end = next(i for i, cell in enumerate(notebook.cells) if cell.metadata.nbgrader.grade_id == "vanishing_text")
    notebook.cells = notebook.cells[:end]  # Lab draws only what is near the window
    nbformat.write(notebook, student / "guide" / "practice.ipynb")
    # in a workspace of its own: the other one would open its notebook again
    open_notebook(driver, lab("lab/workspaces/practice/tree/guide/practice.ipynb"))
    fill_in(driver, {"worked_check": "task.check(z1=[0.6, 9])", "worked_reveal": "task.reveal()"})
    run_all(driver)
    assert "1 of 2 entries are right. Look at entry [1]." in shown(driver, "worked_check", "z1")
    shown(driver, "worked_reveal", "the next step (14 left)")
    look_at(driver, "worked_reveal")
    browser.wait(driver, lambda one: one.execute_script(MATHS, "worked_reveal") == 1, "no formula is typeset")
    assert driver.execute_script(MATHS, "worked") == 7
    browser.picture(driver, artefacts / "student-5-practice.png")


@pytest.fixture(scope="module")
def course(tmp_path_factory, root):
    """An instructor's folder: one sheet, and two students who have handed in."""
    exercise = load("worked_calculation")
    solved = solutions(root, exercise)
    slip = load_variants(root, exercise).find("sigmoid-sign").apply(solved)
    return make_course(tmp_path_factory.mktemp("course"), root, ada=solved, carla=slip)


def succeeded(driver, what):
    """Wait for formgrader's dialog, check that it reports a success, and close it."""
    title = browser.wait(driver, lambda one: text_of(one, ".modal.in .modal-title"), f"{what}: formgrader said nothing")
    body = driver.find_element(By.CSS_SELECTOR, ".modal.in .modal-body").text
    assert title == "Success", body[-1500:]
    click(driver, ".modal.in .modal-footer .btn, .modal.in .modal-header .close")
    gone = ".modal, .modal-backdrop"
    browser.wait(driver, lambda one: not one.find_elements(By.CSS_SELECTOR, gone), "the dialog stays")


def test_an_instructor_releases_grades_comments_and_gives_feedback(driver, course, artefacts):
    browser.size(driver, 1300, 900)
    with browser.jupyter_lab(course) as address:
        driver.get(address("formgrader/manage_assignments"))
        click(driver, "td a:has(.glyphicon-education)")
        succeeded(driver, "releasing")
        browser.picture(driver, artefacts / "formgrader-1-assignments.png")
        assert (course / "assignments" / "by_hand" / "worked_calculation.ipynb").is_file()

        driver.get(address("formgrader/manage_submissions/by_hand"))
        for name in ("ada", "carla"):
            click(driver, xpath=ROW.format(name, "autograde"))
            succeeded(driver, f"grading {name}")
        rows = {
            cells[1]: cells[4]
            for row in driver.find_elements(By.CSS_SELECTOR, "#main-table tr")
            if len(cells := [cell.text for cell in row.find_elements(By.TAG_NAME, "td")]) > 4
        }
        assert rows == {"ada": "25 / 25", "carla": "23 / 25"}
        browser.picture(driver, artefacts / "formgrader-2-scores.png")

        earned = {}
        for number in (1, 2):  # submissions are anonymous here, in an order of their own
            driver.get(address("formgrader/gradebook/by_hand/worked_calculation"))
            click(driver, xpath=f"//td//a[contains(., 'Submission #{number}')]")
            found = browser.wait(driver, lambda one: one.execute_script(FORWARD), "no score in the marking view")
            earned[found] = driver.current_url
        assert sorted(earned) == ["6", "8"]
        driver.get(earned["6"])
        browser.wait(driver, lambda one: one.execute_script(FORWARD), "no score in the marking view")
        comment = driver.find_element(By.CSS_SELECTOR, "textarea.comment")
        comment.send_keys("Look at the exponent once more.")
        driver.execute_script("arguments[0].blur()", comment)
        browser.wait(driver, lambda one: one.execute_script("return !window.jQuery.active"), "not saved")
        browser.picture(driver, artefacts / "formgrader-3-marking.png", height=4000)

        driver.get(address("formgrader/manage_submissions/by_hand"))
        click(driver, xpath=ROW.format("carla", "generate-feedback"))
        succeeded(driver, "feedback")
    page = course / "feedback" / "carla" / "by_hand" / "worked_calculation.html"
    driver.get(page.as_uri())
    text = driver.find_element(By.TAG_NAME, "body").text
    assert "23 of 25 points" in text
    assert "Look at the exponent once more." in text
    browser.picture(driver, artefacts / "formgrader-4-feedback.png")
