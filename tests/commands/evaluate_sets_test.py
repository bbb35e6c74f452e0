"""Laws of --mode=evaluate of two sets: whose definitions, and what is printed.
"""
import json

import jax.numpy as jnp
import numpy as np
import pytest

import msg_gan_jax
from msg_gan_jax.data.source import ArraySource
from msg_gan_jax.files import cache
from msg_gan_jax.metrics import evaluate, pair, protocols, table
from msg_gan_jax.metrics.features import published_weights
from msg_gan_jax.metrics.features import table as features_table

RNG = np.random.default_rng(0)
REAL = RNG.integers(0, 256, (40, 16, 16, 3), np.uint8)


@pytest.fixture
def sets(command, tmp_path, monkeypatch):
  """(*flags) -> what the command prints of two sets, on an empty machine.

  It has no network, and no weights.
  """
  np.savez(tmp_path / 'real.npz', images=REAL)
  np.savez(tmp_path / 'fake.npz', images=REAL[:30] // 2)
  monkeypatch.setattr(cache, 'default_folder', lambda: str(tmp_path / 'cache'))
  monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'torch'))
  for name, row in published_weights.WEIGHTS.items():
    monkeypatch.setitem(published_weights.WEIGHTS, name, row._replace(
        url=f'http://127.0.0.1:9/{row.name}'))
  return lambda *flags: command(
      '--mode=evaluate', '--real=real.npz', '--fake=fake.npz', *flags)


def open_few(request):
  """In place of Inception: the mean of each colour, and logits of it."""
  def apply(params, images):
    mean = images.astype(jnp.float32).mean((1, 2))
    return dict.fromkeys(request.taps, mean)

  return features_table.Extractor(
      'inception', 'few', {}, apply, dict.fromkeys(request.taps, 3), 64, {})


@pytest.mark.parametrize('metric', [
    x for x in protocols.OF_INCEPTION if x != 'intra_fid'])  # Of classes only.
def test_fid_without_its_network_is_an_error_that_helps(sets, metric, tmp_path):
  status, out, err = sets(f'--metrics={metric}')
  assert (status, out) == (1, '')
  row = published_weights.WEIGHTS['inception']
  error = err.partition('error: ')[2]
  for said in (
      '--weights_file: the Inception network of FID (91 MB) is needed, ',
      row.url, 'give --weights_file=FILE',
      f"put it into '{tmp_path}/cache/weights'", '--protocol=local',
      'an untrained network', 'is not FID'):
    assert said in error, (said, error)
  assert len(error) < 1000


@pytest.mark.parametrize('flags', [
    ('--metrics=fid,kid', '--protocol=local'),
    ('--metrics=fid,kid', '--features=random_conv')])
def test_what_works_without_it_has_a_true_name(sets, flags):
  status, out, err = sets(*flags)
  assert status == 0, err
  assert 'Fréchet distance of an untrained network [random_conv]' in out
  assert 'kernel distance of an untrained network [random_conv]' in out
  for untrue in 'FID', 'KID', 'held-out', 'held out':
    assert untrue not in out


def test_json_is_all_that_is_printed(sets):
  status, out, err = sets('--metrics=swd,is', '--features=pixels', '--json')
  assert (status, out) == (1, ''), err
  status, out, err = sets('--metrics=fid', '--protocol=local', '--json')
  assert status == 0, err
  record = json.loads(out, parse_constant=pytest.fail)
  assert list(record['scores']) == ['frechet_random_conv']
  assert (record['fake'], record['n_fake']) == ('fake.npz', 30)
  assert record['settings']['reals'] == record['settings']['weights'] == 'given'
  assert 'Fréchet distance of an untrained network' in err


@pytest.mark.parametrize('name, metrics, features, wanted', [
    ('', (), '', 'local'), ('', ('swd',), '', 'local'),
    ('', ('precision_recall', 'memorised'), '', 'local'),
    *(('', (name,), '', 'torch_fidelity') for name in protocols.OF_INCEPTION),
    ('', ('swd', 'fid'), '', 'torch_fidelity'),
    ('', ('fid',), 'classifier', 'local'), ('', ('fid',), 'pixels', 'local'),
    ('local', ('fid',), '', 'local'), ('clean', ('fid',), '', 'clean'),
    ('ada', (), '', 'ada')])
def test_a_word_has_the_meaning_that_it_has_elsewhere(
    name, metrics, features, wanted):
  assert protocols.choose(name, metrics, features) == wanted
  assert set(protocols.OF_INCEPTION) <= set(table.METRICS)


def test_fid_of_the_library_is_fid(monkeypatch, tmp_path):
  monkeypatch.setitem(
      features_table.FEATURES, 'inception',
      features_table.FEATURES['inception']._replace(open=open_few))

  def scored(*metrics, **more):
    record = msg_gan_jax.evaluate(
        REAL, REAL[:30] // 2, *metrics, cache_dir=tmp_path, **more)
    return record['protocol'], list(record['scores'])

  assert scored('fid') == ('torch_fidelity', ['fid_torch_fidelity'])
  assert scored(['kid', 'is']) == (
      'torch_fidelity', ['kid_torch_fidelity', 'is_torch_fidelity'])
  assert scored('fid', protocol='local', features='random_conv') == (
      'local', ['frechet_random_conv'])
  assert scored('fid', 'local') == ('local', ['frechet_random_conv'])
  assert scored('swd')[0] == 'local'


def test_one_metric_is_not_its_letters(tmp_path):
  sides = pair.Pair(ArraySource(REAL), ArraySource(REAL), pair.Options(
      protocols.PROTOCOLS['local'], 'local', cache_dir=str(tmp_path)))
  scores, _ = evaluate.compute(sides, 'fid')
  assert [x.name for x in scores] == ['frechet']
  assert len(evaluate.open_features(sides, 'fid,swd')) == 2
