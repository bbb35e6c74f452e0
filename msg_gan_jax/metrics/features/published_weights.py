"""Weights that others have published: found on this machine, or fetched."""
import hashlib
import os
from typing import NamedTuple

import numpy as np

from msg_gan_jax.config import tables
from msg_gan_jax.files import cache, download, tensors
from msg_gan_jax.report.text import short

WITHOUT = (
    'features=random_conv, classifier and pixels work without any download, '
    'and so does protocol=local: its Fréchet distance is that of an untrained '
    'network, is not FID, and compares with its like alone.')
_STORE = 'https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights'
_LPIPS = 'https://raw.githubusercontent.com/richzhang/PerceptualSimilarity'


class Weights(NamedTuple):
  """A published file.

  Attributes:
    title: what it is, and its size.
    url: where it is published; its last part is the name of the file.
    sha256: of the file; '' where none is pinned, and the file must be given.
    also: other names that the same file has elsewhere.
  """
  title: str
  url: str
  sha256: str
  also: tuple[str, ...] = ()

  @property
  def name(self) -> str:
    """Of the file."""
    return self.url.rpartition('/')[-1]


class Tensors(NamedTuple):
  """What was read: {name: array}, and the SHA-256 of the file."""
  tensors: dict[str, np.ndarray]
  digest: str


def find(name: str, path: str = '', cache_dir: str = '',
         fetch: bool = True) -> Tensors:
  """The tensors of a row of WEIGHTS.

  Args:
    name: a row of WEIGHTS.
    path: the file, or a folder that has it, and perhaps those of other
      networks too; '' looks into the cache folder, into that of PyTorch, and
      then fetches it.
    cache_dir: where it is kept; '' is the user's cache folder.
    fetch: whether it may be fetched.

  Raises:
    ValueError: it is not there and cannot be fetched, has another digest than
      the published file, or cannot be read.
  """
  row = WEIGHTS.look_up(name)
  file = _given(row, path) if path else _in_caches(row, cache_dir)
  if not file:
    if not (fetch and row.sha256):
      raise _missing(row, cache_dir, 'and is not here')
    try:
      file = download.fetch(row.title, row.url, f'sha256:{row.sha256}',
                             _folder(cache_dir), 'weights_file')
    except ValueError as error:
      why = short(str(error.__cause__), 120)
      raise _missing(row, cache_dir, 'is not here, and could not be fetched '
                     f'({why})') from error
  digest = _sha256(file)
  if row.sha256 and digest != row.sha256:
    raise ValueError(
        f'weights_file: {file!r} has the SHA-256 {digest}; that of '
        f'{row.url} is {row.sha256}. It is another file, or was cut short; '
        'fetch it again.')
  return Tensors(tensors.read(file), digest)


def _given(row, path):
  path = os.path.expanduser(path)
  if os.path.isdir(path):
    inside = _in_folder(row, path)
    if not inside:
      raise ValueError(
          f'weights_file: no {row.name} in the folder {path!r}; fetch '
          f'{row.url}. {WITHOUT}')
    return inside
  if not os.path.isfile(path):
    raise ValueError(
        f'weights_file: no file {path!r}; wanted {row.title}, from '
        f'{row.url}. {WITHOUT}')
  return path


def _missing(row, cache_dir, why):
  return ValueError(
      f'weights_file: {row.title} is needed, {why}. Fetch {row.url} by '
      'other means and give weights_file=FILE, or a folder of such files, or '
      f'put it into {_folder(cache_dir)!r}. {WITHOUT}')


def _in_caches(row, cache_dir):
  """Where this project, or PyTorch, keeps what was fetched before."""
  home = os.environ.get('TORCH_HOME') or os.path.join(
      os.path.dirname(cache.default_folder()), 'torch')
  for folder in (_folder(cache_dir), os.path.join(home, 'hub', 'checkpoints')):
    if file := _in_folder(row, folder):
      return file
  return ''


def _in_folder(row, folder):
  return next((path for path in (os.path.join(folder, name) for name in (
      row.name, *row.also)) if os.path.isfile(path)), '')


def _folder(cache_dir):
  return os.path.join(cache.folder(cache_dir), 'weights')


def _sha256(path):
  with open(path, 'rb') as file:
    return hashlib.file_digest(file, 'sha256').hexdigest()


WEIGHTS: tables.Table[Weights] = tables.Table('features', 'file of weights', {
    # The digest begins with what the file's name ends with, as torch.hub wants.
    'inception': Weights(
        'the Inception network of FID (91 MB)',
        f'{_STORE}/pt_inception-2015-12-05-6726825d.pth',
        '6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2',
        ('weights-inception-2015-12-05-6726825d.pth',)),
    'vgg16': Weights(
        'the VGG16 network of ImageNet (528 MB)',
        'https://download.pytorch.org/models/vgg16-397923af.pth',
        '397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0'),
    'lpips': Weights(
        'the linear layers of LPIPS 0.1 for VGG16 (7 kB)',
        f'{_LPIPS}/master/lpips/weights/v0.1/vgg.pth',
        'a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868'),
    # No digest of it is published.
    'dinov2': Weights(
        'the DINOv2 ViT-L/14 network (1.2 GB)', 'https://dl.fbaipublicfiles.'
        'com/dinov2/dinov2_vitl14/dinov2_vitl14_pretrain.pth', ''),
})
