"""What the pictures decide at a run's first start; config.json keeps it."""
import dataclasses

from msg_gan_jax.config import schema
from msg_gan_jax.data.sources import Splits, with_share
from msg_gan_jax.gan import pyramid

# Up to so many training pictures D is shown augmented ones. StyleGAN2 gained
# from it at every size that was tried up to here: the FID of FFHQ fell from 62
# to 26 with 1,000 pictures and from 6.2 to 5.1 with 30,000, that of CIFAR-10's
# 50,000 from 11.1 to 9.9 (Zhao et al. 2020, arXiv:2006.10738, tables 2 and 3);
# with 140,000 there was nothing to gain (Karras et al. 2020, arXiv:2006.06676,
# sec. 4).
FEW = 50_000
# All three of its kinds at every step, as there for few pictures. An adaptive
# strength would begin at 0, and take half a million images to 1.
AUGMENTATION, STRENGTH = 'diffaugment', 1.


def with_choices(config: schema.Config, splits: Splits) -> schema.Config:
  """The config with all that its pictures decide.

  That is the share that is held out, where it is open, and the augmentation,
  where it is 'auto': DiffAugment for up to FEW training pictures, else none.
  Its strength is STRENGTH, unless a setting has given another or lets it move.

  Args:
    config: that `splits` were opened with.
    splits: see data.sources.open_source.
  """
  config = with_share(config, splits)
  if config.objective.augment != schema.AUTO:
    return config
  objective = dataclasses.replace(
      config.objective, augment=AUGMENTATION if _helps(splits) else 'none')
  given = objective.augment_strength != schema.Objective().augment_strength
  if _helps(splits) and not (given or objective.augment_target):
    objective = dataclasses.replace(objective, augment_strength=STRENGTH)
  return dataclasses.replace(config, objective=objective)


def reason(asked: schema.Config, splits: Splits) -> str:
  """A line about the augmentation that was chosen; '' if none was asked to be.

  Args:
    asked: the config as it was before `with_choices`.
    splits: of its pictures.
  """
  if asked.objective.augment != schema.AUTO:
    return ''
  if pyramid.are_points(splits.train.shape):
    return 'no augmentation, for points have none'
  pictures = f'{len(splits.train):,} training pictures'
  if _helps(splits):
    return (f'{AUGMENTATION}, since D would learn {pictures} by heart (up to '
            f'{FEW:,}; for none, config.objective.augment=none)')
  return f'no augmentation, since {pictures} are more than {FEW:,}'


def _helps(splits):
  return len(splits.train) <= FEW and not (
      pyramid.are_points(splits.train.shape))
