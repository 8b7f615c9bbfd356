"""Mistakes in the forward pass and the loss, and those of calculations by hand."""

from autograder.mistakes.texts import Texts

FORWARD: Texts = {
    "bias-forgotten": ("the bias is left out", "Which numbers does each unit add?"),
    "w1-transposed": (
        "the weights are read along the columns",
        "Row i of W1 holds the weights into hidden unit i. You went down a column.",
    ),
    "inputs-exchanged": (
        "the two inputs are exchanged",
        "The first column of W1 belongs to the first input. Which of the two numbers is that?",
    ),
    "inputs-for-activations": (
        "the inputs are used instead of the hidden activations",
        "What does the output unit see: the inputs, or what the hidden units make of them?",
    ),
    "pre-activations-for-activations": (
        "the pre-activations of the layer below are used instead of its activations",
        "What does a hidden unit send on after its activation?",
    ),
    "activation-forgotten": (
        "the activation is left out",
        "This is still the pre-activation. What does the activation make of it?",
    ),
    "activation-and-pre-activation-exchanged": (
        "activation and pre-activation are exchanged",
        "Which of the two is there first? Compare the names with the formulas of the forward pass.",
    ),
    "activation-applied-twice": (
        "the activation is applied to an activation",
        "Follow one number through your layer, and count how often it passes through the activation.",
    ),
    "hidden-activation-on-output": (
        "the output has the activation of the hidden layer",
        "Which activation does the task give to the last layer?",
    ),
    "sigmoid-kept": (
        "the sigmoid of the baseline is still there",
        "Which activation does the task give to this layer?",
    ),
    "tanh-for-sigmoid": ("these are values of tanh", "Which activation has this network?"),
    "sigmoid-without-brackets": (
        "brackets are missing in sigmoid",
        "Put in a large number: sigmoid should be near 1. Which part of your line is divided?",
    ),
    "sigmoid-sign": (
        "the sign in the exponent of the sigmoid is wrong",
        "A positive z must give more than one half. Does yours?",
    ),
    "relu-in-hidden-layer": (
        "the hidden layer has ReLU",
        "Which activation does the task give to this layer?",
    ),
    "relu-derivative-for-relu": (
        "this is the slope of ReLU, not ReLU itself",
        "A positive z passes through unchanged. Check what yours becomes.",
    ),
    "absolute-value": (
        "this is the absolute value",
        "A negative z does not change its sign. Look at the definition once more.",
    ),
    "leaky-relu": ("this is a leaky ReLU", "The negative side of this course's ReLU is exactly flat."),
    "minimum-for-maximum": (
        "the negative side is kept and the positive one is cut off",
        "Take the larger of the two numbers, not the smaller one.",
    ),
    "tanh-for-xtanhx": ("this is tanh alone", "f is a product. Which factor is missing?"),
    "tanh-squared-for-xtanhx": ("this is the square of tanh", "f is a product. What stands before tanh?"),
    "integers-from-vectorize": (
        "the numbers are cut off to integers where the first entry is negative",
        "`vectorize` takes the type of its first result for all others. Which type has your first one?",
    ),
    "return-missing": ("nothing is returned", "Is there a `return` at the end?"),
    "bias-sign-in-score": (
        "the sign of b in the score is wrong",
        "The SVM subtracts b from the score, the other two models add it. Which one is this?",
    ),
    "hinge-bias-sign": (
        "the sign of db is wrong",
        "In this score b is subtracted. What does that do to its derivative?",
    ),
    "stale-forward-pass": (
        "the activations are those of an earlier forward pass",
        "Which parameters made the activations that you use here: the old ones or the new ones?",
    ),
}

SOFTMAX: Texts = {
    "softmax-not-normalised": (
        "the exponentials are not divided by their sum",
        "Add up your shares. What should come out?",
    ),
    "softmax-without-exponentials": (
        "the shares are made without the exponentials",
        "Where does the exponential function stand in the formula?",
    ),
    "softmax-along-the-other-axis": (
        "the sum of softmax runs over the examples instead of the units",
        "One column is one example. Along which axis do its shares add up to one?",
    ),
    "softmax-over-everything": (
        "the sum of softmax runs over all examples together",
        "Every example has shares of its own. Over what does your sum run?",
    ),
    "largest-score-not-seen": (
        "the score that is subtracted may not be seen, and of those that may nothing is left",
        "Which scores of a row may decide what is subtracted from it?",
    ),
    "softmax-overflow": (
        "the exponentials of large units are infinite",
        "What may be subtracted from all units of an example, so that its largest exponent is harmless?",
    ),
    "softmax-one-shift-for-all": (
        "one number is subtracted from all examples, and some of them lose everything",
        "What is harmless for one example may leave nothing of another. From which units do you take your number?",
    ),
    "shift-not-added-back": (
        "what was subtracted before the exponential is not added back",
        "Shares do not change by the shift, but a logarithm of their sum does. By how much?",
    ),
    "shift-sign": (
        "what was subtracted before the exponential is subtracted once more",
        "Try it with one unit: what should come out for z = 5?",
    ),
    "logarithm-missing": ("the logarithm is missing", "Read the name of the function from right to left."),
    "largest-for-log-sum-exp": (
        "the largest unit stands for the logarithm of the sum",
        "That is an approximation. What do the other units add?",
    ),
    "softmax-derivative-missing": (
        "the step back through softmax is missing, or half of it",
        "Each share depends on every unit. Which sum does the chain rule ask for?",
    ),
    "softmax-jacobian-diagonal-missing": (
        "the case of equal indices is missing in the derivative of softmax",
        "What does a share gain when its own unit grows?",
    ),
    "softmax-jacobian-products-missing": (
        "the products of two shares are missing in the derivative of softmax",
        "Compare one entry beside the diagonal with the second case of the formula.",
    ),
    "softmax-jacobian-squares-missing": (
        "the square of the share is missing on the diagonal",
        "Add up a row of your matrix. What should come out?",
    ),
    "softmax-jacobian-sign": (
        "the sign of the products of shares is wrong",
        "When one unit grows, does the share of another one grow or shrink?",
    ),
    "softmax-average-unweighted": (
        "what is subtracted is not weighted by the shares",
        "Put the two cases of the Jacobian into the sum once more. What stands beside each dp in it?",
    ),
    "softmax-jacobian-built": (
        "the numbers are right, but a whole matrix is built on the way",
        "Put the two cases of the Jacobian into the sum: which sum over one index is left?",
    ),
    "collapsed-too-early": (
        "this is already the gradient behind softmax",
        "There are two steps here. What is the derivative of the loss by a share alone?",
    ),
    "logarithm-of-a-share": (
        "the logarithm of a share that has become zero is infinite",
        "There is a form of the loss without the logarithm of a share. Which one?",
    ),
    "binary-cross-entropy-for-classes": (
        "this is the cross-entropy of yes and no at every unit",
        "One of the classes is right. Which logarithms does the loss of the task have?",
    ),
}

LOSS: Texts = {
    "half-in-loss": (
        "there is a factor 1/2 in the loss",
        "This course's squared error has none: its derivative carries a 2.",
    ),
    "cross-entropy-in-loss": ("this is the cross-entropy", "Which loss does this task use?"),
    "not-squared": (
        "the error is not squared",
        "Without the square positive and negative errors cancel. What does the loss do with an error?",
    ),
    "absolute-error-in-loss": (
        "the loss adds absolute errors",
        "What happens to an error of 2 in the squared error?",
    ),
    "loss-mean-over-outputs": (
        "the loss is also averaged over the outputs",
        "Sum over the outputs, and take the mean over the examples only.",
    ),
    "loss-summed-over-examples": (
        "the loss is the sum over the examples",
        "The loss is a mean: by how many examples do you divide?",
    ),
    "root-of-loss": ("the square root of the loss is taken", "The loss is the mean squared error itself."),
    "penalty-not-squared": (
        "the weights in the penalty are not squared",
        "Look at the power in the sum: what would a positive and a negative weight do together without it?",
    ),
    "penalty-of-mean-squares": (
        "the squares of the weights are averaged",
        "The penalty adds them up. By how many numbers does your function divide?",
    ),
    "penalty-of-one-layer-only": (
        "the penalty counts the weights of one layer only",
        "How many weight matrices does the network have, and how many are in your sum?",
    ),
    "penalty-of-the-norm": (
        "the root of the sum of squares is used for the sum",
        "The penalty needs the sum of the squares itself. Which function did you use to get it?",
    ),
    "penalty-of-the-sum-squared": (
        "the sum of the weights is squared",
        "Which comes first in the penalty: squaring or adding up?",
    ),
}

BY_HAND: Texts = {
    "too-few-figures": (
        "too few significant figures are given",
        "Zeros in front do not count. How many figures has your number, and how many are asked for?",
    ),
    "decimals-for-figures": (
        "the number is rounded to decimals instead of significant figures",
        "Count figures from the first digit that is not zero, not from the decimal point.",
    ),
    "cut-off-not-rounded": ("the last figure is cut off, not rounded", "Which of the two neighbours is nearer?"),
    "step-too-small": ("the step is ten times too small", "Which learning rate does the task give?"),
    "wrong-power-of-ten": (
        "the digits are right and the power of ten is not",
        "Count the zeros behind the decimal point once more.",
    ),
    "decimal-comma": (
        "the number is written with a decimal comma",
        "Python reads 0,5 as two numbers. Which sign does it need between the digits?",
    ),
    "numbers-of-another": ("this is right for other numbers", "Which numbers are your own?"),
    "value-for-slope": (
        "this is a value of the sigmoid, not its slope",
        "How high is the sigmoid there, and how steep is it?",
    ),
    "first-step-skipped": (
        "the first step of the way back is skipped",
        "The size 1 belongs to a5. To get to z5 you go through the first activation already.",
    ),
    "listed-backwards": (
        "the list begins at the wrong end",
        "Layer 5 comes first in the list: that is the layer nearest to the output.",
    ),
    "factor-applied-once": (
        "the factor is applied only once",
        "Every layer multiplies what the layer above has left.",
    ),
    "subtracted-not-multiplied": (
        "the slopes are subtracted, not multiplied",
        "Two steps of a chain: what does the chain rule do with their slopes?",
    ),
    "one-slope-too-many": ("there is one slope too many", "There is no sigmoid between z1 and x, only a weight."),
    "one-layer-short": ("one layer is missing", "Count the layers between the first and the last number once more."),
    "factor-asked-the-other-way": (
        "the factor is given the other way round",
        "You give how many times it shrinks. Which of the two sizes stands above the line?",
    ),
    "slope-for-weight": ("this is the slope, not the weight", "Weight times slope must make 1."),
    "weight-one": ("with weights of size 1 it still shrinks", "Weight times slope must make 1."),
    "mean-for-rms": (
        "the mean is given instead of the root mean square",
        "Square the slopes first, then average, then take the root.",
    ),
    "rms-for-mean": (
        "the root mean square is given instead of the mean",
        "The mean magnitude needs no squares and no root.",
    ),
    "factor-of-active-units": (
        "the factor holds for the active half only",
        "What do the units that are not active contribute to the average?",
    ),
    "sigmoid-slope": (
        "this is 1/4, the bound of the sigmoid",
        "Which slopes has ReLU, and how many units have each of them?",
    ),
    "weights-exchanged": (
        "each hidden unit has the weight of the other one",
        "Follow the arrow from the unit to the output.",
    ),
    "cross-entropy-error": (
        "this is the error signal of cross-entropy",
        "Which loss does this task use?",
    ),
}
