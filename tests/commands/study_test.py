"""Laws of --mode=study: one command does a study, alone or beside others."""
import json
import os
import pathlib
import re
import subprocess
import sys

from helpers import ROOT
import pytest
from study_files import FILE

from msg_gan_jax.commands import experiments, study
from msg_gan_jax.gan.objectives.losses import LOSSES
from msg_gan_jax.study import jobs, storage, stored
from msg_gan_jax.study.worker import RUNS


@pytest.fixture
def mine(tmp_path):
  """(*(old, new)) -> 'mine.py', with other words in it."""
  def write(*changes):
    text = FILE
    for old, new in changes:
      assert old in text
      text = text.replace(old, new)
    (tmp_path / 'mine.py').write_text(text)
    return '--config=mine.py'
  return write


def trained(folder):
  """{folder of a run: the bytes of its records}."""
  return {path.parent.name: path.read_bytes()
          for path in pathlib.Path(folder, RUNS).glob('*/metrics.jsonl')}


def values(folder):
  """{digest: what came of it, without what depends on the clock}."""
  return {
      trial.work.digest: (
          trial.state, trial.value, trial.record['scores'], [
              {k: v for k, v in json.loads(line).items() if k != 'clock'}
              for line in trained(folder)[trial.work.digest].splitlines()])
      for trial in stored.read_stored(folder).trials}


@pytest.mark.parametrize('name', ['landscape_small', 'equal_gans'])
def test_studies_are_found_as_experiments_are(name, tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  paths = experiments.shipped(experiments.STUDIES)
  for words in name, f'experiments/studies/{name}.py':
    assert experiments.find(words) == paths[name]
  assert name not in experiments.shipped()


def test_the_nearest_names_are_those_of_studies(command):
  status, _, err = command('--mode=study', '--config=landscpe_small')
  assert status == 1 and "no study 'landscpe_small'" in err
  assert "did you mean 'landscape_small'" in err
  assert 'quickstart' not in err


@pytest.mark.parametrize('changes, argv, text', [
    ([("of='optimizer.beta1'", "of='optimizer.beta'")], [],
     r"mine\.py, line \d+: ValueError: study\.axes: 'beta1': no setting"),
    ([("'rate': choices(1e-4, 1e-3, of=RATES)",
       "'loss': choices('hing', of='objective.loss')")], [],
     r"study\.axes: {'loss': 'hing'.*no loss 'hing'; did you mean 'hinge'"),
    ([('choices(1e-4, 1e-3, of=RATES)', 'choices(of=RATES)')], [],
     r"line \d+: ValueError: study\.axes: 'rate' has no value"),
    ([("'beta1': choices(0., .5, of='optimizer.beta1')",
       "'n': choices(1., of='objective.path_decay')")],
     [], r'mine\.py, line \d+: ValueError'),
    ([("'beta1': choices(0., .5, of='optimizer.beta1')",
       "'parts': choices(3, of='train.accumulate')")], [],
     r'study\.axes: no point is left, .*\n.*accumulate'),
    ([('def get_study', 'def get_studies')], [],
     r'mine\.py has no get_study\(\): it is an experiment, and no study'),
    ([('return Study(', 'Study(')], [], r'found None; does it end with'),
    ([], ['--jobs=0'], r'--jobs=0: .*positive'),
    ([], ['--time_a_trial'], r'--time_a_trial: means nothing without --dry_ru'),
    ([], ['--workdir=run'], r'--workdir=run: an ordinary run; wanted a new'),
    ([], ['--storage=postgresql://no_driver@localhost:1/x'],
     r'--storage=?\S* ?\S*postgresql://no_driver@localhost:1/x: '),
    ([], ['--config.train.btch=8'], r"did you mean 'train\.batch'"),
])
def test_each_mistake_has_its_text(command, mine, tmp_path, monkeypatch,
                                   changes, argv, text):
  monkeypatch.setattr(storage, 'AT_START', 0.)  # Or a server is waited for.
  (tmp_path / 'run').mkdir()
  (tmp_path / 'run' / 'config.json').write_text('{}')
  status, out, err = command('--mode=study', mine(*changes), *argv)
  assert (status, out) == (1, '') and err.startswith('error: ')
  assert re.search(text, err), err
  assert 'Traceback' not in err
  assert not (tmp_path / 'runs').exists()  # Nothing wrong is stored.


def test_a_study_needs_a_name_or_a_folder(command):
  status, _, err = command('--mode=study')
  assert status == 1 and '--config: which study?' in err
  status, _, err = command('--mode=study', '--workdir=nowhere')
  assert status == 1 and '--config: which study?' in err


def test_another_study_of_that_name_is_refused(command, mine, monkeypatch):
  monkeypatch.setattr(study, '_at_work', lambda *unused: 0)
  assert command('--mode=study', mine(), '--workdir=s') == (0, '', '')
  status, _, err = command(
      '--mode=study', mine(), '--workdir=s', '--config.train.batch=16')
  assert status == 1 and "another study 'mine' is there" in err
  assert 'config.train.batch is 8, and here 16' in err


def test_rows_of_a_studys_own_file_are_asked_for(command, mine, monkeypatch):
  monkeypatch.setattr(study, '_at_work', lambda *unused: 0)
  own = mine(
      ('from msg_gan_jax import template\n',
       'from msg_gan_jax import LOSSES, template\n'
       "LOSSES['own'] = LOSSES['hinge']\n"),
      ("'beta1': choices(0., .5", "'loss': choices('own', 'hinge'"),
      ('optimizer.beta1', 'objective.loss'))
  assert command('--mode=study', own, '--workdir=s') == (0, '', '')
  monkeypatch.delitem(LOSSES, 'own')
  status, _, err = command('--mode=study', '--workdir=s')
  assert status == 1 and "'own'" in err and '--config=FILE' in err
  assert command('--mode=study', own, '--workdir=s') == (0, '', '')


def test_a_dry_run_says_what_a_study_would_be(command, mine):
  status, out, err = command(
      '--mode=study', mine(("'beta1': choices(0., .5", "'n': choices(1, 2, 3"),
                           ('optimizer.beta1', 'train.accumulate')),
      '--dry_run', '--workdir=s', '--storage=sqlite:///new.db')
  assert (status, err) == (0, '')
  assert out.startswith('study mine: 4 trials, 4 points x 1 seed\n')
  assert 'axes: rate (2 values), n (3 values)' in out
  assert 'dropped: 2 points' in out and '2 such as rate 0.0001, n 3: ' in out
  assert 'programs: 2 are compiled' in out and 'disk: ' in out
  assert not os.path.exists('s') and not os.path.exists('new.db')


def test_a_dry_run_of_a_sampler_says_what_is_not_known(command):
  status, out, _ = command('--mode=study', '--config=landscape_bandit',
                           '--dry_run')
  assert status == 0
  assert out.startswith('study landscape_bandit: 240 trials, 240 points x 1 ')
  assert 'those after the first 20 trials are chosen by what' in out


@pytest.mark.slow
def test_a_study_grows_and_what_was_trained_stays(command, mine):
  status, out, err = command('--mode=study', mine(), '--workdir=s')
  assert (status, err) == (0, '')
  assert re.search(r'^4 of 4: rate 0\.001, beta1 0\.5, seed 0: swd_m', out,
                   re.M)
  assert re.search(r'^the study itself took [\d.]+ s of \d+ s$', out, re.M)
  before = trained('s')
  assert len(before) == 4
  status, out, _ = command('--mode=study', mine(("seeds='1'", "seeds='2'")),
                           '--workdir=s')
  assert status == 0 and '8 of 8: ' in out and out.count('seed 0') == 0
  after = trained('s')
  assert len(after) == 8 and after.items() > before.items()
  # And with nothing but its folder there is nothing left to do.
  status, out, err = command('--mode=study', '--workdir=s')
  assert (status, err) == (0, '') and out.count('\n') == 1
  status, out, _ = command('--mode=study', '--workdir=s', '--dry_run')
  assert status == 0 and 'so far: 8 done' in out


@pytest.mark.slow
def test_two_workers_give_the_bits_of_one(mine, tmp_path):
  mine()

  def work(*argv):
    with jobs._on([*os.sched_getaffinity(0)][:1]):
      done = subprocess.run(
          [sys.executable, ROOT / 'launch.py', '--mode=study',
           '--config=mine.py', *argv], cwd=tmp_path, capture_output=True,
          text=True, timeout=1800, env={**os.environ, 'PYTHONPATH': str(ROOT)})
    assert not done.returncode, done.stdout + done.stderr
    return done.stdout
  work('--workdir=one')
  out = work('--workdir=two', '--jobs=2')
  assert '4 of 4: ' in out and out.count('the study itself took') == 2
  assert values(tmp_path / 'one') == values(tmp_path / 'two')
  assert len({value for _, value, *_ in values(tmp_path / 'one').values()}) > 1
