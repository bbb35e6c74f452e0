"""Laws of several processes that know each other; threads stand for them."""
import random
import socket
import threading
import time

import pytest

from msg_gan_jax.runs import relay
from msg_gan_jax.runs.hub import Hub
from msg_gan_jax.runs.member import Member, last_saved

STRANGE = (  # What is said by somebody who is not of the run.
    b'\0' * 10**5, b'[1]\n', b'{"process": [1], "processes": 2}\n',
    b'{"stop": 15}\n{"left": 0}\n', b'{"at": "x"}\n')


def free_port():
  with socket.create_server(('127.0.0.1', 0)) as server:
    return server.getsockname()[1]


def joined(count, service=0, patience=60., joining=20.):
  """Members of one run, in the order of their numbers."""
  port, members = free_port(), {}
  Hub(port, count, patience, joining, service)
  for said in STRANGE:
    with socket.create_connection(('127.0.0.1', port)) as stranger:
      stranger.sendall(said)

  def join(i):
    members[i] = Member(('127.0.0.1', port), count, i, patience, '', joining)

  in_threads(count, join)
  return [members[i] for i in range(count)]


def in_threads(count, work):
  threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join(60)
    assert not thread.is_alive()


@pytest.mark.parametrize('count, asking', [
    (2, {0: 1}), (2, {1: 0}), (3, {2: 7}), (4, {0: 3, 3: 4, 1: 5})])
def test_all_stop_after_the_same_step(count, asking):
  """Whoever asks, at whichever step; a step needs all of them."""
  members = joined(count)
  together, ends, asked = threading.Barrier(count), {}, {}

  def train(i):
    draw = random.Random(i)
    for step in range(1, 10**4):
      if step == asking.get(i, -1) + 1:
        members[i].ask_to_stop(10 + i)
        asked[i] = step
      together.wait(30)
      time.sleep(draw.random() * .01)
      if members[i].is_last(step):
        break
    ends[i] = step
    members[i].leave(75)

  in_threads(count, train)
  assert len({*ends.values()}) == 1 and ends[0] >= min(asked.values())
  assert {one.signal for one in members} <= {10 + i for i in asking}


def test_who_does_not_come_is_named():
  port, said = free_port(), []
  Hub(port, 4, 60., 1., 0)

  def join(i):
    with pytest.raises(TimeoutError) as error:
      Member(('127.0.0.1', port), 4, 2 * i, 60., '', 1.)
    said.append(str(error.value))

  in_threads(2, join)
  assert said == 2 * ['processes 1 and 3 of 4 did not come within 1 s. Start '
                      'the same command on all hosts.']
  port = free_port()
  with pytest.raises(TimeoutError, match=f'process 0 .* 127.0.0.1:{port} with'):
    Member(('127.0.0.1', port), 2, 1, 60., '', .1)


def test_a_relay_hides_the_end_of_process_0():
  """What a connection says arrives, and comes back, until it is silent."""
  with socket.create_server(('127.0.0.1', 0)) as service:
    members = joined(2, service.getsockname()[1])
    port = relay.open_port(members[1].connect)
    with socket.create_connection(('127.0.0.1', port)) as client:
      client.sendall(b'to' * 10**5)
      with service.accept()[0] as there:
        assert len(there.recv(2 * 10**5, socket.MSG_WAITALL)) == 2 * 10**5
        there.sendall(b'back')
        assert client.recv(4, socket.MSG_WAITALL) == b'back'
      client.settimeout(.2)
      for _ in range(3):  # Also where it is still spoken to.
        with pytest.raises(TimeoutError):
          client.recv(1)
        client.sendall(b'more')
  in_threads(2, lambda i: members[i].leave(0))


def test_what_was_saved_last_is_read_from_the_folder(tmp_path):
  assert last_saved(tmp_path).startswith('There is no checkpoint yet')
  for name in '80', '1600', '2400.orbax-checkpoint-tmp', 'damaged':
    (tmp_path / 'checkpoints' / name).mkdir(parents=True)
  assert last_saved(tmp_path).startswith('The last checkpoint has 1,600 images')
