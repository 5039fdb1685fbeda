"""One thread for torch, as in the worker: more only wait for each other on steps this small.

By the environment, not by torch: these tests run without it too.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
