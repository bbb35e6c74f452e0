"""Scores of any two sets of pictures, with all that they depend on."""
from collections.abc import Callable, Sequence
import dataclasses
import math
import os
from typing import Any

import jax
import numpy as np

from msg_gan_jax.files import console
from msg_gan_jax.metrics import given, protocols, sets
from msg_gan_jax.metrics.by_features import LPIPS
from msg_gan_jax.metrics.features import table
from msg_gan_jax.metrics.functional.checks import TooFewError
from msg_gan_jax.metrics.pair import Options, Pair
from msg_gan_jax.metrics.score import Score
from msg_gan_jax.metrics.table import METRICS, Metric, named, too_few

Pictures = given.Pictures | str | os.PathLike
Path = str | os.PathLike


def evaluate(real: Pictures, fake: Pictures, metrics: str | Sequence[str] = (),
             protocol: str = '', *,
             features: str = '', weights_file: Path = '', cache_dir: Path = '',
             resolution: int = 0, range: str = '', seed: int = 0,
             devices: Sequence[jax.Device] | None = None,
             say: Callable[[str], Any] = console.say) -> dict[str, Any]:
  """Scores of any two sets of pictures, without a GAN.

  Args:
    real, fake: uint8 [n, H, W, C] with C of 1, 3 or 4, of numpy, jax or
      PyTorch; a list, generator or iterator of pictures or batches, see
      given.source; a Source; or a path of a folder, a .zip, .tar or .npz, see
      sets.open_set. The order of the fakes does not matter: parts of them, as
      the inception score has, are drawn.
    metrics: a row of METRICS or several, such as ('fid', 'kid'); () are the
      protocol's.
    protocol: a row of PROTOCOLS; '' is 'torch_fidelity' where fid, kid or is
      are named and no features, and 'local' elsewhere.
    features: a row of FEATURES, with a tap after a colon, in place of the
      protocol's.
    weights_file: the published weights of these features; '' looks for them,
      and fetches them.
    cache_dir: where statistics of reals are kept; '' is the user's cache.
    resolution: height and width that all pictures of a path get, and that
      others must have; 0 leaves them as they are. Features of published
      networks then resize each by itself; others want one size.
    range: the values of black and white of files with more than 8 bits, such as
      '0:4095'; see data.decode.parse_range.
    seed: of everything that is drawn.
    devices: jax devices that share the work; None is all.
    say: prints a line for people.

  Returns:
    The record of `compute`: {'scores': {'fid_torch_fidelity': {'value': ..,
    'error_of_samples': .., ..}}, 'protocol': .., ..}.

  Raises:
    ValueError: sets that cannot be read or compared; what is missing.
  """
  metrics = named(metrics)
  for name in metrics:
    METRICS.check(name)
  protocol = protocols.choose(protocol, metrics, features)
  # Pictures are given, and none are drawn: all of them count.
  row = dataclasses.replace(protocols.PROTOCOLS[protocol], n_fake=0)
  weights_file, cache_dir = (
      os.fspath(path or '') for path in (weights_file, cache_dir))

  def source(pictures, name):
    if not isinstance(pictures, Path):
      return _of_size(given.source(pictures, name), resolution, name)
    held_out = name == 'real' and row.reals == 'held_out'
    return sets.open_set(os.fspath(pictures), name, held_out, resolution,
                         cache_dir, range=range)

  options = Options(row, protocol, features, weights_file, cache_dir, say,
                    devices, seed=seed)
  return compute(
      Pair(source(real, 'real'), source(fake, 'fake'), options), metrics)[1]


def _of_size(source, resolution, name):
  """The Source, if it has this size where one is asked for."""
  height, width, _ = source.shape
  if resolution and (height, width) != (resolution, resolution):
    raise ValueError(
        f'{name}: pictures of {width} x {height}, and resolution={resolution} '
        'resizes those of paths; wanted pictures that have this size already.')
  return source


def compute(pair: Pair, metrics: str | Sequence[str] = ()) -> tuple[
    list[Score], dict[str, Any]]:
  """Scores of a Pair.

  Args:
    pair: the two sets.
    metrics: rows of METRICS. () are those of the protocol; one that these
      pictures cannot have is left out, and the record's 'warnings' say so.

  Returns:
    (scores, record): the record has all of it for JSON, with the protocol's
    settings, counts and digests. 'protocol' is its name; the 'id' of a score is
    of all that moves it but the fakes, and tells numbers that may be compared
    from those that may not.

  Raises:
    ValueError: unknown metrics, or pictures that they cannot measure.
  """
  options, warnings = pair.options, _counts(pair) + pair.doubts()
  metrics = named(metrics)
  open_features(pair, metrics)

  def tried(name, what):
    try:
      return what()
    except ValueError as error:
      if metrics:
        raise
      warnings.append(f'{name} is left out: {error}')
      return []

  # All features are known before any is computed: one pass gives all taps.
  rows = {
      name: row for name in metrics or pair.protocol.metrics
      for row in tried(name, lambda name=name: open_features(pair, (name,)))}
  scores = [score for name, row in rows.items()
            for score in tried(name, lambda row=row: row.run(pair))]
  about = pair.about()
  base = [about[k] for k in ('real_digest', 'n_real', 'n_fake')]
  base += [options.psi, options.cutoff]
  if pair.has_draws:  # They once were taken in even steps.
    base.append('drawn')
  # What the protocol asks for, and then what there was.
  settings = {**dataclasses.asdict(pair.protocol), 'reals': pair.reals}
  if pair.given or not options.averaged:
    settings['weights'] = 'given' if pair.given else 'raw'
  return scores, {
      'protocol': options.name, 'id': pair.protocol.digest(*base),
      'settings': settings, 'psi': options.psi,
      'cutoff': options.cutoff, **about, 'warnings': warnings,
      'scores': {key(score, options): {
          **_entry(score), 'id': pair.protocol.digest(
              *base, _features(score, about['extractors']),
              *_order(score, pair.protocol))} for score in scores}}


def open_features(
    pair: Pair, metrics: str | Sequence[str] = ()) -> list[Metric]:
  """Opens the networks that metrics need; returns their rows of METRICS.

  Args:
    pair: the two sets.
    metrics: rows of METRICS; of () the features of the protocol are opened.

  Raises:
    ValueError: unknown metrics or features, weights that are missing, pictures
      without what a metric is about, or fewer than it needs.
  """
  names = dict.fromkeys(named(metrics))
  rows = [METRICS.look_up(name) for name in names]
  for name, row in zip(names, rows, strict=True):
    pair.check_pictures(name, row.without_pictures)
  specs = [spec for row in rows for spec in row.features(pair)]
  for name in names:  # What no number of pictures would mend comes first.
    _check_count(pair, name)
  pair.want(specs if rows else (pair.spec,))
  return rows


def _check_count(pair, name):
  """Refuses fewer pictures than a metric needs."""
  if pair.files:
    return
  real, fake = pair.real.labels(), pair.fake.labels()
  if not pair.given and len(fake) < pair.protocol.n_fake:
    # They are not drawn yet, and will have the labels of the reals.
    fake = np.resize(real, pair.protocol.n_fake)
  why = too_few(name, pair.protocol, real, fake)
  if why:
    raise TooFewError(
        f'metrics: {why}; wanted more, or metrics without {name}.')


def key(score: Score, options: Options) -> str:
  """The name of a score in records: with its protocol, for ever.

  'fid_pytorch_fid', 'kid_ada', 'swd_32_local'; of other features
  'frechet_768_ada', 'frechet_random_conv'; with another number of fakes
  'fid_5000_ada'.
  """
  words = [score.name]
  usual, local = protocols.PROTOCOLS[options.name], options.name == 'local'
  if options.protocol.n_fake not in (0, usual.n_fake) and not local:
    words.append(str(options.protocol.n_fake))
  of_features = score.features and score.features != LPIPS
  if of_features:
    name, tap = table.parse(score.features)
    row = table.FEATURES[name]
    words += [name] if options.features or local else []
    words += [tap] if tap != row.tap and tap not in (row.logits or ()) else []
  return '_'.join([*words, *([] if local and of_features else [options.name])])


def _features(score, extractors):
  """What a score's features are, beside their spec."""
  if not score.features:
    return None
  name, _, tap = score.features.partition(':')
  about = extractors.get(name)
  # Where a network lies moves no score.
  return name, tap or None, about and {
      key: value for key, value in about.items() if key != table.WHERE}


def _order(score, protocol):
  """What an id has of a score that does not follow the order of the samples."""
  shuffled = score.about.get('shuffle') and not protocol.shuffle
  return ('shuffled',) if shuffled else ()


def _counts(pair):
  """Lines about counts that are not those of the protocol."""
  usual = protocols.PROTOCOLS[pair.options.name]
  sides = (('real', pair.real, usual.n_real), ('fake', pair.fake, usual.n_fake))
  return [
      f'{pair.options.name} has {wanted:,} {name}s, and here are '
      f'{side.count:,}: the numbers are not those of its papers.'
      for name, side, wanted in sides
      if wanted and side.count not in (wanted, None)
      and pair.protocol.n_fake]


def _entry(score):
  known = score.error is not None and math.isfinite(score.error)
  return {'value': float(score.value),
          'error_of_samples': float(score.error) if known else None,
          'reals': None if score.reals is None else float(score.reals),
          'features': score.features, **score.about,
          **({'warnings': list(score.warnings)} if score.warnings else {})}
