"""What tests of several rooms share."""
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
