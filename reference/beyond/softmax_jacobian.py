# %% [markdown] text="title"
# A sigmoid looks at one number. **Softmax** looks at all units of a layer at once: it makes shares of them that add up to
# one, so each output depends on every input, and its derivative is a matrix. It stands at the end of most classifiers with
# more than two classes, and in the middle of attention. Here you work the matrix out once by hand, write it down once as code,
# and then find out that it need not be built.

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
from backprop import show
from selfcheck import Line, Report, check_gradient, check_values, check_yourself, finish

# %% [markdown] text="part_a"
# ## (a) Three units by hand
#
# $$p_i = \frac{e^{z_i}}{\sum_k e^{z_k}}, \qquad z = (\log 2,\ 0,\ 0), \qquad\text{so}\qquad e^z = (2,\ 1,\ 1).$$
#
# The right class is the second one, $y = (0, 1, 0)$, and the loss is the cross-entropy $L = -\sum_i y_i \log p_i$. Give
#
# - `p`: the three shares;
# - `J`: the **Jacobian**, a list of three rows, where `J[i][j]` is $\partial p_i / \partial z_j$. There are two cases:
#   $\partial p_i / \partial z_i = p_i (1 - p_i)$, and $\partial p_i / \partial z_j = -p_i\, p_j$ for $i \ne j$, since a unit
#   that grows takes from all others;
# - `dp`: $\partial L / \partial p_i$ for each of the three, before softmax is passed on the way back;
# - `dz`: $\partial L / \partial z_j = \sum_i \frac{\partial L}{\partial p_i} \frac{\partial p_i}{\partial z_j}$. Three paths
#   lead from $z_j$ to the loss, so what they bring is added.
#
# A small example with *two* units, $e^z = (3, 1)$ and $y = (1, 0)$: $p = (0.75, 0.25)$, the rows of $J$ are
# $(0.1875, -0.1875)$ and $(-0.1875, 0.1875)$, $dp = (-1.3333, 0)$ and $dz = (-0.25, 0.25)$.

# %% student="three"
# Fill in:  p = [..., ..., ...]   J = [[...], [...], [...]]   dp = [...]   dz = [...]
### BEGIN SOLUTION
e = np.array([2.0, 1.0, 1.0])
y = np.array([0.0, 1.0, 0.0])
p = e / e.sum()
J = np.diag(p) - np.outer(p, p)
dp = -y / p
dz = J.T @ dp
### END SOLUTION

# %% selfcheck="three"
# Is everything there, and are they numbers? This cell does not know the answers.
def selfcheck_three():
    return check_values(globals(), {"p": (3,), "J": (3, 3), "dp": (3,), "dz": (3,)})


check_yourself(selfcheck_three)

# %% question="three_units"
# p, dp, dz {p, dp, dz}, J {J}, each given your own values before it.

# %% [markdown] text="part_b"
# ## (b) Softmax that does not overflow
#
# From here on there is one **column** per example: `Z` has shape (n, m), n units and m examples, and every column of
# the result adds up to one. Write
#
# - `softmax(Z)`, which returns `P` of shape (n, m);
# - `log_sum_exp(Z)`, which returns $\log \sum_k e^{z_k}$ of every column, in shape (1, m).
#
# $e^{1000}$ is no number that a computer can hold, and $e^{-1000}$ is zero. But shares do not change when the same
# number is subtracted from all units of an example:
# $\frac{e^{z_i - c}}{\sum_k e^{z_k - c}} = \frac{e^{z_i}}{\sum_k e^{z_k}}$. Choose $c$ so that nothing can become infinite
# and no column loses everything, whatever the *other* columns hold. For `log_sum_exp` find out what has to be done with the $c$
# at the end. Both functions are also asked with units around 1000 and around -1000. `Z` itself stays as it is.

# %% student="softmax"
def softmax(Z):
    """The shares of the units, column by column."""
    ### BEGIN SOLUTION
    E = np.exp(Z - Z.max(axis=0, keepdims=True))
    return E / E.sum(axis=0, keepdims=True)
    ### END SOLUTION


def log_sum_exp(Z):
    """The logarithm of the sum of the exponentials, column by column, shape (1, m)."""
    ### BEGIN SOLUTION
    c = Z.max(axis=0, keepdims=True)
    return c + np.log(np.exp(Z - c).sum(axis=0, keepdims=True))
    ### END SOLUTION

# %% selfcheck="softmax"
# The shares add up to one, large units change nothing, and the slope of log_sum_exp is softmax: a check of each by
# the other.
def selfcheck_softmax():
    for large in (1000.0, -1000.0):
        for function in (softmax, log_sum_exp):
            small = np.array([[0.0, 1.0], [1.0, 0.0]])
            got = np.asarray(function(small + [[large, -large]])) - (function is log_sum_exp) * np.array(
                [[large, -large]]
            )
            if not np.allclose(got, function(small), atol=1e-9):
                says = (
                    f"beside {large:g} in the first column and {-large:g} in the second it is not what it is beside 0"
                )
                return finish(
                    Report("Large units change what they should not.", (Line(function.__name__, "WRONG", says),))
                )
    Z = np.random.default_rng(0).normal(size=(5, 3))
    held = Z.copy()
    total, logs = np.sum(softmax(Z), axis=0), log_sum_exp(Z)
    if np.shape(total) != (3,) or not np.allclose(total, 1):
        return finish(
            Report(
                "The columns of softmax do not add up to one.", (Line("softmax", "WRONG", f"they add up to {total}"),)
            )
        )
    if np.shape(logs) != (1, 3) or not np.array_equal(Z, held):
        says = (
            "Z itself was changed"
            if np.shape(logs) == (1, 3)
            else f"the shape is {np.shape(logs)}, and (1, m) is (1, 3)"
        )
        return finish(
            Report("softmax and log_sum_exp leave Z alone, and (1, m) is asked.", (Line("Z", "WRONG", says),))
        )
    return check_gradient(lambda Z: np.sum(log_sum_exp(Z)), softmax, {"Z": Z}, sizes={"m": 3, "n": 5})


check_yourself(selfcheck_softmax)

# %% question="softmax_values"
# P {P}, log_sum_exp {lse}, and both for large units {P_large, lse_large}.

# %% [markdown] text="part_c"
# ## (c) The whole Jacobian
#
# `softmax_jacobian(p)` gets the shares of **one** example, shape (n,), and returns the matrix of shape (n, n) whose entry
# $(i, j)$ is $\partial p_i / \partial z_j$. You have its two cases in (a).

# %% student="jacobian"
def softmax_jacobian(p):
    """The derivatives of all shares of one example by all of its units."""
    ### BEGIN SOLUTION
    return np.diag(p) - np.outer(p, p)
    ### END SOLUTION

# %% selfcheck="jacobian"
# Row by row: each is the gradient of one share.
def selfcheck_jacobian():
    z = np.random.default_rng(1).normal(size=5)

    def shares(z):
        return softmax(z[:, None])[:, 0]

    for i in range(5):
        report = check_gradient(
            lambda z, i=i: shares(z)[i], lambda z, i=i: np.asarray(softmax_jacobian(shares(z)))[i], {"z": z}
        )
    return report


check_yourself(selfcheck_jacobian)

# %% question="jacobian_matrix"
# The matrix {J}.

# %% [markdown] text="part_d"
# ## (d) The same without the matrix
#
# A model of language has 50,000 units at its end. Its Jacobian has 2.5 thousand million entries, **for each example**. But on the
# way back only its product with what arrives is needed:
#
# $$dz_j = \sum_i dp_i\, \frac{\partial p_i}{\partial z_j} = p_j \Big(dp_j - \sum_i dp_i\, p_i\Big).$$
#
# Put the two cases of (a) into the sum to see it. `softmax_backward(dP, P)` gets `dP`, the derivative of a loss with respect to
# the shares, and the shares themselves, both of shape (n, m), and returns `dZ` in the same shape. It **must not build the
# Jacobian**: with 400 units its memory is looked at, and a Jacobian costs half of these points.

# %% student="backward"
def softmax_backward(dP, P):
    """dZ from dP and the shares P, without the Jacobian."""
    ### BEGIN SOLUTION
    return P * (dP - np.sum(dP * P, axis=0, keepdims=True))
    ### END SOLUTION

# %% selfcheck="backward"
# With the loss sum(C * P), for some fixed numbers C, the gradient dP is C.
def selfcheck_backward():
    rng = np.random.default_rng(2)
    Z, C = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    return check_gradient(
        lambda Z: np.sum(C * softmax(Z)), lambda Z: softmax_backward(C, softmax(Z)), {"Z": Z}, sizes={"m": 3, "n": 5}
    )


check_yourself(selfcheck_backward)

# %% question="backward_product"
# dZ {dZ}, half of it if the Jacobian is built.

# %% [markdown] text="part_e"
# ## (e) With the cross-entropy
#
# `Y` holds one column per example with a 1 at the right class and 0 elsewhere. The loss is the mean over the m examples:
#
# $$L = \frac{1}{m} \sum_{\text{examples}} \Big(-\sum_i y_i \log p_i\Big), \qquad
#   -\sum_i y_i \log p_i = \log \sum_k e^{z_k} - \sum_i y_i z_i .$$
#
# The form on the right has no logarithm of a share that may have become 0: use your `log_sum_exp`. Write
#
# - `cross_entropy(Z, Y)`, which returns the loss, one number;
# - `cross_entropy_gradient(Z, Y)`, which returns $\partial L / \partial Z$, shape (n, m). What have you found in (a) for `dz`?
#   Compare it with `p` and `y`. The mean adds a factor.

# %% student="loss"
def cross_entropy(Z, Y):
    """The mean cross-entropy of softmax(Z) and the classes Y."""
    ### BEGIN SOLUTION
    return np.mean(log_sum_exp(Z) - np.sum(Y * Z, axis=0, keepdims=True))
    ### END SOLUTION


def cross_entropy_gradient(Z, Y):
    """Its derivative by Z."""
    ### BEGIN SOLUTION
    return (softmax(Z) - Y) / Z.shape[1]
    ### END SOLUTION

# %% selfcheck="loss"
def selfcheck_loss():
    Z, Y = np.random.default_rng(3).normal(size=(5, 3)), np.eye(5)[:, [1, 4, 0]]
    far = Z + 1000 * np.eye(5)[:, :3]
    if not np.all(np.isfinite(cross_entropy(far, Y))):
        return finish(
            Report("A large unit makes the loss infinite.", (Line("cross_entropy", "WRONG", "a share has become 0"),))
        )
    return check_gradient(
        lambda Z: cross_entropy(Z, Y), lambda Z: cross_entropy_gradient(Z, Y), {"Z": Z}, sizes={"m": 3, "n": 5}
    )


check_yourself(selfcheck_loss)

# %% question="cross_entropy_values"
# The loss {loss}, the loss for large units {loss_large}, the gradient {dZ}; loss and gradient given your own softmax.

# %% [markdown] text="picture_text"
# ## A look at it
#
# On the left your Jacobian for six units: a positive diagonal, and everything else negative. Each column adds up
# to zero, for the shares always add up to one, and so does each row, for the matrix is symmetric. On the right one unit of three is wrong with more and more certainty: the
# squared error, passed back through softmax, falls asleep, and the cross-entropy does not.

# %% show="picture"
units = np.array([2.0, 1.0, 0.5, 0.0, -0.5, -1.0])
matrix = np.asarray(softmax_jacobian(softmax(units[:, None])[:, 0]))
z = np.linspace(-2, 10, 121)
Z = np.vstack([z, np.zeros((2, z.size))])
Y = np.repeat([[0.0], [1.0], [0.0]], z.size, axis=1)
P = softmax(Z)
fig, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
image = axes[0].imshow(matrix, cmap="RdBu", vmin=-0.25, vmax=0.25)
axes[0].set(title="The Jacobian", xlabel="j", ylabel="i")
fig.colorbar(image, ax=axes[0])
axes[1].plot(z, np.abs(cross_entropy_gradient(Z, Y)[0]) * z.size, color="#0072B2", label="cross-entropy")
axes[1].plot(z, np.abs(softmax_backward(2 * (P - Y), P)[0]), "--", color="#D55E00", label="squared error")
axes[1].set(title="What reaches the wrong unit", xlabel="its z", ylabel="size of dz")
axes[1].legend()
show(
    "Left: a matrix of six by six, blue (positive) on the diagonal, red (negative) elsewhere. Right: the "
    "gradient at a wrong "
    "unit, which rises to 1 with the cross-entropy and falls to 0 with the squared error."
)

# %% [markdown] written="collapse_words"
# ### (f) Why it collapses
#
# In the cell below, in about five sentences:
#
# 1. `dp` has a $1/p$ in it, which is enormous when the right class has almost no share. Where does it go on the way from
#    `dp` to `dz`?
# 2. The right picture: why does the squared error, $\sum_i (p_i - y_i)^2$, fall asleep just where the network is most wrong?
#
# === BEGIN MARK SCHEME ===
#
# - 2 points: every entry of the Jacobian in the row of the right class has its share p as a factor (p_i (1 - p_i) and
#   -p_i p_j), which cancels the 1/p of the logarithm exactly; what is left is p - y. One point for the factor, one for the result.
# - 1 point: the squared error has no 1/p, so the factors of the Jacobian stay and make the gradient vanish: p of the right class
#   is almost 0, and so is p (1 - p) of the wrong one, whose p is almost 1.
#
# === END MARK SCHEME ===
