"""The record of marks as JSON: described by its schema, versioned, and read back with care."""

import json
from dataclasses import fields, replace

import pytest
from jsonschema import Draft202012Validator

from autograder.marking import (
    SCHEMA,
    STATUSES,
    BadRecord,
    LineMark,
    Marks,
    Place,
    QuestionMark,
    Span,
    from_json,
    to_json,
)

SMALL = Marks(
    "ada",
    "training",
    "tanh_swap",
    (QuestionMark("q", "Q", 1.0, 2.0, "wrong", ("sign",), "m", (LineMark("a", "A", 1.0, 2.0, "wrong"),), ("r",)),),
    isolation="full",
    seed=3,
    notes=("n",),
)

PLACE = Place(
    "network", 12, 12, 20, 38, "A1 * (1 - A1)", "sigmoid'(Z1)", 2, "tanh'(Z1)", "Due is tanh'.", [[0.2]], [[0.9]]
)
SOUND = Span("network", 11, 11, 8, 14, "A2 - Y", "dZ2")
POINTED = replace(
    SMALL,
    questions=(
        replace(SMALL.questions[0], lines=(LineMark("a", "A", 1.0, 2.0, "wrong", place=PLACE),), sound=(SOUND,)),
    ),
)


@pytest.fixture(scope="module")
def schema(root):
    return json.loads((root / "autograder" / "marking" / "marks.schema.json").read_text())


def test_the_schema_is_a_schema_of_this_version(schema):
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == schema["properties"]["schema"]["const"] == SCHEMA


def test_the_schema_names_every_field_and_status(schema):
    names = {field.name for field in fields(Marks)}
    assert set(schema["properties"]) == names | {"schema", "points", "max_points"}
    assert set(schema["$defs"]["question"]["properties"]) == {field.name for field in fields(QuestionMark)}
    assert set(schema["$defs"]["line"]["properties"]) == {field.name for field in fields(LineMark)}
    assert set(schema["$defs"]["span"]["properties"]) == {field.name for field in fields(Span)}
    more = schema["$defs"]["span"]["properties"] | schema["$defs"]["place"]["properties"]
    assert set(more) == {field.name for field in fields(Place)}
    assert schema["$defs"]["status"]["enum"] == list(STATUSES)


def test_records_keep_to_the_schema_and_come_back(schema):
    validator = Draft202012Validator(schema)
    failed = Marks("bo", "training", "tanh_swap", (), error="not valid JSON")
    for marks in (SMALL, failed, POINTED):
        record = json.loads(json.dumps(to_json(marks)))
        assert not list(validator.iter_errors(record))
        assert from_json(record) == marks


@pytest.mark.parametrize(
    "damage",
    [{"points": -1}, {"isolation": "some"}, {"questions": [{"id": "q"}]}, {"schema": "other/v1"}, {"seed": "x"}],
)
def test_the_schema_refuses_what_is_no_record(schema, damage):
    assert not Draft202012Validator(schema).is_valid(to_json(SMALL) | damage)


@pytest.mark.parametrize(
    "damage",
    [
        {"line": "12"}, {"line": None}, {"line": 1.5}, {"col": -1}, {"code": 3}, {"due": 1}, {"visit": "2"},
        {"text": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_place_of_other_types_is_refused(schema, damage):
    record = to_json(POINTED)
    record["questions"][0]["lines"][0]["place"] |= damage
    assert not Draft202012Validator(schema).is_valid(record)
    with pytest.raises(BadRecord, match=next(iter(damage))):
        from_json(record)


@pytest.mark.parametrize(("field", "value"), [("place", {}), ("place", 3), ("sound", {}), ("sound", [{}])])
def test_a_place_that_is_none_is_refused(field, value):
    record = to_json(POINTED)
    question = record["questions"][0]
    (question if field == "sound" else question["lines"][0])[field] = value
    with pytest.raises(BadRecord, match="damaged"):
        from_json(record)


def test_a_record_without_places_is_read():
    record = to_json(SMALL)
    del record["questions"][0]["sound"], record["questions"][0]["lines"][0]["place"]
    assert from_json(record) == SMALL


def test_fields_of_a_later_version_are_skipped():
    record = to_json(SMALL) | {"mood": "good"}
    record["questions"][0]["colour"] = "red"
    assert from_json(record) == SMALL


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({}, "schema is None"),
        ([], "schema is None"),
        (to_json(SMALL) | {"schema": "backprop-autograder/marks/v9"}, "marks/v9"),
        ({key: value for key, value in to_json(SMALL).items() if key != "student"}, "student"),
        (to_json(SMALL) | {"questions": [3]}, "damaged"),
    ],
)
def test_other_data_is_refused_with_the_reason(record, said):
    with pytest.raises(BadRecord, match=said):
        from_json(record)


def test_a_record_without_the_newest_fields_is_read():
    record = to_json(SMALL)
    del record["digest"]
    assert from_json(record) == replace(SMALL, digest="")
