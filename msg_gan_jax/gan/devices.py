"""One step of a GAN on all devices."""
import jax

from msg_gan_jax.arrays.mesh import replicated, split_rows
from msg_gan_jax.config import schema


def sharded_step(gan, over):
  """gan.step on the mesh; the state is donated, the batch split by rows."""
  same = replicated(over)
  split = split_rows(over) if over.devices.size > 1 else None

  def run(state, batch, key, phase):
    return gan.step(state, batch, key, phase, split)

  return jax.jit(
      run, static_argnames='phase', donate_argnums=0,
      out_shardings=(same, same))


def check_batch(config, over):
  """Refuses a batch that the devices cannot share.

  Raises:
    ValueError: names the batch and the number of devices.
  """
  devices, train = over.devices.size, config.train
  grown = schema.by_size(train.grow_batches, int).values()
  for name, batch in (('batch', train.batch),
                      *(('grow_batches', batch) for batch in grown)):
    if batch % devices:
      near = max(devices, round(batch / devices) * devices)
      raise ValueError(
          f'config.train.{name}: {batch} images cannot be shared '
          f'by {devices} devices; the nearest batch that can: {near}.')
