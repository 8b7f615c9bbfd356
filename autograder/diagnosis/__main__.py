"""``python -m autograder.diagnosis FILE.npz ...`` is ``autograder explain FILE.npz ...``."""

import argparse
import sys

from autograder.diagnosis.cli import add_arguments, run

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="autograder explain", description="Say which mistakes a gradient shows.")
    add_arguments(parser)
    sys.exit(run(parser.parse_args()))
