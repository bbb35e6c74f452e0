"""A zip or a tar of picture files as a PictureStore."""
import bz2
from collections.abc import Iterator
import gzip
import hashlib
import io
import itertools
import json
import lzma
import os
import tarfile

import numpy as np

from msg_gan_jax.data import picture_files
from msg_gan_jax.data.labels import labels
from msg_gan_jax.files import archives, cache, console, random_access, room

BLOCK = 1 << 20  # Bytes that are unpacked at a time.
COMPRESSED = {b'\x1f\x8b': gzip.open, b'BZh': bz2.open,
              b'\xfd7zXZ\0': lzma.open}
OTHERS = {b'7z\xbc\xaf': 'a 7z archive', b'Rar!': 'a RAR archive',
          b'(\xb5/\xfd': 'compressed by zstd', b'\x93NUMPY': 'one array (.npy)'}


class Archive:
  """Picture files in a zip or a tar; implements store.PictureStore.

  The same files in a folder are the same pictures in the same order.

  Args:
    opened: the archive.
    label_file, label, strict: see labels.label_pictures.

  Raises:
    ValueError: there is nothing to read, or not every picture has a label.
  """

  def __init__(self, opened: archives.OpenArchive, label_file: str = '',
               label: str = '', strict: bool = True) -> None:
    self._archive = opened
    self.name = picture_files.printable(os.path.basename(opened.path))
    self.place = picture_files.printable(opened.path)
    files = sorted(filter(picture_files.is_picture, opened.members))
    others = sorted(set(opened.members).difference(files))
    picture_files.tell_unreadable(self.place, others)
    counts = picture_files.count_others(others, opened.special)
    picture_files.check_any(opened.path, files, counts)
    labelling = labels.label_pictures(
        labels.Contents(opened.path, files, others, self._read_member),
        label_file, label, strict)
    self.names = files
    self.classes = labelling.classes
    self.labels = np.array(labelling.labels, np.int32)
    self.notes: dict = {**({'other_files': counts} if counts else {}),
                        **labelling.notes}
    self._sizes = [opened.members[n].size for n in self.names]
    self.mean_bytes = float(np.mean(self._sizes))

  def where(self, i: int) -> str:
    return f'{self._archive.path}/{self.names[i]}'

  def read(self, i: int) -> bytes:
    return self._archive.read(self.names[i])

  def peek(self, i: int) -> bytes | io.BufferedReader:
    return self._archive.peek(self.names[i])

  def identity(self) -> bytes:
    # 'surrogatepass' takes names that are not UTF-8.
    return (self._archive.stamp
            + '\0'.join(self.names).encode('utf-8', 'surrogatepass')
            + np.array(self._sizes, np.int64).tobytes())

  def _read_member(self, name):
    try:
      return self._archive.read(name)
    except ValueError as error:
      raise ValueError(
          f'config.data.label_file: cannot read {name!r} in '
          f'{self._archive.path!r}: {error}.') from error


def unpack(path: str, cache_dir: str = '') -> archives.OpenArchive:
  """Opens an archive, whose bytes say of which kind it is.

  A compressed tar can only be read from its beginning, so it is unpacked once
  into cache_dir ('' is the user's cache folder), whole or not at all.

  Raises:
    ValueError: there is no such file, it is not an archive or a damaged one, or
      a compressed tar that unpacks to far more than pictures would.
  """
  full = _file(path)
  try:
    data, stamp = random_access.File(full), archives.stamp(full)
  except OSError as error:
    raise ValueError(f'config.data.path: cannot read {path!r}: '
                     f'{error.strerror}.') from error
  head = data.at(0, 512)
  for magic, opener in COMPRESSED.items():
    if head.startswith(magic):
      data = _decompressed(full, data, opener, stamp, cache_dir)
      break
  else:
    if not (archives.is_zip(data) or archives.is_tar(head)):
      raise ValueError(_no_archive(path, head))
  return archives.OpenArchive(full, data, stamp)


def _file(path):
  if not path:
    raise ValueError(
        "config.data.path: is empty; data.name='archive' wants a .zip, .tar or "
        '.npz, such as /data/faces.zip.')
  full = os.path.realpath(os.path.expanduser(path))
  if os.path.isdir(full):
    raise ValueError(
        f'config.data.path: {path!r} is a folder; wanted an archive. '
        "config.data.name='folder' reads folders.")
  if not os.path.isfile(full):
    raise ValueError(
        f'config.data.path: no file {path!r}; the nearest folder that exists '
        f'is {picture_files.nearest_folder(full)!r}.')
  return full


def _no_archive(path, head):
  what = next((what for magic, what in OTHERS.items()
               if head.startswith(magic)), None)
  if what is None:
    what = f'not an archive (it begins with {head[:8]!r})' if head else 'empty'
  wanted = ('save it as np.savez(path, images=array)' if 'array' in what
            else 'wanted .zip, .tar, .tar.gz, .tar.bz2, .tar.xz or .npz')
  return f'config.data.path: {path!r} is {what}; {wanted}.'


def _decompressed(full, data, opener, stamp, cache_dir):
  """Maps the tar in a compressed file from the cache: random_access.Memory."""
  folder = cache.folder(cache_dir)
  key = hashlib.sha256(
      json.dumps(['unpacked', full]).encode() + stamp).hexdigest()

  def produce(append):
    blocks = _blocks(full, data, opener)
    first = next(blocks, b'')
    if not archives.is_tar(first[:512]):
      raise ValueError(
          f'config.data.path: {full!r} is compressed, but there is no tar in '
          'it; wanted pictures in a .tar.gz, .tar.bz2, .tar.xz or .zip.')
    console.say_aside(f'Unpacking {full!r} into {folder!r}, once.')
    appended = _appended(itertools.chain([first], blocks), append)
    _check_members(full, appended)
    for _ in appended:  # What lies behind the last member.
      pass
    return {}

  try:
    return random_access.Memory(cache.fetch(folder, key, (), 0, produce)[0])
  except OSError as error:
    raise ValueError(
        f'config.data.cache_dir: {folder!r} does not take the unpacked '
        f'{full!r}: {error}. Wanted a folder with room for it; or unpack it '
        "yourself, and set config.data.name='folder'.") from error


class RefusedError(ValueError):
  """An error of ours, unlike those that tarfile raises."""


class Blocks:
  """An iterator of bytes as the file that tarfile wants."""

  def __init__(self, blocks: Iterator[bytes]) -> None:
    self._blocks = blocks

  def read(self, size: int) -> bytes:
    """Returns the next block, whatever size is asked for."""
    del size
    return next(self._blocks, b'')


def _appended(blocks, append):
  """Yields the blocks, and appends each of them as it passes."""
  for block in blocks:
    append(np.frombuffer(block, np.uint8))
    yield block


def _check_members(full, blocks):
  """Checks the headers of a tar before much of it is unpacked in vain."""
  try:
    with tarfile.open(fileobj=Blocks(blocks), mode='r|', bufsize=BLOCK) as tar:
      while info := tar.next():
        tar.members = []
        if info.size > archives.MOST_BYTES:
          raise RefusedError(
              f'config.data.path: {info.name!r} in {full!r} declares '
              f'{info.size:,} bytes; wanted at most {archives.MOST_BYTES:,}. '
              "Unpack it yourself, and set config.data.name='folder'.")
  except RefusedError:
    raise
  except (tarfile.TarError, ValueError):
    return  # It is damaged; archives.OpenArchive says where.


def _blocks(full, data, opener):
  most, total = room.most_unpacked(data.size), 0
  with opener(random_access.Window(data)) as file:
    while True:
      try:
        block = file.read(BLOCK)
      except archives.DAMAGED as error:
        raise RefusedError(
            f'config.data.path: {full!r} is cut off or damaged: {error}. '
            'Fetch it again.') from error
      if not block:
        return
      total += len(block)
      if total > most:
        raise RefusedError(
            f'config.data.path: {full!r} of {data.size:,} bytes unpacks to '
            f'more than {most:,}, which only fills a disk; wanted pictures.')
      yield block
