"""Values cross the border unchanged, and nothing else does."""

from __future__ import annotations

import contextlib
import tracemalloc
from decimal import Decimal
from fractions import Fraction

import msgpack
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.sandbox.inside import codec
from autograder.sandbox.inside.codec import BadValue, decode, encode, plain, values_of

CAP = 1 << 20
SHAPES = hnp.array_shapes(min_dims=0, min_side=0)
ARRAYS = st.sampled_from(codec.DTYPES).flatmap(lambda dtype: hnp.arrays(dtype, SHAPES))
LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=20) | ARRAYS
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def same(left: object, right: object) -> bool:
    if isinstance(left, np.ndarray):
        return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and (left == right or left != left)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(VALUES)
def test_what_goes_in_comes_out(value: object) -> None:
    if _depth(value) > codec.MAX_DEPTH:
        with pytest.raises(BadValue, match="nested deeper"):
            plain(value)
    else:
        assert same(decode(encode(plain(value), max_bytes=CAP), max_bytes=CAP), value)


def _depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_give_a_value_or_bad_value(data: bytes) -> None:
    with contextlib.suppress(BadValue):
        decode(data, max_bytes=CAP)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(VALUES, st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4))
def test_damaged_bytes_give_a_value_or_bad_value(value: object, damage: list[tuple[int, int]]) -> None:
    try:
        data = bytearray(encode(plain({"x": value}), max_bytes=CAP))
    except BadValue:
        return
    for place, byte in damage:
        data[place % len(data)] = byte
    with contextlib.suppress(BadValue):
        values_of(bytes(data), max_bytes=CAP)


def _array(kind: int, *shape: int, body: bytes = b"") -> bytes:
    head = bytes([kind, len(shape)]) + b"".join(size.to_bytes(8, "big") for size in shape)
    return msgpack.packb(msgpack.ExtType(1, head + body))


@pytest.mark.parametrize(
    "data",
    [
        _array(11, 2**40),
        _array(11, 2**63, 2**63),
        _array(11, 0, 2**62),
        _array(11, 3, body=b"x" * 8),
        _array(99, 1, body=b"x" * 8),
        _array(11, *[1] * 9, body=b"x" * 8),
        msgpack.packb(msgpack.ExtType(1, b"")),
        msgpack.packb(msgpack.ExtType(7, b"x")),
        msgpack.packb(msgpack.Timestamp(1)),
        msgpack.packb({1: 2}),
        b"\x91" * 100_000 + b"\xc0",
        b"\xdd\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\x80\x80",
        b"",
        b"\x80\x04\x95cposix\nsystem\n",
    ],
)
def test_lying_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BadValue):
        decode(data, max_bytes=CAP)


def test_a_bool_is_true_or_false() -> None:
    array = decode(_array(0, 2, body=b"\x02\x00"), max_bytes=CAP)
    assert array.tobytes() == b"\x01\x00"


def test_subclasses_lose_what_they_override() -> None:
    class Always(float):
        def __eq__(self, other):
            return True

        def __float__(self):
            return 1.0

        __hash__ = float.__hash__

    class Sly(np.ndarray):
        def __eq__(self, other):
            return True

        def __array__(self, *_):
            return np.ones(3)

        def tobytes(self, *_):
            return b"x"

    result = plain({"a": Always(0.25), "b": np.zeros(3).view(Sly), "c": [np.float32(2)], "d": (True, np.bool_(False))})
    assert (type(result["a"]), result["a"]) == (float, 0.25)
    assert type(result["b"]) is np.ndarray
    assert not result["b"].any()
    assert (type(result["c"][0]), result["c"][0].dtype) == (np.ndarray, np.dtype("float32"))
    assert result["d"][0] is True


def test_too_large_is_refused_on_both_sides() -> None:
    with pytest.raises(BadValue, match="limit"):
        encode(np.zeros(1000), max_bytes=100)
    with pytest.raises(BadValue, match="limit"):
        decode(encode(np.zeros(1000), max_bytes=CAP), max_bytes=100)


def test_too_many_values_are_refused() -> None:
    with pytest.raises(BadValue, match="more than"):
        plain([0] * (codec.MAX_ITEMS + 1))


def test_an_answer_is_a_dict() -> None:
    with pytest.raises(BadValue, match="dict"):
        values_of(encode([1], max_bytes=CAP), max_bytes=CAP)


def test_byte_order_and_layout_do_not_matter() -> None:
    array = np.arange(6, dtype=">f8").reshape(2, 3).T
    result = decode(encode(array, max_bytes=CAP), max_bytes=CAP)
    np.testing.assert_array_equal(result, array)
    assert result.dtype == np.float64


def test_extended_precision_becomes_double_precision() -> None:
    """A right way to square 1e250, which must not be lost at the border."""
    for value in (np.full((2, 3), 0.25, dtype=np.longdouble), np.longdouble(0.25)):
        result = decode(encode(plain({"clipped": value}), max_bytes=CAP), max_bytes=CAP)["clipped"]
        assert result.dtype == np.float64
        np.testing.assert_array_equal(result, np.full(np.shape(value), 0.25))


ODD_LEAVES = [
    print, {1, 2}, (x for x in "ab"), object(), {1: 2}, 2**70, np.array(["a"]), sympy.Symbol("x"), ValueError("\ud800"),
]  # fmt: skip
MIXED = st.recursive(
    LEAVES | st.sampled_from(ODD_LEAVES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text(max_size=5), MIXED, max_size=5))
def test_an_answer_is_read_value_by_value(values: dict[str, object]) -> None:
    """What may not cross leaves its reason behind, and what stands beside it arrives unchanged."""
    found = values_of(codec.encode_answer(codec.readable(values), max_bytes=CAP), max_bytes=CAP)
    assert list(found) == list(values)
    for name, value in values.items():
        try:
            alone = plain({name: value})
        except BadValue:
            assert _unreadable(found[name])
        else:
            assert same(found[name], alone[name])


def _unreadable(value: object) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, codec.Unreadable) or any(map(_unreadable, inner))


def test_a_reason_stays_a_reason_wherever_it_is_kept() -> None:
    value = [1, codec.Unreadable("it is a set" + "\N{SNOWMAN}" * 1000)]
    once = decode(encode(value, max_bytes=CAP), max_bytes=CAP)
    assert isinstance(once[1], codec.Unreadable)
    assert once[1].startswith("it is a set\N{SNOWMAN}")
    assert encode(decode(encode(once, max_bytes=CAP), max_bytes=CAP), max_bytes=CAP) == encode(once, max_bytes=CAP)


QUARTERS = [Fraction(1, 4), Decimal("0.25"), sympy.Rational(1, 4), sympy.Symbol("x").subs("x", 0.5) ** 2]


@pytest.mark.parametrize("quarter", QUARTERS)
def test_numbers_of_other_kinds_become_floats(quarter: object) -> None:
    assert plain({"slope": quarter, "list": [quarter, 1]}) == {"slope": 0.25, "list": [0.25, 1]}
    assert same(plain(np.array([[quarter, quarter]], dtype=object)), np.array([[0.25, 0.25]]))


ODD = [sympy.Symbol("x"), Fraction(10**400), np.array([None, 1]), np.array(["0.25", 1], dtype=object)]


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_number_stays_out(odd: object) -> None:
    with pytest.raises(BadValue, match=r"not .*(a number|numbers)"):
        plain({"slope": odd})


def _bomb(row: bytes, cell: bytes) -> bytes:
    """A megabyte of rows that are within the limit, each with thousands of empty containers."""
    rows = (CAP - 8) // (len(row) + 19_000 * len(cell))
    return b"\xdd" + rows.to_bytes(4, "big") + (row + 19_000 * cell) * rows


@pytest.mark.slow
@pytest.mark.parametrize(
    "data",
    [
        _bomb(b"\xdd" + (19_000).to_bytes(4, "big"), b"\x90"),
        _bomb(b"\xdd" + (19_000).to_bytes(4, "big"), b"\x80"),
        (b"\xdd" + (20_000).to_bytes(4, "big")) * 900,
        (b"\xde" + (9_000).to_bytes(2, "big") + b"\xa0") * 900,
        b"\x91" * (CAP - 1),
    ],
    ids=["lists", "dicts", "headers of lists", "headers of dicts", "depth"],
)
def test_a_few_bytes_that_stand_for_many_values_take_no_memory(data: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(BadValue):
            decode(data, max_bytes=CAP)
        assert tracemalloc.get_traced_memory()[1] < CAP
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(VALUES, st.integers(0, 8))
def test_values_are_counted_as_they_are(value: object, more: int) -> None:
    """Exactly as many as there are, keys included, and neither a byte too few nor one too many."""
    data = msgpack.packb(value, default=codec._pack_special, use_bin_type=True)
    depth = max(1, _depth(value))
    codec._count(data, depth, codec.MAX_ITEMS)
    for damaged in (data[:-1], data + b"\xc0"):
        with pytest.raises(BadValue):
            codec._count(damaged, depth, codec.MAX_ITEMS)
    if depth > 1 + more:
        with pytest.raises(BadValue, match="nested deeper"):
            codec._count(data, depth - 1 - more, codec.MAX_ITEMS)


@pytest.mark.slow
def test_every_first_byte_that_msgpack_knows_is_known() -> None:
    assert set(range(256)) - codec._HEADS.keys() == {0xC1}
    for size in (0, 1, 31, 32, 255, 256, 65535, 65536):
        many = dict.fromkeys(map(str, range(size)), 0)
        for value in ("x" * size, b"x" * size, msgpack.ExtType(1, b"x" * size), [0] * size, many):
            codec._count(msgpack.packb(value), 1, 100_000)
    edges = [2**power for power in (0, 5, 7, 8, 15, 16, 31, 32, 63)]
    numbers = [sign * edge - less for edge in edges for sign in (1, -1) for less in (0, 1)]
    for number in (0, 0.5, *(number for number in numbers if number >= -(2**63))):
        codec._count(msgpack.packb(number), 1, 1)
    codec._count(msgpack.packb(0.5, use_single_float=True), 1, 1)
