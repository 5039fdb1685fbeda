"""Limits torch to one thread, as in the worker: more threads slow down steps this small.

Set in the environment, because these tests also run without torch.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
