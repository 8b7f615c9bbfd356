"""A class of thirteen invented students, graded from hand-in to feedback."""
