"""The page of runs in a notebook, as --mode=report writes it to a file."""
from collections.abc import Iterator
import dataclasses

from msg_gan_jax.commands import report
from msg_gan_jax.commands.page_of_runs import page_of
from msg_gan_jax.files import console
from msg_gan_jax.report import page
from msg_gan_jax.study.folders import Names, folders, some

HEIGHT = 800


@dataclasses.dataclass(frozen=True, repr=False)
class RunReport:
  """A page of runs, which a notebook shows where it is the last of a cell.

  Attributes:
    names: of the runs.
    html: the whole page, as a file would have it.
    height: CSS pixels of the frame around it.
  """
  names: tuple[str, ...]
  html: str
  height: int = HEIGHT

  def _repr_html_(self) -> str:
    return page.framed(
        self.html, f'Report of {", ".join(self.names)}', self.height)

  def __repr__(self) -> str:
    return (f'<report of {page.shown(some(self.names))}: '
            f'{len(self.html):,} characters of HTML>')


def show_report(workdir: Names, height: int = HEIGHT) -> RunReport:
  """Shows runs, or the runs of a study, in a notebook.

  It is the page of --mode=report, and stays in the notebook, which grows by
  it: a few megabytes.

  Args:
    workdir: folders of runs and of studies, with commas between them, each of
      which may be a pattern such as 'runs/a*'; or several such names, in
      which a comma is one of the name.
    height: CSS pixels of the frame that it is shown in.

  Raises:
    ValueError: no run is there, or one that cannot be read; or a height below
      1.
  """
  if isinstance(height, bool) or not isinstance(height, int) or height < 1:
    raise ValueError(
        f'height: wanted a whole number of pixels, at least 1, such as '
        f'{HEIGHT}; found {height!r}.')
  if isinstance(workdir, Iterator):  # As of pathlib's glob; it is read twice.
    workdir = [*workdir]
  for note in folders(workdir).notes:
    console.say_aside(f'warning: {note}')
  runs = report.runs_of(workdir)
  return RunReport(runs.names, page.render(page_of(runs)), height)
