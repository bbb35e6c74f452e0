"""Bytes of a file by their place in it, for many threads at once."""
import io
import os
import threading
import weakref


class File:
  """A file, read at offsets: threads share no position."""

  def __init__(self, path):
    self._file = open(path, 'rb', buffering=0)
    weakref.finalize(self, self._file.close)
    self._lock = threading.Lock()
    self.size = os.fstat(self._file.fileno()).st_size

  def at(self, offset, size):
    """bytes from an offset; fewer where the file ends, none outside of it."""
    if not 0 <= offset < self.size:
      return b''
    size = min(size, self.size - offset)  # Else room is made for all of it.
    data = self._once(offset, size)
    if len(data) in (0, size):
      return data
    parts = [data]  # At most 2 GB come at once.
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
  """A uint8 array [n], mapped from a file, read as File is."""

  def __init__(self, array):
    self._array, self.size = array, len(array)

  def at(self, offset, size):
    return self._array[offset:offset + size].tobytes()


class Window(io.RawIOBase):
  """A part of File or Memory as an open file with a position of its own."""

  def __init__(self, data, first=0, size=None):
    self._data, self._first, self._at = data, first, 0
    self._size = data.size - first if size is None else size

  def readable(self):
    return True

  def seekable(self):
    return True

  def seek(self, offset, whence=os.SEEK_SET):
    self._at = max(0, offset + (0, self._at, self._size)[whence])
    return self._at

  def readinto(self, buffer):
    left = max(0, min(len(buffer), self._size - self._at))
    data = self._data.at(self._first + self._at, left)
    buffer[:len(data)] = data
    self._at += len(data)
    return len(data)
