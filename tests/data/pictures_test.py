"""Laws of what is kept of decoded pictures, and of those that are streamed."""
import fcntl
import os
import signal
import subprocess
import sys
import threading

from helpers import ROOT, picture, save, whole
import numpy as np
import pytest

from msg_gan_jax.data import decode, pictures
from msg_gan_jax.data.source import Subset
from msg_gan_jax.data.sources import Splits
from msg_gan_jax.data.stores import folder
from msg_gan_jax.files import cache


def no_decoding(monkeypatch):
  def refuse(path, recipe):
    raise AssertionError(f'decoded {path}')
  monkeypatch.setattr(decode, 'decode', refuse)


def kept_files(tmp_path):
  names = os.listdir(tmp_path / 'cache')
  return sorted(n.removeprefix('.')[64:] for n in names
                if not n.endswith('.lock'))


# Once.


def test_the_second_start_equals_the_first_and_decodes_nothing(
    root, read, monkeypatch):
  first = read(root)
  no_decoding(monkeypatch)
  second = read(root)
  np.testing.assert_array_equal(whole(first), whole(second))
  assert first.notes == second.notes
  assert first.digest() == second.digest()


def test_settings_and_touched_files_decode_anew(root, read, monkeypatch):
  first = read(root)
  os.utime(root / 'cat' / '00.png', ns=(5, 5))
  second = read(root)
  assert first.digest() == second.digest()  # The pixels are the same.
  no_decoding(monkeypatch)
  for change in (lambda: os.utime(root / 'cat' / '00.png', ns=(5, 6)),
                 lambda: os.remove(root / 'dog' / '11.png')):
    change()
    with pytest.raises(ValueError, match='decoded'):
      read(root)
  for setting in ({'resolution': 4}, {'channels': 1}, {'filter': 'area'},
                  {'resize': 'pad'}):
    with pytest.raises(ValueError, match='decoded'):
      read(root, **setting)


def test_the_digest_changes_with_a_pixel_a_label_and_a_setting(root, read):
  digests = [read(root).digest()]
  one = picture(3)
  one[2, 2, 2] ^= 1
  save(root / 'cat' / '03.png', one)
  digests.append(read(root).digest())
  (root / 'cat' / '04.png').rename(root / 'dog' / '04.png')
  digests.append(read(root).digest())
  (root / 'cat').rename(root / 'bat')
  digests.append(read(root).digest())
  digests.append(read(root, resize='pad').digest())
  assert len(set(digests)) == 5


def test_two_folders_of_equal_names_sizes_and_times_are_not_mixed_up(
    tmp_path, read):
  for i, name in enumerate(['one', 'two']):
    save(tmp_path / name / 'a.bmp', picture(i))
    os.utime(tmp_path / name / 'a.bmp', ns=(5, 5))
  assert (whole(read(tmp_path / 'one')) != whole(read(tmp_path / 'two'))).any()


CHILD = '''
import os, signal, sys, time
import numpy as np
from msg_gan_jax.data import decode, decoder, pictures
from msg_gan_jax.data.stores import folder
plain, calls = decode.decode, []
def counted(path, recipe):
  calls.append(path)
  time.sleep(.02)
  if len(calls) == int(sys.argv[3]):
    os.kill(os.getpid(), signal.SIGKILL)
  return plain(path, recipe)
decode.decode = counted
decoder.CHUNK_BYTES = 8 * 8 * 3
found = pictures.Pictures(
    folder.Folder(sys.argv[1]),
    decode.Recipe(8, 8, 3, 'center_crop', 'lanczos'), cache_dir=sys.argv[2])
print(len(calls), found.digest())
'''


def start(root, tmp_path, kill_at=0):
  return subprocess.Popen(
      [sys.executable, '-c', CHILD, str(root), str(tmp_path / 'cache'),
       str(kill_at)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
      text=True, cwd=ROOT)


def test_of_two_processes_at_once_one_decodes(root, tmp_path, read):
  both = [start(root, tmp_path) for _ in range(2)]
  said = [p.communicate(timeout=60)[0].split() for p in both]
  assert sorted(int(count) for count, _ in said) == [0, 12]
  assert said[0][1] == said[1][1] == read(root).digest()
  assert kept_files(tmp_path) == ['.json', '.npy']


def test_what_a_killed_process_left_is_not_read_and_is_removed(
    root, tmp_path, read):
  child = start(root, tmp_path, kill_at=9)
  child.communicate(timeout=60)
  assert child.returncode == -signal.SIGKILL
  name, = kept_files(tmp_path)
  assert name.startswith('.npy.') and name.endswith('.tmp')
  found = read(root)
  np.testing.assert_array_equal(whole(found)[3], picture(3))
  assert kept_files(tmp_path) == ['.json', '.npy']


def test_the_rests_of_another_set_are_removed_but_not_while_it_is_written(
    root, tmp_path, read):
  (tmp_path / 'cache').mkdir()
  dead, alive = (tmp_path / 'cache' / f'.{c * 64}.npy.1-a.tmp' for c in 'da')
  dead.write_bytes(b'half')
  alive.write_bytes(b'half')
  with open(tmp_path / 'cache' / f'{"a" * 64}.lock', 'w') as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    read(root)
  assert alive.exists() and not dead.exists()


@pytest.mark.parametrize('damage', ['cut', 'no json', 'half json', 'no npy'])
def test_a_damaged_cache_is_made_anew(damage, root, tmp_path, read):
  first = read(root)
  wanted = whole(first).copy()
  for path in (tmp_path / 'cache').iterdir():
    if damage == 'cut' and path.suffix == '.npy':
      path.write_bytes(path.read_bytes()[:-5])
    if damage == 'half json' and path.suffix == '.json':
      path.write_text(path.read_text()[:-5])
    if damage[:3] == 'no ' and path.suffix == '.' + damage[3:]:
      path.unlink()
  np.testing.assert_array_equal(whole(read(root)), wanted)


@pytest.mark.parametrize('failing', ['_reserve', 'flush_to_disk'])
def test_a_full_disk_leaves_nothing_and_decodes_in_memory(
    failing, root, tmp_path, read, monkeypatch, capfd):
  wanted = whole(read(root, cache_dir=str(tmp_path / 'other')))

  def full(*_):
    raise OSError(28, 'No space left on device')
  monkeypatch.setattr(cache, failing, full)
  found = read(root)
  np.testing.assert_array_equal(whole(found), wanted)
  assert found.notes['kept'] == 'in memory'
  assert kept_files(tmp_path) == []
  assert 'config.data.cache_dir' in capfd.readouterr().err


def test_a_cache_folder_that_cannot_be_made_decodes_in_memory(
    root, tmp_path, read, capfd):
  (tmp_path / 'cache').write_text('a file')
  assert len(read(root)) == 12
  assert 'config.data.cache_dir' in capfd.readouterr().err
  assert (tmp_path / 'cache').read_text() == 'a file'


def test_the_cache_lies_where_xdg_says(monkeypatch, tmp_path):
  monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
  assert cache.default_folder() == str(tmp_path / 'msg_gan_jax')
  monkeypatch.setenv('XDG_CACHE_HOME', 'relative')
  monkeypatch.setenv('HOME', str(tmp_path))
  assert cache.default_folder() == str(tmp_path / '.cache' / 'msg_gan_jax')


# Streams.


def test_a_streamed_set_has_the_same_pictures(root, tmp_path, read):
  kept, streamed = read(root), read(root, cache_gb=0., threads=2)
  assert streamed.notes['kept'] == 'streamed from the files'
  indices = np.array([11, 3, 3, 0, *range(12)])
  np.testing.assert_array_equal(kept.images(indices), streamed.images(indices))
  assert streamed.images(np.array([], int)).shape == (0, 8, 8, 3)
  for note in ('sizes', 'modes', 'per_class', 'decisions', 'widths'):
    assert kept.notes[note] == streamed.notes[note]
  assert 'names, sizes and times' in streamed.notes['digest_of']
  # Those are another machine's own: no two runs are told apart by them.
  for source in (kept, streamed):
    part = Subset(source, indices[:3])
    assert Splits(source, part).about()['held_out'] == {
        'count': 3, 'shape': [8, 8, 3],
        'digest': part.digest() if source is kept else ''}


def test_a_streamed_digest_changes_with_a_touch_and_a_setting(root, read):
  digests = {read(root, cache_gb=0.).digest() for _ in range(2)}
  digests.add(read(root, cache_gb=0., channels=1).digest())
  os.utime(root / 'cat' / '00.png', ns=(5, 5))
  digests.add(read(root, cache_gb=0.).digest())
  assert len(digests) == 3


def test_a_streamed_set_skips_what_is_broken_behind_its_header(root, read):
  whole_file = (root / 'cat' / '01.png').read_bytes()
  (root / 'cat' / '01.png').write_bytes(whole_file[:-60])
  found = read(root, cache_gb=0., on_bad='skip')
  assert len(found) == 11
  np.testing.assert_array_equal(found.images(np.array([1]))[0], picture(2))
  late = read(root, cache_gb=0.)  # Its headers are sound.
  with pytest.raises(ValueError, match=r'config\.data\.path.*01\.png.*trunc'):
    late.images(np.array([1]))


# Bad input, each with its own text.


@pytest.fixture
def bad(root):
  """Three broken files among the twelve."""
  (root / 'cat' / '01.png').write_bytes(b'')
  cut = (root / 'dog' / '06.png').read_bytes()[:-60]
  (root / 'dog' / '06.png').write_bytes(cut)
  os.remove(root / 'dog' / '08.png')
  (root / 'dog' / '08.png').symlink_to(root / 'nowhere')
  return root


def test_a_broken_file_is_named_with_what_pil_said(bad, tmp_path, read):
  with pytest.raises(ValueError, match=(
      r"config\.data\.path: cannot read '.*cat/01\.png': the file is empty.*"
      r"on_bad='skip'")):
    read(bad)
  assert kept_files(tmp_path) == []


def test_broken_files_are_skipped_counted_and_listed(bad, read, monkeypatch):
  found = read(bad, on_bad='skip')
  assert len(found) == 9 and found.notes['pictures'] == 9
  assert [n for n, _ in found.notes['skipped']] == [
      'cat/01.png', 'dog/06.png', 'dog/08.png']
  assert 'truncated' in found.notes['skipped'][1][1]
  assert found.notes['per_class'] == {'cat': 4, 'dog': 5}
  assert found.labels(np.arange(9)).tolist() == [0] * 4 + [1] * 5
  good = [i for i in range(12) if i not in (1, 6, 8)]
  np.testing.assert_array_equal(whole(found), [picture(i) for i in good])
  no_decoding(monkeypatch)
  again = read(bad, on_bad='skip')
  np.testing.assert_array_equal(whole(again), whole(found))
  assert again.notes == found.notes


def test_a_file_that_grows_after_the_scan_is_decoded_anew_at_the_next(
    root, tmp_path, read):
  store = folder.Folder(str(root))
  os.utime(root / 'cat' / '01.png', ns=(5, 5))
  save(root / 'cat' / '01.png', picture(50, width=30, height=30))
  recipe = decode.Recipe(8, 8, 3, 'center_crop', 'lanczos')
  found = pictures.Pictures(store, recipe, cache_dir=str(tmp_path / 'cache'))
  assert found.digest() == read(root).digest()
  assert len(kept_files(tmp_path)) == 4  # Two sets: the first is never met.


def test_threads_may_ask_at_the_same_time(root, read):
  streamed = read(root, cache_gb=0., threads=2)
  wanted, got = whole(streamed), []
  ask = [threading.Thread(target=lambda: got.append(whole(streamed)))
         for _ in range(4)]
  for thread in ask:
    thread.start()
  for thread in ask:
    thread.join()
  assert all((g == wanted).all() for g in got) and len(got) == 4
