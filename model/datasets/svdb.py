"""Records of the MIT-BIH Supraventricular Arrhythmia Database (svdb) that may train.

Those with even numbers; the others stay unseen. The database is not downloaded: it is read from the local data folder.
"""

from __future__ import annotations

TRAIN = tuple(str(number) for number in (*range(800, 814, 2), *range(820, 830, 2), *range(840, 896, 2)))
"""Records available for training."""
