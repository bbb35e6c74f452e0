"""Pages in a browser: Chromium without a window, by its own program."""
import json
import pathlib
import re
import shutil
import subprocess
import tarfile

from helpers import ROOT
import pytest

from msg_gan_jax import show_report
from msg_gan_jax.commands import page_of_runs
from msg_gan_jax.report.page import render
from msg_gan_jax.runs.read import read
from msg_gan_jax.runs.together import together

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


@pytest.fixture(scope='module')
def pages(tmp_path_factory):
  """{kind: address} of one run, of three compared, and of one that diverged."""
  folder = tmp_path_factory.mktemp('pages')
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
                     ('diverged', [lost]), ('growing', [growing])):
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
    page.on('console', lambda x: page.said.append(x.text)
            if x.type in ('error', 'warning') else None)
    page.on('pageerror', lambda error: page.said.append(str(error)))
    page.on('request', lambda request: page.said.append(request.url)
            if not request.url.startswith(('file:', 'data:')) else None)
    page.goto(address)
    return page

  yield open_page
  for context in contexts:
    context.close()


KINDS = ('one', 'three', 'diverged', 'growing')


@pytest.mark.parametrize('scheme', ['light', 'dark'])
@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('kind', KINDS)
def test_a_page_opens_without_a_word_and_axe_finds_no_serious_fault(
    pages, opened, axe, kind, size, scheme):
  page = opened(pages[kind], size, color_scheme=scheme, bypass_csp=True)
  assert page.said == []
  # On a phone, nothing makes the page wider than the screen.
  assert page.evaluate('document.documentElement.scrollWidth') <= size[0]
  page.add_script_tag(content=axe)
  found = page.evaluate('axe.run()')['violations']
  assert [(x['id'], x['nodes'][0]['html']) for x in found
          if x['impact'] in SERIOUS] == []


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


def test_printed_no_picture_is_cut(pages, opened, tmp_path):
  page = opened(pages['three'])
  page.emulate_media(media='print')
  kept = page.evaluate('''() => [...document.querySelectorAll(
      'figure, img, .over svg')].filter(x => x.checkVisibility()).map(
      x => getComputedStyle(x).breakInside)''')
  assert kept and {*kept} == {'avoid'}
  tallest = page.evaluate('''() => Math.max(...[...document.querySelectorAll(
      'figure')].map(x => x.getBoundingClientRect().height))''')
  page.pdf(path=tmp_path / 'page.pdf', format='A4')
  assert tallest < 297 / 25.4 * 96 * .9  # CSS pixels of a page of A4.
  assert len(re.findall(rb'/Type */Page\b',
                        (tmp_path / 'page.pdf').read_bytes())) > 1


def test_the_page_of_a_run_that_diverged_says_so(pages, opened):
  page = opened(pages['diverged'])
  assert 'diverged' in page.locator('main').inner_text()
  assert 'g_loss is not finite' in page.locator('main').inner_text()
