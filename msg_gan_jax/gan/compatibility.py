"""Which settings go together: decided before anything is traced.

`build` asks twice. `settings_of_networks` refuses what one network cannot have,
before that network is made; `check` below refuses everything else, by the table
RULES. The one about settings without an effect stands in `idle_settings`.
"""
from collections.abc import Callable

from msg_gan_jax.gan import idle_settings, pyramid
from msg_gan_jax.gan.components import Components
from msg_gan_jax.gan.networks.norms import sees_batch

Rule = Callable[[Components], None]


def check(components: Components) -> None:
  """Refuses settings that do not go together.

  Raises:
    ValueError: names both settings, and what to choose instead.
  """
  for rule in RULES:
    rule(components)


def check_seen(components: Components, images: int) -> None:
  """Refuses a D in which there is nothing to be seen, with the reason.

  Of all others the views of D (analysis/discriminator) have something to show.

  Args:
    components: of a GAN.
    images: real images that its D was shown so far.

  Raises:
    ValueError: it judges points, or has not been shown its finest level yet.
  """
  config, players = components.config, components.players
  if pyramid.are_points(config.data.shape):
    raise ValueError(
        "workdir: this run's D judges points of the plane (config.data.name = "
        f'{config.data.name!r}), which have no pixels to look at; wanted a run '
        'of pictures.')
  growth, level = components.growth, components.phase(images).level
  if (level < growth.last) if growth else (level < len(players.levels) - 1):
    size = (players.ladder if growth else players.sizes)[level]
    raise ValueError(
        f'workdir: after {images:,} images the D of this run knows pictures '
        f'of {size} px, and its layers for {config.data.shape[0]} px have not '
        'been trained yet; wanted a later checkpoint.')


def _n_dis_more(components):
  """Updates of D that do not fill whole steps."""
  train = components.config.train
  if train.n_dis_more % train.n_dis:
    near = max(1, round(train.n_dis_more / train.n_dis)) * train.n_dis
    raise ValueError(
        f'config.train.n_dis_more: {train.n_dis_more} is not a multiple of '
        f'config.train.n_dis = {train.n_dis}; wanted one, such as {near}.')


def _classes(components):
  """Classes without a player that is told about them, and the reverse."""
  networks = components.config.networks
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


def _dequantize(components):
  """Noise between bytes, of points."""
  data = components.config.data
  if data.dequantize and pyramid.are_points(data.shape):
    raise ValueError(
        'config.data.dequantize: True, but points are not bytes; wanted False.')


def _batches(components):
  """Whole batches, of each resolution, for what is computed of them."""
  growth = components.growth
  for batch in sorted({components.config.train.batch,
                       *(growth.batches if growth else ())}):
    _groups(components.config, batch)
    _penalty_of_batch(components)
    _accumulate(components, batch)


def _groups(config, batch):
  """Groups of the minibatch standard deviation that a batch cannot fill."""
  networks = config.networks
  group = networks.stddev_group or batch
  if networks.stddev != 'none' and batch % min(group, batch):
    raise ValueError(
        f'config.train.{_name_of(config, batch)}: {batch} is not a multiple of '
        f'config.networks.stddev_group = {group}.')


def _penalty_of_batch(components):
  """Slopes of D for each image, where D looks at the whole batch."""
  networks, objective = components.config.networks, components.config.objective
  if components.penalty and sees_batch(networks.d_norm):
    raise ValueError(
        f'config.objective.penalty: {objective.penalty!r} asks for the slope '
        'of D as a function of one image, and config.networks.d_norm = '
        f'{networks.d_norm!r} makes it one of the batch; wanted d_norm = '
        "'layer' (Gulrajani et al. 2017, sec. 4), or penalty = 'none'.")


def _accumulate(components, batch):
  """Parts of a batch, where something is computed of the whole."""
  config = components.config
  train, networks, parts = config.train, config.networks, (
      config.train.accumulate)
  if parts == 1:
    return
  if batch % parts:
    raise ValueError(
        f'config.train.accumulate: {parts} does not divide '
        f'config.train.{_name_of(config, batch)} = {batch}.')
  whole = []
  for name in ('loss', 'penalty', 'g_penalty'):
    row = getattr(components, name)
    if row and not row.separable:
      whole.append(
          f'config.objective.{name} = {getattr(config.objective, name)!r}')
  group = networks.stddev_group or batch
  if networks.stddev != 'none' and (batch // parts) % group:
    whole.append(f'config.networks.stddev_group = {networks.stddev_group}')
  for player in 'gd':
    norm = getattr(networks, f'{player}_norm')
    if sees_batch(norm):
      whole.append(f'config.networks.{player}_norm = {norm!r}')
  if whole:
    raise ValueError(
        f'config.train.accumulate: parts of {batch // train.accumulate} images '
        f'cannot have the whole-batch statistics of {" and of ".join(whole)}; '
        'wanted accumulate = 1, or settings without them.')


def _g_batches(components):
  """More fakes than reals in an update of G."""
  config, train = components.config, components.config.train
  if train.g_batches == 1:
    return
  if components.loss.compares:
    raise ValueError(
        f'config.train.g_batches: {train.g_batches}, but config.objective.'
        f'loss = {config.objective.loss!r} compares each fake with a real; '
        'wanted 1.')
  if train.reuse_latents:
    raise ValueError(
        f'config.train.g_batches: {train.g_batches}, but '
        'config.train.reuse_latents gives G the latents of one batch; wanted '
        '1, or reuse_latents=False.')
  networks = config.networks
  if networks.stddev != 'none' and not networks.stddev_group:
    raise ValueError(
        f'config.train.g_batches: {train.g_batches}, but config.networks.'
        'stddev_group = 0 is the whole batch; wanted a number.')


def _new_reals(components):
  """Reals of G's own, where D's fakes are its."""
  train = components.config.train
  if train.g_reals != 'same' and train.reuse_latents:
    raise ValueError(
        "config.train.g_reals: 'new', but with config.train.reuse_latents G "
        "has the fakes of D's update, and their labels; wanted 'same', or "
        'reuse_latents=False.')


def _levels(components):
  """Lengths of levels that are trained one after another."""
  train, levels = components.config.train, len(components.players.levels)
  if bool(train.level_images) != bool(levels):
    raise ValueError(
        f'config.train.level_images: {train.level_images}, but config.networks.'
        f'name = {components.config.networks.name!r} '
        + (f'trains {levels} levels one after another; wanted an equal share '
           'of config.train.total_images, '
           f'{max(1, train.total_images // levels)}.'
           if levels else 'has no chain of levels; wanted 0.'))
  if levels and not train.level_images * (levels - 1) < train.total_images:
    raise ValueError(
        f'config.train.level_images: {train.level_images} leaves no images of '
        f'config.train.total_images = {train.total_images} for the last of '
        f'{levels} levels.')


def _growth(components):
  """Progressive growing: networks that can, and lengths that reach the end."""
  config = components.config
  train, ladder = config.train, components.players.ladder
  if train.grow_from and not ladder:
    raise ValueError(
        f'config.train.grow_from: {train.grow_from}, but config.networks.name '
        f'= {config.networks.name!r} does not grow; wanted 0, or progan, '
        'msg_progan or stylegan.')
  if not train.grow_from:
    return
  if train.n_dis_more:
    raise ValueError(
        f'config.train.n_dis_more: {train.n_dis_more} counts G updates, and '
        'their batch changes with config.train.grow_from; wanted 0.')
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


def _augmentation(components):
  """Strengths that an augmentation, a loss or the data cannot have."""
  config, loss = components.config, components.loss
  objective, schedule = config.objective, config.schedule
  if objective.augment_target and not loss.undecided_at_0:
    raise ValueError(
        f'config.objective.augment_target: {objective.augment_target} is a '
        'mean sign of D(real), and signs mean nothing to config.objective.loss '
        f"= {objective.loss!r}; wanted 'non_saturating' or 'hinge', or 0 and "
        'an augment_strength.')
  if objective.augment_target and objective.augment == 'instance_noise':
    raise ValueError(
        f'config.objective.augment_target: {objective.augment_target} moves a '
        "probability, and the strength of config.objective.augment = "
        "'instance_noise' is not a probability; wanted 0, or 'ada'.")
  if objective.augment not in ('none', 'instance_noise'):
    if objective.augment_strength > 1 or schedule.augment_strength > 1:
      raise ValueError(
          f'config.objective.augment_strength: for config.objective.augment = '
          f'{objective.augment!r} it is a probability; wanted 0 to 1, found '
          f'{max(objective.augment_strength, schedule.augment_strength)}.')
    if pyramid.are_points(config.data.shape):
      raise ValueError(
          f'config.objective.augment: {objective.augment!r} changes pictures, '
          'and config.data.name = '
          f"{config.data.name!r} has points; wanted 'instance_noise'.")
  setters = [f'config.{name}' for name, value in (
      ('objective.augment_target', objective.augment_target),
      ('objective.augment_until_images', objective.augment_until_images),
      ('schedule.augment_strength', schedule.augment_strength != -1)) if value]
  if len(setters) > 1:
    raise ValueError(
        f'{setters[0]}: sets the strength of the augmentation, and so does '
        f'{setters[1]}; wanted one of them.')


def _beta2(components):
  """A schedule for a number that the optimizer does not have."""
  config = components.config
  if config.schedule.beta2 != -1 and config.optimizer.name == 'sgd':
    raise ValueError(
        f'config.schedule.beta2: {config.schedule.beta2}, but '
        "config.optimizer.name = 'sgd' has no beta2; wanted -1.")


def _g_penalty(components):
  """A penalty of G that its steps or its networks cannot have."""
  config = components.config
  if components.g_penalty and config.train.n_dis_more:
    raise ValueError(
        f'config.train.n_dis_more: {config.train.n_dis_more} leaves G out of '
        'steps, and config.objective.g_penalty_every_g_steps counts them; '
        "wanted 0, or config.objective.g_penalty = 'none'.")
  if components.g_penalty and not components.players.mapped:
    raise ValueError(
        f'config.objective.g_penalty: {config.objective.g_penalty!r} needs '
        f'styles, and config.networks.name = {config.networks.name!r} has no '
        "mapping network; wanted 'none', or a network that has one.")


def _mixing(components):
  """Second latents of another law than the first."""
  networks, players = components.config.networks, components.players
  if players.mapped and networks.mixing and networks.latent_law == 'uniform':
    raise ValueError(
        "config.networks.latent_law: 'uniform', but the latents that "
        f'config.networks.mixing = {networks.mixing} mixes in are normal; '
        "wanted 'normal', or mixing = 0.")


def _name_of(config, batch):
  """The setting that has this batch."""
  return 'batch' if batch == config.train.batch else 'grow_batches'


# In this order, so that the most telling error comes first.
RULES: tuple[Rule, ...] = (
    idle_settings.check, _n_dis_more, _classes, _dequantize, _batches,
    _g_batches, _new_reals, _levels, _growth, _augmentation, _beta2, _g_penalty,
    _mixing)
