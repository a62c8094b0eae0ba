"""Vectors into PostgreSQL with pgvector, through its own client: one table a role, scored by inner products."""

from __future__ import annotations

from typing import Any

from thence.base.errors import ConfigError
from thence.base.library import library
from thence.base.progress import Progress, silent
from thence.encode.embeddings import Embeddings
from thence.index.fingerprint import fingerprint
from thence.index.push.outside import held, parts, set_names
from thence.index.push.qdrant import VERSION_DIGITS
from thence.index.space import ROLES

ROWS = 4096
EXTRA = "'thence[pgvector]'"
INDEXED_WIDTH = 2000
"""Dimensions up to which pgvector indexes vectors of float32."""


def push_pgvector(
    embeddings: Embeddings,
    connection: Any,
    name: str,
    *,
    replace: bool = False,
    index: bool = True,
    progress: Progress = silent,
) -> dict[str, int]:
    """Write tables ``{name}_source`` and ``{name}_target``, both or neither, in one transaction.

    Columns are ``node`` (the key), ``id``, ``model`` (twelve digits of the model's fingerprint) and ``vector``.
    What to ask with is given by :func:`thence.index.push.asking`; ``vector <#> asked`` is the negative score::

        SELECT id FROM shop_target ORDER BY vector <#> %s LIMIT 20

    Args:
        embeddings: what to write.
        connection: a ``psycopg`` connection; it is committed.
        name: lower-case letters, digits and underscores.
        replace: write over tables of that name.
        index: make an HNSW index of inner products, where the vectors are narrow enough for one.
        progress: told after each batch.

    Returns:
        How many rows each table then has.

    Raises:
        ConfigError: psycopg or pgvector is not installed, the server lacks the extension, the name is unfit, or
            a table stands there already.
    """
    psycopg, client = library("psycopg", EXTRA), library("pgvector.psycopg", EXTRA)
    names, model = set_names(name), fingerprint(embeddings)[:VERSION_DIGITS]
    text, counts = psycopg.sql.SQL, {}
    with connection.transaction():
        try:
            with connection.transaction():
                connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        except psycopg.Error as error:
            raise ConfigError(f"the server lacks pgvector: {error}", fix="Install its extension.") from error
        client.register_vector(connection)
        for at, role in enumerate(ROLES):
            table = psycopg.sql.Identifier(names[role])
            width = held(embeddings, role, slice(0, 1)).shape[1]
            _make(connection, psycopg, names[role], width, replace)
            copy = text("COPY {} (node, id, model, vector) FROM STDIN WITH (FORMAT BINARY)").format(table)
            with connection.cursor() as cursor, cursor.copy(copy) as rows:
                rows.set_types(["int4", "text", "text", "vector"])
                for part in parts(len(embeddings.ids), ROWS):
                    ids, vectors = embeddings.ids.array[part].to_pylist(), held(embeddings, role, part)
                    for node, id_, vector in zip(range(part.start, part.stop), ids, vectors, strict=True):
                        rows.write_row((node, id_, model, vector))
                    done = at * len(embeddings.ids) + part.stop
                    progress("push to PostgreSQL", done, 2 * len(embeddings.ids))
            if index and width <= INDEXED_WIDTH:
                connection.execute(text("CREATE INDEX ON {} USING hnsw (vector vector_ip_ops)").format(table))
            counts[names[role]] = connection.execute(text("SELECT count(*) FROM {}").format(table)).fetchone()[
                0
            ]
    connection.commit()
    return counts


def _make(connection: Any, psycopg: Any, name: str, width: int, replace: bool) -> None:
    """An empty table."""
    text, table = psycopg.sql.SQL, psycopg.sql.Identifier(name)
    if replace:
        connection.execute(text("DROP TABLE IF EXISTS {}").format(table))
    columns = (
        "(node int4 PRIMARY KEY, id text NOT NULL UNIQUE, model text NOT NULL, vector vector({}) NOT NULL)"
    )
    made = text("CREATE TABLE {} " + columns).format(table, psycopg.sql.Literal(width))
    try:
        connection.execute(made)
    except psycopg.errors.DuplicateTable as error:
        raise ConfigError(f"table {name!r} exists", fix="Give another name, or replace=True.") from error
