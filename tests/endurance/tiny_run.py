"""A small run for trials: it reads pictures, measures, and keeps the best."""
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time

from helpers import ROOT, picture, save

EXPERIMENT = '''
import pathlib

from msg_gan_jax.config import template

HERE = pathlib.Path(__file__).parent


def get_config(total='1600'):
  config = template()
  config.data.name, config.data.path = 'folder', str(HERE / 'pictures')
  config.data.cache_dir = str(HERE / 'cache')
  config.data.resolution = 16
  config.data.held_out_share = .3
  config.networks.latent = 8
  config.networks.fmap_max = 8
  config.objective.loss = 'non_saturating'
  config.objective.penalty = 'r1'
  config.objective.penalty_every_d_steps = 4
  config.optimizer.name = 'adam'
  config.train.batch = 8
  config.train.n_dis = 2
  config.train.total_images = int(total)
  config.train.ema_half_life_images = 500.
  config.train.log_every_images = 48
  config.train.sample_every_images = 400
  config.train.measure_every_images = 160
  # So often that a random moment often finds one being written.
  config.train.checkpoint_every_images = 64
  config.evaluate.metrics, config.evaluate.best = '', 'swd'
  return config
'''
TOTAL = 1600
PATIENCE = 300  # Seconds until a child that does nothing is given up.


def prepare(folder, pictures=96):
  """Writes the experiment and its pictures, once."""
  folder.mkdir(parents=True, exist_ok=True)
  (folder / 'experiment.py').write_text(EXPERIMENT)
  for i in range(pictures):
    path = folder / 'pictures' / f'{i:03}.png'
    if not path.exists():
      save(path, picture(i, 40, 40))


def config(folder, total=TOTAL):
  """The Config of the experiment in a folder."""
  from msg_gan_jax.config import parse
  names = {'__file__': str(folder / 'experiment.py')}
  exec(EXPERIMENT, names)
  return parse(names['get_config'](total))


def command(folder, workdir, total=TOTAL, *more):
  """What a person types to start or continue the run."""
  return [sys.executable, str(ROOT / 'launch.py'),
          f'--config={folder / "experiment.py"}:{total}',
          f'--workdir={workdir}', *more]


def environment(folder):
  """Of children: compiled programs are shared by all starts."""
  return {'JAX_COMPILATION_CACHE_DIR': str(folder / 'xla'), **os.environ,
          'JAX_PLATFORMS': 'cpu', 'PYTHONPATH': str(ROOT)}


def launch(folder, workdir, total=TOTAL):
  """Starts the run, its output appended to a log beside the workdir."""
  with open(folder / f'{workdir}.log', 'a') as log:
    return subprocess.Popen(
        command(folder, workdir, total), cwd=folder, stdout=log, stderr=log,
        env=environment(folder))


def to_the_end(folder, workdir, total=TOTAL):
  """Runs it until it ends by itself."""
  process = launch(folder, workdir, total)
  try:
    status = process.wait(PATIENCE)
  finally:
    process.kill()
  if status:
    raise SystemExit(f'{workdir} ended with {status}:\n'
                     f'{(folder / f"{workdir}.log").read_text()[-2000:]}')


def newest(path):
  """Images of the newest finished checkpoint; 0 where there is none."""
  with contextlib.suppress(FileNotFoundError):
    return max((int(x) for x in os.listdir(path) if x.isdigit()), default=0)
  return 0


def wait_for_checkpoint(process, path, after=0):
  """Waits until a run has a checkpoint of more images than `after`."""
  until = time.monotonic() + PATIENCE
  while newest(path) <= after:
    if process.poll() is not None or time.monotonic() > until:
      raise SystemExit(f'{path}: ended, or stood still, after {newest(path)}')
    time.sleep(.001)


def records(path):
  """Records of metrics.jsonl without what depends on the clock."""
  lines = (path / 'metrics.jsonl').read_text().splitlines()
  found = [json.loads(line) for line in lines]
  for record in found:
    record.pop('clock')
  return found


def final(path, folder='checkpoints'):
  """{what: tree} of a run's last checkpoint, or of its best."""
  import jax

  from msg_gan_jax.arrays.mesh import data_mesh, replicated
  from msg_gan_jax.gan.build import build
  from msg_gan_jax.runs import checkpoints, config_file, fingerprints
  from msg_gan_jax.runs.load import state_like
  from msg_gan_jax.training import monitor
  config = config_file.load_config(path)
  gan = build(config)
  same = replicated(data_mesh())
  saved = checkpoints.Checkpoints(path / folder, read_only=True)
  like = {'state': state_like(gan, same), 'before': jax.tree.map(
      lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=same),
      monitor.like_grid(gan))}
  images, tree = saved.restore(like)
  if saved.passed_over:
    raise SystemExit(f'{path}: {saved.passed_over}')
  state = tree['state']
  return {
      'images': images, 'fingerprint': fingerprints.fingerprint(tree),
      # Records have seconds, and so a digest of their own in each run.
      'of the next record': json.dumps(
          {k: v for k, v in saved.notes.items() if k != 'clock'}),
      'parameters of G': state.g.params, 'parameters of D': state.d.params,
      'average of G': state.ema, 'optimizer of G': state.g.opt,
      'optimizer of D': state.d.opt,
      'rest of the state': (state.images, state.hyper, state.aux),
      'fixed samples': tree['before']}


def names(path):
  """Names of all in a run's folder, but inside of checkpoints."""
  found = set()
  for place, folders, files in os.walk(path):
    here = pathlib.Path(place).relative_to(path)
    if here.parent.name in ('checkpoints', 'best') and here.name.isdigit():
      folders.clear()
      continue
    found |= {str(here / name) for name in (*folders, *files)}
  return found


def compare(one, two, say=print):
  """Prints what is equal bit for bit; returns whether all is."""
  import jax
  import numpy as np

  def bits(tree):
    return [np.asarray(x).tobytes() for x in jax.tree.leaves(tree)]

  rows = {}
  for folder in 'checkpoints', 'best':
    a, b = final(one, folder), final(two, folder)
    for name in a:
      if isinstance(a[name], int | str):
        equal, what = a[name] == b[name], f'{a[name]!s:.30}'
      else:
        size = sum(x.size for x in jax.tree.leaves(a[name]))
        equal, what = bits(a[name]) == bits(b[name]), f'{size:,} numbers'
      rows[name if folder == 'checkpoints' else f'{name}, best'] = equal, what
  a, b = records(one), records(two)
  rows['metrics.jsonl'] = a == b, f'{len(a)} and {len(b)} records'
  a, b = ({x.name: x.read_bytes() for x in (path / 'samples').iterdir()}
          for path in (one, two))
  rows['samples/'] = a == b, f'{len(a)} and {len(b)} pictures'
  a, b = ((path / 'summary.json').read_bytes() for path in (one, two))
  rows['summary.json'] = a == b, ''
  a, b = names(one), names(two)
  rows['names'] = a == b, ', '.join(sorted(a ^ b)) or f'{len(a)} files'
  for name, (equal, what) in rows.items():
    say(f'{name:<26}{"identical" if equal else "DIFFERENT":<11}{what}')
  return all(equal for equal, _ in rows.values())
