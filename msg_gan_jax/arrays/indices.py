"""Which rows to take where not all are needed."""
import numpy as np


def evenly(count: int, most: int) -> np.ndarray:
  """int64 indices of at most `most` of `count` rows, evenly spread.

  The first and the last row are among them where two or more are taken.
  """
  return np.linspace(0, count - 1, min(most, count)).astype(np.int64)


def at_random(count: int, most: int, seed: int = 0) -> np.ndarray:
  """int64 indices of at most `most` of `count` rows, drawn, and ascending.

  No order of the rows shows in them: of classes that take turns, even steps
  would take some and leave others out.

  Args:
    count, most: as for `evenly`.
    seed: of the draw.
  """
  return np.sort(np.random.default_rng(seed).permutation(count)[:most])
