"""What every metric asks of its sets of features before it starts."""
import numpy as np

from msg_gan_jax.arrays.pixels import from_uint8

_BLOCK = 2**12  # Rows at a time: a mask of a large set has gigabytes.


class TooFewError(ValueError):
  """There are fewer pictures than a metric needs, or than its network does."""


def sets(place: str, least: int = 2, **named: np.ndarray) -> list[np.ndarray]:
  """Feature sets as finite float matrices of one width, or an error.

  Args:
    place: the function that asks, for the error.
    least: rows that it needs of each set.
    named: name -> [n, d], of any real type.

  Returns:
    List of arrays [n, d] in the order of `named`: float32 and float64 stay,
    other types become float64.

  Raises:
    ValueError: not a matrix, too few rows, a value that is not finite (with its
      row), or two widths.
  """
  checked: list[np.ndarray] = []
  for name, x in named.items():
    x = np.asarray(x)
    if x.dtype not in (np.float32, np.float64):
      x = x.astype(np.float64)
    if x.ndim != 2 or not x.shape[1]:
      raise ValueError(
          f'{place}: wanted {name} as features [n, d], found {list(x.shape)}.')
    if len(x) < least:
      raise ValueError(
          f'{place}: wanted at least {least} rows of {name}, found {len(x)}.')
    if checked and x.shape[1] != checked[0].shape[1]:
      names = list(named)
      raise ValueError(
          f'{place}: {names[0]} has {checked[0].shape[1]} features a row, '
          f'{name} has {x.shape[1]}.')
    _check_finite(place, name, x)
    checked.append(x)
  return checked


def in_range(images: np.ndarray) -> np.ndarray:
  """uint8, or floats in [-1, 1] -> float64 in [-1, 1]."""
  images = np.asarray(images)
  if images.dtype == np.uint8:
    return np.asarray(from_uint8(images, np.float64))
  return images.astype(np.float64)


def _check_finite(place, name, x):
  for start in range(0, len(x), _BLOCK):
    bad = ~np.isfinite(x[start:start + _BLOCK]).all(axis=1)
    if bad.any():
      row = start + int(bad.argmax())
      column = int((~np.isfinite(x[row])).argmax())
      raise ValueError(
          f'{place}: row {row} of {name} has {x[row, column]} as feature '
          f'{column}; wanted finite numbers.')
