"""absl flags -> one call.  python launch.py --config=... --workdir=..."""
import os
import pathlib
import re
import runpy
import sys
import traceback

from absl import app, flags
import ml_collections
from ml_collections import config_flags

from msg_gan_jax.config import errors, schema, tables

MODES = ('train', 'sample', 'evaluate', 'inspect', 'walk', 'mix', 'truncate',
         'project')
_LATENTS = {'count', 'seed', 'z_file', 'labels', 'weights', 'cutoff', 'out'}
# Flags that are not here, as --workdir, belong to every mode.
FLAGS_OF = {
    'train': {'config', 'init_from', 'dry_run', 'coordinator', 'processes',
              'process', 'distributed'},
    'sample': _LATENTS | {'psi', 'separate', 'scales'},
    'evaluate': {'real', 'fake', 'metrics', 'protocol', 'features',
                 'weights_file', 'checkpoints', 'count', 'seed', 'weights',
                 'psi', 'cutoff', 'resolution', 'out'},
    'inspect': {'config', 'out'},
    'walk': _LATENTS | {'psi', 'w_file', 'scales', 'seconds', 'fps', 'space',
                        'way', 'loop'},
    'mix': _LATENTS | {'psi', 'w_file', 'rows', 'crossovers'},
    'truncate': _LATENTS | {'psi', 'w_file'},
    'project': {'pictures', 'steps', 'seed', 'labels', 'weights', 'out'}}

_ARGV = []  # The command line as `_parse` has put it in order.
_CONFIG = config_flags.DEFINE_config_file(
    'config', None, 'An experiment: a file, or the name of one that ships '
    'with the package. Single settings: --config.train.batch=64.',
    sys_argv=_ARGV)
_WORKDIR = flags.DEFINE_string(
    'workdir', None, "The run's folder; runs/<experiment> where not given.")
_MODE = flags.DEFINE_enum('mode', 'train', MODES, 'What to do.')
_INIT_FROM = flags.DEFINE_string(
    'init_from', '', 'Another run whose weights are the start; which of them: '
    '--config.train.init_parts.')
_DRY_RUN = flags.DEFINE_bool(
    'dry_run', False, 'Only show shapes, data, arithmetic and memory.')
_DEBUG = flags.DEFINE_bool('debug', False, 'Show the traceback of an error.')
_DISTRIBUTED = flags.DEFINE_bool(
    'distributed', False, 'Join the processes of the other hosts; needed on '
    'TPU pods, seen by itself on SLURM and Open MPI.')
_COORDINATOR = flags.DEFINE_string(
    'coordinator', '', 'HOST:PORT of the first of several processes, '
    'where jax cannot find it.')
_PROCESSES = flags.DEFINE_integer('processes', 0, 'How many there are.')
_PROCESS = flags.DEFINE_integer('process', -1, 'Which one this is, from 0.')
flags.DEFINE_integer(
    'count', None, 'How many pictures (sample: 64; evaluate: what the protocol '
    'says), latents on the way (walk: 6), sources on top (mix: 6), rows '
    '(truncate: 6).', lower_bound=1)
flags.DEFINE_integer(
    'seed', 0, "Seed of the latents; evaluate: training's own if not given.")
flags.DEFINE_string(
    'z_file', '', 'Latents [n, latent] in a .npy file, not drawn.')
flags.DEFINE_string(
    'w_file', '', 'walk, mix, truncate: styles [n, w] in a .npy file, as '
    '--mode=project writes them, in place of latents.')
flags.DEFINE_string(
    'labels', '', "Classes, as '3' or '0,4,7'; all in turn if not given.")
flags.DEFINE_enum(
    'weights', 'ema', ('ema', 'raw'), 'Averaged, or in training; evaluate: '
    'what the protocol says, if not given.')
flags.DEFINE_string(
    'psi', '', 'Truncation of networks with a mapping: styles are drawn to '
    "their mean by it; 1 is not at all. truncate: the columns, as '1,.5,0'.")
flags.DEFINE_integer(
    'cutoff', None, 'Only in the first so many layers.', lower_bound=1)
flags.DEFINE_bool(
    'separate', False, 'sample: also one file a picture.')
flags.DEFINE_bool(
    'scales', False, 'sample, walk: every scale, not only the finest.')
flags.DEFINE_float(
    'seconds', None, 'walk: length of the film; 2 for each latent if not '
    'given.', lower_bound=0.)
flags.DEFINE_float(
    'fps', 30., 'walk: frames a second.', lower_bound=.1, upper_bound=240.)
flags.DEFINE_enum(
    'space', '', ('', 'z', 'w'), 'walk: where; w if there is a mapping '
    'network.')
flags.DEFINE_enum(
    'way', '', ('', 'linear', 'spherical'), 'walk: by straight lines, or on '
    'arcs, which is usual for a z of a sphere or a normal.')
flags.DEFINE_bool(
    'loop', True, 'walk: whether it comes back to where it began.')
flags.DEFINE_integer(
    'rows', 3, 'mix: destinations at the left.', lower_bound=1)
flags.DEFINE_string(
    'crossovers', '', "mix: with which layers the middle and the fine styles "
    "begin, as '2,4'.")
flags.DEFINE_list(
    'pictures', [], 'project: files and folders.')
flags.DEFINE_integer(
    'steps', 1000, 'project: of the optimizer.', lower_bound=1)
flags.DEFINE_string(
    'real', '', "evaluate: what to compare with: a folder, a .zip, .tar or "
    ".npz, or a source as 'cifar10' or 'cifar10:PATH'; the run's own pictures "
    'if not given.')
flags.DEFINE_string(
    'fake', '', 'evaluate: what to score in place of a run, named likewise.')
flags.DEFINE_list(
    'metrics', [], "evaluate: as 'fid,kid'; those of the protocol if not "
    'given.')
flags.DEFINE_string(
    'protocol', 'local', 'evaluate: whose definition; '
    'docs/reference/protocols.md has them.')
flags.DEFINE_string(
    'features', '', "evaluate: as 'classifier' or 'inception:768', in place of "
    "the protocol's.")
flags.DEFINE_string(
    'weights_file', '', "evaluate: the features' published weights, or a "
    'folder that has those of several networks; looked for, and fetched, if '
    'not given.')
flags.DEFINE_string(
    'checkpoints', 'newest', "evaluate: newest, best, all, or images shown.")
flags.DEFINE_integer(
    'resolution', None, 'evaluate: to which pictures of two folders are '
    'cropped and resized.', lower_bound=1)
_OUT = flags.DEFINE_string(
    'out', None, 'sample, inspect, evaluate, project: the folder of the files; '
    'if not given, <workdir>/samples_<seed>, <workdir>.inspect, <workdir> and '
    '<workdir>/projections. walk: the .webp, .gif or .mp4; mix, truncate: the '
    '.png; if not given, <workdir>/walk_<seed>.webp and so on.')

_DEFAULT = 'quickstart'


def run():
  """The console script."""
  app.run(main, flags_parser=_parse)


def main(argv):
  del argv
  try:
    sys.exit(_call())
  except KeyboardInterrupt:
    _fail('interrupted.' + (
        ' The same command continues from the last checkpoint, or, before '
        'there is one, begins anew.' if _MODE.value == 'train' else ''), 130)
  except Exception as error:  # for people; --debug shows it whole
    if _DEBUG.value:
      raise
    _fail(_text(error))


def _call():
  """Imports what the mode needs, and does it; returns the exit status."""
  _check_mode()
  if _MODE.value == 'inspect':
    return _inspect()
  _set_up_jax()
  if _MODE.value != 'train':
    from msg_gan_jax.commands import modes
    for line in modes.MODES[_MODE.value](flags.FLAGS):
      print(line)
    return 0
  if _INIT_FROM.value:
    _CONFIG.value.train.init_from = _INIT_FROM.value
  config = schema.parse(_CONFIG.value)
  from msg_gan_jax.commands import dry_run
  from msg_gan_jax.commands.processes import join, keep_memory
  from msg_gan_jax.training import loop
  workdir = _workdir()
  join(_COORDINATOR.value, _PROCESSES.value, _PROCESS.value,
       _DISTRIBUTED.value)
  keep_memory()
  if _DRY_RUN.value:
    dry_run.dry_run(config, f'{workdir}.contact_sheet.png')
    return 0
  number = loop.train(config, workdir)
  return 128 + number if number else 0


def _check_mode():
  """Refuses flags of other modes alone: they would do nothing."""
  given = {word.lstrip('-').partition('=')[0].partition('.')[0]
           for word in sys.argv[1:] if word.startswith('-')}
  for word in sorted(given):
    # --noscales is --scales=false; no flag of ours begins with 'no'.
    flag = word.removeprefix('no')
    modes = [f'--mode={m}' for m in MODES if flag in FLAGS_OF[m]]
    if modes and f'--mode={_MODE.value}' not in modes:
      some = ', '.join(modes[:-1])
      raise ValueError(
          f"--{word}: a flag of {some and f'{some} and '}{modes[-1]}; "
          f'this is --mode={_MODE.value}.')


def _workdir():
  return _WORKDIR.value or os.path.join('runs', _experiment_name())


def _inspect():
  """Without jax: pictures need none, and it takes a second to load."""
  from msg_gan_jax.commands import inspect_data
  config = schema.parse(_CONFIG.value)
  inspect_data.inspect(config, _OUT.value or f'{_workdir()}.inspect')
  return 0


def _set_up_jax():
  """The compilation cache, so that a second start is a fast one."""
  import jax

  from msg_gan_jax.files import cache
  if not jax.config.jax_compilation_cache_dir:
    folder = os.path.join(cache.default_folder(), 'xla')
    jax.config.update('jax_compilation_cache_dir', folder)
  jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.)
  jax.config.update('jax_persistent_cache_min_entry_size_bytes', -1)


def _parse(argv):
  """argv -> what is left after the flags; mistakes in one line."""
  if {'-h', '-help', '--help'} & set(argv[1:]):
    print(f'{__doc__}\nExperiments: {", ".join(experiments())}.\n'
          f'{flags.FLAGS.module_help(__name__)}')
    sys.exit(0)
  try:
    _ARGV[:] = [argv[0], *_with_config(argv[1:])]
    left = flags.FLAGS(_ARGV)
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


def _with_config(argv):
  """Resolves --config's name, puts it first, and checks --config.x=value."""
  name, rest = _DEFAULT, []
  words = iter(argv)
  for word in words:
    flag, equals, value = word.lstrip('-').partition('=')
    if not word.startswith('-'):
      rest.append(word)
    elif flag == 'config':
      name = value if equals else next(words, '')
      if not name:
        raise ValueError(f'--config: wanted an experiment, as '
                         f'--config={_DEFAULT}, found nothing.')
    else:
      rest.append(word)
      if flag.startswith(('config.', 'noconfig.')):
        _check_setting(flag.partition('.')[2], value if equals else None)
  path, colon, argument = name.partition(':')
  path = find(path)
  _try_experiment(path, [argument] if colon else [])
  return [f'--config={path}{colon}{argument}', *rest]


def _check_setting(name, value):
  """Refuses a --config.name=value that is not in the schema."""
  settings = schema.flatten(schema.Config())
  inside = {k: v for k, v in settings.items()
            if k.startswith(f'{name.partition(".")[0]}.')}
  if name not in settings:
    what = ('a group of settings and not one' if f'{name}.' in {
        k[:len(name) + 1] for k in inside} else 'no such setting')
    raise ValueError(f'--config.{name}: {what}; '
                     f'{tables.nearest(name, inside or settings)}')
  kind = type(settings[name])
  read = flags.BooleanParser().parse if kind is bool else kind
  try:
    value is None or read(value)
  except ValueError as error:
    raise ValueError(f'--config.{name}: wanted {kind.__name__}, found '
                     f'{value!r}.') from error


def _try_experiment(path, arguments):
  """Runs an experiment once, for errors that name its line."""
  try:
    scope = runpy.run_path(path)
    if not callable(scope.get('get_config')):
      raise ValueError(f'--config: {path} has no get_config(); wanted one, as '
                       f'in {experiments()[_DEFAULT]}.')
    config = scope['get_config'](*arguments)
  except SyntaxError as error:
    raise ValueError(f'--config: {error.filename}, line {error.lineno}: '
                     f'{error.msg}.') from error
  except (Exception, SystemExit) as error:
    lines = [frame.lineno for frame in traceback.extract_tb(
        error.__traceback__) if frame.filename == path]
    if not lines:
      raise
    said = error
    while isinstance(said, AttributeError | KeyError) and said.args:
      said = said.args[0]  # Or its line breaks would be shown as \\n.
    # ml_collections lists the whole group that lacks a field.
    said = re.sub(r' Other fields present: ".*"\n?', ' ', str(said)).strip()
    raise ValueError(f'--config: {path}, line {lines[-1]}: '
                     f'{type(error).__name__}: {said}') from error
  if not isinstance(config, ml_collections.ConfigDict):
    raise ValueError(
        f'--config: {path}: wanted a ConfigDict from get_config(), found '
        f"{config!r:.80}; does it end with 'return config'?")


def find(name):
  """The path of an experiment, from a path or a shipped one's name.

  Raises:
    ValueError: there is none; the message names the nearest.
  """
  if os.path.isfile(name):
    return name
  shipped = experiments()
  stem = pathlib.Path(name).stem
  if stem in shipped and (
      name == stem or name == os.path.join('experiments', f'{stem}.py')):
    return shipped[stem]
  raise ValueError(
      f'--config: no experiment {name!r}, neither a file nor a name; '
      f'{tables.nearest(stem, shipped)}')


def experiments():
  """{name: path} of the experiments that ship with the package."""
  here = pathlib.Path(__file__).parent.parent
  for folder in (here / 'experiments', here.parent / 'experiments'):
    if folder.is_dir():
      return {path.stem: str(path) for path in sorted(folder.glob('*.py'))
              if path.stem != '__init__'}
  return {}


def _experiment_name():
  path = config_flags.get_config_filename(flags.FLAGS['config'])
  return pathlib.Path(path.partition(':')[0]).stem


def _text(error):
  """An error as a person should read it."""
  if isinstance(error, flags.UnrecognizedFlagError):
    return (f'--{error.flagname}: no such flag; '
            + tables.nearest(error.flagname, _own_flags()))
  text = str(error).strip() or type(error).__name__
  ours = (ValueError, OSError, flags.Error)
  text = errors.renamed(text, {name: f'--{name}' for name in _own_flags()})
  if isinstance(error, ours) or type(error) is KeyError:
    return text
  return f'{type(error).__name__}: {text}'


def _own_flags():
  """Names of the flags of this program, without settings."""
  return [flag.name for flag in flags.FLAGS.flags_by_module_dict()[__name__]
          if '.' not in flag.name]


def _fail(text, status=1):
  print(f'error: {text}', file=sys.stderr)
  if not text.startswith('interrupted'):
    print('(--debug shows where)', file=sys.stderr)
  sys.stdout.flush()
  sys.exit(status)
