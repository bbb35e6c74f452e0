"""Reads what an array in numpy's format says of itself, and nothing more."""
from typing import BinaryIO, NamedTuple

import numpy as np

HEAD_BYTES = 12_000  # numpy writes 128, and reads 10,000 at most.


class Header(NamedTuple):
  """What stands before the values of an array.

  Attributes:
    shape: of the array.
    fortran: whether the first axis varies fastest.
    dtype: of the values.
    offset: where the values begin, behind the header.
  """
  shape: tuple[int, ...]
  fortran: bool
  dtype: np.dtype
  offset: int


def read_header(file: BinaryIO) -> Header:
  """Reads the header at the beginning of a file; allocates nothing for it.

  Raises:
    ValueError: it is damaged, or not of version 1 or 2.

  Source: NEP 1, https://numpy.org/neps/nep-0001-npy-format.html
  """
  try:
    version = np.lib.format.read_magic(file)
    if version not in _READERS:
      raise ValueError(f'version {version} of the format')
    shape, fortran, dtype = _READERS[version](file)
  except Exception as error:  # numpy raises many kinds.
    raise ValueError(f'no header that numpy takes: {error}') from error
  return Header(shape, fortran, dtype, file.tell())


_READERS = {(1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0}
