"""Projection: the style that draws a given picture."""
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from msg_gan_jax.analysis.trained import Trained
from msg_gan_jax.arrays import pixels
from msg_gan_jax.arrays.chunks import in_chunks
from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.files import progress
from msg_gan_jax.gan import pyramid

# Those of Karras et al. 2020, appendix D, and of its code.
RATE, RAMP_UP, RAMP_DOWN = .1, .05, .25
NOISE, NOISE_UNTIL = .05, .75
# Latents that are looked at before: MOMENTS of them for the mean and the spread
# of w; without a mapping network the nearest of NEAREST is the start.
MOMENTS, NEAREST = 10_000, 256
# Pixels of the pictures whose gradients are computed at once.
GRADIENT_PIXELS = 16 * 64**2
_COARSEST = 4  # px

# How what is optimized stays within the distribution of z.
_INSIDE = {
    'normal': lambda z: z,
    'sphere': lambda z: z * jax.lax.rsqrt(
        (z * z).mean(-1, keepdims=True) + 1e-12),
    'uniform': lambda z: jnp.clip(z, -1, 1),
}


class Projection(NamedTuple):
  """What was found for n pictures.

  Attributes:
    points: float32 [n, size], w where there is a mapping network, else z.
    start, images: uint8 [n, H, W, C], drawn where it began and where it ended.
    before, after: float [n], the distances of both.
    psnr: float [n], dB, of `images`.
  """
  points: np.ndarray
  start: np.ndarray
  images: np.ndarray
  before: np.ndarray
  after: np.ndarray
  psnr: np.ndarray


def distance(a: jax.Array, b: jax.Array) -> jax.Array:
  """'pyramid': the mean squared difference, averaged over a Gaussian pyramid.

  Levels are halved by 2x2 means while both sides are even and the shorter one
  keeps 4 px: shapes and colours count in all levels, details in one.
  StyleGAN2's projection uses LPIPS, a learned distance, instead.

  Args:
    a, b: float [..., H, W, C] in about [-1, 1].

  Returns:
    [...].
  """
  values = []
  while True:
    values.append(((a - b)**2).mean((-3, -2, -1)))
    height, width = a.shape[-3:-1]
    if height % 2 or width % 2 or min(height, width) < 2 * _COARSEST:
      return sum(values[1:], values[0]) / len(values)
    a, b = pyramid.down(a), pyramid.down(b)


def psnr(a: np.ndarray, b: np.ndarray) -> np.ndarray:
  """Peak signal to noise ratio in dB, at most 99, of uint8 [n, H, W, C]."""
  error = ((a.astype(float) - b)**2).mean((1, 2, 3))
  return np.minimum(99, 10 * np.log10(255**2 / np.maximum(error, 1e-9)))


def schedule(t: float) -> tuple[float, float]:
  """(rate, strength of the noise) when a share t of all steps is done.

  The rate rises linearly and falls as a cosine; the noise fades as a square.
  """
  rise = min(1, t / RAMP_UP)
  fall = .5 - .5 * np.cos(np.pi * min(1, (1 - t) / RAMP_DOWN))
  return RATE * rise * fall, NOISE * max(0, 1 - t / NOISE_UNTIL)**2


def project(trained: Trained, targets: np.ndarray,
            labels: np.ndarray | None = None, *, steps: int = 1000,
            seed: int = 0) -> Projection:
  """Looks for the w (or z) whose picture is nearest to each target.

  Adam starts at the mean w, of the label if there are classes, with noise on w
  that fades, as in StyleGAN2. One w serves all layers. Without a mapping
  network z starts at the nearest of NEAREST that are drawn, and stays on its
  sphere or in its cube. Pictures do not see each other: each has the result
  that it would have alone, up to rounding.

  Args:
    trained: that draws the pictures.
    targets: uint8 [n, H, W, C], of the size that G draws.
    labels: int32 [n] if G is told classes, else None.
    steps: of Adam.
    seed: of the noise, and of the latents that are looked at before.

  Source: Karras et al. 2020 (arXiv:1912.04958), appendix D, with another
  distance, and without the noise inputs of G, which it optimizes too.
  """
  key, start_key = jax.random.split(jax.random.key(seed))
  start, spread = _begin(trained, targets, labels, start_key)
  height, width, _ = trained.shape
  size = min(len(targets), trained.at_once,
             max(1, GRADIENT_PIXELS // (height * width)))
  run = _runner(trained, steps)
  with progress.bar(
      total=steps * -(-len(targets) // size), desc='Projecting', unit=' steps',
      leave=False, delay=2) as bar:
    parts = list(in_chunks(lambda rows: run(
        start[rows], spread[rows], pixels.from_uint8(targets[rows]),
        None if labels is None else labels[rows], key, bar.update),
                           len(targets), size))
  points, first, images, before, after = map(
      np.concatenate, zip(*parts, strict=True))
  return Projection(
      points, first, images, before, after, psnr(images, targets))


def _runner(trained: Trained, steps: int) -> Callable[..., Any]:
  """A function that projects one chunk.

  (points, spread [n, 1], targets as floats, labels, key, called after each
  step) -> (points, first pictures, last ones, their distances).
  """
  optimizer = optax.scale_by_adam()

  def drawn(points, state, labels):
    return trained.pyramid(state, _styles(trained, points, state, labels),
                           labels)[-1]

  def cost(points, state, targets, labels, noise):
    return distance(drawn(points + noise, state, labels), targets).sum()

  @jit
  def step(points, memory, state, targets, labels, rate, noise):
    gradient = jax.grad(cost)(points, state, targets, labels, noise)
    direction, memory = optimizer.update(gradient, memory)
    return points - rate * direction, memory

  @jit
  def look(points, state, targets, labels):
    images = drawn(points, state, labels)
    return (_inside(trained, points), pixels.to_uint8(images),
            distance(images, targets))

  def run(points, spread, targets, labels, key, done):
    given = trained.state, targets, labels
    _, first, before = look(points, *given)
    memory = optimizer.init(jnp.asarray(points))
    for i in range(steps):
      rate, strength = schedule(i / steps)
      # The same for all pictures, so that none depends on its place.
      noise = np.asarray(jax.random.normal(
          jax.random.fold_in(key, i), points.shape[1:]))
      points, memory = step(
          points, memory, *given, np.float32(rate),
          np.float32(strength * spread * noise))
      done()
    points, last, after = look(points, *given)
    return points, first, last, before, after

  return run


def _styles(trained, points, state, labels):
  """What `trained.pyramid` draws, of points of w or z."""
  if trained.layers:
    return jnp.repeat(points[:, None], trained.layers, 1)
  return trained.gan.latents(
      state, _inside(trained, points), labels, weights=trained.weights)


def _inside(trained, points):
  """Points moved into the distribution of z; w may lie anywhere."""
  return points if trained.layers else _INSIDE[trained.latent_law](points)


def _begin(trained, targets, labels, key):
  """(float32 [n, size] to begin at, [n, 1] what the noise is relative to)."""
  classes = np.zeros(len(targets), int) if labels is None else labels
  start: Any = None
  spread: Any = None
  for label in np.unique(classes):
    members = classes == label
    points, length = (_mean_w if trained.layers else _nearest_z)(
        trained, targets[members], None if labels is None else label, key)
    if start is None:
      start = np.zeros((len(targets), points.shape[-1]), np.float32)
      spread = np.zeros((len(targets), 1), np.float32)
    start[members], spread[members] = points, length
  return start, spread


def _mean_w(trained, targets, label, key):
  """(mean w, root of the mean square distance from it), of many latents."""
  del targets
  z = np.asarray(trained.gan.draw(key, MOMENTS))
  # In parts, since a style is a w for each layer.
  w = np.concatenate([
      trained.styles(part, _all(label, len(part)))[:, 0]
      for part in np.split(z, 10)])
  mean = w.mean(0)
  return mean, np.sqrt(((w - mean)**2).sum(-1).mean())


def _nearest_z(trained, targets, label, key):
  """(the nearest of drawn latents to each target, their mean length)."""
  z, labels = np.asarray(trained.gan.draw(key, NEAREST)), _all(label, NEAREST)
  images = pixels.from_uint8(
      trained.finest(trained.styles(z, labels), labels))
  measure = jit(distance)
  nearest = [int(np.argmin(measure(images, pixels.from_uint8(target))))
             for target in targets]
  return z[nearest], np.linalg.norm(z, axis=-1).mean()


def _all(label, n):
  return None if label is None else np.full(n, label, np.int32)
