"""What scaling.py measures: a step, a start or an evaluation of some size."""
import dataclasses
import tempfile
import time
from typing import NamedTuple

import throughput  # beside this file

from msg_gan_jax.commands.memory import keep_memory


class Step(NamedTuple):
  """A training step of BMSG-GAN; `devices` of 0 are those of the machine."""
  resolution: int
  batch: int
  width: int
  devices: int = 0

  def __str__(self):
    devices = f', {self.devices} simulated devices' if self.devices else ''
    return (f'step of {self.resolution} px, batch {self.batch}, width '
            f'{self.width}{devices}')


class Start(NamedTuple):
  """From the settings to the first batch, imports apart."""
  pictures: int

  def __str__(self):
    return f'start with {self.pictures} pictures'


class Evaluation(NamedTuple):
  """Features of as many reals and fakes, and their Fréchet distance."""
  pictures: int

  def __str__(self):
    return f'evaluation of {self.pictures} pictures'


def check(row):
  """Raises a ValueError where a row cannot be measured."""
  if not isinstance(row, Step):
    if row.pictures < 2:
      raise ValueError(f'--pictures: {row.pictures}; wanted at least 2.')
    return
  if row.resolution < 8 or row.resolution & (row.resolution - 1):
    raise ValueError(
        f'--resolution: {row.resolution}; wanted a power of 2 from 8.')
  if row.devices and row.batch % row.devices:
    raise ValueError(f'--devices: a batch of {row.batch} does not divide among '
                     f'{row.devices}.')
  config_of(row)


def measure(row, seconds, repeats):
  """A row, in this process: {quantity: a list of values}."""
  keep_memory()
  if isinstance(row, Step):
    return _step(row, seconds, repeats)
  return {'seconds': [_start(row) if isinstance(row, Start)
                      else _evaluation(row)]}


def config_of(row):
  """Step -> Config: BMSG-GAN with as many feature maps at every level."""
  depth = row.resolution.bit_length() - 2
  config = throughput.bmsg_gan(throughput.Row(depth, row.width, row.batch))
  return dataclasses.replace(config, networks=dataclasses.replace(
      config.networks, fmap_base=row.width * row.resolution // 2))


def _step(row, seconds, repeats):
  import timing  # beside this file; loads jax, which only workers need
  found = timing.measure(config_of(row), seconds, repeats)
  return {'images_per_second': found['images_per_second'],
          'memory_mb': [found['memory_bytes'] / 2**20],
          'flops_a_step': found['flops_a_step'],
          'device': found['device'], 'devices': found['devices']}


def _drawn(count, held_out):
  from msg_gan_jax.config import schema
  config = schema.template()
  config.data.name, config.data.resolution = 'avatars', 32
  config.data.count, config.data.held_out = count, held_out
  return schema.parse(config)


def _start(row):
  import jax

  from msg_gan_jax.data import batches, sources
  config = _drawn(row.pictures, 0)
  jax.block_until_ready(jax.numpy.zeros(1) + 1)  # The backend itself.
  began = time.perf_counter()
  opened = batches.open_batches(sources.open_source(config).train, config)
  jax.block_until_ready(opened.at(0, (1, config.train.batch)))
  return time.perf_counter() - began


def _evaluation(row):
  import jax
  import numpy as np

  from msg_gan_jax.data import sources
  from msg_gan_jax.data.source import ArraySource
  from msg_gan_jax.metrics import evaluate
  real, fake = (ArraySource(s.images(np.arange(len(s)))) for s in
                sources.open_source(_drawn(row.pictures, row.pictures)))
  jax.block_until_ready(jax.numpy.zeros(1) + 1)
  with tempfile.TemporaryDirectory() as cache:
    began = time.perf_counter()
    evaluate.evaluate(real, fake, 'fid', 'local', cache_dir=cache)
    return time.perf_counter() - began
