"""Laws of LMDB as a source: the values of a database, in order, unchanged."""
import io
import os
import sys

from helpers import whole
import lmdb
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.data import sources
from msg_gan_jax.data.source import Source
from msg_gan_jax.data.stores import listing


def picture(seed):
  return np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)


def webp(seed, size=8):
  file = io.BytesIO()
  Image.fromarray(picture(seed)).resize((size, size), 0).save(
      file, 'WEBP', lossless=True)
  return file.getvalue()


def write(path, values):
  """A database in the way of LSUN's: hexadecimal keys, files of pictures."""
  database = lmdb.open(str(path), map_size=1 << 20)
  with database.begin(write=True) as transaction:
    for key, value in values.items():
      transaction.put(key, value)
  database.close()
  return path


# Written from the last key to the first; one key is no text.
KEYS = [f'{i:02x}ab'.encode() for i in range(11)] + [b'\xff\x80']


@pytest.fixture
def root(tmp_path):
  return write(tmp_path / 'church_train_lmdb',
               {KEYS[i]: webp(i) for i in reversed(range(12))})


@pytest.fixture
def opened(tmp_path):
  """(path, **settings of data) -> source of all its pictures."""
  def opened(path, **settings):
    config = schema.template()
    config.data.update({
        'name': 'lmdb', 'path': str(path), 'resolution': 8, 'held_out': 0,
        'cache_dir': str(tmp_path / 'cache'), **settings})
    return sources.open_source(schema.parse(config)).train
  return opened


def test_pictures_are_the_values_in_the_order_of_their_keys(root, opened):
  found = opened(root)
  assert isinstance(found, Source)
  assert (len(found), found.shape) == (12, (8, 8, 3))
  assert (found.name, found.classes) == ('church_train_lmdb', ())
  assert not found.labels(np.arange(12)).any()
  np.testing.assert_array_equal(whole(found), [picture(i) for i in range(12)])


def test_the_folder_and_its_file_are_the_same(root, opened):
  assert opened(root).digest() == opened(root / 'data.mdb').digest()


def test_nothing_is_written_and_no_lock_is_taken(root, opened):
  os.remove(root / 'lock.mdb')
  before = os.stat(root / 'data.mdb')
  assert len(opened(root)) == 12
  assert os.listdir(root) == ['data.mdb']
  assert os.stat(root / 'data.mdb').st_mtime_ns == before.st_mtime_ns


def test_two_sources_of_one_process_share_a_database(root, opened):
  streamed = [opened(root, cache_gb=0.), opened(root, cache_gb=0., threads=2)]
  np.testing.assert_array_equal(*map(whole, streamed))
  del streamed
  lmdb.open(str(root), readonly=True, lock=False).close()  # Nobody has it.


def test_any_number_of_threads_may_read(root, opened, read_by_many):
  streamed = opened(root, cache_gb=0., threads=2)
  read_by_many(streamed, whole(opened(root)))


def test_the_second_start_lists_no_key(root, opened, monkeypatch):
  first = opened(root)
  monkeypatch.setattr(listing, 'bar', None)
  second = opened(root)
  assert first.digest() == second.digest()
  np.testing.assert_array_equal(whole(first), whole(second))


def test_a_changed_database_is_read_anew(root, opened):
  first = len(opened(root))
  write(root, {b'zz': webp(99)})
  assert (first, len(opened(root))) == (12, 13)


def test_a_value_that_is_no_picture_is_named_by_its_key(root, opened):
  write(root, {b'readme': b'12'})
  with pytest.raises(ValueError, match=(
      r"config\.data\.path: cannot read '.*church_train_lmdb/readme': not "
      r"a picture.*on_bad='skip'")):
    opened(root)
  assert len(opened(root, on_bad='skip')) == 12


@pytest.mark.parametrize('count', [b'length', b'__len__', b'num-samples'])
def test_a_value_that_counts_the_pictures_is_none(count, root, opened):
  before = whole(opened(root))
  write(root, {count: b'12'})
  np.testing.assert_array_equal(whole(opened(root)), before)


@pytest.mark.parametrize('cache_gb', [4., 0.])
def test_of_several_sizes_the_largest_of_each_picture_is_read(
    cache_gb, tmp_path, opened):
  """As prepare_data.py of stylegan2-pytorch writes them; two lack a size."""
  values = {f'{size}-{i:05}'.encode(): webp(100 * size + i, size)
            for i in range(12) for size in (8, 128, 16)
            if (i, size) not in ((3, 128), (11, 16))}
  root = write(tmp_path / 'sizes', {**values, b'length': b'12'})
  found = opened(root, cache_gb=cache_gb, filter='area')
  np.testing.assert_array_equal(whole(found), [
      picture(100 * (16 if i == 3 else 128) + i) for i in range(12)])
  assert found.notes['resolutions'] == (
      '12 of 34: pictures are there at 8, 16, 128 px, and of each the largest '
      'is read')
  years = opened(write(tmp_path / 'years', {
      f'{2019 + i % 3}-{i:05}'.encode(): webp(i) for i in range(12)}))
  assert len(years) == 12 and 'resolutions' not in years.notes
  one = opened(write(tmp_path / 'one', {
      f'8-{i:05}'.encode(): webp(i) for i in range(12)}))
  assert len(one) == 12 and 'resolutions' not in one.notes


@pytest.mark.parametrize('kept', [1, .5, .9])
def test_a_database_that_is_cut_off_is_refused_and_kills_nobody(
    kept, root, opened):
  """Its pages are mapped: to read one that is gone is a bus error."""
  size = os.path.getsize(root / 'data.mdb')
  # One byte off, or a tenth; the two pages of its head are there.
  os.truncate(root / 'data.mdb', size - 1 if kept == 1 else int(size * kept))
  with pytest.raises(ValueError, match=(
      rf"^config\.data\.path: data\.mdb in '{root}' has [\d,]+ bytes of the "
      rf'{size:,} that it speaks of: it is cut off\. Copy or fetch it again')):
    opened(root)


def test_a_database_that_is_cut_off_while_it_is_open_is_refused_too(
    root, opened):
  first = opened(root, cache_gb=0.)
  os.truncate(root / 'data.mdb', os.path.getsize(root / 'data.mdb') // 2)
  with pytest.raises(ValueError, match='it is cut off'):
    opened(root)
  del first


def test_every_wrong_path_has_its_own_text(tmp_path, root, opened):
  (tmp_path / 'none').mkdir()
  (tmp_path / 'odd').mkdir()
  (tmp_path / 'odd' / 'data.mdb').write_bytes(b'x' * 9999)
  for path, said in {
      '': "no data.mdb in ''; wanted the folder of an LMDB",
      'none': "no data.mdb in '.*none'; wanted the folder",
      'nowhere': "no data.mdb in '.*nowhere'",
      '.': r'no data\.mdb in .*\. It holds those of church_train_lmdb, empty',
      'odd': "'.*odd' cannot be opened as an LMDB: .*not an LMDB",
      str(write(tmp_path / 'empty', {})): 'is an LMDB without a single key',
  }.items():
    with pytest.raises(ValueError, match=f'^config.data.path: .*{said}'):
      opened(path and tmp_path / path)


@pytest.mark.parametrize('setting', [
    {'dataset': 'lsun'}, {'split': 'test'}, {'label': 'kind'},
    {'label_file': 'a.csv'}])
def test_settings_that_mean_nothing_are_refused(setting, root, opened):
  (name, value), = setting.items()
  with pytest.raises(ValueError, match=(
      rf"config\.data\.{name}: '{value}' means nothing to config\.data\.name = "
      "'lmdb'; wanted '.*', the default")):
    opened(root, **setting)


def test_without_the_package_it_says_how_to_install_it(
    root, opened, monkeypatch):
  monkeypatch.setitem(sys.modules, 'lmdb', None)
  with pytest.raises(ValueError, match=(
      r"config\.data\.name: 'lmdb' needs lmdb, which does not import: .*Run: "
      r"pip install lmdb")):
    opened(root)
