"""Reads bytes of a file by their place in it, by many threads at once."""
import io
import os
import threading
from typing import Any
import weakref

import numpy as np


class File:
  """A file that is read at offsets, so that threads share no position.

  Attributes:
    size: in bytes.
  """

  def __init__(self, path: str | os.PathLike) -> None:
    self._file = open(path, 'rb', buffering=0)
    weakref.finalize(self, self._file.close)
    self._lock = threading.Lock()
    self.size = os.fstat(self._file.fileno()).st_size

  def at(self, offset: int, size: int) -> bytes:
    """Reads `size` bytes from an offset, or as many as the file has there."""
    if not 0 <= offset < self.size:
      return b''
    # Memory is allocated for `size`, however short the file is.
    size = min(size, self.size - offset)
    data = self._once(offset, size)
    if len(data) in (0, size):
      return data
    parts = [data]  # The system gives at most 2 GB at once.
    while data := self._once(offset + sum(map(len, parts)),
                             size - sum(map(len, parts))):
      parts.append(data)
    return b''.join(parts)

  def _once(self, offset, size):
    if hasattr(os, 'pread'):
      return os.pread(self._file.fileno(), size, offset)
    with self._lock:  # Windows.
      self._file.seek(offset)
      return self._file.read(size)


class Memory:
  """A uint8 array [n], such as a mapped file, that is read as File is."""

  def __init__(self, array: np.ndarray) -> None:
    self._array, self.size = array, len(array)

  def at(self, offset: int, size: int) -> bytes:
    """Returns `size` bytes from an offset, or as many as there are."""
    return self._array[offset:offset + size].tobytes()


class Window(io.RawIOBase):
  """A part of a File or Memory, as an open file with a position of its own.

  Args:
    data: File or Memory.
    first: offset in `data` at which the part begins.
    size: of the part in bytes; None is all that follows.
  """

  def __init__(self, data: File | Memory, first: int = 0,
               size: int | None = None) -> None:
    self._data, self._first, self._at = data, first, 0
    self._size = data.size - first if size is None else size

  def readable(self) -> bool:
    return True

  def seekable(self) -> bool:
    return True

  def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
    self._at = max(0, offset + (0, self._at, self._size)[whence])
    return self._at

  def readinto(self, buffer: Any) -> int:
    left = max(0, min(len(buffer), self._size - self._at))
    data = self._data.at(self._first + self._at, left)
    buffer[:len(data)] = data
    self._at += len(data)
    return len(data)
