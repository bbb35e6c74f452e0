"""A pickle's opcodes, read over plain values: none of them can call a thing.

To load a pickle is to run what it names. Here only what torch.save writes for
tensors has a meaning, as a description of where their numbers lie; all else is
refused by its name. Nothing is imported, looked up, called or compared by
methods of what a file brings.

Sources: `torch/serialization.py`, `torch/_utils.py` and
`torch/_weights_only_unpickler.py` of PyTorch 2.14; `pickletools`.
"""
import pickletools
from typing import NamedTuple

import numpy as np

_STEPS = 2_000_000  # Opcodes of a pickle; 50,000 tensors have as many.
_LARGEST = 2**48  # No size, stride or offset is larger.


class Dtype(NamedTuple):
  """What a storage's or a tensor's numbers are; as '<f4', or 'bfloat16'."""
  name: str

  @property
  def itemsize(self):
    return 2 if self.name == 'bfloat16' else np.dtype(self.name).itemsize

  def array(self, content):
    """bytes -> flat array."""
    if self.name == 'bfloat16':  # The upper half of a float32.
      upper = np.frombuffer(content, '<u2').astype('<u4') << 16
      upper.flags.writeable = False
      return upper.view('<f4')
    return np.frombuffer(content, self.name)


class Storage(NamedTuple):
  """Where a tensor's numbers lie, before they are read."""
  dtype: Dtype
  key: str
  numel: int
  start: int = 0  # Before PyTorch 0.4, of a part of another storage.


class Tensor(NamedTuple):
  """What a pickle says of a tensor; offset and strides count numbers."""
  storage: Storage
  offset: int
  shape: tuple
  strides: tuple
  dtype: Dtype


def whole(number, what):
  """The number, where it can be a size, a stride or an offset."""
  if type(number) is not int or not 0 <= number < _LARGEST:
    raise ValueError(f'{what} is {short(number)}; wanted 0, 1, ...')
  return number


def short(value):
  """A value of a file in an error: never long, never deep."""
  if isinstance(value, (str, bytes)):
    return repr(value[:80])
  if isinstance(value, int):
    return str(value) if abs(value) < 2**64 else 'a huge number'
  if isinstance(value, tuple) and all(type(x) is int for x in value):
    return '(' + ', '.join(short(x) for x in value[:8]) + ')'
  return f'a {type(value).__name__}'


_MARK = object()  # On the stack, below what a later opcode takes together.


class _Call(NamedTuple):
  """What stands for a function of torch: one of ours."""
  build: object


class Machine:
  """Runs a pickle's opcodes over plain values: none of them can call a thing.

  Attributes:
    storages: {key: Storage} of all that was named.
  """

  def __init__(self):
    self.stack, self.memo, self.storages = [], {}, {}

  def run(self, file):
    """The value of the next pickle of a file."""
    for step, (opcode, argument, _) in enumerate(pickletools.genops(file)):
      if step == _STEPS:
        raise ValueError(f'its pickle has more than {_STEPS} steps.')
      if opcode.name not in _OPCODES:
        asked = f' {short(argument)}' if argument is not None else ''
        raise ValueError(
            f'its pickle has {opcode.name}{asked}, which no tensor '
            'needs: it may be made to run something.')
      try:
        _OPCODES[opcode.name](self, argument)
      except LookupError as error:
        raise ValueError(
            f'its pickle takes at {opcode.name} what it never gave.') from error
    if not self.stack:
      raise ValueError('its pickle has nothing in it.')
    return self.stack.pop()

  def take(self):
    """All above the last mark."""
    items = []
    while (item := self.stack.pop()) is not _MARK:
      items.append(item)
    return items[::-1]

  def find(self, module, name):
    """What stands for an imported thing."""
    if type(module) is not str or type(name) is not str:
      raise ValueError('its pickle asks for a thing without a name.')
    path = f'{module}.{name}'
    if path not in _KNOWN:
      raise ValueError(
          f'its pickle asks for {short(path)}, which no tensor needs: it may '
          'be made to run something. Wanted a dict of tensors and nothing '
          'else, saved as torch.save(model.state_dict(), path).')
    self.stack.append(_KNOWN[path])

  def reduce(self):
    arguments, call = self.stack.pop(), self.stack.pop()
    if not isinstance(call, _Call) or type(arguments) is not tuple:
      raise ValueError('its pickle calls what is no function of torch.')
    self.stack.append(call.build(*arguments))

  def storage(self, saved):
    """A persistent id: ('storage', dtype, key, place, numel[, part])."""
    if type(saved) is not tuple or len(saved) not in (5, 6) or (
        saved[0] != 'storage'):
      raise ValueError(
          f'its pickle refers to {short(saved)}; wanted a storage.')
    _, dtype, key, _, numel, *part = saved
    if not isinstance(dtype, Dtype) or type(key) is not str:
      raise ValueError('a storage has no dtype or no name.')
    found = Storage(dtype, key, whole(numel, 'the length of a storage'))
    if self.storages.setdefault(key, found) != found:
      raise ValueError(f'storage {short(key)} has two lengths or dtypes.')
    if part and part[0] is not None:  # (key, start, length)
      found = found._replace(start=part[0][1])
    self.stack.append(found)

  def mapping(self, items):
    """Pairs -> the dict below them on the stack."""
    target = self.stack[-1]
    if type(target) is not dict or len(items) % 2:
      raise ValueError('its pickle gives items to what is no dict.')
    for key, value in zip(items[::2], items[1::2], strict=True):
      if type(key) not in (str, int):  # Others may be deep: costly to hash.
        raise ValueError(f'a dict has {short(key)} as a key; wanted text.')
      target[key] = value

  def sequence(self, items):
    if type(self.stack[-1]) is not list:
      raise ValueError('its pickle appends to what is no list.')
    self.stack[-1].extend(items)

  def build(self):
    """An OrderedDict's attributes (_metadata of a state dict): not needed."""
    if type(self.stack[-2]) is not dict or type(self.stack[-1]) is not dict:
      raise ValueError('its pickle sets the state of what is no dict.')
    self.stack.pop()

  def memoize(self, index):
    self.memo[index] = self.stack[-1]


def _ordered_dict(pairs=()):
  if type(pairs) not in (list, tuple):
    raise ValueError('a dict is made of what are no pairs.')
  machine = Machine()
  machine.stack.append({})
  for pair in pairs:
    machine.mapping(list(pair))
  return machine.stack[0]


def _tensor(storage, offset, shape, strides, *_):
  dtype = getattr(storage, 'dtype', None)
  return _rebuilt(storage, offset, shape, strides, dtype)


def _tensor_v3(storage, offset, shape, strides, requires_grad, hooks, dtype,
               *_):
  del requires_grad, hooks
  return _rebuilt(storage, offset, shape, strides, dtype)


def _rebuilt(storage, offset, shape, strides, dtype):
  if not isinstance(storage, Storage) or not isinstance(dtype, Dtype):
    raise ValueError('a tensor without a storage, or without a dtype.')
  return Tensor(storage, offset, shape, strides, dtype)


def _parameter(tensor, *_):
  if not isinstance(tensor, Tensor):
    raise ValueError('a parameter that is no tensor.')
  return tensor


_KNOWN = {
    'collections.OrderedDict': _Call(_ordered_dict),
    'torch._utils._rebuild_tensor': _Call(_tensor),
    'torch._utils._rebuild_tensor_v2': _Call(_tensor),
    'torch._utils._rebuild_tensor_v3': _Call(_tensor_v3),
    'torch._utils._rebuild_parameter': _Call(_parameter),
    'torch.storage.UntypedStorage': Dtype('|u1'),
    'torch.DoubleStorage': Dtype('<f8'),
    'torch.FloatStorage': Dtype('<f4'),
    'torch.HalfStorage': Dtype('<f2'),
    'torch.BFloat16Storage': Dtype('bfloat16'),
    'torch.LongStorage': Dtype('<i8'),
    'torch.IntStorage': Dtype('<i4'),
    'torch.ShortStorage': Dtype('<i2'),
    'torch.CharStorage': Dtype('|i1'),
    'torch.ByteStorage': Dtype('|u1'),
    'torch.BoolStorage': Dtype('|b1'),
    'torch.uint16': Dtype('<u2'),  # Without storages of their own: v3.
    'torch.uint32': Dtype('<u4'),
    'torch.uint64': Dtype('<u8'),
}


def _push(machine, value):
  machine.stack.append(value)


def _constant(value):
  return lambda machine, _: machine.stack.append(value)


def _tuple_of(count):
  def take(machine, _):
    items = [machine.stack.pop() for _ in range(count)]
    machine.stack.append(tuple(items[::-1]))
  return take


def _make(kind):
  return lambda machine, _: machine.stack.append(kind())


# Opcode -> what it does to a Machine, given the opcode's argument.
_OPCODES = {
    **dict.fromkeys(('PROTO', 'FRAME', 'STOP'), lambda m, _: None),
    'MARK': _constant(_MARK),
    'TUPLE': lambda m, _: m.stack.append(tuple(m.take())),
    'TUPLE1': _tuple_of(1),
    'TUPLE2': _tuple_of(2),
    'TUPLE3': _tuple_of(3),
    'APPEND': lambda m, _: m.sequence([m.stack.pop()]),
    'APPENDS': lambda m, _: m.sequence(m.take()),
    'SETITEM': lambda m, _: m.mapping([m.stack.pop(), m.stack.pop()][::-1]),
    'SETITEMS': lambda m, _: m.mapping(m.take()),
    **dict.fromkeys(('PUT', 'BINPUT', 'LONG_BINPUT'), Machine.memoize),
    'MEMOIZE': lambda m, _: m.memoize(len(m.memo)),
    **dict.fromkeys(('GET', 'BINGET', 'LONG_BINGET'),
                    lambda m, i: m.stack.append(m.memo[i])),
    'GLOBAL': lambda m, name: m.find(*name.split(' ', 1)),
    'STACK_GLOBAL': lambda m, _: m.find(
        *[m.stack.pop(), m.stack.pop()][::-1]),
    'REDUCE': lambda m, _: m.reduce(),
    'BUILD': lambda m, _: m.build(),
    'BINPERSID': lambda m, _: m.storage(m.stack.pop()),
    'EMPTY_TUPLE': _constant(()),
    'EMPTY_LIST': _make(list),
    'EMPTY_DICT': _make(dict),
    'NONE': _constant(None),
    'NEWTRUE': _constant(True),
    'NEWFALSE': _constant(False),
    **dict.fromkeys((
        'INT', 'BININT', 'BININT1', 'BININT2', 'LONG', 'LONG1', 'LONG4',
        'FLOAT', 'BINFLOAT', 'STRING', 'BINSTRING', 'SHORT_BINSTRING',
        'UNICODE', 'BINUNICODE', 'SHORT_BINUNICODE', 'BINUNICODE8', 'BINBYTES',
        'SHORT_BINBYTES'), _push),
}
