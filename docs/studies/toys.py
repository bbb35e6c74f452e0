"""Trains every loss with every penalty, and writes docs/studies/toys.md.

  python docs/studies/toys.py --runs=runs/toys            trains what is missing
  python docs/studies/toys.py --runs=runs/toys --page     only writes the page

A cell is a loss with a penalty. Its seeds are a population: an axis of State,
trained by one compiled program. A cell that is done is not trained again.
"""
import argparse
import functools
import itertools
import json
import pathlib
import re
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
PAGE = ROOT / 'docs' / 'studies' / 'toys.md'
ROUND = 1_000  # Steps; toys differ in how many rounds they take.
ROUNDS = {'ring': 3, 'grid': 5}
WIDTH, BATCH, RATE, WEIGHT = 48, 128, .007, .1
POOL = 50_000  # Reals of a toy; each batch is drawn from them.
SAMPLES = 10_000
WITHIN, SHARE = 3, .01  # What makes a mode found: see `modes_found`.
SHOWN = (('wasserstein', 'none'), ('wasserstein', 'gradient_penalty'),
         ('minimax', 'none'), ('non_saturating', 'none'),
         ('non_saturating', 'r1'), ('relativistic', 'r1_r2'))


def pairs(say=print, losses=(), penalties=()):
  """(loss, penalty) of the tables that `build` accepts; says why not others."""
  from msg_gan_jax.gan.build import build
  from msg_gan_jax.gan.objectives.losses import LOSSES
  from msg_gan_jax.gan.objectives.penalties import PENALTIES
  for pair in itertools.product(losses or LOSSES, penalties or PENALTIES):
    try:
      build(config_of(*pair))
    except ValueError as error:
      say(f'{pair[0]} + {pair[1]} is refused: {error}')
    else:
      yield pair


def config_of(loss, penalty):
  """The settings of a cell, the same for both toys."""
  from msg_gan_jax.config.schema import template
  config = template()
  config.data.resolution = 1
  config.data.channels = 2
  config.networks.name = 'mlp'
  config.networks.latent = 2
  config.networks.fmap_max = WIDTH
  config.networks.stddev = 'none'
  config.objective.loss = loss
  config.objective.drift = 0.
  config.objective.penalty = penalty
  config.objective.penalty_weight = WEIGHT
  config.optimizer.name = 'adam'
  config.optimizer.g_rate = config.optimizer.d_rate = RATE
  config.train.batch = BATCH
  config.train.ema_half_life_images = 30_000.
  return config


def population(gan, n_dis, batch, steps, samples):
  """(keys [S], pool [N, 1, 1, 2], rounds) -> (points [S, n, 2], finite [S]).

  A seed's first weights, reals and latents are the same in every cell.

  Args:
    gan: what `build` made.
    n_dis, batch: of its settings.
    steps: of gan.step in a round, one scan: an mlp has no convolution, whose
      gradient would be slow inside of a loop on CPU.
    samples: how many points of the averaged G.
  """
  import jax
  import jax.numpy as jnp

  from msg_gan_jax.data.batches import Batch
  phase = gan.phase(0)  # No penalty is lazy: all steps are alike.

  def one(key, pool, rounds):
    first, shown, stepped, drawn = jax.random.split(key, 4)

    def step(state, i):
      index = jax.random.randint(
          jax.random.fold_in(shown, i), (n_dis, batch), 0, len(pool))
      reals = Batch(images=pool[index], labels=jnp.zeros_like(index))
      state, _ = gan.step(state, reals, stepped, phase)
      return state, None

    def scan(i, state):
      return jax.lax.scan(step, state, i * steps + jnp.arange(steps))[0]

    # How many rounds is no part of the program, so that toys share it.
    state = jax.lax.fori_loop(0, rounds, scan, gan.init(first))
    points = gan.sample(state, gan.draw(drawn, samples))[-1][:, 0, 0]
    finite = [jnp.isfinite(x).all() for x in jax.tree.leaves(
        (state.g.params, state.d.params, state.ema))]
    return points, jnp.stack(finite).all()

  return jax.jit(jax.vmap(one, (0, None, None)))


def modes_found(points, centres, std):
  """(modes, good): how many modes are found, and the share of good points.

  A point is good if it lies within WITHIN standard deviations of a centre, the
  nearest. A mode is found if at least SHARE of all points are its good ones:
  one stray point in it is not enough, as it is for
  metrics.functional.mixture_modes.

  Args:
    points: [n, 2]; what is not finite is not good.
    centres: [k, 2].
    std: of every Gaussian.
  """
  points = np.asarray(points, np.float64)
  square = ((points[:, None] - centres)**2).sum(-1)
  nearest = square.argmin(1)
  good = square[np.arange(len(points)), nearest] <= (WITHIN * std)**2
  counts = np.bincount(nearest[good], minlength=len(centres))
  return int((counts >= SHARE * len(points)).sum()), float(good.mean())


@functools.cache
def toy(layout):
  """(Toy, its points [POOL, 1, 1, 2])."""
  from msg_gan_jax.data.drawn.toys import Toy
  source = Toy(layout, POOL)
  return source, source.images(np.arange(POOL))


def cell(loss, penalty, seeds, steps=ROUND, samples=SAMPLES):
  """Trains a cell on both toys.

  Args:
    loss, penalty: rows of the tables.
    seeds: how many; they are 0, 1, ...
    steps: of gan.step in a round; ROUNDS has how many rounds.
    samples: of the averaged G.

  Returns:
    (record, points): {layout: {'modes': [S], 'good': [S], 'finite': [S]}} with
    'seconds' of processor time, compiling included, and {layout: [S, n, 2]}.
  """
  import jax

  from msg_gan_jax.gan.build import build
  config = config_of(loss, penalty)
  begun, record, points = time.process_time(), {}, {}
  train = population(build(config), config.train.n_dis, config.train.batch,
                     steps, samples)
  keys = jax.vmap(jax.random.key)(np.arange(seeds))
  for layout in ROUNDS:
    source, pool = toy(layout)
    got, finite = (np.asarray(x) for x in train(keys, pool, ROUNDS[layout]))
    modes, good = zip(
        *(modes_found(p, source.centres, source.std) for p in got), strict=True)
    record[layout] = dict(
        modes=list(modes), good=list(good), finite=finite.tolist())
    points[layout] = got
  return record | {'seconds': time.process_time() - begun}, points


def read(folder, wanted, seeds, steps):
  """{(loss, penalty): record} of the cells that are done with these settings.

  Args:
    folder: of the records.
    wanted: pairs of names.
    seeds, steps: a record of others, or of another config, is as none.
  """
  records = {}
  for pair in wanted:
    path = folder / f'{"-".join(pair)}.json'
    if path.exists():
      record = json.loads(path.read_text())
      if record['settings'] == settings(*pair, seeds, steps):
        records[pair] = record
  return records


def settings(loss, penalty, seeds, steps):
  """What a record depends on: {'train.batch': 128, ...}, where not default."""
  from msg_gan_jax.config import schema
  flat, default = (schema.flatten(schema.parse(c)) for c in (
      config_of(loss, penalty), schema.template()))
  changed = {name: flat[name] for name in flat if flat[name] != default[name]}
  return changed | {'seeds': seeds, 'steps': steps, 'rounds': ROUNDS}


def matrix(records, layout):
  """Rows: losses; columns: penalties; seeds that found all, mean of modes."""
  losses = dict.fromkeys(loss for loss, _ in records)
  penalties = dict.fromkeys(penalty for _, penalty in records)
  yield '| | ' + ' | '.join(f'`{p}`' for p in penalties) + ' |'
  yield '|---|' + '---|' * len(penalties)
  for loss in losses:
    cells = []
    for penalty in penalties:
      if (loss, penalty) not in records:
        cells.append('')
        continue
      modes = records[loss, penalty][layout]['modes']
      every = sum(m == len(toy(layout)[0].centres) for m in modes)
      text = f'{every}, {np.mean(modes):.1f}'
      cells.append(f'**{text}**' if every == len(modes) else text)
    yield f'| `{loss}` | {" | ".join(cells)} |'


def every_cell(records):
  """A row a cell: modes, seeds that found all, good samples, of both toys."""
  yield '| loss | penalty |' + ''.join(
      f' {layout}: modes of {len(toy(layout)[0].centres)} | all | good, % |'
      for layout in ROUNDS)
  yield '|---|---|' + '---|---|---|' * len(ROUNDS)
  for (loss, penalty), record in records.items():
    cells = [f'`{loss}`', f'`{penalty}`']
    for layout in ROUNDS:
      cells += _cells(record[layout], len(toy(layout)[0].centres))
    yield f'| {" | ".join(cells)} |'


def tables_of(records):
  """{mark: lines}."""
  return {'ring': list(matrix(records, 'ring')),
          'grid': list(matrix(records, 'grid')),
          'cells': list(every_cell(records))}


def _cells(result, count):
  """(modes, seeds that found all, good) of a toy with `count` modes."""
  modes, good = result['modes'], [100 * x for x in result['good']]
  every = sum(m == count for m in modes)
  lost = len(modes) - sum(result['finite'])
  return (f'{np.mean(modes):.1f} ({min(modes)}-{max(modes)})'
          + (f', {lost} not finite' if lost else ''),
          f'**{every}**' if every == len(modes) else f'{every}',
          f'{np.mean(good):.0f} ({min(good):.0f}-{max(good):.0f})')


def picture(folder, records, path):
  """A PNG: samples of the first seed on the ring, for the cells SHOWN."""
  from matplotlib import figure

  from msg_gan_jax.report.scatter import scatter
  source, pool = toy('ring')
  fig = figure.Figure(figsize=(10, 7.2), layout='constrained')
  for ax, (loss, penalty) in zip(
      fig.subplots(2, 3).flat, SHOWN, strict=True):
    modes = records[loss, penalty]['ring']['modes'][0]
    points = np.load(folder / f'{loss}-{penalty}.npz')['ring']
    ax.imshow(scatter(pool[:2500, 0, 0], points, 640))
    ax.set_title(f'{loss}\n{penalty}: {modes} of {len(source.centres)}',
                 fontsize=10)
    ax.axis('off')
  fig.savefig(path, dpi=80)


def filled(text, tables):
  """A page of markdown with each table between its two marks.

  Raises:
    ValueError: the page has no such marks.
  """
  for name, lines in tables.items():
    between = rf'(?<=<!-- {name} -->\n)(.*?)(?=<!-- /{name} -->)'
    body = ''.join(f'{line}\n' for line in lines)
    text, places = re.subn(
        between, lambda _, body=body: body, text, flags=re.S)
    if not places:
      raise ValueError(f'{PAGE}: no place for the table {name!r}.')
  return text


def main(options):
  import jax
  text = PAGE.read_text(encoding='utf-8')
  filled(text, tables_of({}))  # Sooner than after half an hour.
  options.runs.mkdir(parents=True, exist_ok=True)
  wanted = list(pairs(losses=options.losses, penalties=options.penalties))
  size = options.seeds, options.steps
  records = read(options.runs, wanted, *size)
  for i, pair in enumerate(() if options.page else wanted):
    if pair in records:
      continue
    record, points = cell(*pair, *size)
    record = records[pair] = record | {
        'settings': settings(*pair, *size), 'jax': jax.__version__}
    path = options.runs / f'{"-".join(pair)}.json'
    np.savez(path.with_suffix('.npz'),
             **{layout: points[layout][0, :2500] for layout in ROUNDS})
    path.write_text(json.dumps(record))
    print(f'{i + 1} of {len(wanted)}', *pair,
          *(f'{layout} {record[layout]["modes"]}' for layout in ROUNDS),
          f'{record["seconds"]:.0f} s', flush=True)
    jax.clear_caches()  # Each cell is another program.
  records = {pair: records[pair] for pair in wanted if pair in records}
  tables = tables_of(records)
  for lines in tables.values():
    print('\n'.join(lines), end='\n\n')
  seconds = sum(record['seconds'] for record in records.values())
  print(f'{len(records)} cells, {seconds / 60:.1f} minutes of one core')
  if list(records) == list(pairs(lambda line: None)):
    PAGE.write_text(filled(text, tables), encoding='utf-8')
    picture(options.runs, records, ROOT / 'docs' / 'images' / 'toys_ring.png')


def _names(text):
  return tuple(text.split(',')) if text else ()


if __name__ == '__main__':
  sys.path.insert(0, str(ROOT))
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--runs', type=pathlib.Path, required=True)
  parser.add_argument('--seeds', type=int, default=5)
  parser.add_argument('--steps', type=int, default=ROUND,
                      help='in a round; fewer are a trial')
  parser.add_argument('--losses', type=_names, default=())
  parser.add_argument('--penalties', type=_names, default=())
  parser.add_argument('--page', action='store_true')
  main(parser.parse_args())
