"""Whether conditional runs draw the class that is asked for, in numbers.

  python docs/studies/conditional.py --runs=runs/conditional

A classifier learns the classes from the reals that the runs were trained on,
is tested on those that they were not, and then looks at samples. Folders of
runs are named <data>-<model>, as cifar10-projection; each gets recovery.json,
all of them a table, and each <data> a picture.
"""
import argparse
import json
import pathlib
import sys
import time
from typing import NamedTuple

from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

ROOT = pathlib.Path(__file__).parents[2]
BATCH = 128
MOST = 50_000  # Reals to learn from; they lie in memory.
CHUNK = 512  # Pictures classified at once.
SHOWN = 8  # Of each class and model in the picture.


class Classifier(nn.Module):
  """Pictures [B, H, W, C] in [-1, 1] -> logits [B, classes].

  Every stage halves the sides, which makes it cheap; there is no dropout,
  since a few passes over the reals do not overfit.
  """
  classes: int
  widths: tuple[int, ...] = (48, 96, 192)

  @nn.compact
  def __call__(self, x):
    for width in self.widths:
      x = nn.Conv(width, (3, 3), strides=2)(x)
      x = nn.relu(nn.GroupNorm(num_groups=8)(x))
    return nn.Dense(self.classes)(x.mean((1, 2)))


def train_classifier(
    source_train, source_held_out, steps=2400, seed=0, mirror=True):
  """A classifier of a source's labels, the same for the same seed.

  Args:
    source_train, source_held_out: source.Source, of one definition.
    steps: of Adam with batches of BATCH, its rate falling from .002 to 0.
    seed: of the weights, and of the order of the pictures.
    mirror: whether half of the pictures are mirrored; not if a class says
      left or right.

  Returns:
    predict: uint8 [n, H, W, C] -> int [n], places in source.classes.
    accuracy: share of the held-out pictures that it is right about.
  """
  rng = np.random.default_rng(seed)
  indices = np.arange(len(source_train))
  if len(indices) > MOST:
    indices = np.sort(rng.choice(indices, MOST, replace=False))
  images, labels = source_train.images(indices), source_train.labels(indices)
  net = Classifier(len(source_train.classes))
  adam = optax.adam(optax.warmup_cosine_decay_schedule(
      0., .002, min(100, steps // 10), steps))

  @jax.jit
  def step(params, moments, images, labels):
    def loss(params):
      logits = net.apply(params, _floats(images))
      return optax.softmax_cross_entropy_with_integer_labels(
          logits, labels).mean()

    updates, moments = adam.update(jax.grad(loss)(params), moments)
    return optax.apply_updates(params, updates), moments

  params = net.init(jax.random.key(seed), _floats(images[:1]))
  moments = adam.init(params)
  # On CPUs, a loop of one jitted step: in lax.scan, the gradient of a
  # convolution is many times slower.
  for who in _batches(len(images), steps, rng):
    batch = images[who]
    if mirror:
      flips = rng.random(BATCH) < .5
      batch = np.where(flips[:, None, None, None], batch[:, :, ::-1], batch)
    params, moments = step(params, moments, batch, labels[who])

  logits = jax.jit(lambda images: net.apply(params, _floats(images)))

  def predict(images):
    n = len(images)
    padded = np.concatenate([images, np.zeros_like(images, shape=(
        -n % CHUNK, *images.shape[1:]))])
    return np.concatenate([
        np.asarray(logits(padded[i:i + CHUNK]).argmax(-1))
        for i in range(0, len(padded), CHUNK)])[:n]

  every = np.arange(len(source_held_out))
  right = predict(source_held_out.images(every)) == source_held_out.labels(
      every)
  return predict, float(right.mean())


def _floats(images):
  return jnp.asarray(images, jnp.float32) / 127.5 - 1


def _batches(count, steps, rng):
  """Indices [BATCH] for each step: every picture once, then all again."""
  left = np.empty(0, np.int64)
  for _ in range(steps):
    while len(left) < BATCH:
      left = np.concatenate([left, rng.permutation(count)])
    yield left[:BATCH]
    left = left[BATCH:]


def recovery(predict, images, labels, classes=None):
  """How often the class that is seen is the one that was asked for.

  Args:
    predict: as of `train_classifier`.
    images: uint8 [n, H, W, C].
    labels: int [n], the classes that were asked for.
    classes: their number; None is the largest that occurs, plus one.

  Returns:
    dict of n, share, low, high: over all; per_class: [classes] of the same
    three, None for a class that was not asked for; confusion: [classes,
    classes] of counts, rows asked for, columns seen.
  """
  from msg_gan_jax.metrics.functional.proportions import wilson
  labels, seen = np.asarray(labels), np.asarray(predict(images))
  classes = classes or int(max(labels.max(), seen.max())) + 1
  confusion = np.zeros((classes, classes), np.int64)
  np.add.at(confusion, (labels, seen), 1)
  right, asked = confusion.diagonal().tolist(), confusion.sum(1).tolist()
  return {
      'n': len(labels), **wilson(sum(right), len(labels))._asdict(),
      'per_class': [wilson(r, n)._asdict() if n else None
                    for r, n in zip(right, asked, strict=True)],
      'confusion': confusion.tolist()}


def samples(run, labels, seed):
  """uint8 [n, H, W, C] of a run's newest checkpoint, for int32 labels [n]."""
  from msg_gan_jax.analysis.generator.samples import Sampling, sample_run
  return sample_run(
      str(run), len(labels), Sampling(seed, labels=labels.tolist()))[-1]


class Reals(NamedTuple):
  """What is known of a data set: the same for all runs on it."""
  splits: tuple  # data.sources.Splits
  predict: object
  accuracy: float
  seconds: float


def look_at(data, splits, steps):
  """config.Data and its open.Splits -> Reals.

  Raises:
    ValueError: no classes, or nothing held out to test the classifier with.
  """
  if len(splits.train.classes) < 2:
    raise ValueError(
        f'config.data.name: {data.name!r} has {len(splits.train.classes)} '
        'classes here; wanted at least 2.')
  if splits.held_out is None:
    raise ValueError(
        f'config.data.held_out: {data.held_out} leaves nothing to test the '
        'classifier with; wanted at least 2.')
  began = time.monotonic()
  # Where training mirrors, it has decided that classes survive it.
  predict, accuracy = train_classifier(
      *splits, steps, seed=0, mirror=data.mirror)
  return Reals(splits, predict, accuracy, time.monotonic() - began)


def measure(run, reals, per_class, seed=1):
  """Samples of a run -> (result for recovery.json, images [classes, ..])."""
  names = reals.splits.train.classes
  labels = np.repeat(np.arange(len(names), dtype=np.int32), per_class)
  images = samples(run, labels, seed)
  result = {
      'images': images_shown(run), 'accuracy': reals.accuracy,
      'seconds': reals.seconds, 'classes': list(names),
      **recovery(reals.predict, images, labels, len(names))}
  (run / 'recovery.json').write_text(json.dumps(result, indent=2))
  return result, images.reshape(len(names), per_class, *images.shape[1:])


def images_shown(run):
  """Of the newest checkpoint."""
  from msg_gan_jax.runs.checkpoints import Checkpoints
  return Checkpoints(run / 'checkpoints', read_only=True).steps()[-1]


def table(results):
  """Lines of Markdown; results: {run folder's name: recovery.json}."""
  yield ('| model | data | images shown | classifier, on held-out reals | '
         'class recovered (95 %) | by class |')
  yield '|---|---|---|---|---|---|'
  for name, r in results.items():
    data, _, model = name.partition('-')
    ranked = sorted((share['share'], c) for share, c in zip(
        r['per_class'], r['classes'], strict=True) if share)
    by_class = ' to '.join(f'{s:.0%} ({c})' for s, c in (ranked[0], ranked[-1]))
    yield (f'| {model} | {data} | {r["images"]:,} | {r["accuracy"]:.1%} | '
           f'{r["share"]:.1%} ({r["low"]:.1%} to {r["high"]:.1%}) | '
           f'{by_class} |')


def picture(path, data, reals, drawn):
  """Write a PNG: a row a class, of heads first of reals, then of each model.

  Args:
    data: what they are called.
    reals: Reals.
    drawn: {model: uint8 [classes, n, H, W, C]}.
  """
  from msg_gan_jax.report import contact_sheet
  source = reals.splits.train
  # Pictures that somebody else has made are not for this page to show.
  drawn_here = source.name == 'avatars'
  labels = source.labels(np.arange(len(source)))
  rows = []
  for k in range(len(source.classes)):
    blocks = [source.images(np.flatnonzero(labels == k)[:SHOWN])] * drawn_here
    blocks += [images[k, :SHOWN] for images in drawn.values()]
    row = []
    for block in blocks:
      gap = np.full((1, *source.shape), 255, np.uint8)
      short = np.repeat(gap, SHOWN - len(block), axis=0)
      row += contact_sheet.tiles(np.concatenate([block, short, gap]))
    rows.append(row[:-1])
  columns = ', '.join([*['reals'] * drawn_here, *drawn])
  contact_sheet.draw(
      path, rows, (data, f'from left to right: {columns}'),
      [(name, '') for name in source.classes])


def main(folder, per_class, steps, out):
  """Measures every run in the folder; prints and writes the table."""
  from msg_gan_jax.data.sources import open_source
  from msg_gan_jax.runs.config_file import load_config
  runs = sorted(path.parent for path in folder.glob('*/config.json'))
  if not runs:
    raise ValueError(f'--runs: no runs in {folder}.')
  known, results, drawn = {}, {}, {}
  for run in runs:
    config = load_config(str(run))
    if config.data not in known:
      known[config.data] = look_at(
          config.data, open_source(config), steps)
    reals = known[config.data]
    results[run.name], images = measure(run, reals, per_class)
    data, _, model = run.name.partition('-')
    drawn.setdefault(data, (reals, {}))[1][model] = images
    print(run.name, f'{results[run.name]["share"]:.1%}', flush=True)
  text = '\n'.join(table(results))
  print(text)
  (folder / 'table.md').write_text(text + '\n')
  for data, (reals, images) in drawn.items():
    picture(out / f'conditional_{data}.png', data, reals, images)


if __name__ == '__main__':
  sys.path.insert(0, str(ROOT))
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument(
      '--runs', type=pathlib.Path, required=True, help='a folder of runs')
  parser.add_argument(
      '--per_class', type=int, default=200, help='samples of each class')
  parser.add_argument(
      '--steps', type=int, default=2400, help='of the classifier')
  parser.add_argument(
      '--out', type=pathlib.Path, default=ROOT / 'docs' / 'images',
      help='where the pictures go')
  options = parser.parse_args()
  main(options.runs, options.per_class, options.steps, options.out)
