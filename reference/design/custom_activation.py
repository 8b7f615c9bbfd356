# %% [markdown] text="title"
# An activation does not have to be one of the usual three. Here you take a new one,
#
# $$f(x) = x \tanh x,$$
#
# differentiate it, build a layer with it, find out how it behaves, and judge whether it is a good idea. In the
# literature it is known as LiSHT, a linearly scaled hyperbolic tangent (Roy and others, 2019).
#
# What you need to know: $\tanh'(x) = 1 - \tanh^2 x = \dfrac{1}{\cosh^2 x}$.

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
import sympy
from backprop import accuracy, load_moons, plot_decision_boundary, show, sigmoid
from selfcheck import as_numbers, check_function, check_gradient, check_values, check_yourself
from simple_network import SimpleNeuralNetwork

x = sympy.Symbol("x")


def f(z):
    """x tanh x, entry by entry."""
    return z * np.tanh(z)

# %% [markdown] text="part_a"
# ## (a) The derivative
#
# Derive $f'(x)$ by hand and hand it in as **`f_prime`**, in one of two forms, as you like:
#
# - a **sympy expression** in the symbol `x` that is defined above, or
# - a **Python function** of one number (or of an array).
#
# Leave the names `f` and `x` as they are: the cells below use them. What you need on the way gets a name of its own.
#
# Any equivalent form is right: expanded, factored, with exponentials, with cosh. A small example with another
# function: the derivative of $x^2 \sin x$ may be handed in as
#
# ```python
# f_prime = 2 * x * sympy.sin(x) + x**2 * sympy.cos(x)
# ```
#
# or as
#
# ```python
# def f_prime(x):
#     return 2 * x * np.sin(x) + x**2 * np.cos(x)
# ```

# %% student="derivative"
# Fill in:  f_prime = ...   or   def f_prime(x): ...
### BEGIN SOLUTION
f_prime = sympy.tanh(x) + x * (1 - sympy.tanh(x) ** 2)
### END SOLUTION

# %% selfcheck="derivative"
# A look at your derivative: it is compared with the slope of f, measured between close points.
def selfcheck_derivative():
    answer = f_prime
    if isinstance(answer, sympy.Lambda):
        answer = answer.expr
    if isinstance(answer, sympy.Basic):
        answer = sympy.lambdify(list(answer.free_symbols) or [x], answer.doit(), "numpy")
    assert callable(answer), "f_prime has to be a sympy expression in x, or a function."

    def your_f_prime(z):
        return np.reshape([as_numbers(answer(entry)).item() for entry in np.ravel(z)], np.shape(z))

    return check_function(f, your_f_prime, points=[-3, -2, -1, -0.4, 0.1, 0.5, 1, 1.5, 2, 3])


check_yourself(selfcheck_derivative)

# %% question="derivative_of_f"
# f_prime {f_prime}, at points on both sides of zero.

# %% [markdown] text="part_b"
# ## (b) A layer that uses it
#
# A layer with h units and n inputs, for m examples in columns:
#
# | what | shape | meaning |
# |---|---|---|
# | `X` | (n, m) | what comes into the layer, one **column** per example |
# | `W`, `b` | (h, n), (h, 1) | its parameters |
# | `Z`, `A` | (h, m) | pre-activations $Z = W X + b$ and activations $A = f(Z)$ |
# | `dA` | (h, m) | the derivative of the loss L with respect to `A`, from the layer above |
# | `dZ` | (h, m) | the derivative of L with respect to `Z` |
# | `dW`, `db`, `dX` | as `W`, `b`, `X` | the derivatives of L with respect to `W`, `b` and `X` |
#
# Write two functions:
#
# - `layer_forward(X, W, b)` returns `Z, A`;
# - `layer_backward(dA, Z, X, W)` returns `dZ, dW, db, dX`. It needs the derivative for whole arrays: if your `f_prime` is a
#   sympy expression, write it once more here with NumPy.
#
# **The factor 1/m.** L is the loss as a whole, a mean over the examples, and `dA` is its derivative: **the 1/m is in `dA`
# already**. Your function sums over the examples and does not divide again.
#
# **A small example.** One unit, two examples: $W = (2)$, $b = 1$, $X = (1,\ -1)$. Then $Z = (3,\ -1)$ and
# $A = (3 \tanh 3,\ -1 \cdot \tanh(-1)) = (2.985,\ 0.762)$. If f were the identity, $dA = (0.5,\ 1)$ would give
# $dW = 0.5 \cdot 1 + 1 \cdot (-1) = -0.5$, $db = 1.5$ and $dX = (1,\ 2)$; with your f a factor comes in for each entry.

# %% student="layer"
def layer_forward(X, W, b):
    """Z and A of a layer with the activation x tanh x."""
    ### BEGIN SOLUTION
    Z = W @ X + b
    return Z, Z * np.tanh(Z)
    ### END SOLUTION


def layer_backward(dA, Z, X, W):
    """dZ, dW, db and dX of the same layer."""
    ### BEGIN SOLUTION
    t = np.tanh(Z)
    dZ = dA * (t + Z * (1 - t**2))
    dW = dZ @ X.T
    db = np.sum(dZ, axis=1, keepdims=True)
    dX = W.T @ dZ
    return dZ, dW, db, dX
    ### END SOLUTION

# %% selfcheck="layer"
# A look at your layer: with the loss L = sum(C * A), for some fixed numbers C, the gradient dA is C.
def selfcheck_layer():
    rng = np.random.default_rng(0)
    C = rng.normal(size=(5, 11))
    return check_gradient(
        lambda W, b, X: np.sum(np.multiply(C, layer_forward(X, W, b)[1])),
        lambda W, b, X: tuple(layer_backward(C, layer_forward(X, W, b)[0], X, W))[1:],
        {"W": rng.normal(size=(5, 3)), "b": rng.normal(size=(5, 1)), "X": rng.normal(size=(3, 11))},
        sizes={"m": 11},
    )


check_yourself(selfcheck_layer)

# %% question="layer_forward"
# Z {Z} and A {A}.

# %% question="layer_backward"
# dZ and dW {dZ, dW}, db and dX {db, dX}, given your own dZ.

# %% [markdown] text="part_c"
# ## (c) Properties
#
# Fill in the record `properties` for $f(x) = x \tanh x$.
#
# | key | what to give |
# |---|---|
# | `range` | the smallest interval that holds all values of f: `[low, high]` |
# | `parity` | `"even"`, `"odd"` or `"neither"` |
# | `decreasing_on`, `increasing_on` | the largest interval of x on which f falls, and on which it rises, or `"nowhere"` |
# | `slope_at_zero` | $f'(0)$ |
# | `slope_at_minus_infinity`, `slope_at_plus_infinity` | the limits of $f'(x)$ far out on the left and on the right |
# | `largest_slope_at` | the x at which $f'(x)$ is largest |
# | `largest_slope` | the value of $f'$ there |
#
# An infinite end is `float("inf")` or `-float("inf")`. Whether an end belongs to the interval does not matter. Four
# significant figures are enough; the place of the largest slope has no simple formula, so find it numerically. The
# largest slope is marked given your own place.
#
# **An example**, for the sigmoid:
#
# ```python
# properties = {
#     "range": [0, 1], "parity": "neither",
#     "decreasing_on": "nowhere", "increasing_on": [-float("inf"), float("inf")],
#     "slope_at_zero": 0.25, "slope_at_minus_infinity": 0, "slope_at_plus_infinity": 0,
#     "largest_slope_at": 0, "largest_slope": 0.25,
# }
# ```

# %% student="record"
# Fill in:  properties = {...}
### BEGIN SOLUTION
low, high = 0.5, 2.0  # f'' changes its sign in between: x tanh x = 1, which is coth x = x
for _ in range(60):
    middle = (low + high) / 2
    low, high = (middle, high) if middle * np.tanh(middle) < 1 else (low, middle)

properties = {
    "range": [0, float("inf")],
    "parity": "even",
    "decreasing_on": [-float("inf"), 0],
    "increasing_on": [0, float("inf")],
    "slope_at_zero": 0,
    "slope_at_minus_infinity": -1,
    "slope_at_plus_infinity": 1,
    "largest_slope_at": middle,
    "largest_slope": np.tanh(middle) + middle / np.cosh(middle) ** 2,
}
### END SOLUTION

# %% selfcheck="record"
# A look at your record: are the numbers there? It does not know the right ones.
def selfcheck_record():
    numbers = (
        "slope_at_zero",
        "slope_at_minus_infinity",
        "slope_at_plus_infinity",
        "largest_slope_at",
        "largest_slope",
    )
    report = check_values(properties, dict.fromkeys(numbers, ()))
    for key in ("range", "parity", "decreasing_on", "increasing_on"):
        told = properties.get(key)
        assert str(told) not in ("None", "Ellipsis"), f"`{key}` is not filled in yet."
        word, pair = isinstance(told, str), np.shape(told) == (2,)
        if key == "parity":
            assert word, "`parity` has to be one of the three words of the table, in quotes."
        else:
            assert word or pair, f"`{key}` has to be a list of two numbers, the left end and the right end."
    return report


check_yourself(selfcheck_record)

# %% question="properties_of_f"
# range, parity, largest_slope_at {range, parity, largest_slope_at}, the others {decreasing_on, increasing_on,
# slope_at_zero, slope_at_minus_infinity, slope_at_plus_infinity, largest_slope}.

# %% [markdown] text="part_d"
# ## (d) Comparison with ReLU and sigmoid
#
# The first cell draws the three functions and their slopes, measured between close points. In words: ReLU is zero on
# the left and a straight line of slope 1 on the right; the sigmoid rises from 0 to 1, most steeply at zero; $x \tanh x$ is
# a valley with a round bottom at zero and almost straight sides.

# %% show="picture"
line = np.linspace(-4, 4, 801)
fig, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
curves = {"x tanh x": (f(line), "-"), "ReLU": (np.maximum(line, 0), "--"), "sigmoid": (sigmoid(line), "-.")}
for (name, (values, style)), colour in zip(curves.items(), ("#D55E00", "#0072B2", "#009E73")):
    axes[0].plot(line, values, style, color=colour, label=name)
    axes[1].plot(line, np.gradient(values, line), style, color=colour, label=name)
axes[0].set(title="The functions", xlabel="x", ylabel="value", ylim=(-0.3, 4.1))
axes[1].set(title="Their slopes", xlabel="x", ylabel="slope")
for ax in axes:
    ax.axhline(0, color="0.7", linewidth=0.8)
    ax.legend()
show(
    "Two plots over x from -4 to 4: the functions x tanh x, ReLU and sigmoid on the left, their slopes on the "
    "right."
)

# %% [markdown] text="moons_text"
# The next cell puts your layer into the baseline network, in place of its sigmoid hidden layer, and trains both on the
# moons: 4 hidden units, learning rate 0.5, 3,000 epochs, seven seeds, once with weights of scale 1 and once with weights of
# scale 0.01 at the learning rate 0.1. The table shows the median over the seeds and the worst one. The picture
# shows, for scale 1, the decision boundary of the seed with the median loss: three are better and three are worse.

# %% show="moons"
class LayerNetwork(SimpleNeuralNetwork):
    """The baseline with your layer as its hidden layer."""

    def forward_pass(self, X):
        self.Z1, self.A1 = layer_forward(X, self.W1, self.b1)
        self.Z2 = self.W2 @ self.A1 + self.b2
        self.A2 = sigmoid(self.Z2)
        return self.A2

    def backward_pass(self, X, Y):
        dZ2 = (self.A2 - Y) / Y.shape[1]
        self.dW2, self.db2 = dZ2 @ self.A1.T, dZ2.sum(axis=1, keepdims=True)
        _, self.dW1, self.db1, _ = layer_backward(self.W2.T @ dZ2, self.Z1, X, self.W1)


X_train, Y_train, X_test, Y_test = load_moons()
fig, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
print("hidden layer   scale  median loss  worst loss  median training accuracy")
for scale, rate in ((1.0, 0.5), (0.01, 0.1)):
    for (name, kind), ax in zip({"sigmoid": SimpleNeuralNetwork, "x tanh x": LayerNetwork}.items(), axes):
        networks = [kind(2, 4, 1, rng=seed, weight_scale=scale) for seed in range(7)]
        losses = [network.train(X_train, Y_train, 3000, rate)[-1] for network in networks]
        correct = [accuracy(network.predict(X_train), Y_train) for network in networks]
        print(f"{name:13} {scale:6} {np.median(losses):12.3f} {max(losses):11.3f} {np.median(correct):25.1%}")
        if scale == 1.0:
            typical = np.argsort(losses)[3]  # the network with the median loss
            title = f"{name}: {correct[typical]:.1%} of the training set"
            plot_decision_boundary(networks[typical], X_train, Y_train, ax=ax, title=title)
show(
    "Decision boundaries on the moons, side by side: the baseline with a sigmoid hidden layer, and the same "
    "network with your layer x tanh x."
)

# %% [markdown] text="slopes_text"
# Now the same record as in (c) for the other two, in short: their slopes $f'(x)$.
#
# - `relu_slopes`: far out on the left, and far out on the right (two numbers);
# - `sigmoid_slopes`: far out on the left, at zero, and far out on the right (three numbers).

# %% student="slopes"
# Fill in:  relu_slopes = [..., ...]     sigmoid_slopes = [..., ..., ...]
### BEGIN SOLUTION
relu_slopes = [0, 1]
sigmoid_slopes = [0, 1 / 4, 0]
### END SOLUTION

# %% question="other_slopes"
# relu_slopes and sigmoid_slopes {each}.

# %% [markdown] written="activation_words"
# ### (d) Comparison, in words
#
# In the cell below, compare $x \tanh x$ with ReLU and with the sigmoid, in about eight sentences. Use the properties
# that you found, the slopes, the pictures and the table:
#
# 1. What do the slopes that you have given mean for a gradient that passes back through many layers?
# 2. What does it mean that $x \tanh x$ is even, and what does it mean that it is not bounded?
# 3. Weights of scale 0.01: which of the properties explains what you see in the worst seed of the table?
# 4. Would you use it? Give one reason for and one against it.
#
# === BEGIN MARK SCHEME ===
#
# - 1 point, half of it for each: what the slopes mean. The sigmoid lets gradients vanish; ReLU stops them in silent units
#   and keeps them in active ones; x tanh x stops them only near zero and lets them grow slightly (slopes up to 1.2). Two of
#   the three are enough. And what even and unbounded mean: x and -x give the same activation, so the sign of the
#   pre-activation is lost; activations can grow, as with ReLU.
# - 2 points: with weights of scale 0.01 all pre-activations start near 0, where f'(0) = 0: f is about x^2, its slope about
#   2x, so almost no gradient reaches W1 and the network may not leave its start (worst loss 0.693 = log 2, the
#   loss of a constant output 1/2). ReLU has slope 0 or 1 there, and the sigmoid 1/4. One point for "f'(0) = 0", one for the
#   consequence in the table.
# - 1 point: a reasoned verdict with one argument on each side: smooth, no dead units, does not saturate, reached about 97 % at
#   scale 1 where the sigmoid reached about 94 %; against: zero slope at zero, not monotone, tanh costs more than a
#   comparison. The numbers depend on the platform in the last digits only.
#
# === END MARK SCHEME ===
