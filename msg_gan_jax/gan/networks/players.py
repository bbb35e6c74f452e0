"""Players: the two networks of a GAN, and how each is told the class."""
from typing import NamedTuple, Protocol, TypeVar

from flax import linen as nn
import jax
import jax.numpy as jnp

from msg_gan_jax.config.tables import Table
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import layers
from msg_gan_jax.gan.pyramid import Pyramid

Inputs = TypeVar('Inputs')  # z [B, latent], or a pyramid


class StageReals(Protocol):
  """What D of a stage sees of reals, and what both players are told.

  images [B, H, W, C] of the finest size, uint8 or floats, and alpha [B] or
  None -> (pyramid of reals, coarse picture [B, h, w, C] or None).
  """

  def __call__(self, images: jax.Array, alpha: jax.Array | None = None, /
               ) -> tuple[Pyramid, jax.Array | None]:
    ...


class Players(NamedTuple):
  """The two networks of a GAN.

  Attributes:
    g: linen module (z [B, latent], Condition, train) -> pyramid.
    d: linen module (pyramid, Condition, train) -> Verdict.
    sizes: heights of the pyramid's levels, coarse to fine.
    laws: rows of initialization.LAWS, of g and of d.
    levels: names of the parts of both that are trained one after another,
      subtrees of their parameters; () where there is but one.
    stages: for each level, or rung of players that grow, the Players that are
      trained.
    ladder: heights of the rungs of players that grow, coarse to fine; ().
    stage_reals: of a stage that sees other reals than the pyramid of `sizes`.
    mapped: whether G has `map` and `synthesize`, and w between them.
    supports_remat: whether the setting networks.remat means something to them.
  """
  g: nn.Module
  d: nn.Module
  sizes: tuple[int, ...]
  laws: tuple[str, str] = ('normal', 'normal')
  levels: tuple[str, ...] = ()
  stages: tuple['Players', ...] = ()
  ladder: tuple[int, ...] = ()
  stage_reals: StageReals | None = None
  mapped: bool = False
  supports_remat: bool = False

  def stage(self, level: int) -> 'Players':
    """The Players in training at a level."""
    return self.stages[level] if self.stages else self

  def reals_for(self, images: jax.Array, alpha: jax.Array | None = None
                ) -> tuple[Pyramid, jax.Array | None]:
    """The pyramid of reals that D sees, and the coarse picture or None.

    Args:
      images: [B, H, W, C] of the finest size, uint8 or floats.
      alpha: [B], how far the finest open rung has faded in, or None.
    """
    if self.stage_reals:
      return self.stage_reals(images, alpha)
    return pyramid.build(images, self.sizes), None


class WithLabels(Protocol[Inputs]):
  """(inputs of a player, labels as one-hot [B, classes]) -> its inputs."""

  def __call__(self, inputs: Inputs, one_hot: jax.Array, /) -> Inputs:
    ...


def concat_label(z: jax.Array, one_hot: jax.Array) -> jax.Array:
  """[z; one-hot label]: [B, latent] -> [B, latent + classes].

  Source: Mirza & Osindero 2014 (arXiv:1411.1784).
  """
  return jnp.concatenate([z, one_hot], -1)


def concat_label_maps(images: Pyramid,
                      one_hot: jax.Array) -> Pyramid:
  """One map for each class, beside the colours of every level.

  A pyramid of [B, H, W, C] -> one of [B, H, W, C + classes].

  Source: Mirza & Osindero 2014 (arXiv:1411.1784), as maps.
  """
  return tuple(jnp.concatenate([x, jnp.broadcast_to(
      one_hot[:, None, None], (*x.shape[:3], one_hot.shape[-1]))], -1)
      for x in images)


def with_labels(condition: WithLabels[Inputs] | None, inputs: Inputs,
                labels: jax.Array | None, classes: int) -> Inputs:
  """The inputs of a player, with the labels where its table says so.

  Args:
    condition: a row of G_CONDITIONS or of D_CONDITIONS.
    inputs: z [B, latent], or a pyramid.
    labels: int32 [B] or shares [B, classes]; None where the row is.
    classes: how many there are.
  """
  if condition is None:
    return inputs
  assert labels is not None
  return condition(inputs, layers.class_shares(labels, classes))


# How G is told the class. None: the network's own layers see to it.
G_CONDITIONS: Table[WithLabels[jax.Array] | None] = Table(
    'config.networks.g_condition', 'condition', {
        'none': None,
        'concat': concat_label,
        # Conditional batch norm: Dumoulin et al. 2017 (arXiv:1610.07629),
        # Miyato & Koyama 2018.
        'batch_norm': None,
        # Karras et al. 2020 (arXiv:2006.06676): beside z in a mapping network,
        # or as a learned vector (R3GAN).
        'mapping': None,
    })

# How D is told the class, or asked for it. None: its head sees to it.
D_CONDITIONS: Table[WithLabels[Pyramid] | None] = Table(
    'config.networks.d_condition', 'condition', {
        'none': None,
        'concat': concat_label_maps,
        # Miyato & Koyama 2018 (arXiv:1802.05637).
        'projection': None,
        # Odena et al. 2017 (arXiv:1610.09585).
        'classifier': None,
        # Mescheder et al. 2018 (arXiv:1801.04406): a score for each class.
        'switch': None,
        # Karras et al. 2020: <mapped label, features>.
        'mapped_projection': None,
    })
