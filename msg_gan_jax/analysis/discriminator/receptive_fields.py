"""Which pixels an activation of D depends on: computed, not guessed.

A pixel belongs to the receptive field if some way leads from it to the
activation. Rectifiers close ways for some pictures and open them for others, so
they are left out, and a maximum counts all that it is taken of; statistics are
held fixed, as views of D hold them. What is left is linear: the field is where
its transpose is not 0.
"""
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.analysis.discriminator import rules
from msg_gan_jax.analysis.discriminator.features import Judge
from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.gan import sampling
from msg_gan_jax.gan.state import NOTHING, Condition

AT_ONCE = 32  # Places whose fields are computed at once.


class Box(NamedTuple):
  """Rows and columns of pixels, from the first to before the last."""
  top: int
  bottom: int
  left: int
  right: int


class Fields:
  """The pixels that activations depend on, whatever the pictures.

  One program serves all layers: to compile one for each takes longer.

  Args:
    judge: D.
    layers: names of judge.shapes.

  Raises:
    ValueError: no such layer.
  """

  def __init__(self, judge: Judge, layers: Sequence[str]) -> None:
    for layer in layers:
      judge.check(layer)
    self._layers = tuple(layers)
    self._shapes = judge.gan.shapes
    self._at_once = min(AT_ONCE, sampling.at_once(judge.gan.shapes[-1]))
    self._down = _way_down(judge, self._layers, self._at_once)

  def at(self, layer: str, places: np.ndarray) -> tuple[np.ndarray, ...]:
    """The fields of places of a layer.

    Args:
      layer: one of those given.
      places: int [n, 2], (row, column) of each activation; all maps of a layer
        have the same field. Both are 0 in a layer without rows and columns.

    Returns:
      For each scale, coarse to fine, bool [n, H, W].
    """
    which = np.int32(self._layers.index(layer))
    unlike, inverse = np.unique(places, axis=0, return_inverse=True)
    found = []
    for start in range(0, len(unlike), self._at_once):
      some = unlike[start:start + self._at_once]
      padded = np.zeros((self._at_once, 2), np.int32)
      padded[:len(some)] = some
      found.append(jax.device_get([
          level[:len(some)] for level in self._down(padded, which)]))
    return tuple(np.concatenate(level)[inverse.reshape(-1)]
                 for level in zip(*found, strict=True))

  def of(self, layer: str, places: np.ndarray,
         ) -> dict[int, tuple[list[Box | None], int]]:
    """{height of a scale: (a box for each place, width of the scale)}."""
    return {shape[0]: (boxes(field), shape[1]) for shape, field in zip(
        self._shapes, self.at(layer, places), strict=True)}


def boxes(field: np.ndarray) -> list[Box | None]:
  """The smallest box around each field, bool [n, H, W]; None of an empty."""
  return [_box(x) for x in field]


def _box(field):
  rows, columns = (np.flatnonzero(field.any(axis)) for axis in (1, 0))
  if not len(rows):
    return None
  return Box(int(rows[0]), int(rows[-1]) + 1,
             int(columns[0]), int(columns[-1]) + 1)


def _way_down(judge, layers, at_once):
  """(int32 [n, 2], which layer) -> for each scale bool [n, H, W]."""
  # As D begins, and without zeros: what it has learned may be 0, or add up to
  # it, where another D's would not.
  d = judge.gan.init(jax.random.key(0)).d
  drawn = Judge.of(judge.gan, d.replace(params=jax.tree.map(
      lambda x: jnp.where(x == 0, .1, x).astype(x.dtype), d.params)))
  condition = Condition(
      jnp.zeros(at_once, jnp.int32)) if judge.gan.classes else NOTHING
  # Of pictures of zeros, a layer that squares would have no derivative.
  images = tuple(
      jax.random.normal(jax.random.key(i), (at_once, *shape))
      for i, shape in enumerate(judge.gan.shapes))

  def activations(images, condition):
    found = drawn.activations(images, condition)
    return [found[layer] for layer in layers]

  def signal(values, places, here):
    zeros = jnp.zeros(values.shape, values.dtype)
    if values.ndim == 4:
      return zeros.at[
          jnp.arange(len(places)), places[:, 0], places[:, 1]].set(here)
    return zeros + here

  def down(places, which):
    values, pull_back = jax.vjp(
        lambda images: rules.linear(activations)(images, condition), images)
    signals = [signal(x, places, jnp.where(which == i, 1., 0.).astype(x.dtype))
               for i, x in enumerate(values)]
    return tuple((level != 0).any(-1) for level in pull_back(signals)[0])

  return jit(down)
