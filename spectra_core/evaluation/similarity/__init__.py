"""How alike are two sets: nearest neighbours, copies, and metrics beside what two halves of the data give."""
