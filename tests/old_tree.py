"""Moves a run from an older commit into this tree, and compares all of it.

  python tests/old_tree.py --before=COMMIT [--only=growing] [--folder=DIR]

Small runs (MSG-GAN, a growing GAN, a StyleGAN2 with ADA, and presets whose
settings have changed since) are trained half-way by the older commit, in a git
worktree, and to the end by this tree, under the run's own settings. Beside each
stands a run that the older commit trained whole. State, records and samples
must be equal bit for bit, scores (of SCORED) to 1e-6 and their error bars to
1e-4 of their size; the exit status is 1 where they are not.
"""
import argparse
import contextlib
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

from helpers import ROOT

sys.path.insert(0, str(ROOT))  # So that this checkout need not be installed.

from msg_gan_jax.arrays import compilation

SCORED = 'quickstart', 'growing', 'ada'
TOTAL = {'quickstart': 160, 'growing': 112, 'ada': 160, 'lsgan': 160,
         'dcgan_studiogan': 160, 'mimicry_sngan32': 160,
         'mimicry_cgan_pd32': 160, 'progan_cifar10': 112,
         'stylegan2_ada_cifar10': 160, 'r3gan_64': 160, 'r3gan_cifar10': 160}
METRICS = 'fid,kid,precision_recall,density_coverage,swd,ms_ssim'
EXPERIMENT = '''
from msg_gan_jax.config import template

PRESETS = {'quickstart': 'msg_progan', 'growing': 'progan',
           'ada': 'stylegan2_ada'}


def get_config(kind):
  config = template(PRESETS.get(kind, kind))
  config.data.resolution = 16
  config.data.count = 256
  config.data.held_out = 64
  config.networks.latent = 8
  config.networks.fmap_max = 8
  config.networks.fmap_base = 64
  config.train.batch = 8
  # Each step has its record: older commits recorded the last of several, newer
  # ones record their mean.
  config.train.log_every_images = 8
  config.train.sample_every_images = 40
  config.train.measure_every_images = 10_000
  config.train.checkpoint_every_images = 10_000
  config.evaluate.metrics = ''
  config.evaluate.best = ''
  if config.networks.classes:
    config.data.label = 'hair_style'  # It has ten.
  if config.networks.dtype == 'bfloat16':
    config.networks.dtype = 'float32'  # Of which all bits count.
  if config.train.grow_from:  # Half-way lies in the middle of the last fade.
    config.train.grow_from = 4
    config.train.grow_stable_images = 16
    config.train.grow_fade_images = 16
    config.train.grow_batches = ''
    config.train.grow_rates = ''
  if 'ada' in kind:
    config.networks.w = 8
    config.networks.mapping_layers = 2
    config.objective.augment_speed_images = 100
    config.networks.stddev_group = 4
  return config
'''


def launch(tree, folder, *words):
  """One command of the program in a tree; ends this one if it fails.

  Both trees compile with the options of this one: others give other bits.
  """
  flags = [f'--{name}={value}'
           for name, value in compilation.options().items()]
  done = subprocess.run(
      [sys.executable, str(tree / 'launch.py'), *words], cwd=folder, text=True,
      capture_output=True, env={
          **os.environ, 'PYTHONPATH': str(tree), 'XLA_FLAGS': ' '.join(
              [*flags, os.environ.get('XLA_FLAGS', '')])})
  if done.returncode:
    sys.exit(f'{tree}: {" ".join(words)}\n{done.stdout}{done.stderr}')


def train(tree, folder, kind, name, images):
  launch(tree, folder, f'--config={folder / "experiment.py"}:{kind}',
         f'--workdir={folder / name}', f'--config.train.total_images={images}')


def state_of(run):
  """{path: array} of the newest checkpoint."""
  import jax

  from msg_gan_jax.runs.load import load
  leaves, _ = jax.tree_util.tree_flatten_with_path(load(run).state)
  return {jax.tree_util.keystr(path): jax.device_get(x) for path, x in leaves}


def records_of(run):
  """Lines of metrics.jsonl, without what depends on the clock."""
  lines = (run / 'metrics.jsonl').read_text().splitlines()
  return [{k: v for k, v in json.loads(line).items() if k != 'clock'}
          for line in lines]


def scores_of(folder):
  """{name: (value, error)} of the newest line of scores.jsonl."""
  line = (folder / 'scores.jsonl').read_text().splitlines()[-1]
  return {name: (score['value'], score.get('error'))
          for name, score in json.loads(line)['scores'].items()}


def close(a, b, tolerance):
  if a is None or b is None:
    return a is b
  return math.isclose(a, b, rel_tol=tolerance, abs_tol=1e-9) or (
      math.isnan(a) and math.isnan(b))


def compare(old, folder, kind):
  """Trains, samples and scores both runs of a kind; lines of differences."""
  whole, moved = folder / f'{kind}_whole', folder / f'{kind}_moved'
  train(old, folder, kind, whole.name, TOTAL[kind])
  train(old, folder, kind, moved.name, TOTAL[kind] // 2)
  # Without a --config: what a preset has by now is not what the run has.
  launch(ROOT, folder, f'--workdir={moved}',
         f'--config.train.total_images={TOTAL[kind]}')
  wrong = []
  states = state_of(whole), state_of(moved)
  if states[0].keys() != states[1].keys():
    wrong.append('State has other arrays')
  wrong += [f'State{name}' for name, x in states[0].items()
            if x.tobytes() != states[1].get(name, x[..., None]).tobytes()]
  # The run that was moved also has what its first end recorded.
  moved_records = {record['images']: record for record in records_of(moved)}
  wanted = {record['images']: record for record in records_of(whole)}
  for images, record in wanted.items():
    wrong += [f'record {images}: {name}' for name, value in record.items()
              if moved_records.get(images, {}).get(name) != value]
  for tree, run in ((old, whole), (ROOT, moved)):
    launch(tree, folder, '--mode=sample', f'--workdir={run}', '--count=9',
           '--seed=3', '--separate', '--scales', f'--out={run}/drawn')
    if kind in SCORED:
      launch(tree, folder, '--mode=evaluate', f'--workdir={run}', '--count=128',
             f'--metrics={METRICS}', '--features=random_conv',
             f'--out={run}/scored')
  pictures = sorted(x.name for x in (whole / 'drawn').iterdir())
  if pictures != sorted(x.name for x in (moved / 'drawn').iterdir()):
    wrong.append('other pictures')
  wrong += [name for name in pictures if (whole / 'drawn' / name).read_bytes()
            != (moved / 'drawn' / name).read_bytes()]
  before, after = (scores_of(run / 'scored') if kind in SCORED else {}
                   for run in (whole, moved))
  if before.keys() != after.keys():
    wrong.append(f'scores {sorted(before.keys() ^ after.keys())}')
  for name in before.keys() & after.keys():
    for what, tolerance, a, b in zip(
        ('score', 'error of'), (1e-6, 1e-4), before[name], after[name],
        strict=True):
      if not close(a, b, tolerance):
        wrong.append(f'{what} {name}: {a} -> {b}')
  print(f'{kind}: {len(states[0])} arrays, {len(wanted)} records, '
        f'{len(pictures)} pictures, {len(before)} scores: '
        f'{"all equal" if not wrong else f"{len(wrong)} differ"}', flush=True)
  return [f'{kind}: {line}' for line in wrong]


@contextlib.contextmanager
def worktree(commit):
  """The folder of another commit's files."""
  with tempfile.TemporaryDirectory() as folder:
    tree = pathlib.Path(folder) / 'before'
    git = ['git', '-C', str(ROOT), 'worktree']
    subprocess.run([*git, 'add', '--quiet', '--detach', tree, commit],
                   check=True)
    try:
      yield tree
    finally:
      subprocess.run([*git, 'remove', '--force', tree], check=True)


def main(commit, kinds, folder=None):
  """Whether nothing differs."""
  with contextlib.ExitStack() as stack:
    old = stack.enter_context(worktree(commit))
    folder = pathlib.Path(
        folder or stack.enter_context(tempfile.TemporaryDirectory())).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'experiment.py').write_text(EXPERIMENT)
    wrong = [line for kind in kinds for line in compare(old, folder, kind)]
  print('\n'.join(wrong))
  return not wrong


if __name__ == '__main__':
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument('--before', required=True, help='a commit')
  parser.add_argument('--only', choices=list(TOTAL), help='one kind of run')
  parser.add_argument('--folder', help='kept; a temporary one if not given')
  chosen = parser.parse_args()
  sys.exit(not main(chosen.before, [chosen.only] if chosen.only else TOTAL,
                    chosen.folder))
