"""Tests of tagdb. What they run under is set here, before anything is imported."""

import os

# On a terminal or not, with whatever settings: tests see only what they set.
_KEPT = ("TAGDB_TEST_", "TAGDB_SOAK")
for _name in [name for name in os.environ if name.startswith("TAGDB_") and not name.startswith(_KEPT)]:
    del os.environ[_name]
# Threads of linear algebra wait for each other by spinning, which takes the cores from other workers: with
# the small matrices of tests, ten times as long as the work itself.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
