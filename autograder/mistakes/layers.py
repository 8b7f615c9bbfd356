"""Mistakes in layers beyond dense ones, and in optimisers; what keeps deep networks in order is in ``depth``."""

from autograder.mistakes.texts import Texts

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

NETWORK: Texts = {
    "layer-output-in-derivative": (
        "the derivative is taken of what the layer gives, not of what its activation gives",
        "Between the activation and the next layer lies one more step. Check which of the two values you kept.",
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
