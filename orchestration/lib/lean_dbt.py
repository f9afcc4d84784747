"""dbt without the work that nobody here asks for, and with what it makes alike for every node made once.

Three things cost a sixth of the time that a lane keeps Python's lock: every event dressed up as protobuf twice,
templates compiled from the same text in every process, and the names of 650 macros, looked up one by one for every
node. Results come as `NodeFinished` and through the final result (`orchestration.lib.dbt`); dbt's logs
are off, so of the other events only warnings and errors are made, which dbt itself looks at.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2.bccache import FileSystemBytecodeCache

READ = frozenset({"NodeFinished"})
"""Events that a callback of ours reads."""
MAXIMUM_TEMPLATES = 20_000
"""Parsing the project and building it takes 4,200 (8 MB), and no further ones the next time. Those of texts that were
edited since are never asked for again: when there are so many, all go.
"""
WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_LOG = logging.getLogger(__name__)
_compiled: dict[str, Any] = {}
"""By what `_key` makes of the text: this process's."""
_kept: list[FileSystemBytecodeCache] = []
"""The cache on disk, at most one."""


def relieve(cache: Path) -> None:
    """From now on, in this process. Compiled templates are kept below `cache`; where nothing can be written there,
    every process compiles for itself.
    """
    _keep_templates_in(cache / "templates")
    from dbt.context.manifest import ManifestContext
    from dbt_common.clients.jinja import MacroFuzzEnvironment
    from dbt_common.events.base_types import BaseEvent
    from dbt_common.events.event_manager import EventManager

    for kind, name, relieved in (
        (BaseEvent, "__init__", _made_when_read),
        (EventManager, "fire_event", _fired_when_read),
        (MacroFuzzEnvironment, "compile", _compiled_once),
        (ManifestContext, "to_dict", _merged_at_once),
    ):
        usual = getattr(kind, name)
        if not hasattr(usual, "__wrapped__"):  # once
            made = relieved(usual)
            made.__wrapped__ = usual
            setattr(kind, name, made)


def _is_read(event: Any) -> bool:
    return type(event).__name__ in READ or event.level_tag().value in ("warn", "error")


def _made_when_read(usual: Callable[..., None]) -> Any:
    def init(event: Any, *arguments: Any, **members: Any) -> None:
        if _is_read(event):
            usual(event, *arguments, **members)
        else:  # an empty one of its kind: its members can be asked for and set
            event.pb_msg = getattr(event.PROTO_TYPES_MODULE, type(event).__name__)()

    return init


def _fired_when_read(usual: Callable[..., None]) -> Any:
    def fire_event(manager: Any, e: Any, *arguments: Any, **options: Any) -> None:
        if _is_read(e):
            usual(manager, e, *arguments, **options)

    return fire_event


def _compiled_once(usual: Callable[..., Any]) -> Any:
    """Of a text without a name, which is all that dbt compiles; the code depends on the text and the environment's
    class only.
    """

    def compile_(environment: Any, source: Any, *arguments: Any, **options: Any) -> Any:
        if not isinstance(source, str) or arguments or options:
            return usual(environment, source, *arguments, **options)
        key = _key(environment, source)
        if key not in _compiled:
            _compiled[key] = _from_disk(environment, key, source, usual)
        return _compiled[key]

    return compile_


def _key(environment: Any, source: str) -> str:
    return hashlib.sha256(f"{type(environment).__name__}\0{source}".encode(errors="surrogatepass")).hexdigest()


def _from_disk(environment: Any, key: str, source: str, usual: Callable[..., Any]) -> Any:
    if not _kept:
        return usual(environment, source)
    try:
        bucket = _kept[0].get_bucket(environment, key, None, source)
        if bucket.code is None:
            bucket.code = usual(environment, source)
            _kept[0].set_bucket(bucket)
    except OSError as problem:
        _keep_none(problem)
        return usual(environment, source)
    return bucket.code


def _keep_templates_in(folder: Path) -> None:
    """What lies there is run as code, so the folder must be this user's, and nobody else may write into it."""
    if _kept and Path(_kept[0].directory) == folder:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = folder.stat()
        if found.st_uid != os.geteuid() or found.st_mode & WRITABLE_BY_OTHERS:
            _keep_none(f"others may write into {folder}; delete it, or set its mode to 0700")
            return
        _kept[:] = [FileSystemBytecodeCache(str(folder))]
        if sum(1 for _ in folder.iterdir()) > MAXIMUM_TEMPLATES:
            _kept[0].clear()
    except OSError as problem:
        _keep_none(problem)


def _keep_none(why: object) -> None:
    _LOG.warning("compiled templates are not kept: %s", why)
    _kept.clear()


def _merged_at_once(usual: Callable[..., dict[str, Any]]) -> Any:
    """The macros' names on top of the context, the namespace that is asked first winning, as when each is asked for."""
    from dbt.context.configured import ConfiguredContext
    from dbt.context.macros import MacroNamespace

    def to_dict(context: Any) -> dict[str, Any]:
        namespace = context.namespace
        if type(namespace) is not MacroNamespace:
            return usual(context)
        merged: dict[str, Any] = ConfiguredContext.to_dict(context)
        for one in reversed(list(namespace._search_order())):
            merged.update(one)
        return merged

    return to_dict
