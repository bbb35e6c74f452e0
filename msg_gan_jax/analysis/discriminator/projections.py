"""From one activation of D down to the pixels, by a rule.

A projection has the form of what D sees: one picture for each scale, since at
each of them a multi-scale D reads pixels of its own.

Where D looks at the batch, as by its deviation, the gradient goes through that,
too, and a picture is a part of what D says of those beside it. So there each
picture is followed by itself: it has a company, which stays as it is and whose
own activations are not followed.
"""
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from msg_gan_jax.analysis.discriminator import rules
from msg_gan_jax.analysis.discriminator.features import Judge
from msg_gan_jax.gan.pyramid import Pyramid
from msg_gan_jax.gan.state import NOTHING, Condition


class Pictures(NamedTuple):
  """Pictures as D is shown them.

  Attributes:
    levels: pyramid of float32 [n, H, W, C] in [-1, 1]; of the companies of n
      pictures [n, others, H, W, C].
    labels: int32 [n] or [n, others]; None where D is told no classes.
  """
  levels: tuple[Any, ...]
  labels: Any


def down(judge: Judge, layers: Sequence[str], rule: str, which: jax.Array,
         pictures: Pictures, places: jax.Array,
         company: Pictures | None = None) -> tuple[jax.Array, Pyramid]:
  """Activations of one layer, and what comes down from them to the pixels.

  Args:
    judge: D.
    layers: names of judge.shapes.
    rule: a row of rules.RULES.
    which: int32, the layer's place in `layers`.
    pictures: n of them.
    places: int32 [n, 3], (row, column, map) of an activation of each. Of a
      layer without rows and columns both are 0, and of LOGIT all three.
    company: of each picture; with None all are beside each other.

  Returns:
    (float32 [n], pyramid of the pictures' shapes: what each pixel adds to the
    activation, in its units for a pixel that changes by 1).
  """
  def followed(pictures, places, company):
    def activations(levels):
      found = judge.activations(*_beside(levels, pictures.labels, company))
      return [found[layer][:len(places)] for layer in layers]

    values, pull_back = jax.vjp(
        rules.with_rule(activations, rule), pictures.levels)
    signals = [one_hot(x, places) * (which == i)
               for i, x in enumerate(values)]
    return sum((x * signal).reshape(len(x), -1).sum(1) for x, signal in zip(
        values, signals, strict=True)), pull_back(signals)[0]

  if company is None:
    return followed(pictures, places, None)

  def alone(pictures, place, company):
    one, places = jax.tree.map(lambda x: x[None], (pictures, place))
    return jax.tree.map(lambda x: x[0], followed(one, places, company))

  return jax.vmap(alone)(pictures, places, company)


def _beside(levels, labels, company):
  """(pyramid, condition) of pictures and of those beside them."""
  if company is not None:
    levels, labels = jax.tree.map(
        lambda *x: jnp.concatenate(x), (levels, labels), tuple(company))
  return levels, NOTHING if labels is None else Condition(labels)


def one_hot(values: jax.Array, place: jax.Array) -> jax.Array:
  """1 at one place of each picture, and 0 elsewhere, of the form of `values`.

  Args:
    values: [B], [B, C] or [B, h, w, C].
    place: int32 [B, 3], see `down`.
  """
  if values.ndim == 1:
    return jnp.ones_like(values)
  shape = values.shape[1:]
  flat = place[:, 2] if len(shape) == 1 else (
      (place[:, 0] * shape[1] + place[:, 1]) * shape[2] + place[:, 2])
  size = values[0].size
  return jax.nn.one_hot(flat, size, dtype=values.dtype).reshape(values.shape)
