"""Whatever Python people write, the search goes through it without an error of its own."""

import pytest
import slips_kit

from autograder.sandbox.inside.repair.search import Search

RIGHT = "def bent(X):\n    return np.exp(np.tanh(X)) * (X + 1) ** 2\n"

FORMS = """
# a bare return
for row in X:
    X = X + row
    return
return X

# a name without a value
found: float
found = X.sum()
return X * found

# an annotated value
found: float = X.sum()
return X * found

# a lambda with a default
f = lambda x, y=2, *more, **named: x * y
return f(X)

# a walrus
if (n := X.size) > 2:
    X = X * n
return X

# stars
first, *rest = list(X)
return np.array([first, *rest]) + 1

# a match
match X.shape:
    case (2, 3):
        X = X + 1
    case _:
        pass
return X

# a with
with np.errstate(all='ignore') as kept:
    X = X / 0
return X

# a try
try:
    X = X + None
except (TypeError, ValueError) as error:
    X = X + 1
else:
    X = 0
finally:
    Y = X
return Y

# a group of errors
try:
    X = X + 1
except* ValueError:
    pass
return X

# an assertion
assert X.ndim == 2, f'{X.ndim} axes'
return X + 1

# a raise
if X.ndim > 5:
    raise ValueError('no') from None
return X + 1

# a deletion
Y = X.copy()
del X
return Y + 1

# a global
global kept
kept = X
return kept + 1

# a nonlocal
n = 0
def more():
    nonlocal n
    n += 1
    return n
return X + more()

# a generator
def each():
    for row in X:
        yield row
    yield from ()
return np.array(list(each())) + 1

# a class
class Kept:
    size: int = 2
    def __init__(self, x):
        self.x = x
    @property
    def twice(self):
        return 2 * self.x
return Kept(X).twice

# comprehensions
d = {i: row for i, row in enumerate(X) if i >= 0}
s = {i for i in d}
return np.array([d[i] for i in s]) + 1

# a while with else
n = 3
while n:
    n -= 1
    if n == 1:
        continue
    X = X + n
else:
    X = X * 2
return X

# a for with else
for i, _ in enumerate(X):
    if i > 7:
        break
else:
    X = X + 1
return X

# slices
Y = X.copy()
Y[::-1, 1:] += X[..., None, :][:, 0, 1:]
return Y

# chains
a = b = X
return a if 0 < X.size < 9 and not X is None or False else b

# text
name = f'{X.sum():.2f}' + 'a' 'b'
return X + len(name)

# several targets
(a, b), c = (X, 2), 3
a[0], b = X[1], 4
return a * b * c

# an object that does not compare
class Odd:
    def __eq__(self, other):
        raise RuntimeError
    __hash__ = None
odd = [Odd()]
return X + len(odd)

# an object that answers every name
class Any:
    def __getattr__(self, name):
        return self
    def __call__(self, *a):
        return 2
return X + Any().some.thing()

# other kinds of numbers
import fractions, decimal
n = float(fractions.Fraction(1, 3)) + float(decimal.Decimal(2)) + (2 + 1j).real
return X * n

# other kinds of arrays
Y = np.ma.masked_array(X, X > 0)
Z = np.array([X, None], dtype=object)
return np.asarray(Y) + Z[0]

# rows of different lengths
rows = [list(row[:i]) for i, row in enumerate(X)]
return X + len(rows)

# nothing
pass

# dots
...

# an empty array
Y = np.zeros((0, 3))
return X + Y.sum()

# what is not finite
Y = X / np.zeros_like(X)
return np.where(np.isfinite(Y), X, Y)

# a sum in place
out = np.empty_like(X)
np.add(X, 1, out=out)
return out

# calls of itself
return X if X.size < 2 else X + bent(X[:1, :1])

# a decorator
from functools import lru_cache, partial
@lru_cache(None)
def f(n):
    return n + 1
return partial(np.add, X)(f(2))

# draws
rng = np.random.default_rng(0)
rng.shuffle(X)
return X + rng.normal(size=X.shape)
"""

FORMS = dict(one.split("\n", 1) for one in FORMS.strip().removeprefix("# ").split("\n\n# "))


@pytest.mark.parametrize("form", FORMS)
def test_the_search_ends_by_itself(form):
    source = _bent(*FORMS[form].split("\n"))
    exact = slips_kit.run(RIGHT, "bent", "record")["answers"]
    table = [(0.0, lambda X: X), (0.5, lambda X: X + 1)]
    assert slips_kit.run(source, "bent", exact=exact, table=table, read=["bent"])["failed"] == ""


@pytest.mark.parametrize("form", FORMS)
def test_it_ends_so_too_where_cells_run_again(form):
    """What was worked out beside functions is asked for."""
    source = _bent(*FORMS[form].split("\n")) + "kept = 2.0 * np.pi\n"
    exact = slips_kit.run(RIGHT, "bent", "record")["answers"]
    assert slips_kit.run(source, "bent", exact=exact, read=["bent", "kept"])["failed"] == ""


@pytest.mark.parametrize(
    "lines",
    [
        ["row = X.ravel()", "return np.squeeze(row[: 1 + int(X[0, 2] > 0)]) ** 3"],  # a row, or a number
        ["every = np.nditer(X)", "for one in every:", "    pass", "return X.ravel()[:2] + 1"],  # it has no shape then
    ],
)
def test_nor_does_a_value_of_any_form_stop_it(lines):
    exact = slips_kit.run(_bent("return X.ravel()[: 1 + int(X[0, 2] > 0)] ** 2"), "bent", "record")["answers"]
    assert slips_kit.run(_bent(*lines), "bent", exact=exact, read=["bent"])["failed"] == ""


def test_an_error_of_the_search_itself_keeps_what_was_found_and_is_told(monkeypatch):
    def broken(self, right):
        raise KeyError("no such thing")

    right = _bent("return {'a': (X + 1) ** 2, 'b': np.exp(np.tanh(X))}")
    exact = slips_kit.run(right, "bent", "record")["answers"]
    monkeypatch.setattr(Search, "_left_out", broken)
    wrong = _bent("return {'a': (X - 1) ** 2, 'b': np.arctan(X) ** 5 + 3}")
    found = slips_kit.run(wrong, "bent", exact=exact)
    assert [one["kind"] for one in found["found"]] == ["operator +"]
    assert found["failed"].startswith("KeyError: 'no such thing' (")
    assert found["failed"].endswith(" of search.py)")


def _bent(*lines):
    return "def bent(X):\n" + "".join(f"    {line}\n" for line in lines)
