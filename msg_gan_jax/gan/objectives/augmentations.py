"""What is done to reals and fakes alike before D sees them."""
import functools

import jax

from msg_gan_jax.config import tables
from msg_gan_jax.gan import pyramid as pyramid_lib
from msg_gan_jax.gan.objectives import ada, diffaugment


def instance_noise(pyramid, key, strength):
  """Normal noise on every pixel, so that reals and fakes overlap.

  The noise is drawn for the finest level, and pooled with it: a level is that
  of the noisy picture. Noise drawn for each level alone would let D average
  it away by looking at all of them.

  Args:
    pyramid: tuple of [B, H, W, C] in [-1, 1], coarse to fine.
    key: jax key.
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
      level = pyramid_lib.down(level, level.shape[1] // images.shape[1])
    noisy.append(images + level)
  return tuple(reversed(noisy))


# (pyramid, key, strength) -> pyramid; None shows D the pictures as they are.
AUGMENTATIONS = tables.Table('config.objective.augment', 'augmentation', {
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
