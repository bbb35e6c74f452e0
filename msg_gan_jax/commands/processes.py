"""How the processes of a run find each other, and what each one sets up."""
from collections.abc import Mapping
import gc
import os
import socket
from typing import Any

import jax

from msg_gan_jax.arrays.mesh import connect_all, data_mesh
from msg_gan_jax.files import console
from msg_gan_jax.runs import member, relay
from msg_gan_jax.runs.hub import Hub
from msg_gan_jax.runs.processes import meet


def join(coordinator: str = '', processes: int = 0, process: int = -1,
         distributed: str = 'auto', patience: float = 60.,
         run: str = '') -> None:
  """Joins the other processes of a run, where there are any.

  Args:
    coordinator, processes, process: the address of the first process, the
      number of all, and this one's number, where jax cannot find them.
    distributed: 'auto' sees from the environment what srun and mpirun started
      together, and says so; 'on' where jax has to ask the machine, as on a TPU
      pod; 'off' joins nothing.
    patience: seconds after which another process that hangs counts as gone;
      see runs.member.
    run: the run's folder, to say what was saved last.

  Raises:
    ValueError: where only some of the three are given, or any beside 'off'; a
      patience that is too short; what the processes disagree about.
    TimeoutError: some processes did not come.
  """
  if patience < 5:
    raise ValueError(
        f'--patience_seconds: wanted at least 5, found {patience:g}.')
  given: tuple[Any, ...] = coordinator, processes, process
  if coordinator or processes or process >= 0:
    if distributed == 'off':
      raise ValueError(
          '--distributed: wanted on, or none of --coordinator, --processes and '
          f'--process beside it, found {distributed!r}.')
    if not (':' in coordinator and processes > 0 and 0 <= process < processes):
      raise ValueError(
          '--coordinator, --processes, --process: wanted all three, such as '
          '--coordinator=HOST:PORT --processes=2 --process=0, found '
          f'{coordinator!r}, {processes}, {process}.')
  elif distributed == 'on' or (
      distributed == 'auto' and on_cluster(os.environ)):
    given = None, None, None
  else:
    return
  address, number, own, devices = _found(*given)
  _join(address, number, own, devices, patience, run)
  if not coordinator and distributed == 'auto' and jax.process_index() == 0:
    console.say_aside(f'{jax.process_count()} processes were started '
                      'together, and train one run; with --distributed=off '
                      'each trains its own')


def _found(coordinator, processes, process):
  """(coordinator, processes, process, local devices) by what jax can see."""
  from jax._src import clusters
  coordinator = coordinator or os.environ.get('JAX_COORDINATOR_ADDRESS')
  devices = os.environ.get('JAX_LOCAL_DEVICE_IDS')
  found = clusters.ClusterEnv.auto_detect_unset_distributed_params(
      coordinator, processes, process,
      [int(x) for x in devices.split(',')] if devices else None, None, 300)
  if None in found[:3]:
    raise ValueError(
        '--distributed=on: jax sees no cluster here. Wanted all three of '
        '--coordinator=HOST:PORT, --processes=2 and --process=0.')
  return found


def _join(coordinator, processes, process, devices, patience, run):
  """Begins what watches the processes, and then jax's own service.

  The latter aborts all processes once one is silent for its patience, which is
  a year therefore: whoever is silent is the business of runs.member.
  """
  host, _, port = coordinator.rpartition(':')
  if process == 0:
    with socket.create_server(('127.0.0.1', 0)) as server:
      service = server.getsockname()[1]
    try:
      Hub(int(port), processes, patience, member.JOINING, service)
    except OSError as error:
      raise ValueError(
          f'--coordinator: process 0 cannot hear at port {port}: {error}. '
          'Another program has it, or a process of this run that was stopped; '
          'end that, or choose another port in all commands.') from None
  one = member.join((host.strip('[]'), int(port)), processes, process, patience,
                    run)
  port = one.service if process == 0 else relay.open_port(one.connect)
  jax.config.update('jax_enable_preemption_service', False)
  jax.distributed.initialize(
      f'127.0.0.1:{port}', processes, process, local_device_ids=devices,
      cluster_detection_method='deactivate',
      coordinator_bind_address=f'127.0.0.1:{port}',
      heartbeat_timeout_seconds=365 * 24 * 3600)
  connect_all(data_mesh())
  meet('joined')  # The same of process and process.


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
