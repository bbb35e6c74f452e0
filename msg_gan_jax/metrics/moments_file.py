"""Files of mu and sigma: what pytorch-fid and clean-fid save of a set."""
from collections.abc import Sequence
import hashlib
import json
import os
from typing import Any, NoReturn
import zipfile

import numpy as np

from msg_gan_jax.files import npy
from msg_gan_jax.files.atomic import flush_to_disk, replacing
from msg_gan_jax.metrics.features.table import WHERE
from msg_gan_jax.metrics.functional import frechet

ENDING = '.npz'
_KEYS = 'mu', 'sigma'
# Of the largest entry: matrices that float32 programs wrote are symmetric up to
# its rounding.
_ASYMMETRY = 1e-5


class MomentsFile:
  """Mean and covariance of a set's features, without its pictures.

  It implements source.Source as far as there is anything: it has no pictures,
  and what asks for them is refused.

  Args:
    path: an .npz with mu [d] and sigma [d, d], the covariance divided by
      n - 1.
    name: of the argument that errors begin with.

  Attributes:
    moments: frechet.Moments.
    about: what `write` was told of them; {} in files of other programs.

  Raises:
    ValueError: a file that is cut off, or other arrays than these.

  Source: pytorch-fid's --save-stats, clean-fid's make_custom_stats, and the
  files of TTUR, which are all the same.
  """

  def __init__(self, path: str, name: str = 'real') -> None:
    mu, sigma, self.about = _read(path, name)
    # Other programs do not write down of how many pictures they are.
    n = self.about.get('n')
    self.moments = frechet.Moments(
        n, mu, sigma if n is None else sigma * (n - 1))
    self.name = os.path.basename(path)
    self.shape: tuple[int, int, int] = (0, 0, 3)
    self.classes: tuple[str, ...] = ()
    self.notes: dict[str, Any] = {'path': path, **self.about}
    self._digest = hashlib.sha256(mu.tobytes() + sigma.tobytes()).hexdigest()

  def __len__(self) -> int:
    """0: there are no pictures."""
    return 0

  def __bool__(self) -> bool:
    """True: a set all the same, which one may ask for by `if real`."""
    return True

  def images(self, indices: np.ndarray) -> NoReturn:
    """Refuses: there are none."""
    raise ValueError(f'{self.name} has mu and sigma of features, and no '
                     'pictures; wanted the pictures that they are of.')

  def labels(self, indices: np.ndarray) -> np.ndarray:
    return np.zeros(len(indices), np.int32)

  def factors(self, indices: np.ndarray) -> dict[str, np.ndarray]:
    return {}

  def digest(self) -> str:
    """Hashes mu and sigma."""
    return self._digest

  def check(self, side: str, spec: str, width: int | None,
            extractor: dict[str, Any]) -> None:
    """Refuses moments of other features than those that are compared.

    Args:
      side: 'real' or 'fake', for the error.
      spec: of the features that are compared.
      width: how many of them a picture has; None where it is not known.
      extractor: what a record says of the network; {} where it is not known.

    Raises:
      ValueError: other features, as far as the file tells.
    """
    found, known = len(self.moments.mean), self.about
    if width is not None and found != width:
      raise ValueError(
          f'{side}: {self.name} has the mean of {found:,} features, and {spec} '
          f'has {width:,}; wanted the protocol and the features that the file '
          f'was made with{self._made_with()}.')
    theirs = known.get('extractor', {})
    extractor = json.loads(json.dumps(extractor))  # As the file has it.
    for key in (theirs.keys() & extractor.keys()) - {WHERE}:
      if theirs[key] != extractor[key]:
        raise ValueError(
            f'{side}: {self.name} was made by protocol={known["protocol"]}, '
            f'whose {key} is {theirs[key]}, and here it is {extractor[key]}: '
            'the distance would mean nothing. Wanted one protocol and one file '
            'of weights on both sides.')

  def check_beside(self, real: 'MomentsFile', protocol: str,
                   specs: Sequence[str], known: bool) -> None:
    """Refuses two files that no network is opened for, if they do not fit.

    Args:
      real: the other file.
      protocol: a row of PROTOCOLS, by whose name the distance would go.
      specs: of the features that are compared.
      known: whether it is known how many these features are.

    Raises:
      ValueError: files of other features, protocols or weights, as far as they
        tell.
    """
    for side, file in (('real', real), ('fake', self)):
      if not (file.about or known):
        raise ValueError(
            f'{side}: {file.name} does not tell whether its '
            f'{len(file.moments.mean):,} features are {" and ".join(specs)}; '
            'wanted the pictures of one of the two sets.')
      if file.about and (file.about['protocol'] != protocol or any(
          file.about['features'] != spec for spec in specs)):
        raise ValueError(
            f'{side}: {file.name} is not of {" and ".join(specs)} by protocol='
            f'{protocol}; wanted what it was made with{file._made_with()}.')
    if self.about and real.about:
      self.check('fake', specs[0], None, real.about['extractor'])

  def _made_with(self):
    """', such as protocol=.. with features=..', by what is known; or ''."""
    found = len(self.moments.mean)
    if self.about:
      made = (f'protocol={self.about["protocol"]} with '
              f'features={self.about["features"]}')
    elif found in (64, 192, 768):
      made = f'features=inception:{found} with protocol=pytorch_fid'
    else:
      made = 'protocol=pytorch_fid' if found == 2048 else ''
    return f', such as {made}' if made else ''


def is_moments(path: str) -> bool:
  """Whether a file has arrays mu and sigma, or one of them."""
  try:
    with zipfile.ZipFile(path) as file:
      return not {f'{key}.npy' for key in _KEYS}.isdisjoint(file.namelist())
  except (OSError, zipfile.BadZipFile):
    return False


def write(path: str, moments: frechet.Moments, about: dict[str, Any]) -> str:
  """Writes a file that pytorch-fid and clean-fid read, whole or not at all.

  Args:
    path: ends in .npz, and is not there yet.
    moments: of features.
    about: what tells these features from others, for JSON. It is kept in a
      third array, which those programs do not look at.

  Returns:
    The path.

  Raises:
    ValueError: a path that cannot be written to.
  """
  check_path(path)
  with replacing(path) as temporary:
    with open(temporary, 'wb') as file:
      np.savez(file, mu=moments.mean.astype(np.float64),
               sigma=moments.covariance().astype(np.float64),
               about=np.array(json.dumps({**about, 'n': moments.n})))
      flush_to_disk(file)
  return path


def check_path(path: str) -> None:
  """Refuses a path that `write` cannot take, before hours of work.

  Raises:
    ValueError: it does not end in .npz, is there, or its folder is not.
  """
  if not path.endswith(ENDING):
    raise ValueError(f'save_stats: wanted a file that ends in {ENDING}, as '
                     f'pytorch-fid reads it, found {path!r}.')
  if os.path.exists(path):
    raise ValueError(f'save_stats: {path!r} is there already; wanted a name '
                     'that is free.')
  folder = os.path.dirname(os.path.abspath(path))
  if not os.path.isdir(folder):
    raise ValueError(f'save_stats: no folder {folder!r}.')


def _read(path, name):
  """-> (mu, sigma, about), checked."""
  place = f'{name}: {path!r}'
  wanted = ('wanted an .npz with mu [d] and sigma [d, d], as pytorch-fid and '
            'clean-fid save it')
  try:
    with npy.open_archive(path) as file:
      missing = [key for key in _KEYS if key not in file.files]
      if missing:
        raise ValueError(f'{place} has no {missing[0]}, only '
                         f'{", ".join(file.files)}; {wanted}.')
      mu, sigma = (file[key] for key in _KEYS)
      about = json.loads(str(file['about'])) if 'about' in file.files else {}
  except ValueError as error:
    if str(error).startswith(place):
      raise
    raise ValueError(f'{place} cannot be read: {error}; {wanted}.') from error
  except (OSError, KeyError) as error:
    raise ValueError(f'{place} is damaged, or was cut off: {error}; {wanted}.'
                     ) from error
  d = mu.shape[0] if mu.ndim == 1 else -1
  if mu.dtype.kind != 'f' or sigma.dtype.kind != 'f' or sigma.shape != (d, d):
    raise ValueError(
        f'{place}: mu is {mu.dtype} {list(mu.shape)} and sigma {sigma.dtype} '
        f'{list(sigma.shape)}; {wanted}, in floats.')
  mu, sigma = mu.astype(np.float64), sigma.astype(np.float64)
  for key, values in zip(_KEYS, (mu, sigma), strict=True):
    if not np.isfinite(values).all():
      raise ValueError(f'{place}: {key} has numbers that are not finite.')
  uneven = np.abs(sigma - sigma.T).max(initial=0.)
  if uneven > _ASYMMETRY * np.abs(sigma).max(initial=0.):
    raise ValueError(f'{place}: sigma is no covariance: it is not symmetric, '
                     f'by {uneven:.3g}.')
  if d and np.diag(sigma).min() < 0:
    raise ValueError(f'{place}: sigma is no covariance: a variance of '
                     f'{np.diag(sigma).min():.3g} is negative.')
  return mu, (sigma + sigma.T) / 2, about if _is_ours(about) else {}


def _is_ours(about):
  """Whether `write` wrote it, and not another program."""
  return (isinstance(about, dict) and isinstance(about.get('n'), int)
          and about['n'] > 1 and isinstance(about.get('extractor'), dict)
          and all(isinstance(about.get(key), str)
                  for key in ('protocol', 'features')))
