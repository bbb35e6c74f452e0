"""NETWORKS: from settings to the two modules."""
from typing import Any, NamedTuple

from msg_gan_jax import pyramid, tables
from msg_gan_jax.networks import combine, mlp, msg


class Players(NamedTuple):
  """The two networks of a GAN.

  Attributes:
    g: linen module, z [B, latent] -> pyramid.
    d: linen module, pyramid -> Verdict.
    sizes: heights of the pyramid's levels, coarse to fine.
  """
  g: Any
  d: Any
  sizes: tuple[int, ...]


def _msg(config, bmsg):
  settings, data = config.networks, config.data
  if pyramid.are_points(data.shape):
    raise ValueError(
        f'config.networks.name: {settings.name!r} draws pictures, and '
        f'config.data.name = {data.name!r} has points; wanted \'mlp\'.')
  combine.PHI[settings.phi]  # an unknown φ is an error also where unused
  sizes = pyramid.shown(data.shape, settings.scales)
  shape = msg.Shape(
      pyramid.ladder(*data.shape[:2]), sizes, data.shape,
      settings.fmap_max, settings.fmap_base)
  return Players(
      msg.Generator(shape, bmsg),
      msg.Discriminator(
          shape, settings.phi, settings.stddev, settings.stddev_group, bmsg),
      sizes)


def _mlp(config):
  combine.PHI[config.networks.phi]  # an unknown φ is an error also where unused
  mlp.check(config.networks)
  shape, width = config.data.shape, config.networks.fmap_max
  return Players(
      mlp.Generator(shape, width), mlp.Discriminator(shape, width), shape[:1])


NETWORKS = tables.Table('config.networks.name', 'network', {
    'msg_progan': lambda config: _msg(config, bmsg=False),
    'bmsg_gan': lambda config: _msg(config, bmsg=True),
    'mlp': _mlp,
})
