"""Records survive kills and resumes, and can be drawn."""
import json
import math
import types

import jax.numpy as jnp
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.report import curves
from msg_gan_jax.runs import lost_records, record_lines, records, workdir
from msg_gan_jax.runs.written_so_far import Gaps
from msg_gan_jax.training import loop


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


@pytest.mark.parametrize('broken', [
    '{"images": 1', '[]', '{"a": 1}', '3', '{"images": "a"}', '\xff\0',
    '{"images": 2, "changed": ["a: 1 -> 2"], "date": "2026"}',
    '[' * 10**5, '{"images": 2, "a": ' * 10**5, '{"images": true}',
    '{"images": -5}', '{"images": 2.5}'])
def test_a_line_that_is_no_record_costs_no_other(tmp_path, broken):
  """It is told and passed over, and moves away when the run goes on."""
  path, said = tmp_path / 'metrics.jsonl', []
  path.write_text(f'{{"images": 1}}\n{broken}\n{{"images": 3}}\n')
  assert records.read(path, said.append) == [{'images': 1}, {'images': 3}]
  assert len(said) == 1 and f'{path}, line 2: not a record' in said[0]
  metrics = records.Metrics(tmp_path)
  assert (metrics.images, metrics.moved) == ([1, 3], 1)
  metrics.write(4, {})
  metrics.close()
  assert records.read(path, pytest.fail) == [{'images': n} for n in (1, 3, 4)]
  assert (tmp_path / 'metrics.jsonl.damaged').read_text() == f'{broken}\n'
  again = records.Metrics(tmp_path)
  again.close()
  assert again.moved == 0


def test_what_is_no_file_is_refused_by_its_name(tmp_path, small):
  """And nothing is written beside it."""
  (tmp_path / 'metrics.jsonl').mkdir()
  with pytest.raises(ValueError, match=rf'{tmp_path}/metrics\.jsonl: not a fi'):
    records.Metrics(tmp_path)
  with workdir.Workdir(tmp_path / 'run') as folder:
    folder.start(small())
  (tmp_path / 'run' / 'metrics.jsonl').mkdir()
  before = {x.name for x in (tmp_path / 'run').iterdir()}
  with pytest.raises(ValueError, match=r'metrics\.jsonl: not a file'):
    loop.train(small(), tmp_path / 'run', pytest.fail)
  assert {x.name for x in (tmp_path / 'run').iterdir()} == before


def gaps(*images):
  """What a checkpoint notes of records of these images."""
  found = Gaps()
  for n in images:
    found.add(int(n))
  assert [*found] == [*images] and found.most == max(images)
  return found.runs


def test_a_start_parses_no_line_that_its_checkpoint_has_proven(
    tmp_path, monkeypatch):
  """Of however many there are; and any other byte among them is found."""
  metrics, path = records.Metrics(tmp_path), tmp_path / 'metrics.jsonl'
  rng = np.random.default_rng(0)
  for images in range(1, 2001):
    metrics.write(images, {'d_loss': rng.random()}, {'seconds': images})
  note = json.loads(json.dumps(metrics.note()))
  shown = path.stat().st_size
  metrics.write(2002, {})
  metrics.write(2001, {})
  metrics.close()
  whole, parsed = path.read_bytes(), []
  parse = record_lines._record
  monkeypatch.setattr(
      record_lines, '_record', lambda line: parsed.append(line) or parse(line))

  def starts(limit):
    parsed.clear()
    again = records.Metrics(tmp_path, note)
    again.truncate(limit)
    again.close()
    return again, lost_records.lines(note['records'], again)

  again, lost = starts(10**6)
  assert len(parsed) == 2 and again.images == [*range(1, 2001), 2002, 2001]
  assert not lost and path.read_bytes() == whole
  again, lost = starts(2000)
  assert len(parsed) == 4 and path.read_bytes() == whole[:shown] and not lost
  assert again.note() == note
  assert records.furthest(tmp_path) == 2000 and len(parsed) < 2000
  again, lost = starts(1500)  # A checkpoint before it is the newest that holds.
  assert again.images == [*range(1, 1501)]
  for place in rng.integers(0, shown, 10):
    damaged = bytearray(whole[:shown])
    damaged[place] ^= 1
    path.write_bytes(damaged)
    again, lost = starts(2000)
    assert len(parsed) >= 1999 and len(lost) in (1, 2)
    assert 'metrics.jsonl: ' in lost[0]


def test_the_files_that_have_lost_records_are_named(tmp_path):
  """Two files were swapped, or there is a copy of a part."""
  path = tmp_path / 'metrics.jsonl'
  path.write_text('{"images": 4, "changed": []}\n{"images": 8}\n')
  (tmp_path / 'changes.jsonl').write_text(
      '{"images": 8}\n{"images": 16}\n{"images": 24}\n{"images": 24, "a": ""}')
  (tmp_path / 'metrics.jsonl.old').write_text('{"images": 24}\n')
  (tmp_path / 'folder.jsonl').mkdir()
  metrics = records.Metrics(tmp_path)
  metrics.close()
  moved, missing = lost_records.lines(gaps(8, 16, 24, 32), metrics)
  assert '1 of its lines' in moved
  assert missing.endswith(
      '3 of 4 records are missing: of 16; 24; 32 images; 2 of them lie in '
      'changes.jsonl; 1 of them lie in metrics.jsonl.old')


def test_the_records_that_are_lost_are_named(tmp_path):
  """Whichever they are; and a checkpoint's note of regular ones is short."""
  rng = np.random.default_rng(0)
  assert gaps(*range(100, 10**6 + 1, 100)) == [[100, 10**4]]
  for _ in range(50):
    known = sorted(rng.choice(5000, rng.integers(1, 20), replace=False) + 1)
    kept = [n for n in known if rng.random() < .8]
    missing = [f'{n:,}' for n in known if n not in kept]
    there = types.SimpleNamespace(
        images=kept, moved=0, proven=None, path=tmp_path / 'metrics.jsonl')
    lines = lost_records.lines(json.loads(json.dumps(gaps(*known))), there)
    if not missing:
      assert lines == []
      continue
    line, = lines
    assert f' {len(missing)} of {len(known)} records are missing' in line
    named = line.split(': of ')[1].removesuffix(' images').split('; ')
    assert named == missing if len(missing) < 7 else (
        named == [*missing[:5], '...', missing[-1]])


def test_a_writer_that_fails_is_closed_with_the_others():
  closed = []

  class Fails(records.Writer):
    def __init__(self, name):
      self._name = name

    def close(self):
      closed.append(self._name)
      raise OSError(self._name)

  with pytest.raises(OSError):
    records.Many(Fails('a'), Fails('b')).close()
  assert closed == ['a', 'b']


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
