"""Experiments by their names: found, run once, their settings checked."""
from collections.abc import Iterator, Sequence
import contextlib
import os
import pathlib
import re
import sys
import traceback
import types

from absl import flags
import ml_collections

from msg_gan_jax.config import errors, schema, tables
from msg_gan_jax.study.space import Study

DEFAULT = 'quickstart'
FOLDER, STUDIES = 'experiments', os.path.join('experiments', 'studies')


def find(name: str, study: bool = False) -> str:
  """The path of an experiment or a study, from a path or a shipped one's name.

  A study's file is an experiment too: its base.

  Args:
    name: 'quickstart', 'experiments/quickstart.py' or a file of one's own.
    study: whether a study is wanted, whose names an error then has.

  Raises:
    ValueError: there is none; the message names the nearest.
  """
  if os.path.isfile(name):
    return name
  stem = pathlib.Path(name).stem
  for folder in (FOLDER, STUDIES):
    paths = shipped(folder)
    if stem in paths and name in (stem, os.path.join(folder, f'{stem}.py')):
      return paths[stem]
  what, known = ('study', STUDIES) if study else ('experiment', FOLDER)
  raise ValueError(
      f'--config: there is no {what} {name!r}, neither a file nor a '
      f'name; {tables.nearest(stem, shipped(known))}')


def shipped(folder: str = FOLDER) -> dict[str, str]:
  """{name: path} of what ships with the package: of FOLDER, or of STUDIES."""
  here = pathlib.Path(__file__).parent.parent
  for place in (here / folder, here.parent / folder):
    if place.is_dir():
      return {path.stem: str(path) for path in sorted(place.glob('*.py'))
              if path.stem != '__init__'}
  return {}


def check_setting(name: str, value: str | None) -> None:
  """Refuses a --config.name=value that is not in the schema."""
  settings = schema.flatten(schema.Config())
  inside = {k: v for k, v in settings.items()
            if k.startswith(f'{name.partition(".")[0]}.')}
  if name not in settings:
    what = ('a group of settings and not one' if f'{name}.' in {
        k[:len(name) + 1] for k in inside} else 'no such setting')
    raise ValueError(f'--config.{name}: {what}; '
                     f'{_nearest_setting(name, inside or settings)}')
  kind = type(settings[name])
  read = flags.BooleanParser().parse if kind is bool else kind
  try:
    value is None or read(value)
  except ValueError as error:
    raise ValueError(f'--config.{name}: wanted {kind.__name__}, found '
                     f'{value!r}.') from error


def _nearest_setting(name, known):
  """The setting of the same last word in another group, or the nearest."""
  called = called_so(name.rpartition('.')[2])
  if not called:
    return tables.nearest(name, known)
  return (f'did you mean {tables.one_of(called)}? Known: '
          f'{", ".join(sorted(known))}.')


def called_so(name: str) -> list[str]:
  """Settings whose last word is `name`, such as 'train.batch' of 'batch'."""
  return [setting for setting in schema.metadata()
          if setting.rpartition('.')[2] == name.replace('-', '_')]


def setting_of_flag(name: str) -> list[str]:
  """Flags of the settings that a flag may mean: '--config.train.batch'.

  Args:
    name: of a flag that there is not, such as 'batch_size'.
  """
  words = {setting.rpartition('.')[2] for setting in schema.metadata()}
  found = [setting for word in tables.begun(name, words)
           for setting in called_so(word)]
  return [f'--config.{setting}' for setting in found]


def run(path: str, arguments: Sequence[str]) -> ml_collections.ConfigDict:
  """Runs an experiment file; its errors name the line.

  Args:
    path: of the file.
    arguments: of its get_config().

  Raises:
    ValueError: whatever goes wrong in the file.
  """
  module = types.ModuleType(_MODULE)
  module.__file__ = path
  sys.modules[_MODULE] = module  # Classes look for where they are.
  with _naming_lines(path):
    exec(compile(pathlib.Path(path).read_bytes(), path, 'exec'),
         module.__dict__)
    if not callable(getattr(module, 'get_config', None)):
      raise ValueError(f'--config: {path} has no get_config(); wanted one, as '
                       f'in {shipped()[DEFAULT]}.')
    config = module.get_config(*arguments)
  if not isinstance(config, ml_collections.ConfigDict):
    raise ValueError(
        f'--config: {path}: wanted a ConfigDict from get_config(), found '
        f"{config!r:.80}; does it end with 'return config'?")
  return config


def get_study(path: str, arguments: Sequence[str]) -> Study:
  """The Study of a file that `run` has run; its errors name the line.

  Args:
    path: of the file.
    arguments: of its get_study(), which are those of its get_config().

  Raises:
    ValueError: the file is no study, or whatever goes wrong in it.
  """
  make = getattr(sys.modules[_MODULE], 'get_study', None)
  if not callable(make):
    raise ValueError(
        f'--config: {path} has no get_study(): it is an experiment, and no '
        'study; wanted one, as in '
        f'{next(iter(shipped(STUDIES).values()))}.')
  with _naming_lines(path):
    study = make(*arguments)
  if not isinstance(study, Study):
    raise ValueError(
        f'--config: {path}: wanted a Study from get_study(), found '
        f"{study!r:.80}; does it end with 'return Study(...)'?")
  return study


@contextlib.contextmanager
def _naming_lines(path: str) -> Iterator[None]:
  """A context whose errors name the line of an experiment's file."""
  try:
    yield
  except SyntaxError as error:
    raise ValueError(f'--config: {error.filename}, line {error.lineno}: '
                     f'{error.msg}.') from error
  except (Exception, SystemExit) as error:
    lines = [frame.lineno for frame in traceback.extract_tb(
        error.__traceback__) if frame.filename == path]
    if not lines:
      raise
    cause: object = error
    while isinstance(cause, AttributeError | KeyError) and cause.args:
      cause = cause.args[0]  # Or its line breaks would be shown as \\n.
    # ml_collections lists the whole group that lacks a field.
    text = re.sub(r' Other fields present: ".*"\n?', ' ', str(cause)).strip()
    raise ValueError(f'--config: {path}, line {lines[-1]}: '
                     f'{errors.kind(error)}: {text}') from error


_MODULE = 'experiment'  # In sys.modules, while it is the one of --config.
