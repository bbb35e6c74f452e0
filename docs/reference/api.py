"""Prints the page of the programming interface.

  python docs/reference/api.py > docs/reference/api.md
"""
import ast
import functools
import importlib
import inspect
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parents[2]
HEAD = """# API

This page is generated from docstrings: `python docs/reference/api.py >
docs/reference/api.md`.

Everything here is imported from the package itself: `from msg_gan_jax import
build, LOSSES`. A name is looked up on first use, so that `import msg_gan_jax`
loads no jax. Other modules may be imported too, but their names may change.
"""
INTRODUCTIONS = {'Tables': ('[Rows](rows.md) says more about each row.', '')}
SIGNATURES = """## Signatures

What a row of a table, or an object that is passed in, must look like. These are
protocols: whatever has these methods will do.
"""


def page():
  """The text of docs/reference/api.md."""
  import msg_gan_jax
  names = sorted(msg_gan_jax.__all__, key=str.lower)
  values = {name: getattr(msg_gan_jax, name) for name in names}
  lines = [HEAD]
  for title, is_in, text_of in (
      ('Functions', inspect.isfunction, entry),
      ('Classes', inspect.isclass, entry),
      ('Tables', lambda x: isinstance(x, dict), table),
      ('Values', lambda x: not (inspect.isfunction(x) or isinstance(
          x, dict | type)), constant)):
    lines += [f'## {title}', '', *INTRODUCTIONS.get(title, ())]
    for name, value in values.items():
      if is_in(value):
        lines += text_of(name, value)
  lines.append(SIGNATURES)
  for path, node in protocols():
    if node.name in names:
      continue
    lines += [f'### {node.name}', '', f'In `{path}`.', '',
              *fenced(declaration(node)), *fenced(docstring(node), 'text')]
  return '\n'.join(lines)


def entry(name, value):
  """Lines for a function or a class."""
  node = source_of(value)
  return [f'### {name}', '', f'In `{value.__module__}`.', '',
          *fenced(declaration(node)), *fenced(docstring(node), 'text')]


def constant(name, value):
  """Lines for a value."""
  return [f'### {name}', '', f'{type(value).__name__}: `{value!r}`.', '']


def table(name, rows):
  """Lines for a table: each row with its function."""
  import msg_gan_jax
  module = f'msg_gan_jax.{msg_gan_jax._HOME[name]}'
  comment = importlib.import_module(module).__doc__.splitlines()[0]
  lines = [f'### {name}', '', f'In `{module}`: {comment}', '',
           '| row | what its function does | source |', '|---|---|---|']
  for row, value in rows.items():
    cells = [x.replace('|', r'\|') for x in about_row(value)]
    lines.append(f'| `{row}` | {" | ".join(cells)} |')
  return [*lines, '']


def about_row(row):
  """(what it does, where it comes from)."""
  if hasattr(row, 'follows'):  # A protocol.
    return row.follows, '[all values](protocols.md)'
  if isinstance(row, dict):  # A preset.
    settings = '1 setting differs' if len(row) == 1 else (
        f'{len(row)} settings differ')
    return f'{settings} from the defaults.', '[all values](presets.md)'
  if hasattr(row, 'g'):  # A loss.
    (d, source), (g, _) = about(row.d), about(row.g)
    return f'D: {d} G: {g}', source
  return about(function_of(row))


def function_of(row):
  """The function that a row of a table is, or holds; None if it has none."""
  for field in ('run', 'join'):  # Not what says which features a metric needs.
    row = getattr(row, field, row)
  for value in row if isinstance(row, tuple) else (row,):
    if callable(value):
      return value
  return None


def about(function):
  """(the first line of its docstring, where it comes from)."""
  while isinstance(function, functools.partial):
    function = function.func
  if inspect.isfunction(function):  # Or the function that has made it.
    maker = function.__qualname__.partition('.<locals>')[0]
    function = getattr(sys.modules[function.__module__], maker, function)
  text = inspect.getdoc(function) if function else ''
  source = re.search(r'Source: (.*?)(?:\n\n|$)', text, re.S)
  if source:
    return text.partition('\n')[0], ' '.join(source[1].split())
  ours = "this project's" in text.lower()
  return text.partition('\n')[0], 'this project' if ours else ''


def source_of(value):
  """The syntax tree of a function or a class, as it stands in its file."""
  tree = ast.parse(pathlib.Path(inspect.getsourcefile(value)).read_text(
      encoding='utf-8'))
  return next(node for node in tree.body
              if getattr(node, 'name', None) == value.__name__)


def protocols():
  """Pairs (path, class) of all public protocols in the package."""
  for path in sorted((ROOT / 'msg_gan_jax').rglob('*.py')):
    for node in ast.parse(path.read_text(encoding='utf-8')).body:
      bases = [ast.unparse(x) for x in getattr(node, 'bases', ())]
      if any(x.endswith('Protocol') for x in bases) and node.name[0] != '_':
        yield path.relative_to(ROOT).as_posix(), node


def declaration(node):
  """A function's signature, or a class's fields and public methods."""
  if not isinstance(node, ast.ClassDef):
    return signature(node)
  bases = ', '.join(map(ast.unparse, node.bases))
  lines = [f'class {node.name}({bases}):' if bases else f'class {node.name}:']
  for part in node.body:
    if isinstance(part, ast.AnnAssign):
      default = (f' = {ast.unparse(part.value)}' if isinstance(
          part.value, ast.Constant | ast.Tuple) else '')
      lines.append(f'  {ast.unparse(part.target)}: '
                   f'{ast.unparse(part.annotation)}{default}')
    elif isinstance(part, ast.FunctionDef) and (
        not part.name.startswith('_') or part.name in ('__call__', '__len__')):
      lines += ['', *(f'  @{ast.unparse(x)}' for x in part.decorator_list)]
      lines += [f'  {line}' for line in signature(part).splitlines()]
      text = docstring(part)
      if text:
        end = '\n"""' if '\n' in text else '"""'
        lines += [f'    {line}'.rstrip()
                  for line in f'"""{text}{end}'.splitlines()]
  return '\n'.join(lines)


def signature(node):
  """'def f(x: int) -> int', an argument a line where it is long."""
  returns = f' -> {ast.unparse(node.returns)}' if node.returns else ''
  arguments = [re.sub(r'^(\w+: .*?)=', r'\1 = ', x)  # As PEP 8 has it.
               for x in split(ast.unparse(node.args))]
  line = f'def {node.name}({", ".join(arguments)}){returns}'
  if len(line) <= 78:
    return line
  one_a_line = ''.join(f'    {x},\n' for x in arguments)
  return f'def {node.name}(\n{one_a_line}){returns}'


def split(arguments):
  """'a: int, b: dict[str, int]' at the commas outside of brackets."""
  parts, depth = [''], 0
  for letter in arguments:
    depth += (letter in '([{') - (letter in ')]}')
    if letter == ',' and not depth:
      parts.append('')
    else:
      parts[-1] += letter
  return [x.strip() for x in parts]


def docstring(node):
  return ast.get_docstring(node) or ''


def fenced(text, language='python'):
  return [f'```{language}', text, '```', ''] if text else []


if __name__ == '__main__':
  sys.path.insert(0, str(ROOT))
  print(page(), end='')
