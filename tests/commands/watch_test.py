"""--mode=watch: who is answered, and with what."""
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from urllib import parse

from helpers import ROOT
import pytest
from watch_server import serve

from msg_gan_jax.commands import loopback, report, watched
from msg_gan_jax.commands.loopback import Loopback
from msg_gan_jax.commands.watched import Watched

EARLIER = ROOT / 'tests' / 'runs' / 'earlier' / 'written'
SECRET = 'what lies outside'


def begin(folder):
  """A folder of two runs; beside it lies what nobody may see."""
  for name in ('a', 'deep/b'):
    shutil.copytree(EARLIER, folder / 'runs' / name)
  outside = shutil.copytree(EARLIER, folder / 'outside')
  (outside / 'secret').write_text(SECRET)
  (folder / 'runs' / 'link').symlink_to(outside)
  (folder / 'runs' / 'secret').symlink_to(outside / 'secret')
  return folder / 'runs'


@pytest.fixture
def root(tmp_path):
  return begin(tmp_path)


@pytest.fixture
def server(root):
  with serve(root) as found:
    yield found


@pytest.fixture(scope='module')
def still(tmp_path_factory):
  """One whose runs stay as they are."""
  with serve(begin(tmp_path_factory.mktemp('still'))) as found:
    yield found


def ask(server, path, host=None, method='GET', **headers):
  """(status, headers, text) of a request as it is; a browser tidies paths."""
  connection = http.client.HTTPConnection('127.0.0.1', server.port, timeout=60)
  try:
    connection.putrequest(method, path, skip_host=True)
    connection.putheader('Host', host or f'127.0.0.1:{server.port}')
    for name, value in headers.items():
      connection.putheader(name.replace('_', '-'), value)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()
  finally:
    connection.close()


def allowed(server, path, **options):
  mark = '&' if '?' in path else '?'
  return ask(server, f'{path}{mark}token={server.token}', **options)


def texts(server):
  status, _, content = allowed(server, '/')
  assert status == 200
  return content.decode()


def test_the_list_has_every_run_with_its_state_and_progress(server, root):
  page = texts(server)
  assert '2 runs below' in page and page.count('<li>') == 2
  assert page.count(', batch 8, seed ') == 2
  config = json.loads((root / 'a' / 'config.json').read_text())
  assert f'of {config["train"]["total_images"]:,} images' in page
  assert page.count('class="state done"') + page.count(
      'class="state stopped"') == 2


@pytest.mark.parametrize('token', [
    '', 'x', 'é', '%00', '../', 'None', 'null'])
@pytest.mark.parametrize('path', ['/', '/runs?run=a', '/picture?run=a'])
def test_without_the_token_nothing_is_told(still, path, token):
  mark = '&' if '?' in path else '?'
  for asked in (path, f'{path}{mark}token={parse.quote(token, safe="%")}',
                f'{path}{mark}token={still.token[:-1]}',
                f'{path}{mark}Token={still.token}'):
    status, _, content = ask(still, asked)
    assert status == 403 and b'token' in content and b'images' not in content


def test_every_server_has_a_token_of_its_own(server, root):
  with Loopback(Watched(root), '127.0.0.1', 0) as other:
    assert other.token != server.token and len(other.token) >= 32
    assert other.address == (
        f'http://127.0.0.1:{other.port}/?token={other.token}')


@pytest.mark.parametrize(('host', 'status'), [
    ('127.0.0.1', 200), ('localhost:1', 200), ('LOCALHOST', 200),
    ('[::1]:80', 200), ('evil.example', 403), ('127.0.0.1.evil.example', 403),
    ('localhost.evil.example:8650', 403), ('192.168.0.1', 403),
    ('evil.example@127.0.0.1', 403), ('127.0.0.1@evil.example', 403),
    ('localhost/evil.example', 403), ('[', 403)])
def test_the_name_that_it_is_called_by_must_be_its_own(still, host, status):
  assert allowed(still, '/', host=host)[0] == status


def test_one_that_others_reach_is_called_by_numbers_and_the_machines_name(root):
  with Loopback(Watched(root), '0.0.0.0', 0) as open_to_all:
    for name, wanted in (('10.1.2.3:80', True), ('[fe80::1]', True),
                         (socket.gethostname(), True),
                         ('evil.example', False)):
      assert open_to_all.is_called(name) is wanted
    assert socket.gethostname() in open_to_all.address
    assert not open_to_all.is_private


@pytest.mark.parametrize('name', [
    '../outside', '..', '.', '', '/', 'link', 'secret', 'a/..', 'a/../a',
    'a/../../outside', '%2e%2e/outside', '..%2foutside', 'a\0', 'deep',
    'a/config.json', '{outside}', '//etc', 'a;b'])
def test_nothing_outside_is_found_by_a_name(still, name):
  name = name.format(outside=still.answers.below.root.parent / 'outside')
  for path in ('/runs', '/picture'):
    for asked in (parse.quote(name, safe=''), parse.quote(name)):
      status, _, content = allowed(still, f'{path}?run={asked}')
      assert status == 404 and SECRET.encode() not in content


@pytest.mark.parametrize('path', [
    '/../outside/secret', '/secret', '/a/config.json', '/link/secret',
    '/%2e%2e/outside/secret', '//etc/passwd', '/etc/passwd', '/runs',
    '/picture', '/runs/a', '/static/../../outside/secret'])
def test_no_address_leads_to_a_file(still, path):
  status, _, content = allowed(still, path)
  assert status == 404 and SECRET.encode() not in content


@pytest.mark.parametrize('method', ['POST', 'PUT', 'DELETE', 'OPTIONS'])
def test_it_only_shows(still, method):
  assert allowed(still, '/', method=method)[0] == 501


def test_pictures_that_links_bring_from_elsewhere_are_left_out(server, root):
  samples = root / 'a' / 'samples'
  taken = sorted(samples.glob('*.png'))[-1]
  beside = root.parent / 'outside' / 'mine.png'
  taken.rename(beside)
  taken.symlink_to(beside)
  count = len([*samples.glob('*.png')])
  page = allowed(server, '/runs?run=a')[2].decode()
  assert page.count('alt="Samples of') == count - 1
  assert allowed(server, '/picture?run=a')[0] == 404


def test_a_page_of_runs_asks_for_itself_and_leads_back(server):
  status, headers, content = allowed(server, '/runs?run=a&run=deep/b')
  page = content.decode()
  assert status == 200 and 'data-live="5.0"' in page
  assert f'href="/?token={server.token}"' in page
  assert headers['Content-Type'] == 'text/html; charset=utf-8'
  assert headers['Referrer-Policy'] == 'no-referrer'
  assert headers['Cache-Control'] == 'no-store'
  again = allowed(server, '/runs?run=a&run=deep/b',
                  If_None_Match=headers['ETag'])
  assert (again[0], again[2]) == (304, b'')
  picture = allowed(server, '/picture?run=a')
  assert picture[0] == 200 and picture[2][8:12] == b'WEBP'


def test_runs_that_come_go_or_are_half_written_are_survived(server, root):
  shutil.copytree(EARLIER, root / 'new')
  assert '3 runs below' in texts(server)
  (root / 'half').mkdir()
  (root / 'half' / 'config.json').write_text('{"seed"')
  page = texts(server)
  assert '4 runs below' in page and '1 unreadable' in page
  assert allowed(server, '/runs?run=half')[0] == 404
  for name in ('metrics.jsonl', 'versions.json', 'warnings.jsonl'):
    (root / 'new' / name).write_bytes(b'\xff{"images": 1')
  for grid in (root / 'new' / 'samples').iterdir():
    grid.write_bytes(grid.read_bytes()[:30])
  assert '4 runs below' in texts(server)
  assert allowed(server, '/runs?run=new')[0] == 200
  assert allowed(server, '/picture?run=new')[0] == 404
  assert allowed(server, '/runs?run=a')[0] == 200
  shutil.rmtree(root / 'a')
  assert '3 runs below' in texts(server)
  assert allowed(server, '/runs?run=a')[0] == 404
  shutil.rmtree(root)
  assert '0 runs below' in texts(server)
  shutil.copytree(EARLIER, root / 'again')
  assert '1 run below' in texts(server)


def test_a_page_is_drawn_anew_where_runs_wrote_and_not_all_the_time(
    root, monkeypatch):
  now, drawn = [0.], []

  def draw(names, folders):
    drawn.append(names)
    now[0] += 2.  # Seconds that drawing takes.
    return b'page %d' % len(drawn)

  found = Watched(root, lambda: now[0])
  monkeypatch.setattr(found, '_draw', draw)
  ask = lambda: found('/runs', {'run': ['a']}).content  # noqa: E731
  assert ask() == ask() == b'page 1'
  metrics = root / 'a' / 'metrics.jsonl'
  os.utime(metrics, (1e9, 1e9))
  assert ask() == b'page 1'
  now[0] = 2 + 2 / watched.SHARE - .1
  assert ask() == b'page 1'
  now[0] += .1
  assert ask() == b'page 2'
  now[0] += 1e6
  assert ask() == b'page 2'  # Nothing was written.
  # A page that nobody has seen is drawn at once.
  os.utime(metrics, (2e9, 2e9))
  ask()
  assert found('/runs', {'run': ['a', 'deep/b']}).content == b'page 4'
  monkeypatch.setattr(watched, 'MOST_BYTES', 10)
  found('/runs', {'run': ['a']})
  assert len(found._pages) == 1


def test_a_port_that_is_taken_is_refused_or_passed_over(server, root):
  with pytest.raises(ValueError, match='no server can listen there'):
    Loopback(Watched(root), '127.0.0.1', server.port)
  with Loopback(Watched(root), '127.0.0.1', server.port, True) as other:
    assert server.port < other.port < server.port + 20
  with pytest.raises(ValueError, match='host=192.0.2.1, port=0: no server'):
    Loopback(Watched(root), '192.0.2.1', 0)


@pytest.mark.parametrize(('arguments', 'text'), [
    ([], '--workdir: which run?'),
    (['--workdir=run'], '--workdir=run: no such folder. Did you mean runs?'),
    (['--workdir=runs', '--host=192.0.2.1'],
     '--host=192.0.2.1, --port=8650: no server can listen there')])
def test_what_cannot_be_is_said(root, command, monkeypatch, arguments, text):
  monkeypatch.chdir(root.parent)
  status, out, err = command('--mode=watch', *arguments)
  assert (status, out) == (1, '') and err.startswith(f'error: {text}'), err


@pytest.mark.slow
@pytest.mark.parametrize('sign', [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_and_ends_when_it_is_told_to(root, sign):
  # A shell that runs tests in the background has SIGINT ignored.
  start = ('import runpy, signal, sys; '
           'signal.signal(signal.SIGINT, signal.default_int_handler); '
           'sys.argv = sys.argv[1:]; '
           'runpy.run_path(sys.argv[0], run_name="__main__")')
  with subprocess.Popen(
      [sys.executable, '-c', start, ROOT / 'launch.py', '--mode=watch',
       f'--workdir={root}', '--port=0'], stdout=subprocess.PIPE,
      stderr=subprocess.PIPE, text=True) as process, (
          contextlib.ExitStack()) as stack:
    stack.callback(process.kill)
    address = parse.urlsplit(process.stdout.readline().strip())
    hint = process.stderr.readline()
    connection = http.client.HTTPConnection(address.netloc, timeout=30)
    connection.request('GET', f'/?{address.query}')
    assert b'2 runs below' in connection.getresponse().read()
    process.send_signal(sign)
    begin = time.monotonic()
    _, err = process.communicate(timeout=20)
  assert time.monotonic() - begin < 10
  assert f'ssh -L {address.port}:127.0.0.1:{address.port} ' in hint
  if sign == signal.SIGINT:
    assert process.returncode == 0 and err.endswith('Stopped.\n')
  assert 'Traceback' not in err


def test_many_open_pages_of_runs_that_stand_still_are_drawn_once(
    root, monkeypatch):
  for i in range(8):
    shutil.copytree(EARLIER, root / f'more {i}')
  drawn = []

  def draw(names, folders):
    drawn.append(names)
    return b'a page'

  found = Watched(root)
  monkeypatch.setattr(found, '_draw', draw)
  for _ in range(3):
    for i in range(8):
      assert found('/runs', {'run': [f'more {i}']}).status == 200
  assert len(drawn) == 8


def test_pictures_that_are_no_longer_asked_for_are_forgotten(root):
  found = Watched(root)
  for i in range(5):
    (grid,) = sorted((root / 'a' / 'samples').glob('*.png'))[-1:]
    shutil.copy(grid, grid.with_name(f'images_{10**6 + i:010d}.png'))
    found('/', {})
    assert found('/picture', {'run': ['a']}).kind == 'image/webp'
  assert len(found._pictures._old | found._pictures._new) <= 2


@pytest.mark.parametrize(('file', 'text'), [
    ('metrics.jsonl', '{"images": ' + '9' * 400 + '}\n'),
    ('metrics.jsonl', '{"images": 5, "d_loss": ' + '9' * 400 + '}\n'),
    ('config.json', '{"a":' * 20_000), ('config.json', '[]'),
    ('versions.json', '{"a": 1}'), ('summary.json', '[' * 100_000),
    ('changes.jsonl', '{"changed": ["a"], "images": [1]}\n'),
    ('warnings.jsonl', '{"text": "a", "diverged": ' + '9' * 300 + '}\n'),
    ('failed_step.json', '{"step": {"cause": []}, "command": [1]}'),
    ('rollbacks.json', '{"found": 1}'), ('rollbacks.json', '[[' * 100_000),
    ('scores.jsonl', '{"scores": {"a": {"value": 1, "id": [1]}}}\n')])
def test_a_run_with_damage_leaves_the_others_as_they_are(root, file, text):
  (root / 'a' / file).write_text(text)
  found = Watched(root)
  found.token = 'token'
  page = found('/', {})
  assert page.status == 200 and b'2 runs below' in page.content
  assert found('/runs', {'run': ['deep/b']}).status == 200
  assert found('/runs', {'run': ['a']}).status in (200, 404)


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no pipes here')
def test_what_is_no_file_is_not_waited_for(root):
  for name in ('metrics.jsonl', 'warnings.jsonl', 'versions.json'):
    (root / 'a' / name).unlink()
    os.mkfifo(root / 'a' / name)
  found = Watched(root)
  page = found('/', {}).content.decode()
  assert '2 runs below' in page and 'no file' in page
  assert found('/runs', {'run': ['a']}).status == 404


def test_those_without_the_token_can_hold_so_many_connections_and_no_more(
    root, monkeypatch):
  monkeypatch.setattr(loopback, 'AT_ONCE', 4)
  monkeypatch.setattr(loopback, 'PATIENCE', 1.)
  with serve(root) as server:
    silent = [socket.create_connection(('127.0.0.1', server.port))
              for _ in range(4)]
    time.sleep(.2)
    with pytest.raises(OSError):  # Closed at once.
      allowed(server, '/')
    slow = time.monotonic()
    while time.monotonic() - slow < 3:
      with contextlib.suppress(OSError):
        for one in silent:  # A letter now and then keeps none of them open.
          one.send(b'G')
      time.sleep(.3)
    assert allowed(server, '/')[0] == 200
    for one in silent:
      one.close()


def test_runs_of_a_study_are_called_as_it_calls_them(root, monkeypatch):
  (root / 'deep' / 'b').rename(root / 'b')
  (root / 'study' / 'runs').mkdir(parents=True)
  (root / 'b').rename(root / 'study' / 'runs' / '3cab')
  (root / 'study' / 'journal.log').write_text('')
  path = root / 'study' / 'runs' / '3cab'
  monkeypatch.setattr(report, 'names_in', lambda folder: {
      str(path): f'hinge, seed {4 if folder == root / "study" else 0}'})
  assert b'hinge, seed 4: ' in Watched(root)('/', {}).content
