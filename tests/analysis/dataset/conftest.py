"""A folder of pictures, and what --mode=inspect says of one."""
from helpers import save_classes
import pytest

from msg_gan_jax.analysis.dataset import inspection
from msg_gan_jax.config import schema


@pytest.fixture
def root(tmp_path):
  """Classes cat of 12 and dog of 28, exact in PNG, all different."""
  return save_classes(tmp_path / 'set', 12, 28)


@pytest.fixture
def look(tmp_path):
  """(path, **data settings) -> (found, text) of inspection.inspect."""
  def look(path, **settings):
    config = schema.template()
    config.data.update({
        'name': 'folder', 'path': str(path), 'resolution': 8,
        'cache_dir': str(tmp_path / 'cache'), **settings})
    said = []
    found = inspection.inspect(
        schema.parse(config), str(tmp_path / 'out'), said.append)
    return found, '\n'.join(said)
  return look
