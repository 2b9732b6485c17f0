"""A command line that answers wrong use in a sentence, as it answers everything else."""

import argparse
import re
import sys
from typing import NoReturn

_SAID = (
    (r"argument (\S+?)(?:/\S+)?: invalid int value: (.*)", "{1} is a whole number, got {2}."),
    (r"argument (\S+?)(?:/\S+)?: invalid float value: (.*)", "{1} is a number, got {2}."),
    (r"argument (\S+?)(?:/\S+)?: invalid choice: (.*) \(choose from (.*)\)", "{1} is one of {3}; got {2}."),
    (r"argument (\S+?)(?:/\S+)?: expected (?:at least )?one argument", "{1} is followed by a value, and none came."),
    (r"argument (\S+?)(?:/\S+)?: ignored explicit argument (.*)", "{1} takes no value, got {2}."),
    (r"argument (\S+?)(?:/\S+)?: (.*)", "{1}: {2}."),
    (r"the following arguments are required: (.*)", "This is needed, too: {1}."),
    (r"unrecognized arguments: (.*)", "There is no such option or word here: {1}."),
    (r"ambiguous option: (\S+).* could match (.*)", "{1} may mean any of {2}. Write the option in full."),
)
"""What argparse says, and what is said in its place. What is not listed is said as it is."""


class Parser(argparse.ArgumentParser):
    """Like its parent, but wrong use ends with one sentence and where to read on, without a page of usage."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with code 2."""
        sys.stderr.write(f"Error: {in_own_words(message)} `{self.prog} --help` shows what there is.\n")
        raise SystemExit(2)


def in_own_words(message: str) -> str:
    """Say what argparse found in a sentence of ours.

    >>> in_own_words("argument --folds: invalid int value: 'many'")
    "--folds is a whole number, got 'many'."
    >>> in_own_words("argument COMMAND: invalid choice: 'fly' (choose from 'app', 'study')")
    "COMMAND is one of app, study; got 'fly'."
    """
    for theirs, ours in _SAID:
        if found := re.fullmatch(theirs, message, re.DOTALL):
            words = [*found.groups()]
            if "choose from" in theirs:
                words[2] = words[2].replace("'", "")
            return ours.format("", *words)
    return f"{message[:1].upper()}{message[1:]}."
