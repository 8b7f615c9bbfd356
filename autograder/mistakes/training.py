"""Mistakes in training: steps, losses, clipping, learning rates, random weights, and reports of what came out."""

from autograder.mistakes.texts import Texts

CLIPPING: Texts = {
    "not-clipped": ("this is the gradient as it came: nothing is clipped", "When does clipping act?"),
    "clipped-entry-by-entry": (
        "each entry is limited alone",
        "That turns the gradient into another direction. Limit its norm.",
    ),
    "threshold-forgotten": ("the result has norm 1", "Which norm should it have?"),
    "largest-entry-for-norm": (
        "the largest entry is used instead of the norm",
        "The norm takes every entry into account.",
    ),
    "square-root-missing": ("the square root is missing", "This is before the last step: take the root of it."),
    "spectral-norm": (
        "this is the spectral norm of the matrix",
        "The spectral norm is the largest stretch. Here all entries are squared and summed.",
    ),
    "always-scaled": ("a gradient below the threshold is scaled too", "When does clipping act?"),
    "clipped-one-by-one": (
        "each array is clipped alone",
        "All together they are one gradient with one norm.",
    ),
    "nan-replaced": ("only the entry with the NaN is set to zero", "The task asks to skip the whole step."),
    "only-the-bad-array-is-dropped": (
        "only the array with the NaN is set to zero",
        "The task asks to skip the whole step.",
    ),
}

SCHEDULE: Texts = {
    "starts-at-zero": (
        "the first step has a learning rate of zero",
        "The peak is not reached in the warm-up. Count its steps.",
    ),
    "no-warm-up": ("there is no warm-up", "The first steps should be smaller."),
    "warm-up-not-left-out": (
        "the steps of the decay are counted from the beginning of the warm-up",
        "The decay begins when the warm-up has ended. From where do you count its steps?",
    ),
    "length-of-the-decay": (
        "the decay is too long",
        "How many steps does the decay have? It should end near zero.",
    ),
    "half-missing": ("a factor 1/2 is missing", "Put in the beginning: which value should come out there?"),
    "no-decay": ("the rate does not fall after the warm-up", "What should the rate do when the warm-up has ended?"),
    "linear-decay": ("the rate falls along a straight line", "Compare with the formula of the task."),
    "warm-up-one-step-longer": (
        "the rate once is higher than the peak",
        "Which step is the last one of the warm-up, when the first is 0?",
    ),
    "ends-at-zero": (
        "the last rate is exactly zero",
        "By which number of steps does the formula divide?",
    ),
}

TRAINING: Texts = {
    "gradient-computed-once": (
        "the gradient is computed once, before the loop",
        "Every step needs the gradient at its own parameters. What is inside your loop?",
    ),
    "parameters-changed-by-backward-pass": (
        "the backward pass also changes the parameters",
        "A gradient belongs to the parameters at which it is taken. Which method is there to move them?",
    ),
    "gradients-added-up": (
        "a second call at the same point gives other gradients: yours are added to those of the call before",
        "Training calls the backward pass again and again. What stands in the gradients when the next call begins?",
    ),
    "second-backward-pass-differs": (
        "the gradients are right, but a second call at the same point gives others",
        "Training calls the backward pass again and again. What does one call leave behind for the next?",
    ),
    "second-backward-pass-fails": (
        "the gradients are right, but a second call at the same point gives none",
        "Training calls the backward pass again and again. What does one call leave behind for the next?",
    ),
    "argument-changed-in-place": (
        "the values are right, but an array that is passed in is changed in place",
        "Whoever calls the function still needs the old numbers. Which line writes into the array that came in?",
    ),
    "differences-of-the-loss": (
        "the gradients are differences of the loss",
        "The backward pass should need the stored activations alone, and no further forward pass.",
    ),
    "w-updated-before-b": (
        "the gradient of b is taken after w has moved",
        "Both gradients belong to the same point. How often do you call the gradient in one step, and when?",
    ),
    "step-made-twice": (
        "the step is made twice",
        "Count in how many places your code moves this parameter.",
    ),
    "one-step-too-few": ("one step is missing", "Count how often the body of your loop runs."),
    "one-step-too-many": ("one step too many is made", "Count how often the body of your loop runs."),
    "only-one-step": (
        "only one step is made, whatever the number asked for",
        "Count how often the body of your loop runs.",
    ),
    "all-examples-in-each-step": (
        "each step uses the gradient of all examples",
        "How many columns of `X` and `Y` should reach the forward and the backward pass in one step?",
    ),
    "one-step-for-all-examples": (
        "one step is made with all examples: that is batch gradient descent",
        "How many steps does an order with six entries ask for?",
    ),
    "one-update-at-the-end": (
        "the update comes once, after the loop",
        "The second example should already see the parameters that the first one has moved.",
    ),
    "only-the-first-example": (
        "only the first example has moved the parameters",
        "How often does your loop run? Look for a `return` inside it.",
    ),
    "one-example-stays": (
        "one example has the same place in every epoch",
        "How many numbers do you shuffle, and how many examples are there?",
    ),
    "order-ignored": (
        "the examples are visited from the first column on, whatever the order says",
        "An entry of `order` says which column comes next. Where does your loop use it?",
    ),
    "target-of-another-example": (
        "the target in the step belongs to another example than the input",
        "Compare how you choose the column of `X` and the column of `Y`.",
    ),
    "drawn-with-replacement": (
        "some examples come twice in an epoch, and some not at all",
        "Shuffle the numbers of the examples instead of drawing a number for each step.",
    ),
    "not-shuffled": ("the examples are not shuffled", "Where in your code does the order become random?"),
    "shuffled-once": (
        "the order is the same in several epochs, or the same one turned round or read from elsewhere",
        "How often is the order drawn: once, or in every epoch? Is the generator set back in between?",
    ),
    "strength-not-passed-on": (
        "the training has no penalty",
        "How does the strength that `train` is given reach the loss and the gradients?",
    ),
    "same-network-for-every-strength": (
        "one network is trained on and on, for one strength after the other",
        "Every strength starts from the same weights. Where in your code is the network made?",
    ),
    "losses-without-penalty": (
        "the losses are those of the data alone",
        "Which loss does the training make smaller: with or without the penalty?",
    ),
    "loss-after-the-update": (
        "the loss is the one after the update",
        "As in the baseline, the first loss is the one at the initial parameters. When do you compute it?",
    ),
    "running-mean-for-loss": (
        "the losses are running means over the steps of an epoch",
        "The loss of an epoch is asked for at one set of parameters. When do you compute it, and of which examples?",
    ),
    "training-diverged": (
        "the training has diverged",
        "Is the learning rate small enough, and are the inputs on a common scale?",
    ),
    "default-weight-scale": (
        "the networks start with the small weights of the baseline",
        "Which arguments does the network get when you make it?",
    ),
}

REPORT: Texts = {
    "argument-ignored": (
        "an argument of the function is not used",
        "It is called with other values than those of the notebook. Which of your lines uses each of its arguments?",
    ),
    "seed-missing": (
        "the network is made without the seed",
        "The same seed must give the same weights. What does the network get when you make it?",
    ),
    "first-loss": (
        "this is the loss of the first epoch",
        "`train` returns one loss per epoch. Which of them is the final one?",
    ),
    "percent": ("this is in percent", "A share between 0 and 1 is asked for."),
    "share-of-wrong": ("this is the share of wrong answers", "Which of the two outcomes do you count?"),
    "count-for-share": ("this is a number of cases, not their share", "By which number do you divide?"),
    "tested-on-training-data": (
        "an accuracy is taken on the other half of the data",
        "Compare the numbers that you return with those that are asked for, one after the other.",
    ),
    "tested-on-everything": (
        "the network is tested on all examples, those of the training included",
        "Which part of the data has it not seen?",
    ),
    "trained-on-everything": (
        "the network is trained on all examples",
        "Which part of the data must it never see before the test?",
    ),
    "trained-on-test-data": (
        "the network is trained on the test data",
        "Which examples should it see only when the training has ended?",
    ),
    "probability-for-label": (
        "probabilities are compared with labels",
        "A probability is hardly ever exactly 0 or 1. Turn it into a predicted label first.",
    ),
    "mean-error": (
        "this measures distances, and does not count answers",
        "An answer is right or wrong. Turn the probability into a predicted label first.",
    ),
    "mean-of-predictions": (
        "the labels are not used",
        "This is how often class 1 is predicted. What do you compare the prediction with?",
    ),
    "not-as-designed": (
        "what was trained is not what was designed",
        "Change the record or the network, and count the parameters again.",
    ),
    "not-from-training": (
        "this does not come from training",
        "Which of your lines computes gradients, and which one turns inputs into predictions?",
    ),
    "rates-not-positive": (
        "some predicted rate constants are zero or negative",
        "Do you undo your target transform before you return the predictions?",
    ),
}

RANDOM_WEIGHTS: Texts = {
    "variance-for-deviation": (
        "this is the variance, not the standard deviation",
        "One step leads from the variance to the standard deviation. The deviation has the unit of the values.",
    ),
    "uniform-without-root-three": (
        "the bounds of the uniform distribution are one standard deviation",
        "What is the variance of a uniform distribution from -s to s?",
    ),
    "n-out-for-n-in": (
        "the number of outputs is used for the number of inputs",
        "How many terms does the sum of one pre-activation have: one per input or one per output?",
    ),
    "mean-of-n-in-and-n-out": (
        "the mean of the numbers of inputs and outputs is used",
        "This is a compromise of the way forward and the way back. Here only forward counts.",
    ),
    "not-scaled": (
        "the entries do not depend on the number of inputs",
        "What happens to a sum of independent terms when there are more of them?",
    ),
    "relu-level-missing": (
        "the level of a linear layer is used for ReLU",
        "ReLU sets one half of the units to zero. What does it take to make up for this?",
    ),
    "relu-level-for-linear": (
        "the level of ReLU is used for a linear layer",
        "A linear layer loses nothing. Nothing has to be made up for.",
    ),
    "not-centred": (
        "the mean of the weights is not zero",
        "Weights of one sign push all units the same way. Which range do you draw from?",
    ),
    "same-weights-again": (
        "two draws from one generator are equal",
        "Take every random number from `rng`, the argument.",
    ),
    "other-generator": (
        "the random numbers do not come from the generator that is given",
        "Take every random number from `rng`, the argument.",
    ),
    "same-for-every-seed": (
        "the same numbers come for every seed",
        "Take every random number from `rng`, the argument, and do not make a new generator.",
    ),
}
