"""A page shows what it is given as text, whatever that is."""
from html.parser import HTMLParser
import math

import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.report import charts, thumbnails
from msg_gan_jax.report import page as pages
from msg_gan_jax.report.page import (
  Chart,
  Charts,
  Code,
  Films,
  Frame,
  Grid,
  Items,
  Page,
  Picture,
  Section,
  Text,
)
from msg_gan_jax.report.plots import Curve
from msg_gan_jax.report.tables import Around, PlusMinus, Table

HOSTILE = (
    '<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "'; --",
    '{{ 7 * 7 }}', '</style></script><!--', 'a & b', 'two\nlines', '\u202eabc',
    'שלום', '猫', '🐱', 'x' * 10_000, 'javascript:alert(1)', '\x1b[31m')


class Elements(HTMLParser):
  """What a page has: elements in their order, and all text."""

  def __init__(self, text):
    super().__init__()
    self.found, self.open, self.text = [], [], ''
    self.feed(text)

  def handle_starttag(self, tag, attrs):
    self.found.append((tag, dict(attrs)))
    self.open.append(tag)

  def handle_endtag(self, tag):
    while self.open and self.open.pop() != tag:
      pass

  def handle_data(self, data):
    if 'script' not in self.open and 'style' not in self.open:
      self.text += data


def line(count=30):
  return Curve(np.arange(count) * 10., np.linspace(1., 2., count))


def everything(name, uri):
  """A page with a block of each kind, in which all names are `name`."""
  table = Table((name, 'b'), [[name, 1.5], ['c', Around(1., .5, 2.)]], name,
                [name])
  return Page(name, [name], {'images': 'real images', 'd_steps': 'updates'}, [
      Section('One', [Text(name), Items([name]), Code(name), Grid(table),
                      Picture(uri, name)]),
      Section('Two', [
          Films({name: [Frame(uri, {'images': 0., 'd_steps': 0.}),
                        Frame(uri, {'images': 64., 'd_steps': 2.})]}),
          Charts([Chart(name, {name: 0, 'other': 1}, {
              unit: charts.chart({name: line(), 'other': line()}, words, name)
              for unit, words in (('images', 'real images'),
                                  ('d_steps', 'updates'))}, name)])]),
      Section('Nothing', [])], name)


@pytest.fixture(scope='module')
def uri(tmp_path_factory):
  path = tmp_path_factory.mktemp('pictures') / 'a.png'
  Image.new('RGB', (40, 20), (10, 200, 30)).save(path)
  return thumbnails.uri(path)


def tags(page):
  return [(tag, sorted(attrs)) for tag, attrs in page.found]


@pytest.mark.parametrize('name', HOSTILE)
def test_whatever_a_name_is_the_page_has_the_same_elements(name, uri):
  wanted = Elements(pages.render(everything('plain', uri)))
  text = pages.render(everything(name, uri))
  found = Elements(text)
  assert tags(found) == tags(wanted)
  assert found.text.count(pages.shown(name)[:100]) >= 10
  assert len(text) < 200_000  # A name of 10,000 letters is cut.


def test_a_page_needs_nothing_from_elsewhere(uri):
  page = Elements(pages.render(everything('a', uri)))
  for tag, attrs in page.found:
    for name in ('src', 'href', 'xlink:href', 'action'):
      assert attrs.get(name, '#').startswith(('data:', '#')), (tag, attrs)
  assert 'link' not in {
      tag for tag, attrs in page.found if attrs.get('rel') != 'icon'}


def test_sections_without_blocks_are_left_out(uri):
  text = Elements(pages.render(everything('a', uri))).text
  assert 'One' in text and 'Nothing' not in text


def test_every_id_is_there_once_and_every_link_has_its_end(uri):
  page = Elements(pages.render(everything('a', uri)))
  ids = [attrs['id'] for _, attrs in page.found if 'id' in attrs]
  # Parts of charts that matplotlib names by number are never linked to.
  linked = {attrs[k][1:] for _, attrs in page.found for k in (
      'href', 'xlink:href') if attrs.get(k, '').startswith('#')}
  assert linked <= {*ids}
  for name in linked:
    assert ids.count(name) == 1, name


def test_pictures_charts_and_tables_have_words(uri):
  page = Elements(pages.render(everything('a', uri)))
  for tag, attrs in page.found:
    if tag == 'img':
      assert attrs['alt']
    if tag == 'svg':
      assert attrs.get('aria-label') or attrs.get('aria-hidden') == 'true'
  assert ('th', {'scope': 'row'}) in page.found


def test_a_chart_tells_where_its_lines_begin_and_end():
  svg = charts.chart({'a': line()}, 'real images', 'loss')
  assert 'loss, over real images. a: from 1 to 2.' in svg
  assert '#000000' not in svg and 'font-family' not in svg


def test_without_marks_and_with_gaps_a_chart_is_drawn():
  gaps = Curve([0., 1., 2.], [math.nan, 1., math.nan])
  assert '<svg' in charts.chart({'a': gaps}, 'x', 'y', log=True)
  assert '<svg' in charts.chart(
      {'a': Curve([0., 1.], [0., -1.])}, 'x', 'y', log=True)
  assert charts.chart({'a': line()}, 'x', 'y') != charts.chart(
      {'a': line()}, 'x', 'y', marks={'reals': 1.5})


def test_thinning_keeps_ends_and_medians():
  curve = Curve(np.arange(1000.), np.where(np.arange(1000) % 4 == 0, 100., 1.))
  thin = charts.thinned(curve, 250)
  assert len(thin.x) == 250
  np.testing.assert_array_equal(thin.y, 1.)  # A spike in four is no median.
  np.testing.assert_allclose(thin.x, np.arange(250) * 4 + 1.5)
  assert charts.thinned(curve, 1000) is curve
  ragged = charts.thinned(Curve(np.arange(1001.), np.full(1001, math.nan)), 250)
  assert len(ragged.x) <= 250 and np.isnan(ragged.y).all()


def test_frames_are_the_first_the_last_and_evenly_between():
  assert thumbnails.evenly(101, 3) == [0, 50, 100]
  assert thumbnails.evenly(8, 8) == [*range(8)]
  assert thumbnails.evenly(1, 2) == [0] and thumbnails.evenly(0, 2) == []
  for count in range(2, 200):
    for most in (2, 7, 40):
      found = thumbnails.evenly(count, most)
      assert len({*found}) == len(found) == min(count, most)
      assert found[0] == 0 and found[-1] == count - 1


def test_a_wide_picture_is_made_smaller_and_a_film_is_taken_as_it_is(tmp_path):
  wide = tmp_path / 'wide.png'
  Image.effect_noise((3000, 30), 90).save(wide)
  assert len(thumbnails.uri(wide)) < len(thumbnails.uri(wide, 3000))
  film = tmp_path / 'film.webp'
  frames = [Image.new('RGB', (8, 8), (i, 0, 0)) for i in (0, 200)]
  frames[0].save(film, save_all=True, append_images=frames[1:], duration=100)
  assert thumbnails.uri(film).startswith('data:image/webp;base64,')


@pytest.mark.parametrize(('cell', 'wanted'), [
    (None, ''), (12345, '12,345'), (-1.5, '−1.5'), ('a-b', 'a-b'),
    (Around(1., .5, 2.), '1 [0.5, 2]'), (Around(1.), '1'),
    (PlusMinus(7.0731, .0999), '7.073 ± 0.1'), (PlusMinus(3.), '3'),
    (math.nan, ''), (True, 'True')])
def test_cells(cell, wanted):
  assert pages.cell(cell, 4) == wanted
