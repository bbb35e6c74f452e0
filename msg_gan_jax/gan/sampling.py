"""Samples of a generator: latents, classes, and pictures in whole chunks."""
import jax
import numpy as np

from msg_gan_jax.arrays import pixels
from msg_gan_jax.arrays.mesh import replicated, split_rows
from msg_gan_jax.gan import pyramid

# Pictures of the finest level computed at once: 64 at 128 px, 1 at 1024 px.
PIXELS = 64 * 128**2


def renderer(gan, over):
  """A function (state, z, labels, weights, psi, cutoff, key) -> pyramid.

  A tuple of uint8 [n, H, W, C] on the host, coarse to fine, for any number n of
  latents and as many labels; of a GAN with classes the default labels are those
  of `in_turn`. The rest is gan.sample's. `over` is the mesh. Points stay
  floats.
  """
  points = pyramid.are_points(gan.shapes[-1])
  shown = (lambda x: x) if points else pixels.to_uint8
  devices = over.devices.size
  height, width, _ = gan.shapes[-1]
  size = devices * max(1, min(64, PIXELS // (height * width)) // devices)

  def render(state, z, labels, key, weights, psi, cutoff):
    z, labels = jax.lax.with_sharding_constraint(
        (z, labels), split_rows(over))
    return jax.tree.map(shown, gan.sample(
        state, z, labels, weights=weights, psi=psi, cutoff=cutoff, key=key))

  chunk = jax.jit(
      render, static_argnames=('weights', 'psi', 'cutoff'),
      out_shardings=replicated(over))

  def all_of(state, z, labels=None, weights='ema', psi=1., cutoff=None,
             key=None):
    n = len(z)
    if gan.classes and labels is None:
      labels = in_turn(n, gan.classes)
    # Whole chunks: with others than those asked for, since batch norm may look
    # at all of a chunk.
    fill = gan.draw(jax.random.key(0), -n % size)
    z = np.concatenate([np.asarray(z), fill])
    if labels is not None:
      labels = np.concatenate([labels, in_turn(-n % size, gan.classes)])
    state = gan.settle(state)
    parts = [jax.device_get(chunk(
        state, z[i:i + size],
        None if labels is None else labels[i:i + size],
        None if key is None else jax.random.fold_in(key, i),
        weights, psi, cutoff))
             for i in range(0, n, size)]
    return tuple(
        np.concatenate(levels)[:n] for levels in zip(*parts, strict=True))

  return all_of


def in_turn(n, classes):
  """int32 [n]: 0, 1, .., classes - 1, 0, 1, ..."""
  return np.arange(n, dtype=np.int32) % classes


def summary_latents(gan, count, seed=1):
  """z [count, latent] of the summary; not those of the grids."""
  return np.asarray(gan.draw(jax.random.key(seed), count))


def labels_like(labels, n):
  """int32 [n]: classes as frequent as in `labels` [m], in no order.

  In that of a folder, the first n would be of its first classes.
  """
  mixed = np.random.default_rng(0).permutation(len(labels))
  return np.resize(np.asarray(labels, np.int32)[mixed], n)
