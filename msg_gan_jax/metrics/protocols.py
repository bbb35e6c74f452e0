"""PROTOCOLS: all that a score depends on besides the pictures, by name."""
from collections.abc import Iterable
import dataclasses
import hashlib
import json
from typing import Any

from msg_gan_jax.config import tables


@dataclasses.dataclass(frozen=True)
class Protocol:
  """How a published program turns two sets of pictures into numbers.

  Pictures are uint8 in every one of them: fakes are rounded, and their range
  is not stretched. Covariances, eigenvalues and kernels are in float64.

  Attributes:
    follows: the program or paper that the definition is from.
    features: a row of FEATURES, with a tap after a colon.
    resize: a row of features.resizes.RESIZES, by which Inception's 299 pixels
      are reached.
    scale: how bytes become Inception's input: 'tf' is (x - 128) / 128, 'torch'
      x / 127.5 - 1.
    ddof: covariances are divided by n - ddof.
    reals: 'train' or 'held_out', of a data set that has both.
    weights: of a generator: 'ema', averaged, or 'raw'.
    n_real, n_fake: how many of each; 0 is all reals, and as many fakes.
    splits, shuffle, bias: of the inception score: parts; whether they are
      drawn, as those of a set that is given always are, since it has no order
      of its own; whether its logits have the bias of the last layer.
    subsets, subset: of KID: how many, and pictures in each.
    manifold: features of precision and recall.
    k: neighbours of precision and recall; 5 for density and coverage always.
    closed: whether precision and recall count the surface of a ball as in it.
    sliced: at most this many pictures of each set are used for the sliced
      distance.
    similarity: MS-SSIM as in 'progan' or as in 'landscape'.
    metrics: what is measured where no others are asked for.
  """
  follows: str
  features: str = 'inception:2048'
  resize: str = 'tf1'
  scale: str = 'tf'
  ddof: int = 1
  reals: str = 'train'
  weights: str = 'ema'
  n_real: int = 0
  n_fake: int = 50_000
  splits: int = 10
  shuffle: bool = False
  bias: bool = False
  subsets: int = 100
  subset: int = 1000
  manifold: str = 'inception:2048'
  k: int = 3
  closed: bool = True
  sliced: int = 16_384
  similarity: str = 'progan'
  metrics: tuple[str, ...] = ('fid',)

  def digest(self, *more: Any) -> str:
    """Eight hex digits of all of it and of `more`, anything JSON can write."""
    # Not by what is measured: a number is the same whatever else is asked for.
    about = dataclasses.asdict(self) | {'metrics': None, 'follows': None}
    return hashlib.sha256(json.dumps(
        [about, *more], sort_keys=True, default=str).encode()).hexdigest()[:8]


PROTOCOLS = tables.Table('protocol', 'protocol', {
    # Nothing to download; numbers to be compared with their own references.
    'local': Protocol(
        'this project: an untrained network, or the features that are named',
        features='random_conv', reals='held_out', n_fake=0,
        manifold='random_conv',
        metrics=('fid', 'kid', 'precision_recall', 'density_coverage',
                 'ms_ssim', 'swd')),
    'tf_legacy': Protocol(
        'TTUR and ProGAN: the graph of 2015-12-05 in TensorFlow 1',
        metrics=('fid', 'is')),
    'pytorch_fid': Protocol(
        'pytorch-fid 0.3', resize='half_pixel', scale='torch'),
    'torch_fidelity': Protocol(
        'torch-fidelity 0.4', shuffle=True, manifold='vgg16:fc2',
        metrics=('fid', 'kid', 'is')),
    'clean': Protocol(
        'clean-fid: PIL bicubic with antialias, in floats',
        resize='pil_bicubic', metrics=('fid', 'kid')),
    'ada': Protocol(
        'stylegan2-ada-pytorch: fid50k_full, kid50k_full, is50k, pr50k3_full',
        ddof=0, manifold='vgg16:fc2', metrics=('fid', 'kid', 'is')),
    'landscape': Protocol(
        'compare_gan v2 (The GAN Landscape), its CIFAR-10: 10,000 against the '
        '10,000 test pictures', reals='held_out', weights='raw', n_real=10_000,
        n_fake=10_000, splits=1, similarity='landscape',
        metrics=('fid', 'is')),
    'mimicry': Protocol(
        'mimicry: 50,000 against 50,000 of the training set',
        weights='raw', n_real=50_000, subsets=50,
        metrics=('fid', 'kid', 'is')),
    'studiogan': Protocol(
        'PyTorch-StudioGAN, its legacy resizer: one split, precision and '
        'recall in Inception', resize='half_pixel', scale='torch', splits=1,
        bias=True, k=5, closed=False, metrics=(
            'fid', 'is', 'precision_recall', 'density_coverage')),
    'dinov2': Protocol(
        'dgm-eval (Stein et al. 2023): FD-DINOv2, ViT-L/14',
        features='dinov2', manifold='dinov2', metrics=('fid', 'kid')),
})

# These words mean scores of the Inception network, wherever they are used.
OF_INCEPTION = ('fid', 'fid_infinity', 'intra_fid', 'kid', 'is')


def choose(name: str = '', metrics: Iterable[str] = (),
           features: str = '') -> str:
  """The row of PROTOCOLS that is meant.

  Args:
    name: a row; '' where none was named. Then scores that people know as those
      of Inception are torch-fidelity's, and whatever else there is, and all
      that is asked of other features, are local ones.
    metrics: rows of METRICS that were named.
    features: a row of FEATURES that was named, or ''.

  Raises:
    ValueError: an unknown protocol.
  """
  if name:
    PROTOCOLS.check(name)
    return name
  known = not features and any(metric in OF_INCEPTION for metric in metrics)
  return 'torch_fidelity' if known else 'local'
