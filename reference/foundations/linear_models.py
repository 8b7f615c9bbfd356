# %% [markdown] text="title"
# Linear regression, logistic regression and the linear support vector machine are three networks with a single unit and
# no hidden layer. In each of them you differentiate a loss with respect to the weights and the bias, and then walk
# downhill. Backpropagation does the same, with more layers. You will write three gradients, one loop that fits all
# three models, and a table of what they have in common.
#
# | name | shape | meaning |
# |---|---|---|
# | `X` | (n, m) | n inputs for each of m examples, one **column** per example |
# | `y` | (1, m) | targets or labels, one per example |
# | `w` | (1, n) | weights, one per input |
# | `b` | a number | the bias |
# | `dw` | (1, n) | $\partial L / \partial w$, in the shape of `w` |
# | `db` | a number | $\partial L / \partial b$ |
#
# Every loss is a **mean over the m examples**. Here $x$ is one example, one column of `X`, and $w \cdot x$ is
# $w_1 x_1 + \dots + w_n x_n$.

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
from backprop import BLUE, ORANGE, plot_decision_boundary, show, sigmoid
from selfcheck import Report, as_numbers, check_gradient, check_values, check_yourself
from sklearn.datasets import load_iris

# %% [markdown] text="losses_text"
# ## The models and their losses
#
# | model | score of an example | loss of an example | `y` is |
# |---|---|---|---|
# | linear regression | $s = w \cdot x + b$ | $(y - s)^2$, no factor 1/2 | any number |
# | logistic regression | $s = w \cdot x + b$, $a = \sigma(s)$ | $-\big(y \log a + (1 - y) \log(1 - a)\big)$ | 0 or 1 |
# | linear SVM | $s = w \cdot x - b$ (**minus** b) | $\max(0,\ 1 - y s)$, the hinge loss | -1 or +1 |
#
# The next cell holds the three losses. They are given; you need them for checking. In the logistic loss,
# $-\log \sigma(s) = \log(1 + e^{-s})$ and $-\log(1 - \sigma(s)) = \log(1 + e^{s})$ are computed with `np.logaddexp`,
# which does not overflow.

# %% given="losses"
def linear_loss(w, b, X, y):
    """Mean squared error."""
    return np.mean((y - (w @ X + b)) ** 2)


def logistic_loss(w, b, X, y):
    """Mean cross-entropy, labels 0 and 1."""
    s = w @ X + b
    return np.mean(y * np.logaddexp(0, -s) + (1 - y) * np.logaddexp(0, s))


def hinge_loss(w, b, X, y):
    """Mean hinge loss, labels -1 and +1."""
    return np.mean(np.maximum(0, 1 - y * (w @ X - b)))

# %% show="picture"
# The three losses of one example as a picture: run this cell to see it.
s = np.linspace(-3, 3, 601)
fig, axes = plt.subplots(1, 3, figsize=(11, 3), layout="constrained", sharey=True)
axes[0].plot(s, (1 - s) ** 2, color=BLUE)
axes[0].set(title="squared error, y = 1", xlabel="score s", ylabel="loss", ylim=(-0.2, 5))
axes[1].plot(s, np.logaddexp(0, -s), color=BLUE, label="y = 1")
axes[1].plot(s, np.logaddexp(0, s), color=ORANGE, linestyle="--", label="y = 0")
axes[1].set(title="cross-entropy", xlabel="score s")
axes[2].plot(s, np.maximum(0, 1 - s), color=BLUE, label="y = +1")
axes[2].plot(s, np.maximum(0, 1 + s), color=ORANGE, linestyle="--", label="y = -1")
axes[2].set(title="hinge loss", xlabel="score s")
for ax in axes:
    ax.grid(alpha=0.3)
axes[1].legend()
axes[2].legend()
show(
    "Loss against score for the three models. Left, the squared error: a parabola. Middle, the cross-entropy: "
    "two smooth curves. Right, the hinge loss: two straight slopes that end at zero."
)

# %% [markdown] text="task_gradients"
# In words: the squared error is a parabola with its lowest point where the score equals y. The cross-entropy falls
# smoothly as the score moves to the side of the label, and never quite reaches zero. The hinge loss is a straight slope
# that ends in a kink, at $y s = 1$: beyond it the loss is zero.
#
# ## The three gradients
#
# Write three functions with the same four arguments. Each returns the pair `dw, db`: the derivatives of the **mean**
# loss. `dw` has shape (1, n); `db` is one number (an array of shape (1,) or (1, 1) is fine too). Write them
# **vectorised**: with matrix products and sums instead of a loop over the examples. A loop that gives the right numbers
# earns full marks too, but it is slow.
#
# - `linear_gradient(w, b, X, y)` for linear regression.
# - `logistic_gradient(w, b, X, y)` for logistic regression; `sigmoid` is imported.
# - `hinge_gradient(w, b, X, y)` for the SVM. An example exactly at the kink, $y s = 1$, may count fully, not at all, or
#   with any share in between, the same one in `dw` and in `db`.
#
# A small example for linear regression, to check by hand: with $w = (1\ \ {-2})$, $b = 0.5$ and the two examples
# $(1, 1)$ with $y = 0.5$ and $(2, -1)$ with $y = 2$, the scores are $-0.5$ and $4.5$. The gradients are
# $dw = (4\ \ {-3.5})$ and $db = 1.5$.

# %% student="gradients"
def linear_gradient(w, b, X, y):
    """dw (1, n) and db of the mean squared error."""
    ### BEGIN SOLUTION
    residual = y - (w @ X + b)
    dw = -2 * residual @ X.T / X.shape[1]
    db = -2 * np.mean(residual)
    return dw, db
    ### END SOLUTION


def logistic_gradient(w, b, X, y):
    """dw (1, n) and db of the mean cross-entropy."""
    ### BEGIN SOLUTION
    error = sigmoid(w @ X + b) - y
    return error @ X.T / X.shape[1], np.mean(error)
    ### END SOLUTION


def hinge_gradient(w, b, X, y):
    """dw (1, n) and db of the mean hinge loss."""
    ### BEGIN SOLUTION
    inside = y * (w @ X - b) < 1
    push = np.where(inside, y, 0)
    return -push @ X.T / X.shape[1], np.mean(push)
    ### END SOLUTION

# %% [markdown] text="check_text"
# ### Check yourself
#
# Each of the next three cells compares one of your gradients with the slope of the loss above, at a random point.

# %% selfcheck="linear"
def selfcheck_linear():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(3, 11)), rng.normal(size=(1, 11))
    return check_gradient(
        lambda w, b: linear_loss(w, b, X, y),
        lambda w, b: linear_gradient(w, b, X, y),
        {"w": rng.normal(size=(1, 3)), "b": 0.4},
        sizes={"m": 11, "n": 3},
    )


check_yourself(selfcheck_linear)

# %% selfcheck="logistic"
def selfcheck_logistic():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(3, 11)), rng.integers(0, 2, size=(1, 11))
    return check_gradient(
        lambda w, b: logistic_loss(w, b, X, y),
        lambda w, b: logistic_gradient(w, b, X, y),
        {"w": rng.normal(size=(1, 3)), "b": 0.4},
        sizes={"m": 11, "n": 3},
    )


check_yourself(selfcheck_logistic)

# %% selfcheck="hinge"
def selfcheck_hinge():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(3, 11)), rng.choice([-1, 1], size=(1, 11))
    return check_gradient(
        lambda w, b: hinge_loss(w, b, X, y),
        lambda w, b: hinge_gradient(w, b, X, y),
        {"w": rng.normal(size=(1, 3)), "b": 1.5},
        sizes={"m": 11, "n": 3},
    )


check_yourself(selfcheck_hinge)

# %% question="linear_regression"
# linear_gradient, dw {dw} and db {db}, for several sizes.

# %% question="logistic_regression"
# logistic_gradient, dw {dw} and db {db}, for several sizes.

# %% question="linear_svm"
# hinge_gradient, dw {dw} and db {db}, also at the kink.

# %% [markdown] text="task_descent"
# ## One loop for all three
#
# Write `gradient_descent(gradient, w, b, X, y, learning_rate, steps)`. `gradient` is a function such as those above:
# `gradient(w, b, X, y)` returns `dw, db`. The loop makes exactly `steps` steps
#
# $$w \leftarrow w - \alpha\, dw \qquad b \leftarrow b - \alpha\, db$$
#
# with $\alpha$ = `learning_rate` and returns the pair `w, b`. In each step **both** gradients are taken at the old `w`
# and `b`. With `steps = 0` it would return what it was given. The arrays that are passed in must stay as they are.
#
# A small example: for a gradient that always returns `dw = [[2, 0]]` and `db = -1`, the start $w = (1\ \ 1)$, $b = 0$,
# the learning rate 0.5 and 2 steps, the loop returns $w = (-1\ \ 1)$ and $b = 1$.

# %% student="descent"
def gradient_descent(gradient, w, b, X, y, learning_rate, steps):
    """w and b after so many steps of gradient descent."""
    ### BEGIN SOLUTION
    for _ in range(steps):
        dw, db = gradient(w, b, X, y)
        w = w - learning_rate * dw
        b = b - learning_rate * db
    return w, b
    ### END SOLUTION

# %% selfcheck="descent"
# A check of the small example: w should be [[-1, 1]] and b should be 1. Then a valley in which the slope changes.
def selfcheck_descent():
    start = np.ones((1, 2))
    found = gradient_descent(lambda w, b, X, y: (np.array([[2.0, 0.0]]), -1.0), start, 0.0, None, None, 0.5, 2)
    assert found is not None, "gradient_descent returns nothing: is there a `return w, b` after the loop?"
    w, b = found
    report = check_values({"w": w, "b": b}, {"w": (1, 2), "b": ()})
    assert np.allclose(as_numbers(w), [[-1, 1]]), f"w is not what the small example says: {as_numbers(w).tolist()}."
    assert np.allclose(as_numbers(b), 1), f"b is not what the small example says: {as_numbers(b)}."
    assert np.all(start == 1), "The array w that is passed in has changed: -= and += work in place. Make a new array."
    # In a valley the gradient is the place itself: each step of 0.5 halves the way, and the next gradient with it.
    w, b = gradient_descent(lambda w, b, X, y: (np.copy(w), b), np.ones((1, 2)), 1.0, None, None, 0.5, 3)
    stuck = np.allclose(as_numbers(w), -0.5)
    assert not stuck, "The same gradient is used in every step: take it inside the loop, at the w and b of that step."
    w, b = gradient_descent(lambda w, b, X, y: (w + b, b + np.sum(w)), np.ones((1, 2)), 1.0, None, None, 0.5, 1)
    assert np.isclose(as_numbers(b), -0.5), (
        "In each step both gradients are taken at the old w and b: b has seen the new w."
    )
    return Report("The small example comes out right.", report.lines)


check_yourself(selfcheck_descent)

# %% question="descent_steps"
# w and b after one step {one_step} and after several steps {all_steps}.

# %% [markdown] text="iris_text"
# ## Real flowers
#
# The next cell fits your three models to measurements of iris flowers (Fisher, 1936, in scikit-learn).
#
# - Left: linear regression. The width of a petal is predicted from its length, for all 150 flowers. Your line should run
#   through the middle of the cloud of points.
# - Middle and right: two species, *versicolor* (class 0) and *virginica* (class 1), 50 flowers each, told apart by
#   the length and the width of a petal (both in units of their standard deviation, counted from the mean). The black
#   line is where the score is zero. Both models get 94 or 95 of the 100 flowers right.
# - In the right picture the dotted lines are the margin, where the score is -1 or +1. Only 12 flowers have a hinge loss
#   above zero; they are marked with a ring (some rings lie on top of each other). All the others add nothing to the gradient.

# %% show="iris"
flowers, species = load_iris(return_X_y=True)
length, width = flowers[:, 2:3].T, flowers[:, 3:4].T
from_mean = length - length.mean()
w_line, b_line = gradient_descent(
    linear_gradient, np.zeros((1, 1)), 0.0, from_mean, width, learning_rate=0.05, steps=200
)

two = species > 0
P = flowers[two][:, 2:].T
P = (P - P.mean(axis=1, keepdims=True)) / P.std(axis=1, keepdims=True)
labels = (species[two] == 2).astype(float).reshape(1, -1)
w_log, b_log = gradient_descent(logistic_gradient, np.zeros((1, 2)), 0.0, P, labels, learning_rate=0.5, steps=2000)
w_svm, b_svm = gradient_descent(hinge_gradient, np.zeros((1, 2)), 0.0, P, 2 * labels - 1, learning_rate=0.1, steps=2000)

fig, axes = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
axes[0].scatter(length, width, s=18, color=BLUE, alpha=0.6)
ends = np.array([[length.min(), length.max()]])
axes[0].plot(ends[0], (w_line @ (ends - length.mean()) + b_line)[0], color=ORANGE, linewidth=2)
error = linear_loss(w_line, b_line, from_mean, width)
axes[0].set(
    xlabel="petal length (cm)", ylabel="petal width (cm)", title=f"linear regression: mean squared error {error:.3f}"
)
right_log = np.mean((w_log @ P + b_log > 0) == labels)
plot_decision_boundary(
    lambda Q: sigmoid(w_log @ Q + b_log), P, labels, ax=axes[1], title=f"logistic regression: {right_log:.0%} right"
)
scores = w_svm @ P - b_svm
right_svm = np.mean((scores > 0) == labels)
plot_decision_boundary(
    lambda Q: w_svm @ Q - b_svm, P, labels, ax=axes[2], level=0, title=f"linear SVM: {right_svm:.0%} right"
)
for level in (-1, 1):
    x1 = np.array(axes[2].get_xlim())
    axes[2].plot(x1, (level + b_svm - w_svm[0, 0] * x1) / w_svm[0, 1], color="black", linewidth=1, linestyle=":")
inside = ((2 * labels - 1) * scores < 1)[0]
axes[2].scatter(*P[:, inside], s=110, facecolors="none", edgecolors="black", linewidths=1.2)
for ax in axes[1:]:
    ax.set(xlabel="petal length", ylabel="petal width", ylim=axes[1].get_ylim())
print(f"flowers with a hinge loss above zero: {inside.sum()} of {inside.size}")
show(
    "Left: petal width against petal length, with the fitted line. Middle and right: two species of iris and "
    "the decision lines of logistic regression and of the linear SVM, here with its margin."
)

# %% [markdown] text="common_text"
# ## What the three have in common
#
# Fill in four facts. The lists have four entries, in this order: linear regression, logistic regression, linear SVM, and a
# network with one hidden layer, a sigmoid output and cross-entropy. Here $a$ is the output, and `b` counts as a weight fed by 1 (in the SVM by -1).
#
# | name | what to give | words to choose from |
# |---|---|---|
# | `feeds_last_unit` | in the three models `X` feeds the last unit. What feeds it in the network? | `"X"`, `"Z1"`, `"A1"`, `"W2"` |
# | `last_activation` | a list: the activation of the last unit | `"identity"`, `"sigmoid"`, `"tanh"`, `"relu"` |
# | `error_signal` | a list: the derivative of one example's loss by its score | `"s - y"`, `"2 (s - y)"`, `"a - y"`, `"y - a"`, `"-y if y s < 1, else 0"` |
# | `who_adds` | a list: which examples add to the gradient, when none is fitted exactly | `"all"`, `"y s < 1"`, `"y s < 0"` |

# %% student="common"
# Fill in:  feeds_last_unit = ...   last_activation = [..., ..., ..., ...]
#           error_signal = [..., ..., ..., ...]   who_adds = [..., ..., ..., ...]
### BEGIN SOLUTION
feeds_last_unit = "A1"
last_activation = ["identity", "sigmoid", "identity", "sigmoid"]
error_signal = ["2 (s - y)", "a - y", "-y if y s < 1, else 0", "a - y"]
who_adds = ["all", "all", "y s < 1", "all"]
### END SOLUTION

# %% question="in_common"
# the four facts {each}; a list with one wrong entry earns half.

# %% [markdown] written="what_is_common"
# ### What backpropagation generalises
#
# In the cell below, write about four sentences: what is the same in all four, if you look at `dw` of the last unit and at
# the error signal? And which step does a hidden layer need that the three linear models do not?
#
# === BEGIN MARK SCHEME ===
#
# - 1 point: in every case the gradient is the error signal of the last unit times what feeds it, averaged over the examples,
#   and db is the average of the error signal (for this SVM with the opposite sign, since b is subtracted).
# - 1 point: a hidden layer also needs the error signal to be carried back through the weights of the last layer and through the
#   derivative of the hidden activation: that is the step which backpropagation adds.
#
# === END MARK SCHEME ===
