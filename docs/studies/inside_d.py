"""Trains two GANs on avatars, and looks into them with every tool there is.

  python docs/studies/inside_d.py --runs=runs/inside_d

Trains what is missing, about a quarter of an hour on one core; makes an atlas
of each run, in RUN/look, probes one of them, compares its looks at the game and
finds its directions; and writes the pictures of docs/studies/inside_d.md. The
file is an experiment too:

  python launch.py --config=docs/studies/inside_d.py:sndcgan
"""
import argparse
import pathlib
import runpy
import subprocess
import sys

from msg_gan_jax.config import template

ROOT = pathlib.Path(__file__).parents[2]
IMAGES = ROOT / 'docs' / 'images'
WIDEST, QUALITY = 1200, 72  # Pixels and WebP's own scale: under 250 kB each.
# Of each run a layer, and three clear and three empty maps of it, by eye: those
# of other weights, as of another machine, are others.
ENDS = {'msg_progan': ('block_16_conv_2', '10,43,56,32,33,50'),
        'sndcgan': ('conv_2', '1,18,30,12,45,47')}
# Name of a picture of the page: (run, file in its folder).
PICTURES = {
    'msg_progan_layer': ('msg_progan', 'look/*_block_16_conv_2.png'),
    'msg_progan_scales': ('msg_progan', 'look/*_block_8_conv_2.png'),
    'msg_progan_ends': ('msg_progan', 'ends/*_block_16_conv_2.png'),
    'msg_progan_evidence': ('msg_progan', 'look/evidence.png'),
    'msg_progan_ranking': ('msg_progan', 'look/ranking.png'),
    'msg_progan_through_training': (
        'msg_progan', 'look/*_block_16_conv_2_through_training.png'),
    'msg_progan_nearest': ('msg_progan', 'linear_probe_nearest.png'),
    'msg_progan_eigenvalues': (
        'msg_progan', 'compare/figures/eigenvalues.png'),
    'msg_progan_slopes': ('msg_progan', 'compare/figures/slope.png'),
    'msg_progan_condition': (
        'msg_progan', 'compare/figures/condition_log.png'),
    'msg_progan_overfitting': (
        'msg_progan', 'compare/figures/overfitting_d.png'),
    'msg_progan_directions': (
        'msg_progan', 'directions/directions_classifier.png'),
    'msg_progan_arithmetic': ('msg_progan', 'directions/arithmetic.png'),
    'sndcgan_edges': ('sndcgan', 'look/*_conv_2.png'),
    'sndcgan_ends': ('sndcgan', 'ends/*_conv_2.png'),
    'sndcgan_layer': ('sndcgan', 'look/*_conv_4.png'),
    'sndcgan_through_training': (
        'sndcgan', 'look/*_conv_4_through_training.png'),
    'sndcgan_evidence': ('sndcgan', 'look/evidence.png'),
    'sndcgan_ranking': ('sndcgan', 'look/ranking.png'),
}


def get_config(name='msg_progan'):
  """The settings of a run of RUNS."""
  config = RUNS[name]()
  config.evaluate.metrics = ''
  config.evaluate.best = ''
  config.train.measure_every_images = config.train.total_images
  return config


def _msg_progan():
  """The quickstart, two and a half times as long, with twelve looks."""
  experiment = runpy.run_path(str(ROOT / 'experiments' / 'quickstart.py'))
  config = experiment['get_config']()
  config.train.total_images = 60_000
  config.train.checkpoint_every_images = 5_000
  config.train.keep_every_images = 5_000
  config.train.dynamics_every_images = 5_000
  return config


def _sndcgan():
  """SNDCGAN with 64 maps in every layer, spectral norm and small batches."""
  config = template('landscape_sndcgan')
  config.data.name = 'avatars'
  config.data.resolution = 32
  config.networks.latent = 64
  config.networks.fmap_max = 64
  config.networks.deviation = 'glorot'
  config.train.batch = 16
  config.train.total_images = 11_984
  config.train.ema_half_life_images = 2_000
  config.train.log_every_images = 1_000
  config.train.sample_every_images = 6_000
  config.train.checkpoint_every_images = 1_000
  config.train.keep_every_images = 1_000
  return config


RUNS = {'msg_progan': _msg_progan, 'sndcgan': _sndcgan}


def launch(*flags):
  """Runs a command of the package."""
  subprocess.run([sys.executable, str(ROOT / 'launch.py'), *flags], check=True)


def is_done(run, images):
  """Whether a run has the checkpoint of its end."""
  return (run / 'checkpoints' / str(images)).is_dir()


def to_webp(source, target):
  """Writes a picture of an atlas for the page."""
  from PIL import Image
  with Image.open(source) as picture:
    small = picture.convert('RGB')
  if small.width > WIDEST:
    small = small.resize(
        (WIDEST, round(small.height * WIDEST / small.width)),
        Image.Resampling.LANCZOS)
  small.save(target, format='WEBP', quality=QUALITY, method=6)


def main(argv=None):
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument('--runs', type=pathlib.Path, default=pathlib.Path(
      'runs/inside_d'), help='the folder of the runs')
  parser.add_argument('--images', type=pathlib.Path, default=IMAGES,
                      help='the folder of the pictures')
  arguments = parser.parse_args(argv)
  for name in RUNS:
    run = arguments.runs / name
    if not is_done(run, get_config(name).train.total_images):
      launch(f'--config={__file__}:{name}', f'--workdir={run}')
    launch('--mode=look', f'--workdir={run}', '--maps=8', '--checkpoints=all')
    layer, maps = ENDS[name]
    launch('--mode=look', f'--workdir={run}', f'--layer={layer}',
           f'--map={maps}', f'--out={run / "ends"}')
  run = arguments.runs / 'msg_progan'
  launch('--mode=linear_probe', f'--workdir={run}', '--checkpoints=all',
         '--labels_per_class=100')
  launch('--mode=compare', f'--workdir={run}', f'--out={run / "compare"}')
  subprocess.run([sys.executable, str(ROOT / 'docs/studies/directions.py'),
                  f'--run={run}', f'--images={run / "directions"}'], check=True)
  for name, (of, pattern) in PICTURES.items():
    source, = (arguments.runs / of).glob(pattern)
    to_webp(source, arguments.images / f'inside_d_{name}.webp')


if __name__ == '__main__':
  main()
