"""Laws of settings that name a row: an unknown one is an error about them."""
import re
import runpy

import pytest

from msg_gan_jax.commands import experiments
from msg_gan_jax.config import schema
from msg_gan_jax.data import sources
from msg_gan_jax.gan.build import build
from msg_gan_jax.training import scorer

NAMING = {name for name, about in schema.metadata().items()
          if re.search(r'\brow of [A-Z]', about['meaning'])}
GAN = sorted(name for name in NAMING if name.split('.')[0] in (
    'networks', 'objective', 'optimizer'))


def unknown(config, name):
  """A Config with a row that no table has."""
  config = config.copy_and_resolve_references()
  config.update_from_flattened_dict({name: 'nowhere'})
  return schema.parse(config)


@pytest.mark.parametrize('experiment', experiments.shipped())
def test_an_unknown_row_is_told_of_the_setting_that_names_it(experiment):
  """Of every experiment, whatever else its settings say."""
  config = runpy.run_path(experiments.shipped()[experiment])['get_config']()
  for name in GAN:
    with pytest.raises(ValueError, match=f"^config.{name}: .*'nowhere'"):
      build(unknown(config, name))


def test_so_it_is_of_data_and_scores():
  config = schema.template()
  for name in NAMING - {*GAN}:
    with pytest.raises(ValueError, match=f"^config.{name}: .*'nowhere'"):
      scorer.check(unknown(config, name).evaluate)
      sources.open_source(unknown(config, name))
  assert len(GAN) > 14
