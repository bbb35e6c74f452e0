"""No file is replaced while it is open: Windows refuses that."""
import contextlib
import os

import numpy as np
import pytest

from msg_gan_jax.report import grids
from msg_gan_jax.runs import records
from msg_gan_jax.training import loop


@pytest.fixture
def windows(monkeypatch):
  """os.replace and os.rename refuse what this process has open."""
  for name in 'replace', 'rename':
    monkeypatch.setattr(os, name, refusing(getattr(os, name)))


def refusing(move):
  """The function that moves a path, where nothing at both places is open."""
  def moved(source, target, **more):
    places = [os.path.realpath(place) for place in (source, target)]
    for path in open_files():
      if any(path == place or path.startswith(f'{place}{os.sep}')
             for place in places):
        raise PermissionError(f'WinError 32: {path} is open: {target}')
    return move(source, target, **more)
  return moved


def open_files():
  """Paths of what this process has open; only Linux tells."""
  here = '/proc/self/fd'
  for number in os.listdir(here) if os.path.isdir(here) else ():
    with contextlib.suppress(OSError):  # Of the listing, closed by now.
      yield os.readlink(os.path.join(here, number))


def test_the_shim_refuses_a_file_that_is_open(tmp_path, windows):
  old, new = tmp_path / 'old', tmp_path / 'new'
  old.write_text('1')
  new.write_text('2')
  for path in new, old:
    with open(path), pytest.raises(PermissionError, match='is open'):
      os.replace(new, old)
  os.replace(new, old)
  assert old.read_text() == '2'


def test_records_are_cut_with_no_open_file_replaced(tmp_path, windows):
  metrics = records.Metrics(tmp_path)
  for images in 8, 16:
    metrics.write(images, {})
  metrics.truncate(8)
  metrics.write(24, {})
  metrics.close()
  assert [record['images'] for record in records.read(metrics.path)] == [8, 24]


@pytest.mark.slow
def test_a_run_starts_and_goes_on_with_no_open_file_replaced(
    small, tmp_path, windows):
  """From a folder of pictures, with a best checkpoint and a damaged one."""
  (tmp_path / 'set').mkdir()
  for i in range(64):
    grids.save(tmp_path / 'set' / f'{i}.png', np.full((16, 16, 3), i, np.uint8))
  settings = dict(
      data__name='folder', data__path=str(tmp_path / 'set'),
      data__cache_dir=str(tmp_path / 'cache'), data__count=20_000,
      train__log_every_images=8, train__checkpoint_every_images=8,
      evaluate__best='swd', train__measure_every_images=8,
      train__sample_every_images=8)
  run = tmp_path / 'run'
  loop.train(small(train__total_images=16, **settings), run, len)
  # A line that a killed process wrote after its last checkpoint.
  with open(run / 'metrics.jsonl', 'a', encoding='utf-8') as file:
    file.write('{"images": 99}\n')
  files = [path for path in (run / 'checkpoints' / '16').rglob('*')
           if path.is_file()]
  max(files, key=lambda path: path.stat().st_size).write_bytes(b'')
  loop.train(small(train__total_images=24, **settings), run, len)
  assert [record['images'] for record in records.read(
      run / 'metrics.jsonl')] == [8, 16, 24]
  assert len([*(run / 'checkpoints' / 'damaged').iterdir()]) == 1
