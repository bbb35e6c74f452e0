"""AUGMENTATIONS: what is done to reals and fakes alike before D sees them."""
import functools
from typing import Protocol

import jax

from msg_gan_jax.arrays.pixels import down
from msg_gan_jax.config import tables
from msg_gan_jax.gan.objectives import ada, diffaugment
from msg_gan_jax.gan.pyramid import Pyramid


class Augmentation(Protocol):
  """A row of AUGMENTATIONS."""

  def __call__(self, pyramid: Pyramid, key: jax.Array,
               strength: float | jax.Array, /) -> Pyramid:
    """Changes each sample alike at all scales; the gradient goes through it.

    Args:
      pyramid: levels [B, H, W, C] in [-1, 1], coarse to fine.
      key: of everything drawn at random.
      strength: a probability, 0 .. 1, or what the row says; it may be traced.
        0 changes nothing.

    Returns:
      The pyramid, not clipped.
    """


def instance_noise(pyramid: Pyramid, key: jax.Array,
                   strength: float | jax.Array) -> Pyramid:
  """Normal noise on every pixel, so that reals and fakes overlap.

  The noise is drawn for the finest level, and pooled with it: a level is that
  of the noisy picture. Noise drawn for each level alone would let D average
  it away by looking at all of them.

  Args:
    pyramid: levels [B, H, W, C] in [-1, 1], coarse to fine.
    key: of the noise.
    strength: standard deviation at the finest level; half of it at half the
      size. 0 changes nothing.

  Returns:
    The noisy pyramid, not clipped.

  Source: Sonderby et al. 2017 (arXiv:1610.04490), sec. 3.3; Arjovsky & Bottou
  2017 (arXiv:1701.04862), sec. 3. Both let the strength fall in training.
  """
  level = strength * jax.random.normal(key, pyramid[-1].shape)
  noisy = []
  for images in reversed(pyramid):
    if images.shape != level.shape:
      level = down(level, level.shape[1] // images.shape[1])
    noisy.append(images + level)
  return tuple(reversed(noisy))


def unchosen(pyramid: Pyramid, key: jax.Array,
             strength: float | jax.Array) -> Pyramid:
  """Stands for 'auto', until the pictures have decided what it is.

  A GAN that only draws has no need of it.

  Raises:
    ValueError: always, with what decides.
  """
  del pyramid, key, strength
  raise ValueError(
      "config.objective.augment: 'auto' is chosen by the number of training "
      'pictures; wanted a row of AUGMENTATIONS, or what msg_gan_jax.'
      'with_choices(config, msg_gan_jax.open_source(config)) makes of it, '
      'as train does.')


# None shows D the pictures as they are.
AUGMENTATIONS: tables.Table[Augmentation | None] = tables.Table(
    'config.objective.augment', 'augmentation', {
        'none': None,
        'instance_noise': instance_noise,
        'diffaugment_color': diffaugment.color,
        'diffaugment_translation': diffaugment.translation,
        'diffaugment_cutout': diffaugment.cutout,
        'diffaugment': diffaugment.diffaugment,
        'ada': functools.partial(ada.augment, ada.BGC),
        'ada_b': functools.partial(ada.augment, ada.B),
        'ada_bg': functools.partial(ada.augment, ada.BG),
        'ada_bgc': functools.partial(ada.augment, ada.BGC),
        'ada_r3gan': functools.partial(ada.augment, ada.R3GAN),
    })
