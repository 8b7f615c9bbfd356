# %% [markdown] text="title"
# The baseline network of this course uses the sigmoid in its hidden layer. Here you replace it by tanh, change the
# backward pass accordingly, and see on the moons what difference it makes.
#
# | what | shape | meaning |
# |---|---|---|
# | `X` | (n, m) | inputs, one **column** per example |
# | `Y` | (o, m) | targets, 0 or 1 |
# | `W1`, `b1` | (h, n), (h, 1) | hidden layer |
# | `W2`, `b2` | (o, h), (o, 1) | output layer |
# | `Z1`, `A1` | (h, m) | hidden pre-activations and activations |
# | `Z2`, `A2` | (o, m) | output pre-activations and activations |
#
# The loss is the mean over the m examples of $-\big(y \log a + (1 - y) \log(1 - a)\big)$, summed over the outputs, and
# the output layer keeps its sigmoid.

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
from backprop import accuracy, load_moons, plot_decision_boundary, plot_losses, show
from selfcheck import check_gradients, check_training_report, check_yourself
from simple_network import SimpleNeuralNetwork

# %% [markdown] text="task"
# ## The network
#
# Write `TanhNetwork`, a `SimpleNeuralNetwork` with its own `forward_pass` and `backward_pass`:
#
# - `forward_pass(X)` computes `self.Z1`, `self.A1` (with tanh), `self.Z2`, `self.A2` (with the sigmoid) and returns
#   `self.A2`;
# - `backward_pass(X, Y)` computes `self.dW1`, `self.db1`, `self.dW2`, `self.db2`: the gradients of the mean loss, each
#   in the shape of its parameter, for the outputs of the last `forward_pass`. It does not change the parameters.
#
# What you need to know about tanh: $\tanh'(z) = 1 - \tanh^2(z)$. It has its steepest slope, 1, at zero; the sigmoid's
# steepest slope is 1/4.
#
# A small example of the forward pass: for $W_1 = (1\ \ 2)$, $b_1 = -1$ and $x = (3, -1)$ the pre-activation is
# $z_1 = 3 - 2 - 1 = 0$ and the activation $a_1 = \tanh 0 = 0$, where a sigmoid unit would give 0.5.

# %% student="network"
class TanhNetwork(SimpleNeuralNetwork):
    """One hidden tanh layer, a sigmoid output, mean binary cross-entropy."""

    def forward_pass(self, X):
        ### BEGIN SOLUTION
        self.Z1 = self.W1 @ X + self.b1
        self.A1 = np.tanh(self.Z1)
        self.Z2 = self.W2 @ self.A1 + self.b2
        self.A2 = 1 / (1 + np.exp(-self.Z2))
        return self.A2
        ### END SOLUTION

    def backward_pass(self, X, Y):
        ### BEGIN SOLUTION
        m = X.shape[1]
        dZ2 = self.A2 - Y
        self.dW2 = dZ2 @ self.A1.T / m
        self.db2 = np.sum(dZ2, axis=1, keepdims=True) / m
        dZ1 = (self.W2.T @ dZ2) * (1 - self.A1**2)
        self.dW1 = dZ1 @ X.T / m
        self.db1 = np.sum(dZ1, axis=1, keepdims=True) / m
        ### END SOLUTION

# %% [markdown] text="check_text"
# ### Check yourself
#
# The next cell compares your gradients with central differences of your own loss: each parameter is moved a little up
# and a little down, and the loss says how steep it is. It holds no answers, and more is checked after you hand in.

# %% selfcheck="network"
def selfcheck_network():
    rng = np.random.default_rng(0)
    network = TanhNetwork(3, 5, 7, rng=rng, weight_scale=1.0)
    return check_gradients(network, X=rng.normal(size=(3, 11)), Y=rng.integers(0, 2, size=(7, 11)))


check_yourself(selfcheck_network)

# %% question="forward_tanh"
# Z1, A1, Z2, A2 and the returned value {each}.

# %% question="output_gradients"
# dW2 {dW2} and db2 {db2}, given your own activations.

# %% question="hidden_gradients"
# dW1 {dW1} and db1 {db1}, given your own activations.

# %% [markdown] text="moons_text"
# ## Training on the moons
#
# Write a function that makes a network with 4 hidden units from a class and a seed, trains it on the training set of
# the moons, and returns three numbers: the final loss (the last entry of what `train` returns), the accuracy on the
# training set and the accuracy on the test set (each a share between 0 and 1). Make the network with
# `network_class(2, 4, 1, rng=seed)`, so that the same seed gives the same weights.

# %% student="train_on_moons"
def train_on_moons(network_class, epochs, learning_rate, seed):
    """Final loss, training accuracy and test accuracy of a new network of this class."""
    ### BEGIN SOLUTION
    X_train, Y_train, X_test, Y_test = load_moons()
    network = network_class(2, 4, 1, rng=seed)
    losses = network.train(X_train, Y_train, epochs, learning_rate)
    return (
        losses[-1],
        accuracy(network.predict(X_train), Y_train),
        accuracy(network.predict(X_test), Y_test),
    )
    ### END SOLUTION

# %% selfcheck="moons"
# Your function is called with a class of ours, whose training changes nothing and whose predictions are known.
def selfcheck_moons():
    return check_training_report(train_on_moons, load_moons())


check_yourself(selfcheck_moons)

# %% question="training_report"
# the three numbers that train_on_moons returns, for a few epochs and seeds.

# %% [markdown] text="compare_text"
# ## Sigmoid and tanh side by side
#
# Run the next cell: it trains the baseline and your network with the same seed for 10,000 epochs at a learning rate
# of 0.1, prints a table and draws both decision boundaries.

# %% show="compare"
X_train, Y_train, X_test, Y_test = load_moons()
fig, axes = plt.subplots(1, 3, figsize=(13, 3.9), layout="constrained")
curves = {}
print(f"{'hidden layer':14} {'final loss':>10} {'training':>9} {'test':>7}")
for ax, (name, network_class) in zip(axes, {"sigmoid": SimpleNeuralNetwork, "tanh": TanhNetwork}.items()):
    network = network_class(2, 4, 1, rng=1)
    curves[name] = network.train(X_train, Y_train, epochs=10_000, learning_rate=0.1)
    on_train = accuracy(network.predict(X_train), Y_train)
    on_test = accuracy(network.predict(X_test), Y_test)
    print(f"{name:14} {curves[name][-1]:10.3f} {on_train:9.1%} {on_test:7.1%}")
    plot_decision_boundary(network, X_train, Y_train, ax=ax, title=f"{name}: {on_train:.1%} of the training set")
plot_losses(curves, ax=axes[2])
show(
    "Three plots: the decision boundary of the sigmoid network, that of the tanh network, and both loss "
    "curves against the epoch."
)

# %% [markdown] written="comparison"
# ### What changed, with numbers
#
# In the cell below, write about six sentences. Give the numbers of your table. Then explain: what kind of boundary
# does each network draw? The sigmoid network has more than one hidden unit and still draws almost a straight line:
# look at its loss curve and at the size of its initial weights, and say why tanh gets away from there in the same
# number of steps.
#
# === BEGIN MARK SCHEME ===
#
# - 1 point: the numbers of the table, with what they are (about 0.32 and 83 % for the sigmoid, about 0.06 and 97 %
#   for tanh on the training set; the exact ones depend on the platform in the last digits only).
# - 1 point: the shapes are named: almost a straight line against a curve that follows both moons.
# - 2 points: why. With weights of scale 0.01 all hidden units start almost equal and almost linear; the error signal
#   that reaches them carries the factor sigma'(0) = 1/4 against tanh'(0) = 1, and tanh is centred at zero, so that the
#   output bias does not have to compensate for activations near 1/2. Any two of these, each with its consequence.
# - 1 point: the conclusion is limited to what was measured: same learning rate, same number of epochs, small weights;
#   a sigmoid network with larger weights and a larger learning rate reaches the same accuracy.
#
# === END MARK SCHEME ===
