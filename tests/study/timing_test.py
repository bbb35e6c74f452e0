"""Runs that are watched for a moment say how long a study takes."""
import math
import os
import tempfile

import pytest

from msg_gan_jax.report.text import duration
from msg_gan_jax.study import timing
from msg_gan_jax.study.plan import plan
from msg_gan_jax.study.space import RATES, Study, choices

FOUND = timing.Timing(20., 2., 3., .5, 100.)
TRAIN = {'train__total_images': 1000, 'train__measure_every_images': 400,
         'train__sample_every_images': 500}


def runs_of(base, *n_dis):
  study = Study({'n_dis': choices(*n_dis, of='train.n_dis'),
                 'rate': choices(1e-4, 2e-4, of=RATES)})
  return plan(base, study, study.grid()).runs


def test_a_run_takes_its_start_its_measurements_and_its_steps(small):
  config = small(**TRAIN, train__checkpoint_every_images=1000)
  assert FOUND.of(config) == 2 + 3 * 3 + 10
  # Of ten checkpoints three are saved as it measures.
  config = small(**TRAIN, train__checkpoint_every_images=100)
  assert FOUND.of(config) == 2 + 3 * 3 + 7 * .5 + 10
  assert FOUND.words(config).startswith(
      'a run 0:24 (100 img/s, start 2.0 s, a measurement 3.0 s), its program ')


def test_a_run_of_each_program_is_timed_where_they_are_few(
    small, monkeypatch):
  asked = []
  monkeypatch.setattr(timing, 'time_of', lambda config: (
      asked.append(config.train.n_dis),
      FOUND._replace(rate=100. / config.train.n_dis))[1])
  base = small(**TRAIN)
  lines = [*timing.foresee(runs_of(base, 1, 3), 4)]
  assert asked == [1, 3]
  seconds = 2 * (2 + 9 + 10) + 2 * (2 + 9 + 30) + 2 * 20
  assert lines[0] == f'{duration(seconds)} with one worker here, for 4 runs'
  assert lines[1].startswith('n_dis 1, rate 0.0001: a run 0:21 (100 img/s')
  assert lines[2].startswith('n_dis 3, rate 0.0001: a run 0:41 (33 img/s')
  assert len(lines) == 3
  # Twice as many, which are not known yet.
  assert next(timing.foresee(runs_of(base, 1, 3), 8)).startswith(
      duration(2 * (seconds - 40) + 40))


def test_of_many_programs_one_is_timed_and_that_is_told(small, monkeypatch):
  monkeypatch.setattr(timing, 'time_of', lambda config: FOUND)
  lines = [*timing.foresee(runs_of(small(**TRAIN), 1, 2, 3, 4, 5), 10)]
  assert lines[0].startswith(duration(10 * 21 + 5 * 20))
  assert len(lines) == 3 and lines[2].startswith(
      'that is of one program of 5; others may take')
  assert [*timing.foresee([], 0)] == ['nothing is left to train']


def test_a_watch_tells_measuring_from_training(monkeypatch):
  now = [0.]
  monkeypatch.setattr(timing.time, 'monotonic', lambda: now[0])
  watch = timing._Watch()
  for now[0], images, words in (
      (1, 0, 'compiling ...'), (5, 0, ''), (6, 100, '99 img/s'),
      (8, 300, '100 img/s'), (9, 400, 'measuring ...'), (12, 400, '9 img/s'),
      (13, 500, 'measuring ...'), (15, 500, '9 img/s')):
    watch.show(images, words)
  assert (watch.whole, watch.apart) == (15, [3, 2])
  assert watch.rate == pytest.approx(100)


def test_a_watch_ends_a_run_that_it_has_seen_enough_of(monkeypatch):
  now = [0.]
  monkeypatch.setattr(timing.time, 'monotonic', lambda: now[0])
  for until, last in (({'looks': 1}, 3), ({'moment': 2.}, 5)):
    now[0] = 0
    watch = timing._Watch(**until)
    with pytest.raises(timing._Enough):
      for now[0], images, words in (
          (1, 10, '9 img/s'), (2, 20, 'measuring ...'), (3, 20, ''),
          (4, 30, '9 img/s'), (5, 40, '9 img/s')):
        watch.show(images, words)
    assert now[0] == watch.whole == last


@pytest.mark.slow
def test_a_growing_run_is_timed_from_its_first_stage(small, monkeypatch):
  monkeypatch.setattr(timing, 'MOMENT', .2)
  found = timing.time_of(small(
      'msg_progan', networks__name='progan', networks__scales='none',
      networks__stddev='last', objective__penalty='none', data__resolution=8,
      train__grow_from=4,
      train__grow_stable_images=64, train__grow_fade_images=64,
      train__total_images=1024))
  assert found.rate > 0 and found.measuring > 0


@pytest.mark.slow
def test_a_run_is_trained_for_a_moment_and_leaves_nothing(
    small, tmp_path, monkeypatch):
  monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
  monkeypatch.setattr(timing, 'MOMENT', .2)
  found = timing.time_of(small(
      data__resolution=8, networks__name='mlp', networks__stddev='none',
      objective__penalty='none', train__total_images=10**6))
  assert all(math.isfinite(x) and x >= 0 for x in found)
  assert found.rate > 0 and found.measuring > found.looking > 0
  assert os.listdir(tmp_path) == []
