"""Trains every experiment for a moment, in two starts, and samples from it.

  python tests/all_experiments.py [--out=PAGE] [NAME ...]

--out=docs/studies/every_experiment.md writes that page.

Narrow, with small batches and drawn pictures in place of files; what makes the
program is left as it is: network, objective, norms, order of updates. What
grows is stopped in the middle of its last fade, and an adaptive augmentation
begins at .5. The exit status is 1 where anything fails. 40 minutes on one core.
"""
import argparse
import contextlib
import importlib
import os
import pathlib
import sys
import tempfile
import time
import traceback
from unittest import mock

from helpers import ROOT

# Of experiments with an argument, those whose program differs.
ARGUMENTS = {
    'landscape_resnet19': ('celebahq_ln_dragan', 'lsun_sn_ls', 'lsun_ln_gp'),
    'landscape_resnet_cifar': ('none',),
    'landscape_sndcgan': ('celebahq_sn_gp', 'lsun'),
    'mimicry_cifar10': ('cgan_pd',),
    # At MOST px there is no 'fine'.
    'msg_progan_connections': ('none', 'coarse', 'middle'),
    'msg_progan_flowers': ('code',),
    'msg_progan_phi': ('lin_cat', 'cat_lin', 'stylegan_simple'),
    'msg_resnet_cifar10': ('none',),
    'msg_sndcgan_cifar10': ('none', '4,8'),
    'msg_stylegan_flowers': ('paper',),
    'msg_vs_growing_16px': ('progan', 'plain'),
    'progan_celebahq': ('v2',),
    'sngan_cnn_cifar10': ('hinge',),
    'sngan_resnet_cifar10': ('non_saturating',),
    'stylegan2_ada_cifar10': ('conditional',),
    'stylegan_ffhq': ('fixed',),
    'wgan_gp_resnet_cifar10': ('unconditional',),
}
STEPS = 50
BATCH = 4
MOST = 32  # pixels
GROWN = 16  # pixels of what grows: each resolution is compiled anew
LEAST = {'resnet19': 64}  # that a network can draw, where it is more
HEAD = """# Every experiment, trained for a moment

This page is generated: `python tests/all_experiments.py
--out=docs/studies/every_experiment.md`.

All files of [experiments](../../experiments), and what became of each when it
was trained for {steps} steps in two starts, the second continuing the first,
and sampled. The networks are narrow, batches have {batch} pictures, which are
drawn and at most {most} px large (ResNet19: 64, GANs that grow: {grown}). A GAN
that grows was stopped in the middle of its last fade, and the probability of an
adaptive augmentation had to move before the stop and after it.
Parameters are those of the experiment itself, in millions; seconds are of one
core. *Norms* are those between layers, and of weights where there is one, of G
/ of D.

"""
TITLE = ('experiment', 'network', 'loss', 'penalty, augmentation',
         'norms of G / D', 'D updates', 'G, D parameters', 'seconds', 'result')


def names():
  """Every experiment, 'file' or 'file:argument' as --config takes it."""
  for path in sorted((ROOT / 'experiments').glob('*.py')):
    if path.stem != '__init__':
      yield path.stem
      yield from (f'{path.stem}:{x}' for x in ARGUMENTS.get(path.stem, ()))


def load(name):
  """The ConfigDict of 'file:argument'."""
  import runpy
  stem, colon, argument = name.partition(':')
  scope = runpy.run_path(str(ROOT / 'experiments' / f'{stem}.py'))
  return scope['get_config'](*([argument] if colon else []))


def small(config, most=MOST, n_dis=None):
  """The same experiment as a Config that trains within seconds.

  Args:
    config: ConfigDict, which is changed.
    most: pixels.
    n_dis: D updates of a step at most; None leaves them as they are.
  """
  from msg_gan_jax.config import schema
  from msg_gan_jax.data.sources import DRAWN
  data, networks, train = config.data, config.networks, config.train
  objective, schedule = config.objective, config.schedule
  usual = schema.template().data
  if data.name not in DRAWN:
    for field in ('path', 'dataset', 'label', 'label_file', 'resize', 'filter',
                  'split', 'on_bad'):
      data[field] = usual[field]
    data.name = 'avatars'  # Hair comes in ten styles, CIFAR-10 in ten classes.
  most = min(most, GROWN) if train.grow_from else most
  data.resolution = max(min(data.resolution, most), LEAST.get(networks.name, 1))
  data.count, data.held_out = 256, 32
  networks.fmap_max, networks.fmap_base = 8, 64
  if networks.name != 'lapgan':  # Its latent holds a map for every level.
    networks.latent = min(networks.latent, 16)
  if networks.name.startswith('stylegan'):
    networks.w, networks.mapping_layers = 16, 2
  if n_dis and train.n_dis > n_dis:
    train.n_dis_more = train.n_dis_more * n_dis // train.n_dis
    train.n_dis = n_dis
  whole, train.batch = train.total_images, BATCH
  train.total_images = STEPS * BATCH * train.n_dis
  train.level_images = train.level_images * train.total_images // whole
  schedule.images = -(-schedule.images * train.total_images // whole)
  if objective.augment_target:  # From here it can move either way.
    objective.augment_strength = .5
    objective.augment_speed_images = 2 * train.total_images
  if train.grow_from:
    train.grow_batches = ''
    doublings = (data.resolution // train.grow_from).bit_length() - 1
    train.grow_stable_images = train.grow_fade_images = int(
        train.total_images / 2 / (2 * doublings - .5))
  train.log_every_images = 5 * BATCH * train.n_dis
  for every in ('sample', 'measure', 'checkpoint'):
    train[f'{every}_every_images'] = train.total_images // 2
  return schema.parse(config)


@contextlib.contextmanager
def compiled_once(config):
  """Both starts and the sampling share their programs; no curves are drawn."""
  from msg_gan_jax.analysis.generator import samples
  from msg_gan_jax.data import sources
  from msg_gan_jax.gan import build
  from msg_gan_jax.report import curves
  from msg_gan_jax.runs import load
  from msg_gan_jax.training import first_start, kept, loop
  gan = build.build(first_start.with_choices(
      config, sources.open_source(config)))
  with contextlib.ExitStack() as stack:
    stack.enter_context(mock.patch.object(curves, 'plot'))
    for module in (build, loop, load):
      stack.enter_context(mock.patch.object(
          module, 'build', lambda unused_config: gan))
    # What training keeps of a GAN is there for its samples, too.
    stack.enter_context(mock.patch.object(
        samples, 'renderer', kept.renderer_of))
    yield


def check(name, folder, most=MOST, n_dis=None, metrics=False):
  """Trains an experiment twice, samples from it, and looks at what is there.

  Args:
    name: 'file' or 'file:argument'.
    folder: for the run.
    most, n_dis: see `small`.
    metrics: whether the two starts measure what the experiment measures.

  Raises:
    AssertionError: something is missing, not finite, or did not change.
  """
  import dataclasses

  from endurance import tiny_run
  import jax
  import numpy as np

  from msg_gan_jax.analysis.generator import samples
  from msg_gan_jax.runs import records
  from msg_gan_jax.training import loop
  config = load(name)
  if not metrics:
    config.evaluate.metrics = config.evaluate.best = ''
  config = small(config, most, n_dis)
  half = config.train.total_images // 2
  first = dataclasses.replace(
      config, train=dataclasses.replace(config.train, total_images=half))
  said, run, states = [], pathlib.Path(folder) / 'run', []
  with compiled_once(config):
    for part in (first, config):
      loop.train(part, run, said.append)
      states.append(tiny_run.final(run))
    paths = samples.sample_run_to_files(run, run / 'grid', count=16)
  assert f'continuing after {half:,} images' in said, said
  before, after = states
  assert (before['images'], after['images']) == (
      half, config.train.total_images)
  for tree in ('parameters of G', 'parameters of D', 'average of G'):
    old, new = (jax.device_get(jax.tree.leaves(x[tree])) for x in states)
    assert all(np.isfinite(x).all() for x in new), f'{tree}: not finite'
    same = sum(np.array_equal(a, b) for a, b in zip(old, new, strict=True))
    assert same < len(new) / 2, f'{tree}: {same} of {len(new)} did not change'
  lines = records.read(run / 'metrics.jsonl')
  check_moving(config, half, lines)
  assert len(lines) >= 10 and all(
      np.isfinite(value) for record in lines for value in record.values()
      if isinstance(value, int | float)), 'records'
  for images in (0, half, config.train.total_images):
    assert (run / 'samples' / f'images_{images:010d}.png').exists(), images
  assert paths and all(pathlib.Path(x).stat().st_size for x in paths)


def check_moving(config, half, lines):
  """The stop lies in a fade, and an adaptive augmentation moves around it."""
  if config.train.grow_from:
    alpha, = (x['alpha'] for x in lines if x['images'] == half)
    assert 0 < alpha < 1, f'stopped at alpha {alpha}, in no fade'
  if config.objective.augment_target:
    for late in (False, True):
      strengths = {x['augment_strength'] for x in lines
                   if (x['images'] > half) == late}
      assert len(strengths) > 1, f'augment_strength stays {strengths}'


def describe(name):
  """The cells of an experiment, from its own settings."""
  import jax

  from msg_gan_jax.commands import dry_run
  from msg_gan_jax.config import schema
  from msg_gan_jax.gan import build
  config = schema.parse(load(name))
  networks, objective = config.networks, config.objective
  state = jax.eval_shape(build.build(config).init, jax.random.key(0))

  def normed(player):
    found = [x for x in (getattr(networks, f'{player}_norm'),
                         getattr(networks, f'{player}_weight_norm'))
             if x != 'none']
    return ' + '.join(found) or '-'

  extra = [x for x in (objective.constraint, objective.d_weight_penalty,
                       objective.g_penalty, objective.augment) if x != 'none']
  return (f'`{name}`', networks.name, objective.loss,
          ', '.join([objective.penalty, *extra]),
          f'{normed("g")} / {normed("d")}', str(config.train.n_dis),
          ', '.join(f'{dry_run.count_parameters(x.params) / 1e6:.2f}'
                    for x in (state.g, state.d)))


def main(chosen=(), out=None, say=print):
  """Returns whether all is well."""
  importlib.import_module('msg_gan_jax.training.loop')  # jax loads untimed.
  rows = []
  for name in chosen or names():
    start, result = time.monotonic(), 'ok'
    cells = (f'`{name}`', *['?'] * 6)
    try:
      cells = describe(name)
      with tempfile.TemporaryDirectory() as folder:
        check(name, folder, metrics=True)
    except Exception as error:  # The others are run nevertheless.
      traceback.print_exc()
      result = f'**{type(error).__name__}: {str(error)[:200]}**'.replace(
          '\n', ' ').replace('|', '/')
    rows.append((*cells, f'{time.monotonic() - start:.0f}', result))
    say(f'| {" | ".join(rows[-1])} |')
  failed = sum(row[-1] != 'ok' for row in rows)
  if out:
    lines = [TITLE, ['---'] * len(TITLE), *rows]
    pathlib.Path(out).write_text(
        HEAD.format(steps=STEPS, batch=BATCH, most=MOST, grown=GROWN)
        + ''.join(f'| {" | ".join(line)} |\n' for line in lines)
        + f'\n{len(rows) - failed} of {len(rows)} are well.\n')
  say(f'{len(rows) - failed} of {len(rows)} are well')
  return not failed


if __name__ == '__main__':
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument('names', nargs='*', metavar='NAME')
  parser.add_argument('--out', help='writes the table as a page')
  options = parser.parse_args()
  # As the suite does: compiling is most of the time.
  os.environ.setdefault('XLA_FLAGS', '--xla_backend_optimization_level=0')
  os.environ.setdefault('JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS', '.1')
  os.environ.setdefault('JAX_COMPILATION_CACHE_DIR', os.path.join(
      tempfile.gettempdir(), f'msg_gan_jax_test_cache_{os.getuid()}'))
  sys.path.insert(0, str(ROOT))
  sys.exit(not main(options.names, options.out))
