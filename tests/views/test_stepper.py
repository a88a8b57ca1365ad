"""The stepper, driven as a person drives it: keys, mouse, sizes, and what is on the screen after each."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from rich.cells import cell_len

from scopewatch.errors import LogFileError
from scopewatch.model import backward as backward_module
from scopewatch.model import journey as journey_module
from scopewatch.model.journey import build_journey
from scopewatch.model.log import SourceFile
from scopewatch.views.sentences import Sentences
from scopewatch.views.stepper import app as app_module
from scopewatch.views.stepper.lines import Bar, Lines
from tests.model.test_backward import DENSE_WALK, stopped_builder, walked
from tests.support.hostile import CONTROL, HOSTILE, hostile_log
from tests.support.logs import LogBuilder, dense_builder, graph, receipt
from tests.support.stepping import drive, screen_after, screens, text_of

SIZES = [(80, 24), (120, 40)]
SOURCE = tuple(f"line_{number} = tf.something({number})" for number in range(1, 61))


def with_source(log, lines=SOURCE, file="model.py"):
    return replace(log, sources=(SourceFile(file, tuple(lines)),), _by_type={})


def dense():
    return with_source(walked(dense_builder(), *DENSE_WALK))


def event_of(screen):
    """The lines below the last rule: what happens at this place."""
    lines = screen.rstrip("\n").split("\n")
    rule = max(i for i, line in enumerate(lines) if line and set(line) == {"-"})
    return " ".join(line for line in lines[rule + 1 : -1] if line)


def place_of(screen):
    return re.search(r"(?:event|step) ([\d,]+) of", screen)[1]


# ------------------------------------------------------------------- a long backward pass


@pytest.mark.parametrize(
    "keys",
    [["l", "n"], ["end", "n", "n"], ["end", "end"], ["g", *"norm", "enter", "n"], ["slash", *"norm", "enter", "end"]],
)
def test_a_long_backward_pass_is_read_when_somebody_goes_there(monkeypatch, keys):
    monkeypatch.setattr(journey_module, "_LONG_WALK", 0)
    log = dense()
    assert build_journey(log, at_once=False).backward == ()
    waiting = [[k] for k in keys]
    assert screens(log, waiting, at_once=False)[-1] == screens(log, waiting)[-1]


def test_ops_that_cannot_be_read_are_said_to_be_damaged(monkeypatch):
    monkeypatch.setattr(journey_module, "_LONG_WALK", 0)

    def damaged(_):
        raise LogFileError("x.scopelog is a damaged scopewatch log")

    monkeypatch.setattr(journey_module, "build_backward", damaged)
    found = screen_after(dense(), "l", at_once=False)
    assert "x.scopelog is a damaged scopewatch log" in found
    assert place_of(found) == "1"


# ----------------------------------------------------------------------------------- keys


@pytest.mark.parametrize("size", SIZES)
def test_each_place_forwards_and_backwards_is_the_same_screen(size):
    log = dense()
    count = build_journey(log).count
    shown = screens(log, ["n"] * (count - 1) + ["b"] * (count - 1), size)
    there, back = shown[:count], shown[count - 1 :]
    assert len(set(there)) == count
    assert back == there[::-1]


def test_every_key_leads_where_it_says():
    found = {
        key: event_of(screen_after(dense(), *key.split()))
        for key in ("r", "n n R", "s", "s S", "v v", "end", "end end", "end end home", "l", "l n n n n n", "pagedown")
    }
    assert "creates dense/v" in found["r"]
    assert "creates dense/v" in found["n n R"]
    assert "Leaves scope dense" in found["s"]
    assert "Enters scope dense" in found["s S"]
    assert "creates dense/g" in found["v v"]
    assert "Session.run computes" in found["end"]
    assert "* end" in found["end end"]
    assert "Backwards from loss" in found["end end home"]
    assert "Backwards from loss" in found["l"]
    assert "w receives a dense gradient, norm 0.53" in found["l n n n n n"]
    assert "GradientDescent is given 3 variables" in found["pagedown"]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (["b"], "This is the beginning."),
        (["end", "end", "n"], "This is the end."),
        (["R"], "There is no request before this."),
        (["end", "v"], "There is no new variable after this."),
        (["c"], "No breakpoint is set"),
        (["g", *"zzz", "enter"], "Nothing happens at zzz"),
        (["slash", *"zzz", "enter"], "No name has zzz in it"),
        (["slash", "left_parenthesis", "enter"], "is no regular expression"),
        (["g", *"v_norm", "enter", "end", "C", "C"], "before this stops at v_norm"),
        (["end", "end", "g", *"v_norm", "enter"], "2 before it did: press C."),
    ],
)
def test_a_key_that_leads_nowhere_says_so(keys, said):
    screen = screen_after(dense(), *keys)
    assert said in event_of(screen)


def test_a_breakpoint_in_the_building_and_in_the_backward_pass():
    shown = screens(dense(), [["g", "w", "enter"], "c", "C", "c", "x"])
    assert ". name  w now means the tensor w:0" in event_of(shown[1])
    assert "stops at w" in shown[1].split("\n")[0]
    assert "<- dense  w receives" in event_of(shown[2])
    assert shown[3] == shown[1] or event_of(shown[3]) == event_of(shown[1])
    assert "stops at" not in shown[5]


def test_a_line_is_a_breakpoint_with_a_mark():
    shown = screens(dense(), [["g", "3", "1", "enter"], "b"])
    assert re.search(r"^>\*31 line_31", shown[1], re.MULTILINE)
    assert re.search(r"^ \*31 line_31", shown[2], re.MULTILINE)


def test_a_filter_leaves_only_what_it_finds_until_it_is_cleared():
    shown = screens(dense(), [["slash", *"bias", "enter"], "n", "n", "n", "n", "x"])
    assert "1 of 6 left by bias" in shown[1]
    assert [("creates dense/bias" in s, "dense/v" in s) for s in shown[1:2]] == [(True, False)]
    assert "tf.gradients" in event_of(shown[2])
    assert "bias/read" in event_of(shown[4])
    assert "left by" not in shown[6]


def test_keys_typed_into_the_line_do_not_move():
    shown = screens(dense(), ["g", "n", "n", "escape", "n"])
    assert [place_of(s) for s in shown] == ["1", "1", "1", "1", "1", "2"]
    assert "run to: a line" in shown[1]
    assert "run to" not in shown[4]


def test_help_is_closed_by_any_key_and_fits():
    shown = screens(dense(), ["n", "question_mark", "n", "n"])
    assert "any key closes this" in shown[2]
    assert "the one before" in shown[2]
    assert [place_of(shown[i]) for i in (1, 3, 4)] == ["2", "2", "3"]


def test_leaving():
    async def script(pilot):
        await pilot.press("q")
        await pilot.pause()
        return pilot.app.is_running, pilot.app.return_code

    assert drive(dense(), script)[1] == 0


def test_colours_of_the_terminal_then_dark_then_light():
    async def script(pilot):
        found = [pilot.app.theme]
        for _ in range(3):
            await pilot.press("t")
            found.append(pilot.app.theme)
        return found, text_of(pilot)

    themes, screen = drive(dense(), script)
    assert themes == ["ansi-dark", "textual-dark", "textual-light", "ansi-dark"]
    assert screen == screen_after(dense())


# ---------------------------------------------------------------------------------- mouse


def clicks(log, *clicks_, keys=(), size=(80, 24)):
    """The screen after each click; a click is a widget's selector with a column and a row inside it."""

    async def script(pilot):
        await pilot.press(*keys)
        await pilot.pause()
        found = []
        for selector, column, row in clicks_:
            await pilot.click(selector, offset=(column, row))
            await pilot.pause()
            found.append(text_of(pilot))
        return found

    return drive(log, script, size)


def test_a_click_on_the_source_sets_and_clears_a_breakpoint():
    shown = clicks(dense(), ("#source", 8, 0), ("#source", 8, 0))
    line = re.search(r"^ \*(\d+) ", shown[0], re.MULTILINE)
    assert line is not None
    assert f"stops at model.py:{line[1]}" in shown[0]
    assert " *" not in shown[1].split("\n")[3][:3]
    assert "stops at" not in shown[1]


def test_a_click_on_a_variable_a_scope_or_a_name_leads_to_what_happens_to_it_next():
    log = dense()
    (variable,) = clicks(log, ("#tree", 6, 3), keys=["end"])
    assert "creates dense/g" in event_of(variable)
    (scope,) = clicks(log, ("#tree", 4, 1), keys=["end"])
    assert "Enters scope dense" in event_of(scope)
    (name,) = clicks(log, ("#names", 4, 1), keys=["end"])
    assert "w now means" in event_of(name)
    (held,) = clicks(log, ("#stack", 4, 1), keys=["r", "n"])
    assert "Enters scope dense" in event_of(held)


def test_a_click_on_an_op_or_a_receipt_leads_to_its_step():
    shown = clicks(dense(), ("#tree", 4, 5), ("#names", 4, 0), keys=["l", "n"])
    assert "w receives" in event_of(shown[0])
    assert "Backwards from loss" in event_of(shown[1])


def test_a_click_on_the_bar_and_on_a_key():
    shown = clicks(dense(), ("#bar", 79, 0), ("#bar", 0, 0))
    assert "* end" in event_of(shown[0])
    assert place_of(shown[1]) == "1"

    async def script(pilot):
        keys = pilot.app.query("FooterKey")
        await pilot.click(keys.first())
        await pilot.pause()
        return text_of(pilot)

    assert place_of(drive(dense(), script)) == "2"


def test_any_key_and_a_click_close_the_help():
    log = dense()
    assert "any key closes this" in screen_after(log, "question_mark")
    assert screen_after(log, "question_mark", "n") == screen_after(log)
    assert clicks(log, ("#help", 5, 5), keys=["question_mark"]) == [screen_after(log)]


def test_nothing_typed_leads_nowhere():
    assert screen_after(dense(), "n", "g", "enter") == screen_after(dense(), "n")


def test_a_file_too_long_to_be_coloured_is_shown_all_the_same():
    b = LogBuilder(graph("x = Placeholder"))
    b.bind("w", "x:0", where=2_500)
    screen = screen_after(with_source(b.log(), [f"line_{n} = 1" for n in range(1, 3_001)]))
    assert re.search(r"^> 2500 line_2500 = 1", screen, re.MULTILINE)


def test_a_click_beside_the_lines_does_nothing():
    log = with_source(walked(dense_builder(), *DENSE_WALK), SOURCE[:20])
    assert clicks(log, ("#tree", 4, 6), ("#names", 4, 4))[-1] == screen_after(log)


def test_the_wheel_and_the_arrows_scroll_a_pane():
    async def script(pilot):
        source = pilot.app.query_one("#source", Lines)
        before = source.scroll_offset.y
        source.focus()
        await pilot.press("down", "down")
        await pilot.pause(0.3)
        down = source.scroll_offset.y
        await pilot.press("n")
        await pilot.pause()
        return before, down, text_of(pilot)

    before, down, screen = drive(dense(), script)
    assert down > before
    assert place_of(screen) == "2"
    assert re.search(r"^> 21 line_21", screen, re.MULTILINE)


# ---------------------------------------------------------------------------------- sizes


@pytest.mark.parametrize("size", [(79, 24), (80, 23), (20, 5), (1, 1)])
def test_a_terminal_that_is_too_small_is_told_so(size):
    screen = screen_after(dense(), size=size)
    if size[0] > 20:
        assert " ".join(screen.split()) == (
            f"step needs 80 columns and 24 lines; this terminal has {size[0]} and {size[1]}. Enlarge it, or press q."
        )
    assert "SOURCE" not in screen


def test_a_terminal_that_is_enlarged_shows_the_place_again():
    async def script(pilot):
        await pilot.press("n")
        await pilot.resize_terminal(60, 20)
        await pilot.pause()
        small = text_of(pilot)
        await pilot.resize_terminal(100, 30)
        await pilot.pause()
        return small, text_of(pilot)

    small, large = drive(dense(), script)
    assert "this terminal has 60 and\n20" in small
    assert place_of(large) == "2"


def test_a_terminal_that_changes_while_help_is_open():
    async def script(pilot):
        await pilot.press("n", "question_mark")
        await pilot.resize_terminal(60, 20)
        await pilot.pause()
        await pilot.press("n")
        await pilot.resize_terminal(90, 30)
        await pilot.pause()
        return text_of(pilot)

    screen = drive(dense(), script)
    assert place_of(screen) == "2"
    assert "SOURCE" in screen


def test_what_is_said_at_the_beginning_stays_until_a_step_is_made():
    shown = screens(dense(), ["n"], said="Recorded then.")
    assert event_of(shown[0]).startswith("Recorded then.")
    assert "Recorded then." not in shown[1]


@pytest.mark.parametrize("size", [(80, 24), (81, 25), (120, 40), (200, 60)])
def test_nothing_is_wider_than_the_terminal_and_the_place_is_marked_by_more_than_colour(size):
    shown = screens(dense(), ["n"] * 28, size)
    for screen in shown:
        lines = screen.rstrip("\n").split("\n")
        assert len(lines) <= size[1]
        assert max(map(cell_len, lines)) <= size[0]
        if " * end " not in f" {event_of(screen)} ":
            assert any(line.startswith(">") for line in lines[2:])
        assert any(re.search(r"\| > ", line) for line in lines) or "end" in event_of(screen)


# --------------------------------------------------------------------------- odd programs


def test_the_last_place_of_a_program_that_failed_is_the_error():
    b = LogBuilder(graph("x = Placeholder"))
    b.enter("net", 3)
    b.request("net/v", where=4, shape=(3,))
    b.request("net/v", "refused", 4, (3,), error="Variable net/v already exists, disallowed.")
    b.leave("net")
    b.fail("ValueError", "Variable net/v already exists, disallowed.", 4, "Say reuse.")
    screen = screen_after(with_source(b.log()), "end")
    assert "X FAILED  The program ends with ValueError: Variable net/v already exists" in event_of(screen)
    assert re.search(r"^>  ?4 line_4", screen, re.MULTILINE)
    assert re.search(r"v \[3\] +\+ X", screen)
    assert "The program failed before it." in event_of(screen_after(b.log(), "l"))


def test_without_the_text_of_the_program_the_way_to_the_line_is_shown():
    screen = screen_after(walked(dense_builder(), *DENSE_WALK), "n")
    assert "the text of model.py is not to be" in screen
    assert "^ model.py:40 in <module>" in screen
    assert "> model.py:21 in build" in screen


def test_a_library_that_acts_alone():
    b = LogBuilder(graph("x = Placeholder"))
    b.enter("net", None, by_library=True)
    screen = screen_after(b.log())
    assert "TensorFlow enters scope net" in event_of(screen)
    assert "no line of the program itself" in screen


def test_a_run_in_which_nothing_happened():
    screen = screen_after(LogBuilder(graph("x = Placeholder")).log(), "n", "r", "l", "end", "question_mark", "n", "b")
    assert "Nothing was recorded." in screen


def test_eager_and_several_graphs():
    b = LogBuilder(graph("x = Placeholder"), graph("x = Placeholder", "g1"))
    b.request("w", where=1, shape=(2,))
    b.graph = "g1"
    b.enter("other", 2)
    b.request("other/w", where=3, shape=(2,))
    b.graph = None
    b.request("w", where=4, shape=(2,))
    shown = screens(with_source(b.log()), ["n", "n", "n"])
    assert "(root) of graph g0" in shown[-1]
    assert "(root) of graph g1" in shown[-1]
    assert "(root) (eager)" in shown[-1]
    assert "other" in shown[2].split("OPEN SCOPES")[1]
    assert "other" not in shown[3].split("OPEN SCOPES")[1].split("NAMES")[1].split("---")[0]


def test_where_the_gradient_is_cut():
    log = walked(stopped_builder(), "loss", "sum", "stop", "ur", "u", cuts=[("stop", (0,))])
    shown = screens(log, ["l", "n", "n", "n", "n", "n", "n"])
    assert "[v] receives nothing: StopGradient at model.py:7 cuts the way" in event_of(shown[3])
    assert "It keeps it from the read of [v]" in event_of(shown[3])
    assert "[other] receives nothing: no way leads from there to the loss" in event_of(shown[6])
    assert "x [v]" in shown[3]


def test_hundreds_of_requests_from_one_line():
    b = LogBuilder(graph("x = Placeholder"))
    for layer in range(200):
        b.enter(f"net/layer_{layer}", 5, name_scope=f"net/layer_{layer}")
        for name in "vgb":
            b.request(f"net/layer_{layer}/{name}", where="model.py:9 > model.py:6 layer", shape=(3,))
        b.leave(f"net/layer_{layer}")
    shown = screens(
        with_source(b.log()), ["end", *["R"] * 5, ["g", *"layer_77", "enter"], ["home", "g", *"layer_77", "enter"]]
    )
    assert "Leaves scope net/layer_199" in event_of(shown[1])
    assert [re.search(r"creates net/(\S+)", event_of(s))[1] for s in shown[2:7]] == [
        "layer_199/b",
        "layer_199/g",
        "layer_199/v",
        "layer_198/b",
        "layer_198/g",
    ]
    assert all(re.search(rf"\| > +{name}\b", s) for name, s in zip("bgvbg", shown[2:7], strict=True))
    assert "before it did: press C." in event_of(shown[7])
    assert "Enters scope net/layer_77" in event_of(shown[8])


def test_a_large_run_is_searched_beside_the_keys(monkeypatch):
    monkeypatch.setattr(app_module, "_MOST_SEARCHED", 3)

    async def script(pilot):
        await pilot.press("g", "w", "enter")
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        found = text_of(pilot)
        await pilot.press("slash", *"bias", "enter")
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        return found, text_of(pilot)

    found, filtered = drive(dense(), script)
    assert "w now means" in event_of(found)
    assert "left by bias" in filtered


# -------------------------------------------------------------------------------- hostile


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_and_sources_are_shown_escaped(name):
    hostile = HOSTILE[name]
    log = hostile_log(hostile)
    log = replace(log, error=None, _by_type={})
    count = build_journey(log).count
    for size in SIZES:
        for screen in screens(log, ["n"] * (count - 1), size, target=hostile or "x"):
            assert not CONTROL.findall(screen.replace("\n", ""))
            assert max(map(cell_len, screen.split("\n"))) <= size[0]


def test_markup_in_names_sources_and_what_is_typed_is_text():
    b = LogBuilder(graph("x = Placeholder"))
    b.bind("[red]w[/red]", "x:0", where=1)
    log = with_source(b.log(), ["y = '[bold]z[/bold]'"])
    assert "[red]w[/red] now means" in event_of(screen_after(log))
    assert "'[bold]z[/bold]'" in screen_after(log)
    assert "[@click=app.bell]" in event_of(screen_after(log, "g", *"[@click=app.bell]", "enter"))


# --------------------------------------------------------------------------------- panes


def test_the_text_as_it_was_when_it_ran_wins_over_the_file_of_today(tmp_path):
    file = tmp_path / "model.py"
    file.write_text("today = 1\n" * 30)
    b = LogBuilder(graph("x = Placeholder"))
    b.bind("w", "x:0", where=f"{file}:3")
    assert "today = 1" in screen_after(b.log())
    assert "line_3" in screen_after(with_source(b.log(), file=str(file)))


def test_tabs_and_deep_lines_are_shown_from_where_they_begin():
    lines = ["if x:", "\t" * 8 + "w = " + "f(" * 30 + "x" + ")" * 30]
    b = LogBuilder(graph("x = Placeholder"))
    b.bind("w", "x:0", where=2)
    screen = screen_after(with_source(b.log(), lines))
    assert re.search(r"^> 2 {15}w = f\(f\(", screen, re.MULTILINE)
    assert "\t" not in screen


def test_sentences_name_the_first_line_that_created_what_is_reused():
    b = LogBuilder(graph("x = Placeholder"))
    b.request("v", where=3)
    b.request("v", "reused", 9)
    b.request("v", "reused", 9, asked_by="average")
    b.direct("t", 10)
    b.direct("s", 11, "optimizer")
    b.direct("e", 11, "average")
    b.reuse_variables("", 12)
    b.enter("a", 13)
    b.leave("a")
    b.enter("a", 13, name_scope="a_1")
    b.request("before", "refused", 14, error="Variable before already exists")
    b.request("before", "reused", 15)
    sentences = Sentences(build_journey(b.log()))
    said = [sentences.at(i).plain for i in range(12)]
    assert said[11] == "= reused  get_variable finds before, which exists already: nothing new."
    assert said[1] == "= reused  get_variable finds v, which model.py:3 created: nothing new."
    assert said[2].startswith("= reused  The moving average finds v")
    assert said[3] == "o made  tf.Variable makes t without any get_variable."
    assert "The optimizer makes s" in said[4]
    assert "The moving average makes e" in said[5]
    assert "reuse_variables() on scope (root)" in said[6]
    assert said[9] == "> enter  Enters scope a for the 2nd time, reuse=False; ops are named a_1/...."


def test_the_bar_marks_where_the_backward_passes_begin():
    async def script(pilot):
        return pilot.app.query_one(Bar).render_line(0).text

    bar = drive(dense(), script)
    journey = build_journey(dense())
    assert bar[0] == ">"
    assert bar.index("|") == round(journey.starts[0] / (journey.count - 1) * 79)


def passes(b, *names, **options):
    return build_journey(walked(b, *names, **options))


def said_backwards(journey):
    sentences = Sentences(journey)
    return [sentences.at(place).plain for place in range(journey.starts[0], journey.count)]


def test_what_is_folded_cut_and_unknown_is_said(monkeypatch):
    monkeypatch.setattr(backward_module, "MOST_OPS", 5)
    said = said_backwards(build_journey(walked(dense_builder(), *DENSE_WALK)))
    assert "... 4 ops without a name hand it on, from y to bias/read." in said
    monkeypatch.undo()
    b = stopped_builder()
    _, *others = b.extra["gradients"][0].receipts
    unknown = receipt("u:0", "unknown", None, True, None, because="no step was run")
    b.extra["gradients"][0] = replace(b.extra["gradients"][0], receipts=(unknown, *others))
    said = said_backwards(passes(b, "loss", "sum", "stop", "ur", "u", cuts=[("stop", (0,))]))
    assert "<- unknown  What u receives is unknown, because no step was run." in said
    assert (
        "x none  [v] receives nothing: StopGradient at model.py:7 cuts the way; it lets values through and keeps "
        "gradients back. It keeps it from the read of [v]." in said
    )
    assert "x none  [other] receives nothing: no way leads from there to the loss." in said


def test_a_cut_at_an_op_that_no_line_of_the_program_built():
    b = stopped_builder()
    receipts = b.extra["gradients"][0].receipts
    blocker = replace(receipts[1].blocked_by, file=None, line=None)
    changed = (receipts[0], replace(receipts[1], blocked_by=blocker), receipts[2])
    b.extra["gradients"][0] = replace(b.extra["gradients"][0], receipts=changed)
    journey = passes(b, "loss", "sum", "stop", "ur", "u", cuts=[("stop", (0,))])
    assert any("receives nothing: StopGradient cuts the way;" in line for line in said_backwards(journey))


def test_the_folded_part_of_a_long_pass_on_the_screen(monkeypatch):
    monkeypatch.setattr(backward_module, "MOST_OPS", 5)
    screen = screen_after(with_source(walked(dense_builder(), *DENSE_WALK)), "l", "n")
    assert "... 4 ops" in screen
    assert re.search(r"AddV2 +add", screen)


def test_an_op_that_nothing_handed_a_gradient_says_only_where_it_goes_on():
    log = walked(stopped_builder(), "loss", "ur", "u")
    screen = screen_after(log, "l", "n")
    assert re.search(r"Identity +ur", screen)
    assert "from  " not in screen
    assert "to    [u]" in screen
