"""A mark on a digest that nobody but this user, with this cache, can make.

Whatever is unpacked or copied belongs to the user, too: the owner of a file
does not tell who wrote it.
"""
import contextlib
import hashlib
import hmac
import os
import secrets

from msg_gan_jax.files import cache, plain
from msg_gan_jax.files.atomic import flush_to_disk

LENGTH = 32  # Bytes of the key.


def key_file() -> str:
  """The path of this user's secret."""
  return os.path.join(cache.default_folder(), 'key_of_runs')


def of(digest: str) -> str:
  """The mark of a digest, in hex; '' where no secret can be kept."""
  try:
    key = _read() or _make()
  except OSError:
    return ''
  return _mark(key, digest) if key else ''


def is_ours(digest: str, mark: str) -> bool:
  """Whether `of` has made this mark, of this digest, for this user."""
  try:
    key = _read()
  except OSError:
    return False
  return bool(key) and hmac.compare_digest(
      _mark(key, digest).encode(), mark.encode())


def _mark(key, digest):
  return hmac.new(key, digest.encode(), hashlib.sha256).hexdigest()


def _read():
  """The secret; b'' where there is none, or one that others may have made."""
  if not cache.is_ours(key_file()):
    return b''
  key = plain.read(key_file())
  return key if len(key) == LENGTH else b''


def _make():
  cache.make(os.path.dirname(key_file()))
  temporary = f'{key_file()}.{secrets.token_hex(8)}.tmp'
  try:
    with open(temporary, 'xb', opener=lambda path, flags: os.open(
        path, flags, 0o600)) as file:
      file.write(secrets.token_bytes(LENGTH))
      flush_to_disk(file)
    try:
      os.link(temporary, key_file())
    except FileExistsError:
      if not _read():  # Not one of another process that was first.
        os.replace(temporary, key_file())
  finally:
    with contextlib.suppress(FileNotFoundError):
      os.remove(temporary)
  return _read()
