"""FEATURES: what pictures are compared by, each a network or less."""
from collections.abc import Callable, Mapping
import functools
import hashlib
import types
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.arrays.pixels import from_uint8
from msg_gan_jax.config import tables
from msg_gan_jax.data.source import Source
from msg_gan_jax.files import console
from msg_gan_jax.metrics import protocols
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
WHERE = 'where'  # A network's place, in what a record says of it.
_PIXELS = 16  # Height to which pictures are averaged for `pixels`.


class Apply(Protocol):
  """Features of a batch of pictures, to be jitted."""

  def __call__(self, params: Any, images: jax.Array, /) -> dict[str, jax.Array]:
    """uint8 [B, H, W, C] -> {tap: float32 [B, d]}."""


class Extractor(NamedTuple):
  """A network, or less, that turns pictures into features.

  Attributes:
    name: a row of FEATURES.
    digest: changes with everything that moves a feature.
    params: arrays.
    apply: (params, uint8 [B, H, W, C]) -> {tap: float32 [B, d]}.
    taps: {tap: d}; a tap is a place in the network where features are taken.
    batch: pictures computed at once.
    about: what a record says of it, plain values. All of it but WHERE counts
      in the id of a score.
    fit: resizes one picture of any size, uint8 [h, w, 3] -> float32 of the
      size that the network is made for, which `apply` takes too; None where
      all pictures must have one size.
  """
  name: str
  digest: str
  params: Any
  apply: Apply
  taps: Mapping[str, int]
  batch: int
  about: dict[str, Any]
  fit: Callable[[np.ndarray], np.ndarray] | None = None


class PairExtractor(NamedTuple):
  """A network that says how different two pictures look.

  Attributes:
    apply: two float [B, H, W, C] in 0 .. 255 -> float32 [B].
    about: what a record says of it, plain values.
  """
  apply: Callable[[jax.Array, jax.Array], jax.Array]
  about: dict[str, Any]


class Request(NamedTuple):
  """What an extractor depends on, besides its name.

  Attributes:
    taps: which of them.
    protocol: how pictures are resized and scaled.
    real: the pictures that a classifier learns from.
    held_out: those that it is tested on; None takes a tenth of `real`.
    weights_file: a path, or '' to look and to fetch.
    cache_dir: where what was trained or fetched is kept.
    say: prints a line for people.
  """
  taps: tuple[str, ...]
  protocol: protocols.Protocol
  real: Source
  held_out: Source | None = None
  weights_file: str = ''
  cache_dir: str = ''
  say: Callable[[str], Any] = console.say


class Open(Protocol):
  """Loads, or trains, what features are taken by."""

  def __call__(self, request: Request, /) -> Extractor: ...


class Features(NamedTuple):
  """A row of FEATURES.

  Attributes:
    open: Request -> Extractor.
    tap: the usual one.
    logits: of a classifier, its taps for the logits (with the bias of the last
      layer, without), or None.
    title: whose features they are, as a person would say it; '' is the name of
      the row.
    any_size: whether it resizes each picture by itself, and so takes pictures
      of several sizes.
    widths: {tap: d} where they are known before it is opened.
  """
  open: Open
  tap: str
  logits: tuple[str, str] | None = None
  title: str = ''
  any_size: bool = False
  widths: Mapping[str, int] = types.MappingProxyType({})


def parse(spec: str) -> tuple[str, str]:
  """'inception:768' -> ('inception', '768'); the usual tap where none is.

  Raises:
    ValueError: an unknown row.
  """
  name, _, tap = spec.partition(':')
  return name, tap or FEATURES.look_up(name).tap


def colour(images: jax.Array) -> jax.Array:
  """uint8 [B, H, W, C] -> float32 [B, H, W, 3] in 0 .. 255.

  Grey is repeated, alpha left out: what PIL's convert('RGB') does, which the
  peers call.
  """
  images = images.astype(jnp.float32)
  if images.shape[-1] < 3:
    images = jnp.repeat(images[..., :1], 3, -1)
  return images[..., :3]


def _inception(request):
  """The network that FID is defined by.

  Source: Szegedy et al. 2015 (arXiv:1512.00567), in the graph of 2015-12-05
  that Heusel et al. 2017 (arXiv:1706.08500) take.
  """
  weights = published_weights.find(
      'inception', request.weights_file, request.cache_dir)
  protocol = request.protocol

  def apply(params, images):
    x = resizes.resize(
        colour(images), inception.SIDE, inception.SIDE, protocol.resize)
    x = jnp.clip(x, 0, 255)  # Bicubic overshoots; clean-fid clips it.
    x = (x - 128) / 128 if protocol.scale == 'tf' else x / 127.5 - 1
    out = inception.Inception().apply({'params': params}, x)
    return {tap: out[tap] for tap in request.taps}

  return _extractor(
      'inception', weights.digest, inception.from_tensors(weights.tensors),
      apply, request, _INCEPTION, 64,
      _fit(inception.SIDE, protocol.resize), resize=protocol.resize,
      scale=protocol.scale)


def _vgg16(request):
  """The network that precision and recall are defined by.

  Source: Simonyan & Zisserman 2015 (arXiv:1409.1556); torchvision's weights.
  """
  weights = published_weights.find(
      'vgg16', request.weights_file, request.cache_dir)
  params = vgg.from_tensors(weights.tensors)
  network = vgg.network(params)

  def apply(params, images):
    x = resizes.resize(colour(images), vgg.SIDE, vgg.SIDE, 'tf1')
    out: Any = network.apply({'params': params}, vgg.normalize(x))
    return {tap: out[tap] if out[tap].ndim == 2 else out[tap].mean((1, 2))
            for tap in request.taps}

  widths = dict(zip(vgg.TAPS, (*network.widths, network.hidden,
                               network.hidden), strict=True))
  return _extractor('vgg16', weights.digest, params, apply, request, widths,
                    32, _fit(vgg.SIDE, 'tf1'), resize='tf1')


def lpips(weights_file: str = '', cache_dir: str = '') -> PairExtractor:
  """The learned perceptual distance.

  Args:
    weights_file: a folder with both published files; '' looks for them.
    cache_dir: where they are kept.

  Source: Zhang et al. 2018 (arXiv:1801.03924), eq. 1.
  """
  of_vgg, of_lins = (published_weights.find(name, weights_file, cache_dir)
                     for name in ('vgg16', 'lpips'))
  params = vgg.from_tensors(of_vgg.tensors)
  lins = vgg.lins_from_tensors(of_lins.tensors)

  def apply(a, b):
    a, b = (from_uint8(colour(x)) for x in (a, b))
    return vgg.lpips(params, lins, a, b)

  digest = f'{of_vgg.digest} {of_lins.digest}'
  return PairExtractor(apply, {'features': 'lpips', 'weights': digest})


def _dinov2(request):
  """The network that FD-DINOv2 is defined by.

  Source: Oquab et al. 2023 (arXiv:2304.07193), as Stein et al. 2023
  (arXiv:2306.04675) take it.
  """
  weights = published_weights.find(
      'dinov2', request.weights_file, request.cache_dir)
  params = dinov2.from_tensors(weights.tensors)
  network = dinov2.network(params)

  def apply(params, images):
    # PIL's bicubic in bytes, then ImageNet's scaling: dgm-eval.
    x = resizes.resize(colour(images), dinov2.SIDE, dinov2.SIDE, 'pil_bicubic')
    return {'cls': network.apply(
        {'params': params}, dinov2.normalize(jnp.clip(jnp.round(x), 0, 255)))}

  return _extractor('dinov2', weights.digest, params, apply, request,
                    {'cls': network.width}, 16,
                    _fit(dinov2.SIDE, 'pil_bicubic'), resize='pil_bicubic')


def _classifier(request):
  """A small classifier of the data set itself: this project's."""
  learned = dataset_classifier.trained(
      request.real, request.held_out, request.cache_dir, request.say)

  def apply(variables, images):
    features, logits = classifier.apply(variables, images)
    out = {'features': features, **{
        dataset_classifier.tap(head): x for head, x in logits.items()}}
    return {tap: out[tap] for tap in request.taps}

  return _extractor(
      'classifier', learned.digest, learned.variables, apply, request,
      learned.taps, 256, held_out_accuracy=learned.accuracy)


def _random_conv(request):
  """A small network that was never trained.

  Source: after Naeem et al. 2020 (arXiv:2002.09797), sec. 4; this project's.
  """
  def apply(params, images):
    del params
    return {'features': random_conv.features(images)}

  return _extractor(
      'random_conv', f'version {random_conv.VERSION}', {}, apply, request,
      {'features': random_conv.FEATURES}, 256)


def _pixels(request):
  """The pixels of a small copy of the picture: this project's."""
  height, width, channels = request.real.shape
  h, w = min(height, _PIXELS), max(1, width * min(height, _PIXELS) // height)

  def apply(params, images):
    del params
    x = from_uint8(resizes.resize(images.astype(jnp.float32), h, w, 'area'))
    return {'values': x.reshape(len(x), -1)}

  return _extractor('pixels', f'{h} x {w}', {}, apply, request,
                    {'values': h * w * channels}, 1024)


def _fit(side, resize):
  """Extractor.fit of a network that is shown squares."""
  return functools.partial(
      resizes.resize_one, height=side, width=side, name=resize)


def _extractor(name, digest, params, apply, request, taps, batch, fit=None,
               **about):
  unknown = [tap for tap in request.taps if tap not in taps]
  if unknown:
    raise ValueError(f'features: {name} has no tap {unknown[0]!r}; '
                     + tables.nearest(unknown[0], taps))
  whole = hashlib.sha256(repr((name, digest, about)).encode()).hexdigest()
  return Extractor(
      name, whole, params, apply, {tap: taps[tap] for tap in request.taps},
      batch,
      {'features': name, 'weights': digest, **about}, fit)


def open_extractor(name: str, request: Request) -> Extractor:
  """The Extractor of a row of FEATURES.

  Raises:
    ValueError: an unknown row or tap, weights that are missing or wrong, or a
      classifier of pictures without classes.
  """
  return FEATURES[name].open(request)


FEATURES: tables.Table[Features] = tables.Table('features', 'features', {
    'inception': Features(
        _inception, '2048', ('logits', 'logits_unbiased'), 'Inception',
        any_size=True, widths=_INCEPTION),
    'classifier': Features(
        _classifier, 'features', ('logits', 'logits'),
        'a classifier of the reals'),
    'random_conv': Features(
        _random_conv, 'features', title='an untrained network',
        widths={'features': random_conv.FEATURES}),
    'pixels': Features(_pixels, 'values'),
    'vgg16': Features(_vgg16, 'fc2', title='VGG16', any_size=True,
                      widths={'fc1': 4096, 'fc2': 4096}),
    'dinov2': Features(_dinov2, 'cls', title='DINOv2', any_size=True),
})
