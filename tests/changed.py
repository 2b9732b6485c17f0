"""What is on disk, changed: documents field by field, and other things in place of files."""

import json
import os

MISSING = object()
VALUES = [MISSING, None, [], ["x"], {}, {"x": 1}, "", "other", "\ud800", True, -1, 1.5, 10**400, 10**17, 1e300]


def documents_changed(document, path=()):
    """Yield the document with every field, however deep, changed to every other value, and with one more field."""
    for name in [*document, "one more"]:
        for value in VALUES:
            changed = {key: kept for key, kept in document.items() if key != name}
            if value is not MISSING:
                changed[name] = value
            yield (*path, name), value, changed
        if isinstance(document.get(name), dict):
            for place, value, inner in documents_changed(document[name], (*path, name)):
                yield place, value, {**document, name: inner}


def spelled(document):
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


IN_PLACE = {
    "a pipe": os.mkfifo,
    "an endless device": lambda path: path.symlink_to("/dev/zero"),
    "a link to nowhere": lambda path: path.symlink_to("/nowhere"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a folder elsewhere": lambda path: path.symlink_to("/etc"),
    "gigabytes": lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), 8 * 2**30),
    "a file": lambda path: path.write_bytes(b"x"),
    "a folder": os.mkdir,
}
