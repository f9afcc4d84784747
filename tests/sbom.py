"""What the lock installs, as CycloneDX 1.5: `python -m tests.sbom > sbom.json` (`make sbom`).

From the packages' own metadata: name, version, licence, and the hashes that the lock pins.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parents[1] / "requirements" / "lock.txt"
_FAMILIES = {
    # What a classifier or a free text says → SPDX.
    "apache": "Apache-2.0",
    "mit": "MIT",
    "bsd": "BSD-3-Clause",
    "isc": "ISC",
    "mozilla": "MPL-2.0",
    "mpl": "MPL-2.0",
    "python software foundation": "PSF-2.0",
    "psf": "PSF-2.0",
    "unlicense": "Unlicense",
    "zope": "ZPL-2.1",
    "lesser general public": "LGPL-3.0-or-later",
    "lgpl": "LGPL-3.0-or-later",
}
_TEXTS = {
    "Permission is hereby granted, free of charge": "MIT",
    "Apache License": "Apache-2.0",
    "Redistribution and use in source and binary forms": "BSD-3-Clause",
}
"""Words of the licences themselves, for packages whose metadata says nothing."""


def licence_of(package: Distribution) -> str:
    """An SPDX expression where the package gives one, else the family that it names; empty when it names none."""
    metadata = package.metadata
    if expression := metadata.get("License-Expression"):
        return str(expression)
    said = [line.rpartition("::")[2].strip() for line in metadata.get_all("Classifier") or () if "License ::" in line]
    said += [str(metadata.get("License") or "").strip().partition("\n")[0]]
    for words in said:
        for word, spdx in _FAMILIES.items():
            if re.search(rf"\b{word}", words, re.IGNORECASE):
                return spdx
    for file in package.files or ():
        if file.name.upper().startswith(("LICENSE", "LICENCE", "COPYING")):
            text = Path(str(package.locate_file(file))).read_text("utf-8", "replace")[:3000]
            for word, spdx in (
                ("Permission is hereby granted, free of charge", "MIT"),
                ("Apache License", "Apache-2.0"),
            ):
                if word in text:
                    return spdx
            if "Redistribution and use in source and binary forms" in text:
                return "BSD-3-Clause"
    return next((words for words in said if words and words != "OSI Approved"), "")


def components(packages: Iterable[Distribution]) -> list[dict[str, Any]]:
    """One entry per package of the lock that is installed, ordered by name."""
    hashes = _hashes()
    found = {}
    for package in packages:
        name = re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower()
        if name in hashes:
            found[name] = {
                "name": name,
                "version": package.version,
                "licence": licence_of(package),
                "hashes": hashes[name],
            }
    return [found[name] for name in sorted(found)]


def _hashes() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    name = ""
    for line in LOCK.read_text().splitlines():
        if match := re.match(r"([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==", line):
            name = re.sub(r"[-_.]+", "-", match.group(1)).lower()
            found.setdefault(name, [])
        found.get(name, []).extend(re.findall(r"sha256:([0-9a-f]{64})", line))
    return found


def document(packages: Iterable[Distribution]) -> dict[str, Any]:
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "name": "tieout", "licenses": [{"expression": "Apache-2.0"}]}
        },
        "components": [
            {
                "type": "library",
                "name": one["name"],
                "version": one["version"],
                "purl": f"pkg:pypi/{one['name']}@{one['version']}",
                "licenses": [{"license": {"name": one["licence"]}}],
                "hashes": [{"alg": "SHA-256", "content": value} for value in one["hashes"]],
            }
            for one in components(packages)
        ],
    }


if __name__ == "__main__":
    json.dump(document(distributions()), sys.stdout, indent=1)
    print()
