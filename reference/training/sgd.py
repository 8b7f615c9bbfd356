# %% [markdown] text="title"
# The baseline looks at *all* examples before it makes one step. Stochastic gradient descent (SGD) makes a step after
# *every single example*. You write it, watch its loss curve beside the one of batch training, and put a number on what
# everybody says about it: that it is noisier.
#
# | what | shape | meaning |
# |---|---|---|
# | `X`, `Y` | (n, m), (o, m) | inputs and targets (0 or 1), one **column** per example |
# | `W1`, `b1`, `W2`, `b2` | (h, n), (h, 1), (o, h), (o, 1) | parameters of the network |
# | `order` | k numbers | which columns have their turn, and when; the first column is number 0 |
#
# The network is the baseline with its own loss: the mean over the m examples of
# $-\big(y \log a + (1 - y) \log(1 - a)\big)$, summed over the outputs. You do not have to change the network.

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
from backprop import accuracy, load_moons, plot_losses, show
from selfcheck import Report, check_steps, check_training, check_values, check_yourself, watch_steps
from simple_network import SimpleNeuralNetwork

# %% [markdown] text="task"
# ## One epoch in a given order
#
# Write `train_epoch(network, X, Y, learning_rate, order)`. For each column number in `order`, one after another, it
#
# 1. takes this one example, as a column: inputs of shape (n, 1) and targets of shape (o, 1);
# 2. makes a forward pass and a backward pass with this example **alone**, so the gradient is that of the loss of this
#    one example (a mean over one example: nothing is divided by m);
# 3. updates all parameters with the learning rate.
#
# The next example then sees the parameters that this one has moved. The order may be any list of column numbers: a
# shuffled list of all, or only a few of them. Nothing has to be returned; `network` is changed.
#
# Work through the methods of the network: `network.forward_pass(...)`, `network.backward_pass(...)` and
# `network.update_parameters(learning_rate)`. When your work is marked, the network that is handed in keeps a record of
# what `backward_pass` is called with.
#
# A small example: with three examples and `order = [2, 0]` there are two steps. The first uses column 2 of `X` and of
# `Y`, the second column 0; column 1 has no turn. (A hint about shapes: `X[:, 2]` has lost an axis, `X[:, [2]]` has not.)

# %% student="train_epoch"
def train_epoch(network, X, Y, learning_rate, order):
    """One step of gradient descent for each column number in order."""
    ### BEGIN SOLUTION
    for k in order:
        network.forward_pass(X[:, [k]])
        network.backward_pass(X[:, [k]], Y[:, [k]])
        network.update_parameters(learning_rate)
    ### END SOLUTION

# %% [markdown] text="check_text"
# ### Check yourself
#
# The next cell lets `train_epoch` work in an order of three entries and looks at each step: which columns of `X` and of
# `Y` the network was given, whether a forward pass came before, and whether the parameters were updated after it.

# %% selfcheck="epoch"
def selfcheck_epoch():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(3, 11)), rng.integers(0, 2, size=(7, 11)) + rng.normal(0, 0.01, size=(7, 11))
    network = SimpleNeuralNetwork(3, 5, 7, rng=8, weight_scale=1.0)
    order, steps = [3, 0, 8], watch_steps(network, X, Y)
    train_epoch(network, X, Y, 0.5, order)
    return check_steps(steps, order, 0.5)


check_yourself(selfcheck_epoch)

# %% question="given_order"
# the parameters after one step {one} and after a whole order {many}.

# %% [markdown] text="sgd_text"
# ## Many epochs, each in a fresh random order
#
# Write `train_sgd(network, X, Y, epochs, learning_rate)`. In every epoch it
#
# 1. computes the loss over **all** m examples and appends it to a list. This is done *before* the steps of the epoch,
#    as in the baseline, so that the first number belongs to the initial parameters and two curves of the same network
#    start at the same point;
# 2. draws a **new random order** of all m examples: every example has its turn exactly once;
# 3. calls your `train_epoch` with this order.
#
# It returns the list of losses, one per epoch. Any random generator is fine, seeded or not, as long as the order of each
# epoch is new.

# %% student="train_sgd"
def train_sgd(network, X, Y, epochs, learning_rate):
    """Stochastic gradient descent; returns the loss over all examples before each epoch."""
    ### BEGIN SOLUTION
    rng = np.random.default_rng()
    losses = []
    for _ in range(epochs):
        _ = network.forward_pass(X)  # compute_loss belongs to the last forward pass
        losses.append(network.compute_loss(Y))
        train_epoch(network, X, Y, learning_rate, rng.permutation(X.shape[1]))
    return losses
    ### END SOLUTION

# %% selfcheck="sgd"
def selfcheck_sgd():
    X, Y, _, _ = load_moons()
    Y = Y + 1e-6 * np.arange(Y.shape[1])  # now every column of Y can be told from the others
    network = SimpleNeuralNetwork(2, 4, 1, rng=2, weight_scale=1.0)
    network.forward_pass(X)
    first = network.compute_loss(Y)
    steps = watch_steps(network, X, Y)
    losses = train_sgd(network, X, Y, 10, 0.1)
    turns = check_steps(steps, None, 0.1)
    report = check_training(losses, epochs=10)
    columns = [step[1][0] for step in steps if step[0] == "backward"]
    m = X.shape[1]
    assert len(columns) == 10 * m, f"10 epochs of {m} examples are {10 * m} steps; there were {len(columns)}."
    orders = [columns[k * m : (k + 1) * m] for k in range(10)]
    for k, order in enumerate(orders):
        assert len(set(order)) == m, f"Epoch {k}: {m - len(set(order))} examples had no turn, others had more than one."
    assert len({tuple(order) for order in orders}) == 10, "Every epoch needs a new order: two of yours are equal."
    start = float(np.ravel(losses)[0])
    assert np.isclose(start, first, rtol=1e-4), (
        f"Your first loss is {start:.6g}, but at the initial parameters the loss over all examples is {first:.6g}. "
        "Is it taken before the steps of the epoch, right after a forward pass with the whole of X?"
    )
    return Report(report.title, (*turns.lines, *report.lines))


check_yourself(selfcheck_sgd)

# %% question="random_order"
# every example once in every epoch {each_once}, in a new order each time {fresh}.

# %% question="loss_curve"
# the losses that train_sgd returns, given your own parameters at the start of each epoch.

# %% [markdown] text="noise_text"
# ## Two numbers for "noisier"
#
# Let $l_0, l_1, \dots, l_{n-1}$ be the losses of a curve ($n \ge 3$). Write two functions that take the list of losses and
# return one number each:
#
# - `rises(losses)`: the share of the $n - 1$ changes $l_{t+1} - l_t$ that go **up** (are larger than zero): a number
#   from 0 to 1. Two equal losses in a row are no rise.
# - `roughness(losses)`: how far a loss lies from the middle of its two neighbours, as a root of the mean of squares
#   over the $n - 2$ losses that have two neighbours:
#
# $$\text{roughness} = \sqrt{\frac{1}{n-2} \sum_{t=1}^{n-2} \Big( l_t - \frac{l_{t-1} + l_{t+1}}{2} \Big)^2}$$
#
# A straight line has roughness 0, however steep it is. A small example: the curve $1,\ 3,\ 2,\ 2$ has 3 changes
# ($+2, -1, 0$), so one third of them are rises. Its two inner losses lie $3 - 1.5 = 1.5$ above and
# $2 - 2.5 = -0.5$ below the middle of their neighbours, so the roughness is $\sqrt{(2.25 + 0.25)/2} = \sqrt{1.25}
# \approx 1.118$.

# %% student="noise"
def rises(losses):
    """The share of changes that go up."""
    ### BEGIN SOLUTION
    return np.mean(np.diff(losses) > 0)
    ### END SOLUTION


def roughness(losses):
    """Root mean square distance of a loss from the middle of its neighbours."""
    ### BEGIN SOLUTION
    curve = np.asarray(losses)
    return np.sqrt(np.mean((curve[1:-1] - (curve[:-2] + curve[2:]) / 2) ** 2))
    ### END SOLUTION

# %% selfcheck="noise"
# The small example from the text: about 0.3333 and 1.118.
def selfcheck_noise():
    answers = {"rises": rises([1, 3, 2, 2]), "roughness": roughness([1, 3, 2, 2])}
    return check_values(
        answers, {"rises": (), "roughness": ()}, ranges={"rises": (0.33, 0.34), "roughness": (1.11, 1.12)}
    )


check_yourself(selfcheck_noise)

# %% question="noise_numbers"
# rises {rises} and roughness {roughness} of several curves.

# %% [markdown] text="show_text"
# ## Side by side
#
# Run the next cell. The same network (4 hidden units, the same initial weights) is trained on the moons for 100 epochs:
# in batch with a learning rate of 1, and by SGD with learning rates of 0.03, 0.1 and 0.2. One epoch means the same in all of
# them: every example was used once. In batch that is one step, in SGD it is 140 steps. It takes about ten seconds.
#
# The picture in words: the batch curve falls smoothly to about 0.34. All SGD curves are there much sooner. The one with
# the smallest learning rate then stays there and trembles a little; the other two go on to much lower losses, with
# spikes that are higher the larger the learning rate is.

# %% show="compare"
X_train, Y_train, X_test, Y_test = load_moons()
curves = {}
print(f"{'':24} {'first loss':>10} {'last loss':>10} {'rises':>7} {'roughness':>10} {'test':>7}")
for name, learning_rate in (("batch", 1.0), ("SGD", 0.03), ("SGD", 0.1), ("SGD", 0.2)):
    label = f"{name}, learning rate {learning_rate:g}"
    network = SimpleNeuralNetwork(2, 4, 1, rng=2, weight_scale=1.0)
    train = network.train if name == "batch" else lambda *rest, network=network: train_sgd(network, *rest)
    curves[label] = train(X_train, Y_train, 100, learning_rate)
    on_test = accuracy(network.predict(X_test), Y_test)
    first, last = curves[label][0], curves[label][-1]
    print(
        f"{label:24} {first:10.3f} {last:10.3f} {rises(curves[label]):7.1%} {roughness(curves[label]):10.5f} "
        f"{on_test:7.1%}"
    )
fig, ax = plt.subplots(figsize=(9, 4.2), layout="constrained")
plot_losses(curves, ax=ax, title="Loss over all training examples")
show(
    "Loss over all training examples against the epoch: one batch curve and three SGD curves; described in "
    "the text above."
)

# %% [markdown] text="numbers_text"
# ## What the table says
#
# - `steps`: how many steps (updates of the parameters) did each kind of curve take in 100 epochs? A list of two whole numbers:
#   batch, then SGD.
# - `batch_noise`: `rises` (as a number from 0 to 1) and `roughness` of the batch curve, from your table. Two significant
#   figures, as the table prints the roughness, are enough.

# %% student="numbers"
# Fill in:  steps = [..., ...]     batch_noise = [..., ...]
### BEGIN SOLUTION
steps = [100, 100 * 140]
batch_noise = [0.0, 0.00054]
### END SOLUTION

# %% question="table_numbers"
# steps and batch_noise {each}.

# %% [markdown] written="comparison"
# ### Batch and stochastic side by side
#
# In the cell below, write about six sentences.
#
# 1. What do `rises` and `roughness` tell, if you compare the batch curve with one SGD curve? Why does the loss over all
#    examples sometimes rise in SGD, although every step goes down the gradient?
# 2. What does the learning rate do to the noise, and why? Use your three SGD curves.
# 3. Which curve has the lower loss after 100 epochs? Is that a fair comparison? Think of the number of steps and of the
#    time that they take.
#
# === BEGIN MARK SCHEME ===
#
# - 1 point: a step goes down the loss of *one* example; its gradient is the full one only on average, and a step that
#   suits one example may raise the loss of the others: no rises in batch, 30 to 45 % of the epochs of SGD with 0.2 (whose
#   roughness is between 0.01 and 0.03).
# - 1 point: the noise grows with the learning rate (roughness about 0.0015, 0.009 and 0.018): the step that a single
#   example causes is learning rate times its gradient. The noise does not die out while the learning rate stays.
# - 1 point: SGD with 0.1 or 0.2 is lower (about 0.12 and 0.06 to 0.13 against 0.34; with 0.03 it is at 0.32), and judged: per
#   epoch SGD makes 140 steps, batch one, so per epoch it is far ahead, per step it is not obviously; in time the 140 small
#   steps cost much more than one large one, since numpy handles all columns at once.
#
# === END MARK SCHEME ===
