"""From one activation of D down to the pixels, by a rule.

A projection has the form of what D sees: one picture for each scale, since at
each of them a multi-scale D reads pixels of its own.
"""
from collections.abc import Callable
import functools

import jax
import jax.numpy as jnp

from msg_gan_jax.analysis.discriminator import rules
from msg_gan_jax.analysis.discriminator.features import LOGIT, Judge
from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.pyramid import Pyramid
from msg_gan_jax.gan.state import NOTHING, Condition

STEPS = 64  # Of an integral.

# (pyramid [B, H, W, C], place int32 [B, 3], condition) -> pyramid.
Project = Callable[..., Pyramid]


def projection(judge: Judge, layer: str, rule: str,
               steps: int = STEPS) -> Project:
  """The function that projects activations of a layer.

  It takes a pyramid [B, H, W, C], the place of an activation in each picture,
  int32 [B, 3] as (row, column, map), and a Condition. Of a layer without rows
  and columns both are 0, and of LOGIT all three. It returns a pyramid of the
  same shapes: what each pixel adds to the activation, in its units for a pixel
  that changes by 1.

  'integrated' gives the pixel's share of the activation: the gradient, its mean
  over pictures from mid-grey (0) to this one, times the pixel. All shares add
  up to the activation less that of grey.

  Where D looks at the batch, as by its deviation, a picture is a part of what
  it says of the others: the gradient, which goes through that, is then of all
  pictures' activations together.

  Args:
    judge: D.
    layer: a name of judge.shapes.
    rule: a row of rules.RULES.
    steps: of the integral, at midpoints.

  Source: rules.py; integrated gradients are Sundararajan et al. 2017
  (arXiv:1703.01365), eq. 1 and 3.

  Raises:
    ValueError: no such layer or rule.
  """
  judge.check(layer)
  down = rules.with_rule(functools.partial(of_layer, judge, layer), rule)

  def once(images, place, condition):
    """The way down of pictures [B, ...]."""
    values, pull_back = jax.vjp(lambda images: down(images, condition), images)
    return pull_back(one_hot(values, place))[0]

  def summed(images, place, condition):
    def add(total, share):
      part = once(jax.tree.map(lambda x: share * x, images), place, condition)
      return jax.tree.map(jnp.add, total, part), None

    shares = (jnp.arange(steps) + .5) / steps
    total, _ = jax.lax.scan(
        add, jax.tree.map(jnp.zeros_like, images), shares)
    return jax.tree.map(lambda x, t: x * t / steps, images, total)

  return jit(summed if rule == rules.INTEGRATED else once)


def of_layer(judge: Judge, layer: str, images: Pyramid,
             condition: Condition) -> jax.Array:
  """Activations of one layer."""
  return judge.activations(images, condition)[layer]


def one_hot(values: jax.Array, place: jax.Array) -> jax.Array:
  """1 at one place of each picture, and 0 elsewhere, of the form of `values`.

  Args:
    values: [B], [B, C] or [B, h, w, C].
    place: int32 [B, 3], see `projection`.
  """
  if values.ndim == 1:
    return jnp.ones_like(values)
  shape = values.shape[1:]
  flat = place[:, 2] if len(shape) == 1 else (
      (place[:, 0] * shape[1] + place[:, 1]) * shape[2] + place[:, 2])
  size = values[0].size
  return jax.nn.one_hot(flat, size, dtype=values.dtype).reshape(values.shape)


def together(judge: Judge, projected: Pyramid) -> jax.Array:
  """Projections of all scales as one of the finest pixels.

  A pixel of a coarse scale is a mean of fine ones, each of which takes its
  share of what comes down. For a linear D they add up to its gradient.

  Args:
    judge: D.
    projected: pyramid of [B, h, w, C], coarse to fine.

  Returns:
    [B, H, W, C].
  """
  finest = jnp.zeros_like(projected[-1])
  _, pull_back = jax.vjp(
      lambda images: pyramid.build(images, judge.gan.sizes), finest)
  return pull_back(projected)[0]


def whole(judge: Judge) -> Callable[[jax.Array, Condition], jax.Array]:
  """(finest pictures [B, H, W, C], condition) -> D's logits [B]."""
  def logits(images: jax.Array, condition: Condition = NOTHING) -> jax.Array:
    return judge.activations(
        pyramid.build(images, judge.gan.sizes), condition)[LOGIT]

  return logits
