"""Laws of the summary: what is measured of points, and a whole run on them."""
import dataclasses
import json
import types

import numpy as np
import pytest

from msg_gan_jax.analysis.generator import samples
from msg_gan_jax.commands import dry_run
from msg_gan_jax.config import schema
from msg_gan_jax.data import sources
from msg_gan_jax.gan.build import build
from msg_gan_jax.runs import records
from msg_gan_jax.training import loop, observers, summary


@pytest.fixture(scope='module')
def ring():
  """Settings of a ring that trains in a second."""
  config = schema.template()
  config.data.update(dict(
      name='ring', resolution=1, channels=2, count=3000, held_out=0))
  config.networks.update(dict(
      name='mlp', latent=4, fmap_max=16, stddev='none'))
  config.objective.update(dict(
      loss='non_saturating', penalty='r1', drift=0.))
  config.train.update(dict(
      batch=64, total_images=640, sample_every_images=320,
      measure_every_images=640))
  return schema.parse(config)


def test_a_record_has_what_its_numbers_are_compared_with(ring, small):
  for config in (ring, small()):
    splits = sources.open_source(config)
    judge = summary.choose(splits)
    found = judge.measure(splits.train.images(np.arange(judge.count)))
    references, values = judge.references_of(found), judge.values(found)
    assert references['reals'].keys() == values.keys()
    assert all(np.isfinite(x) and name in values
               for row in references.values() for name, x in row.items())
  assert references['reals']['swd_16'] == found['swd']['halves']['16']
  assert references['noise'] == {'swd_mean': found['swd']['noise']['mean']}
  assert references['pca'] == {'swd_mean': found['swd']['pca']['mean']}


def test_a_summary_of_points_finds_all_gaussians_in_the_reals(ring):
  judge = summary.choose(sources.open_source(ring))
  real = judge._source.images(np.arange(2500))
  found = judge.measure(real)
  assert found['samples'] == found['reals']
  assert found['samples']['modes'] == 8
  assert found['samples']['high_quality'] > .98
  one = np.repeat(real[:1], 2500, 0)
  assert judge.measure(one)['samples']['modes'] == 1
  assert judge.values(found) == found['samples']
  assert 'reals           8' in judge.table(found)


def test_pictures_are_judged_by_distances(small):
  judge = summary.choose(sources.open_source(small()))
  assert isinstance(judge, summary.DistanceSummary) and not judge.lacks


@pytest.mark.parametrize('half_life, later, weights', [
    (10., -1., 'ema'), (0., -1., 'raw'), (0., 5., 'ema')])
def test_samples_of_a_run_without_an_average_are_not_called_ema(
    half_life, later, weights, ring, small, tmp_path):
  view = types.SimpleNamespace(folder=tmp_path, images=0, main=True, say=print)
  for config in ring, small():
    config = dataclasses.replace(
        config, train=dataclasses.replace(
            config.train, ema_half_life_images=half_life),
        schedule=dataclasses.replace(
            config.schedule, images=9, ema_half_life_images=later))
    splits = sources.open_source(config)
    judge = observers.measurement(config, build(config), splits, view)
    found = judge._distances.measure(splits.train.images(np.arange(8)))
    assert found['protocol']['weights'] == weights
    assert ('EMA' in judge._distances.table(found)) == (weights == 'ema')


@pytest.mark.slow
def test_points_are_trained_on_drawn_sampled_and_resumed(
    ring, tmp_path, capsys):
  run = tmp_path / 'run'
  said = []
  loop.train(ring, str(run), say=said.append)
  found = json.loads((run / 'summary.json').read_text())
  assert found['protocol']['gaussians'] == 8
  assert any('Gaussians found, of 8' in line for line in said)
  recorded = records.read(run / 'metrics.jsonl')
  assert recorded[-1]['modes'] == found['samples']['modes']
  assert all(0 < r['stability_1'] < 4 for r in recorded if 'stability_1' in r)
  assert len(list((run / 'samples').glob('*.png'))) == 3
  picture, array = samples.sample_run_to_files(
      str(run), str(tmp_path / 'out'), count=20)
  points = np.load(array)
  assert points.shape == (20, 2) and points.dtype == np.float32
  assert len(np.unique(points * 127.5 % 1)) > 20, 'rounded to bytes'
  assert picture.endswith('points.png')


@pytest.mark.slow
def test_a_dry_run_shows_points(ring, tmp_path):
  said = []
  dry_run.dry_run(ring, str(tmp_path / 'sheet.png'), say=said.append)
  assert (tmp_path / 'sheet.png').exists()
  assert any('1x1x2' in line for line in said)


def test_points_are_compared_with_those_that_were_kept_out(ring):
  data = schema.template()
  data.data.update(dict(
      name='ring', resolution=1, channels=2, count=300, held_out=40))
  splits = sources.open_source(schema.parse(data))
  found = summary.choose(splits).measure(splits.train.images(np.arange(300)))
  assert found['protocol']['n_real'] == 40


@pytest.mark.parametrize('count', [4, 5, 9])
def test_few_reals_have_a_gaussian_of_fewer_components(small, count):
  splits = sources.open_source(small(data__held_out=count))
  judge = summary.choose(splits)
  found = judge.measure(splits.train.images(np.arange(count)))
  assert found['protocol']['pca_components'] == count - 1
  assert f'Gaussian, {count - 1} components' in judge.table(found)
  assert all(np.isfinite(v) for v in found['swd']['pca'].values())


@pytest.mark.slow
def test_a_measurement_that_fails_costs_no_training(
    ring, tmp_path, monkeypatch):
  def fail(self, fake):
    raise ValueError('no measure')
  monkeypatch.setattr(summary.ModeSummary, 'measure', fail)
  with pytest.raises(ValueError, match='no measure'):
    loop.train(ring, str(tmp_path / 'run'), say=lambda line: None)
  monkeypatch.undo()
  said = []
  loop.train(ring, str(tmp_path / 'run'), say=said.append)
  assert said[0] == 'done after 640 images'
  assert (tmp_path / 'run' / 'summary.json').exists()
