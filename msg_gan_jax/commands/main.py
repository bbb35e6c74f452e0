"""python launch.py --config=EXPERIMENT --workdir=RUN --mode=COMMAND"""
import logging
import os
import re
import sys
from typing import NoReturn, Protocol

from absl import app, flags

from msg_gan_jax.commands import (
  arithmetic,
  checkpoints,
  command_line,
  compare,
  completion,
  directions,
  evaluate,
  experiments,
  failed_step,
  help_text,
  inspect_data,
  library_warnings,
  linear_probe,
  look,
  mix,
  project,
  report,
  sample,
  study,
  study_analyse,
  study_status,
  timelapse,
  train,
  truncate,
  walk,
  watch,
  which_config,
)
from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.commands.memory import (
  keep_memory,
  start_again_with_tunables,
)
from msg_gan_jax.commands.vectors import avoid_slow_sort
from msg_gan_jax.config import errors, tables
from msg_gan_jax.files import console, disk
from msg_gan_jax.runs import member


class Command(Protocol):
  """A file of this folder; its docstring is what --help says of it.

  Attributes:
    SHARED: flags of `shared_flags` that it takes, besides those it defines.
    EXAMPLES: what stands behind the name of the program, the simplest first.
  """
  __name__: str
  __doc__: str | None
  SHARED: shared.Flags
  EXAMPLES: shared.Examples

  def run(self) -> int:
    """Does it, and prints what it wrote; returns the exit status."""


# A new command is a file, and a row here.
COMMANDS: dict[str, Command] = {
    'train': train,
    'sample': sample,
    'evaluate': evaluate,
    'inspect': inspect_data,
    'walk': walk,
    'timelapse': timelapse,
    'mix': mix,
    'truncate': truncate,
    'arithmetic': arithmetic,
    'directions': directions,
    'project': project,
    'look': look,
    'linear_probe': linear_probe,
    'checkpoints': checkpoints,
    'report': report,
    'compare': compare,
    'watch': watch,
    'failed_step': failed_step,
    'study': study,
    'study_status': study_status,
    'study_analyse': study_analyse,
}
WITHOUT_JAX = 'inspect', 'timelapse', 'watch'  # It takes a second to load.

_MODE = flags.DEFINE_enum('mode', 'train', [*COMMANDS], 'What to do.')
_DEBUG = flags.DEFINE_bool(
    'debug', False, 'Show the traceback of an error, and notes on compiling.')


def run() -> None:
  """The console script."""
  if completion.is_asked():
    return completion.answer(_flags_for(os.environ.get('COMP_LINE', '')))
  start_again_with_tunables()
  keep_memory()
  avoid_slow_sort()
  app.run(main, flags_parser=_parse)


def main(argv: list[str]) -> NoReturn:
  """Does what the flags say, and exits; mistakes are told in one line."""
  del argv
  try:
    status = _call()
    member.leave(status)
    sys.exit(status)
  except KeyboardInterrupt:
    member.leave(130, 'interrupted')
    _fail('interrupted.' + (
        ' The same command continues from the last checkpoint, or, before '
        'there is one, begins anew.' if _MODE.value in ('train', 'study')
        and not shared.DRY_RUN.value else ''), 130)
  except Exception as error:  # for people; --debug shows it whole
    member.leave(1, _text(error), None if _DEBUG.value else error)
    if _DEBUG.value:
      raise
    _fail(_text(error))


def _call():
  """Runs the command; returns the exit status."""
  if _DEBUG.value:  # Warnings then show their place, too.
    logging.getLogger('msg_gan_jax').setLevel(logging.DEBUG)
  else:
    library_warnings.tell()
  _check_mode()
  if shared.WORKDIR.value == '':
    raise ValueError("--workdir: wanted a folder, found ''.")
  if _MODE.value not in WITHOUT_JAX:
    _set_up_jax()
  return COMMANDS[_MODE.value].run()


def flags_of(mode: str) -> set[str]:
  """Names of the flags that a mode takes, without those of every mode."""
  command = COMMANDS[mode]
  defined = flags.FLAGS.get_flags_for_module(command.__name__)
  return {flag.name for flag in defined} | {
      flag.name for flag in command.SHARED}


def _takes_config(mode):
  return mode in COMMANDS and shared.CONFIG.name in flags_of(mode)


def _check_mode():
  """Refuses flags of other modes alone: they would do nothing."""
  given = {word.lstrip('-').partition('=')[0].partition('.')[0]
           for word in sys.argv[1:] if word.startswith('-')}
  for word in sorted(given):
    # --noscales is --scales=false; no flag of ours begins with 'no'.
    modes = _modes_of(word.removeprefix('no'))
    if modes and _MODE.value not in modes:
      setting = experiments.called_so(word)
      # A run that is there may not change it.
      hint = f' Did you mean --config.{setting[0]}?' if (
          setting and 'config' in flags_of(_MODE.value)
          and not which_config.earlier_run(sys.argv[1:], _takes_config)) else ''
      raise ValueError(f'--{word}: a flag of {help_text.listed(modes)}; this '
                       f'is --mode={_MODE.value}.{hint}')


def _flags_for(line):
  """Names of the flags of the mode that a line of the shell has."""
  mode = (re.findall(r'--mode[= ](\w+)', line) or [_MODE.default])[-1]
  return [name for name in _own_flags()
          if not (modes := _modes_of(name)) or mode in modes]


def _modes_of(flag):
  """The modes that take a flag; () of one that belongs to every mode."""
  return tuple(mode for mode in COMMANDS if flag in flags_of(mode))


def _set_up_jax():
  """The compilation cache, so that a second start is a fast one."""
  if not _DEBUG.value:
    # XLA's own alarms, as of folding constants for more than a second, are for
    # its authors, in forty lines. Errors that end a program are raised as well.
    os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
  import jax

  from msg_gan_jax.files import cache
  if not jax.config.jax_compilation_cache_dir:
    folder, why = cache.of_programs()
    if why:
      console.say_aside(
          f'Compiled programs are neither kept nor taken from {folder}: {why}.')
    else:
      jax.config.update('jax_compilation_cache_dir', folder)
  jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.)
  jax.config.update('jax_persistent_cache_min_entry_size_bytes', -1)


def _parse(argv):
  """argv -> what is left after the flags; mistakes in one line."""
  try:
    if {'-h', '-help', '--help'} & set(argv[1:]):
      for line in _help(argv):
        console.say(line)
      sys.exit(0)
    if {'-version', '--version'} & set(argv[1:]):
      console.say(help_text.version())
      sys.exit(0)
    ordered = [argv[0], *which_config.with_config(
        argv[1:], _takes_config)]
    with command_line.shown(ordered):
      left = flags.FLAGS(ordered)
    if len(left) > 1:
      raise ValueError(
          f'{left[1]}: not a flag; did you mean --config={left[1]}?')
    if not flags.FLAGS['verbosity'].present:
      # Or absl shows all that jax and orbax note for themselves.
      flags.FLAGS.verbosity = -1
    return left
  except Exception as error:
    if {'-debug', '--debug'} & set(argv):
      raise
    _fail(_text(error))


def _help(argv):
  """Lines about the mode that is given, or about all."""
  mode = command_line.values(argv[1:]).get('mode', '')
  sections: dict[tuple[str, ...], list[str]] = {}
  for name in _own_flags():
    sections.setdefault(_modes_of(name), []).append(name)
  if mode not in COMMANDS:
    return help_text.of_all(argv[0], COMMANDS, sections)
  return help_text.of_mode(
      mode, argv[0], COMMANDS, sections, _takes_config(mode))


def _text(error):
  """An error as a person should read it."""
  if isinstance(error, flags.UnrecognizedFlagError):
    return _unknown_flag(error.flagname)
  text = str(error).strip() or type(error).__name__
  if disk.says_so_itself(error):
    place = next((value for flag in (shared.OUT, shared.WORKDIR) if (
        value := flags.FLAGS[flag.name].value)), os.curdir)
    told = disk.told(error, place)
    text = f'{text} {told}' if isinstance(error, ValueError) else told
  if isinstance(error, flags.IllegalFlagValueError):
    text = command_line.illegal_value(text)
  # The library names arguments, which are called as the flags are.
  modes = {flags.FLAGS[_MODE.name].value, *re.findall(r'\bmode=(\w+)', text)}
  text = errors.renamed(text, {
      name: f'--{name}' for name in _own_flags()
      if not (of := _modes_of(name)) or modes & {*of}})
  text = (errors.as_flags if modes & {*_modes_of(shared.CONFIG.name)} else
          errors.without_settings)(text)
  expected = isinstance(error, ValueError | OSError | flags.Error) or (
      disk.says_so_itself(error))
  if expected or type(error) is KeyError:
    return text
  return f'{type(error).__name__}: {text}'


def _unknown_flag(name):
  """What is said of a flag that there is not: flags come before settings."""
  own = _own_flags()
  settings = experiments.setting_of_flag(name)
  if settings and not tables.begun(name, own):
    return (f'--{name}: no such flag; did you mean '
            f'{" or ".join(settings)}? --mode=train --help lists the settings.')
  return f'--{name}: no such flag; {tables.nearest(name, own)}'


def _own_flags():
  """Names of the flags of this program, without settings."""
  by_module = flags.FLAGS.flags_by_module_dict()
  modules = __name__, shared.__name__, *(
      command.__name__ for command in COMMANDS.values())
  return sorted(flag.name for module in modules
                for flag in by_module.get(module, ()) if '.' not in flag.name)


def _fail(text: str, status: int = 1) -> NoReturn:
  first, *more = text.split('\n')
  console.say_aside(f'error: {first}')
  for line in more:  # Not one of them can pass for an error of its own.
    console.say_aside(line if line.startswith(' ') else f'  {line}')
  if not text.startswith('interrupted'):
    console.say_aside('(--debug shows where)')
  sys.stdout.flush()
  sys.exit(status)
