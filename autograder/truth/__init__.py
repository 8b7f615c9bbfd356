"""Exact gradients: symbolic networks in sympy, differentiated by sympy, evaluated at 50 digits.

Nothing here is written as a backward formula. A network is a list of forward expressions; every derivative is
``sympy.diff`` of one of them, and the chain rule over the list puts them together.
"""

from autograder.truth.functions import ACTIVATIONS, LOSSES, derivative, derivative_from_output
from autograder.truth.network import Network, Reading
from autograder.truth.precision import many_digits

__all__ = ["ACTIVATIONS", "LOSSES", "Network", "Reading", "derivative", "derivative_from_output", "many_digits"]
