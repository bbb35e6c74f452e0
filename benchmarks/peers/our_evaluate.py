"""`launch.py --mode=evaluate`, of weights that need not be the published ones.

  python our_evaluate.py --mode=evaluate --real=A --fake=B \
    --protocol=pytorch_fid --metrics=fid --weights_file=weights.pth

All flags are those of launch.py, which refuses a file of weights with another
SHA-256 than the published one. That check is left out here, and nothing else.
"""
import pathlib
import sys

if __name__ == '__main__':
  # So that a checkout need not be installed; and without this folder, whose
  # scripts are named as packages are.
  sys.path[0] = str(pathlib.Path(__file__).resolve().parents[2])
  from msg_gan_jax.commands import main
  from msg_gan_jax.metrics.features.published_weights import WEIGHTS

  WEIGHTS['inception'] = WEIGHTS['inception']._replace(sha256='')
  main.run()
