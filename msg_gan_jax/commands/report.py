"""--mode=report: one run or several as a page to look at, in one file."""
import os

from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.files import console

SHARED: shared.Flags = (shared.OUT,)
EXAMPLES: shared.Examples = (
    ' --mode=report --workdir=runs/quickstart',
    ' --mode=report --workdir=runs/a,runs/b',
    " --mode=report --workdir='runs/a*' --out=page.html",
)
NAME = 'report.html'


def run() -> int:
  """Writes the page, and prints its path."""
  from msg_gan_jax.study.folders import folders
  workdir = shared.existing_run()
  found = folders(workdir)
  out = _out(workdir, found)
  for note in found.notes:
    console.say_aside(f'warning: {note}')
  text = html_of(workdir)
  shared.make_folder_of(out)
  _write(out, text)
  console.say(out)
  return 0


def html_of(workdir: str | os.PathLike, live: bool = False) -> str:
  """The page of runs.

  Args:
    workdir: folders of runs and of studies, with commas between them; each may
      be a pattern such as 'runs/a*'.
    live: whether the page asks the server that sent it for news.

  Raises:
    ValueError: no run is there, or one that cannot be read.
  """
  from msg_gan_jax.commands.page_of_runs import page_of
  from msg_gan_jax.report import html
  from msg_gan_jax.runs.read import read
  from msg_gan_jax.runs.together import together
  from msg_gan_jax.study.folders import folders
  found = folders(os.fspath(workdir))
  names = {os.path.realpath(x): '' for x in found.runs}
  for study in found.studies:
    names |= _of_study(study)
  if not names:
    raise ValueError(f'workdir {workdir}: no run of it has begun yet.')
  runs = together(read(path) for path in names)
  return html.page(page_of(runs._replace(names=tuple(
      names[os.path.realpath(run.path)] or name
      for run, name in zip(runs.runs, runs.names, strict=True)))), live)


def _of_study(folder):
  """{path: name} of the runs of a study that have begun, in its order."""
  from msg_gan_jax.study.stored import read_stored
  from msg_gan_jax.study.worker import RUNS
  found = {}
  for trial in read_stored(folder).trials:
    path = os.path.realpath(os.path.join(folder, RUNS, trial.work.digest))
    if os.path.isfile(os.path.join(path, 'config.json')):
      about = trial.work.about
      found[path] = ', '.join([
          *map(str, about['point'].values()), f'seed {about["seed"]}'])
  return found


def _out(workdir, found):
  """Where the page goes: beside what it is of, or --out."""
  if shared.OUT.value:
    if not shared.OUT.value.endswith(('.html', '.htm')):
      raise ValueError('--out: wanted a file that ends in .html, found '
                       f'{shared.OUT.value!r}.')
    return os.path.expanduser(shared.OUT.value)
  every = [*found.runs, *found.studies]
  if len(every) == 1:
    return os.path.join(every[0], NAME)
  return os.path.join(os.path.commonpath(
      [os.path.dirname(os.path.abspath(x)) for x in every]), NAME)


def _write(path, text):
  from msg_gan_jax.files.atomic import replacing
  with replacing(path) as temporary, open(
      temporary, 'w', encoding='utf-8') as file:
    file.write(text)
