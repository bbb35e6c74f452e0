"""A run that finds its disk full says so, and goes on once there is room."""
import resource

import pytest

from endurance import disk, tiny_run
from msg_gan_jax.files import disk as disk_of_files
from msg_gan_jax.training import kept, loop, run
from msg_gan_jax.training.observers import Observer


class Full(Observer):
  """Lets no file grow beyond so many bytes, from a moment on."""
  every = 80

  def __init__(self, limit):
    self._limit = limit

  def run(self, view):
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    if view.images:
      resource.setrlimit(resource.RLIMIT_FSIZE, (self._limit, hard))
    return {}


@pytest.mark.slow
def test_a_full_disk_costs_nothing_but_time(tmp_path, monkeypatch):
  monkeypatch.setattr(run, 'say_where_they_are', lambda *unused: None)
  tiny_run.prepare(tmp_path, 48)
  config = tiny_run.config(tmp_path, 192)

  def train(name, *observers):
    loop.train(config, tmp_path / name, lambda line: None, observers,
               make=kept.gan_of)

  train('unbroken')
  limits = resource.getrlimit(resource.RLIMIT_FSIZE)
  for limit in 20_000, 300:  # A checkpoint has no room, then no record has.
    with pytest.raises(OSError) as full:
      try:
        train('full', Full(limit))
      finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    told = 'error: ' + (
        disk_of_files.told(full.value, tmp_path)
        if disk_of_files.says_so_itself(full.value) else str(full.value))
    assert not disk.complain(1, told, tmp_path / 'full')
  train('full')
  lines = []
  assert tiny_run.compare(
      tmp_path / 'unbroken', tmp_path / 'full', lines.append), '\n'.join(lines)
  # The known-bad inputs of what judges the long form.
  assert disk.complain(1, told.replace('free', ''), tmp_path)
  assert disk.complain(0, told, tmp_path) and disk.complain(1, '', tmp_path)
  assert disk.complain(1, f'Traceback\n{told}', tmp_path)
