from __future__ import annotations

from localcloud.runtime.output import LineStream


def test_lines_go_to_whoever_listens_and_an_open_line_counts_at_the_end() -> None:
    stream, first, second = LineStream(), [], []
    with stream.heard_by(first.append):
        print("one", "two", file=stream)
        stream.write("half ")
        with stream.heard_by(second.append):
            stream.write("a line\n\n   \n")
        stream.write("open")
    stream.write("nobody hears this\n")
    assert first == ["one two", "open"]
    assert second == ["half a line"]
