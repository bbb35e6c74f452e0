"""The program of the page of stability reads what its studies have trained."""
import runpy
import sys

from helpers import ROOT
import numpy as np
from PIL import Image
import pytest
import synthetic_studies as synthetic


@pytest.fixture(scope='module')
def stability():
  """The module stability."""
  with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(str(ROOT / 'docs' / 'studies'))
    import stability
    yield stability
  sys.modules.pop('stability', None)


def study(name):
  return runpy.run_path(str(
      ROOT / 'experiments' / 'studies' / f'{name}.py'))['get_study']()


def test_a_study_is_read_whatever_its_name_is(stability, tmp_path):
  folder = synthetic.write(
      tmp_path, 'mine', synthetic.OF_RATES, [], waiting=3, running=1)
  assert stability.read(folder) == {}


def result(swd=20., ratio=.9):
  whole = {'16': 3., '8': 2., '4': 1.}
  return {'swd': swd, 'swd_halves': 10., 'ratio': ratio, 'whole': whole,
          'whole_halves': whole, 'stability': {'16': .05, '8': .03},
          'samples': np.zeros((16, 16, 16, 3), np.uint8)}


def test_tables_have_a_cell_for_each_point_of_the_studies(stability):
  axes = study('stability').axes
  assert list(axes['loss'].rows) == list(stability.LOSSES)
  assert list(axes['scales'].rows) == list(stability.CONNECTED)
  assert tuple(axes['rate'].rows) == stability.RATES
  assert study('stability').seeds == stability.SEEDS
  axis, = study('msg_structures').axes.values()
  assert set(axis.rows) == set(stability.STRUCTURES)


def test_a_run_diverges_by_one_rule(stability):
  assert stability.diverged(result()) == ''
  assert stability.diverged(result(ratio=.49)) == 'collapsed'
  assert stability.diverged({'not_finite': 'd_loss'}) == 'not finite'


def test_the_page_says_how_many_runs_there_are(stability):
  sizes = [len([*study(name).grid()]) * len(study(name).seeds)
           for name in ('stability', 'msg_structures')]
  text = (ROOT / 'docs' / 'studies' / 'stability.md').read_text('utf-8')
  assert f'all {sum(sizes)} of them' in text


def test_the_table_of_rates_shows_what_diverged(stability, tmp_path):
  found = {(*point.values(), seed): result(20 + seed)
           for point in study('stability').grid() for seed in (0, 1)}
  found['wgan_gp', 'all', .1, 0] = {'not_finite': 'd_loss = nan'}
  found['wgan_gp', 'all', .1, 1] = result(300., .2)
  del found['r1', 'none', .001, 1]
  lines = [*stability.rates_table(found)]
  assert lines[2].startswith(
      '| WGAN-GP | all scales | 20.0 (0.90), 21.0 (0.90) |')
  assert lines[2].endswith('| **not finite**, **300.0 (0.20)** |')
  assert '| only 16 px | 20.0 (0.90), - |' in lines[-1]
  stability.pictures(found, tmp_path / 'a.png')
  with Image.open(tmp_path / 'a.png') as picture:
    assert min(picture.size) > 500


def test_the_table_of_structures_has_means_and_deviations(stability):
  found = {(row, seed): result(20 + seed)
           for row in stability.STRUCTURES for seed in range(3)}
  found['dense', 2] = {'not_finite': 'd_loss = nan'}
  lines = [*stability.structures_table(found)]
  assert lines[2].startswith('| 16 |  | 21.0 ± 1.0 | 3.0 ± 0.0 |')
  assert lines[-2].endswith('| 1 diverged')
  assert lines[-1].startswith('| two halves of the reals | | 10.0 | 3.0 |')


def test_changes_are_those_of_the_last_epochs(stability):
  column = np.array([np.nan, 9., 1., np.nan, 2., 3.])
  assert stability.last_epochs({'stability_16': column}) == {'16': 2.}
