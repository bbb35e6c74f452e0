"""Runs an experiment: `python launch.py --help`."""
from msg_gan_jax.cli import run

if __name__ == '__main__':
  run()
