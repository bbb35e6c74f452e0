"""Reads tensors from .pth, .npz and .safetensors, and runs none of them.

Sources: `torch/serialization.py` of PyTorch 2.14 (`_save`, `_legacy_save` and
their loaders) for both formats of .pth; the description of the format in
huggingface/safetensors. torch_pickle.py reads the pickles in a .pth.
"""
from collections.abc import Callable
import io
import json
import math
import mmap
import os
import pathlib
import struct
import warnings
import zipfile
import zlib

import numpy as np

from msg_gan_jax.files import npy, room
from msg_gan_jax.files.torch_pickle import Dtype, Machine, Tensor, short, whole

_MAGIC = 0x1950a86a20f9469cfc6c  # Begins a .pth that is not a zip.
_LEGACY = 1001  # The version of that format, the same since 2017.
_MOST_TIMES = 100  # Weights hardly shrink.
_HOLDERS = ('state_dict', 'model_state_dict', 'model')


def read(path: str | os.PathLike) -> dict[str, np.ndarray]:
  """Reads the tensors of a file, whose content says which format it has.

  Args:
    path: a .pth (a zip, or the format before PyTorch 1.6) that holds a dict of
      tensors, at the top or in one dict below it; a .npz; or a .safetensors.
      Of several dicts below the top, 'state_dict', 'model_state_dict' or
      'model' is read. Numbers and text between the tensors are left out.

  Returns:
    {name: array}, read-only; bfloat16 as float32, which has all its values.
    Tensors that share memory in a .pth share it here.

  Raises:
    ValueError: the file is missing or damaged, asks for anything but tensors,
      or claims more than its bytes can hold. The error begins with the path.
  """
  path = pathlib.Path(path)
  if not path.is_file():  # A pipe would wait for ever.
    raise ValueError(f'{path}: no such file.')
  try:
    with path.open('rb') as file, warnings.catch_warnings():
      # Odd escapes in a damaged text would warn.
      warnings.simplefilter('ignore')
      size = file.seek(0, os.SEEK_END)
      room.check(size)
      file.seek(0)
      reader = _reader(file.read(9))
      file.seek(0)
      return reader(file, size)
  except (zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError,
          LookupError, ArithmeticError, TypeError, ValueError, RuntimeError,
          AttributeError, MemoryError) as error:
    reason = str(error) if type(error) is ValueError else (
        f'it is cut off or damaged ({type(error).__name__}: {error})')
    raise ValueError(f'{path}: {reason}') from error


def _reader(head: bytes) -> Callable[[io.BufferedReader, int], dict]:
  """Chooses the reader of a file by its first 9 bytes."""
  if head[:2] == b'PK':
    return _read_zip
  if head[:1] == b'\x80':
    return _read_legacy
  if head[8:] == b'{':
    return _read_safetensors
  raise ValueError(
      f'begins with {head[:4]!r}; wanted the file of a state dict, as '
      'torch.save writes it, .npz or .safetensors.')


def _strided(numbers, start, offset, shape, strides, largest):
  """Returns a view of `numbers` that claims at most `largest` bytes."""
  if not all(isinstance(x, tuple) for x in (shape, strides)) or (
      len(shape) != len(strides) or len(shape) > 32):
    raise ValueError(
        f'a tensor has the shape {short(shape)} and the strides '
        f'{short(strides)}.')
  for number in (start, offset, *shape, *strides):
    whole(number, 'a size, stride or offset')
  if 0 in shape:
    return np.empty(shape, numbers.dtype)
  offset += start
  last = offset + sum(
      (n - 1) * stride for n, stride in zip(shape, strides, strict=True))
  if last >= len(numbers) or math.prod(shape) * numbers.itemsize > largest:
    raise ValueError(
        f'a tensor of shape {shape}, strides {strides} and offset {offset} '
        f'claims more than its {len(numbers)} numbers.')
  return np.lib.stride_tricks.as_strided(
      numbers[offset:], shape, [numbers.itemsize * x for x in strides],
      writeable=False)


# The two formats of torch.save.


def _read_legacy(file, size):
  """Reads five pickles, then every storage: its length as int64, its bytes."""
  # A mapped file ends where it ends, whatever length a pickle announces.
  with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
    return _legacy(mapped, size)


def _legacy(file, size):
  if Machine().run(file) != _MAGIC:
    raise ValueError(
        'a pickle, but not of PyTorch: its magic number is missing.')
  if Machine().run(file) != _LEGACY:
    raise ValueError('a version of the .pth format that is not known.')
  if (about := Machine().run(file)) and not about['little_endian']:
    raise ValueError('written on a big-endian machine; wanted little-endian.')
  machine = Machine()
  tensors = _holder(machine.run(file))
  keys = Machine().run(file)
  if type(keys) is not list or not all(type(key) is str for key in keys):
    raise ValueError('its list of storages is not a list of names.')
  contents = {}
  for key in keys:
    if key not in machine.storages:
      raise ValueError(f'has a storage {short(key)} that no tensor names.')
    storage = machine.storages[key]
    numel, = struct.unpack('<q', file.read(8))
    if numel != storage.numel:
      raise ValueError(
          f'storage {key!r} has {numel} numbers; its tensors want '
          f'{storage.numel}.')
    wanted = numel * storage.dtype.itemsize
    left = size - file.tell()
    if wanted > left:
      raise ValueError(
          f'storage {key!r} has {wanted} bytes, the file only {left} more: '
          'it is cut off.')
    contents[key] = file.read(wanted)
  for tensor in tensors.values():
    if tensor.storage.key not in contents:
      raise ValueError(f'storage {tensor.storage.key!r} is missing.')
  return _arrays(tensors, contents, size)


def _read_zip(file, size):
  """Reads a .pth since PyTorch 1.6, or a .npz."""
  with zipfile.ZipFile(file) as archive:
    members = _Members(archive, room.most_unpacked(size, _MOST_TIMES))
    pickles = [x for x in members.names if x.endswith('/data.pkl')]
    if any(x.endswith('/constants.pkl') for x in members.names):
      raise ValueError(
          'a TorchScript archive, which holds a program; wanted its state '
          'dict, saved by torch.save.')
    if not pickles:
      return _read_npz(members)
    folder = pickles[0].removesuffix('data.pkl')
    order = members.names.get(folder + 'byteorder')
    if order and members.read(order.filename) != b'little':
      raise ValueError(
          'written on a big-endian machine; wanted little-endian.')
    machine = Machine()
    tensors = _holder(machine.run(io.BytesIO(members.read(pickles[0]))))
    wanted = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    contents = {
        key: members.read(
            f'{folder}data/{key}', storage.numel * storage.dtype.itemsize)
        for key, storage in wanted.items()}
    return _arrays(tensors, contents, size)


class _Members:
  """Members of a zip, of which `budget` bytes are unpacked at most."""

  def __init__(self, archive, budget):
    self.archive, self.budget = archive, budget
    self.names = {x.filename: x for x in archive.infolist()}

  def read(self, name, wanted=None):
    """Reads a member, and checks its CRC.

    Args:
      name: of the member.
      wanted: its size in bytes, if it is known.
    """
    if name not in self.names:
      raise ValueError(f'its member {short(name)} is missing.')
    info = self.names[name]
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
      raise ValueError(f'its member {short(name)} is compressed oddly.')
    if wanted is not None and info.file_size != wanted:
      raise ValueError(
          f'its member {short(name)} has {info.file_size} bytes; its tensors '
          f'want {wanted}.')
    self.budget -= info.file_size
    if self.budget < 0:
      raise ValueError(
          f'unpacks to over {_MOST_TIMES} times its size, which weights never '
          'do.')
    # Without a length, a member that lies about its size would unpack whole.
    with self.archive.open(info) as member:
      content = member.read(info.file_size)
    if len(content) != info.file_size:
      raise ValueError(f'its member {short(name)} is cut off.')
    return content


def _holder(value):
  """Finds the dict of tensors in what was pickled: {name: Tensor}."""
  if type(value) is not dict:
    raise ValueError(f'holds {short(value)}; wanted a dict of tensors.')
  dicts = {'': value} | {
      name: inner for name, inner in value.items() if type(inner) is dict}
  tensors = {
      name: {k: v for k, v in inner.items() if isinstance(v, Tensor)}
      for name, inner in dicts.items()}
  tensors = {name: inner for name, inner in tensors.items() if inner}
  chosen = list(tensors) if len(tensors) < 2 else [
      name for name in ('', *_HOLDERS) if name in tensors][:1]
  if not chosen:
    raise ValueError(
        'wanted a dict of tensors, found '
        + (f'several: {", ".join(map(short, tensors))}.' if tensors else
           f'none at the top or below {", ".join(map(short, value))[:200]}.'))
  if not all(type(name) is str for name in tensors[chosen[0]]):
    raise ValueError('names some tensors by numbers; wanted text.')
  return tensors[chosen[0]]


def _arrays(tensors, contents, size):
  flat = {}  # One array for each storage and dtype: views share it.
  arrays = {}
  for name, tensor in tensors.items():
    which = tensor.storage.key, tensor.dtype
    if which not in flat:
      flat[which] = tensor.dtype.array(contents[tensor.storage.key])
    try:
      arrays[name] = _strided(
          flat[which], tensor.storage.start, tensor.offset, tensor.shape,
          tensor.strides, max(size, 2**20))
    except ValueError as error:
      raise ValueError(f'{short(name)}: {error}') from error
  return arrays


def _read_npz(members):
  """Reads arrays as np.savez writes them, except those of objects."""
  arrays = {}
  for name in members.names:
    if not name.endswith('.npy'):
      raise ValueError(
          f'a zip with {short(name)}: neither of torch.save nor a .npz.')
    arrays[name.removesuffix('.npy')] = _npy(name, members.read(name))
  if not arrays:
    raise ValueError('an empty zip; wanted tensors.')
  return arrays


def _npy(name, content):
  header = npy.read_header(io.BytesIO(content))
  if header.dtype.kind not in 'biuf' or header.dtype.itemsize > 8:
    raise ValueError(f'{short(name)} is not an array of plain numbers.')
  numbers = np.frombuffer(content, header.dtype, offset=header.offset)
  if min(header.shape, default=0) < 0 or (
      math.prod(header.shape) != numbers.size):
    raise ValueError(
        f'{short(name)} has {numbers.size} numbers; its shape is '
        f'{short(header.shape)}.')
  return numbers.reshape(header.shape, order='F' if header.fortran else 'C')


def _read_safetensors(file, size):
  """Reads a length as uint64, a header in JSON, then the bytes."""
  length, = struct.unpack('<Q', file.read(8))
  if length > size - 8:
    raise ValueError(
        f'its header has {length} bytes, the file only {size - 8} more.')
  header = json.loads(file.read(length))
  begin, arrays, total = 8 + length, {}, 0
  for name, about in header.items():
    if name == '__metadata__':
      continue
    if about['dtype'] not in _SAFETENSORS:
      raise ValueError(
          f'{short(name)} is {short(about["dtype"])}; known: '
          f'{", ".join(_SAFETENSORS)}.')
    first, last = (whole(x, 'an offset') for x in about['data_offsets'])
    shape = tuple(whole(x, 'a size') for x in about['shape'])
    dtype = _SAFETENSORS[about['dtype']]
    total += last - first
    if last > size - begin or total > size - begin or (
        math.prod(shape) * dtype.itemsize != last - first):
      raise ValueError(
          f'{short(name)} of shape {shape} claims the bytes {first} to {last} '
          f'of {size - begin}.')
    file.seek(begin + first)
    arrays[name] = dtype.array(file.read(last - first)).reshape(shape)
  if not arrays:
    raise ValueError('it holds no tensors.')
  return arrays


_SAFETENSORS = {
    'F64': Dtype('<f8'), 'F32': Dtype('<f4'), 'F16': Dtype('<f2'),
    'BF16': Dtype('bfloat16'), 'I64': Dtype('<i8'), 'I32': Dtype('<i4'),
    'I16': Dtype('<i2'), 'I8': Dtype('|i1'), 'U64': Dtype('<u8'),
    'U32': Dtype('<u4'), 'U16': Dtype('<u2'), 'U8': Dtype('|u1'),
    'BOOL': Dtype('|b1')}
