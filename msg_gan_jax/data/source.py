"""The Source protocol: a finite, ordered set of pictures."""
from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class Source(Protocol):
  """Pictures by index; the same index is always the same picture.

  Attributes:
    name: what a person calls it, as 'avatars' or the folder's name.
    shape: (height, width, channels) of every picture.
    classes: names of the labels, () where there are none.
    notes: what was found and decided (counts, sizes, modes, skipped files),
      plain values that go to JSON; shown by --dry_run.
  """
  name: str
  shape: tuple[int, int, int]
  classes: tuple[str, ...]
  notes: dict

  def __len__(self) -> int:
    """How many pictures there are."""

  def images(self, indices: np.ndarray) -> np.ndarray:
    """uint8 [n, H, W, C] for int indices [n], in 0 .. len - 1.

    Points, of shape (1, 1, 2), are float32 in [-1, 1].
    """

  def labels(self, indices: np.ndarray) -> np.ndarray:
    """int32 [n]; zeros where there are no labels."""

  def factors(self, indices: np.ndarray) -> dict[str, np.ndarray]:
    """Named factors of variation, each [n, ...]; {} where not known."""

  def digest(self) -> str:
    """Hex SHA-256 that changes when any picture, label or setting does."""
