"""What the instructions of a compiled program are, and the FLOPs of products.

`read` takes the text of a compiled program. A program that XLA has compiled
says of each instruction its opcode, the window of a convolution, and where in
Python it is from.
"""
import math
import re
from typing import NamedTuple

FORWARD, BY_INPUT, BY_KERNEL = (
    f'convolution, {x}' for x in ('forward', 'by input', 'by kernel'))
PRODUCT, OPTIMIZER, REDUCTION, ELEMENTWISE, COPY, OTHER = (
    'product', 'optimizer, average', 'reduction', 'elementwise', 'copy',
    'other')
KINDS = (FORWARD, BY_INPUT, BY_KERNEL, PRODUCT, ELEMENTWISE, REDUCTION,
         OPTIMIZER, COPY, OTHER)
WITH_FLOPS = KINDS[:4]  # The others' arithmetic is not counted.

# Functions of gan/step.py around the optimizer and the average of G.
_UPDATE = {'_optimized', '_averaged'}
# Instructions that move numbers, and compute none of them.
_MOVES = set(
    'bitcast broadcast concatenate constant convert copy copy-done copy-start '
    'dynamic-slice dynamic-update-slice gather get-tuple-element iota pad '
    'parameter reshape reverse slice transpose tuple'.split())
_REDUCES = {'reduce', 'reduce-window', 'select-and-scatter', 'scatter'}
# Their time is that of what they call.
CONTROL = {'call', 'conditional', 'while'}
_NO_ARITHMETIC = {'custom-call', 'infeed', 'outfeed', 'rng', 'sort',
                  'rng-bit-generator', 'rng-get-and-update-state'}


class Instruction(NamedTuple):
  """A line of a program's text.

  Attributes:
    name: as events of a trace have it.
    opcode: such as 'convolution'.
    shape: of the result, or of its first part.
    operands: names of instructions.
    text: the whole line.
    calls: the name of the computation that a fusion does; ''.
    functions: in Python, the innermost first.
  """
  name: str
  opcode: str
  shape: tuple[int, ...]
  operands: tuple[str, ...]
  text: str
  calls: str
  functions: tuple[str, ...]

  @property
  def source(self) -> str:
    """jax's name of it: 'jit(step)/transpose(jvp(Generator))/add'."""
    found = re.search(r'op_name="([^"]*)"', self.text)
    return found[1] if found else ''

  def attribute(self, name: str) -> str:
    """The text of an attribute such as dim_labels; ''."""
    found = re.search(rf'\b{name}=([^\s,{{}}]+)', self.text)
    return found[1] if found else ''


class Program(NamedTuple):
  """A compiled program.

  Attributes:
    name: of its module, such as 'jit_step'.
    instructions: {name: Instruction}, those of all computations.
    computations: {name: names of its instructions}.
    kernels: sorted shapes of the kernels of forward convolutions.
  """
  name: str
  instructions: dict[str, Instruction]
  computations: dict[str, list[str]]
  kernels: set[tuple[int, ...]]

  def inside(self, instruction: Instruction) -> list[Instruction]:
    """What a fusion is made of; of any other instruction itself."""
    names = self.computations.get(instruction.calls)
    return [instruction] if names is None else [
        self.instructions[name] for name in names]

  def main(self, instruction: Instruction) -> Instruction:
    """The convolution or product of an instruction, or itself."""
    for one in self.inside(instruction):
      if _is_convolution(one) or _is_product(one):
        return one
    return instruction

  def kind(self, name: str) -> str:
    """Which of KINDS the instruction of that name is."""
    instruction = self.instructions.get(name)
    if instruction is None:
      return OTHER
    main = self.main(instruction)
    if _is_convolution(main):
      return self._of_convolution(main)
    if _is_product(main):
      return PRODUCT
    parts = self.inside(instruction)
    functions = instruction.functions or parts[-1].functions
    if _UPDATE.intersection(x.partition('.')[0] for x in functions):
      return OPTIMIZER
    opcodes = {part.opcode for part in parts}
    if opcodes & _REDUCES:
      return REDUCTION
    if opcodes & (_NO_ARITHMETIC | CONTROL):
      return OTHER
    return COPY if opcodes <= _MOVES else ELEMENTWISE

  def flops(self, name: str) -> int:
    """FLOPs of a convolution or product, as XLA counts them; else 0."""
    if name not in self.instructions:
      return 0
    main = self.main(self.instructions[name])
    if _is_convolution(main):
      return self._flops_of_convolution(main)
    return self._flops_of_product(main) if _is_product(main) else 0

  def _shape(self, name):
    return self.instructions[name].shape if name in self.instructions else ()

  def _of_convolution(self, one):
    target = one.attribute('custom_call_target').strip('"')
    for ending, kind in (('Forward', FORWARD), ('BackwardInput', BY_INPUT),
                         ('BackwardFilter', BY_KERNEL)):
      if ending in target:
        return kind
    if one.source and 'transpose(' not in one.source:
      return FORWARD
    # A gradient: its result is as large as a kernel, or one of its operands.
    result = _key(one.shape) in self.kernels
    operand = any(_key(self._shape(x)) in self.kernels for x in one.operands)
    if result == operand:
      window = math.prod(_sizes(one, 'size'))
      labels = one.attribute('dim_labels').rpartition('->')[2]
      positions = math.prod(
          n for n, label in zip(one.shape, labels, strict=True)
          if label.isdigit())
      result = window > positions
    if result:
      return BY_KERNEL
    # The gradient of a gradient by the input is a forward convolution again.
    return BY_INPUT if one.source.count('transpose(') % 2 else FORWARD

  def _flops_of_convolution(self, one):
    shapes = [self._shape(x) for x in one.operands[:2]] + [one.shape]
    target = one.attribute('custom_call_target')
    if 'BackwardInput' in target:  # cuDNN's are written as the forward ones.
      shapes = [shapes[2], shapes[1], shapes[0]]
    elif 'BackwardFilter' in target:
      shapes = [shapes[0], shapes[2], shapes[1]]
    return convolution_flops(
        *shapes, one.attribute('dim_labels'),
        **{name: _sizes(one, name) for name in (
            'stride', 'lhs_dilate', 'rhs_dilate')}, pad=_sizes(one, 'pad'),
        groups=int(one.attribute('feature_group_count') or 1),
        batch_groups=int(one.attribute('batch_group_count') or 1))

  def _flops_of_product(self, one):
    dims = re.search(r'"?lhs_contracting_dim(?:ension)?s"?[=:][{\[]([^}\]]*)',
                     one.text)
    left = self._shape(one.operands[0]) if one.operands else ()
    if dims is None or not left:
      return 0
    length = math.prod(left[int(x)] for x in re.findall(r'\d+', dims[1]))
    return 2 * math.prod(one.shape) * length


def convolution_flops(
    image: tuple[int, ...], kernel: tuple[int, ...], result: tuple[int, ...],
    labels: str, stride: tuple = (), pad: tuple = (), lhs_dilate: tuple = (),
    rhs_dilate: tuple = (), groups: int = 1, batch_groups: int = 1) -> int:
  """FLOPs of a convolution, without those on zeros of padding and dilation.

  Args:
    image, kernel, result: shapes.
    labels: XLA's dim_labels, such as 'b01f_01io->b01f'.
    stride, lhs_dilate, rhs_dilate: of each spatial axis; () is all 1.
    pad: (low, high) of each spatial axis; () is none.
    groups, batch_groups: of the features, and of the batch.
  """
  of_image, of_kernel, of_result = re.split('_|->', labels)
  positions = 1
  for axis in range(len(of_image) - 2):
    label = str(axis)
    size, reach, out = (shape[where.index(label)] for shape, where in (
        (image, of_image), (kernel, of_kernel), (result, of_result)))
    step, spread, apart = (x[axis] if x else 1 for x in (
        stride, lhs_dilate, rhs_dilate))
    low = pad[axis][0] if pad else 0
    places = (o * step - low + k * apart
              for o in range(out) for k in range(reach))
    positions *= sum(
        p % spread == 0 and 0 <= p // spread < size for p in places)
  return 2 * positions * (
      image[of_image.index('f')] // groups * result[of_result.index('f')]
      * (image[of_image.index('b')] // batch_groups))


def read(text: str) -> Program:
  """The text of a compiled program -> Program."""
  functions = _functions(text)
  instructions: dict[str, Instruction] = {}
  computations: dict[str, list[str]] = {}
  names: list[str] = []
  for line in text.splitlines():
    head = re.match(r'(?:ENTRY )?%?([\w.\-]+) \(.*\{$', line)
    if head:
      names = computations.setdefault(head[1], [])
    found = re.match(
        r'\s+(?:ROOT )?%?([\w.\-]+) = (.*?) ([a-z][\w\-]*)\((.*)$', line)
    if not found:
      continue
    name, shape, opcode, rest = found.groups()
    sizes = re.search(r'\[([\d,]*)\]', shape)
    frame = re.search(r'stack_frame_id=(\d+)', rest)
    calls = re.search(r'\bcalls=%?([\w.\-]+)', rest)
    instructions[name] = Instruction(
        name, opcode,
        tuple(int(x) for x in sizes[1].split(',') if x) if sizes else (),
        tuple(re.findall(r'%([\w.\-]+)', rest.partition('), ')[0])),
        line.strip(), calls[1] if calls else '',
        functions.get(int(frame[1]), ()) if frame else ())
    names.append(name)
  title = re.match(r'HloModule ([\w.\-]+)', text)
  program = Program(title[1] if title else '', instructions, computations,
                    set())
  for one in instructions.values():
    if (_is_convolution(one) and one.source
        and 'transpose(' not in one.source and len(one.operands) > 1):
      program.kernels.add(_key(program._shape(one.operands[1])))
  return program


def _is_convolution(one):
  return one.opcode == 'convolution' or (
      one.opcode == 'custom-call' and 'dim_labels=' in one.text)


def _is_product(one):
  return one.opcode == 'dot' or (
      one.opcode == 'custom-call' and re.search(
          r'custom_call_target="[^"]*(gemm|matmul)', one.text, re.I))


def _key(shape):
  """A shape in any order of its axes, without those of 1."""
  return tuple(sorted(n for n in shape if n > 1))


def _sizes(one, name):
  """'3x3' of a window -> (3, 3), '1_1x0_0' -> ((1, 1), (0, 0)); ()."""
  window = re.search(r'window={([^}]*)}', one.text)
  found = window and re.search(rf'\b{name}=(\S+)', window[1])
  if not found:
    return ()
  axes = [tuple(map(int, x.split('_'))) for x in found[1].split('x')]
  return tuple(x if len(x) > 1 else x[0] for x in axes)


def _functions(text):
  """{stack_frame_id: Python's functions, the innermost first}."""

  def lines(title):
    found = re.search(rf'^{title}\n((?:\d.*\n)*)', text, re.M)
    return found[1].splitlines() if found else []

  def number(line, name):
    return int(re.search(rf'{name}=(\d+)', line)[1])

  names = {}
  for line in lines('FunctionNames'):
    key, _, name = line.partition(' ')
    names[int(key)] = name.strip('"')
  places = {int(line.split()[0]): names[number(line, 'function_name_id')]
            for line in lines('FileLocations')}
  stacks: dict[int, tuple[str, ...]] = {0: ()}
  for line in lines('StackFrames'):  # A frame comes after its parent.
    key = int(line.split()[0])
    parent = number(line, 'parent_frame_id') - 1  # XLA's text begins at 1.
    stacks[key] = (places[number(line, 'file_location_id')],
                   *stacks.get(parent, ()))
  return stacks
