"""Flags that several commands take, and how their values are read.

A command lists those it takes in its tuple SHARED. Those that only it takes
are defined in its own file.
"""
from collections.abc import Callable, Iterable, Mapping, Sequence
import copy
import os
import pathlib
from typing import TYPE_CHECKING, Any, TypeVar

from absl import flags
import ml_collections
from ml_collections import config_flags

from msg_gan_jax.commands import experiments, own_config, own_study
from msg_gan_jax.config import schema
from msg_gan_jax.files import plain
from msg_gan_jax.files.console import say_aside
from msg_gan_jax.runs.config_file import load_config

if TYPE_CHECKING:  # It loads jax.
  from msg_gan_jax.analysis.generator.picks import Pick

T = TypeVar('T', int, float)
Flags = tuple[flags.FlagHolder, ...]
Examples = tuple[str, ...]
MOST_PSI = 100  # A larger one is a mistake.
FPS_RANGE = .1, 240.
LONGEST_NAME = 60  # Characters of --seeds in the name of a file.


class Experiment(flags.ArgumentParser):
  """Runs the file of --config once, before absl, which hides where it fails.

  Attributes:
    begin: its settings, without those of the command line.
    path, arguments: of the file that was loaded, and of its get_config().
  """
  begin: ml_collections.ConfigDict
  path: str
  arguments: Sequence[str]

  def load(self, path: str, arguments: Sequence[str]) -> str:
    """Runs a file with these arguments of get_config(); '--config=...'."""
    self.begin = experiments.run(path, arguments)
    self.path, self.arguments = path, arguments
    return f'--config={":".join([path, *arguments])}'

  def parse(self, argument: str) -> ml_collections.ConfigDict:
    """The settings of what was loaded, for the command line to change."""
    del argument
    return copy.deepcopy(self.begin).lock()


CONFIG = config_flags.DEFINE_config_file(
    'config', None, 'An experiment: a file, or the name of one that ships '
    'with the package. Single settings: --config.train.batch=64.')
EXPERIMENT = Experiment()
flags.FLAGS[CONFIG.name].parser = EXPERIMENT
WORKDIR = flags.DEFINE_string(
    'workdir', None, "The run's folder; runs/<experiment> where not given.")
COUNT = flags.DEFINE_integer(
    'count', None, 'How many pictures (sample: 64; evaluate: what the protocol '
    'says; look: 2048, or all of --pictures), latents on the way (walk: 6), '
    'sources on top (mix: 6), rows (truncate: 6; directions: 3).',
    lower_bound=1)
SEED = flags.DEFINE_integer(
    'seed', 0, "Seed of the latents; evaluate: training's own if not given; "
    'arithmetic: of the noise around the sum; linear_probe: of the draw of '
    'labelled pictures.')
SEEDS = flags.DEFINE_string(
    'seeds', '', "Latents by their seeds, such as '3,17,42' or '0-9', in place "
    "of --seed and --count; '17:4' is picture 4 (from 0) of those that "
    '--seed=17 draws.')
Z_FILE = flags.DEFINE_string(
    'z_file', '', 'A .npy file of latents [n, latent], to use instead of '
    'drawing them.')
W_FILE = flags.DEFINE_string(
    'w_file', '', 'A .npy file of styles [n, w], such as --mode=project '
    'writes, to use instead of latents.')
LABELS = flags.DEFINE_string(
    'labels', '', "Classes by number or name, such as '3' or 'cat,dog'; all in "
    "turn if not given. 'name:3' is the class that is named 3.")
WEIGHTS = flags.DEFINE_enum(
    'weights', 'ema', ('ema', 'raw'), 'Averaged weights, or those in training; '
    'evaluate: what the protocol says, if not given.')
SPACE = flags.DEFINE_enum(
    'space', '', ('', 'z', 'w'), 'Where a walk goes, and where sums and '
    'directions are taken; w if there is a mapping network, else z.')
PSI = flags.DEFINE_string(
    'psi', '', 'Truncation, for networks with a mapping: how far styles keep '
    'from their mean; 1 changes nothing, 0 is the mean itself. truncate: the '
    "columns, such as '1,.5,0'.")
CUTOFF = flags.DEFINE_integer(
    'cutoff', None, 'How many of the first layers to truncate.', lower_bound=1)
CHECKPOINTS = flags.DEFINE_string(
    'checkpoints', 'newest', 'Which of the run: newest, best, or images shown, '
    'such as 100000; evaluate and linear_probe: also all, one after the '
    'other; look: all shows the maps of the newest through all of them; '
    'checkpoints: that of --copy_to.')
LAYER = flags.DEFINE_list(
    'layer', [], 'Layers of D by name; look: all, or 16 of more, if not given; '
    'linear_probe: all convolutions.')
TRUST_CODE = flags.DEFINE_bool(
    'trust_code', False, "Run the run's own experiment.py where a row of it is "
    'wanted, although others may have written it; read it first.')
PICTURES = flags.DEFINE_list(
    'pictures', [], 'project: files and folders of pictures. look: a folder, '
    "a .zip, .tar or .npz, or a source, such as 'cifar10', to look at and to "
    'rank by what D says.')
SCALES = flags.DEFINE_bool(
    'scales', False, 'Show every scale, not only the finest.')
FPS = flags.DEFINE_float(
    'fps', None, 'Frames a second; walk: 30, timelapse: grids a second, 2 to '
    '30 by how many there are, if not given.', lower_bound=FPS_RANGE[0],
    upper_bound=FPS_RANGE[1])
SECONDS = flags.DEFINE_float(
    'seconds', None, 'Length of the film; walk: 2 for each latent, timelapse: '
    'as --fps says, if not given.', lower_bound=0.)
OUT = flags.DEFINE_string(
    'out', None, 'sample, inspect, evaluate, project, linear_probe: the folder '
    'of the files; if not given, <workdir>/samples_<seed>, <workdir>.inspect, '
    '<workdir>, <workdir>/projections and <workdir>. study_analyse: the folder '
    'of the page; <workdir>/analysis. report: the .html; if not given, '
    'report.html in the folder, or where several lie. compare, directions: '
    'the folder of the files. look: the folder of the atlas; <workdir>/look. '
    'walk, timelapse: the .webp, .gif or .mp4, or a folder '
    "with '/' behind it, such as frames/, for a PNG of each frame; mix, "
    'truncate, arithmetic: the .png; if not given, <workdir>/walk_<seed>.webp '
    'and so on.')
DRY_RUN = flags.DEFINE_bool(
    'dry_run', False, 'train: only show shapes and data, and then, compiled, '
    'arithmetic and memory; study: only show which runs there would be, and '
    'what they need; checkpoints: only show what would go.')
STORAGE = flags.DEFINE_string(
    'storage', '', "Where a study's trials are recorded: a database, such as "
    'postgresql://user@host/studies, which many machines share; if not given, '
    "the journal in the study's folder.")
STUDY_NAME = flags.DEFINE_string(
    'study_name', '', "The study's name in its storage; that of its file, or "
    'the only one there, if not given.')

# What the commands that draw pictures from latents take.
LATENTS = (COUNT, SEED, SEEDS, Z_FILE, LABELS, WEIGHTS, PSI, CUTOFF, OUT,
           CHECKPOINTS, TRUST_CODE)


def config(more: Mapping[str, Any],
           say: Callable[[str], Any] = say_aside) -> schema.Config:
  """The settings of --config, changed as the command line says.

  What the experiment sets and they leave without a meaning goes back to its
  default, which is said.

  Args:
    more: changes that other flags ask for, {'train.init_from': 'runs/a'}.
    say: prints a line for people.
  """
  from msg_gan_jax.gan.ablation import change
  given = config_flags.get_override_values(flags.FLAGS[CONFIG.name])
  return change(EXPERIMENT.begin, {**given, **more}, say)


def experiment_path() -> str:
  """The file of --config; of a run's own settings that of own_config."""
  path = config_flags.get_config_filename(flags.FLAGS[CONFIG.name])
  return path.partition(':')[0]


def experiment_name() -> str:
  """The name of the experiment of --config: its file without the ending."""
  return pathlib.Path(experiment_path()).stem


def experiment_file() -> str:
  """FILE or FILE:ARGUMENT of --config; '' where a run's own settings are it."""
  path = config_flags.get_config_filename(flags.FLAGS[CONFIG.name])
  own = own_config.__file__, own_study.__file__
  return '' if path.partition(':')[0] in own else path


def new_run() -> str:
  """The folder of a run that may not be there yet: --workdir, or a default."""
  return os.path.expanduser(
      WORKDIR.value or os.path.join('runs', experiment_name()))


def say_what_is_read_as_before() -> None:
  """Says it of a run whose own config.json stands for --config, if it is so.

  Training needs no such line: it says what it changes in the run.
  """
  if not experiment_file():
    load_config(new_run(), say_aside)


def existing_run() -> str:
  """--workdir, of a command that needs a run.

  Raises:
    ValueError: it is not given.
  """
  if not WORKDIR.value:
    raise ValueError('--workdir: which run? Give one, such as '
                     '--workdir=runs/quickstart.')
  return os.path.expanduser(WORKDIR.value)


def origin_of_latents() -> str:
  """Which flag names all latents, seed by seed or by a file: its name, or ''.

  Raises:
    ValueError: several do.
  """
  given = [flag.name for flag in (SEEDS, Z_FILE, W_FILE) if flag.value]
  if len(given) > 1:
    raise ValueError(
        f'--{given[1]}: means nothing beside --{given[0]}; wanted one.')
  return given[0] if given else ''


def count_or(usual: int) -> int:
  """How many latents there are: of --seeds, --count, or the usual number.

  Raises:
    ValueError: --count or --seed beside a flag that names all latents.
  """
  origin = origin_of_latents()
  for flag in SEED, COUNT:
    if origin and flag.present:
      raise ValueError(f'--{flag.name}: means nothing beside --{origin}, which '
                       'has all latents.')
  return len(picks()) or (usual if COUNT.value is None else COUNT.value)


def picks() -> tuple['Pick', ...]:
  """The latents of --seeds; () if it is not given.

  Raises:
    ValueError: it is not a list of seeds.
  """
  from msg_gan_jax.analysis.generator.picks import parse
  return parse(SEEDS.value) if SEEDS.value else ()


def psi() -> float:
  """--psi, of a command that takes one; 1 if it is not given.

  Raises:
    ValueError: several numbers, or none that can be.
  """
  values = psis() or (1.,)
  if len(values) > 1:
    raise ValueError(f'--psi: wanted one number, found {PSI.value!r}; '
                     '--mode=truncate compares several.')
  return values[0]


def psis() -> tuple[float, ...]:
  """The numbers of --psi; () if it is not given.

  Raises:
    ValueError: one that is not a number, or too large.
  """
  values = numbers(PSI, float)
  for value in values:
    if not abs(value) <= MOST_PSI:
      raise ValueError(
          f'--psi: wanted -{MOST_PSI} .. {MOST_PSI}, found {value:g}.')
  return values


def numbers(flag: flags.FlagHolder[str],
            kind: Callable[[str], T]) -> tuple[T, ...]:
  """The value of a flag, '1,.5' -> (1., .5); () of ''.

  Args:
    flag: what is read.
    kind: int or float.

  Raises:
    ValueError: a word that is not such a number.
  """
  try:
    return tuple(map(kind, flag.value.split(','))) if flag.value else ()
  except ValueError as error:
    what = 'whole numbers' if kind is int else 'numbers'
    raise ValueError(f'--{flag.name}: wanted {what} with commas between them, '
                     f'found {flag.value!r}.') from error


def named_by_latents(name: str) -> str:
  """The name of a file or folder with what its latents are drawn by behind it.

  'walk' -> 'walk_0', 'walk_z_file', 'walk_seeds_3_17i4'.
  """
  origin = origin_of_latents()
  if origin != SEEDS.name:
    return f'{name}_{origin or SEED.value}'
  return f'{name}_{origin}_{in_name(SEEDS.value, len(picks()))}'


def in_name(seeds: str, count: int) -> str:
  """Latents as part of the name of a file, '3,17:4' -> '3_17i4'.

  Args:
    seeds: as --seeds has them.
    count: how many they are, for the end of what is cut off.
  """
  text = seeds.replace(' ', '').replace(',', '_').replace(':', 'i')
  return text if len(text) <= LONGEST_NAME else (
      f'{text[:LONGEST_NAME]}_{count}')


def output_file(name: str, usual: str, endings: Iterable[str],
                or_folder: bool = False) -> str:
  """The path of a command that writes one file: --out, or in the run's folder.

  Args:
    name: of the file where --out is not given, without its ending.
    usual: its ending, such as '.png'.
    endings: those that --out may have.
    or_folder: whether it may be a folder, for a file of each frame: one that
      is there, or a path with '/' behind it.

  Raises:
    ValueError: another ending, or a folder where none is meant.
  """
  from msg_gan_jax.report.frames import is_folder
  path = OUT.value or plain.within(existing_run(), name + usual)
  ending = os.path.splitext(path)[1].lower()
  folder = is_folder(path)
  if not (or_folder if folder else ending in endings):
    wanted = f"a file that ends in {' or '.join(endings)}"
    if or_folder:
      wanted += (", or a folder for a PNG of each frame, with '/' behind it, "
                 'such as --out=frames/')
    raise ValueError(f'--out: wanted {wanted}, found {path!r}.')
  return path


def make_folder_of(path: str) -> None:
  """Makes the folder in which a file is to be written."""
  os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
