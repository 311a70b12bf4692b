"""How well the tracker keeps people apart: MOTA and IDF1 at 2, 5 and 10 frames per second."""
