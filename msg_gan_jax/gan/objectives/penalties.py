"""PENALTIES: what D pays for its slope, one value for each image.

D sees a pyramid, so there is a gradient for each level. A penalty is taken of
each level's gradient and averaged over the levels: "the average of the
penalties over each input" (Karnewar & Wang 2020, sec. 3.1).
"""
from collections.abc import Callable
from typing import NamedTuple, Protocol

import jax
from jax import nn
import jax.numpy as jnp

from msg_gan_jax.config import tables
from msg_gan_jax.gan.pyramid import Pyramid

Judge = Callable[[Pyramid], jax.Array]  # D: a pyramid -> logits [B]


class PenaltyFunction(Protocol):
  """What D pays for its slope."""

  def __call__(self, d: Judge, real: Pyramid, fake: Pyramid, key: jax.Array, /
               ) -> jax.Array:
    """One value for each image, float32 [B].

    Args:
      d: a pyramid -> logits [B].
      real, fake: pyramids, level i [B, h_i, w_i, C] in [-1, 1].
      key: of everything drawn at random.
    """


class Penalty(NamedTuple):
  """A row of PENALTIES.

  Attributes:
    values: (d, real, fake, key) -> [B].
    separable: whether sample i does not depend on the others, so that a batch
      may be computed in parts.
    has_target: whether it asks for a slope, 1 or another.
  """
  values: PenaltyFunction
  separable: bool = True
  has_target: bool = False


def squares(d: Judge, images: Pyramid) -> jax.Array:
  """Squared norm of D's gradient at each level: [levels, B].

  Summed over pixels and channels. The gradient is that of the sum of the
  logits, as in ProGAN and msg-stylegan-tf.
  """
  gradients = jax.grad(lambda x: d(x).sum())(images)
  return jnp.stack([(g * g).sum((1, 2, 3)) for g in gradients])


def norms(d: Judge, images: Pyramid) -> jax.Array:
  """Norm of D's gradient at each level, [levels, B]; 0 has gradient 0.

  The root alone has an infinite gradient at 0, which is NaN times 0.
  """
  s = squares(d, images)
  return jnp.where(s > 0, jnp.sqrt(jnp.where(s > 0, s, 1.)), 0.)


def _between(real, fake, key):
  """A point between real and fake, the same epsilon at all levels."""
  epsilon = jax.random.uniform(key, (real[0].shape[0], 1, 1, 1))
  return tuple(r + epsilon * (f - r) for r, f in zip(real, fake, strict=True))


def gradient_penalty(d: Judge, real: Pyramid, fake: Pyramid,
                     key: jax.Array) -> jax.Array:
  """(norm - 1)^2 between reals and fakes, averaged over levels: WGAN-GP.

  Source: Gulrajani et al. 2017 (arXiv:1704.00028), eq. 3; the shared epsilon
  and the mean over levels are MSG-GAN's.
  """
  return ((norms(d, _between(real, fake, key)) - 1)**2).mean(0)


def one_sided_gradient_penalty(d: Judge, real: Pyramid, fake: Pyramid,
                               key: jax.Array) -> jax.Array:
  """max(0, norm - 1)^2 between reals and fakes, averaged over levels.

  Source: Gulrajani et al. 2017, sec. 4 and appendix; Petzka et al. 2018
  (arXiv:1709.08894), eq. 8.
  """
  return (nn.relu(norms(d, _between(real, fake, key)) - 1)**2).mean(0)


def r1(d: Judge, real: Pyramid, fake: Pyramid, key: jax.Array) -> jax.Array:
  """Half the squared gradient norm of D at the reals, averaged over levels.

  Source: Mescheder et al. 2018 (arXiv:1801.04406), eq. 9.
  """
  del fake, key
  return .5 * squares(d, real).mean(0)


def r2(d: Judge, real: Pyramid, fake: Pyramid, key: jax.Array) -> jax.Array:
  """Half the squared gradient norm of D at the fakes, averaged over levels.

  Source: Mescheder et al. 2018 (arXiv:1801.04406), eq. 10.
  """
  return r1(d, fake, real, key)


def r1_r2(d: Judge, real: Pyramid, fake: Pyramid, key: jax.Array) -> jax.Array:
  """R1 + R2, with one weight.

  Source: R3GAN, Huang et al. 2024 (arXiv:2501.05441).
  """
  return r1(d, real, fake, key) + r2(d, real, fake, key)


def dragan(d: Judge, real: Pyramid, fake: Pyramid, key: jax.Array) -> jax.Array:
  """(norm - 1)^2 around the reals, averaged over levels: DRAGAN.

  A point around a real x is x + s (u - 1/2): s is the standard deviation of all
  values of that level of the batch, and u is uniform in [0, 1], drawn for each
  value. The form is compare_gan's, without its clipping to the range of images
  and without an epsilon in the root.

  Source: Kodali et al. 2017 (arXiv:1705.07215), sec. 2.3.
  """
  del fake
  return ((norms(d, _around(real, key)) - 1)**2).mean(0)


def _around(real, key):
  """x + s (u - 1/2): s is the deviation of all values of the level."""
  keys = jax.random.split(key, len(real))
  return tuple(x + x.std() * (jax.random.uniform(k, x.shape) - .5)
               for k, x in zip(keys, real, strict=True))


def _compare_gan(d, images):
  """(slope - 1)^2 as compare_gan has it, averaged over levels.

  Its pictures are 0 .. 1, so its gradients are twice ours, and its slope is
  sqrt(1e-4 + squared norm).
  """
  return ((jnp.sqrt(1e-4 + 4 * squares(d, images)) - 1)**2).mean(0)


def gradient_penalty_compare_gan(d: Judge, real: Pyramid, fake: Pyramid,
                                 key: jax.Array) -> jax.Array:
  """WGAN-GP in compare_gan's form: for pictures in 0 .. 1, with an epsilon.

  Source: Kurach et al. 2019 (arXiv:1807.04720); compare_gan, penalty_lib.py.
  """
  return _compare_gan(d, _between(real, fake, key))


def dragan_compare_gan(d: Judge, real: Pyramid, fake: Pyramid,
                       key: jax.Array) -> jax.Array:
  """DRAGAN in compare_gan's form, its points clipped to the pictures' range.

  Source: compare_gan, penalty_lib.py.
  """
  del fake
  return _compare_gan(d, tuple(
      jnp.clip(x, -1, 1) for x in _around(real, key)))


PENALTIES: tables.Table[Penalty | None] = tables.Table(
    'config.objective.penalty', 'penalty', {
        'none': None,
        'gradient_penalty': Penalty(gradient_penalty, has_target=True),
        'one_sided_gradient_penalty': Penalty(
            one_sided_gradient_penalty, has_target=True),
        'r1': Penalty(r1),
        'r2': Penalty(r2),
        'r1_r2': Penalty(r1_r2),
        'dragan': Penalty(dragan, separable=False, has_target=True),
        'gradient_penalty_compare_gan': Penalty(gradient_penalty_compare_gan),
        'dragan_compare_gan': Penalty(dragan_compare_gan, separable=False),
    })
