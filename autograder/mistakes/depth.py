"""Mistakes in what keeps deep networks in order: normalisation and residual connections."""

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
    "residual-identity-once": (
        "one path goes around all blocks together, not around each",
        "Each block has a path around it. Check how many there are in a stack.",
    ),
    "residual-identity-forgotten": (
        "the path around the block is missing",
        "A residual block adds what it was given to what its branch makes of it. Check your sum.",
    ),
    "residual-identity-twice-forwards": (
        "what goes around the block is added twice",
        "Count how often the input of a block is in its output.",
    ),
    "residual-identity-always": (
        "there is a path around the blocks of a plain stack, too",
        "Check what your code does with `identity`.",
    ),
    "residual-sum-inside": (
        "an activation is applied to the sum or to the whole branch",
        "Check where tanh stands in the formula of the block, and what it is applied to.",
    ),
    "residual-mean-forwards": (
        "the two paths are averaged",
        "A block adds its two paths. Check the factor in front of the sum.",
    ),
    "residual-branch-subtracted": (
        "one of the two paths is subtracted",
        "A block adds its two paths. Check the sign.",
    ),
    "residual-identity-into-the-branch": (
        "what comes back around the block is sent into the branch as well",
        "Which of the values in the branch does the path around it touch?",
    ),
    "residual-input-for-gradient": (
        "the input is added on the way back, in the place of its gradient",
        "On the way back there are gradients only. Check what comes back by the path around the block.",
    ),
    "residual-from-the-end": (
        "every block adds what came at first, not what has come to it",
        "The path around a block begins at that block. Check which array you add.",
    ),
    "projection-of-the-branch": (
        "the gradient of the projection is made of what belongs to the branch",
        "Which two arrays meet in the projection? Check both factors of its gradient.",
    ),
    "path-without-branches": (
        "the path that goes around every block is forgotten",
        "One path goes through no branch at all. What does it multiply by?",
    ),
    "paths-counted": (
        "the paths are counted, and not what they bring",
        "A path is the product of the slopes along it. Check what you add up.",
    ),
    "stack-the-wrong-way": (
        "the blocks are taken in the wrong order",
        "Which block is the first that values, or gradients, come to?",
    ),
    "stack-listed-backwards": (
        "the list is turned round",
        "The first entry of both lists belongs to the input of the first block. Check yours.",
    ),
    "stack-end-left-out": (
        "the last entry that was worked out is left out",
        "Count the places between blocks, both ends included.",
    ),
    "size-not-relative": ("the sizes are not divided by the last one", "Check what the last entry must be."),
    "size-beside-the-first": ("the sizes are divided by the first one", "Check which entry must be 1."),
    "size-root-missing": ("the sizes are sums of squares", "If a gradient is doubled, how should its size change?"),
    "size-of-the-largest-entry": ("the size is that of the largest entry", "Check that every entry counts."),
    "size-upside-down": ("the ratio is upside down", "Is your number small when little of the gradient is left?"),
    "blocks-miscounted": (
        "the blocks are counted one off",
        "Count the blocks between the first gradient of the list and the last one.",
    ),
    "ratio-divided-not-rooted": (
        "the ratio of the whole stack is divided by the number of blocks",
        "Blocks multiply. Which number gives the ratio when it is multiplied by itself so often?",
    ),
    "ratio-of-the-whole-stack": (
        "this is the ratio of the whole stack",
        "Blocks multiply. Which number gives this ratio when it is multiplied by itself so often?",
    ),
    "ratios-averaged": (
        "the ratios of the blocks are averaged by adding",
        "Blocks multiply. Check that your number, taken so often, gives the ratio of the whole stack.",
    ),
}
