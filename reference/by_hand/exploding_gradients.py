# %% [markdown] text="title"
# In a deep network the gradient is a product of many factors. If each is a little larger than 1, the product is huge: ten
# factors of 1.5 make 58, fifty make more than 600 million. One such gradient and the weights are thrown far away; the next is larger
# still; soon every number is NaN. Here you write three remedies, and see each of them save a deep network.

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
from backprop import load_moons, progress, show, sigmoid
from selfcheck import Line, Report, as_numbers, check_values, check_yourself, finish


def levels(draw, activation, depth=30, width=200, seed=1):
    """The mean square of the pre-activations of each layer of a deep network; for a check and a picture below."""
    rng = np.random.default_rng(seed)
    A, found = rng.standard_normal((width, 100)), []
    for _ in range(depth):
        Z = as_numbers(draw(width, width, activation, rng)) @ A
        A = np.maximum(Z, 0) if activation == "relu" else Z
        found.append(np.mean(Z**2))
    return np.array(found)

# %% [markdown] text="part_a"
# ## (a) Clipping by norm
#
# When the gradient $g$ is longer than a threshold $t$, it is shortened to the length $t$. Its direction stays.
#
# $$\operatorname{clip}(g, t) = \begin{cases} g \cdot \dfrac{t}{\|g\|} & \text{if } \|g\| > t \\[1ex] g & \text{otherwise} \end{cases}$$
#
# $\|g\|$ is the square root of the sum of the squares of **all** entries, whatever the shape of $g$ is.
#
# Write `clip_by_norm(g, threshold)`. What backpropagation needs comes first:
#
# - `g` is a **list of arrays**, the gradients of all parameters: they are one long gradient with **one norm**, so all are
#   multiplied by the same factor. Return a list of arrays, each in its shape;
# - `g` is **one array**: return an array of the same shape;
# - do not change the arrays that you are given: return new ones.
#
# Then what happens seldom, for half a point each:
#
# - an array of zeros comes back as zeros;
# - if **any** entry is NaN or infinite, there is no direction to keep: return **zeros in place of everything** (for a list:
#   of all its arrays), so that this step is skipped;
# - entries may be as large as `1e250`. They are finite, but their squares are not: `1e250**2` is infinity. The result must
#   be right all the same.
#
# Two examples with $t = 5$: `[[6, -8]]` has norm 10 and becomes `[[3, -4]]`; the list `[[[3]], [[4], [12]]]` has norm 13, so
# all three numbers are multiplied by 5/13.

# %% show="picture"
# Clipping as a picture: run this cell to see it.
fig, ax = plt.subplots(figsize=(4.6, 4.2), layout="constrained")
angle = np.linspace(0, 2 * np.pi, 200)
ax.plot(5 * np.cos(angle), 5 * np.sin(angle), "--", color="0.5", label="norm 5")
for (x, y), (text_x, text_y), name in (((6, -8), (6, -8.9), "before, norm 10"), ((-2, 3), (0.8, 2.6), "short: kept")):
    ax.annotate("", (x, y), (0, 0), arrowprops={"arrowstyle": "->", "color": "#0072B2", "linewidth": 2})
    ax.text(
        text_x, text_y, name, ha="center", color="#0072B2", bbox={"facecolor": "white", "edgecolor": "none", "pad": 1}
    )
ax.annotate("", (3, -4), (0, 0), arrowprops={"arrowstyle": "->", "color": "#D55E00", "linewidth": 4})
ax.text(1.2, -2.9, "after, norm 5", ha="right", color="#D55E00")
ax.set(
    xlabel="first entry",
    ylabel="second entry",
    xlim=(-9, 9),
    ylim=(-10, 6.5),
    aspect="equal",
    title="Clipping keeps the direction",
)
ax.grid(alpha=0.3)
ax.legend(loc="upper right")
show(
    "A circle of radius 5 and three arrows from its centre. A long arrow to (6, -8) is shortened to (3, -4), "
    "on the circle; a short arrow to (-2, 3) stays."
)

# %% [markdown] text="picture_text"
# In words: the dashed circle has the radius 5. The long arrow to (6, -8) is shortened to (3, -4) on the circle, in the same
# direction. The short arrow to (-2, 3) ends inside the circle and stays.

# %% student="clip"
def clip_by_norm(g, threshold):
    """g with its norm limited to the threshold; one array, or a list of arrays with one common norm."""
    ### BEGIN SOLUTION
    if isinstance(g, (list, tuple)):
        arrays = g
    else:
        arrays = [g]
    entries = np.concatenate([np.ravel(a) for a in arrays])
    if not np.all(np.isfinite(entries)):
        clipped = [np.zeros_like(a) for a in arrays]
    else:
        largest = np.max(np.abs(entries))
        scale = largest if largest > 0 else 1.0
        norm_of_scaled = np.sqrt(np.sum((entries / scale) ** 2))
        if norm_of_scaled > threshold / scale:
            clipped = [a / scale * (threshold / norm_of_scaled) for a in arrays]
        else:
            clipped = [a.copy() for a in arrays]
    return clipped if isinstance(g, (list, tuple)) else clipped[0]
    ### END SOLUTION

# %% [markdown] text="check_text_clip"
# ### Check yourself
#
# The next cell tries your function on a few cases and looks at shapes, norms and directions. More is checked after you hand
# in.

# %% selfcheck="clip"
def selfcheck_clip():
    rng = np.random.default_rng(2)
    long, short = rng.normal(size=(3, 5)) * 10, rng.normal(size=(3, 5)) / 100
    passed = long.copy()
    clipped = clip_by_norm(passed, 2.0)
    check_values({"clipped": clipped}, {"clipped": (3, 5)})
    clipped = as_numbers(clipped)
    assert np.array_equal(passed, long), "The array that is passed in has changed: *= works in place. Make a new array."
    norm = np.sqrt(np.sum(clipped**2))
    assert np.isclose(norm, 2.0), f"The norm of a clipped gradient must be the threshold, 2. Yours is {norm:.4g}."
    assert np.allclose(clipped / clipped[0, 0], long / long[0, 0]), "Clipping must keep the direction."
    assert np.allclose(clip_by_norm(short.copy(), 2.0), short), "A short gradient comes back as it is."
    pair = clip_by_norm([long.copy(), short.copy()], 2.0)
    assert isinstance(pair, (list, tuple)), "For a list of two arrays return a list of two arrays."
    assert len(pair) == 2, "For a list of two arrays return a list of two arrays."
    same = np.allclose(as_numbers(pair[1]) * long[0, 0], short * as_numbers(pair[0])[0, 0])
    assert same, "All arrays of a list must get the same factor."
    pair = clip_by_norm([np.array([[3.0]]), np.array([[4.0], [12.0]])], 5.0)
    together = np.sqrt(sum(np.sum(as_numbers(one) ** 2) for one in pair))
    assert np.isclose(together, 5), (
        f"The common norm of a clipped list must be the threshold, 5. Yours is {together:.4g}."
    )
    zeros = clip_by_norm(np.zeros((2, 3)), 2.0)
    assert np.all(np.isfinite(as_numbers(zeros))), "Zeros must come back as zeros: what do you divide by?"
    return Report("What could be checked here is right.")


check_yourself(selfcheck_clip)

# %% question="clipping"
# an array above the threshold {above} and one below it {below}.

# %% question="clipping_list"
# a list above the threshold {together}, one below it {small} and one with a NaN {one_not_finite}.

# %% question="clipping_special"
# zeros, an array with NaN or infinity, and very large entries {each}.

# %% [markdown] text="part_b"
# ## (b) Weights that keep the level
#
# Clipping acts when the gradient is already too large. It is better when it does not grow at all. Look at one layer with
# `n_in` inputs: each pre-activation is a sum of `n_in` products, $z_i = \sum_j w_{ij} a_j$. If the weights are independent, with
# mean 0 and variance $v$, then **on average** $z_i^2 = n_{in} \cdot v \cdot (\text{mean of } a_j^2)$.
#
# We want the mean square of the pre-activations to be **the same in every layer, on the way forward**:
#
# - with **linear** units, $a = z$, nothing else happens, and $n_{in} \cdot v$ must be 1;
# - with **ReLU** units, $a = \max(0, z)$, half of the pre-activations are set to zero, the negative ones. Work out what is left
#   of the mean square, and which $v$ makes up for it.
#
# Write `level_weights(n_out, n_in, activation, rng)`: a NumPy array of shape (n_out, n_in) with independent random entries of mean 0
# and the right variance for `activation`, which is `"linear"` or `"relu"`. Draw from `rng`, a NumPy generator, with
# `rng.normal`, `rng.standard_normal`, `rng.uniform` or what you like. The shape of the distribution is free; only its variance counts.
#
# An example with other numbers: entries with variance 9 are `3 * rng.standard_normal((n_out, n_in))`, because a factor goes
# into the variance as its square.

# %% student="weights"
def level_weights(n_out, n_in, activation, rng):
    """Random weights (n_out, n_in) with which the mean square of the pre-activations stays level."""
    ### BEGIN SOLUTION
    variance = (2 if activation == "relu" else 1) / n_in  # ReLU halves the mean square
    return np.sqrt(variance) * rng.standard_normal((n_out, n_in))
    ### END SOLUTION

# %% [markdown] text="check_text_weights"
# ### Check yourself
#
# The next cell sends random inputs through 30 layers with your weights and looks whether the mean square of the
# pre-activations keeps its level. The one after it draws it: random numbers move a line a little; one that runs steadily up
# or down is not level.

# %% selfcheck="weights"
def selfcheck_weights():
    weights = level_weights(5, 3, "relu", np.random.default_rng(0))
    check_values({"weights": weights}, {"weights": (5, 3)})
    lines = []
    for activation in ("linear", "relu"):
        measured = levels(level_weights, activation)
        per_layer = (measured[-1] / measured[0]) ** (1 / 29)
        level = 0.85 < per_layer < 1.15
        says = f"from layer to layer the mean square is multiplied by about {per_layer:.2f}"
        if 0.3 < per_layer < 0.37:
            says += ". (A uniform distribution from -c to c has the variance c^2 / 3.)"
        lines.append(Line(activation, "ok" if level else "WRONG", says))
    return finish(Report("The level of the pre-activations over 30 layers", tuple(lines)))


check_yourself(selfcheck_weights)

# %% show="level_picture"
def scaled(factor):
    """Weights for ReLU that are too small or too large by a factor."""
    return lambda n_out, n_in, activation, rng: factor * level_weights(n_out, n_in, activation, rng)


fig, ax = plt.subplots(figsize=(7.4, 3.8), layout="constrained")
layers = np.arange(1, 31)
ax.semilogy(layers, levels(level_weights, "relu"), color="#0072B2", label="your weights, ReLU")
ax.semilogy(layers, levels(level_weights, "linear"), "--", color="#009E73", label="your weights, linear")
ax.semilogy(layers, levels(scaled(1.5), "relu"), ":", color="#D55E00", label="1.5 times as large, ReLU")
ax.semilogy(layers, levels(scaled(0.5), "relu"), "-.", color="#CC79A7", label="half as large, ReLU")
ax.set(xlabel="layer", ylabel="mean square of Z", title="The level of the pre-activations with depth")
ax.grid(alpha=0.3)
ax.legend(fontsize=9)
show(
    "Mean square of the pre-activations against the layer, 1 to 30, on a logarithmic axis: your weights with "
    "ReLU and with linear units, and the same ReLU weights 1.5 times and half as large."
)

# %% question="initialisation"
# the shape, the variance for linear units, random entries with mean 0 {shape, linear, random} and the variance for ReLU
# {relu}. The variance is measured on matrices with more than 20,000 entries and may be 5 % off.

# %% [markdown] text="part_c"
# ## (c) A schedule for the learning rate
#
# The first steps are the dangerous ones: nothing is in order yet. And the last ones should be small, to settle down. So let
# the learning rate rise at first (**warm-up**) and then fall along a **cosine**. For step $s = 0, 1, \dots, T - 1$, a peak rate
# $p$ and $w$ steps of warm-up:
#
# $$\alpha(s) = \begin{cases} p \cdot \dfrac{s + 1}{w} & \text{if } s < w \\[1.5ex] \dfrac{p}{2} \left( 1 + \cos \dfrac{\pi\,(s - w)}{T - w} \right) & \text{otherwise} \end{cases}$$
#
# Write `learning_rate_at(step, peak, warmup, total)` with $s$, $p$, $w$, $T$ in this order. It returns one number.
#
# An example: for $p = 0.8$, $w = 4$ and $T = 8$ the rates are 0.2, 0.4, 0.6, 0.8, then 0.8, 0.683, 0.4, 0.117.

# %% student="rate"
def learning_rate_at(step, peak, warmup, total):
    """The learning rate of one step: warm-up, then a cosine down."""
    ### BEGIN SOLUTION
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak / 2 * (1 + np.cos(np.pi * (step - warmup) / (total - warmup)))
    ### END SOLUTION

# %% selfcheck="rate"
def selfcheck_rate():
    example = [learning_rate_at(step, 0.8, 4, 8) for step in range(8)]
    told = [0.2, 0.4, 0.6, 0.8, 0.8, 0.683, 0.4, 0.117]
    check_values({"learning rates": example}, {"learning rates": (8,)})
    for step, (yours, wanted) in enumerate(zip(as_numbers(example).ravel(), told)):
        assert abs(yours - wanted) < 5e-4, f"Step {step} of the example: {wanted} is told above, yours is {yours:.4g}."
    return Report("The example comes out right.")


check_yourself(selfcheck_rate)

# %% question="schedule"
# the rates of the warm-up and those of the decay {each}.

# %% [markdown] text="show_text"
# ## A deep network that diverges, and what saves it
#
# The next cell trains a network with **ten hidden ReLU layers** of 20 units on the moons, 300 steps at a learning rate of 0.1.
# Its weights are 1.5 times too large. It is trained four times from each of five seeds: as it is, with clipping at norm 1,
# with level weights, and with the schedule (50 steps of warm-up). Nothing else is changed.

# %% show="rescue"
X_train, Y_train, X_test, Y_test = load_moons()


def too_large(n_out, n_in, activation, rng):
    return 1.5 * np.sqrt(2 / n_in) * rng.standard_normal((n_out, n_in))


def train_deep(seed, draw=too_large, threshold=None, rate=lambda step: 0.1, steps=300):
    """Losses and gradient norms of every step."""
    rng = np.random.default_rng(seed)
    sizes = [2] + 10 * [20] + [1]
    W = [draw(sizes[i + 1], sizes[i], "relu", rng) for i in range(11)]
    b = [np.zeros((n, 1)) for n in sizes[1:]]
    losses, norms = [], []
    with np.errstate(all="ignore"):  # overflow is what we want to see
        for step in range(steps):
            Z, A = [], [X_train]
            for i in range(11):
                Z.append(W[i] @ A[-1] + b[i])
                A.append(np.maximum(Z[-1], 0) if i < 10 else sigmoid(Z[-1]))
            losses.append(np.mean(Y_train * np.logaddexp(0, -Z[-1]) + (1 - Y_train) * np.logaddexp(0, Z[-1])))
            gradients, dZ = [], (A[-1] - Y_train) / Y_train.shape[1]
            for i in range(10, -1, -1):
                gradients = [dZ @ A[i].T, dZ.sum(axis=1, keepdims=True)] + gradients
                if i:
                    dZ = (W[i].T @ dZ) * (Z[i - 1] > 0)
            norms.append(np.sqrt(sum(np.sum(g**2) for g in gradients)))
            if threshold is not None:
                gradients = clip_by_norm(gradients, threshold)
            W = [w - rate(step) * g for w, g in zip(W, gradients[0::2])]
            b = [w - rate(step) * g for w, g in zip(b, gradients[1::2])]
    return np.array(losses), np.array(norms)


runs = {
    "as it is": {},
    "clipped at norm 1": {"threshold": 1.0},
    "level weights": {"draw": level_weights},
    "schedule": {"rate": lambda step: learning_rate_at(step, 0.1, 50, 300)},
}
fig, axes = plt.subplots(1, 2, figsize=(12, 3.9), layout="constrained")
styles = {"as it is": ("#000000", "-"), "clipped at norm 1": ("#D55E00", "--"),
          "level weights": ("#0072B2", "-."), "schedule": ("#009E73", ":")}
jobs = [(name, seed) for name in runs for seed in range(5)]
trained = {jobs[i]: train_deep(jobs[i][1], **runs[jobs[i][0]]) for i in progress(len(jobs), unit="networks")}
final = {}
print(f"{'loss at the end, seeds 0-4':26}" + "".join(f"{seed:>9}" for seed in range(5)))
for name in runs:
    found = [trained[name, seed] for seed in range(5)]
    final[name] = [np.median(losses[-20:]) for losses, _ in found]  # single steps may jump
    print(f"{name:26}" + "".join(f"{loss:9.3f}" for loss in final[name]))
    losses, norms = found[0]
    colour, line = styles[name]
    axes[0].semilogy(losses, line, color=colour, label=name, linewidth=2)
    axes[1].semilogy(norms, line, color=colour, label=name, linewidth=2)
axes[0].set(xlabel="step", ylabel="loss", title="Loss, seed 0")
axes[1].set(xlabel="step", ylabel="norm of the gradient", title="Gradient before clipping, seed 0")
axes[0].set_ylim(1e-2, 1e2)
axes[1].set_ylim(1e-2, 1e6)
for ax in axes:
    ax.grid(alpha=0.3)
    ax.legend(fontsize=9)
show(
    "Loss (left) and norm of the gradient (right) against the step, both on logarithmic axes, for four runs: "
    "as it is, clipped at norm 1, level weights, schedule."
)

# %% [markdown] text="look"
# What you should see: as it is, the network fails from every seed. Its loss becomes NaN (its curve leaves the picture within ten
# steps and ends), or it stays at 0.693, which is log 2: the answer of a network whose ReLU units are all dead. Each of the
# three remedies alone brings the loss below 0.3 from every seed.

# %% [markdown] text="part_d"
# ## (d) Cause or symptom?
#
# - `changes`: what each of the three remedies changes, a list in the order clipping, level weights, schedule. The words are
#   `"gradient"`, `"weights at the start"`, `"learning rate"`.
# - `against_vanishing`: which of the three helps against **vanishing** gradients, too? One of `"clipping"`, `"level weights"`,
#   `"schedule"`.

# %% student="remedies"
# Fill in:  changes = [..., ..., ...]     against_vanishing = ...
### BEGIN SOLUTION
changes = ["gradient", "weights at the start", "learning rate"]
against_vanishing = "level weights"
### END SOLUTION

# %% question="what_they_change"
# changes and against_vanishing {each}.

# %% [markdown] written="cause_or_symptom"
# ### Why
#
# In the cell below, write about four sentences. For each of the three remedies say whether it treats the cause or the
# symptom, and why. Use the table or the curves of your run at least once. Why do the other two not help against vanishing
# gradients?
#
# === BEGIN MARK SCHEME ===
#
# - 1 point: two treat a symptom. Clipping limits the length of the gradient at each step, and never makes anything larger; the
#   schedule makes the first steps small, so that the weights have time to move to a better place, and does not make the gradient
#   smaller.
# - 1 point: level weights remove the cause, the factor per layer that is larger than 1, at least at the start. The run shows
#   it: the norm of the first gradient (above 100 with the large weights for most seeds, below 3 with level weights), or NaN
#   against a final loss below 0.3.
#
# === END MARK SCHEME ===
