"""--mode=checkpoints: lists those of a run, verifies, deletes, copies them."""
import os

from absl import flags

from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.files import console, disk

SHARED: shared.Flags = (shared.CHECKPOINTS, shared.DRY_RUN)
EXAMPLES: shared.Examples = (
    ' --mode=checkpoints --workdir=runs/quickstart',
    ' --mode=checkpoints --workdir=runs/quickstart --verify',
    ' --mode=checkpoints --workdir=runs/quickstart --keep=1 --drop_aside '
    '--dry_run',
    ' --mode=checkpoints --workdir=runs/quickstart --checkpoints=best '
    '--copy_to=runs/best_of_quickstart',
)
VERIFY = flags.DEFINE_bool(
    'verify', False, 'Read every array, and compare it with the fingerprint '
    'that was saved with it; the exit status is 1 where one differs.')
KEEP = flags.DEFINE_integer(
    'keep', None, 'Delete all but the newest so many; the best stays too, and '
    'what lies aside. One of those that stay has to be whole.', lower_bound=1)
DROP_BEST = flags.DEFINE_bool('drop_best', False, 'Delete the best.')
DROP_ASIDE = flags.DEFINE_bool(
    'drop_aside', False, 'Delete what lies aside: damaged ones, and those of '
    'steps that were lost or of an unknown score.')
COPY_TO = flags.DEFINE_string(
    'copy_to', '', 'A new folder for the run as it was at the one of '
    '--checkpoints: to load, to begin from, or to train on.')


def run() -> int:
  """Prints a table, and what is done; 1 where a checkpoint is damaged."""
  from msg_gan_jax.config import errors
  from msg_gan_jax.report import text
  from msg_gan_jax.runs import branch, inventory
  workdir = shared.existing_run()
  prunes = KEEP.value is not None or DROP_ASIDE.value or DROP_BEST.value
  if shared.DRY_RUN.value and not prunes:
    raise ValueError('--dry_run: means nothing without --keep, --drop_aside or '
                     '--drop_best.')
  if shared.CHECKPOINTS.present and not COPY_TO.value:
    raise ValueError(
        f'--{shared.CHECKPOINTS.name}: means nothing without --copy_to.')
  if COPY_TO.value:
    with errors.naming(which=shared.CHECKPOINTS.name):
      origin = branch.copy(
          workdir, os.path.expanduser(COPY_TO.value), shared.CHECKPOINTS.value)
    console.say(f'{COPY_TO.value}: verified copy of {origin}')
    return 0
  if prunes:
    _prune(workdir)
    return 0
  found = inventory.entries(workdir)
  rows = [['kind', 'images', 'written', 'size', 'score']
          + ['  verified'] * VERIFY.value]
  damaged = 0
  for entry in found:
    row = [entry.kind, f'{entry.images:,}', entry.date, disk.size(entry.bytes),
           _score(entry.score)]
    if VERIFY.value:
      why = inventory.damage(entry)
      damaged += bool(why) and entry.kind != inventory.DAMAGED
      row.append('  ' + (text.short(why, 60) if why else 'whole'))
    rows.append(row)
  for line in text.columns(rows, '<>>>>' + '<' * VERIFY.value):
    console.say(line)
  console.say(f'{text.plural(len(found), "checkpoint")}, '
              f'{disk.size(sum(x.bytes for x in found))} in {workdir}')
  if damaged:
    console.say_aside(f'warning: {damaged} of them damaged')
  return int(damaged > 0)


def _score(score):
  """'swd 12.3' of what a best checkpoint was kept for."""
  if not score:
    return ''
  return f'{(score["judge"] or {}).get("metric", "")} {score["value"]:.4g}'


def _prune(workdir):
  """Deletes what is not kept, and says how much room that gives."""
  from msg_gan_jax.runs import config_file, inventory
  from msg_gan_jax.runs.workdir import Workdir
  config_file.load_config(workdir)
  with Workdir(workdir, say=console.say_aside):
    going = inventory.to_prune(
        inventory.entries(workdir), KEEP.value, DROP_ASIDE.value,
        DROP_BEST.value)
    dry = shared.DRY_RUN.value
    for entry in going:
      console.say(f'{"would go" if dry else "deleted"}: {entry.folder} '
                  f'({entry.kind}, {disk.size(entry.bytes)})')
    freed = sum(x.bytes for x in going) if dry else inventory.delete(going)
  console.say(f'{disk.size(freed)} {"would be" if dry else "are"} free again, '
              f'{disk.size(disk.room(workdir))} are now')
