"""Tensors from the files of others: .pth, .npz, .safetensors, running none.

Sources: `torch/serialization.py` of PyTorch 2.14 (`_save`, `_legacy_save` and
their loaders) for both formats of .pth; numpy's NEP 1; the description of the
format in huggingface/safetensors. What a pickle may say is opcodes.py.
"""
import io
import json
import math
import mmap
import os
import pathlib
import re
import struct
import warnings
import zipfile
import zlib

import numpy as np

from msg_gan_jax.files.torch_pickle import Dtype, Machine, Tensor, short, whole

_MAGIC = 0x1950a86a20f9469cfc6c  # Begins a .pth that is no zip.
_LEGACY = 1001  # Its version, the same since 2017.
_SLACK = 2**26  # Bytes that any file may unpack to.
_RATIO = 100  # ... and times its size; weights hardly shrink.
_HOLDERS = ('state_dict', 'model_state_dict', 'model')


def read(path):
  """The tensors of a file: its content says what it is, not its name.

  Args:
    path: of a .pth (a zip, or the format before PyTorch 1.6) with a dict of
      tensors, at the top or in one dict below it; of a .npz, or .safetensors.
      Of several dicts below, 'state_dict', 'model_state_dict' or 'model' is
      read. What is no tensor (numbers, text) is left out.

  Returns:
    {name: array}, read-only; bfloat16 as float32, which has all its values.
    Tensors that share memory in a .pth share it here.

  Raises:
    ValueError: the file is missing, damaged, asks for anything but tensors, or
      claims more than its bytes can hold; the path, and what is wrong.
  """
  path = pathlib.Path(path)
  if not path.is_file():  # A pipe would wait for ever.
    raise ValueError(f'{path}: no such file.')
  try:
    with path.open('rb') as file, warnings.catch_warnings():
      warnings.simplefilter('ignore')  # Of odd escapes in a damaged text.
      size = file.seek(0, os.SEEK_END)
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


def _reader(head):
  """By the first 9 bytes."""
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
  """A view of `numbers`; `largest`: bytes that it may claim to have."""
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
  """Five pickles, then every storage: its length as int64, its bytes."""
  # What is mapped is read no further than it goes, whatever a length says.
  with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
    return _legacy(mapped, size)


def _legacy(file, size):
  if Machine().run(file) != _MAGIC:
    raise ValueError(
        'a pickle, and none of PyTorch: its magic number is missing.')
  if Machine().run(file) != _LEGACY:
    raise ValueError('a version of the .pth format that is not known.')
  if (about := Machine().run(file)) and not about['little_endian']:
    raise ValueError('written on a big-endian machine; wanted little-endian.')
  machine = Machine()
  tensors = _holder(machine.run(file))
  keys = Machine().run(file)
  if type(keys) is not list or not all(type(key) is str for key in keys):
    raise ValueError('its list of storages is none.')
  contents = {}
  for key in keys:
    if key not in machine.storages:
      raise ValueError(f'has a storage {short(key)} that no tensor names.')
    found = machine.storages[key]
    numel, = struct.unpack('<q', file.read(8))
    if numel != found.numel:
      raise ValueError(
          f'storage {key!r} has {numel} numbers; its tensors want '
          f'{found.numel}.')
    wanted = numel * found.dtype.itemsize
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
  """A .pth since PyTorch 1.6, or a .npz."""
  with zipfile.ZipFile(file) as archive:
    members = _Members(archive, max(_SLACK, _RATIO * size))
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
  """Members of a zip, of which no more is unpacked than it may have."""

  def __init__(self, archive, budget):
    self.archive, self.budget = archive, budget
    self.names = {x.filename: x for x in archive.infolist()}

  def read(self, name, wanted=None):
    """bytes of a member, checked by its CRC."""
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
          f'unpacks to over {_RATIO} times its size: no weights do.')
    with self.archive.open(info) as member:  # With a length, or all unpacks.
      content = member.read(info.file_size)
    if len(content) != info.file_size:
      raise ValueError(f'its member {short(name)} is cut off.')
    return content


def _holder(found):
  """The dict of tensors in what was pickled: {name: Tensor}."""
  if type(found) is not dict:
    raise ValueError(f'holds {short(found)}; wanted a dict of tensors.')
  below = {'': found} | {
      name: value for name, value in found.items() if type(value) is dict}
  tensors = {
      name: {k: v for k, v in value.items() if isinstance(v, Tensor)}
      for name, value in below.items()}
  tensors = {name: value for name, value in tensors.items() if value}
  chosen = list(tensors) if len(tensors) < 2 else [
      name for name in ('', *_HOLDERS) if name in tensors][:1]
  if not chosen:
    raise ValueError(
        'wanted a dict of tensors, found '
        + (f'several: {", ".join(map(short, tensors))}.' if tensors else
           f'none at the top or below {", ".join(map(short, found))[:200]}.'))
  if not all(type(name) is str for name in tensors[chosen[0]]):
    raise ValueError('names some tensors by numbers; wanted text.')
  return tensors[chosen[0]]


def _arrays(tensors, contents, size):
  flat = {}  # One array a storage and dtype: views share it.
  found = {}
  for name, tensor in tensors.items():
    which = tensor.storage.key, tensor.dtype
    if which not in flat:
      flat[which] = tensor.dtype.array(contents[tensor.storage.key])
    try:
      found[name] = _strided(
          flat[which], tensor.storage.start, tensor.offset, tensor.shape,
          tensor.strides, max(size, 2**20))
    except ValueError as error:
      raise ValueError(f'{short(name)}: {error}') from error
  return found


def _read_npz(members):
  """Arrays as np.savez writes them, none of objects."""
  found = {}
  for name in members.names:
    if not name.endswith('.npy'):
      raise ValueError(
          f'a zip with {short(name)}: neither of torch.save nor a .npz.')
    found[name.removesuffix('.npy')] = _npy(name, members.read(name))
  if not found:
    raise ValueError('an empty zip; wanted tensors.')
  return found


def _npy(name, content):
  wide = content[6:7] != b'\x01'  # Version 1 has a shorter length.
  length, = struct.unpack_from('<I' if wide else '<H', content, 8)
  begin = 12 if wide else 10
  header = _NPY.fullmatch(content[begin:begin + length].decode('latin-1'))
  if content[:6] != b'\x93NUMPY' or not header:
    raise ValueError(f'{short(name)} is no array of plain numbers.')
  shape = tuple(int(x) for x in header[3].replace(',', ' ').split())
  numbers = Dtype(header[1].replace('=', '<')).array(content[begin + length:])
  if math.prod(shape) != numbers.size:
    raise ValueError(
        f'{short(name)} has {numbers.size} numbers; its shape is {shape}.')
  return numbers.reshape(shape, order='F' if header[2] == 'True' else 'C')


# As numpy writes it; nothing is evaluated.
_NPY = re.compile(
    r"\{'descr': '([<>|=](?:[iu][1248]|f[248]|b1))', "
    r"'fortran_order': (True|False), 'shape': \(([0-9, ]{0,400})\), \} *\n")


def _read_safetensors(file, size):
  """A length as uint64, a JSON header, then the bytes."""
  length, = struct.unpack('<Q', file.read(8))
  if length > size - 8:
    raise ValueError(
        f'its header has {length} bytes, the file only {size - 8} more.')
  header = json.loads(file.read(length))
  begin, found, total = 8 + length, {}, 0
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
    found[name] = dtype.array(file.read(last - first)).reshape(shape)
  if not found:
    raise ValueError('no tensors in it.')
  return found


_SAFETENSORS = {
    'F64': Dtype('<f8'), 'F32': Dtype('<f4'), 'F16': Dtype('<f2'),
    'BF16': Dtype('bfloat16'), 'I64': Dtype('<i8'), 'I32': Dtype('<i4'),
    'I16': Dtype('<i2'), 'I8': Dtype('|i1'), 'U64': Dtype('<u8'),
    'U32': Dtype('<u4'), 'U16': Dtype('<u2'), 'U8': Dtype('|u1'),
    'BOOL': Dtype('|b1')}
