"""Whatever people name, a page shows it as text, and files have sane names."""
import functools
from html.parser import HTMLParser
import re

import hostile_runs as hostile
import pytest

from msg_gan_jax.commands import report
from msg_gan_jax.report.page import LONGEST, shown


@pytest.fixture(scope='module')
def runs(tmp_path_factory):
  return hostile.write(tmp_path_factory.mktemp('hostile'))


class Elements(HTMLParser):
  """What a page has: elements with their attributes, and all text."""

  def __init__(self, text):
    super().__init__()
    self.found, self.text, self.inside = [], '', ''
    self.feed(text)

  def handle_starttag(self, tag, attrs):
    self.found.append((tag, dict(attrs)))
    self.inside = tag

  def handle_endtag(self, tag):
    self.inside = ''

  def handle_data(self, data):
    if self.inside not in ('script', 'style'):
      self.text += data


def assert_is_text(content, wanted):
  """No name is more than text, on a page that has the elements it should."""
  page = Elements(content)
  tags = [tag for tag, _ in page.found]
  assert tags.count('script') == wanted.count('script') == 1
  assert {*tags} == {*wanted}
  for tag, attrs in page.found:
    assert not [x for x in attrs if x.startswith('on')], (tag, attrs)
    for name in ('src', 'href', 'xlink:href', 'action'):
      assert attrs.get(name, '#').startswith(('data:', '#')), (tag, attrs)
  return page.text


@pytest.fixture(scope='module')
def plain():
  """The elements of the page of a run of plain names."""
  page = Elements(report.html_of(str(hostile.EARLIER)))
  return [tag for tag, _ in page.found]


@pytest.mark.parametrize('place', range(len(hostile.WORDS)))
def test_a_run_is_shown_as_text(runs, command, plain, place):
  run, words = runs[place], hostile.WORDS[place]
  status, out, err = command('--mode=report', f'--workdir={run}')
  assert (status, err) == (0, '')
  assert out.count('\n') == 1 and out.endswith('report.html\n')
  assert not re.search('[\x00-\x09\x0b-\x1f\u2028-\u202e\u2066-\u2069]', out)
  content = (run / 'report.html').read_text('utf-8')
  text = assert_is_text(content, plain + ['ul', 'li'])
  # Name, data, class, warning, change, commit, value: each is there.
  found = text.count(shown(words)[:60])
  assert found >= 5, found
  assert len(content) < 3_000_000
  assert max(map(len, re.findall(r'>([^<]*)<', content.partition(
      '<script>')[0].partition('</style>')[2]))) <= 4 * LONGEST


def test_all_of_them_beside_each_other(runs, command, tmp_path):
  pattern = f'{runs[0].parent}/*'
  status, out, err = command(
      '--mode=report', f'--workdir={pattern}', '--out=page.html')
  assert (status, out, err) == (0, 'page.html\n', '')
  content = (tmp_path / 'page.html').read_text('utf-8')
  assert '<script>alert(1)' not in content and '<img src=x' not in content
  status, out, err = command(
      '--mode=compare', f'--workdir={pattern}', '--out=all')
  assert (status, err) == (0, '') and out.startswith('all (')
  files = [x for x in (tmp_path / 'all').rglob('*') if x.is_file()]
  assert len(files) > 30
  for file in files:
    assert re.fullmatch(r'[A-Za-z0-9_]{1,64}\.(md|tex|csv|png|pdf)', file.name)
    assert file.stat().st_size > 50
  # A row of a table is a line, whatever the names in it are.
  scores = (tmp_path / 'all' / 'tables' / 'scores.md').read_text('utf-8')
  rows = [x for x in scores.splitlines() if x.startswith('| ')]
  assert len(rows) == len(runs) + 3  # And the heading, its line, the reals.


def test_a_page_goes_into_a_folder_of_any_name(
    runs, command, tmp_path, monkeypatch):
  # It is the same page each time.
  monkeypatch.setattr(report, 'html_of', functools.cache(report.html_of))
  for words in hostile.WORDS:
    folder = tmp_path / hostile.folder_name(words)
    status, out, _ = command('--mode=report', f'--workdir={runs[0]}',
                             f'--out={folder}/page.html')
    assert status == 0 and out.count('\n') == 1
    assert (folder / 'page.html').stat().st_size > 10_000
