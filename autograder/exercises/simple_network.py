"""Sheet 1: the backward pass and the update of the baseline network.

The forward pass, the loss and the loop are given in the notebook. The student writes ``backward_pass`` and
``update_parameters``, and a function that trains on the moons and reports what came out.
"""

from __future__ import annotations

from autograder.exercise import Exercise, Written
from autograder.exercises.networks import NetworkTask
from autograder.exercises.shared import moons
from autograder.exercises.stated import Fact, stated
from autograder.truth import descent

SIMPLE = NetworkTask("SimpleNeuralNetwork", ("sigmoid", "sigmoid"), "bce", own_forward=False)

TRAININGS = ((40, 2.0), (60, 1.5), (90, 1.0))
"""Epochs and learning rates: long enough that the network no longer gives every example the same label."""

START = {
    "start_loss": Fact(
        1,
        "the loss at the start",
        lambda: descent.loss(descent.baseline_state(4, 1, weight_scale=0.0), moons()["X"], moons()["Y"]),
        "It stands in the first column of the table. Which output does a network without weights give?",
    )
}

EXERCISE = Exercise(
    name="simple_network",
    sheet="foundations",
    title="A network with one hidden layer",
    minutes=60,
    difficulty=3,
    questions=(
        SIMPLE.gradients("output_gradients", "Gradients of the output layer", keeping=None, dW2=3, db2=1),
        SIMPLE.gradients("hidden_gradients", "Gradients of the hidden layer", dW1=5, db1=2),
        SIMPLE.update("update_step", "The update", W1_new=2, b1_new=1, W2_new=1, b2_new=1),
        SIMPLE.report_on_moons(
            "training_report",
            "Training on the moons",
            trainings=TRAININGS,
            final_loss=1,
            train_accuracy=1,
            test_accuracy=1,
        ),
        stated("loss_at_the_start", "Where the loss starts", START),
    ),
    written=(Written("two_trainings", "Two trainings of the same network", 5),),
    parts={
        "backward_pass": ("output_gradients", "hidden_gradients"),
        "update_parameters": ("update_step",),
        "moons": ("training_report",),
        "loss and boundary": ("loss_at_the_start", "two_trainings"),
    },
)
