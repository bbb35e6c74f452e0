"""Which rows to take where not all are needed."""
import numpy as np


def evenly(count: int, most: int) -> np.ndarray:
  """int64 indices of at most `most` of `count` rows, evenly spread.

  The first and the last row are among them where two or more are taken.
  """
  return np.linspace(0, count - 1, min(most, count)).astype(np.int64)
