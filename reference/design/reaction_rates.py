# %% [markdown] text="title"
# Until now the network was given. Here you design one: for a chemical reaction, predict the **rate constant k** (in 1/s)
# from properties of the molecules and from the conditions. A chemist would need it for values of k **between
# $10^{-9}$ and $10^{9}$ per second**: from decades to nanoseconds.
#
# You hand in your design as a small record and argue for it in words. The record is checked for **consistency** by machine:
# do the shapes fit, can the output reach the target? Whether the design is **sensible** is for a person to say. Then you
# train it on data that follow the law of Arrhenius,
#
# $$k = A\, e^{-E_a / (R T)}.$$

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
from backprop import show
from selfcheck import Line, Report, as_numbers, check_values, check_yourself
from simple_network import SimpleNeuralNetwork

# %% [markdown] text="record_text"
# ## (a), (b), (c) The record
#
# Fill in `design`, a dictionary with these keys:
#
# | key | what to give |
# |---|---|
# | `features` | (a) a list of **at least five** different features, each `{"name": ..., "unit": ...}`; the unit of a number without dimension is `"1"`; the rate itself is no feature. **At least three** are properties of the **molecules** that react |
# | `hidden` | (b) a list with one `{"units": ..., "activation": ...}` for each hidden layer, at least one |
# | `output` | (b) one `{"units": ..., "activation": ...}` |
# | `weight_shapes` | (b) the shapes of W1, W2, ... for **your** features, as pairs `[rows, columns]` in this course's layout (one column per example) |
# | `parameters` | (b) the number of parameters, weights **and** biases |
# | `target_transform` | (c) what is done to k before it is compared with the output |
# | `loss` | (c) the loss |
#
# A property of a molecule is known before anybody measures a rate: it is computed, or looked up in a table. What an experimenter
# sets (temperature, pressure, concentrations, solvent, catalyst) is a condition, and what is found from measured rates
# (activation energy, even a computed one, and the pre-exponential factor) is half of the answer. Both may be features too, and do not count among the three.
#
# The words that may be used:
#
# - **activation:** `linear`, `sigmoid` (0 to 1; the ends count as reached), `tanh` (-1 to 1), `relu` (from 0), `softplus` (from 0), `exp` (from 0);
# - **target_transform:** `none`; `log10`; `standardise` (subtract the mean, divide by the standard deviation); `minmax`
#   (shift and scale, so that the smallest target of the task becomes 0 and the largest 1); `log10+standardise` and
#   `log10+minmax` (first the logarithm, then the other);
# - **loss:** `mse`, `mae` (mean absolute error), `huber`, `bce` (binary cross-entropy), `ce` (categorical cross-entropy),
#   `hinge`.
#
# **An example for another task:** the price of a flat in euros, from 10,000 to 10,000,000.
#
# ```python
# design = {
#     "features": [
#         {"name": "floor area", "unit": "m^2"},
#         {"name": "number of rooms", "unit": "1"},
#     ],
#     "hidden": [
#         {"units": 5, "activation": "relu"},
#         {"units": 4, "activation": "relu"},
#     ],
#     "output": {"units": 1, "activation": "softplus"},
#     "weight_shapes": [[5, 2], [4, 5], [1, 4]],
#     "parameters": 44,            # (5 * 2 + 5) + (4 * 5 + 4) + (1 * 4 + 1)
#     "target_transform": "none",  # the output is positive, too
#     "loss": "huber",
# }
# ```
#
# Shapes are marked given your own features and layers, the number of parameters given your own shapes.

# %% student="record"
# Fill in:  design = {...}
### BEGIN SOLUTION
design = {
    "features": [
        {"name": "temperature", "unit": "K"},
        {"name": "energy of the weakest bond", "unit": "kJ/mol"},
        {"name": "energy of the highest occupied orbital", "unit": "eV"},
        {"name": "concentration of the catalyst", "unit": "mol/L"},
        {"name": "relative permittivity of the solvent", "unit": "1"},
        {"name": "dipole moment", "unit": "D"},
        {"name": "molar mass", "unit": "g/mol"},
    ],
    "hidden": [{"units": 16, "activation": "tanh"}],
    "output": {"units": 1, "activation": "linear"},
    "weight_shapes": [[16, 7], [1, 16]],
    "parameters": (16 * 7 + 16) + (1 * 16 + 1),
    "target_transform": "log10+standardise",
    "loss": "mse",
}
### END SOLUTION

# %% selfcheck="record"
# A look at your record: is everything there, in the words of the text? Whether it fits together is marked after you
# hand in.
def selfcheck_record():
    activations = ("linear", "sigmoid", "tanh", "relu", "softplus", "exp")
    transforms = ("none", "log10", "standardise", "minmax", "log10+standardise", "log10+minmax")
    losses = ("mse", "mae", "huber", "bce", "ce", "hinge")
    keys = ("features", "hidden", "output", "weight_shapes", "parameters", "target_transform", "loss")
    left_out = [key for key in keys if key not in design]
    assert not left_out, f"Fill in `design` above. Not there yet: {', '.join(left_out)}."

    def word(name, value, words):
        told = f"{name} is {value!r}, but has to be one of {', '.join(words)}."
        assert str(value).lower().replace(" ", "") in words, told

    names = [feature["name"] for feature in design["features"] if feature["unit"]]
    assert len(set(names)) >= 5, f"At least five different features with a unit are asked; there are {len(set(names))}."
    assert design["hidden"], "At least one hidden layer is asked."
    for k, layer in enumerate((*design["hidden"], design["output"]), start=1):
        word(f"the activation of layer {k}", layer["activation"], activations)
        assert layer["units"] == int(layer["units"]) > 0, f"The units of layer {k} have to be a whole number above 0."
    word("target_transform", design["target_transform"], transforms)
    word("loss", design["loss"], losses)
    layers = len(design["hidden"]) + 1
    shapes = check_values(design, {"weight_shapes": (layers, 2), "parameters": ()}, ranges={"parameters": (0, np.inf)})
    return Report("Everything is there.", shapes.lines, shapes.notes)


check_yourself(selfcheck_record)

# %% question="features_record"
# (a) five or more different features {features}, three of them of the molecules {molecular}, a unit for each {units}.

# %% question="layers_record"
# (b) layers {layers}, shapes and number of parameters {weight_shapes, parameters}.

# %% question="target_record"
# (c) an output that reaches the target {output_reaches}, a loss that fits {loss}.

# %% [markdown] written="choice_words"
# ### (a), (b) Why these features and layers?
#
# In the cell below: say for each feature in one sentence why it matters for the rate. Then say why you chose this number
# of layers and units and these activations, and compare the number of parameters with a data set of 300 reactions.
#
# === BEGIN MARK SCHEME ===
#
# The machine has checked names, units, shapes and counts, and leaves a note where the design is consistent and unusual
# (unknown units, linear hidden layers, very large layers). Sense is marked here.
#
# - 1 point: at least five features with a chemical or physical reason each (bond energies and orbital energies for the barrier,
#   size and shape for the way to each other, charges and dipole moment for the solvent, temperature through the law of
#   Arrhenius, concentrations, catalyst ...). Half a point when some reasons are empty.
# - 1 point: layers. Half of it for a reason for the hidden activation, depth and width (a smooth function of few inputs needs
#   one small layer; without a non-linear activation the network is a linear formula), half of it for parameters against
#   examples (about a hundred for 300 can be fitted; thousands would overfit without a penalty, early stopping or more data).
#
# === END MARK SCHEME ===

# %% [markdown] written="loss_words"
# ### (c) Why this loss and this transform?
#
# In the cell below: what would the squared error of the untransformed k do, when k runs over 18 orders of magnitude? Why do
# your transform, your output activation and your loss fit together?
#
# === BEGIN MARK SCHEME ===
#
# - 1 point: untransformed, the few largest rates decide the loss alone: an error of a factor 10 at k = 1e-6 costs nothing next
#   to an error of 1 % at k = 1e6. On the logarithm an error is a factor, and every reaction counts alike.
# - 1 point: the chain fits: which values the transformed target has, that the output reaches them, and a loss for numbers (with
#   a reason: squared error for noise of equal size in log k, absolute or Huber error against outliers).
#   A design without the logarithm can earn this point if its author says what it will do badly.
#
# === END MARK SCHEME ===

# %% [markdown] text="data_text"
# ## (d) Training the design
#
# Here is a data set for your design. We made it, with these equations: the law of Arrhenius, a catalyst that lowers the
# barrier, a polar solvent that lowers it as well, and the primary salt effect after Brønsted and Bjerrum. That one belongs to a
# reaction between two ions (here with a product of charges of 1); one of them is in excess, so that k is in 1/s. Its factor
# 1.02 holds for water at 25 °C. We take it for all solvents and temperatures, to keep the equations short:
#
# $$\log_{10} k = \log_{10} A - \frac{E}{\ln 10 \; R\, T} + 1.02 \sqrt{I} + \text{noise},
# \qquad E = E_a - 15\,\frac{c}{c + 0.02} + \frac{20}{\varepsilon}$$
#
# | row of `X` | quantity | range and unit |
# |---|---|---|
# | 0 | temperature T | 300 to 400 K |
# | 1 | activation energy $E_a$ (without catalyst) | 50 to 100 kJ/mol |
# | 2 | $\log_{10} A$ of the pre-exponential factor in 1/s | 11 to 13 |
# | 3 | concentration of the catalyst c | 0 to 0.1 mol/L |
# | 4 | relative permittivity of the solvent $\varepsilon$ | 2 to 80, no dimension |
# | 5 | ionic strength I | 0 to 0.5 mol/L |
#
# R is 8.314e-3 kJ/(mol K); the noise of $\log_{10} k$ has a standard deviation of 0.05. The target `k` has shape (1, m).
#
# **These six rows are your inputs now**, whatever features your record lists. So the first weight matrix has **six columns**;
# everything else must be as in your record.

# %% given="data"
def rate_data(m, seed):
    """Inputs X (6, m) and rate constants k (1, m) in 1/s."""
    rng = np.random.default_rng(seed)
    T, Ea, log_A = rng.uniform(300, 400, m), rng.uniform(50, 100, m), rng.uniform(11, 13, m)
    c, eps, ionic = rng.uniform(0, 0.1, m), rng.uniform(2, 80, m), rng.uniform(0, 0.5, m)
    barrier = Ea - 15 * c / (c + 0.02) + 20 / eps
    log_k = log_A - barrier / (np.log(10) * 8.314e-3 * T) + 1.02 * np.sqrt(ionic) + rng.normal(0, 0.05, m)
    return np.vstack([T, Ea, log_A, c, eps, ionic]), 10 ** log_k[None, :]


X_all, k_all = rate_data(400, seed=0)
X_train, k_train, X_test, k_test = X_all[:, :300], k_all[:, :300], X_all[:, 300:], k_all[:, 300:]
print(f"k runs from {k_train.min():.1e} to {k_train.max():.1e} per second,")
print(f"with a median of {np.median(k_train):.1e} and a mean of {k_train.mean():.1e}")

# %% show="data_picture"
# Left: k runs over twelve orders of magnitude, so its logarithm is drawn. Right: hot reactions with a low barrier
# are fast.
fig, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
axes[0].hist(np.log10(k_train[0]), bins=25, color="#0072B2")
axes[0].set(xlabel="log10 of k in 1/s", ylabel="number of reactions", title="300 reactions")
points = axes[1].scatter(1000 / X_train[0], np.log10(k_train[0]), c=X_train[1], cmap="viridis", s=22)
fig.colorbar(points, ax=axes[1], label="activation energy, kJ/mol")
axes[1].set(xlabel="1000 / T in 1/K", ylabel="log10 of k in 1/s", title="Arrhenius plot")
show(
    "Left: a histogram of log10 of k for 300 reactions. Right: log10 of k against 1000 / T; the colour of a "
    "point is the activation energy."
)

# %% [markdown] text="train_text"
# Write `train_design(X_train, k_train, X_test, seed)`. It builds the network of your record (with six inputs), trains it with
# backpropagation on `X_train` (6, m) and `k_train` (1, m), and returns **two things**:
#
# - the predicted rate constants for `X_test`, **in 1/s** and positive, of shape (1, number of columns of `X_test`): undo your
#   target transform;
# - the list of the trained parameters in the order `[W1, b1, W2, b2, ...]`.
#
# `seed` draws the initial weights. You may define a network class in the same cell; your classes from earlier exercises are a
# good start, and `SimpleNeuralNetwork` brings the training loop. Take whatever scales you need from the training data.
#
# **The aim:** a root mean square error of $\log_{10} k$ of **at most 0.28** on new examples, that is a factor of 1.9 in k. Three
# other data sets from the same equations are tried and the worst one counts: at most 0.28 earns three points, at most 0.8
# half of them. For comparison: always answering the mean gives about 2.4, and the best linear formula for $\log_{10} k$ about
# 0.33, so the aim takes a network that bends. The predictions must come from the trained network. A call should take less than three seconds.

# %% student="training"
def train_design(X_train, k_train, X_test, seed):
    """Predicted rate constants (1, m) in 1/s for X_test, and the trained parameters."""
    ### BEGIN SOLUTION
    class RateNetwork(SimpleNeuralNetwork):
        """tanh in the hidden layer, a linear output, mean squared error."""

        def forward_pass(self, X):
            self.Z1 = self.W1 @ X + self.b1
            self.A1 = np.tanh(self.Z1)
            self.A2 = self.Z2 = self.W2 @ self.A1 + self.b2
            return self.A2

        def compute_loss(self, Y):
            return np.sum((self.A2 - Y) ** 2) / Y.shape[1]

        def backward_pass(self, X, Y):
            dZ2 = 2 * (self.A2 - Y) / Y.shape[1]
            self.dW2, self.db2 = dZ2 @ self.A1.T, dZ2.sum(axis=1, keepdims=True)
            dZ1 = (self.W2.T @ dZ2) * (1 - self.A1**2)
            self.dW1, self.db1 = dZ1 @ X.T, dZ1.sum(axis=1, keepdims=True)

    centre, width = X_train.mean(axis=1, keepdims=True), X_train.std(axis=1, keepdims=True)
    log_k = np.log10(k_train)
    network = RateNetwork(6, 16, 1, rng=seed, weight_scale=0.3)
    target = (log_k - log_k.mean()) / log_k.std()
    network.train((X_train - centre) / width, target, epochs=2000, learning_rate=0.2)
    predicted = network.forward_pass((X_test - centre) / width) * log_k.std() + log_k.mean()
    return 10**predicted, [network.W1, network.b1, network.W2, network.b2]
    ### END SOLUTION

# %% selfcheck="training"
# A look at your training on the data above, for one seed.
def selfcheck_training():
    k_predicted, parameters = train_design(X_train, k_train, X_test, seed=1)
    problem = as_numbers(k_predicted)
    assert not isinstance(problem, str), f"What is returned for k {problem}."
    k_predicted = problem
    shape = k_predicted.shape
    assert shape == k_test.shape, f"the predictions have shape {shape}, expected {k_test.shape}"
    finite = np.mean(np.isfinite(k_predicted))
    assert finite == 1, (
        f"{1 - finite:.0%} of the predictions are not finite: did the training diverge? Smaller steps and "
        "standardised inputs help."
    )
    assert np.all(k_predicted > 0), "rate constants are positive: did you undo the target transform?"
    error = np.sqrt(np.mean((np.log10(k_predicted) - np.log10(k_test)) ** 2))
    shapes = [np.shape(p) for p in parameters]
    assert all(np.all(np.isfinite(as_numbers(p))) for p in parameters), (
        "Some parameters are not finite: the training diverged."
    )
    far = "; did you undo just your transform (10 **, not exp), and scale X_test as X_train?" if error > 1 else ""
    return Report(f"root mean square error of log10 k on the test set: {error:.3f}; the aim is at most 0.28{far}", (
        Line("parameters", "ok", f"their shapes, with six inputs: {shapes}"),))


check_yourself(selfcheck_training)

# %% show="result_picture"
# Prediction against truth for the test reactions: on the line the two are equal.
k_predicted, _ = train_design(X_train, k_train, X_test, seed=1)
error = np.sqrt(np.mean((np.log10(k_predicted) - np.log10(k_test)) ** 2))
fig, ax = plt.subplots(figsize=(4.8, 4.2), layout="constrained")
ax.plot(np.log10(k_test[0]), np.log10(k_predicted[0]), "o", color="#D55E00", markersize=5, alpha=0.8)
ax.axline((0, 0), slope=1, color="0.3", linewidth=1)
ax.set(xlabel="log10 of k in 1/s, measured", ylabel="log10 of k in 1/s, predicted")
ax.set_title(f"100 new reactions, error {error:.2f}")
show(
    "Predicted against measured log10 of k for 100 new reactions, with the line on which the two are equal."
)

# %% question="trained_design"
# (d) the stated design was trained {as_designed}, error on new examples {fit}.

# %% [markdown] written="backprop_words"
# ### (d) How does backpropagation train it?
#
# In the cell below, for **your** design: what is the error signal at the output (a formula), how does it reach the first
# layer (which matrices and which derivatives does it meet, in which order), and what happens in one update?
#
# === BEGIN MARK SCHEME ===
#
# - 1 point: the output error for the stated loss and output activation, in transformed units (for mse and a linear output
#   2 (A2 - Y) / m; with another activation its derivative is a factor), and that no gradient goes through the target transform.
# - 1 point: back through W2 transposed, then the derivative of the hidden activation, entry by entry (for two hidden layers
#   once more), gradients as error signal times incoming activations, then all parameters move at once against them.
#
# === END MARK SCHEME ===

# %% [markdown] written="difficulties_words"
# ## (e) Difficulties and remedies
#
# In the cell below: name **three** difficulties that this task would have with real data, each with a remedy and with the
# reason why it helps.
#
# === BEGIN MARK SCHEME ===
#
# One point for each of three difficulties with a fitting remedy and a reason; half a point without the reason. For example:
#
# - features on different scales (kelvin, moles per litre): standardise with the training data, otherwise units saturate and one
#   learning rate cannot suit all weights;
# - few and expensive data: small network, L2 penalty, early stopping, cross-validation, known physics in the inputs (1/T);
# - a target over many orders of magnitude: the logarithm;
# - correlated or redundant features: remove, or penalise;
# - missing values or measurements of different quality: imputation, weights in the loss, Huber loss;
# - extrapolation to new kinds of molecules or to other temperatures: hold out whole families when testing, state where the
#   model is valid;
# - vanishing gradients in a deep design: ReLU, residual connections, batch normalisation, or a shallower network.
#
# === END MARK SCHEME ===
