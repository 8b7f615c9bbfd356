# %% [markdown] text="title"
# PyTorch and JAX have no formula for the gradient of your network. They know the derivatives of a few dozen operations, note
# down what was made from what, and walk back over that. Here you write such an engine. It fits on one page, and it
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
# | `data` | its number, as an array of numpy's without axes |
# | `parents` | the nodes that it was made from, a tuple |
# | `rules` | for each parent a function: from what arrives at *this* node, to what goes back to *that* parent |
# | `grad` | room for what has arrived at it in all |
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

    def __truediv__(self, other):
        return self * lift(other) ** -1


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
    def f(x, y):
        return (x * y + x**3).tanh() * (y * -0.5).exp() + x / y

    def slope(f, h=1e-5):
        return (f(h) - f(-h)) / (2 * h)

    x, y = Value(0.7), Value(-1.3)
    out = f(x, y)
    first, again = gradients(out, [x, y]), gradients(out, [x, y])
    wanted = {
        "x": slope(lambda h: f(Value(0.7 + h), Value(-1.3)).data),
        "y": slope(lambda h: f(Value(0.7), Value(-1.3 + h)).data),
    }
    lines = []
    for name, got in zip("xy", first):
        right = np.shape(got) == () and np.isclose(got, wanted[name], rtol=1e-6)
        says = f"gradient {np.ravel(got)[0]:.6g}, slope {float(wanted[name]):.6g}"
        lines.append(Line(name, "ok" if right else "WRONG", says))
    same = np.allclose(first, again)
    lines.append(Line("called twice", "ok" if same else "WRONG", "the second call should give the same as the first"))
    return finish(Report("tanh(x y + x^3) exp(-y / 2) + x / y", tuple(lines)))


check_yourself(selfcheck_engine)

# %% question="local_rules"
# Value and rules of + {add}, * {mul}, ** {pow}, tanh {tanh} and exp {exp}.

# %% question="backward_walk"
# Gradients where a leaf is used twice {leaf}, where inner nodes are {node}, at a second call, for another
# node {twice}, along a chain of
# 3,000 nodes {deep}. The graphs are made by us, so that slips in (a) cost nothing here.

# %% [markdown] text="part_c"
# ## (c) Arrays that are stretched
#
# With arrays in the place of numbers nearly everything stays as it is. One thing does not: numpy *stretches* a bias
# of shape (3, 1) to (3, 8) when it is added to 8 examples. Then one number has fed eight, and on the way back eight gradients
# meet, so they are added.
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
# What stretching and adding up must do together: each number is counted as often as it was used.
def selfcheck_stretched():
    lines = []
    for shape in ((3, 1), (5,), (1, 5), ()):
        got = sum_to_shape(np.ones((3, 5)), shape)
        times = 15 // int(np.prod(shape))
        right = np.shape(got) == shape and np.allclose(got, times)
        lines.append(Line(str(shape), "ok" if right else "WRONG", f"shape {np.shape(got)}; each number was used {times} times"))
    return finish(Report("Ones of shape (3, 5).", tuple(lines)))


check_yourself(selfcheck_stretched)

# %% question="stretched_sums"
# One axis that was 1 {column}, axes that were not there {front}, both {both}.

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
