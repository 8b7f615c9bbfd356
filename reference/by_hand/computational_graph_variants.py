"""Other solutions of computational_graph: right ones in another style, and wrong ones with what they must cost."""

from autograder.audit import right, wrong

RIGHT = (
    right(
        "paper",
        "the numbers alone, as on paper",
        nodes="u = 5\nv = 10\nw = 25\nL = 250",
        edges=(
            "dv = 25\ndw = 10\nv_to_u = 50\nw_to_u = 100\ndu = 150\n"
            "v_to_x = 125\nu_to_x = 150\ndx = 275\ndy = 150"
        ),
        layer="edges = [[2, 8], [-2, 3], [-3, 15]]\nda = [-3, 26]",
    ),
    right(
        "arrays",
        "numpy arrays, and da as a product",
        nodes="import numpy as np\nu, v, w, L = np.array([5.0, 10.0, 25.0, 250.0])",
        edges=(
            "dL = np.float64(1)\ndv, dw = dL * w, dL * v\nv_to_u, v_to_x = dv * np.array([2.0, u])\n"
            "w_to_u = 2 * u * dw\ndu = np.sum([v_to_u, w_to_u])\ndy = u_to_x = du\ndx = u_to_x + v_to_x"
        ),
        layer=(
            "W = np.array([[1, 4], [2, -3], [-1, 5]])\ndz = np.array([[2], [-1], [3]])\n"
            "edges = W * dz\nda = W.T @ dz"
        ),
    ),
    right(
        "fractions",
        "exact fractions, and a function for each edge",
        nodes="from fractions import Fraction as F\nu = F(5)\nv = 2 * u\nw = u * u\nL = w * v",
        edges=(
            "def back(arrived, slope):\n    return arrived * slope\n\n\n"
            "dv = back(1, w)\ndw = back(1, v)\nv_to_u = back(dv, 2)\nv_to_x = back(dv, u)\nw_to_u = back(dw, u + u)\n"
            "du = v_to_u + w_to_u\nu_to_x = dy = back(du, 1)\ndx = u_to_x + v_to_x"
        ),
        layer="edges = [(2, 8), (-2, 3), (-3, 15)]\nda = tuple(map(sum, zip(*edges)))",
    ),
)


def _edit(variant_id, title, cell, old, new, line, mistake, points=0.5):
    """A wrong variant that changes one place, and loses one line."""
    return wrong(variant_id, title, edits={cell: [(old, new)]}, loses={line: points}, named={line: mistake})


WRONG = (
    _edit("u-minus", "x - y", "nodes", "u = x + y", "u = x - y", "node_values.u", "sign-of-a-term"),
    _edit("u-product", "x y in the place of a sum", "nodes", "u = x + y", "u = x * y", "node_values.u", "product-for-sum"),
    _edit("v-sum", "u + x", "nodes", "v = u * x", "v = u + x", "node_values.v", "sum-for-product"),
    _edit("v-with-y", "u y", "nodes", "v = u * x", "v = u * y", "node_values.v", "other-operand"),
    _edit("w-double", "twice u in the place of its square", "nodes", "w = u**2", "w = 2 * u", "node_values.w",
          "derivative-for-value"),
    _edit("L-sum", "v + w", "nodes", "L = v * w", "L = v + w", "node_values.L", "sum-for-product"),
    _edit("dv-own", "each factor itself", "edges", "dv, dw = w, v", "dv, dw = v, v", "edge_values.dv", "own-factor"),
    _edit("dv-dw-own", "v and w not exchanged", "edges", "dv, dw = w, v", "dv, dw = v, w", "edge_values.dv", "own-factor"),
    _edit("v-to-u-own", "the factor itself", "edges", "v_to_u = dv * x", "v_to_u = dv * u", "edge_values.v_to_u",
          "own-factor"),
    _edit("v-to-u-alone", "what has arrived is left out", "edges", "v_to_u = dv * x", "v_to_u = x", "edge_values.v_to_u",
          "upstream-missing"),
    _edit("w-to-u-no-2", "the exponent is left out", "edges", "dw * 2 * u", "dw * u", "edge_values.w_to_u",
          "exponent-forgotten"),
    _edit("du-first", "only the path by v", "edges", "du = v_to_u + w_to_u", "du = v_to_u", "edge_values.du",
          "one-path-only", 1),
    _edit("du-overwritten", "the second path overwrites the first", "edges", "du = v_to_u + w_to_u", "du = w_to_u",
          "edge_values.du", "one-path-only", 1),
    _edit("du-product", "the paths multiplied", "edges", "du = v_to_u + w_to_u", "du = v_to_u * w_to_u",
          "edge_values.du", "paths-multiplied", 1),
    _edit("du-mean", "the mean of the paths", "edges", "du = v_to_u + w_to_u", "du = (v_to_u + w_to_u) / 2",
          "edge_values.du", "paths-averaged", 1),
    wrong(
        "one-path-everywhere",
        "the same slip at both forks costs once",
        edits={"edges": [("du = v_to_u + w_to_u", "du = w_to_u"), ("dx = v_to_x + u_to_x", "dx = u_to_x")]},
        loses={"edge_values.du": 1},
        named={"edge_values.du": "one-path-only"},
    ),
    _edit("sum-shares", "a sum divides what it passes on", "edges", "u_to_x = du", "u_to_x = du / 2", "edge_values.u_to_x",
          "paths-averaged"),
    _edit("dy-times-y", "times the value of y", "edges", "dy = du", "dy = du * y", "edge_values.dy",
          "value-for-derivative"),
    wrong("edges-transposed", "two rows of three", edits={"layer": [
        ("for j in range(2)] for i in range(3)]", "for i in range(3)] for j in range(2)]"),
        ("sum(row[j] for row in edges) for j in range(2)", "sum(row) for row in edges"),
    ]}, loses={"layer_values.edges": 1}),
    _edit("da-no-weights", "the sum of dz for every unit", "layer", "da = [sum(row[j] for row in edges) for j in range(2)]",
          "da = [sum(dz)] * 2", "layer_values.da", "weights-missing-in-hidden-error", 1),
    _edit("da-last", "the last unit overwrites the others", "layer",
          "da = [sum(row[j] for row in edges) for j in range(2)]",
          "da = edges[-1]", "layer_values.da", "one-path-only", 1),
    wrong("nothing", "one number everywhere", cells={
        "nodes": "u = v = w = L = 1",
        "edges": "dv = dw = v_to_u = w_to_u = du = v_to_x = u_to_x = dx = dy = 1",
        "layer": "edges = [[1, 1], [1, 1], [1, 1]]\nda = [1, 1]",
    }, loses={"node_values": 2, "edge_values": 5, "layer_values": 2}),
)  # fmt: skip

UNPLACED = {
    "nothing": "what is not there is at no place",
}
