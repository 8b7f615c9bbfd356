# %% [markdown] text="title"
# A network that reads a text has to bring together what stands apart. **Attention** does it with three matrices: each position
# asks a *query*, shows a *key*, and holds a *value*; it looks at every key, decides how much each of them matters, and takes that
# much of their values. Nearly every large model of language is made of it. Here you write one head, forwards and backwards, and train
# a small model of letters with nothing but your own gradients.

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
from backprop import show
from selfcheck import Line, Report, check_gradient, check_yourself, finish

# %% [markdown] text="part_a"
# ## (a) Weights and outputs
#
# In this notebook, as is usual with attention, a **row** is a position in the text.
#
# | what | shape | meaning |
# |---|---|---|
# | `Q`, `K` | (n, d) | a query and a key for each of the n positions |
# | `V` | (n, e) | a value for each position |
# | `mask` | (n, n) | `True` at row i and column j if position i may see position j |
# | `S` | (n, n) | scores, $S = Q K^T / \sqrt{d}$ |
# | `P` | (n, n) | weights: softmax of each **row** of S, over what may be seen |
# | `A` | (n, e) | outputs, $A = P V$ |
#
# `attention(Q, K, V, mask)` returns the pair `A, P`.
#
# 1. A score is a sum of d products. The root of d keeps its size the same for every d.
# 2. What may not be seen has the weight 0, and the others still add up to one. So the mask acts *before* softmax: a score of
#    `-np.inf` has the exponential 0. Every position sees at least itself.
# 3. Scores may be in the thousands. As always with softmax, first subtract from each row the largest score *that may be seen*: one
#    that may not be seen can be larger by a thousand, and then nothing would be left of the others.
#
# A small example: $Q = K = \begin{pmatrix} 1 \\ 2 \end{pmatrix}$, $V = \begin{pmatrix} 4 \\ 8 \end{pmatrix}$, and each position sees
# itself and what is before it. The first one sees itself alone: its weights are (1, 0), its output 4. The second one has the scores
# 2 and 4, the weights (0.1192, 0.8808), and the output 7.5232.

# %% student="attention"
def attention(Q, K, V, mask):
    """The outputs A (n, e) and the weights P (n, n)."""
    ### BEGIN SOLUTION
    S = np.where(mask, Q @ K.T / np.sqrt(Q.shape[1]), -np.inf)
    exponentials = np.exp(S - S.max(axis=1, keepdims=True))
    P = exponentials / exponentials.sum(axis=1, keepdims=True)
    return P @ V, P
    ### END SOLUTION

# %% selfcheck="attention"
# What must hold of any weights: they add up to one, they are 0 where nothing may be seen, and they are finite.
def selfcheck_attention():
    rng = np.random.default_rng(0)
    Q, K, V, mask = (
        rng.normal(size=(5, 3)),
        rng.normal(size=(5, 3)),
        rng.normal(size=(5, 2)),
        np.tril(np.ones((5, 5), dtype=bool)),
    )
    A, P = (np.asarray(one) for one in attention(Q, K, V, mask))
    shapes = P.shape == (5, 5) and A.shape == (5, 2)
    if not shapes:
        return finish(
            Report("Shapes.", (Line("A, P", "WRONG", f"they are {A.shape} and {P.shape}; (5, 2) and (5, 5) are due"),))
        )
    large = [np.asarray(attention(Q, one, V, mask)[1]) for one in (K + 3000, 3000 * K)]
    told = (
        ("rows", np.allclose(P.sum(axis=1), 1), f"the weights of a position add up to {P.sum(axis=1).round(3)}"),
        ("mask", np.allclose(P[~mask], 0), "the weight of what may not be seen should be 0"),
        ("outputs", np.allclose(A, P @ V), "they should be P V"),
        (
            "large",
            np.all(np.isfinite(large)),
            "the weights should be finite for scores in the thousands, seen and unseen",
        ),
    )
    return finish(
        Report("Five positions.", tuple(Line(name, "ok" if right else "WRONG", says) for name, right, says in told))
    )


check_yourself(selfcheck_attention)

# %% question="attention_values"
# The weights {P}, the outputs given your own weights {A}, the weights for large scores {P_large}.

# %% [markdown] text="part_b"
# ## (b) The way back
#
# `attention_backward(dA, Q, K, V, P)` gets `dA`, the derivative of a loss by the outputs, and what there was on the way forwards. It
# returns five arrays in this order, each in the shape of what it belongs to:
#
# - `dV` and `dP`, back through $A = P V$. A product of matrices has two factors, and the gradient of one has the *other* one in it,
#   transposed: $d(FG)$ gives $dF = d \cdot G^T$ and $dG = F^T \cdot d$.
# - `dS`, back through softmax. A weight depends on all scores of its row, so every row has its own Jacobian. As in the exercise on
#   softmax nobody builds it: $dS_{ij} = P_{ij}\,(dP_{ij} - \sum_k dP_{ik} P_{ik})$.
# - `dQ` and `dK`, back through $S = Q K^T / \sqrt{d}$. `S` are the scores **with** their scale, so the root comes in here.
#
# The mask is not needed: what was not seen has the weight 0, and so its score has the gradient 0. Each array is marked given
# your own ones before it.

# %% student="backward"
def attention_backward(dA, Q, K, V, P):
    """dV, dP, dS, dQ, dK."""
    ### BEGIN SOLUTION
    dV = P.T @ dA
    dP = dA @ V.T
    dS = P * (dP - np.sum(dP * P, axis=1, keepdims=True))
    dQ = dS @ K / np.sqrt(Q.shape[1])
    dK = dS.T @ Q / np.sqrt(Q.shape[1])
    return dV, dP, dS, dQ, dK
    ### END SOLUTION

# %% selfcheck="backward"
# With the loss sum(C * A), for some fixed numbers C, the gradient dA is C.
def selfcheck_backward():
    rng = np.random.default_rng(1)
    Q, K, V, C = (rng.normal(size=(5, k)) for k in (3, 3, 2, 2))
    mask = np.tril(np.ones((5, 5), dtype=bool))

    def gradient(Q, K, V):
        dV, *_, dQ, dK = attention_backward(C, Q, K, V, attention(Q, K, V, mask)[1])
        return dQ, dK, dV

    def loss(Q, K, V):
        return np.sum(C * attention(Q, K, V, mask)[0])

    return check_gradient(loss, gradient, {"Q": Q, "K": K, "V": V}, sizes={"n": 5, "d": 3, "e": 2})


check_yourself(selfcheck_backward)

# %% question="attention_gradients"
# dV {dV}, dP {dP}, dS {dS}, dQ {dQ} and dK {dK}, each given your own values before it.

# %% [markdown] text="part_c"
# ## (c) A model of letters
#
# The model reads a text and says at every position which letter comes next. `tokens` are the numbers of n letters, `targets` those of the
# letters that follow each of them. `parameters` is a dictionary: `E` holds one row of d numbers for each letter, `Wq`, `Wk` and `Wv` are
# (d, d), `Wo` is (d, number of letters). `R` (n, d) says where a position is; it is fixed.
#
# $$X = E[\text{tokens}] + R, \qquad Q = X W_q, \quad K = X W_k, \quad V = X W_v, \qquad A = \text{attention}(Q, K, V),$$
# $$H = X + A, \qquad Z = H W_o, \qquad L = \frac{1}{n} \sum_{i} \Big(\log \sum_c e^{Z_{ic}} - Z_{i, \text{target}_i}\Big).$$
#
# Two layers: attention, where each position sees itself and all positions before it, and an output layer with the mean cross-entropy of
# softmax. `loss_and_gradients(parameters, tokens, targets, R)` returns the loss, and a dictionary with the gradients of `E`, `Wq`,
# `Wk`, `Wv` and `Wo`, by these names, and as `A` what goes back into attention, $\partial L / \partial A$.
#
# - Use your functions of (a) and (b). What they return is taken as it is when this part is marked.
# - $\partial L / \partial Z$ is softmax minus 1 at the target, divided by n.
# - `X` feeds four things: queries, keys, values, and the sum `H`. What they bring back is added.
# - A letter that stands at several places has one row of `E`. What comes back to its places is added, too, and
#   `dE[tokens] += dX` does **not** do that: numpy keeps one of them. `np.add.at(dE, tokens, dX)` adds all.

# %% student="model"
def loss_and_gradients(parameters, tokens, targets, R):
    """The mean loss, and the gradients by name: E, Wq, Wk, Wv, Wo and A."""
    E, Wq, Wk, Wv, Wo = (parameters[name] for name in ("E", "Wq", "Wk", "Wv", "Wo"))
    n = len(tokens)
    ### BEGIN SOLUTION
    X = E[tokens] + R
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    A, P = attention(Q, K, V, np.tril(np.ones((n, n), dtype=bool)))
    H = X + A
    Z = H @ Wo
    Z = Z - Z.max(axis=1, keepdims=True)
    logs = Z - np.log(np.sum(np.exp(Z), axis=1, keepdims=True))
    loss = -np.mean(logs[np.arange(n), targets])
    dZ = np.exp(logs)
    dZ[np.arange(n), targets] -= 1
    dZ /= n
    dA = dZ @ Wo.T
    dV, _, _, dQ, dK = attention_backward(dA, Q, K, V, P)
    dX = dA + dQ @ Wq.T + dK @ Wk.T + dV @ Wv.T
    dE = np.zeros(E.shape)
    np.add.at(dE, tokens, dX)
    return loss, {"E": dE, "Wq": X.T @ dQ, "Wk": X.T @ dK, "Wv": X.T @ dV, "Wo": H.T @ dZ, "A": dA}
    ### END SOLUTION

# %% selfcheck="model"
# Against the slope of your own loss, with a text in which letters come again.
def selfcheck_model():
    rng = np.random.default_rng(2)
    shapes = {"E": (5, 3), "Wq": (3, 3), "Wk": (3, 3), "Wv": (3, 3), "Wo": (3, 5)}
    parameters = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    tokens, targets, R = np.array([0, 2, 0, 1, 4, 3, 0]), np.array([2, 0, 1, 4, 3, 0, 1]), rng.normal(size=(7, 3))

    def asked(*values):
        return loss_and_gradients(dict(zip(shapes, values)), tokens, targets, R)

    def gradient(*values):
        found = asked(*values)[1]
        return tuple(found[name] for name in shapes)

    return check_gradient(lambda *values: asked(*values)[0], gradient, parameters, sizes={"n": 7, "d": 3})


check_yourself(selfcheck_model)

# %% question="letter_gradients"
# The loss {loss}, what goes back into attention {dA}, Wo {dWo}, Wq {dWq}, Wk {dWk}, Wv {dWv}, the letters {dE}.

# %% [markdown] text="train_text"
# ## Your model reads
#
# Six lines of text, and 400 steps with Adam, each on eight pieces of 24 letters; it takes a few seconds. The dashed line is the
# best that any model can reach that sees **one** letter: it knows what follows that letter, and how often. If your loss falls
# below it, your model uses what stands further back, and that can only have come through attention.

# %% given="reader"
TEXT = """\
the loss stands at the end of the path and looks back.
every edge that brought a number there gives back a slope.
where two paths meet, the slopes are added.
where a number was used twice, it hears from both.
the first layer is far away, and what reaches it is small.
so let a second path lead past the block, straight to the start.
"""
letters = sorted(set(TEXT))
text = np.array([letters.index(one) for one in TEXT])


def positions(n, d):
    """Where a position is: waves of d / 2 lengths."""
    angles = np.arange(n)[:, None] / 50.0 ** (np.arange(d // 2) / (d // 2))
    return np.hstack([np.sin(angles), np.cos(angles)])


def train(steps=400, window=24, pieces=8, d=32, rate=0.01, seed=0):
    """The parameters after training with Adam, and the loss in each step."""
    rng = np.random.default_rng(seed)
    parameters = {"E": rng.normal(size=(len(letters), d)) / 2, "Wo": rng.normal(size=(d, len(letters))) / np.sqrt(d)}
    parameters |= {name: rng.normal(size=(d, d)) / np.sqrt(d) for name in ("Wq", "Wk", "Wv")}
    m = {name: np.zeros(value.shape) for name, value in parameters.items()}
    s = {name: np.zeros(value.shape) for name, value in parameters.items()}
    losses = []
    for t in range(1, steps + 1):
        starts = rng.integers(0, len(text) - window - 1, pieces)
        found = [
            loss_and_gradients(parameters, text[a : a + window], text[a + 1 : a + window + 1], positions(window, d))
            for a in starts
        ]
        losses.append(np.mean([loss for loss, _ in found]))
        for name in parameters:
            g = np.mean([gradients[name] for _, gradients in found], axis=0)
            m[name] = 0.9 * m[name] + 0.1 * g
            s[name] = 0.99 * s[name] + 0.01 * g**2
            parameters[name] = parameters[name] - rate * (m[name] / (1 - 0.9**t)) / (
                np.sqrt(s[name] / (1 - 0.99**t)) + 1e-8
            )
    return parameters, losses


def read(parameters, tokens):
    """The scores of the next letter at each position, and the weights."""
    n, d = len(tokens), parameters["E"].shape[1]
    X = parameters["E"][tokens] + positions(n, d)
    Q, K, V = (X @ parameters[name] for name in ("Wq", "Wk", "Wv"))
    A, P = attention(Q, K, V, np.tril(np.ones((n, n), dtype=bool)))
    return (X + A) @ parameters["Wo"], P


def write(parameters, start="the ", length=120, window=24, seed=0):
    """Goes on with a text, letter by letter, each drawn from what the model says."""
    rng, written = np.random.default_rng(seed), [letters.index(one) for one in start]
    for _ in range(length):
        z = read(parameters, np.array(written[-window:]))[0][-1]
        p = np.exp(z - z.max())
        written.append(rng.choice(len(letters), p=p / p.sum()))
    return "".join(letters[k] for k in written)


# %% show="train"
counts = np.zeros((len(letters), len(letters)))
np.add.at(counts, (text[:-1], text[1:]), 1)
one_letter = -np.mean(np.log((counts / counts.sum(axis=1, keepdims=True).clip(1))[text[:-1], text[1:]]))

trained, losses = train()
piece = TEXT[24:48]
weights = read(trained, text[24:48])[1]
fig, axes = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
axes[0].plot(losses, color="#0072B2", label=f"your model: {np.mean(losses[-50:]):.2f} at the end")
axes[0].axhline(one_letter, color="#D55E00", linestyle="--", label=f"one letter: {one_letter:.2f} at best")
axes[0].set(title="Loss", xlabel="step", ylabel="loss for each letter")
axes[0].legend()
image = axes[1].imshow(weights, cmap="Blues", vmin=0, vmax=1)
axes[1].set(title="Weights P", xlabel="looks at", ylabel="position")
axes[1].set_xticks(range(24), list(piece.replace("\n", " ")))
axes[1].set_yticks(range(24), list(piece.replace("\n", " ")))
fig.colorbar(image, ax=axes[1])
show(
    "Left: the loss falls from about 3.5 to below that of one letter, 1.73, which is drawn as a dashed "
    "line. Right: the weights of 24 "
    "positions as a triangle, for nobody sees what comes later; much of the weight lies on the letter just before."
)
print(write(trained))

# %% [markdown] written="attention_words"
# ### (d) Why
#
# In the cell below, in about five sentences:
#
# 1. Without the root of d, what happens to the scores when d grows from 4 to 400, and what becomes of the gradient behind softmax?
# 2. Why must the mask act before softmax, and not on its weights?
# 3. A position sees one single letter. What does it send back to its query, to that letter's key and to its value: which are 0, and why?
#
# === BEGIN MARK SCHEME ===
#
# - 1 point: the scores grow like the root of d, here to ten times as much; softmax puts nearly all weight on one position, and its
#   gradient, which has the factors P and 1 - P, vanishes.
# - 1 point: else the weights no longer add up to one (the hidden scores have taken their share), and what is left depends on what
#   should not be seen.
# - 1 point: its contribution to dQ and dK: the weight is 1 whatever the score, so nothing depends on the scores (the bracket in dS is
#   0). dV is not 0.
#
# === END MARK SCHEME ===
