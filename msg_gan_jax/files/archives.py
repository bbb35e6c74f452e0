"""Reads the members of a zip or a tar, by many threads at once."""
import bz2
import hashlib
import io
import json
import lzma
import os
import posixpath
import stat
import struct
import tarfile
from typing import NamedTuple
import zipfile
import zlib

import numpy as np

from msg_gan_jax.files import console, random_access, room

# No picture or list of labels is larger. A member that claims to be would fill
# the memory of every thread that reads it.
MOST_BYTES = 1_000_000_000
BLOCK = 1 << 20  # Bytes that are unpacked at a time, of what is larger.
MOST_LINKS = 40  # Linux follows as many from one to the next.
# What reading a damaged compressed file raises.
DAMAGED = (zlib.error, lzma.LZMAError, EOFError, OSError)
Bytes = random_access.File | random_access.Memory


class Member(NamedTuple):
  """A file in an archive.

  Attributes:
    size: in bytes, as the archive declares it.
    offset: where its bytes begin in a tar, or the header before them in a zip.
    packed: how many bytes it takes in the archive.
    method: how it is compressed, by zipfile's numbers.
    crc: CRC-32 of its bytes; None in a tar, which has none.
    fault: why it cannot be read, or ''.
  """
  size: int
  offset: int
  packed: int
  method: int = zipfile.ZIP_STORED
  crc: int | None = None
  fault: str = ''


class Link(NamedTuple):
  """A member of a tar that stands for another one."""
  target: str


class OpenArchive:
  """The members of an archive, whose links are the members they lead to.

  Args:
    path: of the archive, for errors.
    data: where its bytes lie.
    stamp: bytes that change when the archive may have changed.

  Attributes:
    members: {path with '/': Member}, without folders and hidden names. Of two
      members of one name the last counts, as it does when one unpacks them.
    special: how many links that lead elsewhere, pipes and the like were
      passed over.

  Raises:
    ValueError: its table of contents is damaged.
  """

  def __init__(self, path: str, data: Bytes, stamp: bytes) -> None:
    self.path, self.data, self.stamp = path, data, stamp
    self.members: dict[str, Member] = {}
    self.special = 0
    zipped = is_zip(data)
    for name, member in (_zip if zipped else _tar)(path, data):
      name = _plain(name)
      if member is None:
        self.special += bool(name)
      elif name:
        self.members[name] = member

  def read(self, name: str, most: float = MOST_BYTES) -> bytes:
    """Reads a member, and checks its length and its CRC.

    Raises:
      ValueError: it is damaged, encrypted, or larger than `most` bytes.
    """
    return bytes(self._read(name, most))

  def numbers(self, name: str, most: float) -> np.ndarray:
    """The same bytes as uint8 [n], read-only; they are never there twice."""
    found = np.frombuffer(self._read(name, most), np.uint8)
    found.flags.writeable = False
    return found

  def _read(self, name, most):
    member = self.members[name]
    if member.fault:
      raise ValueError(member.fault)
    most = min(most, room.most_unpacked(member.packed))
    if max(member.size, member.packed) > most:
      raise ValueError(
          f'declares {max(member.size, member.packed):,} bytes; wanted at most '
          f'{most:,} of the {member.packed:,} that it takes in the archive')
    room.check(member.size + member.packed)
    raw = self.data.at(self.start(name), member.packed)
    if len(raw) < member.packed:
      raise ValueError(f'the archive is cut off after {len(raw)} of the '
                       f'{member.packed} bytes that this member takes')
    data = _inflate(raw, member.method, member.size + 1)
    if len(data) != member.size:
      less = 'more' if len(data) > member.size else 'less'
      raise ValueError(f'inflates to {less} than the {member.size} bytes that '
                       'it declares')
    if member.crc is not None and zlib.crc32(data) != member.crc:
      raise ValueError('its CRC-32 is not that which the archive declares')
    return data

  def head(self, name: str, size: int) -> bytes:
    """Reads the first bytes of a member, at most `size`, unchecked."""
    member = self.members[name]
    if member.fault:
      raise ValueError(member.fault)
    raw = self.data.at(self.start(name), min(member.packed, size + 1000))
    return _inflate(raw, member.method, size)[:size]

  def peek(self, name: str) -> bytes | io.BufferedReader:
    """Opens a member as a file if it is not compressed; else reads it."""
    member = self.members[name]
    if member.fault or member.method or member.size > MOST_BYTES:
      return self.read(name)
    return io.BufferedReader(
        random_access.Window(self.data, self.start(name), member.size))

  def start(self, name: str) -> int:
    """Finds the offset in `data` of a member's bytes, compressed or not."""
    member = self.members[name]
    if member.crc is None:
      return member.offset
    head = self.data.at(member.offset, 30)
    if head[:4] != b'PK\3\4':
      raise ValueError('the archive has no header where this member should be')
    return member.offset + 30 + sum(struct.unpack('<HH', head[26:30]))


def is_zip(data: Bytes) -> bool:
  """Tells whether bytes are a zip, if need be behind a program that unpacks."""
  return data.at(0, 4) in (b'PK\3\4', b'PK\5\6') or (
      not is_tar(data.at(0, 512))
      and zipfile.is_zipfile(io.BufferedReader(random_access.Window(data))))


def is_tar(head: bytes) -> bool:
  """Tells whether 512 bytes begin a tar, by their checksum."""
  try:
    tarfile.TarInfo.frombuf(head, 'utf-8', 'surrogateescape')
  except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # It is empty.
    return True
  except tarfile.HeaderError:
    return False
  return True


def stamp(path: str) -> bytes:
  """Hashes the size and the time of a file, which change when it does."""
  status = os.stat(path)
  return hashlib.sha256(json.dumps(
      [status.st_size, status.st_mtime_ns]).encode()).digest()


def _plain(name):
  """'./cat/a.png' -> 'cat/a.png'; '' if it is hidden or lies outside."""
  name = _path(name)
  if any(p[:1] == '.' or p == '__MACOSX' for p in name.split('/')):
    return ''
  return name


def _path(name):
  """'./cat//a.png' -> 'cat/a.png'."""
  return '/'.join(p for p in name.split('/') if p not in ('', '.'))


def _inflate(raw, method, most):
  """Unpacks at most `most` bytes."""
  if method == zipfile.ZIP_STORED:
    return raw
  tool = (zlib.decompressobj(-zlib.MAX_WBITS)
          if method == zipfile.ZIP_DEFLATED else bz2.BZ2Decompressor())
  try:
    if most <= BLOCK:
      return tool.decompress(raw, most)
    return _in_blocks(raw, tool, most)
  except DAMAGED as error:
    raise ValueError(f'damaged: {error}') from error


def _in_blocks(raw, tool, most):
  """The same; at once, zlib and bz2 would need memory for it twice."""
  unpacked = bytearray()
  for start in range(0, len(raw), BLOCK):
    rest, more = raw[start:start + BLOCK], True
    while more and len(unpacked) < most and not tool.eof:
      unpacked += tool.decompress(rest, min(BLOCK, most - len(unpacked)))
      # bz2 keeps what it has not used, and zlib gives it back.
      rest = getattr(tool, 'unconsumed_tail', b'')
      more = bool(rest) or not getattr(tool, 'needs_input', True)
  return unpacked


def _zip(path, data):
  """Yields (name, Member), or (name, None) for a link."""
  try:
    with zipfile.ZipFile(
      io.BufferedReader(random_access.Window(data))
    ) as opened:
      infos = opened.infolist()
  except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError,
          struct.error) as error:
    raise ValueError(
        f'config.data.path: {path!r} begins as a zip, but its table of '
        f'contents, at its end, cannot be read: {error}. It is cut off or '
        'damaged; fetch it again.') from error
  for info in infos:
    name, kind = _zip_name(info), stat.S_IFMT(info.external_attr >> 16)
    if name.endswith('/'):
      continue
    linked = info.create_system == 3 and kind not in (0, stat.S_IFREG)
    yield name, None if linked else Member(
        info.file_size, info.header_offset, info.compress_size,
        info.compress_type, info.CRC, _zip_fault(info))


def _zip_name(info):
  name = info.filename
  if not info.flag_bits & 0x800:
    try:  # Those that Apple writes are UTF-8 without saying so.
      name = name.encode('cp437').decode()
    except UnicodeError:
      pass
  # Only names that Unix wrote may hold a backslash.
  return name if info.create_system == 3 else name.replace('\\', '/')


def _zip_fault(info):
  if info.flag_bits & 0x41:
    return 'is encrypted; unpack it, and pack it without a password'
  known = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
  if info.compress_type not in known:
    called = zipfile.compressor_names.get(info.compress_type, 'unknown')
    return (f'is compressed by method {info.compress_type} ({called}); wanted '
            'stored, deflate or bzip2')
  return ''


def _tar(path, data):
  """Yields (name, Member), or (name, None) for a link or a device."""
  file = io.BufferedReader(random_access.Window(data))
  try:
    tar = tarfile.open(fileobj=file, mode='r:')
  except tarfile.TarError as error:
    raise _damaged(path, 0) from error
  members, folders = {}, set()
  with tar:
    while info := _next(path, tar, data.size):
      tar.members = []  # tarfile would keep a million of them in memory.
      name = _path(info.name)
      if info.isdir():
        folders.add(name)
      else:
        members[name] = _of_tar(name, info, members)
    end = data.at(tar.offset, 512)
  if end.strip(b'\0'):  # tarfile stops here without an error.
    raise _damaged(path, tar.offset)
  if not end:
    console.say_aside(
        f'config.data.path: {path!r} has no mark at its end; if it was cut '
        'off, pictures are missing.')
  for name, member in members.items():
    yield name, _followed(member, members, folders)


def _of_tar(name, info, members):
  """Member or Link; None if it is neither, or leads out of the archive."""
  if info.isreg():
    fault = ('is sparse: it has holes; pack it without --sparse'
             if info.issparse() else '')
    return Member(info.size, info.offset_data, info.size, fault=fault)
  if info.islnk():  # It names a member, as a rule one before it.
    target = _path(info.linkname)
    return members.get(target, Link(target))
  if info.issym() and not info.linkname.startswith('/'):
    target = posixpath.normpath(
        posixpath.join(posixpath.dirname(name), info.linkname))
    return None if target.split('/')[0] in ('..', '.') else Link(target)
  return None


def _followed(member, members, folders):
  """Follows links to a Member; None if they lead to a folder or nothing."""
  for _ in range(MOST_LINKS):
    if not isinstance(member, Link):
      return member
    if member.target not in members:
      return None if member.target in folders else Member(
          0, 0, 0, fault=f'is a link to {member.target!r}, which the archive '
          'does not hold')
    member = members[member.target]
  return Member(0, 0, 0, fault='is a link that leads in a circle, or over more '
                f'than {MOST_LINKS} others')


def _next(path, tar, size):
  """Returns the next TarInfo; None at the end."""
  try:
    info = tar.next()
  except (tarfile.TarError, ValueError) as error:
    if tar.offset > size:  # The last member is cut off: reading it says so.
      return None
    raise _damaged(path, tar.offset) from error
  if info and info.size < 0:  # It would lead backwards, and never end.
    raise _damaged(path, info.offset)
  return info


def _damaged(path, offset):
  return ValueError(
      f'config.data.path: {path!r} is damaged: a member should begin at byte '
      f'{offset:,}, and none does. Fetch it again.')
