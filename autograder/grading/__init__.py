"""Submissions to marks: reads notebooks, runs them isolated, marks the answers."""
