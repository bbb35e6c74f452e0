"""Signs that a run is well: variety, stability, finite numbers."""
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.arrays import pixels
from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.arrays.indices import evenly
from msg_gan_jax.data.source import Source
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.build import Gan
from msg_gan_jax.gan.objective import TERMS
from msg_gan_jax.gan.sampling import in_turn
from msg_gan_jax.gan.state import Condition, State
from msg_gan_jax.metrics.functional import (
  scale_agreement,
  training_stability,
)

GRID = 36      # fixed latents in a grid, and in the paper's fig. 6
VARIETY = 256  # fixed latents whose samples' variety is watched
POINTS = 2500  # fixed latents of a toy, all of which are drawn
COLLAPSE = .5  # of the reals' mean distance: samples that differ less are told


def variety_of_reals(source: Source) -> float | None:
  """The mean distance of two of up to VARIETY pictures, evenly spread.

  None of one picture, which has no other.
  """
  return None if len(source) < 2 else training_stability.pairwise(
      source.images(evenly(len(source), VARIETY)))


def fixed_latents(gan: Gan, key: jax.Array) -> np.ndarray:
  """z [VARIETY or POINTS, latent]; the first GRID are those of the grids."""
  points = pyramid.are_points(gan.shapes[-1])
  return np.asarray(gan.draw(key, POINTS if points else VARIETY))


def like_grid(gan: Gan) -> tuple[jax.Array, ...]:
  """Zeros of the shapes and the type that samples of a grid have.

  They are uint8 [GRID, H, W, C], coarse to fine, which adds 1e-5 to a change
  by rounding; points stay floats.
  """
  points = pyramid.are_points(gan.shapes[-1])
  kind = jnp.float32 if points else jnp.uint8
  return tuple(jnp.zeros((GRID, *shape), kind) for shape in gan.shapes)


def stability(before: tuple[np.ndarray, ...],
              after: tuple[np.ndarray, ...]) -> dict[str, float]:
  """{'stability_4': ...}: how far the fixed samples moved in an epoch.

  A GAN of one scale has its image and what is pooled from it: so a ProGAN is
  compared with MSG-GAN, resolution for resolution, in the paper's fig. 6.

  Args:
    before, after: pyramids of samples, uint8 [n, H, W, C], or points.

  Source: Karnewar & Wang 2020 (arXiv:1903.06048), sec. 4.3 and fig. 6; see
  metrics.functional.training_stability.
  """
  return {
    f'stability_{size}': value
    for size, value in training_stability.change(
      *(_pooled(x) if len(x) == 1 else x for x in (before, after))
    ).items()
  }


def _pooled(images):
  """The pyramid of pictures [n, H, W, C], down to 4 px; points stay."""
  levels = [np.asarray(images[0])]
  if levels[0].dtype == np.uint8:
    levels[0] = pixels.from_uint8(levels[0], np.float64)
  while min(levels[0].shape[1:3]) >= 8 and not (
      levels[0].shape[1] % 2 or levels[0].shape[2] % 2):
    levels.insert(0, pixels.down(levels[0]))
  return tuple(levels)


def attention_of_d(gan: Gan) -> Callable[
    [State, tuple[np.ndarray, ...]], dict[str, float]]:
  """A function (state, pyramid) -> {'share_4': ...}: which scales D looks at.

  The share of a scale is that of its pixels in the gradient of D's logits. The
  pyramid holds samples, uint8, of the classes in turn. A GAN of one scale has
  no shares.

  Source: this project's; see metrics.functional.scale_agreement.shares.
  """
  if len(gan.sizes) == 1:
    return lambda state, images: {}

  @jit
  def norms(state, images, condition):
    real = tuple(map(pixels.from_uint8, images))
    gradients = jax.grad(lambda x: gan.d(
        state.d.params, x, condition, state.d.stats).logits.sum())(real)
    return [jnp.sqrt((g * g).sum((1, 2, 3))) for g in gradients]

  def share(state, images):
    labels: Any = (
        in_turn(len(images[0]), gan.classes) if gan.classes else None)
    gradients = jax.device_get(norms(state, images, Condition(labels)))
    return {f'share_{size}': value for size, value in scale_agreement.shares(
        dict(zip(gan.sizes, gradients, strict=True))).items()}

  return share


def consistency(images: tuple[np.ndarray, ...]) -> dict[str, float]:
  """{'consistency_4': ...}: how far the scales of a pyramid differ."""
  return {f'consistency_{size}': value
          for size, value in scale_agreement.consistency(images).items()}


def not_finite(logs: Mapping[str, jax.typing.ArrayLike]) -> list[str]:
  """Names of the terms that are NaN or infinite, in order of computation."""
  bad = [name for name, value in logs.items() if not np.isfinite(value)]
  return sorted(bad, key=lambda name: (
      TERMS.index(name) if name in TERMS else len(TERMS)))


@jit
def _finite(leaves):
  """bool [n], to be fetched at once."""
  return jnp.stack([jnp.isfinite(x).all() for x in leaves])


def not_finite_leaves(state: State) -> list[str]:
  """Names of State's arrays that hold a NaN or an infinity."""
  paths, _ = jax.tree_util.tree_flatten_with_path(state)
  floats = [(path, x) for path, x in paths
            if jnp.issubdtype(x.dtype, jnp.floating)]
  good = jax.device_get(_finite([x for _, x in floats]))
  return [jax.tree_util.keystr(path, simple=True, separator='.')
          for (path, _), ok in zip(floats, good, strict=True) if not ok]
