"""Records are means of all steps since the last one, whatever broke the run."""
import functools
import json
import os
import signal

import numpy as np
import pytest

from msg_gan_jax.gan.devices import ShardedStep
from msg_gan_jax.runs import records
from msg_gan_jax.runs.checkpoints import Checkpoints
from msg_gan_jax.training import kept, loop, run
from msg_gan_jax.training.means import STATES, Means
from msg_gan_jax.training.stop import Stop

TOTAL, EVERY = 200, 40


def logs(n, seed=0):
  """Those of n steps: a lazy penalty, values of all sizes, states that rise."""
  rng = np.random.default_rng(seed)
  steps = []
  for i in range(n):
    loss, norm, penalty = rng.normal(size=3).astype(np.float32).tolist()
    steps.append({'d_loss': loss, 'g_grad_norm': np.exp(9 * norm).item(),
                  'alpha': i / n})
    if i % 4 == 1:
      steps[-1]['penalty'] = 1e6 + penalty
    if i % 3 == 0:
      steps[-1]['path_mean'] = float(i)
  return steps


@pytest.mark.parametrize('n', [1, 2, 3, 100])
def test_each_name_is_the_mean_of_the_steps_that_have_it(n):
  means, steps = Means(), logs(n)
  for of_step in steps:
    means.add(of_step)
  found = means.values()
  assert found['steps'] == n
  for name in {name for of_step in steps for name in of_step}:
    x = [of_step[name] for of_step in steps if name in of_step]
    assert found.get('steps_of', {}).get(name, n) == (
        n if name in STATES else len(x))
    wanted = x[-1] if name in STATES else np.mean(x)
    np.testing.assert_allclose(found[name], wanted, rtol=1e-12)
    spread = found.get('spread', {}).get(name)
    if name in STATES or len(x) == 1:
      assert spread is None
    else:
      np.testing.assert_allclose(spread, np.std(x, ddof=1), rtol=1e-9)
  means.clear()
  assert means.values() == {} and means.saved() == Means().saved()


def test_what_is_saved_goes_on_to_the_same_bits_and_does_not_grow():
  steps = logs(60)
  whole = Means()
  for of_step in steps:
    whole.add(of_step)
  for cut in range(60):
    means = Means()
    for of_step in steps[:cut]:
      means.add(of_step)
    text = json.dumps(means.saved())
    assert len(text) < 400
    means = Means(json.loads(text))
    for of_step in steps[cut:]:
      means.add(of_step)
    assert json.dumps(means.values()) == json.dumps(whole.values())


# Whole runs.


@pytest.fixture(scope='module')
def points(small):
  """(images between two records) -> a Config of a dense GAN of points.

  Checkpoints lie between records, and a penalty is due in one step of 8.
  """
  def make(every=EVERY, **settings):
    return small(**{
        **dict(
            networks__name='mlp', networks__scales='none',
            networks__stddev='none', data__name='ring', data__resolution=1,
            data__channels=2, optimizer__name='adam', train__batch=8,
            train__total_images=TOTAL, train__log_every_images=every,
            train__sample_every_images=10**6,
            train__measure_every_images=10**6,
            train__checkpoint_every_images=72,
            objective__penalty_every_d_steps=8), **settings})
  return make


def lines(path):
  """Those of metrics.jsonl, byte for byte but for the clock."""
  return [line.split(', "clock"')[0]
          for line in (path / 'metrics.jsonl').read_text().splitlines()]


@pytest.fixture(scope='module', autouse=True)
def compiled_once():
  """Runs of this file share their programs: only lengths differ."""
  gans, steps = {}, functools.cache(ShardedStep)
  build = loop.build
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(
        loop, 'build', lambda config: gans.setdefault('', build(config)))
    patch.setattr(kept, 'step_of', steps)
    patch.setattr(kept, 'renderer_of', functools.cache(kept.renderer_of))
    yield


@pytest.fixture(scope='module')
def unbroken(points, tmp_path_factory):
  path = tmp_path_factory.mktemp('unbroken') / 'run'
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(run, 'UNREAD', 3)  # What is read earlier is not lost.
    assert loop.train(points(), path, len) == 0
  return path


@pytest.mark.slow
def test_a_record_is_the_mean_of_what_each_step_would_have_recorded(
    points, unbroken, tmp_path):
  assert loop.train(points(8), tmp_path / 'each', len) == 0
  steps = records.read(tmp_path / 'each' / 'metrics.jsonl')
  found = {r['images']: r for r in records.read(unbroken / 'metrics.jsonl')
           if 'd_loss' in r}
  assert list(found) == list(range(EVERY, TOTAL + 1, EVERY))
  assert all(step['steps'] == 1 and 'spread' not in step
             for step in steps if 'd_loss' in step)
  names = 'd_loss', 'g_loss', 'd_real', 'd_fake', 'd_grad_norm', 'penalty'
  for images, record in found.items():
    between = [x for x in steps if images - EVERY < x['images'] <= images]
    assert record['steps'] == 5
    for name in names:
      x = [step[name] for step in between if name in step]
      assert (name in record) == bool(x)
      if x:
        np.testing.assert_allclose(record[name], np.mean(x), rtol=1e-12)
        assert record.get('steps_of', {}).get(name, 5) == len(x)
      if len(x) > 1:
        np.testing.assert_allclose(
            record['spread'][name], np.std(x, ddof=1), rtol=1e-9)
  # Penalties are in the steps that end at 8, 72, 136 and 200.
  assert [n for n, r in found.items() if 'penalty' in r] == [40, 80, 160, 200]


@pytest.mark.slow
@pytest.mark.parametrize('stops', [[24, 80], [64, 72, 136]])
def test_a_run_that_was_stopped_has_the_records_of_an_unbroken_one(
    points, unbroken, tmp_path, monkeypatch, stops):
  wanted = Stop.wanted

  def then(self, step):
    if step * 8 in stops:
      os.kill(os.getpid(), signal.SIGTERM)
    return wanted(self, step)

  monkeypatch.setattr(Stop, 'wanted', then)
  for images in stops:
    assert loop.train(points(), tmp_path, len) == signal.SIGTERM
    assert len(lines(tmp_path)) == len(
        [x for x in lines(unbroken) if json.loads(x + '}')['images'] <= images])
  assert loop.train(points(), tmp_path, len) == 0
  assert lines(tmp_path) == lines(unbroken)


@pytest.mark.slow
def test_so_has_one_that_was_killed_after_a_record(
    points, unbroken, tmp_path, monkeypatch):
  """The newest checkpoint, of 72, comes before the records at 80 and 120."""
  def step(gan, mesh, right=kept.step_of):
    def one(state, *arguments):
      if int(state.images) == 136:
        raise RuntimeError('killed')
      return right(gan, mesh)(state, *arguments)
    return one

  with monkeypatch.context() as patch:
    patch.setattr(kept, 'step_of', step)
    with pytest.raises(RuntimeError, match='killed'):
      loop.train(points(), tmp_path, len)
  assert Checkpoints(tmp_path / 'checkpoints').steps() == [72]
  assert loop.train(points(), tmp_path, len) == 0
  assert lines(tmp_path) == lines(unbroken)
