"""`python -m msg_gan_jax` is `python launch.py`."""
from msg_gan_jax.commands.main import run

if __name__ == '__main__':
  run()
