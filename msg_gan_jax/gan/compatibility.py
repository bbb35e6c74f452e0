"""Which settings go together: decided before anything is traced."""
from msg_gan_jax.config import schema
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import norms
from msg_gan_jax.gan.networks.table import D_CONDITIONS, G_CONDITIONS


def check(config, rows):
  """Refuses settings that do not go together.

  Args:
    config: Config.
    rows: updates.Rows that it names.

  Raises:
    ValueError: names both settings, and what to choose instead.
  """
  loss, penalty, players = rows.loss, rows.penalty, rows.players
  _idle(config, penalty)
  _classes(config.networks)
  for batch in sorted(set(rows.growth.batches if rows.growth else ()) | {
      config.train.batch}):
    _batch(config, batch, penalty)
    _accumulate(config, batch, rows)
  _updates(config, loss, players)
  _growth(config, players)
  _augmentation(config, loss)
  if rows.g_penalty and config.train.n_dis_more:
    raise ValueError(
        f'config.train.n_dis_more: {config.train.n_dis_more} leaves G out of '
        'steps, and config.objective.g_penalty_every_g_steps counts them; '
        "wanted 0, or config.objective.g_penalty = 'none'.")
  _of_some(config, players)
  if rows.g_penalty and not players.mapped:
    raise ValueError(
        f'config.objective.g_penalty: {config.objective.g_penalty!r} is of '
        f'styles, and config.networks.name = {config.networks.name!r} has no '
        "mapping network; wanted 'none', or a network that has one.")


def _idle(config, penalty):
  """Settings that would do nothing beside the others."""
  objective, train = config.objective, config.train
  if objective.penalty_target != 1 and not (penalty and penalty.has_target):
    raise ValueError(
        f'config.objective.penalty_target: wanted 1.0, found '
        f'{objective.penalty_target}: config.objective.penalty = '
        f'{objective.penalty!r} has no target.')
  found = schema.flatten(config)
  for switches, idle, names in IDLE:
    if all(idle(found[switch]) for switch in switches):
      for name in names:
        if found[name] != USUAL[name]:
          raise ValueError(
              f'config.{name}: {found[name]} means nothing to config.'
              f'{switches[0]} = {found[switches[0]]!r}. Wanted {USUAL[name]}, '
              f'the default, or another {switches[0].partition(".")[2]}.')
  if config.networks.statistics != 'moving' and not _mixes(
      config.networks, 'g'):
    raise ValueError(
        f'config.networks.statistics: {config.networks.statistics!r} means '
        f"nothing to config.networks.g_norm = {config.networks.g_norm!r}; "
        "wanted 'moving', the default.")
  if train.n_dis_more % train.n_dis:
    near = max(1, round(train.n_dis_more / train.n_dis)) * train.n_dis
    raise ValueError(
        f'config.train.n_dis_more: {train.n_dis_more} is no multiple of '
        f'config.train.n_dis = {train.n_dis}; wanted one, as {near}.')


def _is_none(value):
  return value == 'none'


def _is_nothing(value):
  return not value


USUAL = schema.flatten(schema.Config())
# (settings that give a meaning, when they give none, those that then have
# none). A network's own and traced weights of a penalty that is off are free.
IDLE = (
    (('objective.augment',), _is_none, (
        'objective.augment_strength', 'objective.augment_until_images',
        'objective.augment_target', 'schedule.augment_strength')),
    (('objective.augment_target',), _is_nothing, (
        'objective.augment_speed_images',)),
    (('objective.g_penalty',), _is_none, (
        'objective.g_penalty_weight', 'objective.g_penalty_every_g_steps',
        'objective.g_penalty_shrink')),
    (('train.grow_from',), _is_nothing, (
        'train.grow_stable_images', 'train.grow_fade_images',
        'train.grow_batches', 'train.grow_rates', 'train.grow_resets')),
    (('schedule.images',), _is_nothing, tuple(
        f'schedule.{name}' for name in (
            'rates', 'beta2', 'penalty_weight', 'augment_strength',
            'ema_half_life_images'))),
    (('objective.penalty',), _is_none, (
        'objective.penalty_every_d_steps', 'schedule.penalty_weight')),
    (('objective.constraint',), _is_none, ('objective.clip',)),
    (('objective.d_weight_penalty',), _is_none, (
        'objective.d_weight_penalty_weight',)),
    (('objective.g_weight_penalty',), _is_none, (
        'objective.g_weight_penalty_weight',)),
    (('networks.d_condition',), lambda row: row != 'classifier', (
        'objective.d_classes_weight', 'objective.g_classes_weight',
        'objective.classify_fakes')),
    (('networks.d_weight_norm', 'networks.g_weight_norm'), _is_none, (
        'networks.power_iterations', 'networks.power_update')),
    (('networks.d_weight_norm', 'networks.g_weight_norm'),
     lambda row: row != 'stable_rank', ('networks.stable_rank',)),
    (('networks.statistics',), lambda row: row != 'accumulated', (
        'networks.statistics_batches',)),
    (('train.n_dis_more',), _is_nothing, (
        'train.more_first_g_steps', 'train.more_every_g_steps')),
)


def _of_some(config, players):
  """Settings that only some networks have."""
  networks = config.networks
  names = [*(() if players.mapped else ('w', 'mapping_layers', 'mixing')),
           *(() if hasattr(players.g, 'remat') else ('remat',))]
  for name in names:
    found, usual = getattr(networks, name), USUAL[f'networks.{name}']
    if found != usual:
      raise ValueError(
          f'config.networks.{name}: {found} means nothing to config.networks.'
          f'name = {networks.name!r}; wanted {usual}, the default.')
  if players.mapped and networks.mixing and networks.latent_law == 'uniform':
    raise ValueError(
        "config.networks.latent_law: 'uniform', but the latents that "
        f'config.networks.mixing = {networks.mixing} mixes in are normal; '
        "wanted 'normal', or mixing = 0.")


def _classes(networks):
  """Classes without a player that is told of them, and the reverse."""
  G_CONDITIONS[networks.g_condition], D_CONDITIONS[networks.d_condition]
  told = [f'config.networks.{name} = {getattr(networks, name)!r}'
          for name in ('g_condition', 'd_condition')
          if getattr(networks, name) != 'none']
  if networks.classes == 1 or (told and not networks.classes):
    raise ValueError(
        f'config.networks.classes: {networks.classes}; wanted how many classes '
        f'the pictures have, at least 2{", for " if told else ""}'
        f'{" and ".join(told)}.')
  if networks.classes and not told:
    raise ValueError(
        f'config.networks.classes: {networks.classes}, but no player is told '
        "of them; wanted config.networks.g_condition = 'concat' and "
        "config.networks.d_condition = 'projection', or others, or 0.")
  if (networks.g_condition == 'none') != (networks.d_condition == 'none'):
    blind = 'g' if networks.g_condition == 'none' else 'd'
    raise ValueError(
        f"config.networks.{blind}_condition: 'none', but {told[0]}: one player "
        'would be told what the other does not know. Wanted both, or none.')


def _mixes(networks, player):
  """Whether a player's norm looks at the whole batch."""
  norm = norms.NORMS[getattr(networks, f'{player}_norm')]
  return norm is not None and norm.whiten is None


def _place(config, batch):
  """The setting that a batch is of."""
  return 'batch' if batch == config.train.batch else 'grow_batches'


def _batch(config, batch, penalty):
  """Statistics of the batch, where a penalty is of each sample by itself."""
  networks = config.networks
  group = networks.stddev_group or batch
  if networks.stddev != 'none' and batch % min(group, batch):
    raise ValueError(
        f'config.train.{_place(config, batch)}: {batch} is no multiple of '
        f'config.networks.stddev_group = {group}.')
  if config.data.dequantize and pyramid.are_points(config.data.shape):
    raise ValueError(
        'config.data.dequantize: True, but points are no bytes; wanted False.')
  if penalty and _mixes(networks, 'd'):
    raise ValueError(
        f'config.objective.penalty: {config.objective.penalty!r} is of D as a '
        'function of one image, and config.networks.d_norm = '
        f'{networks.d_norm!r} makes it one of the batch; wanted d_norm = '
        "'layer' (Gulrajani et al. 2017, sec. 4), or penalty = 'none'.")


def _updates(config, loss, players):
  """Lengths and orders of updates."""
  train = config.train
  if train.g_batches > 1:
    if loss.compares:
      raise ValueError(
          f'config.train.g_batches: {train.g_batches}, but config.objective.'
          f'loss = {config.objective.loss!r} compares each fake with a real; '
          'wanted 1.')
    if train.reuse_latents:
      raise ValueError(
          f'config.train.g_batches: {train.g_batches}, but '
          'config.train.reuse_latents gives G the latents of one batch; wanted '
          '1, or reuse_latents=False.')
    stddev = config.networks.stddev
    if stddev != 'none' and not config.networks.stddev_group:
      raise ValueError(
          f'config.train.g_batches: {train.g_batches}, but config.networks.'
          'stddev_group = 0 is the whole batch; wanted a number.')
  chain = len(players.levels)
  if bool(train.level_images) != bool(chain):
    raise ValueError(
        f'config.train.level_images: {train.level_images}, but '
        f'config.networks.name = {config.networks.name!r} '
        + (f'trains {chain} levels one after another; wanted an equal share of '
           f'config.train.total_images, {max(1, train.total_images // chain)}.'
           if chain else 'has no chain of levels; wanted 0.'))
  if chain and not train.level_images * (chain - 1) < train.total_images:
    raise ValueError(
        f'config.train.level_images: {train.level_images} leaves no images of '
        f'config.train.total_images = {train.total_images} for the last of '
        f'{chain} levels.')


def _growth(config, players):
  """Progressive growing, of networks that can."""
  train, ladder = config.train, players.ladder
  if train.grow_from and not ladder:
    raise ValueError(
        f'config.train.grow_from: {train.grow_from}, but config.networks.name '
        f'= {config.networks.name!r} does not grow; wanted 0, or progan, '
        'msg_progan or stylegan.')
  if not train.grow_from:
    return
  if train.n_dis_more:
    raise ValueError(
        f'config.train.n_dis_more: {train.n_dis_more} counts G updates, whose '
        'batch changes with config.train.grow_from; wanted 0.')
  if not train.grow_stable_images + train.grow_fade_images:
    raise ValueError(
        'config.train.grow_stable_images: 0, and config.train.grow_fade_images '
        'too: no resolution would be trained but the last. Wanted grow_from = '
        f'{ladder[-1]}, or images.')
  rungs = len(ladder) - 1 - ladder.index(train.grow_from)
  begin = rungs * train.grow_stable_images + (
      rungs - 1) * train.grow_fade_images
  if rungs and train.total_images <= begin:
    raise ValueError(
        f'config.train.total_images: {train.total_images} ends before '
        f'{ladder[-1]} px begins to fade in, after {begin} images; wanted '
        'more, or smaller config.train.grow_stable_images and '
        'grow_fade_images.')


def _augmentation(config, loss):
  """Who says how strong an augmentation is: one alone."""
  objective, schedule = config.objective, config.schedule
  if objective.augment_target and not loss.undecided_at_0:
    raise ValueError(
        f'config.objective.augment_target: {objective.augment_target} is of '
        'the sign of D(real), which config.objective.loss = '
        f"{objective.loss!r} gives no meaning; wanted 'non_saturating' or "
        "'hinge', or 0 and an augment_strength.")
  if objective.augment_target and objective.augment == 'instance_noise':
    raise ValueError(
        "config.objective.augment_target: of config.objective.augment = "
        "'instance_noise' the strength is no probability; wanted 0, or 'ada'.")
  if objective.augment not in ('none', 'instance_noise'):
    if objective.augment_strength > 1 or schedule.augment_strength > 1:
      raise ValueError(
          f'config.objective.augment_strength: of config.objective.augment = '
          f'{objective.augment!r} it is a probability; wanted 0 to 1, found '
          f'{max(objective.augment_strength, schedule.augment_strength)}.')
    if pyramid.are_points(config.data.shape):
      raise ValueError(
          f'config.objective.augment: {objective.augment!r} is of pictures, '
          "and config.data.name = "
          f"{config.data.name!r} has points; wanted 'instance_noise'.")
  said = [f'config.{name}' for name, value in (
      ('objective.augment_target', objective.augment_target),
      ('objective.augment_until_images', objective.augment_until_images),
      ('schedule.augment_strength', schedule.augment_strength != -1)) if value]
  if len(said) > 1:
    raise ValueError(
        f'{said[0]}: sets the strength of the augmentation, and so does '
        f'{said[1]}; wanted one of them.')
  if schedule.beta2 != -1 and config.optimizer.name == 'sgd':
    raise ValueError(
        "config.schedule.beta2: config.optimizer.name = 'sgd' has none; wanted "
        '-1.')


def _accumulate(config, batch, rows):
  """What is of a whole batch cannot be computed in parts."""
  train, networks = config.train, config.networks
  parts = train.accumulate
  if parts == 1:
    return
  if batch % parts:
    raise ValueError(
        f'config.train.accumulate: {parts} does not divide '
        f'config.train.{_place(config, batch)} = {batch}.')
  whole = []
  for name in ('loss', 'penalty', 'g_penalty'):
    row = getattr(rows, name)
    if row and not row.separable:
      whole.append(
          f'config.objective.{name} = {getattr(config.objective, name)!r}')
  group = networks.stddev_group or batch
  if networks.stddev != 'none' and (batch // parts) % group:
    whole.append(f'config.networks.stddev_group = {networks.stddev_group}')
  for player in 'gd':
    if _mixes(networks, player):
      whole.append(f'config.networks.{player}_norm = '
                   f'{getattr(networks, f"{player}_norm")!r}')
  if whole:
    raise ValueError(
        f'config.train.accumulate: parts of {batch // parts} images '
        f'cannot have the whole-batch statistics of {" and of ".join(whole)}; '
        'use accumulate=1, or settings without them.')
