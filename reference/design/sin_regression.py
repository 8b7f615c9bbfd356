# %% [markdown] text="title"
# So far the networks of this course answered yes or no. Here the answer is a number: you fit the sine on 100 points
# between $-\pi$ and $\pi$. Two things change, the output and the loss, and with them the first line of the backward
# pass. Everything behind that line stays as it was.
#
# | what | shape | meaning |
# |---|---|---|
# | `X` | (n, m) | inputs, one **column** per example; for the sine n = 1 and m = 100 |
# | `Y` | (o, m) | targets, real numbers; for the sine o = 1 |
# | `W1`, `b1` | (h, n), (h, 1) | hidden layer |
# | `W2`, `b2` | (o, h), (o, 1) | output layer |
# | `Z1`, `A1` | (h, m) | hidden pre-activations and activations |
# | `Z2`, `A2` | (o, m) | output pre-activations and activations |

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
from backprop import show
from selfcheck import Report, as_numbers, check_gradients, check_values, check_yourself
from simple_network import SimpleNeuralNetwork

X_sine = np.linspace(-np.pi, np.pi, 100).reshape(1, -1)
Y_sine = np.sin(X_sine)

# %% [markdown] text="task"
# ## The network
#
# Write `SineNetwork`, a `SimpleNeuralNetwork` with its own forward pass, loss and backward pass. It must work for any
# number of inputs and outputs, not only for one.
#
# - **Hidden layer:** tanh or the sigmoid, as you like. Both are right; choose one and use it in both passes.
# - **Output layer:** linear. The output is the pre-activation itself, $A_2 = Z_2$, so it can be any number.
# - **Loss:** the mean squared error, that is the **mean over the m examples of the sum over the outputs** of the
#   squared errors, with **no factor 1/2**:
#
# $$L = \frac{1}{m} \sum_{k=1}^{m} \sum_{i=1}^{o} (a_{ik} - y_{ik})^2$$
#
# The methods:
#
# - `forward_pass(X)` computes `self.Z1`, `self.A1`, `self.Z2`, `self.A2` and returns `self.A2`;
# - `compute_loss(Y)` returns L as one number, from the `self.A2` of the last forward pass;
# - `backward_pass(X, Y)` computes `self.dW1`, `self.db1`, `self.dW2`, `self.db2`: the gradients of L, each in the
#   shape of its parameter. It does not change the parameters.
#
# The update and the training loop are inherited: `train` calls your three methods in every epoch.
#
# **A small example.** Two outputs and two examples, $A_2 = \begin{pmatrix} 1 & 3 \\ 0 & 2 \end{pmatrix}$ and
# $Y = \begin{pmatrix} 0.5 & 4 \\ 1 & 2 \end{pmatrix}$. The errors are 0.5 and -1, -1 and 0, and $L = (0.25 + 1 + 1 + 0) / 2 = 1.125$. If the
# first entry grows by a little $\varepsilon$, then L grows by $\frac{1}{2} \cdot 2 \cdot 0.5\, \varepsilon = 0.5\, \varepsilon$.

# %% student="network"
class SineNetwork(SimpleNeuralNetwork):
    """One hidden layer (tanh or sigmoid), a linear output, mean squared error."""

    def forward_pass(self, X):
        ### BEGIN SOLUTION
        self.Z1 = self.W1 @ X + self.b1
        self.A1 = np.tanh(self.Z1)
        self.Z2 = self.W2 @ self.A1 + self.b2
        self.A2 = self.Z2
        return self.A2
        ### END SOLUTION

    def compute_loss(self, Y):
        ### BEGIN SOLUTION
        return np.sum((self.A2 - Y) ** 2) / Y.shape[1]
        ### END SOLUTION

    def backward_pass(self, X, Y):
        ### BEGIN SOLUTION
        m = X.shape[1]
        dZ2 = 2 * (self.A2 - Y) / m
        self.dW2 = dZ2 @ self.A1.T
        self.db2 = np.sum(dZ2, axis=1, keepdims=True)
        dZ1 = (self.W2.T @ dZ2) * (1 - self.A1**2)
        self.dW1 = dZ1 @ X.T
        self.db1 = np.sum(dZ1, axis=1, keepdims=True)
        ### END SOLUTION

# %% [markdown] text="check_text"
# ### Check yourself
#
# The next cell compares your gradients with the slope of your own loss. It holds no answers: a wrong loss with the
# gradients that fit it passes here, and is found after you hand in.

# %% selfcheck="network"
def selfcheck_network():
    rng = np.random.default_rng(0)
    network = SineNetwork(3, 5, 7, rng=rng, weight_scale=1.0)
    return check_gradients(network, X=rng.normal(size=(3, 11)), Y=rng.normal(size=(7, 11)))


check_yourself(selfcheck_network)

# %% question="forward_regression"
# Z1, A1, Z2, A2 and the returned value {each}.

# %% question="squared_loss"
# the loss {loss}, given your own outputs.

# %% question="output_gradients"
# dW2 {dW2} and db2 {db2}, given your own activations.

# %% question="hidden_gradients"
# dW1 {dW1} and db1 {db1}, given your own activations.

# %% [markdown] text="fit_text"
# ## The fit
#
# Write `fit_sine(seed)`. It makes a `SineNetwork` from a seed, trains it on `X_sine` and `Y_sine`, and **returns the
# trained network**. Everything else is your choice: the number of hidden units, the weight scale
# (`SineNetwork(1, ..., 1, rng=seed, weight_scale=...)`), the learning rate and the number of epochs.
#
# **The aim:** a mean squared error of **at most 0.01** on the 100 points, from any seed. After you hand in, three seeds
# are tried and the worst of them counts: at most 0.01 earns three points, at most 0.03 half of them. For comparison,
# the best straight line reaches 0.203. A call should take less than three seconds.
#
# Choosing is a part of the work. If the loss grows or becomes `nan`, the steps are too long. If it is still falling at
# the end, it needs more epochs or longer steps.

# %% student="fit_sine"
def fit_sine(seed):
    """A SineNetwork that was trained on X_sine and Y_sine."""
    ### BEGIN SOLUTION
    network = SineNetwork(1, 20, 1, rng=seed, weight_scale=1.0)
    network.train(X_sine, Y_sine, epochs=4000, learning_rate=0.03)
    return network
    ### END SOLUTION

# %% selfcheck="fit"
# A look at your fit for one seed: the mean squared error, straight from the predictions.
def selfcheck_fit():
    trained = fit_sine(seed=1)
    assert trained is not None, "fit_sine returns nothing: is there a `return network` at the end?"
    predicted = as_numbers(trained.forward_pass(X_sine))
    check_values({"predictions": predicted}, {"predictions": (1, 100)})
    return Report(f"mean squared error on the 100 points: {np.mean((predicted - Y_sine) ** 2):.5f}")


check_yourself(selfcheck_fit)

# %% question="sine_fit"
# the mean squared error that fit_sine reaches for three seeds.

# %% [markdown] text="plot_text"
# ## Prediction against truth
#
# Write `draw_fit(ax, network)`: it draws the sine and the prediction of the network in one picture, on the axes `ax` that it is
# given. The sine is drawn on the training range from $-\pi$ to $\pi$ at least; the prediction, `network.forward_pass(...)`, on
# a wider range **from -12 to 12**, so that one also sees what happens where there was no training data. Give each of the two
# curves a label, and label both axes (`ax.set(xlabel=..., ylabel=...)`). All else is up to you, such as marking the range of
# the training data. The function returns nothing, and needs neither `plt.show()` nor a legend: the cell below shows it
# with your network.

# %% student="plot"
def draw_fit(ax, network):
    """The sine and the prediction of the network on these axes."""
    ### BEGIN SOLUTION
    wide = np.linspace(-12, 12, 600).reshape(1, -1)
    ax.axvspan(-np.pi, np.pi, color="0.92", label="training data")
    ax.plot(wide[0], np.sin(wide[0]), color="0.45", linestyle=":", label="sine, not trained on")
    ax.plot(X_sine[0], Y_sine[0], color="#0072B2", linewidth=4, alpha=0.5, label="sine, 100 points")
    ax.plot(wide[0], network.forward_pass(wide)[0], color="#D55E00", linestyle="--", label="network")
    ax.set(xlabel="x", ylabel="output", title="Outside the training range the network does not follow the sine")
    ### END SOLUTION

# %% show="picture"
# The picture, with your network.
fig, ax = plt.subplots(figsize=(7.5, 3.8), layout="constrained")
draw_fit(ax, fit_sine(seed=1))
fig.legend(loc="outside lower center", ncols=4, fontsize=9)
show("The sine and the prediction of your network, on the training range from -pi to pi and beyond it.")

# %% question="fit_picture"
# both curves, with labels {curves}, and the prediction beyond the training range {beyond}; your function is called with axes
# and with a network of ours.

# %% [markdown] written="regression_words"
# ### What changed, and why
#
# Answer in the cell below, in about six sentences:
#
# 1. Compare the output error `dZ2` here with the one of the baseline (sigmoid and cross-entropy). What is the same, what
#    is different, and why does no derivative of an output activation appear in either?
# 2. Why can the baseline's sigmoid output not be used for the sine?
# 3. What does your network do far outside of the training range, and why can a network with a tanh or sigmoid hidden layer not go on like
#    a sine for ever?
#
# === BEGIN MARK SCHEME ===
#
# - 1 point: the output error is 2 (A2 - Y) / m against (A2 - Y) / m. Here the derivative of the output activation is 1;
#   in the baseline the derivative of the sigmoid is cancelled by the cross-entropy. A good answer has both halves.
# - 1 point: a sigmoid output lies between 0 and 1, the sine is negative on half of the range (and reaches -1).
# - 1 point: outside the range nothing in the loss says what to do. Hidden units saturate, each tends to a constant, and
#   so does the output: far outside it is a flat line at some height. "It does not know", with saturation, is enough.
#
# === END MARK SCHEME ===
