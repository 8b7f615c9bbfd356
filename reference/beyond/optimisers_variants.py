"""Other solutions of optimisers: right ones in another style, and wrong ones with what they must cost."""

from autograder.audit import right, wrong

RIGHT = (
    right(
        "entry-by-entry",
        "loops over the entries, lists returned",
        momentum='''
def _each(rule, *arrays):
    results = [rule(*numbers) for numbers in zip(*(np.ravel(a) for a in arrays))]
    return [np.array(column).reshape(np.shape(arrays[0])) for column in zip(*results)]


def momentum_step(theta, g, v, rate, beta):
    def rule(p, d, w):
        w = beta * w + d
        return p - rate * w, w
    return _each(rule, theta, g, v)


def nesterov_step(theta, g, v, rate, beta):
    def rule(p, d, w):
        w = beta * w + d
        return p - rate * d - rate * beta * w, w
    return _each(rule, theta, g, v)
''',
        rmsprop='''
def rmsprop_step(theta, g, s, rate, beta, eps):
    def rule(p, d, w):
        w = w - (1 - beta) * (w - d * d)
        return p - rate * d / (w ** 0.5 + eps), w
    return _each(rule, theta, g, s)
''',
        adam='''
def adam_step(theta, g, m, s, t, rate, beta1, beta2, eps):
    def rule(p, d, a, b):
        a += (1 - beta1) * (d - a)
        b += (1 - beta2) * (d * d - b)
        return p - rate * (a / (1 - beta1 ** t)) / ((b / (1 - beta2 ** t)) ** 0.5 + eps), a, b
    return _each(rule, theta, g, m, s)
''',
        adamw='''
def adamw_step(theta, g, m, s, t, rate, beta1, beta2, eps, decay):
    theta, m, s = adam_step(theta * 1.0, g, m, s, t, rate, beta1, beta2, eps) + [] if decay == 0 else (
        adam_step((1 - rate * decay) * theta, g, m, s, t, rate, beta1, beta2, eps))
    return theta, m, s
''',
        descend='''
def descend(step, gradient, theta, steps):
    path, state = [np.array(theta)], (0 * theta, 0 * theta)
    while len(path) <= steps:
        new, *state = step(path[-1], gradient(path[-1]), *state, len(path))
        path.append(new)
    return np.array(path)
''',
    ),
    right(
        "copies-in-place",
        "copies changed in place and returned",
        momentum='''
def momentum_step(theta, g, v, rate, beta):
    theta, v = theta.copy(), v.copy()
    v *= beta
    v += g
    theta -= rate * v
    return theta, v


def nesterov_step(theta, g, v, rate, beta):
    theta, v = theta.copy(), v.copy()
    theta -= rate * g
    v *= beta
    v += g
    theta -= rate * beta * v
    return theta, v
''',
        rmsprop='''
def rmsprop_step(theta, g, s, rate, beta, eps):
    theta, s = np.array(theta), np.array(s)
    s *= beta
    s += (1 - beta) * np.square(g)
    theta -= np.divide(rate * g, np.sqrt(s) + eps)
    return theta, s
''',
        adam='''
def adam_step(theta, g, m, s, t, rate, beta1, beta2, eps):
    theta, m, s = (one.copy() for one in (theta, m, s))
    m *= beta1; m += (1 - beta1) * g
    s *= beta2; s += (1 - beta2) * g * g
    theta -= rate * np.sqrt(1 - beta2 ** t) / (1 - beta1 ** t) * m / (np.sqrt(s) + eps * np.sqrt(1 - beta2 ** t))
    return theta, m, s
''',
        adamw='''
def adamw_step(theta, g, m, s, t, rate, beta1, beta2, eps, decay):
    return adam_step(theta * (1 - rate * decay), g, m, s, t, rate, beta1, beta2, eps)
''',
        descend='''
def descend(step, gradient, theta, steps):
    m = np.zeros(theta.shape); s = np.zeros(theta.shape); path = [theta.copy()]
    for k in range(steps):
        theta, m, s = step(theta.copy(), gradient(theta), m, s, k + 1)
        path += [theta.copy()]
    return path
''',
    ),
    right(
        "nested",
        "one engine for all",
        momentum='''
def _average(old, new, beta, weight=None):
    return beta * old + (1 - beta if weight is None else weight) * new


def momentum_step(theta, g, v, rate, beta):
    new = _average(v, g, beta, 1)
    return (theta - rate * new, new)


def nesterov_step(theta, g, v, rate, beta):
    moved, new = momentum_step(theta, g, v, rate, beta)
    return theta - rate * (g + beta * new), new
''',
        rmsprop='''
def rmsprop_step(theta, g, s, rate, beta, eps):
    s = _average(s, g**2, beta)
    return theta - rate / (s**0.5 + eps) * g, s
''',
        adam='''
def adam_step(theta, g, m, s, t, rate, beta1, beta2, eps, decay=0.0):
    m, s = _average(m, g, beta1), _average(s, g**2, beta2)
    top, bottom = m / (1 - np.power(beta1, t)), np.sqrt(s / (1 - np.power(beta2, t))) + eps
    return theta - rate * (top / bottom + decay * theta), m, s
''',
        adamw="adamw_step = adam_step",
        descend='''
def descend(step, gradient, theta, steps):
    def points(theta, m, s, t):
        yield theta
        if t <= steps:
            yield from points(*step(theta, gradient(theta), m, s, t), t + 1)
    return list(points(theta, np.zeros(len(theta)), np.zeros(len(theta)), 1))
''',
    ),
    right(
        "float32",
        "single precision",
        adam='''
def adam_step(theta, g, m, s, t, rate, beta1, beta2, eps):
    theta, g, m, s = (np.asarray(a, dtype=np.float32) for a in (theta, g, m, s))
    m = np.float32(beta1) * m + np.float32(1 - beta1) * g
    s = np.float32(beta2) * s + np.float32(1 - beta2) * g**2
    step = m / np.float32(1 - beta1**t) / (np.sqrt(s / np.float32(1 - beta2**t)) + np.float32(eps))
    return theta - np.float32(rate) * step, m, s
''',
    ),
)


def _edit(variant_id, title, cell, edits, line, mistake, points):
    """A wrong variant of a few places, which loses at one line."""
    return wrong(variant_id, title, edits={cell: edits}, loses={line: points}, named={line: mistake})


_V, _MT, _NT = "momentum_five.v", "momentum_five.theta", "nesterov_five.theta"
_SQ, _RT = "rmsprop_five.s", "rmsprop_five.theta"
_AM, _AS, _AT = "adam_five.m", "adam_five.s", "adam_five.theta"
_WT = "adamw_five.theta"
_CHANGED = "argument-changed-in-place"
_PLAIN, _LOOKING = "return theta - rate * v, v", "return theta - rate * (g + beta * v), v"
_DECAY = "- rate * decay * theta"
_M, _S = "m = beta1 * m + (1 - beta1) * g", "s = beta2 * s + (1 - beta2) * g**2"
_MOMENTUM = "    v = beta * v + g\n    return theta - rate * v, v"

WRONG = (
    _edit("v-averaged", "one minus beta in front of the gradient", "momentum",
          [(_MOMENTUM, _MOMENTUM.replace("+ g", "+ (1 - beta) * g"))], _V, "momentum-averaged", 1),
    _edit("v-not-carried", "the gradient alone", "momentum", [(_MOMENTUM, _MOMENTUM.replace("beta * v + g", "g"))], _V,
          "optimiser-state-not-carried", 1),
    _edit("v-exchanged", "one minus beta in front of the velocity", "momentum",
          [(_MOMENTUM, _MOMENTUM.replace("beta * v", "(1 - beta) * v"))], _V, "optimiser-rates-exchanged", 1),
    _edit("v-with-rate", "the rate in the velocity", "momentum",
          [(_MOMENTUM, "    v = beta * v + rate * g\n    return theta - v, v")], _V, "learning-rate-in-velocity", 1),
    _edit("v-late", "the step with the old velocity", "momentum",
          [(_MOMENTUM, "    return theta - rate * v, beta * v + g")], _MT, "optimiser-state-updated-late", 2),
    _edit("momentum-unused", "the gradient in the step", "momentum", [(_PLAIN, "return theta - rate * g, v")], _MT,
          "momentum-not-used", 2),
    _edit("momentum-plus", "up the hill", "momentum", [(_PLAIN, "return theta + rate * v, v")], _MT, "sign-flipped", 2),
    _edit("momentum-is-nesterov", "the step of Nesterov", "momentum", [(_PLAIN, _LOOKING)], _MT, "momentum-nesterov", 2),
    _edit("momentum-no-rate", "no rate", "momentum", [(_PLAIN, "return theta - v, v")], _MT, "learning-rate-missing", 2),
    _edit("nesterov-plain", "plain momentum", "momentum", [(_LOOKING, _PLAIN)], _NT, "nesterov-plain-momentum", 2),
    _edit("nesterov-no-beta", "beta forgotten", "momentum", [(_LOOKING, _LOOKING.replace("beta * v", "v"))], _NT,
          "nesterov-beta-missing", 2),
    _edit("nesterov-no-gradient", "the gradient forgotten", "momentum", [("(g + beta * v)", "beta * v")], _NT,
          "nesterov-gradient-missing", 2),
    _edit("nesterov-old-velocity", "goes on along the old velocity", "momentum",
          [("    v = beta * v + g\n    return theta - rate * (g + beta * v), v",
            "    new = beta * v + g\n    return theta - rate * (g + beta * v), new")], _NT, "nesterov-plain-momentum", 2),
    _edit("s-no-square", "the gradient without its square", "rmsprop", [("g**2", "g")], _SQ,
          "optimiser-square-missing", 1),
    _edit("s-absolute", "the size for the square", "rmsprop", [("g**2", "np.abs(g)")], _SQ, "absolute-values-for-squares",
          1),
    _edit("s-no-weight", "no weight", "rmsprop", [("(1 - beta) * g**2", "g**2")], _SQ, "optimiser-weight-missing", 1),
    _edit("s-exchanged", "weights exchanged", "rmsprop", [("beta * s + (1 - beta) * g", "(1 - beta) * s + beta * g")],
          _SQ, "optimiser-rates-exchanged", 1),
    _edit("s-anew", "begins anew in each step", "rmsprop", [("beta * s + ", "")], _SQ, "optimiser-state-not-carried", 1),
    _edit("eps-in-root", "epsilon below the root", "rmsprop", [("np.sqrt(s) + eps", "np.sqrt(s + eps)")], _RT,
          "optimiser-epsilon-misplaced", 2),
    _edit("eps-missing", "no epsilon", "rmsprop", [("(np.sqrt(s) + eps)", "np.sqrt(s)")], _RT,
          "optimiser-epsilon-missing", 2),
    _edit("no-root", "no root", "rmsprop", [("np.sqrt(s) + eps", "s + eps")], _RT, "optimiser-root-missing", 2),
    _edit("rmsprop-plus", "up the hill", "rmsprop", [("theta - rate", "theta + rate")], _RT, "sign-flipped", 2),
    _edit("adam-uncorrected", "no correction", "adam", [
        ("m_hat = m / (1 - beta1**t)", "m_hat = m"), ("s_hat = s / (1 - beta2**t)", "s_hat = s"),
    ], _AT, "adam-correction-missing", 3),
    _edit("adam-first-only", "s is not corrected", "adam", [("s_hat = s / (1 - beta2**t)", "s_hat = s")], _AT,
          "adam-second-correction-missing", 3),
    _edit("adam-second-only", "m is not corrected", "adam", [("m_hat = m / (1 - beta1**t)", "m_hat = m")], _AT,
          "adam-first-correction-missing", 3),
    _edit("adam-t-forgotten", "the correction of the first step in every step", "adam", [
        ("(1 - beta1**t)", "(1 - beta1)"), ("(1 - beta2**t)", "(1 - beta2)"),
    ], _AT, "adam-step-not-counted", 3),
    _edit("adam-times-t", "times t for to the power of t", "adam", [("beta1**t", "beta1 * t"), ("beta2**t", "beta2 * t")],
          _AT, "adam-step-not-counted", 3),
    _edit("adam-t-plus-one", "counted one too far", "adam", [("beta1**t", "beta1**(t + 1)"), ("beta2**t", "beta2**(t + 1)")],
          _AT, "adam-counted-from-zero", 3),
    _edit("adam-overwrites", "m and s are overwritten by the corrected ones", "adam", [
        ("m_hat = m /", "m = m_hat = m /"), ("s_hat = s /", "s = s_hat = s /"),
    ], _AM, "adam-correction-kept", 1),
    _edit("adam-multiplied", "times the correction", "adam", [
        ("m / (1 - beta1**t)", "m * (1 - beta1**t)"), ("s / (1 - beta2**t)", "s * (1 - beta2**t)"),
    ], _AT, "adam-correction-multiplied", 3),
    _edit("adam-eps-in-root", "epsilon below the root", "adam", [("np.sqrt(s_hat) + eps", "np.sqrt(s_hat + eps)")], _AT,
          "optimiser-epsilon-misplaced", 3),
    _edit("adam-no-root", "no root", "adam", [("np.sqrt(s_hat) + eps", "s_hat + eps")], _AT, "optimiser-root-missing", 3),
    _edit("adam-no-square", "s without the square", "adam", [("g**2", "g")], _AS, "optimiser-square-missing", 1),
    _edit("adam-betas", "betas exchanged", "adam", [
        (_M, "m = beta2 * m + (1 - beta2) * g"), (_S, "s = beta1 * s + (1 - beta1) * g**2"),
    ], _AM, "adam-betas-exchanged", 1),
    _edit("adam-m-weight", "m without one minus beta", "adam", [(_M, "m = beta1 * m + g")], _AM,
          "optimiser-weight-missing", 1),
    _edit("adam-gradient", "the gradient above the line", "adam", [("rate * m_hat /", "rate * g /")], _AT,
          "momentum-not-used", 3),
    _edit("adamw-coupled", "the decay in the gradient: Adam with a penalty", "adamw", [
        (f"    {_M}\n", f"    g = g + decay * theta\n    {_M}\n"), (f" {_DECAY}", ""),
    ], "adamw_five.m", "decay-coupled", 0.5),
    _edit("adamw-divided", "the decay above the line", "adamw", [
        ("(m / (1 - beta1**t)) /", "(m / (1 - beta1**t) + decay * theta) /"), (f" {_DECAY}", ""),
    ], _WT, "decay-coupled", 3),
    _edit("adamw-no-decay", "no decay", "adamw", [(f" {_DECAY}", "")], _WT, "decay-missing", 3),
    _edit("adamw-no-rate", "the decay without the rate", "adamw", [(_DECAY, "- decay * theta")], _WT,
          "decay-without-rate", 3),
    _edit("adamw-plus", "away from zero", "adamw", [(_DECAY, "+ rate * decay * theta")], _WT, "decay-sign", 3),
    _edit("adamw-late", "the new parameters decay", "adamw", [
        (f"return theta - rate * step {_DECAY}, m, s", "theta = theta - rate * step\n    return theta - rate * decay * theta, m, s"),
    ], _WT, "decay-applied-after-the-step", 3),
    _edit("adamw-number", "not times theta", "adamw", [(_DECAY, "- rate * decay")], _WT, "decay-of-one-number", 3),
    wrong("uncorrected-twice", "no correction in Adam nor in AdamW costs once", edits={
        "adam": [("m_hat = m / (1 - beta1**t)", "m_hat = m"), ("s_hat = s / (1 - beta2**t)", "s_hat = s")],
        "adamw": [("(m / (1 - beta1**t))", "m"), ("s / (1 - beta2**t)", "s")],
    }, loses={_AT: 3}, named={_AT: "adam-correction-missing"}),
    _edit("loop-from-zero", "t is 0 in the first step", "descend", [("range(1, steps + 1)", "range(steps)")],
          "descend_path.path", "adam-counted-from-zero", 3),
    _edit("loop-one-short", "one step too few", "descend", [("range(1, steps + 1)", "range(1, steps)")],
          "descend_path.path", "one-step-too-few", 3),
    _edit("loop-forgets", "m and s are not carried on", "descend", [("theta, m, s = step", "theta, _, _ = step")],
          "descend_path.path", "optimiser-state-not-carried", 3),
    _edit("loop-one-gradient", "the gradient of the start in every step", "descend", [
        ("    for t in", "    g = gradient(theta)\n    for t in"), ("gradient(theta), m", "g, m"),
    ], "descend_path.path", "gradient-computed-once", 3),
    _edit("loop-no-start", "the start is left out", "descend", [("[theta]\n", "[]\n")], "descend_path.path",
          "start-left-out", 3),
    _edit("loop-last", "only the last point", "descend", [("return path", "return theta")], "descend_path.path",
          "only-the-last-point", 3),
    wrong("in-place", "arrays changed in place and returned, in all five: charged once", cells={
        "momentum": '''
def momentum_step(theta, g, v, rate, beta):
    v *= beta
    v += g
    theta -= rate * v
    return theta, v


def nesterov_step(theta, g, v, rate, beta):
    theta -= rate * g
    v *= beta
    v += g
    theta -= rate * beta * v
    return theta, v
''',
        "rmsprop": '''
def rmsprop_step(theta, g, s, rate, beta, eps):
    s *= beta
    s += (1 - beta) * np.square(g)
    theta -= np.divide(rate * g, np.sqrt(s) + eps)
    return theta, s
''',
        "adam": '''
def adam_step(theta, g, m, s, t, rate, beta1, beta2, eps):
    m *= beta1; m += (1 - beta1) * g
    s *= beta2; s += (1 - beta2) * g * g
    theta -= rate * np.sqrt(1 - beta2 ** t) / (1 - beta1 ** t) * m / (np.sqrt(s) + eps * np.sqrt(1 - beta2 ** t))
    return theta, m, s
''',
        "adamw": '''
def adamw_step(theta, g, m, s, t, rate, beta1, beta2, eps, decay):
    theta *= 1 - rate * decay
    return adam_step(theta, g, m, s, t, rate, beta1, beta2, eps)
''',
    }, loses={_V: 0.5}, named={_V: _CHANGED}),
    _edit("momentum-in-place", "v changed in place", "momentum", [
        (_MOMENTUM, "    v *= beta\n    v += g\n    return theta - rate * v, v"),
    ], _V, _CHANGED, 0.5),
    _edit("momentum-fades-in-place", "v changed where it is not zero any more", "momentum", [
        (_MOMENTUM, "    v *= beta\n    return theta - rate * (v + g), v + g"),
    ], _V, _CHANGED, 0.5),
    _edit("nesterov-in-place", "theta changed in place", "momentum", [
        (_LOOKING, "theta -= rate * (g + beta * v)\n    return theta, v"),
    ], "nesterov_five.v", _CHANGED, 0.5),
    _edit("rmsprop-in-place", "s changed in place", "rmsprop", [
        ("s = beta * s + (1 - beta) * g**2", "s *= beta\n    s += (1 - beta) * g**2"),
    ], _SQ, _CHANGED, 0.5),
    _edit("adamw-in-place", "theta decays in place", "adamw", [
        (f" {_DECAY}", ""), (f"    {_M}\n", f"    {_M}\n    theta -= rate * decay * theta\n"),
    ], "adamw_five.m", _CHANGED, 0.25),
    _edit("adam-in-place", "m and s changed in place", "adam", [
        (_M, "m *= beta1\n    m += (1 - beta1) * g"), (_S, "s *= beta2\n    s += (1 - beta2) * g**2"),
    ], _AM, _CHANGED, 0.5),
)  # fmt: skip


FAULTS = {
    "in-place": {
        "momentum": (
            "v *= beta\n    v += g\n    theta -= rate * v", "theta -= rate * g",
            "v *= beta\n    v += g\n    theta -= rate * beta * v",
        ),
        "rmsprop": ("s *= beta", "s += (1 - beta) * np.square(g)", "theta -= np.divide(rate * g, np.sqrt(s) + eps)"),
        "adam": ("m *= beta1", "m += (1 - beta1) * g", "s *= beta2", "s += (1 - beta2) * g * g", "theta -= rate"),
        "adamw": ("theta *= 1 - rate * decay",),
    },
}
