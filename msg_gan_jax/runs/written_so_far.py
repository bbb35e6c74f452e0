"""What a file of records holds so far: known in a few numbers, and provable."""
from collections.abc import Iterable, Iterator, Mapping
import hashlib
import itertools
import os
from typing import Any, Self

CHUNK = 1 << 20  # Bytes that are read at a time.


class Gaps:
  """Images of records in a row, as [[gap, how often it comes in a row], ..].

  Records are as regular as their intervals, so that this stays short, however
  long a run is.

  Args:
    runs: the gaps, as `runs` has them.

  Attributes:
    runs: the same of all that were added, plain JSON.
    most: the largest of the images; 0 of none.
  """

  def __init__(self, runs: Iterable[Iterable[int]] = ()):
    self.runs = [[gap, count] for gap, count in runs]
    self.last = self.most = 0
    for gap, count in self.runs:
      self.most = max(self.most, self.last + gap, self.last + gap * count)
      self.last += gap * count

  def add(self, images: int) -> None:
    """Adds the images of the next record."""
    gap, self.last = images - self.last, images
    self.most = max(self.most, images)
    if self.runs and self.runs[-1][0] == gap:
      self.runs[-1][1] += 1
    else:
      self.runs.append([gap, 1])

  def __iter__(self) -> Iterator[int]:
    return itertools.accumulate(itertools.chain.from_iterable(
        itertools.repeat(gap, count) for gap, count in self.runs))

  def __len__(self) -> int:
    return sum(count for _, count in self.runs)


class WrittenSoFar:
  """The first lines of a file of records, all of them whole.

  Attributes:
    gaps: the images of their records.
    bytes: how long they are.
  """

  def __init__(self) -> None:
    self.gaps, self.bytes = Gaps(), 0
    self._digest = hashlib.blake2b()

  def add(self, line: bytes, images: int) -> None:
    """Adds the next line, and the images of its record."""
    self._digest.update(line)
    self.bytes += len(line)
    self.gaps.add(images)

  def copy(self) -> Self:
    """One that goes on by itself."""
    other = type(self)()
    other.gaps, other.bytes = Gaps(self.gaps.runs), self.bytes
    other._digest = self._digest.copy()
    return other

  def proof(self) -> dict[str, Any]:
    """{'bytes', 'digest'} as plain JSON, by which `proven` knows them again."""
    return {'bytes': self.bytes, 'digest': self._digest.hexdigest()}

  @classmethod
  def proven(cls, path: str | os.PathLike, gaps: Iterable[Iterable[int]],
             proof: Mapping[str, Any]) -> Self | None:
    """What a file begins with, if its bytes are those that were noted.

    Args:
      path: of the file.
      gaps: Gaps.runs of the records.
      proof: what `proof` returned.

    Returns:
      The lines, not one of which was parsed; None if any byte of them is
      another one.
    """
    found = cls()
    found.gaps = Gaps(gaps)
    with open(path, 'rb') as file:
      while found.bytes < proof['bytes']:
        chunk = file.read(min(CHUNK, proof['bytes'] - found.bytes))
        if not chunk:
          return None
        found._digest.update(chunk)
        found.bytes += len(chunk)
    return found if found.proof() == proof else None
