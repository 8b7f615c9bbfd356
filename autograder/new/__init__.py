"""The skeleton of a new exercise: a small question that works, to be replaced by the author's own."""
