"""Laws of evaluating runs: which checkpoint, whose pictures, what is kept."""
import dataclasses
import json
import shutil

import numpy as np
import pytest

from msg_gan_jax.analysis.generator.samples import Sampling
from msg_gan_jax.commands import dry_run, fair_comparison, score_runs
from msg_gan_jax.commands.score_runs import RunScores
from msg_gan_jax.config import schema
from msg_gan_jax.data.source import ArraySource
from msg_gan_jax.data.sources import open_source
from msg_gan_jax.gan import sampling
from msg_gan_jax.gan.build import build
from msg_gan_jax.metrics import pair, protocols, score, text
from msg_gan_jax.runs import best, config_file, records
from msg_gan_jax.runs.checkpoints import Checkpoints
from msg_gan_jax.training import loop, scorer

pytestmark = pytest.mark.slow
KEY = 'frechet_random_conv'


@pytest.fixture(scope='module')
def gan(small):
  """What all runs of this file train: they differ in what is measured."""
  return build(small(objective__penalty='none'))


@pytest.fixture(scope='module')
def run(small, gan, tmp_path_factory):
  """(folder, Config) of a run that was measured at 16, 32, 48 and 64 images."""
  folder = tmp_path_factory.mktemp('runs') / 'a'
  config = small(
      objective__penalty='none', train__total_images=64,
      train__measure_every_images=16, train__checkpoint_every_images=32,
      train__sample_every_images=64,
      evaluate__metrics='fid,precision_recall', evaluate__best='fid',
      evaluate__count=24,
      data__cache_dir=str(tmp_path_factory.mktemp('cache')))
  loop.train(config, str(folder), say=lambda line: None,
             make=lambda config: gan)
  return folder, config


def options(config, name='local', **more):
  return pair.Options(protocols.PROTOCOLS[name], name, say=lambda line: None,
                      cache_dir=config.data.cache_dir, **more)


def test_training_records_scores_and_keeps_the_best_checkpoint(run):
  folder, _ = run
  recorded = records.read(folder / 'metrics.jsonl')
  scores = {r['images']: r[KEY] for r in recorded if KEY in r}
  assert list(scores) == [16, 32, 48, 64]
  assert 0 <= recorded[-1]['precision_random_conv'] <= 1
  summary = json.loads((folder / 'summary.json').read_text())
  assert summary['scores']['scores'][KEY]['value'] == scores[64]
  assert (summary['scores']['n_real'], summary['scores']['n_fake']) == (32, 24)
  kept = Checkpoints(folder / best.FOLDER, read_only=True).steps()
  assert kept == [min(scores, key=scores.get)]


def test_a_checkpoint_scores_as_it_did_in_training(run):
  folder, config = run
  wanted = records.read(folder / 'metrics.jsonl')[-1][KEY]
  (images, scores, record, _), = RunScores(
      ('fid',), options(config), count=24).of_run(str(folder))
  assert images == 64
  assert scores[0].value == pytest.approx(wanted, rel=1e-5)
  assert record['training_seed'] == 0 and record['run'] == str(folder)


def test_all_and_the_best_can_be_asked_for(run):
  folder, config = run
  ask = dict(metrics=('fid',), options=options(config), count=24)

  def images_of(which):
    return [x.images for x in RunScores(which=which, **ask).of_run(str(folder))]

  every = images_of('all')
  kept = Checkpoints(folder / best.FOLDER, read_only=True).steps()
  assert every == sorted({32, 64, *kept})
  assert images_of('best') == kept
  assert images_of('32') == [32]
  with pytest.raises(ValueError, match=(
      r'which: 33, but .* has none; there are \[32, 64\] of the')):
    images_of('33')
  with pytest.raises(ValueError, match="there is no 'bestt'; wanted newest"):
    images_of('bestt')


def test_raw_weights_are_other_numbers_under_another_id(run):
  folder, config = run
  scored = [next(RunScores(
      ('fid',), options(config), count=24, sampling=Sampling(
          seed=score_runs.SEED, weights=weights)).of_run(str(folder)))
           for weights in ('ema', 'raw')]
  assert scored[0].scores[0].value != scored[1].scores[0].value
  assert scored[0].record['id'] != scored[1].record['id']
  assert [x.record['settings']['weights'] for x in scored] == ['ema', 'raw']


def test_runs_are_written_down_and_shown(run, tmp_path):
  folder, config = run
  lines = score_runs.score_runs([str(folder)] * 2, RunScores(
      ('fid', 'memorised', 'ppl'), options(config), count=24), str(tmp_path))
  assert lines[0].startswith('local [') and lines[1].split()[-1] == 'reals'
  assert (tmp_path / 'memorised_a_64.png').exists()
  written = (tmp_path / text.FILE).read_text().splitlines()
  assert len(written) == 2
  assert set(json.loads(written[0])['scores']) == {
      KEY, 'authentic_random_conv', 'nearer_to_train_random_conv',
      'path_length_random_conv'}


@pytest.fixture(scope='module')
def unlike(run):
  """A run with the same weights that was trained otherwise, and not averaged.
  """
  folder, config = run
  other = shutil.copytree(folder, folder.parent / 'unlike')
  settings = json.loads((other / 'config.json').read_text())
  settings['train']['ema_half_life_images'] = 0.
  settings['data']['mirror'] = False
  (other / 'config.json').write_text(json.dumps(settings))
  return other


def test_runs_that_are_not_alike_say_how_they_differ(run, unlike, command):
  folder, _ = run
  status, out, err = command(
      '--mode=evaluate', f'--workdir={folder},{unlike}', '--metrics=fid',
      '--count=24', '--protocol=local', '--json', '--out=here')
  assert status == 0, err
  lines = err.splitlines()
  assert [line for line in lines if line.startswith('differ: ')] == [
      'differ: average yes | no', 'differ: data.mirror yes | no',
      'differ: train.ema_half_life_images 10,000 | 0']
  # One table, for what was asked for is one thing; what was had is two.
  assert sum(line.startswith('local [') for line in lines) == 1
  assert 'against 32 held-out pictures of avatars' in err
  # What is printed is JSON, and nothing else.
  told = [json.loads(line) for line in out.splitlines()]
  assert [x['settings']['weights'] for x in told] == ['ema', 'raw']
  assert told[0]['id'] == told[1]['id']
  assert [list(x['scores']) for x in told] == [[KEY], [KEY]]


def test_a_comparison_tells_all_that_makes_it_unfair(small):
  config = small()
  for name, value, shown in (
      ('networks__classes', 10, '0 | 10'), ('train__batch', 16, '8 | 16'),
      ('train__ema_rampup', .05, '0 | 0.05'),
      ('data__mirror', False, 'yes | no')):
    other = small(**{name: value})
    assert fair_comparison.differences([
        fair_comparison.Compared(x, (64,), 'same') for x in (config, other)
    ]) == [f'differ: {name.replace("__", ".")} {shown}']
  assert fair_comparison.differences([
      fair_comparison.Compared(config, (1000,), 'a' * 64),
      fair_comparison.Compared(config, (1000, 2000), 'b' * 64)]) == [
          'differ: images shown 1,000 | 1,000, 2,000',
          'differ: training pictures aaaaaaaa | bbbbbbbb']
  assert fair_comparison.differences(
      [fair_comparison.Compared(config, (64,), 'same')] * 2) == []
  settings = schema.flatten(config)
  assert set(fair_comparison.SETTINGS) <= set(settings)


def test_runs_that_differ_by_their_seed_have_a_mean(run):
  _, config = run
  other = dataclasses.replace(config, seed=1)
  wider = dataclasses.replace(other, networks=dataclasses.replace(
      config.networks, fmap_max=16))
  assert score_runs.differ_by_seed([config, other])
  for configs in [config], [config, config], [config, wider]:
    assert not score_runs.differ_by_seed(configs)


def test_classes_are_asked_for_as_often_as_there_are_and_in_no_order():
  labels = np.repeat(np.arange(3), [60, 30, 10])
  drawn = sampling.labels_like(labels, 300)
  assert np.bincount(drawn).tolist() == [180, 90, 30]
  few = sampling.labels_like(labels, 30)
  assert len(set(few)) == 3 and (np.diff(few) < 0).any()


def test_a_run_that_is_missing_is_an_error_before_any_is_scored(run, tmp_path):
  folder, config = run
  with pytest.raises(ValueError, match='nowhere: no such folder'):
    score_runs.score_runs([str(folder), 'nowhere'], RunScores(
        ('fid',), options(config)), str(tmp_path))
  assert not list(tmp_path.iterdir())


def test_lost_records_are_told_and_cost_no_best(run, gan, tmp_path):
  """Of the first two and of the best none is left."""
  folder, config = run
  copy = tmp_path / 'run'
  shutil.copytree(folder, copy)
  kept, = Checkpoints(copy / best.FOLDER, read_only=True).steps()
  lines = (copy / 'metrics.jsonl').read_text().splitlines(keepends=True)
  images = [json.loads(line)['images'] for line in lines]
  lost = [n for n in images if n in (*images[:2], kept)]
  (copy / 'metrics.jsonl').write_text(''.join(
      ['{"images": 8, "changed": []}\n', *(
          line for n, line in zip(images, lines, strict=True)
          if n not in lost)]))
  said = []
  loop.train(config, str(copy), said.append, make=lambda config: gan)
  told = [
      'metrics.jsonl: 1 of its lines were not records; they are in '
      'metrics.jsonl.damaged',
      f'metrics.jsonl: {len(lost)} of {len(images)} records are missing: of '
      f'{"; ".join(map(str, lost))} images']
  assert [f'warning: {line}' for line in told] == [
      line for line in said if line.startswith('warning: metrics')]
  assert json.loads((copy / 'changes.jsonl').read_text())['changed'] == told
  assert Checkpoints(copy / best.FOLDER, read_only=True).steps() == [kept]
  assert not any('score is lost' in line for line in said)


def test_two_sets_are_scored_without_a_run(tmp_path):
  rng = np.random.default_rng(0)
  real, fake = (ArraySource(rng.integers(0, 256, (20, 16, 16, 3), np.uint8),
                            name=name) for name in ('real', 'fake'))
  lines = score_runs.score_sets(real, fake, ('fid',), pair.Options(
      protocols.PROTOCOLS['local'], 'local', cache_dir=str(tmp_path)),
      str(tmp_path / 'out'))
  assert 'Fréchet distance of an untrained network [random_conv]' in lines[2]
  assert not any('held-out' in line for line in lines)
  assert (tmp_path / 'out' / text.FILE).exists()


@pytest.mark.parametrize('change, said', [
    (dict(evaluate__metrics='fidd'), "no metric 'fidd'; did you mean 'fid'"),
    (dict(evaluate__protocol='adaa'), "no protocol 'adaa'; did you mean 'ada'"),
    (dict(evaluate__best='kid'), "config.evaluate.best: 'kid' is not measured"),
    (dict(evaluate__features='incept'), "no features 'incept'"),
    (dict(evaluate__metrics='intra_fid'), 'intra_fid compares classes, and '
     r'the pictures of fake \(samples\) have none'),
    (dict(evaluate__metrics='is'),
     "config.evaluate.metrics: 'is' needs the classes of a classifier"),
    (dict(evaluate__protocol='ada', evaluate__weights_file='nowhere'),
     "config.evaluate.weights_file: no file 'nowhere'; wanted the Inception"),
])
def test_settings_are_checked_before_training(
    change, said, small, gan, tmp_path):
  config = small(train__total_images=8, **{
      'evaluate__metrics': 'fid', 'evaluate__best': '', **change})
  with pytest.raises(ValueError, match=said):
    loop.train(config, str(tmp_path / 'run'), say=lambda line: None,
               make=lambda config: gan)
  assert not list((tmp_path / 'run').glob('checkpoints/[0-9]*'))


def test_a_score_that_is_no_number_does_not_end_a_run(small, monkeypatch):
  config = small(evaluate__metrics='fid', evaluate__best='fid',
                 evaluate__count=8)
  one = scorer.Scorer(open_source(config), config, build(config))
  monkeypatch.setattr(scorer.evaluate, 'compute', lambda pair, metrics: (
      [score.Score('frechet', float('nan'), features='random_conv')],
      {**record, 'scores': {KEY: {'value': float('nan'), 'id': ''}}}))
  record = {'protocol': 'local', 'id': '', 'n_fake': 8, 'n_real': 8,
            'real': 'r', 'settings': {'follows': ''}, 'warnings': []}
  values, lines, found = one.measure(np.zeros((8, 16, 16, 3), np.uint8))
  json.dumps(found, allow_nan=False)
  assert np.isnan(values[KEY]) and 'no number' in lines


def test_a_dry_run_checks_them_too(small, tmp_path):
  with pytest.raises(ValueError, match="config.evaluate.metrics: no metric 'f"):
    dry_run.dry_run(small(evaluate__metrics='fidd'), str(tmp_path / 'a.png'))


def test_the_best_is_found_in_records_by_whatever_it_is_called(small):
  config = small(evaluate__metrics='fid,precision_recall',
                 evaluate__best='precision_recall')
  splits = open_source(config)
  one = scorer.Scorer(splits, config, build(config))
  assert not one.lower
  assert one.sought({'precision_random_conv': .3, KEY: 1.}) == .3
  assert np.isnan(one.sought({}))
  config = small(evaluate__best='swd')
  one = scorer.Scorer(splits, config, build(config))
  assert one.lower and one.sought({'swd_mean': 2., 'swd_16': 1.}) == 2.


def test_a_run_keeps_its_own_config(run):
  folder, config = run
  assert config_file.load_config(folder) == config
