"""Pictures that someone hands over as arrays, lists or iterators."""
from collections.abc import Iterable, Mapping
import os
from typing import Any

import numpy as np
from PIL import Image

from msg_gan_jax.data.source import (
  CHANNELS,
  TO_BYTES,
  ArraySource,
  Coloured,
  Source,
  unlike_pictures,
)

# Whatever np.asarray reads, and what has such things in it.
Pictures = Source | np.typing.ArrayLike | Iterable[Any]
# What PIL's modes become; others are RGB, and wide numbers are refused.
_MODES = {'1': 'L', 'L': 'L', 'LA': 'RGBA', 'PA': 'RGBA', 'RGBA': 'RGBA'}


def source(pictures: Pictures, name: str = 'array') -> Source:
  """Pictures as a Source.

  Args:
    pictures: a Source; an array uint8 [n, H, W, C] with C of 1, 3 or 4, or grey
      [n, H, W], of numpy, jax, PyTorch or whatever else np.asarray reads; or
      a list, a generator or an iterator of single pictures (PIL's too), or of
      batches, of one size. Where some are grey, all become colour.
    name: of the argument that errors begin with.

  Raises:
    ValueError: anything else, and how to convert it.
  """
  if isinstance(pictures, Source):
    return pictures
  if hasattr(pictures, '__array__') or isinstance(pictures, Image.Image):
    return ArraySource(_set(_array(pictures, name), name), name=name)
  if isinstance(pictures, Iterable) and not isinstance(
      pictures, str | bytes | Mapping):
    return ArraySource(_joined(
        [_part(x, f'{name}: picture or batch {i}') for i, x in enumerate(
            pictures)], name), name=name)
  raise _unlike(name, f'{type(pictures).__name__}')


def _set(x, name):
  """An array of all pictures -> [n, H, W, C], where it can only mean that."""
  if x.ndim == 3 and not {x.shape[0], x.shape[2]} & set(CHANNELS):
    return x[..., None]
  return x


def _part(item, place):
  """A picture, or a batch of them -> [n, H, W, C]."""
  x = _array(item, place)
  if x.ndim == 2:
    return x[None, ..., None]
  if x.ndim == 3 and x.shape[2] in CHANNELS:
    return x[None]
  x = _set(x, place)
  if x.ndim != 4:
    raise unlike_pictures(place, x)
  return x


def _array(item, place):
  if isinstance(item, Image.Image) and item.mode[0] not in 'IF':
    item = item.convert(_MODES.get(item.mode, 'RGB'))
  elif isinstance(item, str | bytes | os.PathLike):
    raise _unlike(place, f'the path {item!r}')
  try:
    x = np.asarray(item)
  except Exception as error:  # Ragged lists, tensors with gradients, ...
    raise _unlike(place, f'{type(item).__name__}, of which numpy says: '
                  f'{str(error).rstrip(".")}') from error
  # Lists of whole numbers have no type of their own.
  untyped = not hasattr(item, 'dtype') and x.dtype.kind in 'iu' and x.size
  if untyped and 0 <= x.min() and x.max() <= 255:
    return x.astype(np.uint8)
  return x


def _joined(parts, name):
  if not parts:
    raise ValueError(f'{name}: no pictures; wanted at least 2.')
  sizes: dict[str, int] = {}
  for x in parts:
    size = f'{x.shape[2]} x {x.shape[1]}'
    sizes[size] = sizes.get(size, 0) + len(x)
  if len(sizes) > 1:
    examples = ', '.join(f'{size} ({n:,})' for size, n in [*sizes.items()][:3])
    raise ValueError(
        f'{name}: pictures of {len(sizes)} sizes: {examples}; wanted one size, '
        'or a folder of their files.')
  if len({x.shape[3] for x in parts}) > 1:
    parts = [_in_colour(ArraySource(x, name=name)) for x in parts]
  return np.concatenate(parts)


def _in_colour(part):
  every = np.arange(len(part))
  return (part if part.shape[2] == 3 else Coloured(part)).images(every)


def _unlike(place, found):
  return ValueError(
      f'{place}: wanted pictures, uint8 [n, H, W, C], or a path of a folder, '
      f'.zip, .tar or .npz; found {found}. A tensor of PyTorch becomes an '
      'array by x.detach().cpu().numpy(), of bfloat16 after x.float(), a batch '
      f'with its labels by batch[0]. {TO_BYTES}')
