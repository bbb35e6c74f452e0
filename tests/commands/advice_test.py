"""Advice that an error gives on the command line works when it is followed."""
import re
import shlex

from absl.testing import flagsaver
from helpers import picture, save
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.commands import main

LOOK = '--mode=inspect --out=out --config.data.cache_dir=cache'
INSPECT = f'{LOOK} --config.data.resolution=8 --config.data.name'
SCORE = '--mode=evaluate --metrics=swd'


@pytest.fixture
def inputs(tmp_path):
  """Folders: whole, broken, of two sizes, of floats; and two arrays."""
  for name in 'whole', 'broken', 'sizes', 'floats':
    for i in range(12):
      pixels = picture(i, 16, 17 if name == 'sizes' and i % 2 else 16)
      if name == 'floats':
        save(tmp_path / name / f'{i:02}.tif', Image.fromarray(
            pixels[..., 0] / np.float32(255)))
      else:
        save(tmp_path / name / f'{i:02}.png', pixels)
  file = tmp_path / 'broken' / '07.png'
  file.write_bytes(file.read_bytes()[:-400])
  pixels = np.stack([picture(i, 16, 16) for i in range(12)])
  np.savez(tmp_path / 'two.npz', a=pixels, b=pixels[::-1])


def followed(argv, error):
  """The words of a command with the first advice of its error."""
  refused = re.match(r'error: (\S+): (?:no such flag|a flag of) ?', error)
  if refused:
    name = re.search(r'--config[\w.]+', error)[0].rstrip('.')
  else:
    name, value = re.search(
        r"(--[\w.]+)=('[^']*'|[\w.:]*\w)", error).groups()
    value, = shlex.split(value)
  words = []
  for word in argv:
    flag, _, given = word.partition('=')
    if refused and flag == refused[1]:
      value = given
    elif flag != name:
      words.append(word)
  return [*words, f'{name}={value}']


@pytest.mark.parametrize('argv', [
    f'{INSPECT}=folder --config.data.path=broken',
    f'{INSPECT}=folder --config.data.path=floats',
    f'{INSPECT}=archive --config.data.path=two.npz',
    f'{INSPECT}=archive --config.data.path=whole',
    f'{INSPECT}=avatars --config.data.path=whole',
    f'{LOOK} --config.data.name=folder --config.data.path=whole --resolution=8',
    f'{INSPECT}=folder --config.data.path=whole --batch_size=8',
    f'{SCORE} --real=whole --fake=sizes',
    f'{SCORE} --real=floats --fake=floats',
])
def test_the_first_advice_works(argv, inputs, command):
  argv = argv.split()
  status, _, err = command(*argv)
  assert status == 1 and err.startswith('error: ')
  words = followed(argv, err)
  status, _, err = command(*words)
  assert status == 0, (words, err)


@pytest.mark.parametrize('real', ['broken', 'two.npz'])
def test_nothing_is_advised_that_a_mode_cannot_set(real, inputs, command):
  status, _, err = command(*SCORE.split(), f'--real={real}', '--fake=whole')
  assert status == 1 and err.startswith('error: --real: ')
  assert not re.search(r'config\.|on_bad|dataset|--(?!real|debug)', err)


@pytest.mark.parametrize('mode, text, told', [
    ('walk', 'wanted fps=2.', 'wanted --fps=2.'),
    ('train', 'wanted fps=2.', 'wanted fps=2.'),
    ('train', 'do it by mode=walk with fps=2.',
     'do it by --mode=walk with --fps=2.'),
    ('train', "wanted scales = 'none', or set config.seed=2.",
     "wanted scales = 'none', or set --config.seed=2."),
    ('walk', 'Remove it, or set config.seed=2.', 'Remove it.')])
def test_only_flags_of_the_mode_are_advised(mode, text, told):
  with flagsaver.flagsaver(mode=mode):
    assert main._text(ValueError(text)) == told
