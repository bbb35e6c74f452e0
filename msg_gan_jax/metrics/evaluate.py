"""Scores of any two sets of pictures, with all that they depend on."""
import dataclasses

import numpy as np

from msg_gan_jax.metrics import pair as pair_lib
from msg_gan_jax.metrics import protocols, sets
from msg_gan_jax.metrics.by_features import LPIPS
from msg_gan_jax.metrics.features import table
from msg_gan_jax.metrics.table import METRICS


def of_pair(pair, metrics=()):
  """Scores of a Pair.

  Args:
    pair: pair.Pair.
    metrics: rows of METRICS; () are those of the protocol, without those that
      such pictures do not have, of which the record's 'warnings' tell.

  Returns:
    ([score.Score], record): the record has all of it for JSON, with the
    protocol's settings, counts and digests. 'protocol' is its name; the 'id' of
    a score is of all that moves it but the fakes, and tells numbers that may
    be compared from those that may not.

  Raises:
    ValueError: unknown metrics, or pictures that they cannot measure.
  """
  options, warnings = pair.options, _counts(pair)
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
  rows = {name: row for name in metrics or pair.protocol.metrics
          for row in tried(name, lambda name=name: prepare(pair, (name,)))}
  found = [one for name, row in rows.items()
           for one in tried(name, lambda row=row: row.run(pair))]
  about = pair.about()
  base = [about[k] for k in ('real_digest', 'n_real', 'n_fake')]
  base += [options.psi, options.cutoff]
  return found, {
      'protocol': options.name, 'id': pair.protocol.digest(*base),
      'settings': dataclasses.asdict(pair.protocol), 'psi': options.psi,
      'cutoff': options.cutoff, **about, 'warnings': warnings,
      'scores': {key(one, options): {
          **_entry(one), 'id': pair.protocol.digest(*base, _features(
              one, about['extractors']))} for one in found}}


def open_features(pair, metrics=()):
  """Opens what metrics need, or, where none are named, the protocol's features.

  Raises:
    ValueError: see `prepare`.
  """
  if metrics:
    prepare(pair, metrics)
  else:
    pair.want((pair.spec,))


def prepare(pair, metrics):
  """Opens all extractors that metrics need; returns their rows of METRICS.

  Raises:
    ValueError: unknown metrics or features, weights that are missing, pictures
      without what a metric is about.
  """
  rows = [METRICS[name] for name in dict.fromkeys(metrics)]
  pair.want(spec for row in rows for spec in row.needs(pair))
  return rows


def _features(one, extractors):
  """What a score's features are, beside their spec."""
  if not one.features:
    return None
  name, _, tap = one.features.partition(':')
  return name, tap or None, extractors.get(name)


def _counts(pair):
  """Lines about counts that are not those of the protocol."""
  usual = protocols.PROTOCOLS[pair.options.name]
  return [
      f'{pair.options.name} has {wanted:,} {side}s, and here are '
      f'{pair.n(side):,}: the numbers are not those of its papers.'
      for side, wanted in (('real', usual.n_real), ('fake', usual.n_fake))
      if wanted and pair.n(side) != wanted and pair.protocol.n_fake]


def key(one, options):
  """The name of a score in records: with its protocol, for ever.

  'fid_pytorch_fid', 'kid_ada', 'swd_32_local'; of other features 'fid_768_ada',
  'frechet_random_conv'; with another number of fakes 'fid_5000_ada'.
  """
  words = [one.name]
  usual, local = protocols.PROTOCOLS[options.name], options.name == 'local'
  if options.protocol.n_fake not in (0, usual.n_fake) and not local:
    words.append(str(options.protocol.n_fake))
  if one.features and one.features != LPIPS:
    name, tap = table.parse(one.features)
    row = table.FEATURES[name]
    own = not options.features and not local
    words += [name] if not own else []
    words += [tap] if tap != row.tap and tap not in (row.logits or ()) else []
  named = one.features and one.features != LPIPS
  return '_'.join([*words, *([] if local and named else [options.name])])


def _entry(one):
  return {'value': float(one.value),
          'error_of_samples': None if one.error is None else float(one.error),
          'reals': None if one.reals is None else float(one.reals),
          'features': one.features, **one.about,
          **({'warnings': list(one.warnings)} if one.warnings else {})}


def evaluate(real, fake, metrics=(), protocol='local', *, features='',
             weights_file='', cache_dir='', resolution=0, seed=0, devices=None,
             say=print):
  """Scores of any two sets of pictures, without a GAN.

  Args:
    real, fake: uint8 [n, H, W, C], a source.Source, or a path of a folder, a
      .zip, .tar or .npz; see sets.open_set.
    metrics: rows of METRICS, as ('fid', 'kid'); () are the protocol's.
    protocol: a row of PROTOCOLS.
    features: a row of FEATURES, with a tap after a colon, in place of the
      protocol's.
    weights_file: the published weights of these features; '' looks for them,
      and fetches them.
    cache_dir: where statistics of reals are kept; '' is the user's cache.
    resolution: that pictures of several sizes get; 0 wants them of one.
    seed: of everything that is drawn.
    devices: jax devices that share the work; None is all.
    say: prints a line for people.

  Returns:
    The record of `of_pair`: {'scores': {'fid_pytorch_fid': {'value': ..,
    'error_of_samples': .., ..}}, 'protocol': .., ..}.

  Raises:
    ValueError: sets that cannot be read or compared; what is missing.
  """
  # Pictures are given, and none are drawn: all of them count.
  row = dataclasses.replace(protocols.PROTOCOLS[protocol], n_fake=0)
  sides = [_source(one, flag, row, resolution, cache_dir)
           for one, flag in ((real, '--real'), (fake, '--fake'))]
  return of_pair(pair_lib.Pair(*sides, pair_lib.Options(
      row, protocol, features, weights_file, cache_dir, say, devices,
      seed=seed)), metrics)[1]


def _source(one, flag, protocol, resolution, cache_dir):
  if isinstance(one, str):
    return sets.open_set(one, flag, protocol.reals == 'held_out' and
                         flag == '--real', resolution, cache_dir)
  return sets.Arrays(one, name=flag) if isinstance(one, np.ndarray) else one
