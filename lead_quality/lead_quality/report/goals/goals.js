{
	const { check, formatter, link, period, select } = lead_quality.report;
	const depends_on = "eval:doc.show === 'Customers'";

	frappe.query_reports["Goals"] = {
		onload: lead_quality.report.export_all,
		get_chart_data: lead_quality.report.chart,
		filters: [
			...period(__("From"), __("Until"), 3),
			link("company", __("Company"), "Company"),
			link("user", __("Rep"), "User"),
			select("show", __("Show"), [
				["Goals", __("Goals")],
				["Customers", __("Customers")],
			]),
			{ ...link("goal", __("Goal"), "New Customer Goal"), depends_on },
			select(
				"count",
				__("Counted As"),
				[
					["won", __("From Leads")],
					["without_lead", __("No Lead")],
				],
				{
					depends_on,
				},
			),
			check("without_goal", __("Without Goal"), { depends_on }),
			check("without_user", __("Without Owner"), { depends_on }),
		],
		formatter: formatter(),
	};
}
