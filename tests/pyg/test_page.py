"""The worked example of the page prints what the page says it prints, and its other lines run."""

import re
import runpy
from pathlib import Path

import torch
from torch_geometric.data import Data
from torch_geometric.loader import NodeLoader

from thence.graph import DiGraph
from thence.graph.sample import FanOut
from thence.pyg import Sampler, from_pyg, to_pyg

PAGE = Path(__file__).parents[2] / "docs" / "pyg.md"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_worked_example_prints_what_the_page_shows(tmp_path, capsys):
    (language, code), (kind, shown) = BLOCKS[1:3]
    assert (language, kind) == ("python", "text")
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    runpy.run_path(str(tmp_path / "example.py"))
    assert capsys.readouterr().out == shown


def test_the_other_lines_run(tmp_path):
    data = Data(
        edge_index=torch.tensor([[0, 1], [1, 2]]),
        edge_weight=torch.ones(2),
        price=torch.ones(3),
        count=torch.arange(3),
        train_mask=torch.tensor([True, False, True]),
        num_nodes=3,
    )
    graph = from_pyg(data)
    (tmp_path / "runs" / "shop").mkdir(parents=True)
    graph.save(tmp_path / "runs" / "shop" / "graph")
    names = {"data": data, "graph": graph, "DiGraph": DiGraph, "FanOut": FanOut, "Sampler": Sampler}
    names |= {"to_pyg": to_pyg, "NodeLoader": NodeLoader}
    for number, (language, code) in enumerate(BLOCKS[3:]):
        assert language == "python"
        path = tmp_path / f"block_{number}.py"
        path.write_text(code.replace('"runs/', f'"{tmp_path}/runs/'), encoding="utf-8")
        runpy.run_path(str(path), init_globals=names)
