"""Laws of what is counted of a data set."""
import re

from helpers import Drawn, picture
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.analysis.dataset import census, concerns, inspection
from msg_gan_jax.config import schema
from msg_gan_jax.data.sources import Splits
from msg_gan_jax.report import inventory

# What is counted.


def test_histograms_sum_to_the_pixels_and_moments_are_those_of_numpy(
    root, look):
  found, _ = look(root, held_out=0)
  pixels = np.stack([picture(i) for i in range(40)]).astype(float)
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
  source = Drawn(np.stack([picture(i) for i in range(74)]),
                 np.arange(74) % 37, names)
  found = dict(census.take(Splits(source, None)).facts, worth_a_look=[])
  (title, text), = [(title, text) for title, text in inventory.sections(found)
                    if 'classes' in title]
  assert title == '37 classes of 2'
  assert len(text) == 21 and text[-1] == '... 17 more'


def test_classes_of_one_name_stay_two():
  source = Drawn(np.stack([picture(i) for i in range(6)]), [0, 1, 2, 0, 1, 1],
                 ('crane', 'owl', 'crane'))
  assert census.per_class(source) == {'crane #0': 2, 'owl': 3, 'crane #2': 1}


def test_factors_have_the_shares_of_their_values():
  source = Drawn(np.stack([picture(i) for i in range(5)]))
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
