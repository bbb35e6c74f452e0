"""A run's folder copied as it was at one of its checkpoints."""
import json
import os
import pathlib
import shutil
from typing import Any, NamedTuple

import jax

from msg_gan_jax.config import schema
from msg_gan_jax.files.atomic import append_json, write_json
from msg_gan_jax.runs import (
  best,
  classes,
  config_file,
  experiment_file,
  inventory,
  load,
  processes,
  read,
  records,
  rollbacks,
)
from msg_gan_jax.runs.lines import read_lines
from msg_gan_jax.runs.versions import now, read_versions

_CHANGES, _ORIGIN = 'changes.jsonl', 'origin'


class Origin(NamedTuple):
  """Where a State comes from.

  Attributes:
    run: the folder of its run, absolute.
    images: real images shown.
    digest: see inventory.digest.
  """
  run: str
  images: int
  digest: str

  def __str__(self) -> str:
    return f'{self.run} at {self.images:,} images (digest {self.digest})'


def copy(workdir: str | os.PathLike, folder: str | os.PathLike,
         which: str | int) -> Origin:
  """Copies a run as it was at a checkpoint: that, its settings and records.

  The copy can be loaded, begun from, and trained on as the run itself was from
  there, to the same bits. It appears whole, once it is verified, or not at all.

  Args:
    workdir: the run's folder.
    folder: a new one.
    which: the checkpoint, see runs.load.load.

  Raises:
    ValueError: no run or no such checkpoint, or it is damaged; a folder that
      is there already.
  """
  source, target = map(config_file.absolute, (workdir, folder))
  if target.exists() and (not target.is_dir() or any(target.iterdir())):
    raise ValueError(f'copy_to {folder}: there is something already; wanted a '
                     'new folder.')
  config_file.read_config(source)
  place, images = load.checkpoints_of(source, which)[-1]
  half = target.with_name(f'.{target.name}.part')
  shutil.rmtree(half, ignore_errors=True)
  try:
    step = half / best.LATEST / str(images)
    _copy_tree(pathlib.Path(place) / str(images), step)
    if why := inventory.damage(inventory.Entry(
        step, images, 'latest', 0, '', None)):
      raise ValueError(
          f'workdir {source}: the checkpoint of {images} images is damaged: '
          f'{why}.')
    origin = Origin(str(source), images, inventory.digest(step))
    _copy_files(source, half, images)
    append_json(half / _CHANGES, {
        'images': images, 'changed': [f'{_ORIGIN}: {origin}'],
        _ORIGIN: origin._asdict(), 'date': now()})
    if target.exists():
      target.rmdir()
    os.replace(half, target)
  except (shutil.Error, FileNotFoundError) as error:
    raise ValueError(
        f'workdir {source}: the checkpoint of {images} images went away while '
        'it was copied: the run goes on. Milestones stay: '
        'config.train.keep_every_images.') from error
  finally:
    shutil.rmtree(half, ignore_errors=True)
  return origin


def begin(workdir: str | os.PathLike, init_from: str | os.PathLike,
          images: int, config: schema.Config) -> None:
  """Makes the folder of a run that goes on from a checkpoint of another one.

  A folder that was made so before is left as it is, and goes on.

  Args:
    workdir: the new folder.
    init_from: that of the other run.
    images: real images shown at the checkpoint.
    config: that the branch is to go on under.

  Raises:
    ValueError: see `copy`; settings that a run may not change; or the folder
      has another origin.
  """
  run = config_file.absolute(init_from)
  place = config_file.absolute(workdir)
  there = (place / 'config.json').exists()
  known = _origins(place) if there else []
  if processes.from_main(int(there)):
    if (str(run), images) not in ((x['run'], x['images']) for x in known):
      raise ValueError(
          f'workdir {place}: a run that is no branch of {run} at {images:,} '
          'images. Choose another workdir=FOLDER.')
    return
  begun = config_file.as_begun(config, run)
  if other := schema.differences(config_file.read_config(run)[0], begun)[1]:
    raise ValueError(
        f'from_images: a branch of {run} goes on as that run, and may not '
        'change:\n' + ''.join(f'  config.{line}\n' for line in other)
        + 'Only weights go into a run of other settings: leave from_images '
        f'out, and take init_images={images}.')
  if jax.process_index() == 0:
    copy(run, place, images)
  processes.meet('branch:copied')


def _origins(folder):
  return [x[_ORIGIN] for x in read_lines(
      folder / _CHANGES, origin=lambda x: isinstance(x, dict) and {
          'run', 'images'} <= x.keys())]


def _copy_files(source, target, images):
  """All of a run but its checkpoints, as it was at so many images."""
  for name in ('config.json', classes.FILE, experiment_file.FILE,
               'metrics.jsonl'):
    _copy_file(source / name, target / name)
  metrics = records.Metrics(target)
  metrics.truncate(images)
  metrics.close()
  starts = read_versions(source / 'versions.json', mend=False)
  write_json(target / 'versions.json', [
      x for x in starts if _images_of(x) <= images])
  if before := [x for x in rollbacks.read(source) if x.images <= images]:
    rollbacks.write(target, before)
  for name in _CHANGES, read.WARNINGS:
    lines = read_lines(source / name)
    (target / name).write_text(''.join(
        json.dumps(x, ensure_ascii=False) + '\n' for x in lines
        if _images_of(x) <= images), encoding='utf-8')
  for shown, path in read.grids(source / 'samples'):
    if shown <= images:
      _copy_file(path, target / 'samples' / path.name)
  for entry in inventory.entries(source):
    if entry.kind == 'best' and entry.images <= images:
      _copy_tree(entry.folder, target / best.FOLDER / str(entry.images))


def _images_of(line: dict[str, Any]) -> int:
  """Images of a line of JSON; 0 where it has none."""
  images = line.get('images')
  return images if isinstance(images, int) else 0


def _copy_file(source, target):
  """Copies a file that is there, and what no link leads to."""
  if source.is_file() and not source.is_symlink():
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)  # With its mode, for trust in code.


def _copy_tree(source, target):
  """Copies a folder; links in it stay links, and nothing behind them is."""
  shutil.copytree(source, target, symlinks=True)
