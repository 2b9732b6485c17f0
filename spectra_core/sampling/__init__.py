"""A generated set, made and labelled: `generation`, `labelling`."""
