# %% [markdown] text="title"
# In a deep network the units of one layer may be tiny and those of the next one enormous, and no learning rate suits both.
# **Normalisation** puts a stop to that: it takes the mean off and divides by the spread. Forwards that is a few lines.
# Backwards it is a layer in which a value acts even on its own result by **three paths**: directly, by way of
# the mean, and by way of the variance. Here you walk each of them alone, then find the one line that all three make.

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
from backprop import show
from selfcheck import Line, Report, check_gradient, check_yourself, finish, watched

# %% [markdown] text="part_a"
# ## (a) Forwards
#
# `Z` has shape (n, m): a row for each of n units, a **column for each of m examples**. Batch norm and layer norm are the same
# function along two axes:
#
# | | averages over | axis | shape of mean and variance |
# |---|---|---|---|
# | **batch norm** | the examples: each unit has a mean of its own | 1 | (n, 1) |
# | **layer norm** | the units: each example has a mean of its own | 0 | (1, m) |
#
# $$\mu = \frac{1}{k} \sum z \qquad \sigma^2 = \frac{1}{k} \sum (z - \mu)^2 \qquad \hat z = \frac{z - \mu}{\sqrt{\sigma^2 + \varepsilon}}$$
#
# where k is how many values are averaged, m or n. The variance is divided by **k**, not by k - 1, and $\varepsilon$ stands
# **below the root**: `var` itself is without it.
#
# - `normalise(Z, eps, axis)` returns `mu, var, Z_hat`. `Z` itself stays as it is.
#
# A small example: a unit with the values 1, 3 and 8 in three examples and $\varepsilon = 1/3$ has $\mu = 4$ and
# $\sigma^2 = 26/3$, so it is divided by 3: $\hat z = (-1, -1/3, 4/3)$.

# %% student="normalise"
def normalise(Z, eps, axis):
    """The mean, the variance and the normalised values along an axis."""
    ### BEGIN SOLUTION
    mu = Z.mean(axis=axis, keepdims=True)
    var = ((Z - mu) ** 2).mean(axis=axis, keepdims=True)
    return mu, var, (Z - mu) / np.sqrt(var + eps)
    ### END SOLUTION

# %% selfcheck="normalise"
# Without eps, normalised values have the mean 0 and the mean square 1; with a large eps they are smaller.
def selfcheck_normalise():
    Z, lines = 3 * np.random.default_rng(0).normal(size=(5, 7)) + 2, []
    for axis, shape, name in ((1, (5, 1), "batch norm"), (0, (1, 7), "layer norm")):
        mu, var, Z_hat = watched(normalise)(Z.copy(), 0.0, axis)
        if np.shape(mu) != shape or np.shape(var) != shape:
            says = f"mu and var have the shapes {np.shape(mu)} and {np.shape(var)}, should be {shape}"
            lines.append(Line(name, "WRONG", says))
            continue
        mean, square = np.mean(Z_hat, axis=axis), np.mean(np.square(Z_hat), axis=axis)
        says = f"mean {mean[0]:.2g}, should be 0; mean square {square[0]:.4g}, should be 1"
        lines.append(Line(name, "ok" if np.allclose(mean, 0, atol=1e-5) and np.allclose(square, 1) else "WRONG", says))
        _, var_too, smaller = normalise(Z.copy(), 3.0, axis)
        same = np.shape(var_too) == shape and np.allclose(var_too, var)
        says = f"var {np.ravel(var_too)[0]:.4g}; with eps = 0 it is {np.ravel(var)[0]:.4g}, and eps does not change it"
        lines.append(Line(f"{name}, var", "ok" if same else "WRONG", says))
        smaller, wanted = np.mean(np.square(smaller), axis=axis), np.ravel(var / (var + 3))
        says = f"mean square {smaller[0]:.4g}, should be var / (var + eps) = {wanted[0]:.4g}"
        lines.append(Line(f"{name}, eps = 3", "ok" if np.allclose(smaller, wanted) else "WRONG", says))
    return finish(Report("Five units and seven examples.", tuple(lines)))


check_yourself(selfcheck_normalise)

# %% question="forward_values"
# mu and var of batch norm and of layer norm {mu, var, mu_layer, var_layer}, Z_hat of both {Z_hat, Z_hat_layer}; each line given
# your own before it.

# %% [markdown] text="part_b"
# ## (b) Back through gamma and beta
#
# A unit that must have the mean 0 and the spread 1 cannot be what it likes. So it gets both back, as numbers that are
# learned, one of each **for every unit**:
#
# $$u = \gamma\, \hat z + \beta, \qquad \gamma \text{ and } \beta \text{ of shape } (n, 1), \text{ in batch norm and in layer norm.}$$
#
# `scale_backward(dU, Z_hat, gamma)` gets `dU`, the derivative of the loss by every entry of $u$, and returns
# `dZ_hat, dgamma, dbeta`, each in the shape of what it is the derivative by. No mean is to be taken: if the loss is a mean
# over the examples, then 1/m is in `dU` already. Each gamma was stretched over all examples. What does that mean on the way back?
# Here and below, the arrays that are passed in stay as they are.

# %% student="scale"
def scale_backward(dU, Z_hat, gamma):
    """dZ_hat, dgamma and dbeta of U = gamma * Z_hat + beta."""
    ### BEGIN SOLUTION
    dgamma = np.sum(dU * Z_hat, axis=1, keepdims=True)
    dbeta = np.sum(dU, axis=1, keepdims=True)
    return gamma * dU, dgamma, dbeta
    ### END SOLUTION

# %% selfcheck="scale"
# With the loss sum(C * U), for some fixed numbers C, the gradient dU is C.
def selfcheck_scale():
    rng = np.random.default_rng(1)
    C, at = rng.normal(size=(5, 3)), {"Z_hat": rng.normal(size=(5, 3)), "gamma": rng.normal(size=(5, 1))}
    return check_gradient(
        lambda Z_hat, gamma, beta: np.sum(C * (gamma * Z_hat + beta)),
        lambda Z_hat, gamma, beta: watched(scale_backward)(C.copy(), Z_hat, gamma),
        {**at, "beta": rng.normal(size=(5, 1))},
        sizes={"m": 3, "n": 5},
    )


check_yourself(selfcheck_scale)

# %% question="scale_gradients"
# dZ_hat, dgamma and dbeta {dZ_hat, dgamma, dbeta}.

# %% [markdown] text="part_c"
# ## (c) Back by three paths
#
# Now from $\hat z$ to $z$. In (a) z stands in three places; each is a path, and what they bring is added:
#
# 1. **direct**: mean and variance held fast, $\hat z$ is $z$ divided by a number;
# 2. **by the variance**: first `dvar`, the derivative of the loss by $\sigma^2$, with the mean held; then on to
#    each $z$, since $\sigma^2$ is an average of squares;
# 3. **by the mean**: first `dmu`, then on to each $z$. A mean acts on $\hat z$ of *all* values that it is made of.
#
# `three_paths(dZ_hat, Z, mu, var, eps, axis)` returns `direct, dvar, dmu, dZ`: `direct` and `dZ` in the shape of `Z`, `dvar`
# and `dmu` in the shape of `var` and `mu`. `dZ` is the sum of all three paths.
#
# The mean also stands in the variance. Need `dmu` count that path, too? Work out $\partial \sigma^2 / \partial \mu$: `dmu` is
# right with or without that term (it is 0).
#
# A small example with $\varepsilon = 0$, the two values $z = (1, 5)$ and $d\hat z = (1, 0)$: $\mu = 3$, $\sigma^2 = 4$,
# direct = (0.5, 0), dvar = 0.125, dmu = -0.5. By the variance come (-0.25, 0.25), by the mean (-0.25, -0.25), and the sum is
# **(0, 0)**: two values are always normalised to -1 and 1, so nothing that you do to them can be felt.

# %% student="paths"
def three_paths(dZ_hat, Z, mu, var, eps, axis):
    """What comes back directly, what reaches the variance and the mean, and the sum of all three paths."""
    ### BEGIN SOLUTION
    k = Z.shape[axis]
    s = np.sqrt(var + eps)
    direct = dZ_hat / s
    dvar = np.sum(dZ_hat * (Z - mu) * -0.5 / s**3, axis=axis, keepdims=True)
    dmu = np.sum(-dZ_hat / s, axis=axis, keepdims=True)
    dZ = direct + dvar * 2 * (Z - mu) / k + dmu / k
    return direct, dvar, dmu, dZ
    ### END SOLUTION

# %% selfcheck="paths"
# The sum of the paths against the slope of your own normalise; dvar, dmu and the direct path with mean and variance
# held.
def selfcheck_paths():
    rng = np.random.default_rng(2)
    Z, C = rng.normal(size=(5, 3)) * 2 + 1, rng.normal(size=(5, 3))
    at = {}
    for name in ("batch norm", "layer norm"):
        mu, var, _ = normalise(Z.copy(), 0.1, int(name == "batch norm"))
        at |= {f"Z, {name}": Z, f"Z of the direct path, {name}": Z, f"mu, {name}": mu, f"var, {name}": var}

    def loss(*values):
        total = 0.0
        for axis, (Z, held, mu, var) in ((1, values[:4]), (0, values[4:])):
            total += np.sum(C * normalise(Z.copy(), 0.1, axis)[2]) + np.sum(C * (held - mu) / (var + 0.1) ** 0.5)
        return total

    def gradient(*values):
        found = []
        for axis, (Z, _, mu, var) in ((1, values[:4]), (0, values[4:])):
            direct, dvar, dmu, dZ = watched(three_paths)(C.copy(), Z, mu, var, 0.1, axis)
            found += [dZ, direct, dmu, dvar]
        return found

    return check_gradient(loss, gradient, at, sizes={"m": 3, "n": 5})


check_yourself(selfcheck_paths)

# %% question="path_gradients"
# Batch norm: direct and dmu {direct, dmu}, dvar and dZ {dvar, dZ}; layer norm: each line
# {direct_layer, dvar_layer, dmu_layer, dZ_layer}. Each given your own before it.

# %% [markdown] text="picture_text"
# ## A look at the three paths
#
# One unit in eight examples, and only the first example gets a gradient. The direct path brings something to that example
# alone. The other two bring something to **every** example: in batch norm examples are no longer strangers to each other. What
# is left adds up to zero.

# %% show="picture"
Z = np.array([[2.5, 0.3, -1.0, 1.2, 0.1, -0.6, 3.0, -1.5]])
arrives = np.eye(1, 8)
mu, var, _ = normalise(Z, 1e-5, 1)
direct, dvar, dmu, dZ = three_paths(arrives, Z, mu, var, 1e-5, 1)
parts = {"direct": direct, "by the variance": dvar * 2 * (Z - mu) / 8, "by the mean": dmu / 8 + 0 * Z}
fig, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
for shift, (name, part), colour in zip((-0.25, 0, 0.25), parts.items(), ("#0072B2", "#D55E00", "#009E73")):
    ax.bar(np.arange(1, 9) + shift, part[0], width=0.23, color=colour, label=name)
ax.plot(np.arange(1, 9), dZ[0], "k_", markersize=24, label="sum: dZ")
ax.axhline(0, color="0.6", linewidth=0.8)
ax.set(title="A gradient that arrives at example 1 alone", xlabel="example", ylabel="gradient")
ax.legend()
show(
    "Bars for eight examples. The direct path is large at the first and zero elsewhere; the paths by the "
    "mean and by the "
    "variance bring something to all eight."
)

# %% [markdown] text="part_d"
# ## (d) The same in one line
#
# Put `dvar` and `dmu` into the sum, and $(z - \mu)/\sqrt{\sigma^2 + \varepsilon}$ is $\hat z$ again. Everything falls together:
#
# $$dz = \frac{1}{s} \Big( d\hat z - \overline{d\hat z} - \hat z\, \overline{d\hat z\, \hat z} \Big), \qquad s = \sqrt{\sigma^2 + \varepsilon},$$
#
# where a bar is the average along the axis. It says what normalisation does to a gradient: it takes off the part that would
# move all values alike, and the part that would stretch them. `fused_backward(dZ_hat, Z_hat, s, axis)` returns `dZ`. Of the
# forward pass it needs only `Z_hat` and `s`, of shape (n, 1) or (1, m).

# %% student="fused"
def fused_backward(dZ_hat, Z_hat, s, axis):
    """dZ from the normalised values and what they were divided by."""
    ### BEGIN SOLUTION
    mean = np.mean(dZ_hat, axis=axis, keepdims=True)
    stretch = np.mean(dZ_hat * Z_hat, axis=axis, keepdims=True)
    return (dZ_hat - mean - Z_hat * stretch) / s
    ### END SOLUTION

# %% selfcheck="fused"
def selfcheck_fused():
    rng = np.random.default_rng(3)
    Z, C = rng.normal(size=(5, 3)) * 2 + 1, rng.normal(size=(5, 3))

    def dZ(Z, axis):
        _, var, Z_hat = normalise(Z.copy(), 0.1, axis)
        return watched(fused_backward)(C.copy(), Z_hat, np.sqrt(var + 0.1), axis)

    return check_gradient(
        lambda Z, Z_layer: (
            np.sum(C * normalise(Z.copy(), 0.1, 1)[2]) + np.sum(C * normalise(Z_layer.copy(), 0.1, 0)[2])
        ),
        lambda Z, Z_layer: [dZ(Z, 1), dZ(Z_layer, 0)],
        {"Z, batch norm": Z, "Z, layer norm": Z},
        sizes={"m": 3, "n": 5},
    )


check_yourself(selfcheck_fused)

# %% question="fused_gradient"
# Batch norm {dZ}, layer norm {dZ_layer}.

# %% [markdown] text="part_e"
# ## (e) Training and evaluation
#
# When the network is used there may be a single example, and no batch to average over. So batch norm keeps **running
# averages** while it trains, and uses them afterwards:
#
# $$\mu_{\text{run}} \leftarrow \rho\, \mu_{\text{run}} + (1 - \rho)\, \mu \qquad \sigma^2_{\text{run}} \leftarrow \rho\, \sigma^2_{\text{run}} + (1 - \rho)\, \sigma^2 .$$
#
# $\rho$, `keep`, is the share that is kept: with $\rho = 0.9$ an old 0 and a new 10 become 1. (PyTorch calls $1 - \rho$ the momentum, and divides the variance that it
# averages by m - 1; here it is the one of (a), divided by m.) Write
#
# - `train_batch(Z, gamma, beta, running_mu, running_var, keep, eps)`, which normalises the batch **by its own** mean and variance
#   and returns `U, running_mu, running_var`: the values after gamma and beta, and the new averages. We call it for three
#   batches and pass the returned averages into the next call;
# - `evaluate(Z, gamma, beta, running_mu, running_var, eps)`, which uses the running averages and returns `U`;
# - `evaluate_backward(dU, gamma, running_var, eps)`, which returns `dZ` of `evaluate`. Which of the three paths are left?

# %% student="batches"
def train_batch(Z, gamma, beta, running_mu, running_var, keep, eps):
    """The values of a batch in training, and the new running averages."""
    ### BEGIN SOLUTION
    mu, var, Z_hat = normalise(Z, eps, 1)
    running_mu = keep * running_mu + (1 - keep) * mu
    running_var = keep * running_var + (1 - keep) * var
    return gamma * Z_hat + beta, running_mu, running_var
    ### END SOLUTION


def evaluate(Z, gamma, beta, running_mu, running_var, eps):
    """The values in evaluation."""
    ### BEGIN SOLUTION
    return gamma * (Z - running_mu) / np.sqrt(running_var + eps) + beta
    ### END SOLUTION


def evaluate_backward(dU, gamma, running_var, eps):
    """dZ in evaluation."""
    ### BEGIN SOLUTION
    return dU * gamma / np.sqrt(running_var + eps)
    ### END SOLUTION

# %% selfcheck="batches"
# One batch from averages that are 0. Then the same batch a hundred times: evaluation gives what training gives.
def selfcheck_batches():
    rng = np.random.default_rng(4)
    Z, gamma, beta = 2 * rng.normal(size=(5, 3)) + 1, rng.normal(size=(5, 1)), rng.normal(size=(5, 1))
    mu, var, Z_hat = normalise(Z.copy(), 0.1, 1)
    lines = []

    def line(name, got, wanted, says):
        right = np.shape(got) == np.shape(wanted) and np.allclose(got, wanted, rtol=1e-4, atol=1e-6)
        says += f": its first entry is {np.ravel(got)[0]:.4g}, should be {np.ravel(wanted)[0]:.4g}"
        if np.shape(got) != np.shape(wanted):
            says = f"its shape is {np.shape(got)}, should be {np.shape(wanted)}"
        lines.append(Line(name, "ok" if right else "WRONG", says))

    U, running_mu, running_var = train_batch(Z.copy(), gamma, beta, np.zeros((5, 1)), np.zeros((5, 1)), 0.7, 0.1)
    line("U", U, gamma * Z_hat + beta, "the batch's own mean and variance count in training")
    line("running mean", running_mu, 0.3 * mu, "after one batch, from 0 with keep = 0.7")
    line("running variance", running_var, 0.3 * var, "after one batch, from 0 with keep = 0.7")
    for _ in range(100):
        U, running_mu, running_var = train_batch(Z.copy(), gamma, beta, running_mu, running_var, 0.7, 0.1)
    line("a hundred batches", running_var, var, "the running variance comes to rest at that of the batch")
    one = watched(evaluate)(Z[:, :1], gamma, beta, running_mu, running_var, 0.1)
    line("evaluation", one, U[:, :1], "then one example alone gives what it gave in its batch")
    finish(Report("One batch, and the same a hundred times.", tuple(lines)))
    C = rng.normal(size=(5, 3))
    return check_gradient(
        lambda Z: np.sum(C * evaluate(Z, gamma, beta, running_mu, running_var, 0.1)),
        lambda Z: watched(evaluate_backward)(C.copy(), gamma, running_var, 0.1),
        {"Z": Z},
        sizes={"m": 3, "n": 5},
    )


check_yourself(selfcheck_batches)

# %% question="training_values"
# U {U}, running mean {running_mu} and running variance {running_var} of three batches, given your own normalise.

# %% question="evaluation_values"
# U {U} and dZ {dZ}, also for a single example.

# %% [markdown] written="normalisation_words"
# ### (f) Why
#
# In the cell below, in about five sentences:
#
# 1. In front of batch norm stands $z = Wx + b$. What is the gradient of this $b$, and why? Which parameter does its work?
# 2. The examples of a batch act on each other in training. Why must they not in evaluation?
#
# === BEGIN MARK SCHEME ===
#
# - 2 points: it is zero (one point): b moves all examples of a unit alike, and the mean takes that off again, so the loss
#   does not change; or: the entries of dZ of a unit add up to zero, and db is their sum. beta does its work (one point).
# - 1 point: what the network says about an example would depend on the others in its batch, and a single one would
#   always become beta.
#
# === END MARK SCHEME ===
