"""Mistakes in attention, and in models of letters that are built on it."""

from autograder.mistakes.texts import Texts

ATTENTION: Texts = {
    "attention-scores-not-transposed": (
        "the gradient of the scores is not transposed for the keys, or is for the queries",
        "Scores have a row for each query and a column for each key. Check the shapes of the two products.",
    ),
    "attention-gradient-of-another-weight": (
        "the gradient of the queries stands where that of the keys is due, or the other way round",
        "Which of Q, K and V does this weight make? Its gradient comes from there.",
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
    "attention-mask-as-zero": (
        "what may not be seen gets the score 0, and that is a weight, too",
        "What is the exponential of 0? Which score has the exponential 0?",
    ),
    "attention-scale-of-another-size": (
        "the scores are divided by the root of another size",
        "How many products are added up in one score?",
    ),
    "attention-scale-too-early": (
        "the scale stands in the gradient of the scores already",
        "The scores S contain their scale. Is it passed before S is reached on the way back, or behind it?",
    ),
}

LETTERS: Texts = {
    "embedding-gradient-overwritten": (
        "where a letter stands several times only one of its places counts",
        "What does numpy do with an index that occurs twice on the left side?",
    ),
    "letters-path-missing": (
        "one of the paths back to the letters is missing",
        "Count what the inputs X feed: queries, keys, values, and the sum behind attention.",
    ),
    "embeddings-for-inputs": (
        "the letters stand where their sum with the positions is due",
        "What did you multiply by these weights on the way forwards?",
    ),
    "positions-forgotten": (
        "the positions are left out",
        "How could attention tell a letter just before from one far away?",
    ),
    "residual-forgotten": (
        "what goes around the block is left out of the sum",
        "Which two things make up H?",
    ),
}
