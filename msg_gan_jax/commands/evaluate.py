"""--mode=evaluate: scores runs, or two sets of pictures."""
import json
import os
from typing import Any

from absl import flags

from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.files import console

SHARED: shared.Flags = (
    shared.COUNT, shared.SEED, shared.WEIGHTS, shared.PSI, shared.CUTOFF,
    shared.OUT, shared.CHECKPOINTS, shared.TRUST_CODE)
EXAMPLES: shared.Examples = (
    ' --mode=evaluate --workdir=runs/quickstart',
    ' --mode=evaluate --workdir=runs/a0,runs/a1 --checkpoints=best',
    ' --mode=evaluate --real=DIR --fake=samples.npz --metrics=fid,kid',
    ' --mode=evaluate --workdir=runs/a --features=d:runs/b:conv_2',
)
REAL = flags.DEFINE_string(
    'real', '', 'What to compare with: a folder, a .zip, .tar or .npz, '
    "or a source, such as 'cifar10' or 'cifar10:PATH'; the run's own "
    'pictures if not given.')
FAKE = flags.DEFINE_string(
    'fake', '', 'What to score in place of a run, named as --real is.')
METRICS = flags.DEFINE_list(
    'metrics', [], "Such as 'fid,kid'; those of the protocol if not given.")
PROTOCOL = flags.DEFINE_string(
    'protocol', '', 'The program whose definitions are used; '
    'docs/reference/protocols.md lists them. If not given: torch_fidelity '
    'where --metrics names fid, kid or is and no --features are given, else '
    'local, which needs no download.')
FEATURES = flags.DEFINE_string(
    'features', '', "Such as 'classifier' or 'inception:768', in place of the "
    "protocol's; 'd:RUN:LAYER' is a layer of the D of a run's newest "
    'checkpoint.')
WEIGHTS_FILE = flags.DEFINE_string(
    'weights_file', '', "The features' published weights, or a folder that "
    'has those of several networks; looked for, and fetched, if not given.')
JSON = flags.DEFINE_bool(
    'json', False, 'Print the records, one in a line, as scores.jsonl has '
    'them; what is for people goes to standard error.')
RESOLUTION = flags.DEFINE_integer(
    'resolution', None, 'To which pictures of --real and --fake are resized: '
    "cropped to squares or, beside a run, by the run's own recipe.",
    lower_bound=1)
RANGE = flags.DEFINE_string(
    'range', '', "The values of black and white, such as '0:4095', of files of "
    '--real and --fake with more than 8 bits; 0:65535 or, beside a run, its '
    'own if not given.')
SAVE_STATS = flags.DEFINE_string(
    'save_stats', '', 'A .npz to write mu and sigma of the features of --real '
    'to, which pytorch-fid and clean-fid read, and --real and --fake here.')


def run() -> int:
  """Scores the runs of --workdir or, without it, --fake against --real."""
  from msg_gan_jax.commands import features_of_d
  with features_of_d.opened(FEATURES.value, shared.TRUST_CODE.value) as spec:
    return _run(spec)


def _run(features):
  """As `run`, with features that FEATURES has a row of."""
  from msg_gan_jax.commands import score_runs
  from msg_gan_jax.config import errors
  from msg_gan_jax.metrics import pair, protocols, sets, text
  _check_rows(features)

  def tell(record):
    if JSON.value:
      console.say(json.dumps(text.finite(record)))

  say = console.say_aside if JSON.value else console.say
  metrics = METRICS.value or (['fid'] if SAVE_STATS.value else [])
  protocol = protocols.choose(PROTOCOL.value, metrics, features)
  options = pair.Options(
      protocols.PROTOCOLS[protocol], protocol, features,
      WEIGHTS_FILE.value, say=say, seed=shared.SEED.value)
  resolution, out = RESOLUTION.value or 0, shared.OUT.value or ''
  real = None
  if REAL.value:
    real = sets.open_set(
        REAL.value, 'real', options.protocol.reals == 'held_out', resolution,
        like=_data_of(_runs(), resolution) if (
            shared.WORKDIR.value) else None, range=RANGE.value)
  if shared.WORKDIR.value:
    _refuse((FAKE, SAVE_STATS), 'means nothing beside --workdir, whose '
            'pictures are scored.')
    if real is None:
      _refuse((RESOLUTION, RANGE), 'is of --real beside --workdir, whose '
              'pictures are read as in training.')
    with errors.naming(which=shared.CHECKPOINTS.name):
      lines = score_runs.score_runs(
          _runs(), _run_scores(options, real), out, tell)
  else:
    _refuse((shared.CHECKPOINTS, shared.COUNT, shared.WEIGHTS, shared.PSI,
             shared.CUTOFF, shared.TRUST_CODE),
            'is of a run; wanted --workdir=RUN.')
    if real is not None and SAVE_STATS.value:
      say(score_runs.save_stats(real, options, SAVE_STATS.value))
      if not FAKE.value:
        return 0
    if real is None or not FAKE.value:
      raise ValueError(
          '--workdir: which run? Give one, such as --workdir=runs/quickstart; '
          'or two sets of pictures, such as --real=FOLDER --fake=FOLDER.')
    fake = sets.open_set(
        FAKE.value, 'fake', False, resolution, range=RANGE.value)
    lines = score_runs.score_sets(
        real, fake, METRICS.value, options, out, tell)
  for line in lines:
    say(line)
  return 0


def _runs():
  """The folders of --workdir."""
  return [os.path.expanduser(run) for run in
          (shared.WORKDIR.value or '').split(',') if run]


def _check_rows(features):
  """Refuses unknown names; rows of the runs' own files are registered."""
  from msg_gan_jax.commands.score_runs import check_row
  from msg_gan_jax.config import tables
  from msg_gan_jax.data.sources import SOURCES
  from msg_gan_jax.metrics import protocols, table
  from msg_gan_jax.metrics.features.table import FEATURES as EXTRACTORS
  from msg_gan_jax.runs.config_file import load_config
  runs = _runs()
  named: list[tuple[tables.Table[Any], str]] = [
      (table.METRICS, name) for name in METRICS.value]
  if PROTOCOL.value:
    named.append((protocols.PROTOCOLS, PROTOCOL.value))
  if features:
    named.append((EXTRACTORS, features.partition(':')[0]))
  source = REAL.value.partition(':')[0]  # Or a path.
  if source and not os.path.exists(REAL.value) and source in [
      load_config(run).data.name for run in runs]:
    named.append((SOURCES, source))
  for rows, name in named:
    check_row(rows, name, runs, shared.TRUST_CODE.value)


def _data_of(runs, resolution):
  """The settings by which the pictures of all runs are read, and resized."""
  from msg_gan_jax.config import schema
  from msg_gan_jax.runs.config_file import load_config
  settings = [load_config(run).data for run in runs]
  if not resolution:
    settings = [schema.Data(range=x.range) for x in settings]
  recipes = {(x.range, x.resize, x.filter, x.shape[1] / x.shape[0]): x
             for x in settings}
  if len(recipes) > 1:
    raise ValueError(
        '--real: the runs of --workdir read or resize their pictures in '
        f'{len(recipes)} ways; wanted runs of one, or each by itself.')
  return settings[0]


def _run_scores(options, real):
  from msg_gan_jax.analysis.generator.samples import Sampling
  from msg_gan_jax.commands.score_runs import SEED, RunScores
  return RunScores(
      METRICS.value, options, shared.CHECKPOINTS.value, shared.COUNT.value or 0,
      Sampling(shared.SEED.value if shared.SEED.present else SEED,
               shared.WEIGHTS.value if shared.WEIGHTS.present else '',
               shared.psi(), shared.CUTOFF.value), real,
      shared.TRUST_CODE.value)


def _refuse(unwanted, why):
  for flag in unwanted:
    if flag.present:
      raise ValueError(f'--{flag.name}: {why}')
