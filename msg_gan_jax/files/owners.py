"""Whether somebody else may have written a file."""
import os
import pathlib
import stat


def doubt(path: str | os.PathLike, facts: os.stat_result | None = None,
          own_group: bool = False) -> str:
  """Why somebody else may have written a file or a folder; '' if nobody can.

  Args:
    path: that the text names.
    facts: what os.stat says of it; None asks, and follows links.
    own_group: whether the group that many systems make for each user may write
      it, where nobody else is in it.

  Raises:
    OSError: it is not there.
  """
  if not hasattr(os, 'geteuid'):  # Windows.
    return f'{path}: whose it is cannot be told here'
  facts = os.stat(path) if facts is None else facts
  if facts.st_uid != os.geteuid():
    return f'{path} belongs to another user'
  group = 0 if own_group and _is_own(facts.st_gid) else stat.S_IWGRP
  if facts.st_mode & (group | stat.S_IWOTH):
    return f'others may write {path}, which `chmod go-w` ends'
  return ''


def doubt_of_way(path: str | os.PathLike) -> str:
  """The same of a folder, and of those above it.

  Who can rename one of them puts another in its place. The system's own user
  is trusted above: it can do anything.

  Raises:
    OSError: it is not there.
  """
  whole = pathlib.Path(os.path.realpath(path))
  for folder in (whole, *whole.parents):
    facts = os.stat(folder)
    above = folder != whole
    # Of a folder such as /tmp nobody renames what is not theirs.
    safe = above and (facts.st_mode & stat.S_ISVTX or not (
        facts.st_uid or facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)))
    if not safe and (why := doubt(folder, facts, own_group=True)):
      return why
  return ''


def _is_own(number):
  """Whether a group is that of this user alone, as many systems make one."""
  try:
    import grp
    import pwd
    me, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(number)
  except (ImportError, KeyError):
    return False
  return group.gr_name == me.pw_name and not {*group.gr_mem} - {me.pw_name}
