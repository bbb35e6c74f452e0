"""Trains what docs/studies/growing.md shows, and writes its table and picture.

  python docs/studies/growing.py --runs=runs/growing         trains nine runs
  python docs/studies/growing.py --runs=runs/growing --time  times their steps
  python docs/studies/growing.py --runs=runs/growing --page  prints, and draws

They are those of experiments/studies/msg_beside_progan.py, which --mode=study
trains too. Here they are measured beside it: whole pictures at every 10,000
images, and how far 36 fixed latents move in 5,000, which no record has.

Runs that are done are not repeated; several processes may share the folder.
Steps are timed by themselves, on an idle machine: seconds of a run are its
images times the seconds an image took of the resolution that it was at.
"""
import argparse
import json
import pathlib
import statistics
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
KINDS = {'msg': 'MSG-ProGAN', 'progan': 'ProGAN, growing',
         'plain': 'plain: neither'}
COLORS = {'msg': '#0072B2', 'progan': '#D55E00', 'plain': '#009E73'}
SEEDS = 0, 1, 2
SIZES = 4, 8, 16
LOOK = 5_000  # images from one look at the 36 fixed latents to the next
MEASURE = 10_000  # images between two measurements
SAMPLES = 2048
REPEATS = 5     # of a timing, alternating


def config_of(kind, seed):
  """Config of a run of experiments/studies/msg_beside_progan.py."""
  from experiments.studies import msg_beside_progan
  from msg_gan_jax.config import schema
  from msg_gan_jax.study.plan import with_settings
  return with_settings(schema.parse(msg_beside_progan.get_config()), {
      **msg_beside_progan.get_study().settings({'method': kind}),
      'seed': seed})


def train(folder, config):
  """Trains one run and leaves result.json in its folder."""
  import jax
  import stability as study

  from msg_gan_jax.arrays.mesh import data_mesh, replicated
  from msg_gan_jax.data.batches import open_batches
  from msg_gan_jax.data.sources import open_source
  from msg_gan_jax.gan import pyramid, schedules
  from msg_gan_jax.gan.build import build
  from msg_gan_jax.gan.devices import ShardedStep
  from msg_gan_jax.gan.sampling import renderer, summary_latents
  from msg_gan_jax.metrics.functional import (
    scale_agreement,
    sliced_wasserstein,
    training_stability,
  )
  from msg_gan_jax.training import monitor
  gan, over = build(config), data_mesh()
  splits = open_source(config)
  real = splits.held_out.images(np.arange(SAMPLES))
  batches = open_batches(splits.train, config, over)
  init_key, key, z_key = (
      jax.random.fold_in(jax.random.key(config.seed), i) for i in range(3))
  state = jax.jit(gan.init, out_shardings=replicated(over))(init_key)
  step, render = ShardedStep(gan, over), renderer(gan, over)
  fixed = monitor.fixed_latents(gan, z_key)[:monitor.GRID]
  measured = summary_latents(gan, SAMPLES)

  def pooled(finest):
    """A pyramid of the finest image alone, as a GAN of one scale has it."""
    sizes = {16: finest / 127.5 - 1}
    for size in (8, 4):
      sizes[size] = pyramid.down(sizes[2 * size])
    return tuple(sizes[size] for size in SIZES)

  def measure():
    fake = render(state, measured)[-1]
    return {
        'images': images,
        'patches': float(sliced_wasserstein.swd(real, fake, seed=0)[16]),
        'whole': study.whole_pictures(real, fake),
        'variety': (training_stability.pairwise(fake)
                    / training_stability.pairwise(real))}

  images, before = 0, render(state, fixed)
  curve, changes, agreement = [measure()], [], []
  while images < config.train.total_images:
    phase, start = gan.phase(images), images
    state, logs = step(state, batches.at(images, (1, phase.batch)), key, phase)
    images += phase.images
    if schedules.crossed(start, images, LOOK):
      now = render(state, fixed)
      changes.append({'images': images, **training_stability.change(
          pooled(before[-1]), pooled(now[-1]))})
      agreement.append({'images': images, **scale_agreement.consistency(now)})
      before = now
      if not np.isfinite(float(logs['d_loss'])):
        raise SystemExit(f'{folder}: not finite at {images} images')
    if schedules.crossed(start, images, MEASURE):
      curve.append(measure())
  half = SAMPLES // 2
  folder.mkdir(parents=True, exist_ok=True)
  np.save(folder / 'samples.npy', before[-1])
  (folder / 'result.json').write_text(json.dumps({
      'curve': curve, 'changes': changes, 'agreement': agreement,
      'jax': jax.__version__,
      'halves': {'patches': float(sliced_wasserstein.swd(
          real[:half], real[half:], seed=0)[16]),
                 'whole': study.whole_pictures(real[:half], real[half:])}}))


def steps_of(kind):
  """{height: seconds an image} of a kind's steps; a generator of repeats.

  Yields once a repeat, so that kinds can take turns.
  """
  import jax

  from msg_gan_jax.arrays.mesh import data_mesh, replicated
  from msg_gan_jax.commands import dry_run
  from msg_gan_jax.data.batches import open_batches
  from msg_gan_jax.data.sources import open_source
  from msg_gan_jax.gan.build import build
  from msg_gan_jax.gan.devices import ShardedStep
  config, over = config_of(kind, 0), data_mesh()
  gan = build(config)
  batches = open_batches(open_source(config).train, config, over)
  step, key = ShardedStep(gan, over), jax.random.key(0)
  state = jax.jit(gan.init, out_shardings=replicated(over))(key)
  begins = sorted(dry_run.starts_of_levels(gan, config.train)) if (
      config.train.grow_from) else [0]

  def run(images, count):
    nonlocal state
    phase = gan.phase(images)
    start = time.perf_counter()
    for i in range(count):
      state, logs = step(
          state, batches.at(images + i * phase.images, (1, phase.batch)), key,
          phase)
    jax.block_until_ready((state, logs))
    return (time.perf_counter() - start) / count / phase.images

  for images in begins:
    run(images, 3)
  while True:
    yield {SIZES[gan.phase(images).level] if config.train.grow_from else 16:
           run(images, 100) for images in begins}


def time_all(folder):
  """Writes times.json: {kind: {height: [seconds an image]}}."""
  turns = {kind: steps_of(kind) for kind in KINDS}
  times = {kind: {} for kind in KINDS}
  for _ in range(REPEATS):
    for kind, turn in turns.items():
      for size, seconds in next(turn).items():
        times[kind].setdefault(size, []).append(seconds)
  (folder / 'times.json').write_text(json.dumps(times))


def seconds_at(kind, images, times):
  """Seconds of training until `images` images were shown."""
  config = config_of(kind, 0)
  train = config.train
  cost = {int(k): statistics.median(v) for k, v in times[kind].items()}
  if not train.grow_from:
    return images * cost[16]
  unit = train.grow_stable_images + train.grow_fade_images
  begins = 0, train.grow_stable_images, train.grow_stable_images + unit
  ends = *begins[1:], images
  return sum(cost[size] * max(0, min(end, images) - begin)
             for size, begin, end in zip(SIZES, begins, ends, strict=True))


def read(folder):
  """{(kind, seed): result} of the runs that are done."""
  return {(kind, seed): json.loads(path.read_text())
          for kind in KINDS for seed in SEEDS
          if (path := folder / f'{kind}-{seed}' / 'result.json').exists()}


def table(results, times):
  """Lines of the table of docs/studies/growing.md."""
  yield ('| | 7x7 patches, 16 px | pictures at 16 px | 8 px | 4 px | variety | '
         'change in 5,000 images, 16 px | 8 px | 4 px | seconds |')
  yield '|---' * 10 + '|'

  def cell(values, digits=1):
    return (f'{np.mean(values):.{digits}f} ± '
            f'{np.std(values, ddof=1):.{digits}f}')

  for kind, name in KINDS.items():
    mine = [r for (k, _), r in results.items() if k == kind]
    last = [r['curve'][-1] for r in mine]
    change = [{s: np.mean([c[s] for c in r['changes'][-4:]])
               for s in ('16', '8', '4')} for r in mine]
    yield '| ' + ' | '.join([
        name, cell([x['patches'] for x in last]),
        *(cell([x['whole'][s] for x in last]) for s in ('16', '8', '4')),
        cell([x['variety'] for x in last], 2),
        *(cell([x[s] for x in change], 4) for s in ('16', '8', '4')),
        f'{seconds_at(kind, last[0]["images"], times):.0f}']) + ' |'
  halves = next(iter(results.values()))['halves']
  yield '| ' + ' | '.join([
      'two halves of the reals', f'{halves["patches"]:.1f}',
      *(f'{halves["whole"][s]:.1f}' for s in ('16', '8', '4')), '1.00', '', '',
      '', '']) + ' |'


def draw(results, times, path):
  """A PNG: distances against images and seconds; change, by resolution."""
  from matplotlib import figure, ticker
  fig = figure.Figure(figsize=(11, 9), layout='constrained')
  axes = fig.subplots(3, 3)
  for row, key, size in ((0, 'images', 'patches'), (1, 'seconds', 'patches')):
    for ax, size in zip(axes[row], ('patches', '16', '4'), strict=True):
      for (kind, seed), result in results.items():
        y = [x[size] if size == 'patches' else x['whole'][size]
             for x in result['curve']]
        x = [x['images'] for x in result['curve']]
        if key == 'seconds':
          x = [seconds_at(kind, i, times) for i in x]
        ax.plot(x, y, color=COLORS[kind], linewidth=1.4,
                label=KINDS[kind] if not seed else None)
      what = '7x7 patches of 16 px' if size == 'patches' else (
          f'whole pictures at {size} px')
      ax.set_title(f'distance: {what}', fontsize=10, loc='left')
      ax.set_xlabel('real images shown' if key == 'images' else
                    'seconds of training')
      ax.set_yscale('log')
  for ax, size in zip(axes[2], ('16', '8', '4'), strict=True):
    for (kind, _), result in results.items():
      ax.plot([c['images'] for c in result['changes']],
              [c[size] for c in result['changes']], color=COLORS[kind],
              linewidth=1.4)
    ax.set_title(f'change of 36 fixed latents, {size} px', fontsize=10,
                 loc='left')
    ax.set_yscale('log')
    ax.set_xlabel('real images shown')
  for ax in axes[:2].flat:
    ax.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(ticker.ScalarFormatter())
    ax.yaxis.set_minor_formatter(ticker.NullFormatter())
  for ax in (*axes[0], *axes[2]):
    ax.xaxis.set_major_formatter(ticker.EngFormatter(sep=''))
  for ax in axes.flat:
    ax.grid(alpha=.25)
    ax.spines[['top', 'right']].set_visible(False)
    ax.tick_params(labelsize=8)
  axes[0][0].legend(frameon=False, fontsize=8)
  fig.savefig(path, dpi=110)


def main(folder, only):
  """Trains what is missing in the folder, times, or prints and draws."""
  folder.mkdir(parents=True, exist_ok=True)
  if only == 'time':
    time_all(folder)
  elif only == 'page':
    results = read(folder)
    times = json.loads((folder / 'times.json').read_text())
    print('\n'.join(table(results, times)))
    for kind, cost in times.items():
      print(kind, {size: f'{1e3 * statistics.median(x):.3f} ms an image'
                   for size, x in cost.items()})
    draw(results, times, ROOT / 'docs' / 'images' / 'growing.png')
  else:
    for seed in SEEDS:
      for kind in KINDS:
        path = folder / f'{kind}-{seed}'
        claim = folder / f'{kind}-{seed}.claim'
        if (path / 'result.json').exists() or claim.exists():
          continue
        claim.touch()  # Another process may be at it.
        start = time.monotonic()
        try:
          train(path, config_of(kind, seed))
        finally:
          claim.unlink()
        print(path.name, f'{time.monotonic() - start:.0f} s', flush=True)


if __name__ == '__main__':
  sys.path[:0] = [str(ROOT), str(ROOT / 'docs' / 'studies')]
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--runs', type=pathlib.Path, required=True)
  for flag in ('time', 'page'):
    parser.add_argument(f'--{flag}', dest='only', action='store_const',
                        const=flag)
  options = parser.parse_args()
  main(options.runs, options.only)
