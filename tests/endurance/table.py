"""What trials have found: cases in a folder, and a row of a page."""
from collections.abc import Mapping
import datetime
import json
import pathlib
import platform
from typing import Any

from helpers import ROOT

PAGE = ROOT / 'docs' / 'studies' / 'endurance.md'


class Table:
  """The table of one trial in the page, of which this start fills one row.

  Args:
    name: of the trial; the page has a heading `## name`.
    out: its folder, which remembers when it began and which cases are done.
    page: the page.

  Attributes:
    cases: what is done so far, in this start and those before.
  """

  def __init__(self, name: str, out: pathlib.Path, page: pathlib.Path = PAGE):
    self._name, self._page, self._file = name, page, out / 'cases.jsonl'
    out.mkdir(parents=True, exist_ok=True)
    begun = out / 'begun'
    if not begun.exists():
      begun.write_text(f'{datetime.datetime.now():%Y-%m-%d %H:%M:%S}')
    self._begun = begun.read_text()
    self.cases: list[dict[str, Any]] = [
        json.loads(line) for line in self._file.read_text().splitlines()
    ] if self._file.exists() else []

  def add(self, **case: Any) -> None:
    """Writes down a case that is done."""
    self.cases.append(case)
    with self._file.open('a') as file:
      file.write(json.dumps(case) + '\n')

  def write(self, cells: Mapping[str, Any]) -> str:
    """Puts the row into the page, in place of what it was before.

    Args:
      cells: {column: what it counts}, the same columns at all times.

    Returns:
      The row.
    """
    cells = {'begun': self._begun, 'versions': versions(), **cells}
    row = '| ' + ' | '.join(str(x) for x in cells.values()) + ' |'
    head = '| ' + ' | '.join(cells) + ' |'
    before, heading, rest = self._page.read_text().partition(
        f'\n## {self._name}\n')
    if not heading:
      raise ValueError(f'{self._page}: it has no heading "## {self._name}"')
    section, nextly, after = rest.partition('\n## ')
    lines = [line for line in section.strip('\n').split('\n')
             if not line.startswith(f'| {self._begun} |')]
    if head not in lines:
      lines += ['', head, '|' + '---|' * len(cells)]
    table = '\n'.join([*lines, row]).strip('\n')
    self._page.write_text(f'{before}{heading}\n{table}\n{nextly}{after}')
    return row


def versions() -> str:
  """Python, jax, and the kind of the CPU."""
  import jax
  lines = pathlib.Path('/proc/cpuinfo').read_text().splitlines()
  cpu = next((line.partition(':')[2].strip() for line in lines
              if line.startswith('model name')), platform.machine())
  return f'Python {platform.python_version()}, jax {jax.__version__}, {cpu}'
