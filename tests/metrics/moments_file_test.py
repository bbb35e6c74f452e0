"""Laws of files of mu and sigma: as good as the pictures, or refused."""
import dataclasses
import json

import numpy as np
import pytest

from msg_gan_jax.commands import score_runs
from msg_gan_jax.data.source import ArraySource
from msg_gan_jax.metrics import (
  evaluate,
  moments_file,
  pair,
  protocols,
  sets,
  table,
  text,
)
from msg_gan_jax.metrics.features import published_weights
from msg_gan_jax.metrics.features import table as features_table
from msg_gan_jax.metrics.functional import frechet

RNG = np.random.default_rng(0)
REAL = RNG.integers(0, 256, (40, 16, 16, 3), np.uint8)
FAKE = REAL[:30, ::-1] // 2
SPEC = 'pixels'


@pytest.fixture(autouse=True)
def few(monkeypatch):
  """48 numbers a picture: eigenvectors of more take longer than all else."""
  monkeypatch.setattr(features_table, '_PIXELS', 4)


def options(tmp_path, name='pytorch_fid', features=SPEC, **protocol):
  row = dataclasses.replace(protocols.PROTOCOLS[name], n_fake=0, **protocol)
  return pair.Options(row, name, features, cache_dir=str(tmp_path / 'cache'))


def fid(real, fake, how):
  (score,), record = evaluate.compute(pair.Pair(real, fake, how), ('fid',))
  return score.value, record


@pytest.fixture
def saved(tmp_path):
  """saved(pixels, name) -> the file that save_stats writes, as a source."""
  def save(pixels, name='a', how=None):
    path = score_runs.save_stats(ArraySource(pixels), how or options(tmp_path),
                                 str(tmp_path / f'{name}.npz'))
    return sets.open_set(path, name)
  return save


def of_arrays(tmp_path, **arrays):
  path = tmp_path / 'stats.npz'
  np.savez_compressed(path, **arrays)  # As pytorch-fid does it.
  return path


@pytest.mark.parametrize('ddof', [0, 1])
def test_a_file_gives_the_distance_of_the_pictures(ddof, saved, tmp_path):
  how = options(tmp_path, ddof=ddof)
  real, fake = ArraySource(REAL), ArraySource(FAKE)
  files = saved(REAL, 'a', how), saved(FAKE, 'b', how)
  wanted, about = fid(real, fake, how)
  for sides in (files[0], fake), (real, files[1]), files:
    found, record = fid(*sides, how)
    assert found == pytest.approx(wanted, rel=1e-9)
    assert (record['n_real'], record['n_fake']) == (40, 30)
    assert not any('does not tell' in x for x in record['warnings'])
  assert about['n_real'] == 40


def test_a_file_has_what_other_programs_read(saved, tmp_path):
  features = pair.Pair(ArraySource(REAL), ArraySource(FAKE), options(
      tmp_path)).real.features(SPEC).astype(np.float64)
  saved(REAL)
  with np.load(tmp_path / 'a.npz') as file:
    assert file['mu'].dtype == file['sigma'].dtype == np.float64
    np.testing.assert_allclose(file['mu'], features.mean(0), rtol=1e-12)
    np.testing.assert_allclose(
        file['sigma'], np.cov(features, rowvar=False), rtol=1e-9, atol=1e-12)
    assert json.loads(str(file['about']))['protocol'] == 'pytorch_fid'


def test_a_file_of_another_program_is_read_with_its_doubts(tmp_path):
  how = options(tmp_path)
  sides = pair.Pair(ArraySource(REAL), ArraySource(FAKE), how)
  known = sides.real.moments(SPEC)
  path = of_arrays(tmp_path, mu=known.mean, sigma=known.covariance())
  value, record = fid(sets.open_set(str(path)), ArraySource(FAKE), how)
  assert value == pytest.approx(fid(
      ArraySource(REAL), ArraySource(FAKE), how)[0], rel=1e-9)
  assert record['n_real'] is None
  said = '\n'.join(record['warnings'])
  assert 'real: stats.npz does not tell of how many pictures' in said
  assert 'by which protocol and weights it was made; pytorch_fid is' in said
  json.dumps(record, allow_nan=False)
  assert '30 samples against unknown of stats.npz' in text.sheet([], record)[0]


def test_two_files_need_no_weights(tmp_path, monkeypatch):
  monkeypatch.setattr(published_weights, 'find', lambda *args: 1 / 0)
  mu, sigma = np.zeros(64), np.eye(64)
  sides = []
  for shift in 0, 1:
    path = of_arrays(tmp_path, mu=mu + shift, sigma=sigma)
    sides.append(sets.open_set(str(path)))
  value, record = fid(*sides, options(
      tmp_path, features='inception:64'))
  assert value == pytest.approx(64)
  assert list(record['scores']) == ['frechet_inception_64_pytorch_fid']


def test_two_files_of_unlike_features_are_not_compared(saved, tmp_path):
  clean = options(tmp_path, 'clean', features='')
  ours = saved(REAL), saved(FAKE, 'b')
  for pair_of_files, how in (
      (ours, clean), (ours, options(tmp_path, features='random_conv')),
      ((ours[0], saved(FAKE, 'c', options(tmp_path, 'ada'))),
       options(tmp_path))):
    with pytest.raises(ValueError, match=(
        r'^(real|fake): .* was made with, such as protocol=\w+ with features='
        'pixels:values')):
      fid(*pair_of_files, how)
  assert fid(*ours, options(tmp_path))[0] > 0  # The advice works.
  ours[1].about['extractor']['weights'] = 'others'
  with pytest.raises(ValueError, match='whose weights is others'):
    fid(*ours, options(tmp_path))
  plain = sets.open_set(str(of_arrays(tmp_path, mu=MU, sigma=SIGMA)))
  with pytest.raises(ValueError, match='does not tell whether its 4 features'):
    fid(plain, plain, options(tmp_path))


@pytest.mark.parametrize('metric', [x for x in table.METRICS if x not in (
    'fid', 'fid_infinity')])
def test_what_needs_the_pictures_says_so(metric, saved, tmp_path):
  for sides in (saved(REAL), ArraySource(FAKE)), (
      ArraySource(REAL), saved(FAKE, 'b')):
    with pytest.raises(ValueError, match=(
        rf'^(real|fake): [ab]\.npz has mu and sigma alone, and {metric} needs '
        'the pictures; wanted metrics=fid')):
      evaluate.compute(pair.Pair(*sides, options(tmp_path)), (metric,))


def test_endless_samples_need_pictures_of_the_fakes_alone(saved, tmp_path):
  real, fake = ArraySource(REAL), ArraySource(FAKE)
  scores = [evaluate.compute(pair.Pair(x, fake, options(tmp_path)), (
      'fid_infinity',))[0][0].value for x in (real, saved(REAL))]
  assert scores[0] == pytest.approx(scores[1], rel=1e-9)
  with pytest.raises(ValueError, match='^fake: .* fid_infinity needs the pict'):
    evaluate.compute(pair.Pair(real, saved(FAKE, 'b'), options(tmp_path)),
                     ('fid_infinity',))


def test_what_the_protocol_measures_besides_is_left_out(saved, tmp_path):
  how = options(tmp_path, metrics=('fid', 'kid'))
  scores, record = evaluate.compute(
      pair.Pair(saved(REAL), ArraySource(FAKE), how))
  assert [x.name for x in scores] == ['frechet']
  assert any(x.startswith('kid is left out: real: ')
             for x in record['warnings'])


MU, SIGMA = np.zeros(4), np.eye(4)


@pytest.mark.parametrize('arrays, said', [
    (dict(mu=MU), 'has no sigma, only mu; wanted an .npz with mu'),
    (dict(sigma=SIGMA), 'has no mu, only sigma'),
    (dict(mu=MU, sigma=np.eye(3)), r'mu is float64 \[4\] and sigma .*\[3, 3\]'),
    (dict(mu=SIGMA, sigma=SIGMA), r'mu is float64 \[4, 4\]'),
    (dict(mu=MU.astype(int), sigma=SIGMA), 'mu is int64 .* in floats'),
    (dict(mu=MU * np.nan, sigma=SIGMA), 'mu has numbers that are not finite'),
    (dict(mu=MU, sigma=SIGMA * np.nan), 'sigma has numbers that are not fini'),
    (dict(mu=MU, sigma=np.triu(SIGMA + 1)), 'it is not symmetric, by 1'),
    (dict(mu=MU, sigma=-SIGMA), 'a variance of -1 is negative'),
    (dict(mu=np.array([None]), sigma=SIGMA), 'cannot be read: .*pickle'),
])
def test_a_file_that_cannot_be_is_refused(arrays, said, tmp_path):
  path = of_arrays(tmp_path, **arrays)
  with pytest.raises(ValueError, match=rf"^real: '.*stats\.npz'.* ?{said}"):
    sets.open_set(str(path))


def test_a_file_that_was_damaged_or_cut_off_is_refused(tmp_path):
  path = of_arrays(tmp_path, mu=MU, sigma=SIGMA)
  whole = path.read_bytes()
  path.write_bytes(whole[:len(whole) // 2])
  with pytest.raises(ValueError, match=r'^real: .*stats\.npz'):
    sets.open_set(str(path))
  at = whole.index(b'sigma.npy') + 30
  path.write_bytes(whole[:at] + bytes(9) + whole[at + 9:])
  with pytest.raises(ValueError, match=r'^real: .*stats\.npz.* damaged'):
    sets.open_set(str(path))


def test_features_of_another_kind_are_refused(saved, tmp_path):
  short = sets.open_set(str(of_arrays(tmp_path, mu=MU, sigma=SIGMA)))
  with pytest.raises(ValueError, match=(
      r'^fake: stats\.npz has the mean of 4 features, and pixels:values '
      'has [0-9,]+; wanted the protocol and the features that')):
    fid(ArraySource(REAL), short, options(tmp_path))
  real = saved(REAL)
  real.about['extractor']['weights'] = 'others'
  with pytest.raises(ValueError, match=(
      r'^real: a\.npz was made by protocol=pytorch_fid, whose weights is others'
      ', and here it is 4 x 4')):
    fid(real, ArraySource(FAKE), options(tmp_path))


def test_nothing_is_written_over(tmp_path):
  path = tmp_path / 'a.npz'
  path.write_bytes(b'a data set')
  with pytest.raises(ValueError, match='^save_stats: .* is there already'):
    moments_file.write(str(path), frechet.moments(np.eye(3)), {})
  assert path.read_bytes() == b'a data set'


def test_moments_are_not_saved_of_moments(saved, tmp_path):
  with pytest.raises(ValueError, match='save_stats needs the pictures'):
    score_runs.save_stats(saved(REAL), options(tmp_path),
                          str(tmp_path / 'b.npz'))
