"""Which settings a command line means: --config, or those of a run or study."""
from collections.abc import Callable
import os

from msg_gan_jax.commands import (
  command_line,
  experiments,
  own_config,
  own_study,
)
from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.config import schema
from msg_gan_jax.files import console
from msg_gan_jax.runs.config_file import load_config, near_run
from msg_gan_jax.study.storage import JOURNAL

Takes = Callable[[str], bool]


def with_config(argv: list[str], takes_config: Takes) -> list[str]:
  """Resolves --config's name, puts it first, and checks --config.x=value.

  Args:
    argv: words of the command line, without the program.
    takes_config: tells of a mode whether it takes --config.

  Returns:
    The words, of which the first loads the settings.

  Raises:
    ValueError: no such experiment, setting, run or study.
  """
  name, rest = '', []
  words = iter(argv)
  for word in words:
    flag, equals, value = word.lstrip('-').partition('=')
    if not word.startswith('-'):
      rest.append(word)
    elif flag == 'config':
      name = value if equals else next(words, '')
      if not name:
        raise ValueError('--config: wanted an experiment, such as '
                         f'--config={experiments.DEFAULT}, found nothing.')
    elif flag.startswith(('config.', 'noconfig.')):
      start, _, setting = flag.partition('.')
      setting = schema.present_name(setting)
      experiments.check_setting(setting, value if equals else None)
      rest.append(f'--{start}.{setting}{equals}{value}')
    else:
      rest.append(word)
  if not name and (run := earlier_run(rest, takes_config)):
    load_config(run)  # For an error that is about the run.
    return [shared.EXPERIMENT.load(own_config.__file__, [run]), *rest]
  values = command_line.values(rest)
  if not name and (stored := _earlier_study(values)):
    return [shared.EXPERIMENT.load(own_study.__file__, stored), *rest]
  if not name and values.get('mode') == 'study':
    raise ValueError(
        '--config: which study? Give one, such as --config=landscape_small '
        '(--help lists them), or --workdir of one that has begun.')
  if not name:
    _say_what_begins(values)
  path, colon, argument = (name or experiments.DEFAULT).partition(':')
  path = experiments.find(path, values.get('mode') == 'study')
  return [shared.EXPERIMENT.load(path, [argument] if colon else []), *rest]


def _earlier_study(values):
  """Arguments of own_study, if --workdir or --storage has a study to go on."""
  folder = os.path.expanduser(values.get('workdir', ''))
  address = values.get('storage', '')
  if values.get('mode') == 'study' and (address or os.path.isfile(
      os.path.join(folder, JOURNAL))):
    return [folder, address, values.get('study_name', '')]
  return []


def earlier_run(words: list[str], takes_config: Takes) -> str:
  """The folder of --workdir, if it is of a run that this mode reads; or ''.

  Args:
    words, takes_config: as of `with_config`.
  """
  values = command_line.values(words)
  # A branch goes on as the run that it is of, before it is there itself.
  runs = [os.path.expanduser(values.get(name, '')) for name in (
      'workdir', *['init_from'] * ('from_images' in values))]
  uses_config = takes_config(values.get('mode', 'train'))
  return next((run for run in runs if uses_config and os.path.isfile(
      os.path.join(run, 'config.json'))), '')


def _say_what_begins(values):
  """Says that training begins in a new folder: its name may be mistyped."""
  run = os.path.expanduser(values.get('workdir', ''))
  if run and not os.path.exists(run) and values.get('mode', 'train') == 'train':
    console.say_aside(f'{run} is a new folder: the experiment '
                     f'{experiments.DEFAULT} begins there.{near_run(run)}')
