r"""Reads the pickles of torch.save without running anything that they name.

Loading a pickle runs what it names. Here only the opcodes that torch.save
writes for tensors have a meaning: they describe where the numbers lie. Anything
else is refused by its name. Nothing is imported, looked up or called.

`pickle.Unpickler` with `find_class` and `persistent_load` is not enough. It
asks neither of them before it hashes a key of a dict, and so the 200 kB
`b'})' + b'\x85' * 200_000 + b'Ns.'` (a tuple in a tuple in ... as a key)
crash the interpreter, and `b'})' + b'q\x01h\x01\x86' * 100 + b'Ns.'` hashes
2**100 tuples. It also allocates what BINBYTES8 and LONG_BINPUT announce.

Sources: `torch/serialization.py`, `torch/_utils.py` and
`torch/_weights_only_unpickler.py` of PyTorch 2.14; `pickletools`.
"""
from collections.abc import Callable
import pickletools
from typing import Any, BinaryIO, NamedTuple

import numpy as np

_STEPS = 2_000_000  # Most opcodes in a pickle; 50,000 tensors need as many.
_LARGEST = 2**48  # Every size, stride and offset is smaller.


class Dtype(NamedTuple):
  """The type of numbers, by numpy's name such as '<f4', or 'bfloat16'."""
  name: str

  @property
  def itemsize(self) -> int:
    """Bytes of one number."""
    return 2 if self.name == 'bfloat16' else np.dtype(self.name).itemsize

  def array(self, content: bytes) -> np.ndarray:
    """A flat, read-only array of the bytes; float32 where they are bfloat16."""
    if self.name == 'bfloat16':  # It is the upper half of a float32.
      upper = np.frombuffer(content, '<u2').astype('<u4') << 16
      upper.flags.writeable = False
      return upper.view('<f4')
    return np.frombuffer(content, self.name)


class Storage(NamedTuple):
  """Where the numbers of tensors lie, before they are read.

  Attributes:
    dtype: of its numbers.
    key: its name in the file.
    numel: how many numbers it holds.
    start: number at which a view begins; only PyTorch before 0.4 writes it.
  """
  dtype: Dtype
  key: str
  numel: int
  start: int = 0


class Tensor(NamedTuple):
  """What a pickle says of a tensor; offset and strides count numbers."""
  storage: Storage
  offset: int
  shape: tuple[int, ...]
  strides: tuple[int, ...]
  dtype: Dtype


def whole(number: Any, what: str) -> int:
  """Returns `number` if it can be a size, a stride or an offset.

  Args:
    number: what the file says.
    what: its name, for the error.

  Raises:
    ValueError: it is not a whole number from 0 to 2**48.
  """
  if type(number) is not int or not 0 <= number < _LARGEST:
    raise ValueError(f'{what} is {short(number)}; wanted 0, 1, ...')
  return number


def short(value: Any) -> str:
  """A value of a file as an error shows it: never long, never deep."""
  if isinstance(value, (str, bytes)):
    return repr(value[:80])
  if isinstance(value, int):
    return str(value) if abs(value) < 2**64 else 'a huge number'
  if isinstance(value, tuple) and all(type(x) is int for x in value):
    return '(' + ', '.join(short(x) for x in value[:8]) + ')'
  return f'a {type(value).__name__}'


_MARK = object()  # Lies on the stack below what a later opcode takes together.


class _Call(NamedTuple):
  """Our function that stands for one of torch."""
  build: Callable


class Machine:
  """Runs the opcodes of a pickle over plain values; none can call anything.

  Attributes:
    stack: values, and _MARK, as pickletools describes it.
    memo: {number: value} that the pickle stored to use again.
    storages: {key: Storage} of every storage that the pickle named.
  """

  def __init__(self) -> None:
    self.stack: list = []
    self.memo: dict[int, Any] = {}
    self.storages: dict[str, Storage] = {}

  def run(self, file: BinaryIO) -> Any:
    """Returns the value of the next pickle in a file.

    Raises:
      ValueError: the pickle is damaged, too long, or asks for what no tensor
        needs.
    """
    for step, (opcode, argument, _) in enumerate(pickletools.genops(file)):
      if step == _STEPS:
        raise ValueError(f'its pickle has more than {_STEPS} steps.')
      if opcode.name not in _OPCODES:
        shown = f' {short(argument)}' if argument is not None else ''
        raise ValueError(
            f'its pickle has {opcode.name}{shown}, which no tensor '
            'needs: it may be made to run something.')
      try:
        _OPCODES[opcode.name](self, argument)
      except LookupError as error:
        raise ValueError(
            f'its pickle takes at {opcode.name} what it never gave.') from error
    if not self.stack:
      raise ValueError('its pickle has nothing in it.')
    return self.stack.pop()

  def take(self) -> list:
    """Takes all that lies above the last mark off the stack."""
    items = []
    while (item := self.stack.pop()) is not _MARK:
      items.append(item)
    return items[::-1]

  def find(self, module: Any, name: Any) -> None:
    """Puts what stands for an imported thing on the stack."""
    if type(module) is not str or type(name) is not str:
      raise ValueError('its pickle asks for a thing without a name.')
    path = f'{module}.{name}'
    if path not in _KNOWN:
      raise ValueError(
          f'its pickle asks for {short(path)}, which no tensor needs: it may '
          'be made to run something. Wanted a dict of tensors and nothing '
          'else, saved as torch.save(model.state_dict(), path).')
    self.stack.append(_KNOWN[path])

  def reduce(self) -> None:
    """Calls one of our functions with the tuple above it on the stack."""
    arguments, call = self.stack.pop(), self.stack.pop()
    if not isinstance(call, _Call) or type(arguments) is not tuple:
      raise ValueError(
          'its pickle calls what is not a function of torch.')
    self.stack.append(call.build(*arguments))

  def storage(self, saved: Any) -> None:
    """Puts the Storage of a persistent id on the stack.

    Args:
      saved: the id, ('storage', dtype, key, place, numel[, part]).
    """
    if type(saved) is not tuple or len(saved) not in (5, 6) or (
        saved[0] != 'storage'):
      raise ValueError(
          f'its pickle refers to {short(saved)}; wanted a storage.')
    _, dtype, key, _, numel, *part = saved
    if not isinstance(dtype, Dtype) or type(key) is not str:
      raise ValueError('a storage has no dtype or no name.')
    storage = Storage(dtype, key, whole(numel, 'the length of a storage'))
    if self.storages.setdefault(key, storage) != storage:
      raise ValueError(f'storage {short(key)} has two lengths or dtypes.')
    if part and part[0] is not None:  # (key, start, length)
      storage = storage._replace(start=part[0][1])
    self.stack.append(storage)

  def mapping(self, items: list) -> None:
    """Puts keys and values, in turn, into the dict on top of the stack."""
    target = self.stack[-1]
    if type(target) is not dict or len(items) % 2:
      raise ValueError('its pickle gives items to what is not a dict.')
    for key, value in zip(items[::2], items[1::2], strict=True):
      if type(key) not in (str, int):  # Others may be deep: costly to hash.
        raise ValueError(f'a dict has {short(key)} as a key; wanted text.')
      target[key] = value

  def sequence(self, items: list) -> None:
    """Appends items to the list on top of the stack."""
    if type(self.stack[-1]) is not list:
      raise ValueError('its pickle appends to what is not a list.')
    self.stack[-1].extend(items)

  def build(self) -> None:
    """Drops attributes of an OrderedDict, such as a state dict's _metadata."""
    if type(self.stack[-2]) is not dict or type(self.stack[-1]) is not dict:
      raise ValueError('its pickle sets the state of what is not a dict.')
    self.stack.pop()

  def memoize(self, index: int) -> None:
    """Stores the value on top of the stack."""
    self.memo[index] = self.stack[-1]


def _ordered_dict(pairs=()):
  if type(pairs) not in (list, tuple):
    raise ValueError('a dict is made of what are not pairs.')
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
    raise ValueError('a parameter that is not a tensor.')
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


# {opcode: what it does, given the machine and the opcode's argument}.
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
