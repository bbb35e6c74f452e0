"""Laws of what is drawn of a data set: bars, lines of text, pictures."""

import matplotlib
from matplotlib import figure
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.report import contact_sheet, histograms, lettering, text


def channel(histogram):
  return {'histogram': histogram, 'mean': 10., 'std': 5.,
          'at_0': histogram[0] / sum(histogram), 'at_255': 0.}


def draw(path, channels=3, height=6, width=4, title='nine pictures', **found):
  flat = [1] * 256
  names = ('red', 'green', 'blue', 'alpha')[:channels]
  rng = np.random.default_rng(0)
  histograms.plot(
      {'train': 9, 'channels': {name: channel(flat) for name in names},
       **found},
      rng.uniform(0, 255, (height, width, channels)),
      rng.uniform(0, 90, (height, width, channels)), path, title)
  with Image.open(path) as image:
    return image.size


@pytest.mark.parametrize('channels', [1, 2, 3, 4])
def test_any_number_of_channels_is_drawn(tmp_path, channels):
  assert min(draw(tmp_path / 'a.png', channels)) > 400
  assert [path.name for path in tmp_path.iterdir()] == ['a.png']


def test_classes_and_sizes_get_a_place_and_else_none(tmp_path):
  plain = draw(tmp_path / 'a.png')
  classes = {f'class {i} of a very long name indeed': i for i in range(40)}
  wide = draw(tmp_path / 'b.png', classes=classes,
              notes={'sizes': {'8x8': 3, '9x8': 2}, 'out_of': 12})
  assert wide[0] > 1.3 * plain[0] and wide[1] == plain[1]


@pytest.mark.slow
@pytest.mark.parametrize('name, shown', [
    ('dog', 'dog'), ('собака', 'собака'), ('猫', 'class 2 of 2'),
    ('\ud55c', 'class 2 of 2'), (r'$\frac$', r'$\frac$')])
def test_names_that_the_font_lacks_are_numbers_and_nothing_is_warned_of(
    tmp_path, monkeypatch, name, shown):
  monkeypatch.setitem(matplotlib.rcParams, 'font.family', ['DejaVu Sans'])
  written = []

  def keep(self, *args, **options):
    written.extend(
        [label.get_text() for label in self.axes[-1].get_yticklabels()])
    return save(self, *args, **options)

  save = figure.Figure.savefig
  monkeypatch.setattr(figure.Figure, 'savefig', keep)
  # Warnings are errors here, and matplotlib's are only of what is drawn.
  draw(tmp_path / 'a.png', classes={'cat': 3, name: 2}, title=f'{name}, nine')
  assert written == ['cat', shown]


@pytest.mark.parametrize('values', [
    [5] + [0] * 255, [0] * 255 + [5], [0] * 100 + [1] + [0] * 155])
def test_a_set_of_one_value_is_drawn(tmp_path, values):
  histograms.plot({'train': 1, 'channels': {'grey': channel(values)}},
                  np.zeros((4, 4, 1)), np.zeros((4, 4, 1)), tmp_path / 'a.png')
  assert (tmp_path / 'a.png').exists()
  assert set(text.spark(values)) == {' ', '█'}


def test_a_spark_is_as_high_as_its_counts_and_cuts_a_spike():
  assert text.spark([0, 1, 2, 4, 8, 8, 8, 8], width=8) == ' ▁▂▄████'
  assert text.spark([1] * 7 + [1000], width=8) == '▂▂▂▂▂▂▂█'
  assert text.spark([0] * 8, width=4) == '    '
  assert text.spark([3] * 256) == '█' * 64


def test_bars_line_up_and_are_measured_in_eighths():
  assert text.bars({'a': 1600, 'bcd': 100, 'e': 0}, width=2) == [
      'a    ██  1,600  94.1 %',
      'bcd  ▏     100   5.9 %',
      'e            0   0.0 %']
  assert text.bars({}) == []
  assert text.bars({str(i): 1 for i in range(25)})[-1] == '... 5 more'


def test_what_is_there_is_never_nought_per_cent():
  assert [text.percent(x) for x in (
      0, 1e-6, .001, .5, .999, .99992, 1)] == [
          '0.0 %', '<0.1 %', '0.1 %', '50.0 %', '99.9 %', '>99.9 %', '100.0 %']


def test_notes_are_plain_lines():
  assert text.plain({'RGB': 5000, 'L': 2}) == 'RGB 5,000, L 2'
  assert text.plain([['a.png', 'broken'], ['b.png', 'cut']]) == (
      'a.png: broken, b.png: cut')
  assert text.plain(list(range(12)), most=3) == '0, 1, 2, ... 9 more'
  assert text.plain({}) == text.plain([]) == 'none'
  assert text.plain('/data') == '/data'


def test_a_tile_is_large_enough_to_see_and_keeps_its_shape():
  small = np.arange(8 * 12 * 3, dtype=np.uint8).reshape(1, 8, 12, 3)
  tile, = contact_sheet.tiles(small)
  assert tile.size == (96, 64)
  np.testing.assert_array_equal(np.asarray(tile)[::8, ::8], small[0])
  large, = contact_sheet.tiles(np.full((1, 512, 256, 1), 7, np.uint8))
  assert large.size == (72, 144) and large.getpixel((5, 5)) == (7, 7, 7)
  clear, = contact_sheet.tiles(np.zeros((1, 64, 64, 4), np.uint8))
  assert clear.getpixel((0, 0)) == (255, 255, 255)


def test_a_sheet_knows_what_its_font_can_write():
  assert lettering.can_write('a dog, 12 #3 …')
  assert not any(map(lettering.can_write, ['猫', 'a猫', 'собака', 'كلب']))
  assert text.class_name('猫', 1, 1000, lettering.can_write) == (
      'class 2 of 1,000')
  assert text.class_name('a' * 30, 1, 9, lettering.can_write) == (
      'a' * 23 + '…')
  assert text.legible('a猫b', lettering.can_write) == 'a?b'


def test_rows_of_a_sheet_stand_at_their_places(tmp_path):
  def tile(value):
    return contact_sheet.tiles(np.full((1, 64, 64, 3), value, np.uint8))[0]
  contact_sheet.draw(tmp_path / 'a.png', [[tile(10)], [], [tile(20), tile(30)]],
                     ('set', '3 pictures'),
                     [('a', '1'), ('an empty one', '0'), ('b', '2')])
  with Image.open(tmp_path / 'a.png') as image:
    pixels = np.asarray(image)[..., 0]
  (top, left), (lower, same), (_, right) = [
      [np.median(axis) for axis in np.nonzero(pixels == value)]
      for value in (10, 20, 30)]
  assert (lower - top, right - same, same - left) == (2 * 67, 67, 0)
