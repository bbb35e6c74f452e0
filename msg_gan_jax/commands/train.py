"""--mode=train: trains an experiment, or continues a run."""
from absl import flags

from msg_gan_jax.commands import shared_flags as shared


class Together(flags.ArgumentParser):
  """Reads auto, on or off; a flag without a value is on, and off after 'no'."""
  enum_values = 'auto', 'on', 'off'

  def parse(self, argument: str) -> str:
    """One of the three, or the word that absl puts where none is given."""
    value = {'true': 'on', 'false': 'off'}.get(argument, argument)
    if value not in self.enum_values:
      raise ValueError('value should be one of <auto|on|off>')
    return value


class OfThree(flags.Flag):
  """A flag that may stand alone, and whose help has its value all the same."""

  def _get_parsed_value_as_string(self, value: str | None) -> str | None:
    return None if value is None else repr(value)


SHARED: shared.Flags = (
    shared.CONFIG, shared.TRUST_CODE, shared.DRY_RUN)
EXAMPLES: shared.Examples = (
    '',
    ' --config=own_pictures --config.data.path=DIR --dry_run',
    ' --config=own_pictures --config.data.path=DIR',
    ' --config=mine.py --workdir=runs/a --config.train.batch=64',
)
INIT_FROM = flags.DEFINE_string(
    'init_from', '', 'Another run whose weights are the start; which of them: '
    '--config.train.init_parts.')
INIT_IMAGES = flags.DEFINE_string(
    'init_images', '', 'Which checkpoint of --init_from: newest, best, or '
    'images shown, such as 100000; newest if not given.')
FROM_IMAGES = flags.DEFINE_integer(
    'from_images', None, 'Begin a branch of --init_from in the new folder '
    '--workdir: all of that run as it was at a checkpoint of so many images, '
    'from which it goes on.', lower_bound=1)
DISTRIBUTED = flags.DEFINE_flag(OfThree(
    Together(), None, 'distributed', 'auto', 'auto, on or off: whether this '
    'process trains together with others. auto sees those of srun and mpirun; '
    'TPU pods need on, which --distributed alone is too; off lets each train '
    'a run of its own.', boolean=True))
COORDINATOR = flags.DEFINE_string(
    'coordinator', '', 'HOST:PORT of the first of several processes, '
    'where jax cannot find it.')
PROCESSES = flags.DEFINE_integer(
    'processes', 0, 'How many processes there are.')
PROCESS = flags.DEFINE_integer(
    'process', -1, 'Which of them this one is, from 0.')
PATIENCE = flags.DEFINE_float(
    'patience_seconds', 60., 'Where another process of the run is not heard '
    'from for so long, this one ends, with status 75.')
STOP = flags.DEFINE_float(
    'stop_seconds', 30., 'How long a checkpoint may take after a signal; then '
    'the run ends without it. Not after Ctrl-C. 0 is no limit.')


def run() -> int:
  """Trains; what the exit status means is in docs/guide/training.md."""
  from msg_gan_jax.commands.processes import collect_less_often, join
  from msg_gan_jax.config import errors
  config = shared.config(_beginning())
  workdir = shared.new_run()
  join(COORDINATOR.value, PROCESSES.value, PROCESS.value, DISTRIBUTED.value,
       PATIENCE.value, workdir)
  collect_less_often()
  if FROM_IMAGES.value and not shared.DRY_RUN.value:
    from msg_gan_jax.runs import branch
    branch.begin(workdir, INIT_FROM.value, FROM_IMAGES.value, config)
  if not shared.experiment_file():
    _register_rows(workdir, _look_up)
  if config.train.init_from and shared.TRUST_CODE.value:
    from msg_gan_jax.gan.build import build_to_draw
    with errors.naming(workdir='config.train.init_from'):
      _register_rows(config.train.init_from, build_to_draw)
  if shared.DRY_RUN.value:
    from msg_gan_jax.commands import dry_run
    from msg_gan_jax.runs.config_file import as_begun
    shared.say_what_is_read_as_before()
    dry_run.dry_run(as_begun(config, workdir), f'{workdir}.contact_sheet.png')
    return 0
  from msg_gan_jax.training import loop, stop
  with stop.Deadline(STOP.value, workdir):
    return stop.exit_status(loop.train(
        config, workdir, experiment=shared.experiment_file()))


def _beginning():
  """Settings that say what the run begins with."""
  for flag, needed in ((INIT_IMAGES, [INIT_FROM]),
                       (FROM_IMAGES, [INIT_FROM, shared.WORKDIR])):
    if lacking := [x.name for x in needed if flag.value and not x.value]:
      raise ValueError(f'--{flag.name}: means nothing without --{lacking[0]}.')
  if FROM_IMAGES.value and INIT_IMAGES.value:
    raise ValueError('--init_images: means nothing beside --from_images, which '
                     'begins with all of a run and not with its weights.')
  given = {'train.init_from': INIT_FROM.value,
           'train.init_images': INIT_IMAGES.value}
  return {} if FROM_IMAGES.value else {
      name: value for name, value in given.items() if value}


def _register_rows(run, look_up):
  """Sees to it that `look_up(Config)` finds the rows that a run names."""
  from msg_gan_jax.runs import config_file, experiment_file
  config = config_file.load_config(run)
  experiment_file.with_rows(
      run, lambda: look_up(config), shared.TRUST_CODE.value)


def _look_up(config):
  """Looks up all rows that training needs."""
  from msg_gan_jax.data.sources import SOURCES
  from msg_gan_jax.gan.build import build
  from msg_gan_jax.training import scorer
  SOURCES.check(config.data.name)
  scorer.check(config.evaluate)
  build(config)
