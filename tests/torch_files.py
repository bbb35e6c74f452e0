"""A writer of what torch.save writes, opcode by opcode, in protocol 2."""
import io
import pickle
import struct
import zipfile

import numpy as np

MAGIC = 0x1950a86a20f9469cfc6c
KINDS = {'<f4': 'FloatStorage', '<f8': 'DoubleStorage', '<f2': 'HalfStorage',
         '<i8': 'LongStorage', '<i4': 'IntStorage', '<i2': 'ShortStorage',
         '|i1': 'CharStorage', '|u1': 'ByteStorage', '|b1': 'BoolStorage',
         'bfloat16': 'BFloat16Storage'}


def text(value):
  return b'X' + struct.pack('<I', len(value.encode())) + value.encode()


def number(value):
  if 0 <= value < 256:
    return b'K' + bytes([value])
  if -2**31 <= value < 2**31:
    return b'J' + struct.pack('<i', value)
  return pickle.dumps(value, 2)[2:-1]


def call(path, *arguments):
  module, _, name = path.rpartition('.')
  return (f'c{module}\n{name}\n'.encode() + b'(' + b''.join(arguments) + b'tR')


def numbers(values):
  return b'(' + b''.join(map(number, values)) + b't'


class Laid:
  """An array as a part of a storage."""

  def __init__(self, storage, dtype, offset, shape, strides, key):
    self.storage, self.dtype, self.key = np.asarray(storage), dtype, key
    self.where = offset, shape, strides

  def pickled(self, legacy, numel=None):
    numel = self.storage.size if numel is None else numel
    saved = (b'(' + text('storage') + f'ctorch\n{KINDS[self.dtype]}\n'.encode()
             + text(self.key) + text('cpu') + number(numel)
             + (b'N' if legacy else b'') + b'tQ')
    offset, shape, strides = self.where
    return call('torch._utils._rebuild_tensor_v2', saved, number(offset),
                numbers(shape), numbers(strides), b'\x89',
                call('collections.OrderedDict'))


def laid(array, key):
  array = np.asarray(array)
  return Laid(array.reshape(-1), array.dtype.str, 0, array.shape,
              [x // array.itemsize for x in np.ascontiguousarray(
                  array).reshape(array.shape).strides], key)


def state_dict(tensors, legacy=False):
  """An OrderedDict with its _metadata, as Module.state_dict returns it."""
  items = b''.join(
      text(name) + (x if isinstance(x, bytes) else x.pickled(legacy))
      for name, x in tensors.items())
  metadata = b'}' + text('_metadata') + call('collections.OrderedDict') + b's'
  return call('collections.OrderedDict') + b'(' + items + b'u' + metadata + b'b'


def zipped(body, storages=None, **settings):
  """The zip of PyTorch 1.6 and later; bytes."""
  file = io.BytesIO()
  with zipfile.ZipFile(file, 'w', **settings) as archive:
    archive.writestr('archive/data.pkl', b'\x80\x02' + body + b'.')
    archive.writestr('archive/byteorder', 'little')
    for key, content in (storages or {}).items():
      archive.writestr(f'archive/data/{key}', content)
    archive.writestr('archive/version', '3\n')
  return file.getvalue()


def legacy(body, storages=None):
  """The format before that; bytes."""
  about = dict(protocol_version=1001, little_endian=True,
               type_sizes=dict(short=2, int=4, long=4))
  parts = [pickle.dumps(x, 2) for x in (MAGIC, 1001, about)]
  parts += [b'\x80\x02' + body + b'.', pickle.dumps(sorted(storages or {}), 2)]
  for _, content in sorted((storages or {}).items()):
    count, raw = content
    parts.append(struct.pack('<q', count) + raw)
  return b''.join(parts)


def saved(tensors, is_zip=True):
  """{name: array or Laid} -> the bytes of a .pth."""
  tensors = {name: x if isinstance(x, Laid) else laid(x, str(i))
             for i, (name, x) in enumerate(tensors.items())}
  storages = {x.key: x.storage for x in tensors.values()}
  if is_zip:
    return zipped(state_dict(tensors),
                  {k: x.tobytes() for k, x in storages.items()})
  return legacy(state_dict(tensors, True),
                {k: (x.size, x.tobytes()) for k, x in storages.items()})
