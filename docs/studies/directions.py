"""Pictures and the table of docs/studies/directions.md.

  python docs/studies/directions.py --run=runs/quickstart

Of a run on avatars: directions by principal components, in closed form and by
a classifier, one of them at all scales, and arithmetic whose examples the
classifier has chosen. Pictures go to docs/images or --images, the table to
standard output.
"""
import argparse
import pathlib
import sys
import tempfile

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
IMAGES = ROOT / 'docs' / 'images'
FACTORS = 'shirt:navy,skin:peach,hair_colour:black,background:sky,glasses:none'
AT_ALL_SCALES = 'shirt_navy'
SHOWN = 6  # Directions that are found without labels.
SAMPLES = 4000
SEEDS = 2000  # Of which examples are chosen.
EXAMPLES = 3
# Whose shirts change heads: a navy one, less a red one, and a light head.
TERMS = ({'shirt': 'navy', 'skin': 'deep'}, {'shirt': 'red', 'skin': 'deep'},
         {'shirt': 'red', 'skin': 'porcelain'})
WANTED = {'shirt': 'navy', 'skin': 'porcelain'}


def main(argv: list[str]) -> None:
  """Makes all pictures, and prints the table."""
  parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
  parser.add_argument('--run', type=pathlib.Path, required=True)
  parser.add_argument('--images', type=pathlib.Path, default=IMAGES,
                      help='the folder of the pictures')
  arguments = parser.parse_args(argv)
  run, folder_of_images = arguments.run, arguments.images
  folder_of_images.mkdir(parents=True, exist_ok=True)
  sys.path.insert(0, str(ROOT))
  from msg_gan_jax.analysis.generator import attributes, directions, strips
  from msg_gan_jax.analysis.trained import Latents, Trained
  from msg_gan_jax.data.sources import open_source
  from msg_gan_jax.report import tables
  from msg_gan_jax.runs.load import load
  config, gan, state, images = load(run)
  trained = Trained(config, gan, state)
  known = attributes.reader(open_source(config))
  like = Latents(np.concatenate([
      np.asarray(gan.draw(_key(seed), 1)) for seed in range(3)]))
  by_factor, effects = attributes.find(
      trained, known, attributes.parse(FACTORS, known), SAMPLES)
  with tempfile.TemporaryDirectory() as folder:
    for name, found in (
        ('pca', directions.find(trained, 'pca', SHOWN, SAMPLES)),
        ('sefa', directions.find(trained, 'sefa', SHOWN, SAMPLES)),
        ('classifier', by_factor)):
      strips.write(f'{folder}/{name}', trained, found, like)
      _smaller(f'{folder}/{name}/overview.png',
               folder_of_images / f'directions_{name}.png')
    _smaller(f'{folder}/classifier/{AT_ALL_SCALES}.png',
             folder_of_images / 'directions_scales.png')
  print(f'{images:,} images shown\n')
  print(tables.markdown(strips.effects_table(effects)))
  _arithmetic(trained, known, folder_of_images / 'arithmetic.png')


def _arithmetic(trained, known, path):
  """Draws a shirt on another head; prints what it is made of."""
  from msg_gan_jax.analysis.generator import arithmetic, picks
  from msg_gan_jax.analysis.trained import Latents
  from msg_gan_jax.report import grids
  z = picks.latents(trained.gan, [picks.Pick(i) for i in range(SEEDS)])
  read = known.read(levels[-1] for levels in trained.images(z))
  words = []
  for wanted in TERMS:
    seeds = np.flatnonzero(_has(known, read, wanted))[:EXAMPLES]
    words.append(','.join(map(str, seeds)))
  text = f'{words[0]} - {words[1]} + {words[2]}'
  print(f'--terms={text!r}')
  terms = arithmetic.parse(text)
  like = Latents(picks.latents(
      trained.gan, [pick for term in terms for pick in term.picks]))
  found = arithmetic.add(trained, terms, like)
  grids.save(path, arithmetic.sum_figure(trained, terms, found))
  _smaller(path, path)
  read = known.read(levels[-1] for levels in trained.images(found.around))
  print(f'{_has(known, read, WANTED).sum()} of the sum and its neighbours have '
        f'{WANTED}')


def _has(known, read, wanted):
  """bool [n]: whose every factor is the one that is wanted."""
  return np.all([read[head] == known.values[head].index(value)
                 for head, value in wanted.items()], 0)


def _key(seed):
  import jax
  return jax.random.key(seed)


def _smaller(source, target):
  """Writes a picture in 256 colours."""
  with Image.open(source) as picture:
    small = picture.convert('RGB').quantize(256)
  small.save(target, optimize=True)


if __name__ == '__main__':
  main(sys.argv[1:])
