# %% [markdown] text="title"
# Backpropagation is the chain rule on a graph, and it has one rule that formulas hide: **where two paths meet on the way
# back, what they bring is added.** Here you carry numbers along every edge of a small graph, forward and backward. They
# are whole numbers; no calculator is needed.
#
# **How it is marked.** Every value is compared with what follows from *your own* earlier values, as a person would do it.
# A slip in the first line costs the first line and nothing else.

# %% given="setup"
import matplotlib.pyplot as plt
from backprop import show
from selfcheck import check_values, check_yourself

# %% [markdown] text="task"
# ## The graph
#
# Two inputs, $x = 2$ and $y = 3$, and four nodes:
#
# $$u = x + y \qquad v = u \cdot x \qquad w = u^2 \qquad L = v \cdot w$$
#
# Look at the arrows that *leave* a node. One leaves $y$, $v$ and $w$. Two leave $u$, for $v$ and $w$ are both made from it,
# and two leave $x$. These are the forks.

# %% show="picture"
# The graph as a picture: run this cell to see it. Run it again when you have filled in values: they are put in.
def draw_graph(values, edges):
    """The graph, beside every node its value, and on every edge what comes back along it."""
    def number(name):
        """A value, as it is shown; nothing where there is none yet."""
        try:
            return f"{float(values[name]):g}"
        except (KeyError, TypeError, ValueError):
            return ""

    place = {"x": (0, 1), "y": (0, 0), "u": (1, 0.5), "v": (2, 1), "w": (2, 0), "L": (3, 0.5)}
    made = {"x": "", "y": "", "u": "x + y", "v": "u x", "w": "u²", "L": "v w"}
    sums = ("u", "x")  # where two paths come together on the way back
    ax = plt.subplots(figsize=(7.2, 3.2), layout="constrained")[1]
    for (start, end), name in edges.items():
        (x0, y0), (x1, y1) = place[start], place[end]
        ax.annotate(
            "", (x1, y1), (x0, y0), arrowprops={"arrowstyle": "->", "shrinkA": 22, "shrinkB": 22, "color": "0.4"}
        )
        back = number(name) or name
        ax.text((x0 + x1) / 2, (y0 + y1) / 2, back, ha="center", va="center", color="#b3400f",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5})
    for name, (x, y) in place.items():
        known = f"{name} = {number(name)}" if number(name) else name
        if name in sums and number(f"d{name}"):
            ax.text(
                x, y + 0.22, f"d{name} = {number(f'd{name}')}", ha="center", va="center", fontsize=9, color="#b3400f"
            )
        ax.text(x, y, known, ha="center", va="center",
                bbox={"boxstyle": "round,pad=0.5", "facecolor": "#dcebf7", "edgecolor": "#0072B2"})
        ax.text(x, y - 0.22, made[name], ha="center", va="center", fontsize=9, color="0.3")
    ax.set(xlim=(-0.4, 3.4), ylim=(-0.4, 1.3))
    ax.axis("off")


draw_graph({"x": 2, "y": 3, **globals()}, {
    ("x", "u"): "u_to_x", ("y", "u"): "dy", ("x", "v"): "v_to_x", ("u", "v"): "v_to_u", ("u", "w"): "w_to_u",
    ("v", "L"): "dv", ("w", "L"): "dw",
})
show(
    "The graph: x and y lead to u, u and x lead to v, u leads to w, v and w lead to L. Beside each node "
    "stands how it is "
    "made, on each edge the name of what comes back along it."
)

# %% [markdown] text="part_a"
# ## (a) Forward
#
# Give the value of every node: `u`, `v`, `w` and `L`.

# %% student="nodes"
# Fill in:  u = ...   v = ...   w = ...   L = ...
### BEGIN SOLUTION
x, y = 2, 3
u = x + y
v = u * x
w = u**2
L = v * w
### END SOLUTION

# %% selfcheck="nodes"
# Is everything there, and are they numbers? This cell does not know the answers.
def selfcheck_nodes():
    return check_values(globals(), {"u": (), "v": (), "w": (), "L": ()})


check_yourself(selfcheck_nodes)

# %% question="node_values"
# u, v, w and L {each}.

# %% [markdown] text="part_b"
# ## (b) Backward
#
# `dv` is $\partial L / \partial v$: by how much $L$ changes, for each unit by which $v$ changes. So it is for `dw`, `du`, `dx`
# and `dy`, and $\partial L / \partial L = 1$. What comes back along an edge is
#
# > what has arrived at its end, times the derivative of that node by the one where the edge begins.
#
# `v_to_u` is what comes back from $v$ to $u$, which is `dv` times $\partial v / \partial u$. A node at which one edge arrives
# has just that. A node at which **two** arrive, as $u$ and $x$, has the **sum**: $L$ changes by way of $v$ *and* by way of
# $w$, and both changes happen.
#
# A small example with *another* graph: $p = 5$, $q = 2 p = 10$, $r = p + 1 = 6$, $M = q + 3 r = 28$. Then `dq = 1`, `dr = 3`,
# `q_to_p = 1 * 2`, `r_to_p = 3 * 1`, and `dp = 2 + 3`. Check it: with $p = 5.01$ the same graph gives $M = 28.05$.
#
# Begin at $L$ and go back. You can check `dx` in the same way: with $x = 2.001$ all nodes, worked out anew, give another $L$. (Do it
# on paper, or under other names such as `u2`: in the end `u` should still be yours.)

# %% student="edges"
# Fill in:  dv = ...       dw = ...
#           v_to_u = ...   w_to_u = ...   du = ...
#           v_to_x = ...   u_to_x = ...   dx = ...   dy = ...
### BEGIN SOLUTION
dv, dw = w, v
v_to_u = dv * x
w_to_u = dw * 2 * u
du = v_to_u + w_to_u
v_to_x = dv * u
u_to_x = du
dx = v_to_x + u_to_x
dy = du
### END SOLUTION

# %% selfcheck="edges"
def selfcheck_edges():
    names = ("dv", "dw", "v_to_u", "w_to_u", "du", "v_to_x", "u_to_x", "dx", "dy")
    return check_values(globals(), dict.fromkeys(names, ()))


check_yourself(selfcheck_edges)

# %% question="edge_values"
# du {du}; dv, dw, dx, dy and the four edges {dv, dw, dx, dy, v_to_u, w_to_u, v_to_x, u_to_x}.

# %% [markdown] text="part_c"
# ## (c) The same for a layer
#
# In a network every unit is such a fork: it feeds all units of the next layer. Two units $a_1, a_2$ feed three units by
#
# $$z = W a, \qquad W = \begin{pmatrix} 1 & 4 \\ 2 & -3 \\ -1 & 5 \end{pmatrix}$$
#
# where row $i$ leads **into** unit $i$ of the next layer. The three units have the error signals $dz = (2,\ -1,\ 3)$. Give
#
# - `edges`: what comes back along each of the six edges, as a list of three rows as in $W$: `edges[i][j]` is on its way from
#   unit $i$ to $a_j$;
# - `da`: what arrives at $a_1$ and at $a_2$, a list of two numbers.

# %% student="layer"
# Fill in:  edges = [[..., ...], [..., ...], [..., ...]]   da = [..., ...]
### BEGIN SOLUTION
W = [[1, 4], [2, -3], [-1, 5]]
dz = [2, -1, 3]
edges = [[dz[i] * W[i][j] for j in range(2)] for i in range(3)]
da = [sum(row[j] for row in edges) for j in range(2)]
### END SOLUTION

# %% selfcheck="layer"
def selfcheck_layer():
    return check_values(globals(), {"edges": (3, 2), "da": (2,)})


check_yourself(selfcheck_layer)

# %% question="layer_values"
# edges and da {each}.

# %% [markdown] text="after"
# ## What you have just found
#
# For `da` you went down the *columns* of $W$. A matrix product goes along rows, so it is $W^T$ that stands there:
# $da = W^T\, dz$. Forward, row $i$ collects what comes **into** unit $i$; backward, column $j$ collects what comes back from
# all units that $a_j$ has fed. The transpose is nothing but the fork, read from its other end. You will meet it in every
# network of this course.
