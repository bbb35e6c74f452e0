"""Laws of groups of steps: they cross nothing, and change nothing."""
import os
import signal
from types import SimpleNamespace

import jax
import numpy as np
import pytest

from msg_gan_jax.gan.devices import ShardedStep
from msg_gan_jax.gan.schedules import Phase
from msg_gan_jax.runs import checkpoints, records
from msg_gan_jax.training import groups, kept, loop
from msg_gan_jax.training.divergence import DivergedError
from msg_gan_jax.training.stop import Stop


def grouped(phase, asked=4, total=400, every=0, shape=(1, 1, 2)):
  """Groups of a GAN that has no more than phases."""
  config = SimpleNamespace(train=SimpleNamespace(steps_a_dispatch=asked),
                           data=SimpleNamespace(shape=shape))
  return groups.Groups(
      SimpleNamespace(phase=phase, components=SimpleNamespace(config=config)),
      total, lambda moment: bool(every) and moment.passed(every))


def calls(of, total, images=0):
  """[(images before, Phase, steps)] of a run."""
  found = []
  while images < total:
    phase, count = of.at(images)
    found.append((images, phase, count))
    images += count * phase.images
  return found


def lazy(every, batch=8):
  """Phases with a penalty in one step of `every`."""
  return lambda images: Phase((images // batch % every == 0,), batch=batch)


@pytest.mark.parametrize('every', [8, 24, 100, 7])
def test_no_group_crosses_what_is_due(every):
  for before, phase, count in calls(
      grouped(lazy(10**6), total=404, every=every), 404):
    for i in range(1, count):
      after = before + i * phase.images
      assert after < 404
      assert after // every == (after - phase.images) // every


@pytest.mark.parametrize('phase', [
    lazy(4), lazy(16), lambda n: Phase((False,), level=n // 90, batch=8),
    lambda n: Phase((False,) * 2, update_g=n // 16 % 20 == 19, batch=8)])
def test_a_group_is_of_one_phase_and_of_one_size(phase):
  sizes = {}
  for before, found, count in calls(grouped(phase, 3, 3000), 3000):
    assert {phase(before + i * found.images) for i in range(count)} == {found}
    sizes.setdefault(found, set()).add(count)
  assert all(len(some) <= 2 and some <= {1, max(some)}
             for some in sizes.values())
  assert any(len(some) > 1 or max(some) > 1 for some in sizes.values())


def test_a_short_run_of_a_phase_is_one_group():
  assert [count for *_, count in calls(grouped(lazy(4), 16), 128)] == [1, 3] * 4


@pytest.mark.parametrize('phase, most', [
    (lazy(16), 4), (lazy(3), 16),
    (lambda n: Phase((False,), level=n // 800, batch=8), 4),
    (lambda n: Phase((False,), update_g=n < 3000, batch=8), 16)])
def test_a_run_that_continues_takes_the_same_groups(phase, most):
  def make():
    return grouped(phase, most, 4000, every=120)
  whole = calls(make(), 4000)
  for i, (images, *_) in enumerate(whole):
    assert calls(make(), 4000, images) == whole[i:]


def test_the_device_and_the_size_of_a_batch_decide(monkeypatch):
  phase = lazy(10**6, batch=64)
  assert grouped(phase, 0).size(64) == 1
  monkeypatch.setattr(jax, 'default_backend', lambda: 'gpu')
  assert grouped(phase, 0).size(64) == groups.MOST
  assert grouped(phase, 0, shape=(256, 256, 3)).size(64) == 1
  assert grouped(phase, 5, shape=(256, 256, 3)).size(64) == 5
  assert grouped(phase, 1).size(64) == 1


# Whole runs.


@pytest.fixture
def points(small):
  """(steps a dispatch, ...) -> a Config of a dense GAN of points."""
  def make(steps, **settings):
    return small(**{
        **dict(
            networks__name='mlp', networks__scales='none',
            networks__stddev='none', data__name='ring', data__resolution=1,
            data__channels=2, optimizer__name='adam', train__batch=8,
            train__total_images=200, train__log_every_images=24,
            train__sample_every_images=104, train__checkpoint_every_images=72,
            train__measure_every_images=10**6,
            objective__penalty_every_d_steps=8,
            train__steps_a_dispatch=steps), **settings})
  return make


def left(path):
  """(records, names of grids, checkpoints) that a run left."""
  found = [{k: v for k, v in record.items() if k != 'clock'}
           for record in records.read(path / 'metrics.jsonl')]
  return found, sorted(os.listdir(path / 'samples')), checkpoints.Checkpoints(
      path / 'checkpoints', read_only=True).steps()


def assert_alike(path, other):
  (found, *names), (wanted, *wanted_names) = left(path), left(other)
  assert names == wanted_names
  for a, b in zip(found, wanted, strict=True):
    assert a.keys() == b.keys() and a['images'] == b['images']
    np.testing.assert_allclose(
        jax.tree.leaves(a), jax.tree.leaves(b), 1e-4, 1e-6)


@pytest.mark.slow
@pytest.mark.parametrize('settings', [{}, {'train__n_dis': 2}])
def test_groups_leave_what_single_steps_leave(points, settings, tmp_path):
  for steps in (1, 4):
    assert loop.train(points(steps, **settings), tmp_path / str(steps), len
                      ) == 0
  assert_alike(tmp_path / '4', tmp_path / '1')


@pytest.mark.slow
def test_a_signal_ends_the_group_and_the_run_goes_on(
    points, tmp_path, monkeypatch):
  assert loop.train(points(4), tmp_path / 'unbroken', len) == 0
  wanted, heard = Stop.wanted, []

  def third(self, call):
    heard.append(call)
    if len(heard) == 3:
      os.kill(os.getpid(), signal.SIGTERM)
    return wanted(self, call)

  monkeypatch.setattr(Stop, 'wanted', third)
  run = tmp_path / 'run'
  assert loop.train(points(4), run, len) == signal.SIGTERM
  # A step with the penalty, then two that come before the record at 24.
  assert left(run)[2] == [24]
  said = []
  assert loop.train(points(2), run, said.append) == 0
  assert 'changed: train.steps_a_dispatch: 4 -> 2' in said
  assert_alike(run, tmp_path / 'unbroken')


@pytest.mark.slow
def test_a_step_inside_a_group_that_diverges_is_named(
    points, tmp_path, monkeypatch):
  class Diverging(ShardedStep):
    def __call__(self, *arguments):
      state, logs = super().__call__(*arguments)
      return state, logs | {'d_loss': logs['d_loss'].at[2].set(np.nan)}

  monkeypatch.setattr(kept, 'ShardedStep', Diverging)
  config = points(8, train__log_every_images=64, train__total_images=64,
                  objective__penalty_every_d_steps=1)
  with pytest.raises(DivergedError, match='d_loss = nan .* at 24 images'):
    loop.train(config, tmp_path / 'run', len)
  assert left(tmp_path / 'run') == (
      [], ['images_0000000000.png'], [])
