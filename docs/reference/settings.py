"""Prints the page of settings.

  python docs/reference/settings.py > docs/reference/settings.md
"""
import dataclasses
import pathlib
import sys

HEAD = """# Settings

This page is generated: `python docs/reference/settings.py >
docs/reference/settings.md`.

Every setting, as an experiment file sets it (`config.train.batch = 64`) and as
a flag does (`--config.train.batch=64`). The default is that of the preset
`msg_progan`. A run may continue with another value where the table says *may
change*; otherwise it needs a new folder. Names in capitals are tables:
[rows.md](rows.md).
"""


def page():
  """The text of docs/reference/settings.md."""
  from msg_gan_jax.config import schema
  groups = {'': 'The experiment'} | {
      f.name: f.default_factory.__doc__ for f in
      dataclasses.fields(schema.Config)
      if f.default_factory is not dataclasses.MISSING}
  defaults = schema.flatten(schema.Config())
  lines = [HEAD]
  for group, title in groups.items():
    lines += [f'## {group or "config"}', '', title.rstrip('.') + '.', '',
              '| setting | type | default | range | may change | meaning |',
              '|---|---|---|---|---|---|']
    for name, about in schema.metadata().items():
      if name.rpartition('.')[0] == group:
        lines.append(row(name, defaults[name], about))
    lines.append('')
  return '\n'.join(lines)


def row(name, default, about):
  """One setting as a line of a table."""
  cells = (f'`{name}`', type(default).__name__, f'`{plain(default)}`',
           legal(about), 'yes' if about['may_change'] else '',
           about['meaning'])
  return f'| {" | ".join(cells)} |'


def legal(about):
  """The legal values in words; '' where the type says all."""
  low, high = about['low'], about['high']
  if about['one_of']:
    return ', '.join(f'`{value}`' for value in about['one_of'])
  if low is None and high is None:
    return ''
  if high is None:
    return f'{plain(low)} or more'
  return f'{plain(low)} to {plain(high)}'


def plain(value):
  """A value as one types it on the command line."""
  if isinstance(value, float):
    return f'{value:.12g}'
  return repr(value) if value == '' else str(value)


if __name__ == '__main__':
  sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))
  print(page(), end='')
