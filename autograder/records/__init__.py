"""The records of a class: its marks, read from where they were written, and the instructor's hints to them."""
