"""Laws of the program that kills workers: it proves nothing by doing nothing.
"""
import study_kills


class Victim:
  """A process or a server that only counts."""
  pid, kills = 1, 0

  def kill(self):
    self.kills += 1

  def wait(self):
    pass


def test_kills_that_did_not_happen_are_told(monkeypatch):
  monkeypatch.setattr(study_kills.time, 'sleep', lambda seconds: None)
  worker, server = Victim(), Victim()
  trouble = study_kills.Trouble(2, server, 60., 0, lambda line: None)
  trouble.make(1., [worker])  # A study that was whole before.
  assert not worker.kills and not server.kills
  assert trouble.missing() == [
      '0 of 2 workers were killed', 'the server was not killed']
  for share in .5, .9:
    trouble.make(share, [worker])
  assert worker.kills == 2 and server.kills == 1 and not trouble.missing()
