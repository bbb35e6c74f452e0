"""NETWORKS: from settings to the two modules."""
from collections.abc import Callable
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from msg_gan_jax import pyramid, tables
from msg_gan_jax.networks import (
  combine,
  dcgan,
  dense,
  lapgan,
  mlp,
  msg,
  norms,
  plain,
  resnet,
  spectral,
)


class Players(NamedTuple):
  """The two networks of a GAN.

  Attributes:
    g: linen module (z [B, latent], Condition, train) -> pyramid.
    d: linen module (pyramid, Condition, train) -> Verdict.
    sizes: heights of the pyramid's levels, coarse to fine.
    laws: rows of layers.LAWS, of g and of d.
    levels: names of the parts of both that are trained one after another,
      subtrees of their parameters; () where there is but one.
    parts: for each level the Players that are trained.
    look: of a part: the pyramid of reals -> (what its D sees of it, the coarse
      picture that both are told).
  """
  g: Any
  d: Any
  sizes: tuple[int, ...]
  laws: tuple[str, str] = ('normal', 'normal')
  levels: tuple[str, ...] = ()
  parts: tuple = ()
  look: Callable | None = None

  def at(self, level):
    """The Players in training at a level."""
    return self.parts[level] if self.parts else self

  def see(self, real):
    """(reals that D sees, coarse picture or None)."""
    return self.look(real) if self.look else (real, None)


# How G is told the class; batch norm is by the layers themselves.
G_CONDITIONS = tables.Table('config.networks.g_condition', 'condition', {
    'none': None,
    # Mirza & Osindero 2014 (arXiv:1411.1784): [z; one-hot label].
    'concat': lambda z, one_hot: jnp.concatenate([z, one_hot], -1),
    # Dumoulin et al. 2017 (arXiv:1610.07629), Miyato & Koyama 2018.
    'batch_norm': None,
})


def _with_maps(images, one_hot):
  return tuple(jnp.concatenate([x, jnp.broadcast_to(
      one_hot[:, None, None], (*x.shape[:3], one_hot.shape[-1]))], -1)
      for x in images)


# How D is told the class, or asked for it; the last two are its head's.
D_CONDITIONS = tables.Table('config.networks.d_condition', 'condition', {
    'none': None,
    # Mirza & Osindero 2014: a map a class, beside the colours of every level.
    'concat': _with_maps,
    'projection': None,
    'classifier': None,
})


def told(condition, inputs, labels, classes):
  """The inputs of a player, with the labels where its table says so."""
  return inputs if condition is None else condition(
      inputs, jax.nn.one_hot(labels, classes))


def _head(settings, score_bias=True):
  return plain.Head(settings.d_condition, settings.classes, score_bias)


def _refuse(settings, *names):
  """Refuses settings of other networks that this one has no use for."""
  for name in names:
    if (found := getattr(settings, name)) != 'none':
      raise ValueError(
          f'config.networks.{name}: {found!r} means nothing to config.networks.'
          f"name = {settings.name!r}; wanted 'none'.")


def _refuse_equalized(config):
  """Its weights are equalized, and its norms its own."""
  settings = config.networks
  for name in ('g_norm', 'd_norm', 'g_weight_norm', 'd_weight_norm'):
    if (found := getattr(settings, name)) != 'none':
      raise ValueError(
          f'config.networks.{name}: {found!r}, but config.networks.name = '
          f'{settings.name!r} scales its weights at run time and has its own '
          "norms; wanted 'none', or a network of plain layers.")
  for name in ('g_weight_penalty', 'd_weight_penalty'):
    if getattr(config.objective, name) == 'orthogonal':
      raise ValueError(
          f"config.objective.{name}: 'orthogonal', but config.networks.name = "
          f'{settings.name!r} scales its weights at run time: of length 1 they '
          "would do nothing. Wanted 'none', or a network of plain layers.")
  _no_batch_norm(settings)


def _no_batch_norm(settings):
  if settings.g_condition == 'batch_norm':
    raise ValueError(
        "config.networks.g_condition: 'batch_norm', but config.networks.name "
        f"= {settings.name!r} has none; wanted 'concat'.")


def _msg(config, bmsg):
  settings, data = config.networks, config.data
  _refuse_equalized(config)
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
          shape, settings.phi, settings.stddev, settings.stddev_group, bmsg,
          _head(settings)),
      sizes)


def _mlp(config):
  combine.PHI[config.networks.phi]  # an unknown φ is an error also where unused
  _refuse_equalized(config)
  mlp.check(config.networks)
  shape, width = config.data.shape, config.networks.fmap_max
  return Players(
      mlp.Generator(shape, width),
      mlp.Discriminator(shape, width, _head(config.networks)), shape[:1])


def _kits(settings, kit):
  """The kits of G and D: how a plan makes layers, with the settings' norms."""
  for player in ('g', 'd'):
    for table, name in ((norms.NORMS, 'norm'),
                        (spectral.WEIGHT_NORMS, 'weight_norm')):
      found, place = getattr(settings, f'{player}_{name}'), (
          f'config.networks.{player}_{name}')
      if found not in table:
        raise ValueError(f'{place}: {table.miss(found)}' + (
            f' {found!r} is a weight norm: config.networks.{player}_'
            'weight_norm.' if found in spectral.WEIGHT_NORMS else ''))
  if settings.g_condition == 'batch_norm' and settings.g_norm != 'batch':
    raise ValueError(
        "config.networks.g_condition: 'batch_norm', but config.networks."
        f"g_norm = {settings.g_norm!r}; wanted 'batch'.")
  kit = kit._replace(
      iterations=settings.power_iterations, ratio=settings.stable_rank,
      batch_always=settings.statistics == 'batch')
  return (kit._replace(
      norm=settings.g_norm, weight_norm=settings.g_weight_norm,
      classes=settings.classes * (settings.g_condition == 'batch_norm')),
      kit._replace(norm=settings.d_norm, weight_norm=settings.d_weight_norm))


def _plain(config, plan, doublings, halvings=None):
  """(plan, (kit of G, kit of D), sizes) of a network of plain layers.

  Args:
    config: Config.
    plan: with `kit` and `scaled`.
    doublings: between G's coarsest maps and the image.
    halvings: between the image and D's coarsest maps, if not as many.
  """
  settings, shape = config.networks, config.data.shape
  _refuse(settings, 'stddev')
  combine.PHI[settings.phi]
  halvings = doublings if halvings is None else halvings
  unit, fewest = 2**doublings, 2**max(0, halvings - doublings)
  for name, side in (('resolution', shape[0]), ('width', shape[1])):
    if side % unit or side < fewest * unit:
      near = max(fewest, round(side / unit)) * unit
      raise ValueError(
          f'config.data.{name}: {side}, but config.networks.name = '
          f'{settings.name!r} doubles a size {doublings} times; wanted a '
          f'multiple of {unit}, as {near}.')
  # Sizes that both pass through.
  ladder = tuple(shape[0] >> i for i in range(
      min(doublings, halvings), -1, -1))
  return (plan.scaled(settings.fmap_max), _kits(settings, plan.kit),
          pyramid.shown(shape, settings.scales, ladder))


def _chain(plan):
  def build(config):
    scaled, (g_kit, d_kit), sizes = _plain(config, plan, plan.doublings)
    return Players(
        dcgan.Generator(scaled, sizes, config.data.shape, g_kit),
        dcgan.Discriminator(
            scaled, sizes, d_kit, config.networks.phi, _head(config.networks)),
        sizes, (plan.kit.law,) * 2)
  return build


def _resnet(plan):
  def build(config):
    scaled, (g_kit, d_kit), sizes = _plain(
        config, plan, plan.doublings, plan.d_downs)
    return Players(
        resnet.Generator(scaled, sizes, config.data.shape, g_kit),
        resnet.Discriminator(
            scaled, sizes, d_kit, config.networks.phi,
            _head(config.networks, plan.score_bias)),
        sizes, (plan.kit.law,) * 2)
  return build


def _one_level(settings):
  if settings.scales not in ('all', 'none'):
    raise ValueError(
        f'config.networks.scales: {settings.scales!r}, but config.networks.'
        f"name = {settings.name!r} shows D one level; wanted 'none'.")


def _refuse_instance(settings):
  """Of a vector each map has one number, and nothing is left of it."""
  for player in ('g', 'd'):
    if getattr(settings, f'{player}_norm') == 'instance':
      raise ValueError(
          f"config.networks.{player}_norm: 'instance', but config.networks."
          f'name = {settings.name!r} has dense layers, whose outputs are no '
          "maps; wanted 'layer'.")


def _vanilla(config):
  settings, plan = config.networks, dense.Plan()
  _refuse(settings, 'stddev')
  _one_level(settings)
  _refuse_instance(settings)
  combine.PHI[settings.phi]
  g_kit, d_kit = _kits(settings, plan.kit)
  plan = plan.scaled(settings.fmap_max)
  return Players(
      dense.Generator(plan, config.data.shape, g_kit._replace(
          deviation='.05')),
      dense.Discriminator(plan, d_kit, _head(settings)),
      config.data.shape[:1], (plan.kit.law,) * 2)


def _infogan(config):
  settings = config.networks
  _one_level(settings)
  _refuse_instance(settings)
  plan, (g_kit, d_kit), sizes = _plain(config, dense.InfoPlan(), 2)
  return Players(
      dense.InfoGenerator(plan, config.data.shape, g_kit),
      dense.InfoDiscriminator(plan, d_kit, _head(settings), sizes[-1:]),
      sizes[-1:], (plan.kit.law,) * 2)


def _lapgan(config):
  settings = config.networks
  _one_level(settings)
  combine.PHI[settings.phi]
  _no_batch_norm(settings)
  g_kit, d_kit = _kits(settings, lapgan.Plan().kit)
  _refuse(settings, 'stddev', 'g_norm', 'd_norm')
  chain, head = lapgan.chain(config), _head(settings)
  sizes = tuple(height for height, _, _ in chain.shapes)
  laws = (chain.plan.kit.law,) * 2
  parts = tuple(
      Players(lapgan.g_level(chain, g_kit, level),
              lapgan.d_level(chain, d_kit, level, head), (size,), laws,
              look=functools.partial(lapgan.look, level))
      for level, size in enumerate(sizes))
  return Players(
      lapgan.Generator(chain, g_kit), lapgan.Discriminator(chain, d_kit, head),
      sizes, laws, chain.names, parts)


NETWORKS = tables.Table('config.networks.name', 'network', {
    'msg_progan': lambda config: _msg(config, bmsg=False),
    'bmsg_gan': lambda config: _msg(config, bmsg=True),
    'mlp': _mlp,
    'vanilla': _vanilla,
    'infogan': _infogan,
    'lapgan': _lapgan,
    **{name: _chain(plan) for name, plan in dcgan.PLANS.items()},
    **{name: _resnet(plan) for name, plan in resnet.PLANS.items()},
})
