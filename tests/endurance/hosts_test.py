"""Two processes, of which one is told to stop, dies, or has an error."""
import random

import pytest

from endurance import hosts

pytestmark = pytest.mark.slow


def test_one_of_two_is_signalled_goes_on_and_dies(tmp_path):
  rng = random.Random(0)
  assert hosts.signalled(tmp_path, 'SIGUSR1', 1, 'training', rng) < 60
  images = hosts.newest(tmp_path / 'run')
  # Process 0 is where all of them meet.
  assert hosts.fault(tmp_path, 'SIGKILL', 0, 'training', rng) < 10
  first, second = ((tmp_path / f'run.{i}.log').read_text() for i in range(2))
  assert f'continuing after {images:,} images' in first
  assert 'warning' not in first
  # One voice for all. Gloo's threads print too, into each other's lines.
  for ours in ('in an epoch', 'distance', 'pictures', 'curves', 'warning'):
    assert ours not in second


def test_an_error_of_one_is_told_by_the_other(tmp_path):
  assert hosts.own_error(tmp_path) < 10
