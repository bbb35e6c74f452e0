"""Laws of files that say more than they hold: memory is not asked for it."""
import os
import zipfile

import numpy as np
import pytest

from msg_gan_jax.data.stores import archive, npz
from msg_gan_jax.files import archives, npy, plain, room, tensors
from msg_gan_jax.runs import config_file


def a_few_numbers(path):
  np.savez_compressed(path, images=np.zeros((4000, 32, 32, 3), np.uint8))
  return path


def moments(path):
  with npy.open_archive(a_few_numbers(path)) as arrays:
    return arrays['images']


def sparse(path):
  """Twelve gigabytes of holes, which no disk minds."""
  np.save(path, np.zeros((2, 4), np.float32))
  with open(path, 'rb+') as file:
    head = file.read().replace(b'(2, 4)', b'(750000000, 4)', 1)
    file.seek(0)
    file.write(head.replace(b' ' * 8 + b'\n', b'\n', 1))
    file.truncate(128 + 16 * 750_000_000)
  return path


def run(path):
  folder = path.parent / 'run'
  folder.mkdir()
  (folder / 'config.json').touch()
  os.truncate(folder / 'config.json', 12_000_000_000)
  return folder


READS = {
    'npz of a data set': lambda path: npz.Npz(archive.unpack(
        str(a_few_numbers(path)))),
    'npz of moments': moments,
    'npz of weights': lambda path: tensors.read(a_few_numbers(path)),
    'npy of latents': lambda path: npy.load(sparse(path)),
    'settings of a run': lambda path: config_file.load_config(run(path)),
    'a device without end': lambda path: plain.read('/dev/zero'),
}


@pytest.mark.parametrize('kind', READS)
def test_what_would_fill_memory_is_refused_by_its_header(
    kind, tmp_path, monkeypatch):
  monkeypatch.setattr(room, 'SMALL_BYTES', 2_000_000)
  monkeypatch.setattr(room, 'free', lambda: 1e9)
  with pytest.raises((ValueError, OSError), match=(
      'wanted at most|free|unpacks to over|no plain file')):
    READS[kind](tmp_path / ('a.npy' if 'npy' in kind else 'a.npz'))


def test_what_does_fit_is_read(tmp_path, monkeypatch):
  monkeypatch.setattr(room, 'free', lambda: 1e9)
  path = a_few_numbers(tmp_path / 'a.npz')
  assert zipfile.ZipFile(path).infolist()[0].compress_size * 500 < 12e6
  assert tensors.read(path)['images'].shape == (4000, 32, 32, 3)
  assert moments(path).shape == (4000, 32, 32, 3)


def test_memory_that_is_free_is_known_and_never_more_than_a_limit(
    tmp_path, monkeypatch):
  assert 1e8 < room.free()
  (tmp_path / 'max').write_text('7000\n')
  monkeypatch.setattr(room, '_LIMIT', tmp_path / 'max')
  assert room.free() == 7000


@pytest.mark.parametrize('method', [
    zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_what_is_unpacked_in_blocks_is_the_same(method, tmp_path, monkeypatch):
  content = np.random.default_rng(0).integers(0, 9, 300_000, np.uint8)
  with zipfile.ZipFile(tmp_path / 'a.zip', 'w', method) as opened:
    opened.writestr('a', content.tobytes())
  opened = archive.unpack(str(tmp_path / 'a.zip'))
  for block in (1000, 7777, 1 << 20):
    monkeypatch.setattr(archives, 'BLOCK', block)
    assert opened.read('a') == content.tobytes()
    np.testing.assert_array_equal(opened.numbers('a', 300_000), content)
    with pytest.raises(ValueError, match='wanted at most 299,999'):
      opened.numbers('a', 299_999)
