"""Chooses the pictures that are kept out of training, to measure against."""
import hashlib
from typing import Protocol

import numpy as np

from msg_gan_jax.config import schema
from msg_gan_jax.data import order

TENTH = .1  # Of a set on disk no larger share is held out by itself.
# Fewer measure nothing: density and coverage look at five neighbours.
FEWEST = 6
NOTE = 'held_out_share'  # Under which the share is noted.
BYTES = 4  # Of a fingerprint.
BY_PLACE = -2.  # The share of runs before pictures had fingerprints.


class Fingerprinted(Protocol):
  """Pictures that have fingerprints: data.pictures.Pictures."""
  notes: dict

  def __len__(self) -> int:
    """Returns how many pictures there are."""

  def fingerprints(self) -> np.ndarray:
    """Returns uint8 [n, BYTES], a hash of the bytes of each picture."""


def fingerprint(packed: bytes | np.ndarray) -> bytes:
  """Hashes a picture as it is stored, so that no setting changes the hash.

  Args:
    packed: bytes of a file, or pixels.
  """
  if isinstance(packed, np.ndarray):
    packed = np.ascontiguousarray(packed).tobytes()
  return hashlib.blake2b(packed, digest_size=BYTES).digest()


def rows(prints: bytes) -> np.ndarray:
  """Fingerprints one after the other -> uint8 [n, BYTES]."""
  return np.frombuffer(prints, np.uint8).reshape(-1, BYTES)


def choose(pictures: Fingerprinted, data: schema.Data) -> np.ndarray:
  """Chooses by the bytes of each picture alone, whatever else is in the set.

  So no picture changes sides when others are added, and exact copies lie on
  one side. Of two shares the smaller one's pictures are among the larger one's.
  The share is noted, unless pictures are chosen by place. Where it is open and
  would hold out fewer than FEWEST, it becomes 0.

  Args:
    pictures: of the set.
    data: the settings.

  Returns:
    bool [n]: which of them are held out.

  Raises:
    ValueError: that would be all of them.
  """
  share, count = data.held_out_share, len(pictures)
  if share < 0 and share not in (schema.OPEN_SHARE, BY_PLACE):
    raise ValueError(
        f'config.data.held_out_share: {share}; wanted 0 to .5, '
        f'{schema.OPEN_SHARE:g} for what gives config.data.held_out pictures, '
        f'or {BY_PLACE:g} to choose by place, as runs once did.')
  if share == BY_PLACE:
    return _by_place(count, min(data.held_out, count // 10))
  if not (data.held_out and share):
    pictures.notes[NOTE] = 0.
    return np.zeros(count, bool)
  hashes = pictures.fingerprints().view('<u4')[:, 0] / 2.**(8 * BYTES)
  if share < 0:
    share = float(f'{min(TENTH, data.held_out / count):.6g}')
    if not FEWEST <= (hashes < share).sum() < count:
      share = 0.
  pictures.notes[NOTE] = share
  chosen = hashes < share
  if chosen.all():
    raise ValueError(
        f'config.data.held_out_share: below {share} are all {count} pictures, '
        'and none is left to train on; wanted more pictures, or a smaller '
        'share.')
  return chosen


def fewest(data: schema.Data) -> int:
  """Of fewer held-out pictures none is measured; nor is one trained on."""
  return 2 if data.held_out_share < schema.OPEN_SHARE else FEWEST


def _by_place(count, most):
  """The choice of runs before pictures had fingerprints."""
  chosen = np.zeros(count, bool)
  if most > 1:
    chosen[order.permutation(count, seed=0, stream=0)[:most]] = True
  return chosen
