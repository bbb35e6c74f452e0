"""--mode=evaluate: scores of the checkpoints of a run, or of several."""
import dataclasses
import os

import jax
import numpy as np

from msg_gan_jax.arrays.mesh import data_mesh
from msg_gan_jax.commands import sample_run
from msg_gan_jax.config import schema
from msg_gan_jax.data.sources import open_source
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.sampling import labels_like, renderer, summary_latents
from msg_gan_jax.metrics import (
  evaluate,
  memorised_picture,
  sets,
  text,
)
from msg_gan_jax.metrics import pair as pair_lib
from msg_gan_jax.runs import workdir
from msg_gan_jax.runs.load import checkpoints_of, load_state
from msg_gan_jax.training.scorer import paths_of, reals_of, stand_in


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
  sample_run.check_truncation(gan, config, psi, cutoff)
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
    labels = labels_like(like.labels(np.arange(len(like))), n)
  weights = weights or protocol.weights
  options = options._replace(
      held_out=splits.held_out, train=splits.train, psi=psi, cutoff=cutoff,
      protocol=dataclasses.replace(protocol, n_fake=n, weights=weights))
  z = summary_latents(gan, n, seed)
  render = renderer(gan, data_mesh())
  key = jax.random.key(seed) if gan.layers else None
  classes = () if labels is None else splits.train.classes
  # What is missing is an error now, before a single picture is drawn.
  pair = pair_lib.Pair(real, stand_in(real, classes), options)
  evaluate.open_features(pair, metrics)
  for folder, images in checkpoints_of(path, which):
    _, state = load_state(gan, folder, images, f'workdir {path}')

    def draw(first, last, state=state):
      return render(
          state, z[first:last], None if labels is None else labels[first:last],
          weights, psi, cutoff,
          None if key is None else jax.random.fold_in(key, first))[-1]

    fake = sets.generated(
        draw, n, gan.shapes[-1], labels, classes, path,
        paths_of(gan, state, weights))
    pair = pair.with_fake(fake)
    found, record = evaluate.of_pair(pair, metrics)
    record['warnings'] += warnings
    yield images, found, {
        'run': path, 'images': images, 'seed': seed,
        'training_seed': config.seed, **record}, pair


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
  lines = text.sheet(*several[0][1:]) if one else text.rows(several, seeds)
  return [*lines, *dict.fromkeys(paths_of_files)]


def _differ_by_seed(configs):
  """Whether they are one experiment with several seeds."""
  alike = [schema.differences(
      dataclasses.replace(config, seed=0), dataclasses.replace(
          configs[0], seed=0))[1] == [] for config in configs]
  return len(configs) > 1 and all(alike) and (
      len({config.seed for config in configs}) == len(configs))


def of_sets(real, fake, metrics, options, out=''):
  """Scores two sets of pictures without a GAN; see `of_runs`."""
  # All of them count, whatever the protocol draws of a generator.
  pair = pair_lib.Pair(real, fake, options._replace(
      protocol=dataclasses.replace(options.protocol, n_fake=0)))
  found, record = evaluate.of_pair(pair, metrics)
  paths = _write(out, fake.name, {'fake': fake.name, **record}, pair,
                 'memorised' in metrics) if out else []
  return [*text.sheet(found, record), *paths]


def _write(out, label, record, pair, memorised):
  """Adds a record, and the picture of a memorisation report; returns paths."""
  os.makedirs(out, exist_ok=True)
  paths = [text.append(out, label, record)]
  if memorised:
    paths.append(memorised_picture.draw(pair, os.path.join(
        out, f'memorised_{label}.png')))
  return paths
