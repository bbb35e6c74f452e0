"""benchmarks/pages.py; one short run is made, and no page is timed."""
import pathlib
import sys

from PIL import Image
import pytest

from msg_gan_jax.report import curves
from msg_gan_jax.runs.read import read
from msg_gan_jax.runs.together import together

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def pages():
  sys.path.insert(0, str(ROOT / 'benchmarks'))
  import pages
  yield pages
  sys.path.remove(str(ROOT / 'benchmarks'))


@pytest.fixture(scope='module')
def runs(pages, tmp_path_factory):
  folder = tmp_path_factory.mktemp('pages')
  for place in range(3):
    pages.make(folder / f'run_{place}', place, 80)
  return [read(folder / f'run_{place}') for place in range(3)]


def test_a_run_that_is_made_has_the_names_of_one_that_trained(runs):
  trained = read(ROOT / 'tests' / 'runs' / 'earlier' / 'written')
  made = runs[0]

  def kinds(records):  # That run is of 16 px, and this one of 32.
    return {x.rstrip('0123456789') for x in records}

  # That one was no epoch long.
  assert kinds(made.records) - kinds(trained.records) == {
      'epoch', 'stability_'}
  assert kinds(trained.records) <= kinds(made.records)
  lines = curves.panels(x for x in made.records if '.' not in x)
  assert {x[0] for x in curves.PANELS if x not in curves.DYNAMICS} <= {
      x for x, _ in lines}
  assert len(made.records['images']) == 80
  assert made.images == made.config.train.total_images
  assert [*made.versions[0]] == [x for x in trained.versions[0]
                                 if x != 'pictures']
  assert len(made.warnings) == 8 and made.scores['kid_random_conv'].size == 1


def test_grids_are_those_of_training_at_every_scale(runs):
  made = runs[0]
  assert [images for images, _ in made.grids] == [
      i * made.config.train.sample_every_images for i in range(41)]
  with Image.open(made.grids[-1][1]) as picture:
    assert picture.size == (832, 810)  # As the quickstart's own are.


def test_runs_are_in_pairs_of_seeds(runs):
  found = together(runs)
  assert found.groups == ((0, 1), (2,))
  assert set(found.settings) == {'seed', 'objective.penalty_weight'}


def test_a_row_has_medians_beside_what_is_wanted(pages):
  times = [{'seconds': s, 'cpu_seconds': 2 * s, 'mb': 3.} for s in (1., 5., 2.)]
  assert pages.row(times, 30, 10) == {
      'seconds': '2.0 (1.0-5.0)', 'wanted ': '10',
      'CPU seconds': '4.0 (2.0-10.0)', 'MB': '3.0 (3.0-3.0)', 'wanted': '30'}


@pytest.mark.slow
def test_a_command_that_fails_says_why(pages, tmp_path):
  with pytest.raises(RuntimeError, match='ended with 1: error: --workdir'):
    pages.time_of(str(tmp_path / 'nothing'), tmp_path / 'page.html')
