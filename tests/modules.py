"""The modules of the app, for tests that ask something of all its functions."""

import importlib
import pkgutil

import lead_quality

# no part of a site: the demo makes one of its own, and the audit asks for packages that no bench has
APART = ("lead_quality.demo", "lead_quality.audit")


def import_all():
	for module in pkgutil.walk_packages(lead_quality.__path__, "lead_quality."):
		if not module.name.startswith(APART):
			importlib.import_module(module.name)
