"""Laws of what deserves a look in a data set, and of the remedy."""
import re

from helpers import Drawn, picture, save
import numpy as np
import pytest

from msg_gan_jax.analysis.dataset import census, concerns
from msg_gan_jax.config import schema
from msg_gan_jax.data.sources import SOURCES, Splits
from msg_gan_jax.report import histograms


@pytest.fixture(autouse=True)
def no_histograms(monkeypatch):
  monkeypatch.setattr(histograms, 'plot', lambda *args, **options: None)


def about(found, setting):
  """The sentences that name a setting; spaces as they come."""
  return [text for text in found['worth_a_look']
          if text.startswith(f'config.data.{setting}: ')]


def whole(found):
  """What is printed after 'worth a look', on one line."""
  return ' '.join(found.partition('worth a look')[2].split())


# What deserves a look.


def test_nothing_deserves_a_look_in_a_healthy_set(look):
  found, text = look('', name='avatars', count=1000, resolution=32)
  assert found['worth_a_look'] == []
  assert whole(text).startswith('nothing files')


def test_exact_copies_are_found_with_their_numbers(root, look, tmp_path):
  save(root / 'cat' / '99.png', picture(3))
  save(root / 'dog' / '99.png', picture(20))
  save(root / 'dog' / '98.png', picture(2))  # One of cat 02, which is torn.
  found, text = look(root, held_out=0)
  assert found['copies'] == {
      'count': 3, 'largest': 2, 'in_two_classes': 1,
      'examples': [[2, 41], [3, 12], [21, 42]]}
  said, = [x for x in about(found, 'path') if 'exact copies' in x]
  assert '3 exact copies (7.0 %)' in said and said.endswith(
      'Remove all files but one of each.')
  assert ('numbers 2 (cat/02.png) = 41 (dog/98.png); 3 (cat/03.png) = 12 '
          '(cat/99.png); ') in said
  assert said in whole(text)
  assert (tmp_path / 'out' / 'examples.png').exists()


def test_pictures_that_differ_in_one_value_are_no_copies(root, look):
  other = picture(3)
  other[0, 0, 0] ^= 1
  save(root / 'cat' / '99.png', other)
  found, _ = look(root, held_out=0)
  assert found['copies']['count'] == 0
  assert not [x for x in found['worth_a_look'] if 'cop' in x]


def test_what_is_held_out_and_trained_on_is_a_leak(look, tmp_path):
  for i in range(120):
    # Equal pixels in other bytes; of equal bytes all lie on one side.
    ending = ('png', 'bmp')[i % 2]
    save(tmp_path / 'twice' / f'{i:03}.{ending}', picture(i // 2))
  found, text = look(tmp_path / 'twice')
  kept = found['held_out']
  assert kept >= 6 and 1 <= found['leaks']['count'] <= kept
  # Numbers are of a split, names of the files: 6 and 7 are one picture.
  one, other = re.search(
      r'\(held-out \d+ \((\d+)\.\w+\) = \d+ \((\d+)\.\w+\)\)',
      about(found, 'held_out')[0]).groups()
  assert one != other and int(one) // 2 == int(other) // 2
  assert (f"training sees {found['leaks']['count']} of {kept} held-out pictures"
          in about(found, 'held_out')[0])
  assert 'config.data.held_out: training sees' in whole(text)


def test_pictures_of_one_colour_are_found(root, look):
  flat = np.full((8, 8, 3), (200, 10, 30), np.uint8)
  save(root / 'cat' / '05.png', flat)
  flat[0, 0] += 3  # A deviation of .37: a JPEG of one colour.
  save(root / 'dog' / '30.png', flat)
  flat[:4] += 3  # 1.5: no longer.
  save(root / 'dog' / '31.png', flat)
  found, _ = look(root, held_out=0)
  assert found['one_colour'] == {'count': 2, 'examples': [5, 30]}
  assert any('2 pictures of one colour: number 5 (cat/05.png), 30 '
             '(dog/30.png). Remove the files.' in x
             for x in about(found, 'path'))


@pytest.mark.parametrize('spread, says', [
    (0, 'every picture is grey'), (3, 'nearly grey'), (60, '')])
def test_grey_pictures_in_three_channels_are_told(
    look, tmp_path, spread, says):
  for i in range(20):
    grey = picture(i, channels=1)[..., None] // 2
    save(tmp_path / 'set' / f'{i}.png',
         np.concatenate([grey, grey, grey + spread], -1).astype(np.uint8))
  found, _ = look(tmp_path / 'set')
  told = about(found, 'channels')
  assert len(told) == bool(says) and all(says in x for x in told)


def test_a_few_coloured_pictures_make_a_set_coloured(look, tmp_path):
  """Also where the mean over all of them is nearly grey."""
  for i in range(60):
    grey = picture(i, channels=1)[..., None] // 2
    save(tmp_path / 'set' / f'{i}.png', np.concatenate(
        [grey, grey, grey + 40 * (i < 4)], -1).astype(np.uint8))
  found, _ = look(tmp_path / 'set', held_out=0)
  assert found['colour']['mean_spread'] < 4
  text, = about(found, 'channels')
  assert '56 grey pictures (93.3 %) among coloured ones' in text


def test_small_classes_are_named(root, look):
  save(root / 'emu' / 'a.png', picture(100))
  found, _ = look(root, held_out=0)
  text, = about(found, 'label')
  assert '3 classes, 1 of them with under 10 pictures, such as emu (1)' in text


def test_enlarged_originals_name_the_size_that_they_fill(look, tmp_path):
  for i in range(20):
    size = (12, 8) if i < 15 else (40, 40)
    save(tmp_path / 'set' / f'{i}.png', picture(i, *size))
  found, _ = look(tmp_path / 'set', resolution=32, held_out=0)
  text, = about(found, 'resolution')
  assert 'most originals are smaller: 15 (75.0 %) were scaled up to 32x32' in (
      text) and text.endswith('Nine in ten have the detail of 8.')
  found, _ = look(tmp_path / 'set', resolution=8, held_out=0)
  assert about(found, 'resolution') == []


def test_bars_of_padding_and_a_dropped_alpha_name_their_settings(
    look, tmp_path):
  for i in range(20):
    save(tmp_path / 'set' / f'{i}.png', picture(i, 12, 8, 4))
  found, text = look(tmp_path / 'set', resize='pad')
  assert '20 pictures got bars' in about(found, 'resize')[0]
  assert 'the alpha of 20 pictures' in about(found, 'channels')[0]
  assert '20 (100.0 %) padded with black' in text
  found, _ = look(tmp_path / 'set', channels=4)
  assert about(found, 'channels') == []
  assert 'cuts off 33.3 % of a picture' in about(found, 'resize')[0]


def test_skipped_and_other_files_are_listed_with_the_reason(root, look):
  (root / 'cat' / '03.png').write_bytes(b'')
  (root / 'notes.txt').write_text('')
  found, text = look(root, on_bad='skip')
  assert re.search(
      r'^  1 skipped:\n    cat/03\.png: ValueError: the file is empty$', text,
      re.M)
  assert re.search(r'^  other files +\.txt 1$', text, re.M)
  assert "1 broken file skipped, the first 'cat/03.png'" in (
      about(found, 'on_bad')[0])


def test_every_concern_begins_with_a_setting_that_exists(root, look):
  save(root / 'cat' / '99.png', picture(3))
  save(root / 'emu' / 'a.png', np.zeros((8, 8, 4), np.uint8))
  found, _ = look(root, resolution=16)
  settings = schema.flatten(schema.Config())
  assert len(found['worth_a_look']) >= 5
  for text in found['worth_a_look']:
    assert text.partition(': ')[0].removeprefix('config.') in settings, text
  assert concerns.concerns(
      found, schema.Config().data) != []  # Also of a drawn set.


@pytest.mark.parametrize('name', sorted(SOURCES))
def test_sources_that_draw_are_known_by_name(name):
  data = schema.Data(name=name, path='/no/such/path')
  with pytest.raises(ValueError) as error:
    SOURCES[name](data)
  assert ('draws its pictures' in str(error.value)) == (
      name in concerns.DRAWN)


DRAW = 'Raise config.data.resolution or lower config.data.count.'

WRITE = ("To be rid of them, write one of each as files, for config.data.name "
         "= 'folder'.")


@pytest.mark.parametrize('settings, place, few_at, remedy', [
    ({'name': 'avatars'}, 'resolution', 'count', DRAW),
    ({'name': 'polygons', 'dataset': 'triangles'}, 'resolution', 'count',
     DRAW),
    ({'name': 'cifar10'}, 'name', 'name', WRITE),
    ({'name': 'cifar10', 'path': '/c'}, 'path', 'path', WRITE),
    ({'name': 'tfds', 'dataset': 'mnist'}, 'dataset', 'dataset', WRITE),
    ({'name': 'tfds', 'dataset': 'mnist', 'path': '/t'}, 'dataset', 'dataset',
     WRITE),
    ({'name': 'huggingface', 'path': '/h'}, 'path', 'path', WRITE),
    ({'name': 'archive', 'path': '/a.zip', 'dataset': 'x'}, 'path', 'path',
     WRITE),
    ({'name': 'folder', 'path': '/f'}, 'path', 'path',
     'Remove all files but one of each.'),
])
def test_place_and_remedy_are_of_the_source_whether_it_has_a_path_or_not(
    settings, place, few_at, remedy):
  flat = np.zeros((12, 8, 8, 3), np.uint8)
  found = census.take(Splits(Drawn(flat), None)).facts
  data = schema.Data(**settings)
  (copied, text), = concerns.copied(found, data)
  (few, _), = concerns.few(found, data)
  (flat, other), = concerns.flat(found, data)
  assert (copied, few) == (f'config.data.{place}', f'config.data.{few_at}')
  assert flat == copied and text.endswith(f' {remedy}')
  assert other.partition('. ')[2] == {
      DRAW: 'Raise config.data.resolution.',
      WRITE: WRITE.replace('one of each', 'the others')}.get(
          remedy, 'Remove the files.')


def test_more_points_are_drawn_and_never_mirrored():
  points = np.zeros((12, 1, 1, 2), np.float32)
  found = census.take(Splits(Drawn(points), None)).facts
  assert concerns.concerns(
      found, schema.Data(name='ring', mirror=False)) == [
          'config.data.count: only 12 pictures: D may learn them by heart. '
          'Draw more.']
