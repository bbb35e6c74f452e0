"""The files of an atlas of D: a PNG and arrays of each layer, and one page."""
from collections.abc import Iterator, Mapping
import contextlib
import json
import os
import re
from typing import Any

import numpy as np

from msg_gan_jax.analysis.discriminator import evidence
from msg_gan_jax.analysis.discriminator.atlas import NINE, View
from msg_gan_jax.analysis.discriminator.programs import STEPS
from msg_gan_jax.analysis.discriminator.rules import INTEGRATED
from msg_gan_jax.arrays.indices import evenly
from msg_gan_jax.arrays.pixels import to_uint8
from msg_gan_jax.files import plain
from msg_gan_jax.files.atomic import replacing, write_json
from msg_gan_jax.report import (
  atlas_figures,
  charts,
  contact_sheet,
  grids,
  tables,
  text,
  thumbnails,
)
from msg_gan_jax.report import page as html
from msg_gan_jax.report.plots import Curve
from msg_gan_jax.report.tables import Table

PAGE, RANKING = 'index.html', 'ranking'
ABOUT = 'atlas.json'  # The names of all other files, to be removed by the next.
COLUMNS, LISTED, BINS = 12, 8, 40  # Of the sheet; of the table; of a histogram.
WIDEST = 1400  # Pixels of a picture in the page.
RULES = {
    'deconvnet': 'deconvnet: what comes down to a rectifier is rectified as '
                 'what goes up (Zeiler & Fergus 2014)',
    'guided': 'guided: what comes down to a rectifier is rectified as what '
              'goes up, and passes only where the rectifier was open '
              '(Springenberg et al. 2015)',
    'gradient': 'gradient: what a pixel adds to the activation if it changes',
    INTEGRATED: "integrated: a pixel's share of the activation, in "
                f'{STEPS} steps from mid-grey to this picture (Sundararajan '
                'et al. 2017)'}


class Files:
  """Writes what is found, layer by layer.

  Args:
    folder: where to; it is there.
    looked: look_at_run.Looked, all that is known before the layers.
  """

  def __init__(self, folder: str, looked: Any) -> None:
    self._folder, self._looked = folder, looked
    self._names: list[str] = []
    self._of = 0
    self._remove_earlier()
    self._layers: list[html.Block] = []
    self._moments: list[tuple[int, Mapping[str, View]]] = []
    self._rows: list[list[tables.Cell]] = []

  def add(self, view: View) -> None:
    """Writes the picture and the arrays of a layer."""
    number = len(self._rows) + 1
    name = f'{number:02d}_{_file_name(view.layer)}'
    shape = 'x'.join(map(str, self._looked.layers[view.layer])) or '1'
    shown = len(view.maps)
    of = (f'{shown} of {view.of} maps' if shown < view.of else
          f'all {shown} maps' if shown > 1 else 'its one map')
    grids.save(self._path(f'{name}.png'), atlas_figures.layer(
        {f'sees {_size(view.patches)}': view.patches}, {
            f'{size} px{_share(view, size)}': x
            for size, x in view.projections.items()},
        [(f'map {n}', f'spread {spread:.2g}{self._samples_among(pictures)}')
         for n, spread, pictures in zip(
             view.maps, view.spread, view.pictures, strict=True)],
        (view.layer, f'{shape}, {of}, {self._looked.how.rule}')))
    self._write_arrays(f'{name}.npz', view)
    self._picture(self._layers, f'{name}.png', f'{view.layer}: {of}')
    self._rows.append([
        view.layer, shape, _size(view.patches), view.of, view.without,
        float(view.spread.max()), float(view.spread.min())])

  def add_moment(self, images: int, found: Mapping[str, View],
                 of: int) -> None:
    """Takes the maps of a checkpoint, out of so many pictures; see `close`."""
    self._moments.append((images, found))
    self._of = of

  def close(self) -> str:
    """Writes the page; returns its path."""
    looked = self._looked
    page = html.Page(
        f'What D looks for: {looked.workdir}',
        [f'After {looked.images:,} images.', *looked.notes], {}, [
            html.Section('How to read it', [*self._explained()]),
            html.Section('What D says of pictures', [*self._said()]),
            html.Section('Real or fake, pixel by pixel', [*self._evidence()]),
            html.Section('Layers', self._layers),
            html.Section('Through training', [*self._strips()])])
    with replacing(self._path(PAGE)) as temporary, open(
        temporary, 'w', encoding='utf-8') as file:
      file.write(html.render(page))
    return self._path(PAGE)

  def _path(self, name):
    """The path of a file that is about to be written, and listed as ours."""
    if name not in self._names:
      self._names.append(name)
      write_json(os.path.join(self._folder, ABOUT), {'files': self._names})
    return os.path.join(self._folder, name)

  def _remove_earlier(self):
    """Removes the files of an atlas that was here, and no others."""
    try:
      names = json.loads(plain.read(os.path.join(
          self._folder, ABOUT), plain.MOST_JSON))['files']
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
      return
    for name in names:
      if isinstance(name, str) and name == os.path.basename(name):
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):
          os.remove(os.path.join(self._folder, name))

  def _picture(self, blocks, name, caption):
    blocks.append(html.Picture(
        thumbnails.uri(self._path(name), WIDEST), caption))

  def _samples_among(self, pictures):
    """How many are samples, where there are any."""
    kinds = [self._looked.shown.kind_of(int(i)) for i in pictures]
    return f', samples {kinds.count("samples")} of {len(kinds)}' if (
        'samples' in {x.kind for x in self._looked.shown.kinds}) else ''

  def _write_arrays(self, name, view):
    named = [self._looked.shown.where(int(i)) for i in view.pictures.ravel()]
    kinds, names = (np.array(x).reshape(view.pictures.shape)
                    for x in zip(*named, strict=True))
    with replacing(self._path(name)) as temporary, open(
        temporary, 'wb') as file:
      np.savez_compressed(
          file, layer=view.layer, rule=self._looked.how.rule, maps=view.maps,
          spread=view.spread, values=view.values, places=view.places,
          kinds=kinds, names=names, patches=view.patches, size=view.size,
          **{f'projection_{s}': x for s, x in view.projections.items()},
          **{f'corner_{s}': x for s, x in view.corners.items()},
          **{f'share_{s}': x for s, x in view.shares.items()})

  def _explained(self) -> Iterator[html.Block]:
    how = self._looked.how
    if not self._rows:
      return
    yield html.Text(
        f'Of each map of a layer these are the {NINE} pictures with the '
        'largest maxima, each once: at the left the patch that the receptive '
        'field of the maximum sees, and beside it what comes down from that '
        'one activation, at each scale that D reads, with the share that '
        'scale has of all absolute values. Grey is 0; each small picture has a '
        'scale of its own, and its largest absolute value is full. What lies '
        'over the edge of a picture is grey. '
        + ('The maps are those that were asked for.' if how.numbers else
           'The maps are those whose maxima have the largest spread (standard '
           'deviation over the pictures), the largest first.')
        + (' This D looks at several pictures together: maxima and ranks are '
           'those beside others of the same kind, and among other neighbours '
           'some would differ.' if self._looked.evidence.others else ''))
    yield html.Text(f'The way down is {RULES[how.rule]}.')
    yield html.Grid(Table(
        ('layer', 'activations', 'sees', 'maps', 'say nothing',
         'largest shown', 'smallest shown'), self._rows,
        'Layers that are shown', [
            'A map says nothing if its maximum is the same in all pictures.',
            f'All layers of this D: {", ".join(self._looked.layers)}.'], 3))

  def _said(self) -> Iterator[html.Block]:
    looked, lines, told = self._looked, {}, []
    logits = {x.kind: looked.logits[looked.every.numbers(x.kind)]
              for x in looked.every.kinds}
    edges = np.histogram_bin_edges(looked.logits, BINS)
    for kind, values in logits.items():
      lines[kind] = Curve((edges[1:] + edges[:-1]) / 2,
                          np.histogram(values, edges)[0] / len(values))
    if {'reals', 'samples'} <= {*logits}:
      told.append('Of a real and a sample D gives the real the larger logit '
                  'in ' + text.percent(evidence.pairs_told(
                      logits['reals'], logits['samples']))
                  + ' of all pairs; 50 % is chance.')
    yield html.Charts([html.Chart(
        'logits', {kind: i for i, kind in enumerate(lines)},
        {'logit': charts.chart(lines, 'logit', 'share of pictures')},
        'Share of the pictures of each kind.')])
    for sentence in told:
      yield html.Text(sentence)
    self._sheet()
    blocks: list[html.Block] = []
    self._picture(blocks, f'{RANKING}.png', 'Pictures by the logit of D')
    yield from blocks
    table = self._table()
    with replacing(self._path(f'{RANKING}.csv')) as temporary, open(
        temporary, 'w', encoding='utf-8') as file:
      file.write(tables.comma_separated(table))
    ends = [*table.rows[:LISTED], *table.rows[LISTED:][-LISTED:]]
    yield html.Grid(table._replace(rows=ends, caption=(
        'The most real and the most fake'), notes=[
            f'All are in {RANKING}.csv. Where D looks at the deviation of a '
            'batch, a picture is judged beside others of its kind, or, if '
            'they are too few, beside reals.']))

  def _table(self) -> Table:
    ranking, rows = self._looked.ranking, list[list[tables.Cell]]()
    for i, (number, logit) in enumerate(zip(
        ranking.numbers, ranking.logits, strict=True)):
      rows.append([i + 1, *self._looked.shown.where(int(number)), float(logit),
                   *(float(x[i]) for x in ranking.below.values())])
    return Table(('rank', 'kind', 'picture', 'logit', *(
        f'share of {kind} below' for kind in ranking.below)), rows, digits=3)

  def _sheet(self):
    looked, rows, names = self._looked, [], []
    numbers, every = looked.ranking.numbers, looked.every
    middle = max(0, (len(numbers) - COLUMNS) // 2)  # 0: all are one row.
    groups = {'most real': numbers[:COLUMNS],
              'middle': numbers[middle:middle + COLUMNS],
              'most fake': numbers[-COLUMNS:]} if middle else {}
    for kind in dict.fromkeys(x.kind for x in every.kinds):
      own = every.numbers(kind)
      own = own[np.argsort(-looked.logits[own], kind='stable')]
      groups[f'all {kind}'] = own[evenly(len(own), COLUMNS)]
    for name, some in groups.items():
      rows.append(contact_sheet.tiles(to_uint8(every.levels(some)[-1])))
      first, last = looked.logits[some[[0, -1]]]
      names.append((name, f'logits {first:.3g} to {last:.3g}'))
    contact_sheet.draw(
        self._path(f'{RANKING}.png'), rows,
        ('what D says', 'by its logit, the most real first'), names)

  def _evidence(self) -> Iterator[html.Block]:
    looked, found = self._looked, self._looked.evidence
    levels = looked.shown.levels(found.numbers)
    sizes = [f'{x.shape[1]} px' for x in levels]
    beside, rows = [], list[list[tables.Cell]]()
    for number, logit, grey, sums, gap in zip(
        found.numbers, found.logits, found.grey, found.sums(), found.gaps(),
        strict=True):
      kind, name = looked.shown.where(int(number))
      beside.append((text.short(name),
                     f'{kind}, logit {logit:.3g}, grey {grey:.3g}'))
      rows.append([name, kind, float(looked.logits[number]), float(logit),
                   float(grey), *map(float, sums), float(sums.sum()),
                   text.percent(float(gap))])
    half = len(beside) // 2
    ends = len(beside) < len(looked.ranking.numbers)
    grids.save(self._path('evidence.png'), atlas_figures.evidence(
        [to_uint8(x) for x in levels], found.shares,
        {'most real': beside[:half], 'most fake': beside[half:]} if ends
        else {'all, the most real first': beside}))
    blocks: list[html.Block] = [html.Text(
        f'Each pixel has a share of the logit (integrated gradients in '
        f'{found.steps} steps from mid-grey): blue speaks for real, vermilion '
        'for fake. All shares of a picture add up to its logit less that of '
        'grey, which stands beside it: where the two are near each other, '
        'shares cancel. Full colour is the 99th percentile of absolute values '
        'of a scale in all of these pictures; how much a scale has to say is '
        'in the table.')]
    self._picture(blocks, 'evidence.png', 'What speaks for real or fake')
    yield from blocks
    company = (
        'D looks at several pictures together: here each is judged beside the '
        f'first {found.others} others of its kind, or reals where these are '
        'too few, and it alone moves from mid-grey to itself.'
        if found.others else
        'D looks at each picture by itself.')
    yield html.Grid(Table(
        ('picture', 'kind', 'ranked by', 'logit', 'grey', *sizes, 'sum',
         'gap'), rows, "Each scale's share of the logit", [
             company, 'The gap is what the sum lacks of the logit less that of '
             f'grey, an error of {found.steps} steps; what the pictures are '
             'ranked by is the logit beside others.'], 3))

  def _strips(self) -> Iterator[html.Block]:
    if not self._moments:
      return
    yield html.Text(
        'Columns are checkpoints, rows maps of the newest. Of each the picture '
        f'that excites the map most at that time, out of {self._of:,}: its '
        'patch, and below it what comes down at the finest scale that it '
        'sees. The samples among them are the same at all times, those of the '
        'newest G.')
    blocks: list[html.Block] = []
    images = [f'{images:,}' for images, _ in self._moments]
    for i, layer in enumerate(self._moments[-1][1]):
      views = [found[layer] for _, found in self._moments]
      name = f'{i + 1:02d}_{_file_name(layer)}_through_training.png'
      grids.save(self._path(name), atlas_figures.strip(
          [view.patches[:, 0] for view in views],
          [view.projections[view.size][:, 0] for view in views], images,
          [(f'map {n}', '') for n in views[-1].maps],
          (layer, 'after so many images')))
      self._picture(blocks, name, f'{layer} through training')
    yield from blocks


def _size(patches):
  return '{}x{}'.format(*patches.shape[2:4])


def _share(view, size):
  """What a scale has of all absolute values, if there are others."""
  return '' if len(view.shares) == 1 else (
      f': {text.percent(float(view.shares[size].mean()))}')


def _file_name(layer):
  return re.sub(r'\W+', '_', layer).strip('_')
