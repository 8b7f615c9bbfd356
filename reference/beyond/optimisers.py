# %% [markdown] text="title"
# Backpropagation says in which direction the loss falls. What to *do* with that is another question, and plain gradient
# descent is only its first answer. Here you write the five answers that nearly all networks are trained with today. Each is
# two to five lines, and each **carries something on** from step to step: of the mistakes that we know, a third cannot be seen in the
# first one.

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
from backprop import load_moons, show
from selfcheck import Line, Report, check_yourself, finish
from simple_network import SimpleNeuralNetwork

# %% [markdown] text="rules"
# ## The rules for all five
#
# A step gets the parameters `theta` and their gradient `g`, arrays of one shape, what is carried on (an array of the same
# shape, zeros before the first step), and numbers. It **returns the new parameters first, then what is carried on**, and
# all arithmetic is entry by entry. Return new arrays, and leave those that you get alone. How it is marked: your function is called for five steps, one after the other, and gets back
# what it has returned. What is carried on is one line; the parameters are another, marked given your own carried values.
#
# ## (a) Momentum and Nesterov
#
# $$v \leftarrow \beta v + g \qquad\qquad \theta \leftarrow \theta - \alpha\, v$$
#
# The *velocity* $v$ is a sum of all gradients so far, old ones faded. (Some books put $1 - \beta$ in front of $g$; here, as in
# PyTorch, there is none.) **Nesterov** has the same velocity, and steps along $g + \beta v$ in the place of $v$, as if the next gradient were the same:
#
# $$\theta \leftarrow \theta - \alpha\,(g + \beta v) \qquad\text{with the new } v.$$
#
# - `momentum_step(theta, g, v, rate, beta)` returns `theta, v`;
# - `nesterov_step(theta, g, v, rate, beta)` returns `theta, v`.
#
# A small example: with $\theta = 1$, $\alpha = 0.1$, $\beta = 0.5$ and the gradients 2 and 4, $v$ is 2 and 5. Momentum gives
# $\theta = 0.8$ and $0.3$, Nesterov $0.7$ and $0.05$.

# %% student="momentum"
def momentum_step(theta, g, v, rate, beta):
    """The new parameters and the new velocity."""
    ### BEGIN SOLUTION
    v = beta * v + g
    return theta - rate * v, v
    ### END SOLUTION


def nesterov_step(theta, g, v, rate, beta):
    """The new parameters and the new velocity."""
    ### BEGIN SOLUTION
    v = beta * v + g
    return theta - rate * (g + beta * v), v
    ### END SOLUTION

# %% selfcheck="momentum"
# With a gradient that is always 1 the velocity comes to rest at 1 / (1 - beta), and each step is rate times that.
def selfcheck_momentum():
    lines, notes = [], []
    for step in (momentum_step, nesterov_step):
        theta, v = np.zeros(2), np.zeros(2)
        for _ in range(60):
            before, (theta, v) = theta.copy(), step(theta, np.ones(2), v, 0.1, 0.5)
        at_rest, moved = np.allclose(v, 2), np.allclose(theta - before, -0.2)
        says = f"velocity {np.ravel(v)[0]:.4g}, should be 2; last step {np.ravel(theta - before)[0]:.4g}, "
        lines.append(Line(step.__name__, "ok" if at_rest and moved else "WRONG", says + "should be -0.2"))
        start, still = np.ones(1), np.zeros(1)
        first, v = step(start, np.full(1, 2.0), still, 0.1, 0.5)
        second = float(np.ravel(step(first, np.full(1, 4.0), v, 0.1, 0.5)[0])[0])
        due = 0.3 if step is momentum_step else 0.05
        says = f"the small example: 1 becomes {second:.4g} after two steps, should be {due}"
        lines.append(Line(step.__name__, "ok" if np.isclose(second, due) else "WRONG", says))
        if start != 1 or still != 0:
            notes.append(f"{step.__name__} changes what it gets in place: who calls it has the old values no more.")
    told = "Sixty steps with the gradient 1, beta 0.5 and rate 0.1; and the small example."
    return finish(Report(told, tuple(lines), tuple(notes)))


check_yourself(selfcheck_momentum)

# %% question="momentum_five"
# momentum_step: the velocity {v} and the parameters {theta} after each of five steps.

# %% question="nesterov_five"
# nesterov_step: the velocity {v} and the parameters {theta} after each of five steps.

# %% [markdown] text="part_b"
# ## (b) RMSprop
#
# Some parameters have gradients a thousand times as large as others. RMSprop divides each by its own usual size:
#
# $$s \leftarrow \beta s + (1 - \beta)\, g^2 \qquad\qquad \theta \leftarrow \theta - \alpha\, \frac{g}{\sqrt{s} + \varepsilon}$$
#
# Here $s$ is an average, so $1 - \beta$ *is* there. $\varepsilon$ stands **outside** the root; for gradients of $10^{-7}$
# that makes a difference, and you are asked with such gradients, too.
#
# - `rmsprop_step(theta, g, s, rate, beta, eps)` returns `theta, s`.
#
# A small example: $\theta = 1$, $\alpha = 0.1$, $\beta = 0.75$ and no $\varepsilon$: the gradient 2 gives $s = 1$ and
# $\theta = 0.8$.

# %% student="rmsprop"
def rmsprop_step(theta, g, s, rate, beta, eps):
    """The new parameters and the new average of squares."""
    ### BEGIN SOLUTION
    s = beta * s + (1 - beta) * g**2
    return theta - rate * g / (np.sqrt(s) + eps), s
    ### END SOLUTION

# %% selfcheck="rmsprop"
# With a gradient that is always c, the average of squares comes to rest at c squared, and the step at the rate itself.
def selfcheck_rmsprop():
    lines = []
    for c in (3.0, 1e-5):
        theta, s = np.zeros(2), np.zeros(2)
        for _ in range(80):
            before, (theta, s) = theta.copy(), rmsprop_step(theta, np.full(2, c), s, 0.1, 0.5, 1e-12)
        right = np.allclose(s, c**2, atol=0) and np.allclose(theta - before, -0.1)
        says = f"s is {np.ravel(s)[0]:.4g}, should be {c**2:.4g}; last step {np.ravel(theta - before)[0]:.4g}, "
        lines.append(Line(f"gradient {c:g}", "ok" if right else "WRONG", says + "should be -0.1"))
    return finish(Report("Eighty steps with one gradient, beta 0.5 and rate 0.1.", tuple(lines)))


check_yourself(selfcheck_rmsprop)

# %% question="rmsprop_five"
# rmsprop_step: the average of squares {s} and the parameters {theta} after each of five steps.

# %% [markdown] text="part_c"
# ## (c) Adam
#
# Momentum above, RMSprop below, both as averages:
#
# $$m \leftarrow \beta_1 m + (1 - \beta_1)\, g \qquad s \leftarrow \beta_2 s + (1 - \beta_2)\, g^2 \qquad
#   \hat m = \frac{m}{1 - \beta_1^t} \qquad \hat s = \frac{s}{1 - \beta_2^t} \qquad
#   \theta \leftarrow \theta - \alpha\, \frac{\hat m}{\sqrt{\hat s} + \varepsilon}$$
#
# Both averages begin at zero, so at first they are too small; $\hat m$ and $\hat s$ correct that. **t counts the steps: it is 1
# in the first.** What is carried on is $m$ and $s$, *not* $\hat m$ and $\hat s$.
#
# - `adam_step(theta, g, m, s, t, rate, beta1, beta2, eps)` returns `theta, m, s`.
#
# A property to check with: while the gradient stays the same, and is much larger than $\varepsilon$, every step is $\alpha$ in size,
# from the first one on, however large the gradient is.

# %% student="adam"
def adam_step(theta, g, m, s, t, rate, beta1, beta2, eps):
    """The new parameters and the two averages."""
    ### BEGIN SOLUTION
    m = beta1 * m + (1 - beta1) * g
    s = beta2 * s + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    s_hat = s / (1 - beta2**t)
    return theta - rate * m_hat / (np.sqrt(s_hat) + eps), m, s
    ### END SOLUTION

# %% selfcheck="adam"
def selfcheck_adam():
    lines = []
    for c in (3.0, -1e-5):
        theta, m, s = np.zeros(2), np.zeros(2), np.zeros(2)
        moves = []
        for t in range(1, 6):
            before, (theta, m, s) = theta.copy(), adam_step(theta, np.full(2, c), m, s, t, 0.1, 0.9, 0.99, 1e-12)
            moves.append(float(np.ravel(theta - before)[0]))
        right = np.allclose(moves, -0.1 * np.sign(c))
        told = ", ".join(f"{move:.4g}" for move in moves)
        says = f"steps {told}; each should be {-0.1 * np.sign(c):g}"
        lines.append(Line(f"gradient {c:g}", "ok" if right else "WRONG", says))
    return finish(Report("Five steps with one gradient and rate 0.1.", tuple(lines)))


check_yourself(selfcheck_adam)

# %% question="adam_five"
# adam_step: the averages {m, s} and the parameters {theta} after each of five steps.

# %% [markdown] text="part_d"
# ## (d) AdamW
#
# Weight decay pulls parameters towards zero. Added to the gradient, as $g + \lambda \theta$, it would be divided by
# $\sqrt{\hat s}$ like the rest. AdamW leaves the gradient alone, so $m$ and $s$ are those of Adam, and lets the *old* parameters
# decay beside the step:
#
# $$\theta \leftarrow \theta - \alpha\, \frac{\hat m}{\sqrt{\hat s} + \varepsilon} - \alpha \lambda\, \theta .$$
#
# - `adamw_step(theta, g, m, s, t, rate, beta1, beta2, eps, decay)` returns `theta, m, s`; `decay` is $\lambda$.

# %% student="adamw"
def adamw_step(theta, g, m, s, t, rate, beta1, beta2, eps, decay):
    """The new parameters and the two averages."""
    ### BEGIN SOLUTION
    m = beta1 * m + (1 - beta1) * g
    s = beta2 * s + (1 - beta2) * g**2
    step = (m / (1 - beta1**t)) / (np.sqrt(s / (1 - beta2**t)) + eps)
    return theta - rate * step - rate * decay * theta, m, s
    ### END SOLUTION

# %% selfcheck="adamw"
# Without a gradient only the decay is left; and m and s know nothing of it.
def selfcheck_adamw():
    theta, m, s = adamw_step(np.full(2, 4.0), np.zeros(2), np.zeros(2), np.zeros(2), 1, 0.1, 0.9, 0.99, 1e-8, 0.5)
    pulled = adamw_step(np.full(2, 4.0), np.full(2, 3.0), np.zeros(2), np.zeros(2), 1, 0.1, 0.9, 0.99, 1e-8, 0.5)[0]
    told = (
        ("theta", np.allclose(theta, 3.8), f"4 becomes {np.ravel(theta)[0]:.4g}, should be 3.8"),
        ("m and s", not np.any(m) and not np.any(s), "they stay zero when the gradient is zero"),
        ("with a gradient", np.allclose(pulled, 3.7),
         f"with the gradient 3, 4 becomes {np.ravel(pulled)[0]:.4g}, should be 3.7: Adam's step and the decay"),
    )
    lines = tuple(Line(name, "ok" if right else "WRONG", says) for name, right, says in told)
    return finish(Report("One step without a gradient, and one with; rate 0.1 and decay 0.5.", lines))


check_yourself(selfcheck_adamw)

# %% question="adamw_five"
# adamw_step: the averages {m, s} and the parameters {theta} after each of five steps.

# %% [markdown] text="part_e"
# ## (e) The loop
#
# `descend(step, gradient, theta, steps)` makes `steps` steps from `theta`. `step(theta, g, m, s, t)` is one of the above with
# its numbers filled in and returns `theta, m, s`; `gradient(theta)` is the gradient at `theta`. Begin with zeros for `m` and
# `s`, and count `t` from 1. Return the list of all `steps + 1` points, the first one included.

# %% student="descend"
def descend(step, gradient, theta, steps):
    """All points on the way, the first one included."""
    ### BEGIN SOLUTION
    m, s, path = np.zeros_like(theta), np.zeros_like(theta), [theta]
    for t in range(1, steps + 1):
        theta, m, s = step(theta, gradient(theta), m, s, t)
        path.append(theta)
    return path
    ### END SOLUTION

# %% selfcheck="descend"
# A step that only writes down what it gets.
def selfcheck_descend():
    seen = []

    def step(theta, g, m, s, t):
        seen.append((theta.copy(), np.copy(g), np.copy(m), t, np.copy(s)))
        return theta - 0.5 * g, m + 1, s - 1

    path = descend(step, lambda theta: 2 * theta + 1, np.array([3.0, -1.0]), 3)
    if len(seen) != 3 or len(path) != 4:
        says = f"{len(seen)} steps and {len(path)} points, should be 3 and 4"
        return finish(Report("Too many or too few.", (Line("steps", "WRONG", says),)))
    told = (
        ("t", [one[3] for one in seen] == [1, 2, 3], "the steps are counted 1, 2, 3"),
        ("gradient", all(np.allclose(g, 2 * theta + 1) for theta, g, *_ in seen), "each at the point of its step"),
        ("m and s", all(np.allclose(one[2], k) and np.allclose(one[4], -k) for k, one in enumerate(seen)),
         "what a step returns is what the next one gets"),
        ("path", np.allclose(path[:3], [one[0] for one in seen]) and np.allclose(path[3], -0.5),
         "it begins at the start, and ends after the last step"),
    )
    lines = tuple(Line(name, "ok" if right else "WRONG", says) for name, right, says in told)
    return finish(Report("Three steps.", lines))


check_yourself(selfcheck_descend)

# %% question="descend_path"
# descend: all points {path}, with a step of ours.

# %% [markdown] text="race_text"
# ## The race
#
# First a valley, $f(x, y) = (x^2 + 50 y^2) / 2$: steep across, flat along. Then a network with eight hidden units on the
# moons, every optimiser from the same start. Look at where the *first* step of each goes.

# %% show="race"
def ways(rates):
    """Plain descent and four of the five as steps for descend, each with its rate."""
    plain, momentum, nesterov, rmsprop, adam = rates
    return {
        "plain": lambda theta, g, m, s, t: (theta - plain * g, m, s),
        "momentum": lambda theta, g, m, s, t: (*momentum_step(theta, g, m, momentum, 0.9), s),
        "Nesterov": lambda theta, g, m, s, t: (*nesterov_step(theta, g, m, nesterov, 0.9), s),
        "RMSprop": lambda theta, g, m, s, t: (*rmsprop_step(theta, g, m, rmsprop, 0.9, 1e-8), s),
        "Adam": lambda theta, g, m, s, t: adam_step(theta, g, m, s, t, adam, 0.9, 0.999, 1e-8),
    }


X_train, Y_train, X_test, Y_test = load_moons()
net = SimpleNeuralNetwork(2, 8, 1, rng=1, weight_scale=1.0)
names = ("W1", "b1", "W2", "b2")


def put(theta):
    """The parameters, in one long array, into the network, and a forward pass."""
    at = 0
    for name in names:
        old = getattr(net, name)
        setattr(net, name, theta[at : at + old.size].reshape(old.shape))
        at += old.size
    net.forward_pass(X_train)


def moons_gradient(theta):
    """The gradient of the moons' loss, in one long array."""
    put(theta)
    net.backward_pass(X_train, Y_train)
    return np.concatenate([getattr(net, f"d{name}").ravel() for name in names])


def moons_loss(theta):
    put(theta)
    return net.compute_loss(Y_train)


begin = np.concatenate([getattr(net, name).ravel() for name in names])
fig, axes = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
x, y = np.meshgrid(np.linspace(-4.5, 2, 80), np.linspace(-1.2, 1.4, 80))
axes[0].contour(x, y, (x**2 + 50 * y**2) / 2, levels=np.geomspace(0.1, 60, 9), colors="0.8", linewidths=0.8)
colours, styles = ("0.4", "#0072B2", "#56B4E9", "#009E73", "#D55E00"), (":", "-", "--", "-.", "-")
for (name, way), colour, style in zip(ways((0.03, 0.02, 0.02, 0.1, 0.1)).items(), colours, styles):
    path = np.array(descend(way, lambda at: at * [1, 50], np.array([-4.0, 1.0]), 60))
    axes[0].plot(path[:, 0], path[:, 1], style, color=colour, marker=".", markersize=3, linewidth=1, label=name)
for (name, way), colour, style in zip(ways((1.0, 0.5, 0.5, 0.03, 0.1)).items(), colours, styles):
    losses = [moons_loss(theta) for theta in descend(way, moons_gradient, begin, 300)]
    axes[1].plot(losses, style, color=colour, label=f"{name}: {losses[-1]:.3f}")
axes[0].set(title="A valley, 60 steps", xlabel="x", ylabel="y", xlim=(-4.5, 2), ylim=(-1.2, 1.4))
axes[1].set(title="The moons, loss after each step", xlabel="step", ylabel="loss", yscale="log")
for ax in axes:
    ax.legend()
show(
    "Left: the ways of five optimisers down a narrow valley. Right: their losses on the moons over 300 steps, on a "
    "logarithmic axis; the legend tells the last loss of each."
)

# %% [markdown] written="optimiser_words"
# ### (f) Why
#
# In the cell below, in about six sentences:
#
# 1. The first step of Adam in the valley goes down at 45 degrees, though the gradient points almost straight across. Why?
# 2. With $\beta_1 = 0.9$ and $\beta_2 = 0.999$, how many times as large would the first step be without the correction of
#    $m$ and $s$? Why is that number larger than 1, though both averages are too small?
# 3. Two parameters are equally large, and one has gradients ten times as large. Which of them decays less when the decay is
#    added to the gradient of Adam, and what does AdamW do instead?
#
# === BEGIN MARK SCHEME ===
#
# - 1 point: each coordinate is divided by its own size, |g|; in the first step what is left is the sign, so both move by
#   alpha.
# - 2 points: 0.1 / sqrt(0.001) = 3.16 times (one point); s is too small by 1000, but its root stands below the line and m is
#   too small only by 10 (one point).
# - 1 point: the one with the large gradients: its decay is divided by sqrt(s) along with them. AdamW lets both decay by the
#   same share, alpha lambda.
#
# === END MARK SCHEME ===
