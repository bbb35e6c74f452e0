"""Laws of observers: when they are due, and what a new one can count on."""
import contextlib
import json
from unittest import mock

import numpy as np
import optax
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.gan.devices import ShardedStep
from msg_gan_jax.metrics.functional import training_stability
from msg_gan_jax.runs import records
from msg_gan_jax.runs.checkpoints import Checkpoints
from msg_gan_jax.training import (
  kept,
  loop,
  observers,
  progress_line,
  run,
)
from msg_gan_jax.training.observers import Moment

pytestmark = pytest.mark.slow


class GeneratorNorm(observers.Observer):
  """The example of the module's docstring; it remembers what it has seen."""
  every = 192

  def __init__(self):
    self.views = []
    self.closed = 0

  def run(self, view):
    self.views.append((view.images, dict(view.logs)))
    return {'g_norm': float(optax.tree.norm(view.state.g.params))}

  def close(self):
    self.closed += 1


@pytest.fixture
def ring():
  """A ConfigDict of ten steps on a ring, in epochs of 256 points."""
  config = schema.template()
  config.data.update(dict(
      name='ring', resolution=1, channels=2, count=256, held_out=0))
  config.networks.update(dict(
      name='mlp', latent=4, fmap_max=16, stddev='none'))
  config.objective.update(dict(loss='non_saturating', penalty='r1', drift=0.))
  config.train.update(dict(
      batch=64, total_images=640, log_every_images=320,
      sample_every_images=320, measure_every_images=640,
      checkpoint_every_images=640))
  return config


def test_each_is_due_at_its_images():
  moments = [Moment(0, 0), *(
      Moment(n, n + 8, n + 8 == 40) for n in range(0, 40, 8))]
  zero = np.zeros(0)
  gan = type('Gan', (), {'sizes': (4,)})
  for observer, images in (
      (observers.Losses(24, None), [24, 40]),
      (observers.Stability(24, zero, ()), [0, 24]),
      (observers.Grid(24, gan, zero, None, 1.), [0, 24, 40]),
      (observers.Measurement(20, gan, None), [24, 40])):
    assert [x.images for x in moments if observer.due(x)] == images


def test_a_new_observer_has_its_values_in_the_records(ring, tmp_path):
  norm = GeneratorNorm()
  assert loop.train(
      ring, tmp_path, say=lambda line: None, observers=[norm]) == 0
  due = [192, 384, 576, 640]
  recorded = records.read(tmp_path / 'metrics.jsonl')
  assert [r['images'] for r in recorded if 'g_norm' in r] == due
  assert all(r['g_norm'] > 0 for r in recorded if 'g_norm' in r)
  # The losses are written at 320 only, but every view has them.
  assert [images for images, _ in norm.views] == due
  assert all(np.isfinite(logs['d_loss']) for _, logs in norm.views)
  assert norm.closed == 1
  assert [r['images'] for r in recorded if 'epoch' in r] == [256, 512]
  order = list(recorded[-1]).index  # That of the list.
  names = 'images', 'd_loss', 'diversity', 'modes', 'g_norm', 'clock'
  assert sorted(names, key=order) == list(names)


def test_an_observer_that_fails_costs_no_training(ring, tmp_path):
  class Fails(GeneratorNorm):
    every = 640

    def run(self, view):
      raise RuntimeError('it broke')

  fails = Fails()
  with pytest.raises(RuntimeError, match='it broke'):
    loop.train(ring, tmp_path, say=lambda line: None, observers=[fails])
  assert fails.closed == 1
  assert Checkpoints(
      tmp_path / 'checkpoints', read_only=True).steps() == [640]
  summary = json.loads((tmp_path / 'summary.json').read_text())
  assert summary['images'] == 640


class Kept(records.Writer):
  """A writer that remembers, and fails at what it is told."""

  def __init__(self, fails=''):
    self.calls, self._fails = [], fails

  def write(self, images, values, clock=None):
    self._call('write', images, {**values}, {**clock})

  def picture(self, tag, images, array):
    self._call('picture', tag, images, array.ndim)

  def truncate(self, images):
    self._call('truncate', images)

  def close(self):
    self._call('close')

  def _call(self, *call):
    self.calls.append(call)
    if call[0] == self._fails:
      raise OSError('no network')


def test_a_writer_has_the_records_and_costs_nothing_where_it_fails(
    ring, tmp_path):
  ring.train.checkpoint_every_images = 100_000
  kept, fails, last = Kept(), Kept('write'), Kept('close')

  def run(name, writer):
    loop.train(ring, tmp_path / name, lambda line: None, writers=[writer])

  def recorded(name):
    return records.read(tmp_path / name / 'metrics.jsonl')

  run('unbroken', kept)
  assert kept.calls[0] == ('truncate', 0) and kept.calls[-1] == ('close',)
  assert [call[2] for call in kept.calls if call[0] == 'picture'] == [
      0, 320, 640]
  assert recorded('unbroken') == [
      {'images': images, **values, 'clock': clock} for _, images, values, clock
      in (call for call in kept.calls if call[0] == 'write')]
  with pytest.raises(OSError, match='no network'):
    run('broken', fails)
  assert fails.calls[-1] == ('close',)
  assert [record['images'] for record in recorded('broken')] == [256]
  with pytest.raises(OSError, match='no network'):
    run('broken', last)  # After all of it is saved.
  assert last.calls[0] == ('truncate', 256)
  for one, other in zip(
      recorded('unbroken'), recorded('broken'), strict=True):
    assert {**one, 'clock': 0} == {**other, 'clock': 0}


def test_only_the_process_that_writes_files_calls_a_writer(
    ring, tmp_path, monkeypatch):
  kept = Kept('close')
  monkeypatch.setattr(loop.jax, 'process_index', lambda: 1)
  monkeypatch.setattr(loop, 'Workdir', None)  # It comes to that, and no more.
  with pytest.raises(TypeError):
    loop.train(ring, tmp_path, writers=[kept])
  assert kept.calls == []


def test_a_collapse_is_told_and_variety_is_not(tmp_path):
  one_scale = mock.NonCallableMock(sizes=(4,))

  def look(images, variety):
    said = []
    grid = observers.Grid(56, one_scale, None, None, variety)
    values = grid.run(observers.View(
        images=8, state=None, logs={}, render=lambda state, z: (images,),
        folder=tmp_path, main=False, say=said.append, show=None,
        offer=None))
    return values['diversity'], said

  rng = np.random.default_rng(0)
  pictures = rng.integers(0, 256, (64, 4, 4, 3), np.uint8)
  variety = training_stability.pairwise(pictures)
  assert look(pictures, variety) == (1., [])
  diversity, said = look(np.repeat(pictures[:1], 64, 0), variety)
  assert diversity == 0
  assert said == ['warning: at 8 images the samples differ by only 0% of what '
                  'the reals do: G may have collapsed']


def test_the_line_leaves_out_what_is_not_training(ring, tmp_path, monkeypatch):
  around, inside, compiled = [], [], []

  class Watched(progress_line.Progress):
    @contextlib.contextmanager
    def apart(self, what, brief=False):
      around.append(what)
      compiled.extend([what] if what == 'compiling' else [])
      with super().apart(what, brief):
        yield
      around.pop()

  class Looks(GeneratorNorm):
    def run(self, view):
      inside.append([*around])
      return super().run(view)

  class Step(ShardedStep):
    def __call__(self, *args):
      inside.append([*around])
      return super().__call__(*args)

  monkeypatch.setattr(run, 'Progress', Watched)
  monkeypatch.setattr(kept, 'step_of', Step)
  loop.train(ring, tmp_path / 'run', lambda line: None, [Looks()])
  steps = [[]] * 3
  assert inside == [
      ['compiling'], [], [], ['measuring'], *steps, ['measuring'], *steps,
      ['measuring'], [], ['measuring']]
  assert compiled == ['compiling'] * 2  # The first grid, and the step.
