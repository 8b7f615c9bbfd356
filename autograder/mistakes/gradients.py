"""Mistakes from the error signal of a layer to its gradients, their scale and penalty, and the update."""

from autograder.mistakes.texts import Texts

GRADIENT: Texts = {
    "z-for-a-in-gradient": (
        "the pre-activation is used instead of the activation",
        "Check what really enters this layer in the forward pass. The same array belongs in the gradient.",
    ),
    "wrong-layer-activation": (
        "the activation of another layer is used",
        "Check which layer feeds these weights in the forward pass, and which array your gradient uses.",
    ),
    "derivative-for-activation-in-gradient": (
        "the derivative of the activation is used instead of the activation",
        "Check what the weights were multiplied with in the forward pass. Is it a value or a slope?",
    ),
    "gradient-collapsed-to-one-number": (
        "the whole gradient is collapsed to one number",
        "The gradient needs one number per weight. Check over which axes you sum or average.",
    ),
    "only-one-example": (
        "only one example of the batch is used",
        "Check that every example of the batch adds to the gradient, not just the first or the last one.",
    ),
    "averaged-before-the-product": (
        "an average over the examples is taken before error and activation are multiplied",
        "The mean of a product is not the product of the means. Check which comes first in your code.",
    ),
    "upstream-used-past-the-activation": (
        "the gradient in front of the activation is used",
        "Which of your arrays has already gone back through the activation?",
    ),
    "elementwise-for-matrix-product": (
        "an elementwise product is used instead of a matrix product",
        "Check the kind of product in your gradient: it has to sum over the examples.",
    ),
    "result-transposed": (
        "the result is transposed",
        "Compare the shape of your gradient with the shape of the weights, rows and columns.",
    ),
    "other-shape": (
        "the shape is not the one that is needed",
        "Which product, and which transpose, leads from the shapes that you have to this one?",
    ),
    "bias-gradient-for-weights": (
        "the gradient of the bias is used for the weights",
        "Check which array moves the weights. Two names in your code look alike.",
    ),
    "row-and-column-to-a-matrix": (
        "a row and a column are combined, and numpy makes a matrix of them",
        "Print the shapes of both sides of this line. One of them is turned, or has lost an axis.",
    ),
    "wrong-shape": (
        "the numbers are right, the shape is not",
        "Compare the shape of your result with the shape of the parameter it belongs to.",
    ),
}

BIAS: Texts = {
    "bias-not-summed-over-batch": (
        "the bias gradient is not summed over the batch",
        "A bias is shared by all examples. Check how the examples come together in its gradient.",
    ),
    "bias-summed-over-everything": (
        "the bias gradient is summed over everything",
        "Each unit has its own bias. Check over which axis you sum, and that the other one is kept.",
    ),
    "bias-summed-over-units": (
        "the bias gradient is summed over the units instead of the examples",
        "Check the axis of your sum: one number per unit should be left.",
    ),
    "bias-of-another-layer": (
        "the bias gradient of another layer is used",
        "Check which layer's error you sum for which bias. Two names in your code look alike.",
    ),
    "weight-gradient-for-bias": (
        "the gradient of the weights is used for the bias",
        "Check which array moves the bias. Two names in your code look alike.",
    ),
    "bias-from-rows-of-dw": (
        "the bias gradient is made from the weight gradient",
        "The bias does not see the inputs of its layer. Check from which array you compute its gradient.",
    ),
}

SCALE: Texts = {
    "missing-1-over-m": (
        "the average over the examples is missing (no 1/m)",
        "The loss is a mean over the examples. Check where your gradient takes that mean.",
        "sum over the examples",
    ),
    "averaged-instead-of-summed": (
        "the gradient is averaged over the examples instead of summed",
        "The loss is a sum over the examples. Check whether your gradient divides by their number.",
        "mean over the examples",
    ),
    "divided-by-m-twice": (
        "the factor 1/m is applied twice",
        "Follow the factor 1/m through your code, from the output error to the gradient, and count.",
    ),
    "multiplied-by-m": (
        "the gradient is multiplied by m",
        "Check in which direction the number of examples enters: does your gradient grow with it?",
    ),
    "divided-by-m-minus-1": (
        "the sum is divided by m - 1",
        "The loss is a plain mean. Check by which number you divide.",
    ),
    "divided-by-wrong-count": (
        "the sum is divided by a size that is not the number of examples",
        "Check which axis of which array you take the number of examples from.",
    ),
    "factor-2-lost": (
        "the factor 2 of the squared error is lost",
        "This loss has no factor 1/2 in front. Differentiate the square once more.",
        "loss with a factor 1/2",
    ),
    "factor-2-doubled": (
        "the factor 2 of the squared error is counted twice",
        "Check how many places in your code bring in the factor of the square.",
    ),
    "factor-2-extra": (
        "there is a factor 2 too much",
        "Check which constant stands in front of the loss, and what is left of it in the derivative.",
        "loss without a factor 1/2",
    ),
    "factor-half-extra": (
        "there is a factor 1/2 too much",
        "Check which constant stands in front of the loss, and what is left of it in the derivative.",
    ),
    "mean-over-outputs": (
        "the mean over the outputs is taken instead of the sum",
        "Check whether the loss sums or averages over the outputs, and over how many entries you average.",
        "mean over the outputs",
    ),
    "summed-over-outputs": (
        "the sum over the outputs is taken instead of the mean",
        "Check whether the loss sums or averages over the outputs.",
        "sum over the outputs",
    ),
    "wrong-factor": (
        "the gradient of the data is multiplied by a wrong number",
        "Collect the constants of your line, one by one, and compare with the loss and the update rule.",
    ),
    "sign-flipped": (
        "the sign is wrong",
        "Your gradient points the opposite way. Check the order of the difference, and the sign of the step.",
    ),
    "learning-rate-in-gradient": (
        "the learning rate is already in the gradient",
        "The gradient belongs to the loss alone. Check in which step the learning rate has its place.",
    ),
    "learning-rate-missing": (
        "the learning rate is missing in the update",
        "Check what decides how long your step is.",
    ),
    "learning-rate-squared": (
        "the learning rate is applied twice",
        "Count how often the learning rate enters between the gradient and the new parameter.",
    ),
}

PENALTY: Texts = {
    "penalty-missing": (
        "the penalty is missing",
        "The loss has a term for the weights. Check what this term adds to the gradient.",
    ),
    "penalty-halved": (
        "the penalty is half as large as it should be",
        "Differentiate the penalty once by hand, and watch the 2 of the square.",
        "penalty half as large",
    ),
    "penalty-doubled": (
        "the penalty is twice as large as it should be",
        "Differentiate the penalty once by hand, and watch the 2 of the square.",
        "penalty twice as large",
    ),
    "penalty-not-divided-by-m": (
        "the penalty is not divided by the number of examples",
        "Look at the constant in front of the penalty in the loss. One part of it is not in your gradient.",
        "penalty without 1/m",
    ),
    "penalty-divided-by-m": (
        "the penalty is divided by the number of examples",
        "Look at the constant in front of the penalty in the loss. Your gradient has one part more.",
        "penalty with 1/m",
    ),
    "penalty-divided-by-m-twice": (
        "the penalty is divided by m twice",
        "Follow the penalty through your code, and count how often it is divided by m.",
    ),
    "penalty-sign-wrong": (
        "the penalty has the wrong sign: the weights grow instead of decay",
        "Ask yourself whether the penalty should make the weights smaller or larger, and check the sign.",
    ),
    "penalty-added-as-one-number": (
        "the penalty is added as one number",
        "Each weight has its own penalty in the gradient. Check that what you add has the shape of the weights.",
    ),
    "penalty-squared-weights": (
        "the weights in the penalty are still squared",
        "You add the penalty as it is in the loss. Differentiate it before you add it.",
    ),
    "penalty-of-absolute-weights": (
        "the penalty is the one of absolute weights (L1)",
        "The penalty in the loss is a sum of squares. Check what its derivative looks like for a negative weight.",
    ),
    "penalty-without-weights": (
        "the penalty does not depend on the weights",
        "A large weight should decay faster than a small one. Check what you add to the gradient.",
    ),
    "penalty-of-another-layer": (
        "the penalty uses the weights of another layer",
        "Check which weights you add to which gradient.",
    ),
    "penalty-of-updated-weights": (
        "the penalty uses the weights after their update",
        "All gradients are taken at the old parameters. Check which weights your penalty sees.",
    ),
    "penalty-built-from-the-gradient": (
        "the penalty is built from the gradient instead of the weights",
        "Check which array you multiply with the penalty strength.",
    ),
    "penalty-without-learning-rate": (
        "the penalty is not multiplied by the learning rate",
        "The penalty is a part of the gradient. Check that the whole gradient is scaled in the step.",
    ),
    "decay-applied-after-the-step": (
        "the weights decay after the step instead of before it",
        "Check whether your decay uses the old weights or the ones that were already changed.",
    ),
    "bias-penalised": (
        "the bias is penalised",
        "Look at which parameters stand in the penalty term of the loss.",
    ),
    "bias-gets-the-weights-penalty": (
        "the penalty of the weights is added to the bias gradient",
        "Look at which parameters stand in the penalty term of the loss, and where you add it.",
    ),
}

UPDATE: Texts = {
    "parameter-never-updated": (
        "the parameter is never updated",
        "Your update leaves this parameter as it was. Check that there is a step for each of them.",
    ),
    "parameter-assigned-not-updated": (
        "the parameter is replaced by the step instead of changed by it",
        "Check whether your line changes the old parameter, or throws it away.",
    ),
    "multiplied-instead-of-subtracted": (
        "the parameter is multiplied by the step instead of changed by it",
        "Read your update once more: which operation stands between the parameter and its step?",
    ),
    "rate-added-not-multiplied": (
        "the learning rate is added or subtracted instead of multiplied",
        "Check the operation between the learning rate and the gradient.",
    ),
    "data-term-missing": (
        "the gradient of the data is not in the update",
        "Without the penalty, what would your line do? Check that the gradient is in it.",
    ),
    "parameter-scaled": (
        "the parameter itself is multiplied by a number",
        "The old parameter enters the update once. Check what it is multiplied with.",
    ),
    "constant-added": (
        "a constant is added to every entry",
        "Each entry has its own gradient. Check what your line adds to all of them alike.",
    ),
    "another-parameter-updated": (
        "the update starts from another parameter",
        "Check the names on both sides of your update: it changes one parameter and should start from the same one.",
    ),
    "another-parameter-added": (
        "a multiple of another parameter is added",
        "Check which arrays enter this line. One of them belongs to another parameter.",
    ),
}
