"""dbt does less for events, templates and macros, and says and makes the same."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dbt.context.configured import ConfiguredContext
from dbt.context.macros import MacroNamespace
from dbt.context.manifest import ManifestContext
from dbt.events.types import LogStartLine, NodeFinished, NoNodesForSelectionCriteria
from dbt_common.clients.jinja import MacroFuzzEnvironment, get_environment
from dbt_common.events.event_manager import EventManager
from dbt_common.exceptions.events import EventCompilationError

from orchestration.lib import lean_dbt

TEXT = "select {{ 1 + 1 }} as two"


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Path]:
    """Where templates are kept by a process that has compiled none."""
    relieve_anew(tmp_path)
    yield tmp_path
    lean_dbt._kept.clear()


def relieve_anew(cache: Path) -> None:
    lean_dbt._compiled.clear()
    lean_dbt._kept.clear()
    lean_dbt.relieve(cache)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Python's text of every template that is compiled from now on."""
    texts: list[str] = []
    usual = MacroFuzzEnvironment._compile

    def compile_(environment: Any, source: str, filename: str) -> Any:
        texts.append(source)
        return usual(environment, source, filename)

    monkeypatch.setattr(MacroFuzzEnvironment, "_compile", compile_)
    return texts


def test_what_a_callback_reads_is_there_and_other_news_is_not_made(cache: Path) -> None:
    manager, heard = EventManager(), list[Any]()
    manager.add_callback(heard.append)
    ended = NodeFinished(
        node_info={"unique_id": "model.t.orders", "node_name": "orders", "resource_type": "model"},
        run_result={"status": "success", "execution_time": 0.25, "num_failures": 0, "message": "OK"},
    )
    begun = LogStartLine(description="model", index=1, total=2, node_info={"unique_id": "model.t.orders"})
    for event in (begun, ended):
        manager.fire_event(event)

    (message,) = heard
    assert message.info.name == "NodeFinished"
    assert (message.data.node_info.unique_id, message.data.run_result.status) == ("model.t.orders", "success")
    assert begun.index == 0  # dbt may ask an event for what it told it
    begun.index = 3
    assert begun.index == 3


def test_a_warning_is_told_and_can_be_made_an_error(cache: Path) -> None:
    manager, heard = EventManager(), list[Any]()
    manager.add_callback(heard.append)
    warning = NoNodesForSelectionCriteria(spec_raw="tag:nothing")
    manager.fire_event(warning)
    assert "tag:nothing" in heard[0].info.msg
    manager.warn_error = True
    with pytest.raises(EventCompilationError, match="tag:nothing"):
        manager.fire_event(warning, force_warn_or_error_handling=True)


def test_a_text_is_compiled_once_for_all_processes(cache: Path, compiled: list[str]) -> None:
    first = get_environment().from_string(TEXT)
    assert first.render({}) == get_environment().from_string(TEXT).render({}) == "select 2 as two"
    assert len(compiled) == 1

    relieve_anew(cache)  # as another process
    assert get_environment().from_string(TEXT).render({}) == "select 2 as two"
    assert len(compiled) == 1

    assert get_environment().from_string(TEXT + "o").render({}) == "select 2 as twoo"
    assert len(compiled) == 2


def test_the_same_text_gives_a_value_where_one_is_wanted(cache: Path) -> None:
    text = "{{ '2' | as_number }}"
    assert get_environment().from_string(text).render({}) == "2"
    assert get_environment(native=True).from_string(text).render({}) == 2


@pytest.mark.parametrize(
    "damaged",
    [lambda _: b"", lambda whole: whole[:-20], lambda whole: bytes(len(whole))],
    ids=["empty", "cut off", "zeros"],
)
def test_a_damaged_template_is_compiled_again(
    cache: Path, compiled: list[str], damaged: Callable[[bytes], bytes]
) -> None:
    get_environment().from_string(TEXT)
    (kept,) = (cache / "templates").iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(damaged(whole))

    relieve_anew(cache)
    assert get_environment().from_string(TEXT).render({}) == "select 2 as two"
    assert len(compiled) == 2
    assert kept.read_bytes() == whole


@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_templates_are_not_run_that_others_may_have_written(
    cache: Path, compiled: list[str], mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    get_environment().from_string(TEXT)
    (cache / "templates").chmod(mode)
    relieve_anew(cache)
    get_environment().from_string(TEXT)
    assert len(compiled) == 2
    assert "others may write into" in caplog.text


def test_templates_of_another_user_are_not_run(
    cache: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    get_environment().from_string(TEXT)
    someone_else = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: someone_else)
    relieve_anew(cache)
    get_environment().from_string(TEXT)
    assert len(compiled) == 2


def test_without_a_folder_each_process_compiles_for_itself(tmp_path: Path, compiled: list[str]) -> None:
    (tmp_path / "templates").write_text("in the way")
    relieve_anew(tmp_path)
    assert get_environment().from_string(TEXT).render({}) == "select 2 as two"
    relieve_anew(tmp_path)
    assert get_environment().from_string(TEXT).render({}) == "select 2 as two"
    assert len(compiled) == 2


def test_a_folder_that_goes_away_costs_no_run(cache: Path) -> None:
    (cache / "templates").rmdir()
    assert get_environment().from_string(TEXT).render({}) == "select 2 as two"


def test_old_templates_go_when_there_are_too_many(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    get_environment().from_string(TEXT)
    monkeypatch.setattr(lean_dbt, "MAXIMUM_TEMPLATES", 1)
    relieve_anew(cache)
    get_environment().from_string(TEXT + "o")
    assert len(list((cache / "templates").iterdir())) == 2
    relieve_anew(cache)
    assert list((cache / "templates").iterdir()) == []


def test_the_namespace_that_is_asked_first_wins_as_in_dbt(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own: Any = {"both": "own", "own": "own"}
    root: Any = {"both": "root", "dbt": "root", "root": "root"}
    internal: Any = {"both": "internal", "root": "internal", "internal": "internal", "dbt_utils": "internal"}
    context = object.__new__(ManifestContext)
    context.namespace = MacroNamespace(root, own, internal, {"dbt_utils": {"star": "package"}})  # type: ignore[dict-item]
    monkeypatch.setattr(ConfiguredContext, "to_dict", lambda _: {"both": "context", "var": "context"})

    usual: Any = ManifestContext.to_dict.__wrapped__  # type: ignore[attr-defined]
    assert ManifestContext.to_dict(context) == usual(context)
    assert ManifestContext.to_dict(context)["both"] == "own"
    assert ManifestContext.to_dict(context)["dbt"] == "root"


def test_nothing_is_relieved_twice(cache: Path) -> None:
    made = EventManager.fire_event
    lean_dbt.relieve(cache)
    assert EventManager.fire_event is made
