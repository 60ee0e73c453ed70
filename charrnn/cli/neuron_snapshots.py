"""What `charrnn visualize-neurons --over-time` reads beside the checkpoint."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from charrnn.cli.neuron_output import NeuronOutput
from charrnn.cli.stage_bar import StageBar

if TYPE_CHECKING:
    from charrnn.neurons.build_report import ReportBuilder
    from charrnn.neurons.report import Report


def with_snapshots(
    report: "Report",
    builder: "ReportBuilder",
    output: NeuronOutput,
    checkpoint: Path,
    kept: Mapping[int, str],
) -> "Report":
    """The report with the scores of its cells in the snapshots that were `kept`: of those in the
    table, or, where data is written, of all cells with values that have a claim. Unchanged where
    none was kept, or nothing is shown."""
    from dataclasses import replace

    from charrnn.checkpoints.snapshot_file import read_snapshots, snapshots_path
    from charrnn.neurons.over_time import over_time

    if not kept or builder.found is None:
        return report
    cells = {(layer, unit) for layer, unit, _ in report.cells_in_table(output.rows, output.opened)}
    if output.has_data:
        cells |= {(layer, unit) for layer, unit, _ in report.cells_in_table(len(report.groups))}
        cells |= {(x.layer, x.unit) for x in report.units if x.claim and x.claim.is_explained}
    if not cells:
        return report
    size = builder.model.network.config.size
    snapshots = read_snapshots(snapshots_path(checkpoint), kept, size)
    with StageBar() as bar:
        found = over_time(
            builder.found,
            builder.model,
            builder.ids,
            sorted(cells),
            snapshots,
            progress=lambda done: bar("reading snapshots", done / len(kept)),
        )
    return replace(report, over_time=found)
