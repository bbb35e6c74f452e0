"""--mode=train: trains an experiment, or continues a run."""
from absl import flags

from msg_gan_jax.commands import shared_flags as shared

SHARED: shared.Flags = (shared.CONFIG,)
INIT_FROM = flags.DEFINE_string(
    'init_from', '', 'Another run whose weights are the start; which of them: '
    '--config.train.init_parts.')
DRY_RUN = flags.DEFINE_bool(
    'dry_run', False, 'Only show shapes and data, and then, compiled, '
    'arithmetic and memory.')
DISTRIBUTED = flags.DEFINE_bool(
    'distributed', False, 'Join the processes of the other hosts; needed on '
    'TPU pods, seen by itself on SLURM and Open MPI.')
COORDINATOR = flags.DEFINE_string(
    'coordinator', '', 'HOST:PORT of the first of several processes, '
    'where jax cannot find it.')
PROCESSES = flags.DEFINE_integer(
    'processes', 0, 'How many processes there are.')
PROCESS = flags.DEFINE_integer(
    'process', -1, 'Which of them this one is, from 0.')


def run() -> int:
  """Trains; the exit status is 128 and its number if a signal ended it."""
  from msg_gan_jax.commands.processes import collect_less_often, join
  from msg_gan_jax.config import schema
  if INIT_FROM.value:
    shared.CONFIG.value.train.init_from = INIT_FROM.value
  config = schema.parse(shared.CONFIG.value)
  workdir = shared.new_run()
  join(COORDINATOR.value, PROCESSES.value, PROCESS.value, DISTRIBUTED.value)
  collect_less_often()
  if DRY_RUN.value:
    from msg_gan_jax.commands import dry_run
    from msg_gan_jax.runs.config_file import as_begun
    shared.say_what_is_read_as_before()
    dry_run.dry_run(as_begun(config, workdir), f'{workdir}.contact_sheet.png')
    return 0
  from msg_gan_jax.training import loop
  signal_number = loop.train(config, workdir)
  return 128 + signal_number if signal_number else 0
