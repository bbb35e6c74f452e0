"""Laws of the archive source: a zip or a tar is its pictures."""
import io
import json
import os
import tarfile
import threading
import zipfile

from archive_files import (
  FILES,
  WRITERS,
  assert_is_the_set,
  member,
  write_tar,
  write_zip,
)
from helpers import picture, whole
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.data.stores import archive

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
                {'.all/0.png': member(0), 'x/1.png': member(1)}),
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
  path = link(write_tar(tmp_path / 'set.tar', {'a.png': member(0)}),
              ('b.png', 'a.png', 'hard'))
  with tarfile.open(path, 'a') as file:
    info = tarfile.TarInfo('a.png')
    info.size = len(member(1))
    file.addfile(info, io.BytesIO(member(1)))
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
  path = WRITERS[kind](tmp_path / 'set', {**FILES, 'cat/0.png': member(99)})
  if kind == 'zip':
    with zipfile.ZipFile(path, 'a') as file:
      file.writestr('cat/0.png', member(0))
  else:
    with tarfile.open(path, 'a') as file:
      info = tarfile.TarInfo('cat/0.png')
      info.size = len(member(0))
      file.addfile(info, io.BytesIO(member(0)))
  assert_is_the_set(opened(path))


def test_names_of_a_zip_from_a_mac_or_from_windows_are_those_of_unix(
    tmp_path, opened):
  path = write_zip(tmp_path / 'set.zip', {'кот/0.png': member(0)})
  content = path.read_bytes()
  # Behind the version, 20: Apple's names are UTF-8, and no flag says so.
  assert content.count(b'\x14\0\0\x08') == 2
  path.write_bytes(content.replace(b'\x14\0\0\x08', b'\x14\0\0\0'))
  assert opened(path).classes == ('кот',)
  info = zipfile.ZipInfo('x')
  info.create_system, info.filename = 0, 'cat\\0.png'
  with zipfile.ZipFile(tmp_path / 'win.zip', 'w') as file:
    file.writestr(info, member(0))
  assert opened(tmp_path / 'win.zip').classes == ('cat',)


def test_names_of_a_tar_that_are_no_text_are_read_and_go_to_json(
    tmp_path, opened):
  found = opened(write_tar(tmp_path / 'set.tar', {
      'caf\udce9/0.png': member(0), 'the\n/1.png': member(1)},
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
