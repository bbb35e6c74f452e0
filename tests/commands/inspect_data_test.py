"""Laws of --mode=inspect: what it counts, says, writes, and leaves alone."""
import json
import os
import re
import sys

from absl import flags
from absl.testing import flagsaver
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.analysis.dataset import census, concerns, inspection
from msg_gan_jax.commands import dry_run, main
from msg_gan_jax.config import schema
from msg_gan_jax.data.sources import SOURCES, Splits
from msg_gan_jax.report import contact_sheet, inventory, lettering, scatter


def noise(seed, height=8, width=8, channels=3):
  return np.random.default_rng(seed).integers(
      0, 256, (height, width, channels), np.uint8)


def save(path, pixels):
  path.parent.mkdir(parents=True, exist_ok=True)
  Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(
      path)


class Drawn:
  """A source of given arrays, which counts what it is asked for."""
  name, notes = 'drawn', {}

  def __init__(self, images, labels=None, classes=()):
    self._images, self.classes = images, classes
    self._labels = np.zeros(len(images), np.int32) if labels is None else (
        np.array(labels, np.int32))
    self.shape = images.shape[1:]
    self.asked = []

  def __len__(self):
    return len(self._images)

  def images(self, indices):
    self.asked.append(len(indices))
    return self._images[indices]

  def labels(self, indices):
    return self._labels[indices]

  def factors(self, indices):
    return {'number': np.asarray(indices) % 2}

  def digest(self):
    return 'd' * 64


@pytest.fixture
def root(tmp_path):
  """Classes cat of 12 and dog of 28, exact in PNG, all different."""
  for i in range(40):
    save(tmp_path / 'set' / ('cat' if i < 12 else 'dog') / f'{i:02}.png',
         noise(i))
  return tmp_path / 'set'


@pytest.fixture
def look(tmp_path):
  """(path, **data settings) -> (found, text) of inspection.inspect."""
  def look(path, **settings):
    config = schema.template()
    config.data.update({
        'name': 'folder', 'path': str(path), 'resolution': 8,
        'cache_dir': str(tmp_path / 'cache'), **settings})
    said = []
    found = inspection.inspect(
        schema.parse(config), str(tmp_path / 'out'), said.append)
    return found, '\n'.join(said)
  return look


def about(found, setting):
  """The sentences that name a setting; spaces as they come."""
  return [text for text in found['worth_a_look']
          if text.startswith(f'config.data.{setting}: ')]


def whole(found):
  """What is printed after 'worth a look', on one line."""
  return ' '.join(found.partition('worth a look')[2].split())


# What is counted.


def test_histograms_sum_to_the_pixels_and_moments_are_those_of_numpy(
    root, look):
  found, _ = look(root, held_out=0)
  pixels = np.stack([noise(i) for i in range(40)]).astype(float)
  assert list(found['channels']) == ['red', 'green', 'blue']
  for i, channel in enumerate(found['channels'].values()):
    assert sum(channel['histogram']) == 40 * 8 * 8
    values = pixels[..., i]
    np.testing.assert_allclose(
        [channel['mean'], channel['std']], [values.mean(), values.std()])
    assert channel['at_0'] == (values == 0).mean() > 0
    assert channel['at_255'] == (values == 255).mean() > 0


def test_mean_and_deviation_of_a_place_are_exact_over_many_chunks():
  images = np.random.default_rng(0).integers(
      0, 256, (50, 4, 6, 3), np.uint8)
  counted = census.Bytes()
  for part in np.array_split(images, 7):
    counted.add(part, np.arange(len(part)))
  mean, std = counted.mean_and_std()
  np.testing.assert_allclose(mean, images.mean(0))
  np.testing.assert_allclose(std, images.std(0))


@pytest.mark.parametrize('shape', [(8, 8, 1), (4, 6, 3), (6, 4, 4)])
def test_no_shape_is_too_odd_to_draw(tmp_path, shape):
  images = np.random.default_rng(0).integers(0, 256, (9, *shape), np.uint8)
  source = Drawn(images)
  seen = census.take(Splits(source, None))
  assert seen.mean.shape == seen.std.shape == shape
  found = dict(seen.facts, worth_a_look=[])
  lines = list(
      inspection._write(str(tmp_path), Splits(source, None), seen, found))
  assert len(lines) == 3
  with Image.open(tmp_path / 'contact_sheet.png') as image:
    assert image.width > 2 * 64 and image.height > 2 * 64
  assert any('wide' in line for _, text in inventory.sections(found)
             for line in text)


def test_classes_are_counted_in_bars_as_long_as_their_share(root, look):
  found, text = look(root, held_out=0)
  assert found['classes'] == {'cat': 12, 'dog': 28}
  cat, = re.findall(r'^  cat  (\S+) +12  30\.0 %$', text, re.M)
  dog, = re.findall(r'^  dog  (\S+) +28  70\.0 %$', text, re.M)
  assert dog == '█' * 30 and len(cat) == 13  # 12.86 of 30 characters.
  assert '2 classes, 20 on average; the largest has 2.33 times' in text


def test_of_many_classes_twenty_are_listed_and_the_rest_counted():
  names = tuple(f'c{i}' for i in range(37))
  source = Drawn(np.stack([noise(i) for i in range(74)]),
                 np.arange(74) % 37, names)
  found = dict(census.take(Splits(source, None)).facts, worth_a_look=[])
  (title, text), = [(title, text) for title, text in inventory.sections(found)
                    if 'classes' in title]
  assert title == '37 classes of 2'
  assert len(text) == 21 and text[-1] == '... 17 more'


def test_classes_of_one_name_stay_two():
  source = Drawn(np.stack([noise(i) for i in range(6)]), [0, 1, 2, 0, 1, 1],
                 ('crane', 'owl', 'crane'))
  assert census.per_class(source) == {'crane #0': 2, 'owl': 3, 'crane #2': 1}


def test_factors_have_the_shares_of_their_values():
  source = Drawn(np.stack([noise(i) for i in range(5)]))
  assert census.factors(source, np.arange(5)) == {
      'number': {'0': .6, '1': .4}}


def test_factors_of_avatars_have_their_names(look):
  found, text = look('', name='avatars', count=64, held_out=0)
  assert list(found['factors']['cheeks']) == ['plain', 'rosy']
  np.testing.assert_allclose(sum(found['factors']['skin'].values()), 1)
  assert .93 <= found['factors']['head_width']['low'] <= 1.
  assert re.search(r'^  cheeks +plain \d+\.\d %, rosy \d+\.\d %$', text, re.M)


@pytest.fixture
def part(monkeypatch):
  """Sets of more than 200 are judged by 50, as if those were thousands."""
  monkeypatch.setattr(census, 'MOST', 200)
  monkeypatch.setattr(census, 'ENOUGH', 50)


def numbered(numbers):
  """Pictures of 1 x 1, one a number, equal where the numbers are."""
  return np.asarray(numbers, '<u2').view(np.uint8).reshape(-1, 1, 1, 2)


@pytest.mark.usefixtures('part')
def test_a_large_set_is_seen_through_a_part_drawn_at_random():
  source = Drawn(numbered(np.arange(1000)))
  found = census.take(Splits(source, None)).facts
  assert (found['train'], found['looked_at']) == (1000, 50)
  for channel in found['channels'].values():
    assert sum(channel['histogram']) == 50
  _, text = next(inventory.sections(dict(found, worth_a_look=[])))
  assert ('looked at 50, drawn at random; only classes and copies are counted '
          'in all') in text
  found = census.take(Splits(source, None), quick_bytes=0).facts
  _, text = next(inventory.sections(dict(found, worth_a_look=[])))
  assert ('looked at 50, drawn at random; only classes are counted in all'
          in text)


def test_up_to_200000_all_are_looked_at_and_beyond_50000():
  np.testing.assert_array_equal(census.sample(200_000), np.arange(200_000))
  picked = census.sample(1_300_003)
  steps = np.diff(picked)
  assert len(picked) == 50_000 and steps.min() >= 1 and steps.max() > 100
  # Neighbours are met as often as chance has it: 50,000 / 26 times.
  assert 1700 < (steps == 1).sum() < 2150
  assert abs(picked.mean() / 1_300_003 - .5) < .01
  np.testing.assert_array_equal(picked, census.sample(1_300_003))


@pytest.mark.usefixtures('part')
@pytest.mark.parametrize('numbers', [
    np.arange(1000) // 2, np.arange(1000) % 500], ids=['beside', 'apart'])
def test_a_large_set_that_is_in_memory_is_compared_whole(numbers):
  source, held_out = Drawn(numbered(numbers)), Drawn(numbered(np.arange(300)))
  found = census.take(Splits(source, held_out)).facts
  assert found['copies']['count'] == 500 and found['leaks']['count'] == 300
  leaked, copied = concerns.concerns(found, schema.Config().data)[:2]
  assert 'training sees 300 of 300 held-out pictures too (held-out 0' in leaked
  assert ': 500 exact copies (50.0 %) of other pictures: numbers 0 = ' in copied


@pytest.mark.usefixtures('part')
@pytest.mark.parametrize('numbers', [
    np.arange(1000) // 20, np.arange(1000) % 50], ids=['beside', 'apart'])
def test_of_a_part_copies_and_leaks_are_told_as_at_least(numbers):
  source, held_out = Drawn(numbered(numbers)), Drawn(numbered(np.arange(300)))
  found = census.take(Splits(source, held_out), quick_bytes=0).facts
  seen = len(set(numbers[census.sample(1000)].tolist()))
  assert 20 < seen < 50  # Of 50 kinds, among 50 that were drawn.
  assert found['copies']['count'] == 50 - seen
  assert found['leaks']['count'] == seen  # All held-out ones were compared.
  leaked, copied = concerns.concerns(found, schema.Config().data)[:2]
  assert (f'training sees at least {seen} of 300 held-out pictures too among '
          'the 50 looked at (held-out ') in leaked
  assert (f'at least {50 - seen} exact copies of other pictures among the 50 '
          'looked at: numbers ') in copied
  assert 'is there at least ' in copied


@pytest.mark.usefixtures('part')
def test_how_much_is_compared_goes_by_the_bytes_of_both_splits():
  both = Splits(Drawn(numbered(np.arange(900))), Drawn(numbered(range(100))))
  assert len(census.compared(both, 2000)) == 900
  assert len(census.compared(both, 1999)) == 50


def test_a_set_is_read_in_chunks_of_bounded_size():
  source = Drawn(np.zeros((1000, 64, 64, 3), np.uint8))
  census.take(Splits(source, None))
  assert sum(source.asked) == 1001  # The first tells the type.
  assert max(source.asked) * 64 * 64 * 3 <= census.CHUNK_BYTES <= 64 * 2**20
  assert len(source.asked) > 2


# What deserves a look.


def test_nothing_deserves_a_look_in_a_healthy_set(look):
  found, text = look('', name='avatars', count=1000, resolution=32)
  assert found['worth_a_look'] == []
  assert whole(text).startswith('nothing files')


def test_exact_copies_are_found_with_their_numbers(root, look, tmp_path):
  save(root / 'cat' / '99.png', noise(3))
  save(root / 'dog' / '99.png', noise(20))
  save(root / 'dog' / '98.png', noise(2))  # One of cat 02, which is torn.
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
  other = noise(3)
  other[0, 0, 0] ^= 1
  save(root / 'cat' / '99.png', other)
  found, _ = look(root, held_out=0)
  assert found['copies']['count'] == 0
  assert not [x for x in found['worth_a_look'] if 'cop' in x]


def test_what_is_held_out_and_trained_on_is_a_leak(look, tmp_path):
  for i in range(40):
    save(tmp_path / 'twice' / f'{i:02}.png', noise(i // 2))
  found, text = look(tmp_path / 'twice')
  assert found['held_out'] == 4 and 1 <= found['leaks']['count'] <= 4
  # Numbers are of a split, names of the files: 6 and 7 are one picture.
  kept, trained = re.search(
      r'\(held-out \d+ \((\d+)\.png\) = \d+ \((\d+)\.png\)\)',
      about(found, 'held_out')[0]).groups()
  assert kept != trained and int(kept) // 2 == int(trained) // 2
  assert (f"training sees {found['leaks']['count']} of 4 held-out pictures"
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
    grey = noise(i, channels=1) // 2
    save(tmp_path / 'set' / f'{i}.png',
         np.concatenate([grey, grey, grey + spread], -1).astype(np.uint8))
  found, _ = look(tmp_path / 'set')
  told = about(found, 'channels')
  assert len(told) == bool(says) and all(says in x for x in told)


def test_small_classes_are_named(root, look):
  save(root / 'emu' / 'a.png', noise(100))
  found, _ = look(root, held_out=0)
  text, = about(found, 'label')
  assert '3 classes, 1 of them with under 10 pictures, such as emu (1)' in text


def test_enlarged_originals_name_the_size_that_they_fill(look, tmp_path):
  for i in range(20):
    size = (8, 12) if i < 15 else (40, 40)
    save(tmp_path / 'set' / f'{i}.png', noise(i, *size))
  found, _ = look(tmp_path / 'set', resolution=32, held_out=0)
  text, = about(found, 'resolution')
  assert 'most originals are smaller: 15 (75.0 %) were scaled up to 32x32' in (
      text) and text.endswith('Nine in ten have the detail of 8.')
  found, _ = look(tmp_path / 'set', resolution=8, held_out=0)
  assert about(found, 'resolution') == []


def test_bars_of_padding_and_a_dropped_alpha_name_their_settings(
    look, tmp_path):
  for i in range(20):
    save(tmp_path / 'set' / f'{i}.png', noise(i, 8, 12, 4))
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
  save(root / 'cat' / '99.png', noise(3))
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


# What is written.


def test_the_file_holds_what_is_returned_and_printed(root, look, tmp_path):
  found, text = look(root)
  with open(tmp_path / 'out' / 'inspect.json', encoding='utf-8') as file:
    kept = json.load(file)
  assert kept == json.loads(json.dumps(found))
  assert list(kept['classes']) == ['cat', 'dog']
  assert f"{kept['train']} to train on, {kept['held_out']} held out" in text
  assert kept['digest'] in text
  for name, channel in kept['channels'].items():
    assert re.search(
        rf"^  {name} +{channel['mean']:.1f} +{channel['std']:.1f} ", text, re.M)


def test_a_contact_sheet_has_a_row_a_class_and_sixteen_at_most():
  images = np.stack([noise(i) for i in range(60)])
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
  source = Drawn(np.stack([noise(i) for i in range(30)]), [3] * 30,
                 tuple(f'c{i}' for i in range(100)))
  seen = census.take(Splits(source, None))
  rows, beside = inspection._rows_of_classes(source, seen.facts['classes'])
  assert [len(row) for row in rows] == [16] and beside == [('c3', '30')]
  found = dict(seen.facts, worth_a_look=[])
  assert f"{tmp_path / 'contact_sheet.png'}" in inspection._write(
      str(tmp_path), Splits(source, None), seen, found)


@pytest.mark.parametrize('name', ['猫', 'собака', 'كلب', 'a\nb'])
def test_a_name_that_the_sheet_cannot_write_is_a_number(tmp_path, name):
  source = Drawn(np.stack([noise(i) for i in range(4)]), [0, 1, 0, 1],
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


def test_without_matplotlib_the_text_is_whole_and_says_how_to_get_it(
    root, look, tmp_path, monkeypatch):
  _, drawn = look(root)
  monkeypatch.setitem(sys.modules, 'matplotlib', None)
  _, text = look(root)
  assert text.partition('files')[0] == drawn.partition('files')[0]
  line, = [x for x in text.splitlines() if 'pip install' in x]
  assert line == ("  histograms: matplotlib is missing; pip install "
                  "'msg_gan_jax[plot]'.")
  # Nor is there the picture of an earlier look.
  assert sorted(os.listdir(tmp_path / 'out')) == [
      'contact_sheet.png', 'inspect.json']


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


# The command.


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
  """(*argv) -> (exit status, stdout, stderr) of launch.py in this process."""
  monkeypatch.chdir(tmp_path)

  def call(*argv):
    saved = flagsaver.save_flag_values(flags.FLAGS)
    monkeypatch.setattr(sys, 'argv', ['launch.py', '--mode=inspect', *argv])
    try:
      with pytest.raises(SystemExit) as error:
        main.main(main._parse(sys.argv))
    finally:
      flagsaver.restore_flag_values(saved, flags.FLAGS)
    return error.value.code, *capsys.readouterr()

  return call


# ml_collections loads an experiment so.
loads = pytest.mark.filterwarnings('ignore:the load_module:DeprecationWarning')


@loads
def test_the_command_writes_beside_the_workdir_and_never_into_it(
    command, root, tmp_path):
  argv = ['--config=own_pictures', f'--config.data.path={root}',
          '--config.data.resolution=8', f'--config.data.cache_dir={tmp_path}/c']
  status, out, err = command('--workdir=a', *argv)
  assert (status, err) == (0, '')
  assert '\nworth a look\n' in out and '\n  a.inspect/inspect.json\n' in out
  assert sorted(os.listdir(tmp_path)) == ['a.inspect', 'c', 'set']
  assert command('--out=b', *argv)[0] == 0
  assert sorted(os.listdir(tmp_path)) == ['a.inspect', 'b', 'c', 'set']
  assert (tmp_path / 'b' / 'inspect.json').read_text() == (
      tmp_path / 'a.inspect' / 'inspect.json').read_text()


@loads
@pytest.mark.parametrize('argv, text', [
    (['--config.data.path=nowhere'], r"config\.data\.path: no folder 'nowher"),
    (['--config.data.path=', '--config.data.on_bad=pass'],
     r"config\.data\.on_bad: no value 'pass'"),
    (['--out=run'], r"--out: 'run' is the folder of a run, .*'run\.inspect'"),
    (['--out=file'], r"--out: 'file' is a file; wanted a folder"),
    (['--separate'],
     r'--separate: a flag of --mode=sample; this is --mode=inspect'),
    (['--dry_run'], r'--dry_run: a flag of --mode=train; this is --mode=ins'),
    (['--nodry_run'], r'--nodry_run: a flag of --mode=train; this is --mode='),
    (['--noscales'], r'--noscales: a flag of --mode=sample and --mode=walk; '),
    (['--config.data.path=run', '--out=run/a/b'],
     r"--out: 'run/a/b' lies in config\.data\.path = 'run', .* outside of it"),
    (['--config.data.path=run', '--out=run'], r"--out: 'run' is the folder of"),
    (['--config.data.path=~', '--out=home'], r"--out: 'home' lies in"),
    (['--config.data.path=~', '--out=home/../home'],
     r"--out: 'home/\.\./home' lies in config\.data\.path = '~', "),
    (['--config.data.path=run', '--out=a/b/c'],
     r"config\.data\.path: no pictures"),
    (['--config.data.path=run', '--out=file/a'],
     r"--out: no files can be written to 'file/a': Not a directory; wanted an"),
])
def test_after_a_mistake_nothing_is_written(
    command, tmp_path, monkeypatch, argv, text):
  monkeypatch.setenv('HOME', str(tmp_path / 'home'))
  (tmp_path / 'run').mkdir()
  (tmp_path / 'run' / 'config.json').write_text('{}')
  (tmp_path / 'file').write_text('')
  status, out, err = command('--config=own_pictures', *argv)
  assert (status, out) == (1, '') and re.match(f'error: {text}', err), err
  assert sorted(os.listdir(tmp_path)) == ['file', 'run']
  assert os.listdir(tmp_path / 'run') == ['config.json']


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


@loads
def test_a_flag_of_several_modes_names_all_in_another(command, monkeypatch):
  status, _, err = command('--mode=train', '--out=x')
  assert status == 1 and err.startswith(
      'error: --out: a flag of --mode=sample, --mode=evaluate, --mode=inspect, '
      '--mode=walk, --mode=mix, --mode=truncate and --mode=project; this is '
      '--mode=train.')


@pytest.mark.slow
def test_a_dry_run_names_this_mode(small, tmp_path):
  said = []
  dry_run.dry_run(small(), str(tmp_path / 'sheet.png'), said.append)
  assert len([x for x in said if '--mode=inspect' in x]) == 1
