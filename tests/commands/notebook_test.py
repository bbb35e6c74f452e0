"""The page of runs in a notebook: a frame that holds it, and nothing else."""
from html.parser import HTMLParser
import pathlib
import re
import shutil

from helpers import ROOT
import pytest

from msg_gan_jax import show_report
from msg_gan_jax.commands import report

EARLIER = ROOT / 'tests' / 'runs' / 'earlier' / 'written'
HOSTILE = ('"><script>alert(1)<', "' onload='alert(1)", 'a & b &quot; "c"',
           'two\nlines', '\u202eabc', '🐱' * 50, '</iframe><b>')


@pytest.fixture
def run(tmp_path):
  return shutil.copytree(EARLIER, tmp_path / 'first')


class Elements(HTMLParser):
  """Every element that a browser would make."""

  def __init__(self, text):
    super().__init__()
    self.found, self.ends, self.text = [], [], ''
    self.feed(text)
    self.close()

  def handle_starttag(self, tag, attrs):
    self.found.append((tag, dict(attrs)))

  def handle_endtag(self, tag):
    self.ends.append(tag)

  def handle_data(self, data):
    self.text += data


def frame(shown):
  """The attributes of the one element that a notebook gets."""
  elements = Elements(shown._repr_html_())
  (tag, attributes), = elements.found
  assert (tag, elements.ends, elements.text) == ('iframe', ['iframe'], '')
  return attributes


def test_the_frame_holds_the_page_of_the_command(run):
  shown = show_report(run, height=432)
  assert shown.html == report.html_of(str(run))
  attributes = frame(shown)
  assert attributes['srcdoc'].replace(
      '<base href="about:srcdoc">', '') == shown.html
  assert attributes['sandbox'] == 'allow-scripts'
  assert attributes['height'] == '432' and attributes['width'] == '100%'
  assert attributes['title'] == 'Report of first'


@pytest.mark.parametrize('name', HOSTILE)
def test_whatever_a_run_is_called_there_is_one_frame(run, name):
  # A folder has no slash in its name; a title has what stands for it.
  folder = run.rename(run.parent / name.replace('/', '⧸'))
  shown = show_report([folder])
  attributes = frame(shown)
  assert {*attributes} == {
      'srcdoc', 'title', 'sandbox', 'width', 'height', 'style'}
  assert len(Elements(attributes['title']).found) <= 1
  assert '\n' not in attributes['title'] and '\n' not in repr(shown)
  tags = [tag for tag, _ in Elements(attributes['srcdoc']).found]
  assert tags.count('script') == 1 and 'iframe' not in tags


def test_its_repr_is_a_short_line(run):
  line = repr(show_report(run))
  assert re.fullmatch(r'<report of first: [\d,]+ characters of HTML>', line)


def test_runs_are_named_as_for_the_command_or_one_by_one(run, monkeypatch):
  other = shutil.copytree(run, run.parent / 'a, b')
  both = (f'{run}', other)
  assert show_report(both).names == ('first', 'a, b')
  assert show_report(run.parent.glob('f*')).names == ('first',)
  assert show_report(pathlib.Path(other)).names == ('a, b',)
  assert show_report(f'{run.parent}/*').names == ('a, b', 'first')
  brackets = shutil.copytree(run, run.parent / 'run[1]')
  assert show_report(f'{run},{brackets}').names == ('first', 'run[1]')
  monkeypatch.chdir(run.parent)
  assert show_report('first').names == ('first',)


def test_what_a_pattern_finds_beside_runs_is_said(run, capsys):
  (run.parent / 'notes').mkdir()
  show_report(f'{run.parent}/*')
  assert 'warning: Neither a study nor a run, and left out: ' in (
      capsys.readouterr().err)


@pytest.mark.parametrize(('workdir', 'height', 'text'), [
    ('nowhere', 800, 'workdir nowhere: neither a study'),
    ('none*', 800, r'workdir none\*: no folder has such a name'),
    ([], 800, r'workdir \[\]: no study and no run is there'),
    (3, 800, 'workdir: wanted the name of a folder, or several, found 3'),
    ([3], 800, r'workdir: wanted the name of a folder, .* found \[3\]'),
    ('.', 0, 'height: wanted a whole number of pixels.*found 0'),
    ('.', '9px', "height: wanted .* found '9px'"),
    ('.', True, 'height: wanted .* found True')])
def test_what_cannot_be_is_said(run, monkeypatch, workdir, height, text):
  monkeypatch.chdir(run.parent)
  with pytest.raises(ValueError, match=text):
    show_report(workdir, height)
