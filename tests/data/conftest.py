"""A folder of pictures, and a way to read folders."""
from helpers import save_classes
import pytest

from msg_gan_jax.data import decode, pictures
from msg_gan_jax.data.stores import folder


@pytest.fixture
def root(tmp_path):
  """Two classes, cat of 5 and dog of 7, exact in PNG."""
  return save_classes(tmp_path / 'set', 5, 7)


@pytest.fixture
def read(tmp_path):
  """(path, ..., **settings) -> Pictures of a folder."""
  def read(path, resolution=8, channels=3, resize='center_crop',
           filter='lanczos', **settings):
    settings = {'cache_dir': str(tmp_path / 'cache'), **settings}
    recipe = decode.Recipe(resolution, resolution, channels, resize, filter)
    return pictures.Pictures(folder.Folder(str(path)), recipe, **settings)
  return read
