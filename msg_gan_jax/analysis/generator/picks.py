"""Latents by seed and index: '17:4' is picture 4 of those of seed 17."""
from collections.abc import Sequence
import re
from typing import NamedTuple

import jax
import numpy as np

from msg_gan_jax.gan.build import Gan

MOST_PICKS = 10_000
LARGEST_SEED = 2**32 - 1  # Larger ones draw what smaller ones do.
LARGEST_INDEX = 99_999    # All latents before it are drawn, too.
_WANTED = ('wanted seeds with commas between them, such as 3,17,42, ranges '
           "such as 0-9, or a seed's latent by its number, such as 17:4")


class Pick(NamedTuple):
  """One latent.

  Attributes:
    seed: that draws it, 0 .. LARGEST_SEED.
    number: its place among those that the seed draws, 0 .. LARGEST_INDEX.
  """
  seed: int
  number: int = 0


def parse(text: str, name: str = 'seeds') -> tuple[Pick, ...]:
  """Latents as a person writes them, '3,0-9,17:4'.

  Args:
    text: with commas between them: a seed, whose first latent is meant; a range
      of seeds, of which both ends are meant; or seed:index.
    name: what errors call the text.

  Raises:
    ValueError: another text, a number out of its range, or too many.
  """
  picks: list[Pick] = []
  for word in text.split(','):
    match = re.fullmatch(r'\s*(\d+)(?:-(\d+)|:(\d+))?\s*', word, re.ASCII)
    if not match:
      raise ValueError(f'{name}: {_WANTED}; found {word!r}.')
    first = int(match[1])
    last, index = int(match[2] or first), int(match[3] or 0)
    if last < first:
      raise ValueError(f'{name}: {word.strip()} ends before it begins; wanted '
                       f'{last}-{first}.')
    for what, value, most in (('seeds', last, LARGEST_SEED),
                              ('numbers of latents', index, LARGEST_INDEX)):
      if value > most:
        raise ValueError(f'{name}: {word.strip()}: wanted {what} of at most '
                         f'{most}, found {value}.')
    count = len(picks) + last - first + 1
    if count > MOST_PICKS:
      raise ValueError(
          f'{name}: {count} or more; wanted at most {MOST_PICKS}.')
    picks += [Pick(seed, index) for seed in range(first, last + 1)]
  return tuple(picks)


def latents(gan: Gan, picks: Sequence[Pick]) -> np.ndarray:
  """z [n, latent] of picks, those that sampling with their seeds draws."""
  return np.stack([
      np.asarray(gan.draw(jax.random.key(seed), index + 1))[-1]
      for seed, index in picks])


def labels(picks: Sequence[Pick], classes: int) -> np.ndarray | None:
  """int32 [n]: the classes that the same pictures have in a grid of their seed.

  There all classes are in turn. None if there are no classes.
  """
  return np.array([index % classes for _, index in picks], np.int32) if (
      classes) else None
