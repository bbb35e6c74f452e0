"""The PictureStore protocol: pictures as they lie on disk, by number."""
from typing import Any, Protocol

import numpy as np


class PictureStore(Protocol):
  """Pictures before they are decoded: a folder, an archive, a database.

  Attributes:
    name: what a person calls it.
    place: where it lies, for errors and notes.
    names: of all pictures, unique, in the order of their numbers.
    classes: names of the labels, () if there are none.
    labels: int32 [n], index into classes, 0 if there are none.
    notes: what else is known, plain values.
    mean_bytes: of an encoded picture; 0 if pictures are plain pixels.
  """
  name: str
  place: str
  names: list[str]
  classes: tuple[str, ...]
  labels: np.ndarray
  notes: dict[str, Any]
  mean_bytes: float

  def where(self, i: int) -> str:
    """Says where picture i is, so that a person finds it."""

  def read(self, i: int) -> bytes | np.ndarray:
    """Returns picture i: the bytes of a file, or pixels for decode.decode."""

  def peek(self, i: int) -> Any:
    """Does as `read`, or returns a path or an open file, to read the header."""

  def identity(self) -> bytes:
    """Returns bytes that change when pictures may: of names, sizes, times."""
