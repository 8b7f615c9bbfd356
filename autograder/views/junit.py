"""Marks as JUnit XML, which GitLab, Jenkins, Artemis and many others show: one suite per notebook, one case a question.

The points are properties of a case. A case with all its points passes, one that lost points fails, and one that needs
a person is an error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from autograder.marking import Marks, QuestionMark
from autograder.views import words
from autograder.views.cell import to_text

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold; what a student printed may have them."""


def junit(all_marks: Sequence[Marks]) -> str:
    """One XML document for any number of notebooks."""
    suites = ET.Element("testsuites", name="autograder")
    for marks in all_marks:
        suites.append(_suite(marks))
    for count in ("tests", "failures", "errors"):
        suites.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _suite(marks: Marks) -> ET.Element:
    name = ".".join(part for part in (marks.student, marks.exercise) if part)
    suite = ET.Element("testsuite", name=_text(name), time=f"{marks.seconds:.3f}", skipped="0")
    _properties(suite, points=marks.points, max_points=marks.max_points, isolation=marks.isolation, seed=marks.seed)
    if marks.error:
        case = ET.SubElement(suite, "testcase", classname=_text(name), name="notebook", time="0")
        ET.SubElement(case, "error", message=_text(marks.error), type="needs_person")
    for question in marks.questions:
        suite.append(_case(name, question))
    if marks.notes:
        ET.SubElement(suite, "system-out").text = _text("\n".join(marks.notes))
    for count, tag in (("tests", "testcase"), ("failures", "testcase/failure"), ("errors", "testcase/error")):
        suite.set(count, str(len(suite.findall(tag))))
    return suite


def _case(suite: str, question: QuestionMark) -> ET.Element:
    case = ET.Element("testcase", classname=_text(suite), name=_text(question.id), time="0")
    _properties(
        case,
        title=question.title,
        points=question.points,
        max_points=question.max_points,
        status=question.status,
        mistakes=" ".join(question.mistakes),
    )
    if question.status == "grader_error":
        ET.SubElement(case, "error", message=_text(question.message), type="grader_error")
    elif question.points < question.max_points:
        earned = f"{words.points(question.points)} of {words.points(question.max_points)} points"
        failure = ET.SubElement(case, "failure", message=_text(f"{earned}. {words.summary(question)}".strip()))
        failure.set("type", question.status)
        failure.text = _text(to_text(question))
    return case


def _properties(parent: ET.Element, **values: object) -> None:
    properties = ET.SubElement(parent, "properties")
    for name, value in values.items():
        text = f"{value:g}" if isinstance(value, float) else str(value)
        ET.SubElement(properties, "property", name=name, value=_text(text))


def _text(text: str) -> str:
    return NOT_XML.sub("\ufffd", text)
