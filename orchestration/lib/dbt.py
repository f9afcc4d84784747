"""dbt inside this process: a third of the time of a subprocess, and a result to read instead of a log.

dbt takes its paths from the environment, its clock from a variable. It opens the warehouse by itself, so nobody else
may hold it, and every connection it made is closed before `invoke` returns.
"""

from __future__ import annotations

import filecmp
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock

from connectors.erps import registered_erps
from orchestration.lib import data_tests, lean_dbt, parse_cache
from orchestration.lib.configuration import ROW_TYPES
from orchestration.lib.files import replace_file
from orchestration.lib.registry import configured_vendors
from orchestration.lib.settings import Settings, stamp
from orchestration.lib.warehouse import connect, exclusive

_NOT_LINKED = frozenset({"seeds", "target", "logs"})
REGISTERED = "registered"
"""The model path of ERPs from other distributions."""
NO_TESTS = "resource_type:test"
_IMAGE = "manifest-"
FAILED = frozenset({"error", "fail", "runtime error"})
CHOSEN = "tieout_chosen"
"""Tag of the nodes that a build was asked for by their ids. dbt compares each selector with each node: four hundred
selectors would cost two seconds before anything is built.
"""


@dataclass(frozen=True, slots=True)
class NodeResult:
    """What became of one model, seed or test. `failures` counts the rows of a test; `status` is dbt's word."""

    unique_id: str
    name: str
    resource_type: str
    status: str
    seconds: float
    failures: int | None
    message: str | None

    @property
    def is_failed(self) -> bool:
        return self.status in FAILED


@dataclass(frozen=True, slots=True)
class DbtResult:
    nodes: tuple[NodeResult, ...]
    error: str | None = None
    """Why dbt stopped before any node ran (a project that does not parse)."""

    @property
    def ok(self) -> bool:
        return self.error is None and not self.failures

    @property
    def failures(self) -> tuple[NodeResult, ...]:
        return tuple(node for node in self.nodes if node.is_failed)

    @property
    def warnings(self) -> tuple[NodeResult, ...]:
        return tuple(node for node in self.nodes if node.status == "warn")

    @property
    def skipped(self) -> tuple[NodeResult, ...]:
        return tuple(node for node in self.nodes if node.status == "skipped")

    def count(self, resource_type: str) -> int:
        return sum(node.resource_type == resource_type for node in self.nodes)


OnNode = Callable[[NodeResult], None]


def environment(settings: Settings) -> dict[str, str]:
    """The variables that dbt_project.yml and profiles.yml read."""
    return {
        "TIEOUT_WAREHOUSE": str(settings.warehouse_path),
        "TIEOUT_DBT_TARGET_PATH": str(target_path(settings)),
        "TIEOUT_MEMORY_LIMIT": settings.memory_limit,
        "TIEOUT_THREADS": str(settings.threads),
        "TIEOUT_DBT_TEMP": str(settings.temporary_dir),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


def target_path(settings: Settings) -> Path:
    return settings.dbt_dir / "target"


def project_path(settings: Settings) -> Path:
    return settings.dbt_dir / "project"


def prepare_project(settings: Settings) -> Path:
    """A dbt project folder inside the data folder: links to the models, and the person's configuration as its seeds.

    dbt takes seeds only from inside its project: given an absolute seed path it writes its compiled output *over* the
    seeds. Files are copied only when they changed, so that dbt's partial parse stays valid.
    """
    project = project_path(settings)
    seeds = project / "seeds"
    seeds.mkdir(parents=True, exist_ok=True)
    for source in settings.dbt_project_dir.absolute().iterdir():
        link = project / source.name
        if source.name in _NOT_LINKED or source.name.startswith("."):
            continue
        if not (link.is_symlink() and link.readlink() == source):
            link.unlink(missing_ok=True)
            link.symlink_to(source)
    _link_registered(project / REGISTERED, vendors(settings))
    known = {row_type.FILE for row_type in ROW_TYPES}
    for stale in seeds.iterdir():
        if stale.name not in known or not (settings.config_dir / stale.name).exists():
            stale.unlink()
    for name in known:
        source, copy = settings.config_dir / name, seeds / name
        if source.exists() and not (copy.exists() and filecmp.cmp(source, copy, shallow=False)):
            shutil.copyfile(source, copy)
    return project


def _link_registered(folder: Path, used: Collection[str]) -> None:
    """The models of ERPs from other distributions, below folders with the layers' names: dbt_project.yml knows those.

    File by file, because dbt does not look into linked folders. Those of an ERP that is not used are not there: dbt
    would build them.
    """
    wanted = {
        folder / layer / name / path.relative_to(erp.dbt_models / layer): path.absolute()
        for name, erp in registered_erps().items()
        if name in used
        for layer in ("staging", "ledger")
        for path in (erp.dbt_models / layer).rglob("*")
        if path.suffix in {".sql", ".yml"}
    }
    for link in folder.rglob("*"):
        if link.is_symlink() and link not in wanted:
            link.unlink()
    for link, target in wanted.items():
        if not (link.is_symlink() and link.readlink() == target):
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(target)


def registered(settings: Settings) -> dict[str, dict[str, Any]]:
    """What the models must know of each ERP of another distribution that is in use: its feeds, as they are counted,
    and the ledger models that take its rows.
    """
    used = vendors(settings)
    return {
        name: {
            "ledger_models": list(erp.ledger_models),
            "feeds": [
                {
                    "feed": entity,
                    "raw_table": spec.tables[0].name,
                    "id_columns": list(spec.id_columns),
                    "is_snapshot": spec.mode == "snapshot",
                }
                for entity, spec in erp.feeds.items()
            ],
        }
        for name, erp in registered_erps().items()
        if name in used
    }


def vendors(settings: Settings) -> list[str]:
    """The vendors whose models are parsed and built: nobody pays for an ERP that they do not have."""
    return list(configured_vendors(settings.config_dir))


def _variables_of(settings: Settings, patched: Sequence[str] = ()) -> dict[str, Any]:
    values: dict[str, Any] = {"as_of": stamp(settings.clock.now()), "vendors": vendors(settings)}
    if patched:
        values["patched"] = list(patched)
    if erps := registered(settings):
        values["erps"] = erps
    return values


def arguments(
    command: str,
    settings: Settings,
    *,
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    has_own_tests: bool = True,
    patched: Sequence[str] = (),
) -> list[str]:
    """dbt's command line. Runs nothing, so that it can be tested. `has_own_tests`: the tests of selected models run,
    also those that nobody selected. `patched`: names of the models whose tables are patched instead of made anew.
    """
    chosen = [*(("--select", *select) if select else ()), *(("--exclude", *exclude) if exclude else ())]
    if command == "build":
        # Unit tests prove the code on invented rows; they belong to the test-suite, not to a run on somebody's books.
        chosen += ["--exclude-resource-type", "unit_test"]
        chosen += [] if has_own_tests else ["--indirect-selection=empty"]
    return [
        "--no-version-check",
        "--no-send-anonymous-usage-stats",
        # Every log line is rendered before its level is looked at: a third of a build's time. Results come as objects.
        "--log-level=none",
        "--log-level-file=none",
        *(("--no-write-json",) if command == "build" else ()),
        command,
        f"--project-dir={project_path(settings)}",
        f"--profiles-dir={project_path(settings)}",
        f"--target-path={target_path(settings)}",
        f"--threads={settings.threads}" if command != "parse" else "--partial-parse",
        f"--vars={json.dumps(_variables_of(settings, patched))}",
        *chosen,
    ]


def build(
    settings: Settings,
    *,
    select: Sequence[str] = (),
    nodes: Collection[str] = (),
    exclude: Sequence[str] = (),
    has_own_tests: bool = True,
    patched: Sequence[str] = (),
    on_node: OnNode | None = None,
) -> DbtResult:
    """Seeds, models and tests in the order of their dependencies: those that `select` names in dbt's words, or those
    whose unique ids are `nodes`. A failed test is a failed node in the result, never lost.
    """
    with exclusive(settings):
        image = _parsed(settings)
        manifest = _manifest(image)
        plain = data_tests.take_out(manifest)
        if nodes:
            select = (f"tag:{CHOSEN}",)
            for unique_id in manifest.nodes.keys() & set(nodes):
                manifest.nodes[unique_id].tags.append(CHOSEN)
        command = arguments(
            "build", settings, select=select, exclude=exclude, has_own_tests=has_own_tests, patched=patched
        )
        result = _invoke(command, settings, on_node, manifest)
        if result.error is not None or NO_TESTS in exclude:
            return result
        asked = _ask(settings, image, plain, result, select, nodes, has_own_tests=has_own_tests)
        for node in asked:
            if on_node is not None:
                on_node(node)
        return DbtResult((*result.nodes, *asked))


def _ask(
    settings: Settings,
    image: Path,
    plain: Mapping[str, data_tests.DataTest],
    result: DbtResult,
    select: Sequence[str],
    nodes: Collection[str],
    *,
    has_own_tests: bool,
) -> tuple[NodeResult, ...]:
    """The tests that only look at rows, of what dbt has just built."""
    built = {node.unique_id for node in result.nodes}
    tests = list(data_tests.chosen(plain, built, select, nodes, has_own_tests=has_own_tests))
    if not tests:
        return ()
    failed = {node.unique_id for node in result.nodes if node.resource_type != "test" and node.status != "success"}
    queries = _queries(settings, image, plain)
    with connect(settings) as connection:
        asked = [data_tests.ask(connection, test, queries[test.unique_id], failed=failed) for test in tests]
    return tuple(
        NodeResult(one.test.unique_id, one.test.name, "test", one.status, one.seconds, one.failures, one.message)
        for one in asked
    )


def _queries(settings: Settings, image: Path, plain: Collection[str]) -> dict[str, str]:
    """The tests' SQL as dbt renders it, by unique id. Needs no warehouse."""
    name = image.stem.removeprefix(_IMAGE)
    if (kept := parse_cache.find_queries(settings.dbt_dir, name)) is not None:
        return kept
    kept = parse_cache.find_queries(settings.cache_dir, name)
    if kept is None:
        rendered = _invoke_dbt(
            [*arguments("compile", settings, select=["resource_type:test"]), "--no-introspect", "--no-populate-cache"],
            settings,
            _manifest(image),
        )
        if rendered.exception is not None:
            raise RuntimeError(f"dbt cannot render its tests: {rendered.exception}")
        nodes = (one.node for one in rendered.result.results)
        kept = {node.unique_id: node.compiled_code for node in nodes if node.unique_id in plain}
        parse_cache.keep_queries(settings.cache_dir, name, kept)
    parse_cache.keep_queries(settings.dbt_dir, name, kept)
    return kept


def ensure_manifest(settings: Settings) -> Path:
    """The parsed project's manifest, made anew when the project or the list of configuration files changed.

    Needs neither a network nor the warehouse. Raises RuntimeError when the project does not parse.
    """
    return _parsed(settings).with_suffix(".json")


def _parsed(settings: Settings) -> Path:
    """dbt's own image of the parsed project (`.msgpack`), with the manifest beside it (`.json`).

    Copies of our own, named by what was parsed: dbt parses everything anew whenever a variable differs, and the clock
    is one, which costs ten seconds a run; and it rewrites its files on every build, so that a kill leaves half of one.
    """
    name = _fingerprint(settings)[:16]
    image = settings.dbt_dir / f"{_IMAGE}{name}.msgpack"
    settings.dbt_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.dbt_dir / "parse.lock", timeout=300):
        if image.exists():  # written last
            return image
        parsed = parse_cache.find(settings.cache_dir, name, project_path(settings))
        if parsed is None:
            parsed = _parse(settings)
            parse_cache.keep(settings.cache_dir, name, project_path(settings), parsed)
        for stale in (*settings.dbt_dir.glob(f"{_IMAGE}*"), *settings.dbt_dir.glob("*.tests")):
            stale.unlink()
        replace_file(image.with_suffix(".json"), parsed.manifest)
        replace_file(image, parsed.image)
    return image


def _parse(settings: Settings) -> parse_cache.Parsed:
    outcome = _invoke(arguments("parse", settings), settings, None)
    target = target_path(settings)
    left = target / "partial_parse.msgpack"
    if outcome.error is not None and left.exists():
        # dbt may trip over what it parsed of an older version of the project: once more, from nothing.
        left.unlink()
        outcome = _invoke(arguments("parse", settings), settings, None)
    if outcome.error is not None:
        raise RuntimeError(f"the dbt project does not parse: {outcome.error}")
    return parse_cache.Parsed(left.read_bytes(), (target / "manifest.json").read_bytes())


def _fingerprint(settings: Settings) -> str:
    """Changes when dbt would parse something else. Of the seeds only the names matter for that, and the vendors."""
    versions = f"{version('dbt-core')} {version('dbt-duckdb')}"
    digest = hashlib.sha256(f"{versions} {vendors(settings)}".encode())
    digest.update(json.dumps(registered(settings), sort_keys=True).encode())
    used = vendors(settings)
    folders = [erp.dbt_models for name, erp in registered_erps().items() if name in used]
    for project in (settings.dbt_project_dir, *folders):
        for path in sorted(project.rglob("*")):
            below = path.relative_to(project)
            if path.suffix in {".sql", ".yml", ".md"} and below.parts[0] not in {"target", "logs"}:
                digest.update(f"{below}\0".encode() + path.read_bytes() + b"\0")
    for path in sorted(settings.config_dir.glob("*.csv")):
        digest.update(path.name.encode() + b"\0")
    return digest.hexdigest()


def _manifest(image: Path) -> Any:
    """dbt's manifest object, as it was parsed."""
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    return Manifest.from_msgpack(image.read_bytes(), decoder=extended_mashumuro_decoder)


def _invoke(command: list[str], settings: Settings, on_node: OnNode | None, manifest: Any = None) -> DbtResult:
    nodes: list[NodeResult] = []

    def collect(event: Any) -> None:
        if event.info.name != "NodeFinished":
            return
        node = _node(event.data)
        nodes.append(node)
        if on_node is not None:
            on_node(node)

    outcome = _invoke_dbt(command, settings, manifest, collect)
    if outcome.exception is not None:
        return DbtResult(tuple(nodes), str(outcome.exception))
    details = {result.node.unique_id: result for result in getattr(outcome.result, "results", None) or ()}
    return DbtResult(tuple(_detailed(node, details.get(node.unique_id)) for node in nodes))


def _invoke_dbt(
    command: list[str], settings: Settings, manifest: Any = None, on_event: Callable[[Any], None] | None = None
) -> Any:
    """dbt's own result."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    for folder in (target_path(settings), settings.temporary_dir):
        folder.mkdir(parents=True, exist_ok=True)
    prepare_project(settings)
    lean_dbt.relieve(settings.cache_dir)
    if manifest is not None:
        manifest.build_flat_graph()
    with _variables(environment(settings)):
        try:
            return dbtRunner(manifest=manifest, callbacks=[on_event] if on_event else []).invoke(command)
        finally:
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]


def _node(data: Any) -> NodeResult:
    result, info = data.run_result, data.node_info
    return NodeResult(
        unique_id=info.unique_id,
        name=info.node_name,
        resource_type=info.resource_type,
        status=str(result.status),
        seconds=float(result.execution_time),
        failures=int(result.num_failures) if info.resource_type in ("test", "unit_test") else None,
        message=str(result.message) or None,
    )


def _detailed(node: NodeResult, result: Any) -> NodeResult:
    """The message of the final result, which a callback may have seen only in part."""
    if result is None or not result.message:
        return node
    return NodeResult(
        node.unique_id,
        node.name,
        node.resource_type,
        str(result.status),
        node.seconds,
        result.failures,
        str(result.message),
    )


@contextmanager
def _variables(values: Mapping[str, str]) -> Iterator[None]:
    """dbt reads the process's environment; put it back as it was."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
