"""Other solutions of gradient_check: right ones in another style, and wrong ones with what they must cost.

The wrong ones are mistakes of public checkers: a step that does not go by the input (tesseract-core issue 706) or is lost in
rounding (chainer issues 580 and 3046), whole numbers (numpy pull request 15246), a kink (caffe issue 1334, pytorch issue
114234), and upstream gradients of ones, of 0, 1, 2, ..., and others that are special.
"""

from autograder.audit import right, wrong

RIGHT = (
    right(
        "flat",
        "flat arrays, the step moved in place and put back, a tolerance with a floor of rounding",
        slopes='''
def numerical_gradient(f, x):
    shape, flat = x.shape, x.ravel().astype(float)
    found = []
    for k in range(flat.size):
        old = flat[k]
        h = 1e-6 * abs(old) + 1e-6
        flat[k] = old + h
        above = f(flat.reshape(shape))
        flat[k] = old - h
        below = f(flat.reshape(shape))
        flat[k] = old
        found.append((above - below) / (2 * h))
    return np.array(found).reshape(shape)
''',
        checker='''
def one_sided(f, x, sign):
    found = np.empty(x.shape)
    it = np.nditer(x, flags=["multi_index"])
    for value in it:
        moved = x.astype(float)
        h = sign * 1e-6 * max(abs(float(value)), 1)
        moved[it.multi_index] += h
        found[it.multi_index] = (f(moved) - f(x)) / h
    return found

def gradient_is_right(f, gradient, x):
    g = gradient(x)
    if np.shape(g) != x.shape:
        return False
    left, right = one_sided(f, x, -1), one_sided(f, x, 1)
    low, high = np.minimum(left, right), np.maximum(left, right)
    slack = 0.01 * np.maximum(abs(low), abs(high))
    return bool(((low - slack <= g) & (g <= high + slack)).all())
''',
        backward='''
def backward_is_right(forward, backward, x):
    y = forward(x)
    for k in range(len(y)):
        g = np.zeros(len(y))
        g[k] = 1
        if not gradient_is_right(lambda z: forward(z)[k], lambda z: backward(g, z), x):
            return False
    return True
''',
    ),
    right(
        "two-ways",
        "both sides where they agree, one-sided only at kinks; numbers for truth values; distances in a loop",
        slopes='''
def numerical_gradient(f, x):
    x = np.asarray(x, dtype=np.float64)
    h = 1e-5 * np.maximum(1, np.abs(x))
    basis = np.eye(x.size).reshape((x.size,) + x.shape)
    return np.array([(f(x + h * e) - f(x - h * e)) / ((x + h * e) - (x - h * e)).sum() for e in basis]).reshape(x.shape)
''',
        checker='''
def gradient_is_right(f, gradient, x):
    x = np.asarray(x, dtype=np.float64)
    try:
        claimed = gradient(x)
    except Exception:
        return 0
    central = numerical_gradient(f, x)
    if claimed.shape != central.shape:
        return 0
    h = 1e-7 * np.maximum(1, np.abs(x))
    basis = np.eye(x.size).reshape((x.size,) + x.shape)
    for c, n, e in zip(claimed.flat, central.flat, basis):
        if not abs(c - n) <= 1e-4 * max(abs(c), abs(n)):
            step = (h * e).sum()
            sides = sorted([(f(x + h * e) - f(x)) / step, (f(x) - f(x - h * e)) / step])
            bent = sides[1] - sides[0] > 1e-2 * max(abs(sides[0]), abs(sides[1]))
            slack = 1e-3 * max(abs(sides[0]), abs(sides[1]))
            if not bent or not sides[0] - slack <= c <= sides[1] + slack:
                return 0
    return 1
''',
        backward='''
def backward_is_right(forward, backward, x):
    for seed in (1, 2):
        g = np.random.default_rng(seed).uniform(-1, 1, forward(x).shape)
        if not gradient_is_right(lambda z: (g * forward(z)).sum(), lambda z: backward(g, z), x):
            return np.False_
    return np.True_
''',
    ),
)

CLOSE = '''
def gradient_is_right(f, gradient, x):
    x = np.array(x, dtype=float)
    claimed = np.asarray(gradient(x.copy()))
    if claimed.shape != x.shape:
        return False
    return bool({})
'''


def _slope(variant_id, title, edits, loses, named):
    """A wrong slope."""
    return wrong(variant_id, title, edits={"slopes": edits}, loses=loses, named=named)


def _checker(variant_id, title, edits, loses, named=None):
    """A wrong checker."""
    return wrong(variant_id, title, edits={"checker": edits}, loses=loses, named=named)


_SMALL, _WHOLE, _LARGE = (f"slope_values.{name}" for name in ("small", "whole", "large"))
_H = "h = 1e-5 * max(1.0, abs(x[i]))"
_COMPARED = "if not min(left, right) - slack <= claimed[i] <= max(left, right) + slack:"
_SLACK = "slack = 1e-3 * max(abs(right), abs(left))"
_FORM = "if claimed.shape != x.shape or not np.all(np.isfinite(claimed)):"
_ALL = {"ordinary": 3, "form": 1, "hidden": 2, "tiny": 2, "large": 2, "kinks": 3}
_EVERY = {f"planted_mistakes.{name}": points for name, points in _ALL.items()}
_G = "np.random.default_rng(0).normal(size=np.shape(forward(np.array(x, dtype=float))))"


def _upstream(variant_id, title, g, lost, named=""):
    """A checker with a special upstream gradient."""
    return wrong(variant_id, title, edits={"backward": [("g = " + _G, f"y = forward(np.array(x, dtype=float))\n    g = {g}")]},
                 loses={"planted_routes.upstream": lost},
                 named={"planted_routes.upstream": f"checker-upstream-{named}"} if named else None)  # fmt: skip


_OF_ONES = {"planted_routes.upstream": "checker-upstream-of-ones"}

WRONG = (
    _slope("over-one-step", "divided by h", [("/ (2 * h)", "/ h")], {_SMALL: 3}, {_SMALL: "difference-over-one-step"}),
    _slope("one-sided", "to the right alone", [("(f(up) - f(down)) / (2 * h)", "(f(up) - f(x)) / h")], {_SMALL: 3},
           {_SMALL: "difference-one-sided"}),
    _slope("one-sided-by-two", "to the right alone, divided by both", [("f(up) - f(down)", "f(up) - f(x)")], {_SMALL: 3},
           {_SMALL: "difference-over-two-steps"}),
    _slope("turned-round", "below minus above", [("f(up) - f(down)", "f(down) - f(up)")], {_SMALL: 3},
           {_SMALL: "sign-flipped"}),
    _slope("step-too-large", "a step of 0.05", [("1e-5 *", "0.05 *")], {_SMALL: 3}, {_SMALL: "difference-step-too-large"}),
    _slope("step-too-small", "a step of 1e-13", [("1e-5 *", "1e-13 *")], {_SMALL: 3}, {_SMALL: "difference-step-too-small"}),
    _slope("step-not-scaled", "one step for every size", [(_H, "h = 1e-5")], {_LARGE: 2},
           {_LARGE: "difference-step-too-small"}),
    _slope("step-of-the-largest", "the step goes by the largest entry", [(_H, "h = 1e-5 * np.max(np.abs(x))")],
           {_LARGE: 2}, {}),
    _slope("step-in-proportion", "no step where an entry is 0", [(_H, "h = 1e-5 * abs(x[i])")], {_SMALL: 3}, {}),
    wrong("whole-numbers", "the copy keeps whole numbers", edits={"slopes": [("np.array(x, dtype=float)", "np.array(x)")]},
          loses={_WHOLE: 1}, named={_WHOLE: "step-lost-in-whole-numbers"}),
    wrong("not-put-back", "x is moved and never put back", edits={"slopes": [
        ("x = np.array(x, dtype=float)", "x = np.asarray(x, dtype=float)"),
        ("up, down = x.copy(), x.copy()\n        up[i] += h\n        down[i] -= h",
         "x[i] += h\n        up = x.copy()\n        x[i] -= 2 * h\n        down = x.copy()"),
    ]}, loses={_SMALL: 3}, named={_SMALL: "argument-changed-in-place"}),
    wrong("always-true", "everything passes", cells={"checker": "def gradient_is_right(f, gradient, x):\n    return True\n"},
          loses={**_EVERY, "planted_routes": 3}, named={"planted_routes.upstream": "checker-never-objects"}),
    wrong("always-false", "nothing passes", cells={"checker": "def gradient_is_right(f, gradient, x):\n    return False\n"},
          loses={**_EVERY, "planted_routes": 3}, named={"planted_mistakes.kinks": "checker-always-objects"}),
    wrong("a-coin", "guessed", cells={"checker": '''
coin = np.random.default_rng(0)


def gradient_is_right(f, gradient, x):
    return bool(coin.integers(2))
'''}, loses={**_EVERY, "planted_routes": 3}),
    wrong("borrowed", "the check that comes with the notebook", cells={"checker": '''
import selfcheck


def gradient_is_right(f, gradient, x):
    try:
        selfcheck.check_gradient(f, gradient, {"x": x})
    except AssertionError:
        return False
    return True
'''}, loses={**_EVERY, "planted_routes": 3}),
    wrong("allclose", "np.allclose of both sides, with its own tolerances",
          cells={"checker": CLOSE.format("np.allclose(claimed, numerical_gradient(f, x), rtol=1e-3)")},
          loses={"planted_mistakes.tiny": 2, "planted_mistakes.kinks": 3},
          named={"planted_mistakes.tiny": "checker-tolerance-absolute", "planted_mistakes.kinks": "checker-refuses-kinks"}),
    wrong("norms", "the norm of the difference by the sum of both norms", cells={"checker": CLOSE.format(
        "np.linalg.norm(claimed - (n := numerical_gradient(f, x)))"
        " <= 1e-6 * (np.linalg.norm(claimed) + np.linalg.norm(n))")},
          loses={"planted_mistakes.hidden": 2, "planted_mistakes.kinks": 3},
          named={"planted_mistakes.hidden": "checker-hides-small-entries", "planted_mistakes.kinks": "checker-refuses-kinks"}),
    _checker("shape-not-compared", "numpy stretches the shapes",
             [(_FORM, "if not np.all(np.isfinite(claimed)):"),
              ("    here = f(x)\n", "    claimed = np.resize(claimed, x.shape)\n    here = f(x)\n")],
             {"planted_mistakes.form": 1}, {"planted_mistakes.form": "checker-passes-another-shape"}),
    _checker("nan-passes", "the comparison that NaN survives",
             [(_FORM, "if claimed.shape != x.shape:"),
              (_COMPARED, "if claimed[i] < min(left, right) - slack or claimed[i] > max(left, right) + slack:")],
             {"planted_mistakes.form": 0.5}, {"planted_mistakes.form": "checker-passes-nan"}),
    _checker("absolute", "an absolute tolerance", [(_SLACK, "slack = 1e-4")], {"planted_mistakes.tiny": 2},
             {"planted_mistakes.tiny": "checker-tolerance-absolute"}),
    _checker("largest-entry", "the tolerance goes by the largest entry",
             [(_SLACK, "slack = 1e-3 * np.max(np.abs(claimed))")], {"planted_mistakes.hidden": 2},
             {"planted_mistakes.hidden": "checker-hides-small-entries"}),
    _checker("quotient", "the quotient of both, with 0 / 0", [
        (_COMPARED, "gap = max(min(left, right) - claimed[i], claimed[i] - max(left, right), 0)\n"
                    "        if not gap / np.abs([left, right, claimed[i]]).max() <= 1e-3:"),
    ], {"planted_mistakes.tiny": 2}, {"planted_mistakes.tiny": "checker-refuses-zeros"}),
    _checker("fixed-step", "one step for every size", [(_H, "h = 1e-5")], {"planted_mistakes.large": 2},
             {"planted_mistakes.large": "checker-refuses-large-inputs"}),
    _checker("step-in-proportion", "no step where an entry is 0", [(_H, "h = 1e-5 * abs(x[i])")],
             {"planted_mistakes.ordinary": 3}),
    _checker("both-sides-only", "both sides, without a look at kinks", [
        (_COMPARED, "if not abs(claimed[i] - (right + left) / 2) <= slack:"),
    ], {"planted_mistakes.kinks": 3}, {"planted_mistakes.kinks": "checker-refuses-kinks"}),
    _checker("kinks-skipped", "a kink excuses everything", [
        (_SLACK, _SLACK + "\n        if abs(right - left) > 0.1 * max(abs(right), abs(left)):\n            return True"),
    ], {"planted_mistakes.kinks": (1.5, 3)}, {"planted_mistakes.kinks": "checker-excuses-kinks"}),
    _checker("sizes-compared", "the sign is not looked at", [
        ("claimed = np.asarray(gradient(x.copy()))", "claimed = np.abs(gradient(x.copy()))"),
        ("right, left = (f(up) - here) / h, (here - f(down)) / h",
         "right, left = abs(f(up) - here) / h, abs(here - f(down)) / h"),
    ], {"planted_mistakes.ordinary": 1.5, "planted_mistakes.hidden": (0, 1, 2), "planted_mistakes.tiny": 1,
        "planted_mistakes.large": 1, "planted_mistakes.kinks": (0, 1.5, 3)},
        {"planted_mistakes.ordinary": "checker-blind-to-the-sign"}),
    _checker("first-entry", "only the first entry is compared", [
        ("for i in np.ndindex(x.shape):", "for i in [(0,) * x.ndim]:"),
    ], {"planted_mistakes": (3, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8)}),
    wrong("ones", "an upstream gradient of ones", edits={"backward": [
        ("np.random.default_rng(0).normal(size=np.shape(forward(np.array(x, dtype=float))))",
         "np.ones(np.shape(forward(np.array(x, dtype=float))))"),
    ]}, loses={"planted_routes.upstream": 3}, named=_OF_ONES),
    _upstream("counted", "an upstream gradient of 0, 1, 2, ...", "np.arange(len(y)) + 0.0", 1.5, "with-zeros"),
    _upstream("counted-down", "one of ..., 2, 1, 0", "np.arange(len(y))[::-1] + 0.0", 1.5, "with-zeros"),
    _upstream("first-output", "the first output alone", "np.eye(len(y))[0]", 1.5, "with-zeros"),
    _upstream("symmetric", "the same from both ends", "1.0 + np.minimum(np.arange(len(y)), np.arange(len(y))[::-1])", 1.5),
    _upstream("spread", "from -1 to 1", "np.linspace(-1, 1, len(y))", 1.5, "sums-to-zero"),
    _upstream("mean-taken-off", "random, with the mean taken off", "(r := np.random.default_rng(0).normal(size=len(y))) - r.mean()",
              1.5, "sums-to-zero"),
    _upstream("first-twice", "1, 1, 2, 3, ...", "np.maximum(np.arange(len(y)), 1.0)", 1.5),
    wrong("one-number", "one random number for all outputs", edits={"backward": [
        ("np.random.default_rng(0).normal(size=np.shape(forward(np.array(x, dtype=float))))",
         "np.random.default_rng(0).normal() * np.ones(np.shape(forward(np.array(x, dtype=float))))"),
    ]}, loses={"planted_routes.upstream": 3}, named=_OF_ONES),
)  # fmt: skip

FAULTS = {
    "always-true": {"checker": ("return True",)},
    "always-false": {"checker": ("return False",)},
    "a-coin": {"checker": ("bool(coin.integers(2))",)},
    "borrowed": {"checker": ('selfcheck.check_gradient(f, gradient, {"x": x})',)},
    "allclose": {"checker": ("np.allclose(claimed, numerical_gradient(f, x), rtol=1e-3)",)},
    "norms": {"checker": ("np.linalg.norm(claimed - (n := numerical_gradient(f, x)))",)},
}

ALLOWED = {
    "sizes-compared": "a sign is wrong among the mistakes of several lines",
    "backward_is_right ignores x": "what is asked there is right or wrong at every point",
    "first-entry": "who looks at one entry sees the wrong ones nowhere else",
}
