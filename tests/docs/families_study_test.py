"""What the page of families says is what was measured."""
import sys

from helpers import ROOT
import numpy as np
from PIL import Image
import pytest
import synthetic_studies as synthetic


@pytest.fixture(scope='module')
def families():
  """The module families."""
  with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(str(ROOT / 'docs' / 'studies'))
    import families
    yield families
  sys.modules.pop('families', None)


def test_a_study_is_read_whatever_its_name_is(families, tmp_path):
  folder = synthetic.write(
      tmp_path, 'mine', synthetic.OF_RATES, [], waiting=3, running=1)
  assert families.read(folder) == ([], 4)


def measured(module, name='dragan', variety=.9, samples=20., grid=None,
             **distances):
  return module.Family(
      name, 'sndcgan', 128, 16_000,
      {'samples': samples, 'halves': 10., 'pca': 50., 'noise': 100.,
       **distances}, variety, 99.6, grid)


@pytest.mark.parametrize(('changed', 'verdict'), [
    ({}, 'yes'), ({'samples': 60.}, 'begins to'), ({'samples': 120.}, '**no**'),
    ({'variety': .4}, '**no**: one pattern')])
def test_a_family_learns_by_one_rule(families, changed, verdict):
  assert measured(families, **changed).verdict == verdict


def test_the_page_has_a_line_for_each_and_says_what_is_missing(families):
  diverged = measured(families, name='wgan')._replace(
      distances={}, variety=np.nan)
  text = ''.join(families.page([measured(families), diverged], 3))
  assert ('| `dragan` | sndcgan | 128 | 16,000 | 20.0 | 10.0 | 50.0 | 100.0 | '
          '0.90 | 100 | yes |\n') in text
  assert '|  |  |  |  |  | 100 | it diverged |' in text
  assert '1 of 3 are not trained yet' in text
  assert '1 of 2 learn' in text


def test_the_picture_has_a_panel_for_each(families, tmp_path):
  grid = tmp_path / 'grid.png'
  Image.new('RGB', (8, 8), (200, 30, 30)).save(grid)
  path = tmp_path / 'families.png'

  def red():
    with Image.open(path) as picture:
      pixels = np.asarray(picture.convert('RGB')).reshape(-1, 3)
    return (pixels == (200, 30, 30)).all(1).sum()

  families.draw([measured(families, grid=grid)], path)
  one = red()
  families.draw([measured(families, name=name, grid=grid)
                 for name in ('dragan', 'lsgan')], path)
  assert one > 1000 and red() == pytest.approx(2 * one, rel=.1)
