"""Laws of --dry_run: what is known at once is said at once."""
import pytest

from msg_gan_jax.commands import dry_run
from msg_gan_jax.gan import build


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


@pytest.mark.slow
def test_the_figures_of_the_step_come_last(small, tmp_path):
  said = []
  dry_run.dry_run(small(), str(tmp_path / 'sheet.png'), said.append)
  after = said[said.index('step') + 1:]
  assert [line.split()[0] for line in after[:2]] == ['compiling,', 'logs:']
  assert 'd_loss' in after[1] and 'g_loss' in after[1]
  assert ' GFLOP' in after[2] and ' at the peak' in after[3]
  assert len(after) == 4


def test_an_interrupted_dry_run_promises_nothing(command, monkeypatch):
  def interrupt(*unused):
    raise KeyboardInterrupt

  monkeypatch.setattr(dry_run, 'dry_run', interrupt)
  status, _, err = command('--dry_run')
  assert (status, err) == (130, 'error: interrupted.\n')
