"""Files that somebody else wrote: whatever is wrong with a row, its neighbours are read."""

import tracemalloc
from io import BytesIO

import pytest

from node.domain.file_text import detect_encoding
from node.domain.rows import BadRow, Format, Row, read_headings, read_rows


def read(raw: bytes, form: Format = Format.CSV, encoding: str | None = None) -> list[Row | BadRow]:
    return list(read_rows(BytesIO(raw), form, encoding=encoding))


def values(rows: list[Row | BadRow]) -> list[dict[str, str]]:
    return [dict(row.values) for row in rows if isinstance(row, Row)]


def test_a_plain_file_is_read_with_spreadsheet_row_numbers() -> None:
    assert read(b"a,b\n1,2\n3,4\n") == [Row(2, {"a": "1", "b": "2"}), Row(3, {"a": "3", "b": "4"})]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_every_line_end_is_a_line_end(end: bytes) -> None:
    assert values(read(end.join([b"a,b", b"1,2", b"3,4", b""]))) == [
        {"a": "1", "b": "2"},
        {"a": "3", "b": "4"},
    ]


def test_a_line_feed_inside_quotes_belongs_to_the_value() -> None:
    assert values(read(b'a,b\n1,"x\ny"\n2,z\n')) == [{"a": "1", "b": "x\ny"}, {"a": "2", "b": "z"}]


def test_a_value_may_go_on_in_the_next_block_of_lines() -> None:
    long = "\n".join(["深" * 30_000] * 3)
    table = [{"a": str(number), "b": long} for number in range(5)]
    raw = "a,b\n" + "".join(f'{row["a"]},"{row["b"]}"\n' for row in table)

    assert values(read(raw.encode())) == table


def test_shifted_columns_are_named_and_the_rest_is_kept() -> None:
    rows = read(b"a,b\n1\n2,3,4\n5,6\n")

    assert [(row.number, row.problem.expected, row.problem.got) for row in rows if isinstance(row, BadRow)] == [
        (2, "2 columns", "1 columns"),
        (3, "2 columns", "3 columns"),
    ]
    assert values(rows) == [{"a": "5", "b": "6"}]


def test_a_quote_that_never_closes_costs_its_own_line_only() -> None:
    rows = read(b'a,b\n1,2\n3,"4\n5,6\n7,8\n')

    assert values(rows) == [{"a": "1", "b": "2"}, {"a": "5", "b": "6"}, {"a": "7", "b": "8"}]
    assert [row.number for row in rows if isinstance(row, BadRow)] == [3]


def test_a_quote_inside_a_quoted_value_costs_its_own_line_only() -> None:
    assert values(read(b'a,b\n1,"2"3\n5,6\n')) == [{"a": "5", "b": "6"}]


def test_empty_lines_are_passed_over_and_counted() -> None:
    assert [row.number for row in read(b"a\n1\n\n2\n")] == [2, 4]


@pytest.mark.parametrize("raw", [b"", b"a,a\n1,2\n", b"\n1,2\n", b'"a\n'])
def test_a_file_without_a_usable_header_is_one_bad_row(raw: bytes) -> None:
    rows = read(raw)

    assert [row.number for row in rows] == [1]
    assert isinstance(rows[0], BadRow)
    assert rows[0].problem.field == "header"


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "深圳某某有限公司"),
        ("utf-8-sig", "深圳某某有限公司"),
        ("utf-16", "深圳某某有限公司"),
        ("gb18030", "深圳某某有限公司"),
        ("big5hkscs", "香港電子貿易有限公司"),
    ],
)
def test_the_encoding_is_found(encoding: str, name: str) -> None:
    assert values(read(f"name\n{name}\n".encode(encoding))) == [{"name": name}]


def test_a_given_encoding_is_not_guessed() -> None:
    assert values(read("name\n电子\n".encode("gb18030"), encoding="gb18030")) == [{"name": "电子"}]


def test_bytes_of_another_encoding_spoil_their_own_row() -> None:
    good = "深圳市某某科技有限公司".encode()
    rows = read(b"name\n" + good + b"\n" + "电子".encode("gb18030") + b"\n" + good + b"\n")

    assert len(values(rows)) == 2
    assert [(row.number, row.problem.got) for row in rows if isinstance(row, BadRow)] == [
        (3, "bytes of another encoding")
    ]


def test_a_character_cut_off_at_the_end_of_the_sample_is_no_error() -> None:
    assert detect_encoding("深圳".encode()[:-1]) == "utf-8"


def test_a_bad_row_holds_nothing_of_what_stood_there() -> None:
    assert "geheim" not in repr(read(b"a,b\ngeheim\n"))
    assert "geheim" not in repr(read(b"a\ngeheim\n"))


def test_json_lines_become_text() -> None:
    first = b'{"a":"x","b":1.50,"c":12345678901234567890,"d":true,"e":null,"f":["p","q"],"g":false}'
    raw = first + b'\n\n{"a":"y"}\n'

    assert read(raw, Format.JSON_LINES) == [
        Row(
            1,
            {
                "a": "x",
                "b": "1.50",
                "c": "12345678901234567890",
                "d": "true",
                "e": "",
                "f": "p;q",
                "g": "false",
            },
        ),
        Row(3, {"a": "y"}),
    ]


DEEP = b'{"a":' * 100_000


@pytest.mark.parametrize("line", [b"[1]", b"{", DEEP, b'{"a":{"b":1}}', b'{"a":[1]}', b'{"a":"\xff"}', b"7"])
def test_a_json_line_of_another_form_is_a_bad_row(line: bytes) -> None:
    rows = read(b'{"a":"x"}\n' + line + b'\n{"a":"y"}\n', Format.JSON_LINES, encoding="utf-8")

    assert [type(row) for row in rows] == [Row, BadRow, Row]


def test_a_json_line_without_end_is_a_bad_row() -> None:
    rows = read(b'{"a":"' + b"x" * (1024 * 1024) + b'"}\n', Format.JSON_LINES)

    assert isinstance(rows[0], BadRow)


def test_the_stream_is_left_open() -> None:
    stream = BytesIO(b"a\n1\n")
    list(read_rows(stream, Format.CSV))

    assert not stream.closed


@pytest.mark.parametrize("form", Format)
def test_a_line_without_end_costs_itself_only_and_is_not_held_in_memory(form: Format) -> None:
    good = b'{"a":"x"}' if form is Format.JSON_LINES else b"1"
    head = b"" if form is Format.JSON_LINES else b"a\n"
    raw = head + good + b"\n" + b"x" * 8_000_000 + b"\r\n" + good + b"\n"

    tracemalloc.start()
    rows = read(raw, form)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert [type(row) for row in rows] == [Row, BadRow, Row]
    assert peak < 6_000_000


@pytest.mark.parametrize("encoding", ["gb18030", "big5hkscs"])
def test_a_short_list_of_enterprises_shows_its_encoding(encoding: str) -> None:
    """Full-width letters and digits have high second bytes in both encodings."""
    assert detect_encoding("ＡＢＣ１２３４５６７８９０有限公司\n".encode(encoding)) == encoding


@pytest.mark.parametrize(
    ("raw", "form", "headings"),
    [
        (b"a,b\n", Format.CSV, ["a", "b"]),
        (b"a,a\n1,2\n", Format.CSV, None),
        (b"\na,b\n1,2\n", Format.CSV, None),
        (b"", Format.CSV, None),
        (b'[]\n{"b": 1, "a": 2}\n{"c": 3}\n', Format.JSON_LINES, ["b", "a"]),
        (b'{"a":\n1}\n', Format.JSON_LINES, None),
        (b"\n", Format.JSON_LINES, []),
    ],
)
def test_headings_stand_in_the_first_line_of_a_table_and_in_the_first_good_object(
    raw: bytes, form: Format, headings: list[str] | None
) -> None:
    found = read_headings(stream := BytesIO(raw), form)

    assert (None if found is None else list(found)) == headings
    assert not stream.closed
