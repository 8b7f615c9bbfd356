# %% [markdown] text="title"
# A network with too few hidden units cannot draw the boundary that the data need. A network with too many can draw any
# boundary, also a foolish one. You train the baseline with 1, 2, 4, 20 and 50 hidden units, make a table, and look at
# the boundaries. Then you find out why the very same study shows *nothing* with the baseline's own default settings.
#
# | what | shape | meaning |
# |---|---|---|
# | `X`, `Y` | (2, m), (1, m) | inputs and targets (0 or 1), one **column** per example |
# | `W1`, `b1`, `Z1`, `A1` | (h, 2), (h, 1), (h, m), (h, m) | hidden layer: h sigmoid units |
# | `W2`, `b2`, `Z2`, `A2` | (1, h), (1, 1), (1, m), (1, m) | output layer: one sigmoid unit |
#
# You do not have to change the network in this exercise; you use `SimpleNeuralNetwork` as it is.

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
from backprop import accuracy, plot_decision_boundary, show
from selfcheck import as_numbers, check_values, check_yourself
from simple_network import SimpleNeuralNetwork


def noisy_moons():
    """Moons that overlap: X_train (2, 80), Y_train (1, 80), X_test (2, 320), Y_test (1, 320)."""
    from sklearn.datasets import make_moons
    from sklearn.model_selection import train_test_split

    points, labels = make_moons(n_samples=400, noise=0.3, random_state=42)
    X_train, X_test, y_train, y_test = train_test_split(points, labels, test_size=0.8, random_state=42)
    return X_train.T.copy(), y_train.reshape(1, -1), X_test.T.copy(), y_test.reshape(1, -1)


X_train, Y_train, X_test, Y_test = noisy_moons()
SIZES, EPOCHS, LEARNING_RATE, WEIGHT_SCALE, SEED = (1, 2, 4, 20, 50), 7_000, 1.0, 5.0, 1

# %% [markdown] text="task"
# ## The study
#
# The data are moons that overlap (noise 0.3), with only **80 examples for training** and 320 for testing. The settings
# in the cell above, 7,000 epochs with a learning rate of 1 and initial weights of scale 5, are chosen so that the number
# of hidden units makes a real difference.
#
# Write `study`. For every size in `sizes` it makes a **new** network with
# `SimpleNeuralNetwork(2, size, 1, rng=seed, weight_scale=weight_scale)`, trains it on the training data with
# `network.train(X_train, Y_train, epochs, learning_rate)`, and then measures it. It returns a list with one row per size,
# in the order of `sizes`. A row holds three numbers:
#
# 1. the final loss: the last entry of the list that `train` returns (taken before the last update; nothing is worked out anew),
# 2. the accuracy on the training data *after* the training, a share between 0 and 1,
# 3. the accuracy on the test data, measured in the same way.
#
# `network.predict(X)` gives labels, and `accuracy(labels, Y)` compares them with the targets. For example,
# `accuracy(np.array([[1, 0, 0, 1]]), np.array([[1, 0, 1, 1]]))` is 0.75: three labels of four are right.

# %% student="study"
def study(sizes, X_train, Y_train, X_test, Y_test, epochs, learning_rate, weight_scale, seed):
    """One row (final loss, training accuracy, test accuracy) for each hidden size."""
    ### BEGIN SOLUTION
    rows = []
    for size in sizes:
        network = SimpleNeuralNetwork(2, size, 1, rng=seed, weight_scale=weight_scale)
        losses = network.train(X_train, Y_train, epochs, learning_rate)
        on_train = accuracy(network.predict(X_train), Y_train)
        on_test = accuracy(network.predict(X_test), Y_test)
        rows.append((losses[-1], on_train, on_test))
    return rows
    ### END SOLUTION

# %% [markdown] text="check_text"
# ### Check yourself
#
# The next cell calls your `study` for a few epochs and looks at the form of what it returns: two rows of three numbers,
# and shares between 0 and 1. Whether the numbers are right is marked after you hand in.

# %% selfcheck="study"
def selfcheck_study():
    rows = study((5, 3), X_train, Y_train, X_test, Y_test, 5, 0.5, 1.0, 7)
    check_values({"your rows": rows}, {"your rows": (2, 3)})
    return check_values(
        {"your rows": rows, "your accuracies": as_numbers(rows).reshape(2, 3)[:, 1:]},
        {"your rows": (2, 3), "your accuracies": (2, 2)},
        ranges={"your accuracies": (-0.001, 1.001)},
    )


check_yourself(selfcheck_study)

# %% question="study_function"
# final loss and training accuracy {final_loss, train_accuracy} and test accuracy {test_accuracy}, for other data and
# other settings.

# %% [markdown] text="table_text"
# ## The table
#
# Now call your `study` with the moons and the settings of the first code cell (`SIZES`, `X_train`, ..., `EPOCHS`,
# `LEARNING_RATE`, `WEIGHT_SCALE`, `SEED`), and store what it returns as `table`. This takes a few seconds. When you hand
# in, the table is checked by training all five networks again; a small difference, as between two computers, is allowed.

# %% student="table"
# Fill in:  table = study(...)
### BEGIN SOLUTION
table = study(SIZES, X_train, Y_train, X_test, Y_test, EPOCHS, LEARNING_RATE, WEIGHT_SCALE, SEED)
### END SOLUTION

# %% question="table_rows"
# the three columns of your table {each}.

# %% [markdown] text="pictures_text"
# ## The boundaries
#
# Run the next cell: it prints your table and draws the decision boundary for each size.
#
# The picture in words: five squares with the 80 training examples. One hidden unit draws a straight line between the
# two moons, two units a boundary with two bends, like a step. Four units draw a smooth curve that follows both moons. With
# 20 and 50 units the boundary winds round single examples, and there may even be an island.

# %% show="boundaries"
print(f"{'hidden units':>12} {'final loss':>11} {'training':>9} {'test':>7}")
for size, (final_loss, on_train, on_test) in zip(SIZES, table):
    print(f"{size:12} {final_loss:11.3f} {on_train:9.1%} {on_test:7.1%}")

fig, axes = plt.subplots(2, 3, figsize=(10, 6.6), layout="constrained")
for ax, size, (_, on_train, on_test) in zip(axes.flat, SIZES, table):
    network = SimpleNeuralNetwork(2, size, 1, rng=SEED, weight_scale=WEIGHT_SCALE)
    network.train(X_train, Y_train, EPOCHS, LEARNING_RATE)
    title = f"{size} hidden unit{'s' if size > 1 else ''}\ntraining {on_train:.1%}, test {on_test:.1%}"
    plot_decision_boundary(network, X_train, Y_train, ax=ax, title=title)
    ax.get_legend().remove()
axes[1, 2].legend(*axes[0, 0].get_legend_handles_labels(), loc="center", frameon=False)
axes[1, 2].axis("off")
show(
    "Five decision boundaries on the noisy moons, for 1, 2, 4, 20 and 50 hidden units; described in the text "
    "above."
)

# %% [markdown] text="under_text"
# ## Too few, enough, too many
#
# Sort the five sizes by this rule:
#
# - a network **underfits** if its training accuracy is below 0.90: it cannot even learn what it was shown;
# - otherwise it **overfits** if its training accuracy is more than 0.10 above its test accuracy: what it has learned does
#   not hold for new examples;
# - otherwise it **fits**.
#
# An example with other numbers: 0.85 on the training data underfits, whatever the test says; 0.97 and 0.80 overfits;
# 0.93 and 0.90 fits. Fill in three lists of sizes, for example `fits = [3, 7]`. Every size belongs to exactly one list. A
# list may be empty: `[]`.

# %% student="sorted_sizes"
# Fill in:  underfits = [...]   fits = [...]   overfits = [...]
### BEGIN SOLUTION
underfits, fits, overfits = [], [], []
for size, (_, on_train, on_test) in zip(SIZES, table):
    if on_train < 0.90:
        underfits.append(size)
    elif on_train - on_test > 0.10:
        overfits.append(size)
    else:
        fits.append(size)
### END SOLUTION

# %% question="under_and_over"
# underfits and overfits {underfits, overfits} and fits {fits}, given your own table.

# %% [markdown] text="best_text"
# Two more sizes from your table: `best_size`, the one that you would choose, whose **test** accuracy is the best; and
# `widest_gap`, the one whose training accuracy is furthest **above** its test accuracy. If two share the place, either is right.

# %% student="best_sizes"
# Fill in:  best_size = ...     widest_gap = ...
### BEGIN SOLUTION
best_size = SIZES[np.argmax([on_test for _, _, on_test in table])]
widest_gap = SIZES[np.argmax([on_train - on_test for _, on_train, on_test in table])]
### END SOLUTION

# %% question="best_and_widest"
# best_size and widest_gap {each}, given your own table.

# %% [markdown] text="spread_text"
# ## A setting that hides everything
#
# The baseline's own defaults are initial weights of scale 0.01, usually trained with a learning rate of 0.1. To see what
# is different there, measure how much the hidden units *differ from each other*.
#
# Write `spread(network, X)`: after a forward pass with `X`, take for every example $k$ the standard deviation of the $h$
# hidden activations $a_{1k}, \dots, a_{hk}$ (column $k$ of `A1`), and return the mean of these over the $m$ examples:
#
# $$\text{spread} = \frac1m \sum_{k=1}^m \sqrt{\frac1h \sum_{i=1}^h \big(a_{ik} - \bar a_k\big)^2}, \qquad
# \bar a_k = \frac1h \sum_{i=1}^h a_{ik}$$
#
# A small example: for two units and two examples with $A_1 = \begin{pmatrix} 0.2 & 0.5 \\ 0.6 & 0.9 \end{pmatrix}$ the
# standard deviations of the columns are 0.2 and 0.2, so the spread is 0.2. If all units do the same, the spread is 0; so it
# is with a single unit.

# %% student="spread"
def spread(network, X):
    """How much the hidden units differ: the mean over the examples of the standard deviation over the units."""
    ### BEGIN SOLUTION
    _ = network.forward_pass(X)  # fills network.A1
    return np.mean(np.std(network.A1, axis=0))
    ### END SOLUTION

# %% selfcheck="spread"
def selfcheck_spread():
    answer = spread(SimpleNeuralNetwork(2, 5, 1, rng=3, weight_scale=1.0), X_train)
    return check_values({"spread": answer}, {"spread": ()}, ranges={"spread": (0, 0.5)})


check_yourself(selfcheck_spread)

# %% question="unit_spread"
# the spread of several networks.

# %% [markdown] text="defaults_text"
# ### The same study with the defaults
#
# Run the next cell. It repeats the study with a weight scale of 0.01 and a learning rate of 0.1, and prints the spread
# of both kinds of network before the training.

# %% show="defaults"
default_table = study(SIZES, X_train, Y_train, X_test, Y_test, EPOCHS, 0.1, 0.01, SEED)
print(f"{'':12} | {'scale 5, learning rate 1':^32} | {'scale 0.01, learning rate 0.1':^32}")
print("hidden units" + f" | {'loss':>6} {'training':>9} {'test':>7} {'spread':>7}" * 2)
for size, chosen, default in zip(SIZES, table, default_table):
    cells = ""
    for (final_loss, on_train, on_test), scale in ((chosen, WEIGHT_SCALE), (default, 0.01)):
        start = spread(SimpleNeuralNetwork(2, size, 1, rng=SEED, weight_scale=scale), X_train)
        cells += f" | {final_loss:6.3f} {on_train:9.1%} {on_test:7.1%} {start:7.4f}"
    print(f"{size:12}{cells}")

# %% [markdown] written="conclusions"
# ### Too few, too many, and a setting that hides both
#
# In the cell below, write about eight sentences.
#
# 1. What do under- and overfitting look like, in the table and in the pictures?
# 2. Which columns alone do not show overfitting, and why?
# 3. With the defaults the five networks hardly differ. Use the spread to explain why: what does a layer of 50 units
#    compute at the start if all its units do nearly the same, and what does the gradient do to units that are equal?
# 4. Does this mean that small initial weights cure overfitting? Say what would have to be tried to find out.
#
# === BEGIN MARK SCHEME ===
#
# - 1 point: what it looks like. Half of it for underfitting: training and test accuracy are both low and about the same (80
#   to 86 % with 1 and 2 units); a straight line or a step with two bends. Half for overfitting: 99 to 100 % against about 86 %
#   with 20 and 50 units; a boundary that winds round single examples, an island.
# - 1 point: neither the final loss nor the training accuracy shows overfitting: both only get better. It is seen where
#   they are compared with the test data.
# - 2 points: at scale 0.01 the spread is about 0.002 (0.37 at scale 5): all hidden activations are near 1/2, all units do
#   the same, the layer works like a single unit. Equal units get equal gradients (dZ1 differs only by W2, which is tiny
#   too), so they move together: the network stays close to one unit for a long time. One point for the equal units,
#   one for the equal gradients.
# - 1 point: it cures nothing. With a learning rate of 0.1 the network leaves this state slowly, and within these epochs all
#   sizes stay between 80 and 85 % on the training data: training longer or with a larger learning rate lets the units part, and then size matters
#   again; stopping early is a regularisation of its own. Any experiment that would show it is fine.
#
# === END MARK SCHEME ===
