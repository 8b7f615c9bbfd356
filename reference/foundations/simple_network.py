# %% [markdown] text="title"
# This is the network that the rest of the course builds on. Its forward pass, its loss and its training loop are given.
# What makes it learn is missing: you write the backward pass and the update. Then you train it on the moons, look at the
# loss curve and at the decision boundary, and explain what you see.
#
# With n inputs, h hidden units, o outputs and m examples:
#
# | what | shape | meaning |
# |---|---|---|
# | `X` | (n, m) | inputs, one **column** per example |
# | `Y` | (o, m) | targets, 0 or 1 |
# | `W1`, `b1` | (h, n), (h, 1) | hidden layer |
# | `W2`, `b2` | (o, h), (o, 1) | output layer |
# | `Z1`, `A1` | (h, m) | hidden pre-activations and activations |
# | `Z2`, `A2` | (o, m) | output pre-activations and activations |
# | `dW1`, `db1`, `dW2`, `db2` | as `W1`, `b1`, `W2`, `b2` | gradients of the loss |

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
from backprop import (
    BLUE,
    ORANGE,
    accuracy,
    load_moons,
    plot_decision_boundary,
    plot_losses,
    progress,
    show,
    sigmoid,
)
from selfcheck import check_gradients, check_training, check_training_report, check_update, check_yourself

# %% [markdown] text="given_text"
# ## What is given
#
# Both layers use the sigmoid:
#
# $$Z_1 = W_1 X + b_1 \qquad A_1 = \sigma(Z_1) \qquad Z_2 = W_2 A_1 + b_2 \qquad A_2 = \sigma(Z_2)$$
#
# The loss is the **mean over the m examples** of $-\big(y \log a + (1 - y) \log(1 - a)\big)$, summed over the outputs.
# Read the class: `backward_pass` and `update_parameters`, which `train` calls, are not there yet.

# %% given="given"
class GivenNetwork:
    """One hidden sigmoid layer and a sigmoid output, without the two methods that learn."""

    def __init__(self, input_size, hidden_size, output_size, *, rng=None, weight_scale=0.01):
        """Weights from N(0, 1) * weight_scale, biases zero. The same seed `rng` gives the same weights."""
        rng = np.random.default_rng(rng)
        self.W1 = weight_scale * rng.standard_normal((hidden_size, input_size))
        self.b1 = np.zeros((hidden_size, 1))
        self.W2 = weight_scale * rng.standard_normal((output_size, hidden_size))
        self.b2 = np.zeros((output_size, 1))

    def forward_pass(self, X):
        """Store Z1, A1, Z2, A2 and return A2: the probability of class 1 for every example."""
        self.Z1 = self.W1 @ X + self.b1
        self.A1 = sigmoid(self.Z1)
        self.Z2 = self.W2 @ self.A1 + self.b2
        self.A2 = sigmoid(self.Z2)
        return self.A2

    def compute_loss(self, Y):
        """The loss of the last forward pass. log(1 + e^z) is written so that it cannot overflow."""
        per_output = Y * np.logaddexp(0, -self.Z2) + (1 - Y) * np.logaddexp(0, self.Z2)
        return float(per_output.sum() / Y.shape[1])

    def train(self, X, Y, epochs, learning_rate):
        """Gradient descent on all examples at once; returns the loss of every epoch, taken before its update."""
        losses = []
        for _ in progress(epochs):
            self.forward_pass(X)
            losses.append(self.compute_loss(Y))
            self.backward_pass(X, Y)
            self.update_parameters(learning_rate)
        return losses

    def predict(self, X):
        """The predicted labels: 1 where the output is above one half, else 0."""
        return (self.forward_pass(X) > 0.5).astype(int)

# %% show="picture"
# The way forward (blue) and the way back (orange) as a picture: run this cell to see it.
stations = ["X", "Z1", "A1", "Z2", "A2", "loss"]
forward = ["W1, b1", "sigmoid", "W2, b2", "sigmoid", "Y"]
back = ["", "dZ1", "dA1", "dZ2", "dA2"]
fig, ax = plt.subplots(figsize=(9.5, 2.8), layout="constrained")
for i, name in enumerate(stations):
    ax.text(
        2 * i,
        0,
        name,
        ha="center",
        va="center",
        fontsize=12,
        bbox={"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": "0.4"},
    )
for i, name in enumerate(forward):
    ax.annotate("", (2 * i + 1.55, 0.1), (2 * i + 0.45, 0.1), arrowprops={"arrowstyle": "->", "color": BLUE, "lw": 1.8})
    ax.text(2 * i + 1, 0.28, name, ha="center", color=BLUE)
for i, name in enumerate(back):
    if name:
        ax.annotate(
            "",
            (2 * i + 0.45, -0.12),
            (2 * i + 1.55, -0.12),
            arrowprops={"arrowstyle": "->", "color": ORANGE, "lw": 1.8},
        )
        ax.text(2 * i, -0.5, name, ha="center", va="center", color=ORANGE)
for i, name in ((1, "dW1, db1"), (3, "dW2, db2")):
    ax.annotate(name, (2 * i, -0.62), (2 * i, -1.15), ha="center", va="center", color=ORANGE,
                arrowprops={"arrowstyle": "<-", "color": ORANGE, "lw": 1.8})
ax.set(xlim=(-0.7, 10.7), ylim=(-1.35, 0.6))
ax.axis("off")
show(
    "A chain of boxes X, Z1, A1, Z2, A2, loss. Blue arrows lead forward, orange arrows back from A2 to Z1; "
    "dW2, db2 branch off at Z2 and dW1, db1 at Z1."
)

# %% [markdown] text="task"
# In words: forward, X becomes Z1, A1, Z2, A2 and at last the loss. Back, the derivative of the loss is carried from A2
# to Z2, to A1 and to Z1. At Z2 it gives the gradients dW2 and db2 on the side, at Z1 it gives dW1 and db1.
#
# ## What you write
#
# - `backward_pass(X, Y)` computes and stores `self.dW1`, `self.db1`, `self.dW2`, `self.db2`: the gradients of the loss
#   above, mean over the examples included, each **in the shape of its parameter**. It is called after `forward_pass(X)`
#   and uses what that has stored. It changes no parameter.
# - `update_parameters(learning_rate)` makes one step of gradient descent with the stored gradients, for all four
#   parameters: $\theta \leftarrow \theta - \alpha\, d\theta$, where $\alpha$ is `learning_rate`.
#
# Two lines for the output, with $\ell = -\big(y \log a + (1 - y) \log(1 - a)\big)$ for the loss of one example:
#
# $$\frac{\partial \ell}{\partial a} = -\frac{y}{a} + \frac{1 - y}{1 - a} = \frac{a - y}{a\,(1 - a)}$$
#
# $$\frac{\partial a}{\partial z} = \sigma'(z) = \sigma(z)\,(1 - \sigma(z)) = a\,(1 - a)$$
#
# What you need at `Z2` is their product, and it is very short.
#
# <details><summary>A hint, if you want one: the product</summary>
#
# The denominator of the first line is the second line: $\dfrac{\partial \ell}{\partial z} = a - y$. No derivative of the
# sigmoid is left over at the output. In the hidden layer nothing cancels: there you need it. The loss is a **mean** over the
# examples, so a factor $1/m$ comes on top.
#
# </details>
#
# A small example to check by hand: one input, one hidden unit, one output, one example. With $x = 2$, $W_1 = 1$,
# $b_1 = -2$, $W_2 = 2$, $b_2 = -1$ and $y = 1$ both pre-activations are 0 and both activations 0.5. The gradients are
# $dW_2 = -0.25$, $db_2 = -0.5$, $dW_1 = -0.5$ and $db_1 = -0.25$.

# %% student="network"
class SimpleNeuralNetwork(GivenNetwork):
    """The network, complete."""

    def backward_pass(self, X, Y):
        ### BEGIN SOLUTION
        m = X.shape[1]
        dZ2 = (self.A2 - Y) / m
        self.dW2 = dZ2 @ self.A1.T
        self.db2 = np.sum(dZ2, axis=1, keepdims=True)
        dZ1 = (self.W2.T @ dZ2) * self.A1 * (1 - self.A1)
        self.dW1 = dZ1 @ X.T
        self.db1 = np.sum(dZ1, axis=1, keepdims=True)
        ### END SOLUTION

    def update_parameters(self, learning_rate):
        ### BEGIN SOLUTION
        self.W1 = self.W1 - learning_rate * self.dW1
        self.b1 = self.b1 - learning_rate * self.db1
        self.W2 = self.W2 - learning_rate * self.dW2
        self.b2 = self.b2 - learning_rate * self.db2
        ### END SOLUTION

# %% [markdown] text="check_text"
# ### Check yourself
#
# The first cell compares your gradients with central differences of the loss: each parameter is moved a little up and a
# little down. The second one looks whether your update is a step with your own gradients. They hold no answers, and
# more is checked after you hand in.

# %% selfcheck="gradients"
def selfcheck_gradients():
    rng = np.random.default_rng(0)
    network = SimpleNeuralNetwork(3, 5, 7, rng=rng, weight_scale=1.0)
    return check_gradients(network, X=rng.normal(size=(3, 11)), Y=rng.integers(0, 2, size=(7, 11)))


check_yourself(selfcheck_gradients)

# %% selfcheck="update"
def selfcheck_update():
    rng = np.random.default_rng(0)
    network = SimpleNeuralNetwork(3, 5, 7, rng=rng, weight_scale=1.0)
    return check_update(network, X=rng.normal(size=(3, 11)), Y=rng.integers(0, 2, size=(7, 11)))


check_yourself(selfcheck_update)

# %% selfcheck="training"
# Does the loss go down when both methods work together?
def selfcheck_training():
    X_train, Y_train, _, _ = load_moons()
    network = SimpleNeuralNetwork(2, 4, 1, rng=1, weight_scale=1.0)
    return check_training(network.train(X_train, Y_train, epochs=200, learning_rate=0.5), epochs=200)


check_yourself(selfcheck_training)

# %% question="output_gradients"
# dW2 {dW2} and db2 {db2}.

# %% question="hidden_gradients"
# dW1 {dW1} and db1 {db1}.

# %% question="update_step"
# W1 {W1_new}, b1, W2 and b2 {b1_new, W2_new, b2_new} after an update with given gradients.

# %% [markdown] text="moons_text"
# ## Training on the moons
#
# `load_moons()` returns `X_train, Y_train, X_test, Y_test`: 140 points for training and 60 for testing, two inputs each.
#
# Write a function that makes a network with 4 hidden units from a class and a seed, trains it on the training set, and
# returns three numbers: the final loss (the last entry of what `train` returns), the accuracy on the training set and
# the accuracy on the test set, both between 0 and 1. Make the network with `network_class(2, 4, 1, rng=seed)`, so that
# the same seed gives the same weights. `accuracy(predicted_labels, Y)` is imported; a class such as yours has `predict`.

# %% student="train_on_moons"
def train_on_moons(network_class, epochs, learning_rate, seed):
    """Final loss, training accuracy and test accuracy of a new network of this class."""
    ### BEGIN SOLUTION
    X_train, Y_train, X_test, Y_test = load_moons()
    network = network_class(2, 4, 1, rng=seed)
    losses = network.train(X_train, Y_train, epochs, learning_rate)
    on_train = accuracy(network.predict(X_train), Y_train)
    on_test = accuracy(network.predict(X_test), Y_test)
    return losses[-1], on_train, on_test
    ### END SOLUTION

# %% selfcheck="moons"
# Your function is called with a class of ours, whose training changes nothing and whose predictions are known.
def selfcheck_moons():
    return check_training_report(train_on_moons, load_moons())


check_yourself(selfcheck_moons)

# %% question="training_report"
# the three numbers that train_on_moons returns, for a few epochs and seeds.

# %% [markdown] text="compare_text"
# ## Two trainings of the same network
#
# The next cell trains your network twice for 10,000 epochs (about a second each): first with small weights (scale 0.01)
# and the learning rate 0.1, then with weights of scale 1 and the learning rate 1. It prints a table and draws the loss
# curves on a logarithmic axis and both decision boundaries. The 0.01 is the default of the class above, as in many textbooks,
# and it is a trap: the table shows what it costs.

# %% show="compare"
X_train, Y_train, X_test, Y_test = load_moons()
fig, axes = plt.subplots(1, 3, figsize=(13, 3.9), layout="constrained")
curves = {}
print(f"{'':20} {'first loss':>10} {'epoch 500':>10} {'final loss':>10} {'training':>9} {'test':>7}")
for ax, (scale, rate) in zip(axes, ((0.01, 0.1), (1, 1))):
    name = f"scale {scale}, rate {rate}"
    network = SimpleNeuralNetwork(2, 4, 1, rng=1, weight_scale=scale)
    losses = curves[name] = network.train(X_train, Y_train, epochs=10_000, learning_rate=rate)
    on_train = accuracy(network.predict(X_train), Y_train)
    on_test = accuracy(network.predict(X_test), Y_test)
    print(f"{name:20} {losses[0]:10.3f} {losses[500]:10.3f} {losses[-1]:10.3f} {on_train:9.1%} {on_test:7.1%}")
    plot_decision_boundary(network, X_train, Y_train, ax=ax, title=f"{name}: {on_train:.1%} of the training set")
plot_losses(curves, ax=axes[2], log=True)
show(
    "Three plots: the decision boundary after each of the two trainings, and both loss curves against the "
    "epoch on a logarithmic axis."
)

# %% [markdown] text="start_text"
# ## Where it starts
#
# With small weights the loss hardly moves during the first few hundred epochs. `start_loss`: which value does it start from?
# Give three significant figures, or a formula.

# %% student="start"
# Fill in:  start_loss = ...
### BEGIN SOLUTION
start_loss = np.log(2)
### END SOLUTION

# %% question="loss_at_the_start"
# start_loss.

# %% [markdown] written="two_trainings"
# ### What the loss and the boundary show
#
# In the cell below, write about eight sentences.
#
# 1. Give the numbers of your table and describe both boundaries.
# 2. Where does the number come from that the loss starts from? Why does it hardly move at first: which factor in your `dW1` is
#    tiny at the start?
# 3. The first network has 4 hidden units and still draws almost a straight line. Why is that, and what does the second
#    training change?
#
# === BEGIN MARK SCHEME ===
#
# - 1 point: the numbers (about: small weights, final loss 0.32, 83 % of the training set, 83 % of the test set; scale 1,
#   final loss 0.05, 97 % and 97 %; the last digits depend on the platform).
# - 1 point: the shapes: almost a straight line against a curve that follows both moons.
# - 1 point: the start and the plateau. Every output is close to 1/2, so that each example costs -log(1/2) (half a point); the
#   hidden error carries the factor W2, about 0.01, and the derivative of the sigmoid, at most 1/4: dW1 is tiny until W2 has
#   grown (half a point).
# - 1 point: the line. Near zero the sigmoid is almost a straight line, and units that start almost equal get almost
#   equal gradients; a weighted sum of almost equal, almost linear units is cut by an almost straight line.
# - 1 point: the change. Larger weights make the units different and use the bent part of the sigmoid; the larger
#   learning rate walks further in the same number of epochs. A conclusion that is limited to these settings.
#
# === END MARK SCHEME ===
