"""A bench installs the app from a clone, a package index from a wheel: the wheel holds what the clone holds."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import lead_quality

ROOT = Path(lead_quality.__file__).parent.parent
SHIPPED = {".css", ".csv", ".html", ".js", ".json", ".png", ".po", ".pot", ".py", ".svg", ".txt"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
	"""Built from a copy, since the build writes into its source."""
	source = tmp_path_factory.mktemp("source")
	for name in ("pyproject.toml", "setup.py", "README.md", "license.txt"):
		shutil.copy(ROOT / name, source)
	not_shipped = shutil.ignore_patterns("__pycache__", "node_modules", "dist")
	shutil.copytree(ROOT / "lead_quality", source / "lead_quality", ignore=not_shipped)
	subprocess.run(
		[sys.executable, "-c", "from setuptools.build_meta import build_wheel; build_wheel('.')"],
		cwd=source,
		check=True,
		capture_output=True,
	)
	return zipfile.ZipFile(next(source.glob("*.whl")))


def test_wheel_holds_every_file_of_the_package(wheel):
	on_disk = {
		path.relative_to(ROOT).as_posix()
		for path in (ROOT / "lead_quality").rglob("*")
		if path.suffix in SHIPPED and not {"node_modules", "dist"} & set(path.parts)
	}

	in_wheel = {name for name in wheel.namelist() if name.startswith("lead_quality/")}

	assert "lead_quality/modules.txt" in in_wheel
	assert on_disk == in_wheel


def test_wheel_carries_the_version_and_the_licence(wheel):
	info = f"lead_quality-{lead_quality.__version__}.dist-info"

	assert f"Version: {lead_quality.__version__}\n" in wheel.read(f"{info}/METADATA").decode()
	assert "GNU GENERAL PUBLIC LICENSE" in wheel.read(f"{info}/licenses/license.txt").decode()
