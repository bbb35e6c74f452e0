"""Scores of any two sets of pictures, with all that they depend on."""
import dataclasses

import numpy as np

from msg_gan_jax.evaluation import features as features_lib
from msg_gan_jax.evaluation import pair as pair_lib
from msg_gan_jax.evaluation import protocols, sets
from msg_gan_jax.evaluation.measures import LPIPS, METRICS


def of_pair(pair, metrics=()):
  """Scores of a Pair.

  Args:
    pair: pair.Pair.
    metrics: rows of METRICS; () are those of the protocol.

  Returns:
    ([measures.Score], record): the record has all of it for JSON, with the
    protocol's settings, counts and digests; 'protocol' is its name, and 'id'
    tells numbers that may be compared from those that may not.

  Raises:
    ValueError: unknown metrics, or pictures that they cannot measure.
  """
  options, protocol = pair.options, pair.protocol
  rows = prepare(pair, metrics or protocol.metrics)
  found = [one for row in rows for one in row.run(pair)]
  about = pair.about()
  return found, {
      'protocol': options.name,
      'id': protocol.digest(
          pair.spec, pair.manifold_spec,
          *(about[k] for k in ('real_digest', 'n_real', 'n_fake',
                               'extractors'))),
      'settings': dataclasses.asdict(protocol), **about,
      'scores': {key(one, options): _entry(one) for one in found}}


def prepare(pair, metrics):
  """Opens all extractors that metrics need; returns their rows of METRICS.

  Raises:
    ValueError: unknown metrics or features, weights that are missing, pictures
      without what a metric is about.
  """
  rows = [METRICS[name] for name in dict.fromkeys(metrics)]
  pair.want(spec for row in rows for spec in row.needs(pair))
  return rows


def key(one, options):
  """The name of a score in records: with its protocol, for ever.

  'fid_pytorch_fid', 'kid_ada', 'frechet_random_conv', 'swd_32'.
  """
  if not one.features:
    return one.name if options.name == 'local' or one.name.startswith(
        'swd') else f'{one.name}_{options.name}'
  if one.features == LPIPS:
    return f'{one.name}_{options.name}'
  name, tap = features_lib.parse(one.features)
  row = features_lib.FEATURES[name]
  spec = name if tap == row.tap or tap in (row.logits or ()) else (
      f'{name}_{tap}')
  if options.name == 'local':
    return f'{one.name}_{spec}'
  own = name == features_lib.parse(options.protocol.features)[0] or name == (
      features_lib.parse(options.protocol.manifold)[0])
  return f'{one.name}_{options.name}' if own and not options.features else (
      f'{one.name}_{spec}_{options.name}')


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
  row = protocols.PROTOCOLS[protocol]
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
