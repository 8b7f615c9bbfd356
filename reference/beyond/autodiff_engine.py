# %% [markdown] text="title"
# PyTorch and JAX have no formula for the gradient of your network. They know the derivative of every single operation, note
# down what was made from what, and walk back over that. Here you write such an engine. It takes less than a hundred lines, and it
# differentiates everything that its operations can say.

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
from backprop import show
from selfcheck import Line, Report, check_yourself, finish

# %% [markdown] text="part_a"
# ## (a) Operations that remember
#
# A `Value` is a node of a graph. It holds
#
# | attribute | what it is |
# |---|---|
# | `data` | its number, as a numpy array of shape () |
# | `parents` | the nodes that it was made from, a tuple |
# | `rules` | for each parent a function: from what arrives at *this* node, to what goes back to *that* parent |
# | `grad` | the sum of what has arrived at it |
#
# For example a node $y = 3 x$ is `Value(3 * x.data, (x,), (lambda g: 3 * g,))`: whatever arrives at $y$, three times as much goes
# back to $x$. Write the operations in this way: `+` and `*` of two values, `**` with a plain number as exponent, `tanh` and
# `exp`. (`lift` makes a `Value` of a plain number, so that `2 * x + 1` works; its part is done.)
#
# ## (b) Backward
#
# `gradients(output, nodes)` returns the gradient of `output` by each of the `nodes`, a list of arrays. It begins at the output,
# whose own gradient is 1; then each node gives to its parents by its rules. Whether you gather what arrives in
# `node.grad` or in a dictionary is up to you.
#
# 1. A node may give only when **everything has arrived** at it. So first put the nodes in an order in which every node
#    comes after all its parents, and then go through it from the back.
# 2. What arrives at a node is **added**: it may feed several others, or the same one twice, as in `x * x`.
# 3. It may be called again, for the same output or for another node of the graph: nothing may be left over. A node that the
#    output was not made from has the gradient 0.
# 4. A network with many layers is a long chain. Python calls functions inside functions only about 1,000 deep, so an order that is
#    found by a function which calls itself fails. Use a list of nodes still to do. You are asked with a chain of 3,000 nodes.

# %% student="engine"
def lift(x):
    """The value itself, or a plain number as a value."""
    return x if isinstance(x, Value) else Value(x)


class Value:
    """A number that remembers how it was made."""

    def __init__(self, data, parents=(), rules=()):
        self.data = np.asarray(data, dtype=float)
        self.grad = np.zeros(self.data.shape)
        self.parents, self.rules = tuple(parents), tuple(rules)

    def __add__(self, other):
        """self + other."""
        other = lift(other)
        ### BEGIN SOLUTION
        return Value(self.data + other.data, (self, other), (lambda g: g, lambda g: g))
        ### END SOLUTION

    def __mul__(self, other):
        """self * other."""
        other = lift(other)
        ### BEGIN SOLUTION
        return Value(self.data * other.data, (self, other), (lambda g: g * other.data, lambda g: g * self.data))
        ### END SOLUTION

    def __pow__(self, n):
        """self ** n, with a plain number n."""
        ### BEGIN SOLUTION
        return Value(self.data**n, (self,), (lambda g: g * n * self.data ** (n - 1),))
        ### END SOLUTION

    def tanh(self):
        """The hyperbolic tangent."""
        ### BEGIN SOLUTION
        t = np.tanh(self.data)
        return Value(t, (self,), (lambda g: g * (1 - t**2),))
        ### END SOLUTION

    def exp(self):
        """The exponential."""
        ### BEGIN SOLUTION
        e = np.exp(self.data)
        return Value(e, (self,), (lambda g: g * e,))
        ### END SOLUTION

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + lift(other) * -1

    def __rsub__(self, other):
        return lift(other) - self

    def __truediv__(self, other):
        return self * lift(other) ** -1

    def __rtruediv__(self, other):
        return lift(other) / self


def gradients(output, nodes):
    """The gradient of the output by each of these nodes: a list of arrays."""
    ### BEGIN SOLUTION
    order, seen, todo = [], set(), [(output, False)]
    while todo:
        node, done = todo.pop()
        if done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            todo.append((node, True))
            todo += [(parent, False) for parent in node.parents]
    for node in [*nodes, *order]:
        node.grad = np.zeros(node.data.shape)
    output.grad = np.ones(output.data.shape)
    for node in reversed(order):
        for parent, rule in zip(node.parents, node.rules):
            parent.grad = parent.grad + rule(node.grad)
    return [node.grad for node in nodes]
    ### END SOLUTION

# %% selfcheck="engine"
# Your engine, against the slope of what it has computed itself.
def selfcheck_engine():
    lines = []

    def slope(f, x, h=1e-5):
        return (float(f(Value(x + h)).data) - float(f(Value(x - h)).data)) / (2 * h)

    def line(name, got, wanted, says):
        right = all(np.shape(g) == () for g in got) and np.allclose(np.asarray(got, dtype=float), wanted, rtol=1e-6)
        numbers = [" and ".join(f"{np.ravel(one)[0]:.6g}" for one in some) for some in (got, wanted)]
        lines.append(Line(name, "ok" if right else "WRONG", says.format(*numbers)))

    def rules(name, make, *at):
        leaves = [Value(x) for x in at]
        node, got, wanted = make(*leaves), [], []
        for k, leaf in enumerate(leaves):
            got.append(sum(rule(2.0) for parent, rule in zip(node.parents, node.rules) if parent is leaf))
            wanted.append(2 * slope(lambda x, k=k: make(*leaves[:k], x, *leaves[k + 1 :]), at[k]))
        line(f"rules of {name}", got, wanted, "2 arrives; what goes back is {}, twice the slope is {}")

    rules("+", lambda a, b: a + b, 0.7, -1.3)
    rules("*", lambda a, b: a * b, 0.7, -1.3)
    rules("**", lambda a: a**3, 0.7)
    rules("tanh", lambda a: a.tanh(), 0.7)
    rules("exp", lambda a: a.exp(), 0.7)

    def f(x, y):
        return (x * y + x**3).tanh() * (y * -0.5).exp() + x / y

    x, y = Value(0.7), Value(-1.3)
    out = f(x, y)
    first = [np.array(g) for g in gradients(out, [x, y])]
    wanted = [slope(lambda x: f(x, y), 0.7), slope(lambda y: f(x, y), -1.3)]
    line("all together", first, wanted, "x and y have the gradients {}, the slopes are {}")
    line("called twice", gradients(out, [x, y]), first, "the second call gives {}, the first gave {}")
    other = Value(2.0)
    gradients(other * other, [other])
    says = "its gradient is {}; the output was not made from it, so it should be {}"
    line("another node", gradients(out, [other]), [0], says)

    def inner(x, turned):
        a = x * 3
        b = a * a * a
        return a + b if turned else b + a

    got = [gradients(inner(x, turned), [x])[0] for x, turned in ((Value(2.0), False), (Value(2.0), True))]
    wanted = [slope(lambda x: inner(x, False), 2.0)] * 2
    line("inner nodes", got, wanted, "a = 3 x feeds b = a * a * a, b + a and a + b: gradients {}, slopes {}")

    def chain(x):
        for _ in range(3000):
            x = x * 1.0003
        return x

    try:
        start = Value(0.7)
        line("a long chain", gradients(chain(start), [start]), [slope(chain, 0.7)], "gradient {}, slope {}")
    except RecursionError:
        says = "RecursionError: a function calls itself for each of 3,000 nodes, see (b) 4"
        lines.append(Line("a long chain", "WRONG", says))
    return finish(Report("Your engine and the slope of its own numbers.", tuple(lines)))


check_yourself(selfcheck_engine)

# %% question="local_rules"
# Value and rules of + {add}, * {mul}, ** {pow}, tanh {tanh} and exp {exp}.

# %% question="backward_walk"
# Gradients where a leaf is used twice {leaf}, where inner nodes are {node}, at a second call and for another node {twice},
# along a chain of 3,000 nodes {deep}. The graphs are made by us, so that slips in (a) cost nothing here.

# %% [markdown] text="part_c"
# ## (c) Arrays that are stretched
#
# Your `Value` stays with single numbers; the function here stands alone. It is what an engine for arrays needs besides: numpy
# *stretches* a bias of shape (3, 1) to (3, 8) when it is added to 8 examples. Then one number has fed eight, and on the way
# back eight gradients meet, so they are added.
#
# `sum_to_shape(g, shape)` gets a gradient `g` that has the stretched shape, and returns it in the shape that the array had
# before it was stretched. numpy stretches in two ways: an axis of length 1 becomes longer, and axes that are not there at all are put
# **in front**: from (4,) to (2, 4), or from () to (2, 4).
#
# A small example: $g = \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}$ gives $\begin{pmatrix} 3 \\ 7 \end{pmatrix}$ for the shape
# (2, 1), $(4, 6)$ for (2,), and 10 for ().

# %% student="stretched"
def sum_to_shape(g, shape):
    """The gradient of an array of this shape that was stretched to the shape of g."""
    ### BEGIN SOLUTION
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    return g.sum(axis=tuple(k for k, n in enumerate(shape) if n == 1), keepdims=True).reshape(shape)
    ### END SOLUTION

# %% selfcheck="stretched"
# Stretched or summed, the sum over all entries of g * A is the same, whatever A is.
def selfcheck_stretched():
    rng, lines = np.random.default_rng(0), []
    for whole, shape in (((3, 5), (3, 1)), ((3, 5), (5,)), ((3, 5), (1, 5)), ((3, 5), ()), ((2, 3, 5), (3, 1))):
        g, A = rng.normal(size=whole), rng.normal(size=shape)
        got = sum_to_shape(g.copy(), shape)
        right, says = np.shape(got) == shape, f"shape {np.shape(got)}, should be {shape}"
        if right:
            sums = [(np.sum(got), np.sum(g)), (np.sum(got * A), np.sum(g * A))]
            right = np.allclose(*zip(*sums))
            told = "its sum is {:.4g}, that of g {:.4g}; times random numbers {:.4g} and {:.4g}"
            says = told.format(*sums[0], *sums[1])
        lines.append(Line(f"{whole} to {shape}", "ok" if right else "WRONG", says))
    return finish(Report("Random gradients.", tuple(lines)))


check_yourself(selfcheck_stretched)

# %% question="stretched_sums"
# sum_to_shape: one axis that was 1 {column}, axes that were not there {front}, both {both}.

# %% [markdown] text="fit_text"
# ## Your engine at work
#
# A network with six tanh units, number by number, learns a bump from 15 points. No formula for its gradient stands anywhere.

# %% show="fit"
rng = np.random.default_rng(3)
parameters = [Value(p) for p in rng.normal(size=19)]
points = np.linspace(-2, 2, 15)
targets = np.exp(-2 * points**2)


def network(x):
    """Six units: their weights, their biases, the weights of the output, and its bias."""
    hidden = [(w * x + b).tanh() for w, b in zip(parameters[:6], parameters[6:12])]
    return sum((v * h for v, h in zip(parameters[12:18], hidden)), parameters[18])


losses = []
for _ in range(120):
    loss = sum((network(x) - y) ** 2 for x, y in zip(points, targets)) * (1 / len(points))
    losses.append(float(loss.data))
    for p, g in zip(parameters, gradients(loss, parameters)):
        p.data = p.data - 0.1 * g
fig, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
axes[0].plot(losses, color="#0072B2")
axes[0].set(title="Loss", xlabel="step", yscale="log")
fine = np.linspace(-2, 2, 81)
axes[1].plot(points, targets, "o", color="0.4", label="points")
axes[1].plot(fine, [float(network(x).data) for x in fine], color="#D55E00", label="network")
axes[1].set(title="The bump", xlabel="x")
axes[1].legend()
show("Left: the loss over 120 steps on a logarithmic axis. Right: 15 points of a bump, and the curve of the network.")

# %% [markdown] written="engine_words"
# ### (d) Why
#
# In the cell below, in about five sentences:
#
# 1. Why does the order matter? Say what goes wrong when a node gives to its parents before everything has arrived at it.
# 2. A network has a million parameters and one loss. Why is one walk back enough, where slopes by differences need a million
#    forward passes?
#
# === BEGIN MARK SCHEME ===
#
# - 2 points: it gives only a part on, and the rest, which arrives later, is lost or, if it gives again, counted twice (one
#   point); in the order everything that a node feeds has given before it (one point).
# - 1 point: each edge is gone along once, with what has been added up at its end: all parameters share these walks. A difference
#   answers for one parameter only.
#
# === END MARK SCHEME ===
