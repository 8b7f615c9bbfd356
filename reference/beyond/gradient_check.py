# %% [markdown] text="title"
# A wrong gradient does not crash. It trains, only worse, and nobody notices for weeks. So everyone who writes a backward pass
# also **checks** it: move one number a little, see how the output changes, compare. That takes ten lines, and most
# checkers that people write let wrong gradients pass or refuse right ones. Here you write one, and it is marked as it marks
# others: it gets functions with planted mistakes, and right ones that look suspicious.

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
from backprop import show
from selfcheck import Line, Report, check_yourself, finish
from simple_network import SimpleNeuralNetwork

# %% [markdown] text="part_a"
# ## (a) Slopes by differences
#
# $$\frac{\partial f}{\partial x_i} \approx \frac{f(x + h\,e_i) - f(x - h\,e_i)}{2h}$$
#
# where $e_i$ is 1 at entry $i$ and 0 elsewhere. To one side alone, $(f(x + h) - f(x)) / h$, the error shrinks like $h$; with both
# sides it shrinks like $h^2$. For $f(x) = x^3$ at $x = 2$, where the slope is 12, and $h = 0.1$: to the right 12.61, with both
# sides 12.01.
#
# `numerical_gradient(f, x)` gets a function `f`, which takes an array and returns one number, and a point `x`, an array with
# any number of axes. It returns the slopes by all entries of `x`, in the shape of `x`, to **six figures**.
#
# Three things to think of:
#
# 1. `x` stays as it is, and so does every entry but one in each step.
# 2. `x` may be an array of whole numbers, such as `np.array([1, 2])`. Such an array holds no 0.00001.
# 3. `x` may hold large numbers beside small ones. A number has about sixteen digits: beside 3,000,000,000 a step of
#    0.00001 is nearly nothing, and what is left of the difference is rounding. So the step goes by the size of its entry,
#    for example $h = 10^{-5} \max(1, |x_i|)$, and is no zero where an entry is 0.

# %% student="slopes"
def numerical_gradient(f, x):
    """The slopes of f at x, in the shape of x."""
    ### BEGIN SOLUTION
    x = np.array(x, dtype=float)
    slopes = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        h = 1e-5 * max(1.0, abs(x[i]))
        up, down = x.copy(), x.copy()
        up[i] += h
        down[i] -= h
        slopes[i] = (f(up) - f(down)) / (2 * h)
    return slopes
    ### END SOLUTION

# %% selfcheck="slopes"
# With f(x) = sum(x^3 / s^3), where s is the size of x, the slopes are 3 x^2 / s^3.
def selfcheck_slopes():
    lines = []
    points = {
        "ordinary": np.array([[0.5, -1.2, 0.0], [1.1, -0.4, 0.9]]),
        "whole": np.array([1, -2, 3]),
        "large": np.array([3e9, 0.5, -2e9]),
    }
    for name, x in points.items():
        s = np.where(np.abs(x) > 1e6, 1e9, 1.0)
        held = x.copy()
        got = np.asarray(numerical_gradient(lambda x, s=s: np.sum(x**3 / s**3), held))
        if got.shape != x.shape:
            lines.append(Line(name, "WRONG", f"the shape is {got.shape}, and x has {x.shape}"))
            continue
        true = 3.0 * x**2 / s**3
        off = np.max(np.abs(got - true) / np.where(true == 0, 1e-3, true))
        off = off if np.all(np.isfinite(got)) else np.inf
        same = np.allclose(held, x, rtol=1e-9, atol=0)
        says = f"largest error {off:.1e} of a slope" if same else "x is no longer what it was"
        lines.append(Line(name, "ok" if off < 1e-6 and same else "WRONG", says))
    return finish(Report("The slopes of a cubic function.", tuple(lines)))


check_yourself(selfcheck_slopes)

# %% question="slope_values"
# Slopes at ordinary points {small}, at whole numbers {whole}, with large numbers beside small ones {large}.

# %% [markdown] text="step_text"
# ## How small should the step be?
#
# The slope of $e^x$ at 1, with steps from $10^{-1}$ to $10^{-15}$. On the right of the picture the curve bends within the step, on the
# left its digits run out.

# %% show="steps"
steps = np.logspace(-15, -1, 57)
one_side = np.abs((np.exp(1 + steps) - np.exp(1)) / steps / np.e - 1)
both_sides = np.abs((np.exp(1 + steps) - np.exp(1 - steps)) / (2 * steps) / np.e - 1)
fig, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
ax.loglog(steps, one_side, "--", color="#D55E00", label="to one side")
ax.loglog(steps, both_sides, color="#0072B2", label="to both sides")
ax.set(title="Error of the slope of exp at 1", xlabel="step h", ylabel="relative error")
ax.legend()
show(
    "Two curves shaped like a V: to one side the error is smallest, about 1e-8, near a step of 1e-8; to "
    "both sides it is "
    "smallest, about 1e-11, near a step of 1e-5. For smaller steps both grow again."
)

# %% [markdown] text="part_b"
# ## (b) Right or wrong
#
# `gradient_is_right(f, gradient, x)` gets a function `f` as in (a), and a function `gradient` which claims to return the slopes of `f`
# at a point, in the shape of that point. Return `True` if it is right at `x`, else `False`.
#
# You are asked about functions that are drawn, right and wrong ones mixed. In a wrong gradient at least one
# entry is off by 5 % of itself or more, and your slopes are good to six figures. So a tolerance of a thousandth is about
# right; a thousandth of **what** is the question.
#
# | what you meet | what goes wrong |
# |---|---|
# | ordinary mistakes | a sign, a factor, a missing term, one single entry, two entries exchanged, another derivative |
# | another shape, NaN | `gradient(x)` has the shape (1, 4) where x has (4,), and numpy compares them all the same; or it holds a NaN, with which every comparison is `False` |
# | a small entry beside a large one | one entry is a hundred million times as large as the others: a norm of all entries sees no mistake in a small one |
# | tiny gradients, and zeros | all slopes are about $10^{-13}$: nearly every absolute tolerance lets anything pass. Or an entry is exactly 0, and $0/0$ is NaN. A slope of 0 may be measured as $10^{-16}\,\lvert f\rvert / h$: that is rounding |
# | large inputs | as in (a) |
# | kinks | $\lvert x\rvert$ and ReLU have different slopes on the two sides of a kink, and some `x` lie exactly there, or nearer to it than your step. The wrong ones lie outside both slopes |
#
# At a kink every number **between the two slopes** is right, those included; what lies outside is wrong. So look at the slope to
# the left and at the slope to the right, each by itself. Where there is no kink the two are nearly the same.
#
# A line of the table is worth its points if all its wrong ones are caught, and half if half of them are, **as long as none of its right
# ones is refused**.
#
# Write it yourself: the check that comes with this notebook does not answer while yours is marked.

# %% student="checker"
def gradient_is_right(f, gradient, x):
    """Whether gradient(x) holds the slopes of f at x: True or False."""
    ### BEGIN SOLUTION
    x = np.array(x, dtype=float)
    claimed = np.asarray(gradient(x.copy()))
    if claimed.shape != x.shape or not np.all(np.isfinite(claimed)):
        return False
    here = f(x)
    for i in np.ndindex(x.shape):
        h = 1e-5 * max(1.0, abs(x[i]))
        up, down = x.copy(), x.copy()
        up[i] += h
        down[i] -= h
        right, left = (f(up) - here) / h, (here - f(down)) / h
        slack = 1e-3 * max(abs(right), abs(left))
        if not min(left, right) - slack <= claimed[i] <= max(left, right) + slack:
            return False
    return True
    ### END SOLUTION

# %% selfcheck="checker"
# One right and one wrong function of nearly each kind; there are many more where this is marked.
def selfcheck_checker():
    def told(name, f, right, wrong, x):
        x = np.array(x)
        spared, caught = bool(gradient_is_right(f, right, x.copy())), not gradient_is_right(f, wrong, x.copy())
        says = f"the right one is {'spared' if spared else 'refused'}, the wrong one {'caught' if caught else 'passes'}"
        return Line(name, "ok" if spared and caught else "WRONG", says)

    point = [0.5, -1.2, 0.8]
    tiny = 1e-13
    steep = np.array([1e8, 2.0, 0.5])
    lines = (
        told("ordinary", lambda x: np.sum(x**3), lambda x: 3 * x**2, lambda x: 3 * x, point),
        told("shape", lambda x: np.sum(x**3), lambda x: 3 * x**2, lambda x: 3 * x[None, :] ** 2, point),
        told("small entry", lambda x: steep @ (x - point), lambda x: steep, lambda x: steep * [1, 1, 2], point),
        told("tiny", lambda x: tiny * np.sum(x**3), lambda x: 3 * tiny * x**2, lambda x: tiny * x**2, point),
        told("zero", lambda x: x[0] ** 2, lambda x: x * [2, 0], lambda x: x * [2, 1], [0.5, 1.0]),
        told(
            "large",
            lambda x: np.sum(np.sin(x / 1e9)),
            lambda x: np.cos(x / 1e9) / 1e9,
            lambda x: np.sin(x / 1e9) / 1e9,
            [3e9, -2e9],
        ),
        told("NaN", lambda x: np.sum(x**3), lambda x: 3 * x**2, lambda x: np.where(x > 0.6, np.nan, 3 * x**2), point),
        told("kink, between", lambda x: np.sum(np.abs(x)), np.sign, lambda x: 3 * np.where(x >= 0, 1, -1), [0.0, 1.0]),
        told(
            "kink, a side",
            lambda x: np.sum(np.maximum(x, 0)),
            lambda x: 1.0 * (x >= 0),
            lambda x: 1.0 - 3 * (x <= 0),
            [0.0, 1.0],
        ),
    )
    return finish(Report("Your checker, checked.", lines))


check_yourself(selfcheck_checker)

# %% question="planted_mistakes"
# Ordinary mistakes {ordinary}, shape and NaN {form}, small entries {hidden}, tiny ones and zeros {tiny}, large inputs
# {large}, kinks {kinks}.

# %% [markdown] text="part_c"
# ## (c) Several outputs
#
# A layer has many outputs, and its backward pass gets the **upstream gradient** `g`: the derivative of some loss by each of
# them. `backward_is_right(forward, backward, x)` gets
#
# - `forward(x)`, which returns an array of outputs, `y`;
# - `backward(g, x)`, which claims to return $\sum_k g_k\, \partial y_k / \partial x_i$ in the shape of `x`, for a `g` in the shape
#   of `y`.
#
# Return `True` or `False`. With one `g` of your choice, or several, $f(x) = \sum_k g_k\, y_k(x)$ is one number, and (b) can check it. But
# choose well: some of the wrong ones send what belongs to one output back through *another*, give each of them the mean or take the
# mean off, or lose the first or the last of them. Whatever is special about `g` hides one of these: with ones nobody sees what is
# exchanged. You meet nothing else that is unusual here.

# %% student="backward"
def backward_is_right(forward, backward, x):
    """Whether backward(g, x) is right for forward at x: True or False."""
    ### BEGIN SOLUTION
    g = np.random.default_rng(0).normal(size=np.shape(forward(np.array(x, dtype=float))))
    return gradient_is_right(lambda x: float(np.sum(g * forward(x))), lambda x: backward(g, x), x)
    ### END SOLUTION

# %% selfcheck="backward"
# Sums from left to right: the way back goes from right to left. Which of these can be seen depends on your upstream
# gradient.
def selfcheck_backward():
    def right(g, x):
        return np.cumsum(g[::-1])[::-1]

    def doubled(g, x):
        return 2 * right(g, x)

    def averaged(g, x):
        return right(np.full(g.shape, g.mean()), x)

    def first_lost(g, x):
        return right(np.array([0.0, *g[1:]]), x)

    x = np.array([0.5, -1.0, 2.0])
    lines = []
    wrong = {"doubled": doubled, "averaged": averaged, "first output lost": first_lost}
    for name, backward, wanted in (("right", right, True), *((name, one, False) for name, one in wrong.items())):
        said = bool(backward_is_right(np.cumsum, backward, x.copy()))
        lines.append(Line(name, "ok" if said == wanted else "WRONG", f"your checker says {said}"))
    return finish(Report("The backward pass of a running sum.", tuple(lines)))


check_yourself(selfcheck_backward)

# %% question="planted_routes"
# Outputs exchanged, averaged or lost, and ordinary mistakes {upstream}.

# %% [markdown] text="network_text"
# ## Your checker at work
#
# The network of this course, and four backward passes for its first weights: one is right.

# %% show="network"
def loss_of(network, X, Y):
    """The loss as a function of the first weights."""

    def loss(W1):
        network.W1 = W1
        network.forward_pass(X)
        return network.compute_loss(Y)

    return loss


def gradient_of(network, X, Y, slip):
    """What the backward pass says of the first weights, and what a slip makes of it."""

    def gradient(W1):
        network.W1 = W1
        network.forward_pass(X)
        network.backward_pass(X, Y)
        return slip(network.dW1)

    return gradient


rng = np.random.default_rng(0)
X, Y = rng.normal(size=(2, 7)), rng.integers(0, 2, (1, 7)).astype(float)
slips = {
    "as it is": lambda dW1: dW1,
    "summed, not averaged": lambda dW1: 7 * dW1,
    "rows exchanged": lambda dW1: dW1[::-1],
    "one entry lost": lambda dW1: dW1 * (np.arange(dW1.size).reshape(dW1.shape) > 0),
}
for name, slip in slips.items():
    network = SimpleNeuralNetwork(2, 3, 1, rng=1, weight_scale=1.0)
    said = gradient_is_right(loss_of(network, X, Y), gradient_of(network, X, Y, slip), network.W1.copy())
    print(f"{name:22} {'passes' if said else 'is refused'}")

# %% [markdown] written="checker_words"
# ### (d) Why
#
# In the cell below, in about five sentences:
#
# 1. Why is the best step for both sides near $10^{-5}$, and not as small as possible? Name the two errors that meet there.
# 2. Your checker needs two or more forward passes for each number. Why is it used on small networks and not in training?
# 3. A backward pass has passed your check at one point. Name one kind of mistake that may still be in it.
#
# === BEGIN MARK SCHEME ===
#
# - 1 point: a large step has the error of the bend (it goes by h squared), a small one that of rounding (about 1e-16 / h); the sum is
#   smallest between them.
# - 1 point: its cost goes by the number of parameters, which may be millions; backpropagation has all of them for about the
#   price of two or three forward passes.
# - 1 point: any one of: a branch or region that this point does not reach (ReLU units that are off, a clipped value); a wrong
#   loss or forward pass, which the gradient follows; a shape, a mode or a batch size that was not tried; state left over
#   between calls.
#
# === END MARK SCHEME ===
