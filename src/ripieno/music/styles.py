"""Who writes: the styles that a model may know. Light to import, for whoever lists them."""

STYLES = ("chorale", "hymn")  # Bach, or a hymnal, which repeats chords with the words
