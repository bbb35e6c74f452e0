"""--mode=study_analyse: compares the runs of a study, or any runs."""

from absl import flags

from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.files import console, plain

SHARED: shared.Flags = (shared.STORAGE, shared.STUDY_NAME, shared.OUT)
EXAMPLES: shared.Examples = (
    ' --mode=study_analyse --workdir=runs/landscape_small',
    ' --mode=study_analyse --workdir=runs/landscape_small --metric=kid',
    " --mode=study_analyse --workdir='runs/a*' --out=comparison",
    ' --mode=study_analyse --workdir=runs/first,runs/second --out=both',
)
METRIC = flags.DEFINE_string(
    'metric', '', 'By which score runs are compared: one that was measured in '
    'training; that of the study, if not given.')
VALUE = flags.DEFINE_enum(
    'value', '', ('', 'best', 'last'), 'Which measurement of a run counts; as '
    'the study says, if not given.')


def run() -> int:
  """Writes the page, its tables and its figures; prints what was found."""
  from msg_gan_jax.study import analysis, conditions, findings, page, values
  workdir = shared.existing_run()
  out = shared.OUT.value or plain.within(_one_folder(workdir), 'analysis')
  gathered = analysis.gather(
      workdir, shared.STORAGE.value, shared.STUDY_NAME.value)
  results, notes = values.results(
      gathered, METRIC.value, VALUE.value)
  measured, unlike = conditions.conditions(gathered, results, VALUE.value)
  notes = [*gathered.notes, *notes, *unlike]
  found = findings.findings(results)
  paths = page.write(results, page.Told(
      gathered.title, gathered.axes, found, measured, notes), out)
  for line in found:
    console.say(line)
  for note in notes:
    console.say_aside(f'warning: {note}')
  console.say(f'{paths[0]} (and {len(paths) - 1} tables and figures beside it)')
  return 0


def _one_folder(workdir):
  """The folder beside whose runs the page is written.

  Raises:
    ValueError: there are several.
  """
  if ',' in workdir or any(x in workdir for x in '*?['):
    raise ValueError(f'--workdir={workdir}: several folders; wanted a folder '
                     'for the page, such as --out=comparison.')
  return workdir
