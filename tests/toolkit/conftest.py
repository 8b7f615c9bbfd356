"""The toolkit is tested as students have it: three modules that lie beside the notebook."""

import os
import sys
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "reference" / "toolkit"))
