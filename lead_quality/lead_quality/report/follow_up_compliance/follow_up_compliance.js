{
	const { check, formatter, link, minimum, period, select } = lead_quality.report;
	// a figure, and the counts that it is taken of
	const cases = {
		met_percent: ["clocks"],
		system_percent: ["misses"],
		median_hours: ["timed"],
		percentile_hours: ["timed"],
	};
	const depends_on = "eval:doc.show === 'Clocks'";

	frappe.query_reports["Follow-up Compliance"] = {
		onload: lead_quality.report.export_all,
		get_chart_data: lead_quality.report.chart,
		filters: [
			select("group_by", __("Group By"), [
				["Rep", __("Rep")],
				["Team", __("Team")],
				["Segment", __("Segment")],
				["Clock", __("Deadline")],
			]),
			...period(__("Started from"), __("Started until"), 3),
			select("clock", __("Deadline"), [
				["", ""],
				["Triage", __("Triage")],
				["First Response", __("First Response")],
				["Next Touch", __("Next Touch")],
				["Handover Acceptance", __("Handover Acceptance")],
				["First Touch After Acceptance", __("First Touch After Acceptance")],
			]),
			link("segment", __("Segment"), "Lead Segment"),
			link("company", __("Company"), "Company"),
			link("user", __("Rep"), "User"),
			minimum(),
			select("show", __("Show"), [
				["Groups", __("Groups")],
				["Clocks", __("Deadlines")],
			]),
			select(
				"count",
				__("Deadlines Counted As"),
				[
					["", __("All")],
					["clocks", __("Met or Missed")],
					["met", __("Met")],
					["missed", __("Missed")],
					["never_touched", __("Never Touched")],
					["touched_late", __("Touched Late")],
					["charged", __("Share of Misses")],
					["missed_by_system", __("Missed by the System")],
					["open", __("Open in Time")],
					["paused", __("Paused")],
					["cancelled", __("Cancelled")],
				],
				{ depends_on },
			),
			{ fieldname: "group", label: __("Of Group"), fieldtype: "Data", depends_on },
			check("without_group", __("Without Group"), { depends_on }),
		],
		formatter: formatter(cases),
	};
}
