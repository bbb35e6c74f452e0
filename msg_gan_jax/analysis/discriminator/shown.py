"""The pictures that D is shown: each as the pyramid that D sees."""
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from msg_gan_jax.arrays.pixels import from_uint8
from msg_gan_jax.data.source import Source
from msg_gan_jax.gan import pyramid

Levels = tuple[np.ndarray, ...]
MOST_BYTES = 2**31  # Of samples that are kept in memory.


class Pictures(Protocol):
  """Pictures of one kind, such as reals; D has them in batches of their own.

  Attributes:
    kind: what they are, a word in the plural.
    told: labels int32 [n]; None where D is told no classes.
  """
  kind: str
  told: np.ndarray | None

  def __len__(self) -> int:
    """Returns how many there are."""

  def levels(self, numbers: np.ndarray) -> Levels:
    """Returns float32 [n, H, W, C] in [-1, 1], coarse to fine."""

  def where(self, number: int) -> str:
    """Returns what a person calls a picture, such as the name of its file."""


class OfSource:
  """Pictures of a source; coarse levels are means, as of reals in training.

  Args:
    kind, told: see Pictures.
    source: where they are from.
    indices: int [n], those of it that are taken.
    sizes: heights of the levels.
  """

  def __init__(self, kind: str, source: Source, indices: np.ndarray,
               sizes: tuple[int, ...], told: np.ndarray | None = None) -> None:
    self.kind, self.told = kind, told
    self._source, self._indices, self._sizes = source, indices, sizes

  def __len__(self) -> int:
    return len(self._indices)

  def levels(self, numbers: np.ndarray) -> Levels:
    images: Any = self._source.images(self._indices[numbers])
    return tuple(np.asarray(x, np.float32)
                 for x in pyramid.build(images, self._sizes))

  def where(self, number: int) -> str:
    index = int(self._indices[number])
    named: Any = getattr(self._source, 'where', None)
    try:
      return named(index) if named else f'{self._source.name} {index}'
    except AttributeError:  # A part of a source without names.
      return f'{self._source.name} {index}'


class OfGenerator:
  """Samples; each level is what G draws at its size, as D sees it in training.

  Args:
    count: how many.
    draw: (first, last) -> uint8 [n, H, W, C] of each level.
    batch: how many are drawn at once.
    told: see Pictures.
    named: what samples are called, before their number.
  """
  kind = 'samples'

  def __init__(self, count: int, draw: Callable[[int, int], Levels], batch: int,
               told: np.ndarray | None = None, named: str = 'sample') -> None:
    self.told = told
    self._count, self._draw, self._batch, self._named = (
        count, draw, batch, named)
    self._blocks: dict[int, Levels] = {}

  def __len__(self) -> int:
    return self._count

  def levels(self, numbers: np.ndarray) -> Levels:
    numbers = np.asarray(numbers)
    rows = [tuple(x[i % self._batch] for x in self._block(i // self._batch))
            for i in map(int, numbers)]
    return tuple(from_uint8(np.stack(level))
                 for level in zip(*rows, strict=True))

  def _block(self, number):
    if number not in self._blocks:
      first = number * self._batch
      block = self._draw(first, min(first + self._batch, self._count))
      if sum(x.nbytes for x in block) * (len(self._blocks) + 1) > MOST_BYTES:
        self._blocks.clear()
      self._blocks[number] = block
    return self._blocks[number]

  def where(self, number: int) -> str:
    return f'{self._named} {number}'


class Shown:
  """Pictures of several kinds, with one numbering.

  Args:
    kinds: one after the other.

  Attributes:
    kinds: as given.
    starts: int [kinds + 1], where the numbers of each begin, and the end.
  """

  def __init__(self, kinds: Sequence[Pictures]) -> None:
    self.kinds = tuple(kinds)
    self.starts = np.cumsum([0, *map(len, kinds)])

  def __len__(self) -> int:
    return int(self.starts[-1])

  def levels(self, numbers: np.ndarray) -> Levels:
    """float32 [n, H, W, C] of each level, coarse to fine."""
    numbers = np.asarray(numbers)
    kind, out = self._kind_of(numbers), list[np.ndarray]()
    for k in np.unique(kind):
      here = kind == k
      for i, level in enumerate(self.kinds[k].levels(
          numbers[here] - self.starts[k])):
        if len(out) == i:
          out.append(np.empty((len(numbers), *level.shape[1:]), np.float32))
        out[i][here] = level
    return tuple(out)

  def labels(self, numbers: np.ndarray) -> np.ndarray | None:
    """int32 [n]; None where D is told no classes."""
    told = [x.told for x in self.kinds]
    if any(x is None for x in told):
      return None
    return np.concatenate([np.asarray(x, np.int32) for x in told])[numbers]

  def where(self, number: int) -> tuple[str, str]:
    """(kind, what a person calls it)."""
    k = int(self._kind_of(np.array([number]))[0])
    return self.kinds[k].kind, self.kinds[k].where(
        int(number - self.starts[k]))

  def kind_of(self, number: int) -> str:
    """The kind of a picture."""
    return self.kinds[int(self._kind_of(np.array([number]))[0])].kind

  def numbers(self, kind: str) -> np.ndarray:
    """Numbers of the pictures of a kind; none where there are none."""
    return np.concatenate([np.arange(0), *(
        np.arange(self.starts[i], self.starts[i + 1])
        for i, x in enumerate(self.kinds) if x.kind == kind)])

  def beside(self, numbers: np.ndarray, count: int) -> np.ndarray:
    """int [n, count]: the company in which D judges each picture.

    These are the first others of its kind; of a kind with too few, also the
    first of the other kinds, and where all are too few, in turn.
    """
    numbers = np.asarray(numbers)
    kind, out = self._kind_of(numbers), np.empty((len(numbers), count), int)
    for i, (number, k) in enumerate(zip(numbers, kind, strict=True)):
      own = np.arange(*self.starts[[k, k + 1]])
      first = np.concatenate([own[:count + 1], *(
          np.arange(a, b)[:count + 1] for j, (a, b) in enumerate(zip(
              self.starts, self.starts[1:], strict=False)) if j != k)])
      out[i] = np.resize(first[first != number], count)
    return out

  def of(self, *kinds: str) -> 'Shown':
    """Those of some kinds alone."""
    return Shown([x for x in self.kinds if x.kind in kinds])

  def _kind_of(self, numbers):
    return np.searchsorted(self.starts, numbers, side='right') - 1


class Part:
  """Some pictures of one kind of others; it is one of their kinds.

  Args:
    shown: where they are from.
    kind: of those that are taken.
    numbers: int [n], of which those of that kind are taken.
  """

  def __init__(self, shown: Shown, kind: str, numbers: np.ndarray) -> None:
    self._shown, self.kind = shown, kind
    self._numbers = np.intersect1d(numbers, shown.numbers(kind))
    self.told = shown.labels(self._numbers)

  def __len__(self) -> int:
    return len(self._numbers)

  def levels(self, numbers: np.ndarray) -> Levels:
    return self._shown.levels(self._numbers[numbers])

  def where(self, number: int) -> str:
    return self._shown.where(int(self._numbers[number]))[1]
