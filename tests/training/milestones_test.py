"""A run with train.keep_every_images, also one that is broken off."""
import dataclasses

import pytest

from msg_gan_jax.runs.load import checkpoints_of, load
from msg_gan_jax.training import loop

pytestmark = pytest.mark.slow


def test_milestones_of_a_run_stay_and_can_be_loaded(small, tmp_path):
  config = small(
      'dcgan', train__total_images=40, train__checkpoint_every_images=8,
      train__sample_every_images=1000, train__measure_every_images=1000,
      train__keep_checkpoints=1, train__keep_every_images=16)
  assert loop.train(config, tmp_path / 'a', len) == 0

  def there():
    return [images for _, images in checkpoints_of(tmp_path / 'a', 'all')]

  assert there() == [16, 32, 40]
  assert load(tmp_path / 'a', 16, len).state.images == 16
  # It goes on, longer and with rarer milestones: these alone stay.
  longer = dataclasses.replace(config, train=dataclasses.replace(
      config.train, total_images=56, keep_every_images=32))
  assert loop.train(longer, tmp_path / 'a', len) == 0
  assert there() == [32, 56]
