"""Other solutions of worked_calculation: right ones in another style, and wrong ones with what they must cost."""

from autograder.audit import right, wrong

RIGHT = (
    right(
        "rounded",
        "by hand: four significant figures carried through every step",
        forward="z1 = [1.2, 2.2]\na1 = [0.7685, 0.9002]\nz2 = 1.522\na2 = 0.8208",
        loss="loss = 0.0004326  # 0.0208 squared",
        gradients=(
            "dz2 = 0.006119\ndW2 = [0.004702, 0.005508]\ndb2 = 0.006119\n"
            "dz1 = [0.0009798, 0.0003848]\ndW1 = [[0.0009798, 0.00196], [0.0003848, 0.0007696]]\n"
            "db1 = [0.0009798, 0.0003848]"
        ),
        update=(
            "W2_new = [0.8995, 0.6994]\nb2_new = 0.1994\n"
            "W1_new = [[0.4999, 0.2998], [0.2, 0.7999]]\nb1_new = [0.0999, 0.4]"
        ),
    ),
    right(
        "columns",
        "numpy with column vectors",
        forward=(
            "import numpy as np\nx = np.array([[1.0], [2.0]])\n"
            "W1 = np.array([[0.5, 0.3], [0.2, 0.8]])\nb1 = np.array([[0.1], [0.4]])\n"
            "W2 = np.array([[0.9, 0.7]])\nb2 = np.array([[0.2]])\n"
            "z1 = W1 @ x + b1\na1 = 1 / (1 + np.exp(-z1))\nz2 = W2 @ a1 + b2\na2 = 1 / (1 + np.exp(-z2))"
        ),
        loss="loss = ((a2 - 0.8) ** 2).item()",
        gradients=(
            "dz2 = 2 * (a2 - 0.8) * a2 * (1 - a2)\ndW2 = dz2 @ a1.T\ndb2 = dz2\n"
            "dz1 = W2.T @ dz2 * a1 * (1 - a1)\ndW1 = dz1 @ x.T\ndb1 = dz1"
        ),
        update=(
            "W2_new, b2_new = W2 - 0.1 * dW2, b2 - 0.1 * db2\nW1_new, b1_new = W1 - 0.1 * dW1, b1 - 0.1 * db1"
        ),
    ),
    right(
        "float32",
        "numpy in single precision",
        forward=(
            "import numpy as np\nf = np.float32\nx = np.array([1, 2], f)\nW1 = np.array([[0.5, 0.3], [0.2, 0.8]], f)\n"
            "W2 = np.array([0.9, 0.7], f)\n"
            "z1 = W1 @ x + np.array([0.1, 0.4], f)\na1 = 1 / (1 + np.exp(-z1))\n"
            "z2 = W2 @ a1 + f(0.2)\na2 = 1 / (1 + np.exp(-z2))"
        ),
        loss="loss = (a2 - f(0.8)) ** 2",
        gradients=(
            "dz2 = 2 * (a2 - f(0.8)) * a2 * (1 - a2)\ndW2 = dz2 * a1\ndb2 = dz2\n"
            "dz1 = dz2 * W2 * a1 * (1 - a1)\ndW1 = np.outer(dz1, x)\ndb1 = dz1"
        ),
        update=(
            "W2_new, b2_new = W2 - f(0.1) * dW2, f(0.2) - f(0.1) * db2\n"
            "W1_new, b1_new = W1 - f(0.1) * dW1, np.array([0.1, 0.4], f) - f(0.1) * db1"
        ),
    ),
)


def _edit(variant_id, title, cell, old, new, loses, named):
    """A wrong variant that changes one place."""
    return wrong(variant_id, title, edits={cell: [(old, new)]}, loses=loses, named=named)


WRONG = (
    _edit(
        "sigmoid-sign",
        "e^z instead of e^-z: a1 is wrong, what follows is right",
        "forward",
        "a1 = [sigma(z1[0]), sigma(z1[1])]",
        "a1 = [sigma(-z1[0]), sigma(-z1[1])]",
        {"forward_values.a1": 2},
        {"forward_values.a1": "sigmoid-sign"},
    ),
    _edit(
        "bias-forgotten",
        "z1 without its bias",
        "forward",
        "z1 = [0.5 * 1 + 0.3 * 2 + 0.1, 0.2 * 1 + 0.8 * 2 + 0.4]",
        "z1 = [0.5 * 1 + 0.3 * 2, 0.2 * 1 + 0.8 * 2]",
        {"forward_values.z1": 2},
        {"forward_values.z1": "bias-forgotten"},
    ),
    _edit(
        "w1-transposed",
        "columns of W1 taken for rows",
        "forward",
        "z1 = [0.5 * 1 + 0.3 * 2 + 0.1, 0.2 * 1 + 0.8 * 2 + 0.4]",
        "z1 = [0.5 * 1 + 0.2 * 2 + 0.1, 0.3 * 1 + 0.8 * 2 + 0.4]",
        {"forward_values.z1": 2},
        {"forward_values.z1": "w1-transposed"},
    ),
    _edit(
        "inputs-for-activations",
        "the output unit is fed with x",
        "forward",
        "z2 = 0.9 * a1[0] + 0.7 * a1[1] + 0.2",
        "z2 = 0.9 * 1 + 0.7 * 2 + 0.2",
        {"forward_values.z2": 2},
        {"forward_values.z2": "inputs-for-activations"},
    ),
    _edit(
        "arithmetic",
        "an arithmetic slip that no formula explains",
        "forward",
        "a1 = [sigma(z1[0]), sigma(z1[1])]",
        "a1 = [0.79, 0.88]",
        {"forward_values.a1": 2},
        {},
    ),
    _edit(
        "half-in-loss",
        "the loss with a factor 1/2",
        "loss",
        "loss = (a2 - y) ** 2",
        "loss = (a2 - y) ** 2 / 2",
        {"loss_value.loss": 2},
        {"loss_value.loss": "half-in-loss"},
    ),
    _edit(
        "factor-two-missing",
        "the 2 of the square is lost",
        "gradients",
        "dz2 = 2 * (a2 - y)",
        "dz2 = (a2 - y)",
        {"gradient_values.dz2": 2},
        {"gradient_values.dz2": "factor-2-lost"},
    ),
    _edit(
        "output-derivative-missing",
        "the chain rule stops at a2",
        "gradients",
        " * a2 * (1 - a2)",
        "",
        {"gradient_values.dz2": 2},
        {"gradient_values.dz2": "output-derivative-missing"},
    ),
    _edit(
        "cross-entropy-error",
        "a - y, the error signal of another loss",
        "gradients",
        "dz2 = 2 * (a2 - y) * a2 * (1 - a2)",
        "dz2 = a2 - y",
        {"gradient_values.dz2": 2},
        {"gradient_values.dz2": "cross-entropy-error"},
    ),
    _edit(
        "sign-of-error",
        "y - a instead of a - y",
        "gradients",
        "2 * (a2 - y)",
        "2 * (y - a2)",
        {"gradient_values.dz2": 2},
        {"gradient_values.dz2": "sign-flipped"},
    ),
    _edit(
        "wrong-operand",
        "dW2 with the inputs",
        "gradients",
        "dW2 = [dz2 * a1[0], dz2 * a1[1]]",
        "dW2 = [dz2 * 1, dz2 * 2]",
        {"gradient_values.dW2": 2},
        {"gradient_values.dW2": "wrong-layer-activation"},
    ),
    wrong(
        "hidden-derivative-missing",
        "the chain rule stops at a1",
        edits={"gradients": [(" * a1[0] * (1 - a1[0])", ""), (" * a1[1] * (1 - a1[1])", "")]},
        loses={"gradient_values.dz1": 2},
        named={"gradient_values.dz1": "activation-derivative-missing"},
    ),
    _edit(
        "transposed",
        "dW1 with rows and columns exchanged",
        "gradients",
        "dW1 = [[dz1[0] * 1, dz1[0] * 2], [dz1[1] * 1, dz1[1] * 2]]",
        "dW1 = [[dz1[0] * 1, dz1[1] * 1], [dz1[0] * 2, dz1[1] * 2]]",
        {"gradient_values.dW1": 2},
        {"gradient_values.dW1": "result-transposed"},
    ),
    _edit(
        "inputs-exchanged",
        "x is read as (2, 1)",
        "forward",
        "z1 = [0.5 * 1 + 0.3 * 2 + 0.1, 0.2 * 1 + 0.8 * 2 + 0.4]",
        "z1 = [0.5 * 2 + 0.3 * 1 + 0.1, 0.2 * 2 + 0.8 * 1 + 0.4]",
        {"forward_values.z1": 2},
        {"forward_values.z1": "inputs-exchanged"},
    ),
    _edit(
        "relu",
        "ReLU in the hidden layer: a1 is z1",
        "forward",
        "a1 = [sigma(z1[0]), sigma(z1[1])]",
        "a1 = [max(z1[0], 0), max(z1[1], 0)]",
        {"forward_values.a1": 2},
        {"forward_values.a1": "activation-forgotten"},
    ),
    _edit(
        "cross-entropy-in-loss",
        "the loss of classification",
        "loss",
        "loss = (a2 - y) ** 2",
        "loss = -(y * math.log(a2) + (1 - y) * math.log(1 - a2))",
        {"loss_value.loss": 2},
        {"loss_value.loss": "cross-entropy-in-loss"},
    ),
    _edit(
        "half-of-the-derivative",
        "the sigmoid's derivative without 1 - a2",
        "gradients",
        "dz2 = 2 * (a2 - y) * a2 * (1 - a2)",
        "dz2 = 2 * (a2 - y) * a2",
        {"gradient_values.dz2": 2},
        {"gradient_values.dz2": "half-of-the-derivative"},
    ),
    wrong(
        "weights-exchanged",
        "each hidden unit gets the weight of the other one",
        edits={"gradients": [("dz2 * 0.9 * a1[0]", "dz2 * 0.7 * a1[0]"), ("dz2 * 0.7 * a1[1]", "dz2 * 0.9 * a1[1]")]},
        loses={"gradient_values.dz1": 2},
        named={"gradient_values.dz1": "weights-exchanged"},
    ),
    wrong(
        "gradient-used-for-weights",
        "the error goes back through dW2 in place of W2",
        edits={"gradients": [("dz2 * 0.9 * a1[0]", "dz2 * dW2[0] * a1[0]"), ("dz2 * 0.7 * a1[1]", "dz2 * dW2[1] * a1[1]")]},
        loses={"gradient_values.dz1": 2},
        named={"gradient_values.dz1": "gradient-used-for-weights"},
    ),
    wrong(
        "step-too-small",
        "a learning rate of 0.01: not the old values, though they look the same to four figures; charged once",
        edits={"update": [("alpha = 0.1", "alpha = 0.01")]},
        loses={"updated_values.W2_new": 1},
        named={"updated_values.W2_new": "step-too-small"},
    ),
    wrong(
        "not-updated",
        "the old parameters are copied",
        edits={"update": [("alpha = 0.1", "alpha = 0.0")]},
        loses={"updated_values": 5},
        named={f"updated_values.{name}_new": "parameter-never-updated" for name in ("W1", "b1", "W2", "b2")},
    ),
    wrong(
        "ascent",
        "W2 moves up the gradient",
        edits={"update": [("W2_new = [0.9 - alpha * dW2[0], 0.7 - alpha * dW2[1]]",
                           "W2_new = [0.9 + alpha * dW2[0], 0.7 + alpha * dW2[1]]")]},
        loses={"updated_values.W2_new": 1},
        named={"updated_values.W2_new": "sign-flipped"},
    ),
    wrong(
        "learning-rate-forgotten",
        "the whole gradient is subtracted from each parameter: charged once",
        edits={"update": [("alpha = 0.1", "alpha = 1")]},
        loses={"updated_values.W2_new": 1},
        named={"updated_values.W2_new": "learning-rate-missing"},
    ),
    wrong(
        "ascent-everywhere",
        "all parameters move up the gradient: charged once",
        edits={"update": [("alpha = 0.1", "alpha = -0.1")]},
        loses={"updated_values.W2_new": 1},
        named={"updated_values.W2_new": "sign-flipped"},
    ),
    wrong(
        "decimals-for-figures",
        "four decimals in place of four figures, all along: charged once",
        cells={
            "forward": "z1 = [1.2, 2.2]\na1 = [0.7685, 0.9002]\nz2 = 1.5218\na2 = 0.8208",
            "loss": "loss = 0.0004",
            "gradients": (
                "dz2 = 0.0061\ndW2 = [0.0047, 0.0055]\ndb2 = 0.0061\ndz1 = [0.001, 0.0004]\n"
                "dW1 = [[0.001, 0.002], [0.0004, 0.0008]]\ndb1 = [0.001, 0.0004]"
            ),
            "update": (
                "W2_new = [0.8995, 0.6994]\nb2_new = 0.1994\n"
                "W1_new = [[0.4999, 0.2998], [0.2, 0.7999]]\nb1_new = [0.0999, 0.4]"
            ),
        },
        loses={"loss_value.loss": 2},
        named={"loss_value.loss": "decimals-for-figures"},
    ),
    wrong(
        "chosen-number",
        "a tiny number for dz2, carried on honestly: it is no slip, and nothing follows from it",
        edits={"gradients": [("dz2 = 2 * (a2 - y) * a2 * (1 - a2)", "dz2 = 1e-6")]},
        loses={"gradient_values": 10, "updated_values": 5},
    ),
    wrong(
        "saturated",
        "numbers for which the sigmoid is flat: what is the same for all of them is not earned",
        edits={"forward": [("z1 = [0.5 * 1 + 0.3 * 2 + 0.1, 0.2 * 1 + 0.8 * 2 + 0.4]", "z1 = [30, 30]")]},
        loses={
            "forward_values.z1": 2,
            "forward_values.a1": 2,
            "gradient_values.dz1": 2,
            "gradient_values.dW1": 2,
            "gradient_values.db1": 1,
            "updated_values.W1_new": 2,
            "updated_values.b1_new": 1,
        },
    ),
    wrong(
        "left-out",
        "(b) and the gradients of the hidden layer are not filled in",
        cells={
            "loss": "loss = None",
            "gradients": "dz2 = 2 * (a2 - 0.8) * a2 * (1 - a2)\ndW2 = [dz2 * a1[0], dz2 * a1[1]]\ndb2 = dz2",
            "update": "W2_new = [0.9 - 0.1 * dW2[0], 0.7 - 0.1 * dW2[1]]\nb2_new = 0.2 - 0.1 * db2",
        },
        loses={
            "loss_value": 2,
            "gradient_values.dz1": 2,
            "gradient_values.dW1": 2,
            "gradient_values.db1": 1,
            "updated_values.W1_new": 2,
            "updated_values.b1_new": 1,
        },
        statuses={"loss_value": "missing"},
    ),
    wrong(
        "raises",
        "a cell that raises before anything is defined",
        cells={"forward": "z1 = [1.2, 2.2]\na1 = sigmoid_of(z1)\nz2 = 1.522\na2 = 0.8208"},
        loses={"forward_values.a1": 2, "forward_values.z2": 2, "forward_values.a2": 2, "loss_value": 2,
               "gradient_values": 10, "updated_values": 5},
    ),
)

ALLOWED = {
    "not-updated": "no step is done at all",
    "chosen-number": "a number that was chosen, no slip",
    "saturated": "a number that was chosen, no slip",
    "gradient_values.db2": "the gradient of a bias is the error signal, whatever that is",
    "gradient_values.db1": "the gradient of a bias is the error signal, whatever that is",
}

FAULTS = {
    "raises": {"forward": ("sigmoid_of(z1)",)},
}

UNPLACED = {
    "arithmetic": "numbers that were typed: nothing is worked out",
    "decimals-for-figures": "numbers that were typed: nothing is worked out",
    "chosen-number": "numbers that were chosen: nothing is worked out",
    "saturated": "numbers that were chosen: nothing is worked out",
    "left-out": "what is not there is at no place",
}
