# %% [markdown] text="title"
# A magnet can be modelled as a square lattice of small arrows, **spins**, each up (+1) or down (-1). When it is cold
# neighbouring spins agree and the lattice is *ordered*; when it is hot they point anywhere: it is *disordered*. In this
# exercise a network learns to tell the two phases apart. You write everything around the network: the data, the split
# into training and test set, and the accuracy. Then you test the network on lattices from a real simulation, and find
# out what it has really learned.
#
# | name | shape | meaning |
# |---|---|---|
# | `L` | | the lattice has L rows and L columns |
# | `X` | (L·L, m) | spins -1 or +1, one **column** per sample: the rows of the lattice one after the other |
# | `Y` | (1, m) | label of each sample: 0 ordered, 1 disordered |
# | `A2` | (1, m) | the network's probability that the label is 1 |
# | `rng` | | a NumPy generator such as `np.random.default_rng(3)` |

# %% given="setup"
import warnings

import matplotlib.pyplot as plt
import numpy as np
from backprop import BLUE, ORANGE, show
from selfcheck import Line, Report, as_numbers, check_values, check_yourself, finish
from sklearn.neural_network import MLPClassifier

# %% [markdown] text="task_generator"
# ## The toy data
#
# Write `make_spins(n_samples, L, rng)` that returns `X, Y`:
#
# - one half of the samples is **ordered**: every spin is +1 with probability 0.9 and -1 otherwise; their label is 0;
# - the other half is **disordered**: every spin is +1 with probability 0.5 and -1 otherwise; their label is 1.
#
# `n_samples` is even, so the halves are exactly equal. Every spin of every sample is drawn independently of all others.
# The order of the samples is up to you. `X` has shape (L·L, n_samples) and `Y` has shape (1, n_samples).
#
# **Take every random number from `rng`**, for example with `rng.random((3, 4))`, which returns a (3, 4) array of
# numbers between 0 and 1. Then the same seed gives the same data, and another seed gives other data.
#
# How it is marked: nobody knows which numbers your generator will draw. The share of spins that are up, and the share of
# pairs of spins that agree, are compared with what chance allows. A right generator fails such a check less than once in
# ten million runs.
#
# A small example: `make_spins(2, 2, rng)` may return `X = [[1, -1], [1, 1], [1, -1], [-1, 1]]` and `Y = [[0, 1]]`: the
# first column is an ordered sample with one spin down, the second a disordered one.

# %% student="generator"
def make_spins(n_samples, L, rng):
    """Toy samples: X (L*L, n_samples) with entries -1 and +1, and labels Y (1, n_samples)."""
    ### BEGIN SOLUTION
    Y = np.repeat([[0, 1]], n_samples // 2, axis=1)
    p_up = np.where(Y == 0, 0.9, 0.5)
    X = np.where(rng.random((L * L, n_samples)) < p_up, 1, -1)
    return X, Y
    ### END SOLUTION

# %% selfcheck="generator"
# A first look at your data: are the shapes right, and does each phase look as it should?
def selfcheck_generator():
    X, Y = make_spins(1000, 5, np.random.default_rng(0))
    check_values({"X": X, "Y": Y}, {"X": (25, 1000), "Y": (1, 1000)}, ranges={"X": (-1.5, 1.5), "Y": (-0.5, 1.5)})
    X, Y = as_numbers(X), as_numbers(Y)
    assert np.all(np.abs(X) == 1), "Every spin is -1 or +1."
    lines = []
    for label, name, told in ((0, "ordered", 0.9), (1, "disordered", 0.5)):
        mine = X[:, np.ravel(Y) == label]
        assert mine.shape[1] == 500, f"One half of 1000 samples is {name}, label {label}: there are {mine.shape[1]}."
        up = np.mean(mine == 1)
        says = f"label {label}: {up:.1%} of the spins are up, and each is up with probability {told}"
        if abs(up - told) < 0.03:  # chance moves it by less than 0.003
            lines.append(Line(name, "ok", says))
            continue
        if label == 0 and abs(up - 0.1) < 0.03:
            says += ": up is +1"
        elif abs(up - (1.4 - told)) < 0.03:
            says += ": are the labels exchanged? 0 is ordered, 1 is disordered"
        lines.append(Line(name, "WRONG", says))
    return finish(Report("The shares of spins that are up", tuple(lines)))


check_yourself(selfcheck_generator)

# %% question="toy_generator"
# form {form}, ordered phase {ordered}, disordered phase {disordered}, independence {independent}, use of rng {seeded}.

# %% [markdown] text="task_split"
# ## The split
#
# Write `split(X, Y, n_train, rng)` that divides the samples at random into a training and a test set. It returns four
# arrays in this order: `X_train, Y_train, X_test, Y_test`.
#
# - The training set has `n_train` samples, the test set has all the others.
# - Every sample is in exactly one of the two sets, and keeps its label.
# - Which samples go where is decided by `rng` alone, not by labels or positions. `rng.permutation(m)` returns the numbers
#   0 to m - 1 in random order.
# - It works for any number of rows of `X`, and leaves `X` and `Y` as they are.
#
# A small example: for `X = [[10, 20, 30]]`, `Y = [[0, 1, 1]]` and `n_train = 2` one of the possible results is
# `X_train = [[30, 10]]`, `Y_train = [[1, 0]]`, `X_test = [[20]]`, `Y_test = [[1]]`.

# %% student="splitting"
def split(X, Y, n_train, rng):
    """X_train, Y_train, X_test, Y_test: a random part of n_train samples, and the rest."""
    ### BEGIN SOLUTION
    order = rng.permutation(X.shape[1])
    train, test = order[:n_train], order[n_train:]
    return X[:, train], Y[:, train], X[:, test], Y[:, test]
    ### END SOLUTION

# %% question="random_split"
# sizes {sizes}, every sample once and with its label {pairs}, a random test set {chance}.

# %% [markdown] text="task_share"
# ## The accuracy
#
# Write `share_right(A2, Y)`: the share of samples that are classified right, one number between 0 and 1. A sample is
# classified as 1 when its probability in `A2` is above one half, else as 0. Both arrays have shape (1, m).
#
# A small example: `A2 = [[0.9, 0.2, 0.6, 0.4]]` and `Y = [[1, 0, 0, 0]]` give 0.75, because only the third is wrong.

# %% student="accuracy"
def share_right(A2, Y):
    """The share of samples whose predicted label is right."""
    ### BEGIN SOLUTION
    return np.mean((A2 > 0.5) == Y)
    ### END SOLUTION

# %% question="share_of_right"
# share_right for several probabilities and labels.

# %% [markdown] text="network_text"
# ## The network
#
# One hidden layer of 8 sigmoid units, a sigmoid output, mean cross-entropy, and 5,000 epochs of gradient descent on all
# training samples at once with the learning rate 0.05: that is the network that you wrote in `simple_network`, and further
# below you train it on these data. Here stands `MLPClassifier` of scikit-learn, which does the same, so that this notebook
# does not depend on another one. `train_network(X, Y)` trains a new one and returns a **function**: call it with samples
# (L·L, k), and it returns their probabilities `A2` of shape (1, k). Its losses are kept in `train_network(X, Y).losses`.

# %% given="network"
def train_network(X, Y, learning_rate=0.05, epochs=5000):
    """Train a network with 8 hidden units; returns a function from samples (L*L, k) to probabilities (1, k)."""
    network = MLPClassifier(
        hidden_layer_sizes=(8,), activation="logistic", solver="sgd", momentum=0, alpha=0, batch_size=X.shape[1],
        learning_rate_init=learning_rate, max_iter=epochs, tol=0, n_iter_no_change=epochs, random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it would like to train for longer
        network.fit(X.T, np.ravel(Y))  # scikit-learn has one row per sample

    def model(samples):
        return network.predict_proba(samples.T)[:, 1].reshape(1, -1)

    model.losses = network.loss_curve_
    return model

# %% [markdown] text="task_experiment"
# ## The experiment
#
# Write `experiment(X, Y, n_train, train, rng)` that
#
# 1. divides the samples with your `split`, using `rng`;
# 2. trains a network on the training set: `train` is a function such as `train_network`, called as
#    `train(X_train, Y_train)`, and what it returns is a function from samples to probabilities;
# 3. returns the share of right answers **on the test set**.
#
# When it is marked, `train` is a stand-in that only looks at what it is given.

# %% student="experiment"
def experiment(X, Y, n_train, train, rng):
    """Split, train, and return the accuracy on the test set."""
    ### BEGIN SOLUTION
    X_train, Y_train, X_test, Y_test = split(X, Y, n_train, rng)
    model = train(X_train, Y_train)
    return share_right(model(X_test), Y_test)
    ### END SOLUTION

# %% selfcheck="experiment"
# A network that always answers 0.8 says "disordered" to everything. How often is it right on your test set?
def selfcheck_experiment():
    seen = []

    def train_nothing(X_train, Y_train):
        seen.append(np.shape(X_train))
        return lambda samples: np.full((1, samples.shape[1]), 0.8)

    X, Y = make_spins(1000, 5, np.random.default_rng(1))
    found = as_numbers(experiment(X, Y, 700, train_nothing, np.random.default_rng(2)))
    assert not isinstance(found, str), f"experiment has to return one number; what it returns {found}."
    assert found.size == 1, f"experiment has to return one number, not {found.size}."
    assert seen, "The network was not trained: call train(X_train, Y_train)."
    assert seen[-1] == (25, 700), f"n_train is 700, so X_train is (25, 700). Yours is {seen[-1]}."
    found = found.item()
    assert 0.3 < found < 0.7, f"About one half of the test samples are disordered, but you return {found:.3f}."
    return Report(f"{found:.3f} of the test samples: about one half, as it should be.")


check_yourself(selfcheck_experiment)

# %% question="test_accuracy"
# what the network is trained on {trained}, and the accuracy on the test set {accuracy}.

# %% [markdown] text="run_text"
# ## The result on toy data
#
# The next cell runs your experiment: L = 4, 1,000 samples, 800 of them for training. It takes a few seconds. You should
# see a test accuracy of 94 % or more.

# %% show="run"
rng = np.random.default_rng(7)
X, Y = make_spins(1000, 4, rng)
print(f"accuracy on the test set: {experiment(X, Y, 800, train_network, rng):.1%}")

# %% [markdown] text="own_text"
# ## Your own network
#
# The next cell takes `SimpleNeuralNetwork` **from your notebook `simple_network.ipynb`** in this folder (save it before) and
# trains it on the same samples: 8 hidden units, 5,000 epochs, learning rate 0.05, weights of scale 0.5. Beside it stands
# scikit-learn. You should see two loss curves that fall to nearly the same value, below 0.2, and two accuracies of 94 % or
# more. They start from different weights, so they are not equal.

# %% show="own"
import ast
import contextlib
import json
from pathlib import Path

import backprop


def own_network(path="simple_network.ipynb"):
    """Your SimpleNeuralNetwork, from the cells of your notebook; None where there is none."""
    names = {"np": np, **vars(backprop)}
    cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"] if Path(path).is_file() else []
    for source in ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"):
        with contextlib.suppress(SyntaxError):  # a line that only a notebook understands
            for part in ast.parse(source).body:  # imports, functions and classes; nothing is trained or drawn
                if isinstance(part, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)):
                    with contextlib.suppress(Exception):
                        exec(compile(ast.Module([part], []), path, "exec"), names)
    return names.get("SimpleNeuralNetwork")


def side_by_side(network_class, X_train, Y_train, X_test, Y_test):
    """Your network and the one of scikit-learn, trained on the same samples: losses and accuracies on the test set."""
    theirs = train_network(X_train, Y_train)
    losses = {"scikit-learn": theirs.losses}
    accuracies = {"scikit-learn": share_right(theirs(X_test), Y_test)}
    if network_class is not None:
        mine = network_class(X_train.shape[0], 8, 1, rng=0, weight_scale=0.5)
        losses["your own network"] = mine.train(X_train, Y_train, 5000, 0.05)
        accuracies["your own network"] = share_right(mine.forward_pass(X_test), Y_test)
    return losses, accuracies


own = own_network()
if own is None:
    print("There is no SimpleNeuralNetwork in simple_network.ipynb beside this notebook: here is scikit-learn alone.")
losses, accuracies = side_by_side(own, *split(X, Y, 800, rng))
for name, share in accuracies.items():
    print(f"{name:18} last loss {losses[name][-1]:.3f}, accuracy on the test set {share:.1%}")
fig, ax = plt.subplots(figsize=(6.5, 3.4), layout="constrained")
backprop.plot_losses(losses, ax=ax, title="Loss on the training samples")
show("The loss against the epoch, for your own network and for the one of scikit-learn; both fall.")

# %% [markdown] text="real_text"
# ## Real lattices
#
# The file `data/ising_metropolis.npz` holds 900 lattices, also with L = 4, from a simulation of the **Ising model**: each
# pair of neighbouring spins costs energy when the two disagree, and the Metropolis algorithm flips spins at random as the
# heat of a given temperature would do. There are 150 lattices for each of six temperatures, in units in which a very
# large lattice loses its order at the critical temperature
#
# $$T_c = \frac{2}{\ln(1 + \sqrt 2)} \approx 2.269$$
#
# Lattices below $T_c$ get the label 0 (ordered), those above it the label 1 (disordered). The next cell trains a network
# on **toy data** as before and tests it on the simulated lattices. It draws four samples of each kind (orange: up, blue:
# down) and then a bar for each group: how many of its lattices the network gets right. "Cold, mostly up" are the
# lattices below $T_c$ in which more spins are up than down.

# %% show="real"
from matplotlib.colors import ListedColormap

data = np.load("data/ising_metropolis.npz")
spins, temperature = data["spins"].astype(float), data["temperature"]
T_c = 2 / np.log(1 + np.sqrt(2))
Y_real = (temperature > T_c).astype(int).reshape(1, -1)
magnetisation = spins.mean(axis=0)  # from -1, all down, to +1, all up
groups = {
    "cold, mostly up": (temperature < T_c) & (magnetisation > 0),
    "cold, mostly down": (temperature < T_c) & (magnetisation < 0),
    **{f"hot, T = {T:g}": temperature == T for T in (3, 4, 5)},
}

X_train, Y_train, X_test, Y_test = split(X, Y, 800, rng)
toy_model = train_network(X_train, Y_train)
kinds = {
    "toy, ordered": X[:, np.ravel(Y) == 0], "toy, disordered": X[:, np.ravel(Y) == 1],
    "simulated, T = 1.5": spins[:, temperature == 1.5], "simulated, T = 3": spins[:, temperature == 3],
}
fig = plt.figure(figsize=(13, 1.35), layout="constrained")
for part, (name, samples) in zip(fig.subfigures(1, 4, wspace=0.06), kinds.items()):
    part.suptitle(name, fontsize=11)
    for j, ax in enumerate(part.subplots(1, 4)):
        ax.pcolormesh(
            samples[:, j].reshape(4, 4), cmap=ListedColormap([BLUE, ORANGE]), vmin=-1, vmax=1, edgecolors="white"
        )
        ax.set(aspect="equal", xticks=[], yticks=[])
show(
    "Four small lattices of each of four kinds: toy ordered, toy disordered, simulated at T = 1.5, simulated "
    "at T = 3. Orange squares are spins up, blue ones spins down."
)


def accuracy_by_group(model):
    """The accuracy in every group of simulated lattices."""
    return {name: share_right(model(spins[:, mine]), Y_real[:, mine]) for name, mine in groups.items()}


def draw_bars(ax, title, bars):
    """One horizontal bar per group, with its number."""
    ax.barh(list(bars), list(bars.values()), color=BLUE)
    for i, value in enumerate(bars.values()):
        ax.text(value + 0.01, i, f"{value:.0%}", va="center")
    ax.invert_yaxis()
    ax.set(xlim=(0, 1.15), xlabel="accuracy", title=title)


bars = {"toy test set": share_right(toy_model(X_test), Y_test)} | accuracy_by_group(toy_model)
fig, ax = plt.subplots(figsize=(7, 2.9), layout="constrained")
draw_bars(ax, "A network trained on toy data", bars)
print(f"all simulated lattices: {share_right(toy_model(spins), Y_real):.1%}")
print(f"probability of 'disordered' for a lattice with all spins down: {toy_model(-np.ones((16, 1))).item():.3f}")
show(
    "Bars of accuracy for a network trained on toy data: the toy test set, cold lattices mostly up, cold "
    "lattices mostly down, and hot lattices at T = 3, 4 and 5."
)

# %% [markdown] text="flip_text"
# ### A remedy for one of two faults
#
# The energy of a lattice does not change when **all** its spins are turned round. The next cell uses this: it turns each
# toy sample round with probability 1/2, trains a new network on these data (with the learning rate 0.2, since this task
# is harder), and draws the same bars. One group should become much better. The lattices at T = 3 are got wrong even more
# often than before: think about which of them.

# %% show="flip"
rng = np.random.default_rng(8)
turned = X * rng.choice([-1, 1], size=X.shape[1])
X_train, Y_train, X_test, Y_test = split(turned, Y, 800, rng)
flip_model = train_network(X_train, Y_train, learning_rate=0.2)
bars = {"toy test set, turned": share_right(flip_model(X_test), Y_test)} | accuracy_by_group(flip_model)
fig, ax = plt.subplots(figsize=(7, 2.9), layout="constrained")
draw_bars(ax, "A network trained on toy data, half of them turned round", bars)
print(f"all simulated lattices: {share_right(flip_model(spins), Y_real):.1%}")
show("The same bars of accuracy for a network trained on toy data of which half were turned round.")

# %% [markdown] text="group_text"
# ## Which lattices?
#
# `failing_group`: in which group of simulated lattices does the network that was trained on toy data get nearly **all** wrong?
# `repaired_group`: which group becomes much better by turning samples round (it may be the same)? Both are names of bars, such as `"hot, T = 3"`.

# %% student="groups"
# Fill in:  failing_group = ...     repaired_group = ...
### BEGIN SOLUTION
failing_group = "cold, mostly down"
repaired_group = "cold, mostly down"
### END SOLUTION

# %% question="group_of_lattices"
# failing_group and repaired_group {each}.

# %% [markdown] written="toy_and_truth"
# ### Where the toy data mislead
#
# In the cell below, write about eight sentences, with the numbers of your figures.
#
# 1. The network is nearly perfect on the toy test set. What has it really learned, so that it fails in one group of real
#    lattices?
# 2. Why did the test set not show this?
# 3. What does turning samples round repair, and why is it allowed?
# 4. Hot lattices, above all at T = 3, are often called ordered, and after turning even more often. Compare how the
#    disordered toy samples and the real hot lattices are made: which property of real ones do the toy data lack?
#
# === BEGIN MARK SCHEME ===
#
# - 1 point: the network has learned to count spins that are up ("mostly up" against "as many up as down"), and not order. So
#   it fails in the cold lattices that point down: about 0 % are right, against about 97 % on the toy test set and about 100 %
#   for the cold ones that point up; or: a lattice with all spins down is called disordered with a probability near 1.
# - 1 point: the test set is a random part of the same toy data. It shares the fault, for the toy's ordered phase always
#   points up; a test set measures only what it contains.
# - 1 point: turning round adds the ordered samples that point down (from 0 % to 95 % or more). It is allowed because the
#   energy is the same when all spins are turned, so that both directions are equally likely in a real magnet.
# - 2 points: in the disordered toy samples every spin is independent, as at infinite temperature (1). In real lattices
#   above the critical temperature neighbouring spins still agree more often than not, so that small lattices at T = 3
#   often have most of their spins in one direction and look ordered (1); after turning, those that point down do so too
#   (from about 68 % to about 41 % right). Also right for this point: on a lattice of 4 x 4 there is no sharp transition, so
#   that the labels near T_c are not clear-cut.
# - Without numbers: at most 3 points.
#
# === END MARK SCHEME ===
