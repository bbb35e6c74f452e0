"""One table of values as Markdown, as LaTeX and as CSV."""
from collections.abc import Callable, Sequence
import csv
import io
import math
import os
import re
from typing import NamedTuple
import unicodedata

from msg_gan_jax.files.atomic import replacing
from msg_gan_jax.files.console import visible

# Characters, of which LaTeX's article has so many in a line: about 5 pt each.
LINE = 68
FOLDED = 26  # Of a column that is folded, where a table is wider.
PIECE = 11  # Of a name that has no place to be broken at.
BETWEEN = 2.4  # Between two columns.


class Around(NamedTuple):
  """A number with its interval, written 12.3 [11.0, 13.6].

  Attributes:
    value: the number; nan stands for one that is not there.
    low, high: the ends of the interval; nan where there is none.
  """
  value: float
  low: float = math.nan
  high: float = math.nan


class PlusMinus(NamedTuple):
  """A number with its standard error, written 12.3 ± 0.2.

  Attributes:
    value: the number; nan stands for one that is not there.
    error: nan where it is not known.
  """
  value: float
  error: float = math.nan


Cell = str | int | float | Around | PlusMinus | None


class Table(NamedTuple):
  """Values in rows.

  Attributes:
    columns: their names.
    rows: cells, as many in each row. None, and a number that is nan, is empty.
    caption: what is shown, as one sentence.
    notes: sentences below it, such as what an interval is.
    digits: significant digits of numbers.
  """
  columns: Sequence[str]
  rows: Sequence[Sequence[Cell]]
  caption: str = ''
  notes: Sequence[str] = ()
  digits: int = 4


def markdown(table: Table) -> str:
  """The table as Markdown; whatever a name holds stays in its cell."""
  def line(cells):
    return '| ' + ' | '.join(cells) + ' |'

  numbers = _numeric(table)
  lines = [f'**{safe(table.caption)}**', ''] if table.caption else []
  lines += [line(map(safe, table.columns)),
            line('---:' if number else '---' for number in numbers)]
  lines += [line(write(cell, table.digits, safe, with_minus)
                 for cell in row)
            for row in table.rows]
  if table.notes:
    lines += ['', *(safe(note) for note in table.notes)]
  return '\n'.join(lines) + '\n'


def save(table: Table, path: str | os.PathLike) -> list[str]:
  """Writes path.md, path.tex and path.csv; returns their names."""
  names = []
  for ending, to_text in FORMS.items():
    names.append(f'{os.fspath(path)}.{ending}')
    with replacing(names[-1]) as temporary, open(
        temporary, 'w', encoding='utf-8') as file:
      file.write(to_text(table))
  return names


def safe(text: object) -> str:
  """A text as Markdown shows it literally."""
  text = visible(str(text))
  for character in '\\|<>*_`[]':
    text = text.replace(character, '\\' + character)
  return text


def latex(table: Table) -> str:
  r"""The table for a paper: booktabs, to be put in by \input.

  Letters that pdflatex has no font for are written as what they are composed
  of, or as their code, [U+4E2D]. What is wider than a line has long names in
  several lines, and then parts one below the other, each with the first column.
  """
  numeric = _numeric(table)
  widths, folded = _widths(table, numeric)
  lines = ['% \\usepackage{booktabs}']
  for i, some in enumerate(_parts(widths)):
    lines += ['\\par\\medskip'] if i else []
    kinds = ''.join(
        f'p{{{widths[j] / 2:g}em}}' if folded[j] else 'r' if numeric[j] else 'l'
        for j in some)
    # Ragged text has another meaning for the usual end of a row.
    end = '\\tabularnewline' if folded[some[-1]] else '\\\\'
    between = '\n\\addlinespace\n' if folded[0] else '\n'
    rows = [' & '.join(_folded(row[j], table.digits, numeric[j]) if folded[j]
                       else write(row[j], table.digits, tex, _in_math)
                       for j in some) + f' {end}'
            for row in (table.columns, *table.rows)]
    lines += [f'\\begin{{tabular}}{{{kinds}}}', '\\toprule', rows[0],
              '\\midrule', *([between.join(rows[1:])] if table.rows else []),
              '\\bottomrule', '\\end{tabular}']
  lines += [f'% {visible(text)}' for text in (table.caption, *table.notes)
            if text]
  return '\n'.join(lines) + '\n'


def _widths(table, numeric):
  """(characters of each column, whether it is folded into several lines).

  Numbers stay whole; what stands above them does not.
  """
  columns = [[len(write(row[i], table.digits, str, str)) for row in table.rows]
             for i in range(len(table.columns))]
  whole = [max([len(name), *column]) for name, column in zip(
      table.columns, columns, strict=True)]
  if sum(whole) + BETWEEN * len(whole) <= LINE:
    return whole, [False] * len(whole)
  most = [max([PIECE, *column]) if number else FOLDED for column, number in zip(
      columns, numeric, strict=True)]
  return [*map(min, whole, most)], [x > y for x, y in zip(
      whole, most, strict=True)]


def _parts(widths):
  """Columns of each part of a table: the first one, and as many as fit."""
  parts: list[list[int]] = []
  for i in range(1, len(widths)):
    if not parts or sum(
        widths[j] + BETWEEN for j in (*parts[-1], i)) > LINE:
      parts.append([0])
    parts[-1].append(i)
  return parts or [[*range(len(widths))]]


def _folded(cell, digits, number):
  """A cell whose text may be broken wherever a name may."""
  def broken(text):
    pieces = re.findall(
        rf'\s+|[^\s_/.,-]{{,{PIECE}}}[_/.,-]+|[^\s_/.,-]{{1,{PIECE}}}', text)
    return '\\allowbreak{}'.join(map(tex, pieces))

  return ('\\raggedleft{}' if number else '\\raggedright{}') + write(
      cell, digits, broken, _in_math)


def comma_separated(table: Table) -> str:
  """The table as CSV, in full precision.

  An interval takes three columns, and a number with its error two.
  """
  wide = [next((_ENDS[type(row[i])] for row in table.rows
                if isinstance(row[i], tuple)), ()) for i in range(
                    len(table.columns))]
  file = io.StringIO()
  writer = csv.writer(file, lineterminator='\n')
  heading: list[str] = []
  for name, ends in zip(table.columns, wide, strict=True):
    heading += [name, *(f'{name} {end}' for end in ends)]
  writer.writerow(heading)
  for row in table.rows:
    cells: list[str] = []
    for cell, ends in zip(row, wide, strict=True):
      parts = cell if isinstance(cell, tuple) else (cell,) + (None,) * len(ends)
      cells += [_full(part) for part in parts]
    writer.writerow(cells)
  return file.getvalue()


def tex(text: object) -> str:
  """A text as LaTeX shows it literally."""
  out = []
  for c in visible(str(text)):
    if c in _TEX:
      out.append(_TEX[c])
    elif ord(c) < 0x180:
      out.append(c)
    else:
      plain = unicodedata.normalize('NFKD', c).encode('ascii', 'ignore')
      out.append(plain.decode() or f'[U+{ord(c):04X}]')
  return ''.join(out)


def number(value: float, digits: int = 4) -> str:
  """12345.678 -> '12,346', 1.23456e-5 -> '1.235e-05', nan -> ''."""
  if math.isnan(value):
    return ''
  if math.isinf(value):
    return '∞' if value > 0 else '-∞'
  text = f'{value:.{digits}g}'
  return f'{value:,.0f}' if abs(float(text)) >= 10**digits else text


def write(cell: Cell, digits: int, safe: Callable[[str], str],
          signed: Callable[[str], str]) -> str:
  """A cell as text.

  Args:
    cell: what it holds.
    digits: significant ones of numbers.
    safe: of a name, as the form of the table shows it.
    signed: of a number.
  """
  if cell is None:
    return ''
  if isinstance(cell, PlusMinus):
    text = signed(number(cell.value, digits))
    if not math.isnan(cell.error):
      text += f' {safe("±")} {signed(number(cell.error, 2))}'
    return text
  if isinstance(cell, Around):
    text = signed(number(cell.value, digits))
    if not math.isnan(cell.low):
      low, high = (signed(number(x, digits)) for x in (cell.low, cell.high))
      text += f' [{low}, {high}]'
    return text
  if isinstance(cell, str | bool):
    return safe(str(cell))
  return signed(f'{cell:,}' if isinstance(cell, int) else number(cell, digits))


def with_minus(text: str) -> str:
  """A number with the sign that people write."""
  return text.replace('-', '−')


def _in_math(text):
  r"""A number as LaTeX writes it: 2e-05 is $2\times10^{-5}$."""
  digits, _, exponent = text.partition('e')
  if exponent:
    digits = {'1': '', '-1': '-'}.get(digits, digits + '\\times')
    return f'${digits}10^{{{int(exponent)}}}$'
  return text.replace('-', '$-$').replace('∞', tex('∞'))


def _full(part):
  if part is None or isinstance(part, float) and math.isnan(part):
    return ''
  return repr(part) if isinstance(part, float) else str(part)


def is_number(cell: Cell) -> bool:
  """Whether a cell is written to the right."""
  return isinstance(cell, int | float | Around | PlusMinus) and not isinstance(
      cell, bool)


def _numeric(table):
  """Which columns hold numbers, and are written to the right."""
  columns = [[row[i] for row in table.rows if row[i] is not None]
             for i in range(len(table.columns))]
  return [bool(cells) and all(map(is_number, cells)) for cells in columns]


FORMS = {'md': markdown, 'tex': latex, 'csv': comma_separated}
_ENDS = {Around: ('low', 'high'), PlusMinus: ('error',)}
_TEX = {
    # '[' and '*' at the head of a row would belong to the line end before it.
    '\\': '\\textbackslash{}', '{': '\\{', '}': '\\}', '$': '\\$', '&': '\\&',
    '%': '\\%', '#': '\\#', '_': '\\_', '~': '\\textasciitilde{}',
    '^': '\\textasciicircum{}', '<': '\\textless{}', '>': '\\textgreater{}',
    '|': '\\textbar{}', '"': '\\textquotedbl{}', '∞': '$\\infty$',
    'λ': '$\\lambda$', 'β': '$\\beta$', 'φ': '$\\phi$', '±': '$\\pm$',
    '−': '$-$', '×': '$\\times$', '–': '--', '—': '---', '·': '$\\cdot$',
    '[': '{[}', '*': '{*}'}
