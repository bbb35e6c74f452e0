"""--mode=compare: runs beside each other as figures and tables for a thesis."""
import os
import pathlib
import re

from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.files import console

SHARED: shared.Flags = (shared.OUT,)
EXAMPLES: shared.Examples = (
    ' --mode=compare --workdir=runs/a,runs/b --out=comparison',
    " --mode=compare --workdir='runs/a*' --out=comparison",
)
FIGURES, TABLES = 'figures', 'tables'


def run() -> int:
  """Writes figures and tables; prints the folder and how many there are."""
  workdir = shared.existing_run()
  if not shared.OUT.value:
    raise ValueError('--out: where to? Give a folder, such as '
                     '--out=comparison.')
  out = pathlib.Path(os.path.expanduser(shared.OUT.value))
  if out.exists() and not out.is_dir():
    raise ValueError(f'--out: {out} is a file; wanted a folder.')
  paths = write(workdir, out)
  console.say(f'{out} ({len(paths)} tables and figures)')
  return 0


def write(workdir: str, out: pathlib.Path) -> list[str]:
  """Writes the figures and the tables of runs.

  Args:
    workdir: see report.runs_of.
    out: is made; files of the same names are replaced.

  Returns:
    Their paths. A table is .md, .tex (booktabs) and .csv, a figure .png and
    .pdf.
  """
  from msg_gan_jax.analysis import dynamics
  from msg_gan_jax.commands import charts_of_runs, report, tables_of_runs
  from msg_gan_jax.report import beside, plots, tables
  runs = report.runs_of(workdir)
  costs = [charts_of_runs.costs_of(run) for run in runs.runs]
  units = charts_of_runs.units_of(costs)
  for name in (FIGURES, TABLES):
    (out / name).mkdir(parents=True, exist_ok=True)
  paths = []
  for name, table in (('settings', tables_of_runs.settings(runs)),
                      ('scores', tables_of_runs.scores(runs)),
                      ('over_seeds', tables_of_runs.over_seeds(runs)),
                      ('starts', tables_of_runs.starts(runs))):
    if table.rows:
      paths += tables.save(table, out / TABLES / name)
  for panel in charts_of_runs.panels(runs, costs, units):
    drawn = plots.curves(
        {words: {line.name: line.over[unit] for line in panel.lines}
         for unit, words in units.items()}, panel.title, panel.log,
        by_lines=True)
    paths += plots.save(drawn, out / FIGURES / _file(panel.title))
  for name, drawn, _ in dynamics.figures(runs):
    paths += plots.save(drawn, out / FIGURES / name)
  grids = {name: run.grids[-1][1] for name, run in zip(
      runs.names, runs.runs, strict=True) if run.grids}
  if samples := beside.figure_of(grids):
    paths += plots.save(samples, out / FIGURES / 'samples')
  return paths


def _file(title):
  """A name that any disk and any program takes."""
  return re.sub(r'\W+', '_', title).strip('_')
