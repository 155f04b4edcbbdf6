"""The work between files and figures: import, encode, score, query, draw, export. Knows no screen."""

import os

__version__ = "0.1.0"

# Read by the threads of torch when it is first imported: let them sleep while they wait. Spinning ones make the
# same work ten times slower as soon as another process wants a core.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Bars of libraries (weights being loaded) would break into our own and onto stderr.
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
