"""What is done with a run that has learned: from flags to files.

A mode is a function of the flags (absl's, or anything with their values as
attributes) that returns lines about what it wrote.
"""
import os

from msg_gan_jax.analysis import trained
from msg_gan_jax.analysis.generator import (
  mixing,
  projection,
  projection_files,
  walk,
)
from msg_gan_jax.commands import sample_run, score_runs
from msg_gan_jax.metrics import pair, protocols, sets, table
from msg_gan_jax.report import film, grids
from msg_gan_jax.runs.load import load

# How many latents where --count is not given.
_USUAL = {'sample': 64, 'walk': 6, 'mix': 6, 'truncate': 6}
_MOST_FRAMES, _MOST_PSI = 100_000, 100
_LISTED = 10  # Projected pictures that have a line.


def _sample(flags):
  run = _run(flags)
  return sample_run.from_run(
      run, flags.out or os.path.join(
          run, 'z_file' if flags.z_file else f'samples_{flags.seed}'),
      count=_count(flags), seed=flags.seed, z_file=flags.z_file,
      labels=flags.labels, weights=flags.weights, separate=flags.separate,
      scales=flags.scales, psi=_psi(flags), cutoff=flags.cutoff)[:4]


def _walk(flags):
  path = _file(flags, 'walk', '.webp', film.FORMATS)
  film.check(path, flags.fps)
  gan, stops = _stops(flags, _count(flags), psi=_psi(flags))
  seconds = flags.seconds
  if seconds is None:
    seconds = 2. * len(stops['z'] if stops['w'] is None else stops['w'])
  frames = seconds * flags.fps
  if not 2 <= frames <= _MOST_FRAMES:
    raise ValueError(
        f'--seconds: {seconds:g} with --fps={flags.fps:g} are {frames:g} '
        f'frames; wanted 2 to {_MOST_FRAMES:,}.')
  styles, labels = walk.walk(
      gan, round(frames), space=flags.space, way=flags.way, loop=flags.loop,
      **stops)
  _make_folder_of(path)
  walk.film(path, gan, styles, labels, flags.fps, flags.scales)
  return [path]


def _mix(flags):
  path = _file(flags, 'mixing', '.png', ('.png',))
  crossovers = _numbers('crossovers', flags.crossovers, int)
  gan, stops = _stops(flags, _count(flags) + flags.rows, psi=_psi(flags))
  return _figure(path, mixing.mix(
      gan, flags.rows, crossovers=crossovers, **stops))


def _truncate(flags):
  path = _file(flags, 'truncation', '.png', ('.png',))
  psis = _psis(flags) or mixing.SWEEP
  gan, stops = _stops(flags, _count(flags))
  return _figure(path, mixing.sweep(gan, psis, **stops))


def _project(flags):
  run = _run(flags)
  if not flags.pictures:
    raise ValueError('--pictures: which? As --pictures=a.png,folder.')
  gan, config = _trained(flags)
  names, pictures = projection_files.read(flags.pictures, config.data)
  classes = config.networks.classes
  labels = sample_run.labels_of(flags.labels, len(names), classes)
  if classes and labels is None:
    raise ValueError(
        f'--labels: this run draws {classes} classes; wanted those of the '
        'pictures, as --labels=3 or --labels=0,4.')
  found = projection.project(
      gan, pictures, labels, steps=flags.steps, seed=flags.seed)
  paths = projection_files.write(
      flags.out or os.path.join(run, 'projections'), names, pictures, found, {
          'distance': 'pyramid', 'points': 'w' if gan.layers else 'z',
          'steps': flags.steps, 'seed': flags.seed, 'weights': flags.weights,
          'images': int(gan.state.images)})
  lines = [f'{name}: distance {distance:.2g}, {psnr:.1f} dB'
           for name, distance, psnr in zip(
               names, found.after, found.psnr, strict=True)]
  return [*lines[:_LISTED], *paths[:4]]


def _evaluate(flags):
  """Of a run, or of several; or, without --workdir, of two sets."""
  options = pair.Options(
      protocols.PROTOCOLS[flags.protocol], flags.protocol, flags.features,
      flags.weights_file, seed=flags.seed)
  for name in flags.metrics:
    table.METRICS[name]  # An unknown one is an error here, at once.
  held_out = options.protocol.reals == 'held_out'
  real = sets.open_set(
      flags.real, '--real', held_out, flags.resolution or 0) if (
          flags.real) else None
  if flags.workdir:
    for name in ('fake', 'resolution'):
      if getattr(flags, name):
        raise ValueError(f'--{name}: means nothing beside --workdir, whose '
                         'pictures are scored.')
    return score_runs.of_runs(
        flags.workdir.split(','), flags.metrics, options, flags.out or '',
        which=flags.checkpoints, count=flags.count or 0,
        weights=flags.weights if flags['weights'].present else '',
        real=real, psi=_psi(flags), cutoff=flags.cutoff,
        **({'seed': flags.seed} if flags['seed'].present else {}))
  for name in ('checkpoints', 'count', 'weights', 'psi', 'cutoff'):
    if flags[name].present:
      raise ValueError(f'--{name}: is of a run; wanted --workdir=RUN.')
  if not (real and flags.fake):
    raise ValueError(
        '--workdir: which run? As --workdir=runs/quickstart; or two sets of '
        'pictures, as --real=FOLDER --fake=FOLDER.')
  fake = sets.open_set(
      flags.fake, '--fake', False, flags.resolution or 0)
  return score_runs.of_sets(real, fake, flags.metrics, options, flags.out or '')


def _run(flags):
  """--workdir, which these modes cannot do without."""
  if not flags.workdir:
    raise ValueError('--workdir: which run? As --workdir=runs/quickstart.')
  return flags.workdir


def _source(flags):
  """Which file has the latents, or ''."""
  given = [name for name in ('z_file', 'w_file') if getattr(flags, name)]
  if len(given) > 1:
    raise ValueError('--w_file: means nothing beside --z_file; wanted one.')
  return given[0] if given else ''


def _count(flags):
  """How many latents; refuses flags that a file of them makes useless."""
  source = _source(flags)
  for name in ('seed', 'count'):
    if source and flags[name].present:
      raise ValueError(
          f'--{name}: means nothing beside --{source}, which has all latents.')
  return _USUAL[flags.mode] if flags.count is None else flags.count


def _psi(flags):
  """The one that all latents have."""
  found = _psis(flags) or (1.,)
  if len(found) > 1:
    raise ValueError(f'--psi: wanted one number, found {flags.psi!r}; '
                     '--mode=truncate compares several.')
  return found[0]


def _psis(flags):
  found = _numbers('psi', flags.psi, float)
  for psi in found:
    if not abs(psi) <= _MOST_PSI:
      raise ValueError(
          f'--psi: wanted -{_MOST_PSI} .. {_MOST_PSI}, found {psi:g}.')
  return found


def _numbers(name, text, kind):
  """'1,.5' -> (1., .5); () of ''."""
  try:
    return tuple(kind(word) for word in text.split(',')) if text else ()
  except ValueError as error:
    raise ValueError(
        f'--{name}: wanted numbers with commas between them, found {text!r}.'
    ) from error


def _file(flags, name, usual, endings):
  """The path of a mode that writes one file."""
  source = _source(flags) or flags.seed
  path = flags.out or os.path.join(_run(flags), f'{name}_{source}{usual}')
  ending = os.path.splitext(path)[1].lower()
  if ending not in endings or os.path.isdir(path):
    raise ValueError(f"--out: wanted a file that ends in {' or '.join(endings)}"
                     f', found {path!r}.')
  return path


def _trained(flags):
  """(Trained, Config) of the run's newest checkpoint."""
  run = _run(flags)
  config, gan, state, _ = load(run)
  return trained.Trained(config, gan, state, flags.weights), config


def _stops(flags, count, **psi):
  """(Trained, {'z', 'w', 'labels', 'cutoff' and, if given, 'psi'})."""
  gan, config = _trained(flags)
  sample_run.check_truncation(
      gan.gan, config, psi.get('psi', 1.), flags.cutoff)
  networks, z, w = config.networks, None, None
  if not flags.w_file:
    z = sample_run.latents(
        gan.gan, networks.latent, count, flags.seed, flags.z_file)
  elif gan.layers:
    w = sample_run.rows_of('--w_file', flags.w_file, networks.w)
  else:
    raise ValueError('--w_file: this run has no mapping network, and no w; '
                     'wanted latents, as --z_file.')
  labels = sample_run.labels_of(
      flags.labels, len(z if w is None else w), networks.classes)
  return gan, {'z': z, 'w': w, 'labels': labels, 'cutoff': flags.cutoff, **psi}


def _figure(path, picture):
  _make_folder_of(path)
  grids.save(path, picture)
  return [path]


def _make_folder_of(path):
  os.makedirs(os.path.dirname(path) or '.', exist_ok=True)


MODES = {
    'sample': _sample,
    'walk': _walk,
    'mix': _mix,
    'truncate': _truncate,
    'project': _project,
    'evaluate': _evaluate,
}
