"""Laws of what is written of a data set: text, numbers, pictures."""
import json
import os
import re

from helpers import Drawn, picture
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.analysis.dataset import census, inspection
from msg_gan_jax.config import schema
from msg_gan_jax.data.sources import Splits
from msg_gan_jax.report import contact_sheet, inventory, lettering, scatter

# What is written.


def test_the_file_holds_what_is_returned_and_printed(root, look, tmp_path):
  found, text = look(root)
  with open(tmp_path / 'out' / 'inspect.json', encoding='utf-8') as file:
    kept = json.load(file)
  assert kept == json.loads(json.dumps(found))
  assert list(kept['classes']) == ['cat', 'dog']
  assert f"{kept['train']} to train on, {kept['held_out']} held out" in text
  assert kept['digest'] in text
  # 'out_of' is a note of a CIFAR without all of its classes.
  assert set(inventory.TOLD_ELSEWHERE) - {'out_of'} <= set(kept['notes'])
  for name, channel in kept['channels'].items():
    assert re.search(
        rf"^  {name} +{channel['mean']:.1f} +{channel['std']:.1f} ", text, re.M)


def test_a_contact_sheet_has_a_row_a_class_and_sixteen_at_most():
  images = np.stack([picture(i) for i in range(60)])
  names = tuple(f'c{i:02}' for i in range(20))
  source = Drawn(images, np.arange(60) % 20, names)
  rows, beside = inspection._rows_of_classes(source, census.per_class(source))
  assert len(rows) == len(beside) == 16
  assert [len(row) for row in rows] == [3] * 16
  assert beside[0] == ('c00', '3') and beside[-1] == ('c19', '3')
  assert [name for name, _ in beside] == sorted(name for name, _ in beside)
  first = np.asarray(rows[0][1])[::8, ::8]
  np.testing.assert_array_equal(first, images[20])


def test_of_classes_without_pictures_none_is_shown(tmp_path):
  source = Drawn(np.stack([picture(i) for i in range(30)]), [3] * 30,
                 tuple(f'c{i}' for i in range(100)))
  seen = census.take(Splits(source, None))
  rows, beside = inspection._rows_of_classes(source, seen.facts['classes'])
  assert [len(row) for row in rows] == [16] and beside == [('c3', '30')]
  found = dict(seen.facts, worth_a_look=[])
  assert f"{tmp_path / 'contact_sheet.png'}" in inspection._write(
      str(tmp_path), Splits(source, None), seen, found)


@pytest.mark.parametrize('name', ['猫', 'собака', 'كلب', 'a\nb'])
def test_a_name_that_the_sheet_cannot_write_is_a_number(tmp_path, name):
  source = Drawn(np.stack([picture(i) for i in range(4)]), [0, 1, 0, 1],
                 ('dog', name))
  seen = census.take(Splits(source, None))
  _, beside = inspection._rows_of_classes(source, seen.facts['classes'])
  assert beside == [('dog', '2'), ('class 2 of 2', '2')]
  source.name = name
  found = dict(census.take(Splits(source, None)).facts, worth_a_look=[])
  drawn = []
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(contact_sheet, 'draw', lambda *args: drawn.append(args))
    inspection._draw_sheet('a.png', source, found)
  title = drawn[0][2][0]
  assert lettering.can_write(title) and len(title) == len(name)
  # What cannot be drawn stands in the text and in the file.
  assert found['name'] == name and name in found['classes']


def test_points_have_ranges_and_classes_and_are_drawn_as_dots(
    tmp_path, monkeypatch):
  points = np.linspace(-1, 1, 24, dtype=np.float32).reshape(12, 1, 1, 2)
  source = Drawn(points, np.arange(12) % 3, ('a', 'b', 'c'))
  monkeypatch.setattr(
      inspection, 'open_source', lambda _: Splits(source, source))
  said = []
  found = inspection.inspect(
      schema.Config(), str(tmp_path / 'out'), said.append)
  np.testing.assert_allclose(
      found['ranges'], [[-1, 21 / 23], [-21 / 23, 1]], rtol=1e-6)
  assert found['classes'] == {'a': 4, 'b': 4, 'c': 4}
  assert sorted(os.listdir(tmp_path / 'out')) == [
      'contact_sheet.png', 'inspect.json']
  with Image.open(tmp_path / 'out' / 'contact_sheet.png') as image:
    np.testing.assert_array_equal(
        np.asarray(image), scatter.scatter(points.reshape(-1, 2), ()))
  assert f"  {tmp_path / 'out' / 'contact_sheet.png'}" in said
  assert '  channel 0  -1 to 0.913' in said


def test_a_folder_that_takes_no_files_is_told_before_the_look(
    look, root, tmp_path, monkeypatch):
  def refuse(**_):
    raise OSError(30, 'Read-only file system')
  monkeypatch.setattr(inspection.tempfile, 'TemporaryFile', refuse)
  monkeypatch.setattr(inspection, 'open_source', None)  # It is not called.
  with pytest.raises(ValueError, match=(
      r"^out: no files can be written to '.*/out': Read-only file system; "
      'wanted another folder')):
    look(root)
  assert not (tmp_path / 'out').exists()


def test_a_folder_that_was_there_or_is_no_longer_empty_is_kept(tmp_path):
  (tmp_path / 'old').mkdir()
  with pytest.raises(KeyboardInterrupt), inspection._folder(
      str(tmp_path / 'old' / 'new' / 'out')):
    (tmp_path / 'old' / 'new' / 'of_another').touch()
    raise KeyboardInterrupt
  assert os.listdir(tmp_path / 'old' / 'new') == ['of_another']
  with pytest.raises(KeyboardInterrupt), inspection._folder(
      str(tmp_path / 'old')):
    (tmp_path / 'old' / 'new' / 'of_another').unlink()
    (tmp_path / 'old' / 'new').rmdir()
    raise KeyboardInterrupt
  assert os.listdir(tmp_path) == ['old']
