"""Laws of --dry_run: what is known at once is said at once."""
import dataclasses
import re

import jax
import pytest

from msg_gan_jax.commands import dry_run
from msg_gan_jax.gan import build
from msg_gan_jax.report import text


def test_a_dry_run_says_first_what_needs_no_compiling(
    small, tmp_path, monkeypatch):
  said, before = [], []

  def lower(*args):
    before.extend(said)
    raise KeyboardInterrupt  # Who has read enough.

  monkeypatch.setattr(dry_run, 'lower_steps', lower)
  monkeypatch.setattr(build.Gan, 'step', None)  # To trace it takes long too.
  with pytest.raises(KeyboardInterrupt):
    dry_run.dry_run(small(), str(tmp_path / 'sheet.png'), said.append)
  words = '\n'.join(before)
  for wanted in ('parameters, D ', 'images 4x4x3, 8x8x3, 16x16x3',
                 'a step shows 8 images', 'avatars: 64 pictures to train on',
                 'contact sheet: '):
    assert wanted in words
  assert before[-1].startswith('  compiling, ')
  assert (tmp_path / 'sheet.png').exists()


def test_what_checkpoints_take_is_said_before_there_are_any(small):
  state = jax.eval_shape(build.build(small()).init, jax.random.key(0))
  train = small(train__total_images=1000, train__checkpoint_every_images=100,
                train__keep_checkpoints=3).train
  size = sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(state))
  assert dry_run._checkpoints(state, train) == (
      f'checkpoints: about {text.size(size)} each, 3 stay')
  for every, older in ((250, 4), (10, 10), (2000, 0)):
    more = dataclasses.replace(train, keep_every_images=every)
    assert dry_run._checkpoints(state, more).endswith(
        f'3 stay, and at most {older} older ones by config.train.'
        f'keep_every_images: {text.size(size * (older + 3))} in all')


@pytest.mark.slow
def test_the_figures_of_the_step_come_last(small, tmp_path):
  said = []
  dry_run.dry_run(
      small(train__total_images=24, train__dynamics_every_images=16),
      str(tmp_path / 'sheet.png'), said.append)
  devices, *after = said[said.index('step') + 1:]
  assert re.fullmatch(r'  1 device, each with the whole state \(.* .B\), '
                      r'all pictures \(.* .B\)', devices), devices
  assert [line.split()[0] for line in after[:2]] == ['compiling,', 'logs:']
  assert 'd_loss' in after[1] and 'g_loss' in after[1]
  assert ' GFLOP' in after[2] and ' at the peak' in after[3]
  assert after[4].startswith('  dynamics of the game: 2 looks, each with the ')
  assert len(after) == 5


def test_an_interrupted_dry_run_promises_nothing(command, monkeypatch):
  def interrupt(*unused):
    raise KeyboardInterrupt

  monkeypatch.setattr(dry_run, 'dry_run', interrupt)
  status, _, err = command('--dry_run')
  assert (status, err) == (130, 'error: interrupted.\n')
