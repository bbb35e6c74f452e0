"""Signs that a run is well: variety, stability, finite numbers."""
import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.state import Condition
from msg_gan_jax.metrics.functional import (
  scale_agreement,
  training_stability,
)

GRID = 36      # fixed latents in a grid, and in the paper's fig. 6
VARIETY = 256  # fixed latents whose variety is watched
POINTS = 2500  # fixed latents of a toy, all of which are drawn
COLLAPSE = .5  # of the reals' mean distance; less is a warning
# The logs of a step as they follow from each other: the first is the culprit.
TERMS = ('d_real', 'd_fake', 'd_loss', 'drift', 'penalty', 'd_grad_norm',
         'g_loss', 'g_grad_norm')


def variety_of_reals(source):
  """Mean pairwise distance of up to VARIETY real pictures, evenly spread.

  Raises:
    ValueError: there is only one.
  """
  if len(source) < 2:
    raise ValueError(
        f'config.data: {source.name} has {len(source)} picture to train on; '
        'wanted at least 2.')
  picked = np.linspace(0, len(source) - 1, min(VARIETY, len(source)))
  return training_stability.pairwise(source.images(picked.astype(np.int64)))


def fixed_latents(gan, key):
  """z [VARIETY or POINTS, latent]; the first GRID are those of the grids."""
  points = pyramid.are_points(gan.shapes[-1])
  return np.asarray(gan.draw(key, POINTS if points else VARIETY))


def blank(gan):
  """Shapes of the fixed samples, as bytes: rounding adds 1e-5 to a change.

  Points stay floats.
  """
  points = pyramid.are_points(gan.shapes[-1])
  kind = jnp.float32 if points else jnp.uint8
  return tuple(jnp.zeros((GRID, *shape), kind) for shape in gan.shapes)


def moved(before, after):
  """{'stability_4': ...}: how far the fixed samples moved in an epoch.

  Of a GAN with one image that is of the image, and of it pooled: what a ProGAN
  is compared by, resolution for resolution, in the paper's fig. 6.
  """
  return {
    f'stability_{size}': value
    for size, value in training_stability.change(
      *(_pooled(x) if len(x) == 1 else x for x in (before, after))
    ).items()
  }


def _pooled(images):
  """The pyramid of one picture [n, H, W, C], down to 4 px; points as is."""
  levels = [np.asarray(images[0])]
  if levels[0].dtype == np.uint8:
    levels[0] = levels[0] / 127.5 - 1
  while min(levels[0].shape[1:3]) >= 8 and not (
      levels[0].shape[1] % 2 or levels[0].shape[2] % 2):
    levels.insert(0, pyramid.down(levels[0]))
  return tuple(levels)


def listener(gan):
  """A function (state, pyramid) -> {'share_4': ...}: what D listens to.

  The pyramid is uint8 fixed samples, of the classes in turn. A GAN of one
  scale has no shares.
  """
  if len(gan.sizes) == 1:
    return lambda state, images: {}

  @jax.jit
  def norms(state, images, condition):
    real = tuple(x / 127.5 - 1 for x in images)
    gradients = jax.grad(lambda x: gan.d(
        state.d.params, x, condition, state.d.stats).logits.sum())(real)
    return [jnp.sqrt((g * g).sum((1, 2, 3))) for g in gradients]

  def share(state, images):
    labels = np.arange(len(images[0]), dtype=np.int32) % gan.classes if (
        gan.classes) else None
    found = jax.device_get(norms(state, images, Condition(labels)))
    return {f'share_{size}': value for size, value in scale_agreement.shares(
        dict(zip(gan.sizes, found, strict=True))).items()}

  return share


def consistency(images):
  """{'consistency_4': ...} of the fixed samples' pyramid."""
  return {f'consistency_{size}': value
          for size, value in scale_agreement.consistency(images).items()}


def not_finite(logs):
  """Names of the terms that are NaN or infinite, in order of computation."""
  bad = [name for name, value in logs.items() if not np.isfinite(value)]
  return sorted(bad, key=lambda name: (
      TERMS.index(name) if name in TERMS else len(TERMS)))


@jax.jit
def _finite(leaves):
  return [jnp.isfinite(x).all() for x in leaves]


def not_finite_leaves(state):
  """Names of State's arrays that hold a NaN or an infinity."""
  paths, _ = jax.tree_util.tree_flatten_with_path(state)
  floats = [(path, x) for path, x in paths
            if jnp.issubdtype(x.dtype, jnp.floating)]
  good = jax.device_get(_finite([x for _, x in floats]))
  return [jax.tree_util.keystr(path, simple=True, separator='.')
          for (path, _), ok in zip(floats, good, strict=True) if not ok]
