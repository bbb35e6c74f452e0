"""How the processes of a run find each other, and what each one sets up."""
from collections.abc import Mapping
import gc
import os

import jax

from msg_gan_jax.files import console


def join(coordinator: str = '', processes: int = 0, process: int = -1,
         distributed: str = 'auto') -> None:
  """Joins the other processes of a run, where there are any.

  Args:
    coordinator, processes, process: the address of the first process, the
      number of all, and this one's number, where jax cannot find them.
    distributed: 'auto' sees from the environment what srun and mpirun started
      together, and says so; 'on' where jax has to ask the machine, as on a TPU
      pod; 'off' joins nothing.

  Raises:
    ValueError: where only some of the three are given, or any beside 'off'.
  """
  if coordinator or processes or process >= 0:
    if distributed == 'off':
      raise ValueError(
          '--distributed: wanted on, or none of --coordinator, --processes and '
          f'--process beside it, found {distributed!r}.')
    if not (coordinator and processes > 0 and 0 <= process < processes):
      raise ValueError(
          '--coordinator, --processes, --process: wanted all three, such as '
          '--coordinator=HOST:PORT --processes=2 --process=0, found '
          f'{coordinator!r}, {processes}, {process}.')
    jax.distributed.initialize(
        coordinator, num_processes=processes, process_id=process)
  elif distributed == 'on':
    jax.distributed.initialize()
  elif distributed == 'auto' and on_cluster(os.environ):
    jax.distributed.initialize()
    if jax.process_index() == 0:
      console.say_aside(f'{jax.process_count()} processes were started '
                        'together, and train one run; with --distributed=off '
                        'each trains its own')


def collect_less_often() -> None:
  """Lets Python look for dead objects less often.

  Imports and tracing make many that live: to look through them takes a tenth
  to a fifth of their time.
  """
  gc.set_threshold(50_000)


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
