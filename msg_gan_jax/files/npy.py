"""Arrays in numpy's format: what they say of themselves is checked first."""
from collections.abc import Iterator
import contextlib
import io
import lzma
import math
import os
import struct
from typing import BinaryIO, NamedTuple
import zipfile
import zlib

import numpy as np

from msg_gan_jax.files import room

# What zipfile raises of a damaged archive, or of one that is encrypted.
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError,
           struct.error, RuntimeError)
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

  def check(self, size: int) -> None:
    """Refuses values that are not as long as what holds them.

    Args:
      size: of the file, in bytes.

    Raises:
      ValueError: the header speaks of more or fewer bytes.
    """
    wanted = math.prod(self.shape) * self.dtype.itemsize
    found = size - self.offset
    if min(self.shape, default=0) < 0 or wanted != found:
      raise ValueError(
          f'says that it is {self.dtype} {list(self.shape)}, {wanted:,} '
          f'bytes, but it has {found:,}')


def load(path: str | os.PathLike) -> np.ndarray:
  """Loads a .npy; asks for memory only where the file is as long as it says.

  Raises:
    ValueError: it is no array, one of objects, or longer or shorter.
    OSError: it cannot be read.
  """
  with open(path, 'rb') as file:
    size = os.fstat(file.fileno()).st_size
    _check(file, size)
    room.check(size)
    file.seek(0)
    return np.load(file, allow_pickle=False)


@contextlib.contextmanager
def open_archive(path: str | os.PathLike) -> Iterator[np.lib.npyio.NpzFile]:
  """A context with an .npz whose arrays are as long as they say.

  Raises:
    ValueError: it is no .npz, or damaged, also where an array is read only
      later; or an array is none, of objects, or longer or shorter than it says.
    OSError: it cannot be read.
  """
  # Opened here: numpy leaves a file open that is not an archive.
  with open(path, 'rb') as file:
    if not zipfile.is_zipfile(file):
      raise ValueError('it is no .npz, or was cut off')
    file.seek(0)
    try:
      with np.load(file, allow_pickle=False) as arrays:
        for info in arrays.zip.infolist():
          _check_member(arrays.zip, info)
        yield arrays
    except DAMAGED as error:
      raise ValueError(f'it is damaged, or was cut off: {error}') from error


def _check(file, size):
  header = read_header(file)
  try:
    if not header.dtype.hasobject:  # numpy refuses those.
      header.check(size)
  except ValueError as error:
    raise ValueError(f'it {error}') from error


def _check_member(archive, info):
  """Refuses a member that would fill memory with what is not in the file."""
  if not info.filename.endswith('.npy'):
    return
  most = (room.most_unpacked(info.compress_size) if info.compress_type
          else info.compress_size)
  if info.file_size > most:
    raise ValueError(f'{info.filename!r} says that it has {info.file_size:,} '
                     f'bytes; wanted at most {most:,}')
  room.check(2 * info.file_size)
  with archive.open(info) as member:
    head = member.read(HEAD_BYTES)
  try:
    _check(io.BytesIO(head), info.file_size)
  except ValueError as error:
    raise ValueError(f'{info.filename!r}: {error}') from error


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
