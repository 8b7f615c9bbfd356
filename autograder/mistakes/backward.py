"""Mistakes in the error signals of the output and of the hidden layers."""

from autograder.mistakes.texts import Texts

OUTPUT_ERROR: Texts = {
    "absolute-error": (
        "the error has lost its sign",
        "Your output error has one sign for all examples. Ask yourself what should happen for y = 1 and for y = 0.",
    ),
    "error-squared": (
        "the error is squared",
        "Your output error is still squared, as in the loss. Differentiate the loss before you use it.",
    ),
    "squared-error-for-this-loss": (
        "the gradient is the one of the squared error",
        "This loss does not grow with the square of the error. Ask yourself how its slope depends on the error.",
    ),
    "target-missing": (
        "the target is not in the output error",
        "Your output error does not depend on Y. Check which two arrays you compare.",
    ),
    "derivative-of-the-residual": (
        "an activation derivative is taken of the error",
        "You put the error itself into the derivative of the activation. Check the argument of that derivative.",
    ),
    "extra-output-derivative": (
        "the output derivative is multiplied in although cross-entropy cancels it",
        "With cross-entropy one factor of the output error cancels. Write the product out once on paper.",
    ),
    "output-derivative-not-applied": (
        "the derivative of the loss stops at A, not at Z",
        "You differentiate the loss with respect to the output activation. One more step leads to the pre-activation.",
    ),
    "half-of-the-cross-entropy": (
        "only one of the two terms of the cross-entropy is differentiated",
        "Cross-entropy has one term for y = 1 and one for y = 0. Check that both are in your derivative.",
    ),
    "softmax-jacobian-diagonal-only": (
        "only the diagonal of the softmax derivative is used",
        "Each softmax output depends on every pre-activation. Check what happens between different outputs.",
    ),
    "thresholded-prediction": (
        "the predicted class is used instead of the probability",
        "You round the output before you compute the error. The loss uses the probabilities themselves.",
    ),
    "another-output-error": (
        "the output error is another formula",
        "Differentiate the loss with respect to the pre-activation of the output, and compare it with your line.",
    ),
    "pre-activation-in-output-error": (
        "the pre-activation of the output is used instead of its activation",
        "Check which value of the last layer you compare with Y: before or after its activation?",
    ),
    "output-derivative-missing": (
        "the derivative of the output activation is missing",
        "With this loss nothing cancels at the output. Check that the chain rule passes through the last activation.",
    ),
    "output-derivative-twice": (
        "the derivative of the output activation is applied twice",
        "Count how often the derivative of the last activation appears in your output error.",
    ),
    "output-derivative-of-tanh": (
        "the output derivative is the one of tanh",
        "Check which activation the last layer has, and take the derivative of that one.",
    ),
    "output-derivative-half": (
        "half of the output derivative is missing",
        "The derivative of the last activation is a product of two factors. Check that you have both.",
    ),
    "output-derivative-with-z": (
        "the output derivative is computed from Z with the formula meant for A",
        "The short formula for this derivative expects the activation. Check what you put into it.",
    ),
    "output-derivative-at-activation": (
        "the output derivative is evaluated at A instead of Z",
        "Your derivative function applies the activation itself. Check what you pass to it in the last layer.",
    ),
    "derivative-at-linear-output": (
        "a linear output is given the derivative of another activation",
        "The last layer is linear. Ask yourself what the derivative of its activation is.",
    ),
    "output-weights-missing": (
        "the weight of each output in the loss is missing",
        "The loss gives every output its own weight. Check that the weights reach your output error.",
    ),
    "output-weights-squared": (
        "the weight of each output is squared",
        "Count how often the output weights enter your gradient. In the loss they enter once.",
    ),
    "output-weights-inverted": (
        "the error is divided by the weight of its output",
        "Check whether a larger output weight makes your gradient larger or smaller.",
    ),
    "output-weights-normalised": (
        "the output weights are normalised",
        "You rescale the output weights before you use them. Compare with the loss as it is stated.",
    ),
    "hinge-margin-ignored": (
        "the margin is not checked",
        "An example that is classified well enough costs nothing. Check what it adds to your gradient.",
    ),
    "hinge-margin-at-zero": (
        "the margin is checked against 0 instead of 1",
        "Check from which score on the hinge loss is zero.",
    ),
    "hinge-side-inverted": (
        "the examples on the wrong side of the margin are used",
        "Check which examples have a loss above zero. Only these push on the weights.",
    ),
    "hinge-label-missing": (
        "the label is not in the gradient",
        "The two classes should pull in opposite directions. Check where your gradient uses the label.",
    ),
    "hinge-squared": (
        "the gradient belongs to the squared hinge loss",
        "Inside the margin the hinge loss is a straight line. Ask yourself what the slope of a line is.",
    ),
    "hinge-error-of-regression": (
        "the error of a regression is used with the hinge loss",
        "Your gradient uses the distance between score and label. Differentiate the hinge loss instead.",
    ),
    "hinge-score-for-label": (
        "the score is used where the label belongs",
        "Check which of the two factors in the margin is differentiated, and which one stays.",
    ),
}

HIDDEN_ERROR: Texts = {
    "w2-updated-before-hidden-error": (
        "W2 is updated before the error of layer 1 is computed",
        "Look at the order of your lines: which W2 does the error of layer 1 meet, the old one or the new one?",
    ),
    "w3-updated-before-hidden-error": (
        "W3 is updated before the error of layer 2 is computed",
        "Look at the order of your lines: which W3 does the error of layer 2 meet, the old one or the new one?",
    ),
    "weights-updated-before-hidden-error": (
        "the weights are updated before the error of the layer below is computed",
        "Look at the order of your lines: which weights does the error meet, the old ones or the new ones?",
    ),
    "derivative-of-another-activation": (
        "the derivative of another activation is used",
        "Check whose derivative you multiply with, and which activation this layer has.",
    ),
    "gradient-used-for-weights": (
        "the gradient of the weights is used instead of the weights",
        "Check which matrix carries the error back to the hidden layer. Two names in your code look alike.",
    ),
    "weights-missing-in-hidden-error": (
        "the weights are not used to carry the error back",
        "Each hidden unit has its own share in the error. Check what decides how large this share is.",
    ),
    "weights-not-transposed": (
        "the weights are not transposed on the way back",
        "The error runs through the layer in the opposite direction. Check rows and columns of the matrix you use.",
    ),
    "wrong-layer-weights": (
        "the weights of another layer carry the error back",
        "Check which weights lie between the layer whose error you have and the layer whose error you want.",
    ),
    "absolute-weights": (
        "the absolute values of the weights carry the error back",
        "A negative weight turns the sign of the error. Check that yours keep their sign.",
    ),
    "hidden-error-is-a1-minus-y": (
        "the hidden layer is compared with the target",
        "A hidden unit has no target of its own. Ask yourself where its error comes from.",
    ),
    "upstream-error-missing": (
        "the error of the layer above is not used",
        "Your hidden error does not depend on the error above it. Follow the chain rule one layer further.",
    ),
    "derivative-without-upstream-error": (
        "the activation derivative stands alone, without the error",
        "The derivative of the activation is one factor of the hidden error. Check what it is multiplied with.",
    ),
    "activation-derivative-missing": (
        "the derivative of the hidden activation is missing",
        "You carry the error back through the weights. Check that it also passes through the activation.",
    ),
    "activation-derivative-twice": (
        "the derivative of the hidden activation is applied twice",
        "Count how often the derivative of the hidden activation appears in your hidden error.",
    ),
    "derivative-at-activation": (
        "the hidden derivative is evaluated at A instead of Z",
        "Your derivative function applies the activation itself. Check what you pass to it.",
    ),
    "pre-activation-in-derivative": (
        "the formula for the derivative gets Z where it means A",
        "The short formula for this derivative is written in terms of the activation. Check what you put into it.",
    ),
    "half-of-the-derivative": (
        "half of the hidden derivative is missing",
        "Write down the derivative of the hidden activation in full, and compare it with your code, part by part.",
    ),
    "another-derivative": (
        "the hidden derivative is another formula",
        "Write down the derivative of the hidden activation, and compare it with your code at one number.",
    ),
    "activation-for-derivative": (
        "the activation is used instead of its derivative",
        "Check whether your hidden error is multiplied by the activation or by its slope.",
    ),
    "extra-activation-factor": (
        "there is one factor too many in the hidden derivative",
        "Write down the derivative of the hidden activation, and count the factors in your code.",
    ),
    "sign-inside-derivative": (
        "a sign inside the hidden derivative is wrong",
        "Ask yourself whether the slope of this activation gets smaller or larger far from zero.",
    ),
    "second-derivative": (
        "the second derivative of the hidden activation is used",
        "You differentiate the hidden activation once too often.",
    ),
    "square-missing": (
        "a square is missing in the derivative of tanh",
        "Compare your derivative of tanh with the formula. At zero both agree; look at another value.",
    ),
    "square-of-the-bracket": (
        "the whole bracket is squared in the derivative of tanh",
        "Check what exactly is squared in the derivative of tanh.",
    ),
    "doubled-instead-of-squared": (
        "the tanh in the derivative is doubled instead of squared",
        "Check the power in your derivative of tanh.",
    ),
    "derivative-without-brackets": (
        "brackets are missing around the derivative",
        "Multiplication comes before subtraction. Check what your hidden error is really multiplied with.",
    ),
    "sigmoid-derivative-with-tanh": (
        "the derivative of sigmoid is used with tanh",
        "The hidden activation is tanh. Check that its derivative changed together with it.",
    ),
    "sigmoid-derivative-with-relu": (
        "the derivative of sigmoid is used with ReLU",
        "The hidden activation is ReLU. Check that its derivative changed together with it.",
    ),
    "sigmoid-derivative-with-xtanhx": (
        "the derivative of sigmoid is used with x tanh x",
        "The hidden activation is x tanh x. Check that its derivative changed together with it.",
    ),
    "sigmoid-derivative-with-linear": (
        "the derivative of sigmoid is used in a linear layer",
        "The hidden layer is linear. Check that its derivative changed together with it.",
    ),
    "tanh-derivative-with-sigmoid": (
        "the derivative of tanh is used with sigmoid",
        "The hidden activation is sigmoid. Check whose derivative you multiply with.",
    ),
    "tanh-derivative-with-relu": (
        "the derivative of tanh is used with ReLU",
        "The hidden activation is ReLU. Check whose derivative you multiply with.",
    ),
    "tanh-derivative-with-xtanhx": (
        "the derivative of tanh alone is used with x tanh x",
        "The hidden activation is a product, x times tanh x. Check that your derivative treats it as one.",
    ),
    "tanh-derivative-with-linear": (
        "the derivative of tanh is used in a linear layer",
        "The hidden layer is linear. Check whose derivative you multiply with.",
    ),
    "relu-derivative-with-tanh": (
        "the derivative of ReLU is used with tanh",
        "The hidden activation is tanh. Check whose derivative you multiply with.",
    ),
    "relu-derivative-with-xtanhx": (
        "the derivative of ReLU is used with x tanh x",
        "The hidden activation is x tanh x. Check whose derivative you multiply with.",
    ),
    "relu-derivative-with-linear": (
        "the derivative of ReLU is used in a linear layer",
        "The hidden layer is linear. Check whose derivative you multiply with.",
    ),
    "relu-derivative-returns-z": (
        "the derivative of ReLU returns the value instead of the slope",
        "Draw ReLU. Your function gives its height; ask yourself what its slope is on each side.",
    ),
    "relu-leaky-slope": (
        "the derivative belongs to leaky ReLU",
        "Check the slope that you give to negative pre-activations. This layer is plain ReLU.",
    ),
    "relu-step-inverted": (
        "the derivative of ReLU is one on the wrong side",
        "Check for which sign of Z a ReLU unit lets the error through.",
    ),
    "relu-sign-for-step": (
        "the sign of Z is used for the derivative of ReLU",
        "Check what your derivative of ReLU returns for a negative number.",
    ),
    "relu-threshold-at-one": (
        "the derivative of ReLU switches at 1 instead of 0",
        "Check at which value of Z the slope of ReLU changes.",
    ),
    "relu-mask-from-upstream": (
        "the sign of the error decides what ReLU lets through, not the sign of Z",
        "ReLU goes through twice: its mask comes from the forward pass. Check which array your mask looks at.",
    ),
    "product-rule-first-half-only": (
        "one half of the product rule is missing: only tanh z is left",
        "The activation is a product. Its derivative has two terms; check that you have both.",
    ),
    "product-rule-second-half-only": (
        "one half of the product rule is missing: only z times the slope of tanh is left",
        "The activation is a product. Its derivative has two terms; check that you have both.",
    ),
    "product-rule-factor-missing": (
        "a factor is missing in one term of the product rule",
        "In the product rule each term has two factors. Check both terms of your derivative.",
    ),
    "product-rule-multiplied": (
        "the two terms of the product rule are multiplied",
        "Check how the two terms of the product rule are put together.",
    ),
    "product-rule-minus": (
        "the two terms of the product rule are subtracted",
        "Check the sign between the two terms of the product rule.",
    ),
    "tanh-squared-from-activation": (
        "the value x tanh x is used where tanh x belongs",
        "Inside the derivative you need tanh z. Check whether your stored activation is really tanh z.",
    ),
    "output-derivative-in-hidden-layer": (
        "the derivative of the output is used in the hidden layer",
        "Check at which layer's values you evaluate the derivative in the hidden error.",
    ),
}

GRAPH: Texts = {
    "gradient-overwritten": (
        "what arrives at a node overwrites what has arrived before",
        "A node that feeds two others gets something from each. Check which sign stands before the equals sign.",
    ),
    "gives-before-all-has-arrived": (
        "a node gives to its parents before everything has arrived at it",
        "Draw a node that feeds two others, one of which feeds the other. Check in which order your walk comes by.",
    ),
    "gradients-left-over": (
        "a second call adds to what the first one has left",
        "Check what each gradient is when your walk begins.",
    ),
    "walk-calls-itself": (
        "the walk calls itself deeper than Python allows",
        "A chain of many nodes needs no function inside a function: keep a list of what is still to do.",
    ),
    "exponent-not-lowered": ("the exponent is not one less", "Differentiate the square by hand and compare."),
    "stretched-not-summed": (
        "the gradient still has the stretched shape",
        "One number has fed several. Check what becomes of all that comes back to it.",
    ),
    "one-path-only": (
        "only one of the paths is counted",
        "Count the arrows that leave this node. By each of them it changes the loss.",
    ),
    "paths-multiplied": (
        "the paths are multiplied",
        "Factors along one path are multiplied. What happens where two paths come together?",
    ),
    "paths-averaged": (
        "what arrives is divided by the number of paths",
        "If the node moves a little, the loss changes by way of every path at once. Is that a mean?",
    ),
    "own-factor": (
        "a factor of a product gets itself, not the other one",
        "How much does a product change if one of its factors grows by 1?",
    ),
    "upstream-missing": (
        "what has arrived from above is left out",
        "This is the derivative of one node alone. How far does the loss move with that node?",
    ),
    "value-for-derivative": (
        "the value of the node stands in the place of its derivative",
        "Differentiate the node by the one where the edge begins, then put in the numbers.",
    ),
    "exponent-forgotten": (
        "the exponent is lost in the derivative",
        "By how much does a square change? Compare the squares of 5 and of 5.001.",
    ),
    "sign-of-a-term": ("a term has the wrong sign", "Put the numbers in again, with their signs."),
    "product-for-sum": ("multiplied where a sum is asked for", "Look at the sign between the two."),
    "sum-for-product": ("added where a product is asked for", "Look at the sign between the two."),
    "other-operand": (
        "another value stands in the place of one of the two",
        "From which two nodes do the arrows come?",
    ),
    "derivative-for-value": (
        "this is the derivative of the node, not its value",
        "In the forward pass nothing is differentiated yet.",
    ),
}
