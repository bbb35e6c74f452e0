"""Whether somebody else may have written a file."""
import os
import pathlib
import stat


def doubt(path: str | os.PathLike, facts: os.stat_result | None = None) -> str:
  """Why somebody else may have written a file or a folder; '' if nobody can.

  The system's own user is trusted: it can do anything.

  Args:
    path: that the text names.
    facts: what os.stat says of it; None asks, and follows links.

  Raises:
    OSError: it is not there.
  """
  if not hasattr(os, 'geteuid'):  # Windows.
    return f'whose {path} is cannot be told here'
  facts = os.stat(path) if facts is None else facts
  if facts.st_uid not in (os.geteuid(), 0):
    return f'{path} belongs to another user'
  others = stat.S_IWOTH | (
      0 if _is_own_group(facts.st_gid) else stat.S_IWGRP)
  if facts.st_mode & others:
    return f'others may write {path}, which `chmod go-w` ends'
  return ''


def doubt_of_way(path: str | os.PathLike) -> str:
  """The same of a folder, and of those above it: who can rename one of them
  puts another in its place.

  Where a folder above lets nobody else in, what lies below is out of reach.

  Raises:
    OSError: it is not there.
  """
  first = True
  for folder in (whole := pathlib.Path(os.path.realpath(path)),
                 *whole.parents):
    facts = os.stat(folder)
    if facts.st_uid == _me() and not facts.st_mode & (
        stat.S_IRWXG | stat.S_IRWXO):
      return ''
    # Of a folder such as /tmp nobody renames what is not theirs.
    sticky = facts.st_mode & stat.S_ISVTX and not first
    if (why := doubt(folder, facts)) and not sticky:
      return why
    first = False
  return ''


def _me():
  return os.geteuid() if hasattr(os, 'geteuid') else -1


def _is_own_group(number):
  """Whether a group is that of this user alone, as many systems make one."""
  try:
    import grp
    import pwd
    me, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(number)
  except (ImportError, KeyError):
    return False
  return group.gr_name == me.pw_name and not {*group.gr_mem} - {me.pw_name}
