{
	const { formatter, link, select } = lead_quality.report;
	const depends_on = "eval:doc.show === 'Leads'";

	frappe.query_reports["Funnel Targets"] = {
		onload: lead_quality.report.export_all,
		get_chart_data: lead_quality.report.chart,
		filters: [
			{
				fieldname: "as_of",
				label: __("As Of"),
				fieldtype: "Date",
				default: frappe.datetime.get_today(),
			},
			link("target", __("Target"), "Funnel Target"),
			select("show", __("Show"), [
				["Targets", __("Targets")],
				["Leads", __("Leads")],
			]),
			select(
				"count",
				__("Leads Counted As"),
				[
					["missed", __("Not Reached in Time")],
					["reached", __("Reached in Time")],
					["leads", __("Leads")],
				],
				{ depends_on },
			),
		],
		formatter: formatter(),
	};
}
