"""NETWORKS: from settings to the two modules."""
from collections.abc import Callable
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from msg_gan_jax.config import tables
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import (
  dcgan,
  infogan,
  ladder,
  lapgan,
  mlp,
  norms,
  phi,
  plain,
  progan,
  r3gan,
  resnet,
  stylegan,
  stylegan2,
  vanilla,
  weight_norms,
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
    parts: for each level, or rung of players that grow, the Players that are
      trained.
    ladder: heights of the rungs of players that grow, coarse to fine; ().
    look: of a part: (images [B, H, W, C] of the finest size, uint8 or floats,
      alpha) -> (the pyramid that its D sees of reals, the coarse picture that
      both are told).
    mapped: whether G has `map` and `synthesize`, and w between them.
  """
  g: Any
  d: Any
  sizes: tuple[int, ...]
  laws: tuple[str, str] = ('normal', 'normal')
  levels: tuple[str, ...] = ()
  parts: tuple = ()
  ladder: tuple[int, ...] = ()
  look: Callable | None = None
  mapped: bool = False

  def at(self, level):
    """The Players in training at a level."""
    return self.parts[level] if self.parts else self

  def see(self, images, alpha=None):
    """(pyramid of reals that D sees, coarse picture or None)."""
    if self.look:
      return self.look(images, alpha)
    return pyramid.build(images, self.sizes), None


# How G is told the class; batch norm is by the layers themselves.
G_CONDITIONS = tables.Table('config.networks.g_condition', 'condition', {
    'none': None,
    # Mirza & Osindero 2014 (arXiv:1411.1784): [z; one-hot label].
    'concat': lambda z, one_hot: jnp.concatenate([z, one_hot], -1),
    # Dumoulin et al. 2017 (arXiv:1610.07629), Miyato & Koyama 2018.
    'batch_norm': None,
    # Karras et al. 2020 (arXiv:2006.06676): beside z in a mapping network, or
    # as a learned vector (R3GAN).
    'mapping': None,
})


def _with_maps(images, one_hot):
  return tuple(jnp.concatenate([x, jnp.broadcast_to(
      one_hot[:, None, None], (*x.shape[:3], one_hot.shape[-1]))], -1)
      for x in images)


# How D is told the class, or asked for it; all but 'concat' are its head's.
D_CONDITIONS = tables.Table('config.networks.d_condition', 'condition', {
    'none': None,
    # Mirza & Osindero 2014: a map a class, beside the colours of every level.
    'concat': _with_maps,
    'projection': None,
    'classifier': None,
    # Mescheder et al. 2018 (arXiv:1801.04406): a score for each class.
    'switch': None,
    # Karras et al. 2020: <mapped label, features>.
    'mapped_projection': None,
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


def _refuse_mapping(settings, players='gd'):
  """Of networks whose players have no mapping network of labels."""
  for player, row, instead in (('g', 'mapping', 'concat'),
                               ('d', 'mapped_projection', 'projection')):
    if player in players and getattr(settings, f'{player}_condition') == row:
      raise ValueError(
          f'config.networks.{player}_condition: {row!r}, but config.networks.'
          f'name = {settings.name!r} has no mapping network there; wanted '
          f'{instead!r}.')


def _only_mapping(settings):
  """Labels enter a G that has a mapping network there."""
  if settings.g_condition not in ('none', 'mapping'):
    raise ValueError(
        f'config.networks.g_condition: {settings.g_condition!r}, but config.'
        f'networks.name = {settings.name!r} is told classes by its mapping '
        "network; wanted 'mapping'.")


def _no_batch_norm(settings):
  if settings.g_condition == 'batch_norm':
    raise ValueError(
        "config.networks.g_condition: 'batch_norm', but config.networks.name "
        f"= {settings.name!r} has none; wanted 'concat'.")


def _on_ladder(config, g, d, grows=True):
  """Players of ProGAN's ladder: some or all rungs open, or growing.

  Args:
    config: Config.
    g, d: (ladder.Ladder, level) -> a linen module; level None opens all rungs.
    grows: whether the network can.
  """
  settings, data = config.networks, config.data
  begin = grows and config.train.grow_from
  _refuse_equalized(config)
  if pyramid.are_points(data.shape):
    raise ValueError(
        f'config.networks.name: {settings.name!r} draws pictures, and '
        f'config.data.name = {data.name!r} has points; wanted \'mlp\'.')
  phi.PHI[settings.phi]  # an unknown φ is an error also where unused
  sizes = pyramid.ladder(*data.shape[:2])
  shown = pyramid.shown(data.shape, settings.scales)
  shape = ladder.Ladder(
      sizes, sizes if begin else shown, data.shape, settings.fmap_max,
      settings.fmap_base)
  if not begin:
    return Players(g(shape, None), d(shape, None), shown)
  if begin not in sizes:
    raise ValueError(
        f'config.train.grow_from: no resolution of {begin} px on the way to '
        f'{sizes[-1]}; wanted one of {", ".join(map(str, sizes))}, or 0.')
  if len(shown) > 1:
    raise ValueError(
        f'config.train.grow_from: {begin}, but config.networks.scales = '
        f'{settings.scales!r} shows D all these levels at once; wanted '
        "scales = 'none', or grow_from = 0.")
  parts = tuple(
      Players(g(shape, level), d(shape, level), (size,),
              look=functools.partial(_faded, size))
      for level, size in enumerate(sizes))
  return parts[-1]._replace(parts=parts, ladder=sizes)


def _faded(size, images, alpha):
  """Reals of a resolution as far as it has faded in: ProGAN, appendix A.1."""
  real, = pyramid.build(images, (size,))
  if not size % 2:  # The coarsest rung may be odd, and never fades in.
    real = ladder.blend(pyramid.up(pyramid.down(real)), real, alpha)
  return (real,), None


def _of_family(settings):
  """What all modules of the high-resolution family are given."""
  return {'dtype': jnp.dtype(settings.dtype), 'remat': settings.remat}


def _ladder_d(settings, shape, level, **choices):
  """ProGAN's D, with choices of its attributes."""
  return progan.Discriminator(
      shape, settings.phi, settings.stddev, settings.stddev_group,
      head=_head(settings), level=level, **choices, **_of_family(settings))


def _msg(config, **choices):
  settings = config.networks
  _refuse_mapping(settings)
  return _on_ladder(
      config,
      lambda shape, level: progan.Generator(
          shape, level=level, **choices, **_of_family(settings)),
      lambda shape, level: _ladder_d(settings, shape, level, **choices),
      grows='bmsg' not in choices)


def _progan(config):
  settings = config.networks
  _refuse_mapping(settings)
  return _on_ladder(
      config,
      lambda shape, level: progan.Generator(
          shape, norm_first=True, level=level, **_of_family(settings)),
      lambda shape, level: _ladder_d(settings, shape, level, mean_first=True))


def _stylegan(config):
  settings = config.networks
  _only_mapping(settings)
  _refuse_mapping(settings, 'd')
  return _on_ladder(
      config,
      lambda shape, level: stylegan.Generator(
          shape, level=level, **_styles(settings), **_of_family(settings)),
      lambda shape, level: _ladder_d(
          settings, shape, level, mean_first=True, blur=True)
  )._replace(mapped=True)


def _stylegan2(config, architecture):
  settings = config.networks
  _only_mapping(settings)
  return _on_ladder(
      config,
      lambda shape, level: stylegan2.Generator(
          shape, **_styles(settings), **_of_family(settings)),
      lambda shape, level: stylegan2.Discriminator(
          shape, architecture, settings.phi, settings.stddev,
          settings.stddev_group, _head(settings), **_of_family(settings)),
      grows=False)._replace(mapped=True)


def _r3gan(config):
  settings = config.networks
  _only_mapping(settings)
  _refuse(settings, 'stddev')
  if settings.d_condition not in ('none', 'mapped_projection'):
    raise ValueError(
        f'config.networks.d_condition: {settings.d_condition!r}, but config.'
        "networks.name = 'r3gan' has a projection of its own; wanted "
        "'mapped_projection'.")
  told = {player: settings.classes * (row != 'none') for player, row in (
      ('g', settings.g_condition), ('d', settings.d_condition))}
  return _on_ladder(
      config,
      lambda shape, level: r3gan.Generator(
          shape, classes=told['g'], **_of_family(settings)),
      lambda shape, level: r3gan.Discriminator(
          shape, classes=told['d'], phi=settings.phi, **_of_family(settings)),
      grows=False)


def _styles(settings):
  """What modules with a mapping network are given."""
  return {'width': settings.w, 'depth': settings.mapping_layers,
          'mixing': settings.mixing,
          'classes': settings.classes * (settings.g_condition == 'mapping')}


def _mlp(config):
  settings = config.networks
  phi.PHI[settings.phi]  # an unknown φ is an error also where unused
  _refuse_equalized(config)
  _refuse_mapping(settings)
  mlp.check(settings)
  shape, width = config.data.shape, settings.fmap_max
  dtype = jnp.dtype(settings.dtype)
  return Players(
      mlp.Generator(shape, width, dtype=dtype),
      mlp.Discriminator(shape, width, _head(settings), dtype=dtype), shape[:1])


def _kits(settings, kit):
  """The kits of G and D: how a plan makes layers, with the settings' norms."""
  _refuse_mapping(settings)
  for player in ('g', 'd'):
    for table, name in ((norms.NORMS, 'norm'),
                        (weight_norms.WEIGHT_NORMS, 'weight_norm')):
      found, place = getattr(settings, f'{player}_{name}'), (
          f'config.networks.{player}_{name}')
      if found not in table:
        raise ValueError(f'{place}: {table.miss(found)}' + (
            f' {found!r} is a weight norm: config.networks.{player}_'
            'weight_norm.' if found in weight_norms.WEIGHT_NORMS else ''))
  if settings.g_condition == 'batch_norm' and settings.g_norm != 'batch':
    raise ValueError(
        "config.networks.g_condition: 'batch_norm', but config.networks."
        f"g_norm = {settings.g_norm!r}; wanted 'batch'.")
  kit = kit._replace(
      iterations=settings.power_iterations, ratio=settings.stable_rank,
      batch_always=settings.statistics == 'batch',
      dtype=jnp.dtype(settings.dtype))
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
  phi.PHI[settings.phi]
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
  settings, plan = config.networks, vanilla.Plan()
  _refuse(settings, 'stddev')
  _one_level(settings)
  _refuse_instance(settings)
  phi.PHI[settings.phi]
  g_kit, d_kit = _kits(settings, plan.kit)
  plan = plan.scaled(settings.fmap_max)
  return Players(
      vanilla.Generator(plan, config.data.shape, g_kit._replace(
          deviation='.05')),
      vanilla.Discriminator(plan, d_kit, _head(settings)),
      config.data.shape[:1], (plan.kit.law,) * 2)


def _infogan(config):
  settings = config.networks
  _one_level(settings)
  _refuse_instance(settings)
  plan, (g_kit, d_kit), sizes = _plain(config, infogan.InfoPlan(), 2)
  return Players(
      infogan.InfoGenerator(plan, config.data.shape, g_kit),
      infogan.InfoDiscriminator(plan, d_kit, _head(settings), sizes[-1:]),
      sizes[-1:], (plan.kit.law,) * 2)


def _lapgan(config):
  settings = config.networks
  _one_level(settings)
  phi.PHI[settings.phi]
  _no_batch_norm(settings)
  g_kit, d_kit = _kits(settings, lapgan.Plan().kit)
  _refuse(settings, 'stddev', 'g_norm', 'd_norm')
  chain, head = lapgan.chain(config), _head(settings)
  sizes = tuple(height for height, _, _ in chain.shapes)
  laws = (chain.plan.kit.law,) * 2
  parts = tuple(
      Players(lapgan.g_level(chain, g_kit, level),
              lapgan.d_level(chain, d_kit, level, head), (size,), laws,
              look=functools.partial(lapgan.look, sizes, level))
      for level, size in enumerate(sizes))
  return Players(
      lapgan.Generator(chain, g_kit), lapgan.Discriminator(chain, d_kit, head),
      sizes, laws, chain.names, parts)


NETWORKS = tables.Table('config.networks.name', 'network', {
    'msg_progan': _msg,
    'bmsg_gan': lambda config: _msg(config, bmsg=True),
    'progan': _progan,
    'stylegan': _stylegan,
    'stylegan2': functools.partial(_stylegan2, architecture='residual'),
    'stylegan2_plain': functools.partial(_stylegan2, architecture='plain'),
    'r3gan': _r3gan,
    'mlp': _mlp,
    'vanilla': _vanilla,
    'infogan': _infogan,
    'lapgan': _lapgan,
    **{name: _chain(plan) for name, plan in dcgan.PLANS.items()},
    **{name: _resnet(plan) for name, plan in resnet.PLANS.items()},
})
