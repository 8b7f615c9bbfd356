# %% [markdown] text="title"
# # Backpropagation: a guide to this course
#
# **30 minutes · nothing to hand in**
#
# This notebook tells the whole story once, with pictures. Each section ends with a link to the exercises in which you do it
# yourself. Run the cells from top to bottom; change numbers and run them again.
#
# 1. Gradient descent
# 2. The chain rule
# 3. The four equations of backpropagation
# 4. Loss and decision boundary
# 5. Regression, logistic regression and the support vector machine as special cases
# 6. Where gradients vanish and explode
# 7. An example from physics: two phases of a magnet
# 8. From here to the networks of today

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
from backprop import BLUE, ORANGE, PALETTE, load_moons, plot_decision_boundary, plot_losses, show, sigmoid

# %% [markdown] text="descent"
# ## 1. Gradient descent
#
# A network has parameters, such as a weight $w$, and a loss $L(w)$ that says how wrong its answers are. The derivative
# $L'(w)$ is the slope: it says in which direction the loss rises. So we take a small step the other way, again and again:
#
# $$w \leftarrow w - \alpha \, L'(w)$$
#
# The **learning rate** $\alpha$ decides how long a step is. The picture shows twelve steps on $L(w) = (w - 2)^2$, whose slope
# is $2 (w - 2)$, from $w = -1.5$, with three learning rates.

# %% show="descent_picture"
def descend(w, alpha, steps=12):
    path = [w]
    for _ in range(steps):
        path.append(path[-1] - alpha * 2 * (path[-1] - 2))
    return np.array(path)


fig, axes = plt.subplots(1, 3, figsize=(12, 3.4), layout="constrained", sharey=True)
line = np.linspace(-3, 7, 200)
for ax, alpha, text in zip(axes, (0.03, 0.3, 1.02), ("too small: slow", "about right", "too large: it grows")):
    path = descend(-1.5, alpha)
    ax.plot(line, (line - 2) ** 2, color="0.7")
    ax.plot(path, (path - 2) ** 2, "o-", color="#D55E00", markersize=5)
    ax.set(title=f"learning rate {alpha}, {text}", xlabel="w")
    ax.grid(alpha=0.3)
axes[0].set_ylabel("loss")
show(
    "The parabola of the loss three times, each with the points of twelve steps: they creep down, they reach "
    "the bottom, they jump from side to side and rise."
)

# %% [markdown] text="descent_words"
# In words: with 0.03 the points creep down and are not at the bottom after twelve steps. With 0.3 they are there after a few.
# With 1.02 each step jumps over the bottom and lands a little higher on the other side.
#
# **Exercises:** [linear models](../foundations/linear_models.ipynb), [one example per step](../training/sgd.ipynb).

# %% [markdown] text="chain"
# ## 2. The chain rule
#
# A network is a chain of functions. Take the smallest one: an input $x$, a weight $w$, a bias $b$, a sigmoid, a target $y$:
#
# $$z = w x + b, \qquad a = \sigma(z), \qquad L = (a - y)^2$$
#
# How does $L$ change when $w$ changes a little? A change of $w$ moves $z$, that moves $a$, and that moves $L$. The slopes are
# multiplied:
#
# $$\frac{dL}{dw} = \frac{dL}{da} \cdot \frac{da}{dz} \cdot \frac{dz}{dw} = 2 (a - y) \cdot a (1 - a) \cdot x$$
#
# With $x = 2$, $w = 0.5$, $b = -1$ and $y = 1$ we get $z = 0$, $a = 0.5$, $L = 0.25$ and
# $dL/dw = -1 \cdot 0.25 \cdot 2 = -0.5$. The next cell draws the loss for many weights; the straight line has the slope of
# the formula.

# %% show="chain_picture"
def draw_loss(w=0.5):
    x, b, y = 2, -1, 1
    a = sigmoid(w * x + b)
    slope = 2 * (a - y) * a * (1 - a) * x
    weights = np.linspace(-4, 4, 300)
    ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")[1]
    ax.plot(weights, (sigmoid(weights * x + b) - y) ** 2, color="#0072B2", label="loss")
    near = np.array([w - 1, w + 1])
    ax.plot(near, (a - y) ** 2 + slope * (near - w), color="#D55E00", linewidth=3, label="slope by the chain rule")
    ax.plot(w, (a - y) ** 2, "o", color="#D55E00", markersize=9)
    ax.set(xlabel="weight w", ylabel="loss", ylim=(-0.3, 1.3), title=f"w = {w:.2f}: slope {slope:.3f}")
    ax.grid(alpha=0.3)
    ax.legend()
    show(
        f"The loss against the weight w, and a straight line that touches it at w = {w:.2f} with the slope {slope:.3f}."
    )


draw_loss()

# %% [markdown] text="slider_text"
# **Move the weight yourself.** The next cell shows a slider where the notebook runs with widgets; elsewhere the picture above
# is all there is. Far to the left the loss is large and yet almost flat: the sigmoid is saturated, and learning is slow.

# %% show="slider"
try:
    from ipywidgets import FloatSlider, interact

    interact(draw_loss, w=FloatSlider(0.5, min=-3, max=3, step=0.1, continuous_update=False))
except ImportError:
    print("No widgets here. Call draw_loss(-3) or draw_loss(2) to see other weights.")

# %% [markdown] text="fork"
# **Where paths meet, slopes are added.** Along one path they are multiplied. But a value may feed two others: with $u = 5$,
# $v = 2u$ and $w = u^2$ the sum $L = v + w$ changes by way of $v$ *and* by way of $w$, so that
#
# $$\frac{dL}{du} = \frac{dL}{dv} \cdot \frac{dv}{du} + \frac{dL}{dw} \cdot \frac{dw}{du} = 1 \cdot 2 + 1 \cdot 10 = 12$$
#
# In a network a hidden unit is such a fork: it feeds all units of the next layer. That sum is the reason why weights
# appear **transposed** on the way back. The exercise below carries numbers along every edge of a small graph.

# %% [markdown] text="chain_links"
# **Exercises:** [where paths meet](../by_hand/computational_graph.ipynb), [a network by hand](../by_hand/worked_calculation.ipynb), and [practice](practice.ipynb) with fresh numbers.

# %% [markdown] text="equations"
# ## 3. The four equations of backpropagation
#
# With many units the same idea is written with matrices, one **column** per example. Layer $l$ computes
# $Z_l = W_l A_{l-1} + b_l$ and $A_l = f_l(Z_l)$, with $A_0 = X$; $N$ is the number of the last layer. Call
# $\delta_l = \partial L / \partial Z_l$ the **error signal** of layer $l$; it has the shape of $Z_l$. Then
#
# | | equation | in words |
# |---|---|---|
# | 1 | $\delta_N = \dfrac{\partial L}{\partial A_N} \odot f_N'(Z_N)$ | it starts at the output, where the loss is known |
# | 2 | $\delta_l = \left(W_{l+1}^{\mathsf T}\, \delta_{l+1}\right) \odot f_l'(Z_l)$ | it goes back through the weights, then through the activation |
# | 3 | $\dfrac{\partial L}{\partial W_l} = \delta_l\, A_{l-1}^{\mathsf T}$ | a weight gets its signal times the input it has seen, summed over the examples |
# | 4 | $\dfrac{\partial L}{\partial b_l} = \displaystyle\sum_{\text{examples}} \delta_l$ | a bias sees the input 1 |
#
# $\odot$ multiplies entry by entry. When the loss is a mean over $m$ examples, its factor $1/m$ is in equation 1 and goes from
# there into the others. Two forward passes would give the slope for **one** weight; these equations give the slopes for **all**
# weights in one pass back. That is the whole point of backpropagation.
#
# **Exercises:** [the first network](../foundations/simple_network.ipynb), [ReLU](../foundations/relu_derivative.ipynb),
# [two hidden layers](../by_hand/two_hidden_layers.ipynb), [several outputs](../design/multi_output.ipynb),
# [an activation of your own](../design/custom_activation.ipynb).

# %% [markdown] text="boundary"
# ## 4. Loss and decision boundary
#
# The **moons** are the data of many exercises: two classes that no straight line can separate. The next cell trains a network
# of scikit-learn with 8 hidden tanh units and draws what it has learned. The **decision boundary** is the black line on
# which the network answers "one half".

# %% show="boundary_picture"
import warnings

from sklearn.neural_network import MLPClassifier

X_train, Y_train, X_test, Y_test = load_moons()
network = MLPClassifier((8,), activation="tanh", solver="sgd", alpha=0, batch_size=X_train.shape[1], momentum=0,
                        learning_rate_init=1.0, max_iter=1500, tol=0, n_iter_no_change=1500, random_state=0)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it is told to stop after 1,500 epochs
    network.fit(X_train.T, Y_train.ravel())
fig, axes = plt.subplots(1, 2, figsize=(11, 3.8), layout="constrained")
plot_decision_boundary(lambda points: network.predict_proba(points.T)[:, 1], X_train, Y_train, ax=axes[0])
plot_losses(network.loss_curve_, ax=axes[1])
show(
    "Left: the moons with a bent decision boundary between them. Right: the loss against the epoch."
)
print(
    f"training set {network.score(X_train.T, Y_train.ravel()):.1%}, test set "
    f"{network.score(X_test.T, Y_test.ravel()):.1%}"
)

# %% [markdown] text="boundary_words"
# In words: the boundary bends around both moons, more than 95 % of the training points are on their side of it, and the loss
# falls quickly at first, rests for a while, and falls again when the boundary begins to bend.
#
# **Exercises:** [tanh in the hidden layer](../training/tanh_swap.ipynb), [how many hidden units](../training/hidden_size.ipynb),
# [L2 regularisation](../training/l2_regularization.ipynb), [fitting a sine](../design/sin_regression.ipynb).

# %% [markdown] text="special"
# ## 5. Three old friends are special cases
#
# Take away the hidden layer. What is left is one layer, $s = w \cdot x + b$, and the loss decides what it is:
#
# | model | output | loss of one example |
# |---|---|---|
# | linear regression | $s$ | squared error, $(s - y)^2$ |
# | logistic regression | $\sigma(s)$ | cross-entropy |
# | linear support vector machine | $s$ | hinge, $\max(0, 1 - y s)$ with $y = \pm 1$ |
#
# (The exercise writes the support vector machine with $-b$ in place of $+b$, as its literature does.) Only equation 1 differs
# between the three. The gradient of $w$ is in all of them the error signal times the input: equation 3
# with $A_0 = X$.

# %% show="special_picture"
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC

labels = Y_train.ravel()
models = {
    "linear regression": (LinearRegression().fit(X_train.T, labels).predict, 0.5),
    "logistic regression": (LogisticRegression().fit(X_train.T, labels).decision_function, 0.0),
    "linear SVM": (LinearSVC(loss="hinge", max_iter=50_000).fit(X_train.T, labels).decision_function, 0.0),
}
fig, axes = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
for ax, (name, (answer, level)) in zip(axes, models.items()):
    plot_decision_boundary(
        lambda points, answer=answer: answer(points.T), X_train, Y_train, ax=ax, title=name, level=level
    )
show(
    "The moons three times with a straight decision line: linear regression, logistic regression, linear SVM."
)

# %% [markdown] text="special_words"
# In words: all three draw a straight line through the moons, almost the same one. Only a hidden layer can bend it.
#
# **Exercise:** [linear models](../foundations/linear_models.ipynb).

# %% [markdown] text="deep"
# ## 6. Where gradients vanish and explode
#
# Equation 2 multiplies the error signal once per layer: by weights and by a slope. If each layer multiplies by about the same
# factor, what is left after $n$ layers is factor$^n$.

# %% show="deep_picture"
fig, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
layers = np.arange(0, 31)
for factor, style, colour in zip((1.5, 1.0, 0.8, 0.3), (":", "-", "-.", "--"), PALETTE):
    ax.semilogy(layers, factor**layers, style, color=colour, linewidth=2, label=f"{factor:g}")
ax.set(xlabel="layers on the way back", ylabel="size of the signal", title="What is left of an error signal of size 1")
ax.grid(alpha=0.3)
ax.legend(title="factor per layer", fontsize=9)
show(
    "Size of the signal against the number of layers, on a logarithmic axis: straight lines for the factors "
    "1.5, 1, 0.8 and 0.3 per layer."
)

# %% [markdown] text="deep_words"
# In words: on a logarithmic axis these are straight lines. After 30 layers a factor of 1.5 has made the signal more than 100,000
# times larger, and a factor of 0.3 has made it smaller than $10^{-15}$: then the first layers learn nothing. Which factor
# belongs to which activation, and what one can do about it, is the question of two exercises.
#
# **Exercises:** [where gradients vanish](../by_hand/vanishing_gradients.ipynb),
# [when gradients explode](../by_hand/exploding_gradients.ipynb).

# %% [markdown] text="ising"
# ## 7. Two phases of a magnet
#
# A magnet is a lattice of spins that point up or down. Neighbours like to point the same way; heat disturbs them. Below the
# critical temperature $T_c = 2 / \ln(1 + \sqrt 2) \approx 2.269$ most spins agree (the **ordered** phase), above it they do not (the
# **disordered** phase). A network can learn to tell the phases apart from pictures alone. The next cell simulates two lattices
# of 32 x 32 spins: at each step, every second spin is turned over with the probability of the Metropolis rule,
# $\min(1, e^{-\Delta E / T})$.

# %% show="ising_picture"
from matplotlib.colors import ListedColormap


def lattice(temperature, size=32, sweeps=400, seed=3):
    rng = np.random.default_rng(seed)
    spins = np.ones((size, size), dtype=int)
    board = np.add.outer(np.arange(size), np.arange(size)) % 2  # like a chess board: no two neighbours at once
    for sweep in range(2 * sweeps):
        around = sum(np.roll(spins, shift, axis) for shift in (1, -1) for axis in (0, 1))
        turn = rng.random(spins.shape) < np.exp(-2 * spins * around / temperature)
        spins = np.where(turn & (board == sweep % 2), -spins, spins)
    return spins


fig, axes = plt.subplots(1, 2, figsize=(7.6, 3.8), layout="constrained")
for ax, temperature, phase in zip(axes, (1.8, 3.5), ("ordered", "disordered")):
    spins = lattice(temperature)
    ax.imshow(spins, cmap=ListedColormap([BLUE, ORANGE]), vmin=-1, vmax=1)
    ax.set(title=f"T = {temperature}: {phase}, mean spin {spins.mean():.2f}", xticks=[], yticks=[])
show(
    "Two lattices of 32 by 32 spins. Left, at T = 1.8, almost one colour with a few islands; right, at T = "
    "3.5, a mixture of small patches."
)

# %% [markdown] text="ising_words"
# In words (orange: up, blue: down): at $T = 1.8$ nearly all spins point up, with a few small islands. At $T = 3.5$ the two directions are mixed in small
# patches, and the mean spin is close to 0.
#
# **Exercises:** [phases of the Ising model](../foundations/ising_phases.ipynb),
# [predicting reaction rates](../design/reaction_rates.ipynb), which is about designing a network for a task of your own.

# %% [markdown] text="beyond"
# ## 8. From here to the networks of today
#
# A few things stand between this guide and what is trained today: outputs that depend on every input, steps that remember
# earlier gradients, a program that finds the backward pass by itself, layers that keep a deep network in order, and attention,
# which brings together what stands apart. And whoever writes a backward pass checks it.
#
# **Exercises:** [softmax and its Jacobian](../beyond/softmax_jacobian.ipynb), [five optimisers](../beyond/optimisers.ipynb),
# [an engine that differentiates](../beyond/autodiff_engine.ipynb), [a checker of gradients](../beyond/gradient_check.ipynb),
# [batch and layer normalisation](../beyond/normalisation.ipynb), [residual networks](../beyond/residual_network.ipynb),
# [attention](../beyond/attention.ipynb).

# %% [markdown] text="reading"
# ## Further reading
#
# | what | what it is good for |
# |---|---|
# | [3Blue1Brown, *Neural networks*](https://www.3blue1brown.com/topics/neural-networks) (videos) | pictures of descent and of the chain rule, before any formula |
# | [Nielsen, *Neural Networks and Deep Learning*, chapter 2](http://neuralnetworksanddeeplearning.com/chap2.html) | the four equations of backpropagation, slowly, with every proof |
# | [Stanford CS231n, *Backpropagation, intuitions*](https://cs231n.github.io/optimization-2/) | computational graphs with numbers on every edge |
# | [Goodfellow, Bengio and Courville, *Deep Learning*](https://www.deeplearningbook.org), sections 6.5 and 8 | the same on graphs in general, and the optimisers |
# | [Rumelhart, Hinton and Williams, Nature 323 (1986)](https://doi.org/10.1038/323533a0) | the four pages that made it known |
# | [Glorot and Bengio (2010)](https://proceedings.mlr.press/v9/glorot10a.html) | why gradients vanish, measured, and what the start has to do with it |
# | [Pascanu, Mikolov and Bengio (2013)](https://arxiv.org/abs/1211.5063) | why gradients explode, and clipping by norm |
# | [Ioffe and Szegedy (2015)](https://arxiv.org/abs/1502.03167) | batch normalisation |
# | [He, Zhang, Ren and Sun (2016)](https://arxiv.org/abs/1512.03385) | residual connections, on which gradients survive a hundred layers |
# | [Kingma and Ba (2015)](https://arxiv.org/abs/1412.6980) | Adam, the optimiser that most people use first |
# | [Vaswani and others (2017)](https://arxiv.org/abs/1706.03762) | attention, and a network that is made of little else |
# | [Baydin and others (2018)](https://arxiv.org/abs/1502.05767) | automatic differentiation: backpropagation for any program |
# | [Carrasquilla and Melko, Nature Physics 13 (2017)](https://doi.org/10.1038/nphys4035) | the Ising exercise in earnest |
