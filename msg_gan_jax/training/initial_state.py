"""The state that a run begins with: new, or another run's weights."""
from collections.abc import Callable
import functools
from typing import Any

import jax
from jax.sharding import Sharding
import numpy as np

from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.config import Config, errors, tables
from msg_gan_jax.data import picture_files
from msg_gan_jax.data.sources import DRAWN, Splits
from msg_gan_jax.files import console
from msg_gan_jax.gan import liveliness
from msg_gan_jax.gan.build import Gan
from msg_gan_jax.gan.idle_settings import OWN
from msg_gan_jax.gan.state import State
from msg_gan_jax.report import text
from msg_gan_jax.runs.config_file import absolute
from msg_gan_jax.runs.fingerprints import fingerprint
from msg_gan_jax.runs.load import load
from msg_gan_jax.training import kept, monitor
from msg_gan_jax.training.saver import Saver

PARTS = ('g', 'd', 'ema')
ENOUGH = 128  # Feature maps, with which every network that ships is alive.


def notes(config: Config, splits: Splits) -> list[str]:
  """What somebody should know of the pictures before a run begins.

  Args:
    config: Config.
    splits: see data.sources.open_source.

  Raises:
    ValueError: see `check_classes`.
  """
  skipped = splits.train.notes.get('skipped', ())
  return [*filter(None, [check_classes(config, splits)]), *(
      [f'{text.plural(len(skipped), "picture")} of {splits.train.name} cannot '
       f'be read, and {"is" if len(skipped) == 1 else "are"} skipped: '
       f'{text.plain(skipped, 3)}'] if skipped else [])]


def check_classes(config: Config, splits: Splits) -> str:
  """Compares the classes that G and D are told of with those of the data.

  Args:
    config: Config.
    splits: see data.sources.open_source.

  Returns:
    A note for people, if somebody gave the data classes and the GAN ignores
    them, or folders that are no classes; else ''. Classes of drawn sets are
    ours, and nobody misses them.

  Raises:
    ValueError: pictures without classes, another number of classes, or a label
      that is out of range.
  """
  networks, train = config.networks, splits.train
  classes = len(train.classes)
  loose = train.notes.get(picture_files.WITHOUT_CLASSES)
  if not networks.classes and loose:
    return f'{train.name} is read whole, without classes: {loose}'
  if not networks.classes:
    return (f'{train.name} has {classes} classes, which this GAN ignores. For '
            f'a conditional one set config.networks.classes={classes}, '
            'config.networks.g_condition and config.networks.d_condition'
            ) if classes > 1 and config.data.name not in DRAWN else ''
  if networks.classes != classes:
    raise ValueError(
        f'config.networks.classes: {networks.classes}, but {train.name} has '
        + (f'{classes} classes ({", ".join(train.classes[:8])}'
           f'{", ..." if classes > 8 else ""}); wanted {classes}.'
           + _empty_at_first(train.notes.get('labels_begin_at'))
           if classes else
           f'none{f": {loose}" if loose else ""}; wanted 0, or pictures with '
           'labels (config.data.label): all in one folder a class, or listed '
           'in a config.data.label_file.'))
  for split in splits:
    if split is None:
      continue
    labels = split.labels(np.arange(len(split)))
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(wrong):
      raise ValueError(
          f'config.data: picture {wrong[0]} of {split.name} has the label '
          f'{labels[wrong[0]]}; wanted 0 .. {classes - 1}, and {len(wrong)} '
          'are out of range.')
  return ''


def _empty_at_first(first):
  return f' Labels begin at {first}: the first class is empty.' if first else ''


def restore_or_create(
    saver: Saver, gan: Gan, config: Config, key: jax.Array, like: Any,
    say: Callable[[str], Any]) -> tuple[int, State, Any]:
  """(images shown, State, samples of the fixed latents as the epoch began).

  Args:
    saver: of the run; its newest intact checkpoint is restored, if it has one.
    gan, config, key: of a new state, see `create`.
    like: see runs.load.state_like.
    say: prints a line for people: where the run goes on.

  Raises:
    ValueError: see `create` and Checkpoints.restore.
  """
  blank = monitor.like_grid(gan)
  sharding = jax.tree.leaves(like)[0].sharding
  restored = saver.restore(like, blank, sharding)
  saver.settle(
      config, restored[0] if restored else 0, {'state': like, 'before': blank})
  if restored:
    done = restored[0] >= config.train.total_images
    say(f'{"done" if done else "continuing"} after {restored[0]:,} images')
    return restored
  state = create(gan, config, key, sharding, say, saver.origin)
  for line in concerns(gan, state):
    say(f'warning: {line}')
  return 0, state, jit(lambda: blank, out_shardings=sharding)()


def concerns(gan: Gan, state: State) -> list[str]:
  """What is wrong with the players of a new State: they hardly answer.

  Args:
    gan: Gan.
    state: that a run begins with.

  Returns:
    Lines for people, with what helps; none of players that are alive.
  """
  d, g = jax.device_get(jit(functools.partial(
      liveliness.of, gan.components))(state, jax.random.key(0)))
  lines = []
  if d < liveliness.LEAST_D:
    lines.append(
        'D hardly looks at its pictures: its outputs for noise and for flat '
        f'colours differ by {d:.0e}, and G learns nothing from that. '
        + _helps(gan, 'config.networks.d_weight_norm=spectral'))
  if g < liveliness.LEAST_G:
    lines.append(
        f'G hardly looks at its latents: its pixels, in [-1, 1], differ by '
        f'{g:.0e} from one to the next. '
        + _helps(gan, 'config.networks.g_norm=batch'))
  return lines


def _helps(gan, norm):
  """What makes a player answer: width, larger weights, or a norm."""
  networks = gan.components.config.networks
  ways = [norm]
  if networks.name in OWN['deviation'] and networks.deviation == 'own':
    ways.insert(0, 'config.networks.deviation=he')
  if networks.fmap_max < ENOUGH:
    ways.insert(0, 'config.networks.fmap_max='
                   f'{max(4 * networks.fmap_max, ENOUGH)}')
  return f'What helps: {" or ".join(ways)}.'


def create(gan: Gan, config: Config, key: jax.Array, sharding: Sharding,
           say: Callable[[str], Any] = console.say_aside,
           origin: list[str] | None = None) -> State:
  """A new State; with config.train.init_from, another run's weights in it.

  Args:
    gan: Gan.
    config: Config.
    key: of the initial parameters.
    sharding: of every array.
    say: see runs.load.load.
    origin: gets a line about where weights are from, if they are another run's.

  Raises:
    ValueError: an unknown part, no such run, no intact checkpoint in it, or
      weights of another shape.
  """
  state = kept.new_state(gan, config, key, sharding)
  if not config.train.init_from:
    return state
  parts = [part.strip() for part in config.train.init_parts.split(',')]
  for part in parts:
    if part not in PARTS:
      raise ValueError(
          f'config.train.init_parts: no part {part!r}; '
          f'{tables.nearest(part, PARTS)}')
  with errors.naming(workdir='config.train.init_from',
                     which='config.train.init_images'):
    loaded = load(config.train.init_from, config.train.init_images, say=say)
  other = loaded.state
  if origin is not None:
    run = absolute(config.train.init_from)
    origin.append(f'origin of {", ".join(parts)}: {run} at '
                  f'{loaded.images:,} images (digest {fingerprint(other)})')
  for part in parts:
    new, old = getattr(other, part), getattr(state, part)
    _same_shapes(part, new.params, old.params)
    _same_shapes(part, new.stats, old.stats)
    state = state.replace(
        **{part: old.replace(params=new.params, stats=new.stats)})
  return state


def _same_shapes(part, new, old):
  place = f'config.train.init_from: {part}'
  layers: Any = jax.tree.structure(new)
  if layers != jax.tree.structure(old):
    raise ValueError(f'{place}: that run has other layers than this one.')
  new = jax.tree_util.tree_flatten_with_path(new)[0]
  for (path, a), b in zip(new, jax.tree.leaves(old), strict=True):
    if a.shape != b.shape:
      raise ValueError(
          f'{place}{jax.tree_util.keystr(path)}: that run has {a.shape}, '
          f'this one wants {b.shape}.')
