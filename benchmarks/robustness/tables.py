"""Hostile CSV, JSONL and Parquet files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq

_TEXT = "We condemn the attack on civilians."


def delimited(rows: Sequence[Mapping[str, str]], delimiter: str) -> bytes:
    """Return rows as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def parquet(columns: Mapping[str, object], **options: object) -> bytes:
    """Return columns as Parquet."""
    out = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), out, **options)
    return out.getvalue()


def delimiteds(scale: int) -> Iterator[tuple[str, bytes]]:
    """Yield names and CSV files; `scale` makes those larger that are large."""
    many = 2000 * scale
    good = f"text,speaker\n{_TEXT},Belgium\n"
    yield "a quotation mark left open", (good + '"' + "a,b\n" * many).encode()
    yield "quotation marks", (good + '"' * many + "\n" + good).encode()
    yield "quotation marks inside", (good + 'a"b"c,d\n' * many).encode()
    yield "a field of megabytes", (good + f'"{"x" * (many * 500)}",b\n').encode()
    yield "a field of many lines", (good + '"' + "x\n" * many * 10 + '",b\n').encode()
    yield "a line without end", (good + "x" * (many * 500)).encode()
    yield "more fields than columns", (good + "," * many + "\n").encode()
    yield "many columns", ("text," + ",".join(map(str, range(many))) + "\n" + good).encode()
    yield "many columns without a text", (",".join(map(str, range(many * 10))) + "\n").encode()
    yield "empty rows", (good + ",\n" * many).encode()
    yield "carriage returns", (good.replace("\n", "\r") * many).encode()
    yield "returns of both kinds, mixed", (good + "a\r\n\n\r,b\r" * many).encode()
    yield "only delimiters", ("," * many * 10).encode()
    yield "only blank lines", ("\n" * many * 10).encode()
    yield "formulas", (good + "\"=cmd|'/c calc'!A1\",@x\n" * many).encode()
    yield "a header of blanks", (b"  , ,\n" + b"a,b,c\n" * many)
    yield "the same header twice", ("text,text\n" + "a,b\n" * many).encode()
    yield "the header in the rows", ("text,id\n" * many).encode()
    yield (
        "one id for all",
        ("text,id\n" + "".join(f"{_TEXT} {n},7\n" for n in range(many))).encode(),
    )


def json_lines(scale: int) -> Iterator[tuple[str, bytes]]:
    """Yield names and JSONL files; `scale` makes those larger that are large."""
    many = 2000 * scale
    good = json.dumps({"text": _TEXT}) + "\n"
    rows = {
        "brackets, deep": "[" * 100_000,
        "objects, deep": '{"text":' * 100_000,
        "a deep value": '{"text": "a", "speaker": ' + "[" * 900 + "]" * 900 + "}",
        "a number of many digits": f'{{"text": "a", "id": {"9" * (many * 10)}}}',
        "a fraction of many digits": f'{{"text": "a", "id": 0.{"9" * (many * 10)}}}',
        "an exponent beyond all": '{"text": "a", "id": 1e999999999}',
        "no number": '{"text": "a", "id": NaN, "date": -Infinity}',
        "the same key twice": '{"text": "a", "text": "b", "TEXT": "c"}',
        "half characters": '{"text": "We \\ud800 act. \\udfff", "id": "\\ud800"}',
        "zero characters": '{"text": "We\\u0000 act.", "id": "\\u0000"}',
        "many keys": json.dumps({f"k{n}": n for n in range(many)}),
        "keys of megabytes": json.dumps({"k" * (many * 100): 1}),
        "a list of many": json.dumps({"text": "a", "speaker": ["x"] * many}),
        "a text that is a number": '{"text": 5}',
        "a text that is a list": '{"text": ["a"]}',
        "an id of kilobytes": json.dumps({"text": "a", "id": "x" * 5000}),
        "an id of two lines": '{"text": "a", "id": "x\\ny"}',
        "an empty key": '{"": 1, "text": "a"}',
        "a line of megabytes": json.dumps({"text": "x" * (many * 500)}),
        "no end of line": '{"text": "' + "x" * (many * 500),
        "blanks": " " * (many * 500),
        "carriage returns": '{"text": "a"}\r' * many,
        "single quotes": "{'text': 'a'}",
        "a constant": "true",
    }
    for name, row in rows.items():
        yield name, (good + row + "\n" + good).encode()
    yield (
        "many rows with the wrong keys",
        (json.dumps({f"k{n}": n for n in range(500)}) + "\n").encode() * scale,
    )
    yield "one list over many lines", b"[\n" + good.encode() * many


def parquets(scale: int) -> Iterator[tuple[str, bytes]]:
    """Yield names and Parquet files; `scale` makes those larger that are large."""
    many = 1000 * scale
    bomb = pa.DictionaryArray.from_arrays(
        pa.array([0] * many, pa.int32()), ["x" * (10_000 * scale)]
    )
    yield "one text for all, packed", parquet({"text": bomb})
    yield "a million times the same", parquet({"text": ["We act."] * many})
    yield "texts of megabytes", parquet({"text": ["x" * (100_000 * scale)] * 20})
    wrong: dict[str, pa.Array] = {
        "numbers": pa.array([1, 2]),
        "lists": pa.array([["a"], None]),
        "structs": pa.array([{"text": "a"}, None]),
        "maps": pa.array([[("a", "b")]], pa.map_(pa.string(), pa.string())),
        "bytes": pa.array([b"a", b"\xff"]),
        "nulls": pa.nulls(3),
        "large texts": pa.array(["a"], pa.large_string()),
        "decimals": pa.array([None], pa.decimal128(38, 9)),
        "lists of lists": pa.array([[[["a"]]]]),
    }
    for name, array in wrong.items():
        yield f"{name} for text", parquet({"text": array})
        yield f"{name} for the id", parquet({"text": [_TEXT] * len(array), "id": array})
        yield f"{name} for the speaker", parquet({"text": [_TEXT] * len(array), "speaker": array})
    moments: dict[str, pa.Array] = {
        "days beyond the calendar": pa.array([2**31 - 1, -(2**31)], pa.int32()).cast(pa.date32()),
        "moments beyond the calendar": pa.array([2**62], pa.int64()).cast(pa.timestamp("us")),
        "nanoseconds": pa.array([1], pa.int64()).cast(pa.timestamp("ns")),
        "a zone that is none": pa.array([0], pa.int64()).cast(pa.timestamp("s", "Nowhere/City")),
        "a zone of wrong hours": pa.array([0], pa.int64()).cast(pa.timestamp("s", "+99:99")),
        "times": pa.array([1], pa.int64()).cast(pa.time64("ns")),
        "spans": pa.array([2**62], pa.int64()).cast(pa.duration("s")),
        "days": pa.array([date(2018, 2, 7)]),
    }
    for name, array in moments.items():
        yield name, parquet({"text": [_TEXT] * len(array), "date": array})
    yield "many columns", parquet({"text": [_TEXT], **{f"c{n}": [n] for n in range(100 * scale)}})
    yield "no rows", parquet({"text": pa.array([], pa.string())})
    yield (
        "many row groups",
        parquet({"text": [f"{_TEXT} {n}" for n in range(many)]}, row_group_size=1),
    )
    yield "a column of an empty name", parquet({"": ["a"], "text": [_TEXT]})
    yield "the same column in small letters", parquet({"text": [_TEXT], "TEXT": ["b"]})
    good = parquet({"text": [f"{_TEXT} {n}" for n in range(300)]})
    footer = int.from_bytes(good[-8:-4], "little")
    yield "a footer beyond the file", good[:-8] + (2**31 - 1).to_bytes(4, "little") + b"PAR1"
    yield "no footer", good[:-8] + (0).to_bytes(4, "little") + b"PAR1"
    for place in range(len(good) - 8 - footer, len(good) - 8, max(1, footer // (3 * scale))):
        for byte in (0x00, 0x7F, 0xFF):
            yield f"footer byte {place} is {byte}", good[:place] + bytes([byte]) + good[place + 1 :]
    for place in range(4, len(good) - 8 - footer, max(1, (len(good) - footer) // (3 * scale))):
        yield f"data byte {place} is 255", good[:place] + b"\xff" + good[place + 1 :]
