# %% [markdown] text="title"
# With one hidden layer it is possible to learn the formulas of the backward pass by heart. With two you need the rule behind
# them. Here you write the rule down, step by step, as matrix expressions that can be run, then as code for all six
# gradients, and finally in words.

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
from backprop import PALETTE, load_moons, plot_decision_boundary, plot_losses, progress, show, sigmoid
from selfcheck import Report, check_gradient, check_gradients, check_values, check_yourself

# %% [markdown] text="task"
# ## The network
#
# $$\begin{aligned} X &\to Z_1 = W_1 X + b_1 \to A_1 = \tanh(Z_1) \\ &\to Z_2 = W_2 A_1 + b_2 \to A_2 = \sigma(Z_2) \\
# &\to Z_3 = W_3 A_2 + b_3 \to A_3 = \sigma(Z_3) \end{aligned}$$
#
# Mind the activations: **tanh in the first hidden layer, the sigmoid in the second** and in the output layer. The loss $L$ is
# the **mean over the m examples** of $-\big(y \log a_3 + (1 - y) \log(1 - a_3)\big)$, summed over the outputs.
#
# Sizes are letters: `n` inputs, `h1` units in the first hidden layer, `h2` in the second, `o` outputs, `m` examples. There is
# one **column** per example.
#
# | what | shape | what | shape |
# |---|---|---|---|
# | `X` | (n, m) | `Y` | (o, m), entries 0 or 1 |
# | `W1`, `b1` | (h1, n), (h1, 1) | `Z1`, `A1` | (h1, m) |
# | `W2`, `b2` | (h2, h1), (h2, 1) | `Z2`, `A2` | (h2, m) |
# | `W3`, `b3` | (o, h2), (o, 1) | `Z3`, `A3` | (o, m) |
#
# `dZ3` is the **error signal** $\partial L / \partial Z_3$, `dW1` is $\partial L / \partial W_1$, and so on.

# %% show="picture"
# The way forward and the way back as a picture: run this cell to see it.
fig, ax = plt.subplots(figsize=(11, 3), layout="constrained")
boxes = ["X", "Z1", "A1", "Z2", "A2", "Z3", "A3", "L"]
above = ["W1, b1", "tanh", "W2, b2", "sigmoid", "W3, b3", "sigmoid", "loss"]
for i, name in enumerate(boxes):
    ax.text(i, 0, name, ha="center", va="center", fontsize=12,
            bbox={"boxstyle": "round,pad=0.5", "facecolor": "#dcebf7", "edgecolor": "#0072B2"})
for i, text in enumerate(above):
    ax.annotate("", (i + 0.74, 0.12), (i + 0.26, 0.12), arrowprops={"arrowstyle": "->", "color": "#0072B2"})
    ax.annotate("", (i + 0.26, -0.12), (i + 0.74, -0.12), arrowprops={"arrowstyle": "->", "color": "#D55E00"})
    ax.text(i + 0.5, 0.42, text, ha="center", color="#0072B2")
for i, name in ((1, "dZ1"), (3, "dZ2"), (5, "dZ3")):
    ax.text(i, -0.55, name, ha="center", color="#D55E00", fontsize=12)
    ax.annotate("", (i - 0.5, -1.05), (i - 0.1, -0.65), arrowprops={"arrowstyle": "->", "color": "#D55E00"})
    ax.text(i - 0.55, -1.25, f"dW{(i + 1) // 2}, db{(i + 1) // 2}", ha="center", color="#D55E00")
ax.set(xlim=(-0.4, 7.4), ylim=(-1.45, 0.7))
ax.axis("off")
show(
    "A chain of boxes X, Z1, A1, Z2, A2, Z3, A3, L. Blue arrows lead forward through weights and activations, "
    "orange arrows back; dW and db branch off at dZ3, dZ2 and dZ1."
)

# %% [markdown] text="picture_text"
# In words: values go forward, from $X$ to the loss (blue). The gradient goes back, from the loss to $Z_1$ (orange). At each
# $Z_l$ it is called the error signal `dZl`, and from there the gradients of the weights and biases of this layer branch off.

# %% [markdown] text="part_a"
# ## (a) Shapes first
#
# Before any formula: which shape must each of these arrays have? Fill in the table as pairs of letters (texts). For `b2` and
# `A1` the entries would be `("h2", "1")` and `("h1", "m")`.

# %% student="shape_letters"
# Fill in:  shapes = {"dZ3": (..., ...), "dZ2": (..., ...), "dZ1": (..., ...),
#                     "dW3": (..., ...), "dW2": (..., ...), "dW1": (..., ...)}
### BEGIN SOLUTION
shapes = {
    "dZ3": ("o", "m"), "dZ2": ("h2", "m"), "dZ1": ("h1", "m"),
    "dW3": ("o", "h2"), "dW2": ("h2", "h1"), "dW1": ("h1", "n"),
}
### END SOLUTION

# %% question="shape_table"
# six shapes {each}.

# %% [markdown] text="part_b"
# ## (b) The equations for dW1
#
# Four equations lead from the loss to `dW1`. Write each as **one matrix expression**: `@` is the matrix product, `*` the
# product entry by entry, `.T` the transpose.
#
# | function | gives |
# |---|---|
# | `equation_dZ3(A3, Y)` | the error signal of the output layer |
# | `equation_dZ2(W3, dZ3, A2)` | the error signal of the second hidden layer, from that of the output layer |
# | `equation_dZ1(W2, dZ2, A1)` | the error signal of the first hidden layer, from that of the second |
# | `equation_dW1(dZ1, X)` | the gradient of `W1`, from the error signal of its layer |
#
# **Where does 1/m go?** The loss is a mean, so its gradients carry a factor 1/m. In this course it stands in `dZ3`, as the
# definition $\partial L / \partial Z_3$ says, and goes from there into everything else. You may also leave it out of `dZ3`
# and put it into `equation_dW1`; but exactly one of the two must have it. Each function knows only its own arguments: `m`
# is the number of columns of one of them, such as `Y.shape[1]` in the first equation and `X.shape[1]` in the last.
#
# The slopes can be written with the activations: for tanh $1 - a^2$, for the sigmoid $a (1 - a)$. Each equation is checked
# alone, with arrays of its own, at several sizes: a slip in one costs nothing in the others.
#
# A small example of such an expression, for something else: the pre-activations of the third layer are
# `W3 @ A2 + b3`, with shapes (o, h2) times (h2, m) plus (o, 1), which gives (o, m).

# %% student="equations"
def equation_dZ3(A3, Y):
    ### BEGIN SOLUTION
    return (A3 - Y) / Y.shape[1]
    ### END SOLUTION


def equation_dZ2(W3, dZ3, A2):
    ### BEGIN SOLUTION
    return (W3.T @ dZ3) * A2 * (1 - A2)
    ### END SOLUTION


def equation_dZ1(W2, dZ2, A1):
    ### BEGIN SOLUTION
    return (W2.T @ dZ2) * (1 - A1**2)
    ### END SOLUTION


def equation_dW1(dZ1, X):
    ### BEGIN SOLUTION
    return dZ1 @ X.T
    ### END SOLUTION

# %% [markdown] text="check_text_equations"
# ### Check yourself
#
# The next cell looks at the shapes of what your four equations return, and compares `equation_dZ2` and `equation_dZ1` with
# the slopes of a small function. Where you put the 1/m is your choice; that it stands in one place is checked.

# %% selfcheck="equations"
def selfcheck_equations():
    rng = np.random.default_rng(5)
    n, h1, h2, o, m = 3, 5, 7, 11, 13
    X, A3, Y = rng.normal(size=(n, m)), rng.uniform(0.1, 0.9, size=(o, m)), rng.integers(0, 2, size=(o, m))
    W2, W3 = rng.normal(size=(h2, h1)), rng.normal(size=(o, h2))
    Z1, Z2 = rng.normal(size=(h1, m)), rng.normal(size=(h2, m))
    dZ1, dZ2, dZ3 = rng.normal(size=(h1, m)), rng.normal(size=(h2, m)), rng.normal(size=(o, m))
    found = {"dZ3": equation_dZ3(A3, Y), "dW1": equation_dW1(dZ1, X)}
    shapes = check_values(found, {"dZ3": (o, m), "dW1": (h1, n)})
    second = check_gradient(
        lambda Z2: np.sum(dZ3 * (W3 @ sigmoid(Z2))),
        lambda Z2: equation_dZ2(W3, dZ3, sigmoid(Z2)),
        {"Z2": Z2},
        sizes={"m": m, "n_out": o},
    )
    first = check_gradient(
        lambda Z1: np.sum(dZ2 * (W2 @ np.tanh(Z1))),
        lambda Z1: equation_dZ1(W2, dZ2, np.tanh(Z1)),
        {"Z1": Z1},
        sizes={"m": m},
    )
    once = equation_dW1(equation_dZ3(A3, Y), X)
    twice = equation_dW1(equation_dZ3(*(np.tile(one, 2) for one in (A3, Y))), np.tile(X, 2))
    assert np.allclose(twice, once), (
        "With every example there twice the mean stays. So must dW1: 1/m stands in one of the two."
    )
    return Report("What could be checked of your equations is right.", (*second.lines, *first.lines), shapes.notes)


check_yourself(selfcheck_equations)

# %% question="signal_3"
# equation_dZ3, the shape first, then the values.

# %% question="signal_2"
# equation_dZ2, the shape first, then the values.

# %% question="signal_1"
# equation_dZ1, the shape first, then the values.

# %% question="weights_1"
# equation_dW1, the shape first, then the values; with 1/m if your dZ3 does not have it.

# %% [markdown] text="part_c"
# ## (c) All six gradients
#
# The next cell gives you the network with its forward pass and its loss. Below it, write `backward_pass(X, Y)`, which computes
# `self.dW3`, `self.db3`, `self.dW2`, `self.db2`, `self.dW1` and `self.db1`: the gradients of the mean loss, each in the shape
# of its parameter. The forward pass has been run already, so `self.Z1`, `self.A1`, ..., `self.A3` are there. The parameters
# must not be changed. You may use your equations of (b), but you need not; if your
# `dZ3` has no 1/m, all six gradients need it, not `dW1` alone.

# %% given="network"
class TwoHiddenBase:
    """Two hidden layers (tanh, then sigmoid), a sigmoid output, mean binary cross-entropy."""

    def __init__(self, n, h1, h2, o, rng=None):
        rng = np.random.default_rng(rng)
        self.W1, self.b1 = rng.normal(size=(h1, n)), np.zeros((h1, 1))
        self.W2, self.b2 = rng.normal(size=(h2, h1)) / np.sqrt(h1), np.zeros((h2, 1))
        self.W3, self.b3 = rng.normal(size=(o, h2)) / np.sqrt(h2), np.zeros((o, 1))

    def forward_pass(self, X):
        self.Z1 = self.W1 @ X + self.b1
        self.A1 = np.tanh(self.Z1)
        self.Z2 = self.W2 @ self.A1 + self.b2
        self.A2 = sigmoid(self.Z2)
        self.Z3 = self.W3 @ self.A2 + self.b3
        self.A3 = sigmoid(self.Z3)
        return self.A3

    def compute_loss(self, Y):
        # log(1 + e^z) and log(1 + e^-z) in place of -log(1 - a) and -log(a): safe for every z
        return np.sum(Y * np.logaddexp(0, -self.Z3) + (1 - Y) * np.logaddexp(0, self.Z3)) / Y.shape[1]

# %% student="backward"
class TwoHiddenNetwork(TwoHiddenBase):
    """The same network with its backward pass."""

    def backward_pass(self, X, Y):
        ### BEGIN SOLUTION
        dZ3 = (self.A3 - Y) / X.shape[1]
        self.dW3 = dZ3 @ self.A2.T
        self.db3 = np.sum(dZ3, axis=1, keepdims=True)
        dZ2 = (self.W3.T @ dZ3) * self.A2 * (1 - self.A2)
        self.dW2 = dZ2 @ self.A1.T
        self.db2 = np.sum(dZ2, axis=1, keepdims=True)
        dZ1 = (self.W2.T @ dZ2) * (1 - self.A1**2)
        self.dW1 = dZ1 @ X.T
        self.db1 = np.sum(dZ1, axis=1, keepdims=True)
        ### END SOLUTION

# %% [markdown] text="check_text"
# ### Check yourself
#
# The next cell compares your six gradients with central differences of the loss: each parameter is moved a little up and a
# little down. It holds no answers, and more is checked after you hand in.

# %% selfcheck="gradients"
def selfcheck_gradients():
    rng = np.random.default_rng(0)
    network = TwoHiddenNetwork(3, 5, 7, 11, rng=rng)
    return check_gradients(network, X=rng.normal(size=(3, 13)), Y=rng.integers(0, 2, size=(11, 13)))


check_yourself(selfcheck_gradients)

# %% question="six_gradients"
# dW3, db3, db2 and db1 {dW3, db3, db2, db1}, dW2 and dW1 {dW2, dW1}.

# %% [markdown] text="show_text"
# ## Does it learn?
#
# With right gradients the network learns the moons. The next cell trains it by gradient descent and draws, beside the
# decision boundary and the loss, how large the gradients of the three weight matrices are during training.

# %% show="learning"
X_train, Y_train, X_test, Y_test = load_moons()
network = TwoHiddenNetwork(2, 8, 6, 1, rng=1)
losses, norms = [], {"dW3": [], "dW2": [], "dW1": []}
for _ in progress(3000):
    network.forward_pass(X_train)
    losses.append(network.compute_loss(Y_train))
    network.backward_pass(X_train, Y_train)
    for name in norms:
        norms[name].append(np.linalg.norm(getattr(network, name)))
    for name in ("W1", "b1", "W2", "b2", "W3", "b3"):
        setattr(network, name, getattr(network, name) - 0.5 * getattr(network, "d" + name))
on_train = np.mean((network.forward_pass(X_train) > 0.5) == Y_train)
on_test = np.mean((network.forward_pass(X_test) > 0.5) == Y_test)
print(f"loss {losses[-1]:.3f}, training set {on_train:.1%}, test set {on_test:.1%}")
fig, axes = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
plot_decision_boundary(network, X_train, Y_train, ax=axes[0], title="Two hidden layers on the moons")
plot_losses(losses, ax=axes[1])
for name, style, colour in zip(norms, ("-", "--", ":"), PALETTE):
    axes[2].semilogy(norms[name], style, color=colour, label=f"norm of {name}")
axes[2].set(xlabel="epoch", ylabel="norm", title="Size of the gradients")
axes[2].grid(alpha=0.3)
axes[2].legend()
show(
    "Three plots: the decision boundary on the moons, the loss against the epoch, and the norms of dW3, dW2 "
    "and dW1 against the epoch on a logarithmic axis."
)

# %% [markdown] written="error_signal"
# ## (d) How the error signal reaches the first layer
#
# In the cell below, explain in words, in about five sentences, how the error of the output reaches a weight of the first
# layer. Say what happens to the signal at each of the stations on its way (output, $W_3$, second activation, $W_2$, first
# activation, input), and at which stations it can be lost or become small, so that a weight of the first layer hardly learns.
#
# === BEGIN MARK SCHEME ===
#
# - 1 point: the start and the way. At the output the signal is the difference between prediction and target (A3 - Y,
#   averaged), for the slope of the sigmoid and the derivative of the cross-entropy cancel; each hidden unit gets the sum
#   over the units that it feeds, each with the weight of that connection.
# - 1 point: at each activation the signal is multiplied, unit by unit, by the slope at the value of the forward pass (the
#   sigmoid's a(1 - a) in layer 2, 1 - a^2 of tanh in layer 1); at the weight it is multiplied by the input that the weight
#   saw and summed over the examples.
# - 1 point: where it can be lost, said with the station, half a point for each of two: saturated units (slope near 0), the
#   sigmoid's slope of at most 1/4, small weights on the way, an input that is zero.
#
# Formulas without words earn at most 1 of the 3 points.
#
# === END MARK SCHEME ===
