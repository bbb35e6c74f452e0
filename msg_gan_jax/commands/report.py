"""--mode=report: one run or several as a page to look at, in one file."""
import os

from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.files import console
from msg_gan_jax.runs.together import Together
from msg_gan_jax.study.folders import Folders, Names, folders

SHARED: shared.Flags = (shared.OUT,)
EXAMPLES: shared.Examples = (
    ' --mode=report --workdir=runs/quickstart',
    ' --mode=report --workdir=runs/a,runs/b',
    " --mode=report --workdir='runs/a*' --out=page.html",
)
NAME = 'report.html'


def run() -> int:
  """Writes the page, and prints its path."""
  from msg_gan_jax.files.atomic import replacing
  workdir = shared.existing_run()
  found = folders(workdir)
  out = _out() or place(found)
  for note in found.notes:
    console.say_aside(f'warning: {note}')
  text = html_of(workdir)
  shared.make_folder_of(out)
  with replacing(out) as temporary, open(
      temporary, 'w', encoding='utf-8') as file:
    file.write(text)
  console.say(out)
  return 0


def html_of(workdir: Names) -> str:
  """The page of runs.

  Args:
    workdir: folders of runs and of studies, see study.folders.folders.

  Raises:
    ValueError: no run is there, or one that cannot be read.
  """
  from msg_gan_jax.commands.page_of_runs import page_of
  from msg_gan_jax.report import page
  return page.render(page_of(runs_of(workdir)))


def runs_of(workdir: Names) -> Together:
  """Runs beside each other; those of a study are called as it calls them.

  Args:
    workdir: see `html_of`.

  Raises:
    ValueError: see `html_of`.
  """
  from msg_gan_jax.runs.read import read
  from msg_gan_jax.runs.together import together
  found = folders(workdir)
  names = {os.path.realpath(x): '' for x in found.runs}
  for study in found.studies:
    names |= _of_study(study)
  if not names:
    raise ValueError(f'workdir {workdir}: no run of it has begun yet.')
  runs = together(read(path) for path in names)
  called = tuple(names[os.path.realpath(run.path)] or name
                 for run, name in zip(runs.runs, runs.names, strict=True))
  # Two studies may call runs alike; their folders tell them apart.
  return runs._replace(names=called) if len({*called}) == len(called) else runs


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


def _out():
  """The file that --out names; '' where it is not given."""
  if shared.OUT.value and not shared.OUT.value.endswith(('.html', '.htm')):
    raise ValueError('--out: wanted a file that ends in .html, found '
                     f'{shared.OUT.value!r}.')
  return os.path.expanduser(shared.OUT.value or '')


def place(found: Folders) -> str:
  """Where the page of folders goes: into one, or where several are beside."""
  every = [*found.runs, *found.studies]
  folder = every[0] if len(every) == 1 else os.path.commonpath(
      [os.path.dirname(os.path.abspath(x)) for x in every])
  return os.path.join(folder, NAME)
