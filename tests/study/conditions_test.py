"""Laws of what a page says of its numbers: how they were measured."""
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.study.analysis import Ended, Gathered
from msg_gan_jax.study.conditions import conditions
from msg_gan_jax.study.results import Result, Results

MADE = {'packages': {'jax': '0.10.2', 'numpy': '2.4'},
        'git': {'commit': '33fde10488fa', 'dirty': True},
        'devices': {'count': 1, 'kinds': ['cpu'], 'processes': 1}}


def said(*runs, metric='fid_ada', which=''):
  """(text, warnings) of runs, as {'versions': ..., settings that differ}."""
  usual = schema.flatten(schema.Config())
  ended = []
  for seed, run in enumerate(runs):
    settings = {k: v for k, v in run.items() if '.' in k}
    record = {'versions': MADE, 'data': '1ff7079b48', **{
        k: v for k, v in run.items() if '.' not in k}}
    ended.append(Ended({**usual, **settings}, seed, record, {}, 'fid', 'best'))
  sentences, warned = conditions(
      Gathered('x', ended, {}, [{}] * len(ended), []),
      Results([Result({}, 0, 1.)], metric), which)
  return ' '.join(sentences), warned


def test_protocol_samples_pictures_and_versions_are_told():
  text, warned = said({'evaluate.protocol': 'ada', 'evaluate.count': 0,
                       'data.name': 'cifar10'})
  assert text == (
      'fid_ada is measured by the protocol ada with features of '
      'inception:2048, 50,000 samples beside the training pictures; the best '
      'measurement of a run counts. Pictures: cifar10, 32 x 32, digest '
      '1ff7079b. Packages: jax 0.10.2, numpy 2.4. Code: commit 33fde104 with '
      'changes. Devices: cpu.')
  assert warned == []


def test_what_was_asked_for_counts():
  text, _ = said({'evaluate.features': 'classifier', 'evaluate.count': 2048},
                 which='last')
  assert ('the protocol local with features of classifier, 2,048 samples '
          'beside held-out pictures; the last measurement') in text


def test_a_protocol_and_a_folder_of_the_user_are_named():
  text, _ = said({'evaluate.protocol': 'mine', 'data.name': 'folder',
                  'data.path': '/data/of/faces/'})
  assert 'measured by the protocol mine; ' in text
  assert 'Pictures: folder (faces), 32 x 32' in text


def test_the_summary_of_a_run_has_no_protocol():
  text, _ = said({}, metric='swd_mean')
  assert text.startswith('swd_mean is measured with the summary of a run; ')


@pytest.mark.parametrize(('what', 'made', 'words'), [
    ('Packages', {'packages': {'jax': '0.11'}},
     'jax 0.10.2, numpy 2.4 (2 runs); jax 0.11 (1 run)'),
    ('Code', {'git': None},
     'commit 33fde104 with changes (2 runs); unknown (1 run)'),
    ('Devices', {'devices': {'count': 8, 'kinds': ['NVIDIA H200']}},
     'cpu (2 runs); 8 x NVIDIA H200 (1 run)')])
def test_versions_that_differ_are_told_and_warned_of(what, made, words):
  text, warned = said({}, {}, {'versions': {**MADE, **made}})
  assert f'{what}: {words}.' in text
  assert warned == [
      f'{what} were not the same for all runs: see how it was measured.']


def test_records_without_versions_say_nothing_of_them():
  text, warned = said({'versions': {}, 'data': ''})
  assert 'Packages' not in text and 'Devices' not in text and warned == []
