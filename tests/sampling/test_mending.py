"""A note that moves in parallel is changed, the user's never, and nothing else is touched."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from ripieno.edits.edit import Edit
from ripieno.edits.log import EditLog
from ripieno.edits.policy import Policy
from ripieno.models.context import context_of
from ripieno.models.runtime import Prediction
from ripieno.music.harmony import key_of
from ripieno.music.part_writing import TEACHERS_PRICES, cadence, faults, form_of, open_ending, parallels
from ripieno.music.part_writing.completeness import NO_CHORD_ON_BEAT, SEVENTH_ON_BEAT, SIX_FOUR_CHORD
from ripieno.music.part_writing.endings import OPEN_ENDING as ENDING
from ripieno.music.roll import RollNote, roll_of
from ripieno.sampling.mending import (
    CARES,
    LIGHTEST,
    MENDERS_PRICES,
    PARALLELS,
    Care,
    Hopeless,
    _Place,
    _places,
    _Remedy,
    _rewritten,
    _saved,
    lines_sung,
    mend,
)
from ripieno.sampling.passes import BREATH, Ask, Change, alone

SEVENTH, NO_CHORD, SIX_FOUR = SEVENTH_ON_BEAT.name, NO_CHORD_ON_BEAT.name, SIX_FOUR_CHORD.name
OPEN_ENDING = ENDING.name
N_STEPS = 8
SOPRANO = [RollNote(0, 76, 4), RollNote(4, 74, 4)]
LINE = np.array([76] * 4 + [74] * 4)
POLICY = Policy(melody="top", line=LINE, n_voices=4)
CONTEXT = context_of(N_STEPS)
# alto and bass move from a fifth to a fifth, the tenor holds
ALTO = (67, 69)
TENOR = (64, 64)
BASS = (48, 50)


def composed(alto=ALTO, tenor=TENOR, bass=BASS) -> EditLog:
    """The user's soprano with three voices of the model's."""
    log = EditLog(roll_of(SOPRANO, N_STEPS))
    for voice in (alto, tenor, bass):
        if voice[0] == voice[1]:
            log = log.with_note(voice[0], 0, 8, by="model")
        else:
            log = log.with_note(voice[0], 0, 4, by="model").with_note(voice[1], 4, 4, by="model")
    return log


def liking(*pitches: int) -> Callable[..., Prediction]:
    """A model that likes these pitches wherever they are, the first most of all."""

    def predict(cells, context):
        logits = np.zeros(cells.shape, dtype=np.float32)
        for rank, pitch in enumerate(pitches):
            logits[..., pitch] = 10 - 2 * rank
        return Prediction(logits, np.zeros(len(cells), dtype=np.float32))

    return predict


def mend_fault(model, *arguments, **options) -> Change | None:
    """The first change alone."""
    return next(alone(mend(*arguments, **options), model), None)


def test_the_example_has_parallel_fifths_between_alto_and_bass() -> None:
    assert [(fault.step, *fault.voices) for fault in parallels(lines_sung(composed(), POLICY))] == [(4, 1, 3)]


def test_the_note_gives_way_to_what_the_model_likes_best_there() -> None:
    log = composed()
    change = mend_fault(liking(71, 65), log, CONTEXT, POLICY, PARALLELS)
    assert change is not None
    assert change.why == "parallel fifths"
    assert parallels(lines_sung(change.log, POLICY)) == []
    assert sorted(change.log.notes()) != sorted(log.notes())
    assert any(note.pitch == 71 for note in change.log.notes())


def test_one_note_is_one_batch_that_can_be_undone() -> None:
    log = composed()
    change = mend_fault(liking(71), log, CONTEXT, POLICY, PARALLELS)
    assert change is not None
    assert change.log.n_batches == log.n_batches + 1
    np.testing.assert_array_equal(change.log.undo(log.n_batches).cells, log.cells)


def test_where_nothing_moves_in_parallel_nothing_is_changed() -> None:
    assert mend_fault(liking(71), composed(bass=(48, 47)), CONTEXT, POLICY, PARALLELS) is None


def test_a_pitch_that_makes_fifths_again_is_no_remedy_nor_is_one_that_makes_them_by_contrary_motion() -> None:
    def octaves_lower(cells, context):
        prediction = liking(53)(cells, context)
        prediction.logits[:, :, :4, 36] = prediction.logits[:, :, 4:, 38] = 12
        return prediction

    change = mend_fault(octaves_lower, composed(), CONTEXT, POLICY, PARALLELS)
    assert change is not None
    assert change.edit.pitch == 53


def test_a_voice_that_pauses_is_left_in_peace() -> None:
    log = EditLog(roll_of(SOPRANO, N_STEPS))  # the soprano begins alone
    for pitch in (ALTO[1], TENOR[1], BASS[1]):
        log = log.with_note(pitch, 4, 4, by="model")
    assert (lines_sung(log, POLICY)[0] >= 0).sum() == 1
    places = _places(lines_sung(log, POLICY), 4, range(4), log, POLICY.allowed(log)[0])
    assert {place.first for place in places} == {4}
    assert {edit.pitch for place in places for edit in place.removed} == {ALTO[1], TENOR[1], BASS[1]}


def test_the_users_own_notes_stay_though_they_move_in_parallel() -> None:
    notes = [*SOPRANO, RollNote(0, 48, 4), RollNote(4, 50, 4), RollNote(0, 67, 4), RollNote(4, 69, 4)]
    log = EditLog(roll_of(notes, N_STEPS))
    policy = Policy(n_voices=3)
    assert parallels(lines_sung(log, policy))
    assert mend_fault(liking(71, 65), log, CONTEXT, policy, PARALLELS) is None


def faint(*pitches: int) -> Callable[..., Prediction]:
    """The same, but it hardly likes them better than others."""

    def predict(cells, context):
        prediction = liking(*pitches)(cells, context)
        return replace(prediction, logits=prediction.logits / 5)

    return predict


HIDDEN = replace(POLICY, line=np.array([72] * 4 + [74] * 4))


def hidden_fifths() -> EditLog:
    """C to D in the soprano over E to G in the bass."""
    log = EditLog(roll_of([RollNote(0, 72, 4), RollNote(4, 74, 4)], N_STEPS)).with_note(67, 0, 8, by="model")
    for pitches in ((60, 59), (52, 55)):
        log = log.with_note(pitches[0], 0, 4, by="model").with_note(pitches[1], 4, 4, by="model")
    return log


def test_a_light_fault_is_mended_by_what_is_likely_and_by_nothing_else() -> None:
    rule, log = "hidden fifths and octaves", hidden_fifths()
    assert [fault.rule for fault in faults(lines_sung(log, HIDDEN), key=C_MAJOR, rules=[rule])] == [rule]
    change = mend_fault(liking(47, 50), log, CONTEXT, HIDDEN, {rule: LIGHTEST}, C_MAJOR)
    assert change is not None
    assert (change.why, change.edit.pitch) == (rule, 47)
    assert mend_fault(faint(47, 50), log, CONTEXT, HIDDEN, {rule: LIGHTEST}, C_MAJOR) is None
    assert mend_fault(faint(47, 50), log, CONTEXT, HIDDEN, {rule: 0.5}, C_MAJOR) is not None  # a heavy one is


# beneath the soprano's D the alto's A makes fifths with the bass; G is no chord with D and F, B flat is one
CHORDS = {rule: MENDERS_PRICES[rule] for rule in (*PARALLELS, SEVENTH, NO_CHORD)}


def likes_g_a_little_better(cells, context):
    prediction = liking(70)(cells, context)
    prediction.logits[..., 67] = 10.5
    return replace(prediction, n_left=np.where(cells[:, 0, 4, 67], 0.0, 0.1))  # and wishes for less with it


@pytest.mark.parametrize("care", [Care(n_tried=1), Care(n_tried=128)])  # what is likely; what is wished for, too
def test_a_chord_is_worth_more_than_a_little_likelihood(care: Care) -> None:
    log = composed(tenor=(64, 65))
    for weights, pitch in ((PARALLELS, 67), (CHORDS, 70)):
        change = mend_fault(likes_g_a_little_better, log, CONTEXT, POLICY, weights, C_MAJOR, care=care)
        assert change is not None
        assert (change.edit.step, change.edit.pitch) == (4, pitch)


def test_what_is_no_chord_is_not_looked_for() -> None:
    clash = composed(alto=(67, 67), tenor=(64, 65))  # G with D and F
    aside = {SEVENTH: MENDERS_PRICES[SEVENTH], NO_CHORD: MENDERS_PRICES[NO_CHORD]}
    assert faults(lines_sung(clash, POLICY), key=C_MAJOR, rules=aside)
    assert mend_fault(liking(70), clash, CONTEXT, POLICY, aside, C_MAJOR) is None


@pytest.mark.parametrize(("rule", "n_looks"), [("hidden fifths and octaves", 1), ("parallel fifths", 2)])
def test_a_light_fault_is_mended_at_the_first_look(rule: str, n_looks: int) -> None:
    looks = []

    def model(cells, context):
        looks.append(len(cells))
        prediction = liking()(cells, context)
        prediction.logits[..., [47, 71]] = prediction.logits[..., [50, 53]] = 10.0
        return prediction

    log, policy = (hidden_fifths(), HIDDEN) if n_looks == 1 else (composed(), POLICY)
    assert (
        mend_fault(model, log, CONTEXT, policy, {rule: LIGHTEST if n_looks == 1 else MENDERS_PRICES[rule]}, C_MAJOR)
        is not None
    )
    assert len(looks) == n_looks


def test_where_chords_are_given_a_six_four_may_be_what_was_asked_for() -> None:
    log = EditLog(roll_of([RollNote(0, 72, 4), RollNote(4, 72, 4)], N_STEPS)).with_note(67, 0, 8, by="model")
    log = log.with_note(64, 0, 8, by="model").with_note(60, 0, 4, by="model").with_note(55, 4, 4, by="model")
    policy = replace(POLICY, line=np.array([72] * 8))
    costs = {SIX_FOUR: MENDERS_PRICES[SIX_FOUR]}
    change = mend_fault(liking(48, 60), log, CONTEXT, policy, costs, C_MAJOR)
    assert change is not None
    assert change.why == SIX_FOUR
    c_major = np.tile(np.isin(np.arange(12), [0, 4, 7]), (N_STEPS, 1))
    assert mend_fault(liking(48, 60), log, CONTEXT, replace(policy, chords=c_major), costs, C_MAJOR) is None


@pytest.mark.parametrize("where", ["locked", "selection"])
def test_a_locked_place_stays_as_it_is(where: str) -> None:
    every = np.full(N_STEPS, where == "locked")
    policy = replace(POLICY, locked=every) if where == "locked" else replace(POLICY, selection=every)
    assert mend_fault(liking(71, 65), composed(), CONTEXT, policy, PARALLELS) is None


def test_new_pitches_keep_within_the_range_that_was_asked_for() -> None:
    policy = Policy(melody="top", line=LINE, n_voices=4, pitches=(40, 66))
    change = mend_fault(liking(71, 52, 65), composed(), CONTEXT, policy, PARALLELS)
    assert change is not None
    assert change.edit.pitch <= 66


def test_what_the_model_finds_absurd_is_no_remedy() -> None:
    def only_rests(cells, context):
        logits = np.zeros(cells.shape, dtype=np.float32)
        logits[..., 100] = 30  # out of every voice's reach
        return Prediction(logits, np.zeros(len(cells), dtype=np.float32))

    assert mend_fault(only_rests, composed(), CONTEXT, POLICY, PARALLELS) is None


def test_the_same_piece_is_mended_the_same_way() -> None:
    first, second = (mend_fault(liking(71, 65), composed(), CONTEXT, POLICY, PARALLELS) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.log == second.log


def test_what_was_tried_in_vain_is_not_tried_again_until_the_notes_around_it_change() -> None:
    passes = []

    def absurd(cells, context):
        passes.append(len(cells))
        logits = np.zeros(cells.shape, dtype=np.float32)
        logits[..., 100] = 30
        return Prediction(logits, np.zeros(len(cells), dtype=np.float32))

    hopeless: Hopeless = set()
    assert mend_fault(absurd, composed(), CONTEXT, POLICY, PARALLELS, hopeless=hopeless) is None
    assert len(passes) == 2  # the voices that move in parallel, then the others too
    assert mend_fault(absurd, composed(), CONTEXT, POLICY, PARALLELS, hopeless=hopeless) is None
    assert len(passes) == 2
    other = composed(tenor=(62, 62))
    assert mend_fault(absurd, other, CONTEXT, POLICY, PARALLELS, hopeless=hopeless) is None
    assert len(passes) == 4


def test_where_the_users_seventh_must_rise_the_chord_under_it_changes() -> None:
    # F over G, B and D rises to G: the tune stays, so what is under it may be no dominant seventh
    log = EditLog(roll_of([RollNote(0, 77, 4), RollNote(4, 79, 76)], 80))
    for pitch, after in ((71, 72), (62, 64), (55, 48)):
        log = log.with_note(pitch, 0, 4, by="model").with_note(after, 4, 76, by="model")
    policy = replace(POLICY, line=np.array([77] * 4 + [79] * 76))
    rule = "unresolved seventh"

    def found(log: EditLog) -> list[tuple[int, ...]]:
        return [fault.voices for fault in faults(lines_sung(log, policy), rules=[rule])]

    assert found(log) == [(0,)]
    change = mend_fault(liking(69, 65, 60), log, context_of(80), policy, {rule: 1.0})
    assert change is not None
    assert change.why == rule
    assert found(change.log) == []
    assert change.log.cells[0, :4, 77].all()
    assert change.log.cells[0, 4:, 79].all()


def test_a_leading_note_that_falls_is_made_to_rise_or_to_be_none() -> None:
    # C major, soprano D to C over G B G to C C E: the leading note falls to G, which nobody else has
    log = EditLog(roll_of([RollNote(0, 74, 4), RollNote(4, 76, 4)], N_STEPS)).with_note(71, 0, 4, by="model")
    log = log.with_note(64, 4, 4, by="model").with_note(67, 0, 4, by="model").with_note(60, 4, 4, by="model")
    log = log.with_note(55, 0, 4, by="model").with_note(48, 4, 4, by="model")
    policy = replace(POLICY, line=np.array([74] * 4 + [76] * 4))
    rule = "unresolved leading note"
    c_major = key_of(0, "major")
    voices = lines_sung(log, policy)
    assert [fault.rule for fault in faults(voices, key=c_major, rules=[rule])] == [rule]
    change = mend_fault(liking(72, 62, 65), log, CONTEXT, policy, TEACHERS_PRICES, c_major)
    assert change is not None
    assert not faults(lines_sung(change.log, policy), key=c_major, rules=[rule])


def test_no_fault_is_mended_at_the_cost_of_the_final_cadence() -> None:
    # V-I in C under a soprano that falls from G to C: octaves with the bass, which would be no root on any other note
    log = EditLog(roll_of([RollNote(0, 79, 4), RollNote(4, 72, 4)], N_STEPS)).with_note(71, 0, 4, by="model")
    log = log.with_note(67, 4, 4, by="model").with_note(62, 0, 4, by="model").with_note(64, 4, 4, by="model")
    log = log.with_note(55, 0, 4, by="model").with_note(48, 4, 4, by="model")
    policy = replace(POLICY, line=np.array([79] * 4 + [72] * 4))
    c_major = key_of(0, "major")
    voices = lines_sung(log, policy)
    assert cadence(voices, c_major) == "perfect authentic"
    assert [fault.voices for fault in faults(voices, key=c_major, rules=PARALLELS)] == [(0, 3)]
    likes_another_bass = liking(52, 45, 53, 50)
    assert mend_fault(likes_another_bass, log, CONTEXT, policy, PARALLELS, c_major) is None


C_MAJOR = key_of(0, "major")
TONIC = liking(48, 64, 55, 67)
CLOSES = {**TEACHERS_PRICES, OPEN_ENDING: MENDERS_PRICES[OPEN_ENDING]}


def closing(*last: int, soprano: int = 72, bass: int = 55, rest: int = 0) -> tuple[EditLog, Policy]:
    """A dominant in C under the user's soprano, and the model's last chord; then so many steps of rest."""
    log = EditLog(roll_of([RollNote(0, 71, 4), RollNote(4, soprano, 4)], N_STEPS + rest))
    for pitches, step in (((67, 62, bass), 0), (last, 4)):
        for pitch in pitches:
            log = log.with_note(pitch, step, 4, by="model")
    return log, replace(POLICY, line=np.array([71] * 4 + [soprano] * 4 + [-1] * rest))


def closed(log: EditLog, policy: Policy, key=C_MAJOR, costs=CLOSES, model=TONIC) -> tuple[EditLog, list[Change]]:
    changes = list(alone(mend(log, context_of(log.cells.shape[1]), policy, costs, key), model))
    return changes[-1].log if changes else log, [change for change in changes if change.why == OPEN_ENDING]


def last_chord(log: EditLog) -> list[int]:
    return np.flatnonzero(log.cells[0, 7]).tolist()


@pytest.mark.parametrize("rest", [0, 8])
def test_a_last_chord_that_does_not_close_becomes_the_tonics_from_its_beginning(rest: int) -> None:
    log, changes = closed(*closing(65, 57, 53, rest=rest))  # F, A and F under the C
    assert len(changes) == 1
    assert not np.diff(log.cells[0, 4:8].astype(int), axis=0).any()
    assert last_chord(log) in ([48, 55, 64, 72], [48, 64, 67, 72])


def test_a_bass_that_is_held_into_the_last_chord_is_held_no_longer() -> None:
    log, policy = closing(64, 55, 53, bass=53)
    log, changes = closed(log, policy)
    assert len(changes) == 1
    assert log.cells[0, :4, 53].all()
    assert not log.cells[0, 4:, 53].any()
    assert log.cells[0, 4:, 48].all()


def test_what_need_not_or_must_not_close_stays() -> None:
    for log, policy in (
        closing(64, 55, 48),
        closing(65, 57, 53, soprano=69),  # the user's A stands against the tonic
        closing(65, 57, 53, rest=16),  # the piece may go on
    ):
        after, changes = closed(log, policy, costs={OPEN_ENDING: 1.0})
        assert (last_chord(after), changes) == (last_chord(log), [])
    log, policy = closing(65, 57, 53)
    chords = np.ones((N_STEPS, 12), dtype=bool)
    chords[4:] = [pitch in (0, 5, 9) for pitch in range(12)]  # the user asks for F major
    locked = np.arange(N_STEPS) >= 4
    for kept in (replace(policy, chords=chords), replace(policy, locked=locked)):
        assert closed(log, kept)[1] == []
    assert closed(log, policy, costs=TEACHERS_PRICES)[1] == []


def test_an_ending_closes_in_all_voices_or_stays_as_it_is() -> None:
    log, policy = closing(65, 57, 53)

    def no_e(cells, context):
        said = TONIC(cells, context)
        said.logits[..., [52, 64, 76]] = -20
        return said

    after, changes = closed(log, policy, model=no_e)
    assert len(changes) == 1
    assert open_ending(lines_sung(after, policy), C_MAJOR) is None
    only_the_bass = liking(48)

    def hardly(cells, context):
        said = only_the_bass(cells, context)
        said.logits[..., [52, 55, 59, 60, 62, 64, 67]] = -20
        return said

    after, changes = closed(log, policy, costs={OPEN_ENDING: 1.0}, model=hardly)
    assert (last_chord(after), changes) == (last_chord(log), [])


def test_a_note_of_the_users_that_two_wrong_voices_share_stays() -> None:
    log = EditLog(roll_of([RollNote(0, 67, 4), RollNote(0, 62, 4), RollNote(0, 55, 4)], N_STEPS))
    for pitch in (65, 55, 48):  # the user's own F over C, which soprano and alto sing
        log = log.with_note(pitch, 4, 4)
    policy = Policy(melody=None, n_voices=4)
    after, _ = closed(log, policy, model=liking(48, 64, 55, 67, 72))
    assert (after.cells & log.user_cells == log.user_cells).all()


def test_a_limit_of_notes_binds_an_ending_too() -> None:
    log, policy = closing(65, 57, 53)
    for most in range(log.n_added, log.n_added + 4):
        after, _ = closed(log, replace(policy, max_additions=most), costs={OPEN_ENDING: 1.0})
        assert after.n_added <= most


def test_an_ending_that_the_tune_comes_to_for_less_than_a_beat_stays() -> None:
    log = EditLog(roll_of([RollNote(0, 71, 7), RollNote(7, 72, 1)], N_STEPS))
    for pitch in (65, 57, 53):
        log = log.with_note(pitch, 0, 8, by="model")
    policy = replace(POLICY, line=np.array([71] * 7 + [72]))
    assert closed(log, policy)[1] == []


def test_an_ending_of_which_the_tune_falls_silent_first_closes_from_its_beginning() -> None:
    log = EditLog(roll_of([RollNote(0, 71, 8), RollNote(8, 72, 4)], 16))
    for pitch in (67, 62, 55):
        log = log.with_note(pitch, 0, 8, by="model")
    for pitch in (65, 57, 53):
        log = log.with_note(pitch, 8, 8, by="model")
    policy = replace(POLICY, line=np.array([71] * 8 + [72] * 4 + [-1] * 4))
    after, changes = closed(log, policy, costs={OPEN_ENDING: 1.0})
    assert len(changes) == 1
    assert not after.cells[0, 8:, [53, 57, 65]].any()


def test_an_interrupted_look_at_the_ending_may_be_taken_again() -> None:
    log, policy = closing(65, 57, 53)
    hopeless: Hopeless = set()
    looking = mend(log, context_of(N_STEPS), policy, MENDERS_PRICES, C_MAJOR, hopeless=hopeless)
    while not isinstance(asked := next(looking), Ask) or not len(asked.cells):
        pass
    looking.close()
    changes = alone(mend(log, context_of(N_STEPS), policy, MENDERS_PRICES, C_MAJOR, hopeless=hopeless), TONIC)
    assert next(changes).why == OPEN_ENDING


def test_under_a_bass_of_the_users_the_cadence_is_not_lost_to_other_faults() -> None:
    # V-I6 in C over the user's G and E: nothing can close it, and the octaves between soprano and bass stay
    log = EditLog(roll_of([RollNote(0, 55, 4), RollNote(4, 52, 4)], N_STEPS))
    for pitch, step in ((79, 0), (74, 0), (71, 0), (76, 4), (72, 4), (67, 4)):
        log = log.with_note(pitch, step, 4, by="model")
    policy = replace(POLICY, melody="bass", line=np.array([55] * 4 + [52] * 4))
    before = cadence(lines_sung(log, policy), C_MAJOR)
    after, changes = closed(log, policy, model=liking(77, 69, 65, 70))
    assert (before, changes) == ("authentic", [])
    assert cadence(lines_sung(after, policy), C_MAJOR) == before


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    "weights", [TEACHERS_PRICES, {rule: cost for rule, cost in MENDERS_PRICES.items() if rule != OPEN_ENDING}]
)
def test_a_remedy_judged_by_its_surroundings_is_judged_as_by_the_whole(seed: int, weights: dict[str, float]) -> None:
    rng = np.random.default_rng(seed)
    triads = np.array([[0, 4, 7], [0, 3, 7], [2, 5, 11], [5, 9, 0], [7, 11, 2]])
    chords = rng.integers(len(triads), size=24)
    low = np.array([60, 55, 48, 40])
    voices = np.stack([low + (triads[chord][rng.integers(3, size=4)] - low) % 12 for chord in chords]).repeat(4, axis=0)
    key = key_of(0, "major")

    form = form_of(voices, [(step, step + 4) for step in range(12, 96, 16)])

    def find(sung, form):
        return faults(sung, key=key, rules=weights, excused=True, form=form)

    def cost(sung):
        return sum(weights[fault.rule] for fault in find(sung, form))

    remedies = []
    for i in range(60):
        voice, step, move = (int(rng.integers(low, high)) for low, high in ((0, 4), (0, 24), (-3, 4)))
        place = _Place(voice, 4 * step, 4 * step + 2 + i % 3, ())
        remedies.append(_Remedy(place, int(voices[place.first, voice]) + move, 0.0, 0.0))
    saved = _saved([(remedy,) for remedy in remedies], voices, form, weights, find)
    whole = [cost(voices) - cost(_rewritten(voices, remedy)) for remedy in remedies]
    assert saved == pytest.approx(whole)
    assert min(whole) < 0 < max(whole)


def test_the_model_is_asked_of_nothing_twice() -> None:
    asked = []
    model = liking(65, 64, 62, 60)

    def counted(cells, context):
        asked.extend(roll.tobytes() for roll in cells)
        return model(cells, context)

    log = composed()
    changes = list(alone(mend(log, CONTEXT, POLICY, TEACHERS_PRICES), counted))
    assert changes
    assert len(set(asked)) == len(asked) > 3


@pytest.mark.parametrize(("quality", "most"), [("exact", 1), ("high", 2)])
def test_exactly_one_fault_is_mended_at_a_time_and_the_model_is_shown_two_bars(quality: str, most: int) -> None:
    soprano = [RollNote(8 * i + 4 * j, pitch, 4) for i in range(20) for j, pitch in enumerate((76, 74))]
    log = EditLog(roll_of(soprano, 160))
    for at in range(0, 160, 8):
        for voice in (ALTO, TENOR, BASS if at in (48, 112) else (48, 47)):  # parallels four bars apart
            log = log.with_note(voice[0], at, 4, by="model").with_note(voice[1], at + 4, 4, by="model")
    policy = Policy(melody="top", line=np.tile(LINE, 20), n_voices=4)
    model = liking(71, 65)
    since_asked, shown = [0], set()

    def counted(cells, context):
        since_asked.append(0)
        shown.add(cells.shape[2])
        return model(cells, context)

    for change in alone(mend(log, context_of(160), policy, PARALLELS, care=CARES[quality]), counted):
        assert change.why in PARALLELS
        since_asked[-1] += 1
    assert sum(since_asked) >= 2
    assert max(since_asked) == most
    assert shown == {32}


def test_between_two_faults_others_may_have_their_turn() -> None:
    model = liking(71, 65)
    mending = mend(composed(), CONTEXT, POLICY, PARALLELS)
    told, answer = [], None
    for _ in range(50):
        try:
            told.append(mending.send(answer))
        except StopIteration:
            break
        ask = told[-1]
        answer = model(ask.cells, ask.context) if isinstance(ask, Ask) and ask is not BREATH else None
    at = [i for i, one in enumerate(told) if one is not BREATH]
    assert {type(told[i]) for i in at} == {Ask, Change}
    # before it looks for faults, before it looks for places, and before it weighs what could stand there
    assert at[0] == 2
    assert told[at[0] + 1] is BREATH


def test_a_mended_note_is_struck_when_it_was_and_meets_its_own_pitch_as_a_note_of_its_own() -> None:
    log = EditLog(roll_of(SOPRANO, N_STEPS, n_planes=2))
    for pitch, onset, duration in ((67, 0, 4), (69, 4, 4), (64, 0, 8), (48, 0, 4), (50, 4, 2), (50, 6, 2)):
        log = log.with_note(pitch, onset, duration, by="model")
    log = log.record([Edit(1, 0, pitch) for pitch in (67, 64, 48)], "model")  # nothing was struck before the beginning
    change = mend_fault(liking(48), log, CONTEXT, POLICY, PARALLELS)
    assert change is not None
    bass = [note for note in change.log.notes() if note.pitch in (48, 50)]
    assert bass == [RollNote(0, 48, 4), RollNote(4, 48, 2), RollNote(6, 50, 2)], (
        "of two notes on one pitch one is mended"
    )
    assert len({entry.batch for entry in change.log.entries[len(log.entries) :]}) == 1
    assert change.log.undo(log.n_batches).notes() == log.notes()


def test_two_voices_that_hand_a_pitch_over_do_not_move() -> None:
    """Struck again is no motion: neither who sings what changes, nor are there parallels."""
    chord = [RollNote(at, pitch, 4) for at in (0, 4) for pitch in (72, 67, 64, 48)]
    sung = lines_sung(EditLog(roll_of(chord, N_STEPS, n_planes=2)), Policy())
    assert (sung == sung[0]).all()
    assert not faults(sung, rules=TEACHERS_PRICES)
