"""A study as its storage has it, as a study's file: --workdir=STUDY alone."""
import dataclasses
import functools

import ml_collections

from msg_gan_jax.config import Config, template
from msg_gan_jax.files.console import say_aside
from msg_gan_jax.study.space import Study


def get_config(folder: str, address: str, name: str
               ) -> ml_collections.ConfigDict:
  """The base of the study, to go on with it.

  Args:
    folder: of the study.
    address: of its storage; '' is the journal in the folder.
    name: of the study in it; '' is the only one there.
  """
  config = template()
  config.update(dataclasses.asdict(read(folder, address, name)[1]))
  return config


def get_study(folder: str, address: str, name: str) -> Study:
  """What the study varies; arguments as of `get_config`."""
  return read(folder, address, name)[2]


@functools.cache
def read(folder: str, address: str, name: str) -> tuple[str, Config, Study]:
  """Its name, its base and what it varies; arguments as of `get_config`."""
  from msg_gan_jax.study import definition, stored
  return definition.load(
      stored.read_stored(folder, address, name, say_aside).definition)
