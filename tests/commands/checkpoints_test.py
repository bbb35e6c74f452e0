"""--mode=checkpoints, and runs that begin at a checkpoint of another one."""
import json
import os
import shutil

import all_experiments
from endurance import tiny_run
import pytest

from msg_gan_jax.runs import inventory, load, rollbacks
from msg_gan_jax.runs.rollbacks import Rollback
from msg_gan_jax.runs.workdir import Workdir
from msg_gan_jax.training import loop

pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def made(small, tmp_path_factory):
  """A run of 64 images with checkpoints at 32 and 64; the best has 32."""
  path = tmp_path_factory.mktemp('runs')
  config = small(
      'dcgan', networks__fmap_max=4, train__total_images=64,
      train__checkpoint_every_images=16, train__keep_checkpoints=1,
      train__keep_every_images=32, train__measure_every_images=32,
      train__sample_every_images=32, train__log_every_images=24,
      evaluate__best='swd')
  with all_experiments.compiled_once(config):
    loop.train(config, path / 'a', lambda line: None)
  return path


@pytest.fixture
def runs(made, tmp_path):
  """A copy of it, in the folder of the test."""
  return shutil.copytree(made, tmp_path, dirs_exist_ok=True)


def harm(run, step):
  data = max((run / 'checkpoints' / step).rglob('d/*'), key=os.path.getsize)
  bits = bytearray(data.read_bytes())
  bits[len(bits) // 2] ^= 1
  data.write_bytes(bits)


def test_the_list_says_what_each_is_and_whether_it_is_whole(runs, command):
  best, = (runs / 'a' / 'best').iterdir()
  status, out, err = command('--mode=checkpoints', '--workdir=a', '--verify')
  assert (status, err) == (0, '')
  lines = [line.split() for line in out.splitlines()]
  kinds = {(int(x[1]), x[0]) for x in lines[1:-1]}
  assert kinds == {(32, 'milestone'), (64, 'latest'), (int(best.name), 'best')}
  assert all(x[-1] == 'whole' for x in lines[1:-1])
  assert [x[6] for x in lines if 'best' in x] == ['swd']
  harm(runs / 'a', '64')
  status, out, err = command('--mode=checkpoints', '--workdir=a', '--verify')
  assert status == 1 and err == 'warning: 1 of them damaged\n'
  bad, = (line for line in out.splitlines() if 'latest' in line)
  assert 'whole' not in bad


def test_what_is_not_kept_goes_but_never_the_last_good_one(runs, command):
  argv = '--mode=checkpoints', '--workdir=a', '--keep=1'
  status, out, _ = command(*argv, '--dry_run')
  assert status == 0 and out.startswith('would go: ') and out.count('\n') == 2
  with Workdir(runs / 'a'):
    status, _, err = command(*argv)
    assert status == 1 and 'in use by process' in err
  assert len(inventory.entries(runs / 'a')) == 3
  shutil.copytree(runs / 'a', runs / 'b')
  harm(runs / 'b', '64')
  status, _, err = command(
      '--mode=checkpoints', '--workdir=b', '--keep=1', '--drop_best')
  assert status == 1 and err.startswith(
      'error: --keep: none of the checkpoints that would stay is whole')
  (runs / 'a' / 'checkpoints' / 'damaged').mkdir()
  (runs / 'a' / 'checkpoints' / '64').rename(
      runs / 'a' / 'checkpoints' / 'damaged' / '64-20260101-000000-0')
  status, out, _ = command(*argv[:2], '--drop_best', '--drop_aside')
  assert status == 0 and out.count('deleted: ') == 2
  assert [(x.images, x.kind) for x in inventory.entries(runs / 'a')] == [
      (32, 'latest')]
  assert sorted(x.name for x in (runs / 'a' / 'checkpoints').iterdir()) == [
      '32', 'damaged']


def test_a_copy_and_a_branch_go_on_as_the_run_did(runs, command):
  rolled = Rollback(48, 32, .5), Rollback(64, 48, .5)
  rollbacks.write(runs / 'a', rolled)
  status, out, _ = command('--mode=checkpoints', '--workdir=a', '--copy_to=c',
                           '--checkpoints=best')
  assert rollbacks.read(runs / 'c') == rolled[:1]
  (runs / 'a' / rollbacks.FILE).unlink()
  assert status == 0 and out.startswith('c: verified copy of ')
  assert load.load('c').images == load.load('a', 'best').images
  again = command('--mode=checkpoints', '--workdir=a', '--copy_to=c')
  assert again[0] == 1 and '--copy_to c: there is something already' in again[2]
  branch = '--workdir=b', '--init_from=a', '--from_images=32'
  status, _, err = command(*branch, '--config.train.batch=4')
  assert status == 1 and 'config.train.batch: 8 -> 4' in err
  assert not (runs / 'b').exists()
  for _ in range(2):  # The same command again goes on.
    status, _, err = command(*branch)
    assert status == 0, err
  said = []
  tiny_run.compare(runs / 'a', runs / 'b', said.append)
  differ, = (line for line in said if 'DIFFERENT' in line)
  # compiled_once draws no curves.
  assert differ.split()[2:] == ['changes.jsonl,', 'curves.png']
  origin = json.loads((runs / 'b' / 'changes.jsonl').read_text())['origin']
  assert origin['images'] == 32 and origin['run'] == str(runs / 'a')
  assert origin['digest'] == inventory.digest(
      runs / 'a' / 'checkpoints' / '32')
  status, _, err = command(*branch[:2], '--from_images=64')
  assert status == 1 and 'a run that is no branch of' in err


def test_flags_that_would_do_nothing_are_refused(runs, command):
  argv = ('--config=quickstart', '--init_from=a')
  for flags, text in (
      (argv[:1] + ('--init_images=32',), '--init_images: means nothing with'),
      (argv + ('--from_images=32',), '--from_images: means nothing without'),
      (argv + ('--workdir=b', '--from_images=32', '--init_images=best'),
       '--init_images: means nothing beside --from_images')):
    status, _, err = command(*flags)
    assert status == 1 and text in err, err
