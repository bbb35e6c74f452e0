"""Laws of zips and tars: read as they are, in threads, and never by half."""
import bz2
import io
import json
import lzma
import os
import struct
import tarfile
import threading
import zipfile

import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.data import sources
from msg_gan_jax.data.stores import archive
from msg_gan_jax.files import archives


def picture(seed):
  return np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)


def png(seed):
  out = io.BytesIO()
  Image.fromarray(picture(seed)).save(out, 'png')
  return out.getvalue()


FILES = {f'{"cat" if i < 3 else "dog"}/{i}.png': png(i) for i in range(6)}


def write_zip(path, files=FILES, method=zipfile.ZIP_DEFLATED):
  with zipfile.ZipFile(path, 'w', method) as file:
    for name, content in files.items():
      file.writestr(name, content)
  return path


def write_tar(path, files=FILES, mode='w', format=tarfile.PAX_FORMAT):
  with tarfile.open(path, mode, format=format) as file:
    for name, content in files.items():
      info = tarfile.TarInfo(name)
      info.size = len(content)
      file.addfile(info, io.BytesIO(content))
  return path


WRITERS = {'zip': write_zip, 'tar': write_tar}


@pytest.fixture
def opened(tmp_path):
  def opened(path, **settings):
    config = schema.template()
    config.data.update({
        'name': 'archive', 'path': str(path), 'resolution': 8, 'held_out': 0,
        'cache_dir': str(tmp_path / 'cache'), **settings})
    return sources.open_source(schema.parse(config)).train
  return opened


def whole(source):
  return source.images(np.arange(len(source)))


def assert_is_the_set(found):
  np.testing.assert_array_equal(whole(found), [picture(i) for i in range(6)])
  assert found.classes == ('cat', 'dog')
  assert found.labels(np.arange(6)).tolist() == [0] * 3 + [1] * 3
  json.dumps(found.notes)


# What is read.


@pytest.mark.parametrize('method', [
    zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
@pytest.mark.parametrize('cache_gb', [4., 0.])
def test_a_zip_is_its_pictures_however_it_is_packed(
    method, cache_gb, tmp_path, opened):
  found = opened(write_zip(tmp_path / 'set.zip', method=method),
                 cache_gb=cache_gb)
  assert_is_the_set(found)
  assert found.name == 'set.zip'


@pytest.mark.parametrize('format', [
    tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize('cache_gb', [4., 0.])
def test_a_tar_is_its_pictures_in_every_format(
    format, cache_gb, tmp_path, opened):
  deep = {f'./{"x" * 90}/{"y" * 90}/{n}': c for n, c in FILES.items()}
  assert_is_the_set(opened(
      write_tar(tmp_path / 'set.tar', deep, format=format), cache_gb=cache_gb))


def test_what_an_archive_is_its_bytes_say(tmp_path, opened):
  assert_is_the_set(opened(write_zip(tmp_path / 'set.tar')))
  assert_is_the_set(opened(write_tar(tmp_path / 'set.zip')))
  behind = tmp_path / 'set.exe'
  behind.write_bytes(b'MZ' * 500 + (tmp_path / 'set.tar').read_bytes())
  assert_is_the_set(opened(behind))


@pytest.mark.parametrize('kind', WRITERS)
def test_hidden_names_and_those_outside_are_passed_over(
    kind, tmp_path, opened):
  more = {'__MACOSX/cat/._0.png': b'x', '.git/0.png': b'x', '../0.png': b'x',
          'cat/.0.png': b'x', 'notes.txt': b''}
  found = opened(WRITERS[kind](tmp_path / 'set', {**FILES, **more}))
  assert_is_the_set(found)
  assert found.notes['other_files'] == {'.txt': 1}


def link(path, *links):
  """Appends (name, target, 'hard', 'symbolic' or 'pipe') to a tar."""
  kinds = {'hard': tarfile.LNKTYPE, 'symbolic': tarfile.SYMTYPE,
           'pipe': tarfile.FIFOTYPE}
  with tarfile.open(path, 'a') as file:
    for name, target, kind in links:
      info = tarfile.TarInfo(name)
      info.type, info.linkname = kinds[kind], target
      file.addfile(info)
  return path


def test_links_to_members_of_a_tar_are_those_members(tmp_path, opened):
  path = link(
      write_tar(tmp_path / 'set.tar',
                {'.all/0.png': png(0), 'x/1.png': png(1)}),
      ('cat/0.png', './.all/0.png', 'hard'),
      ('cat/1.png', 'cat/0.png', 'hard'),
      ('dog/2.png', '../x/1.png', 'symbolic'),
      ('dog/3.png', '4.png', 'symbolic'),
      ('dog/4.png', '2.png', 'symbolic'),
      ('dog/5.png', 'dog/4.png', 'hard'))
  found = opened(path)
  np.testing.assert_array_equal(
      whole(found), [picture(i) for i in (0, 0, 1, 1, 1, 1, 1)])
  assert found.classes == ('cat', 'dog', 'x')
  assert 'other_files' not in found.notes


def test_a_hard_link_keeps_what_its_target_was_before_it(tmp_path, opened):
  path = link(write_tar(tmp_path / 'set.tar', {'a.png': png(0)}),
              ('b.png', 'a.png', 'hard'))
  with tarfile.open(path, 'a') as file:
    info = tarfile.TarInfo('a.png')
    info.size = len(png(1))
    file.addfile(info, io.BytesIO(png(1)))
  np.testing.assert_array_equal(whole(opened(path)), [picture(1), picture(0)])


@pytest.mark.parametrize('links, said', [
    ([('cat/x.png', 'cat/none.png', 'hard')],
     "is a link to 'cat/none.png', which the archive does not hold"),
    ([('cat/x.png', '/etc/passwd', 'hard')],
     "is a link to 'etc/passwd', which the archive does not hold"),
    ([('cat/x.png', '../none.png', 'symbolic')],
     "is a link to 'none.png', which the archive does not hold"),
    ([('cat/x.png', 'y.png', 'symbolic'), ('cat/y.png', 'x.png', 'symbolic')],
     'is a link that leads in a circle'),
    ([('cat/x.png', 'cat/x.png', 'hard')], 'is a link that leads in a circle'),
])
def test_a_link_that_leads_to_no_member_is_named_or_skipped(
    links, said, tmp_path, opened):
  path = link(write_tar(tmp_path / 'set.tar'), *links)
  with pytest.raises(ValueError, match=(
      rf"^config\.data\.path: cannot read '.*set\.tar/cat/x\.png': {said}")):
    opened(path)
  assert_is_the_set(opened(path, on_bad='skip'))


def test_links_that_lead_outside_are_not_followed_and_are_counted(
    tmp_path, opened):
  folder = tarfile.TarInfo('all')
  folder.type = tarfile.DIRTYPE
  with tarfile.open(write_tar(tmp_path / 'set.tar'), 'a') as file:
    file.addfile(folder)
  link(tmp_path / 'set.tar', ('cat/s.png', '/etc/passwd', 'symbolic'),
       ('cat/u.png', '../../dog/5.png', 'symbolic'),
       ('cat/d.png', '../all', 'symbolic'), ('cat/f.png', '', 'pipe'))
  linked = zipfile.ZipInfo('cat/s.png')
  linked.create_system, linked.external_attr = 3, 0o120777 << 16
  with zipfile.ZipFile(write_zip(tmp_path / 'set.zip'), 'a') as file:
    file.writestr(linked, '/etc/passwd')
  for name, count in (('set.tar', 4), ('set.zip', 1)):
    found = opened(tmp_path / name)
    assert_is_the_set(found)
    assert found.notes['other_files'] == {'links, pipes and the like': count}


@pytest.mark.filterwarnings('ignore:Duplicate name')
@pytest.mark.parametrize('kind', WRITERS)
def test_of_two_members_of_one_name_the_last_counts(kind, tmp_path, opened):
  path = WRITERS[kind](tmp_path / 'set', {**FILES, 'cat/0.png': png(99)})
  if kind == 'zip':
    with zipfile.ZipFile(path, 'a') as file:
      file.writestr('cat/0.png', png(0))
  else:
    with tarfile.open(path, 'a') as file:
      info = tarfile.TarInfo('cat/0.png')
      info.size = len(png(0))
      file.addfile(info, io.BytesIO(png(0)))
  assert_is_the_set(opened(path))


def test_names_of_a_zip_from_a_mac_or_from_windows_are_those_of_unix(
    tmp_path, opened):
  path = write_zip(tmp_path / 'set.zip', {'кот/0.png': png(0)})
  content = path.read_bytes()
  # Behind the version, 20: Apple's names are UTF-8, and no flag says so.
  assert content.count(b'\x14\0\0\x08') == 2
  path.write_bytes(content.replace(b'\x14\0\0\x08', b'\x14\0\0\0'))
  assert opened(path).classes == ('кот',)
  info = zipfile.ZipInfo('x')
  info.create_system, info.filename = 0, 'cat\\0.png'
  with zipfile.ZipFile(tmp_path / 'win.zip', 'w') as file:
    file.writestr(info, png(0))
  assert opened(tmp_path / 'win.zip').classes == ('cat',)


def test_names_of_a_tar_that_are_no_text_are_read_and_go_to_json(
    tmp_path, opened):
  found = opened(write_tar(tmp_path / 'set.tar', {
      'caf\udce9/0.png': png(0), 'the\n/1.png': png(1)},
      format=tarfile.GNU_FORMAT))
  np.testing.assert_array_equal(whole(found), [picture(0), picture(1)])
  assert found.classes == ('caf\\udce9', 'the\n')
  json.dumps([found.notes, found.classes], ensure_ascii=False).encode()


@pytest.mark.parametrize('kind', WRITERS)
def test_label_files_inside_are_read(kind, tmp_path, opened):
  names = sorted(FILES)
  rows = ''.join(f'{n},{i % 2}\n' for i, n in enumerate(names)).encode()
  path = WRITERS[kind](tmp_path / 'set', {
      **FILES, 'meta/labels.csv': rows, 'dataset.json': b'{"labels": null}'})
  found = opened(path, label_file='meta/labels.csv')
  assert found.labels(np.arange(6)).tolist() == [0, 1] * 3
  assert opened(path).classes == ()


@pytest.mark.parametrize('kind', WRITERS)
@pytest.mark.parametrize('system', ['unix', 'windows', 'in short reads'])
def test_threads_may_read_at_the_same_time(
    system, kind, tmp_path, monkeypatch):
  path, pread = WRITERS[kind](tmp_path / 'set'), os.pread
  if system == 'windows':
    monkeypatch.delattr(os, 'pread')
  if system == 'in short reads':
    monkeypatch.setattr(
        os, 'pread', lambda file, size, at: pread(file, min(size, 99), at))
  found = archive.Archive(archive.unpack(str(path)))
  wanted, wrong = [FILES[n] for n in found.names], []

  def ask(seed):
    for i in np.random.default_rng(seed).integers(0, 6, 300):
      if (found.read(i) != wanted[i]
          or Image.open(io.BytesIO(found.read(i))).size != (8, 8)):
        wrong.append(i)
  asking = [threading.Thread(target=ask, args=(s,)) for s in range(4)]
  for thread in asking:
    thread.start()
  for thread in asking:
    thread.join()
  assert wrong == []


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
  monkeypatch.setattr(archive, 'SMALL_BYTES', 2_000_000)
  path = zeros(tmp_path / 'bomb', 8_000_000, mode)
  assert 8_000_000 > 500 * path.stat().st_size
  with pytest.raises(ValueError, match=(
      r"^config\.data\.path: '.*bomb' of [\d,]+ bytes unpacks to more than "
      r'[\d,]+, which only fills a disk; wanted pictures\.$')):
    opened(path, on_bad='skip')
  assert nothing_is_kept(tmp_path / 'cache')
  monkeypatch.setattr(archive, 'SMALL_BYTES', 9_000_000)
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
               'declares 1,000,000,001 bytes; wanted at most 1,000,000,000'),
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
  write_zip(tmp_path / 'both.zip', {'a.png': b'', 'cat/b.png': b''})
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
      'both.zip': r"1 pictures lie loose \('a\.png' .*on_bad='skip'",
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
