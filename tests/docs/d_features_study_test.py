"""The page of D's features has the table that its program makes."""
import json
import runpy

from helpers import ROOT
import numpy as np
import pytest
from scipy import stats

STUDIES = ROOT / 'docs' / 'studies'


@pytest.fixture(scope='module')
def study():
  return runpy.run_path(str(STUDIES / 'd_features.py'))


def records():
  path = STUDIES / 'records' / 'd_features.json'
  return json.loads(path.read_text('utf-8'))


def test_the_page_has_the_table_of_its_records(study):
  page = (STUDIES / 'd_features.md').read_text('utf-8')
  assert study['table'](records()) in page


def test_d_is_ten_points_above_pixels_at_every_length():
  for record in records():
    assert record['labels'] == 5_000 and record['tested'] == 10_000
    found = [x for x in record['features'] if x['name'].startswith('D after')]
    assert len(found) == 4
    assert min(x['above_pixels']['low'] for x in found) > .1


def test_the_interval_over_seeds_is_students(study):
  values = [3., 4., 8.]
  mean, half = study['over_seeds'](values)
  low, high = stats.t.interval(.95, 2, 5, np.std(values, ddof=1) / 3**.5)
  assert (mean, mean - half, mean + half) == pytest.approx((5, low, high))
  assert np.isnan(study['over_seeds']([1.])[1])


def test_seeds_that_lack_a_length_leave_it_out(study):
  def record(share, *names):
    return {'features': [
        {'name': name, 'count': 3, 'accuracy': {'share': share}}
        for name in names]}

  table = study['table']([record(.5, 'pixels', 'D after 8 images'),
                          record(.5, 'pixels')])
  # What is the same whatever the seed has no interval over seeds.
  assert '| pixels | 3 | 50.0 |  |  |' in table
  assert '(50.0, 51.0)' in study['table'](
      [record(.5, 'D after 8 images'), record(.51, 'D after 8 images')])
  assert 'D after' not in table
