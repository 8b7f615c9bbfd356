"""``pytest --submission PATH``: every question of a submitted notebook is a test item.

An item passes when the question has all its points, fails when it has not, and is an error when a person has to look.
``-k``, ``-x``, ``--junitxml`` and xdist work as usual, and the exit status is pytest's.

``autograder pytest PATH`` is the way in that cannot be used wrongly: nothing of a submission is collected or imported
by pytest, or read as its configuration, though the folder may hold a conftest.py or a pytest.ini. Who calls pytest
writes ``--submission=PATH`` with the equals sign. Without it pytest takes PATH for a test path before any plugin is
asked, and reads a pytest.ini there, which may load any module.
This module is imported in every pytest run of an environment that has the package, so it imports nothing heavy itself.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from autograder.grading.submissions import Submission
    from autograder.marking import Marks, QuestionMark
    from autograder.sandbox import Sandbox

ANCHOR = Path(__file__).with_name("marking") / "marks.schema.json"
"""pytest collects from paths. This one stands for the submissions, whose own paths it must not enter."""

SANDBOX = pytest.StashKey["Sandbox | Exception"]()
"""The sandbox of this process, or the reason why there is none."""

SEED = "submission_seed"
"""Key of the seed in what xdist hands to its workers."""


class LostPoints(Exception):
    """A question that has not all its points: the short message, and the table with every line."""

    def __init__(self, message: str, table: str) -> None:
        """Keep both texts."""
        super().__init__(message)
        self.table = table


class NeedsPerson(Exception):
    """A question that could not be marked. The message says why and what to do."""


class Words:
    """A failure as pytest prints it: our own words, without a traceback."""

    def __init__(self, text: str, message: str) -> None:
        """``message`` is for the line in the short summary and for JUnit XML, ``text`` for the report."""
        self.text = text
        self.reprcrash = SimpleNamespace(message=message)

    def toterminal(self, writer: Any) -> None:
        """Print the text."""
        writer.line(self.text)

    def __str__(self) -> str:
        """The text."""
        return self.text


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options; without ``--submission`` the plugin does nothing."""
    group = parser.getgroup("autograder", "marks of submitted notebooks")
    group.addoption(
        "--submission",
        action="append",
        metavar="PATH",
        help="a notebook, a student's folder or a submitted folder: every question becomes a test",
    )
    group.addoption("--submission-seed", type=int, metavar="N", help="seed of the challenges, for the same marks again")
    group.addoption(
        "--submission-isolation",
        choices=("auto", "full", "reduced", "none"),
        default="auto",
        help="'none' runs students' code unprotected: only for notebooks that you trust",
    )
    group.addoption("--submission-course", type=Path, metavar="DIR", help="the course's folder; found from here")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Load no conftest.py, and start again when the submission was taken for the folder of pytest's configuration.

    Raises UsageError when pytest was started inside the submission, or has read its configuration.
    """
    paths = early_config.known_args_namespace.submission
    if not paths:
        return
    folders = [Path(path).resolve() for path in paths]
    if any(early_config.invocation_params.dir.is_relative_to(folder) for folder in folders):
        raise pytest.UsageError("pytest was started inside a submission: start it in the course's folder.")
    if any(early_config.rootpath.is_relative_to(folder) for folder in folders):
        if early_config.inipath is not None:
            raise pytest.UsageError(
                f"pytest has read {early_config.inipath}, which belongs to a submission: "
                "write --submission=PATH, with the equals sign, and it will not."
            )
        sys.exit(pytest.main(_joined(early_config.invocation_params.args), early_config.invocation_params.plugins))
    early_config.known_args_namespace.noconftest = True


def _joined(arguments: Iterable[str]) -> list[str]:
    """The arguments with ``--submission PATH`` as one word, which pytest cannot take for a test path."""
    joined: list[str] = []
    for argument in map(str, arguments):
        if joined and joined[-1] == "--submission":
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def pytest_configure(config: pytest.Config) -> None:
    """Point the collection at the submissions alone. Raises UsageError for what cannot be combined."""
    if not config.getoption("submission"):
        return
    if config.args_source is config.ArgsSource.ARGS and config.args != [str(ANCHOR)]:
        raise pytest.UsageError("--submission takes the place of test paths: select questions with -k.")
    config.option.submission_seed = getattr(config, "workerinput", {}).get(SEED, config.option.submission_seed)
    if config.option.submission_seed is None:
        from autograder.grading.grade import fresh_seed

        config.option.submission_seed = fresh_seed()
    config.args = [str(ANCHOR)]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give every worker of xdist the same seed."""
    node.workerinput[SEED] = node.config.option.submission_seed


def pytest_report_header(config: pytest.Config) -> str | None:
    """The seed, so that the same marks can be had again."""
    if not config.getoption("submission"):
        return None
    return f"submissions: {', '.join(config.getoption('submission'))} (seed {config.option.submission_seed})"


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The submissions in the place of the anchor."""
    if parent.config.getoption("submission") and file_path == ANCHOR:
        return Submissions.from_parent(parent.session, path=file_path, nodeid="submissions")
    return None


class Submissions(pytest.File):
    """All submissions that the options name."""

    def collect(self) -> Iterator[Notebook]:
        """One node per notebook. Raises CollectError when there is none."""
        from autograder.course import CourseError, find_root
        from autograder.grading.finding import NothingToGrade, find

        paths = [Path(path) for path in self.config.getoption("submission")]
        try:
            found = find(paths, find_root(self.config.getoption("submission_course"), graded=paths))
        except (CourseError, NothingToGrade) as problem:
            raise self.CollectError(str(problem)) from None
        names: set[str] = set()
        for submission in found:
            name = f"{submission.student}/{submission.exercise}" if submission.student else submission.exercise
            name = str(submission.path) if name in names else name
            names.add(name)
            yield Notebook.from_parent(self, name=name, nodeid=name, path=submission.path, submission=submission)


class Notebook(pytest.Collector):
    """One submitted notebook; it is graded once, when its first question runs."""

    def __init__(self, *, submission: Submission, **kwargs: Any) -> None:
        """``submission`` says whose notebook it is and where it lies."""
        super().__init__(**kwargs)
        self.submission = submission
        self._marks: Marks | None = None

    def collect(self) -> Iterator[Question]:
        """One item per question, or a single one that tells why there are none."""
        from autograder.exercises import load

        problem = self.submission.problem
        names = ["notebook"] if problem else [question.id for question in load(self.submission.exercise).questions]
        for name in names:
            # in xdist's eyes what stands before the colons is a file: with --dist loadfile it is graded once
            yield Question.from_parent(self, name=name, nodeid=f"{self.nodeid}::{name}")

    def marks(self) -> Marks:
        """The marks. Raises NeedsPerson when there is no isolation here or no course."""
        if self._marks is None:
            from autograder.course import CourseError, find_root
            from autograder.grading.many import grade
            from autograder.sandbox import SandboxUnavailable

            try:
                paths = [Path(path) for path in self.config.getoption("submission")]
                root = find_root(self.config.getoption("submission_course"), graded=paths)
                seed = self.config.option.submission_seed
                self._marks = grade(self.submission, _sandbox(self.config), root=root, seed=seed)
            except (CourseError, SandboxUnavailable) as problem:
                raise NeedsPerson(str(problem)) from None
        return self._marks


class Question(pytest.Item):
    """One question of one notebook."""

    parent: Notebook

    def setup(self) -> None:
        """Grade the notebook if that is still to be done. Raises NeedsPerson, which pytest counts as an error."""
        marks = self.parent.marks()
        if marks.error:
            raise NeedsPerson(marks.error)
        if marks.question(self.name).status == "grader_error":
            raise NeedsPerson(marks.question(self.name).message)

    def runtest(self) -> None:
        """Pass with all points. Raises LostPoints."""
        from autograder.views import words
        from autograder.views.cell import to_text

        marks = self.parent.marks()
        question: QuestionMark = marks.question(self.name)
        self.user_properties += [
            ("points", question.points),
            ("max_points", question.max_points),
            ("status", question.status),
            ("isolation", marks.isolation),
            ("seed", marks.seed),
        ]
        if question.points < question.max_points:
            earned = f"{words.points(question.points)} of {words.points(question.max_points)} points"
            notes = "".join(f"\n{note}" for note in marks.notes)
            raise LostPoints(f"{earned}. {words.summary(question)}".strip(), to_text(question) + notes)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where the notebook lies, and the question's name."""
        return self.path, None, self.nodeid


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Our own words for what we raise, in set-up too; pytest's traceback for the rest."""
    report = yield
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, LostPoints):
        report.longrepr = Words(error.table, str(error))
    elif isinstance(error, NeedsPerson):
        report.longrepr = Words(f"A person has to look: {error}", str(error))
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """One line per notebook with the points of the questions that ran."""
    if not config.getoption("submission"):
        return
    from autograder.views import words

    totals: dict[str, tuple[float, float]] = {}
    for name, properties in _properties(terminalreporter.stats.values()):
        notebook = name.partition("::")[0]
        earned, most = totals.get(notebook, (0.0, 0.0))
        totals[notebook] = earned + properties["points"], most + properties["max_points"]
    if totals:
        terminalreporter.section("marks")
    for notebook, (earned, most) in totals.items():
        terminalreporter.line(f"{notebook}: {words.points(earned)} / {words.points(most)} points")


def _properties(reports: Iterable[Iterable[Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for report in (report for outcome in reports for report in outcome):
        properties = dict(getattr(report, "user_properties", ()))
        if getattr(report, "when", "") == "call" and "points" in properties:
            yield report.nodeid, properties


def _sandbox(config: pytest.Config) -> Sandbox:
    """The sandbox of this process, started once. Raises SandboxUnavailable, again at every call."""
    from autograder.sandbox import Sandbox, SandboxUnavailable

    if SANDBOX not in config.stash:
        try:
            sandbox = config.stash[SANDBOX] = Sandbox(level=config.getoption("submission_isolation"))
        except SandboxUnavailable as problem:
            config.stash[SANDBOX] = problem
        else:
            config.add_cleanup(sandbox.close)
    found = config.stash[SANDBOX]
    if isinstance(found, Exception):
        raise found
    return found
