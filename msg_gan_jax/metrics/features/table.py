"""FEATURES: what pictures are compared by, each a network or less."""
from collections.abc import Callable
import hashlib
from typing import Any, NamedTuple

import jax.numpy as jnp

from msg_gan_jax.config import tables
from msg_gan_jax.metrics.features import (
  classifier,
  dataset_classifier,
  dinov2,
  inception,
  published_weights,
  random_conv,
  resizes,
  vgg,
)

_INCEPTION = {'64': 64, '192': 192, '768': 768, '2048': 2048, 'logits': 1008,
              'logits_unbiased': 1008}
_PIXELS = 16  # Height to which pictures are averaged for `pixels`.


class Extractor(NamedTuple):
  """Pictures -> features, to be jitted.

  Attributes:
    name: a row of FEATURES.
    digest: changes with everything that moves a feature.
    params: arrays.
    apply: (params, uint8 [B, H, W, C]) -> {tap: float32 [B, d]}.
    taps: {tap: d}.
    batch: pictures computed at once.
    about: what a record says of it, plain values.
  """
  name: str
  digest: str
  params: Any
  apply: Callable
  taps: dict
  batch: int
  about: dict


class Asked(NamedTuple):
  """What decides about an extractor, besides its name.

  Attributes:
    taps: which of them.
    protocol: protocols.Protocol.
    real: source.Source, of which a classifier learns.
    held_out: source.Source that it is tested on; None takes a tenth of `real`.
    weights_file: a path, or '' to look and to fetch.
    cache_dir: where what was trained or fetched is kept.
    say: prints a line for people.
  """
  taps: tuple
  protocol: Any
  real: Any = None
  held_out: Any = None
  weights_file: str = ''
  cache_dir: str = ''
  say: Callable = print


class Row(NamedTuple):
  """Attributes: open(asked) -> Extractor; tap, the usual one; its tap for the
  logits of a classifier (with bias, without), or None."""
  open: Callable
  tap: str
  logits: tuple | None = None


def parse(spec):
  """'inception:768' -> ('inception', '768'); the usual tap where none is.

  Raises:
    ValueError: an unknown row.
  """
  name, _, tap = spec.partition(':')
  return name, tap or FEATURES[name].tap


def colour(images):
  """uint8 [B, H, W, C] -> float32 [B, H, W, 3] in 0 .. 255.

  Grey is repeated, alpha left out: what PIL's convert('RGB') does, which the
  peers call.
  """
  images = images.astype(jnp.float32)
  if images.shape[-1] < 3:
    images = jnp.repeat(images[..., :1], 3, -1)
  return images[..., :3]


def _inception(asked):
  found = published_weights.find(
    'inception', asked.weights_file, asked.cache_dir
  )
  protocol = asked.protocol

  def apply(params, images):
    x = resizes.resize(colour(images), 299, 299, protocol.resize)
    x = jnp.clip(x, 0, 255)  # Bicubic overshoots; clean-fid clips it.
    x = (x - 128) / 128 if protocol.scale == 'tf' else x / 127.5 - 1
    out = inception.Inception().apply({'params': params}, x)
    return {tap: out[tap] for tap in asked.taps}

  return _extractor(
      'inception', found.digest, inception.from_tensors(found.tensors), apply,
      asked, _INCEPTION, 64, resize=protocol.resize, scale=protocol.scale)


def _vgg16(asked):
  found = published_weights.find('vgg16', asked.weights_file, asked.cache_dir)
  params = vgg.from_tensors(found.tensors)
  network = vgg.network(params)

  def apply(params, images):
    x = resizes.resize(colour(images), vgg.SIDE, vgg.SIDE, 'tf1')
    out = network.apply({'params': params}, vgg.normalize(x))
    return {tap: out[tap] if out[tap].ndim == 2 else out[tap].mean((1, 2))
            for tap in asked.taps}

  widths = dict(zip(vgg.TAPS, (*network.widths, network.hidden,
                               network.hidden), strict=True))
  return _extractor('vgg16', found.digest, params, apply, asked, widths, 32,
                    resize='tf1')


def lpips(weights_file='', cache_dir=''):
  """The learned perceptual distance as an Extractor of two sets of pictures.

  Args:
    weights_file: a folder with both published files; '' looks for them.
    cache_dir: where they are kept.
  """
  of_vgg, of_lins = (published_weights.find(name, weights_file, cache_dir)
                     for name in ('vgg16', 'lpips'))
  params = vgg.from_tensors(of_vgg.tensors)
  lins = vgg.lins_from_tensors(of_lins.tensors)

  def apply(a, b):
    a, b = (colour(x) / 127.5 - 1 for x in (a, b))
    return vgg.lpips(params, lins, a, b)

  digest = f'{of_vgg.digest} {of_lins.digest}'
  return Extractor('lpips', digest, params, apply, {}, 16,
                   {'features': 'lpips', 'weights': digest})


def _dinov2(asked):
  found = published_weights.find('dinov2', asked.weights_file, asked.cache_dir)
  params = dinov2.from_tensors(found.tensors)
  network = dinov2.network(params)

  def apply(params, images):
    # PIL's bicubic in bytes, then ImageNet's scaling: dgm-eval.
    x = resizes.resize(colour(images), dinov2.SIDE, dinov2.SIDE, 'pil_bicubic')
    return {'cls': network.apply(
        {'params': params}, dinov2.normalize(jnp.clip(jnp.round(x), 0, 255)))}

  return _extractor('dinov2', found.digest, params, apply, asked,
                    {'cls': network.width}, 16, resize='pil_bicubic')


def _classifier(asked):
  found = dataset_classifier.trained(
      asked.real, asked.held_out, asked.cache_dir, asked.say)

  def apply(variables, images):
    features, logits = classifier.apply(variables, images)
    out = {'features': features, **{
        dataset_classifier.tap(head): x for head, x in logits.items()}}
    return {tap: out[tap] for tap in asked.taps}

  return _extractor('classifier', found.digest, found.variables, apply, asked,
                    found.taps, 256, held_out_accuracy=found.accuracy)


def _random_conv(asked):
  def apply(params, images):
    del params
    return {'features': random_conv.features(images)}

  return _extractor(
      'random_conv', f'version {random_conv.VERSION}', {}, apply, asked,
      {'features': random_conv.FEATURES}, 256)


def _pixels(asked):
  height, width, channels = asked.real.shape
  h, w = min(height, _PIXELS), max(1, width * min(height, _PIXELS) // height)

  def apply(params, images):
    del params
    x = resizes.resize(images.astype(jnp.float32), h, w, 'area') / 127.5 - 1
    return {'values': x.reshape(len(x), -1)}

  return _extractor('pixels', f'{h} x {w}', {}, apply, asked,
                    {'values': h * w * channels}, 1024)


def _extractor(name, digest, params, apply, asked, taps, batch, **about):
  unknown = [tap for tap in asked.taps if tap not in taps]
  if unknown:
    raise ValueError(f'--features: {name} has no tap {unknown[0]!r}; '
                     + tables.nearest(unknown[0], taps))
  whole = hashlib.sha256(repr((name, digest, about)).encode()).hexdigest()
  return Extractor(
      name, whole, params, apply, {tap: taps[tap] for tap in asked.taps}, batch,
      {'features': name, 'weights': digest, **about})


def open_extractor(name, asked):
  """The Extractor of a row of FEATURES.

  Raises:
    ValueError: an unknown row or tap, weights that are missing or wrong, or a
      classifier of pictures without classes.
  """
  return FEATURES[name].open(asked)


FEATURES = tables.Table('--features', 'features', {
    'inception': Row(_inception, '2048', ('logits', 'logits_unbiased')),
    'classifier': Row(_classifier, 'features', ('logits', 'logits')),
    'random_conv': Row(_random_conv, 'features'),
    'pixels': Row(_pixels, 'values'),
    'vgg16': Row(_vgg16, 'fc2'),
    'dinov2': Row(_dinov2, 'cls'),
})
