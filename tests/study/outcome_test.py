"""Laws of what is recorded of a run."""
import json

import pytest

from msg_gan_jax.data.sources import open_source
from msg_gan_jax.gan.build import build
from msg_gan_jax.runs.read import read
from msg_gan_jax.runs.workdir import Workdir
from msg_gan_jax.study.outcome import outcome


@pytest.fixture
def of(small, tmp_path):
  """(pictures, settings) -> the record of a run that has measured itself."""
  def record(pictures, **settings):
    config = small(**settings)
    with Workdir(tmp_path) as folder:
      folder.start(config, digest='abc', pictures=pictures)
    (tmp_path / 'metrics.jsonl').write_text(json.dumps(
        {'images': 8, 'swd_mean': 2., 'clock': {'seconds': 1}}) + '\n')
    value, record = outcome(
        read(tmp_path), build(config), 'swd', 'best', True)
    assert value == 2
    return record
  return record


def test_values_are_beside_the_reals_of_their_protocol(of, small):
  splits = open_source(small())
  pictures = splits.about()
  assert pictures['held_out'] == {
      'count': 32, 'shape': [16, 16, 3], 'digest': splits.held_out.digest()}
  record = of(pictures)
  assert record['data'] == 'abc'
  assert record['reals'] == {'swd': pictures['held_out'],
                             'scores': pictures['held_out']}


def test_a_protocol_may_compare_with_what_was_trained_on(of, small):
  pictures = open_source(small()).about()
  record = of(pictures, evaluate__protocol='tf_legacy')
  assert record['reals'] == {'swd': pictures['held_out'],
                             'scores': pictures['train']}


def test_where_nothing_is_held_out_training_pictures_are_the_reals(of, small):
  pictures = open_source(small(data__held_out=0)).about()
  assert pictures.keys() == {'train'}
  assert of(pictures)['reals'] == dict.fromkeys(
      ('swd', 'scores'), pictures['train'])


def test_a_run_that_did_not_record_its_pictures_has_none(of):
  assert of(None)['reals'] == {}
