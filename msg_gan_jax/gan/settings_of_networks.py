"""What each network has no use for, refused before it is made."""
from collections.abc import Callable

from msg_gan_jax.config.schema import Config
from msg_gan_jax.config.tables import MissingRowError
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import dcgan, infogan, resnet
from msg_gan_jax.gan.networks.norms import NORMS
from msg_gan_jax.gan.networks.phi import PHI
from msg_gan_jax.gan.networks.table import NETWORKS
from msg_gan_jax.gan.networks.weight_norms import WEIGHT_NORMS

Refusal = Callable[[Config], None]


def check(config: Config) -> None:
  """Refuses settings that the network of a Config cannot have.

  Raises:
    ValueError: an unknown name, or a setting that goes with other networks;
      it names both settings, and what to choose instead.
  """
  settings = config.networks
  NETWORKS.check(settings.name)
  PHI.check(settings.phi)  # An unknown φ is an error also where it is unused.
  for refuse in REFUSALS.get(settings.name, ()):
    refuse(config)


def _not_equalized(config):
  """Refuses what needs plain weights, of a network that equalizes its own."""
  settings = config.networks
  for name in ('g_norm', 'd_norm', 'g_weight_norm', 'd_weight_norm'):
    if (value := getattr(settings, name)) != 'none':
      raise ValueError(
          f'config.networks.{name}: {value!r}, but config.networks.name = '
          f'{settings.name!r} scales its weights at run time and has its own '
          "norms; wanted 'none', or a network of plain layers.")
  for name in ('g_weight_penalty', 'd_weight_penalty'):
    if getattr(config.objective, name) == 'orthogonal':
      raise ValueError(
          f"config.objective.{name}: 'orthogonal', but config.networks.name = "
          f'{settings.name!r} scales its weights at run time: of length 1 they '
          "would do nothing. Wanted 'none', or a network of plain layers.")
  _no_batch_norm(config)


def _no_batch_norm(config):
  if config.networks.g_condition == 'batch_norm':
    raise ValueError(
        "config.networks.g_condition: 'batch_norm', but config.networks.name "
        f"= {config.networks.name!r} has none; wanted 'concat'.")


def _no_mapping(*players: str) -> Refusal:
  """Refuses labels in a mapping network that these players do not have."""
  def refuse(config):
    for player, row, instead in (('g', 'mapping', 'concat'),
                                 ('d', 'mapped_projection', 'projection')):
      condition = getattr(config.networks, f'{player}_condition')
      if player in players and condition == row:
        raise ValueError(
            f'config.networks.{player}_condition: {row!r}, but config.networks.'
            f'name = {config.networks.name!r} has no mapping network there; '
            f'wanted {instead!r}.')
  return refuse


def _only_mapping(config):
  """Refuses other ways for labels into a G that has a mapping network."""
  settings = config.networks
  if settings.g_condition not in ('none', 'mapping'):
    raise ValueError(
        f'config.networks.g_condition: {settings.g_condition!r}, but config.'
        f'networks.name = {settings.name!r} is told classes by its mapping '
        "network; wanted 'mapping'.")


def _only_own_projection(config):
  settings = config.networks
  if settings.d_condition not in ('none', 'mapped_projection'):
    raise ValueError(
        f'config.networks.d_condition: {settings.d_condition!r}, but config.'
        f'networks.name = {settings.name!r} has a projection of its own; '
        "wanted 'mapped_projection'.")


def _no_points(config):
  if pyramid.are_points(config.data.shape):
    raise ValueError(
        f'config.networks.name: {config.networks.name!r} draws pictures, and '
        f'config.data.name = {config.data.name!r} has points; wanted \'mlp\'.')


def _one_level(config):
  """Refuses scales of a network that shows one."""
  settings = config.networks
  if settings.scales not in ('all', 'none'):
    raise ValueError(
        f'config.networks.scales: {settings.scales!r}, but config.networks.'
        f"name = {settings.name!r} shows D one level; wanted 'all' or 'none'.")


def _growth(config):
  """Refuses growth from no rung of the ladder, or with several levels."""
  settings, begin = config.networks, config.train.grow_from
  if not begin:
    return
  heights = pyramid.ladder(*config.data.shape[:2])
  if begin not in heights:
    raise ValueError(
        f'config.train.grow_from: no resolution of {begin} px on the way to '
        f'{heights[-1]}; wanted one of {", ".join(map(str, heights))}, or 0.')
  if len(pyramid.shown(config.data.shape, settings.scales)) > 1:
    raise ValueError(
        f'config.train.grow_from: {begin}, but config.networks.scales = '
        f'{settings.scales!r} shows D all these levels at once; wanted '
        "scales = 'none', or grow_from = 0.")


def _no_instance_norm(config):
  """Refuses it for vectors: each map has one number, and nothing is left."""
  settings = config.networks
  for player in ('g', 'd'):
    if getattr(settings, f'{player}_norm') == 'instance':
      raise ValueError(
          f"config.networks.{player}_norm: 'instance', but config.networks."
          f'name = {settings.name!r} has dense layers, whose outputs are not '
          "maps; wanted 'layer'.")


def _norms(config):
  """Refuses norms that do not exist, and conditional norms without a norm."""
  settings = config.networks
  for player in ('g', 'd'):
    for table, name in ((NORMS, 'norm'), (WEIGHT_NORMS, 'weight_norm')):
      row, place = getattr(settings, f'{player}_{name}'), (
          f'config.networks.{player}_{name}')
      if row not in table:
        raise MissingRowError(f'{place}: {table.miss(row)}' + (
            f' {row!r} is a weight norm: config.networks.{player}_weight_norm.'
            if row in WEIGHT_NORMS else ''))
  if settings.g_condition == 'batch_norm' and settings.g_norm != 'batch':
    raise ValueError(
        "config.networks.g_condition: 'batch_norm', but config.networks."
        f"g_norm = {settings.g_norm!r}; wanted 'batch'.")


def _doubles(doublings: int, halvings: int) -> Refusal:
  """Refuses sizes that G cannot double to, or D cannot halve."""
  unit, fewest = 2**doublings, 2**max(0, halvings - doublings)

  def refuse(config):
    height, width, _ = config.data.shape
    for name, side in (('resolution', height), ('width', width)):
      if side % unit or side < fewest * unit:
        near = max(fewest, round(side / unit)) * unit
        raise ValueError(
            f'config.data.{name}: {side}, but config.networks.name = '
            f'{config.networks.name!r} doubles a size {doublings} times; '
            f'wanted a multiple of {unit}, such as {near}.')
  return refuse


def _plain(doublings: int, halvings: int) -> tuple[Refusal, ...]:
  """The refusals of a chain of plain layers."""
  return _doubles(doublings, halvings), _no_mapping('g', 'd'), _norms


_LADDER = _not_equalized, _no_points
_MAPPED = _only_mapping, *_LADDER
_PROGAN = _no_mapping('g', 'd'), *_LADDER

# name of a network -> what it refuses, in this order.
REFUSALS: dict[str, tuple[Refusal, ...]] = {
    'msg_progan': (*_PROGAN, _growth),
    'bmsg_gan': _PROGAN,
    'progan': (*_PROGAN, _growth),
    'stylegan': (*_MAPPED, _no_mapping('d'), _growth),
    'stylegan2': _MAPPED,
    'stylegan2_plain': _MAPPED,
    'r3gan': (*_MAPPED, _only_own_projection),
    'mlp': (_not_equalized, _no_mapping('g', 'd'), _one_level),
    'vanilla': (_one_level, _no_instance_norm, _no_mapping('g', 'd'), _norms),
    'infogan': (_one_level, _no_instance_norm,
                *_plain(infogan.DOUBLINGS, infogan.DOUBLINGS)),
    'lapgan': (_one_level, _no_batch_norm, _no_mapping('g', 'd'), _norms),
    **{name: _plain(arch.doublings, arch.doublings)
       for name, arch in dcgan.ARCHITECTURES.items()},
    **{name: _plain(arch.doublings, arch.d_downs)
       for name, arch in resnet.ARCHITECTURES.items()},
}
