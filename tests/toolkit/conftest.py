"""The toolkit is tested as students have it: three modules that lie beside the notebook."""

import os
import sys
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "reference" / "toolkit"), str(HERE)]
