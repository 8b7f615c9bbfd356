"""Other solutions of exploding_gradients: right ones in another style, and wrong ones with what they must cost."""

from autograder.audit import right, wrong

RIGHT = (
    right(
        "loops",
        "pure Python sums, uniform weights, math.cos",
        clip='''
import math


def clip_by_norm(g, threshold):
    if not isinstance(g, list):
        return clip_by_norm([g], threshold)[0]
    numbers = [float(x) for a in g for x in a.ravel()]
    if any(math.isnan(x) or math.isinf(x) for x in numbers):
        return [a * 0 if np.isfinite(a).all() else np.zeros(a.shape) for a in g]
    norm = math.hypot(*numbers)  # hypot does not overflow
    if norm <= threshold:
        return [np.array(a) for a in g]
    return [a * (threshold / norm) for a in g]
''',
        weights='''
def level_weights(n_out, n_in, activation, rng):
    half_width = (6 / n_in) ** 0.5 if activation == "relu" else (3 / n_in) ** 0.5
    return rng.uniform(-half_width, half_width, size=(n_out, n_in))
''',
        rate='''
import math


def learning_rate_at(step, peak, warmup, total):
    if step < warmup:
        return (step + 1) * peak / warmup
    return peak * math.cos(math.pi * (step - warmup) / (2 * (total - warmup))) ** 2
''',
    ),
    right(
        "scaled",
        "np.linalg.norm of the scaled parts, random signs for weights, where for the schedule",
        clip='''
def clip_by_norm(g, threshold):
    arrays = [g] if isinstance(g, np.ndarray) else list(g)
    if not all(np.isfinite(a).all() for a in arrays):
        result = [np.zeros(a.shape) for a in arrays]
    else:
        top = max(np.abs(a).max() for a in arrays) or 1.0
        norm = np.linalg.norm([np.linalg.norm(a / top) for a in arrays])
        result = [a / top / norm * threshold if norm * top > threshold else 1 * a for a in arrays]
    return result[0] if isinstance(g, np.ndarray) else result
''',
        weights='''
def level_weights(n_out, n_in, activation, rng):
    gain = {"linear": 1, "relu": 2}[activation]
    return rng.choice([-1.0, 1.0], size=(n_out, n_in)) * np.sqrt(gain / n_in)
''',
        rate='''
def learning_rate_at(step, peak, warmup, total):
    up = peak * (step + 1) / warmup
    down = 0.5 * peak * (1 + np.cos(np.pi * (step - warmup) / (total - warmup)))
    return np.where(step < warmup, up, down)
''',
    ),
    right(
        "global-generator",
        "NumPy's global generator in place of the given one",
        weights='''
def level_weights(n_out, n_in, activation, rng):
    return np.random.randn(n_in, n_out).T * (np.sqrt(2) if activation == "relu" else 1) / n_in**0.5
''',
    ),
    right(
        "float32",
        "weights and rates in single precision, math.hypot for the norm",
        weights='''
def level_weights(n_out, n_in, activation, rng):
    std = np.float32(np.sqrt((1 + (activation == "relu")) / n_in))
    return rng.standard_normal((n_out, n_in), dtype=np.float32) * std
''',
        rate='''
def learning_rate_at(step, peak, warmup, total):
    f = np.float32
    if step >= warmup:
        return f(peak) * (f(1) + np.cos(f(np.pi) * f(step - warmup) / f(total - warmup))) / f(2)
    return f(peak) * f(step + 1) / f(warmup)
''',
    ),
    right(
        "extended-precision",
        "np.longdouble, in which the square of 1e250 is finite; a Laplace distribution; the square of a cosine",
        clip='''
def clip_by_norm(g, threshold):
    many = isinstance(g, (list, tuple))
    parts = [np.asarray(a, dtype=np.longdouble) for a in (g if many else [g])]
    norm = np.sqrt(sum(np.sum(a * a) for a in parts))
    if not np.isfinite(norm):
        factor = None
    else:
        factor = threshold / norm if norm > threshold else 1
    out = [np.zeros(a.shape) if factor is None else a * factor for a in parts]
    return out if many else out[0]
''',
        weights='''
def level_weights(n_out, n_in, activation, rng):
    variance = {"linear": 1, "relu": 2}[activation] / n_in
    return rng.laplace(0, np.sqrt(variance / 2), (n_out, n_in))
''',
        rate='''
def learning_rate_at(step, peak, warmup, total):
    way = (step - warmup) / (total - warmup)
    return peak * (step + 1) / warmup if way < 0 else peak * np.cos(np.pi / 2 * way) ** 2
''',
    ),
)


def _edit(variant_id, title, cell, old, new, loses, named=None, statuses=None):
    """A wrong variant that changes one place."""
    return wrong(variant_id, title, edits={cell: [(old, new)]}, loses=loses, named=named, statuses=statuses)


def _plain_clip(variant_id, title, body, loses, named=None):
    """A wrong variant whose clip_by_norm is written for lists, one array made a list of one."""
    text = f'''
def clip_by_norm(g, threshold):
    if isinstance(g, np.ndarray):
        return clip_by_norm([g], threshold)[0]
    if not all(np.isfinite(a).all() for a in g):
        return [np.zeros_like(a) for a in g]
    top = max(np.abs(a).max() for a in g) or 1.0
    norm = top * np.sqrt(sum(np.sum((a / top) ** 2) for a in g))
{body}
'''
    return wrong(variant_id, title, cells={"clip": text}, loses=loses, named=named)


def _weights(variant_id, title, text, loses, named=None):
    """A wrong variant of level_weights."""
    return wrong(variant_id, title, cells={"weights": f"def level_weights(n_out, n_in, activation, rng):\n    {text}"},
                 loses=loses, named=named)


WRONG = (
    _plain_clip("not-clipped", "nothing is done", "    return [a.copy() for a in g]",
                {"clipping.above": 2, "clipping_special.huge": 0.5, "clipping_list.together": 3},
                {"clipping.above": "not-clipped", "clipping_list.together": "clipped-one-by-one"}),
    _plain_clip("clipped-entry-by-entry", "each entry is limited alone",
                "    return [np.clip(a, -threshold, threshold) for a in g]",
                {"clipping.above": 2, "clipping_list.together": 3}, {"clipping.above": "clipped-entry-by-entry"}),
    _plain_clip("always-scaled", "short gradients are made longer",
                "    return [a * (threshold / norm) if norm else a for a in g]",
                {"clipping.below": 1}, {"clipping.below": "always-scaled"}),
    _plain_clip("threshold-forgotten", "scaled to norm 1",
                "    return [a / norm if norm > threshold else a for a in g]",
                {"clipping.above": 2}, {"clipping.above": "threshold-forgotten"}),
    _edit("square-root-missing", "the sum of squares for the norm: one mistake, charged once", "clip",
          "np.sqrt(np.sum((entries / scale) ** 2))", "np.sum((entries / scale) ** 2)",
          {"clipping.above": 2}, {"clipping.above": "square-root-missing"}),
    wrong(
        "square-root-missing-plain",
        "the sum of squares for the norm in the plain formula, which fails for NaN and large squares besides",
        cells={"clip": '''
def clip_by_norm(g, threshold):
    arrays = g if isinstance(g, list) else [g]
    norm = sum(np.sum(a**2) for a in arrays)
    clipped = [a * threshold / norm if norm > threshold else a for a in arrays]
    return clipped if isinstance(g, list) else clipped[0]
'''},
        loses={"clipping.above": 2, "clipping_special.not_finite": 0.5, "clipping_special.huge": 0.5,
               "clipping_list.one_not_finite": 0.5},
        named={"clipping.above": "square-root-missing"},
    ),
    wrong(
        "plain-formula",
        "the formula as it stands: NaN is never above a threshold, and large squares overflow",
        cells={"clip": '''
def clip_by_norm(g, threshold):
    if isinstance(g, list):
        norm = np.sqrt(sum(np.sum(a**2) for a in g))
        return [a * threshold / norm if norm > threshold else a for a in g]
    norm = np.sqrt(np.sum(g**2))
    return g * threshold / norm if norm > threshold else g
'''},
        loses={"clipping_special.not_finite": 0.5, "clipping_special.huge": 0.5, "clipping_list.one_not_finite": 0.5},
    ),
    wrong(
        "zero-divided",
        "the factor is computed before it is known whether it is needed",
        cells={"clip": '''
def clip_by_norm(g, threshold):
    arrays = [g] if isinstance(g, np.ndarray) else g
    if not all(np.isfinite(a).all() for a in arrays):
        result = [np.zeros_like(a) for a in arrays]
    else:
        top = max(np.abs(a).max() for a in arrays)
        norm = np.sqrt(sum(np.sum((a / top) ** 2) for a in arrays))
        result = [a * np.minimum(1.0, threshold / top / norm) for a in arrays]
    return result[0] if isinstance(g, np.ndarray) else result
'''},
        loses={"clipping_special.zero": 0.5},
    ),
    wrong(
        "one-by-one",
        "each array of a list is clipped alone",
        edits={"clip": [("    if isinstance(g, (list, tuple)):\n        arrays = g",
                         "    if isinstance(g, (list, tuple)):\n        return [clip_by_norm(a, threshold) for a in g]")]},
        loses={"clipping_list.together": 3, "clipping_list.one_not_finite": 0.5},
        named={"clipping_list.together": "clipped-one-by-one"},
    ),
    wrong(
        "nan-array-dropped",
        "only the array that holds the NaN is set to zero",
        edits={"clip": [("    entries = np.concatenate([np.ravel(a) for a in arrays])\n    if not np.all(np.isfinite(entries)):",
                         "    arrays = [a if np.isfinite(a).all() else np.zeros_like(a) for a in arrays]\n"
                         "    entries = np.concatenate([np.ravel(a) for a in arrays])\n    if False:")]},
        loses={"clipping_list.one_not_finite": 0.5},
        named={"clipping_list.one_not_finite": "only-the-bad-array-is-dropped"},
    ),
    wrong(
        "raises-on-nan",
        "an error is raised where zeros are asked for",
        edits={"clip": [("        clipped = [np.zeros_like(a) for a in arrays]\n",
                         "        raise ValueError('the gradient is not finite')\n")]},
        loses={"clipping_special.not_finite": 0.5, "clipping_list.one_not_finite": 0.5},
    ),
    _weights("not-scaled", "small weights whatever the size of the layer", "return 0.01 * rng.standard_normal((n_out, n_in))",
             {"initialisation.linear": 1, "initialisation.relu": 2}),
    _weights("standard-normal", "weights of variance 1", "return rng.standard_normal((n_out, n_in))",
             {"initialisation.linear": 1, "initialisation.relu": 2},
             {"initialisation.linear": "not-scaled", "initialisation.relu": "not-scaled"}),
    _weights("relu-level-missing", "no 2 for ReLU", "return rng.standard_normal((n_out, n_in)) / np.sqrt(n_in)",
             {"initialisation.relu": 2}, {"initialisation.relu": "relu-level-missing"}),
    _weights("relu-level-for-linear", "the 2 of ReLU for linear units as well",
             "return rng.standard_normal((n_out, n_in)) * np.sqrt(2 / n_in)",
             {"initialisation.linear": 1}, {"initialisation.linear": "relu-level-for-linear"}),
    _edit("variance-for-standard-deviation", "the variance as the factor", "weights", "np.sqrt(variance) *", "variance *",
          {"initialisation.linear": 1}, {"initialisation.linear": "variance-for-deviation"}),
    _edit("n-out-for-n-in", "divided by the number of outputs", "weights", "/ n_in", "/ n_out",
          {"initialisation.linear": 1}, {"initialisation.linear": "n-out-for-n-in"}),
    _edit("compromise", "the mean of inputs and outputs", "weights", "/ n_in", "/ ((n_in + n_out) / 2)",
          {"initialisation.linear": 1}, {"initialisation.linear": "mean-of-n-in-and-n-out"}),
    _edit("transposed-weights", "one column per output", "weights", "rng.standard_normal((n_out, n_in))",
          "rng.standard_normal((n_in, n_out))", {"initialisation.shape": 1}, {"initialisation.shape": "other-shape"}),
    _weights("not-centred", "uniform between 0 and a positive bound",
             'return rng.uniform(0, np.sqrt((6 if activation == "relu" else 3) / n_in), size=(n_out, n_in))',
             {"initialisation.random": 1}, {"initialisation.random": "not-centred"}),
    _weights("uniform-without-root-three", "the deviation for half the width of a uniform distribution: charged once",
             's = np.sqrt((2 if activation == "relu" else 1) / n_in)\n    return rng.uniform(-s, s, size=(n_out, n_in))',
             {"initialisation.linear": 1}, {"initialisation.linear": "uniform-without-root-three"}),
    _weights("same-weights-again", "a fixed seed inside",
             'return np.random.default_rng(0).normal(0, np.sqrt((1 + (activation == "relu")) / n_in), (n_out, n_in))',
             {"initialisation.random": 1}, {"initialisation.random": "same-weights-again"}),
    _weights("equal-rows", "one row, repeated",
             'return np.ones((n_out, 1)) * rng.permutation(np.resize([-1.0, 1.0], n_in)) * '
             'np.sqrt((1 + (activation == "relu")) / n_in)',
             {"initialisation.random": 1}),
    _edit("starts-at-zero", "step for step + 1", "rate", "peak * (step + 1) / warmup", "peak * step / warmup",
          {"schedule.warm_up": 2}, {"schedule.warm_up": "starts-at-zero"}),
    _edit("no-warm-up", "the peak from the start", "rate", "peak * (step + 1) / warmup", "peak",
          {"schedule.warm_up": 2}, {"schedule.warm_up": "no-warm-up"}),
    _edit("warm-up-not-left-out", "the cosine counts from the first step", "rate",
          "(step - warmup) / (total - warmup)", "step / total",
          {"schedule.decay": 2}, {"schedule.decay": "warm-up-not-left-out"}),
    _edit("length-of-the-decay", "divided by the whole length", "rate",
          "(step - warmup) / (total - warmup)", "(step - warmup) / total",
          {"schedule.decay": 2}, {"schedule.decay": "length-of-the-decay"}),
    _edit("half-missing", "twice the peak", "rate", "peak / 2 *", "peak *",
          {"schedule.decay": 2}, {"schedule.decay": "half-missing"}),
    _edit("linear-decay", "a straight line down", "rate",
          "peak / 2 * (1 + np.cos(np.pi * (step - warmup) / (total - warmup)))",
          "peak * (1 - (step - warmup) / (total - warmup))",
          {"schedule.decay": 2}, {"schedule.decay": "linear-decay"}),
    _edit("degrees", "the angle in degrees", "rate", "np.cos(np.pi *", "np.cos(180 *", {"schedule.decay": 2}),
    wrong(
        "always-zeros",
        "zeros for everything",
        cells={
            "clip": "def clip_by_norm(g, threshold):\n"
                    "    return [0 * a for a in g] if isinstance(g, list) else np.zeros(g.shape)",
            "weights": "def level_weights(n_out, n_in, activation, rng):\n    return np.zeros((n_out, n_in))",
            "rate": "def learning_rate_at(step, peak, warmup, total):\n    return 0.0",
        },
        loses={"clipping": 3, "clipping_special": 1.5, "clipping_list": 4.5, "schedule": 4,
               "initialisation.linear": 1, "initialisation.relu": 2, "initialisation.random": 1},
    ),
    wrong(
        "each-array-scaled",
        "every array of a list is brought to the threshold alone",
        edits={"clip": [("clipped = [a / scale * (threshold / norm_of_scaled) for a in arrays]",
                         "clipped = [a / np.linalg.norm(a / scale) / scale * threshold for a in arrays]")]},
        loses={"clipping_list.together": 3},
        named={"clipping_list.together": "clipped-one-by-one"},
    ),
    wrong(
        "in-place",
        "right values in the array that is passed in, in all three questions: charged once",
        edits={"clip": [("clipped = [a / scale * (threshold / norm_of_scaled) for a in arrays]",
                         "clipped = arrays\n"
                         "            for a in arrays:\n"
                         "                a /= scale\n"
                         "                a *= threshold / norm_of_scaled")]},
        loses={"clipping.below": 0.5},
        named={"clipping.below": "argument-changed-in-place"},
    ),
    wrong(
        "nan-replaced",
        "what is not finite becomes zero, the rest is kept",
        edits={"clip": [("clipped = [np.zeros_like(a) for a in arrays]",
                         "clipped = [np.nan_to_num(a, posinf=0.0, neginf=0.0) for a in arrays]")]},
        loses={"clipping_list.one_not_finite": 0.5},
        named={"clipping_list.one_not_finite": "nan-replaced"},
    ),
    wrong(
        "warm-up-one-step-longer",
        "step w still belongs to the warm-up",
        edits={"rate": [("step < warmup", "step <= warmup")]},
        loses={"schedule.decay": 2},
        named={"schedule.decay": "warm-up-one-step-longer"},
    ),
    wrong(
        "ends-at-zero",
        "the decay is one step too short",
        edits={"rate": [("(total - warmup))", "(total - 1 - warmup))")]},
        loses={"schedule.decay": 2},
        named={"schedule.decay": "ends-at-zero"},
    ),
    wrong(
        'remedies-exchanged',
        'what two remedies change is exchanged, and clipping against vanishing',
        cells={'remedies': 'changes = ["learning rate", "weights at the start", "gradient"]\nagainst_vanishing = "clipping"'},
        loses={'what_they_change.changes': 1, 'what_they_change.against_vanishing': 1},
    ),
)

ALLOWED = {
    "raises-on-nan": "an error is no answer, for one array and for a list",
    "one-by-one": "each array has its own norm: the question asks for just that",
    "initialisation.shape": "a shape is right whatever stands in it",
    "clipping.below": "below the threshold the input is the answer",
    "clipping_special.zero": "zeros stay zeros",
    "clipping_list.small": "below the threshold the input is the answer",
    "level_weights ignores rng": "another generator is right: asked is what holds on average",
}

FAULTS = {
    "not-clipped": {"clip": ("[a.copy() for a in g]",)},
    "clipped-entry-by-entry": {"clip": ("[np.clip(a, -threshold, threshold) for a in g]",)},
    "always-scaled": {"clip": ("[a * (threshold / norm) if norm else a for a in g]",)},
    "threshold-forgotten": {"clip": ("[a / norm if norm > threshold else a for a in g]",)},
    "square-root-missing-plain": {"clip": ("norm = sum(np.sum(a**2) for a in arrays)", "[a * threshold / norm if norm > threshold else a for a in arrays]")},
    "plain-formula": {"clip": ("norm = np.sqrt(sum(np.sum(a**2) for a in g))", "[a * threshold / norm if norm > threshold else a for a in g]", "norm = np.sqrt(np.sum(g**2))", "g * threshold / norm if norm > threshold else g")},
    "zero-divided": {"clip": ("norm = np.sqrt(sum(np.sum((a / top) ** 2) for a in arrays))", "[a * np.minimum(1.0, threshold / top / norm) for a in arrays]")},
    "not-scaled": {"weights": ("0.01 * rng.standard_normal((n_out, n_in))",)},
    "standard-normal": {"weights": ("rng.standard_normal((n_out, n_in))",)},
    "relu-level-missing": {"weights": ("rng.standard_normal((n_out, n_in)) / np.sqrt(n_in)",)},
    "relu-level-for-linear": {"weights": ("rng.standard_normal((n_out, n_in)) * np.sqrt(2 / n_in)",)},
    "not-centred": {"weights": ('rng.uniform(0, np.sqrt((6 if activation == "relu" else 3) / n_in), size=(n_out, n_in))',)},
    "uniform-without-root-three": {"weights": ('np.sqrt((2 if activation == "relu" else 1) / n_in)', "rng.uniform(-s, s, size=(n_out, n_in))")},
    "same-weights-again": {"weights": ("np.random.default_rng(0)",)},
    "equal-rows": {"weights": ("np.ones((n_out, 1)) * rng.permutation(np.resize([-1.0, 1.0], n_in))",)},
}

UNPLACED = {
    'remedies-exchanged': 'a statement in words or numbers: nothing is worked out',
    "always-zeros": "constants in every place: nothing is worked out",
}
