"""Laws of archives that are compressed, damaged, cut off or none."""
import bz2
import io
import lzma
import os
import struct
import tarfile
import zipfile

from archive_files import (
  FILES,
  WRITERS,
  assert_is_the_set,
  write_tar,
  write_zip,
)
from helpers import picture, whole
import numpy as np
import pytest

from msg_gan_jax.data.stores import archive
from msg_gan_jax.files import archives, room

# Compressed tars.

COMPRESSED = {'gz': b'\x1f\x8b', 'bz2': b'BZh', 'xz': b'\xfd7z'}


@pytest.mark.parametrize('kind', COMPRESSED)
def test_a_compressed_tar_is_unpacked_once_and_said(
    kind, tmp_path, opened, capsys):
  path = write_tar(tmp_path / 'set.bin', mode=f'w:{kind}')
  assert path.read_bytes().startswith(COMPRESSED[kind])
  assert_is_the_set(opened(path))
  assert capsys.readouterr().err == (
      f"Unpacking '{path}' into '{tmp_path / 'cache'}', once.\n")
  kept = sorted(os.listdir(tmp_path / 'cache'))
  assert_is_the_set(opened(path))
  assert_is_the_set(opened(path, cache_gb=0.))
  assert capsys.readouterr().err == ''
  assert set(kept) <= set(os.listdir(tmp_path / 'cache'))
  os.utime(path, ns=(5, 5))
  opened(path)
  assert 'Unpacking' in capsys.readouterr().err


def test_a_compressed_tar_that_is_cut_off_leaves_nothing(tmp_path, opened):
  path = write_tar(tmp_path / 'set.tgz', mode='w:gz')
  path.write_bytes(path.read_bytes()[:-100])
  with pytest.raises(ValueError, match=(
      r"^config\.data\.path: .*set\.tgz' is cut off or damaged: Compressed")):
    opened(path, on_bad='skip')
  assert nothing_is_kept(tmp_path / 'cache')


def nothing_is_kept(cache):
  return [n for n in os.listdir(cache) if not n.endswith('.lock')] == []


def zeros(path, size, mode='w:gz'):
  """Pictures, and behind them one of nothing but zeros."""
  info = tarfile.TarInfo('cat/zeros.png')
  info.size = size
  with tarfile.open(path, mode) as file:
    for name, content in FILES.items():
      before = tarfile.TarInfo(name)
      before.size = len(content)
      file.addfile(before, io.BytesIO(content))
    file.addfile(info, io.BytesIO(bytes(size)))
  return path


@pytest.mark.parametrize('mode', ['w:gz', 'w:bz2', 'w:xz'])
def test_zeros_that_would_fill_the_disk_are_refused(
    mode, tmp_path, opened, monkeypatch):
  monkeypatch.setattr(room, 'SMALL_BYTES', 2_000_000)
  path = zeros(tmp_path / 'bomb', 8_000_000, mode)
  assert 8_000_000 > 500 * path.stat().st_size
  with pytest.raises(ValueError, match=(
      r"^config\.data\.path: '.*bomb' of [\d,]+ bytes unpacks to more than "
      r'[\d,]+, which only fills a disk; wanted pictures\.$')):
    opened(path, on_bad='skip')
  assert nothing_is_kept(tmp_path / 'cache')
  monkeypatch.setattr(room, 'SMALL_BYTES', 9_000_000)
  assert_is_the_set(opened(path, on_bad='skip'))


def test_a_member_too_large_for_a_picture_is_not_unpacked(
    tmp_path, opened, monkeypatch):
  written, append = [], archive._appended
  monkeypatch.setattr(archives, 'MOST_BYTES', 5_000_000)
  monkeypatch.setattr(archive, '_appended', lambda blocks, keep: append(
      blocks, lambda block: (written.append(len(block)), keep(block))))
  with pytest.raises(ValueError, match=(
      r"^config\.data\.path: 'cat/zeros\.png' in '.*large' declares 50,000,000 "
      r"bytes; wanted at most 5,000,000\. Unpack it yourself, and set")):
    opened(zeros(tmp_path / 'large', 50_000_000))
  assert sum(written) <= 2 * archive.BLOCK
  assert nothing_is_kept(tmp_path / 'cache')


def test_a_compressed_tar_that_is_damaged_within_says_where(tmp_path, opened):
  content = bytearray(write_tar(tmp_path / 'set.tar').read_bytes())
  with tarfile.open(tmp_path / 'set.tar') as file:
    third = file.getmembers()[2].offset
  content[third:third + 100] = b'\xff' * 100
  (tmp_path / 'set.tbz2').write_bytes(bz2.compress(bytes(content)))
  with pytest.raises(ValueError, match=(
      rf"set\.tbz2' is damaged: a member should begin at byte {third:,}")):
    opened(tmp_path / 'set.tbz2')


@pytest.mark.parametrize('pack', [bz2.compress, lzma.compress])
def test_what_is_compressed_and_no_tar_is_not_unpacked(
    pack, tmp_path, opened, capsys):
  (tmp_path / 'a.csv.x').write_bytes(pack(b'a,b\n' * 1000))
  with pytest.raises(ValueError, match='compressed, but there is no tar in it'):
    opened(tmp_path / 'a.csv.x')
  assert capsys.readouterr().err == ''


def test_a_cache_folder_without_room_is_an_error(
    tmp_path, opened, monkeypatch):
  path = write_tar(tmp_path / 'set.tgz', mode='w:gz')
  (tmp_path / 'file').write_text('')
  with pytest.raises(ValueError, match=(
      r"^config\.data\.cache_dir: .*file' does not take the unpacked")):
    opened(path, cache_dir=str(tmp_path / 'file'))


# One member's fault.


def crc(path):
  found = zipfile.ZipFile(path).infolist()[0].CRC
  content = path.read_bytes()
  path.write_bytes(content.replace(
      struct.pack('<L', found), struct.pack('<L', found ^ 1)))


def declared(size):
  """Of the first member, also in the table of contents."""
  def declare(path):
    info = zipfile.ZipFile(path).infolist()[0]
    content = path.read_bytes()
    old = struct.pack('<LLL', info.CRC, info.compress_size, info.file_size)
    assert content.count(old) == 2
    path.write_bytes(content.replace(old, struct.pack(
        '<LLL', info.CRC, info.compress_size, size(info))))
  return declare


def in_headers(offset, value):
  """Of the first member: a field of its header and of the table."""
  def write(path):
    content = bytearray(path.read_bytes())
    for start, shift in ((0, 0), (content.index(b'PK\1\2'), 2)):
      content[start + offset + shift:start + offset + shift + 2] = value
    path.write_bytes(content)
  return write


def block_type(path):
  content = bytearray(path.read_bytes())
  content[30 + len('cat/0.png')] = 7  # Deflate has no blocks of type 3.
  path.write_bytes(content)


def first_bytes(path):
  content = bytearray(path.read_bytes())
  content[:4] = b'PK\3\3'
  path.write_bytes(b'MZ' + content)


ZIPS = {
    'crc': (crc, 'its CRC-32 is not that which the archive declares'),
    'encrypted': (in_headers(6, b'\1\0'), 'is encrypted; unpack it'),
    'method': (in_headers(8, b'\x0e\0'),
               r'compressed by method 14 \(lzma\); wanted stored, deflate'),
    'absurd': (declared(lambda i: 1_000_000_001),
               'declares 1,000,000,001 bytes; wanted at most 100,000,000 '),
    'more': (declared(lambda i: i.file_size - 1), 'inflates to more than the'),
    'less': (declared(lambda i: i.file_size + 1), 'inflates to less than the'),
    'bits': (block_type, 'damaged: Error -3 .*invalid block type'),
    'header': (first_bytes, 'no header where this member should be'),
}


@pytest.mark.parametrize('fault', ZIPS)
def test_a_damaged_member_of_a_zip_is_named_or_skipped(
    fault, tmp_path, opened):
  path = write_zip(tmp_path / 'set.zip')
  harm, said = ZIPS[fault]
  harm(path)
  with pytest.raises(ValueError, match=(
      rf"^config\.data\.path: cannot read '.*set\.zip/cat/0\.png': .*{said}")):
    opened(path)
  found = opened(path, on_bad='skip')
  np.testing.assert_array_equal(
      whole(found), [picture(i) for i in range(1, 6)])
  assert found.notes['skipped'][0][0] == 'cat/0.png'


def test_no_more_is_inflated_than_declared(tmp_path, monkeypatch):
  """A member of 64 MB that declares 1000 bytes costs 1001."""
  path = write_zip(tmp_path / 'set.zip', {'a.png': bytes(64_000_000)})
  declared(lambda i: 1000)(path)
  sizes, inflate = [], archives._inflate

  def measured(*args):
    sizes.append(len(inflate(*args)))
    return inflate(*args)
  monkeypatch.setattr(archives, '_inflate', measured)
  with pytest.raises(ValueError, match='inflates to more than the 1000 bytes'):
    archive.unpack(str(path)).read('a.png')
  assert sizes == [1001]


def test_a_tar_that_is_cut_off_is_named_at_the_member_it_ends_in(
    tmp_path, opened):
  path = write_tar(tmp_path / 'set.tar')
  with tarfile.open(path) as file:
    last = file.getmembers()[-1]
  path.write_bytes(path.read_bytes()[:last.offset_data + 9])
  with pytest.raises(ValueError, match=(
      r"cannot read '.*set\.tar/dog/5\.png': the archive is cut off after 9 of "
      r'the \d+ bytes')):
    opened(path)
  assert len(opened(path, on_bad='skip')) == 5


def test_a_tar_without_an_end_mark_is_read_and_said(tmp_path, opened, capsys):
  path = write_tar(tmp_path / 'set.tar')
  with tarfile.open(path) as file:
    last = file.getmembers()[-1]
  end = last.offset_data + -(-last.size // 512) * 512
  path.write_bytes(path.read_bytes()[:end])
  assert_is_the_set(opened(path))
  assert 'has no mark at its end' in capsys.readouterr().err


def test_a_tar_that_is_damaged_in_the_middle_is_not_read_by_half(
    tmp_path, opened):
  path = write_tar(tmp_path / 'set.tar')
  with tarfile.open(path) as file:
    third = file.getmembers()[2].offset
  content = bytearray(path.read_bytes())
  content[third:third + 100] = b'\xff' * 100
  path.write_bytes(content)
  with pytest.raises(ValueError, match=(
      rf"^config\.data\.path: .*set\.tar' is damaged: a member should begin at "
      rf'byte {third:,}, and none does')):
    opened(path, on_bad='skip')


def test_a_sparse_member_is_an_error(tmp_path, opened):
  info = tarfile.TarInfo('cat/x.png')
  info.size = 8
  info.pax_headers = {'GNU.sparse.map': '0,4,100,4', 'GNU.sparse.size': '104'}
  with tarfile.open(write_tar(tmp_path / 'set.tar'), 'a') as file:
    file.addfile(info, io.BytesIO(b'12345678'))
  with pytest.raises(ValueError, match=r'cat/x\.png.*is sparse: it has holes'):
    opened(tmp_path / 'set.tar')
  assert_is_the_set(opened(tmp_path / 'set.tar', on_bad='skip'))


# The fault of the whole.


def test_every_wrong_path_has_its_own_text(tmp_path, opened):
  (tmp_path / 'folder').mkdir()
  (tmp_path / 'empty').write_bytes(b'')
  (tmp_path / 'text').write_bytes(b'hello')
  (tmp_path / 'a.7z').write_bytes(b'7z\xbc\xaf\x27\x1c')
  (tmp_path / 'a.rar').write_bytes(b'Rar!\x1a\x07')
  (tmp_path / 'a.zst').write_bytes(b'(\xb5/\xfd')
  np.save(tmp_path / 'a.npy', np.zeros(3))
  cut = write_zip(tmp_path / 'cut.zip')
  cut.write_bytes(cut.read_bytes()[:-100])
  write_zip(tmp_path / 'none.zip', {'a.txt': b'', 'b': b''})
  write_tar(tmp_path / 'none.tar', {})
  write_tar(tmp_path / 'arrays.tar', {'a.npy': b''})
  write_tar(tmp_path / 'parts.tar', {'train/a.png': b'', 'test/b.png': b''})
  for name, said in {
      'no/thing.zip': f"no file .*folder that exists is '{tmp_path}'",
      'folder': "is a folder; .*name='folder' reads folders",
      'empty': 'is empty; wanted .zip',
      'text': r"is not an archive \(it begins with b'hello'\); wanted \.zip",
      'a.7z': 'is a 7z archive; wanted', 'a.rar': 'is a RAR archive; wanted',
      'a.zst': 'is compressed by zstd; wanted',
      'a.npy': r'is one array .*; save it as np\.savez',
      'cut.zip': 'begins as a zip, but its table of contents.*cut off',
      'none.zip': 'no pictures in .*found 1 .txt, 1 without an extension',
      'none.tar': 'no pictures in .*found nothing',
      'arrays.tar': 'no pictures in .*found 1 .npy',
      'parts.tar': "are splits and not classes: test, train",
  }.items():
    with pytest.raises(ValueError, match=f'^config.data.path: .*{said}'):
      opened(tmp_path / name)
  with pytest.raises(ValueError, match="is empty; data.name='archive' wants"):
    opened('')


def test_settings_that_mean_nothing_to_an_archive_are_errors(tmp_path, opened):
  write_zip(tmp_path / 'set.zip')
  for name in ('dataset', 'split'):
    with pytest.raises(ValueError, match=f"data.{name}: 'x' means nothing"):
      opened(tmp_path / 'set.zip', **{name: 'x'})
  with pytest.raises(ValueError, match="data.label: 'x'; the classes of a"):
    opened(tmp_path / 'set.zip', label='x')


def test_a_label_file_inside_that_is_damaged_is_named(tmp_path, opened):
  path = write_zip(tmp_path / 'set.zip', {'dataset.json': b'{}', **FILES})
  crc(path)
  with pytest.raises(ValueError, match=(
      r"^config\.data\.label_file: cannot read 'dataset\.json' .*CRC-32")):
    opened(path)


@pytest.mark.parametrize('kind', WRITERS)
def test_a_touched_archive_has_another_digest_where_it_streams(
    kind, tmp_path, opened):
  path = WRITERS[kind](tmp_path / 'set')
  first = opened(path, cache_gb=0.).digest()
  assert opened(path, cache_gb=0.).digest() == first
  os.utime(path, ns=(5, 5))
  assert opened(path, cache_gb=0.).digest() != first
