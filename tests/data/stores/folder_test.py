"""Laws of the folder source: what is read, passed over and named."""
import io
import json
import os
import shutil
import sys

from helpers import picture, save, whole
import numpy as np
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.data import decode, picture_files, pictures, sources
from msg_gan_jax.data.source import Source
from msg_gan_jax.data.sources import Splits
from msg_gan_jax.data.stores import folder
from msg_gan_jax.metrics import evaluate, pair, protocols, sets
from msg_gan_jax.training import initial_state

# What is read.


def test_folders_are_classes_and_pixels_are_the_files(root, read):
  found = read(root)
  assert isinstance(found, Source)
  assert (len(found), found.shape, found.name) == (12, (8, 8, 3), 'set')
  assert found.classes == ('cat', 'dog')
  assert found.notes['per_class'] == {'cat': 5, 'dog': 7}
  assert found.labels(np.arange(12)).tolist() == [0] * 5 + [1] * 7
  assert found.labels(np.arange(12)).dtype == np.int32
  assert found.notes['sizes'] == {'8x8': 12}
  assert found.notes['decisions'] == {}
  json.dumps(found.notes)
  for i in range(12):
    np.testing.assert_array_equal(found.images(np.array([i]))[0], picture(i))
  np.testing.assert_array_equal(
      found.images(np.array([7, 0, 7])), [picture(7), picture(0), picture(7)])


def test_every_format_in_any_case_and_nothing_else(tmp_path, read):
  names = ['a.PNG', 'b.Jpg', 'c.jpeg', 'd.WebP', 'e.bmp', 'deep/er/f.png',
           *(f'g{extension}' for extension in decode.EXTENSIONS)]
  for i, name in enumerate(names):
    save(tmp_path / 'set' / 'x' / name, picture(i), **(
        {'format': 'JPEG'} if name.endswith('.jfif') else {}))
  (tmp_path / 'set' / 'x' / '.hidden.png').write_bytes(b'')
  (tmp_path / 'set' / 'x' / 'notes.txt').write_text('')
  found = read(tmp_path / 'set')
  assert len(found) == len(names) and found.classes == ('x',)
  assert {'.avif', '.jfif', '.jp2', '.pgm', '.ppm'} <= {*decode.EXTENSIONS}
  assert found.notes['other_files'] == {'.txt': 1}


@pytest.mark.parametrize('store', ['folder', 'zip'])
def test_kinds_that_this_pillow_lacks_are_told_in_a_sentence(
    root, store, tmp_path, monkeypatch, capsys):
  monkeypatch.setattr(decode, 'unreadable', lambda: ('.avif', '.jp2'))
  for name in 'cat/x.AVIF', 'cat/y.avif', 'dog/z.jp2':
    (root / name).write_bytes(b'of a kind that is not read')
  path = str(root) if store == 'folder' else shutil.make_archive(
      str(tmp_path / 'set'), 'zip', root)
  found = sets.open_set(path, cache_dir=str(tmp_path / 'cache'))
  assert len(found) == 12
  assert found.notes['other_files'] == {'.avif': 2, '.jp2': 1}
  line, = capsys.readouterr().err.splitlines()
  assert line.startswith(
      f"{path}: 3 pictures not read ('cat/x.AVIF' the first), for the Pillow "
      'that is installed was built without .avif .jp2. ')


def test_a_wrapper_is_not_a_class_and_loose_pictures_have_none(
    root, tmp_path, read):
  outer = read(tmp_path / 'set' / '..' / 'set')
  assert outer.classes == ('cat', 'dog')
  root.rename(tmp_path / 'train')
  (tmp_path / 'outer').mkdir()
  (tmp_path / 'train').rename(tmp_path / 'outer' / 'train')
  found = read(tmp_path / 'outer')
  assert found.classes == ('cat', 'dog')
  assert found.notes['classes_below'] == 'train'
  loose = read(tmp_path / 'outer' / 'train' / 'cat')
  assert loose.classes == () and not loose.labels(np.arange(5)).any()


def test_links_in_a_circle_end_and_take_no_pictures_away(root, read):
  (root / 'cat' / 'up').symlink_to(root)
  (root / 'self').symlink_to(root / 'self')
  (root / 'ant').symlink_to(root / 'dog')
  found = read(root)
  assert len(found) == 12 and found.classes == ('cat', 'dog')


def test_links_out_of_a_folder_are_followed_only_if_that_is_asked(
    root, tmp_path, capsys):
  outside = tmp_path / 'outside'
  shutil.copytree(root / 'cat', outside / 'all')
  for name, target in {
      'owl': outside, 'up': '..',
      'dog/x.png': next((outside / 'all').iterdir())}.items():
    (root / name).symlink_to(target)
  few = picture_files.scan(str(root))
  assert len(few.files) == 12 and few.special == 3
  assert "3 links out of it not followed ('owl' the" in (
      capsys.readouterr().err)
  more = picture_files.scan(str(root), follow_links=True)
  assert {*more.files} > {*few.files, 'dog/x.png'} and not more.special
  (tmp_path / 'link').symlink_to(root)  # The folder itself may be one.
  assert picture_files.scan(str(tmp_path / 'link')).files == few.files


def test_all_broken_is_an_error_even_when_skipping(tmp_path, read):
  (tmp_path / 'set').mkdir()
  (tmp_path / 'set' / 'a.png').write_bytes(b'x')
  with pytest.raises(ValueError, match=r"all 1 pictures.*'a\.png'"):
    read(tmp_path / 'set', on_bad='skip')


def test_too_many_open_files_are_not_skipped_pictures(
    root, read, monkeypatch):
  def refuse(path, recipe):
    raise OSError(24, 'Too many open files')
  monkeypatch.setattr(decode, 'decode', refuse)
  with pytest.raises(ValueError, match='Too many open files'):
    read(root, on_bad='skip')


def test_every_wrong_path_has_its_own_text(tmp_path, read):
  (tmp_path / 'empty').mkdir()
  (tmp_path / 'texts' / 'sub').mkdir(parents=True)
  for i in range(3):
    (tmp_path / 'texts' / 'sub' / f'{i}.txt').write_text('')
  (tmp_path / 'texts' / 'README').write_text('')
  (tmp_path / 'faces.zip').write_text('')
  save(tmp_path / 'parts' / 'train' / 'cat' / 'a.png', picture(0))
  save(tmp_path / 'parts' / 'test' / 'cat' / 'a.png', picture(0))
  for path, said in {
      '': 'is empty',
      str(tmp_path / 'no' / 'thing'): f'no folder.*exists is .{tmp_path}.',
      str(tmp_path / 'faces.zip'): "is a file.*data.name='archive'",
      str(tmp_path / 'empty'): r'looked for \.avif.*\.webp.*found nothing',
      str(tmp_path / 'texts'): r'found 3 \.txt, 1 without an extension',
      str(tmp_path / 'parts'): "splits.*test, train.*parts/train'",
  }.items():
    with pytest.raises(ValueError, match=f'^config.data.path: .*{said}'):
      read(path)


def test_a_folder_that_may_not_be_read_is_named(root, read, monkeypatch):
  plain = os.scandir

  def guarded(path):
    if path.endswith('dog'):
      raise PermissionError(13, 'Permission denied')
    return plain(path)
  monkeypatch.setattr(os, 'scandir', guarded)
  with pytest.raises(ValueError, match=(
      r"^config\.data\.path: cannot read the folder '.*dog': Permission")):
    read(root)


def test_two_channels_are_refused(root, read):
  with pytest.raises(ValueError, match=r'config\.data\.channels.*found 2'):
    read(root, channels=2)


# Odd files.


@pytest.mark.parametrize('store', ['folder', 'zip', 'tar'])
@pytest.mark.parametrize('on_bad', ['error', 'skip'])
def test_a_folder_of_loose_pictures_and_folders_is_read_whole(
    root, store, on_bad, tmp_path):
  for name in 'b.png', 'a.png', 'deep/er/c.png':
    save(root / name, picture(ord(name[0])))
  config = schema.template()
  config.data.update(
      name='folder', path=str(root), resolution=8, held_out=0, on_bad=on_bad,
      cache_dir=str(tmp_path / 'cache'))
  if store != 'folder':
    config.data.update(name='archive', path=shutil.make_archive(
        str(tmp_path / 'set'), store, root))
  found = sources.open_source(schema.parse(config)).train
  assert len(found) == 15 and found.classes == ()
  assert not found.notes['skipped']
  assert found.notes['without_classes'] == (
      "2 pictures lie loose ('a.png' the first) beside 3 folders of pictures "
      "('cat' the first)")
  note = initial_state.check_classes(schema.parse(config), Splits(found, None))
  assert note.startswith(f'{found.name} is read whole, without classes: 2 pict')
  # Evaluate reads it so, too, and has no other setting to name.
  like = sets.open_set(config.data.path, cache_dir=str(tmp_path / 'cache'))
  assert len(like) == 15 and like.classes == ()
  both = pair.Pair(like, like, pair.Options(
      protocols.PROTOCOLS['local'], 'local'))
  with pytest.raises(ValueError, match='2 pictures lie loose') as error:
    evaluate.compute(both, ('class_accuracy',))
  assert 'config.' not in str(error.value)


def test_loose_pictures_do_not_make_classes_of_splits(root, read):
  for name in 'a.png', 'train/b.png', 'test/c.png':
    save(root / 'in' / name, picture(0))
  with pytest.raises(ValueError, match="splits.*test, train.*in/train'"):
    read(root / 'in')


def test_one_picture_is_a_set(tmp_path, read):
  save(tmp_path / 'set' / 'a.png', picture(0))
  for cache_gb in (4., 0.):
    found = read(tmp_path / 'set', cache_gb=cache_gb)
    np.testing.assert_array_equal(whole(found), [picture(0)])


def test_pipes_and_sockets_are_passed_over_and_counted(root, read):
  os.mkfifo(root / 'cat' / 'pipe.png')
  (root / 'dog' / 'link.png').symlink_to(root / 'cat' / 'pipe.png')
  found = read(root)  # A reader of the pipe would wait for ever.
  assert len(found) == 12
  assert found.notes['other_files'] == {'links, pipes and the like': 2}


@pytest.mark.skipif(sys.platform != 'linux', reason='names are bytes there')
def test_names_may_be_of_any_script_and_of_none(tmp_path, read, capsys):
  odd = ['кот', '猫', 'two\nlines', os.fsdecode(b'caf\xe9')]
  for i, name in enumerate(odd):
    save(tmp_path / odd[-1] / name / f'{name}.png', picture(i))
  (tmp_path / odd[-1] / odd[0] / f'{odd[-1]}.png').write_bytes(b'')
  found = read(tmp_path / odd[-1], on_bad='skip')
  assert len(found) == 4 and 'caf\\udce9' in found.classes
  text = json.dumps(found.notes['per_class'], ensure_ascii=False)
  assert '猫' in text and text.encode()
  json.loads(json.dumps(found.notes))
  for note in (found.name, found.classes, *found.notes.values()):
    print(note, file=io.TextIOWrapper(io.BytesIO(), 'utf-8'))
  with pytest.raises(ValueError, match=r'caf.udce9\.png') as error:
    read(tmp_path / odd[-1])
  str(error.value).encode()


@pytest.mark.skipif(not hasattr(os, 'geteuid') or os.geteuid() == 0,
                    reason='root may read everything')
def test_a_folder_without_permission_is_named(root, read):
  (root / 'dog').chmod(0)
  try:
    with pytest.raises(ValueError, match=r'cannot read the folder .*dog'):
      read(root)
  finally:
    (root / 'dog').chmod(0o700)


def test_a_file_that_vanishes_after_the_scan_is_named_or_skipped(
    root, tmp_path):
  recipe = decode.Recipe(8, 8, 3, 'center_crop', 'lanczos')
  store = folder.Folder(str(root))
  os.remove(root / 'cat' / '01.png')
  with pytest.raises(ValueError, match=r'cat/01\.png.*No such file'):
    pictures.Pictures(store, recipe, cache_dir=str(tmp_path / 'cache'))
  found = pictures.Pictures(store, recipe, 'skip', str(tmp_path / 'cache'))
  assert [n for n, _ in found.notes['skipped']] == ['cat/01.png']
