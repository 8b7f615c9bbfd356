"""Mistakes in layers beyond dense ones, and in optimisers."""

from autograder.mistakes.texts import Texts

NORM: Texts = {
    "norm-variance-constant": (
        "the variance is taken for a constant",
        "The variance depends on every entry it is made of. Ask yourself which term of the gradient comes from it.",
    ),
    "norm-mean-constant": (
        "the mean is taken for a constant",
        "The mean depends on every entry that it is made of. Ask yourself what that subtracts from the gradient.",
    ),
    "norm-not-divided": (
        "the gradient is not divided by the standard deviation",
        "The input was divided by the standard deviation. Check what that makes of its gradient.",
    ),
    "norm-divided-by-variance": (
        "the gradient is divided by the variance instead of the standard deviation",
        "Check the power of the standard deviation that the gradient is divided by.",
    ),
    "norm-sums-for-means": (
        "sums stand where means are due in the gradient of the normalisation",
        "The mean and the variance are averages. Check the count that their terms are divided by.",
    ),
    "norm-along-the-other-axis": (
        "the terms of mean and variance are averaged along the other axis",
        "Compare the axis of your forward pass with the axis of the two averages in your backward pass.",
    ),
    "norm-unbiased-variance": (
        "the variance is divided by one less than the count",
        "There are two estimates of a variance. Check which one a normalisation layer takes.",
        "variance divided by n - 1",
    ),
    "norm-epsilon-misplaced": (
        "epsilon is left out, or is not below the root",
        "Check where epsilon is added: to the variance or to its root.",
    ),
    "norm-gamma-missing": (
        "gamma is missing on the way back to the input",
        "The normalised values were multiplied by gamma. Check whether their gradient was.",
    ),
    "norm-scale-from-the-sum": (
        "the gradient of gamma is that of beta",
        "Gamma multiplies something. Ask yourself what the error is multiplied by for its gradient.",
    ),
    "norm-scale-along-the-other-axis": (
        "the gradient of gamma or beta is summed along the other axis",
        "Check the shape of gamma and beta, and which axis has to go.",
    ),
    "norm-scale-not-summed": (
        "the gradient of gamma or beta is not summed",
        "Gamma and beta were broadcast. Ask yourself what broadcasting means on the way back.",
    ),
    "norm-input-for-normalised": (
        "the input stands where the normalised values are due in the gradient of gamma",
        "Check what gamma was multiplied with in the forward pass.",
    ),
    "norm-centred-for-normalised": (
        "the centred input stands where the normalised values are due in the gradient of gamma",
        "Check what gamma was multiplied with in the forward pass: one step is missing.",
    ),
    "norm-not-centred": (
        "the mean is not taken off",
        "Add up the normalised values of one unit. Check what the sum should be.",
    ),
    "norm-not-divided-forwards": (
        "the values are not divided by the standard deviation",
        "Check the mean square of the normalised values of one unit.",
    ),
    "norm-root-missing": (
        "the values are divided by the variance, not by its root",
        "Check the units: what has the unit of the values themselves, a variance or its root?",
    ),
    "norm-statistics-along-the-other-axis": (
        "a mean or a variance is taken along the other axis",
        "Check which axis has to go, and what shape is left.",
    ),
    "norm-over-everything": (
        "one mean or one variance is taken for everything",
        "Check how many means there should be: one in all, or one for each row or column.",
    ),
    "norm-variance-not-centred": (
        "the mean of the squares stands where the variance is due",
        "A variance is about the distance from the mean. Check what you square.",
    ),
    "norm-deviation-for-variance": (
        "the standard deviation stands where the variance is due",
        "Check where the root is taken: in the variance, or where it is used.",
    ),
    "norm-sum-for-variance": (
        "the squares are summed, not averaged",
        "A variance does not grow with the count. Check what the squares are divided by.",
    ),
    "norm-epsilon-in-the-variance": (
        "epsilon is in the variance that is returned",
        "Check where epsilon is added: to what is returned, or to what is below the root.",
    ),
    "norm-half-missing": (
        "the factor of the root is missing in the gradient of the variance",
        "Differentiate one over a root once more. Which number comes down?",
    ),
    "norm-variance-power": (
        "the power of the variance is not one lower in its gradient",
        "Differentiate one over a root once more. Check the new exponent.",
    ),
    "norm-mean-and-variance-constant": (
        "mean and variance are taken for constants",
        "Three paths lead from a value to its normalised one. Check which of them yours has.",
    ),
    "norm-wrong-count": (
        "the two paths are divided by the size of the other axis",
        "Check how many values one mean is made of.",
    ),
    "norm-divided-by-the-count": (
        "everything is divided or multiplied by the count",
        "Averages are divided by the count, and the first term is none. Check the bracket.",
    ),
    "norm-path-sign": (
        "the path by the mean or by the variance has the wrong sign",
        "When the mean or the variance grows, do the normalised values grow or shrink?",
    ),
    "norm-path-not-summed": (
        "the gradient of the mean or the variance is not summed",
        "One mean acts on many values. Ask yourself how many paths come back to it.",
    ),
    "norm-square-halved": (
        "the factor 2 of the square is lost on the way from the variance",
        "The variance averages squares. Check what a square gives when it is differentiated.",
    ),
    "norm-normalised-missing": (
        "the second average is not multiplied by the normalised values",
        "One of the two averages belongs to the variance. Check how each value acts on that.",
    ),
    "norm-gamma-missing-forwards": (
        "gamma is left out",
        "Check what the normalised values are multiplied by.",
    ),
    "norm-gamma-twice": (
        "gamma is in its own gradient, or in that of beta",
        "Check what gamma and beta meet in the forward pass: which of these factors is there?",
    ),
    "norm-shift-from-the-product": (
        "the gradient of beta is that of gamma",
        "Beta is added. Ask yourself what an added number is multiplied by.",
    ),
    "norm-running-rates-exchanged": (
        "the share that is kept and the share that is new are exchanged",
        "Ask yourself which share of an average is kept from the batches before.",
        "momentum as the share that is new",
    ),
    "norm-running-not-carried": (
        "the running averages begin anew with every batch",
        "Averages live on from batch to batch. Check which ones yours are made of.",
    ),
    "norm-running-weight-missing": (
        "a batch enters the running average without its weight",
        "An average has weights that add up to one. Check yours.",
    ),
    "norm-running-of-the-deviation": (
        "the running average is one of standard deviations",
        "Check what is averaged, and where the root is taken.",
    ),
    "norm-running-in-training": (
        "the running averages are used in training",
        "Check which mean a batch is normalised by while the network is trained.",
    ),
    "norm-batch-in-evaluation": (
        "the batch is normalised by its own mean and variance in evaluation",
        "Ask yourself what would become of a single example.",
    ),
    "norm-constants-differentiated": (
        "the running averages are differentiated as if they depended on the batch",
        "Check which of the three paths there is when mean and variance are fixed numbers.",
    ),
}

DROPOUT: Texts = {
    "dropout-mask-missing": (
        "the mask of dropout is not applied on the way back",
        "A unit that was switched off did not act. Check what its gradient must be.",
    ),
    "dropout-not-scaled": (
        "the gradient of dropout is not divided by the share that is kept",
        "The forward pass divides what is kept. Check that the backward pass does so as well.",
    ),
    "dropout-scaled-twice": (
        "the gradient of dropout is divided by the share that is kept twice",
        "Count how often the share that is kept divides your gradient.",
    ),
    "dropout-multiplied-by-keep": (
        "the gradient of dropout is multiplied by the share that is kept",
        "Check whether the share that is kept multiplies or divides.",
    ),
    "dropout-mask-inverted": (
        "the mask of dropout is inverted",
        "Check which value of the mask means that a unit is kept.",
    ),
}

RESIDUAL: Texts = {
    "residual-path-missing": (
        "the path around the block is missing on the way back",
        "The input reaches the sum by two paths. Check that the gradient comes back by both.",
    ),
    "residual-branch-missing": (
        "the path through the block is missing on the way back",
        "The input reaches the sum by two paths. Check that the gradient comes back by both.",
    ),
    "residual-halved": (
        "the gradient is shared between the two paths of a sum",
        "Each term of a sum gets the whole gradient. Check the factor in front of yours.",
    ),
    "residual-path-twice": (
        "the path around the block is counted twice",
        "Count how often the gradient of the sum is added to that of the input.",
    ),
}

NETWORK: Texts = {
    "layer-output-in-derivative": (
        "the derivative is taken of what the layer gives, not of what its activation gives",
        "Between the activation and the next layer lies one more step. Check which of the two values you kept.",
    ),
}

ATTENTION: Texts = {
    "attention-scores-not-transposed": (
        "the gradient of the scores is not transposed for the keys, or is for the queries",
        "Scores have a row for each query and a column for each key. Check the shapes of the two products.",
    ),
    "attention-query-for-key": (
        "queries and keys are exchanged in the gradient",
        "The gradient of one factor contains the other one. Check which one you multiply with.",
    ),
    "attention-scale-missing": (
        "the scores are not divided by the square root of d",
        "Check the scale of the scores, forwards and backwards.",
    ),
    "attention-scaled-twice": (
        "the scores are divided by d instead of its square root",
        "Count how often the scale divides the scores or their gradient.",
    ),
    "attention-multiplied-by-the-scale": (
        "the gradient of the scores is multiplied by the square root of d",
        "Check whether the scale multiplies or divides.",
    ),
    "attention-softmax-entry-by-entry": (
        "softmax is differentiated entry by entry",
        "Each weight depends on every score of its row. Ask yourself what is subtracted.",
    ),
    "attention-softmax-missing": (
        "the derivative of softmax is missing",
        "Between weights and scores lies softmax. Check that the chain rule passes through it.",
    ),
    "attention-softmax-along-the-other-axis": (
        "softmax is taken along the queries instead of the keys",
        "The weights of one query add up to one. Check the axis.",
    ),
    "attention-mean-for-sum": (
        "a mean stands where a sum is due in the derivative of softmax",
        "The derivative of softmax subtracts a weighted average: the weights are there already.",
    ),
    "attention-weights-missing": (
        "the weights are missing as a factor in the derivative of softmax",
        "Write the derivative of softmax out once: each entry has a factor in front.",
    ),
    "attention-mask-missing": (
        "the mask is not applied",
        "Check that what may not be seen has no weight.",
    ),
    "attention-mask-inverted": (
        "the mask is inverted",
        "Check which value of the mask means that something may be seen.",
    ),
    "attention-mask-after-softmax": (
        "the mask is applied after softmax, so that the weights no longer add up to one",
        "Add up the weights of one query. Check what comes first, mask or softmax.",
    ),
    "attention-weights-not-transposed": (
        "the weights are not transposed for the gradient of the values",
        "Check the shapes of the product that gives the gradient of the values.",
    ),
    "attention-values-not-transposed": (
        "the values are not transposed for the gradient of the weights",
        "Check the shapes of the product that gives the gradient of the weights.",
    ),
    "attention-values-missing": (
        "the values are missing in the gradient of the weights",
        "The weights were multiplied by the values. Check that their gradient is as well.",
    ),
    "attention-scores-for-weights": (
        "the scores stand where the weights are due",
        "Check whether you take what goes into softmax or what comes out of it.",
    ),
}

CONVOLUTION: Texts = {
    "convolution-kernel-not-turned": (
        "the kernel is not turned round on the way back to the input",
        "Write down which outputs one input acts on, and by which weight each.",
    ),
    "convolution-kernel-turned": (
        "the kernel is turned round",
        "Layers slide the kernel as it is. Check the order of its entries.",
    ),
    "convolution-overlap-overwritten": (
        "where windows overlap, the last one overwrites the others",
        "An input lies in several windows. Ask yourself what becomes of their gradients.",
    ),
    "convolution-channels-exchanged": (
        "channels of the input and of the output are exchanged",
        "The kernel has two axes of channels. Check which one is summed on the way back.",
    ),
    "convolution-only-one-position": (
        "only one position of the kernel is used",
        "A kernel is used at every position. Check that its gradient is summed over all of them.",
    ),
    "convolution-padding-kept": (
        "the padding is still there in the gradient",
        "The padding is no input. Cut it off.",
    ),
    "convolution-padding-cut-wrongly": (
        "the padding is cut off at one side only",
        "Padding lies at both sides. Check where the input begins.",
    ),
    "convolution-stride-forgotten": (
        "the stride is forgotten on the way back",
        "Check at which inputs each window begins.",
    ),
    "convolution-bias-not-summed": (
        "the bias gradient is not summed over examples and positions",
        "One bias acts at every position of every example. Check the axes of your sum.",
    ),
}

RECURRENCE: Texts = {
    "rnn-not-through-time": (
        "the error is not carried back to earlier steps",
        "A state acts on the output of its step and on the next state. Check that both come back.",
    ),
    "rnn-gradient-overwritten": (
        "the gradient of one step overwrites those of the others",
        "The same weights act in every step. Ask yourself what becomes of the gradients of the steps.",
    ),
    "rnn-derivative-missing-in-what-is-carried": (
        "the derivative of the activation is missing in what is carried to earlier steps",
        "Check whether you carry on the gradient in front of the activation or behind it.",
    ),
    "rnn-state-after-for-state-before": (
        "the state after the step stands where the state before it is due",
        "Check which state the recurrent weights are multiplied with in the forward pass.",
    ),
    "rnn-averaged-over-steps": (
        "the gradients are averaged over the steps",
        "Check whether the loss adds up the steps or averages over them.",
        "mean over the steps",
    ),
    "rnn-only-the-last-upstream": (
        "only the last step's gradient is used",
        "Every state has a gradient of its own from above. Check where yours enter.",
    ),
}

OPTIMISER: Texts = {
    "optimiser-state-not-carried": (
        "the state of the optimiser begins anew in every step",
        "Averages of an optimiser live on from step to step. Check where yours are made.",
    ),
    "optimiser-state-updated-late": (
        "the step is made with the state before its update",
        "Check the order of two lines: the state first, then the parameter.",
    ),
    "momentum-averaged": (
        "the gradient is multiplied by one minus beta in the velocity",
        "There are two ways to write momentum. Check which one you were asked for.",
        "velocity as a moving average",
    ),
    "momentum-nesterov": (
        "the step is the one of Nesterov",
        "Check whether the step is the velocity, or the velocity carried on once more.",
    ),
    "momentum-not-used": (
        "the velocity is not used in the step",
        "Check what you subtract: the gradient or the velocity.",
    ),
    "optimiser-rates-exchanged": (
        "beta and one minus beta are exchanged",
        "Ask yourself which share of an average is kept from the step before.",
    ),
    "optimiser-weight-missing": (
        "a gradient enters its average without one minus beta",
        "An average has weights that add up to one. Check yours.",
    ),
    "optimiser-square-missing": (
        "the gradient is not squared in the second average",
        "Check what the second average is an average of.",
    ),
    "optimiser-root-missing": (
        "the root of the second average is missing",
        "Check the units: the step is divided by something of the size of a gradient.",
    ),
    "optimiser-epsilon-misplaced": (
        "epsilon is below the root",
        "Check where epsilon is added: to the second average or to its root.",
        "epsilon below the root",
    ),
    "adam-correction-missing": (
        "the bias correction is missing",
        "Both averages begin at zero. Check what is divided by one minus a power of beta.",
    ),
    "adam-first-correction-missing": (
        "the bias correction of the first average is missing",
        "Both averages begin at zero. Check that both are corrected.",
    ),
    "adam-second-correction-missing": (
        "the bias correction of the second average is missing",
        "Both averages begin at zero. Check that both are corrected.",
    ),
    "adam-step-not-counted": (
        "the bias correction is that of the first step in every step",
        "The power of beta in the correction grows with the steps. Check your counter.",
    ),
    "adam-counted-from-zero": (
        "the steps of the bias correction are counted one off",
        "Check the number of the first step.",
    ),
    "adam-betas-exchanged": (
        "the two betas of Adam are exchanged",
        "Check which beta belongs to which average.",
    ),
    "adam-correction-kept": (
        "the corrected averages are carried on",
        "The formulas have two names: one for what lives on, one for what is corrected. Check which one you return.",
    ),
    "adam-correction-multiplied": (
        "the averages are multiplied by the correction instead of divided",
        "At first both averages are too small. Check whether your correction makes them larger.",
    ),
    "optimiser-epsilon-missing": (
        "epsilon is left out",
        "Check what becomes of a parameter whose gradients are almost zero.",
    ),
    "learning-rate-in-velocity": (
        "the learning rate is in the velocity",
        "There are two ways to write momentum. Check where the rate stands in the one you were asked for.",
        "velocity as a step",
    ),
    "nesterov-plain-momentum": (
        "the step is the one of plain momentum",
        "Check which part of the velocity the step of Nesterov goes along once more.",
    ),
    "nesterov-beta-missing": (
        "beta is missing in the step of Nesterov",
        "The velocity fades once more before it is gone along. Check your step.",
    ),
    "nesterov-gradient-missing": (
        "the gradient is missing in the step of Nesterov",
        "The step has two terms. Check which one yours has.",
    ),
    "decay-coupled": (
        "the decay is divided by the root of the second average",
        "Check what the decay passes through on its way to the parameters.",
        "Adam with an L2 penalty",
    ),
    "decay-missing": ("the parameters do not decay", "Check what becomes of a parameter without a gradient."),
    "decay-without-rate": ("the decay lacks the learning rate", "Check the factors in front of the last term."),
    "decay-sign": ("the decay drives the parameters away from zero", "Check what becomes of a positive parameter."),
    "decay-of-one-number": (
        "the same number is taken off every parameter",
        "A share of each parameter decays. Check what the decay is multiplied with.",
    ),
    "start-left-out": ("the point at which the way begins is left out", "Count the points of a way of one step."),
    "only-the-last-point": ("only the last point is returned", "Check what is collected, and where."),
    "one-array-in-every-place": (
        "every entry of the list is the last point",
        "Check whether your step changes one array in place, which then stands in the list many times.",
    ),
    "updated-after-each-example": (
        "the parameters are updated after each example",
        "Check whether the line of the update stands inside the loop over the examples.",
    ),
    "updated-after-the-loop": (
        "the parameters are updated once, after the loop over the examples",
        "Check whether the line of the update stands inside the loop over the examples.",
    ),
    "one-step-only": (
        "one step is made instead of several",
        "Check that the parameters of one step are those that the next one starts from.",
    ),
}
