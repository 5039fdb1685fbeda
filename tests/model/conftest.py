"""One thread for torch, as in the worker: more only wait for each other on steps this small."""

import torch

torch.set_num_threads(1)
