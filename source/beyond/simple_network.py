"""The baseline network of this course: one hidden sigmoid layer, a sigmoid output, mean binary cross-entropy.

The later exercises import this class and change one thing about it: the activation, the loss, or the training loop.
Layout: one **column** per example. With n inputs, h hidden units, o outputs and m examples

    X (n, m)    W1 (h, n)    b1 (h, 1)    W2 (o, h)    b2 (o, 1)    Y (o, m), entries 0 or 1
"""

from __future__ import annotations

import numpy as np
from backprop import check_columns, progress, sigmoid


class SimpleNeuralNetwork:
    """A network with one hidden layer.

    After `forward_pass` it holds Z1, A1 (h, m) and Z2, A2 (o, m); after `backward_pass` the gradients dW1, db1, dW2,
    db2 as well, each in the shape of its parameter.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        *,
        rng: int | np.random.Generator | None = None,
        weight_scale: float = 0.01,
    ) -> None:
        """Draw the weights from N(0, 1) * weight_scale (W1 first, then W2) and set the biases to zero.

        `rng` is a seed or a NumPy generator: the same seed gives the same weights. Without it every network differs.

        The 0.01 stands in many textbooks and is a trap: sigmoid units that start so nearly equal stay so for long, and
        ten thousand epochs may still draw a straight line. `foundations/simple_network` compares it with 1.
        """
        rng = np.random.default_rng(rng)
        self.W1 = weight_scale * rng.standard_normal((hidden_size, input_size))
        self.b1 = np.zeros((hidden_size, 1))
        self.W2 = weight_scale * rng.standard_normal((output_size, hidden_size))
        self.b2 = np.zeros((output_size, 1))

    def forward_pass(self, X: np.ndarray) -> np.ndarray:
        """From the inputs to the outputs; returns A2 (o, m), the probability of class 1 for every example.

            Z1 = W1 X  + b1      A1 = sigmoid(Z1)
            Z2 = W2 A1 + b2      A2 = sigmoid(Z2)
        """
        X = check_columns(X, self.W1.shape[1], "X")
        self.Z1 = self.W1 @ X + self.b1
        self.A1 = sigmoid(self.Z1)
        self.Z2 = self.W2 @ self.A1 + self.b2
        self.A2 = sigmoid(self.Z2)
        return self.A2

    def compute_loss(self, Y: np.ndarray) -> float:
        """The mean over the m examples of  -(y log a + (1 - y) log(1 - a)), summed over the outputs.

        Uses what the last forward pass stored. The logarithms are taken from Z2 and not from A2: with a = sigmoid(z),

            -log a = log(1 + e^(-z))      and      -log(1 - a) = log(1 + e^z),

        and `np.logaddexp(0, z)`, which is log(e^0 + e^z), is exact even where a has rounded to 0 or 1.
        """
        Y = check_columns(Y, self.Z2.shape[0], "Y", examples=self.Z2.shape[1])
        per_output = Y * np.logaddexp(0, -self.Z2) + (1 - Y) * np.logaddexp(0, self.Z2)
        return float(per_output.sum() / Y.shape[1])

    def backward_pass(self, X: np.ndarray, Y: np.ndarray) -> None:
        """The gradients of the loss, for the X of the last forward pass. Parameters are not changed.

        Call the derivative of the loss with respect to a pre-activation the error signal of its layer:

            dZ2 = (A2 - Y) / m                     sigmoid and cross-entropy together leave only the difference
            dW2 = dZ2 A1^T                         db2 = dZ2, summed over the examples
            dZ1 = (W2^T dZ2) * A1 * (1 - A1)       back through W2, then through the sigmoid, elementwise
            dW1 = dZ1 X^T                          db1 = dZ1, summed over the examples
        """
        Y = check_columns(Y, self.A2.shape[0], "Y", examples=self.A2.shape[1])
        X = check_columns(X, self.W1.shape[1], "X", examples=self.A2.shape[1])
        dZ2 = (self.A2 - Y) / Y.shape[1]
        self.dW2 = dZ2 @ self.A1.T
        self.db2 = dZ2.sum(axis=1, keepdims=True)
        dZ1 = (self.W2.T @ dZ2) * self.A1 * (1 - self.A1)
        self.dW1 = dZ1 @ X.T
        self.db1 = dZ1.sum(axis=1, keepdims=True)

    def update_parameters(self, learning_rate: float) -> None:
        """One step of gradient descent for all parameters:  theta <- theta - learning_rate * dtheta."""
        self.W1 = self.W1 - learning_rate * self.dW1
        self.b1 = self.b1 - learning_rate * self.db1
        self.W2 = self.W2 - learning_rate * self.dW2
        self.b2 = self.b2 - learning_rate * self.db2

    def train(self, X: np.ndarray, Y: np.ndarray, epochs: int, learning_rate: float) -> list[float]:
        """Gradient descent on all examples at once; returns the loss of every epoch, each taken before its update."""
        losses = []
        for _ in progress(epochs):
            self.forward_pass(X)
            losses.append(self.compute_loss(Y))
            self.backward_pass(X, Y)
            self.update_parameters(learning_rate)
        return losses

    def predict(self, X: np.ndarray) -> np.ndarray:
        """The predicted labels (o, m): 1 where the output is above one half, else 0."""
        return (self.forward_pass(X) > 0.5).astype(int)
