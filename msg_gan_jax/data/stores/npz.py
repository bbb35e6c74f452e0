"""Arrays of pixels in an .npz as a PictureStore."""
import io
import math
import os
import zlib

import numpy as np

from msg_gan_jax.config import tables
from msg_gan_jax.data import picture_files
from msg_gan_jax.data.labels import labels
from msg_gan_jax.files import archives, npy

# Of an array that is compressed; others are mapped, and take no memory.
MOST_BYTES = 4_000_000_000
CRC_BYTES = 1 << 24  # Bytes whose CRC is computed at a time.


class Npz:
  """Pictures uint8 [n, H, W, C] or [n, H, W]; implements store.PictureStore.

  Args:
    opened: the .npz.
    dataset: name of the array; '' is `images`, or the only one of that shape.
    label: name of the array of labels [n]; '' is `labels` if there is one, or
      the only array of whole numbers [n], if they can be classes. Names of the
      classes are in the array `classes`, if there is one.

  Raises:
    ValueError: there are no pictures, or arrays are of another kind, or
      damaged.
  """

  def __init__(self, opened: archives.OpenArchive, dataset: str = '',
               label: str = '') -> None:
    self._archive = opened
    self._place = f'config.data.path: {opened.path!r}'
    self._headers = {n.removesuffix('.npy'): self._header(n)
                     for n in sorted(opened.members) if n.endswith('.npy')}
    name = self._pictures(dataset)
    self._pixels = self._load(name)
    count = len(self._pixels)
    self.name = picture_files.printable(os.path.basename(opened.path))
    self.place = picture_files.printable(opened.path)
    self.names = [f'{name}[{i}]' for i in range(count)]
    classes, numbers, about = self._labels(label, count)
    self.classes: tuple[str, ...] = classes
    self.labels = np.array(numbers, np.int32)
    rest = {n: f'{h.dtype} {list(h.shape)}' for n, h in self._headers.items()
            if n not in (name, about.get('label'), 'classes')}
    self.notes: dict = {'array': name, **about,
                        **({'other_arrays': rest} if rest else {})}
    self.mean_bytes = 0.

  def where(self, i: int) -> str:
    return f'{self._archive.path}/{self.names[i]}'

  def read(self, i: int) -> np.ndarray:
    return self._pixels[i]

  peek = read

  def identity(self) -> bytes:
    return self._archive.stamp + self.notes['array'].encode()

  def _header(self, name):
    """Reads the header of a member; allocates nothing for what it says."""
    member = self._archive.members[name]
    try:
      head = self._archive.head(name, npy.HEAD_BYTES)
    except ValueError as error:
      raise ValueError(
          f'{self._place}: cannot read the array {name!r}: {error}.') from error
    try:
      header = npy.read_header(io.BytesIO(head))
    except ValueError as error:
      raise ValueError(
          f'{self._place}: the array {name!r} has {error}') from error
    if not header.dtype.hasobject:  # They are refused if they are asked for.
      try:
        header.check(member.size)
      except ValueError as error:
        raise ValueError(
            f'{self._place}: the array {name!r} {error}.') from error
    return header

  def _pictures(self, dataset):
    """Chooses the array of pictures by its name."""
    known = self._headers
    if dataset:
      if dataset not in known:
        raise ValueError(
            f'config.data.dataset: no array {dataset!r} in '
            f'{self._archive.path!r}; {tables.nearest(dataset, known)}')
      return dataset
    if 'images' in known:
      return 'images'
    likely = [n for n, h in known.items()
              if h.dtype == np.uint8 and _is_pictures(h.shape)]
    if len(likely) > 1:
      raise ValueError(
          f'{self._place} has several arrays of pictures: '
          f'{", ".join(likely)}; wanted one, or set config.data.dataset='
          f'{likely[0]!r}.')
    # If none is right, the error should tell what is wrong with the nearest.
    return likely[0] if likely else max(
        known, key=lambda n: (len(known[n].shape), math.prod(known[n].shape)))

  def _load(self, name):
    header = self._headers[name]
    shown = f'{self._place}: {name!r} is {header.dtype} {list(header.shape)}'
    wanted = 'wanted uint8 [n, H, W, 1 to 4] or [n, H, W]'
    if header.dtype.kind == 'f':
      raise ValueError(f'{shown}; {wanted}, from 0 to 255: of 0 to 1, '
                       '(255 * x).round().astype(np.uint8).')
    if header.dtype.hasobject:
      raise ValueError(
          f'{shown}, a pickle, which can run any program; {wanted}.')
    if header.dtype != np.uint8 or not _is_pictures(header.shape):
      last = (': move the channels to the end' if len(header.shape) == 4
              and header.shape[1] in (1, 3, 4) else '')
      raise ValueError(f'{shown}; {wanted}{last}.')
    return self._array(name)

  def _array(self, name):
    """Loads an array; maps it from the file if it is not compressed."""
    header, member = self._headers[name], self._archive.members[f'{name}.npy']
    order = 'F' if header.fortran else 'C'
    try:
      if not member.method:
        self._check_crc(member, self._archive.start(f'{name}.npy'))
        start = self._archive.start(f'{name}.npy') + header.offset
        return np.memmap(self._archive.path, header.dtype, 'r', start,
                         header.shape, order)
      data = self._archive.numbers(f'{name}.npy', MOST_BYTES)
    except ValueError as error:
      raise ValueError(
          f'{self._place}: the array {name!r}: {error}.') from error
    values = np.frombuffer(data, header.dtype, offset=header.offset)
    return values.reshape(header.shape, order=order)

  def _check_crc(self, member, start):
    """Compares the CRC of a mapped array, a part at a time."""
    crc, end = 0, start + member.size
    if end > self._archive.data.size:
      raise ValueError('the archive is cut off within it')
    for offset in range(start, end, CRC_BYTES):
      crc = zlib.crc32(
          self._archive.data.at(offset, min(CRC_BYTES, end - offset)), crc)
    if crc != member.crc:
      raise ValueError('its CRC-32 is not that which the archive declares')

  def _labels(self, label, count):
    """-> (classes, labels [count], notes)."""
    if label and label not in self._headers:
      raise ValueError(
          f'config.data.label: no array {label!r} in {self._archive.path!r}; '
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
    classes, numbers = labels.to_classes(
        place, self._array(name).tolist(), self.names)
    if 'classes' not in self._headers or header.dtype.kind not in 'iu':
      return classes, numbers
    return self._class_names(place, classes, numbers), numbers

  def _class_names(self, place, classes, numbers):
    header = self._headers['classes']
    if header.dtype.kind not in 'US' or len(header.shape) != 1:
      raise ValueError(
          f"{self._place}: 'classes' is {header.dtype} {list(header.shape)}; "
          'wanted texts [k].')
    names = [n.decode('utf-8', 'replace') if isinstance(n, bytes) else n
             for n in self._array('classes').tolist()]
    if len(names) < len(classes):
      first = min(numbers)
      raise ValueError(
          f"{place} goes to {len(classes) - 1}, but 'classes' has "
          f'{len(names)} names.'
          + (f' Labels begin at {first}, and classes at 0.' if first else ''))
    return tuple(map(picture_files.printable, names))


def is_npz(opened: archives.OpenArchive) -> bool:
  """Tells whether an archive is an .npz: arrays, and no pictures beside."""
  return (any(name.endswith('.npy') and member.crc is not None
              for name, member in opened.members.items())
          and not any(map(picture_files.is_picture, opened.members)))


def _is_pictures(shape):
  return 0 not in shape and (
      len(shape) == 3 or len(shape) == 4 and shape[-1] <= 4)

