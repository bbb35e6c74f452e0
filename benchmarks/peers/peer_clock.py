"""What the scripts of this folder share: flags, checkouts, and the clock."""
import argparse
import os
import pathlib
import sys
import time


def flags(about, **sizes):
  """A parser with --path, and a whole number for each of `sizes`."""
  parser = argparse.ArgumentParser(
      description=about, allow_abbrev=False,
      formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--path', default='', help="your checkout of the peer's")
  for name, default in sizes.items():
    parser.add_argument(f'--{name}', type=int, default=default)
  return parser


def step_flags(about, **sizes):
  """`flags`, and --seconds: of a script that times a training step."""
  parser = flags(about, **sizes)
  parser.add_argument(
      '--seconds', type=float, default=8., help='to measure, at least')
  return parser


def fid_flags(about):
  """`flags` of a script that takes the FID of two folders."""
  parser = flags(about)
  for name, what in (('real', 'a folder of pictures'), ('fake', 'another'),
                     ('weights', 'a file that make_weights.py wrote')):
    parser.add_argument(f'--{name}', required=True, help=what)
  return parser


def parse_fid(parser):
  """The options of `fid_flags`, once what they name is there."""
  options = parser.parse_args()
  for name, there in (('real', os.path.exists), ('fake', os.path.exists),
                      ('weights', os.path.isfile)):
    if not there(getattr(options, name)):
      raise ValueError(f'--{name}: nothing at {getattr(options, name)!r}.')
  return options


def check(options, names):
  """Refuses a size that is not at least 1, and no time at all."""
  for name in names:
    if getattr(options, name) < 1:
      raise ValueError(
          f'--{name}: found {getattr(options, name)}; wanted at least 1.')
  if options.seconds <= 0:
    raise ValueError('--seconds: wanted more than nothing.')


def use_checkout(path, url, inside, file):
  """Puts a checkout where its modules are imported from; returns that folder.

  Args:
    path: of the checkout, as --path gives it.
    url: where it is from, for the error.
    inside: its folder of modules, '' where they lie at the top.
    file: one that this folder must have.

  Raises:
    ValueError: no such checkout.
  """
  folder = pathlib.Path(path).expanduser().resolve() / inside
  if not path or not (folder / file).is_file():
    raise ValueError(
        f'--path: found {path!r}; wanted a checkout of {url}, which has '
        f'{pathlib.Path(inside, file)}.')
  sys.path.insert(0, str(folder))
  return folder


def device():
  """The GPU if PyTorch sees one, or the CPU."""
  import torch
  return torch.device('cuda' if torch.cuda.is_available() else 'cpu')


def random_pictures(*shape):
  """float32 in -1 .. 1, on `device()`."""
  import torch
  return 2 * torch.rand(*shape, device=device()) - 1


def black_picture(folder, side):
  """Makes a folder a data set of one picture, for settings that open it."""
  from PIL import Image
  Image.new('RGB', (side, side)).save(pathlib.Path(folder, 'black.png'))


def update_average(average, network, share):
  """average = share * average + (1 - share) * network; buffers are copied."""
  import torch
  with torch.no_grad():
    for kept, new in zip(
        average.parameters(), network.parameters(), strict=True):
      kept.lerp_(new, 1 - share)
    for kept, new in zip(average.buffers(), network.buffers(), strict=True):
      kept.copy_(new)


def images_a_second(step, images, seconds, cycle=1):
  """Times calls of `step`, as benchmarks/timing.py times ours.

  Args:
    step: does one training step.
    images: real images that it shows to D.
    seconds: at least so long it is measured, after a warm-up.
    cycle: steps after which the work repeats: 16 with a lazy R1 every 16.
  """
  import torch

  def run(steps):
    start = time.perf_counter()
    for _ in range(steps):
      step()
    if torch.cuda.is_available():
      torch.cuda.synchronize()
    return time.perf_counter() - start

  run(max(3, cycle))
  # The clock is read about ten times: a GPU is kept busy.
  chunk = cycle * max(1, round(seconds / 10 / run(cycle)))
  done = taken = 0
  while taken < seconds:
    taken += run(chunk)
    done += chunk
  return done * images / taken


def main(run):
  """Prints the number that `run` returns, or one line about an error."""
  # This folder goes last: a script here may be named as the package it needs.
  sys.path.append(sys.path.pop(0))
  try:
    print(f'{run():.9g}')
  except (ValueError, OSError, ImportError) as error:
    sys.exit(f'error: {error}')
