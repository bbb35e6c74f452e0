"""How the processes of a run find each other, and what each one sets up."""
from collections.abc import Mapping
import ctypes
import os
import platform

import jax


def join(coordinator: str = '', processes: int = 0, process: int = -1,
         distributed: bool = False) -> None:
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
          '--coordinator, --processes, --process: wanted all three, such as '
          '--coordinator=HOST:PORT --processes=2 --process=0, found '
          f'{coordinator!r}, {processes}, {process}.')
    jax.distributed.initialize(
        coordinator, num_processes=processes, process_id=process)
  elif distributed or on_cluster(os.environ):
    jax.distributed.initialize()


def keep_memory() -> None:
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


def on_cluster(environ: Mapping[str, str]) -> bool:
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
