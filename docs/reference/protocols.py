"""Prints the page of protocols.

  python docs/reference/protocols.py > docs/reference/protocols.md
"""
import dataclasses
import inspect
import pathlib
import sys

HEAD = """# Protocols

This page is generated: `python docs/reference/protocols.py >
docs/reference/protocols.md`.

A protocol is all that a score depends on besides the pictures. Each follows a
published program, so that its numbers can stand beside that program's.
`--protocol=ada` and `evaluate.protocol` take the names of the first table. The
second table has every value that differs from the usual one; the third has the
usual values. [The study of metrics](../studies/metrics.md) tells how the peers
differ, metric by metric.

Where no protocol is named, `fid`, `kid` and `is` of the command line and of
`evaluate(...)` are those of `torch_fidelity`, and the rest is `local`; in
training it is what `evaluate.protocol` says. A set that is given has no order
of its own: whatever its protocol says of `shuffle`, the parts of its inception
score are drawn with a fixed seed. What a generator draws stays in its order.

"""


def page():
  """The text of docs/reference/protocols.md."""
  from msg_gan_jax import PROTOCOLS
  from msg_gan_jax.metrics.protocols import Protocol
  fields = {x.name: x.default for x in dataclasses.fields(Protocol)
            if x.name != 'follows'}
  lines = [HEAD + '| protocol | follows | measures, if not told otherwise |',
           '|---|---|---|']
  for name, protocol in PROTOCOLS.items():
    lines.append(f'| `{name}` | {protocol.follows} | '
                 f'{plain(protocol.metrics)} |')
  lines += ['', '| protocol | what differs from the usual |', '|---|---|']
  for name, protocol in PROTOCOLS.items():
    differs = [f'`{field}` {plain(getattr(protocol, field))}'
               for field, usual in fields.items()
               if field != 'metrics' and getattr(protocol, field) != usual]
    lines.append(f'| `{name}` | {"; ".join(differs)} |')
  lines += ['', '| fields | usual | meaning |', '|---|---|---|']
  for names, meaning in attributes(Protocol.__doc__):
    if usual := '; '.join(plain(fields[x]) for x in names if x in fields):
      lines.append(f'| {plain(names)} | {usual} | {meaning} |')
  return '\n'.join([*lines, ''])


def attributes(text):
  """Pairs (names, meaning) of a docstring's section Attributes."""
  entries = []
  # Python 3.13 takes away the indents that all lines have; before, they stay.
  for line in inspect.cleandoc(text).split('Attributes:')[1].splitlines():
    if line.startswith(' ' * 4):  # The sentence goes on.
      entries[-1][1] += ' ' + line.strip()
    elif ':' in line:
      names, _, meaning = line.strip().partition(': ')
      entries.append([tuple(names.split(', ')), meaning])
  return entries


def plain(value):
  """A value as a cell of a table shows it."""
  if isinstance(value, tuple):
    return ', '.join(f'`{x}`' for x in value)
  if isinstance(value, bool):
    return 'yes' if value else 'no'
  return f'{value:,}' if isinstance(value, int) else f'`{value}`'


if __name__ == '__main__':
  sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))
  print(page(), end='')
