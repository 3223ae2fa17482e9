"""The paper's five columns, as its dataset has them on the hub."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from webscale_rl.errors import ExportError

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("pretrain_text", "domain", "persona", "question", "answer")


class Webscale:
    """One Parquet file with pretrain_text, domain, persona, question, answer."""

    form: ClassVar[str] = "webscale"
    file_name: ClassVar[str] = "train.parquet"
    columns: ClassVar[tuple[str, ...]] = COLUMNS

    def write(self, batches: Iterable[pa.RecordBatch], path: Path) -> int:
        """Write the batches; gives the number of rows. Raises ExportError if the run kept no texts."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        rows = 0
        schema = pa.schema([(name, pa.string()) for name in COLUMNS])
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for batch in batches:
                if batch.column("pretrain_text").null_count:
                    raise ExportError(
                        "the dataset has no pretrain_text; run again with dataset.pretrain_text: true"
                        " and --accept-changes (it pays nothing again)"
                    )
                writer.write_batch(batch.cast(schema))
                rows += len(batch)
        return rows
