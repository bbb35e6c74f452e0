"""Laws of scores: their names, their protocols, and who may be compared."""
import dataclasses
import json
import math
import pathlib

import jax.numpy as jnp
import numpy as np
import pytest

import msg_gan_jax
from msg_gan_jax.data.source import ArraySource
from msg_gan_jax.metrics import (
  evaluate,
  pair,
  protocols,
  score,
  table,
  text,
)
from msg_gan_jax.metrics.features import table as features_table
from msg_gan_jax.metrics.functional import frechet

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
REAL = RNG.integers(0, 256, (60, 16, 16, 1), np.uint8)
# Coarser pictures, and darker ones: told from the reals by any features.
FAKE = np.repeat(np.repeat(REAL[:40, ::2, ::2], 2, 1), 2, 2) // 2
LABELS = np.arange(60) % 3


@pytest.fixture(autouse=True, scope='module')
def few():
  """16 numbers a picture: eigenvectors of more take longer than all else."""
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(features_table, '_PIXELS', 4)
    yield


def options(tmp_path, name='local', spec='pixels', **more):
  return pair.Options(protocols.PROTOCOLS[name], name, spec,
                      cache_dir=str(tmp_path), say=lambda line: None, **more)


def of(real, fake, metrics, tmp_path, **more):
  return evaluate.compute(pair.Pair(
      ArraySource(real, LABELS[:len(real)]),
      ArraySource(fake, LABELS[:len(fake)]), options(tmp_path, **more)),
                        metrics)


@pytest.fixture(scope='module')
def measured(tmp_path_factory):
  """Scores and record by pixels, of all that needs no classifier."""
  return of(REAL, FAKE, (
      'fid', 'fid_infinity', 'kid', 'precision_recall', 'density_coverage',
      'ms_ssim', 'ms_ssim_within', 'swd', 'intra_fid', 'memorised'),
      tmp_path_factory.mktemp('cache'))


def test_every_score_is_a_number_with_its_reference(measured):
  scores, record = measured
  json.dumps(record, allow_nan=False)
  for x in scores:
    assert math.isfinite(x.value), x
    assert x.error is None or 0 <= x.error < math.inf
  by_name = {x.name: x for x in scores}
  for name in 'frechet', 'kid', 'precision', 'coverage', 'ms_ssim', 'swd_mean':
    assert by_name[name].reals is not None
  for name, times in ('kid', 2), ('swd_mean', 1.5):
    assert by_name[name].value > times * abs(by_name[name].reals), name


def test_the_distance_is_that_of_the_features(measured, tmp_path):
  scores, _ = measured
  sides = pair.Pair(ArraySource(REAL), ArraySource(FAKE), options(tmp_path))
  wanted = frechet.frechet(*(frechet.moments(side.features('pixels'))
                             for side in (sides.real, sides.fake)))
  assert scores[0].value == pytest.approx(wanted.value, rel=1e-9)


def test_a_set_and_itself_have_no_distance(tmp_path):
  scores, _ = of(REAL, REAL, ('fid', 'precision_recall', 'density_coverage'),
                 tmp_path)
  values = {x.name: x.value for x in scores}
  assert abs(values['frechet']) < 1e-6
  assert values['precision'] == values['recall'] == values['coverage'] == 1


def test_constant_pictures_have_scores(tmp_path):
  same = np.repeat(REAL[:1], 40, 0)
  scores, _ = of(REAL, same, (
      'fid', 'kid', 'precision_recall', 'density_coverage', 'ms_ssim', 'swd'),
      tmp_path)
  assert all(math.isfinite(x.value) for x in scores)
  values = {x.name: x.value for x in scores}
  assert values['ms_ssim'] == pytest.approx(1, abs=1e-6)
  assert values['recall'] < .1
  said = [line for x in scores for line in x.warnings]
  assert any('fake: all 40 rows are equal' in line for line in said), said


def test_one_picture_is_refused(tmp_path):
  with pytest.raises(ValueError, match='fake: 1 picture in array; wanted'):
    of(REAL, FAKE[:1], ('fid',), tmp_path)


def test_two_sizes_are_refused(tmp_path):
  with pytest.raises(ValueError, match=(
      r'fake: pictures of array are 8 x 16 with 1 channels, those of array '
      '16 x 16 with 1 channels; wanted one size, to which one of them is')):
    of(REAL, FAKE[:, :, :8], ('fid',), tmp_path)


@pytest.mark.parametrize('metrics, said', [
    (('fidd',), "^metrics: no metric 'fidd'; did you mean 'fid'"),
    (('is',), "^metrics: 'is' needs the classes .* features=classifier"),
    (('ppl',), '^metrics: ppl walks through latents, and pictures alone have'),
    (('polygons',), 'array has none; wanted pictures of the source polygons'),
    (('factors',), 'of the pictures of array no factors are known'),
])
def test_what_a_set_does_not_have_is_refused(metrics, said, tmp_path):
  with pytest.raises(ValueError, match=said):
    of(REAL, FAKE, metrics, tmp_path)


@pytest.mark.parametrize('metric', ['intra_fid', 'class_accuracy'])
def test_classes_are_compared_only_where_there_are_some(metric, tmp_path):
  with pytest.raises(ValueError, match=(
      f'{metric} compares classes, and the|array has no classes to learn')):
    evaluate.compute(pair.Pair(ArraySource(REAL), ArraySource(FAKE),
                             options(tmp_path)), (metric,))


@pytest.mark.parametrize('name, given, spec, wanted', [
    ('pytorch_fid', '', 'inception:2048', 'fid_pytorch_fid'),
    ('ada', '', 'vgg16:fc2', 'fid_ada'),
    ('ada', 'inception:768', 'inception:768', 'fid_inception_768_ada'),
    ('ada', '', 'lpips', 'fid_ada'),
    ('clean', 'classifier', 'classifier', 'fid_classifier_clean'),
    ('local', '', 'random_conv', 'fid_random_conv'),
    ('local', 'classifier', 'classifier', 'fid_classifier'),
    ('landscape', '', '', 'fid_landscape'), ('local', '', '', 'fid_local'),
])
def test_the_name_of_a_score_has_its_protocol(
    name, given, spec, wanted, tmp_path):
  fid = score.Score('fid', 1., features=spec)
  assert evaluate.key(fid, options(tmp_path, name, given)) == wanted


def test_another_number_of_fakes_is_in_the_name(tmp_path):
  few = options(tmp_path, 'ada', '')
  for count, wanted in (0, 'fid_ada'), (50_000, 'fid_ada'), (99, 'fid_99_ada'):
    protocol = dataclasses.replace(few.protocol, n_fake=count)
    assert evaluate.key(score.Score('fid', 1., features='inception'),
                      few._replace(protocol=protocol)) == wanted


@pytest.mark.parametrize('key, name', [
    ('fid_ada', 'fid'), ('fid_infinity_random_conv', 'fid_infinity'),
    ('ms_ssim_within_local', 'ms_ssim_within'), ('ms_ssim_local', 'ms_ssim'),
    ('frechet_random_conv', 'frechet'), ('d_loss', ''), ('fidelity', '')])
def test_a_key_is_of_one_name(key, name):
  assert table.score_of_key(key) == name


@pytest.mark.parametrize('name', [
    'fid', 'kid', 'swd', 'precision_recall', 'density_coverage'])
def test_a_row_says_which_way_is_better(name, tmp_path):
  same, worse = (of(REAL, fakes, (name,), tmp_path)[0][0].value
                 for fakes in (REAL, FAKE))
  assert (worse > same) == table.METRICS[name].lower_is_better


def test_a_row_cannot_leave_its_direction_out():
  with pytest.raises(TypeError, match='lower_is_better'):
    table.Metric(lambda pair: (), lambda pair: [], 'colour')


def test_scores_have_the_titles_of_their_rows():
  for name, metric in table.METRICS.items():
    assert table.title_of(name) == metric.title
  assert table.title_of('frechet') == 'Fréchet distance'
  for name, spec, title in (
      ('fid', 'inception:2048', 'FID'), ('kid', 'inception', 'KID'),
      ('kid', 'random_conv', 'kernel distance of an untrained network'),
      ('frechet', 'random_conv', 'Fréchet distance of an untrained network'),
      ('frechet', 'inception:768', 'Fréchet distance of Inception'),
      ('intra_frechet', 'pixels', 'Fréchet distance of pixels within a class'),
      ('frechet_infinity', 'dinov2:cls',
       'Fréchet distance of DINOv2 for endless samples'),
      ('precision', 'random_conv', 'precision')):
    assert table.title_of(name, spec) == title
  assert table.title_of('swd_32') == 'swd 32'


def test_no_two_protocols_are_the_same():
  digests = {p.digest() for p in protocols.PROTOCOLS.values()}
  # torch_fidelity's FID is TTUR's, and so on; but not all that they fix.
  assert len(digests) == len(protocols.PROTOCOLS)


def test_an_id_is_of_all_that_moves_a_number_and_of_nothing_else():
  ada = protocols.PROTOCOLS['ada']
  for field, value in (('ddof', 1), ('resize', 'half_pixel'), ('n_fake', 5),
                       ('weights', 'raw'), ('scale', 'torch')):
    assert dataclasses.replace(ada, **{field: value}).digest() != ada.digest()
  assert dataclasses.replace(ada, metrics=('kid',)).digest() == ada.digest()
  assert ada.digest('a') != ada.digest('b')


def test_an_id_is_the_same_whatever_else_is_asked_for(tmp_path):
  ids = [of(REAL, FAKE, metrics, tmp_path)[1]['scores']['kid_pixels']['id']
         for metrics in (('kid',), ('fid', 'kid', 'swd'))]
  assert ids[0] == ids[1]
  for other in dict(psi=.5), dict(cutoff=2), dict(spec='random_conv'):
    record = of(REAL, FAKE, ('kid',), tmp_path, **other)[1]
    assert {x['id'] for x in record['scores'].values()} != {ids[0]}
  assert of(REAL[:50], FAKE, ('kid',), tmp_path)[1]['scores']['kid_pixels'][
      'id'] != ids[0]


def test_of_sorted_pictures_every_class_is_seen(tmp_path):
  values = np.repeat(np.arange(10, dtype=np.uint8), 30)
  source = ArraySource(np.broadcast_to(
      values[:, None, None, None], (300, 8, 8, 1)).copy(), values)
  sides = pair.Pair(source, source, options(tmp_path))
  seen = sides.real.images(100)[:, 0, 0, 0]
  assert set(seen) == set(range(10))
  np.testing.assert_array_equal(sides.real.labels(100), seen)
  assert len(sides.real.images()) == 300


def test_classes_of_other_names_are_not_compared(tmp_path):
  real, fake = (ArraySource(REAL, LABELS, classes)
                for classes in ('abc', 'cba'))
  with pytest.raises(ValueError, match='compares classes, and they differ'):
    evaluate.compute(pair.Pair(real, fake, options(tmp_path)), ('intra_fid',))


def test_what_a_small_set_does_not_have_is_left_out_unless_asked_for(tmp_path):
  small = REAL[:, :6, :6]
  scores, record = of(small, small[:20], (), tmp_path)
  assert {'frechet', 'kid', 'precision'} <= {x.name for x in scores}
  assert any(line.startswith('swd is left out: ')
             for line in record['warnings'])
  assert any('swd is left out' in line for line in text.sheet(scores, record))
  with pytest.raises(ValueError, match='pixels a side'):
    of(small, small[:20], ('swd',), tmp_path)


def test_another_count_than_the_protocols_is_a_warning(tmp_path):
  few_fakes = options(tmp_path, 'landscape', 'pixels')
  few_fakes = few_fakes._replace(
      protocol=dataclasses.replace(few_fakes.protocol, n_fake=40))
  _, record = evaluate.compute(
      pair.Pair(ArraySource(REAL), ArraySource(FAKE), few_fakes), ('fid',))
  assert record['warnings'] == [
      'landscape has 10,000 reals, and here are 60: the numbers are not those '
      'of its papers.', 'landscape has 10,000 fakes, and here are 40: the '
      'numbers are not those of its papers.']
  assert list(record['scores']) == ['frechet_40_pixels_landscape']


def test_numbers_of_unlike_protocols_are_in_tables_of_their_own(
    measured, tmp_path):
  scores, record = measured
  few, other = of(REAL[:50], FAKE, ('fid',), tmp_path)
  first = {**record, 'scores': {
      k: v for k, v in record['scores'].items() if k == 'frechet_pixels'}}
  lines = text.rows([('a', scores[:1], first), ('b', few, other),
                     ('c', scores[:1], first)])
  tables = [i for i, line in enumerate(lines) if line.startswith('local [')]
  assert len(tables) == 2
  head = lines[tables[0] + 1].split(), lines[tables[1] + 1].split()
  assert head == (['a', 'c', 'reals'], ['b', 'reals'])


def test_the_two_error_bars_stand_apart(measured):
  scores, record = measured
  distance = scores[0]
  several = [(str(i), [distance._replace(value=10. + i)], record)
             for i in range(3)]
  table_of_runs = '\n'.join(text.rows(several, seeds=True))
  assert 'mean of 3 runs' in table_of_runs
  assert '11.00 ± 1.0000' in table_of_runs
  assert 'of the mean, the standard deviation' in table_of_runs
  assert 'mean of' not in '\n'.join(text.rows(several))


def test_a_sheet_has_a_line_for_each_score_and_each_doubt(measured):
  scores, record = measured
  lines = text.sheet(scores, record)
  assert lines[0].startswith(f'local [{record["id"]}]: 40 samples against 60 ')
  assert sum(
      'Fréchet distance of pixels [pixels]' in line for line in lines) == 1
  assert any(line.startswith('warning: ') and '40' in line for line in lines)


def test_an_error_that_is_no_number_is_not_shown(measured):
  scores, record = measured
  for wrong in math.nan, math.inf:
    one = [scores[0]._replace(error=wrong, reals=None, warnings=())]
    entry = {k: v for k, v in record['scores'].items() if k == next(iter(
        record['scores']))}
    line, = (x for x in text.sheet(one, record) if '[pixels]' in x)
    rows = text.rows([('a', one, {**record, 'scores': entry})] * 2)
    assert not any('±' in x or 'no number' in x for x in (line, *rows[:3]))
    assert evaluate._entry(one[0])['error_of_samples'] is None


def test_records_are_json_even_of_what_is_no_number(measured, tmp_path):
  _, record = measured
  bad = {**record, 'scores': {'fid': {'value': math.nan}}}
  for r in record, bad:
    path = text.append(str(tmp_path), 'here', r)
  lines = pathlib.Path(path).read_text().splitlines()
  assert len(lines) == 2
  record_read = json.loads(lines[1], parse_constant=pytest.fail)
  assert record_read['scores']['fid']['value'] is None
  assert record_read['label'] == 'here'


def test_other_fakes_are_compared_with_what_is_known_of_the_reals(tmp_path):
  sides = pair.Pair(ArraySource(REAL), ArraySource(FAKE), options(tmp_path))
  first, _ = evaluate.compute(sides, ('fid',))
  other = sides.with_fake(ArraySource(REAL[20:]))
  second, _ = evaluate.compute(other, ('fid',))
  alone, _ = evaluate.compute(pair.Pair(
      ArraySource(REAL), ArraySource(REAL[20:]), options(tmp_path)), ('fid',))
  assert second == alone and second != first
  assert other.real.moments('pixels') is sides.real.moments('pixels')


def test_the_library_scores_arrays_and_folders(tmp_path):
  np.savez(tmp_path / 'fake.npz', images=FAKE)
  more = dict(features='pixels', cache_dir=str(tmp_path / 'cache'))
  record = msg_gan_jax.evaluate(REAL, FAKE, ('fid',), **more)
  path = tmp_path / 'fake.npz'
  for fake in str(path), path, jnp.array(FAKE):
    again = msg_gan_jax.evaluate(ArraySource(REAL), fake, 'fid', **more)
    assert record['scores']['frechet_pixels']['value'] == (
        again['scores']['frechet_pixels']['value'])
  assert record['n_fake'] == 40 and record['protocol'] == 'local'
  with pytest.raises(ValueError, match="^protocol: no protocol 'adaa'"):
    msg_gan_jax.evaluate(REAL, FAKE, protocol='adaa')
