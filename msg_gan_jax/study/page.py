"""What a study found, as a page with its tables and figures."""
from collections.abc import Mapping, Sequence
import os
import pathlib
import re
from typing import NamedTuple

import numpy as np

from msg_gan_jax.files.atomic import replacing
from msg_gan_jax.report import plots, tables
from msg_gan_jax.report.tables import Cell, Table
from msg_gan_jax.report.text import percent, plural
from msg_gan_jax.runs.cost import COSTS
from msg_gan_jax.study import budgets, summaries
from msg_gan_jax.study.effects import MOST_TRIALS
from msg_gan_jax.study.figures import figures
from msg_gan_jax.study.findings import shown
from msg_gan_jax.study.legible import Figure, chosen_axes, title
from msg_gan_jax.study.results import Results
from msg_gan_jax.study.scale import WIDE

PAGE, TABLES, FIGURES = 'study.md', 'tables', 'figures'
STUDENT = (
    "[low, high] is Student's 95 % interval over seeds. Of normal values, 95 % "
    'of such intervals hold the mean, at any number of seeds; of log-normal '
    'ones (exp of a standard normal), of which some seeds are several times '
    'worse than others, 84 % at 3 seeds, 82 % at 5 and 84 % at 10. That of a '
    'difference is paired by seed: 95 % of normal values, and 97 % where both '
    'methods scatter by the same log-normal law.')
RATIOS = (
    f'Values go over more than a factor of {WIDE:.0f}, so that ratios are '
    'compared: means over seeds and axes are geometric, and intervals and '
    "tests are of logarithms. [low, high] is Student's 95 % interval over "
    'seeds. Of log-normal values, 95 % of such intervals hold the geometric '
    'mean, at any number of seeds. That of a ratio is paired by seed.')
READING = (
    'A run that diverged counts as the worst of all that did not.',
    'Bands of the best value against a budget are no confidence intervals: '
    'they are where 95 % of the orders lie in which the runs of this study '
    'could have been trained.',
    'p below .05 is called better, and p above it "cannot be told". It is '
    'corrected for all pairs of values of the axis, since the best was chosen '
    'by the same runs; an interval is of one comparison by itself, and may '
    'leave out 0 (or a ratio of 1) where p is above .05. "Would probably have '
    'shown" is a power of 80 %.',
    f'fANOVA is of {MOST_TRIALS:,} runs at most, drawn from all.')


class Told(NamedTuple):
  """What a page says in words.

  Attributes:
    title: of the page.
    axes: {axis: what it varies, in words}.
    found: sentences, see findings.findings.
    measured: how the runs were made and measured.
    notes: warnings, and what was left out.
  """
  title: str
  axes: Mapping[str, str]
  found: Sequence[str]
  measured: Sequence[str] = ()
  notes: Sequence[str] = ()


def write(results: Results, told: Told, folder: str | os.PathLike) -> list[str]:
  """Writes study.md, its tables and its figures.

  Args:
    results: Results.
    told: what is said of them.
    folder: is made; files of the same names are replaced.

  Returns:
    The paths, the page first. A table is .md, .tex and .csv; a figure is .png
    and .pdf; runs.csv has every run.
  """
  folder = pathlib.Path(folder)
  for name in (TABLES, FIGURES):
    (folder / name).mkdir(parents=True, exist_ok=True)
  found, drawn = _tables(results), figures(results)
  paths = []
  for name, table in found.items():
    paths += tables.save(table, folder / TABLES / name)
  paths.append(_text(folder / TABLES / 'runs.csv',
                     tables.comma_separated(_runs(results))))
  for figure in drawn:
    if figure.drawn:
      paths += plots.save(figure.drawn, folder / FIGURES / _file(figure.name))
  page = _page(results, told, found, drawn)
  return [_text(folder / PAGE, page), *paths]


def _tables(results) -> dict[str, Table]:
  """{name of the file: Table}."""
  found = {'ranking': summaries.ranking(results)}
  chosen = chosen_axes(results)
  for axis in chosen:
    table = summaries.by_level(results, axis)
    if table.rows:
      found[_file(f'by_{axis}')] = table
  for pair, table in summaries.heats(results).items():
    found[_file('median_by_' + '_'.join(pair))] = table
  if len(results.axes) > 1:
    found['importance'] = summaries.importance(results)
  found['budget'] = budgets.table(results)
  found['best'] = budgets.best_table(results)
  for axis in chosen:
    found[_file(f'budget_{axis}')] = budgets.table(results, axis)
    found[_file(f'best_{axis}')] = budgets.best_table(results, axis)
  for axis in chosen:
    found[_file(f'cost_by_{axis}')] = summaries.costs(results, axis)
  correlation = summaries.correlation(results)
  if correlation.rows:
    found['correlation'] = correlation
  return found


def _runs(results):
  """Every run in a row."""
  axes = [*dict.fromkeys(k for row in results.rows for k in row.point)]
  others = [*dict.fromkeys(k for row in results.rows for k in row.others)]
  rows: list[list[Cell]] = [
      [*(row.point.get(k) for k in axes), row.seed, row.value,
       *(row.others.get(k) for k in others), *(row.cost.get(k) for k in COSTS)]
      for row in results.rows]
  return Table((*axes, 'seed', results.metric, *others, *COSTS), rows)


def _page(results, told, found, drawn):
  lost = int(np.isnan(results.values).sum())
  count = len(results.rows)
  lines = [
      f'# {tables.safe(told.title)}', '',
      f'{tables.safe(title(results.metric))}, '
      f'{"less" if results.lower else "more"} is better: '
      f'{plural(count, "run")} of {plural(len(results.by_point()), "point")}, '
      + _seeds(results.seeds) + f'; {lost:,} diverged'
      + (f' ({percent(lost / count)}).' if lost else '.'), '']
  if told.axes:
    lines += ['## What was varied', '',
              tables.markdown(_varied(results, told.axes))]
  lines += ['## Findings', '', *_listed(told.found)]
  if told.notes:
    lines += ['## Beware', '', *_listed(told.notes)]
  if told.measured:
    lines += ['## How it was measured', '',
              tables.safe(' '.join(told.measured)), '']
  lines += ['## The best', '', tables.markdown(found['ranking'])]
  for figure in drawn:
    lines += _shown(figure)
  lines += ['## Tables', '']
  for name, table in found.items():
    if name != 'ranking':
      lines += [tables.markdown(table)]
  lines += [
      'All runs are in [runs.csv](tables/runs.csv). Each table is there as '
      '.md, .tex (booktabs) and .csv, each figure as .png and .pdf.', '',
      '## How to read it', '', *_listed([
          RATIOS if results.scale.ratios else STUDENT, *READING])]
  return '\n'.join(lines).rstrip() + '\n'


def _seeds(seeds):
  few = len(seeds) <= 10
  return f'{"seed" if len(seeds) == 1 else "seeds"} ' + (
      ', '.join(map(str, seeds)) if few else
      f'{seeds[0]} to {seeds[-1]} ({len(seeds):,} of them)')


def _varied(results, axes):
  rows: list[list[Cell]] = []
  for axis, settings in axes.items():
    found = results.levels(axis)
    values = (f'{len(found):,} from {shown(found[0], True)} to '
              f'{shown(found[-1], True)}'
              if results.is_drawn(axis) else ', '.join(map(shown, found)))
    rows.append([axis, settings, values])
  return Table(('axis', 'settings', 'values'), rows)


def _listed(sentences):
  return [*(f'- {tables.safe(x)}' for x in sentences), '']


def _shown(figure: Figure):
  file = f'{FIGURES}/{_file(figure.name)}.png'
  return [*([f'![{tables.safe(figure.name)}]({file})', ''] if figure.drawn
            else []), tables.safe(figure.caption), '']


def _file(name):
  """A name that any disk and any link takes."""
  return re.sub(r'\W+', '_', name)


def _text(path, text):
  with replacing(path) as temporary, open(
      temporary, 'w', encoding='utf-8') as file:
    file.write(text)
  return str(path)
