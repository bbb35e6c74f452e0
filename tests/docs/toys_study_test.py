"""The study of the toys: its cells, what it counts, and its page."""
import re
import runpy

from helpers import ROOT
import jax
import numpy as np
import pytest

study = runpy.run_path(ROOT / 'docs' / 'studies' / 'toys.py')


@pytest.fixture(scope='module')
def trained():
  """A cell of two seeds after three steps: (record, points)."""
  return study['cell'](
      'relativistic', 'r1_r2', seeds=2, steps=3, samples=200)


@pytest.mark.slow
def test_a_cell_has_both_toys_and_every_seed(trained):
  record, points = trained
  assert set(points) == {'ring', 'grid'} and record['seconds'] > 0
  for layout, count in ('ring', 8), ('grid', 25):
    assert points[layout].shape == (2, 200, 2)
    assert np.isfinite(points[layout]).all()
    assert record[layout]['finite'] == [True, True]
    for modes, good, seed in zip(
        record[layout]['modes'], record[layout]['good'], points[layout],
        strict=True):
      source = study['toy'](layout)[0]
      assert (modes, good) == study['modes_found'](
          seed, source.centres, source.std)
      assert 0 <= modes <= count and 0 <= good <= 1


@pytest.mark.slow
def test_seeds_differ_and_toys_begin_alike(trained):
  _, points = trained
  assert np.abs(points['ring'][0] - points['ring'][1]).max() > .1
  # Three steps from the same weights, with the same latents.
  apart = np.abs(points['ring'] - points['grid']).max()
  assert 0 < apart < .5


@pytest.mark.slow
def test_a_seed_is_the_same_in_a_population_and_alone(trained):
  from msg_gan_jax.gan.build import build
  config = study['config_of']('relativistic', 'r1_r2')
  one = study['population'](
      build(config), config.train.n_dis, config.train.batch, 3, 200)
  keys = jax.vmap(jax.random.key)(np.arange(1))
  points, finite = one(keys, study['toy']('ring')[1], study['ROUNDS']['ring'])
  assert finite.all()
  np.testing.assert_allclose(points[0], trained[1]['ring'][0], atol=1e-3)


def test_a_mode_needs_a_hundredth_within_three_deviations():
  centres, std = np.array([[0., 0.], [1., 0.]]), .01

  def count(far, near, deviations):
    """`far` points at the first centre, `near` so far from the second."""
    return study['modes_found'](
        np.repeat([[0., 0.], [1., deviations * std]], [far, near], 0),
        centres, std)
  assert count(990, 10, 2.99) == (2, 1.)
  assert count(991, 9, 2.99) == (1, 1.)
  assert count(990, 10, 3.01) == (1, .99)
  assert count(0, 100, 0.) == (1, 1.)
  assert count(0, 100, 50.) == (0, 0.)
  nothing = study['modes_found'](np.full((100, 2), np.nan), centres, std)
  assert nothing == (0, 0.)


@pytest.mark.parametrize('layout, count', [('ring', 8), ('grid', 25)])
def test_the_toys_themselves_have_all_modes(layout, count):
  source, pool = study['toy'](layout)
  modes, good = study['modes_found'](
      pool[:10_000, 0, 0], source.centres, source.std)
  assert modes == count
  assert abs(good - .9889) < .004  # 1 - exp(-9/2), and four deviations.


def test_what_build_refuses_is_left_out_and_said():
  said = []
  legal = list(study['pairs'](said.append, ('hinge',), ('none', 'r11')))
  assert legal == [('hinge', 'none')]
  assert len(said) == 1 and said[0].startswith(
      "hinge + r11 is refused: config.objective.penalty: no penalty 'r11'")


def test_a_row_says_mean_range_seeds_and_what_is_not_finite():
  good = dict(modes=[8, 8], good=[.9, .96], finite=[True, True])
  bad = dict(modes=[25, 0], good=[.5, 0.], finite=[True, False])
  records = {('hinge', 'r1'): dict(ring=good, grid=bad)}
  assert list(study['every_cell'](records))[2:] == [
      '| `hinge` | `r1` | 8.0 (8-8) | **2** | 93 (90-96) '
      '| 12.5 (0-25), 1 not finite | 1 | 25 (0-50) |']
  assert list(study['matrix'](records, 'ring'))[2:] == [
      '| `hinge` | **2, 8.0** |']


def test_a_table_is_put_between_its_marks():
  page = 'a\n<!-- ring -->\nold\n<!-- /ring -->\nb\n'
  wanted = 'a\n<!-- ring -->\n| 1 |\n| 2 |\n<!-- /ring -->\nb\n'
  assert study['filled'](page, {'ring': ['| 1 |', '| 2 |']}) == wanted
  assert study['filled'](wanted, {'ring': ['| 1 |', '| 2 |']}) == wanted
  with pytest.raises(ValueError, match="no place for the table 'grid'"):
    study['filled'](page, {'grid': []})


def test_the_page_has_a_row_for_every_legal_pair_and_no_other():
  text = (ROOT / 'docs' / 'studies' / 'toys.md').read_text(encoding='utf-8')
  cells = re.search(r'<!-- cells -->\n(.*)<!-- /cells -->', text, re.S)[1]
  rows = re.findall(r'^\| `(\w+)` \| `(\w+)` \|', cells, re.M)
  assert rows == list(study['pairs'](lambda line: None)), (
      'run: python docs/studies/toys.py --runs=runs/toys')
