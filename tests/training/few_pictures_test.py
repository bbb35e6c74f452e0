"""Laws of runs on few pictures: they train, measure what they can, and end."""
import contextlib
import dataclasses
import functools
from unittest import mock

import all_experiments
from helpers import picture, save
import jax
import numpy as np
import pytest

from msg_gan_jax.analysis.generator import samples
from msg_gan_jax.commands import score_runs
from msg_gan_jax.config import schema
from msg_gan_jax.data import sources
from msg_gan_jax.data.source import ArraySource
from msg_gan_jax.gan.build import build
from msg_gan_jax.metrics import pair, protocols
from msg_gan_jax.metrics.features import table as features_table
from msg_gan_jax.runs import records
from msg_gan_jax.training import first_start, kept, loop, scorer

DEFAULT = schema.Evaluate().metrics.split(',')


@pytest.fixture(scope='module')
def few(tmp_path_factory):
  """n -> the settings of own_pictures for n pictures, and a tiny network."""
  folder = tmp_path_factory.mktemp('few')

  def make(n, share=-1., **more):
    for i in range(n):
      save(folder / str(n) / f'{i:03}.png', picture(i, 20, 20))
    config = all_experiments.load('own_pictures')
    config.data.update(path=str(folder / str(n)), resolution=16,
                       held_out_share=share, cache_dir=str(folder / 'cache'))
    config.networks.update(name='mlp', latent=4, fmap_max=8, stddev='none')
    config.evaluate.update({'features': 'pixels', 'count': 16, **more})
    config.train.update(batch=8, total_images=16, log_every_images=8)
    return schema.parse(config)

  with contextlib.ExitStack() as stack:
    stack.enter_context(mock.patch.object(features_table, '_PIXELS', 4))
    # All of them compile the same programs.
    config = make(1)
    gan = build(first_start.with_choices(config, sources.open_source(config)))
    stack.enter_context(mock.patch.object(loop, 'build', lambda config: gan))
    for name in ('step_of', 'renderer_of'):
      stack.enter_context(mock.patch.object(
          kept, name, functools.cache(getattr(kept, name))))
    yield make


def bests(run):
  return [*(run / 'best').glob('[0-9]*')]


# Pictures, the share that is held out, and how many samples are compared with.
@pytest.mark.slow
@pytest.mark.parametrize('n, share, reals', [
    (1, -1, 1), (2, -1, 2), (19, -1, 19), (28, -2, 2), (41, -2, 4),
    (59, -2, 5)])
def test_a_run_trains_measures_what_it_can_and_ends(
    n, share, reals, few, tmp_path):
  said, config = [], few(n, share)
  assert loop.train(config, tmp_path / 'run', said.append) == 0
  *_, last = records.read(tmp_path / 'run' / 'metrics.jsonl')
  assert last['images'] == 16
  assert all(np.isfinite(x) for x in jax.tree.leaves(last))
  begins = next(i for i, line in enumerate(said) if 'in an epoch' in line)
  warnings = [line for line in said[:begins] if 'not all is measured' in line]
  assert len(warnings) == (reals < 6)
  for name, score, fewest in (
      ('fid', 'frechet_pixels', 2), ('precision_recall', 'recall_pixels', 4),
      ('density_coverage', 'density_pixels', 6),
      ('the sliced distance', 'swd_mean', 4)):
    assert (score in last) == (reals >= fewest), name
    assert (f'{name} needs {fewest} real pictures' in ''.join(warnings)) == (
        reals < fewest)
  assert bool(bests(tmp_path / 'run')) == (reals > 1)
  assert any('No best checkpoint' in x for x in warnings) == (reals < 2)
  again = []
  assert loop.train(config, tmp_path / 'run', again.append) == 0
  assert 'done after 16 images' in again
  assert len(samples.sample_run(tmp_path / 'run', 3)[-1]) == 3
  scored = score_runs.RunScores('fid', pair.Options(
      protocols.PROTOCOLS['local'], 'local', 'pixels', say=said.append), count=4
  ).of_run(str(tmp_path / 'run'))
  if reals > 1:
    assert np.isfinite(next(scored).scores[0].value)
  else:
    with pytest.raises(ValueError, match='of which it has one; .* real=FOLDER'):
      next(scored)


def test_for_any_number_of_pictures_what_is_chosen_can_be_measured(
    few, tmp_path):
  """Also pictures that are too small for patches."""
  rng = np.random.default_rng(0)
  pixels = rng.integers(0, 256, (120, 8, 8, 3), np.uint8)
  for n in *range(1, 9), 19, 28, 41, 59, 100:
    splits = sources.Splits(ArraySource(pixels[:n], name='set'), None)
    judge = scorer.Scorer(splits, few(1, count=0), say=lambda line: None)
    assert {*judge.metrics} | {*judge.left_out} == {*DEFAULT}
    assert not judge.left_out or n < 6
    if judge.metrics and n < 8:
      values, _, _ = judge.measure(pixels[-n:])
      assert all(np.isfinite(x) for x in values.values())


def test_a_metric_whose_network_cannot_learn_from_so_few_is_left_out():
  pixels = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 3), np.uint8)
  splits = sources.Splits(ArraySource(pixels, np.arange(50) % 2), None)
  config = schema.template()
  config.evaluate.metrics = 'kid,class_accuracy,ms_ssim_within'
  config.evaluate.best = 'kid'
  judge = scorer.Scorer(splits, schema.parse(config), say=lambda line: None)
  assert judge.metrics == ['kid', 'ms_ssim_within']
  assert 'wanted at least 100' in judge.left_out['class_accuracy']


@pytest.mark.slow
def test_what_is_measured_may_change_on_the_way_and_when_it_is_scored(
    few, tmp_path):
  """And so a run that could not be measured goes on."""
  loop.train(few(5, metrics='kid', best='kid'), tmp_path, len)
  longer = few(5, metrics='fid,kid', best='fid', count=8)
  longer = dataclasses.replace(longer, train=dataclasses.replace(
      longer.train, total_images=24))
  assert loop.train(longer, tmp_path, len) == 0
  first, *_, last = [x for x in records.read(tmp_path / 'metrics.jsonl')
                     if 'kid_pixels' in x]
  assert 'frechet_pixels' not in first and 'frechet_pixels' in last
  changes = (tmp_path / 'changes.jsonl').read_text()
  for name in 'metrics', 'best', 'count':
    assert f'"evaluate.{name}: ' in changes
  # Without names of metrics all are tried, and by name they are refused.
  how = score_runs.RunScores((), pair.Options(
      protocols.PROTOCOLS['local'], 'local', 'pixels'), count=16)
  scored, = how.of_run(str(tmp_path))
  assert {'frechet', 'precision', 'ms_ssim'} <= {x.name for x in scored.scores}
  assert any('density_coverage is left out: ' in line and 'needs 6' in line
             for line in scored.record['warnings'])
  with pytest.raises(ValueError, match='^metrics: density_coverage needs 6'):
    next(dataclasses.replace(
        how, metrics='density_coverage').of_run(str(tmp_path)))
