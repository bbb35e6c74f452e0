"""One program on all devices: a mesh of one axis, `data`."""
import ctypes
import os
import platform

import jax
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
import numpy as np

from msg_gan_jax.config import schema as config_lib


def start(coordinator='', processes=0, process=-1, distributed=False):
  """Joins the other processes of a run, where there are any.

  On SLURM and Open MPI that is seen from the environment; `distributed` says
  so on a TPU pod, where jax asks the machine. Elsewhere the address, the
  number of processes and this one's number are given.

  Raises:
    ValueError: where only some of the three are given.
  """
  if coordinator or processes or process >= 0:
    if not (coordinator and processes > 0 and 0 <= process < processes):
      raise ValueError(
          '--coordinator, --processes, --process: wanted all three, as '
          '--coordinator=HOST:PORT --processes=2 --process=0, found '
          f'{coordinator!r}, {processes}, {process}.')
    jax.distributed.initialize(
        coordinator, num_processes=processes, process_id=process)
  elif distributed or on_cluster(os.environ):
    jax.distributed.initialize()


def keep_memory():
  """On CPU, lets the C library keep what a step frees for the next one.

  By default glibc gives large blocks back to the system, which fills them with
  zeros again: 9,500 page faults and a tenth of the time of a quickstart step.
  """
  if jax.default_backend() != 'cpu' or platform.libc_ver()[0] != 'glibc':
    return
  mallopt = ctypes.CDLL(None).mallopt
  mmap_max, trim_threshold = -4, -1  # from malloc.h
  mallopt(mmap_max, 0)
  mallopt(trim_threshold, 2**31 - 1)


def on_cluster(environ):
  """Whether srun or mpirun started several of this process.

  What jax itself reads there; a job step of one task, or a shell inside an
  allocation, is not several.
  """
  slurm = {'SLURM_JOB_ID', 'SLURM_STEP_NODELIST', 'SLURM_PROCID',
           'SLURM_LOCALID'}
  if slurm <= environ.keys():
    return int(environ.get('SLURM_STEP_NUM_TASKS',
                           environ.get('SLURM_NTASKS', 1))) > 1
  return int(environ.get('OMPI_COMM_WORLD_SIZE', 1)) > 1


def mesh():
  """All devices in one axis `data`.

  The constructor's axes are Auto: XLA places the group statistics of a batch,
  so that n devices compute what one would.
  """
  return Mesh(np.asarray(jax.devices()), ('data',))


def replicated(over):
  """The sharding of State: the same on every device."""
  return NamedSharding(over, P())


def rows(over):
  """The sharding of an array whose first axis is the batch."""
  return NamedSharding(over, P('data'))


def step(gan, over):
  """gan.step on the mesh; the state is donated, the batch split by rows."""
  same = replicated(over)
  split = rows(over) if over.devices.size > 1 else None

  def run(state, batch, key, phase):
    return gan.step(state, batch, key, phase, split)

  return jax.jit(
      run, static_argnames='phase', donate_argnums=0,
      out_shardings=(same, same))


def check(config, over):
  """Refuses a batch that the devices cannot share.

  Raises:
    ValueError: names the batch and the number of devices.
  """
  devices, train = over.devices.size, config.train
  grown = config_lib.by_size(train.grow_batches, int).values()
  for name, batch in (('batch', train.batch),
                      *(('grow_batches', batch) for batch in grown)):
    if batch % devices:
      near = max(devices, round(batch / devices) * devices)
      raise ValueError(
          f'config.train.{name}: {batch} images cannot be shared '
          f'by {devices} devices; the nearest batch that can: {near}.')
