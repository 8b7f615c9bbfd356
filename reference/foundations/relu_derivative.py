# %% [markdown] text="title"
# The rectified linear unit, ReLU, is the simplest activation in use: it passes positive numbers on and turns negative
# ones into zero. You will write it, write its derivative, and use both to carry an error signal back through a hidden
# layer. At the end you explain in words why this step is so simple with ReLU.
#
# | name | shape | meaning |
# |---|---|---|
# | `Z1` | (h, m) | hidden pre-activations, one **column** per example |
# | `A1` | (h, m) | hidden activations, here $A_1 = \operatorname{relu}(Z_1)$ |
# | `W2` | (o, h) | weights from the hidden layer to the output layer |
# | `Z2` | (o, m) | output pre-activations, $Z_2 = W_2 A_1 + b_2$ |
# | `dZ2` | (o, m) | $\partial L / \partial Z_2$, the error signal of the output layer |
# | `dZ1` | (h, m) | $\partial L / \partial Z_1$, the error signal of the hidden layer |

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
from backprop import BLUE, ORANGE, show, sigmoid
from selfcheck import check_function, check_gradient, check_yourself

# %% [markdown] text="task_function"
# ## The function and its derivative
#
# $$\operatorname{relu}(z) = \begin{cases} z & \text{for } z > 0 \\ 0 & \text{for } z \le 0 \end{cases}$$
#
# Write two functions. Each takes an array `Z` of any shape, treats every entry alone, and returns a new array of the
# same shape. The array that is passed in must stay as it is.
#
# - `relu(Z)` is the function above.
# - `relu_derivative(Z)` is its slope at every entry of `Z`. Draw the function first: what is its slope on the left side,
#   what on the right side?
#
# **At z = 0** the function has a kink and no single slope. There, any value from 0 to 1 is right: choose what is easiest.
#
# A small example:
#
# $$Z = \begin{pmatrix} -2 & 0.5 \\ 3 & 0 \end{pmatrix} \qquad
# \operatorname{relu}(Z) = \begin{pmatrix} 0 & 0.5 \\ 3 & 0 \end{pmatrix} \qquad
# \operatorname{relu}'(Z) = \begin{pmatrix} 0 & 1 \\ 1 & \text{any of } 0 \ldots 1 \end{pmatrix}$$

# %% student="functions"
def relu(Z):
    """ReLU of every entry of Z."""
    ### BEGIN SOLUTION
    return np.maximum(Z, 0)
    ### END SOLUTION


def relu_derivative(Z):
    """The slope of ReLU at every entry of Z."""
    ### BEGIN SOLUTION
    return (Z > 0).astype(float)
    ### END SOLUTION

# %% [markdown] text="check_function_text"
# ### Check yourself
#
# The next cell compares your derivative with the slope of your own function. It holds no answers, and more is checked
# after you hand in.

# %% selfcheck="functions"
def selfcheck_functions():
    return check_function(relu, relu_derivative)


check_yourself(selfcheck_functions)

# %% question="relu_values"
# relu at positive, negative and zero entries, in arrays of several shapes.

# %% question="relu_slopes"
# relu_derivative in arrays of several shapes; at zero any value from 0 to 1.

# %% [markdown] text="curves_text"
# ### What it looks like
#
# The next cell draws your functions beside the sigmoid. On the left you should see the two activations: ReLU is flat,
# then a straight line; the sigmoid is a soft step from 0 to 1. On the right their slopes: ReLU has only the slopes 0
# and 1, while the slope of the sigmoid is a low hill that never gets higher than 1/4.

# %% show="curves"
z = np.linspace(-4, 4, 801)
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
left.plot(z, relu(z), color=BLUE, label="ReLU")
left.plot(z, sigmoid(z), color=ORANGE, linestyle="--", label="sigmoid")
left.set(title="The functions", xlabel="z", ylim=(-0.3, 4.2))
right.plot(z, np.where(np.abs(z) < 1e-9, np.nan, relu_derivative(z)), color=BLUE, label="ReLU")
right.plot(z, np.gradient(sigmoid(z), z), color=ORANGE, linestyle="--", label="sigmoid")
right.axhline(0.25, color="0.6", linewidth=0.8, linestyle=":")
right.text(-4, 0.27, "1/4", color="0.4")
right.set(title="Their slopes", xlabel="z", ylim=(-0.1, 1.1))
for ax in (left, right):
    ax.grid(alpha=0.3)
    ax.legend(loc="upper left" if ax is left else "center right")
show(
    "Two plots over z from -4 to 4: your ReLU and the sigmoid on the left, their slopes on the right, with a "
    "line at 1/4."
)

# %% [markdown] text="task_signal"
# ## The error signal of the hidden layer
#
# In a network, the loss depends on `Z1` along this path: $Z_1 \to A_1 = \operatorname{relu}(Z_1) \to
# Z_2 = W_2 A_1 + b_2 \to L$. Backpropagation walks the same path back. It arrives with `dZ2`, the derivative of the loss
# with respect to `Z2`, and has to find `dZ1`, the derivative with respect to `Z1`.
#
# Write `hidden_error(W2, dZ2, Z1)` that returns `dZ1`, in the shape (h, m) of `Z1`.
#
# - `dZ2` is complete: if the loss is a mean over the examples, the factor 1/m is already in it. Add no other factor.
# - It is allowed, and a good idea, to use your `relu_derivative`.
# - At entries of `Z1` that are exactly zero, any slope from 0 to 1 is right, as above.
#
# A small example with two hidden units, one output and two examples, so that you can check your function by hand:
#
# $$W_2 = \begin{pmatrix} 2 & -1 \end{pmatrix} \qquad dZ_2 = \begin{pmatrix} 0.5 & -1 \end{pmatrix} \qquad
# Z_1 = \begin{pmatrix} 1 & -1 \\ 2 & 3 \end{pmatrix} \qquad\Rightarrow\qquad
# dZ_1 = \begin{pmatrix} 1 & 0 \\ -0.5 & 1 \end{pmatrix}$$

# %% student="signal"
def hidden_error(W2, dZ2, Z1):
    """The error signal dZ1 (h, m) of a hidden ReLU layer."""
    ### BEGIN SOLUTION
    return (W2.T @ dZ2) * relu_derivative(Z1)
    ### END SOLUTION

# %% [markdown] text="check_signal_text"
# ### Check yourself
#
# The next cell moves each entry of `Z1` a little up and a little down and looks how a loss changes that sees `Z1`
# through your `relu` and through `W2`.

# %% selfcheck="signal"
def selfcheck_signal():
    rng = np.random.default_rng(0)
    W2, dZ2 = rng.normal(size=(7, 5)), rng.normal(size=(7, 11))
    return check_gradient(
        lambda Z1: np.sum(dZ2 * (W2 @ relu(Z1))),  # a loss whose derivative with respect to Z2 is dZ2
        lambda Z1: hidden_error(W2, dZ2, Z1),
        {"Z1": rng.normal(size=(5, 11))},
        sizes={"m": 11},
    )


check_yourself(selfcheck_signal)

# %% question="hidden_signal"
# hidden_error for several sizes, also where an entry of Z1 is exactly zero.

# %% [markdown] text="mask_text"
# ### See it
#
# The next cell draws three tables for 6 hidden units and 10 examples: the error that arrives at the activations, the
# slopes of ReLU, and your `dZ1`. Orange is positive, blue is negative, white is zero. Compare the first table with the
# last one: which numbers have changed, and how?

# %% show="mask"
from matplotlib.colors import LinearSegmentedColormap

rng = np.random.default_rng(3)
Z1, W2, dZ2 = rng.normal(size=(6, 10)), rng.normal(size=(2, 6)), rng.normal(size=(2, 10))
everything_open = np.ones_like(Z1)
tables = {
    "error that arrives at A1": hidden_error(W2, dZ2, everything_open),
    "slope of ReLU at Z1": relu_derivative(Z1),
    "error signal dZ1": hidden_error(W2, dZ2, Z1),
}
colours = LinearSegmentedColormap.from_list("signs", [BLUE, "white", ORANGE])
fig, axes = plt.subplots(1, 3, figsize=(11, 2.8), layout="constrained")
for ax, (name, table) in zip(axes, tables.items()):
    ax.pcolormesh(table, cmap=colours, vmin=-3, vmax=3, edgecolors="0.8", linewidth=0.5)
    ax.invert_yaxis()
    ax.set(title=name, xlabel="example", aspect="equal", xticks=[], yticks=[])
axes[0].set_ylabel("hidden unit")
show(
    "Three tables of coloured squares, 6 hidden units by 10 examples: the error that arrives at A1, the slope "
    "of ReLU at Z1, and your error signal dZ1."
)

# %% [markdown] written="why_a_mask"
# ### How the derivative simplifies the hidden gradient
#
# In the cell below, write about six sentences. Explain
#
# 1. why multiplying by the derivative of ReLU is the same as laying a mask over the error signal: what happens to each
#    number, and what decides it;
# 2. what is simpler or better than with the sigmoid, whose derivative is $a(1 - a)$;
# 3. what it means for the gradients `dW1` and `db1` of a unit when its pre-activation is negative for an example, and
#    when it is negative for *all* examples.
#
# === BEGIN MARK SCHEME ===
#
# - 2 points: the mask. The slope is 1 or 0, so that each number of the error passes unchanged or becomes zero (1); the
#   sign of Z1 in the forward pass decides, not the sign or the size of the error (1).
# - 2 points: the comparison. No exponential or extra product is needed, a comparison is enough (1); where the unit is
#   active the error is not made smaller, while a(1 - a) is at most 1/4, so that it shrinks at every layer (1).
# - 2 points: the consequence. An example for which the unit is off adds nothing to that unit's row of dW1 and entry of
#   db1 (1); a unit that is off for all examples gets no gradient at all and cannot recover by gradient descent on these
#   data: a "dead" unit (1).
# - An answer in formulas only, without words for what they mean: at most 3 points.
#
# === END MARK SCHEME ===
