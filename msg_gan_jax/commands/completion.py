"""Completion in the shell, by argcomplete where that is installed.

argcomplete asks a program in the middle of a line, and reads the answer from
an argparse parser: this one mirrors the flags, which are absl's, and settings.
"""
import argparse
from collections.abc import Iterable
import os
import sys
from typing import Any

from absl import flags

from msg_gan_jax.commands import experiments
from msg_gan_jax.config import schema
from msg_gan_jax.files import optional

ASKED = '_ARGCOMPLETE'  # In the environment of a program that shall answer.
SETTING = '--config.'


def is_asked() -> bool:
  """Whether a shell asks, in place of somebody who wants a command."""
  return ASKED in os.environ


def answer(names: Iterable[str]) -> None:
  """Tells the shell how its line may go on, and ends the process.

  Args:
    names: of the flags that the line may have; 'config' brings the settings.
  """
  line = os.environ.get('COMP_LINE', '')
  try:
    argcomplete: Any = optional.require('argcomplete', 'completion')
  except ValueError:
    sys.exit(1)  # The shell has asked, and would show a text as an answer.
  argcomplete.autocomplete(
      parser(names, line.rpartition(' ')[2]), always_complete_options='long')


def parser(names: Iterable[str], word: str) -> argparse.ArgumentParser:
  """The flags of these names, with the values that are few, for argcomplete.

  Args:
    names: see `answer`.
    word: what is typed so far; the settings, which are many, are there where
      it begins as theirs do.
  """
  made = argparse.ArgumentParser(allow_abbrev=False)  # It has --help.
  made.add_argument('--version', action='store_true')
  for name in names:
    flag = flags.FLAGS[name]
    values = getattr(flag.parser, 'enum_values', None)
    if name == 'config':
      values = [*experiments.shipped(),
                *experiments.shipped(experiments.STUDIES)]
    made.add_argument(f'--{name}', nargs='?' if flag.boolean else None,
                      choices=values and [*values], help=flag.help)
    if flag.boolean:
      made.add_argument(f'--no{name}', action='store_true')
  if 'config' in names and word.startswith(SETTING):
    usual = schema.flatten(schema.Config())
    for name, about in schema.metadata().items():
      values = about['one_of'] or (
          ('true', 'false') if isinstance(usual[name], bool) else None)
      made.add_argument(SETTING + name, choices=values, help=about['meaning'])
  return made
