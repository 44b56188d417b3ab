"""Catalogue files as rows of named cells: JSON lines, CSV and TSV, XML feeds and Parquet, told apart by their content."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, iterparse

from index_build.feeds.columns import Columns
from index_build.feeds.streams import blocks, head, lines, opened
from index_build.feeds.tally import Tally, UnusableFileError

Form = Literal["jsonl", "csv", "xml", "parquet"]
HEAD = 1 << 18
HEAD_ROWS = 100
"""Rows in which the columns of a file without a header are looked for."""
MAX_CELL = 2_000_000
PARQUET_ROWS = 512
ITEMS = frozenset({"item", "entry", "product"})
"""Elements of an XML feed that are one product: RSS, Atom, plain."""
END = "\x1e"
"""A last line that is put after every CSV file: it comes back alone, unless a quote is still open."""
WINDOWS = "line not UTF-8, read as Windows-1252"


class Record(NamedTuple):
    """A row: where it stands (line from 1, or number of the item) and its cells in the order of the columns that were asked for."""

    line: int
    cells: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A file and how to read it.

    Attributes:
        path: The file.
        form: What it is.
        header: Its columns, as far as its head shows them.
        delimiter: Between the cells of a CSV file.
    """

    path: Path
    form: Form
    header: tuple[str, ...]
    delimiter: str = ","

    def records(self, columns: Columns, tally: Tally) -> Iterator[Record]:
        """Yield the rows with some of their columns; what cannot be read is counted and does not end the reading.

        Args:
            columns: The columns to read; a cell that is not there is None.
            tally: Told what cannot be read.
        """
        try:
            yield from self._read(columns, tally)
        except UnusableFileError as error:
            tally.reject(error.reason, self.path.name, 0, error.detail)

    def _read(self, columns: Columns, tally: Tally) -> Iterator[Record]:
        names = columns.names
        match self.form:
            case "jsonl":
                return _json_lines(self.path, columns, tally)
            case "csv":
                return _delimited(self, names, tally)
            case "xml":
                return (Record(line, [cells.get(name) for name in names]) for line, cells in _items(self.path))
            case "parquet":
                return _parquet(self.path, names, [name for name in names if name in self.header])


def open_table(path: Path) -> Table:
    """Return what a file is, by its first bytes.

    Raises:
        UnusableFileError: It is empty, or nothing that is known.
    """
    start = head(path, HEAD)
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"PAR1"):
        return Table(path, "parquet", tuple(_parquet_file(path).schema_arrow.names))
    if not text:
        raise UnusableFileError("empty file", "there is nothing in it")
    if text.startswith(b"<"):
        return Table(path, "xml", _tags(path))
    if text.startswith(b"{"):
        return Table(path, "jsonl", _json_header(text))
    if text.startswith(b"["):
        raise UnusableFileError("unknown format", "one JSON array; write one object a line")
    if b"\0" in start and not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnusableFileError("unknown format", f"it starts with {start[:12]!r}")
    first = next(line for line in _decoded_head(start).splitlines() if line.strip())
    delimiter = max(",\t;|", key=first.count)
    return Table(path, "csv", tuple(name.strip().lstrip("\ufeff") for name in next(csv.reader([first], delimiter=delimiter))), delimiter)


def _json_header(text: bytes) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for line in text.split(b"\n")[:HEAD_ROWS]:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue  # the last line is cut; others are counted when they are read
        names |= dict.fromkeys(row if isinstance(row, dict) else ())
    return tuple(names)


def _json_lines(path: Path, columns: Columns, tally: Tally) -> Iterator[Record]:
    """Decode nothing but the columns, the heavy ones later: the rest of a line is only checked and skipped."""
    names = columns.names
    keys = [f"c{n}" for n in range(len(names))]
    kinds = [msgspec.Raw if name in columns.heavy else Any for name in names]
    shape = msgspec.defstruct(
        "Row", [(key, kind, None) for key, kind in zip(keys, kinds, strict=True)], rename=dict(zip(keys, names, strict=True)), gc=False
    )
    decoder, astuple, number = msgspec.json.Decoder(shape), msgspec.structs.astuple, 0
    with opened(path) as stream:
        for block in blocks(stream):
            if block is None:
                number += 1
                tally.reject("line too long", path.name, number)
                continue
            try:
                rows = decoder.decode_lines(block)
            except (ValueError, RecursionError, msgspec.DecodeError):
                rows = []
            if len(rows) == block.count(b"\n") + 1:
                for row in rows:
                    number += 1
                    yield Record(number, astuple(row))
                continue
            for line in block.split(b"\n"):  # one of them is blank, or wrong
                number += 1
                cells = _one_line(line, decoder, path.name, number, tally)
                if cells is not None:
                    yield Record(number, cells if isinstance(cells, tuple) else [cells.get(name) for name in names])


def _one_line(line: bytes, decoder: msgspec.json.Decoder, file: str, number: int, tally: Tally) -> tuple | dict[str, Any] | None:
    """Return the cells of a line in the order of the decoder, or by column where only the slow way reads it."""
    try:
        return msgspec.structs.astuple(decoder.decode(line))
    except (ValueError, RecursionError, msgspec.DecodeError):
        return _slowly(line, file, number, tally)


def _slowly(line: bytes, file: str, number: int, tally: Tally) -> dict[str, Any] | None:
    """Read a line that is blank, has a mark at its start, is not UTF-8 or holds NaN; None, counted, where it is no object."""
    if not line.strip():
        return None
    try:
        cells = json.loads(_decoded(line, tally))
    except (ValueError, RecursionError) as error:
        tally.reject("not JSON", file, number, str(error), line)
        return None
    if not isinstance(cells, dict):
        tally.reject("not a JSON object", file, number, type(cells).__name__, line)
        return None
    return cells


def _decoded(line: bytes, tally: Tally) -> str:
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError:
        tally.repair(WINDOWS)
        return line.decode("cp1252", "replace")


def _delimited(table: Table, columns: Sequence[str], tally: Tally) -> Iterator[Record]:
    csv.field_size_limit(MAX_CELL)
    wanted = [table.header.index(name) if name in table.header else len(table.header) for name in columns]
    with opened(table.path) as stream:
        reader = csv.reader(_text_lines(stream, table, tally), delimiter=table.delimiter)
        before_header, at = True, 0
        while True:
            start, problem = at + 1, ""
            try:
                row = next(reader, [END])
            except csv.Error as error:
                row, problem = [], str(error)
            at = reader.line_num
            if row and row[-1].endswith(END):
                if row != [END]:
                    tally.reject("broken CSV row", table.path.name, start, f"a quote stays open to the end, line {at - 1}", row)
                return
            if problem:
                tally.reject("broken CSV row", table.path.name, start, problem)
            elif before_header or not any(map(str.strip, row)):
                before_header = before_header and not any(map(str.strip, row))
            elif len(row) > len(table.header):
                problem = f"{len(row)} cells, {len(table.header)} columns"
                tally.reject("more cells than columns", table.path.name, start, problem, row)
            else:
                yield Record(start, [row[n] if n < len(row) else None for n in wanted])


def _text_lines(stream: Any, table: Table, tally: Tally) -> Iterator[str]:
    """Yield lines of text with their ends, and ``END``; UTF-16 where a mark says so, else UTF-8 line by line."""
    if stream.peek(2)[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        yield from codecs.getreader("utf-16")(stream, "replace")
    else:
        for number, line in enumerate(lines(stream), 1):
            if line is None:
                tally.reject("line too long", table.path.name, number)
            yield _decoded(line or b"", tally) + "\n"
    yield END


def _decoded_head(start: bytes) -> str:
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return start[: len(start) // 2 * 2].decode("utf-16", "replace")
    return start.decode("utf-8-sig", "replace")


def _items(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield number and cells of the products of a feed; no document type or entity is let in, and what was read is let go."""
    number, above = 0, []
    try:
        with opened(path) as stream:
            for event, element in iterparse(stream, events=("start", "end"), forbid_dtd=True):
                if event == "start":
                    above.append(element)
                    continue
                above.pop()
                if _local(element.tag) in ITEMS and not (above and _local(above[-1].tag) in ITEMS):
                    number += 1
                    yield number, _cells(element)
                    element.clear()
                    if above:
                        above[-1].remove(element)
    except ParseError as error:
        raise UnusableFileError("broken XML", f"after item {number}: {error}") from None
    except DefusedXmlException as error:
        raise UnusableFileError("XML with a document type or entities", type(error).__name__) from None
    except (LookupError, ValueError) as error:  # an encoding that nobody knows, or bytes that are not in it
        raise UnusableFileError("broken XML", str(error)) from None
    if not number:
        raise UnusableFileError("no product in XML", f"there is no element {', '.join(sorted(ITEMS))}")


def _cells(element: Any) -> dict[str, Any]:
    """Return the text of each child, a list where one comes more than once; Atom's link is an attribute."""
    cells: dict[str, Any] = {}
    for child in element:
        name, value = _local(child.tag), (child.text or "").strip() or child.get("href") or ""
        if name in cells and value:
            cells[name] = [*(cells[name] if isinstance(cells[name], list) else [cells[name]]), value]
        else:
            cells.setdefault(name, value)
    return cells


def _local(tag: object) -> str:
    return re.sub(r"^\{.*\}", "", str(tag))


def _tags(path: Path) -> tuple[str, ...]:
    """Return the tags of the first products; the reading itself counts what cannot be read after the first."""
    names: dict[str, None] = {}
    try:
        for _, cells in islice(_items(path), HEAD_ROWS):
            names |= dict.fromkeys(cells)
    except UnusableFileError:
        if not names:
            raise
    return tuple(names)


def _parquet_file(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path, memory_map=True)
    except (pa.ArrowException, OSError) as error:
        raise UnusableFileError("file cannot be read", str(error).splitlines()[0]) from None


def _parquet(path: Path, columns: Sequence[str], here: list[str]) -> Iterator[Record]:
    number = 0
    try:
        for batch in _parquet_file(path).iter_batches(PARQUET_ROWS, columns=here):
            for cells in batch.to_pylist():
                number += 1
                yield Record(number, [cells.get(name) for name in columns])
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnusableFileError("file cannot be read", f"after row {number}: {str(error).splitlines()[0]}") from None
