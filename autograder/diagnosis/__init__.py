"""Why a gradient is wrong: a grammar of mistakes, searched, and named only when proved.

report = explain(Spec(("tanh",), "sigmoid", "bce"), [Point(inputs, answers), ...])
report.parameters["W1"].mistakes      # ("sigmoid-derivative-with-tanh",)
"""

from autograder.diagnosis.aliases import aliases
from autograder.diagnosis.assembled import Parts, explain_network
from autograder.diagnosis.evidence import Evidence
from autograder.diagnosis.findings import explain
from autograder.diagnosis.fingerprint import fingerprint
from autograder.diagnosis.grammar import DoesNotFit, choice_points, mutate
from autograder.diagnosis.layers import explain_layer
from autograder.diagnosis.optimisers import explain_updates
from autograder.diagnosis.spec import Point, Spec
from autograder.diagnosis.steps import Option
from autograder.diagnosis.verdicts import CONVENTION, RIGHT, WRONG, Finding, Report

__all__ = [
    "CONVENTION",
    "RIGHT",
    "WRONG",
    "DoesNotFit",
    "Evidence",
    "Finding",
    "Option",
    "Parts",
    "Point",
    "Report",
    "Spec",
    "aliases",
    "choice_points",
    "explain",
    "explain_layer",
    "explain_network",
    "explain_updates",
    "fingerprint",
    "mutate",
]
