"""Runs an experiment: `python launch.py --help`."""
from msg_gan_jax.commands.main import run

if __name__ == '__main__':
  run()
