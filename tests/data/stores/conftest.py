"""Ways to open a store by its settings."""
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.data import sources


@pytest.fixture
def opened(tmp_path):
  """(path, **settings) -> what is trained on."""
  def opened(path, **settings):
    config = schema.template()
    config.data.update({
        'name': 'archive', 'path': str(path), 'resolution': 8, 'held_out': 0,
        'cache_dir': str(tmp_path / 'cache'), **settings})
    return sources.open_source(schema.parse(config)).train
  return opened
