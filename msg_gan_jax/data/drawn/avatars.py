"""Avatars, the built-in data set: cartoon heads from a known distribution."""
from collections.abc import Mapping
from concurrent import futures
import hashlib
import json
from typing import Any

import numpy as np

from msg_gan_jax.config import tables
from msg_gan_jax.data import order
from msg_gan_jax.data.drawn import heads
from msg_gan_jax.data.source import check_indices
from msg_gan_jax.files import cores

# Add 1 whenever a picture changes, so that digests tell old runs from new.
VERSION = 1

# The distribution: every factor is independent of every other. Probabilities
# are in percent; those under 10 are what a collapsing GAN drops first.
CATEGORICAL = {
    'background': {'sky': 22, 'mint': 18, 'lavender': 18, 'butter': 16,
                   'rose': 14, 'teal': 12},
    'skin': {'porcelain': 22, 'peach': 24, 'tan': 20, 'brown': 18, 'deep': 16},
    'head': {'oval': 30, 'round': 28, 'square': 20, 'heart': 22},
    'hair_style': {'bald': 6, 'crop': 14, 'side': 14, 'bob': 13, 'long': 15,
                   'afro': 11, 'bun': 8, 'spiky': 9, 'pigtails': 6,
                   'mohawk': 4},
    'hair_colour': {'black': 24, 'brown': 20, 'auburn': 14, 'blond': 14,
                    'ginger': 10, 'silver': 8, 'pink': 5, 'blue': 5},
    'eyes': {'round': 44, 'wide': 16, 'dots': 16, 'sleepy': 10, 'happy': 14},
    'eye_colour': {'brown': 50, 'blue': 28, 'green': 22},
    'brows': {'flat': 36, 'raised': 26, 'angry': 20, 'worried': 18},
    'mouth': {'smile': 34, 'grin': 26, 'flat': 12, 'frown': 10, 'gasp': 10,
              'smirk': 8},
    'cheeks': {'plain': 65, 'rosy': 35},
    'beard': {'none': 78, 'full': 10, 'moustache': 7, 'goatee': 5},
    'glasses': {'none': 75, 'round': 11, 'square': 8, 'shades': 6},
    'hat': {'none': 80, 'beanie': 9, 'cap': 7, 'crown': 4},
    'earrings': {'none': 85, 'gold': 15},
    'shirt': {'white': 16, 'navy': 20, 'red': 18, 'green': 16, 'mustard': 16,
              'violet': 14},
    # Half of the heads are mirrored, so that mirroring the training set does
    # not change its distribution.
    'facing': {'left': 50, 'right': 50},
    # The colour of beanies, caps, hair ties and the stones of a crown.
    'accent': {'red': 30, 'navy': 26, 'yellow': 24, 'green': 20},
}

# Uniform between two ends. Lengths are in half frames, widths are factors.
CONTINUOUS = {
    'head_width': (.93, 1.07),
    'eye_spacing': (.205, .245),
    'gaze': (-1., 1.),
    'mouth_width': (.85, 1.15),
    'shift_x': (-.03, .03),
    'shift_y': (-.02, .03),
}

FACTORS: dict[str, tuple] = {
    **{name: tuple(row) for name, row in CATEGORICAL.items()}, **CONTINUOUS}

# With fewer pixels at a time calls cost more than pixels; more gain nothing.
_CHUNK_PIXELS = 2**17
_MAX_THREADS = 4  # At 1024 pixels a thread needs 60 MB.


def uniforms(seed: int, indices: np.ndarray, name: str) -> np.ndarray:
  """Hashes (seed, index, name) to float64 [n] in [0, 1), by splitmix64.

  There is no generator with a state, so any subset in any order costs the same,
  and a new factor leaves the others as they are.
  """
  salt = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], 'little')
  bits = np.asarray(indices).astype(np.uint64)
  for word in (salt, seed % 2**64):
    bits = order.mix((bits ^ np.uint64(word)) + np.uint64(order.GOLDEN))
  return (bits >> np.uint64(11)) * 2.**-53


def factors_at(seed: int, indices: np.ndarray) -> dict[str, np.ndarray]:
  """Draws the factors of the heads at `indices`, int [n].

  Returns:
    dict of [n]: int32 positions in FACTORS[name] for CATEGORICAL, float32 for
    CONTINUOUS.
  """
  factors = {}
  for name, row in CATEGORICAL.items():
    edges = np.cumsum(list(row.values()))[:-1] / 100
    factors[name] = np.searchsorted(
        edges, uniforms(seed, indices, name), side='right').astype(np.int32)
  for name, (low, high) in CONTINUOUS.items():
    factors[name] = (low + (high - low) * uniforms(seed, indices, name)).astype(
        np.float32)
  return factors


def draw(factors: Mapping[str, np.ndarray], resolution: int,
         channels: int = 3) -> np.ndarray:
  """Draws heads, in chunks on all cores, with less than 300 MB of memory.

  Args:
    factors: as `factors_at` returns them, each [n].
    resolution: pixels a side.
    channels: 1 for luma, 3 for colour, 4 for colour and an alpha of 255.

  Returns:
    uint8 [n, resolution, resolution, channels].
  """
  count = len(factors['head'])
  images = np.empty((count, resolution, resolution, channels), np.uint8)
  # Heads of one hair style are drawn together: fewer and longer calls.
  order = np.argsort(factors['hair_style'], kind='stable')
  size = max(1, _CHUNK_PIXELS // max(resolution, 32)**2)

  def chunk(start):
    who = order[start:start + size]
    colour = heads.paint({k: v[who] for k, v in factors.items()}, resolution)
    images[who, ..., :3] = luma(colour) if channels == 1 else colour

  images[..., 3:] = 255
  threads = min(_MAX_THREADS, cores.available())
  with futures.ThreadPoolExecutor(threads) as pool:
    list(pool.map(chunk, range(0, count, size)))
  return images


def luma(colour: np.ndarray) -> np.ndarray:
  """uint8 [..., 3] -> [..., 1], by ITU-R BT.601 in integers, as in Pillow.

  Source: Pillow's conversion from RGB to L.
  """
  red, green, blue = np.moveaxis(colour.astype(np.uint32), -1, 0)
  grey = (19595 * red + 38470 * green + 7471 * blue + 2**15) >> 16
  return grey.astype(np.uint8)[..., None]


class Avatars:
  """Heads number first .. first + count - 1 of a seed; implements Source.

  A head has the same factors at every resolution.

  Args:
    count: how many there are.
    resolution: pixels a side, 8 to 1024.
    channels: 1 for luma, 3 for colour, 4 for colour and an alpha of 255.
    seed: of an endless row of heads.
    first: where this set begins in the row; sets that do not overlap share no
      heads.
    label: the categorical factor that is the class; '' is hair_style.

  Raises:
    ValueError: a setting is out of its range, or the label is unknown.
  """
  name = 'avatars'

  def __init__(self, count: int, resolution: int, channels: int = 3,
               seed: int = 0, first: int = 0,
               label: str = 'hair_style') -> None:
    label = label or 'hair_style'
    if not 8 <= resolution <= 1024:
      raise ValueError(
          'config.data.resolution: avatars are drawn at 8 to 1024 pixels, '
          f'found {resolution!r}.')
    if count < 1:
      raise ValueError(
          f'config.data.count: wanted at least 1, found {count!r}.')
    if channels not in (1, 3, 4):
      raise ValueError(
          f'config.data.channels: wanted 1, 3 or 4, found {channels!r}.')
    if label not in CATEGORICAL:
      raise ValueError(
          f'config.data.label: no factor {label!r} with classes; '
          f'{tables.nearest(label, CATEGORICAL)}')
    self.shape = (resolution, resolution, channels)
    self.classes: tuple[str, ...] = FACTORS[label]
    self.notes: dict[str, Any] = dict(
        version=VERSION, count=count, seed=seed, first=first, label=label)
    self._count, self._seed, self._first = count, seed, first
    self._label = label

  def __len__(self) -> int:
    return self._count

  def images(self, indices: np.ndarray) -> np.ndarray:
    """Draws uint8 [n, H, W, C]."""
    return draw(self.factors(indices), self.shape[0], self.shape[2])

  def labels(self, indices: np.ndarray) -> np.ndarray:
    """Returns int32 [n], positions in `classes`."""
    return self.factors(indices)[self._label]

  def factors(self, indices: np.ndarray) -> dict[str, np.ndarray]:
    """Returns what `factors_at` does, for indices 0 .. len - 1."""
    indices = check_indices(indices, self._count, self.name)
    return factors_at(self._seed, indices + self._first)

  def digest(self) -> str:
    """Hashes the definition: settings and tables, not pixels."""
    text = json.dumps([self.name, self.shape, self.notes, CATEGORICAL,
                       CONTINUOUS])
    return hashlib.sha256(text.encode()).hexdigest()
