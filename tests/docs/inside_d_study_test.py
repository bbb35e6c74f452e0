"""The study of what D's look for: its settings, and its pictures."""
import runpy

from helpers import ROOT
from PIL import Image
import pytest

from msg_gan_jax.gan.build import build

study = runpy.run_path(ROOT / 'docs' / 'studies' / 'inside_d.py')
PAGE = (ROOT / 'docs' / 'studies' / 'inside_d.md').read_text(encoding='utf-8')


@pytest.mark.parametrize(('name', 'sizes', 'images'), [
    ('msg_progan', (4, 8, 16, 32), '60,000'), ('sndcgan', (32,), '11,984')])
def test_runs_are_those_of_the_page(name, sizes, images):
  gan = build(study['get_config'](name))
  assert gan.sizes == sizes
  train = gan.components.config.train
  assert f'{train.total_images:,}' == images and images in PAGE
  # It ends with a whole step, and its milestones are not one by one.
  assert train.total_images % gan.step_images == 0
  assert train.keep_every_images >= train.checkpoint_every_images


def test_the_page_shows_every_picture_and_all_are_small():
  for name in study['PICTURES']:
    path = ROOT / 'docs' / 'images' / f'inside_d_{name}.webp'
    assert f'(../images/{path.name})' in PAGE
    assert path.stat().st_size < 250_000
    with Image.open(path) as picture:
      assert picture.format == 'WEBP' and picture.width <= study['WIDEST']
  assert PAGE.count('](../images/inside_d_') == len(study['PICTURES'])


def test_pictures_are_made_from_those_of_an_atlas(tmp_path):
  Image.new('RGB', (2400, 300), 'red').save(tmp_path / 'a.png')
  study['to_webp'](tmp_path / 'a.png', tmp_path / 'a.webp')
  with Image.open(tmp_path / 'a.webp') as picture:
    assert picture.size == (study['WIDEST'], 150)
  assert not study['is_done'](tmp_path, 8)
  (tmp_path / 'checkpoints' / '8').mkdir(parents=True)
  assert study['is_done'](tmp_path, 8)
