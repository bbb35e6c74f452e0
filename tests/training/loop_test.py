"""Laws of the loop: stopped, damaged or continued, it ends where it would."""
import dataclasses
import fnmatch
import functools
import json
import os
import re
import shutil
import signal

import chex
import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.analysis.generator import samples
from msg_gan_jax.arrays.mesh import data_mesh, replicated
from msg_gan_jax.gan import objective, sampling
from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.devices import ShardedStep
from msg_gan_jax.metrics.functional import training_stability
from msg_gan_jax.report import curves
from msg_gan_jax.runs import (
  checkpoints,
  config_file,
  fingerprints,
  load,
  records,
  workdir,
)
from msg_gan_jax.runs.read import read as written
from msg_gan_jax.training import (
  initial_state,
  kept,
  loop,
  monitor,
  run,
  summary,
)
from msg_gan_jax.training.divergence import DivergedError
from msg_gan_jax.training.stop import SIGNALS, Stop

pytestmark = pytest.mark.slow

TOTAL = 160  # 20 steps of 8; 64 images are an epoch


@pytest.fixture(scope='module')
def config(small):
  """Every cadence its own; a penalty every 4th step, so two programs."""
  return small(
      objective__loss='non_saturating', objective__penalty='r1',
      objective__penalty_every_d_steps=4, optimizer__name='adam',
      train__total_images=TOTAL, train__log_every_images=24,
      train__sample_every_images=56, train__checkpoint_every_images=64,
      train__measure_every_images=88)


def change(config, **train):
  return dataclasses.replace(
      config, train=dataclasses.replace(config.train, **train))


@pytest.fixture(scope='module', autouse=True)
def compiled_once():
  """Runs of this file share their programs, where only lengths differ."""
  once = functools.cache(build)

  def build_once(config):
    train = dataclasses.replace(
        config.train, total_images=1, log_every_images=1,
        sample_every_images=1, checkpoint_every_images=1, keep_checkpoints=1,
        measure_every_images=1, init_from='', init_parts='')
    return once(dataclasses.replace(config, seed=0, train=train))

  with pytest.MonkeyPatch.context() as patch:
    for module in (loop, load):
      patch.setattr(module, 'build', build_once)
    patch.setattr(kept, 'step_of', functools.cache(ShardedStep))
    renderer = functools.cache(sampling.renderer)
    for module in (kept, samples):
      patch.setattr(module, 'renderer', renderer)
    yield


@pytest.fixture(scope='module')
def unbroken(config, tmp_path_factory):
  """(folder, lines said) of a run from its beginning to its end; keep it so."""
  path, said = tmp_path_factory.mktemp('unbroken') / 'run', []
  assert loop.train(config, path, said.append) == 0
  return path, said


@pytest.fixture(autouse=True)
def no_curves(monkeypatch):
  """But of the run that is not broken."""
  monkeypatch.setattr(curves, 'plot', lambda *args, **options: None)


@pytest.fixture
def copy(unbroken, tmp_path):
  shutil.copytree(unbroken[0], tmp_path / 'copy')
  return tmp_path / 'copy'


def final(path):
  """(images, tree) of the newest checkpoint."""
  config = config_file.load_config(path)
  gan = loop.build(config)
  same = replicated(data_mesh())
  like = {'state': load.state_like(gan, same), 'before': jax.tree.map(
      lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=same),
      monitor.like_grid(gan))}
  return checkpoints.Checkpoints(
      path / 'checkpoints', read_only=True).restore(like)


def recorded(path):
  found = records.read(path / 'metrics.jsonl')
  return [{k: v for k, v in r.items() if k != 'clock'} for r in found]


def assert_ends_like(path, other):
  (images, tree), (other_images, other_tree) = final(path), final(other)
  assert images == other_images
  chex.assert_trees_all_equal(tree, other_tree)
  assert fingerprints.fingerprint(tree) == fingerprints.fingerprint(other_tree)
  assert recorded(path) == recorded(other)
  for file in (other / 'samples').iterdir():
    assert (path / 'samples' / file.name).read_bytes() == file.read_bytes()
  assert (path / 'summary.json').read_text() == (
      other / 'summary.json').read_text()


def stop_at(monkeypatch, signals):
  """The process gets signals, {images: number}, once so many were shown."""
  wanted = Stop.wanted

  def then(self, step):
    if number := signals.get(step * 8):
      os.kill(os.getpid(), number)
    return wanted(self, step)

  monkeypatch.setattr(Stop, 'wanted', then)


def at(monkeypatch, images, change):
  """State is changed by `change` once this number of images was shown."""
  right = kept.step_of

  def step(gan, over):
    def one(state, batch, key, phase):
      if int(state.images) == images:
        state = jax.tree.map(
            lambda new, old: jax.device_put(new, old.sharding),
            change(state), state)
      return right(gan, over)(state, batch, key, phase)
    return one

  monkeypatch.setattr(kept, 'step_of', step)


def test_a_run_leaves_its_records(unbroken, config):
  path, said = unbroken
  assert config_file.load_config(path) == config
  entry, = json.loads((path / 'versions.json').read_text())
  assert entry['images'] == 0 and entry['packages']['jax'] == jax.__version__
  assert entry['devices']['count'] == 1
  splits = loop.open_source(config)
  assert entry['data_digest'] == splits.train.digest()
  assert entry['pictures'] == splits.about()
  assert sorted(os.listdir(path / 'samples')) == [
      f'images_{n:010d}.png' for n in (0, 56, 112, TOTAL)]
  with Image.open(path / 'samples' / 'images_0000000056.png') as image:
    # 36 samples at 4, 8 and 16 px side by side.
    assert np.asarray(image).std() > 1
  assert checkpoints.Checkpoints(
      path / 'checkpoints', read_only=True).steps() == [128, TOTAL]
  assert not (path / 'changes.jsonl').exists()
  assert said[0].startswith(f'{path}: 160 images, 64 in an epoch, 1 cpu')
  assert said[-1] == f'curves: {path / "curves.png"}'
  assert (path / 'curves.png').exists()


def test_records_come_at_their_images_and_hold_their_numbers(unbroken):
  found = {r['images']: set(r) - {'images'} for r in recorded(unbroken[0])}
  logs = {'d_loss', 'g_loss', 'd_real', 'd_fake', 'drift', 'd_grad_norm',
          'g_grad_norm'}
  moved = {'stability_4', 'stability_8', 'stability_16'}
  distances = {'swd_16', 'swd_mean', 'pairwise_ratio', 'references'}
  of_steps = logs | {'steps', 'spread'}
  wanted = {n: of_steps for n in (24, 48, 72, 96, 120, 144, TOTAL)}
  looked = {'diversity', 'consistency_4', 'consistency_8', 'share_4', 'share_8',
            'share_16'}
  for images, more in ((56, looked), (112, looked),
                       (TOTAL, looked), (64, {'epoch'} | moved),
                       (128, {'epoch'} | moved), (88, distances),
                       (TOTAL, distances), *(
                           (n, {'penalty', 'steps_of'})
                           for n in (24, 48, 72, 120, 144))):
    # Penalties are due in the steps that begin at 0, 32, 64, 96 and 128.
    wanted[images] = wanted.get(images, set()) | more
  assert found == wanted
  for record in records.read(unbroken[0] / 'metrics.jsonl'):
    assert set(record['clock']) == {'seconds', 'images_per_second'}
    assert all(np.isfinite(x) for k, v in record.items() if k != 'clock'
               for x in jax.tree.leaves(v))


def test_the_summary_is_of_the_averaged_weights(unbroken, config):
  path, said = unbroken
  found = json.loads((path / 'summary.json').read_text())
  assert found['images'] == TOTAL
  assert set(found['swd']) == {'samples', 'halves', 'noise', 'pca'}
  assert found['protocol']['n_real'] == found['protocol']['n_fake'] == 32
  gan = loop.build(config)
  levels = sampling.renderer(gan, data_mesh())(
      final(path)[1]['state'], sampling.summary_latents(gan, 32))
  assert found['pairwise']['samples'] == training_stability.pairwise(levels[-1])
  assert summary.DistanceSummary.table(found) in '\n'.join(said)
  assert recorded(path)[-1]['swd_16'] == found['swd']['samples']['16']
  assert f'pictures: {path / "samples"}' in said


def test_every_panel_of_the_curves_shows_records_of_a_run(unbroken):
  assert (names := set().union(*recorded(unbroken[0]))) >= {*objective.TERMS}
  # dynamics_test.py has a run with those that are left out.
  for title, patterns, _ in set(curves.PANELS) - {*curves.DYNAMICS}:
    for pattern in patterns:
      assert fnmatch.filter(names, pattern), (title, pattern)


def test_stability_is_the_change_of_the_samples_in_an_epoch(
    unbroken, config, tmp_path):
  path = tmp_path / 'run'
  loop.train(change(config, total_images=128, keep_checkpoints=9), path, len)
  _, second = final(path)
  shutil.rmtree(path / 'checkpoints' / '128')
  images, first = final(path)
  assert images == 64
  gan = loop.build(config)
  render = sampling.renderer(gan, data_mesh())
  z = gan.draw(jax.random.fold_in(jax.random.key(config.seed), 2),
               monitor.VARIETY)[:monitor.GRID]
  before, after = render(first['state'], z), render(second['state'], z)
  chex.assert_trees_all_equal(jax.device_get(first['before']), before)
  chex.assert_trees_all_equal(jax.device_get(second['before']), after)
  record, = (r for r in recorded(unbroken[0]) if r['images'] == 128)
  wanted = training_stability.change(before, after)
  assert {k: v for k, v in record.items() if 'stability' in k} == {
      f'stability_{size}': wanted[size] for size in (4, 8, 16)}
  assert min(wanted.values()) > 0


def test_stopped_and_continued_it_ends_as_unbroken(
    unbroken, config, tmp_path, monkeypatch):
  path = tmp_path / 'run'
  before = [signal.getsignal(n) for n in SIGNALS]
  # Beside, at, and after a cadence.
  stops = {72: signal.SIGTERM, 128: signal.SIGUSR1, 136: signal.SIGUSR2}
  with monkeypatch.context() as patch:
    stop_at(patch, stops)
    for images, number in stops.items():
      said = []
      assert loop.train(config, path, said.append) == number
      assert said[-1] == (f'stopped and saved at {images} images; the same '
                          'command continues')
      assert final(path)[0] == images
  said = []
  assert loop.train(config, path, said.append) == 0
  assert said[0] == 'continuing after 136 images'
  assert_ends_like(path, unbroken[0])
  starts = json.loads((path / 'versions.json').read_text())
  assert [entry['images'] for entry in starts] == [0, *stops]
  assert before == [signal.getsignal(n) for n in SIGNALS]


def test_a_signal_in_the_last_step_ends_the_run(
    config, unbroken, tmp_path, monkeypatch):
  stop_at(monkeypatch, {TOTAL: signal.SIGTERM})
  assert loop.train(config, tmp_path / 'run', len) == 0
  assert_ends_like(tmp_path / 'run', unbroken[0])


def test_after_the_end_the_same_command_prints_the_summary(
    unbroken, copy, config, monkeypatch):
  monkeypatch.setattr(run.Run, '_after_step', None)  # No step is taken.
  said = []
  assert loop.train(config, copy, said.append) == 0
  done, *table = said
  assert done == 'done after 160 images' and table[0] == 'after 160 images'
  assert '\n'.join(table) in '\n'.join(unbroken[1])
  assert_ends_like(copy, unbroken[0])


def test_a_longer_run_is_a_change_that_is_recorded(
    unbroken, config, tmp_path):
  """Ended at 104 and made longer, it comes to the same state."""
  path, said = tmp_path / 'run', []
  assert loop.train(change(config, total_images=104), path, len) == 0
  assert loop.train(config, path, said.append) == 0
  line = 'train.total_images: 104 -> 160'
  assert f'changed: {line}' in said
  entry = json.loads((path / 'changes.jsonl').read_text())
  assert entry['images'] == 104 and entry['changed'] == [line]
  assert config_file.load_config(path) == config
  chex.assert_trees_all_equal(final(path), final(unbroken[0]))
  extra, = (r for r in recorded(path) if r not in recorded(unbroken[0]))
  assert extra['images'] == 104  # Its end had a record.


def test_another_config_is_refused_and_changes_nothing(copy, config):
  before = {p: p.read_bytes() for p in copy.rglob('*')
            if p.is_file() and p.name != '.lock'}
  with pytest.raises(ValueError) as error:
    loop.train(change(config, batch=16, n_dis=2), copy)
  assert '\n  config.train.batch: 8 -> 16\n' in str(error.value)
  assert '\n  config.train.n_dis: 1 -> 2\n' in str(error.value)
  assert before == {p: p.read_bytes() for p in copy.rglob('*')
                    if p.is_file() and p.name != '.lock'}


def test_a_number_that_is_not_finite_stops_before_anything_is_saved(
    unbroken, config, tmp_path, monkeypatch):
  path = tmp_path / 'run'
  with monkeypatch.context() as patch:
    at(patch, 80, lambda state: state.replace(
        hyper={**state.hyper, 'd_rate': jnp.float32(1e30)}))
    for _ in range(2):  # Again from the checkpoint, again the same.
      with pytest.raises(DivergedError) as error:
        loop.train(config, path, len)
      text = str(error.value)
      # D's parameters are 1e30 once it has learnt, and G is the next to ask.
      assert re.match(re.escape(str(path)) + r': g_loss = (nan|-?inf) and '
                      r'g_grad_norm = nan in the step that ended at 88', text)
      assert 'last good checkpoint has 64 images' in text
      assert 'config.optimizer.d_rate' in text
      assert 'diverged: g_loss = ' in written(path).diverged
      assert [r['images'] for r in recorded(path)][-1] == 72
      assert final(path)[0] == 64
      assert not monitor.not_finite_leaves(final(path)[1]['state'])
  loop.train(config, path, len)
  assert_ends_like(path, unbroken[0])
  assert not written(path).diverged  # It got over it.


def test_a_damaged_checkpoint_is_passed_over(unbroken, copy, config):
  newest = copy / 'checkpoints' / str(TOTAL)
  file = max(newest.rglob('d/*'), key=lambda p: p.stat().st_size)
  data = bytearray(file.read_bytes())
  data[len(data) // 2] ^= 0x10
  file.write_bytes(data)
  said = []
  assert loop.train(config, copy, said.append) == 0
  assert said[0].startswith('warning: checkpoint 160 is damaged: ')
  assert 'moved to damaged/160-' in said[0]
  assert said[1] == 'continuing after 128 images'
  assert_ends_like(copy, unbroken[0])


def test_collapse_is_told_where_the_records_show_it(unbroken):
  low = [r for r in recorded(unbroken[0])
         if r.get('diversity', 1) < monitor.COLLAPSE]
  assert len(low) == sum('collapsed' in line for line in unbroken[1])


def test_a_start_takes_only_the_parts_it_asks_for(unbroken, config):
  other = final(unbroken[0])[1]['state']
  same = replicated(data_mesh())
  gan, key = loop.build(config), jax.random.key(1)
  own = gan.init(key)
  for parts in ('g', 'd', 'ema', 'g, d,ema'):
    state = initial_state.create(
        gan, change(config, init_from=str(unbroken[0]), init_parts=parts),
        key, same)
    g, d, ema = (x in parts.replace(' ', '').split(',')
                 for x in ('g', 'd', 'ema'))
    chex.assert_trees_all_equal(
        state, own.replace(
            g=own.g.replace(params=(other if g else own).g.params),
            d=own.d.replace(params=(other if d else own).d.params),
            ema=(other if ema else own).ema))


def test_a_run_begins_from_another(unbroken, config, tmp_path):
  path = tmp_path / 'run'
  loop.train(change(config, init_from=str(unbroken[0]), total_images=8),
             path, len)
  # Its first pictures are the last of the other: the same average and z.
  assert (path / 'samples' / 'images_0000000000.png').read_bytes() == (
      unbroken[0] / 'samples' / 'images_0000000160.png').read_bytes()


def test_what_cannot_be_begun_from_is_an_error(
    unbroken, config, small, tmp_path):
  path = str(unbroken[0])
  empty = tmp_path / 'empty'
  with workdir.Workdir(empty) as w:
    w.start(config)
  same = replicated(data_mesh())
  for settings, text in (
      (dict(init_parts='g,emma'), r"init_parts: no part 'emma'; did you mean "
                                  r"'ema'\? Known: d, ema, g"),
      (dict(init_from=path[:-1]), r'init_from .*: no such folder\. Did you '
                                  r"mean 'run'\?"),
      (dict(init_from=str(empty)),
       r'init_from .*empty: there is no checkpoint yet')):
    with pytest.raises(ValueError, match=text):
      initial_state.create(loop.build(config), change(
          config, **{'init_from': path, **settings}), jax.random.key(0), same)
  for settings, text in (
      (dict(networks__latent=16), r'init_from: g.*: that run has \(.*8.*\), '
                                  r'this one wants \(.*16'),
      (dict(data__resolution=8),
       r'init_from: g: that run has other layers')):
    other = small(train__init_from=path, **settings)
    with pytest.raises(ValueError, match=text):
      initial_state.create(loop.build(other), other, jax.random.key(0), same)


def read(path):
  with Image.open(path) as image:
    return np.asarray(image)


def test_samples_are_what_the_generator_draws(unbroken, config, tmp_path):
  path, out = unbroken[0], tmp_path / 'out'
  paths = samples.sample_run_to_files(
      path, out, 5, samples.Sampling(seed=3), separate=True, scales=True)
  singles = [f'{size}px_{i:05d}.png' for size in (4, 8, 16) for i in range(5)]
  assert [os.path.relpath(p, out) for p in paths] == [
      'grid.png', 'scales.png', *singles]
  assert sorted(os.listdir(out)) == sorted(['grid.png', 'scales.png', *singles])
  gan = loop.build(config)
  z = gan.draw(jax.random.key(3), 5)
  levels = sampling.renderer(gan, data_mesh())(final(path)[1]['state'], z)
  for level in levels:
    for i, image in enumerate(level):
      np.testing.assert_array_equal(
          read(out / f'{len(image)}px_{i:05d}.png'), image)

  def grid(name, z_file='', **options):
    found = samples.sample_run_to_files(
        path, tmp_path / name, 5, samples.Sampling(**options), z_file)
    assert len(found) == 1
    return read(found[0])

  first = read(out / 'grid.png')
  np.save(tmp_path / 'z.npy', z)
  np.testing.assert_array_equal(grid('again', seed=3), first)
  np.testing.assert_array_equal(
      grid('file', z_file=str(tmp_path / 'z.npy')), first)
  assert (grid('other', seed=4) != first).any()
  assert (grid('raw', seed=3, weights='raw') != first).any()


@pytest.mark.parametrize('write, text', [
    (None, r'there is no file .*z\.npy'),
    (lambda p: p.write_text('1 2 3'), r'z\.npy is not an array of numpy'),
    (lambda p: p.write_bytes(b''), r'z\.npy is not an array of numpy'),
    (lambda p: np.save(p, np.array([{}, {}])), r'is not an array of numpy'),
    (lambda p: np.save(p, np.zeros(8)), r'wanted an array \[n, 8\], found '
                                        r'\[8\]'),
    (lambda p: np.save(p, np.zeros((3, 7))), r'\[n, 8\], found \[3, 7\]'),
    (lambda p: np.save(p, np.zeros((0, 8))), r'\[n, 8\], found \[0, 8\]'),
    (lambda p: np.save(p, np.full((2, 8), 'a')), r'finite numbers, found <U1'),
    (lambda p: np.save(p, np.full((2, 8), np.nan)), r'found float64 with 16 '
                                                    r'that are not'),
])
def test_a_bad_file_of_latents_is_an_error(
    unbroken, tmp_path, write, text):
  if write:
    with open(tmp_path / 'z.npy', 'wb'):
      write(tmp_path / 'z.npy')
  with pytest.raises(ValueError, match=f'^z_file: .*{text}'):
    samples.sample_run_to_files(
        unbroken[0], tmp_path / 'out', z_file=str(tmp_path / 'z.npy'))
  assert not (tmp_path / 'out').exists()


def test_samples_of_no_run_are_an_error(unbroken, config, tmp_path):
  with pytest.raises(ValueError, match=r"no such folder\. Did you mean 'run'"):
    samples.sample_run_to_files(
        unbroken[0].parent / 'runn', tmp_path / 'out')
  with workdir.Workdir(tmp_path / 'new') as w:
    w.start(config)
  with pytest.raises(ValueError, match='there is no checkpoint yet'):
    samples.sample_run_to_files(tmp_path / 'new', tmp_path / 'out')
