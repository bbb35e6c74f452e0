"""A short form of the trial: every fault, what is done, and its repetition."""
import json
import shutil

import chex
import jax
import pytest

from endurance import divergence as trial
from msg_gan_jax.runs import rollbacks
from msg_gan_jax.runs.checkpoints import Checkpoints
from msg_gan_jax.training import failed_step
from msg_gan_jax.training.run import Run

pytestmark = pytest.mark.slow


@pytest.fixture(scope='module', autouse=True)
def faults():
  with trial.faults():
    yield


def case(fault, policy='stop', at=6, **more):
  return trial.Case(**dict(
      dict(family='points', fault=fault, policy=policy, at=at, picture=-1,
           infinite=False, first_cause=True), **more))


def test_each_fault_is_found_named_and_repeated(tmp_path):
  wrong = {}
  for i, fault in enumerate(x for x in trial.FAULTS if x != 'statistics'):
    bad = trial.wrong(case(fault, infinite=i % 2), tmp_path / fault, len)
    if bad:
      wrong[fault] = bad
  assert not wrong


def test_a_step_inside_of_a_call_of_several_is_named(tmp_path):
  assert not trial.wrong(case(
      'optimizer', at=7, family='points, several steps a call',
      first_cause=False), tmp_path / 'run', len)
  told = json.loads((tmp_path / 'run' / failed_step.FILE).read_text())
  assert told['step'] is None
  assert not trial.wrong(case(
      'optimizer', at=7, family='points, several steps a call'),
      tmp_path / 'looked', len)
  told = json.loads((tmp_path / 'looked' / failed_step.FILE).read_text())
  assert told['calls'][-1] == [2, 2] and told['step']['images'] == 64


def test_a_run_goes_back_until_it_gets_by_or_has_tried_often_enough(tmp_path):
  wrong = {}
  for name, tried in (
      ('loss', case('loss', 'rollback')),
      ('at first', case('average', 'rollback', 1)),  # No checkpoint is there.
      ('picture', case('picture', 'rollback'))):
    if bad := trial.wrong(tried, tmp_path / name, len):
      wrong[name] = bad
  assert not wrong


def state(run, config):
  like = jax.eval_shape(trial.gan_of(config).init, jax.random.key(0))
  return Checkpoints(run / 'checkpoints', read_only=True).restore(
      {'state': like}, partial=True)


def test_killed_after_going_back_it_ends_as_one_that_was_not(
    tmp_path, monkeypatch):
  trial.CASE.now = case('loss', 'rollback')
  config = trial.config_of(trial.CASE.now)
  assert trial.train(config, tmp_path / 'unbroken', len) == 0
  right, begun = Run.train, []

  def killed(self, stop):
    begun.append(self.images)
    if len(begun) in (2, 4):
      raise KeyboardInterrupt
    return right(self, stop)

  monkeypatch.setattr(Run, 'train', killed)
  run = tmp_path / 'run'
  for _ in range(2):
    with pytest.raises(KeyboardInterrupt):
      trial.train(config, run, len)
  assert len(rollbacks.read(run)) == 2
  assert trial.train(config, run, len) == 0
  assert begun == [0, 32, 32, 32, 32]
  chex.assert_trees_all_equal(
      state(run, config), state(tmp_path / 'unbroken', config))
  assert rollbacks.read(run) == rollbacks.read(tmp_path / 'unbroken')
  lines = [json.loads(x)['changed'] for x in (
      run / 'changes.jsonl').read_text().splitlines()]
  assert [x[0][:10] for x in lines] == ['rollback 1', 'rollback 2']


def test_the_command_says_what_came_of_it(tmp_path, command):
  trial.CASE.now = case('gradient')
  run = tmp_path / 'run'
  assert not trial.wrong(trial.CASE.now, run, len)
  ask = '--mode=failed_step', f'--workdir={run}'
  status, out, err = command(*ask)
  assert (status, err) == (0, '') and out.endswith('it is reproduced\n')
  assert "D's gradient of" in out and 'from 48 to 56 images' in out
  # Without the arrays it goes all the way from the checkpoint.
  (run / failed_step.ARRAYS).rename(run / 'aside.npz')
  status, out, _ = command(*ask)
  assert status == 0 and 'all bits are the same as then' in out
  told = json.loads((run / failed_step.FILE).read_text())

  def write(**changes):
    (run / failed_step.FILE).write_text(json.dumps({**told, **changes}))

  write(step={**told['step'], 'cause': {**told['step']['cause'], 'leaf': 'x'}})
  status, out, _ = command(*ask)
  assert status == 1 and 'by another cause than then' in out
  write(calls=told['calls'][:0] + [[1, 1]], found_at_images=40)
  status, out, _ = command(*ask)
  assert status == 1 and out.endswith('numbers are finite\n')
  (run / 'aside.npz').rename(run / failed_step.ARRAYS)
  write(step={**told['step'], 'fingerprint': '0'})
  for break_it, text in (
      (lambda: None, 'its bits are not those that failed_step.json speaks of'),
      (lambda: (run / failed_step.ARRAYS).write_bytes(b'PK'), 'damaged'),
      (lambda: (run / failed_step.ARRAYS).unlink()
       or shutil.rmtree(run / 'checkpoints'), 'of 32 images is gone, and'),
      (lambda: write(key='a'), r'failed_step.json: damaged'),
      (lambda: write(step={'fingerprint': '', 'cause': {}}), 'json: damaged'),
      ((run / failed_step.FILE).unlink, 'it has no failed_step.json')):
    break_it()
    status, _, err = command(*ask)
    assert status == 1 and text in err, err
