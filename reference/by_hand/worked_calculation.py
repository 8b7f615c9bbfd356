# %% [markdown] text="title"
# Paper, pencil and a pocket calculator.
#
# You will carry one example through a small network and back: every number of the forward pass, the loss, every
# gradient, and one step of gradient descent. It is the only time in this course that you do it by hand, and it is
# worth it: after this, backpropagation has no secrets, only more units.
#
# **How it is marked.** Every value is compared with what follows from *your own* earlier values, as a person would do
# it. A slip in the first line costs the first line and nothing else. Four significant figures, carried through, are
# enough. You may also compute in Python: then nothing needs to be rounded.
#
# **Practise first?** In [the practice notebook](../guide/practice.ipynb) the same calculation waits with as many other
# numbers as you like, and shows you one step at a time when you ask. In a new cell below,
# `import practice; practice.worked_calculation()` does it as well.

# %% given="setup"
import matplotlib.pyplot as plt
from backprop import show
from selfcheck import check_values, check_yourself

# %% [markdown] text="task"
# ## The network
#
# Two inputs, two hidden units, one output unit. **Every unit uses the sigmoid**
# $\sigma(z) = \dfrac{1}{1 + e^{-z}}$, and the loss is the **squared error** of the one example, with no factor 1/2:
#
# $$L = (a_2 - y)^2$$
#
# | what | value |
# |---|---|
# | input | $x = (1,\ 2)$ |
# | hidden weights | $W_1 = \begin{pmatrix} 0.5 & 0.3 \\ 0.2 & 0.8 \end{pmatrix}$, row $i$ leads into hidden unit $i$ |
# | hidden biases | $b_1 = (0.1,\ 0.4)$ |
# | output weights | $W_2 = (0.9,\ 0.7)$ |
# | output bias | $b_2 = 0.2$ |
# | target | $y = 0.8$ |
# | learning rate | $\alpha = 0.1$ |
#
# The forward pass is $z_1 = W_1 x + b_1$, $a_1 = \sigma(z_1)$, $z_2 = W_2 a_1 + b_2$, $a_2 = \sigma(z_2)$.

# %% show="picture"
# The network as a picture: run this cell to see it.
fig, ax = plt.subplots(figsize=(6.4, 2.8), layout="constrained")
place = {"x1 = 1": (0, 1), "x2 = 2": (0, 0), "unit 1": (1, 1), "unit 2": (1, 0), "output": (2, 0.5)}
arrows = [
    ("x1 = 1", "unit 1", "0.5", 0.5), ("x2 = 2", "unit 1", "0.3", 0.25), ("x1 = 1", "unit 2", "0.2", 0.25),
    ("x2 = 2", "unit 2", "0.8", 0.5), ("unit 1", "output", "0.9", 0.5), ("unit 2", "output", "0.7", 0.5),
]
for start, end, weight, where in arrows:
    (x0, y0), (x1, y1) = place[start], place[end]
    ax.annotate("", (x1, y1), (x0, y0), arrowprops={"arrowstyle": "->", "shrinkA": 26, "shrinkB": 26, "color": "0.4"})
    ax.text(x0 + where * (x1 - x0), y0 + where * (y1 - y0), weight, ha="center", va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5})
for name, (x, y) in place.items():
    ax.text(x, y, name, ha="center", va="center",
            bbox={"boxstyle": "circle,pad=0.6", "facecolor": "#dcebf7", "edgecolor": "#0072B2"})
for name, (x, y) in {"bias 0.1": (1, 1.42), "bias 0.4": (1, -0.42), "bias 0.2": (2, 0.92)}.items():
    ax.text(x, y, name, ha="center", va="center", fontsize=9, color="0.3")
ax.set(xlim=(-0.4, 2.4), ylim=(-0.6, 1.6))
ax.axis("off")
show(
    "The network: x1 = 1 and x2 = 2 lead to unit 1 (weights 0.5 and 0.3, bias 0.1) and unit 2 (weights 0.2 "
    "and 0.8, bias 0.4); both lead to the output (weights 0.9 and 0.7, bias 0.2)."
)

# %% [markdown] text="how"
# ## How to fill in the values
#
# A value that belongs to both hidden units is a list of two numbers, a matrix is a list of rows, and a single value is
# a number. A small example with *other* numbers: with $x = (2, -1)$, $W_1 = \begin{pmatrix} 1 & 2 \\ 0 & 3 \end{pmatrix}$
# and $b_1 = (0.5, 1)$ you would write
#
# ```python
# z1 = [0.5, -2]        # 1 * 2 + 2 * (-1) + 0.5   and   0 * 2 + 3 * (-1) + 1
# a1 = [0.6225, 0.1192] # the sigmoid of each
# ```
#
# Names of gradients say what the loss is differentiated by: `dz2` is $\partial L / \partial z_2$, `dW1` is
# $\partial L / \partial W_1$, and each gradient has the shape of the thing it belongs to.

# %% [markdown] text="part_a"
# ## (a) The forward pass
#
# Give `z1`, `a1` (two numbers each) and `z2`, `a2` (one number each).

# %% student="forward"
# Fill in:  z1 = [..., ...]   a1 = [..., ...]   z2 = ...   a2 = ...
### BEGIN SOLUTION
import math


def sigma(z):
    return 1 / (1 + math.exp(-z))


z1 = [0.5 * 1 + 0.3 * 2 + 0.1, 0.2 * 1 + 0.8 * 2 + 0.4]
a1 = [sigma(z1[0]), sigma(z1[1])]
z2 = 0.9 * a1[0] + 0.7 * a1[1] + 0.2
a2 = sigma(z2)
### END SOLUTION

# %% selfcheck="forward"
# Is everything there, are they numbers, do the shapes fit, have they four figures? This cell does not know the answers.
def selfcheck_forward():
    shapes = {"z1": (2,), "a1": (2,), "z2": (), "a2": ()}
    return check_values(globals(), shapes, ranges={"a1": (0, 1), "a2": (0, 1)}, rounded={"a1": 4, "z2": 4, "a2": 4})


check_yourself(selfcheck_forward)

# %% question="forward_values"
# z1, a1, z2 and a2 {each}.

# %% [markdown] text="part_b"
# ## (b) The loss

# %% student="loss"
# Fill in:  loss = ...
### BEGIN SOLUTION
y = 0.8
loss = (a2 - y) ** 2
### END SOLUTION

# %% selfcheck="loss"
def selfcheck_loss():
    return check_values(globals(), {"loss": ()}, rounded={"loss": 4})


check_yourself(selfcheck_loss)

# %% question="loss_value"
# loss.

# %% [markdown] text="part_c"
# ## (c) The gradients
#
# Work backwards. First the output unit: `dz2`, then `dW2` (two numbers) and `db2`. Then the hidden units: `dz1` (two
# numbers), `dW1` (a matrix) and `db1` (two numbers).
#
# Two reminders. The chain rule goes through *every* function on the way: the loss, then the sigmoid, then the weighted
# sum. And the derivative of the sigmoid is easy once you have its value: $\sigma'(z) = \sigma(z)\,(1 - \sigma(z))$.

# %% student="gradients"
# Fill in:  dz2 = ...          dW2 = [..., ...]                   db2 = ...
#           dz1 = [..., ...]   dW1 = [[..., ...], [..., ...]]     db1 = [..., ...]
### BEGIN SOLUTION
dz2 = 2 * (a2 - y) * a2 * (1 - a2)
dW2 = [dz2 * a1[0], dz2 * a1[1]]
db2 = dz2
dz1 = [dz2 * 0.9 * a1[0] * (1 - a1[0]), dz2 * 0.7 * a1[1] * (1 - a1[1])]
dW1 = [[dz1[0] * 1, dz1[0] * 2], [dz1[1] * 1, dz1[1] * 2]]
db1 = dz1
### END SOLUTION

# %% selfcheck="gradients"
def selfcheck_gradients():
    shapes = {"dz2": (), "dW2": (2,), "db2": (), "dz1": (2,), "dW1": (2, 2), "db1": (2,)}
    return check_values(globals(), shapes, rounded=dict.fromkeys(shapes, 4))


check_yourself(selfcheck_gradients)

# %% question="gradient_values"
# dz2, dW2, dz1, dW1 {dz2, dW2, dz1, dW1}, db2 and db1 {db2, db1}.

# %% [markdown] text="part_d"
# ## (d) One step of gradient descent
#
# Give all four parameters after one step with $\alpha = 0.1$. All gradients are taken at the old parameters. The steps are small:
# give **six decimals**, for four figures would hide some of them.

# %% student="update"
# Fill in:  W2_new = [..., ...]   b2_new = ...   W1_new = [[..., ...], [..., ...]]   b1_new = [..., ...]
### BEGIN SOLUTION
alpha = 0.1
W2_new = [0.9 - alpha * dW2[0], 0.7 - alpha * dW2[1]]
b2_new = 0.2 - alpha * db2
W1_new = [
    [0.5 - alpha * dW1[0][0], 0.3 - alpha * dW1[0][1]],
    [0.2 - alpha * dW1[1][0], 0.8 - alpha * dW1[1][1]],
]
b1_new = [0.1 - alpha * db1[0], 0.4 - alpha * db1[1]]
### END SOLUTION

# %% question="updated_values"
# W1_new {W1_new}, W2_new, b1_new and b2_new {W2_new, b2_new, b1_new}.

# %% [markdown] text="check_text"
# ## Check yourself
#
# The cell below looks at all that you filled in: is everything there, are they numbers, do the shapes fit? It does not
# know the answers. A check that you can make yourself: put the new parameters into the network and go forward once
# more. The new output must be closer to 0.8 than the old one.

# %% selfcheck="values"
def selfcheck_values():
    shapes = {
        "z1": (2,), "a1": (2,), "z2": (), "a2": (), "loss": (),
        "dz2": (), "dW2": (2,), "db2": (), "dz1": (2,), "dW1": (2, 2), "db1": (2,),
        "W2_new": (2,), "b2_new": (), "W1_new": (2, 2), "b1_new": (2,),
    }
    endless = ("a1", "z2", "a2", "loss", "dz2", "dW2", "db2", "dz1", "dW1", "db1")
    return check_values(globals(), shapes, ranges={"a1": (0, 1), "a2": (0, 1)}, rounded=dict.fromkeys(endless, 4))


check_yourself(selfcheck_values)
