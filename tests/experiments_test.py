"""Experiments of every family train, continue and sample; all have arguments.

The whole list is trained by hand: python tests/all_experiments.py
"""
import runpy

import all_experiments
import jax
import pytest

from msg_gan_jax import config as config_lib
from msg_gan_jax import gan as gan_lib

# Dense, a chain of convolutions, residual with labels, clipped with 100 D
# updates, equalized with every scale, and points.
FAMILIES = (
    'vanilla_polygons', 'cgan_concat_cifar10', 'cgan_projection_cifar10',
    'wgan_lsun', 'cifar10_msg_progan', 'toy_ring')
# Every row of a table of published settings, trained or not.
ROWS = ('landscape_sndcgan', 'landscape_resnet_cifar', 'landscape_resnet19')


def rows(name):
  scope = runpy.run_path(
      str(all_experiments.ROOT / 'experiments' / f'{name}.py'))
  return scope['ROWS']


@pytest.mark.slow
@pytest.mark.parametrize('name', FAMILIES)
def test_an_experiment_trains_continues_and_samples(name, tmp_path):
  all_experiments.check(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize('name', ROWS)
def test_every_row_of_a_table_is_legal(name):
  for row in rows(name):
    config = config_lib.parse(all_experiments.load(f'{name}:{row}'))
    assert config.train.total_images in (6_400_000, 12_800_000)
    jax.eval_shape(gan_lib.build(config).init, jax.random.key(0))


@pytest.mark.parametrize('name', [*ROWS, 'mimicry_cifar10'])
def test_a_row_that_is_not_there_is_an_error_that_lists_them(name):
  with pytest.raises(ValueError, match=r"no .*'best'.*wanted one of \w+, "):
    all_experiments.load(f'{name}:best')


def test_what_is_trained_by_hand_exists():
  names = list(all_experiments.names())
  stems = {name.partition(':')[0] for name in names}
  assert set(all_experiments.ARGUMENTS) <= stems
  assert set(FAMILIES) <= set(names)
