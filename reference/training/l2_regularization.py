# %% [markdown] text="title"
# A network with many hidden units can learn its training set by heart, noise included. A *penalty* on large weights
# makes that expensive. Here you put the penalty into the loss, into the gradients and into the training of the
# baseline network, and then you measure what it does to a network that overfits.
#
# | what | shape | meaning |
# |---|---|---|
# | `X`, `Y` | (n, m), (o, m) | inputs and targets (0 or 1), one **column** per example |
# | `W1`, `b1` | (h, n), (h, 1) | hidden layer (sigmoid) |
# | `W2`, `b2` | (o, h), (o, 1) | output layer (sigmoid) |
# | `reg_lambda` | a number, 0 or more | the strength $\lambda$ of the penalty |

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
from backprop import accuracy, plot_decision_boundary, show
from selfcheck import Report, as_numbers, check_gradients, check_training, check_values, check_yourself
from simple_network import SimpleNeuralNetwork

# %% [markdown] text="task"
# ## The penalised loss
#
# The loss of this exercise is the mean cross-entropy of the baseline plus the penalty:
#
# $$L = \frac1m \sum_{k=1}^{m} \text{cross-entropy of example } k \;+\;
# \frac{\lambda}{2m}\Big(\sum_{ij} (W_1)_{ij}^2 + \sum_{ij} (W_2)_{ij}^2\Big)$$
#
# - $m$ is the number of examples (columns of `X` and `Y`), in both terms.
# - All entries of **both** weight matrices are squared and added. **The biases are not penalised**: a bias
#   says where a unit switches, its weights how steeply, and steep units are what a boundary needs to wind round single
#   examples.
# - The factor 1/2 is there so that the derivative of the square is simple.
#
# A small example: with $m = 5$, $\lambda = 2$, $W_1 = \begin{pmatrix} 1 \\ -2 \end{pmatrix}$ and
# $W_2 = (3\ \ 0)$ the squares add up to $1 + 4 + 9 + 0 = 14$, and the penalty is
# $\frac{2}{2 \cdot 5} \cdot 14 = 2.8$, whatever the biases are.
#
# ## What to write
#
# Write `L2Network`, a `SimpleNeuralNetwork` with three methods of its own. The strength is stored in the attribute
# `self.reg_lambda`; it is 0 until somebody sets it.
#
# - `compute_loss(Y)` returns the penalised loss $L$ with the strength `self.reg_lambda`, for the outputs of the last
#   `forward_pass`. `super().compute_loss(Y)` gives the mean cross-entropy.
# - `backward_pass(X, Y)` computes `self.dW1`, `self.db1`, `self.dW2`, `self.db2`: the gradients of the penalised loss
#   $L$, each in the shape of its parameter, for the outputs of the last `forward_pass`. `super().backward_pass(X, Y)`
#   computes the gradients of the mean cross-entropy. Derive on paper what the penalty adds to each of the four. The
#   parameters themselves must not change here.
# - `train(X, Y, epochs, learning_rate, reg_lambda=0.0)` stores the strength in `self.reg_lambda`, trains with gradient
#   descent on all examples at once, and returns the list of the **penalised** losses, one per epoch. As in the
#   baseline each loss is taken *before* the update of its epoch, so the first one belongs to the initial parameters.

# %% student="network"
class L2Network(SimpleNeuralNetwork):
    """The baseline network with a penalty on the squares of its weights."""

    reg_lambda = 0.0

    def compute_loss(self, Y):
        ### BEGIN SOLUTION
        squares = np.sum(self.W1**2) + np.sum(self.W2**2)
        return super().compute_loss(Y) + self.reg_lambda / (2 * Y.shape[1]) * squares
        ### END SOLUTION

    def backward_pass(self, X, Y):
        ### BEGIN SOLUTION
        m = X.shape[1]
        super().backward_pass(X, Y)
        self.dW1 = self.dW1 + self.reg_lambda / m * self.W1
        self.dW2 = self.dW2 + self.reg_lambda / m * self.W2
        ### END SOLUTION

    def train(self, X, Y, epochs, learning_rate, reg_lambda=0.0):
        ### BEGIN SOLUTION
        self.reg_lambda = reg_lambda
        return super().train(X, Y, epochs, learning_rate)
        ### END SOLUTION

# %% [markdown] text="check_text"
# ### Check yourself
#
# The next cell compares your gradients with central differences of your own loss, at $\lambda = 0.7$. The one after it
# trains for a few epochs and looks whether your losses start at your own loss of the initial parameters, and fall. They
# hold no answers: a wrong constant in the loss *and* in the gradients is not seen here, but it is marked after you hand in.

# %% selfcheck="network"
def selfcheck_network():
    rng = np.random.default_rng(0)
    network = L2Network(3, 5, 7, rng=rng, weight_scale=1.0)
    network.reg_lambda = 0.7
    return check_gradients(network, X=rng.normal(size=(3, 11)), Y=rng.integers(0, 2, size=(7, 11)))


check_yourself(selfcheck_network)

# %% selfcheck="training"
def selfcheck_training():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(3, 11)), rng.integers(0, 2, size=(7, 11))
    network = L2Network(3, 5, 7, rng=rng, weight_scale=1.0)
    network.reg_lambda = 0.7
    network.forward_pass(X)
    first = float(np.ravel(network.compute_loss(Y))[0])
    network.reg_lambda = 0.0
    losses = network.train(X, Y, epochs=20, learning_rate=0.3, reg_lambda=0.7)
    report = check_training(losses, epochs=20)
    start = float(np.ravel(losses)[0])
    assert np.isclose(start, first), (
        f"The first loss is {start:.6g}, but at the initial parameters your compute_loss gives {first:.6g} with this "
        "strength. Is the loss taken before the update of its epoch, and is it the penalised one?"
    )
    assert network.reg_lambda == 0.7, (
        f"reg_lambda was 0.7, but self.reg_lambda is {network.reg_lambda} after the training."
    )
    return report


check_yourself(selfcheck_training)

# %% question="penalised_loss"
# the value that compute_loss returns, for several strengths.

# %% question="weight_gradients"
# dW1 and dW2 {each}.

# %% question="bias_gradients"
# db1 and db2 {each}.

# %% question="training_losses"
# the losses that train returns, given your own loss and gradients.

# %% [markdown] text="data_text"
# ## A network that overfits
#
# The moons of the other exercises are too easy: there even 50 hidden units do little harm. So here are moons that
# overlap (noise 0.3), with only **80 examples for training** and 320 for testing. The network has 50 hidden units, it
# starts with large weights (`weight_scale=5.0`), and it is trained for 4,000 epochs with a learning rate of 1. These
# settings are chosen so that it *does* overfit without a penalty.

# %% given="data"
def noisy_moons():
    """Moons that overlap: X_train (2, 80), Y_train (1, 80), X_test (2, 320), Y_test (1, 320)."""
    from sklearn.datasets import make_moons
    from sklearn.model_selection import train_test_split

    points, labels = make_moons(n_samples=400, noise=0.3, random_state=42)
    X_train, X_test, y_train, y_test = train_test_split(points, labels, test_size=0.8, random_state=42)
    return X_train.T.copy(), y_train.reshape(1, -1), X_test.T.copy(), y_test.reshape(1, -1)


LAMBDAS, EPOCHS, LEARNING_RATE, SEED = (0, 0.01, 0.1, 1, 10), 4_000, 1.0, 1

# %% [markdown] text="study_text"
# ## Several strengths compared
#
# Write `lambda_study`. For every strength in `lambdas` it makes a **new** network with
# `L2Network(2, 50, 1, rng=seed, weight_scale=5.0)`, trains it on the training data with this strength, and then
# measures the network as it is *after* the last update. It returns a list with one row per strength, in the order of
# `lambdas`. A row holds three numbers:
#
# 1. the accuracy on the training data (a share between 0 and 1),
# 2. the accuracy on the test data,
# 3. the sum of the squares of all weights, $\sum (W_1)_{ij}^2 + \sum (W_2)_{ij}^2$, biases not included.
#
# `network.predict(X)` gives labels, and `accuracy(labels, Y)` compares them with the targets.

# %% student="lambda_study"
def lambda_study(lambdas, X_train, Y_train, X_test, Y_test, epochs, learning_rate, seed):
    """One row (training accuracy, test accuracy, sum of squared weights) for each strength."""
    ### BEGIN SOLUTION
    rows = []
    for reg_lambda in lambdas:
        network = L2Network(2, 50, 1, rng=seed, weight_scale=5.0)
        network.train(X_train, Y_train, epochs, learning_rate, reg_lambda)
        rows.append(
            (
                accuracy(network.predict(X_train), Y_train),
                accuracy(network.predict(X_test), Y_test),
                float(np.sum(network.W1**2) + np.sum(network.W2**2)),
            )
        )
    return rows
    ### END SOLUTION

# %% selfcheck="study"
# A look at your study, with two strengths and a few examples: each strength has a network of its own.
def selfcheck_study():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(2, 11)), rng.integers(0, 2, size=(1, 11))
    data = X, Y, rng.normal(size=(2, 7)), rng.integers(0, 2, size=(1, 7))
    both, alone = (lambda_study(lambdas, *data, 5, 0.5, 3) for lambdas in ([0, 0.7], [0.7]))
    report = check_values({"two rows": both, "one row": alone}, {"two rows": (2, 3), "one row": (1, 3)})
    without, second, only = np.vstack([as_numbers(both), as_numbers(alone).reshape(1, 3)])
    assert np.allclose(second, only), (
        f"The row of lambda = 0.7 is {second} after a row of lambda = 0, and {only} alone. Each strength needs a new "
        "network, made with rng=seed."
    )
    assert not np.isclose(without[2], only[2]), (
        "The squares are the same with lambda = 0 and 0.7: does train get the strength?"
    )
    assert np.all(only[:2] <= 1), "An accuracy is a share between 0 and 1."
    return Report("A row does not depend on those before it.", report.lines)


check_yourself(selfcheck_study)

# %% question="strength_table"
# the three columns of your table {each}, for other data and a few epochs.

# %% [markdown] text="show_text"
# ## What the penalty does
#
# Run the next cell. It calls your `lambda_study` with the settings above, prints the table and draws the decision
# boundary for each strength. It takes about ten seconds.
#
# The picture in words: five squares side by side, one per strength, each with the 80 training examples. Without a
# penalty the boundary winds round single examples. With growing strength it becomes smooth, then straight, and at last
# there is no boundary any more: the answer is the same everywhere.

# %% show="compare"
data = noisy_moons()
table = lambda_study(LAMBDAS, *data, EPOCHS, LEARNING_RATE, SEED)
print(f"{'lambda':>7} {'training':>9} {'test':>7} {'squared weights':>16}")
for reg_lambda, (on_train, on_test, squares) in zip(LAMBDAS, table):
    print(f"{reg_lambda:7g} {on_train:9.1%} {on_test:7.1%} {squares:16.2f}")

fig, axes = plt.subplots(1, 5, figsize=(16, 3.6), sharex=True, sharey=True, layout="constrained")
for ax, reg_lambda, (on_train, on_test, _) in zip(axes, LAMBDAS, table):
    network = L2Network(2, 50, 1, rng=SEED, weight_scale=5.0)
    network.train(*data[:2], EPOCHS, LEARNING_RATE, reg_lambda)
    title = f"lambda = {reg_lambda:g}\ntraining {on_train:.1%}, test {on_test:.1%}"
    plot_decision_boundary(network, *data[:2], ax=ax, title=title)
    ax.get_legend().remove()
    ax.label_outer()
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
show(
    "Five decision boundaries on the noisy moons, for lambda = 0, 0.01, 0.1, 1 and 10; described in the text "
    "above."
)

# %% [markdown] text="choice_text"
# ## What the table says
#
# - `chosen_lambda`: which of the five strengths would you choose? The test accuracy says so; two are about equally good, and
#   either is right.
# - `nothing_left`: at which strength is the network no better than guessing?

# %% student="choice"
# Fill in:  chosen_lambda = ...     nothing_left = ...
### BEGIN SOLUTION
chosen_lambda = 0.1
nothing_left = 10
### END SOLUTION

# %% question="chosen_strength"
# chosen_lambda and nothing_left {each}.

# %% [markdown] written="effect"
# ### What the penalty does to the boundary
#
# In the cell below, write about six sentences.
#
# 1. Give the training and the test accuracy without a penalty, and say what in the picture shows that this network
#    overfits.
# 2. Why did you choose this strength? The test data played a part in this choice: what should one do differently in real
#    work, and why?
# 3. Why do small weights make a *smooth* boundary, and in the end none at all? Think of how fast a sigmoid unit can change
#    along a line, and use the last column of your table.
#
# === BEGIN MARK SCHEME ===
#
# - 1 point: overfitting with numbers: about 99 % on the training set against about 86 % on the test set at lambda = 0,
#   and a boundary that winds round single examples.
# - 1 point, half of it for each: a reason with numbers (0.01 and 0.1 both have 88 % on the test set; at 0.1 training and test
#   accuracy agree); and that the strength must be chosen on separate validation data (or by cross-validation), because data that
#   were chosen by flatter the result.
# - 1 point: a unit sigma(w.x + b) changes over a distance of order 1/|w|, and W2 says how much of it reaches the output.
#   With small weights every unit is nearly linear on the data, so that their sum cannot bend sharply; at lambda = 10 the
#   weights have decayed to almost zero, and the output is the same everywhere.
#
# === END MARK SCHEME ===
