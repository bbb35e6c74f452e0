"""Rows in chunks of one shape, so that there is one program for all."""
from collections.abc import Callable, Iterator

import jax
import numpy as np


def in_chunks(function: Callable[[np.ndarray], tuple[jax.Array, ...]],
              count: int, size: int) -> Iterator[tuple[np.ndarray, ...]]:
  """Calls a function for `size` of `count` rows at a time.

  The last chunk is filled up with the last row, and its results are cut.

  Args:
    function: takes the numbers of rows, int64 [size], and returns arrays
      [size, ...].

  Yields:
    What the function returned for each chunk, on the host.
  """
  for start in range(0, count, size):
    rows = np.minimum(np.arange(start, start + size), count - 1)
    yield tuple(
        x[:count - start] for x in jax.device_get(function(rows)))
