"""The Source protocol, a finite ordered set of pictures; simple sources."""
from collections.abc import Sequence
import hashlib
from typing import Any, Protocol, runtime_checkable

import numpy as np

CHANNELS = 1, 3, 4  # Grey, colour, colour with alpha.
# What the digest is of, in the notes of a set that is streamed from its files.
OF_FILES = 'names, sizes and times of the files'
# For a person; x may be a list, or a tensor, as well.
TO_BYTES = 'Numbers become bytes so: ' + '; '.join(
    f'{span} by np.clip(np.rint({x}), 0, 255).astype(np.uint8)' for span, x in (
        ('0 .. 1', '255 * np.asarray(x)'),
        ('-1 .. 1', '127.5 * np.asarray(x) + 127.5'),
        ('0 .. 255', 'np.asarray(x)'))) + '.'


@runtime_checkable
class Source(Protocol):
  """Pictures by index; the same index is always the same picture.

  Attributes:
    name: what a person calls it, such as 'avatars' or the name of a folder.
    shape: (height, width, channels) of every picture.
    classes: names of the labels, () if there are none.
    notes: what was found and decided (counts, sizes, modes, skipped files),
      plain values for JSON; --dry_run shows them.
  """
  name: str
  shape: tuple[int, int, int]
  classes: tuple[str, ...]
  notes: dict[str, Any]

  def __len__(self) -> int:
    """Returns how many pictures there are."""

  def images(self, indices: np.ndarray) -> np.ndarray:
    """Returns uint8 [n, H, W, C] for int indices [n], in 0 .. len - 1.

    Points, of shape (1, 1, 2), are float32 in [-1, 1].
    """

  def labels(self, indices: np.ndarray) -> np.ndarray:
    """Returns int32 [n]; zeros if there are no labels."""

  def factors(self, indices: np.ndarray) -> dict[str, np.ndarray]:
    """Returns named factors of variation, each [n, ...]; {} if unknown."""

  def digest(self) -> str:
    """Returns hex SHA-256 that changes with any picture, label or setting."""


def check_indices(indices: np.ndarray, count: int, name: str) -> np.ndarray:
  """Returns indices as int64 if all are in 0 .. count - 1.

  Raises:
    IndexError: one is not; the error begins with the name.
  """
  indices = np.asarray(indices, np.int64)
  if indices.size and not (0 <= indices.min() and indices.max() < count):
    raise IndexError(
        f'{name}: wanted indices in 0 .. {count - 1}, found '
        f'{indices.min()} .. {indices.max()}.')
  return indices


def unlike_pictures(name: str, x: np.ndarray) -> ValueError:
  """The error about an array that is not of pictures: how it becomes one.

  Args:
    name: what it is; the error begins with it.
    x: the array.
  """
  shape, advice = list(x.shape), []
  if not x.size:
    return ValueError(f'{name}: no pictures: found {x.dtype} {shape}; wanted '
                      'at least 2.')
  if x.ndim == 4 and shape[3] not in CHANNELS and shape[1] in CHANNELS:
    advice.append(
        'Channels go to the end by np.asarray(x).transpose(0, 2, 3, 1).')
  elif x.ndim == 3 and shape[2] not in CHANNELS and shape[0] in CHANNELS:
    advice.append(
        'A picture whose channels come first becomes a set by '
        'np.asarray(x).transpose(1, 2, 0)[None], grey pictures by '
        'np.asarray(x)[..., None].')
  elif x.ndim == 3:
    advice.append('One picture becomes a set by np.asarray(x)[None].')
  if x.dtype != np.uint8:
    advice.append(TO_BYTES)
  span = f' of {x.min():g} .. {x.max():g}' if x.size and x.dtype.kind in (
      'iuf') else ''
  return ValueError(' '.join([
      f'{name}: wanted pictures as uint8 [n, H, W, C], found {x.dtype} {shape}'
      f'{span}; C is 1, 3 or 4.', *advice]))


class ArraySource:
  """Pictures in memory; implements Source.

  Args:
    pixels: uint8 [n, H, W, C], C of 1, 3 or 4.
    labels: ints [n], or None.
    classes: names of the labels; () calls them '0' to the largest.
    name: what a person calls it; errors begin with it.

  Raises:
    ValueError: another array, or other labels than pictures.
  """

  def __init__(self, pixels: np.ndarray, labels: np.ndarray | None = None,
               classes: Sequence[str] = (), name: str = 'array') -> None:
    self._pixels = pixels = np.asarray(pixels)
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or not pixels.size or (
        pixels.shape[3] not in CHANNELS):
      raise unlike_pictures(name, pixels)
    self._labels = np.zeros(len(pixels), np.int32) if labels is None else (
        np.asarray(labels, np.int32))
    if self._labels.shape != (len(pixels),):
      raise ValueError(f'{name}: {len(pixels)} pictures, and labels of shape '
                       f'{list(self._labels.shape)}; wanted [{len(pixels)}].')
    self.name = name
    self.shape: tuple[int, int, int] = pixels.shape[1:]
    self.notes: dict[str, Any] = {}
    if labels is not None and not classes:
      classes = tuple(str(i) for i in range(int(np.max(self._labels)) + 1))
    self.classes: tuple[str, ...] = tuple(classes)

  def __len__(self) -> int:
    return len(self._pixels)

  def images(self, indices: np.ndarray) -> np.ndarray:
    return self._pixels[indices]

  def labels(self, indices: np.ndarray) -> np.ndarray:
    return self._labels[indices]

  def factors(self, indices: np.ndarray) -> dict[str, np.ndarray]:
    return {}

  def digest(self) -> str:
    about = repr((self._pixels.shape, self.classes)).encode()
    return hashlib.sha256(about + np.ascontiguousarray(self._pixels).tobytes()
                          + self._labels.tobytes()).hexdigest()


class Subset:
  """Some pictures of another source; implements Source.

  Args:
    source: where the pictures come from.
    indices: ints [n] of its pictures, in the order that they have here.
  """

  def __init__(self, source: Source, indices: np.ndarray) -> None:
    self._source = source
    self._indices = np.asarray(indices, np.int64)
    self.name, self.shape = source.name, source.shape
    self.classes = source.classes
    self.notes: dict[str, Any] = dict(
        source.notes, pictures=len(self), out_of=len(source))
    if 'per_class' in source.notes:
      counts = np.bincount(
          self.labels(np.arange(len(self))), minlength=len(self.classes))
      self.notes['per_class'] = dict(
          zip(self.classes, counts.tolist(), strict=False))

  def __len__(self) -> int:
    return len(self._indices)

  def images(self, indices: np.ndarray) -> np.ndarray:
    return self._source.images(self._indices[indices])

  def labels(self, indices: np.ndarray) -> np.ndarray:
    return self._source.labels(self._indices[indices])

  def factors(self, indices: np.ndarray) -> dict[str, np.ndarray]:
    return self._source.factors(self._indices[indices])

  def where(self, index: int) -> str:
    """Returns what the source calls picture `index`, if it has names."""
    source: Any = self._source
    return source.where(self._indices[index])

  def digest(self) -> str:
    return hashlib.sha256(
        self._source.digest().encode() + self._indices.tobytes()).hexdigest()


class Coloured:
  """A source in three channels; implements Source.

  Grey is repeated, and alpha is left out.
  """

  def __init__(self, source: Source) -> None:
    self._source = source
    self.name, self.classes = source.name, source.classes
    self.shape: tuple[int, int, int] = (*source.shape[:2], 3)
    self.notes = source.notes

  def __len__(self) -> int:
    return len(self._source)

  def images(self, indices: np.ndarray) -> np.ndarray:
    images = self._source.images(indices)
    return images[..., :3] if images.shape[-1] > 3 else np.repeat(
        images[..., :1], 3, -1)

  def labels(self, indices: np.ndarray) -> np.ndarray:
    return self._source.labels(indices)

  def factors(self, indices: np.ndarray) -> dict[str, np.ndarray]:
    return self._source.factors(indices)

  def digest(self) -> str:
    return hashlib.sha256(
        b'in colour ' + self._source.digest().encode()).hexdigest()
