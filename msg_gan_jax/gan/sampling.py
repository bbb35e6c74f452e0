"""Samples for people: latents, classes, and pictures in whole chunks."""
from typing import Any, Protocol

import jax
import numpy as np

from msg_gan_jax.arrays import pixels
from msg_gan_jax.arrays.chunks import in_chunks
from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.arrays.mesh import replicated, split_rows
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.build import Gan
from msg_gan_jax.gan.state import State

PIXELS = 64 * 128**2  # Of the finest level, computed in one call.


class Renderer(Protocol):
  """Draws any number of pictures; see `renderer`."""

  def __call__(self, state: State, z: np.ndarray | jax.Array,
               labels: np.ndarray | None = None, weights: str = 'ema',
               psi: float = 1., cutoff: int | None = None,
               key: jax.Array | None = None) -> tuple[np.ndarray, ...]:
    """A pyramid on the host: uint8 [n, H, W, C], coarse to fine.

    Points, [n, 1, 1, 2], stay float32.

    Args:
      state: of the GAN; it is settled here.
      z: [n, latent].
      labels: int32 [n]; None is `in_turn`.
      weights, psi, cutoff, key: as of Gan.sample.
    """


def renderer(gan: Gan, mesh: jax.sharding.Mesh) -> Renderer:
  """A Renderer that shares its work among the devices of a mesh.

  Pictures are computed in whole chunks, with others than those that are asked
  for, since batch norm may look at all of a chunk.
  """
  points = pyramid.are_points(gan.shapes[-1])
  shown: Any = (lambda x: x) if points else pixels.to_uint8
  devices = mesh.devices.size
  size = devices * max(1, at_once(gan.shapes[-1]) // devices)

  def render(state, z, labels, key, weights, psi, cutoff):
    z, labels = jax.lax.with_sharding_constraint(
        (z, labels), split_rows(mesh))
    return jax.tree.map(shown, gan.sample(
        state, z, labels, weights=weights, psi=psi, cutoff=cutoff, key=key))

  chunk = jit(
      render, static_argnames=('weights', 'psi', 'cutoff'),
      out_shardings=replicated(mesh))

  def all_of(state, z, labels=None, weights='ema', psi=1., cutoff=None,
             key=None):
    n = len(z)
    missing = -n % size
    z = np.concatenate(
        [np.asarray(z), gan.draw(jax.random.key(0), missing)])
    if gan.classes:
      labels = np.concatenate([
          in_turn(n, gan.classes) if labels is None else labels,
          in_turn(missing, gan.classes)])
    state = gan.settle(state)
    parts = in_chunks(lambda rows: chunk(
        state, z[rows], labels[rows] if gan.classes else None,
        None if key is None else jax.random.fold_in(key, int(rows[0])),
        weights, psi, cutoff), len(z), size)
    return tuple(
        np.concatenate(levels)[:n] for levels in zip(*parts, strict=True))

  return all_of


def at_once(shape: tuple[int, ...]) -> int:
  """How many pictures to compute in one call: 64 to 128 px, 1 at 1024 px.

  `shape` is (height, width, ...) of the finest level.
  """
  return max(1, min(64, PIXELS // (shape[0] * shape[1])))


def in_turn(n: int, classes: int) -> np.ndarray:
  """int32 [n]: 0, 1, .., classes - 1, 0, 1, ..."""
  return np.arange(n, dtype=np.int32) % classes


def summary_latents(gan: Gan, count: int, seed: int = 1) -> np.ndarray:
  """z [count, latent] of the summary; they are not those of the grids."""
  return np.asarray(gan.draw(jax.random.key(seed), count))


def labels_like(labels: np.ndarray, n: int) -> np.ndarray:
  """int32 [n]: classes as frequent as in `labels` [m], in a mixed order.

  In the order of a folder, the first n would be those of its first classes.
  """
  mixed = np.random.default_rng(0).permutation(len(labels))
  return np.resize(np.asarray(labels, np.int32)[mixed], n)
