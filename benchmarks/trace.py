"""Seconds of the Fréchet distance's trace term, beside scipy's sqrtm.

  python benchmarks/trace.py
  python benchmarks/trace.py --features=512 --rows=400 --repeats=5

tr (S1 S2)^(1/2) of two covariances: ours in the symmetric form, and scipy's
matrix square root of the product, as pytorch-fid has it. They alternate in one
process.
"""
import argparse
import pathlib
import statistics
import sys
import time

import numpy as np
import scipy
import scipy.linalg

# So that a checkout need not be installed.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from msg_gan_jax.metrics.functional import frechet


def covariance(features, rows, seed):
  """Of rows whose spectrum falls as that of Inception's features, about 1/i.

  The axes are random, as they are for other images: the two do not commute.
  """
  rng = np.random.default_rng(seed)
  axes = np.linalg.qr(rng.standard_normal((features, features)))[0]
  scales = 1 / np.sqrt(np.arange(1, features + 1))
  drawn = rng.standard_normal((rows, features)) * scales @ axes
  return np.cov(drawn, rowvar=False)


def ours(first, second):
  return frechet.root_trace(frechet.factor(first), frechet.factor(second))


def theirs(first, second):
  return float(np.trace(scipy.linalg.sqrtm(first @ second)).real)


def timed(function, *inputs):
  start = time.perf_counter()
  value = function(*inputs)
  return time.perf_counter() - start, value


def main():
  flags = argparse.ArgumentParser(
      description=__doc__, allow_abbrev=False,
      formatter_class=argparse.RawDescriptionHelpFormatter)
  flags.add_argument('--features', type=int, default=2048)
  flags.add_argument('--rows', type=int, default=10_000,
                     help='of each set; up to --features they are singular')
  flags.add_argument('--repeats', type=int, default=3)
  options = flags.parse_args()
  print(f'numpy {np.__version__}, scipy {scipy.__version__}, Python '
        f'{sys.version.split()[0]}')
  inputs = [covariance(options.features, options.rows, seed) for seed in (0, 1)]
  seconds = {ours: [], theirs: []}
  for _ in range(options.repeats):
    for function, times in seconds.items():
      took, value = timed(function, *inputs)
      times.append(took)
      print(f'{function.__name__:7} {took:7.2f} s, trace {value:.9g}',
            flush=True)
  for function, times in seconds.items():
    print(f'{function.__name__:7} median {statistics.median(times):.2f} s, '
          f'{min(times):.2f} to {max(times):.2f}')
  ratios = [b / a for a, b in zip(*seconds.values(), strict=True)]
  print(f'theirs / ours: {statistics.median(ratios):.2f}; of each pair '
        + ' '.join(f'{ratio:.2f}' for ratio in ratios))


if __name__ == '__main__':
  main()
