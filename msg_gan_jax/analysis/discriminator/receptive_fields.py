"""Which pixels an activation of D depends on: computed, not guessed.

A pixel belongs to the receptive field if some way leads from it to the
activation. Rectifiers close ways for some pictures and open them for others, so
they are left out, and a maximum counts all that it is taken of; statistics are
held fixed, as views of D hold them. What is left is linear: the field is where
its transpose is not 0.
"""
import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.analysis.discriminator import projections, rules
from msg_gan_jax.analysis.discriminator.features import Judge
from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.gan.state import NOTHING, Condition

AT_ONCE = 32  # Places whose fields are computed at once.


class Box(NamedTuple):
  """Rows and columns of pixels, from the first to before the last."""
  top: int
  bottom: int
  left: int
  right: int


def fields(judge: Judge, layer: str,
           places: np.ndarray) -> tuple[np.ndarray, ...]:
  """The pixels that activations depend on, whatever the pictures.

  Args:
    judge: D.
    layer: a name of judge.shapes.
    places: int [n, 2], (row, column) of each activation; all maps of a layer
      have the same field.

  Returns:
    For each scale, coarse to fine, bool [n, H, W].

  Raises:
    ValueError: no such layer.
  """
  judge.check(layer)
  down = _way_down(judge, layer)
  unlike, inverse = np.unique(places, axis=0, return_inverse=True)
  found = []
  for start in range(0, len(unlike), AT_ONCE):
    some = unlike[start:start + AT_ONCE]
    padded = np.zeros((AT_ONCE, 2), np.int32)
    padded[:len(some)] = some
    found.append(jax.device_get([
        level[:len(some)] for level in down(padded)]))
  return tuple(np.concatenate(level)[inverse.reshape(-1)]
               for level in zip(*found, strict=True))


def boxes(field: np.ndarray) -> list[Box | None]:
  """The smallest box around each field, bool [n, H, W]; None of an empty."""
  return [_box(x) for x in field]


def _box(field):
  rows, columns = (np.flatnonzero(field.any(axis)) for axis in (1, 0))
  if not len(rows):
    return None
  return Box(int(rows[0]), int(rows[-1]) + 1,
             int(columns[0]), int(columns[-1]) + 1)


def _way_down(judge, layer):
  """int32 [n, 2] -> for each scale bool [n, H, W]."""
  # As D begins, and without zeros: what it has learned may be 0, or add up to
  # it, where another D's would not.
  d = judge.gan.init(jax.random.key(0)).d
  drawn = Judge.of(judge.gan, d.replace(params=jax.tree.map(
      lambda x: jnp.where(x == 0, .1, x).astype(x.dtype), d.params)))
  condition = Condition(
      jnp.zeros(AT_ONCE, jnp.int32)) if judge.gan.classes else NOTHING
  images = tuple(jnp.zeros((AT_ONCE, *shape)) for shape in judge.gan.shapes)

  def down(places):
    function = rules.linear(functools.partial(
        projections.of_layer, drawn, layer))
    values, pull_back = jax.vjp(
        lambda images: function(images, condition), images)
    signal = jnp.zeros(values.shape, values.dtype)
    if values.ndim == 4:
      signal = signal.at[
          jnp.arange(len(places)), places[:, 0], places[:, 1]].set(1.)
    else:
      signal += 1.
    return tuple((level != 0).any(-1) for level in pull_back(signal)[0])

  return jit(down)
