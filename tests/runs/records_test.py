"""Records survive kills and resumes, and can be drawn."""
import json
import math
import sys

import jax.numpy as jnp
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.report import curves
from msg_gan_jax.runs import records


def test_records_are_read_as_they_were_written(tmp_path):
  metrics = records.Metrics(tmp_path)
  metrics.write(
      32, {'d_loss': jnp.float32(.1), 'n': np.int32(3), 'x': .1},
      {'seconds': 1.5})
  metrics.write(64, {'d_loss': 2, 'spread': {'d_loss': jnp.float32(.5)}})
  metrics.close()
  assert records.read(tmp_path / 'metrics.jsonl') == [
      {'images': 32, 'd_loss': float(np.float32(.1)), 'n': 3., 'x': .1,
       'clock': {'seconds': 1.5}},
      {'images': 64, 'd_loss': 2., 'spread': {'d_loss': .5}}]


def test_not_finite_numbers_are_valid_json_and_come_back(tmp_path):
  metrics = records.Metrics(tmp_path)
  metrics.write(1, {'a': math.nan, 'b': math.inf, 'c': -jnp.inf})

  def refuse(word):
    raise AssertionError(f'{word} is not JSON')

  json.loads((tmp_path / 'metrics.jsonl').read_text(), parse_constant=refuse)
  record, = records.read(tmp_path / 'metrics.jsonl')
  assert math.isnan(record['a'])
  assert record['b'] == math.inf and record['c'] == -math.inf
  metrics.close()


@pytest.mark.parametrize('values, says', [
    ({'images': 3}, "'images'"), ({'clock': 3}, "'clock'"),
    ({'a': np.zeros(2)}, r"'a', found an array \[2\]")])
def test_what_is_no_record_is_refused_whole(tmp_path, values, says):
  metrics = records.Metrics(tmp_path)
  with pytest.raises(ValueError, match=says):
    metrics.write(1, {'fine': 1, **values})
  assert records.read(tmp_path / 'metrics.jsonl') == []
  metrics.close()


def test_every_kill_leaves_whole_records(tmp_path):
  # A kill may cut the last line at any byte.
  metrics = records.Metrics(tmp_path)
  for images in (10, 20):
    metrics.write(images, {'a': images / 3})
  metrics.close()
  path = tmp_path / 'metrics.jsonl'
  whole = path.read_bytes()
  first = whole.index(b'\n') + 1
  for cut in range(first, len(whole)):
    path.write_bytes(whole[:cut])
    assert [r['images'] for r in records.read(path)] == [10]
    metrics = records.Metrics(tmp_path)
    metrics.write(20, {'a': 20 / 3})
    metrics.close()
    assert path.read_bytes() == whole


def test_a_resume_repeats_no_record(tmp_path):
  metrics = records.Metrics(tmp_path)
  path = tmp_path / 'metrics.jsonl'
  for images in (10, 20, 30, 40):
    metrics.write(images, {'a': images})
  whole = path.read_bytes()
  metrics.close()
  path.write_bytes(whole + b'{"images": 50, "a"')
  metrics = records.Metrics(tmp_path)
  metrics.truncate(20)
  assert [r['images'] for r in records.read(path)] == [10, 20]
  for images in (30, 40):
    metrics.write(images, {'a': images})
  metrics.close()
  assert path.read_bytes() == whole
  assert [p.name for p in tmp_path.iterdir()] == ['metrics.jsonl']


def test_a_broken_line_in_the_middle_is_an_error_with_its_number(tmp_path):
  path = tmp_path / 'metrics.jsonl'
  for broken in ('{"images": 1', '[]', '{"a": 1}', '3'):
    path.write_text('{"images": 1}\n' + broken + '\n{"images": 3}\n')
    with pytest.raises(ValueError, match=r'metrics\.jsonl, line 2'):
      records.read(path)


def test_many_writers_are_one():
  calls = []

  class Spy:
    def __getattr__(self, name):
      return lambda *args: calls.append((name, *args))

  many = records.Many(Spy(), Spy())
  many.write(1, {'a': 2}, {'seconds': 3})
  many.picture('samples', 1, 'picture')
  many.truncate(1)
  many.close()
  wanted = [('write', 1, {'a': 2}, {'seconds': 3}),
            ('picture', 'samples', 1, 'picture'), ('truncate', 1), ('close',)]
  assert calls == [call for call in wanted for _ in range(2)]


def test_tensorboard_files_hold_numbers_and_pictures(tmp_path):
  board = records.TensorBoard(tmp_path)
  board.write(32, {'d_loss': jnp.float32(.5), 'spread': {'d_loss': .1}},
              {'seconds': 1.})
  board.picture('samples', 32, np.zeros((8, 8, 3), np.uint8))
  board.truncate(32)
  board.write(64, {'d_loss': math.nan})
  board.close()
  found = b''.join(p.read_bytes() for p in tmp_path.rglob('*tfevents*'))
  for name in (b'd_loss', b'clock/seconds', b'samples', b'\x89PNG'):
    assert name in found


def test_a_missing_extra_says_what_to_install(tmp_path, monkeypatch):
  monkeypatch.setitem(sys.modules, 'tensorboardX', None)
  with pytest.raises(
      ValueError, match=r"pip install tensorboardX"):
    records.TensorBoard(tmp_path / 'x')


def test_curves_draw_whatever_is_there(tmp_path):
  rng = np.random.default_rng(0)
  rare = {'stability_4': .1, 'fid': math.inf, 'swd_mean': 3.}
  rows = [
      {'images': i, 'd_loss': rng.normal(), 'g_loss': math.nan,
       'd_grad_norm': 0., 'clock': {'seconds': i}, **(rare if i < 3 else {})}
      for i in range(30)]
  curves.plot(rows, tmp_path / 'a.png')
  curves.plot(rows[:1], tmp_path / 'b.png', keys=['d_loss', 'absent'])
  sizes = []
  for name in 'ab':
    with Image.open(tmp_path / f'{name}.png') as file:
      sizes.append(file.size)
  assert sizes[0][0] > 2 * sizes[1][0]  # Three columns and one.
  assert sorted(p.name for p in tmp_path.iterdir()) == ['a.png', 'b.png']
  for nothing in ([], [{'images': 1}]):
    with pytest.raises(ValueError, match='no record'):
      curves.plot(nothing, tmp_path / 'c.png')


def test_smooth_is_the_running_median():
  y = np.array([5., 1., 9., 2., 8., 3.])
  wanted = [np.median(y[max(0, i - 1):i + 2]) for i in range(6)]
  np.testing.assert_array_equal(curves.smooth(y, 3), wanted)
  np.testing.assert_array_equal(curves.smooth(y, 0), y)
