"""Projection: the style that draws a given picture."""
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from msg_gan_jax.arrays import pixels
from msg_gan_jax.files import progress
from msg_gan_jax.gan import pyramid

# Karras et al. 2020, appendix D, and its code.
RATE, RAMP_UP, RAMP_DOWN = .1, .05, .25
NOISE, NOISE_UNTIL = .05, .75
# Latents that are looked at before: the mean and the spread of w are theirs;
# without a mapping network the nearest of some is the start.
MOMENTS, NEAREST = 10_000, 256
PIXELS = 16 * 64**2  # Of pictures whose gradients are computed at once.
_COARSEST = 4  # px

# How what is optimized stays within the law of z.
_KEEP = {
    'normal': lambda z: z,
    'sphere': lambda z: z * jax.lax.rsqrt(
        (z * z).mean(-1, keepdims=True) + 1e-12),
    'uniform': lambda z: jnp.clip(z, -1, 1),
}


class Found(NamedTuple):
  """What a projection comes to.

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


def distance(a, b):
  """'pyramid': the mean squared difference, averaged over a Gaussian pyramid.

  Levels are halved by 2x2 means while both sides are even and the shorter one
  keeps 4 px: shapes and colours count in all levels, details in one.
  StyleGAN2's projection has LPIPS, a learned distance, in its place.

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
      return sum(values) / len(values)
    a, b = pyramid.down(a), pyramid.down(b)


def psnr(a, b):
  """Peak signal to noise ratio in dB, at most 99, of uint8 [n, H, W, C]."""
  error = ((a.astype(float) - b)**2).mean((1, 2, 3))
  return np.minimum(99, 10 * np.log10(255**2 / np.maximum(error, 1e-9)))


def schedule(t):
  """(rate, strength of the noise) when a share t of all steps is done.

  The rate rises linearly and falls as a cosine; the noise fades as a square.
  """
  rise = min(1, t / RAMP_UP)
  fall = .5 - .5 * np.cos(np.pi * min(1, (1 - t) / RAMP_DOWN))
  return RATE * rise * fall, NOISE * max(0, 1 - t / NOISE_UNTIL)**2


def project(trained, targets, labels=None, *, steps=1000, seed=0):
  """Looks for the w (or z) whose picture is nearest to each target.

  Adam from the mean w, of its class where there are any, with noise on w that
  fades: StyleGAN2's way. One w is for all layers. Without a mapping network z
  begins at the nearest of some that are drawn, and stays on its sphere or in
  its cube. Pictures do not see each other: each has the result that it would
  have alone, up to rounding.

  Args:
    trained: Trained.
    targets: uint8 [n, H, W, C], of the size that G draws.
    labels: int32 [n] where G is told classes, or None.
    steps: of Adam.
    seed: of the noise, and of the latents that are looked at before.

  Returns:
    Found.

  Source: Karras et al. 2020 (arXiv:1912.04958), appendix D, but for the
  distance, and for the noise inputs of G, which it optimizes too.
  """
  key, before = jax.random.split(jax.random.key(seed))
  start, spread = _begin(trained, targets, labels, before)
  height, width, _ = trained.shape
  size = min(len(targets), trained.at_once, max(1, PIXELS // (height * width)))
  run, parts = _runner(trained, steps), []
  with progress.bar(
      total=steps * -(-len(targets) // size), desc='Projecting', unit=' steps',
      leave=False, delay=2) as bar:
    for i in range(0, len(targets), size):
      # Whole chunks, so that there is one program; the last one's end is cut.
      rows = np.minimum(np.arange(i, i + size), len(targets) - 1)
      found = run(
          start[rows], spread[rows], _floats(targets[rows]),
          None if labels is None else labels[rows], key, bar.update)
      parts.append([x[:len(targets) - i] for x in found])
  points, first, images, was, now = map(
      np.concatenate, zip(*parts, strict=True))
  return Found(points, first, images, was, now, psnr(images, targets))


def _runner(trained, steps):
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

  @jax.jit
  def step(points, memory, state, targets, labels, rate, noise):
    gradient = jax.grad(cost)(points, state, targets, labels, noise)
    direction, memory = optimizer.update(gradient, memory)
    return points - rate * direction, memory

  @jax.jit
  def look(points, state, targets, labels):
    images = drawn(points, state, labels)
    return (_kept(trained, points), pixels.to_uint8(images),
            distance(images, targets))

  def run(points, spread, targets, labels, key, done):
    given = trained.state, targets, labels
    _, first, was = look(points, *given)
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
    points, last, now = look(points, *given)
    return jax.device_get((points, first, last, was, now))

  return run


def _floats(images):
  """uint8 -> float32 in [-1, 1]."""
  return images.astype(np.float32) / 127.5 - 1


def _styles(trained, points, state, labels):
  """What `trained.pyramid` draws, of points of w or z."""
  if trained.layers:
    return jnp.repeat(points[:, None], trained.layers, 1)
  return trained.gan.latents(
      state, _kept(trained, points), labels, weights=trained.weights)


def _kept(trained, points):
  """Points within their law; w has none."""
  return points if trained.layers else _KEEP[trained.law](points)


def _begin(trained, targets, labels, key):
  """(float32 [n, size] to begin at, [n, 1] what the noise is relative to)."""
  kinds = np.zeros(len(targets), int) if labels is None else labels
  start, spread = None, None
  for kind in np.unique(kinds):
    own = kinds == kind
    label = None if labels is None else kind
    points, length = (_mean_w if trained.layers else _nearest_z)(
        trained, targets[own], label, key)
    if start is None:
      start = np.zeros((len(targets), points.shape[-1]), np.float32)
      spread = np.zeros((len(targets), 1), np.float32)
    start[own], spread[own] = points, length
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
  images = trained.finest(trained.styles(z, labels), labels)
  measure = jax.jit(distance)
  nearest = [int(np.argmin(measure(_floats(images), _floats(target))))
             for target in targets]
  return z[nearest], np.linalg.norm(z, axis=-1).mean()


def _all(label, n):
  return None if label is None else np.full(n, label, np.int32)
