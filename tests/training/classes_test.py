"""A conditional GAN's run knows its classes by name, and so do its commands."""
from helpers import save_classes
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.runs import classes
from msg_gan_jax.training import loop


def read(path):
  with Image.open(path) as image:
    return np.asarray(image)


@pytest.mark.slow
def test_a_run_is_asked_for_classes_by_name_and_for_latents_by_seed(
    small, tmp_path, command):
  root = save_classes(tmp_path / 'set', 20, 20)
  config = small(
      data__name='folder', data__path=str(root),
      data__cache_dir=str(tmp_path / 'cache'), data__resolution=8,
      data__count=20_000, networks__classes=2, networks__g_condition='concat',
      networks__d_condition='projection', networks__fmap_max=4,
      train__total_images=8)
  loop.train(config, tmp_path / 'run', say=lambda line: None)
  assert classes.read(tmp_path / 'run') == ('cat', 'dog')

  def drawn(*flags):
    status, out, err = command(
        '--mode=sample', '--workdir=run', '--separate', '--out=out', *flags)
    assert status == 0, err
    return [read(path) for path in out.split()[1:]]  # Behind the grid.

  dogs = drawn('--labels=1', '--seed=17', '--count=3')
  found, = drawn('--labels=dog', '--seeds=17:2')
  np.testing.assert_array_equal(found, dogs[2])
  cat, = drawn('--labels=cat', '--seeds=17:2')
  assert (cat != found).any()
