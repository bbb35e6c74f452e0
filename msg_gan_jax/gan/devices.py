"""One step of a GAN on all devices."""
from typing import Protocol

import jax

from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.arrays.mesh import replicated, split_rows
from msg_gan_jax.config import schema
from msg_gan_jax.gan.build import Gan
from msg_gan_jax.gan.schedules import Phase
from msg_gan_jax.gan.state import RealBatch, State


class ShardedStep(Protocol):
  """Gan.step on all devices; the State that it is given is used up."""

  def __call__(self, state: State, batch: RealBatch, key: jax.Array,
               phase: Phase) -> tuple[State, dict[str, jax.Array]]:
    """Arguments and results are those of Gan.step."""


def sharded_step(gan: Gan, mesh: jax.sharding.Mesh) -> ShardedStep:
  """Gan.step on a mesh: the batch is split by rows, all else replicated."""
  same = replicated(mesh)
  split = split_rows(mesh) if mesh.devices.size > 1 else None

  def run(state, batch, key, phase):
    return gan.step(state, batch, key, phase, split)

  return jit(
      run, static_argnames='phase', donate_argnums=0,
      out_shardings=(same, same))


def check_batch(config: schema.Config, mesh: jax.sharding.Mesh) -> None:
  """Refuses a batch that the devices cannot share.

  Raises:
    ValueError: names the batch and the number of devices.
  """
  devices, train = mesh.devices.size, config.train
  grown = schema.by_size(train.grow_batches, int).values()
  for name, batch in (('batch', train.batch),
                      *(('grow_batches', batch) for batch in grown)):
    if batch % devices:
      near = max(devices, round(batch / devices) * devices)
      raise ValueError(
          f'config.train.{name}: {batch} images cannot be shared '
          f'by {devices} devices; the nearest batch that can: {near}.')
