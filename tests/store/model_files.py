"""Models kept in a store, and their files with another header."""

import struct


def kept(store, model, train):
    return store.save_model(
        model,
        registry="regressor",
        member="ridge",
        train=train,
        seed=7,
        extra={"held_out_rows": list(range(40, 60)), "note": "µ"},
    )


def with_header(content, change):
    length = int.from_bytes(content[:8], "little")
    header = change(content[8 : 8 + length])
    return struct.pack("<Q", len(header)) + header + content[8 + length :]
