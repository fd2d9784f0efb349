{% include "lead_quality/public/js/report.js" %}

{
	const { check, formatter, link, select } = lead_quality.report;
	const in_summary = "eval:doc.show === 'Summary'";
	const in_leads = "eval:doc.show !== 'Summary'";
	const colors = {
		"No Owner": "red",
		"No Next Step": "orange",
		Stale: "yellow",
		"Shelf Life": "purple",
		"Clock Overdue": "red",
	};
	const cell = formatter();

	frappe.query_reports["Leads at Risk"] = {
		filters: [
			select("show", __("Show"), [
				["Leads", __("Leads")],
				["Summary", __("Summary")],
			]),
			select(
				"fault",
				__("At Risk By"),
				[
					["", ""],
					["No Owner", __("No Owner")],
					["No Next Step", __("No Next Step")],
					["Stale", __("Stale")],
					["Shelf Life", __("Shelf Life")],
					["Clock Overdue", __("Clock Overdue")],
				],
				{ depends_on: in_leads },
			),
			select(
				"group_by",
				__("Group By"),
				[
					["Fault", __("Fault")],
					["Owner", __("Owner")],
					["Segment", __("Segment")],
				],
				{ depends_on: in_summary },
			),
			link("lead_owner", __("Owner"), "User"),
			link("segment", __("Segment"), "Lead Segment"),
			link("company", __("Company"), "Company"),
			check("without_owner", __("Without Owner"), { depends_on: in_leads }),
			check("without_segment", __("Without Segment"), { depends_on: in_leads }),
		],
		formatter(value, row, column, data, default_formatter) {
			if (column.fieldname === "faults" && data?.risks) {
				return data.risks
					.map(
						(risk) =>
							`<span class="indicator-pill no-indicator-dot ${colors[risk]} mr-1">${__(risk)}</span>`,
					)
					.join("");
			}
			const text = cell(value, row, column, data, default_formatter);
			const is_over = ["stale_in", "shelf_life_in"].includes(column.fieldname) && value !== null && value <= 0;
			return is_over ? `<span class="text-danger">${text}</span>` : text;
		},
	};
}
