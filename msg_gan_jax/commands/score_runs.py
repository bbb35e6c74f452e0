"""--mode=evaluate: scores of the checkpoints of a run, or of several."""
import dataclasses
import os

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.arrays import mesh as sharding
from msg_gan_jax.commands import sample_run as sample
from msg_gan_jax.config import schema as config_lib
from msg_gan_jax.data.sources import open_source
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.build import build
from msg_gan_jax.metrics import (
  evaluate as scores,
)
from msg_gan_jax.metrics import (
  memorised_picture as memory,
)
from msg_gan_jax.metrics import pair as pair_lib
from msg_gan_jax.metrics import (
  sets,
)
from msg_gan_jax.metrics import (
  text as report,
)
from msg_gan_jax.runs import best, workdir
from msg_gan_jax.runs.checkpoints import Checkpoints
from msg_gan_jax.training import initial_state as start
from msg_gan_jax.training import summary as evaluate

WHICH = ('newest', 'best', 'all')


def of_run(path, metrics, options, *, which='newest', count=0, seed=1,
           weights='', real=None, psi=1., cutoff=None):
  """Scores the checkpoints of a run.

  Args:
    path: the run's folder.
    metrics: rows of METRICS; () are the protocol's.
    options: pair.Options; what the run knows is filled in.
    which: 'newest', 'best', 'all', or images shown, as '100000'.
    count: fakes; 0 is what the protocol says.
    seed: of the latents.
    weights: 'ema' or 'raw'; '' is what the protocol says.
    real: source.Source to compare with, in place of the run's own pictures.
    psi, cutoff: truncation, of networks that map z to styles.

  Yields:
    (images shown, [score.Score], record, Pair) of each.

  Raises:
    ValueError: no run, no such checkpoint, a run of points, or what the scores
      refuse.
  """
  config = workdir.load_config(path)
  gan = build(config)
  sample.check_truncation(gan, config, psi, cutoff)
  if pyramid.are_points(gan.shapes[-1]):
    raise ValueError(
        f'--workdir {path}: its GAN draws points; they are counted in '
        'summary.json, and --mode=evaluate is for pictures.')
  splits = open_source(config)
  protocol, own, warnings = reals_of(splits, options.protocol)
  real = own if real is None else real
  n = count or protocol.n_fake or len(real)
  labels = None
  if gan.classes:
    like = real if real.classes == splits.train.classes else own
    labels = evaluate.asked(like.labels(np.arange(len(like))), n)
  weights = weights or protocol.weights
  options = options._replace(
      held_out=splits.held_out, train=splits.train, psi=psi, cutoff=cutoff,
      protocol=dataclasses.replace(protocol, n_fake=n, weights=weights))
  z = evaluate.latents(gan, n, seed)
  render = sample.renderer(gan, sharding.mesh())
  key = jax.random.key(seed) if gan.layers else None
  classes = () if labels is None else splits.train.classes
  # What is missing is an error now, before a single picture is drawn.
  pair = pair_lib.Pair(real, stand_in(real, classes), options)
  scores.open_features(pair, metrics)
  for folder, images in _checkpoints(path, which):
    state = _restored(folder, images, gan)

    def draw(first, last, state=state):
      return render(
          state, z[first:last], None if labels is None else labels[first:last],
          weights, psi, cutoff,
          None if key is None else jax.random.fold_in(key, first))[-1]

    fake = sets.generated(
        draw, n, gan.shapes[-1], labels, classes, path,
        paths_of(gan, state, weights))
    pair = pair.with_fake(fake)
    found, record = scores.of_pair(pair, metrics)
    record['warnings'] += warnings
    yield images, found, {
        'run': path, 'images': images, 'seed': seed,
        'training_seed': config.seed, **record}, pair


def stand_in(real, classes):
  """Two pictures for samples that are yet to be drawn."""
  few = np.arange(min(2, len(real)))
  return sets.Arrays(real.images(few), few % 2 if classes else None, classes,
                     'samples')


def reals_of(splits, protocol):
  """(protocol, source.Source to compare with, lines of warning)."""
  if protocol.reals == 'train':
    return protocol, splits.train, []
  if splits.held_out is not None:
    return protocol, splits.held_out, []
  return dataclasses.replace(protocol, reals='train'), splits.train, [
      'no pictures are held out: samples are compared with those that the '
      'generator has learned from.']


def paths_of(gan, state, weights='ema'):
  """sets.Paths of a generator: through w where it has a mapping, else z."""
  state = gan.settle(state)

  def classes(n):
    return jnp.arange(n) % gan.classes if gan.classes else None

  def draw(key, n):
    z = gan.draw(key, n)
    return gan.latents(state, z, classes(n), weights=weights) if (
        gan.layers) else z

  def synthesize(w, key):
    return gan.synthesize(state, w, classes(len(w)), weights=weights,
                          key=key if gan.layers else None)[-1]

  return sets.Paths(draw, synthesize, 'w' if gan.layers else 'z')


def of_runs(paths, metrics, options, out='', **settings):
  """Scores several runs, writes them down, and says them.

  Args:
    paths: folders of runs.
    metrics, options: see `of_run`.
    out: the folder for scores.jsonl and pictures; '' is each run's own.
    settings: the rest of `of_run`.

  Returns:
    Lines of text for people.
  """
  several, paths_of_files = [], []
  # A run that is missing is an error now, and not in hours.
  configs = [workdir.load_config(path) for path in paths]
  for path in paths:
    for images, found, record, pair in of_run(
        path, metrics, options, **settings):
      label = f'{path} {images:,}'
      several.append((label, found, record))
      paths_of_files += _write(
          out or path, f'{os.path.basename(os.path.normpath(path))}_{images}',
          record, pair, 'memorised' in metrics)
      options.say(f'{label} is scored')
  one = len(several) == 1
  seeds = _differ_by_seed(configs) and len(several) == len(paths)
  lines = report.sheet(*several[0][1:]) if one else report.rows(several, seeds)
  return [*lines, *dict.fromkeys(paths_of_files)]


def _differ_by_seed(configs):
  """Whether they are one experiment with several seeds."""
  alike = [config_lib.differences(
      dataclasses.replace(config, seed=0), dataclasses.replace(
          configs[0], seed=0))[1] == [] for config in configs]
  return len(configs) > 1 and all(alike) and (
      len({config.seed for config in configs}) == len(configs))


def of_sets(real, fake, metrics, options, out=''):
  """Scores two sets of pictures without a GAN; see `of_runs`."""
  # All of them count, whatever the protocol draws of a generator.
  pair = pair_lib.Pair(real, fake, options._replace(
      protocol=dataclasses.replace(options.protocol, n_fake=0)))
  found, record = scores.of_pair(pair, metrics)
  paths = _write(out, fake.name, {'fake': fake.name, **record}, pair,
                 'memorised' in metrics) if out else []
  return [*report.sheet(found, record), *paths]


def _write(out, label, record, pair, memorised):
  """Adds a record, and the picture of a memorisation report; returns paths."""
  os.makedirs(out, exist_ok=True)
  paths = [report.append(out, label, record)]
  if memorised:
    paths.append(memory.draw(pair, os.path.join(
        out, f'memorised_{label}.png')))
  return paths


def _checkpoints(path, which):
  """[(folder, images)] as `which` says, oldest first."""
  usual = os.path.join(path, 'checkpoints')
  kept = os.path.join(path, best.FOLDER)
  steps = {folder: Checkpoints(folder, read_only=True).steps()
           for folder in (usual, kept)}
  if which == 'all':
    found = [(folder, step) for folder in (usual, kept)
             for step in steps[folder]]
    found = sorted({step: (folder, step) for folder, step in reversed(
        found)}.values(), key=lambda x: x[1])
  elif which == 'newest':
    found = [(usual, steps[usual][-1])] if steps[usual] else []
  elif which == 'best':
    found = [(kept, steps[kept][-1])] if steps[kept] else []
  elif which.isdigit():
    found = [(folder, int(which)) for folder in (usual, kept)
             if int(which) in steps[folder]][:1]
  else:
    raise ValueError(
        f'--checkpoints: no checkpoint {which!r}; wanted {", ".join(WHICH)} or '
        'images shown.')
  if not found:
    raise ValueError(
        f'--checkpoints: {which}, but {path} has none; there are '
        f'{steps[usual] or "none"} of the latest, and {steps[kept] or "none"} '
        'kept as the best (config.evaluate.best).')
  return found


def _restored(folder, images, gan):
  like = start.abstract(gan, sharding.replicated(sharding.mesh()))
  return Checkpoints(folder, read_only=True).restore(
      {'state': like}, partial=True, place='--workdir', images=images)[1][
          'state']
