"""Other solutions of autodiff_engine: right ones in another style, and wrong ones with what they must cost."""

from autograder.audit import right, wrong

START = '''
def lift(x):
    return x if isinstance(x, Value) else Value(x)


class Value:
    def __init__(self, data, parents=(), rules=()):
        self.data = np.asarray(data, dtype=float)
        self.grad = np.zeros(self.data.shape)
        self.parents, self.rules = tuple(parents), tuple(rules)
'''
REST = '''
    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + lift(other) * -1

    def __truediv__(self, other):
        return self * lift(other) ** -1
'''
PLAIN = '''
    def __add__(self, other):
        other = lift(other)
        return Value(self.data + other.data, [self, other], [lambda g: g] * 2)

    def __mul__(self, other):
        other = lift(other)
        a, b = self.data, other.data
        return Value(a * b, [self, other], [lambda g: b * g, lambda g: a * g])

    def __pow__(self, n):
        x = float(self.data)
        def back(g):
            return n * x ** (n - 1) * g
        return Value(x**n, (self,), (back,))

    def tanh(self):
        top, bottom = np.exp(self.data) - np.exp(-self.data), np.exp(self.data) + np.exp(-self.data)
        return Value(top / bottom, (self,), (lambda g: 4 * g / bottom**2,))

    def exp(self):
        return Value(np.exp(self.data), (self,), (lambda g: np.exp(self.data) * g,))
'''

RIGHT = (
    right(
        "dictionary",
        "gradients in a dictionary, counted edges (Kahn), loops in sum_to_shape",
        engine=START + PLAIN + REST + '''

def gradients(output, nodes):
    waiting, reached, todo = {}, {id(output): output}, [output]
    while todo:
        for parent in todo.pop().parents:
            waiting[id(parent)] = waiting.get(id(parent), 0) + 1
            if id(parent) not in reached:
                reached[id(parent)] = parent
                todo.append(parent)
    got, ready = {id(output): np.array(1.0)}, [output]
    while ready:
        node = ready.pop()
        for parent, rule in zip(node.parents, node.rules):
            got[id(parent)] = got.get(id(parent), 0.0) + rule(got[id(node)])
            waiting[id(parent)] -= 1
            if not waiting[id(parent)]:
                ready.append(parent)
    return [np.asarray(got.get(id(node), 0.0)) for node in nodes]
''',
        stretched='''
def sum_to_shape(g, shape):
    while len(g.shape) > len(shape):
        g = sum(g)
    for axis in range(len(shape)):
        if shape[axis] == 1:
            g = np.add.reduce(g, axis=axis, keepdims=True)
    return g
''',
    ),
    right(
        "numbered",
        "every node has a number, the latest is taken first; heap; einsum",
        engine='''
import heapq
import itertools
''' + START.replace("tuple(rules)\n", "tuple(rules)\n        self.number = next(Value.numbers)\n").replace(
            "class Value:\n", "class Value:\n    numbers = itertools.count()\n\n") + PLAIN + REST + '''

def gradients(output, nodes):
    for node in nodes:
        node.grad = 0.0
    got = {output.number: 1.0}
    heap, known = [-output.number], {output.number: output}
    while heap:
        node = known[-heapq.heappop(heap)]
        node.grad = got[node.number]
        for parent, rule in zip(node.parents, node.rules):
            if parent.number not in known:
                known[parent.number] = parent
                heapq.heappush(heap, -parent.number)
                got[parent.number] = 0.0
            got[parent.number] += rule(node.grad)
    return [float(node.grad) for node in nodes]
''',
        stretched='''
def sum_to_shape(g, shape):
    letters = "abcdefgh"[: g.ndim]
    kept = "".join(c for c, n in zip(letters[g.ndim - len(shape):], shape) if n != 1)
    return np.einsum(letters + "->" + kept, g).reshape(shape)
''',
    ),
    right(
        "higher-limit",
        "a function that calls itself, on a thread with room for it",
        engine=START + PLAIN + REST + '''

def gradients(output, nodes):
    import sys
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for parent in node.parents:
                visit(parent)
            order.append(node)

    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20000)
    try:
        visit(output)
    finally:
        sys.setrecursionlimit(before)
    for node in list(nodes) + order:
        node.grad = np.zeros(())
    output.grad = np.ones(())
    while order:
        node = order.pop()
        for k in range(len(node.parents)):
            node.parents[k].grad = node.parents[k].grad + node.rules[k](node.grad)
    return [node.grad for node in nodes]
''',
    ),
    right(
        "forward-counts",
        "in place, with a list of pairs; mean times count in sum_to_shape",
        engine=START + PLAIN + REST + '''

def gradients(output, nodes):
    order, state, stack = [], {}, [output]
    while stack:
        node = stack[-1]
        fresh = [p for p in node.parents if id(p) not in state]
        if id(node) not in state and fresh:
            stack.extend(fresh)
            continue
        stack.pop()
        if id(node) not in state:
            state[id(node)] = len(order)
            order.append(node)
    got = [0.0] * len(order)
    got[-1] = 1.0
    for k in range(len(order) - 1, -1, -1):
        for parent, rule in zip(order[k].parents, order[k].rules):
            got[state[id(parent)]] += float(rule(np.array(got[k])))
    return [np.array(got[state[id(node)]]) if id(node) in state else np.array(0.0) for node in nodes]
''',
        stretched='''
def sum_to_shape(g, shape):
    full = (1,) * (g.ndim - len(shape)) + tuple(shape)
    axes = tuple(k for k in range(g.ndim) if full[k] != g.shape[k])
    return g.sum(axis=axes, keepdims=True).reshape(shape)
''',
    ),
)


def _rule(variant_id, title, old, new, line, mistake, points):
    """One wrong rule."""
    place = f"local_rules.{line}"
    return wrong(variant_id, title, edits={"engine": [(old, new)]}, loses={place: points}, named={place: mistake})


def _walk(variant_id, title, edits, loses, named=None):
    """A wrong walk."""
    return wrong(variant_id, title, edits={"engine": edits}, loses=loses, named=named)


def _gradients(body):
    """The whole cell with another walk."""
    return {"engine": START + PLAIN + REST + "\n\ndef gradients(output, nodes):\n" + body}


_ADDING = "(lambda g: g, lambda g: g)"
_FACTORS = "(lambda g: g * other.data, lambda g: g * self.data)"
_LEAF, _NODE, _TWICE, _DEEP = (f"backward_walk.{name}" for name in ("leaf", "node", "twice", "deep"))
_ZEROS = "    for node in [*nodes, *order]:\n        node.grad = np.zeros(node.data.shape)\n"
_ADD = "parent.grad = parent.grad + rule(node.grad)"

WRONG = (
    _rule("add-ones", "1 whatever arrives", _ADDING, "(lambda g: 1.0, lambda g: 1.0)", "add", "upstream-missing", 1),
    _rule("add-values", "times the values", _ADDING, "(lambda g: g * self.data, lambda g: g * other.data)", "add",
          "value-for-derivative", 1),
    _rule("mul-own", "each factor itself", _FACTORS, "(lambda g: g * self.data, lambda g: g * other.data)", "mul",
          "own-factor", 2),
    _rule("mul-alone", "what arrives is left out", _FACTORS, "(lambda g: other.data, lambda g: self.data)", "mul",
          "upstream-missing", 2),
    _rule("pow-no-n", "the exponent in front is left out", "g * n * self.data ** (n - 1)", "g * self.data ** (n - 1)", "pow",
          "exponent-forgotten", 2),
    _rule("pow-not-lowered", "n in the exponent", "g * n * self.data ** (n - 1)", "g * n * self.data**n", "pow",
          "exponent-not-lowered", 2),
    _rule("pow-alone", "what arrives is left out", "g * n * self.data", "n * self.data", "pow", "upstream-missing", 2),
    _rule("tanh-no-square", "the square is left out", "1 - t**2", "1 - t", "tanh", "square-missing", 2),
    _rule("tanh-input", "the square of the input", "1 - t**2", "1 - self.data**2", "tanh", "pre-activation-in-derivative", 2),
    _rule("tanh-sigmoid", "the slope of the sigmoid", "g * (1 - t**2)", "g * t * (1 - t)", "tanh",
          "sigmoid-derivative-with-tanh", 2),
    _rule("tanh-alone", "what arrives is left out", "g * (1 - t**2)", "1 - t**2", "tanh", "upstream-missing", 2),
    _rule("exp-input", "the input for the exponential", "g * e,", "g * self.data,", "exp", "value-for-derivative", 1),
    _rule("exp-passes", "what arrives is passed on", "g * e,", "g,", "exp", "activation-derivative-missing", 1),
    _rule("exp-alone", "what arrives is left out", "lambda g: g * e,", "lambda g: e,", "exp", "upstream-missing", 1),
    wrong("alone-everywhere", "what arrives is left out of three rules: one slip", edits={"engine": [
        (_FACTORS, "(lambda g: other.data, lambda g: self.data)"), ("g * (1 - t**2)", "1 - t**2"),
        ("lambda g: g * e,", "lambda g: e,"),
    ]}, loses={"local_rules.mul": 2}, named={"local_rules.mul": "upstream-missing"}),
    _walk("overwritten", "= for +=", [(_ADD, "parent.grad = rule(node.grad)")], {_LEAF: 3}, {_LEAF: "gradient-overwritten"}),
    _walk("not-zeroed", "nothing is set to zero", [(_ZEROS, "")], {_TWICE: 2}, {_TWICE: "gradients-left-over"}),
    wrong("early", "each parent at once, before everything has arrived", cells=_gradients('''
    for node in nodes:
        node.grad = np.zeros(())
    output.grad = np.ones(())

    def visit(node):
        for parent, rule in zip(node.parents, node.rules):
            parent.grad = parent.grad + rule(node.grad)
            visit(parent)

    visit(output)
    return [node.grad for node in nodes]
'''), loses={_NODE: 3, _DEEP: 3}, named={_NODE: "gives-before-all-has-arrived", _DEEP: "walk-calls-itself"}),
    wrong("in-breadth", "nearest first, each node once", cells=_gradients('''
    queue = [output]
    for node in queue:
        queue += [parent for parent in node.parents if parent not in queue]
    for node in [*nodes, *queue]:
        node.grad = np.zeros(())
    output.grad = np.ones(())
    for node in queue:
        for parent, rule in zip(node.parents, node.rules):
            parent.grad = parent.grad + rule(node.grad)
    return [node.grad for node in nodes]
'''), loses={_NODE: 3}, named={_NODE: "gives-before-all-has-arrived"}),
    wrong("recursion", "an order found by a function that calls itself", cells=_gradients('''
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for parent in node.parents:
                visit(parent)
            order.append(node)

    visit(output)
    for node in [*nodes, *order]:
        node.grad = np.zeros(())
    output.grad = np.ones(())
    for node in reversed(order):
        for parent, rule in zip(node.parents, node.rules):
            parent.grad = parent.grad + rule(node.grad)
    return [node.grad for node in nodes]
'''), loses={_DEEP: 3}, named={_DEEP: "walk-calls-itself"}),
    wrong("paths", "every path by itself: right, and too deep", cells=_gradients('''
    for node in nodes:
        node.grad = np.zeros(())

    def give(node, g):
        node.grad = node.grad + g
        for parent, rule in zip(node.parents, node.rules):
            give(parent, rule(g))

    give(output, np.ones(()))
    return [node.grad for node in nodes]
'''), loses={_DEEP: 3}, named={_DEEP: "walk-calls-itself"}),
    _walk("no-one", "the output's own gradient stays 0", [("np.ones(output.data.shape)", "np.zeros(output.data.shape)")],
          {"backward_walk": 11}),
    wrong("sum-mean", "the mean for the sum", cells={"stretched": '''
def sum_to_shape(g, shape):
    g = g.mean(axis=tuple(range(g.ndim - len(shape))))
    return g.mean(axis=tuple(k for k, n in enumerate(shape) if n == 1), keepdims=True)
'''}, loses={"stretched_sums.column": 1}, named={"stretched_sums.column": "mean-for-sum"}),
    wrong("sum-nothing", "the gradient as it came", cells={"stretched": "def sum_to_shape(g, shape):\n    return g\n"},
          loses={"stretched_sums": 3}, named={"stretched_sums.column": "stretched-not-summed"}),
    wrong("sum-one", "one of them instead of all", cells={"stretched": '''
def sum_to_shape(g, shape):
    while g.ndim > len(shape):
        g = g[0]
    return g[:, :1] if len(shape) == 2 and shape[1] == 1 else g
'''}, loses={"stretched_sums.column": 1}, named={"stretched_sums.column": "one-path-only"}),
    wrong("sum-front-only", "axes of length 1 are forgotten", edits={"stretched": [
        ("g.sum(axis=tuple(k for k, n in enumerate(shape) if n == 1), keepdims=True).reshape(shape)", "g"),
    ]}, loses={"stretched_sums.column": 1, "stretched_sums.both": 1}),
)  # fmt: skip

FAULTS = {
    "early": {"engine": ("visit(parent)",)},
    "in-breadth": {"engine": ("queue += [parent for parent in node.parents if parent not in queue]",)},
    "recursion": {"engine": ("visit(parent)",)},
    "paths": {"engine": ("give(parent, rule(g))",)},
    "sum-mean": {"stretched": ("g.mean(axis=tuple(range(g.ndim - len(shape))))", "g.mean(axis=tuple(k for k, n in enumerate(shape) if n == 1), keepdims=True)")},
    "sum-one": {"stretched": ("g[0]", "g[:, :1]")},
}

ALLOWED = {
    "no-one": "without the 1 at the output there is no gradient at all",
    "sum-front-only": "the same step is missing in two of the three lines, and its numbers prove nothing in the second",
}

UNPLACED = {"sum-nothing": "what is not there is at no place"}
