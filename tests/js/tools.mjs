// Finds the packages of package.json wherever they are installed: beside the linter that runs, which ./dev keeps out of
// the checkout, or here, for editors.

import { createRequire } from "node:module";

export function tool(name) {
	try {
		return createRequire(process.env.LEAD_QUALITY_JS_TOOLS || process.argv[1])(name);
	} catch {
		return createRequire(import.meta.url)(name);
	}
}
