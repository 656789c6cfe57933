"""What a teacher of harmony would mark in four voices, counted, with where and how often.  (Beside paper 6.4)

The paper asks people which piece is most like Bach and measures no voice leading. This package looks at voices,
`int (step, voice)` on the sixteenth grid, voice 0 the highest, -1 a rest. `faults` says where a rule is broken,
`judge` how often, beside how often it could have been, so that pieces add up. `EVERY_RULE` and `HABITS` list what is
looked at; of each rule one record says what is known of it.

What is said of Bach is measured on the JSB Chorales' own voices. Two voices *both move* from a step to the next
where each sounds at both and changes its pitch. How we read what the books leave open:

1. Parallels are two voices that both move the same way from an interval to the same interval, octaves and the order of
   the voices left out of account (7 or 0 semitones modulo 12). Bach's fifths: 0.67, 0.80, 0.91 for each 1,000 pairs
   that both move (train, valid, test); octaves and unisons 0.61, 0.40, 0.36. Half of the 100 follow a chord that was
   held for a beat or more, as at a phrase end, and 9 of the 59 fifths come by an anticipation. Such are counted like
   all others, so that figures compare, and marked as excused.
2. Phrase ends are not in the JSB file. Where they are given, a fault across one is excused.
3. JSB joins repeated notes. Unless `onsets` are given, a note begins where the pitch changes or follows a rest.
4. A dominant seventh shows which note leads, in whatever key it stands. A major triad does not: each I-IV would pass
   for a V-I. So triads count only on the dominant of the piece's key, and only on their way to its tonic.
5. Sharps and flats, for false relations and augmented seconds, are those that `harmony.note_name` gives in the key.
6. On a merged roll `music.voices.split` says who sings what, and some counts are then the split's. Bach merged and
   split again (valid): parallel fifths rise from 0.8 to 1.5 for each 1,000 pairs, octaves from 0.4 to 1.1, most
   crossings and half of the overlaps go, notes out of range grow by half; what hangs on chords and rhythm stays. Of
   Bach's own parallels 62 % are found again (train and valid), and 35 % of those found are his: the split avoids
   parallels where it may choose, as it must where he crosses voices. So compare what was split with Bach split in the
   same way, never with his own voices.  (`python -m benchmarks.split`)
"""

from __future__ import annotations

from ripieno.music.part_writing.counts import COUNTED, PER, Count, Report, judge
from ripieno.music.part_writing.endings import CADENCES, OPEN_ENDING, cadence, guessed_key, open_ending
from ripieno.music.part_writing.habits import HABITS, Habit
from ripieno.music.part_writing.resolution import thin_resolutions
from ripieno.music.part_writing.rule import LEVELS, Level, Rule
from ripieno.music.part_writing.rules import EVERY_RULE, READING, RULE_CALLED, RULES, TEACHERS_PRICES, faults, parallels
from ripieno.music.part_writing.score import Fault, Form, end_to_end, form_of, formless
from ripieno.music.part_writing.spacing import TEXTBOOK_RANGES

__all__ = [
    "CADENCES",
    "COUNTED",
    "EVERY_RULE",
    "HABITS",
    "LEVELS",
    "OPEN_ENDING",
    "PER",
    "READING",
    "RULES",
    "RULE_CALLED",
    "TEACHERS_PRICES",
    "TEXTBOOK_RANGES",
    "Count",
    "Fault",
    "Form",
    "Habit",
    "Level",
    "Report",
    "Rule",
    "cadence",
    "end_to_end",
    "faults",
    "form_of",
    "formless",
    "guessed_key",
    "judge",
    "open_ending",
    "parallels",
    "thin_resolutions",
]
