"""Mistakes in data, their scale and their statistics, in designs of networks and in what is said about a function."""

from autograder.mistakes.texts import Texts

DATA: Texts = {
    "zero-for-spin-down": ("the spins are 0 and 1", "A spin down is -1."),
    "unequal-halves": (
        "the two phases do not have exactly the same number of samples",
        "Both halves are equal in every draw. Which part of your code decides how many samples each phase gets?",
    ),
    "not-independent": (
        "the spins are not independent",
        "Every spin of every sample needs a random number of its own. How many numbers do you draw?",
    ),
    "labels-exchanged": ("the labels of the two phases are exchanged", "Which phase has label 0?"),
    "labels-left-behind": (
        "inputs and labels no longer belong together",
        "The same columns have to be moved in X and in Y.",
    ),
    "another-order": (
        "the four arrays come in another order",
        "The order asked for is X_train, Y_train, X_test, Y_test.",
    ),
    "not-a-partition": (
        "some examples are in both parts or in none",
        "Every example belongs to exactly one of the two parts.",
    ),
}

SCALING: Texts = {
    "mean-not-subtracted": ("the mean is not subtracted", "Around which number should standardised values lie?"),
    "not-divided-by-deviation": (
        "the deviation is not divided out",
        "How wide should standardised values be?",
    ),
    "one-scale-for-all": (
        "one scale is used for all outputs",
        "Each output has its own mean and its own deviation: over which axis do you take them?",
    ),
    "scale-per-example": (
        "the scale is taken per example instead of per output",
        "Each output has its own mean and its own deviation: over which axis do you take them?",
    ),
    "refitted-scaler": (
        "the scale is taken from the new table itself",
        "The scale belongs to the training data. Which two arrays are handed to your function?",
    ),
    "scaled-by-new-data": (
        "new examples are scaled by their own statistics",
        "From which data do your means and widths come? A single new reaction has no mean of its own.",
    ),
    "scaled-again": ("the values are standardised once more", "This function leads back to the unit of the data."),
    "order-of-scaling": ("the two steps are taken in the wrong order", "Undo the last step of standardise first."),
}

STATISTICS: Texts = {
    "absolute-values-for-squares": (
        "absolute values are used instead of squares",
        "Take the squares before you add up.",
    ),
    "mean-for-sum": ("the squares are averaged instead of added up", "A norm sums the squares."),
    "divided-by-the-length": (
        "the sum is divided by the number of losses",
        "Count how many terms your sum has: the ends of the curve have only one neighbour.",
    ),
    "divided-by-units-minus-one": (
        "the sum is divided by the number of units less one",
        "Look at the number below the sum in the formula.",
    ),
    "equal-counted": (
        "losses that stay the same are counted too",
        "What is a rise between two equal numbers?",
    ),
    "falls-counted": ("the falls are counted", "Is the loss larger or smaller after a rise?"),
    "spread-of-the-losses": (
        "this is the standard deviation of the losses: a smooth fall would count as rough",
        "Each loss is compared with the middle of its two neighbours.",
    ),
    "spread-of-weights": ("this is the spread of the weights", "What does a hidden unit send on?"),
    "spread-of-pre-activations": (
        "this is the spread of the pre-activations",
        "What does a hidden unit send on?",
    ),
    "spread-over-everything": (
        "one standard deviation is taken of all activations together",
        "First one number per example, then their mean.",
    ),
    "spread-over-examples": (
        "the standard deviation is taken over the examples",
        "The question is how much the units differ. Along which axis do they lie?",
    ),
    "mean-over-those-inside": (
        "the mean is taken over the examples inside the margin only",
        "The loss is a mean over all m examples, also over those that cost nothing.",
    ),
}

DESIGN: Texts = {
    "target-as-feature": ("a feature is the rate itself", "Is it known for a reaction that nobody has measured yet?"),
    "conditions-for-molecules": (
        "conditions in the place of molecular properties",
        "What is known of the molecules themselves, before anybody has measured a rate?",
    ),
    "too-few-features": (
        "there are too few features",
        "What decides how fast a reaction is: the molecule, its surroundings, the conditions?",
    ),
    "unit-missing": ("a feature has no unit", 'A quantity without dimension has the unit "1".'),
    "wrong-number-of-outputs": (
        "the number of outputs does not fit the task",
        "How many numbers does the network predict for one reaction?",
    ),
    "layer-missing": ("a layer is missing", "Every layer with weights counts, the output layer included."),
    "shapes-do-not-fit": (
        "a shape does not fit the sizes of the network",
        "Rows: units of the layer itself. Columns: what comes into it.",
    ),
    "biases-not-counted": (
        "the biases are not counted",
        "Every unit has one parameter more than it has inputs.",
    ),
    "output-layer-not-counted": (
        "the output layer is not counted",
        "Which layer comes after the last hidden one?",
    ),
    "units-counted": ("the units are counted", "Count weights and biases, not units."),
    "one-bias-per-layer": (
        "one bias is counted for each layer",
        "Does a layer have one bias, or each of its units?",
    ),
    "unknown-activation": ("an activation has an unknown name", "Which names does the task list?"),
    "output-cannot-reach-target": (
        "the output cannot reach every target",
        "Put the smallest and the largest k of the task through your transform. What must the output reach?",
    ),
    "classification-loss-for-regression": (
        "the loss belongs to classes, and the target is a number",
        "Which loss measures how far a number is from another one?",
    ),
}

PROPERTY: Texts = {
    "range-without-symmetry": (
        "the range has values that the function never takes",
        "Is there an x for which f(x) is negative?",
    ),
    "range-of-tanh": ("this is the range of one factor", "What does the factor x change? Try x = 3."),
    "parity-of-one-factor": (
        "this is the parity of one factor",
        "tanh is odd, and so is x. What is the product of two odd functions?",
    ),
    "taken-for-monotone": (
        "the function is taken for monotone",
        "Put in a few numbers: what are f(2) and f(-2), f(0.1) and f(-0.1)?",
    ),
    "slope-of-tanh": ("this is the slope of tanh", "f is a product. What does its other factor do to the slope?"),
    "sign-on-the-left": (
        "the sign of the slope on the left is wrong",
        "f is even: how do the slopes at x and at -x compare?",
    ),
    "largest-slope-at-the-end": (
        "the slope at infinity is taken for the largest one",
        "The slope tends to 1: does it come from below or above?",
    ),
    "slope-between-points": (
        "the slope is measured between two points",
        "A slope that is measured between two points is only near it. Derive a formula.",
    ),
}
