"""All text that a load leaves behind, for searching."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from cli_harness import CliHarness
from process_pool import Finished

# With these a load leaves behind all it can: its packages, and what dlt tells its log.
KEPT_FILES = {"LOAD__DELETE_COMPLETED_JOBS": "false", "RUNTIME__LOG_LEVEL": "INFO"}


def artifacts(cli: CliHarness, done: Finished) -> dict[str, str]:
    """Return by place what was printed, every file as it is and unpacked, and every text of every table."""
    places = {"output": done.out, "errors": done.err, "files": "\n".join(texts_of_files(cli.folder))}
    if cli.database.exists():
        places["tables"] = "\n".join(texts_of_tables(cli.database))
    return places


def texts_of_files(folder: Path) -> Iterator[str]:
    """Yield every file below a folder: its bytes, and its content where it is compressed."""
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        content = path.read_bytes()
        yield content.decode(errors="replace")
        if path.suffix == ".parquet":
            yield json.dumps(pq.read_table(path).to_pylist(), default=str, ensure_ascii=False)
        elif path.suffix == ".gz":
            yield from unpacked(gzip.decompress(content).decode(errors="replace"))


def texts_of_tables(database: Path) -> Iterator[str]:
    """Yield every row of every table of every schema."""
    with duckdb.connect(str(database), read_only=True) as connection:
        tables = connection.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
        for schema, table in tables:
            for row in connection.execute(f'SELECT * FROM "{schema}"."{table}"').fetchall():
                for value in row:
                    yield from unpacked(str(value))


def unpacked(text: str) -> Iterator[str]:
    """Yield a text, and what it is where it is compressed as dlt's state is."""
    yield text
    for word in text.replace("'", " ").split():
        try:
            yield zlib.decompress(base64.b64decode(word, validate=True)).decode()
        except (ValueError, zlib.error):
            continue
