"""Questions for an oral check, from a student's own submission, with exact answers for the examiner.

Numbers come from the student's own code, run in the sandbox; answers from the exact truth, worked out here.
"""
