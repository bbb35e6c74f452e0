"""Every setting once: its type, unit, default, range and meaning."""
from collections.abc import Mapping, Sequence
import dataclasses
import math
import typing
from typing import Any

import ml_collections

from msg_gan_jax.config import tables
from msg_gan_jax.config.presets import PRESETS


def setting(
    default: Any, meaning: str, low: float | None = None,
    high: float | None = None, one_of: Sequence[str] = (),
    may_change: bool = False, by_size: type | None = None,
    before: Any = None) -> Any:
  """A field of the schema.

  Args:
    default: its value in `template()`; its type is the field's type.
    meaning: one or two sentences with the unit.
    low, high: the closed range of legal numbers, None where open.
    one_of: the legal values where they are few; names that a table holds are
      checked against that table by `gan.build` and `data.sources`.
    may_change: whether a run may continue under another value.
    by_size: int or float, of text that `by_size` reads; low and high are
      those of the values.
    before: what runs did when this setting did not exist; a config.json that
      lacks the setting is read with it. Every new setting gives it, also where
      it is the default. Only settings that version 0.1.0 had leave it out.
  """
  return dataclasses.field(default=default, metadata=dict(
      meaning=meaning, low=low, high=high, one_of=one_of,
      may_change=may_change, by_size=by_size, before=before))


def by_size(text: str, kind: type) -> dict[int, Any]:
  """'64:16,256:14' -> {64: 16, 256: 14}, heights in pixels to numbers.

  A number holds from its height on, up to the next one that is listed.

  Raises:
    ValueError: another form, or a height twice.
  """
  table = {}
  for entry in text.split(',') if text else ():
    size, _, value = entry.partition(':')
    if int(size) in table:
      raise ValueError(f'{size} twice')
    table[int(size)] = kind(value)
  return table


def at_size(table: Mapping[int, Any], size: int, usual: Any) -> Any:
  """The number that holds at a height, of what `by_size` has read."""
  return table[max(s for s in table if s <= size)] if any(
      s <= size for s in table) else usual


# Of data.held_out_share: a run's first start fixes it.
OPEN_SHARE = -1.
# Of objective.augment: the number of pictures decides at the first start.
AUTO = 'auto'

# Fields that were called otherwise, and still are in files: {then: now}. No
# flag could give train.update, for a ConfigDict has a method of that name.
RENAMED = {'update': 'update_order'}


@dataclasses.dataclass(frozen=True)
class Data:
  """Where the pictures come from, and what is done to them."""
  name: str = setting('avatars', 'A row of SOURCES.')
  path: str = setting(
      '', 'Where the pictures lie: a file or a folder, as the source says.',
      may_change=True)
  dataset: str = setting(
      '', 'Which data set, for sources that have many (tfds, huggingface).')
  split: str = setting(
      'train', 'Which part of it, for sources that have several.')
  resolution: int = setting(
      32, 'Height in pixels, and also the width where data.width is 0.', 1,
      4096)
  width: int = setting(
      0, 'Width in pixels where pictures are not square; 0 makes them square.',
      0, 4096)
  channels: int = setting(3, '1 for grey, 3 for colour, 4 with alpha.', 1, 4)
  count: int = setting(
      20_000, 'How many pictures a drawn source holds for training.', 1, 2**30)
  held_out: int = setting(
      2048, 'Pictures kept out of training, to measure against; of a set on '
      'disk about so many, and about a tenth at most.', 0, 2**30)
  held_out_share: float = setting(
      OPEN_SHARE, 'Of a set on disk those pictures are held out whose bytes '
      'have a hash, of 0 to 1, below this. -1 is the share that gives '
      'data.held_out, fixed at the first start of a run; -2 chooses by places '
      'in the list of names, as runs did before.', -2., .5, before=-2.)
  mirror: bool = setting(
      True, 'Show half of the pictures mirrored, left to right.')
  dequantize: bool = setting(
      False, 'Add uniform noise of one step of 8 bits to reals in training.')
  label: str = setting(
      '', "Which factor, feature or column is the class label; '' is the "
      "source's own choice.")
  label_file: str = setting(
      '', 'Labels of a folder or an archive: a .csv, .json or .jsonl, its path '
      "or its name inside; '' is dataset.json where there is one, else the "
      'folders.')
  resize: str = setting(
      'center_crop', 'How a picture of another shape gets the wanted one.',
      one_of=('center_crop', 'pad', 'stretch'))
  filter: str = setting(
      'lanczos', 'The resampling filter.', one_of=('lanczos', 'area'))
  range: str = setting(
      '', 'Values that become black and white where grey has more than 8 bits, '
      "such as '0:4095' for scans of 12; '' is '0:65535', and floats need one.",
      before='')
  on_bad: str = setting(
      'error', 'What a broken file does: stop, or be skipped and listed.',
      one_of=('error', 'skip'), may_change=True)
  follow_links: bool = setting(
      False, 'Of a folder, read also what lies outside of it, by links.',
      may_change=True, before=True)
  cache_dir: str = setting(
      '', "Where decoded pictures are kept; '' is msg_gan_jax in the user's "
      'cache folder.', may_change=True)
  cache_gb: float = setting(
      4., 'Sets up to this decoded size are decoded once; larger ones stream '
      'from their files.', 0., may_change=True)
  device_gb: float = setting(
      2., 'Sets up to this size live on the device; larger ones stream.', 0.,
      may_change=True)
  threads: int = setting(
      0, 'Threads that decode; 0 is one a core.', 0, 1024, may_change=True)

  @property
  def shape(self):
    """(height, width, channels) of every picture."""
    return self.resolution, self.width or self.resolution, self.channels


@dataclasses.dataclass(frozen=True)
class Networks:
  """The two players."""
  name: str = setting('msg_progan', 'A row of NETWORKS.')
  latent: int = setting(512, 'Size of z.', 1, 2**16)
  latent_law: str = setting(
      'sphere', 'Law of z: normal on the sphere of radius √latent, normal, or '
      'uniform in -1 .. 1.', one_of=('sphere', 'normal', 'uniform'))
  fmap_max: int = setting(
      512, 'Feature maps of the coarse levels; of networks with widths of '
      'their own, the most that a layer has.', 2, 2**16)
  fmap_base: int = setting(
      8192, 'A level of r pixels has min(fmap_max, 2 fmap_base / r) feature '
      'maps, in networks of the ladder.', 2, 2**30)
  phi: str = setting(
      'simple', 'How D joins an image to its path, a row of PHI.')
  scales: str = setting(
      'all', 'The levels that G shows to D: none, coarse, middle, fine, all, '
      "or resolutions such as '8,16'; the finest is always shown.")
  stddev: str = setting(
      'every', 'Where D sees the minibatch standard deviation.',
      one_of=('every', 'last', 'none'))
  stddev_group: int = setting(
      4, 'Samples in a group of the minibatch standard deviation; 0 takes the '
      'whole batch.', 0, 2**20)
  classes: int = setting(
      0, 'How many classes the players are told of; 0 is none.', 0, 2**16)
  g_condition: str = setting(
      'none', 'How G is told the class, a row of G_CONDITIONS.')
  d_condition: str = setting(
      'none', 'How D is told the class, or asked for it, a row of '
      'D_CONDITIONS.')
  g_norm: str = setting('none', "Between G's layers, a row of NORMS.")
  d_norm: str = setting('none', "Between D's layers, a row of NORMS.")
  g_weight_norm: str = setting('none', "Of G's kernels, a row of WEIGHT_NORMS.")
  d_weight_norm: str = setting('none', "Of D's kernels, a row of WEIGHT_NORMS.")
  norm_epsilon: float = setting(
      0., 'Epsilon of the norms between layers, inside of the root; 0 is that '
      'of the network.', 0., 1., before=0.)
  deviation: str = setting(
      'own', 'Standard deviation of kernels at the start, in networks of '
      'strided convolutions or residual blocks: own is that of the network, '
      'often .02, at which narrow networks hardly pass anything on; he and '
      'glorot go by the width.',
      one_of=('own', '.02', 'glorot', 'he', 'torch'), before='own')
  d_slope: float = setting(
      -1., "Slope of D's leaky ReLUs, in networks of strided convolutions; -1 "
      'is that of the network.', -1., 1., before=-1.)
  d_shortcut: str = setting(
      'input', "What the shortcuts of D's residual blocks see: their input, as "
      'papers have it, or its ReLU (rectified), as in programs whose ReLU '
      'works in place.', one_of=('input', 'rectified'), before='input')
  d_mean: str = setting(
      'first', "Whether the 2x2 means of ProGAN's D come before bias and "
      'rectifier, as in its code in TensorFlow, or last, as in its paper.',
      one_of=('first', 'last'), before='first')
  conv_clamp: float = setting(
      0., 'Largest value that a convolution of StyleGAN2 gives, after its '
      'rectifier; 0 sets no bound.', 0., 1e6, before=0.)
  power_iterations: int = setting(
      1, 'Power iterations of a spectral norm each time that it is updated.', 1,
      1000)
  power_update: str = setting(
      'pass', 'When the vectors of a spectral norm, and the averages of batch '
      'norm, move: in every pass of training, or in the first pass of each '
      'update.', one_of=('pass', 'update'))
  stable_rank: float = setting(
      .7, 'c of stable rank normalization: the stable rank is at most c times '
      'the full rank.', .01, 1.)
  statistics: str = setting(
      'moving', 'Moments that batch norm uses for samples: moving averages, '
      'means over statistics_batches batches of latents, or of the batch.',
      one_of=('moving', 'accumulated', 'batch'))
  statistics_batches: int = setting(
      100, "How many batches of latents statistics = 'accumulated' averages.",
      1, 2**20)
  w: int = setting(
      512, 'Size of w, into which a mapping network turns z (stylegan, '
      'stylegan2).', 1, 2**16)
  mapping_layers: int = setting(
      8, 'Dense layers of the mapping network.', 1, 64)
  mixing: float = setting(
      .9, 'Probability of style mixing: the finer layers of a batch then take '
      'their styles from a second z.', 0., 1.)
  dtype: str = setting(
      'float32', 'Type of activations; norms, losses, penalties, parameters '
      'and the optimizer stay float32.', one_of=('float32', 'bfloat16'))
  remat: bool = setting(
      False, 'Compute each block again in the backward pass instead of keeping '
      'its activations: less memory, a third more arithmetic.')


@dataclasses.dataclass(frozen=True)
class Objective:
  """What G and D minimize."""
  loss: str = setting('wasserstein', 'A row of LOSSES.')
  drift: float = setting(.001, 'Weight of E[D(real)^2] in the D loss.', 0., 1e6)
  penalty: str = setting('gradient_penalty', 'A row of PENALTIES.')
  penalty_weight: float = setting(10., 'λ of the penalty.', 0., 1e6)
  penalty_target: float = setting(
      1., 'Slope that the gradient penalties ask for; the penalty is divided '
      'by the square of it.', 1e-3, 1e6)
  penalty_every_d_steps: int = setting(
      1, 'D steps between two penalties; the weight is multiplied by it.', 1,
      1024)
  constraint: str = setting(
      'none', "What D's parameters must satisfy after each update, a row of "
      'CONSTRAINTS.')
  clip: float = setting(
      .01, 'Largest parameter of D that the constraint allows.', 1e-6, 1e6)
  d_weight_penalty: str = setting(
      'none', "What D's weights cost, a row of WEIGHT_PENALTIES.")
  d_weight_penalty_weight: float = setting(
      1., "Weight of the penalty of D's weights.", 0., 1e6)
  g_weight_penalty: str = setting(
      'none', "What G's weights cost, a row of WEIGHT_PENALTIES.")
  g_weight_penalty_weight: float = setting(
      1., "Weight of the penalty of G's weights.", 0., 1e6)
  d_classes_weight: float = setting(
      1., "Weight of the classifier's loss for D.", 0., 1e6)
  g_classes_weight: float = setting(
      1., "Weight of the classifier's loss for G.", 0., 1e6)
  classify_fakes: bool = setting(
      True, 'Whether D learns to classify from fakes too.')
  augment: str = setting(
      'none', 'What is done to reals and fakes before D sees them, a row of '
      "AUGMENTATIONS. 'auto' is what suits the number of training pictures, "
      'fixed at the first start of a run.')
  augment_strength: float = setting(
      .1, 'Initial strength: a probability; for instance noise, the standard '
      'deviation, in values of -1 .. 1.', 0., 100.)
  augment_until_images: int = setting(
      0, 'Images over which the strength falls to 0, linearly; 0 keeps it.', 0,
      2**30)
  augment_target: float = setting(
      0., 'Adaptive strength: it moves until the mean sign of D(real) is this '
      'number (StyleGAN2-ADA: .6); 0 switches this off.', 0., 1.)
  augment_most: float = setting(
      1., 'Bound of an adaptive strength; 0 sets none, and a strength above 1 '
      'then does what 1 does, but takes longer to fall.', 0., 1e6, before=1.)
  augment_speed_images: int = setting(
      500_000, 'Images over which an adaptive strength can move by 1.', 1,
      2**30)
  g_penalty: str = setting('none', 'What G pays, a row of G_PENALTIES.')
  g_penalty_weight: float = setting(2., "Weight of G's penalty.", 0., 1e6)
  g_penalty_every_g_steps: int = setting(
      4, "G steps between two of G's penalties; the weight is multiplied by "
      'it.', 1, 1024)
  g_penalty_shrink: int = setting(
      2, "G's penalty is computed on batch / this many samples.", 1, 1024)


@dataclasses.dataclass(frozen=True)
class Optimizer:
  """How both players are updated."""
  name: str = setting('rmsprop', 'A row of OPTIMIZERS.')
  g_rate: float = setting(.003, 'Learning rate of G.', 0., 100.)
  d_rate: float = setting(.003, 'Learning rate of D.', 0., 100.)
  beta1: float = setting(0., 'Momentum; Adam and SGD.', 0., .9999)
  beta2: float = setting(
      .99, 'Decay of the running mean of squared gradients.', 0., .999999)
  epsilon: float = setting(
      1e-8, 'Added to the root of that running mean.', 1e-12, 1.)
  fall_until_images: int = setting(
      0, 'Images over which both rates fall to 0, linearly; 0 keeps them.', 0,
      2**30)


@dataclasses.dataclass(frozen=True)
class Train:
  """The loop: lengths and cadences count real images shown to D."""
  total_images: int = setting(
      1_000_000, 'Length of the run.', 1, 2**30, may_change=True)
  batch: int = setting(
      32, 'Real images in one D update, on all devices.', 1, 2**20)
  n_dis: int = setting(
      1, 'D updates for one G update.', 1, 16)
  n_dis_more: int = setting(
      0, 'D updates for one G update at the start and now and then, a multiple '
      'of n_dis (WGAN: 100); 0 disables this.', 0, 2**16)
  more_first_g_steps: int = setting(
      25, 'Number of initial G updates that get n_dis_more D updates.', 0,
      2**30)
  more_every_g_steps: int = setting(
      500, 'One G update in this many also gets n_dis_more D updates; 0 '
      'disables this.', 0, 2**30)
  g_batches: int = setting(
      1, 'How many batches of fakes a G update sees.', 1, 64)
  g_reals: str = setting(
      'same', "The reals of G's update, for losses that compare: the same that "
      'D was just updated on, or new ones, which do not count as shown.',
      one_of=('same', 'new'), before='same')
  update_order: str = setting(
      'alternate', "Whether G's update sees D before or after its own: joint "
      'or alternate.', one_of=('alternate', 'joint'))
  level_images: int = setting(
      0, 'Images after which a chain of GANs goes on to its next level '
      '(lapgan).', 0, 2**30)
  accumulate: int = setting(
      1, 'Parts in which a batch is computed, to save memory.', 1, 1024)
  reuse_latents: bool = setting(
      False, 'Whether the G update reuses the z of the last D update.')
  ema_half_life_images: float = setting(
      10_000., 'Half-life of the averaged generator, in images; 0 does not '
      'average.', 0.)
  ema_rampup: float = setting(
      0., 'The half-life is at most this share of the images shown so far; 0 '
      'sets no such bound.', 0., 1e6)
  grow_from: int = setting(
      0, 'Progressive growing: the height in pixels at which it begins; 0 '
      'trains all of the networks from the start.', 0, 4096)
  grow_stable_images: int = setting(
      600_000, 'Images of each resolution before the next fades in.', 0, 2**30)
  grow_fade_images: int = setting(
      600_000, 'Images over which a resolution fades in.', 0, 2**30)
  grow_batches: str = setting(
      '', "The batch from a height on, such as '64:16,256:14'; below these "
      'heights, and where this is empty, it is train.batch.', 1, 2**20,
      by_size=int)
  grow_rates: str = setting(
      '', 'What both learning rates are multiplied by from a height on, such '
      "as '128:1.5'.", 0., 1e6, by_size=float)
  grow_resets: bool = setting(
      True, 'Whether the optimizer forgets its moments when a resolution '
      'begins to fade in, and when it has.')
  init_from: str = setting(
      '', 'Another run whose weights this one starts with.')
  init_parts: str = setting(
      'g,d,ema', "Which of that run's weights: any of g, d, ema.")
  init_images: str = setting(
      'newest', "Which of that run's checkpoints: newest, best, or images "
      'shown, such as 100000.', before='newest')
  log_every_images: int = setting(
      2_000, 'Images between two lines of metrics: the means of the steps '
      'between them.', 1, may_change=True)
  sample_every_images: int = setting(
      20_000, 'Images between two grids of samples and health checks.', 1,
      may_change=True)
  measure_every_images: int = setting(
      100_000, 'Images between two measurements of distances; always at the '
      'end.', 1, may_change=True)
  dynamics_every_images: int = setting(
      0, 'Images between two looks at the dynamics of the game, each of which '
      'takes as long as many steps; 0 does not look.', 0, may_change=True,
      before=0)
  checkpoint_every_images: int = setting(
      100_000, 'Images between two checkpoints.', 1, may_change=True)
  keep_checkpoints: int = setting(
      2, 'How many of the latest checkpoints stay.', 1, may_change=True)
  keep_every_images: int = setting(
      0, 'The first checkpoint at or after each multiple of this stays too, to '
      'look back at training; 0 keeps none of them.', 0, may_change=True,
      before=0)
  check_disk: bool = setting(
      True, 'Refuse to begin a run, or a checkpoint, for which the disk has no '
      'room.', may_change=True, before=False)
  steps_a_dispatch: int = setting(
      0, 'Steps that a device takes in one call, where nothing else is due '
      'between them: 0 is what suits the device (one on a CPU), 1 is always '
      'one.', 0, 32, may_change=True, before=0)
  on_divergence: str = setting(
      'stop', 'What a run does once its numbers are not finite: stop, or '
      'rollback, which goes on from the last checkpoint with other noise and '
      'lower rates.', one_of=('stop', 'rollback'), may_change=True,
      before='stop')
  rollbacks: int = setting(
      3, 'How often a run goes back at most, before it stops.', 1, 1000,
      may_change=True, before=3)
  rollback_rate: float = setting(
      .5, 'What going back multiplies both learning rates by.', 1e-6, 1.,
      may_change=True, before=.5)
  first_cause: bool = setting(
      True, 'Whether the steps since the last checkpoint are repeated once '
      'numbers are not finite, to find which of them was the first.',
      may_change=True, before=True)
  failed_pictures: bool = setting(
      False, 'Whether the real pictures of that step are kept, in '
      'failed_step.npz.', may_change=True, before=False)
  tensorboard: bool = setting(
      False, 'Write TensorBoard files too (pip install tensorboardX).',
      may_change=True)


@dataclasses.dataclass(frozen=True)
class Schedule:
  """Settings that move along half a cosine, as in R3GAN; -1 keeps a value."""
  images: int = setting(
      0, 'Images over which these settings move; 0 switches the schedule off.',
      0, 2**30)
  rates: float = setting(
      1., 'What both learning rates are multiplied by at the end.', 0., 1e6)
  beta2: float = setting(-1., 'optimizer.beta2 at the end.', -1., .999999)
  penalty_weight: float = setting(
      -1., 'objective.penalty_weight at the end.', -1., 1e6)
  augment_strength: float = setting(
      -1., 'objective.augment_strength at the end.', -1., 100.)
  ema_half_life_images: float = setting(
      -1., 'train.ema_half_life_images at the end.', -1.)


@dataclasses.dataclass(frozen=True)
class Evaluate:
  """What is measured in training, beside the sliced distance."""
  metrics: str = setting(
      'fid,precision_recall,density_coverage', 'Rows of METRICS with commas '
      "between them; '' is none.", may_change=True, before='')
  protocol: str = setting('local', 'A row of PROTOCOLS.', may_change=True)
  features: str = setting(
      '', "A row of FEATURES in place of the protocol's, with a tap after a "
      "colon; 'classifier' is trained on the labels.", may_change=True)
  weights_file: str = setting(
      '', "The features' published weights; '' looks for them, and fetches "
      'them.', may_change=True)
  count: int = setting(
      2048, 'Samples; 0 is what the protocol says.', 0, 2**24, may_change=True)
  best: str = setting(
      'fid', 'By which of the metrics the best checkpoint is kept, in best/: '
      "its first score, or swd; '' keeps none.", may_change=True, before='')


@dataclasses.dataclass(frozen=True)
class Config:
  """One experiment."""
  seed: int = setting(0, 'Seed of everything drawn at random.', 0, 2**31 - 1)
  data: Data = dataclasses.field(default_factory=Data)
  networks: Networks = dataclasses.field(default_factory=Networks)
  objective: Objective = dataclasses.field(default_factory=Objective)
  optimizer: Optimizer = dataclasses.field(default_factory=Optimizer)
  train: Train = dataclasses.field(default_factory=Train)
  schedule: Schedule = dataclasses.field(default_factory=Schedule)
  evaluate: Evaluate = dataclasses.field(default_factory=Evaluate)


class _Group(ml_collections.ConfigDict):
  """Settings that an experiment may also set by their earlier names."""

  def __setitem__(self, key, value):
    now = RENAMED.get(key, key)
    super().__setitem__(now if now in self else key, value)


def template(preset: str = 'msg_progan') -> ml_collections.ConfigDict:
  """A locked ConfigDict with every setting, for an experiment to edit.

  Args:
    preset: a row of PRESETS.

  Returns:
    ConfigDict of the schema above; unknown fields are refused.

  Raises:
    ValueError: an unknown preset.
  """
  config = ml_collections.ConfigDict({
      name: _Group(value) if isinstance(value, dict) else value
      for name, value in dataclasses.asdict(Config()).items()})
  for name, value in PRESETS.look_up(preset).items():
    section, field = name.split('.')
    config[section][field] = value
  return config.lock()


# What `parse` takes.
Settings: typing.TypeAlias = (
    Config | ml_collections.ConfigDict | Mapping[str, Any])


def parse(config: Settings) -> Config:
  """ConfigDict (or nested dict) -> Config, with every type and range checked.

  Raises:
    ValueError: a field that is missing, unknown, of a wrong type, or out of
      range; the message has its name, what was found and what was wanted.
  """
  if isinstance(config, Config):
    return config
  if hasattr(config, 'to_dict'):
    config = config.to_dict()
  return _section(Config, present_names(config), 'config')


def present_name(name: str) -> str:
  """'train.update' -> 'train.update_order': a setting, as it is called now."""
  group, dot, field = name.rpartition('.')
  return f'{group}{dot}{RENAMED.get(field, field)}'


def present_names(values: Any) -> Any:
  """Nested settings, with present names for those of RENAMED.

  What has both names is left as it is, and `parse` refuses it.
  """
  if not isinstance(values, dict):
    return values
  return {
      name if RENAMED.get(name) in values else RENAMED.get(name, name):
      present_names(value) for name, value in values.items()}


def _section(cls, values, place):
  fields = {f.name: f for f in dataclasses.fields(cls)}
  hints = typing.get_type_hints(cls)
  if not isinstance(values, dict):
    raise ValueError(
        f'{place}: wanted a group of settings, found {type(values).__name__}.')
  for name in values:
    if name not in fields:
      raise ValueError(
          f'{place}.{name}: no such setting; {tables.nearest(name, fields)}')
  for name in fields:
    if name not in values:
      raise ValueError(f'{place}.{name}: missing; start from template().')
  return cls(**{
      name: _section(hints[name], values[name], f'{place}.{name}')
      if dataclasses.is_dataclass(hints[name])
      else _value(field, hints[name], values[name], f'{place}.{name}')
      for name, field in fields.items()})


def _value(field, kind, value, place):
  if isinstance(value, int) and value.bit_length() > 64:
    # Python has no float for it, and refuses to print one of 4300 digits.
    raise ValueError(
        f'{place}: wanted a number of at most 64 bits, found one of '
        f'{value.bit_length()}.')
  if isinstance(value, str) and not _is_text(value):
    raise ValueError(
        f'{place}: wanted text that UTF-8 can write, without NUL, found '
        f'{value!a}.')
  if kind is float and isinstance(value, int) and not isinstance(value, bool):
    value = float(value)
  if type(value) is not kind:
    raise ValueError(
        f'{place}: wanted {kind.__name__}, found '
        f'{type(value).__name__} {value!r}. ({field.metadata["meaning"]})')
  if field.metadata['by_size']:
    _check_by_size(field, value, place)
    return value
  low, high = field.metadata['low'], field.metadata['high']
  if kind is float and not math.isfinite(value):
    raise ValueError(f'{place}: wanted a finite number, found {value!r}.')
  if (low is not None and value < low) or (high is not None and value > high):
    wanted = (f'at least {low}' if high is None else
              f'{low} to {high}')
    raise ValueError(
        f'{place}: wanted {wanted}, found {value!r}. '
        f'({field.metadata["meaning"]})')
  if field.metadata['one_of'] and value not in field.metadata['one_of']:
    raise ValueError(
        f'{place}: no value {value!r}; '
        f'{tables.nearest(value, field.metadata["one_of"])}')
  return value


def _check_by_size(field, text, place):
  """Refuses what `by_size` does not read, and values out of range."""
  low, high, kind = (
      field.metadata[name] for name in ('low', 'high', 'by_size'))
  try:
    table = by_size(text, kind)
  except ValueError as e:
    raise ValueError(
        f"{place}: wanted heights and numbers such as '64:16,256:14', found "
        f'{text!r} ({e}). ({field.metadata["meaning"]})') from e
  for size, value in table.items():
    if not (size >= 1 and low <= value <= high):
      raise ValueError(
          f'{place}: {size}:{value} is out of range; wanted {low} to {high} '
          f'from a height of at least 1 on. ({field.metadata["meaning"]})')


def _is_text(value):
  """Whether files and paths can hold it."""
  return '\0' not in value and value == value.encode(
      'utf-8', 'ignore').decode()


def flatten(config: Any) -> dict[str, Any]:
  """Config -> {'train.batch': 32, ...}."""
  flat = {}
  for field in dataclasses.fields(config):
    value = getattr(config, field.name)
    if dataclasses.is_dataclass(value):
      flat.update({f'{field.name}.{k}': v for k, v in flatten(value).items()})
    else:
      flat[field.name] = value
  return flat


def metadata(
    cls: type = Config, prefix: str = '') -> dict[str, dict[str, Any]]:
  """{'train.batch': {'meaning', 'low', 'high', ...}}; see `setting`."""
  about = {}
  hints = typing.get_type_hints(cls)
  for field in dataclasses.fields(cls):
    if dataclasses.is_dataclass(hints[field.name]):
      about.update(metadata(hints[field.name], f'{prefix}{field.name}.'))
    else:
      about[prefix + field.name] = dict(field.metadata)
  return about


def before() -> dict[str, Any]:
  """{'train.batch': 32}: what runs had before a setting existed."""
  usual = flatten(Config())
  return {name: usual[name] if about['before'] is None else about['before']
          for name, about in metadata().items()}


# Settings that say where and how a run is kept, and not what comes of it.
ELSEWHERE = (
    'data.path', 'data.follow_links', 'data.cache_dir', 'data.cache_gb',
    'data.device_gb', 'train.tensorboard', 'train.keep_checkpoints',
    'train.keep_every_images', 'train.first_cause', 'train.failed_pictures',
    'train.check_disk')


def differences(old: Config, new: Config) -> tuple[list[str], list[str]]:
  """Settings that differ: (those that may change, those that may not).

  Each a list of lines 'train.batch: 32 -> 64'.
  """
  had, about = flatten(old), metadata()
  may: list[str] = []
  may_not: list[str] = []
  for name, value in flatten(new).items():
    if had[name] != value:
      line = f'{name}: {had[name]!r} -> {value!r}'
      (may if about[name]['may_change'] else may_not).append(line)
  return may, may_not
