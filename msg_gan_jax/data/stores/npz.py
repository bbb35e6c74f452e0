"""Arrays of pixels in an .npz as a Store."""
import io
import math
import os
from typing import NamedTuple
import zlib

import numpy as np

from msg_gan_jax.config import tables
from msg_gan_jax.data import picture_files
from msg_gan_jax.data.labels import labels

HEAD_BYTES = 12_000  # numpy's own headers are 128; it takes 10,000 at most.
CRC_BYTES = 1 << 24


class Header(NamedTuple):
  """What an array in the file says of itself."""
  shape: tuple
  fortran: bool
  dtype: np.dtype
  offset: int  # Of its values, behind the header.


class Arrays:
  """Pictures uint8 [n, H, W, C] or [n, H, W]; implements pictures.Store.

  Args:
    found: packed.Packed of an .npz.
    dataset: name of the array; '' is `images`, or the only one of that shape.
    label: name of the array of labels [n]; '' is `labels` where there is one,
      or the only array of whole numbers [n], if they can be classes.
      Names of the classes are in `classes`, if it is there.

  Raises:
    ValueError: no pictures, or arrays of another kind, or damaged ones.
  """

  def __init__(self, found, dataset='', label=''):
    self._packed = found
    self._place = f'config.data.path: {found.path!r}'
    self._headers = {n.removesuffix('.npy'): self._header(n)
                     for n in sorted(found.members) if n.endswith('.npy')}
    name = self._pictures(dataset)
    self._pixels = self._load(name)
    count = len(self._pixels)
    self.name = picture_files.printable(os.path.basename(found.path))
    self.place = picture_files.printable(found.path)
    self.names = [f'{name}[{i}]' for i in range(count)]
    self.classes, self.labels, about = self._labels(label, count)
    rest = {n: f'{h.dtype} {list(h.shape)}' for n, h in self._headers.items()
            if n not in (name, about.get('label'), 'classes')}
    self.notes = {'array': name, **about,
                  **({'other_arrays': rest} if rest else {})}
    self.mean_bytes = 0.

  def where(self, i):
    return f'{self._packed.path}/{self.names[i]}'

  def read(self, i):
    return self._pixels[i]

  peek = read

  def identity(self):
    return self._packed.stamp + self.notes['array'].encode()

  def _header(self, name):
    """Of one member; nothing is allocated for what it says."""
    member = self._packed.members[name]
    try:
      head = io.BytesIO(self._packed.head(name, HEAD_BYTES))
      version = np.lib.format.read_magic(head)
      if version not in READERS:
        raise ValueError(f'version {version} of the format')
      shape, fortran, dtype = READERS[version](head)
    except Exception as error:  # numpy raises many kinds.
      raise ValueError(
          f'{self._place}: the array {name!r} has no header that numpy '
          f'takes: {error}') from error
    if not dtype.hasobject:  # Those are refused if they are asked for.
      wanted = math.prod(shape) * dtype.itemsize
      if min(shape, default=0) < 0 or wanted != member.size - head.tell():
        raise ValueError(
            f'{self._place}: the array {name!r} says that it is {dtype} '
            f'{list(shape)}, {wanted:,} bytes, and has '
            f'{member.size - head.tell():,}.')
    return Header(shape, fortran, dtype, head.tell())

  def _pictures(self, dataset):
    """The name of the array of pictures."""
    known = self._headers
    if dataset:
      if dataset not in known:
        raise ValueError(
            f'config.data.dataset: no array {dataset!r} in '
            f'{self._packed.path!r}; {tables.nearest(dataset, known)}')
      return dataset
    if 'images' in known:
      return 'images'
    found = [n for n, h in known.items()
             if h.dtype == np.uint8 and _is_pictures(h.shape)]
    if len(found) > 1:
      raise ValueError(
          f'{self._place} has several arrays of pictures; which one? '
          f'config.data.dataset names it, as {found[0]!r}. Known: '
          f'{", ".join(found)}.')
    # The likeliest of the wrong ones: the error then says what is wrong.
    return found[0] if found else max(
        known, key=lambda n: (len(known[n].shape), math.prod(known[n].shape)))

  def _load(self, name):
    header = self._headers[name]
    said = f'{self._place}: {name!r} is {header.dtype} {list(header.shape)}'
    wanted = 'wanted uint8 [n, H, W, 1 to 4] or [n, H, W]'
    if header.dtype.kind == 'f':
      raise ValueError(f'{said}; {wanted}, from 0 to 255: of 0 to 1, '
                       '(255 * x).round().astype(np.uint8).')
    if header.dtype.hasobject:
      raise ValueError(
          f'{said}, a pickle, which can run any program; {wanted}.')
    if header.dtype != np.uint8 or not _is_pictures(header.shape):
      last = (': move the channels to the end' if len(header.shape) == 4
              and header.shape[1] in (1, 3, 4) else '')
      raise ValueError(f'{said}; {wanted}{last}.')
    return self._array(name)

  def _array(self, name):
    """Mapped from the file where it is not compressed."""
    header, member = self._headers[name], self._packed.members[f'{name}.npy']
    order = 'F' if header.fortran else 'C'
    try:
      if not member.method:
        self._check_crc(member, self._packed.start(f'{name}.npy'))
        start = self._packed.start(f'{name}.npy') + header.offset
        return np.memmap(self._packed.path, header.dtype, 'r', start,
                         header.shape, order)
      data = self._packed.read(f'{name}.npy', most=math.inf)
    except ValueError as error:
      raise ValueError(
          f'{self._place}: the array {name!r}: {error}.') from error
    values = np.frombuffer(data, header.dtype, offset=header.offset)
    return values.reshape(header.shape, order=order)

  def _check_crc(self, member, start):
    """By parts; else a damaged file would be trained on."""
    crc, end = 0, start + member.size
    if end > self._packed.data.size:
      raise ValueError('the archive is cut off within it')
    for offset in range(start, end, CRC_BYTES):
      crc = zlib.crc32(
          self._packed.data.at(offset, min(CRC_BYTES, end - offset)), crc)
    if crc != member.crc:
      raise ValueError('its CRC-32 is not that which the archive declares')

  def _labels(self, label, count):
    """-> (classes, labels [count], notes)."""
    if label and label not in self._headers:
      raise ValueError(
          f'config.data.label: no array {label!r} in {self._packed.path!r}; '
          f'{tables.nearest(label, self._headers)}')
    if label or 'labels' in self._headers:
      name = label or 'labels'
      return *self._classified(name, count), {'label': name}
    likely = [n for n, h in self._headers.items()
              if h.shape == (count,) and h.dtype.kind in 'iu']
    if len(likely) != 1:
      return (), [0] * count, {}
    name, = likely
    if len(set(self._array(name).tolist())) == count > 1:
      return (), [0] * count, {
          'label': f'{name!r} numbers the pictures: none is used'}
    try:
      return *self._classified(name, count), {'label': name}
    except ValueError as error:
      return (), [0] * count, {'label': f'{error} None is used'}

  def _classified(self, name, count):
    """-> (classes, labels [count]) of one array."""
    header = self._headers[name]
    place = f'config.data.label: the array {name!r}'
    if header.shape != (count,) or header.dtype.kind not in 'iubU':
      raise ValueError(f'{place} is {header.dtype} {list(header.shape)}; '
                       f'wanted whole numbers or texts [{count}].')
    classes, numbers = labels.classify(
        place, self._array(name).tolist(), self.names)
    if 'classes' not in self._headers or header.dtype.kind not in 'iu':
      return classes, numbers
    return self._class_names(place, classes), numbers

  def _class_names(self, place, classes):
    header = self._headers['classes']
    if header.dtype.kind not in 'US' or len(header.shape) != 1:
      raise ValueError(
          f"{self._place}: 'classes' is {header.dtype} {list(header.shape)}; "
          'wanted texts [k].')
    called = [n.decode('utf-8', 'replace') if isinstance(n, bytes) else n
              for n in self._array('classes').tolist()]
    if len(called) < len(classes):
      raise ValueError(
          f"{place} goes to {len(classes) - 1}, and 'classes' has "
          f'{len(called)} names.')
    return tuple(map(picture_files.printable, called))


def holds(found):
  """Whether a packed.Packed is an .npz: arrays, and no pictures beside."""
  return (any(name.endswith('.npy') and member.crc is not None
              for name, member in found.members.items())
          and not any(map(picture_files.is_picture, found.members)))


def _is_pictures(shape):
  return 0 not in shape and (
      len(shape) == 3 or len(shape) == 4 and shape[-1] <= 4)


READERS = {(1, 0): np.lib.format.read_array_header_1_0,
           (2, 0): np.lib.format.read_array_header_2_0}
