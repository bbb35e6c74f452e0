"""A run's own config.json as an experiment: --workdir=RUN without --config."""
import dataclasses

import ml_collections

from msg_gan_jax.config import template
from msg_gan_jax.runs.config_file import load_config


def get_config(workdir: str) -> ml_collections.ConfigDict:
  """The settings of the run in a folder, to continue it or to change some."""
  config = template()
  config.update(dataclasses.asdict(load_config(workdir)))
  return config
