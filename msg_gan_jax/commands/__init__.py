"""The command line: a file for each command, and `main` that dispatches.

A command is a file with a docstring `--mode=NAME: what it does.`, the flags
that it defines, a tuple SHARED of those that it takes from `shared_flags`, a
function `run() -> exit status`, and a row in `main.COMMANDS`. The rest follows:
what --help shows, and that flags of other modes are refused.

`main` imports all of these files at every start, for their flags. What is slow
to import, such as jax, is therefore imported inside `run`. Files without a row
there do the work of a command, and may be imported from Python.
"""
