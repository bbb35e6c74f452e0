"""Seconds of this project's FID of two folders, which is printed before.

  python our_fid.py --real=A --fake=B --weights=weights.pth
  python our_fid.py ... --protocol=torch_fidelity

What `launch.py --mode=evaluate --metrics=fid` computes, of weights that need
not be the published ones: that command refuses a file with another SHA-256.
Nothing is taken from a cache, so the seconds have XLA's compilation.
"""
import pathlib
import sys
import tempfile
import time

import peer_clock


def run():
  flags = peer_clock.fid_flags(__doc__)
  flags.add_argument('--protocol', default='pytorch_fid')
  options = peer_clock.parse_fid(flags)
  # So that a checkout need not be installed.
  sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
  from msg_gan_jax.commands.memory import keep_memory
  keep_memory()
  from msg_gan_jax.metrics import evaluate, pair, protocols, sets
  from msg_gan_jax.metrics.features.published_weights import WEIGHTS

  protocol = protocols.PROTOCOLS.look_up(options.protocol)
  WEIGHTS['inception'] = WEIGHTS['inception']._replace(sha256='')
  with tempfile.TemporaryDirectory() as cache:
    start = time.perf_counter()
    real, fake = (sets.open_set(getattr(options, name), name, cache_dir=cache)
                  for name in ('real', 'fake'))
    scores, _ = evaluate.compute(pair.Pair(real, fake, pair.Options(
        protocol, options.protocol, weights_file=options.weights,
        cache_dir=cache)), ['fid'])
    passed = time.perf_counter() - start
  print(f'FID {scores[0].value:.6f}')
  return passed


if __name__ == '__main__':
  peer_clock.main(run)
