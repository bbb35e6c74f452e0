"""Perceptual path length: how fast pictures change along a latent path."""
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.arrays.compilation import jit

_LARGEST = 256  # Pixels; larger pictures are averaged down, as NVIDIA does.


class PathLength(NamedTuple):
  """A path length and how it was computed.

  Attributes:
    value: the mean of distance / epsilon^2 without those below the 1st and
      above the 99th percentile.
    standard_error: of that mean.
    steps: how many were taken.
    used: how many of them the mean is of.
    space, sampling, epsilon, crop: as given.
  """

  value: float
  standard_error: float
  steps: int
  used: int
  space: str
  sampling: str
  epsilon: float
  crop: bool


def path_length(
    draw: Callable[[jax.Array, int], jax.Array],
    synthesize: Callable[[jax.Array, jax.Array], jax.Array],
    distance: Callable[[jax.Array, jax.Array], jax.Array], *,
    space: str = 'w', sampling: str = 'end', epsilon: float = 1e-4,
    count: int = 50_000, batch: int = 64, seed: int = 0,
    crop: bool = False) -> PathLength:
  """Mean squared perceptual speed along paths between random latents.

  Args:
    draw: (key, n) -> latents [n, ...], in z, or already mapped for 'w'.
    synthesize: (latents, key) -> images [n, H, W, C], floats that nothing
      rounds: as uint8 the images of a good generator would have 1147 instead
      of 31. Both ends of a step get one key: draw noise and labels from it.
    distance: (images, images) -> [n], of second order in small differences,
      as LPIPS is.
    space: 'z', great circles with lengths between their ends', which a
      network that normalizes z does not see; 'w', straight lines.
    sampling: 'end', steps from a path's start (StyleGAN2's choice), or
      'full', from anywhere on it.
    epsilon: length of a step, as a share of the path.
    count: of steps; `batch`: of them at once; `seed`: of everything.
    crop: keeps the middle half of the width and rows 3/8 to 7/8, where faces
      are: NVIDIA's protocol for z on FFHQ.

  Raises:
    ValueError: an unknown space or sampling, images that are not floats, or a
      distance that is not finite.

  Source: Karras et al. 2019 (arXiv:1812.04948), sec. 4.1; the percentiles by
  lower and higher neighbours, the crop and the means down to 256 px as in
  StyleGAN2-ADA's metrics/perceptual_path_length.py.
  """
  if space not in ('z', 'w') or sampling not in ('end', 'full'):
    raise ValueError(
        f"path_length: wanted space 'z' or 'w' and sampling 'end' or 'full', "
        f'found {space!r} and {sampling!r}.')
  if count < 1 or batch < 1 or not epsilon > 0:
    raise ValueError(
        f'path_length: wanted a positive count, batch and epsilon, found '
        f'{count}, {batch} and {epsilon}.')
  move = slerp if space == 'z' else lerp

  @jit
  def step(key):
    of_start, of_end, of_place, of_images = jax.random.split(key, 4)
    ends = draw(of_start, batch), draw(of_end, batch)
    place = jax.random.uniform(
        of_place, (batch,) + (1,) * (ends[0].ndim - 1))
    place *= sampling == 'full'
    images = [_look(synthesize(move(*ends, t), of_images), crop)
              for t in (place, place + epsilon)]
    return distance(*images) / epsilon**2

  keys = jax.random.split(jax.random.key(seed), -(-count // batch))
  inner = _without_extremes(np.concatenate(
      [np.asarray(step(key), np.float64) for key in keys])[:count])
  return PathLength(
      float(inner.mean()), float(inner.std() / np.sqrt(len(inner))), count,
      len(inner), space, sampling, epsilon, crop)


def _without_extremes(speeds):
  """Speeds from the percentile 1 to 99; ValueError if any is not finite."""
  if not np.isfinite(speeds).all():
    raise ValueError(
        f'path_length: {(~np.isfinite(speeds)).sum()} of {len(speeds)} '
        'distances are not finite.')
  low = np.percentile(speeds, 1, method='lower')
  high = np.percentile(speeds, 99, method='higher')
  return speeds[(speeds >= low) & (speeds <= high)]


def lerp(a: jax.Array, b: jax.Array, t: jax.Array | float) -> jax.Array:
  """The point at share t of the line from a to b, t broadcast."""
  return a + (b - a) * t


def slerp(a: jax.Array, b: jax.Array, t: jax.Array | float) -> jax.Array:
  """The point at share t of the arc from a to b, along the last axis.

  Another rule than that of analysis.generator.walk.spherical: here direction
  and length change apart, and where there is no arc only the length changes.

  Directions turn as StyleGAN's do; lengths, which it sets to 1, go from |a| to
  |b|, so that a network that does not normalize z gets such z as it knows.
  """
  long_a, long_b = (jnp.linalg.norm(x, axis=-1, keepdims=True) for x in (a, b))
  a, b = a / long_a, b / long_b
  cosine = (a * b).sum(-1, keepdims=True)
  across = b - cosine * a
  long_across = jnp.linalg.norm(across, axis=-1, keepdims=True)
  # One dimension, or b = a: there is no way across.
  across /= jnp.where(long_across > 0, long_across, 1)
  angle = t * jnp.arctan2(long_across, cosine)
  return (a * jnp.cos(angle) + across * jnp.sin(angle)) * lerp(
      long_a, long_b, t)


def _look(images, crop):
  """Images as the distance gets them: cropped, at most 2 x 256 - 1 pixels."""
  if images.dtype not in (jnp.float32, jnp.float64):
    raise ValueError(
        f'path_length: wanted float32 images, found {images.dtype}, whose '
        'rounding is larger than a step.')
  factor = images.shape[1] // _LARGEST
  if crop:
    if images.shape[1] != images.shape[2] or images.shape[1] < 8:
      raise ValueError(
          'path_length: crop wants squares of 8 pixels or more, found '
          f'{images.shape[1]} x {images.shape[2]}.')
    eighth = images.shape[1] // 8
    images = images[:, 3 * eighth:7 * eighth, 2 * eighth:6 * eighth]
  if factor < 2:
    return images
  n, height, width, channels = images.shape
  rows, columns = height // factor, width // factor
  images = images[:, :rows * factor, :columns * factor]
  return images.reshape(n, rows, factor, columns, factor, channels).mean(
      axis=(2, 4))
