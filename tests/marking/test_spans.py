"""Spans: any piece of any source is found again by its lines and columns, and nothing else is."""

import ast
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.marking.spans import LINE_END, Span, offsets, span_of

SOURCES = st.text(alphabet="ab \té中𝛼\x0c\x85\u2028<&\r\n", max_size=40)


def at(source, start, end):
    """The span of source[start:end], counted in another way than the module does."""
    before, upto = LINE_END.split(source[:start]), LINE_END.split(source[:end])
    return Span("c", len(before), len(upto), len(before[-1]), len(upto[-1]), source[start:end])


@pytest.mark.slow
@given(SOURCES, st.data())
def test_a_span_is_found_where_it_stands(source, data):
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(source))] * 2)))
    if "\r\n" in (source[start - 1 : start + 1], source[end - 1 : end + 1]):
        return  # no span begins or ends between the two
    found = offsets(source, at(source, start, end))
    assert found == ((start, end) if start < end else None)


@given(SOURCES, st.builds(Span, st.just("c"), *[st.integers(-2, 9)] * 4, st.text(alphabet="ab \n", max_size=3)))
def test_what_does_not_stand_there_is_not_marked(source, span):
    found = offsets(source, span)
    assert found is None or source[slice(*found)] == span.code != ""


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_columns_of_ast_become_characters(end):
    source = end.join(["def f(é, 中):", "\tα = '\x0c\u2028𝛼' ; ß = é @ (中", "\t    + α)", ""])
    node = ast.parse(source).body[0].body[1].value
    span = span_of("c", source, node)
    assert (span.line, span.end_line) == (2, 3)
    assert span.code == f"é @ (中{end}\t    + α)"
    assert source[slice(*offsets(source, span))] == span.code
    assert ast.parse(span.code.replace("\t", "").replace(end, "")).body


def test_a_node_of_another_source_has_no_span():
    node = ast.parse("\n\n\na + b").body[0]
    assert span_of("c", "a + b", node) is None
    span = span_of("c", "\n\n\na + b", node)
    assert offsets("\n\n\na - b", span) is None
    assert offsets("\n\n\na + b", replace(span, line=0)) is None
