"""A run that is watched for a moment says how long a study takes."""
import math
import os
import tempfile

import pytest

from msg_gan_jax.study import timing


def test_a_study_takes_its_runs_and_what_is_compiled_for_them(small):
  config = small(train__total_images=1000, train__measure_every_images=400)
  found = timing.Timing(20., 2., 3., 100.)
  assert found.of(config) == 2 + 3 * 3 + 10
  assert found.words(config, 10, 2).startswith(
      '4:10 with one worker here: a run 0:21 (100 img/s, start 2.0 s, a ')


def test_a_watch_tells_measuring_from_training(monkeypatch):
  now = [0.]
  monkeypatch.setattr(timing.time, 'monotonic', lambda: now[0])
  watch = timing._Watch()
  for now[0], images, words in (
      (1, 0, 'compiling ...'), (5, 0, ''), (6, 100, '99 img/s'),
      (8, 300, '100 img/s'), (9, 400, 'measuring ...'), (12, 400, '9 img/s'),
      (13, 500, 'measuring ...'), (15, 500, '9 img/s')):
    watch.show(images, words)
  assert (watch.whole, watch.measuring, watch.measured) == (15, 5, 2)
  assert watch.rate == pytest.approx(100)


@pytest.mark.slow
def test_a_run_is_trained_for_a_moment_and_leaves_nothing(
    small, tmp_path, monkeypatch):
  monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
  monkeypatch.setattr(timing, 'MOMENT', .2)
  found = timing.time_of(small(train__total_images=10**6))
  assert all(math.isfinite(x) and x >= 0 for x in found)
  assert found.rate > 0 and found.measuring > 0
  assert os.listdir(tmp_path) == []
