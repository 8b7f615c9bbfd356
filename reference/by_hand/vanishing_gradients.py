# %% [markdown] text="title"
# Paper and pencil first, then Python.
#
# On its way back to the first layer a gradient passes every layer of the network, and every layer multiplies it by
# something. Here you estimate what is left of it after five layers, for the sigmoid and for ReLU, and then you measure
# it in a real network and see how good the estimates are.
#
# **How it is marked.** Each number is compared with what follows from *your own* earlier numbers: a slip costs one
# line. Four significant figures are enough; a fraction such as `1 / 3` is welcome.
#
# **Practise first?** [The practice notebook](../guide/practice.ipynb) asks the same for other activations, depths and
# weights, as often as you like.

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
from backprop import show, sigmoid
from selfcheck import Line, Report, check_gradient, check_values, check_yourself

# %% [markdown] text="task"
# ## A chain of five layers
#
# Take the simplest deep network: five layers with **one unit each**, and every weight has the size $|w| = 1$.
#
# $$x \;\to\; z_1 \to a_1 \;\to\; z_2 \to a_2 \;\to\; \dots \;\to\; z_5 \to a_5, \qquad z_l = w_l\, a_{l-1} + b_l, \quad a_l = f(z_l)$$
#
# The gradient at the output has magnitude 1: $\;|\partial L / \partial a_5| = 1$. We follow the **error signals**
# $\;\delta_l = \partial L / \partial z_l$ from layer 5 back to layer 1. The chain rule gives two kinds of steps, shown in the
# picture: through an activation (from $a_l$ to $z_l$) the gradient is multiplied by the slope $f'(z_l)$, and through a
# connection (from $z_l$ to $a_{l-1}$) by the weight $w_l$.

# %% show="picture"
# The chain and the slope of the sigmoid as pictures: run this cell to see them.
fig, (ax, slope_ax) = plt.subplots(1, 2, figsize=(12, 2.8), layout="constrained", width_ratios=[2.1, 1])
names = ["x", "z1", "a1", "z2", "a2", "z3", "a3", "z4", "a4", "z5", "a5"]
for i, name in enumerate(names):
    ax.text(
        i,
        0,
        name,
        ha="center",
        va="center",
        bbox={
            "boxstyle": "circle,pad=0.45",
            "facecolor": "#f1f1f1" if name[0] == "z" else "#dcebf7",
            "edgecolor": "0.5",
        },
    )
for i in range(1, len(names)):
    through_weight = names[i][0] == "z"
    ax.annotate("", (i - 0.74, 0), (i - 0.26, 0), arrowprops={"arrowstyle": "->", "color": "#D55E00"})
    ax.text(i - 0.5, 0.14, "weight" if through_weight else "slope", ha="center", fontsize=9, color="#D55E00",
            rotation=45)
ax.text(5, -0.5, "the gradient goes back, from right to left", ha="center", color="#D55E00")
ax.text(10, -0.35, "magnitude 1", ha="center", fontsize=9)
ax.set(xlim=(-0.5, 10.7), ylim=(-0.8, 0.7))
ax.axis("off")
z = np.linspace(-6, 6, 300)
step = 1e-5
slope_ax.plot(z, sigmoid(z), label="sigmoid", color="#0072B2")
slope_ax.plot(z, (sigmoid(z + step) - sigmoid(z - step)) / (2 * step), "--", label="its slope", color="#D55E00")
slope_ax.set(xlabel="z", title="The sigmoid and its slope")
slope_ax.grid(alpha=0.3)
slope_ax.legend()
show(
    "Left: the chain x, z1, a1, ..., z5, a5 with a weight or a slope on each arrow; the gradient goes from "
    "right to left. Right: the sigmoid and its slope, a low hill around z = 0."
)

# %% [markdown] text="picture_text"
# In words: left, the chain from $x$ to $a_5$; between $z_l$ and $a_l$ stands a slope, between $a_{l-1}$ and $z_l$ a weight.
# Right, the sigmoid rises from 0 to 1; its slope is a low hill with its top at $z = 0$.

# %% [markdown] text="part_a"
# ## (a) The sigmoid, layer by layer
#
# All five activations are sigmoids. How large can $|\delta_5|, |\delta_4|, \dots, |\delta_1|$ be **at most**?
#
# 1. `max_slope`: the largest value that $\sigma'(z) = \sigma(z)\,(1 - \sigma(z))$ can have.
# 2. `sigmoid_bounds`: a list of five numbers, the bounds for $|\delta_5|, |\delta_4|, |\delta_3|, |\delta_2|, |\delta_1|$ in
#    this order, **from the output back**. From $a_5$ to $z_5$ there is one slope already.
#
# An example with another function: if the largest slope were 0.6, the list would start with `0.6, 0.36, 0.216`.

# %% student="estimate_sigmoid"
# Fill in:  max_slope = ...     sigmoid_bounds = [..., ..., ..., ..., ...]
### BEGIN SOLUTION
max_slope = 1 / 4  # sigma (1 - sigma) is largest where sigma = 1/2, that is at z = 0
sigmoid_bounds = [1 / 4, 1 / 16, 1 / 64, 1 / 256, 1 / 1024]
### END SOLUTION

# %% question="sigmoid_layers"
# max_slope and the five entries of sigmoid_bounds {each}.

# %% [markdown] text="part_b"
# ## (b) What reaches the input
#
# 1. `at_input`: the bound for $|\partial L / \partial x|$. From $z_1$ to $x$ there is one more weight, of size 1.
# 2. `layers_needed`: how many sigmoid layers (a whole number) does such a chain need so that the bound at the input is
#    **below** $10^{-6}$?
# 3. `weight_needed`: which size $|w|$ must every weight have, so that weight times steepest slope
#    is 1 and the bound does not shrink from layer to layer?

# %% student="estimate_input"
# Fill in:  at_input = ...     layers_needed = ...     weight_needed = ...
### BEGIN SOLUTION
at_input = sigmoid_bounds[-1] * 1
layers_needed = 10  # 4^-9 = 3.8e-6 is not enough, 4^-10 = 9.5e-7 is
weight_needed = 4
### END SOLUTION

# %% question="sigmoid_input"
# at_input, layers_needed and weight_needed {each}.

# %% [markdown] text="part_c"
# ## (c) Three remedies
#
# Four words that you may not have met yet, in a line each:
#
# - **ReLU** is the activation $\max(0, z)$. You find it in (d).
# - **Gradient clipping** shortens a gradient that is longer than a threshold to that length, before the step.
# - A **residual connection** leads around a layer: the layer's input is added to its output, $a_l = a_{l-1} + f(z_l)$ in place
#   of $a_l = f(z_l)$. Two paths lead from $a_{l-1}$ to $a_l$ then, and where paths meet, derivatives are added.
# - **Batch normalisation** stands before an activation. From each pre-activation it subtracts the mean over the examples of
#   the batch, and divides by their standard deviation; a scale and a shift, which are learned, may follow. At the start every
#   unit therefore sees values around 0 of a spread of 1, however large the weights below are.
#
# A colleague says: "Against vanishing gradients one can use ReLU, gradient clipping, residual connections or batch
# normalisation." One of the four in the list is the odd one out: it does not help. Which? Fill in `odd_one_out`, one of
# `"ReLU"`, `"gradient clipping"`, `"residual connections"`, `"batch normalisation"`.

# %% student="odd_one_out"
# Fill in:  odd_one_out = ...
### BEGIN SOLUTION
odd_one_out = "gradient clipping"
### END SOLUTION

# %% question="which_does_not_help"
# odd_one_out.

# %% [markdown] written="remedies"
# ### (c) Why they help
#
# In the cell below, choose **three remedies that really help** and give a reason for each: which factor in the product of (a)
# does it change, and how? Say in half a sentence which problem the odd one out was made for. (About six sentences.)
#
# === BEGIN MARK SCHEME ===
#
# - 1 point for each of three remedies that help, with the reason; half of it for naming one without a reason that holds:
#   ReLU: slope exactly 1 for active units, so the product of slopes does not shrink along active paths;
#   residual connection: the derivative by what comes in is 1 + w f'(z), so one path has the factor 1;
#   batch normalisation: keeps the pre-activations around 0, where the slope of the activation is largest.
#   Others that are right: tanh in place of sigmoid (slope up to 1), initialisation that keeps the level (weights make up
#   for the slope), gated units (LSTM), fewer layers, layer normalisation, greedy pre-training.
# - Clipping makes large gradients smaller; it was made against exploding gradients, and a gradient that is too small is left as
#   it is. Where this is not said, half a point less.
# - A student who counts clipping as a remedy for vanishing gradients gets no points for that remedy.
#
# === END MARK SCHEME ===

# %% [markdown] text="part_d"
# ## (d) The same with ReLU
#
# Now every activation is ReLU and each layer is wide. **Half of its units are active.** An active unit passes the gradient
# on with slope 1, a silent one stops it (slope 0). The connections do not change the size of the gradient. We start with
# magnitude 1 at every unit of $a_5$, and go through five ReLU layers.
#
# What is "the size" of a whole layer of error signals? There are two usual answers, and they differ here:
#
# - the **mean magnitude**, the average of $|\delta|$ over all units of the layer;
# - the **root-mean-square**, the square root of the average of $\delta^2$ over all units of the layer.
#
# An example of the difference: for the signals $(3, 0, -1)$ the mean magnitude is $4/3 = 1.333$ and the root-mean-square is
# $\sqrt{10/3} = 1.826$.
#
# Give by which factor one such layer multiplies each of them (`mean_factor`, `rms_factor`), and the values after one, two,
# ..., five layers (`relu_mean`, `relu_rms`: lists of five numbers, layer 5 first). Every layer has the same factor.

# %% student="estimate_relu"
# Fill in:  mean_factor = ...    relu_mean = [..., ..., ..., ..., ...]
#           rms_factor = ...     relu_rms = [..., ..., ..., ..., ...]
### BEGIN SOLUTION
mean_factor = 1 / 2
relu_mean = [mean_factor**k for k in range(1, 6)]
rms_factor = (1 / 2) ** 0.5  # the mean square is halved
relu_rms = [rms_factor**k for k in range(1, 6)]
### END SOLUTION

# %% question="relu_layers"
# both factors and both lists {each}.

# %% [markdown] text="check_text"
# ### Check yourself
#
# The next cell looks at what you filled in: is everything there, are they numbers, do the shapes fit? It does not know
# the answers.

# %% selfcheck="estimates"
def selfcheck_estimates():
    shapes = {
        "max_slope": (), "sigmoid_bounds": (5,), "at_input": (), "layers_needed": (), "weight_needed": (),
        "mean_factor": (), "relu_mean": (5,), "rms_factor": (), "relu_rms": (5,),
    }
    return check_values(globals(), shapes, rounded={"rms_factor": 4})


check_yourself(selfcheck_estimates)

# %% [markdown] text="part_e"
# ## (e) Measured, not only estimated
#
# Now a real network with five layers, many units in each and $m$ examples at once. Write two functions.
#
# **`error_signals(weights, Z, A, dA5, activation)`** returns the list `[dZ1, dZ2, dZ3, dZ4, dZ5]`.
#
# | argument | what it is |
# |---|---|
# | `weights` | list `[W1, ..., W5]`; `weights[0]` is `W1` with shape (n_1, n_0) |
# | `Z`, `A` | lists `[Z1, ..., Z5]` and `[A1, ..., A5]` from a forward pass; each (n_l, m), one **column** per example |
# | `dA5` | the gradient at the output, (n_5, m) |
# | `activation` | `"sigmoid"`, `"tanh"` or `"relu"`; **all five layers** use it, the last one too |
#
# `dZl` is $\partial L / \partial Z_l$ and has the shape of `Zl`. The loss $L$ is hidden in `dA5`, which is
# $\partial L / \partial A_5$: nothing is to be divided by m here. The slopes are $\sigma' = \sigma(1 - \sigma)$,
# $\tanh' = 1 - \tanh^2$, and for ReLU 1 where $z > 0$ and 0 elsewhere.
#
# **`signal_norms(signals)`** takes such a list and returns a list of five numbers: the norm of each array, which is the
# square root of the sum of the squares of **all** its entries. For `[[3, -4]]` it is 5, for `[[1, 1], [1, -1]]` it is 2.
#
# A small example with one unit per layer: if $z_5 = 0$, $w_5 = 3$, $z_4 = 0$, the activation is tanh and `dA5` is 2, then
# `dZ5` is $2 \cdot 1 = 2$ and `dZ4` is $3 \cdot 2 \cdot 1 = 6$.

# %% student="measure"
def error_signals(weights, Z, A, dA5, activation):
    """[dZ1, ..., dZ5] for a network with five layers that all use this activation."""
    ### BEGIN SOLUTION
    signals, dA = [], dA5
    for i in (4, 3, 2, 1, 0):
        if activation == "sigmoid":
            slope = A[i] * (1 - A[i])
        elif activation == "tanh":
            slope = 1 - A[i] ** 2
        else:
            slope = Z[i] > 0
        dZ = dA * slope
        signals.insert(0, dZ)
        dA = weights[i].T @ dZ
    return signals
    ### END SOLUTION


def signal_norms(signals):
    """The norm of each array of the list."""
    ### BEGIN SOLUTION
    return [np.sqrt(np.sum(dZ**2)) for dZ in signals]
    ### END SOLUTION

# %% [markdown] text="check_text_measure"
# ### Check yourself
#
# The next cell compares your error signals with central differences, from layer 5 back: it moves each entry of $Z_l$ a
# little up and down, goes forward from there, and looks how $L$, the sum of `dA5 * A5`, changes. When it stops, the
# layer that it names is the one to look at.

# %% selfcheck="measure"
def selfcheck_measure(sizes=(3, 5, 7, 3, 5, 7), m=11):
    rng = np.random.default_rng(3)
    W = [rng.normal(size=(sizes[i + 1], sizes[i])) for i in range(5)]
    b = [rng.normal(size=(sizes[i + 1], 1)) for i in range(5)]
    X, dA5 = rng.normal(size=(sizes[0], m)), rng.normal(size=(sizes[5], m))

    def forward(f, layer=None, moved=None):
        """Z and A of all layers, with Z of one layer replaced."""
        Z, A = [], [X]
        for i in range(5):
            Z.append(moved if i + 1 == layer else W[i] @ A[-1] + b[i])
            A.append(f(Z[-1]))
        return Z, A[1:]

    def check(activation, f, layer):
        check_gradient(
            lambda moved: np.sum(dA5 * forward(f, layer, moved)[1][4]),
            lambda moved: error_signals(W, *forward(f, layer, moved), dA5, activation)[layer - 1],
            {f"Z{layer}": forward(f)[0][layer - 1]},
            sizes={"m": m},
        )

    lines = []
    for activation, f in (("sigmoid", sigmoid), ("tanh", np.tanh), ("relu", lambda z: np.maximum(z, 0))):
        for layer in (5, 4, 3, 2, 1):
            check(activation, f, layer)
        lines.append(Line(activation, "ok", "dZ5 to dZ1 agree with the slopes of the loss"))
    norms = check_values({"signal_norms": signal_norms([np.array([[3.0, -4.0]])] * 5)}, {"signal_norms": (5,)})
    square = signal_norms([np.array([[1.0, 1.0], [1.0, -1.0]])] * 5)[0]
    assert np.isclose(square, 2), (
        f"The norm of [[1, 1], [1, -1]] is 2, the root of the sum of all four squares; yours is {square:.4g}."
    )
    return Report("Your error signals agree with the slopes of the loss.", (*lines, *norms.lines),
                  ("The norms are those of [[3, -4]], which the text gives.",))


check_yourself(selfcheck_measure)

# %% question="true_signals"
# dZ5 for all three activations {last}, then dZ4 to dZ1 given your own dZ5, with sigmoid, tanh and ReLU {sigmoid, tanh,
# relu}.

# %% question="true_norms"
# signal_norms for a few lists of arrays.

# %% [markdown] text="show_text"
# ## Estimate and measurement
#
# The next cell measures a network with 64 units in each of its five layers. Its weight matrices are random rotations: they
# neither stretch nor shrink a vector, so that, as in the estimates, only the activations change the size of the gradient.
# With ReLU each unit has a bias, such that it is active for half of the examples. The gradient at the output has norm 1, and
# your estimates are divided by the gradient and the weights that they began with. The points show the mean over 20 such networks.

# %% show="measured"
active = 0.5
start, weight = 1, 1  # what the estimates began with


def measured_norms(activation, networks=20, width=64, m=20):
    f = {"sigmoid": sigmoid, "tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}[activation]
    found = []
    for seed in range(networks):
        rng = np.random.default_rng(seed)
        weights = [np.linalg.qr(rng.normal(size=(width, width)))[0] for _ in range(5)]
        Z, A, below = [], [], rng.normal(size=(width, m))
        for W in weights:
            Z.append(W @ below)
            if activation == "relu":
                Z[-1] -= np.quantile(Z[-1], 1 - active, axis=1, keepdims=True)
            below = f(Z[-1])
            A.append(below)
        dA5 = rng.normal(size=(width, m))
        found.append(signal_norms(error_signals(weights, Z, A, dA5 / np.linalg.norm(dA5), activation)))
    return np.mean(found, axis=0)


measured = {name: measured_norms(name)[::-1] for name in ("tanh", "relu", "sigmoid")}
fig, ax = plt.subplots(figsize=(7.6, 4.4), layout="constrained")
layers = [5, 4, 3, 2, 1]
print(f"{'layer':18}" + "".join(f"{layer:>10}" for layer in layers))
for name, marker, colour in (("tanh", "^", "#009E73"), ("relu", "s", "#D55E00"), ("sigmoid", "o", "#0072B2")):
    norms = measured[name]
    print(f"{name:18}" + "".join(f"{norm:10.2g}" for norm in norms))
    ax.semilogy(
        layers, norms, marker, markersize=8, color=colour, label=f"{'ReLU' if name == 'relu' else name}, measured"
    )
rms, mean = np.array(relu_rms, dtype=float) / start, np.array(relu_mean, dtype=float) / start
bounds = np.array(sigmoid_bounds, dtype=float) / start / weight ** np.arange(5)
ax.semilogy(layers, rms, "--", color="#D55E00", label="ReLU, root-mean-square estimate")
ax.semilogy(layers, mean, ":", color="#D55E00", label="ReLU, mean magnitude estimate")
ax.semilogy(layers, bounds, "-", color="#0072B2", label="sigmoid, upper bound")
ax.set(
    xlabel="layer (the output is on the left)",
    ylabel="norm of the error signal",
    title="What is left of the gradient",
    xticks=layers,
)
ax.invert_xaxis()
ax.grid(alpha=0.3, which="both")
ax.legend(fontsize=9, loc="lower left")
show(
    "Norm of the error signal against the layer, 5 to 1, on a logarithmic axis: measured points for tanh, "
    "ReLU and the sigmoid, and lines for the two ReLU estimates and the sigmoid bound."
)

# %% [markdown] text="look"
# What you should see: the sigmoid stays below its bound, but not far below: at layer 1 about 0.0007 against 0.00098. ReLU
# follows the root-mean-square estimate and not the mean magnitude: a norm adds squares, so it is the root-mean-square that
# the connections hand on. tanh loses little here, because most of its units work near zero, where its slope is close to 1.
# In a network with large weights this is different: a tanh unit far from zero has almost no slope.
