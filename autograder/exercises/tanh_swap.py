"""Sheet 3: tanh instead of the sigmoid in the hidden layer.

The student writes ``TanhNetwork(SimpleNeuralNetwork)`` with its own forward and backward pass, and a function that
trains a network on the moons and reports what came out.
"""

from __future__ import annotations

from autograder.exercise import Exercise, Written
from autograder.exercises.networks import NetworkTask

TANH = NetworkTask("TanhNetwork", ("tanh", "sigmoid"), "bce")

TRAININGS = ((40, 0.5), (50, 0.8), (60, 0.4))
"""Epochs and learning rates: long enough that the network no longer gives every example the same label."""

EXERCISE = Exercise(
    name="tanh_swap",
    sheet="training",
    title="tanh in the hidden layer",
    minutes=45,
    difficulty=2,
    questions=(
        TANH.forward("forward_tanh", "The forward pass with tanh", Z1=1, A1=1, Z2=1, A2=1, returned=1),
        TANH.gradients("output_gradients", "Gradients of the output layer", keeping=None, dW2=3, db2=1),
        TANH.gradients("hidden_gradients", "Gradients of the hidden layer", dW1=5, db1=3),
        TANH.report_on_moons(
            "training_report",
            "Training on the moons",
            trainings=TRAININGS,
            final_loss=1,
            train_accuracy=1,
            test_accuracy=1,
        ),
    ),
    written=(Written("comparison", "What changed, with numbers", 5),),
    parts={
        "network": ("forward_tanh", "output_gradients", "hidden_gradients"),
        "moons": ("training_report",),
        "comparison": ("comparison",),
    },
)
