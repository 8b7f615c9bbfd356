# %% [markdown] text="title"
# # Practice: the same tasks with fresh numbers
#
# **As long as you like · nothing to hand in, nothing is marked**
#
# Three kinds of tasks, each with as many variants as you want:
#
# 1. a network by hand, as in [A network by hand](../by_hand/worked_calculation.ipynb)
# 2. what is left of a gradient after several layers, as in [Where gradients vanish](../by_hand/vanishing_gradients.ipynb)
# 3. all gradients of a small network, in code or on paper, as in
#    [The first network](../foundations/simple_network.ipynb) and the exercises after it
#
# The numbers of the sheets never come up here, so practise before you fill in a sheet, or after.

# %% given="setup"
import practice

# %% [markdown] text="how"
# ## How it works
#
# A **seed** is a number that stands for a task: `seed=1` is the same task today and tomorrow, `seed=2` is another one, and
# without a seed you get a new one each time. Three things can be done with a task:
#
# - `task.check(...)` says of every value that you pass whether it is right, and what may be wrong with it. It does not tell
#   the value. Pass one value or all of them; what you passed before is remembered.
# - `task.reveal()` shows **one step**: the next one that you do not have yet, with its formula, the numbers put in, and the
#   value. Run it again for the step after that.
# - `task.reveal_all()` shows every step.
#
# Four significant figures are enough, carried through. The right values are worked out on your machine: sympy
# differentiates the loss.

# %% [markdown] text="worked_text"
# ## 1. A network by hand
#
# Run the next cell, take pen, paper and a pocket calculator, and go as far as you like.

# %% open="worked"
task = practice.worked_calculation(seed=1)
task

# %% [markdown] text="worked_check_text"
# Put your values in place of the dots. A value for both hidden units is a list of two numbers, a matrix a list of rows.
# Values that still have dots are passed over.

# %% open="worked_check"
task.check(
    z1=[..., ...], a1=[..., ...], z2=..., a2=..., loss=...,
    dz2=..., dW2=[..., ...], db2=...,
    dz1=[..., ...], dW1=[[..., ...], [..., ...]], db1=[..., ...],
    W2_new=[..., ...], b2_new=...,
    W1_new=[[..., ...], [..., ...]], b1_new=[..., ...],
)

# %% [markdown] text="worked_reveal_text"
# **Stuck?** Take the `#` away and run the next cell: it shows one step. Run it again for one more.

# %% open="worked_reveal"
# task.reveal()

# %% [markdown] text="vanishing_text"
# ## 2. What is left of a gradient
#
# The same questions as in the sheet, with another activation, another depth, and weights that are not 1.

# %% open="vanishing"
chain = practice.vanishing_gradients(seed=1)
chain

# %% open="vanishing_check"
chain.check(
    max_slope=..., bounds=[...], at_input=...,
    layers_needed=..., weight_needed=...,
    mean_factor=..., mean_sizes=[...], rms_factor=..., rms_sizes=[...],
)

# %% open="vanishing_reveal"
# chain.reveal()

# %% [markdown] text="network_text"
# ## 3. All gradients of a small network
#
# Several examples at once, one column each. The activation of the hidden layer, the loss and the sizes change with the seed.
# Best done in code: the numbers are in `network.given`.

# %% open="network"
network = practice.small_network(seed=1)
network

# %% open="network_code"
X, Y, m = network.given["X"], network.given["Y"], network.given["m"]
W1, b1 = network.given["W1"], network.given["b1"]
W2, b2 = network.given["W2"], network.given["b2"]

Z1 = ...
A1 = ...
Z2 = ...
A2 = ...
loss = ...
dZ2 = ...
dW2 = ...
db2 = ...
dZ1 = ...
dW1 = ...
db1 = ...

network.check(
    Z1=Z1, A1=A1, Z2=Z2, A2=A2, loss=loss,
    dZ2=dZ2, dW2=dW2, db2=db2, dZ1=dZ1, dW1=dW1, db1=db1,
)

# %% open="network_reveal"
# network.reveal()

# %% [markdown] text="more"
# ## More
#
# Change a seed and run the cells again. A good test of yourself: three tasks in a row in which every first check is right.
