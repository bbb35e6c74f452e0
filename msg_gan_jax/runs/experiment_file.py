"""A run's own copy of its experiment file, for the rows that it registers.

The copy is code. It is run only where a row is wanted that nothing else has
registered, and only if it is the file that this user started the run with, and
nobody else can have written it; or if the user says so.
"""
import ast
from collections.abc import Callable, Mapping, Sequence
import hashlib
import os
import pathlib
import re
import stat
import sys
import traceback
import types
from typing import Any, NamedTuple, TypeVar

from msg_gan_jax.config import schema, tables
from msg_gan_jax.files import console, owners
from msg_gan_jax.files.atomic import flush_to_disk, readable, replacing
from msg_gan_jax.runs import config_file, seal
from msg_gan_jax.runs.versions import read_versions

FILE = 'experiment.py'
RECORD = 'experiment'  # The key in an entry of versions.json.
Result = TypeVar('Result')


# Settings that name rows, where a table's place is none, or not all of them.
_SETTINGS = {
    'config.networks.norm': ('networks.g_norm', 'networks.d_norm'),
    'config.networks.weight_norm': (
        'networks.g_weight_norm', 'networks.d_weight_norm'),
    'config.objective.d_weight_penalty': (
        'objective.d_weight_penalty', 'objective.g_weight_penalty'),
    'metrics': ('evaluate.metrics',),
    'protocol': ('evaluate.protocol',),
    'features': ('evaluate.features',),
}


class Ran(NamedTuple):
  """A copy that was run in this process.

  Attributes:
    path: of the copy.
    marks: of what it says, see `_marks`.
  """
  path: pathlib.Path
  marks: frozenset[str]


# By (place of the table, name): the row, and who has registered it.
_RAN: dict[tuple[str, str], tuple[object, Ran]] = {}


def keep(folder: pathlib.Path, experiment: str,
         before: Mapping[str, Any] | None) -> dict[str, Any] | None:
  """Copies an experiment file into the folder of its run.

  Args:
    folder: of the run.
    experiment: FILE or FILE:ARGUMENT that gave the settings; '' is none, and
      what the folder has stays.
    before: what this has returned at the start before.

  Returns:
    The entry for versions.json: 'file', its name, 'argument', a text or None,
    'digest', the SHA-256 of the copy, and 'seal', see `seal`; or None.
  """
  if not experiment:
    return None if before is None else dict(before)
  path, colon, argument = experiment.partition(':')
  content = pathlib.Path(path).read_bytes()
  with replacing(folder / FILE) as temporary:
    with open(temporary, 'xb', opener=readable) as file:
      file.write(content)
      flush_to_disk(file)
  digest = hashlib.sha256(content).hexdigest()
  return {'file': os.path.basename(path),
          'argument': argument if colon else None,
          'digest': digest, 'seal': seal.of(digest)}


def recorded(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
  """What `keep` returned at the last start on record, or None."""
  record = entries[-1].get(RECORD) if entries else None
  return record if isinstance(record, dict) else None


def with_rows(workdir: str | os.PathLike, make: Callable[[], Result],
              trust_code: bool = False,
              say: Callable[[str], Any] = console.say_aside) -> Result:
  """What `make()` returns; where it misses a row, after the run's own file.

  Args:
    workdir: the run's folder.
    make: looks up rows that the settings of the run name.
    trust_code: whether to run the file whoever may have written it.
    say: gets a line where the file is run.

  Raises:
    ValueError: a row is missing, and the run has no such file, or it may not
      be run, fails, or does not have the row; or another run's file has
      registered a row of the same name in this process.
  """
  folder = config_file.absolute(workdir)
  record = recorded(read_versions(folder / 'versions.json', mend=False)) or {}
  _refuse_rows_of_others(folder, record)
  try:
    return make()
  except tables.MissingRowError as error:
    _run(folder, record, str(error), trust_code, say)
  try:
    return make()
  except tables.MissingRowError as error:
    raise ValueError(
        f'{error} {folder / FILE} was run, and does not have it.') from error


def setting_of_row(config: schema.Config, place: str, name: str) -> str:
  """The setting of a run that names a row, such as 'networks.phi', or ''.

  Args:
    config: of the run.
    place: of the row's table.
    name: of the row.
  """
  values = schema.flatten(config)
  for setting in _SETTINGS.get(place, (place.removeprefix('config.'),)):
    # Several metrics, or features with a tap.
    if name in re.split(r'\s*[,:]\s*', str(values.get(setting)).strip()):
      return setting
  return ''


def _refuse_rows_of_others(folder, record):
  """Raises where a setting of this run names a row of another file."""
  known = tables.rows()
  ran = {key: who for key, (row, who) in _RAN.items()
         if known.get(key, known) is row}
  if not ran or not (folder / 'config.json').is_file():
    return
  own = {record.get('digest')}
  try:
    own |= _marks(_read(folder)[0])
  except OSError:
    pass  # No copy; what is wrong with one is told where it is run.
  config, _ = config_file.read_config(folder)
  for (place, name), who in ran.items():
    setting = setting_of_row(config, place, name)
    if setting and own.isdisjoint(who.marks):
      raise ValueError(
          f'workdir {folder}: config.{setting} names {name!r}, which is by now '
          f'a row of another file, {who.path}. Wanted a process for each run; '
          'scored by a command each, with the same out=FOLDER, their scores '
          'lie in one file.')


def _marks(content):
  """Digests of a file: of its bytes, and of its code without comments."""
  marks = {hashlib.sha256(content).hexdigest()}
  try:
    code = ast.dump(ast.parse(content))
  except (SyntaxError, ValueError):
    return marks
  return marks | {hashlib.sha256(code.encode()).hexdigest()}


def _run(folder, record, missing, trust_code, say):
  """Runs the copy, as a start does: its lines, and then get_config."""
  path = folder / FILE
  try:
    content, doubt = _read(folder)
  except FileNotFoundError:
    raise ValueError(
        f'{missing} The run in {folder} keeps no copy of an experiment that '
        'could have it, as one that is begun in Python does not; import the '
        'module that registers it first, and then load the run.') from None
  digest = hashlib.sha256(content).hexdigest()
  if not doubt and digest != record.get('digest'):
    doubt = 'it is not the file that the run was started with'
  if not doubt and not seal.is_ours(digest, str(record.get('seal'))):
    doubt = ('the run is not one that you have started here, with the key '
             f'{seal.key_file()}')
  if doubt and not trust_code:
    raise ValueError(
        f'{missing} {path} may have it, but is not run: {doubt}. Read it, and '
        'if it does no harm, say so: trust_code=True.')
  say(f'{path} is run, for a row that is missing without it: '
      f'{missing.partition(";")[0]}')
  before, who = tables.rows(), Ran(path, frozenset(_marks(content)))
  try:
    _execute(path, content, digest, record.get('argument'))
  finally:  # What fails may have registered some.
    _RAN.update({key: (row, who) for key, row in tables.rows().items()
                 if before.get(key, before) is not row})


def _execute(path, content, digest, argument):
  """Runs lines and get_config(argument); an error names its line."""
  module = types.ModuleType(f'msg_gan_jax_experiment_{digest[:16]}')
  module.__file__ = str(path)
  sys.modules[module.__name__] = module  # Where dataclasses look for it.
  try:
    exec(compile(content, str(path), 'exec'), module.__dict__)
    if callable(get_config := getattr(module, 'get_config', None)):
      get_config(*() if argument is None else (argument,))
  except (Exception, SystemExit) as error:
    lines = [error.lineno] if isinstance(error, SyntaxError) else [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(path)]
    hint = ('; put the folder of that module on PYTHONPATH'
            if isinstance(error, ModuleNotFoundError) else '')
    raise ValueError(
        f'{path}, line {lines[-1] if lines else "?"}: {type(error).__name__}: '
        f'{error}{hint}') from error


def _read(folder):
  """(content of the copy, why others may have written it, or '').

  What is looked at and what is read is one open file in one open folder:
  nothing can take its place in between.

  Raises:
    FileNotFoundError: there is none.
  """
  if not hasattr(os, 'geteuid'):  # Windows.
    return (folder / FILE).read_bytes(), owners.doubt(folder / FILE)
  above = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
  try:
    name = os.stat(FILE, dir_fd=above, follow_symlinks=False)
    # No waiting for the other end of a pipe.
    with open(os.open(FILE, os.O_RDONLY | os.O_NONBLOCK, dir_fd=above),
              'rb') as file:
      facts = os.fstat(file.fileno())
      doubt = (owners.doubt(folder, os.fstat(above))
               or owners.doubt(folder / FILE, facts)
               or ('' if os.path.samestat(name, facts) and stat.S_ISREG(
                   facts.st_mode) else 'it is a link, or no plain file'))
      return (file.read() if stat.S_ISREG(facts.st_mode) else b''), doubt
  finally:
    os.close(above)
