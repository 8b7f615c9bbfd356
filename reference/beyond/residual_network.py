# %% [markdown] text="title"
# Pile fifty layers on each other, and the first of them may learn nothing: below, less than $10^{-14}$ of a gradient
# arrives there. In 2015 a small change made hundreds of layers possible. Each block **adds** what it computes to what it was
# given. Forwards that is a plus sign. Backwards it is a path on which nothing is multiplied. Here you write both and measure them.

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
from backprop import show
from selfcheck import Line, Report, check_gradient, check_values, check_yourself, finish, watched

# %% [markdown] text="part_a"
# ## (a) Three blocks by hand
#
# A **residual block** is $y = x + f(x)$: a *branch* f, and around it the *identity path* that carries x itself. Take three
# blocks in a row, each with one number in and one out, and with straight branches $f(x) = w\,x$:
#
# $$w = (0.5,\ -0.2,\ 0.4).$$
#
# Give
#
# - `plain`: the slope of the output by the input if there were **no** identity paths, so $y = w\,x$ in each block;
# - `slopes`: the slope of each residual block, a list of three;
# - `residual`: the slope of the whole row of residual blocks;
# - `paths`: the same, taken apart. Through each block a path goes either around the branch or through it: there are eight ways
#   to go. A list of four: the sum of what is brought by the path through **no** branch, by the three paths through **one**, by the
#   three through **two**, and by the one through all **three**.
#
# A small example with *two* blocks, $w = (0.5, 3)$: plain 1.5, slopes (1.5, 4), residual 6, paths (1, 3.5, 1.5).

# %% student="three"
# Fill in:  plain = ...   slopes = [..., ..., ...]   residual = ...   paths = [..., ..., ..., ...]
### BEGIN SOLUTION
w = np.array([0.5, -0.2, 0.4])
plain = w.prod()
slopes = 1 + w
residual = slopes.prod()
paths = [1, w.sum(), w[0] * w[1] + w[0] * w[2] + w[1] * w[2], plain]
### END SOLUTION

# %% selfcheck="three"
# Is everything there, and do two ways to the same number agree? This cell does not know the answers.
def selfcheck_three():
    report = check_values(globals(), {"plain": (), "slopes": (3,), "residual": (), "paths": (4,)})
    together, whole = float(sum(np.ravel(paths))), float(np.ravel(residual)[0])
    says = f"together {together:.8g}, residual is {whole:.8g}: the same slope, so the two have to be equal"
    line = Line("sum of paths", "ok" if np.isclose(together, whole, rtol=1e-3) else "WRONG", says)
    return finish(Report("Three blocks.", (*report.lines, line), report.notes))


check_yourself(selfcheck_three)

# %% question="three_blocks"
# Each value {each}, given your own values before it.

# %% [markdown] text="part_b"
# ## (b) A block
#
# Now with matrices. `X` has a row for each of n units and a **column for each of m examples**. The branch has h hidden units:
#
# $$A_1 = \tanh(W_1 X + b_1) \qquad out = X + W_2 A_1 + b_2 .$$
#
# - `block_forward(X, W1, b1, W2, b2)` returns `A1, out`;
# - `block_backward(dout, X, A1, W1, W2)` gets `dout`, the derivative of the loss by every entry of `out`, and returns
#   `dW2, db2, dZ1, dW1, db1, dX`, each in the shape of what it is the derivative by. Here $Z_1 = W_1 X + b_1$. Sums over the
#   examples, no means: if the loss has a 1/m, then it is in `dout` already.
#
# `X` stands in two places of the formula. What does that mean for `dX`? The arrays that are passed in stay as they are.

# %% student="block"
def block_forward(X, W1, b1, W2, b2):
    """The hidden activations, and what the block puts out."""
    ### BEGIN SOLUTION
    A1 = np.tanh(W1 @ X + b1)
    return A1, X + W2 @ A1 + b2
    ### END SOLUTION


def block_backward(dout, X, A1, W1, W2):
    """All gradients of a block from what arrives at its output."""
    ### BEGIN SOLUTION
    dW2 = dout @ A1.T
    db2 = dout.sum(axis=1, keepdims=True)
    dZ1 = (W2.T @ dout) * (1 - A1**2)
    dW1 = dZ1 @ X.T
    db1 = dZ1.sum(axis=1, keepdims=True)
    dX = dout + W1.T @ dZ1
    return dW2, db2, dZ1, dW1, db1, dX
    ### END SOLUTION

# %% selfcheck="block"
# With the loss sum(C * out), for some fixed numbers C, the gradient dout is C.
def selfcheck_block():
    rng = np.random.default_rng(0)
    shapes = {"W2": (5, 7), "b2": (5, 1), "W1": (7, 5), "b1": (7, 1), "X": (5, 3)}
    C = rng.normal(size=(5, 3))

    def gradients(W2, b2, W1, b1, X):
        A1 = watched(block_forward)(X, W1, b1, W2, b2)[0]
        dW2, db2, _, dW1, db1, dX = watched(block_backward)(C.copy(), X, A1, W1, W2)
        return dW2, db2, dW1, db1, dX

    return check_gradient(
        lambda W2, b2, W1, b1, X: np.sum(C * block_forward(X, W1, b1, W2, b2)[1]),
        gradients,
        {name: 0.5 * rng.normal(size=shape) for name, shape in shapes.items()},
        sizes={"m": 3, "n": 5, "h": 7},
    )


check_yourself(selfcheck_block)

# %% question="block_values"
# A1 {A1}, out {out} given your own A1.

# %% question="block_gradients"
# dW2, db2, dW1, db1 {dW2, db2, dW1, db1}, dZ1 {dZ1}, dX {dX}; what lies below dZ1 is marked given your own dZ1.

# %% [markdown] text="part_c"
# ## (c) A projection
#
# A sum needs two terms of one shape. Where n units come in and k go out, the path around the branch cannot be the identity: it
# becomes a matrix P of shape (k, n) that is learned, a **projection**:
#
# $$out = P X + W_2 A_1 + b_2, \qquad A_1 = \tanh(W_1 X + b_1) \text{ as before, and } W_2 \text{ of shape } (k, h).$$
#
# `projected_backward(dout, X, A1, W1, W2, P)` returns `dP, dX`.

# %% student="projection"
def projected_backward(dout, X, A1, W1, W2, P):
    """The gradients of the projection and of the input."""
    ### BEGIN SOLUTION
    dZ1 = (W2.T @ dout) * (1 - A1**2)
    return dout @ X.T, P.T @ dout + W1.T @ dZ1
    ### END SOLUTION

# %% selfcheck="projection"
def selfcheck_projection():
    rng = np.random.default_rng(1)
    W1, W2 = 0.5 * rng.normal(size=(7, 5)), 0.5 * rng.normal(size=(2, 7))
    C, P, X = rng.normal(size=(2, 3)), rng.normal(size=(2, 5)), rng.normal(size=(5, 3))
    return check_gradient(
        lambda P, X: np.sum(C * (P @ X + W2 @ np.tanh(W1 @ X))),
        lambda P, X: watched(projected_backward)(C.copy(), X, np.tanh(W1 @ X), W1, W2, P),
        {"P": P, "X": X},
        sizes={"m": 3, "n": 5, "k": 2, "h": 7},
    )


check_yourself(selfcheck_projection)

# %% question="projection_gradients"
# dP and dX {dP, dX}.

# %% [markdown] text="part_d"
# ## (d) A stack
#
# Now L blocks on each other, whatever their branches are. `branches` is a list of L functions: `branch(X)` is what the branch of a
# block makes of its input. `backs` is a list of L functions, too, in the same order: `back(d)` takes a gradient back through a
# branch **alone**, from its output to its input, and has kept what it needs for that. `identity` is True or False: with identity
# paths, or plain blocks without.
#
# - `stack_forward(X, branches, identity)` returns the list of all L + 1 values: X, then what comes out of every block;
# - `stack_backward(dout, backs, identity)` returns the list of all L + 1 gradients **in the order of the blocks**: the first is
#   the gradient at the input of the first block, the last is `dout`.
#
# Call each function once for each block. Beware of `+=`: it changes an array that already stands in your list.

# %% student="stack"
def stack_forward(X, branches, identity):
    """The values between all blocks, the input first."""
    ### BEGIN SOLUTION
    values = [X]
    for branch in branches:
        out = branch(X)
        X = X + out if identity else out
        values.append(X)
    return values
    ### END SOLUTION


def stack_backward(dout, backs, identity):
    """The gradients between all blocks, that of the input first."""
    ### BEGIN SOLUTION
    gradients = [dout]
    for back in reversed(backs):
        d = back(dout)
        dout = dout + d if identity else d
        gradients.append(dout)
    return gradients[::-1]
    ### END SOLUTION

# %% selfcheck="stack"
# Three blocks whose branches are matrices: every gradient against the slope of your own stack_forward from there on.
def selfcheck_stack():
    rng = np.random.default_rng(2)
    matrices = [rng.normal(size=(5, 5)) / 2 for _ in range(3)]
    X, C = rng.normal(size=(5, 7)), rng.normal(size=(5, 7))
    branches = [lambda X, M=M: M @ X for M in matrices]
    backs = [lambda d, M=M: M.T @ d for M in matrices]
    lines, kinds = [], {True: "with identity paths", False: "without"}
    for identity, name in kinds.items():
        values = watched(stack_forward)(X.copy(), branches, identity)
        gradients = watched(stack_backward)(C.copy(), backs, identity)
        if len(values) != 4 or len(gradients) != 4:
            says = f"{len(values)} values and {len(gradients)} gradients for three blocks, should be 4 and 4"
            return finish(Report("Too many or too few.", (Line(name, "WRONG", says),)))
        for what, array in (("values", [*values]), ("gradients", [*gradients])):
            alone = len({id(one) for one in array}) == 4
            says = (
                "four arrays" if alone else "one array stands in several places: += has changed what stood there before"
            )
            lines.append(Line(f"{what}, {name}", "ok" if alone else "WRONG", says))
        ends = np.allclose(values[0], X) and np.allclose(gradients[-1], C)
        lines.append(
            Line(f"ends, {name}", "ok" if ends else "WRONG", "the first value is X, the last gradient is dout")
        )
        rest = [stack_forward(value.copy(), branches[k:], identity)[-1] for k, value in enumerate(values[:-1])]
        order = all(np.allclose(one, values[-1], rtol=1e-4) for one in rest)
        lines.append(
            Line(
                f"order, {name}",
                "ok" if order else "WRONG",
                "from each value the blocks behind it lead to the last one",
            )
        )
    finish(Report("Three blocks.", tuple(lines)))

    def loss(*starts):
        return sum(
            np.sum(C * stack_forward(start.copy(), branches[k % 3 :], k < 3)[-1]) for k, start in enumerate(starts)
        )

    def gradient(*_):
        return [d for identity in kinds for d in stack_backward(C.copy(), backs, identity)[:3]]

    at = {f" at the input of block {k}, {name}": X for name in kinds.values() for k in (1, 2, 3)}
    return check_gradient(loss, gradient, at, sizes={"m": 7, "n": 5})


check_yourself(selfcheck_stack)

# %% question="stack_values"
# With identity paths {values}; without, and with the branches in the other order, {values_plain}.

# %% question="stack_gradients"
# With identity paths {gradients}; without, and with the branches in the other order, {gradients_plain}.

# %% [markdown] text="part_e"
# ## (e) Fifty blocks
#
# How much of a gradient arrives? The size of a gradient is the root of the sum of the squares of **all** its entries. For the list that
# `stack_backward` returns write
#
# - `relative_sizes(gradients)`, which returns the L + 1 sizes divided by the **last** one, an array whose last entry is 1;
# - `per_block(gradients)`, which returns the factor of one block on the way back: the number whose L-th power is the first
#   entry.
#
# A small example with two blocks: the gradients (6, 8), (3, 4) and (0, 2.5) have the relative sizes 4, 2 and 1, and the factor
# of one block is 2.

# %% student="sizes"
def relative_sizes(gradients):
    """The size of every gradient beside the last one's."""
    ### BEGIN SOLUTION
    sizes = np.array([np.sqrt(np.sum(d**2)) for d in gradients])
    return sizes / sizes[-1]
    ### END SOLUTION


def per_block(gradients):
    """The factor of one block, on the way back."""
    ### BEGIN SOLUTION
    return relative_sizes(gradients)[0] ** (1 / (len(gradients) - 1))
    ### END SOLUTION

# %% selfcheck="sizes"
# Gradients of the sizes 40, 9, 7 and 5.
def selfcheck_sizes():
    rows = ([20, -20, 0, 20, 0, -20], [1, 0, -4, 0, 8, 0], [2, 3, 0, 0, -6, 0], [1, -2, 2, 0, 0, 4])
    gradients = [np.reshape(row, (2, 3)) * 1.0 for row in rows]
    sizes, factor = np.asarray(relative_sizes(gradients)), per_block(gradients)
    right = sizes.shape == (4,) and np.allclose(sizes, [8, 1.8, 1.4, 1], rtol=1e-4)
    lines = (
        Line("relative_sizes", "ok" if right else "WRONG", f"{sizes}, should be 8, 1.8, 1.4 and 1"),
        Line(
            "per_block",
            "ok" if np.allclose(factor, 2, rtol=1e-4) else "WRONG",
            f"{np.ravel(factor)[0]:.4g}, should be 2: 2 * 2 * 2 = 8",
        ),
    )
    return finish(Report("Three blocks, gradients of the sizes 40, 9, 7 and 5.", lines))


check_yourself(selfcheck_sizes)

# %% question="gradient_sizes"
# relative_sizes {relative}, per_block {per_block} given your own sizes.

# %% [markdown] text="fifty_text"
# Now the measurement, with your own functions: fifty blocks of 32 units, 16 examples, and as `dout` random numbers. A branch
# is $W \max(0, N(X))$, with weights **half as large** as they should be for ReLU: nobody hits the right size in every layer. N is
# nothing, or it normalises each example over its units (layer norm). So there are four stacks. On the left stand the
# gradients, and the legend tells the factor of one block; on the right stand the values. Before you run it: which factor do you
# expect of the plain stack?

# %% show="fifty"
def fifty(identity, normalised, rng):
    """Values and gradients of a stack of fifty blocks."""
    X, dout = rng.normal(size=(32, 16)), rng.normal(size=(32, 16))
    branches, backs, saved = [], [], {}

    def block(k, W):
        def forth(X):
            s = np.sqrt(X.var(axis=0, keepdims=True) + 1e-5) if normalised else 1.0
            H = (X - X.mean(axis=0, keepdims=True)) / s if normalised else X
            saved[k] = H, s
            return W @ np.maximum(H, 0)

        def back(d):
            H, s = saved[k]
            dH = (W.T @ d) * (H > 0)
            if not normalised:
                return dH
            return (dH - dH.mean(axis=0, keepdims=True) - H * (dH * H).mean(axis=0, keepdims=True)) / s

        return forth, back

    for k in range(50):
        forth, back = block(k, 0.5 * np.sqrt(2 / 32) * rng.normal(size=(32, 32)))
        branches.append(forth)
        backs.append(back)
    return stack_forward(X, branches, identity), stack_backward(dout, backs, identity)


fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
for identity, normalised, style, colour in (
    (False, False, ":", "0.4"),
    (False, True, "--", "#0072B2"),
    (True, False, "-.", "#D55E00"),
    (True, True, "-", "#009E73"),
):
    values, gradients = fifty(identity, normalised, np.random.default_rng(5))
    name = ("identity paths" if identity else "plain") + (", normalised" if normalised else "")
    left.plot(relative_sizes(gradients), style, color=colour, label=f"{name}: {per_block(gradients):.2f} per block")
    right.plot(relative_sizes(values[::-1])[::-1], style, color=colour)
left.set(
    title="What arrives of a gradient",
    xlabel="block (the loss is on the right)",
    ylabel="size beside the last",
    yscale="log",
)
right.set(title="The values", xlabel="block", ylabel="size beside the input", yscale="log")
left.legend()
show(
    "Two pictures with four curves over fifty blocks, on logarithmic axes. Left, towards the input, the "
    "gradient of the plain stack "
    "falls on a straight line; with normalisation it stays near 1, with identity paths alone it grows to "
    "hundreds, with both to "
    "about 4. Right, the values of the plain stack fall; those with identity paths grow, without "
    "normalisation the most."
)

# %% [markdown] text="fifty_words"
# In words: the plain stack halves the gradient in every block, and $0.5^{50}$ is about $10^{-15}$. Normalisation mends that, but
# how well depends on the draw of the weights. With identity paths nothing vanishes, but gradients *grow* by a factor of about 1.13
# per block, and so do the values. With both, the first block gets about four times what the last one gets: transformers are
# stacks of such blocks.

# %% [markdown] written="residual_words"
# ### (f) Why
#
# In the cell below, in about six sentences:
#
# 1. Which of the four entries of `paths` in (a) keeps a gradient alive when all branches are tiny, and why does it not get smaller
#    with more blocks?
# 2. Two stacks of the picture have identity paths. Why does the gradient grow so much more in one, and what does normalisation
#    change: by what is the gradient of a branch divided when the values have grown?
#
# === BEGIN MARK SCHEME ===
#
# - 1 point: the first one, the path around every branch: it is a product of ones, whatever the number of blocks.
# - 2 points: every block adds what comes through its branch to what comes around it, so the sizes are multiplied by a factor above
#   1 each time (one point); normalisation divides by the spread s of its input, which has grown with the values, so later
#   branches add less and less beside the identity (one point).
#
# === END MARK SCHEME ===
