"""The command line: a file for each command, and `main` that dispatches.

`main` imports the file of every command at every start, for its flags. What is
slow to import, such as jax, is therefore imported inside `run`. The files that
`main` does not list are the work of a command, and may be imported from Python.
"""
