"""Mistakes in slopes by differences, and in checkers of gradients."""

from autograder.mistakes.texts import Texts

DIFFERENCE: Texts = {
    "difference-over-one-step": (
        "the difference of two steps is divided by one",
        "How far is it from x - h to x + h?",
    ),
    "difference-over-two-steps": (
        "the difference of one step is divided by two",
        "How far is it between the two points that you compare?",
    ),
    "difference-one-sided": (
        "the difference is taken to one side, so its error goes by the step and not by its square",
        "Where does x lie between your two points?",
    ),
    "difference-step-too-large": (
        "the step is so large that the curve bends within it",
        "Try a step ten times as small: by how much does the slope change?",
    ),
    "difference-step-too-small": (
        "the step is so small that rounding is most of the difference",
        "A number has about sixteen digits. How many of them does the step change, in x and in f?",
    ),
    "step-lost-in-whole-numbers": (
        "the step is lost: an array of whole numbers cannot hold it",
        "What does numpy do when 0.00001 is added to an entry of an integer array?",
    ),
}

CHECKER: Texts = {
    "checker-never-objects": ("every function passes", "What would a wrong gradient have to be for you to refuse it?"),
    "checker-always-objects": ("no function passes", "Try it on a gradient that you know to be right."),
    "checker-blind-to-the-sign": (
        "a gradient with the wrong sign passes",
        "You compare sizes. What about the directions?",
    ),
    "checker-hides-small-entries": (
        "a wrong small entry is hidden by a large one",
        "One large entry makes the norm. Measure each entry by itself.",
    ),
    "checker-tolerance-absolute": (
        "wrong gradients pass when they are tiny: the tolerance does not go by their size",
        "Compare your tolerance with a gradient of 1e-13. The allclose of numpy has one of its own.",
    ),
    "checker-refuses-zeros": (
        "right gradients that are tiny, or zero somewhere, are refused",
        "What is 0 / 0, and what does a comparison with it say?",
    ),
    "checker-refuses-large-inputs": (
        "right gradients are refused where one input is enormous and others are not",
        "Which step does an entry of 3,000,000,000 need, and which the 1 beside it?",
    ),
    "checker-refuses-kinks": (
        "right gradients are refused at a kink",
        "Look at the slopes to the left and to the right of it. What lies between them is right.",
    ),
    "checker-excuses-kinks": (
        "wrong gradients pass where there is a kink",
        "Not everything is right at a kink, and a kink in one entry excuses no other.",
    ),
    "checker-passes-nan": ("a gradient with a NaN passes", "Every comparison with NaN is False. Which one is yours?"),
    "checker-passes-another-shape": (
        "a gradient of another shape passes",
        "numpy stretches shapes before it compares. Compare them first.",
    ),
    "checker-upstream-of-ones": (
        "gradients pass that have outputs exchanged or averaged",
        "If the same number arrives at every output, it does not matter which output gets which.",
    ),
    "checker-upstream-with-equal-entries": (
        "gradients pass that have two outputs exchanged",
        "Which entries of your upstream gradient are equal? Exchange these two outputs in your mind.",
    ),
    "checker-upstream-with-zeros": (
        "gradients pass that have lost an output",
        "What is multiplied by a 0 of your upstream gradient may be wrong. Which entry is it?",
    ),
    "checker-upstream-sums-to-zero": (
        "gradients pass from which the mean over the outputs is taken off",
        "Add up the entries of your upstream gradient. What is their mean?",
    ),
}
