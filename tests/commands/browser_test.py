"""Pages in a browser: Chromium without a window, by its own program.

Pictures of pages for README and guide are taken when PICTURES_OF_PAGES names a
folder that has them, such as docs/images. Their runs were trained by

  python launch.py --workdir=runs/quickstart --config.data.count=2000
      --config.train.sample_every_images=2000
      --config.train.log_every_images=500
  python launch.py --workdir=runs/three/LOSS --config.objective.loss=LOSS
      --config.data.count=1000 --config.train.total_images=8000
      --config.train.sample_every_images=1000
      --config.train.log_every_images=250
      --config.train.measure_every_images=4000

for each LOSS of non_saturating, hinge and least_squares; RUNS_OF_PAGES names
the folder runs/.
"""
import base64
import io
import json
import os
import pathlib
import shutil
import subprocess
import tarfile

from helpers import ROOT, save_classes
import hostile_runs
from PIL import Image
import printed
import pytest
import watch_server

from msg_gan_jax import show_report
from msg_gan_jax.commands import page_of_runs
from msg_gan_jax.commands import watched as watched_runs
from msg_gan_jax.config import schema
from msg_gan_jax.report.page import render
from msg_gan_jax.runs.read import read
from msg_gan_jax.runs.together import together
from msg_gan_jax.training import loop

pytestmark = pytest.mark.slow
EARLIER = ROOT / 'tests' / 'runs' / 'earlier'
CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser')
# What axe calls serious: people cannot use the page without it.
SERIOUS = ('serious', 'critical')
SIZES = ((1280, 900), (390, 844))  # A desk's and a phone's, in CSS pixels.


@pytest.fixture(scope='module')
def browser():
  if not CHROMIUM:
    pytest.skip('no Chromium is installed')
  from playwright import sync_api
  with sync_api.sync_playwright() as play:
    found = play.chromium.launch(
        executable_path=CHROMIUM, args=['--no-sandbox'])
    yield found
    found.close()


@pytest.fixture(scope='module')
def axe(tmp_path_factory):
  """The program of axe-core, by npm."""
  npm, folder = shutil.which('npm'), tmp_path_factory.mktemp('axe')
  found = npm and subprocess.run(
      [npm, 'pack', '--silent', 'axe-core@4'], cwd=folder, timeout=120,
      capture_output=True, text=True)
  if not found or found.returncode:
    pytest.skip('no axe-core: npm is not installed, or reaches no registry')
  with tarfile.open(next(folder.glob('*.tgz'))) as archive:
    return archive.extractfile('package/axe.min.js').read().decode()


def write(folder, *paths):
  """The page of runs as a file; its address."""
  page = render(page_of_runs.page_of(together(map(read, paths))))
  file = folder / 'page.html'
  file.write_text(page, encoding='utf-8')
  return file.as_uri()


def changed(source, folder, **settings):
  """A copy of a run with other settings, such as seed=1."""
  shutil.copytree(source, folder)
  file = pathlib.Path(folder, 'config.json')
  file.write_text(json.dumps({**json.loads(file.read_text()), **settings}))
  return folder


def quickstart(folder):
  """The quickstart, trained for a moment; its folder."""
  from experiments.quickstart import get_config
  config = get_config()
  config.data.count = 64
  config.train.update({
      'total_images': 128, 'log_every_images': 32, 'sample_every_images': 64})
  config.evaluate.metrics = config.evaluate.best = ''
  loop.train(schema.parse(config), folder, say=lambda line: None)
  return folder


def conditional(folder, small):
  """A run of cats and dogs, trained for a moment; its folder."""
  root = save_classes(folder.parent / 'set', 20, 20)
  loop.train(small(
      data__name='folder', data__path=str(root),
      data__cache_dir=str(folder.parent / 'cache'), data__resolution=8,
      data__count=20_000, networks__classes=2, networks__g_condition='concat',
      networks__d_condition='projection', networks__fmap_max=4,
      train__total_images=16, train__sample_every_images=8,
      train__log_every_images=8), folder, say=lambda line: None)
  return folder


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
  """Of the runs that pages are of, and of the pages."""
  return tmp_path_factory.mktemp('pages')


@pytest.fixture(scope='module')
def pages(folder, small):
  """{kind: address} of KINDS."""
  first = shutil.copytree(EARLIER / 'written', folder / 'first')
  others = [changed(first, folder / f'seed {i}', seed=i) for i in (1, 2)]
  lost = changed(first, folder / 'lost')
  starts = len(json.loads((lost / 'versions.json').read_text()))
  with open(lost / 'warnings.jsonl', 'a', encoding='utf-8') as file:
    file.write(json.dumps({'text': 'g_loss is not finite', 'diverged': starts,
                           'images': 32, 'date': ''}) + '\n')
  growing = shutil.copytree(EARLIER / 'growing', folder / 'growing')
  found = {}
  for kind, runs in (('one', [first]), ('three', [first, *others]),
                     ('diverged', [lost]), ('growing', [growing]),
                     ('quickstart', [quickstart(folder / 'quickstart')]),
                     ('conditional', [conditional(folder / 'two', small)]),
                     ('hostile', hostile_runs.write(folder / 'hostile'))):
    (folder / 'pages' / kind).mkdir(parents=True)
    found[kind] = write(folder / 'pages' / kind, *runs)
  return found


@pytest.fixture
def opened(browser):
  """Opens an address; what the console says as errors is kept."""
  contexts = []

  def open_page(address, size=SIZES[0], **options):
    context = browser.new_context(
        viewport={'width': size[0], 'height': size[1]}, **options)
    contexts.append(context)
    page = context.new_page()
    page.said = []
    page.on('dialog', lambda dialog: page.said.append(dialog.message))
    page.on('console', lambda x: page.said.append(x.text)
            if x.type in ('error', 'warning') else None)
    page.on('pageerror', lambda error: page.said.append(str(error)))
    page.on('request', lambda request: page.said.append(request.url)
            if not request.url.startswith(
                ('file:', 'data:', 'http://127.0.0.1:')) else None)
    page.goto(address)
    return page

  yield open_page
  for context in contexts:
    context.close()


KINDS = ('one', 'three', 'diverged', 'growing', 'quickstart', 'conditional')


@pytest.mark.parametrize('scheme', ['light', 'dark'])
@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('kind', KINDS)
def test_a_page_opens_without_a_word_and_axe_finds_no_serious_fault(
    pages, opened, axe, kind, size, scheme):
  check(opened(pages[kind], size, color_scheme=scheme, bypass_csp=True), axe)


def check(page, axe):
  """It says nothing, fits on its screen, and axe finds no serious fault."""
  assert page.said == []
  # On a phone, nothing makes the page wider than the screen.
  assert page.evaluate(
      'document.documentElement.scrollWidth') <= page.viewport_size['width']
  page.add_script_tag(content=axe)
  found = page.evaluate('axe.run()')['violations']
  assert [(x['id'], x['nodes'][0]['html']) for x in found
          if x['impact'] in SERIOUS] == []


def test_the_page_of_what_d_looks_for_opens_without_a_serious_fault(
    pages, folder, opened, axe, command):
  status, out, err = command(
      '--mode=look', f'--workdir={folder / "two"}', '--count=18', '--maps=1',
      '--layer=from_rgb,logit')
  assert status == 0, err
  for size, scheme in zip(SIZES, ('light', 'dark'), strict=True):
    page = opened(pathlib.Path(out.strip()).as_uri(), size,
                  color_scheme=scheme, bypass_csp=True)
    check(page, axe)
  assert page.get_by_role('heading', name='Layers').count() == 1


def shown(page):
  """For each run, the images of the one picture of it that is seen."""
  return page.evaluate('''() => [...document.querySelectorAll(
      '.beside figure')].map(figure => [...figure.querySelectorAll('img')]
      .filter(x => x.checkVisibility()).map(x => Number(x.dataset.images)))''')


def test_the_slider_moves_all_runs_and_the_axis_is_chosen(pages, opened):
  page = opened(pages['three'])
  last = shown(page)
  assert len(last) == 3 and all(len(x) == 1 for x in last)
  slider = page.locator('#moment')
  slider.focus()
  page.keyboard.press('Home')
  assert shown(page) == [[0]] * 3
  page.keyboard.press('ArrowRight')
  second = shown(page)
  assert all(0 < x[0] < last[0][0] for x in second)
  assert f'{second[0][0]} real images' in page.locator('output').inner_text()
  charts = page.locator('.over:visible')
  before = charts.first.inner_html()
  count = charts.count()
  page.get_by_role('radio', name='seconds').check()
  assert page.locator('.over:visible').count() == count
  assert page.locator('.over:visible').first.inner_html() != before
  assert 'seconds' in page.locator('output').inner_text()
  slider.focus()
  page.keyboard.press('End')
  assert shown(page) == last
  assert page.said == []


def test_the_slider_and_the_links_work_in_the_frame_of_a_notebook(
    opened, tmp_path):
  file = tmp_path / 'notebook.html'
  shown = show_report([EARLIER / 'written'])._repr_html_()
  file.write_text(f'<!doctype html><title>Cells</title>{shown}', 'utf-8')
  page = opened(file.as_uri())
  frame = page.frames[1]
  slider = frame.locator('#moment')
  slider.focus()
  page.keyboard.press('Home')
  images = frame.locator('.beside img:visible')
  assert images.get_attribute('data-images').partition('.')[0] == '0'
  page.keyboard.press('End')
  assert images.get_attribute('data-images').partition('.')[0] == '32'
  frame.get_by_role('link', name='Starts').click()
  assert frame.locator('h2', has_text='Starts').count() == 1
  assert frame.evaluate('document.URL') == 'about:srcdoc#starts'
  # It has an origin of its own, and so no way to the cells around it.
  assert frame.evaluate('origin') == 'null'
  assert page.said == []


def test_without_scripts_the_newest_samples_and_all_curves_are_seen(
    pages, opened):
  page = opened(pages['one'], java_script_enabled=False)
  assert page.locator('.beside img:visible').count() == 1
  assert page.locator('.over:visible').count() > 3


# Lies behind each figure, as large as it is, so that a PDF says where that is.
BEHIND = (3, 2)
MARGIN = 30  # Points that printers need.
LAY = '''uri => {
  const figures = [...document.querySelectorAll('figure')];
  for (const figure of figures) {
    figure.style.background = `url(${uri}) 0 0 / 100% 100% no-repeat`;
  }
  return figures.length;
}'''


@pytest.mark.parametrize('kind', ['one', 'three', 'hostile'])
def test_printed_no_picture_is_cut(pages, opened, kind):
  page = opened(pages[kind])
  file = io.BytesIO()
  Image.new('RGB', BEHIND, (250, 255, 240)).save(file, 'PNG')
  figures = page.evaluate(LAY, 'data:image/png;base64,' + base64.b64encode(
      file.getvalue()).decode())

  def places():
    """(width and height of the page, edges) of each figure, in points."""
    return [(size, edges) for size, every in printed.pictures(
        page.pdf(format='A4', print_background=True), BEHIND)
        for edges in every]

  def are_within(size, edges):
    left, lower, right, upper = edges
    return MARGIN < left < right < size[0] - MARGIN and (
        MARGIN < lower < upper < size[1] - MARGIN)

  found = places()
  assert len(found) == figures > 3
  for size, edges in found:
    assert (round(size[0]), round(size[1])) == (596, 843)  # A4, in points.
    assert are_within(size, edges)
  page.add_style_tag(content='.chart { min-height: 40cm; }')
  assert not all(are_within(*place) for place in places())


def test_printed_no_table_leaves_the_page(pages, opened):
  page = opened(pages['three'], (703, 1000))  # A4 within its margins.
  page.emulate_media(media='print')
  assert page.evaluate('''() => [...document.querySelectorAll('table, pre')]
      .filter(x => x.getBoundingClientRect().right > 703).length''') == 0


def test_the_page_of_a_run_that_diverged_says_so(pages, opened):
  page = opened(pages['diverged'])
  assert 'diverged' in page.locator('main').inner_text()
  assert 'g_loss is not finite' in page.locator('main').inner_text()


def test_names_do_nothing_on_a_page(pages, opened):
  page = opened(pages['hostile'])
  assert page.locator('script').count() == 1
  assert page.evaluate('''() => [...document.querySelectorAll('*')].flatMap(
      x => [...x.attributes]).filter(x => x.name.startsWith('on')).length
      ''') == 0
  text = page.locator('main').inner_text()
  for words in hostile_runs.WORDS[:5]:
    assert words in text
  for link in page.locator('nav a').all():
    link.click()
  page.get_by_role('radio', name='seconds').check()
  page.locator('#moment').press('Home')
  assert page.said == []


def test_a_conditional_run_says_which_classes_its_samples_are_of(
    pages, opened):
  text = opened(pages['conditional']).locator('main').inner_text()
  assert 'Along the rows the 2 classes take turns: cat, dog.' in text


def test_the_quickstart_has_its_sections(pages, opened):
  page = opened(pages['quickstart'])
  headings = page.locator('h2').all_inner_texts()
  assert headings[:1] == ['What it is'] and {
      'Samples', 'Stability', 'Consistency of scales, and what D listens to',
      'Curves', 'Starts', 'Again'} <= {*headings}
  assert page.locator('.beside img').count() == 3  # At 0, 64, 128 images.


def test_pages_are_what_the_documents_show(opened, tmp_path):
  runs, to = os.environ.get('RUNS_OF_PAGES'), ROOT / 'docs' / 'images'
  if runs:  # See the head of this file.
    to = pathlib.Path(os.environ['PICTURES_OF_PAGES'])
    runs = pathlib.Path(runs)
    for name, paths in (('page', [runs / 'quickstart']),
                        ('pages', sorted((runs / 'three').iterdir()))):
      page = opened(write(tmp_path, *paths), color_scheme='light')
      last = page.locator('section:has(#stability)').bounding_box()
      with Image.open(io.BytesIO(page.screenshot(full_page=True, clip={
          'x': 0, 'y': 0, 'width': 1280,
          'height': last['y'] + last['height'] + 20}))) as picture:
        picture.save(to / f'{name}.webp', quality=82, method=6)
  for name in ('page', 'pages'):
    path = to / f'{name}.webp'
    with Image.open(path) as picture:
      assert picture.width == 1280
    assert path.stat().st_size < 300_000


@pytest.fixture
def watched(tmp_path):
  """(folder of runs, address) of a server of them, which renews at once."""
  shutil.copytree(EARLIER / 'written', tmp_path / 'first')
  with watch_server.serve(tmp_path) as server:
    yield tmp_path, server.address


@pytest.mark.parametrize('scheme', ['light', 'dark'])
@pytest.mark.parametrize('size', SIZES)
def test_the_list_of_runs_opens_without_a_word_and_axe_finds_no_serious_fault(
    watched, opened, axe, size, scheme):
  page = opened(watched[1], size, color_scheme=scheme, bypass_csp=True)
  page.locator('[name=run]').check()
  check(page, axe)


def test_a_list_that_is_open_renews_itself_and_keeps_what_was_chosen(
    watched, opened):
  folder, address = watched
  page = opened(address)
  page.locator('[name=run]').check()
  shutil.copytree(EARLIER / 'growing', folder / 'second')
  page.get_by_role('link', name='second').wait_for(timeout=10_000)
  assert page.locator('[name=run]:checked').get_attribute('value') == 'first'
  shutil.rmtree(folder / 'second')
  page.get_by_text('1 run below').wait_for(timeout=10_000)
  page.locator('[name=run]').check()
  page.get_by_role('button').click()
  assert page.get_by_role('heading', level=1).inner_text() == 'first'
  page.get_by_role('link', name='All runs').click()
  page.get_by_text('1 run below').wait_for()
  assert page.said == []


def test_a_page_that_is_open_goes_on_with_its_run(
    watched, opened, monkeypatch):
  monkeypatch.setattr(watched_runs, 'SHARE', 1e3)  # It is drawn anew at once.
  folder, address = watched
  page = opened(address)
  page.get_by_role('link', name='first').click()
  page.locator('#moment').focus()
  page.keyboard.press('Home')
  page.get_by_role('radio', name='seconds').check()
  page.locator('#moment').focus()
  with open(folder / 'first' / 'warnings.jsonl', 'a', encoding='utf-8') as file:
    file.write(json.dumps({'text': 'something new', 'date': ''}) + '\n')
  page.get_by_text('something new').wait_for(timeout=15_000)
  # Where the slider stood and what was chosen stays, the focus too.
  assert page.locator('output').inner_text() == '0 seconds'
  assert page.get_by_role('radio', name='seconds').is_checked()
  assert page.evaluate('document.activeElement.id') == 'moment'
  assert page.said == []


def test_a_page_whose_server_is_gone_says_so(tmp_path, opened):
  shutil.copytree(EARLIER / 'written', tmp_path / 'first')
  with watch_server.serve(tmp_path) as server:
    page = opened(server.address)
  page.get_by_text('Nobody answers at this address any more').wait_for(
      timeout=15_000)
