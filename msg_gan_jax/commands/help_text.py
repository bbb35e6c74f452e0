"""What --help and --version print; neither loads jax."""
from collections.abc import Mapping, Sequence
from importlib import metadata
import os
import platform
import sys
import textwrap
from typing import Any

from absl import flags

from msg_gan_jax.commands import experiments
from msg_gan_jax.config import schema

WIDTH = 80
PROGRAMS = {'launch.py': 'python launch.py',
            '__main__.py': 'python -m msg_gan_jax'}


def of_all(program: str, commands: Mapping[str, Any],
           sections: Mapping[tuple[str, ...], Sequence[str]]) -> list[str]:
  """Lines about all modes: examples, what they do, experiments, flags.

  Args:
    program: sys.argv[0].
    commands: {mode: its module}.
    sections: {modes: names of the flags that they share}; () is every mode.
  """
  name = called(program)
  return [
      f'{name} --config=EXPERIMENT --workdir=RUN --mode=MODE', '',
      *(command.__doc__ for command in commands.values()), '',
      'Examples:',
      *(f'  {name}{command.EXAMPLES[0]}' for command in commands.values()), '',
      *_wrapped(f'Experiments: {", ".join(experiments.shipped())}.'),
      *_wrapped('Studies: '
                f'{", ".join(experiments.shipped(experiments.STUDIES))}.'), '',
      *_wrapped(f'{name} --mode=MODE --help shows the flags of one mode alone, '
                'and of train and inspect all settings.'),
      *_flags(sections, commands)]


def of_mode(mode: str, program: str, commands: Mapping[str, Any],
            sections: Mapping[tuple[str, ...], Sequence[str]],
            settings: bool) -> list[str]:
  """Lines about one mode: examples, its flags and the settings.

  Args:
    mode: a name of `commands`.
    program, commands, sections: see `of_all`.
    settings: whether it takes --config.
  """
  name = called(program)
  mine = {k: v for k, v in sections.items() if not k or mode in k}
  return [
      commands[mode].__doc__, '', 'Examples:',
      *(f'  {name}{example}' for example in commands[mode].EXAMPLES),
      *_flags(mine, commands), *(_settings() if settings else ())]


def version() -> str:
  """Versions of this package, of jax and of Python."""
  ours = sys.modules['msg_gan_jax'].__version__
  return (f'msg_gan_jax {ours}, jax '
          f'{metadata.version("jax")}, Python {platform.python_version()}')


def called(program: str) -> str:
  """How the person called the program, to be called so again."""
  name = os.path.basename(program)
  return PROGRAMS.get(name, name)


def listed(modes: Sequence[str]) -> str:
  """('walk', 'mix') -> '--mode=walk and --mode=mix'."""
  *first, last = (f'--mode={mode}' for mode in modes)
  return f'{", ".join(first)} and {last}' if first else last


def _flags(sections, commands):
  """Flags of all modes, then of one mode each, then of several."""
  place, lines = [*commands].index, []
  for modes in sorted(sections, key=lambda x: (len(x), [*map(place, x)])):
    shown = flags.FlagValues()
    title = f'flags of {listed(modes) if modes else "every mode"}'
    for name in sections[modes]:
      shown[name] = flags.FLAGS[name]
      shown.register_flag_by_module(title, flags.FLAGS[name])
    lines += shown.module_help(title).split('\n')
  return lines


def _settings():
  """Every setting as a flag, with its default and what it means."""
  yield from ('', 'settings (defaults; an experiment sets its own):')
  usual = schema.flatten(schema.Config())
  for name, about in schema.metadata().items():
    yield f'  --config.{name}={usual[name]}'
    yield from _wrapped(about['meaning'], ' ' * 6)


def _wrapped(text, indent=''):
  return textwrap.wrap(text, WIDTH, initial_indent=indent,
                       subsequent_indent=indent)
